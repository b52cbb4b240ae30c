//! The second check: does the scenario make sense? Names that lead somewhere, bounds in order, periods above
//! zero.

mod edge;
mod expect;
mod many;
mod nodes;
mod pool;
mod request;
mod service;
mod sweep;

use super::grammar::{Deed, Distribution, File, Service};
use super::place::Place;
use super::problem::{Problem, Problems, suggest};
use super::schema::{self, Shape};
use super::tree::Node;
use super::units::{Limit, parse_rate, parse_span};
use super::{AS_WRITTEN, Tables};
use crate::engine::time::Span;

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
        for (name, queue) in &file.queue {
            self.queue(name, queue);
        }
        for (name, job) in &file.job {
            self.name(&format!("job.{name}.on"), "postgres node", &job.on, file.postgres.keys());
            self.pause(&format!("job.{name}.every"), job.every, "15m");
        }
    }

    /// One service, or `"*"`.
    fn services(&mut self, path: &str, service: &str) {
        if service != "*" {
            self.name(path, "service", service, self.file.service.keys());
        }
    }

    fn deeds(&mut self) {
        let file = self.file;
        for (name, event) in &file.event {
            let path = |verb: &str| format!("event.{name}.do.{verb}");
            match &event.deed {
                Some(Deed::Deploy(service)) => self.services(&path("deploy"), service),
                Some(Deed::Crash(crash)) => self.services(&path("crash.service"), &crash.service),
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
