//! Whether the settings of a pool make sense: a floor that can be kept, clocks and pauses that are some time,
//! jitter that leaves a lifetime.

use super::{Checker, NO_LIMIT};
use crate::engine::time::Span;
use crate::scenario::grammar::{
    AcquireTimeoutCovers, DialFailure, DialRetry, JitterShape, KillGap, Pool, Preset, Refill, Sweep,
};

/// The shortest lifetime: a herd is measured on the clock of a lifetime, turn by turn.
const SHORTEST_LIFETIME: Span = Span::from_millis(1);

impl Checker<'_> {
    pub(super) fn pool(&mut self, base: &str, pool: &Pool) {
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
}
