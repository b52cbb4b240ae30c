//! The second check: does the scenario make sense? Names that lead somewhere, bounds in order, periods above
//! zero.

mod edge;
mod expect;
mod many;
mod nodes;
mod service;
mod sweep;

use super::grammar::{
    AcquireTimeoutCovers, Deed, DialFailure, DialRetry, Distribution, File, JitterShape, KillGap, Pool,
    Preset, Refill, Request, Service, Step, Sweep,
};
use super::place::Place;
use super::problem::{Problem, Problems, suggest};
use super::schema::{self, Shape};
use super::tree::Node;
use super::units::{Limit, parse_rate, parse_span};
use super::{AS_WRITTEN, Tables};
use crate::engine::time::Span;

/// The shortest lifetime: a herd is measured on the clock of a lifetime, turn by turn.
const SHORTEST_LIFETIME: Span = Span::from_millis(1);

/// The shortest time from one turn to the next of what goes on by itself: with less, a run would stand still.
const SHORTEST_PAUSE: Span = Span::from_millis(1);

/// What to write instead of zero where there may be no limit.
const NO_LIMIT: &str = "\"none\" for no limit";

/// Checks a complete scenario; `tree` is the same with places.
pub fn check(file: &File, tree: &Node, tables: &Tables, problems: &mut Problems) {
    let mut checker = Checker { file, tree, tables, problems };
    checker.everything();
    schema::visit(tree, schema::root(), "", &mut |path, node, shape| {
        distribution(path, node, shape, checker.problems)
    });
}

struct Checker<'a> {
    file: &'a File,
    tree: &'a Node,
    tables: &'a Tables,
    problems: &'a mut Problems,
}

impl Checker<'_> {
    fn everything(&mut self) {
        self.head();
        self.postgres();
        self.roles();
        for (name, service) in &self.file.service {
            self.service(name, service);
        }
        for (name, request) in &self.file.request {
            self.request(name, request);
        }
        self.traffic_and_jobs();
        self.endpoints();
        self.edge();
        self.devices();
        self.deeds();
        for (name, expect) in &self.file.expect {
            self.expect(name, expect);
        }
        self.sweep();
        self.many();
    }

    fn place(&self, path: &str) -> Option<Place> {
        self.tree.place_at(path)
    }

    fn error(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        let problem = Problem::error(message, self.place(path)).help(help);
        let doubts = self.doubts(path, &problem);
        self.problems.push(problem.about(doubts));
    }

    /// The value at `path`, and those beside it that the problem or its cure names.
    fn doubts(&self, path: &str, problem: &Problem) -> Vec<String> {
        let table = path.rsplit_once('.').map(|(table, _)| table);
        let beside = table.and_then(|table| self.tree.at(table)).and_then(Node::entries);
        let said = problem.in_a_line();
        let named = beside.into_iter().flatten().filter(|(key, _)| said.contains(&format!("`{key}`")));
        let others = named.filter_map(|(key, _)| Some(format!("{}.{key}", table?)));
        others.chain([path.to_owned()]).collect()
    }

    /// `name`, which stands at `path`, must be one of `known`.
    fn name<'k>(
        &mut self,
        path: &str,
        kind: &str,
        name: &str,
        known: impl Iterator<Item = &'k String> + Clone,
    ) -> bool {
        let exists = known.clone().any(|other| other == name);
        if !exists {
            let help = suggest(name, known.map(String::as_str));
            let problem = Problem::error(format!("there is no {kind} `{name}`"), self.place(path));
            self.problems.push(problem.help(help).about([path.to_owned()]));
        }
        exists
    }

    fn head(&mut self) {
        let file = self.file;
        if file.schema_version != 1 {
            self.error(
                "schema_version",
                "the grammar has one version, and that is 1",
                "write `schema_version = 1`",
            );
        }
        if file.title.trim().is_empty() {
            self.error("title", "the title is empty", "say in a line what is simulated");
        }
        if file.duration == Span::ZERO {
            self.error("duration", "the run has no duration", "write for example `duration = \"1h\"`");
        }
        if file.seeds.is_empty() {
            self.error("seeds", "there are no seeds", "write `seeds = [1]`");
        }
        for (index, seed) in file.seeds.iter().enumerate() {
            if file.seeds[..index].contains(seed) {
                let path = format!("seeds.{index}");
                self.error(&path, format!("seed {seed} is there twice"), "one run for each seed: remove one");
            }
        }
        if file.service.is_empty() {
            self.error("service", "the scenario has no service", "add a table `[service.NAME]`");
        }
        if file.traffic.is_empty() && file.device.is_empty() {
            self.error("traffic", "the scenario has no traffic", "add a table `[traffic.NAME]`");
        }
        if file.variant.contains_key(AS_WRITTEN) {
            let message =
                format!("no variant may be called `{AS_WRITTEN}`: that is the file without variants");
            self.error(&format!("variant.{AS_WRITTEN}"), message, "give it another name");
        }
        for (index, variant) in file.compare.iter().enumerate() {
            self.variant(&format!("compare.{index}"), variant);
        }
    }

    fn variant(&mut self, path: &str, name: &str) -> bool {
        let as_written = AS_WRITTEN.to_owned();
        let file = self.file;
        self.name(path, "variant", name, file.variant.keys().chain([&as_written]))
    }

    fn postgres(&mut self) {
        for (name, node) in &self.file.postgres {
            self.node_name(name);
            if node.reserved_connections >= node.max_connections {
                let (reserved, max) = (node.reserved_connections, node.max_connections);
                let message = format!("`{name}` reserves {reserved} of {max} connections: none is left");
                let path = format!("postgres.{name}.reserved_connections");
                self.error(&path, message, "raise `max_connections` or lower `reserved_connections`");
            }
            self.clock(&format!("postgres.{name}.statement_timeout"), node.statement_timeout, NO_LIMIT);
            self.clock(&format!("postgres.{name}.lock_timeout"), node.lock_timeout, NO_LIMIT);
            if let Some(pooler) = &node.pooler {
                self.pool(&format!("postgres.{name}.pooler.pool"), &pooler.pool);
            }
        }
    }

    fn service(&mut self, name: &str, service: &Service) {
        let base = format!("service.{name}");
        self.scaling(name, &base, service);
        self.clock(&format!("{base}.request_timeout"), Limit(Some(service.request_timeout)), "\"300s\"");
        for (node, pool) in &service.pool {
            let base = format!("{base}.pool.{node}");
            let file = self.file;
            self.name(&base, "postgres node", node, file.postgres.keys());
            self.pool(&base, pool);
        }
    }

    /// Zero is no limit in Postgres and in many libraries; here it would let nothing be in time.
    fn clock(&mut self, path: &str, limit: Limit, cure: &str) {
        if limit.0 == Some(Span::ZERO) {
            self.error(path, "nothing is ever done in no time", format!("write {cure}"));
        }
    }

    fn pool(&mut self, base: &str, pool: &Pool) {
        self.clock(&format!("{base}.query_timeout"), pool.query_timeout, NO_LIMIT);
        self.clock(&format!("{base}.connect_timeout"), pool.connect_timeout, NO_LIMIT);
        // Who does not wait in line may find an idle connection all the same, or dial.
        if pool.acquire_timeout_covers != AcquireTimeoutCovers::Line {
            self.clock(&format!("{base}.acquire_timeout"), pool.acquire_timeout, NO_LIMIT);
        }
        if pool.idle_timeout.0 == Some(Span::ZERO) {
            let help = "write \"none\" if they may rest for ever, or `max_idle = 0` if they may not at all";
            self.error(&format!("{base}.idle_timeout"), "an idle timeout of zero", help);
        }
        self.floor(base, pool);
        if pool.stock && pool.preset == Preset::Plain {
            let help = "name a library in `preset`, or leave `stock` out";
            self.error(&format!("{base}.stock"), "`stock` of no library", help);
        }
        match pool.dial_failure {
            DialFailure::Error => {}
            DialFailure::Retry(DialRetry { backoff, cap, .. }) => {
                self.pause(&format!("{base}.dial_failure.retry.backoff"), backoff, "400ms");
                self.pause(&format!("{base}.dial_failure.retry.cap"), cap, "15s");
            }
            DialFailure::Gate(gate) => self.pause(&format!("{base}.dial_failure.gate"), gate, "15s"),
        }
        if let Some(lifetime) = pool.max_lifetime.0 {
            if lifetime < SHORTEST_LIFETIME {
                let path = format!("{base}.max_lifetime");
                let message = format!("a lifetime of {lifetime} is shorter than any dial");
                self.error(&path, message, "write \"none\" for connections that stay");
            }
            if pool.jitter_shape != JitterShape::Additive && pool.jitter() > lifetime {
                let path = format!("{base}.max_lifetime_jitter");
                let message = format!(
                    "a jitter of {} is wider than the lifetime of {lifetime} that it is taken off",
                    pool.jitter()
                );
                self.error(&path, message, "narrow it, or write `jitter_shape = \"additive\"`");
            }
        }
        if pool.kill_gap == KillGap::Every(Span::ZERO) {
            let help = "leave it out, or write \"spread\" for `max_lifetime` / `max`";
            self.error(&format!("{base}.kill_gap"), "a kill gap of zero", help);
        }
        if let Sweep::Every(every) = pool.sweep {
            self.pause(&format!("{base}.sweep.every"), every, "60s");
        }
    }

    /// A floor that can be kept.
    fn floor(&mut self, base: &str, pool: &Pool) {
        if pool.min > pool.max {
            let message = format!("the pool keeps at least {} of at most {} connections", pool.min, pool.max);
            self.error(&format!("{base}.min"), message, "let `min` be at most `max`");
        }
        if let Some(most) = pool.max_idle.filter(|most| *most < pool.min && pool.refill != Refill::Demand) {
            let message = format!(
                "the pool keeps {} connections and lets {most} of them rest: it would dial and close for ever",
                pool.min
            );
            let help = "let `max_idle` be at least `min`, or leave it out";
            self.error(&format!("{base}.max_idle"), message, help);
        }
    }

    /// As long as a distribution gets; one whose file cannot be read is told of already.
    fn greatest(&self, distribution: &Distribution) -> Span {
        distribution.greatest(self.tables).unwrap_or(Span::FOREVER)
    }

    /// What goes on by itself rests between its turns.
    fn pause(&mut self, path: &str, pause: Span, such_as: &str) {
        if pause < SHORTEST_PAUSE {
            let (key, least) = (path.rsplit('.').next().unwrap_or(path), SHORTEST_PAUSE);
            let message = format!("`{key}` of {pause} is no pause: the run would hardly go on");
            self.error(path, message, format!("give it {least} or more, such as \"{such_as}\""));
        }
    }

    fn request(&mut self, name: &str, request: &Request) {
        let base = format!("request.{name}");
        let file = self.file;
        self.name(&format!("{base}.service"), "service", &request.service, file.service.keys());
        self.clock(&format!("{base}.timeout"), request.timeout, NO_LIMIT);
        self.clock(&format!("{base}.patience"), request.patience, NO_LIMIT);
        for (index, step) in request.steps.iter().enumerate() {
            self.step(&format!("{base}.steps.{index}"), step, request);
        }
        if let Some(retry) = &request.retry {
            self.retry(&format!("{base}.retry"), retry);
        }
        if let Some(retry) = &request.handler_retry {
            self.handler_retry(&format!("{base}.handler_retry"), retry);
        }
    }

    fn step(&mut self, path: &str, step: &Step, request: &Request) {
        let kinds = [step.app.is_some(), step.query.is_some(), step.transaction.is_some()];
        if kinds.iter().filter(|kind| **kind).count() != 1 {
            let message = "a step is exactly one of `app`, `query` and `transaction`";
            self.error(path, message, "write one step for each");
            return;
        }
        if step.times.is_some() && step.query.is_none() {
            self.error(&format!("{path}.times"), "only a `query` can have `times`", "remove it");
        }
        let file = self.file;
        let queries = step.query.iter().chain(step.transaction.iter().flatten());
        for query in queries {
            let key = if step.query.is_some() { "query" } else { "transaction" };
            self.name(&format!("{path}.{key}"), "query", query, file.query.keys());
        }
        if step.think.is_some() && step.app.is_some() {
            self.error(
                &format!("{path}.think"),
                "`think` goes with `query` and `transaction`",
                "add it to the time in `app`",
            );
        }
        if let Some(transaction) = &step.transaction {
            let path = format!("{path}.transaction");
            if transaction.is_empty() {
                self.error(&path, "a transaction of nothing", "name its queries");
            }
            self.lock_order(&path, transaction);
        }
        match &step.on {
            None if step.app.is_none() => {
                let help = "add `on`, the Postgres node";
                self.error(path, "this step does not say where its query runs", help);
            }
            None => {}
            Some(_) if step.app.is_some() => {
                self.error(&format!("{path}.on"), "time in the application runs on no node", "remove `on`");
            }
            Some(node) => self.step_node(&format!("{path}.on"), node, &request.service),
        }
    }

    /// The node or endpoint must exist, and the service must have a pool for it.
    fn step_node(&mut self, path: &str, node: &str, service: &str) {
        let file = self.file;
        if file.endpoint.contains_key(node) {
            return self.step_endpoint(path, node, service);
        }
        if !self.name(path, "postgres node", node, file.postgres.keys().chain(file.endpoint.keys())) {
            return;
        }
        if file.service.get(service).is_some_and(|service| !service.pool.contains_key(node)) {
            let message = format!("service `{service}` has no pool for `{node}`");
            self.error(path, message, format!("add a table `[service.{service}.pool.{node}]`"));
        }
    }

    fn traffic_and_jobs(&mut self) {
        let file = self.file;
        for (name, traffic) in &file.traffic {
            let base = format!("traffic.{name}");
            self.name(&format!("{base}.request"), "request", &traffic.request, file.request.keys());
            if let Some(burst) = &traffic.burst {
                self.pause(&format!("{base}.burst.every"), self.greatest(&burst.every), "10m");
                if self.greatest(&burst.lasting) == Span::ZERO {
                    let path = format!("{base}.burst.lasting");
                    self.error(&path, "`lasting` of a burst cannot be zero", "give it a length");
                }
            }
        }
        for (name, job) in &file.job {
            self.name(&format!("job.{name}.on"), "postgres node", &job.on, file.postgres.keys());
            self.pause(&format!("job.{name}.every"), job.every, "15m");
        }
    }

    fn deeds(&mut self) {
        let file = self.file;
        for (name, event) in &file.event {
            let path = |verb: &str| format!("event.{name}.do.{verb}");
            match &event.deed {
                Some(Deed::Deploy(service)) if service != "*" => {
                    self.name(&path("deploy"), "service", service, file.service.keys());
                }
                Some(deed) => self.node_deed(path, deed),
                None => {}
            }
        }
    }
}

/// Distributions and curves, wherever they stand.
fn distribution(whole: &str, node: &Node, shape: &Shape, problems: &mut Problems) {
    let Shape::Choice(_) = shape else { return };
    let span = |path: &str| node.at(path).and_then(Node::text).and_then(|text| parse_span(text).ok());
    let mut error = |path: &str, message: &str, help: &str| {
        problems.push(Problem::error(message, node.place_at(path)).help(help).about([whole.to_owned()]));
    };
    if let (Some(min), Some(max)) = (span("uniform.min"), span("uniform.max"))
        && min > max
    {
        error("uniform.min", "the least value is greater than the greatest", "let `min` be at most `max`");
    }
    if let (Some(median), Some(p99)) = (span("log_normal.median"), span("log_normal.p99")) {
        if median == Span::ZERO {
            error("log_normal.median", "a log-normal distribution has no median of zero", "raise it");
        }
        if p99 < median {
            error("log_normal.p99", "`p99` is below the median", "let `p99` be at least `median`");
        }
    }
    let Some(steps) = node.child("piecewise") else { return };
    let times: Vec<Span> = (0..).map_while(|index| span(&format!("piecewise.{index}.from"))).collect();
    let known_rates = (0..times.len()).all(|index| {
        let rate = steps.at(&format!("{index}.rate")).and_then(Node::text);
        rate.is_some_and(|rate| parse_rate(rate).is_ok())
    });
    if times.first() != Some(&Span::ZERO) || !known_rates {
        error("piecewise", "a piecewise rate begins at 0s", "add { from = \"0s\", rate = … }");
    }
    if let Some(index) = times.windows(2).position(|pair| pair[1] <= pair[0]) {
        let path = format!("piecewise.{}.from", index + 1);
        error(&path, "the steps of a piecewise rate ascend", "put them in order, each time once");
    }
}
