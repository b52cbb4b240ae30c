//! Background jobs: cron-like work on a node, on sessions of its own.
//!
//! In the real world: pg_cron, or a crontab somewhere, opens sessions at fixed times of the calendar.
//! Modelled: each run burns CPU on so many sessions at once, each of which holds a connection slot while it
//! works; one that finds none is refused (53300), and its share of the work is not done. A run begins on time
//! even if the last has not ended. What came due while the node stood still begins once when it goes on, and
//! the calendar holds again. `pg_stat_activity` lists these sessions, so `backends` counts them; they are no
//! connections of pools, so nothing that is said of herds does. Left out: the grant and the start of their
//! backends, cold caches, what they read and write, trying again after a refusal.

use super::{Node, Work};
use crate::engine::chance::Stream;
use crate::engine::dist::Dist;
use crate::engine::time::{Span, Time};
use crate::model::context::Context;
use crate::model::event::{Event, NodeEvent};
use crate::model::fact::{Fact, Recorder};

/// A job of a node.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its number for facts, in file order over all nodes.
    pub number: u16,
    /// Whether its next run begins.
    pub enabled: bool,
    /// Its first run.
    pub first: Span,
    /// Its period.
    pub every: Span,
    /// Sessions of a run.
    pub parallel: u32,
    /// CPU of each session.
    pub cpu: Dist,
    /// Its luck.
    pub luck: Stream,
    /// Sessions under way.
    pub running: u32,
}

impl Job {
    /// When its first run after `now` is due, by the calendar.
    fn due_after(&self, now: Time) -> Time {
        let first = Time::ZERO + self.first;
        first + self.every * (self.dues_before(now) + 1)
    }

    /// How many of the calendar were due before the one that is due at `now`.
    fn dues_before(&self, now: Time) -> u64 {
        now.since(Time::ZERO + self.first).0 / self.every.0
    }
}

impl Node {
    pub(super) fn schedule_jobs<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        for (place, job) in self.jobs.iter().enumerate() {
            let due = Event::Node(self.number, NodeEvent::JobDue(place as u16));
            ctx.agenda.at(Time::ZERO + job.first, due);
        }
    }

    /// Jobs are enabled or disabled, by their numbers. A run under way goes on to its end.
    pub fn enable_jobs(&mut self, enabled: impl Fn(u16) -> bool) {
        self.jobs.iter_mut().for_each(|job| job.enabled = enabled(job.number));
    }

    pub(super) fn on_job_due<R: Recorder>(&mut self, ctx: &mut Context<R>, place: u16) {
        let job = &mut self.jobs[usize::from(place)];
        ctx.agenda.at(job.due_after(ctx.now()), Event::Node(self.number, NodeEvent::JobDue(place)));
        if !self.up || !job.enabled {
            return;
        }
        // By its place in the calendar: a run left out leaves the luck of the others as it is.
        let mut draws = job.luck.at(job.dues_before(ctx.now())).draws();
        let sessions: Vec<Span> = (0..job.parallel).map(|_| job.cpu.sample(&mut draws)).collect();
        ctx.fact(Fact::JobBegan(job.number));
        for cpu in sessions {
            self.begin_session(ctx, place, cpu);
        }
        self.end_run_if_over(ctx, place);
    }

    fn begin_session<R: Recorder>(&mut self, ctx: &mut Context<R>, place: u16, cpu: Span) {
        if self.is_full() {
            return ctx.fact(Fact::ConnectRefused(self.number));
        }
        self.admission.slots += 1;
        self.jobs[usize::from(place)].running += 1;
        ctx.fact(Fact::SessionBegan(self.number));
        self.begin_work(ctx, cpu, Work::Job(place));
    }

    pub(super) fn on_session_finished<R: Recorder>(&mut self, ctx: &mut Context<R>, place: u16) {
        self.admission.slots -= 1;
        self.jobs[usize::from(place)].running -= 1;
        ctx.fact(Fact::SessionEnded(self.number));
        self.end_run_if_over(ctx, place);
    }

    fn end_run_if_over<R: Recorder>(&self, ctx: &mut Context<R>, place: u16) {
        let job = &self.jobs[usize::from(place)];
        if job.running == 0 {
            ctx.fact(Fact::JobEnded(job.number));
        }
    }

    /// A restart ends what is running. (Backends are gone by now.)
    pub(super) fn stop_jobs<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        for work in self.cpu.drain(ctx.now()) {
            ctx.fact(Fact::WorkEnded(self.number));
            match work {
                Work::Job(place) => self.on_session_finished(ctx, place),
                Work::Refusal(connection) => self.refuse(ctx, connection),
                Work::Start(_) | Work::Statement(_) => {}
            }
        }
    }
}
