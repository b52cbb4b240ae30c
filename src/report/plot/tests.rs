//! Charts: the same bytes twice, nothing clipped, nothing to draw is no reason to fail.

use super::*;
use crate::report::canvas::Shape;
use crate::report::{font, synthetic, synthetic_outage};
use std::path::Path;

fn samples() -> (Header, Vec<Run>) {
    let runs = vec![
        synthetic::run("as-it-happened", 1, true),
        synthetic::run("jitter", 1, false),
        synthetic::run("old-postgres", 2, false),
    ];
    (synthetic::header(), runs)
}

/// Where a text stands: left, right, top, bottom.
fn bounds(shape: &Shape) -> Option<([f64; 4], &str)> {
    let Shape::Text { at: (x, y), anchor, face, text } = shape else { return None };
    let wide = font::width(text, face.em, face.weight);
    let left = match anchor {
        crate::report::canvas::Anchor::Left => *x,
        crate::report::canvas::Anchor::Middle => x - wide / 2.0,
        crate::report::canvas::Anchor::Right => x - wide,
    };
    Some(([left, left + wide, y - 0.8 * face.em, *y], text))
}

/// Every text lies within its picture.
pub fn assert_inside(chart: &Chart) {
    let drawing = &chart.drawing;
    for ([left, right, top, bottom], text) in drawing.shapes.iter().filter_map(bounds) {
        let inside = left >= 2.0 && right <= drawing.width - 2.0;
        assert!(inside, "{}: `{text}` spans {left}..{right}", chart.name);
        let inside = top >= 0.0 && bottom <= drawing.height - 3.0;
        assert!(inside, "{}: `{text}` stands at {bottom} of {}", chart.name, drawing.height);
    }
}

/// No text runs over another.
pub fn assert_apart(chart: &Chart) {
    let texts: Vec<_> = chart.drawing.shapes.iter().filter_map(bounds).collect();
    for (n, (one, text)) in texts.iter().enumerate() {
        for (other, beside) in &texts[n + 1..] {
            let apart = one[1] <= other[0] || other[1] <= one[0] || one[3] <= other[2] || other[3] <= one[2];
            assert!(apart, "{}: `{text}` at {one:?} and `{beside}` at {other:?}", chart.name);
        }
    }
}

/// Leaves a picture where a person can look at it.
pub fn keep(chart: &Chart) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/report-samples");
    std::fs::create_dir_all(&folder).unwrap();
    let png = chart.drawing.png();
    std::fs::write(folder.join(format!("{}.png", chart.name)), &png).unwrap();
    std::fs::write(folder.join(format!("{}.svg", chart.name)), chart.drawing.svg()).unwrap();
    png
}

/// Titles and names are cut before the figures that tell one picture from another.
#[test]
fn the_seed_stays_in_the_line_under_a_long_title() {
    let (mut header, mut runs) = samples();
    header.title = "A title that goes on and on ".repeat(20);
    runs[2].variant = "a-name-that-goes-on-".repeat(20);
    for peers in [vec![], runs.iter().collect::<Vec<_>>()] {
        let line = subtitle(&header, &runs[2], &peers);
        assert!(
            line.contains("A title") && line.contains("variant a-name") && line.contains(" · seed 2"),
            "{line}"
        );
        assert_eq!(page::fit_subtitle(&line, page::SUBTITLE_ROOM), line, "nothing is cut any more");
    }
}

#[test]
fn pictures_are_drawn_and_nothing_is_clipped() {
    let (header, runs) = samples();
    let charts = all(&header, &runs, &Value::Null);
    let names: Vec<&str> = charts.iter().map(|chart| chart.name.as_str()).collect();
    assert_eq!(names[0], "latency.frontend-api.as-it-happened");
    assert_eq!(names[names.len() - 2..], ["variants.frontend-api.primary", "herds"]);
    charts.iter().for_each(assert_inside);
    charts.iter().for_each(assert_apart);
    for chart in charts.iter().filter(|chart| !chart.name.contains("old-postgres")) {
        let png = keep(chart);
        let picture = image::load_from_memory(&png).unwrap().to_rgb8();
        assert_eq!(picture.width(), WIDTH as u32);
        assert!(picture.pixels().filter(|pixel| pixel.0 != [255, 255, 255]).count() > 10_000);
    }
}

#[test]
fn ten_variants_have_room() {
    let runs: Vec<Run> =
        (0..10).map(|n| synthetic::run(&format!("variant-with-a-longish-name-{n}"), n, n % 3 == 0)).collect();
    let runs: Vec<&Run> = runs.iter().collect();
    let drawing = variants::draw(&synthetic::header(), &runs, "frontend-api", "primary");
    let chart = Chart { name: "variants.ten".into(), drawing };
    assert_inside(&chart);
    keep(&chart);
}

#[test]
fn equal_runs_make_equal_pictures() {
    let (header, runs) = samples();
    let first = &all(&header, &runs, &Value::Null)[0];
    let second = &all(&header, &runs, &Value::Null)[0];
    assert_eq!(first.drawing.svg(), second.drawing.svg());
    assert_eq!(first.drawing.png(), second.drawing.png());
}

#[test]
fn an_empty_run_makes_pictures_that_say_so() {
    let run = synthetic::nothing();
    let charts = all(&Header { start: None, ..synthetic::header() }, &[run], &Value::Null);
    assert_eq!(charts.len(), 5);
    for mut chart in charts {
        assert_inside(&chart);
        assert_apart(&chart);
        chart.name += ".nothing";
        assert!(!keep(&chart).is_empty());
    }
}

#[test]
fn a_short_run_fills_its_pictures() {
    let mut run = synthetic::run("as-written", 1, true);
    let measured = &mut run.measured;
    measured.duration = crate::engine::time::Span::from_secs(125);
    measured.services[0].bins = measured.services[0].bins.split_off(712)[..13].to_vec();
    measured.classes[0].bins = measured.classes[0].bins.split_off(712)[..13].to_vec();
    measured.nodes[0].starts_per_s = measured.nodes[0].starts_per_s.split_off(7120)[..125].to_vec();
    measured.nodes[0].lifetime = Some(crate::engine::time::Span::from_millis(17_500));
    measured.nodes[0].cycles.clear();
    measured.marks.retain(|mark| mark.event == "upgrade");
    measured.marks[0].at = crate::engine::time::Time(60_000_000_000);
    for mut chart in all(&Header { start: None, ..synthetic::header() }, &[run], &Value::Null) {
        assert_inside(&chart);
        assert_apart(&chart);
        chart.name += ".short";
        keep(&chart);
    }
}

#[test]
fn hostile_names_do_no_harm() {
    let (mut header, mut runs) = samples();
    header.title = "<script>alert('x')</script> \u{1F418} ".repeat(40);
    runs.truncate(2);
    runs[0].variant = "../../etc/passwd".into();
    runs[1].variant = "&<\">'\u{0}".into();
    for mark in &mut runs[0].measured.marks {
        mark.event = format!("</svg> & {} ", mark.event).repeat(9);
    }
    let many = (0..30).map(|n| crate::measure::Mark {
        at: crate::engine::time::Time(n * 400_000_000_000),
        event: format!("event-{n}"),
        begins: true,
    });
    runs[0].measured.marks.extend(many);
    for chart in all(&header, &runs, &Value::Null) {
        assert_inside(&chart);
        assert_apart(&chart);
        keep(&Chart { name: format!("hostile.{}", chart.name), ..chart.clone() });
        assert!(!chart.name.contains(['/', '<', '\u{0}']), "{}", chart.name);
        let svg = chart.drawing.svg();
        assert!(!svg.contains("<script>") && svg.matches("</svg>").count() == 1);
    }
}

#[test]
fn names_that_differ_in_case_alone_get_files_of_their_own() {
    let mut names = ["a/b", "a_b", "A_B"].map(str::to_owned);
    tell_apart(names.iter_mut());
    assert_eq!(names, ["a_b", "a_b-2", "A_B-3"]);
}

#[test]
fn an_outage_has_its_pictures() {
    let runs = [
        synthetic_outage::run("as-it-happened", true),
        synthetic_outage::run("outage-mode", false),
        synthetic::run("calm", 1, false),
    ];
    let charts = all(&synthetic::header(), &runs, &Value::Null);
    let of = |name: &str| charts.iter().filter(|chart| chart.name.starts_with(name)).count();
    assert_eq!(
        [of("fleet."), of("database."), of("served.")],
        [2, 3, 2],
        "only its idle database of the calm run"
    );
    charts.iter().for_each(assert_inside);
    charts.iter().for_each(assert_apart);
    for chart in charts.iter().filter(|chart| !chart.name.ends_with("calm")) {
        let mut chart = chart.clone();
        chart.name = format!("outage.{}", chart.name);
        assert!(!keep(&chart).is_empty());
    }
    let says = |name: &str, text: &str| {
        let chart = charts.iter().find(|chart| chart.name == name).expect("it is drawn");
        let found = |shape: &Shape| matches!(shape, Shape::Text { text: other, .. } if other.contains(text));
        assert!(chart.drawing.shapes.iter().any(found), "{name} says {text}");
    };
    says("fleet.frontend-api.outage-mode", "the cap");
    says("fleet.frontend-api.outage-mode", "time (UTC)");
    says("database.primary.outage-mode", "primary takes no connections");
    says("served.session-token.outage-mode", "not served (");
    says("served.session-token.outage-mode", "breaker of session-reads at frontend-api open");
}
