//! Expectations: metrics that are there to be measured, bounds in their unit, variants to hold them against.

use super::Checker;
use crate::scenario::grammar::{Bound, Causes, Expect, Metric, Relative, Scaler};
use crate::scenario::problem::Problem;
use crate::scenario::when;

impl Checker<'_> {
    pub(super) fn expect(&mut self, name: &str, expect: &Expect) {
        let base = format!("expect.{name}");
        self.variant(&format!("{base}.variant"), &expect.variant);
        if expect.min.is_none() && expect.max.is_none() {
            self.error(&base, format!("`{name}` expects nothing"), "add a `min` or a `max`");
        }
        if let Some(control) = &expect.control {
            self.control(&format!("{base}.control"), control, &expect.variant);
        }
        for (key, bound) in [("min", &expect.min), ("max", &expect.max)] {
            let path = format!("{base}.{key}");
            match bound {
                Some(Bound::Value(value)) => {
                    self.bound(&path, expect.metric, expect.metric.unit().read(value))
                }
                Some(Bound::Relative(relative)) => self.relative(&path, expect.metric, relative),
                None => {}
            }
        }
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

    /// A control is a variant, and another one.
    fn control(&mut self, path: &str, control: &str, variant: &str) {
        if self.variant(path, control) && control == variant {
            let message = format!("`{control}` is the variant itself: it cannot hold and not hold");
            self.error(path, message, "name a variant in which it must not hold, or leave `control` out");
        }
    }

    /// A number in the unit of the metric, or why it is none.
    fn bound(&mut self, path: &str, metric: Metric, read: Result<f64, String>) {
        if let Err(problem) = read {
            self.error(path, problem, format!("`{}` is measured so", metric.name()));
        }
    }

    /// A bound relative to another variant: by a factor or by a difference.
    fn relative(&mut self, path: &str, metric: Metric, relative: &Relative) {
        match relative.of.strip_prefix("variant.") {
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
                self.name(&path, "request", name, file.request.keys());
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
            [Some(after), _] if after.0 >= duration.0 => {
                let message = "nothing is left after the end of the run: there will be nothing to judge";
                let place = self.tree.place_at(&format!("{base}.after"));
                self.problems.push(Problem::warning(message, place).help("let `after` be earlier"));
            }
            _ => {}
        }
    }
}
