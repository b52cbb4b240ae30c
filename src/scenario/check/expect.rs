//! Expectations: metrics that are there to be measured, bounds in their unit, variants to hold them against.

use super::Checker;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{Bound, Causes, Expect, Label, Metric, Relative, Scaler};
use crate::scenario::problem::Problem;
use crate::scenario::tree::Layer;
use crate::scenario::units::Share;
use crate::scenario::window::{NO_BIN, WHOLE_BINS, Window};
use crate::scenario::{proof, when};

impl Checker<'_> {
    pub(super) fn expect(&mut self, name: &str, expect: &Expect) {
        let base = format!("expect.{name}");
        self.variant(&format!("{base}.variant"), &expect.variant);
        if expect.bounds() == [None, None] {
            self.error(&base, format!("`{name}` expects nothing"), "add `min`, `max` or `between`");
        }
        if let Some(control) = &expect.control {
            self.control(&format!("{base}.control"), control, expect);
        }
        self.bounds(&base, expect);
        self.share(&base, expect);
        self.measured(&base, expect);
        self.window(&base, expect);
        if expect.metric == Metric::Recovery && expect.after.is_none() {
            let help = "add `after`, for example `after = \"event.NAME.until\"`";
            self.error(&base, "`recovery` counts from `after`, and there is none", help);
        }
        let narrowed = expect.cause.is_some() || !expect.except.is_empty();
        if expect.metric == Metric::HerdGain && (narrowed || expect.after.is_some() || expect.until.is_some())
        {
            let help = "leave out `cause`, `after`, `until` and `except`";
            self.error(&base, "`herd_gain` is measured in a run of its own, and over all of it", help);
        }
    }

    /// A control is a variant, another one, and one that could keep within the bounds.
    fn control(&mut self, path: &str, control: &str, expect: &Expect) {
        let help = "name a variant in which it must not hold, or leave `control` out";
        if !self.variant(path, control) {
            return;
        }
        if control == expect.variant {
            let message = format!("`{control}` is the variant itself: it cannot hold and not hold");
            self.error(path, message, help);
        } else if is_foregone(control, expect) {
            let message =
                format!("`{control}` is what the bound is relative to: as the control it proves nothing");
            self.error(path, message, help);
        }
    }

    /// Bounds in the unit of the metric, in order, and written in one way.
    fn bounds(&mut self, base: &str, expect: &Expect) {
        let between = expect.between.is_some();
        if between && (expect.min.is_some() || expect.max.is_some()) {
            let message = "`between` beside `min` or `max`: which one is meant?";
            self.error(&format!("{base}.between"), message, "keep one of them; `between` has both ends");
        }
        let keys = if between { ["between.0", "between.1"] } else { ["min", "max"] };
        let mut ends = [None, None];
        for ((end, key), bound) in ends.iter_mut().zip(keys).zip(expect.bounds()) {
            let path = format!("{base}.{key}");
            match bound {
                Some(Bound::Value(value)) => {
                    let read = expect.metric.unit().read(value);
                    *end = read.as_ref().ok().copied();
                    if *end > Some(1.0) && expect.metric.is_part_of_a_whole() {
                        let message = format!("`{}` is never more than the whole", expect.metric.name());
                        self.error(&path, message, "write a share from 0% to 100%");
                    }
                    self.bound(&path, expect.metric, read);
                }
                Some(Bound::Relative(relative)) => self.relative(&path, expect, relative),
                None => {}
            }
        }
        if let [Some(least), Some(greatest)] = ends
            && least > greatest
        {
            let message = "the least is greater than the greatest: nothing keeps within them";
            self.error(&format!("{base}.{}", keys[0]), message, "put them the other way round");
        }
        self.always(base, expect, ends);
    }

    /// A single bound that no value can be beyond. What may never happen is asked by it whether it does.
    fn always(&mut self, base: &str, expect: &Expect, ends: [Option<f64>; 2]) {
        let (metric, name) = (expect.metric, expect.metric.name());
        match (ends, expect.bounds()) {
            ([Some(least), _], [_, None]) if least <= 0.0 && !metric.is_a_time() => {
                let message = format!("`{name}` is never below this: it always holds");
                self.error(&format!("{base}.min"), message, "raise `min`, or write `max`");
            }
            ([_, Some(1.0)], [None, _]) if metric.is_part_of_a_whole() => {
                let message = format!("`{name}` is never above this: it always holds");
                self.error(&format!("{base}.max"), message, "lower `max`, or write `min`");
            }
            _ => {}
        }
    }

    /// A share of all seeds that these could show, if it held with every one of them.
    fn share(&mut self, base: &str, expect: &Expect) {
        let Some(Share(share)) = expect.share else { return };
        let path = format!("{base}.share");
        if share == 0.0 {
            let message = "a share of nothing asks for nothing";
            return self.error(&path, message, "write for example \"90%\", or leave `share` out");
        }
        let Some(needed) = proof::seeds_needed(share) else {
            let message = format!("no number of seeds shows {} %", proof::percent(share));
            let help = "leave `share` out: then it must hold with every seed that is run; or ask for 95%";
            return self.error(&path, message, help);
        };
        let seeds = self.file.seeds.len();
        if proof::shown(seeds, seeds, share) {
            return;
        }
        let noun = if seeds == 1 { "seed" } else { "seeds" };
        let message = format!("{seeds} {noun} cannot show {} %", proof::percent(share));
        let most = proof::most_percent(seeds);
        let help = format!("give {needed} seeds or more, or ask for at most {most:.0} %");
        // Fewer seeds on the command line are a look at something, and the verdict will say what it is worth.
        let by_hand = self.tree.child("seeds").is_some_and(|seeds| seeds.origin.layer == Layer::Set);
        let problem = if by_hand { Problem::warning } else { Problem::error };
        self.problems.push(problem(message, self.place(&path)).help(help).about([path]));
    }

    /// A number in the unit of the metric, or why it is none.
    fn bound(&mut self, path: &str, metric: Metric, read: Result<f64, String>) {
        if let Err(problem) = read {
            self.error(path, problem, format!("`{}` is measured so", metric.name()));
        }
    }

    /// A bound relative to another variant: by a factor or by a difference.
    fn relative(&mut self, path: &str, expect: &Expect, relative: &Relative) {
        let metric = expect.metric;
        match relative.of.strip_prefix("variant.") {
            Some(variant) if variant == expect.variant => {
                let message = format!("`{variant}` is the variant itself: it is always beside itself");
                self.error(&format!("{path}.of"), message, "name another variant to hold it against");
            }
            Some(variant) => drop(self.variant(&format!("{path}.of"), variant)),
            None => {
                let message = format!("`{}` is not a variant", relative.of);
                self.error(&format!("{path}.of"), message, "write `variant.NAME`");
            }
        }
        match (relative.times, &relative.plus) {
            (None, None) => {
                let help = "add `times`, a factor, or `plus`, a difference in the metric's unit";
                self.error(path, format!("what of `{}` is the bound?", relative.of), help);
            }
            (Some(_), Some(_)) => {
                let message = "a bound by a factor and by a difference: which one is meant?";
                self.error(path, message, "keep `times` or `plus`; a `min` and a `max` may differ");
            }
            (None, Some(plus)) => {
                self.bound(&format!("{path}.plus"), metric, metric.unit().read_difference(plus));
            }
            (Some(times), None) if times <= 0.0 => {
                let message = format!("{times} times another value is no bound");
                self.error(&format!("{path}.times"), message, "write a factor above zero, such as 1.3");
            }
            (Some(_), None) => {}
        }
    }

    /// That the metric is of such a thing.
    fn measured(&mut self, base: &str, expect: &Expect) {
        let (path, group, file) = (format!("{base}.of"), expect.metric.group(), self.file);
        match expect.of.split_once('.') {
            Some(("postgres", name)) if group == "postgres" => {
                self.name(&path, "postgres node", name, file.postgres.keys());
            }
            Some(("service", name)) if group == "service" => {
                self.name(&path, "service", name, file.service.keys());
            }
            Some(("request", name)) if group == "request" => {
                self.name(&path, "request", Label::parted(name).0, file.request.keys());
                self.labelled(&path, name);
            }
            _ => {
                let message = format!("`{}` is not of `{}`", expect.metric.name(), expect.of);
                self.error(&path, message, format!("write `{group}.NAME`"));
            }
        }
        self.capped(&path, expect);
        if expect.cause.is_some() && expect.metric.causes() == Causes::None {
            let message = format!("`{}` knows no causes", expect.metric.name());
            self.error(&format!("{base}.cause"), message, "leave `cause` out");
        }
        for (place, event) in expect.except.iter().enumerate() {
            let path = format!("{base}.except.{place}");
            self.name(&path, "event", event.strip_prefix("event.").unwrap_or(event), file.event.keys());
        }
    }

    /// Requests of users and of attackers are apart: those that are meant must come.
    fn labelled(&mut self, path: &str, name: &str) {
        let (class, asked) = Label::parted(name);
        let traffic = self.file.traffic.values().map(|traffic| (&traffic.request, traffic.label));
        let devices = self.file.device.values().map(|device| (&device.request, Label::Legitimate));
        let queues = self.file.queue.values().map(|queue| (&queue.request, Label::Background));
        let known = |request: &String| self.file.request.contains_key(request);
        let all = traffic.chain(devices).chain(queues);
        let labels: Vec<Label> =
            all.filter(|(request, _)| *request == class).map(|(_, label)| label).collect();
        // Who asks for what does not exist may mean this one.
        let mut requests = self.file.traffic.values().map(|traffic| &traffic.request);
        if !labels.is_empty() && !labels.contains(&asked) && requests.all(known) {
            let who = match asked {
                Label::Legitimate => "no user sends",
                Label::Abusive => "no attacker sends",
                Label::Background => "nothing in the background sends",
            };
            let other = labels[0].of_class(class);
            self.error(path, format!("{who} `{class}`"), format!("write `request.{other}`"));
        }
    }

    /// A fleet that nobody scales never comes up to its cap: it is there from the start.
    fn capped(&mut self, path: &str, expect: &Expect) {
        let service = expect.of.strip_prefix("service.").and_then(|name| self.file.service.get(name));
        if expect.metric == Metric::AtCap && service.is_some_and(|service| service.scaler == Scaler::Fixed) {
            let message = format!("the containers of `{}` are fixed: `at_cap` says nothing", expect.of);
            self.error(path, message, "give the service a `scaler`, or leave this expectation out");
        }
    }

    /// The span that an expectation is about.
    fn window(&mut self, base: &str, expect: &Expect) {
        let mut ends = [None, None];
        for (end, (key, when)) in ends.iter_mut().zip([("after", &expect.after), ("until", &expect.until)]) {
            let Some(when) = when else { continue };
            match when::resolve(self.file, when) {
                Ok(time) => *end = Some(time),
                Err(why) => self.error(&format!("{base}.{key}"), why, "check the time"),
            }
        }
        let duration = self.file.duration;
        match ends {
            [Some(after), Some(until)] if after >= until => {
                self.error(&format!("{base}.until"), "`until` is not later than `after`", "let it be later");
            }
            // A run without a duration is an error of its own.
            [Some(after), _] if after.0 >= duration.0 && duration > Span::ZERO => {
                let message = "nothing is left after the end of the run: there will be nothing to judge";
                let place = self.tree.place_at(&format!("{base}.after"));
                self.problems.push(Problem::warning(message, place).help("let `after` be earlier"));
            }
            [after, Some(until)] if until.0 < duration.0 && expect.metric.is_of_bins() => {
                let part = Window { from: after.unwrap_or(Time::ZERO), to: until, except: vec![] };
                if !part.holds_a_bin(duration) {
                    self.error(&format!("{base}.until"), NO_BIN, WHOLE_BINS);
                }
            }
            _ => {}
        }
    }
}

/// Whether it is known beforehand how a control stands to the bounds, since they are relative to it: it is
/// beyond one of them, or there is no other that it could be beyond.
fn is_foregone(control: &str, expect: &Expect) -> bool {
    let own = |bound: &Bound, value: f64| match bound {
        Bound::Relative(relative) if relative.variant() == control => {
            relative.bound(value, expect.metric.unit())
        }
        _ => None,
    };
    // Zero may stand otherwise than what is above it: half of nothing is nothing.
    let beyond = [0.0, 1.0].map(|value| {
        let [min, max] = expect.bounds().map(|bound| bound.and_then(|bound| own(bound, value)));
        min.is_some_and(|min| min > value) || max.is_some_and(|max| max < value)
    });
    let mut owned = expect.bounds().into_iter().flatten().map(|bound| own(bound, 1.0).is_some());
    let all = expect.bounds() != [None, None] && owned.all(|own| own);
    beyond == [true; 2] || all && beyond == [false; 2]
}
