//! What `run` and `compare` print: plain text, at most a hundred columns wide where names allow.
//!
//! Pure functions to strings. Colour only where the caller wants it, and never as the only cue. Names from
//! scenario files are printed without control characters, so that no file can steer a terminal.

use super::compare::{self, Figures, Herd};
use super::expectations::{self, Whereabouts};
use super::font::printable;
use super::text::{Paint, WIDTH, cells, escaped, folded, range, section, short, table, trimmed};
use super::{Header, human, outage, plot::marks, success};
use crate::engine::time::{Span, Time};
use crate::experiment::{Judged, Run};
use crate::measure::recovery::next_event;
use crate::measure::{BIN, ClassMeasured, Measured, NodeMeasured, Recovery, Spike};
use crate::scenario::grammar::{Cause, Outcome};
use std::collections::BTreeSet;

/// Spikes that are told one by one.
const SPIKES: usize = 5;
/// Longer names are cut.
const NAME: usize = 28;
/// So many greater herds than those of the table are told.
const TOLD: usize = 3;
/// Shorter ones never are where variants are compared: `as-written`.
const WHOLE: usize = 10;

/// Each run in full. Verdicts on several are over all of them: they come first.
pub fn runs(header: &Header, runs: &[Run], judged: &[Judged], paint: Paint) -> String {
    if let [one] = runs {
        return run(header, one, judged, paint);
    }
    let mut texts: Vec<String> = runs.iter().map(|one| run(header, one, &[], paint)).collect();
    if let [first, ..] = judged {
        let (title, variant) = (printable(&header.title), printable(&first.variant));
        let head = format!("{}\nvariant {variant} · {} seeds\n", paint.head(&title), runs.len());
        let lines = expectations::lines(judged, Whereabouts::Unsaid, paint);
        texts.insert(0, head + &section("EXPECTATIONS", lines, paint));
    }
    texts.join("\n")
}

/// One run in full: expectations, latency, herds, spikes, events.
pub fn run(header: &Header, run: &Run, judged: &[Judged], paint: Paint) -> String {
    let measured = &run.measured;
    let span = human::offset(measured.duration.as_secs());
    let (title, variant) = (printable(&header.title), printable(&run.variant));
    let mut text =
        format!("{}\nvariant {variant} · seed {} · {span} simulated\n", paint.head(&title), run.seed);
    text += &section("EXPECTATIONS", expectations::lines(judged, Whereabouts::Unsaid, paint), paint);
    text += &section("REQUESTS", classes(measured), paint);
    text += &section("CONNECTIONS STARTED", nodes(header, measured), paint);
    text += &section("LATENCY SPIKES", spikes(header, measured), paint);
    text += &outage::sections(header, measured, paint);
    // The timeline tells the events too.
    let timeline = outage::timeline(header, measured);
    if timeline.is_empty() {
        return text + &section("EVENTS", events(header, measured), paint);
    }
    text + &section("TIMELINE", timeline, paint)
}

/// Variants side by side, one row each, ranges over their seeds.
pub fn compare(header: &Header, runs: &[Run], judged: &[Judged], paint: Paint) -> String {
    let mut text = format!("{}\n{}\n", paint.head(&printable(&header.title)), seeds(runs));
    text += &section("EXPECTATIONS", expectations::lines(judged, Whereabouts::Unsaid, paint), paint);
    let rows = compare_rows(runs);
    let table = narrow_table(&rows);
    let foot = notes(runs).into_iter().map(|note| note + "\n").collect::<String>();
    let foot = foot + &greater(runs).map_or_else(String::new, |note| folded(&note, ", ", 3));
    text += &section("VARIANTS", format!("{table}\n{foot}"), paint);
    text += &section("USERS SERVED, BY CLASS", success::text(runs), paint);
    let verdicts = outage::verdicts(runs).into_iter().map(|line| folded(&format!("  {line}"), "; ", 5));
    text + &section("RECOVERY", verdicts.collect(), paint)
}

/// The same as a Markdown table.
pub fn compare_markdown(header: &Header, runs: &[Run], judged: &[Judged]) -> String {
    let mut text = format!("**{}** — {}\n\n", escaped(&header.title), seeds(runs));
    text += &expectations::markdown(judged, Whereabouts::Unsaid);
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    text += &line(COMPARED.map(str::to_owned).to_vec());
    text += &line(
        COMPARED.iter().enumerate().map(|(n, _)| if n == 0 { "---" } else { "--:" }.to_owned()).collect(),
    );
    for row in compare_rows(runs) {
        text += &line(row.iter().map(|cell| escaped(cell)).collect());
    }
    text += &success::markdown(runs, &escaped);
    if let Some(note) = greater(runs) {
        text += &format!("\n{}\n", escaped(&note));
    }
    let verdicts = outage::verdicts(runs);
    if !verdicts.is_empty() {
        text += "\nRecovery:\n\n";
        text += &verdicts.iter().map(|line| format!("- {}\n", escaped(line))).collect::<String>();
    }
    text
}

/// What to know of the table.
pub(super) fn notes(runs: &[Run]) -> Vec<String> {
    let service = printable(compare::busiest(runs).unwrap_or("no service"));
    let all = "p99: of all legitimate requests, however they ended";
    let herds = [("lifetime herd", Cause::Lifetime), ("growth herd", Cause::Growth)];
    let herds: Vec<String> =
        herds.iter().filter_map(|(what, cause)| compare::at_node(runs, what, *cause)).collect();
    let herds = Some(herds.join(", ")).filter(|herds| !herds.is_empty());
    let first = [format!("spikes and worst p99 (of any 10 s): {service}"), all.to_owned()];
    first.into_iter().chain(herds).chain([ONSET.to_owned()]).collect()
}

const ONSET: &str = "onset: the first second that recycles half of the connections beside a latency spike";
const COMPARED: [&str; 8] =
    ["variant", "spikes", "worst p99", "p99", "users ok", "lifetime herd", "growth herd", "onset"];

/// Variants side by side, for paper of another kind: head and rows.
pub(super) fn compared(runs: &[Run]) -> (Vec<String>, Vec<Vec<String>>) {
    (COMPARED.map(str::to_owned).to_vec(), compare_rows(runs).into_iter().map(Vec::from).collect())
}

/// The table with names as short as the terminal asks for, but never so short that two are alike.
fn narrow_table(rows: &[[String; 8]]) -> String {
    let names = |longest| rows.iter().map(move |row| shown(&row[0], longest));
    let apart = |longest: &usize| names(*longest).collect::<BTreeSet<_>>().len() == rows.len();
    let fits = |table: &String| table.lines().all(|line| line.chars().count() <= WIDTH);
    let lengths = [NAME, 20, 12, 8].into_iter().filter(apart);
    let tables: Vec<String> = lengths.map(|longest| compare_table(rows, longest)).collect();
    let narrow = tables.iter().find(|table| fits(table)).or(tables.last()).cloned();
    narrow.unwrap_or_else(|| compare_table(rows, usize::MAX))
}

fn shown(name: &str, longest: usize) -> String {
    if name.chars().count() <= WHOLE { name.to_owned() } else { short(name, longest) }
}

fn compare_table(rows: &[[String; 8]], longest: usize) -> String {
    let mut table = table(&COMPARED);
    for row in rows {
        let mut row = row.clone();
        row[0] = shown(&row[0], longest);
        table.add_row(cells(&row));
    }
    trimmed(&table)
}

fn compare_rows(runs: &[Run]) -> Vec<[String; 8]> {
    let row = |(variant, all): (&str, Vec<Figures>)| {
        let each = |value: &dyn Fn(&Figures) -> f64, text: &dyn Fn(f64) -> String| {
            range(&all.iter().map(value).collect::<Vec<_>>(), text)
        };
        [
            printable(variant),
            each(&|figures| figures.spikes, &human::number),
            each(&|figures| figures.worst_p99_us, &human::latency),
            each(&|figures| figures.p99_us, &human::latency),
            each(&|figures| figures.user_success, &human::share),
            herds(&all, |figures| figures.lifetime_herd),
            herds(&all, |figures| figures.growth_herd),
            // No onset lies beyond every onset.
            each(&|figures| figures.onset_s.unwrap_or(f64::INFINITY), &|seconds| {
                if seconds.is_finite() { human::offset(seconds) } else { "never".to_owned() }
            }),
        ]
    };
    compare::by_variant(runs).into_iter().map(row).collect()
}

/// How many seeds, and how much simulated time.
pub(super) fn seeds(runs: &[Run]) -> String {
    let mut seeds: Vec<u64> = runs.iter().map(|run| run.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let span = human::offset(runs.iter().map(|run| run.measured.duration.as_secs()).fold(0.0, f64::max));
    match seeds.as_slice() {
        [one] => format!("seed {one} · {span} simulated"),
        many => format!("{} seeds, ranges from the least to the greatest · {span} simulated", many.len()),
    }
}

/// `364 (91%)`; with several seeds `1–364 (0.3–91%)`; a dash where there was no fleet.
fn herds(all: &[Figures], herd: fn(&Figures) -> Option<Herd>) -> String {
    let herds: Vec<Herd> = all.iter().filter_map(herd).collect();
    if herds.is_empty() {
        return "–".to_owned();
    }
    let starts: Vec<f64> = herds.iter().map(|herd| f64::from(herd.starts)).collect();
    let shares: Vec<f64> = herds.iter().map(|herd| herd.share).collect();
    format!("{} ({})", range(&starts, &human::number), range(&shares, &human::share))
}

/// Where a second with fewer starts was a greater herd than the busiest one that the table shows: of few
/// open connections a few are many, and expectations see that.
pub(super) fn greater(runs: &[Run]) -> Option<String> {
    let variants = compare::by_variant(runs);
    let of = |cause: &str, herd: fn(&Figures) -> Option<Herd>| {
        let most = |all: &[Figures], value: fn(&Herd) -> f64| {
            human::share(all.iter().filter_map(herd).map(|herd| value(&herd)).fold(0.0, f64::max))
        };
        let told = variants.iter().filter_map(|(name, all)| {
            let (shown, greatest) = (most(all, |one| one.share), most(all, |one| one.greatest));
            (shown != greatest).then(|| format!("{} {greatest} ({cause})", short(name, NAME)))
        });
        told.collect::<Vec<_>>()
    };
    let mut told = of("lifetime", |all| all.lifetime_herd);
    told.extend(of("growth", |all| all.growth_herd));
    if told.len() > TOLD {
        told.truncate(TOLD);
        told.push("…".to_owned());
    }
    let is = "herd_size, the greatest share of any second, is more: ";
    (!told.is_empty()).then(|| is.to_owned() + &told.join(", "))
}

/// The head of [`class_row`].
pub(super) const CLASSES: [&str; 8] =
    ["class", "requests", "p50", "p95", "p99", "max", "errors", "user success"];

/// One row a class: latency of what was answered, errors, and what users saw of them.
fn classes(measured: &Measured) -> String {
    if measured.classes.is_empty() {
        return String::new();
    }
    let mut table = table(&CLASSES);
    for class in &measured.classes {
        table.add_row(cells(&class_row(class)));
    }
    let failures = measured.classes.iter().filter_map(failures);
    let failures = failures.map(|line| folded(&format!("   {line}"), ", ", 5)).collect::<String>();
    trimmed(&table) + "   latency of the requests that were answered ok\n" + &failures
}

/// A class in figures.
pub(super) fn class_row(class: &ClassMeasured) -> [String; 8] {
    let ok = class.latency_us.get(Outcome::Ok as usize).and_then(Option::as_ref).filter(|ok| !ok.is_empty());
    let latency = |value: &dyn Fn(&hdrhistogram::Histogram<u64>) -> u64| {
        ok.map_or_else(|| "–".to_owned(), |ok| human::latency(value(ok) as f64))
    };
    let ended = class.ended.iter().sum::<u64>() + class.unanswered();
    let failed = ended - class.ended[Outcome::Ok as usize];
    let wishes = class.users.succeeded + class.users.failed;
    [
        class_name(class),
        human::count(class.arrived),
        latency(&|ok| ok.value_at_quantile(0.50)),
        latency(&|ok| ok.value_at_quantile(0.95)),
        latency(&|ok| ok.value_at_quantile(0.99)),
        latency(&|ok| ok.max()),
        human::share(failed as f64 / ended as f64),
        human::share(class.users.succeeded as f64 / wishes as f64),
    ]
}

/// `sign-in`, or `sign-up (abusive)`.
fn class_name(class: &ClassMeasured) -> String {
    short(&class.class, NAME) + class.label.remark()
}

/// `sign-in: client-timeout 16,704, pool-timeout 25,373`.
fn failures(class: &ClassMeasured) -> Option<String> {
    let failed = |outcome: &Outcome| *outcome != Outcome::Ok && class.ended[*outcome as usize] > 0;
    let one =
        |outcome: Outcome| format!("{} {}", outcome.name(), human::count(class.ended[outcome as usize]));
    let mut all: Vec<String> = Outcome::ALL.into_iter().filter(failed).map(one).collect();
    if class.unanswered() > 0 {
        all.push(format!("unanswered at the end {}", human::count(class.unanswered())));
    }
    (!all.is_empty()).then(|| format!("{}: {}", class_name(class), all.join(", ")))
}

fn nodes(header: &Header, measured: &Measured) -> String {
    measured.nodes.iter().map(|node| node_lines(header, node)).collect()
}

fn node_lines(header: &Header, node: &NodeMeasured) -> String {
    let mut table = table(&["cause", "starts", "most in 1 s", "of those open", "when"]);
    let mut add = |name: &str, total: u64, herds: &mut dyn Iterator<Item = (u32, f64)>| {
        // The first of the largest.
        let largest = herds.enumerate().max_by_key(|(n, (starts, _))| (*starts, std::cmp::Reverse(*n)));
        let Some((bin, (starts, share))) = largest.filter(|(_, (starts, _))| *starts > 0) else { return };
        let when = human::instant(header, bin as f64 * BIN.as_secs());
        let row = [name.into(), human::count(total), human::count(starts.into()), human::share(share), when];
        table.add_row(cells(&row));
    };
    for cause in Cause::ALL {
        let place = cause as usize;
        let mut herds = node.bins.iter().map(|bin| (bin.connects_max_1s[place], bin.herd_size[place]));
        add(cause.name(), node.starts[place], &mut herds);
    }
    let mut herds = node.bins.iter().map(|bin| (bin.connects_max_1s_all, bin.herd_size_all));
    add("all", node.starts.iter().sum(), &mut herds);
    let refused = match node.refused {
        0 => String::new(),
        n => format!("   {} refused\n", human::count(n)),
    };
    let body = if table.row_count() == 0 { "   none\n".to_owned() } else { trimmed(&table) };
    format!("  postgres {}\n{body}{refused}", short(&node.node, NAME))
}

fn spikes(header: &Header, measured: &Measured) -> String {
    let spikes = &measured.spikes;
    if spikes.is_empty() {
        return format!("  none{}\n", outage::unanswered(measured));
    }
    let (count, spacing) = (human::count(spikes.len() as u64), spacing(spikes));
    let mut text = format!("  {count}{spacing}{}\n", outage::unanswered(measured));
    for spike in spikes.iter().take(SPIKES) {
        let beside =
            if spike.beside.is_empty() { "nothing known".to_owned() } else { spike.beside.join(", ") };
        text += &format!(
            "  {}  {} for {}, p99 up to {}, beside {}\n",
            human::instant(header, spike.from.as_secs()),
            short(&spike.service, NAME),
            human::offset(spike.to.since(spike.from).as_secs()),
            human::latency(spike.p99_us as f64),
            printable(&beside),
        );
    }
    if spikes.len() > SPIKES {
        text += &format!("  … and {} more in events.csv\n", spikes.len() - SPIKES);
    }
    text
}

/// `, 15m apart (median)`: of the spikes of one service, as they lie in time.
fn spacing(spikes: &[Spike]) -> String {
    let next =
        |(n, spike): (usize, &Spike)| spikes[n + 1..].iter().find(|next| next.service == spike.service);
    let gap = |(n, spike)| Some(next((n, spike))?.from.since(spike.from).as_secs());
    let mut gaps: Vec<f64> = spikes.iter().enumerate().filter_map(gap).collect();
    gaps.sort_by(f64::total_cmp);
    gaps.get(gaps.len() / 2)
        .map_or_else(String::new, |gap| format!(", {} apart (median)", human::offset(*gap)))
}

fn events(header: &Header, measured: &Measured) -> String {
    let line = |(name, from, to): (String, f64, Option<f64>)| {
        let until = to.map_or_else(String::new, |to| format!(" until {}", human::instant(header, to)));
        let mine = |recovery: &&Recovery| recovery.event.strip_prefix("event.") == Some(&name);
        let ended = Time::ZERO + Span::from_secs_f64(to.unwrap_or(from));
        let back = measured.recoveries.iter().filter(mine).map(|recovery| {
            let after = match (recovery.after, next_event(measured, ended)) {
                (Some(after), _) => format!("back after {}", human::offset(after.as_secs())),
                (None, Some(next)) => format!("not back for a minute before {}", short(&next.event, NAME)),
                (None, None) => "not back by the end".to_owned(),
            };
            format!("; {} {after}", short(&recovery.service, NAME))
        });
        let back: String = back.collect();
        format!("  {}{until}  {}{back}\n", human::instant(header, from), short(&name, NAME))
    };
    marks::lasting(&measured.marks).into_iter().map(line).collect()
}

#[cfg(test)]
#[path = "terminal_tests.rs"]
mod tests;
