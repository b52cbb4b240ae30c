//! The page as a whole: complete, small, harmless, and the same from a stored run.

use super::pack::tests::unpack;
use super::*;
use crate::measure::{Mark, Measured};
use crate::report::{human, synthetic};
use serde_json::json;
use std::iter::repeat_n;

fn page(header: &Header, runs: &[Run], judged: &[Judged], resolved: &[(String, String)]) -> String {
    html(&Content {
        header,
        runs,
        judged,
        effects: &Value::Null,
        resolved,
        manifest: &json!({ "tool_version": "0.1.0", "seeds": [1], "argv": ["herdsim", "run"] }),
        pictures: &[],
        overlays: &[],
    })
}

/// The data in a page.
fn data_of(page: &str) -> Value {
    let from = page.find("<script type=\"application/json\"").expect("data");
    let text = &page[from + page[from..].find('>').unwrap() + 1..];
    serde_json::from_str(&text[..text.find("</script>").unwrap()]).expect("valid JSON")
}

/// The same run for twice as long.
fn doubled(mut run: Run) -> Run {
    fn twice<T: Clone>(list: &mut Vec<T>) {
        list.extend(list.clone());
    }
    let measured: &mut Measured = &mut run.measured;
    measured.duration = measured.duration * 2;
    measured.services.iter_mut().for_each(|service| twice(&mut service.bins));
    measured.classes.iter_mut().for_each(|class| twice(&mut class.bins));
    measured.levels.iter_mut().for_each(|level| twice(&mut level.bins));
    for node in &mut measured.nodes {
        twice(&mut node.bins);
        twice(&mut node.starts_per_s);
    }
    run
}

fn series<'a>(run: &'a Value, key: &str) -> &'a [Value] {
    let panels = run["panels"].as_array().unwrap();
    let panel = panels.iter().find(|panel| panel["key"] == key).unwrap_or_else(|| panic!("{key}"));
    panel["series"].as_array().unwrap()
}

fn highest(series: &Value) -> Option<i64> {
    unpack(series["data"].as_str().unwrap()).into_iter().flatten().max()
}

#[test]
fn twelve_hours_of_ten_variants_fit_and_lose_no_peak() {
    let names = (0..10).map(|n| format!("variant-{n}"));
    let mut runs: Vec<Run> = names.map(|name| doubled(synthetic::run(&name, 1, true))).collect();
    // A bin that stands alone, off every round place.
    let bin = &mut runs[3].measured.services[0].bins[3331];
    bin.latency = bin.latency.map(|latency| crate::measure::Quantiles { p99_us: 98_765_432, ..latency });
    runs[3].measured.nodes[0].starts_per_s[33_331] = [1, 4_321, 0, 0, 0];
    let line = "max_lifetime = \"15m\"  # september-2025.toml:120\n";
    let text: String = repeat_n(line, 400).collect();
    let resolved: Vec<_> = (0..10).map(|n| (format!("variant-{n}"), format!("{text}seed = {n}\n"))).collect();

    let page = page(&synthetic::header(), &runs, &[], &resolved);
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
    let data = data_of(&page);
    assert_eq!((&data["columns"], &data["column"]), (&json!(720), &json!(60.0)));
    for (run, shown) in runs.iter().zip(data["runs"].as_array().unwrap()) {
        let quantiles = || run.measured.services[0].bins.iter().filter_map(|bin| bin.latency);
        let most: [Option<u64>; 3] = [
            quantiles().map(|latency| latency.p50_us).max(),
            quantiles().map(|latency| latency.p95_us).max(),
            quantiles().map(|latency| latency.p99_us).max(),
        ];
        let drawn = series(shown, "latency").iter().map(highest);
        assert!(drawn.eq(most.iter().map(|most| most.map(|most| most as i64))), "{}", run.variant);
        let bins = &run.measured.levels[0].bins;
        let active = bins.iter().map(|bin| bin.max as i64).max();
        assert_eq!(highest(&series(shown, "backends")[0]), active);
        let arrived = run.measured.classes[0].bins.iter().map(|bin| i64::from(bin.arrived)).max();
        assert_eq!(highest(&series(shown, "rates")[0]), arrived);
        let stack: Vec<Vec<Option<i64>>> =
            series(shown, "starts").iter().map(|one| unpack(one["data"].as_str().unwrap())).collect();
        let total = |column: usize| stack.iter().filter_map(|one| one[column]).sum::<i64>();
        let seconds = &run.measured.nodes[0].starts_per_s;
        let most = seconds.iter().map(|second| i64::from(second.iter().sum::<u32>())).max();
        assert_eq!((0..720).map(total).max(), most);
    }
}

#[test]
fn no_text_breaks_out_of_its_place() {
    let evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u{202e}🐎{{data}}<!--";
    let mut header = synthetic::header();
    (header.title, header.question) = (evil.repeat(100), evil.to_owned());
    let mut run = synthetic::run(evil, 1, true);
    run.measured.marks.push(Mark { event: evil.into(), ..run.measured.marks[0].clone() });
    run.measured.services[0].service = evil.into();
    let judged = Judged {
        name: evil.into(),
        variant: evil.into(),
        claim: evil.into(),
        unit: "share",
        values: vec![f64::NAN],
        control: Some(evil.into()),
        because: evil.into(),
        ..Judged::default()
    };
    let page = page(&header, &[run], &[judged], &[(evil.into(), evil.into())]);
    assert_eq!(page.matches("<script").count(), 3, "data, library and script");
    assert!(!page.contains("<img") && page.matches("<!--").count() == 0);
    let data = data_of(&page);
    assert_eq!(data["runs"][0]["variant"], evil, "whole as data");
    assert_eq!(data["resolved"][0]["lines"][0], evil);
}

#[test]
fn a_run_of_nothing_has_a_page() {
    let page = page(&synthetic::header(), &[synthetic::nothing()], &[], &[]);
    assert!(page.contains("no verdict") && page.contains("Nothing was changed"));
    assert_eq!(data_of(&page)["columns"], 0);
    let page = self::page(&synthetic::header(), &[], &[], &[]);
    assert_eq!(data_of(&page)["runs"], json!([]), "interrupted before any was finished");
}

/// A table without what its columns are of is misread, and so is one seed for many.
#[test]
fn the_tables_say_what_the_terminal_says_beneath_them() {
    let runs = [synthetic::run("plain", 1, true), synthetic::run("jitter", 1, false)];
    let effect = |seeds: u64, interval: Value| {
        json!([{
            "variant": "jitter", "baseline": "plain", "effect": "cures", "seeds": seeds, "from_s": 0.0,
            "spikes_diff": { "mean": -4.0, "ci95": interval },
            "pairs": [{ "baseline": { "spikes": 4 }, "variant": { "spikes": 0 } }],
        }])
    };
    let page = |effects: &Value| {
        let (header, manifest) = (synthetic::header(), json!({}));
        let (judged, resolved, pictures, overlays) = (&[], &[], &[], &[]);
        let (header, manifest, runs) = (&header, &manifest, &runs);
        html(&Content { header, runs, judged, effects, resolved, manifest, pictures, overlays })
    };
    let one = page(&effect(1, Value::Null));
    for note in crate::report::terminal::notes(&runs) {
        assert!(one.contains(&format!("<p class=\"quiet\">{note}</p>")), "{note}");
    }
    let doubt = "one seed: compared plainly; another seed may tell otherwise";
    assert!(one.contains("−4 (one seed, no interval)") && one.contains(doubt));
    let many = page(&effect(5, json!([-6.0, -2.0])));
    assert!(many.contains("−4 [−6, −2]") && !many.contains("one seed"), "intervals need several");
    let calm = json!([{ "variant": "jitter", "pairs": [{ "baseline": { "spikes": 0 }, "variant": { "spikes": 0 } }] }]);
    assert!(page(&calm).contains("Effects: no recycle spikes in any variant."));
}

#[test]
fn every_spike_of_a_run_is_told_with_what_lay_beside_it() {
    let mut run = synthetic::run("plain", 1, true);
    run.measured.spikes[0].beside = vec!["lifetime".into(), "job.cleanup".into()];
    run.measured.spikes[1].beside = vec![];
    let page = page(&synthetic::header(), &[run.clone()], &[], &[]);
    let table = &page[page.find("Latency spikes").expect("the table")..];
    let table = &table[..table.find("</table>").unwrap()];
    let row = |spike: &crate::measure::Spike| {
        let lasting = human::offset(spike.to.since(spike.from).as_secs());
        let cells = [spike.service.clone(), lasting, human::latency(spike.p99_us as f64)];
        cells.iter().all(|cell| table.contains(cell.as_str()))
    };
    assert!(run.measured.spikes.iter().all(row) && table.contains("lifetime, job.cleanup"), "{table}");
    assert_eq!(table.matches("<tr").count(), 1 + run.measured.spikes.len());
    assert!(table.contains("nothing known"));
}

/// A page stays small: a picture that finds no room is left out, and a lesser one may take its place.
#[test]
fn pictures_are_there_as_far_as_there_is_room() {
    let picture = |name: &str, bytes: usize| {
        (format!("plots/{name}.svg"), format!("<svg>{name}{}</svg>", " ".repeat(bytes)).into_bytes())
    };
    let html = tables::pictures(&[
        picture("starts", 1_000),
        picture("latency", 200_000),
        picture("variants", 200_000),
    ]);
    let shown = ["variants", "latency", "starts"].map(|name| html.contains(name));
    assert_eq!(shown, [true, false, true], "variants come first");
}

#[test]
fn seeds_are_all_there_if_they_fit() {
    let runs: Vec<Run> = (1..=3).map(|seed| synthetic::run("plain", seed, true)).collect();
    let data = data_of(&page(&synthetic::header(), &runs, &[], &[]));
    assert_eq!((data["runs"].as_array().unwrap().len(), &data["seeds_left_out"]), (3, &json!(0)));
}

/// What is shipped is what its makers released: uPlot 1.6.32, MIT.
#[test]
fn the_charting_library_is_as_released() {
    let sha256 = |text: &str| {
        Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let library = include_str!("vendor/uPlot.iife.min.js");
    assert_eq!(sha256(library), "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f");
    let style = include_str!("vendor/uPlot.min.css");
    assert_eq!(sha256(style), "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04");
    let licence = include_str!("vendor/LICENSE");
    assert_eq!(sha256(licence), "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd");
    assert!(LIBRARY.ends_with(library) && LIBRARY.contains(licence) && !licence.contains("*/"));
    assert!(!LIBRARY.contains("</script") && !SCRIPT.contains("</script") && !STYLE.contains("</style"));
}

#[test]
fn the_policy_knows_the_scripts_by_their_hashes() {
    let page = page(&synthetic::header(), &[synthetic::nothing()], &[], &[]);
    assert!(page.contains(&hash(SCRIPT)) && page.contains(&hash(LIBRARY)) && page.contains(&hash(STYLE)));
    assert!(page.contains("default-src 'none'") && !page.contains("unsafe"));
    assert_eq!(hash(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}
