//! Whatever happens in whatever order, the books are right.

use super::super::Action;
use super::story::Story;
use crate::engine::slab::Id;
use crate::model::connection::ClientState;
use crate::model::fact::Close;
use crate::model::{ConnectionId, RequestId};
use crate::scenario::grammar::Dialler;
use crate::scenario::presets;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;

/// Something that happens; a number picks whom among those that it can happen to.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Acquire,
    Release(usize),
    Break(usize),
    IdleBreak(usize),
    Dialled(usize),
    DialFails(usize),
    LeaveLine(usize),
    LeaveDial(usize),
    Wait(f64),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => Just(Happens::Acquire),
        4 => (0..64usize).prop_map(Happens::Release),
        1 => (0..64usize).prop_map(Happens::Break),
        1 => (0..64usize).prop_map(Happens::IdleBreak),
        4 => (0..64usize).prop_map(Happens::Dialled),
        1 => (0..64usize).prop_map(Happens::DialFails),
        1 => (0..64usize).prop_map(Happens::LeaveLine),
        1 => (0..64usize).prop_map(Happens::LeaveDial),
        2 => select(vec![0.1, 0.5, 1.5, 20.0, 61.0]).prop_map(Happens::Wait),
    ]
}

fn pools() -> impl Strategy<Value = String> {
    let preset = select(presets().collect::<Vec<_>>());
    let refill = select(vec!["", "refill = \"to-min\"\n", "refill = \"always\"\n"]);
    let failure = select(vec![
        "",
        "dial_failure = \"error\"\n",
        "dial_failure = { gate = \"2s\" }\n",
        "dial_failure = { retry = { backoff = \"300ms\", cap = \"1s\", give_up = \"3s\" } }\n",
    ]);
    let dialler = select(vec![
        "",
        "dialler = \"single-opener\"\n",
        "dialler = { background = { at_once = 2, growth_at_once = 1, pause = \"100ms\" } }\n",
    ]);
    let idle = select(vec!["", "idle_timeout = \"30s\"\n", "max_idle = 2\n"]);
    let lifetime = select(vec!["50s", "none"]);
    let gap = select(vec!["", "kill_gap = \"spread\"\n", "kill_gap = { every = \"7s\" }\n"]);
    let jitter = select(vec![
        "",
        "max_lifetime_jitter = \"0s\"\n",
        "max_lifetime_jitter = \"10s\"\n",
        "jitter_scope = \"slot\"\n",
    ]);
    let sizes = (1..6u32, prop::option::of(0..6u32));
    (preset, sizes, (refill, idle, lifetime, gap), (failure, dialler, jitter)).prop_map(
        |(preset, (max, min), (refill, idle, lifetime, gap), (failure, dialler, jitter))| {
            // A floor above what may rest is refused; some libraries have one of as many as `max`.
            let rests = if idle.starts_with("max_idle") { Some(2.min(max)) } else { None };
            let min = min.map(|min| min.min(rests.unwrap_or(max))).or(rests);
            let min = min.map_or(String::new(), |min| format!("min = {min}\n"));
            format!(
                "preset = \"{preset}\"\nmax = {max}\n{min}{refill}{idle}{gap}{failure}{dialler}{jitter}\
                 max_lifetime = \"{lifetime}\"",
            )
        },
    )
}

/// A pool under chance, and the books that an onlooker keeps.
struct Onlooker {
    story: Story,
    seconds: f64,
    read: usize,
    in_line: Vec<RequestId>,
    given: BTreeMap<String, ConnectionId>,
}

impl Onlooker {
    fn happens(&mut self, what: Happens) {
        let story = &mut self.story;
        let pick = |from: Vec<ConnectionId>, n: usize| from.get(n % from.len().max(1)).copied();
        let in_use = |story: &Story| story.in_state(ClientState::InUse);
        let on = |picked: Option<ConnectionId>, story: &mut Story, act: fn(&mut Story, ConnectionId)| {
            picked.into_iter().for_each(|connection| act(story, connection));
        };
        match what {
            Happens::Acquire => {
                story.acquire();
            }
            Happens::Release(n) => on(pick(in_use(story), n), story, Story::release),
            Happens::Break(n) => on(pick(in_use(story), n), story, Story::release_broken),
            Happens::IdleBreak(n) => on(pick(story.idle(), n), story, Story::idle_breaks),
            Happens::Dialled(n) => on(pick(story.dialling(), n), story, Story::dialled),
            Happens::DialFails(n) => on(pick(story.dialling(), n), story, Story::dial_fails),
            Happens::LeaveDial(n) => {
                let asked = |dial: &ConnectionId| story.wires[*dial].client.request != Id::NONE;
                let asked = story.dialling().into_iter().filter(asked).collect();
                on(pick(asked, n), story, Story::leaves_dial);
            }
            Happens::LeaveLine(n) => {
                if let Some(request) = self.in_line.get(n % self.in_line.len().max(1)) {
                    story.leaves_line(*request);
                }
            }
            Happens::Wait(seconds) => {
                self.seconds += seconds;
                story.at(self.seconds);
            }
        }
        self.read_on();
        self.check();
    }

    /// Reads what followed into the books.
    fn read_on(&mut self) {
        for (_, action) in &self.story.log[self.read..] {
            match *action {
                Action::Queue(request) => self.in_line.push(request),
                Action::Dequeue(request) => self.in_line.retain(|waiting| *waiting != request),
                Action::Give { request, connection, .. } => {
                    let before = self.given.insert(format!("{request:?}"), connection);
                    assert_eq!(before, None, "{request:?} was given a second connection");
                }
                _ => {}
            }
        }
        self.read = self.story.log.len();
    }

    fn check(&self) {
        let (story, pool) = (&self.story, &self.story.pool);
        assert!(pool.total() <= pool.settings().max, "{} connections", pool.total());
        let states = [ClientState::Idle, ClientState::InUse, ClientState::Dialling];
        let open: usize = states.iter().map(|state| story.in_state(*state).len()).sum();
        let put_off = pool.failing.put_off();
        assert_eq!(pool.total() as usize, open + pool.opener.promised as usize + put_off.len());
        assert_eq!(pool.slots.count(), open);
        let gap = pool.settings().gap_between_kills().as_secs();
        for pair in story.closes(Close::Age).windows(2) {
            assert!(pair[1] - pair[0] >= gap - 1e-6, "closed {pair:?} for age, gap {gap} s");
        }
        assert_eq!(pool.idle.len(), story.idle().len());
        let wait_for_a_try = |request: &RequestId| put_off.contains(request);
        let in_line: Vec<RequestId> =
            self.in_line.iter().copied().filter(|request| !wait_for_a_try(request)).collect();
        assert_eq!(pool.waiters.iter().copied().collect::<Vec<_>>(), in_line);
        assert!(in_line.is_empty() || story.idle().is_empty(), "someone waits beside an idle connection");
        let all_at_work = match pool.settings().dialler {
            Dialler::Background(workers) => {
                let limits = [workers.at_once, workers.growth_at_once];
                pool.crew.dialling >= in_line.len() as u32
                    || limits.into_iter().flatten().any(|most| pool.crew.busy >= most)
            }
            // After a gate it serves the line one by one, although there is room.
            Dialler::SingleOpener => !story.dialling().is_empty() || !put_off.is_empty(),
            Dialler::Acquirer => false,
        };
        let may_dial = pool.may_dial(story.now) && !all_at_work;
        assert!(in_line.is_empty() || !may_dial, "someone waits although there is room");
    }

    /// All dials succeed and all connections come back until nothing moves.
    fn come_to_rest(&mut self) {
        for _ in 0..10_000 {
            let in_use = self.story.in_state(ClientState::InUse);
            if let Some(dial) = self.story.dialling().first() {
                self.story.dialled(*dial);
            } else if let Some(held) = in_use.first() {
                self.story.release(*held);
            } else if self.in_line.is_empty() && self.story.pool.opener.promised == 0 {
                break;
            } else {
                self.seconds += 0.1;
                self.story.at(self.seconds);
            }
            self.read_on();
            self.check();
        }
        assert_eq!(self.in_line, [], "nobody waits for ever");
        assert_eq!(self.story.pool.opener.promised, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_books_of_a_pool_are_right(pool in pools(), story in prop::collection::vec(happens(), 1..150)) {
        let story_of_pool = Story::of(&pool);
        let mut onlooker = Onlooker {
            story: story_of_pool,
            seconds: 0.0,
            read: 0,
            in_line: Vec::new(),
            given: BTreeMap::new(),
        };
        story.into_iter().for_each(|what| onlooker.happens(what));
        onlooker.come_to_rest();
    }
}
