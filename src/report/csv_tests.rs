//! Tables: a header, key columns, one row a grain.

use super::*;
use crate::report::{synthetic, synthetic_outage};

fn head(text: &str, lines: usize) -> String {
    text.lines().take(lines).collect::<Vec<_>>().join("\n")
}

#[test]
fn tables_are_tidy() {
    let (header, runs) = (synthetic::header(), [synthetic::run("jitter", 3, true)]);
    let rows = vec![
        SummaryRow {
            metric: "herd_size",
            of: "postgres.primary".into(),
            cause: "lifetime",
            stat: "max",
            value: 0.9,
            unit: "share",
        },
        SummaryRow {
            metric: "latency",
            of: "a,b\"c".into(),
            cause: "",
            stat: "p99",
            value: f64::NAN,
            unit: "ms",
        },
    ];
    insta::assert_snapshot!(summary(&header, &runs, &[rows]), @r#"
    scenario,variant,seed,metric,of,cause,stat,value,unit
    september,jitter,3,herd_size,postgres.primary,lifetime,max,0.9,share
    september,jitter,3,latency,"a,b""c",,p99,,ms
    "#);
    insta::assert_snapshot!(head(&timeseries(&header, &runs), 2), @r#"
    scenario,variant,seed,t_s,time_utc,class,label,service,arrivals,ok,client_timeout,http_429,http_500,http_503,http_504,pool_timeout,connect_refused,query_timeout,statement_timeout,lock_timeout,connection_lost,latency_p50_ms,latency_p95_ms,latency_p99_ms,latency_max_ms
    september,jitter,3,0,2025-09-14T05:30:00.000Z,sign-in,legitimate,frontend-api,40680,40675,2,0,0,0,0,3,0,0,0,0,0,2.891,4.855,6.703,10.919
    "#);
    insta::assert_snapshot!(head(&herd(&header, &runs), 3), @r#"
    scenario,variant,seed,t_s,time_utc,node,cause,connects_max_1s,herd_size
    september,jitter,3,0,2025-09-14T05:30:00.000Z,primary,,1,0.0025
    september,jitter,3,0,2025-09-14T05:30:00.000Z,primary,lifetime,1,0.0025
    "#);
    insta::assert_snapshot!(head(&starts(&header, &runs), 2), @r#"
    scenario,variant,seed,t_s,time_utc,node,lifetime,growth,refill,failure,boot
    september,jitter,3,2,2025-09-14T05:30:02.000Z,primary,1,0,0,0,0
    "#);
    insta::assert_snapshot!(head(&latency_hist(&header, &runs), 2), @r#"
    scenario,variant,seed,t_s,class,label,service,outcome,le_ms,count
    september,jitter,3,0,sign-in,legitimate,frontend-api,ok,2.56,8814
    "#);
    insta::assert_snapshot!(head(&dashboard(&header, &runs), 2), @r#"
    scenario,variant,seed,t_s,time_utc,level,of,value
    september,jitter,3,17,2025-09-14T05:30:17.000Z,backends,postgres.primary,394
    "#);
    let events = events(&header, &runs);
    insta::assert_snapshot!(head(&events, 6), @r#"
    scenario,variant,seed,kind,name,from_s,to_s,from_utc,to_utc,p99_ms,beside,peak_s,starts,share
    september,jitter,3,event,upgrade,1800,,2025-09-14T06:00:00.000Z,,,,,,
    september,jitter,3,event,slow-disk,10800,12420,2025-09-14T08:30:00.000Z,2025-09-14T08:57:00.000Z,,,,,
    september,jitter,3,event,traffic-shaping,12600,,2025-09-14T09:00:00.000Z,,,,,,
    september,jitter,3,event,friday-deploy,18000,,2025-09-14T10:30:00.000Z,,,,,,
    september,jitter,3,storm,primary,4925,4926,2025-09-14T06:52:05.000Z,2025-09-14T06:52:06.000Z,,lifetime,4926,360,0.9
    "#);
    let spike = events.lines().find(|line| line.contains(",spike,")).expect("there are spikes");
    insta::assert_snapshot!(spike, @"september,jitter,3,spike,frontend-api,4920,4940,2025-09-14T06:52:00.000Z,2025-09-14T06:52:20.000Z,1660,lifetime growth,4926,,");
    insta::assert_snapshot!(head(&cycles(&header, &runs), 2), @r#"
    scenario,variant,seed,t_s,time_utc,node,births,phase_lock_r1,phase_lock_r2,rayleigh_p,largest_cluster_1pct,fano
    september,jitter,3,0,2025-09-14T05:30:00.000Z,primary,393,0.0559994258293224,0.05039948324639016,0.4,0.0559994258293224,12.19988516586448
    "#);
    insta::assert_snapshot!(head(&levels(&header, &runs), 2), @r#"
    scenario,variant,seed,t_s,time_utc,level,of,min,mean,max
    september,jitter,3,0,2025-09-14T05:30:00.000Z,active,postgres.primary,0,2,5
    "#);
    insta::assert_snapshot!(head(&storm_levels(&header, &runs), 2), @r#"
    scenario,variant,seed,t_s,time_utc,level,of,min,mean,max
    september,jitter,3,4896,2025-09-14T06:51:36.000Z,active,postgres.primary,0,2,364
    "#);
}

/// A fraction of a second in one row and none in the next is two forms, and what reads a column wants one.
#[test]
fn calendar_times_have_one_form() {
    let header = synthetic::header();
    let table = Table::new(&header, &[]);
    let utc = [0.0, 1.5, 303.225127733, 59.9996].map(|seconds| table.when(seconds)[1].clone());
    assert_eq!(
        utc,
        ["05:30:00.000", "05:30:01.500", "05:35:03.225", "05:31:00.000"]
            .map(|time| format!("2025-09-14T{time}Z"))
    );
    let header = Header { start: None, ..header };
    assert_eq!(Table::new(&header, &[]).when(1.5), ["1.5", ""]);
}

#[test]
fn every_row_has_every_column() {
    let (header, runs) = (synthetic::header(), [synthetic::run("as-written", 1, true), synthetic::nothing()]);
    for (name, text) in all(&header, &runs, &[vec![], vec![]]) {
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        assert!(reader.headers().unwrap().iter().take(3).eq(["scenario", "variant", "seed"]), "{name}");
        assert!(reader.records().all(|record| record.is_ok()), "{name}");
    }
}

#[test]
fn an_outage_has_its_table_and_its_rows() {
    let (header, runs) = (synthetic::header(), [synthetic_outage::run("outage-mode", false)]);
    let served = served(&header, &runs);
    insta::assert_snapshot!(head(&served, 2), @r#"
    scenario,variant,seed,t_s,time_utc,class,label,by,count
    september,outage-mode,1,0,2025-09-14T05:30:00.000Z,session-token,legitimate,primary,12000
    "#);
    let of = |by: &str| {
        let mine = served.lines().filter(|line| line.contains(&format!(",{by},")));
        mine.filter_map(|line| line.rsplit(',').next()?.parse::<u64>().ok()).sum::<u64>()
    };
    let ok = runs[0].measured.classes[0].ended[Outcome::Ok as usize];
    assert_eq!(of("primary") + of("replica") + of("edge"), ok);
    let events = events(&header, &runs);
    let first =
        |kind: &str| events.lines().find(|line| line.contains(&format!(",{kind},"))).unwrap_or_default();
    insta::assert_snapshot!(["breaker", "outage_mode", "node", "cap"].map(first).join("\n"), @r#"
    september,outage-mode,1,breaker,service.frontend-api.endpoint.session-reads,2000,2030,2025-09-14T06:03:20.000Z,2025-09-14T06:03:50.000Z,,,,,
    september,outage-mode,1,outage_mode,edge,3000,3540,2025-09-14T06:20:00.000Z,2025-09-14T06:29:00.000Z,,,,,
    september,outage-mode,1,node,primary,3300,3420,2025-09-14T06:25:00.000Z,2025-09-14T06:27:00.000Z,,,,,
    september,outage-mode,1,cap,frontend-api,1900,3660,2025-09-14T06:01:40.000Z,2025-09-14T06:31:00.000Z,,,,,
    "#);
    let names = |runs: &[Run]| all(&header, runs, &[vec![]]).map(|(name, _)| name).collect::<Vec<_>>();
    assert!(names(&runs).contains(&"served.csv"));
    assert!(!names(&[synthetic::nothing()]).contains(&"served.csv"), "only where there is something in it");
}

/// A p-value may be tiny, and a column of them is read by people too; what is no number is an empty cell.
#[test]
fn numbers_are_short_and_exact() {
    let cells = [0.0, 1e-300, -2.5e-12, 1e-9, 0.25, 1e9, f64::NAN, f64::INFINITY].map(float);
    assert_eq!(cells, ["0", "1e-300", "-2.5e-12", "0.000000001", "0.25", "1000000000", "", ""]);
}
