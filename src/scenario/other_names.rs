//! What frameworks and libraries call things that have another name here: for the cure in an error.
//!
//! Names are compared without case, `-` and `_`. Sources: the documentation of each library, as in the preset
//! files; where one setting of theirs is two of ours, the nearer one.

/// Frameworks and packages by the pool that they come with.
const FRAMEWORKS: [(&str, &str); 17] = [
    ("rails", "activerecord"),
    ("django", "psycopg"),
    ("psycopg3", "psycopg"),
    ("flask", "sqlalchemy"),
    ("fastapi", "sqlalchemy"),
    ("hikaricp", "hikari"),
    ("spring", "hikari"),
    ("springboot", "hikari"),
    ("micronaut", "hikari"),
    ("pgx", "pgxpool"),
    ("gorm", "database-sql"),
    ("libpq", "database-sql"),
    ("nodepostgres", "pg-pool"),
    ("pg", "pg-pool"),
    ("diesel", "r2d2"),
    ("dotnet", "npgsql"),
    ("entityframework", "npgsql"),
];

/// Settings of libraries, poolers and platforms by our keys.
const SETTINGS: [(&str, &[&str]); 12] = [
    (
        "acquire_timeout",
        &[
            "connectionTimeout",
            "connectionTimeoutMillis",
            "poolTimeout",
            "checkoutTimeout",
            "queryWaitTimeout",
        ],
    ),
    (
        "max",
        &[
            "maximumPoolSize",
            "maxPoolSize",
            "poolSize",
            "poolMaxConns",
            "maxConns",
            "maxConnections",
            "maxOpenConns",
            "maxSize",
            "defaultPoolSize",
        ],
    ),
    ("min", &["minimumIdle", "minIdle", "minPoolSize", "minSize", "minConns", "poolMinConns"]),
    ("max_idle", &["maxIdleConns", "maximumIdle"]),
    (
        "max_lifetime",
        &[
            "poolRecycle",
            "connMaxLifetime",
            "maxConnLifetime",
            "poolMaxConnLifetime",
            "serverLifetime",
            "connectionLifetime",
        ],
    ),
    ("max_lifetime_jitter", &["maxConnLifetimeJitter", "poolMaxConnLifetimeJitter"]),
    ("idle_timeout", &["idleTimeoutMillis", "serverIdleTimeout", "connMaxIdleTime", "maxConnIdleTime"]),
    ("connect_timeout", &["serverConnectTimeout", "connectTimeoutMillis"]),
    ("query_timeout", &["socketTimeout", "commandTimeout"]),
    ("max_clients", &["maxClientConn"]),
    ("mode", &["poolMode"]),
    ("concurrency", &["containerConcurrency", "maxConcurrency", "threads"]),
];

fn plain(name: &str) -> String {
    name.chars().filter(|sign| !matches!(sign, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// The preset of a framework.
pub fn preset(framework: &str) -> Option<&'static str> {
    let name = plain(framework);
    FRAMEWORKS.iter().find(|(known, _)| *known == name).map(|(_, preset)| *preset)
}

/// What a setting of a library is called here, if it is among `keys`.
pub fn setting<'a>(theirs: &str, mut keys: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = plain(theirs);
    let (ours, _) = SETTINGS.iter().find(|(_, theirs)| theirs.iter().any(|one| plain(one) == name))?;
    keys.find(|key| key == ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_are_known_however_they_are_written() {
        let keys = ["max", "min", "acquire_timeout", "connect_timeout", "idle_timeout"];
        for (theirs, ours) in [
            ("connectionTimeout", Some("acquire_timeout")),
            ("connection-timeout", Some("acquire_timeout")),
            ("pool_timeout", Some("acquire_timeout")),
            ("query_wait_timeout", Some("acquire_timeout")),
            ("maximum-pool-size", Some("max")),
            ("pool_recycle", None),
            ("colour", None),
        ] {
            assert_eq!(setting(theirs, keys.into_iter()), ours, "{theirs}");
        }
        assert_eq!((preset("Spring-Boot"), preset("cobol")), (Some("hikari"), None));
        let shipped: Vec<&str> = super::super::complete::presets().collect();
        assert!(FRAMEWORKS.iter().all(|(_, preset)| shipped.contains(preset)));
    }

    #[test]
    fn no_name_means_two_things() {
        let all = SETTINGS.iter().flat_map(|(_, theirs)| *theirs).map(|theirs| plain(theirs));
        let mut seen = std::collections::BTreeSet::new();
        all.for_each(|name| assert!(seen.insert(name.clone()), "{name}"));
    }
}
