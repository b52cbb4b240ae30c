//! Gauges: minimum, time-weighted mean and maximum in each bin, from facts that carry changes.

use super::LevelBin;
use crate::engine::time::Time;

/// A gauge that is being watched.
#[derive(Clone, Debug)]
pub struct Gauge {
    value: f64,
    since: Time,
    /// Value times nanoseconds in this bin.
    area: f64,
    bin_from: Time,
    /// Where the second began, and the area then.
    second_from: (Time, f64),
    /// Extremes since the second began, or the bin where seconds do not count.
    min: f64,
    max: f64,
    /// Extremes of the seconds of this bin that have ended.
    earlier: (f64, f64),
    bins: Vec<LevelBin>,
}

impl Gauge {
    /// A gauge at a value.
    pub fn new(value: f64) -> Gauge {
        Gauge {
            value,
            since: Time::ZERO,
            area: 0.0,
            bin_from: Time::ZERO,
            second_from: (Time::ZERO, 0.0),
            min: value,
            max: value,
            earlier: (value, value),
            bins: vec![],
        }
    }

    /// Its value now.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// It goes up or down.
    pub fn change(&mut self, now: Time, by: f64) {
        self.set(now, self.value + by);
    }

    /// It takes a value.
    #[inline]
    pub fn set(&mut self, now: Time, value: f64) {
        // A signed number becomes a float in one instruction, an unsigned one in several.
        self.area += self.value * now.since(self.since).0 as i64 as f64;
        self.since = now;
        self.value = value;
        if value < self.min {
            self.min = value;
        }
        if value > self.max {
            self.max = value;
        }
    }

    /// A bin begins, or the first instant is over: what led up to the value was not there for any time.
    pub fn begin(&mut self) {
        (self.min, self.max, self.earlier) = (self.value, self.value, (self.value, self.value));
    }

    /// A second within a bin ends: the gauge in it. Who never asks for seconds pays nothing for them.
    pub fn close_second(&mut self, end: Time) -> LevelBin {
        self.set(end, self.value);
        let (from, area) = self.second_from;
        let second = LevelBin { min: self.min, mean: self.mean(from, area, end), max: self.max };
        self.earlier = (self.earlier.0.min(self.min), self.earlier.1.max(self.max));
        (self.second_from, self.min, self.max) = ((end, self.area), self.value, self.value);
        second
    }

    /// A bin ends.
    pub fn close_bin(&mut self, end: Time) {
        self.set(end, self.value);
        let (min, max) = (self.min.min(self.earlier.0), self.max.max(self.earlier.1));
        self.bins.push(LevelBin { min, mean: self.mean(self.bin_from, 0.0, end), max });
        (self.area, self.bin_from, self.second_from) = (0.0, end, (end, 0.0));
        self.begin();
    }

    /// The mean since an instant at which the area was so large.
    fn mean(&self, from: Time, area: f64, end: Time) -> f64 {
        let length = (end.0 - from.0) as f64;
        if length > 0.0 { (self.area - area) / length } else { self.value }
    }

    /// The bins that have ended.
    pub fn into_bins(self) -> Vec<LevelBin> {
        self.bins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_knows_its_extremes_and_its_mean_over_time() {
        let mut gauge = Gauge::new(2.0);
        gauge.change(Time(4), 3.0);
        gauge.change(Time(8), -4.0);
        gauge.close_bin(Time(10));
        gauge.close_bin(Time(20));
        let bins = gauge.into_bins();
        assert_eq!(bins[0], LevelBin { min: 1.0, mean: (8.0 + 20.0 + 2.0) / 10.0, max: 5.0 });
        assert_eq!(bins[1], LevelBin { min: 1.0, mean: 1.0, max: 1.0 }, "the value is carried over");
    }

    #[test]
    fn seconds_within_a_bin_change_nothing_about_the_bin() {
        let [mut plain, mut close] = [Gauge::new(2.0), Gauge::new(2.0)];
        let mut seconds = Vec::new();
        for step in 1..=20 {
            let by = if step % 3 == 0 { -1.5 } else { 1.0 };
            [&mut plain, &mut close].into_iter().for_each(|gauge| gauge.change(Time(step), by));
            if step % 2 == 0 {
                seconds.push(close.close_second(Time(step)));
            }
            if step % 10 == 0 {
                [&mut plain, &mut close].into_iter().for_each(|gauge| gauge.close_bin(Time(step)));
            }
        }
        assert_eq!(seconds[0], LevelBin { min: 2.0, mean: 2.5, max: 4.0 });
        assert_eq!(seconds[1], LevelBin { min: 2.5, mean: 3.25, max: 4.0 });
        assert_eq!(plain.into_bins(), close.into_bins());
    }
}
