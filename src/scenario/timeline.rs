//! Events resolved to moments, each with the whole scenario as it stands from then on.
//!
//! An event's overlay acts on what stands when it begins; when it ends, what lies beneath comes back. To make
//! sure that there is one answer to "what lies beneath", the spans of two events on one path must nest, and
//! differ. Only what is [live](super::live) may change. Boxes and their parts are known by their places from
//! the first instant on: an event neither adds nor removes any.

use super::complete::complete;
use super::grammar::{Deed, Event, File};
use super::ground::Ground;
use super::guess::Guess;
use super::like;
use super::live::{READ_AT_START, is_live, what_is_live};
use super::problem::{Problem, Problems, suggest};
use super::tree::{Layer, Node};
use super::{Moment, Tables, check, overlay, read, when};
use crate::engine::time::Time;
use indexmap::IndexMap;
use std::sync::Arc;

/// An enabled event with its times and what it touches.
struct Happening<'a> {
    name: &'a str,
    event: &'a Event,
    overlay: Option<&'a IndexMap<String, Node>>,
    begin: Time,
    end: Time,
    paths: Vec<String>,
}

/// Resolves the timeline of one variant: `written` is its tree, `standing` the complete one, `file` the same
/// for serde, with all CSV files. Under a guess, mistakes do not keep the rest from being checked.
pub fn build(
    (written, standing): (&Node, &Node),
    (file, tables): (&File, &Tables),
    guess: Option<Guess>,
    problems: &mut Problems,
) -> Vec<Moment> {
    let mut happenings: Vec<Happening<'_>> = Vec::new();
    for (name, event) in file.event.iter() {
        let mut own = Problems::default();
        let happening = happening(name, event, standing, file, &mut own);
        let paths = || happening.as_ref().map_or_else(|| touched(standing, name), |one| one.paths.clone());
        problems.extend(own.into_iter().map(|problem| problem.about(paths())));
        happenings.extend(happening.filter(|_| event.enabled));
    }
    overlaps(&happenings, standing, problems);
    waits_for_deploy(&happenings, standing, problems);
    if problems.has_errors() && guess.is_none() {
        return Vec::new();
    }
    moments(&happenings, written, (file, tables, guess), problems)
}

/// What an event sets that begins or ends nobody knows when.
fn touched(standing: &Node, name: &str) -> Vec<String> {
    let overlay = standing.at(&format!("event.{name}.set")).and_then(Node::entries);
    overlay.into_iter().flatten().flat_map(|(path, _)| overlay::nearby(standing, path)).collect()
}

fn happening<'a>(
    name: &'a str,
    event: &'a Event,
    standing: &'a Node,
    file: &File,
    problems: &mut Problems,
) -> Option<Happening<'a>> {
    let node = standing.at(&format!("event.{name}"))?;
    let place = |key: &str| node.child(key).and_then(Node::place).or_else(|| node.place());
    let fail = |key: &str, why: String| {
        let known = file.event.keys().map(String::as_str);
        let problem = Problem::error(format!("`{key}` of event `{name}`: {why}"), place(key));
        match why.strip_prefix("there is no event `") {
            Some(rest) => problem.help(suggest(rest.trim_end_matches('`'), known)),
            None => problem,
        }
    };
    let begin = when::resolve(file, &event.at).map_err(|why| problems.push(fail("at", why)));
    let end = event.until.as_ref().map_or(Ok(Time::NEVER), |until| {
        when::resolve(file, until).map_err(|why| problems.push(fail("until", why)))
    });
    let overlay = node.child("set").and_then(Node::entries);
    let paths = live_paths(overlay, standing, problems);
    let (begin, end) = (begin.ok()?, end.ok()?);
    if end <= begin {
        let problem = Problem::error(format!("event `{name}` ends before it begins"), place("until"));
        problems.push(problem.related(place("at"), "it begins here").help("let `until` be later than `at`"));
    }
    if event.enabled && begin.0 >= file.duration.0 {
        let message = format!("event `{name}` begins when the run is over");
        problems.push(
            Problem::warning(message, place("at"))
                .related(standing.child("duration").and_then(Node::place), "the run ends here")
                .help("lengthen `duration` or remove the event"),
        );
    }
    if let (true, Some(deed), Some(_)) = (event.set.is_empty(), &event.deed, &event.until) {
        let message = format!("event `{name}` has nothing to give back");
        problems.push(Problem::error(message, place("until")).help(how_long(deed)));
    }
    if event.set.is_empty() && event.deed.is_none() {
        let message = format!("event `{name}` does nothing");
        problems.push(Problem::warning(message, node.place()).help("give it a `set` or a `do`"));
    }
    Some(Happening { name, event, overlay, begin, end, paths })
}

/// What decides how long a deed lasts.
fn how_long(deed: &Deed) -> String {
    let lasts = match deed {
        Deed::Deploy(_) => "a deploy lasts the `rollout` of its service",
        Deed::Restart(_) => "a restart lasts `restart_time`",
        Deed::Promote(_) => "a promotion lasts `promote_time`",
        Deed::Failover(_) => "a failover lasts what `ha.takes` says",
        Deed::Crash(_) => "a crash lasts the `startup` of its service",
    };
    format!("remove `until`: it gives back what `set` laid; {lasts}")
}

/// The concrete paths that an overlay touches; those that cannot change while the simulation runs are errors.
fn live_paths(
    overlay: Option<&IndexMap<String, Node>>,
    standing: &Node,
    problems: &mut Problems,
) -> Vec<String> {
    let mut paths = Vec::new();
    for (pattern, value) in overlay.into_iter().flatten() {
        let place = value.origin.key.clone();
        match overlay::of_the_file(pattern).map_or_else(|| overlay::expand(standing, pattern), Err) {
            Ok(found) => {
                if let Some(dead) = found.iter().find(|path| !is_live(path)) {
                    let message = format!("`{dead}` cannot change while the simulation runs");
                    let problem = Problem::error(message, place.clone()).help(what_is_live(dead));
                    problems.push(problem.about(found.clone()));
                }
                if let Some(absent) = found.iter().find_map(|path| absent(standing, path)) {
                    let message = format!("there is no `{absent}`, and an event cannot add it");
                    let help = format!("write `{absent}` in the file, so that it is there from the start");
                    problems.push(Problem::error(message, place).help(help));
                }
                paths.extend(found.into_iter().filter(|path| is_live(path)));
            }
            Err((what, help)) => {
                let problem = Problem::error(what, place).help(help);
                problems.push(problem.about(overlay::nearby(standing, pattern)));
            }
        }
    }
    paths
}

/// The first part of a path that nothing stands at, but for the value itself.
fn absent<'a>(standing: &Node, path: &'a str) -> Option<&'a str> {
    let parents = path.match_indices('.').map(|(dot, _)| &path[..dot]);
    parents.into_iter().find(|parent| standing.at(parent).is_none())
}

/// Two spans on one path must nest; an event should not undo what the variant is about.
fn overlaps(happenings: &[Happening<'_>], standing: &Node, problems: &mut Problems) {
    for (index, one) in happenings.iter().enumerate() {
        for other in &happenings[index + 1..] {
            let (first, second) = if other.begin < one.begin { (other, one) } else { (one, other) };
            problems.extend(unclear(first, second, standing));
        }
        for path in &one.paths {
            let Some((by, path, node)) = standing.at(path).and_then(|node| set_within(node, path)) else {
                continue;
            };
            let message = format!("event `{}` overwrites `{path}`, which {by} sets", one.name);
            let help = format!("let {by} set `event.{}.enabled = false` too, or keep them apart", one.name);
            let place = standing.at(&format!("event.{}", one.name)).and_then(Node::place);
            problems.push(Problem::warning(message, place).related(node.place(), "set here").help(help));
        }
    }
}

/// What a variant or `--set` has set of a value: by whom, where, and the node.
fn set_within<'a>(node: &'a Node, path: &str) -> Option<(String, String, &'a Node)> {
    let by = match &node.origin.layer {
        Layer::Variant(name) => format!("variant `{name}`"),
        Layer::Set => "`--set`".to_owned(),
        _ => {
            let mut children = node.entries()?.iter();
            return children.find_map(|(name, child)| set_within(child, &format!("{path}.{name}")));
        }
    };
    Some((by, path.to_owned(), node))
}

/// Two events that set one path, where it is not clear which of them stands: their spans cross, or are the
/// same. Where a variant has switched on one of such a pair, it is only warned of: a variant of what another
/// variant was resolved to may well have both.
fn unclear(first: &Happening<'_>, second: &Happening<'_>, standing: &Node) -> Option<Problem> {
    let crossing = first.begin < second.begin && second.begin < first.end && first.end < second.end;
    let same = first.begin == second.begin && first.end == second.end;
    let shared = || first.paths.iter().find(|path| second.paths.iter().any(|to| touches(path, to)));
    let path = Some(()).filter(|()| crossing || same).and_then(|()| shared())?;
    let event = |name: &str| standing.at(&format!("event.{name}"));
    let switched = |name: &str| {
        let enabled = event(name).and_then(|event| event.child("enabled"));
        enabled.is_some_and(|enabled| matches!(enabled.origin.layer, Layer::Variant(_)))
    };
    let (a, b) = (first.name, second.name);
    let (how, label) = if same {
        ("over the same span: which of them stands?", "begins and ends with it")
    } else {
        ("and their spans cross", "begins first and ends first")
    };
    let message = format!("events `{a}` and `{b}` both set `{path}`, {how}");
    let place = event(b).and_then(Node::place);
    let by_variant = same && (switched(a) || switched(b));
    let problem = if by_variant { Problem::warning(message, place) } else { Problem::error(message, place) };
    let help = "let one end before the other begins, or lie within it";
    Some(problem.related(event(a).and_then(Node::place), label).help(help))
}

/// A container reads its settings when it starts: without a deploy, a change reaches nobody.
fn waits_for_deploy(happenings: &[Happening<'_>], standing: &Node, problems: &mut Problems) {
    for one in happenings {
        for path in &one.paths {
            let Some((service, _)) = path.strip_prefix("service.").and_then(|rest| rest.split_once('.'))
            else {
                continue;
            };
            let field = path.split('.').nth(2);
            if !field.is_some_and(|field| READ_AT_START.contains(&field)) {
                continue;
            }
            let starts = |other: &Happening<'_>| {
                let started = match &other.event.deed {
                    Some(Deed::Deploy(name)) => name,
                    Some(Deed::Crash(crash)) => &crash.service,
                    _ => return false,
                };
                (started == service || started == "*") && other.begin >= one.begin && other.begin < one.end
            };
            if !happenings.iter().any(starts) {
                let message =
                    format!("`{path}` reaches only containers that start later, and no deploy follows");
                let place = standing.at(&format!("event.{}", one.name)).and_then(Node::place);
                let help = format!("add an event with `do = {{ deploy = \"{service}\" }}`");
                problems.push(Problem::warning(message, place).help(help));
            }
        }
    }
}

/// Whether one path is the other or leads to it.
fn touches(one: &str, other: &str) -> bool {
    let leads = |short: &str, long: &str| {
        long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    leads(one, other) || leads(other, one)
}

/// What no event can change; it is laid aside while events are laid over the rest.
const FIXED: [&str; 6] = ["compare", "event", "variant", "expect", "sweep", "source"];

fn moments(
    happenings: &[Happening<'_>],
    written: &Node,
    ground: (&File, &Tables, Option<Guess>),
    problems: &mut Problems,
) -> Vec<Moment> {
    let mut changing = written.clone();
    if let Some(entries) = changing.entries_mut() {
        entries.retain(|name, _| !FIXED.contains(&name.as_str()));
    }
    // What happens to one entity does not happen to those that were written like it.
    like::settle(&mut changing);
    let mut edges: Vec<(Time, bool, usize)> = Vec::new();
    for (index, happening) in happenings.iter().enumerate() {
        edges.push((happening.begin, true, index));
        if happening.end != Time::NEVER {
            edges.push((happening.end, false, index));
        }
    }
    // At one instant, ends come first: what begins then finds what lay beneath.
    edges.sort();
    let base = Ground::new(changing);
    let mut laid = (base.clone(), Vec::new());
    let mut active: Vec<usize> = Vec::new();
    let mut moments = Vec::new();
    for together in edges.chunk_by(|one, other| one.0 == other.0) {
        let first = moments.len();
        for &(at, begins, index) in together {
            let Happening { name, event, .. } = &happenings[index];
            if begins {
                active.push(index);
            } else {
                active.retain(|other| *other != index);
            }
            let deed = event.deed.clone().filter(|_| begins);
            let (event, instant) = ((*name).to_owned(), event.is_instant());
            moments.push(Moment { at, event, begins, stands: None, deed, instant });
        }
        // Of two that begin together, the longer lies beneath.
        active.sort_by_key(|index| (happenings[*index].begin, std::cmp::Reverse(happenings[*index].end)));
        // What lies between two changes of one instant never stands: it is read before any deed.
        if together.iter().any(|(.., index)| !happenings[*index].paths.is_empty()) {
            lay(&base, &mut laid, &active, happenings, problems);
            moments[first].stands = stands(laid.0.written(), ground, problems).map(Arc::new);
        }
    }
    moments
}

/// Lays the active events, of which some may lie there already. What begins lies on top of what stands; an
/// end may take away what others were laid on.
fn lay(
    base: &Ground,
    (ground, laid): &mut (Ground, Vec<usize>),
    active: &[usize],
    happenings: &[Happening<'_>],
    problems: &mut Problems,
) {
    if !active.starts_with(laid) {
        (*ground, *laid) = (base.clone(), Vec::new());
    }
    for index in &active[laid.len()..] {
        let Happening { name, overlay: Some(overlay), .. } = &happenings[*index] else { continue };
        ground.lay(overlay, &Layer::Event((*name).into()), problems);
    }
    *laid = active.to_vec();
}

/// The whole file as it stands when events have been laid over it.
fn stands(
    tree: &Node,
    (before, tables, guess): (&File, &Tables, Option<Guess>),
    problems: &mut Problems,
) -> Option<File> {
    let complete = complete(tree, problems);
    let (file, complete) = read::read(complete, guess, problems)?;
    check::check(&file, &complete, tables, problems);
    Some(File {
        compare: before.compare.clone(),
        event: before.event.clone(),
        variant: before.variant.clone(),
        expect: before.expect.clone(),
        sweep: before.sweep.clone(),
        source: before.source.clone(),
        ..file
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_touch_if_one_leads_to_the_other() {
        assert!(touches("a.b", "a.b.c") && touches("a.b.c", "a.b") && touches("a", "a"));
        assert!(!touches("a.b", "a.bc") && !touches("a.b", "a.c"));
    }
}
