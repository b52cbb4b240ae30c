//! A level and its mean over time.
//!
//! In the real world: an agent beside each container that reports its concurrency and its CPU now and then
//! (cloud-run.md §2.1). Modelled: one level for the whole service, whose mean between two readings is exact.
//! Left out: reports that are late or lost, samples at points in time.

use crate::engine::time::Time;

/// A level that is read now and then for its mean since the last reading.
#[derive(Clone, Debug, Default)]
pub struct LevelMeter {
    level: u64,
    /// Level × nanoseconds since the last reading, up to `since`.
    area: u64,
    since: Time,
    read: Time,
}

impl LevelMeter {
    /// The level rises or falls.
    pub fn change(&mut self, now: Time, by: i64) {
        self.area += self.level * (now - self.since).0;
        self.since = now;
        self.level = self.level.checked_add_signed(by).expect("nothing leaves that has not come");
    }

    /// The level at present.
    pub fn level(&self) -> u64 {
        self.level
    }

    /// The mean since the last reading; the level itself, if no time has passed.
    pub fn read(&mut self, now: Time) -> f64 {
        self.change(now, 0);
        let passed = (now - self.read).0;
        let mean = if passed == 0 { self.level as f64 } else { self.area as f64 / passed as f64 };
        (self.area, self.read) = (0, now);
        mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2 for three seconds of ten and 5 for the last one: (6 + 5) / 10; then 5 all the time.
    #[test]
    fn the_mean_is_weighted_by_time() {
        let mut meter = LevelMeter::default();
        let at = |secs: u64| Time(secs * 1_000_000_000);
        meter.change(at(1), 2);
        meter.change(at(4), -2);
        meter.change(at(9), 5);
        assert_eq!(meter.read(at(10)), 1.1);
        assert_eq!(meter.read(at(12)), 5.0);
        assert_eq!(meter.read(at(12)), 5.0, "no time has passed");
    }
}
