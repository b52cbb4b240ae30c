//! A library as it comes: `stock` fills in its own sizes too, and what is written stands.

use super::story::settings;

/// Preset, most, floor, most idle, lifetime, jitter, acquire timeout (pools.md §1, §2), in seconds.
type Stock = (&'static str, u32, u32, Option<u32>, Option<f64>, f64, Option<f64>);

const STOCK: [Stock; 19] = [
    ("pgxpool", 4, 0, None, Some(3600.0), 0.0, None),
    ("pgxpool-5.8", 4, 0, None, Some(3600.0), 0.0, None),
    ("pgxpool-5.3", 4, 0, None, Some(3600.0), 0.0, None),
    ("pgxpool-v4", 4, 0, None, Some(3600.0), 0.0, None),
    ("database-sql", 100_000, 0, Some(2), None, 0.0, None),
    ("hikari", 10, 10, None, Some(1800.0), 450.0, Some(30.0)),
    ("hikari-6.0", 10, 10, None, Some(1800.0), 45.0, Some(30.0)),
    ("sqlx", 10, 0, None, Some(1800.0), 0.0, Some(30.0)),
    ("bb8", 10, 0, None, Some(1800.0), 0.0, Some(30.0)),
    ("r2d2", 10, 10, None, Some(1800.0), 0.0, Some(30.0)),
    ("deadpool", 4, 0, None, None, 0.0, None),
    ("sqlalchemy", 15, 0, Some(5), None, 0.0, Some(30.0)),
    ("pg-pool", 10, 0, None, None, 0.0, None),
    ("postgres-js", 10, 0, None, Some(1800.0), 1800.0, None),
    ("npgsql", 100, 0, None, Some(3600.0), 0.0, Some(15.0)),
    ("psycopg", 4, 4, None, Some(3600.0), 180.0, Some(30.0)),
    ("activerecord", 5, 0, None, None, 0.0, Some(5.0)),
    ("pgbouncer", 20, 0, None, Some(3600.0), 0.0, Some(120.0)),
    ("pgdog", 10, 1, None, Some(86_400.0), 0.0, Some(5.0)),
];

#[test]
fn every_library_has_its_own_sizes_and_times() {
    for (preset, max, min, max_idle, lifetime, jitter, acquire) in STOCK {
        let pool = settings(&format!("preset = \"{preset}\"\nstock = true"));
        assert_eq!((pool.max, pool.min, pool.max_idle), (max, min, max_idle), "{preset}");
        assert_eq!(pool.max_lifetime.0.map(|span| span.as_secs()), lifetime, "{preset}");
        assert_eq!(pool.jitter().as_secs(), jitter, "{preset}");
        assert_eq!(pool.acquire_timeout.0.map(|span| span.as_secs()), acquire, "{preset}");
    }
}

/// Without `stock` the sizes are the scenario's, a fixed size follows `max`, and built-in jitter follows the
/// lifetime.
#[test]
fn without_stock_the_sizes_are_the_scenarios() {
    for (preset, ..) in STOCK {
        let pool = settings(&format!("preset = \"{preset}\"\nmax = 7\nmax_lifetime = \"15m\""));
        assert_eq!((pool.max, pool.max_idle), (7, None), "{preset}");
        let fixed = ["hikari", "hikari-6.0", "r2d2", "psycopg"].contains(&preset);
        assert_eq!(pool.min, if fixed { 7 } else { 0 }, "{preset}");
        let built_in = match preset {
            "hikari" => 225.0,
            "hikari-6.0" => 22.5,
            "psycopg" => 45.0,
            "activerecord" => 180.0,
            "postgres-js" => 900.0,
            _ => 0.0,
        };
        assert_eq!(pool.jitter().as_secs(), built_in, "{preset}");
    }
}

#[test]
fn what_is_written_stands() {
    let pool = settings("preset = \"hikari\"\nstock = true\nmax = 30\nmin = 3\nmax_lifetime_jitter = \"3m\"");
    assert_eq!((pool.max, pool.min, pool.jitter().as_secs()), (30, 3, 180.0));
}
