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
    min: f64,
    max: f64,
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
            min: value,
            max: value,
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
    pub fn set(&mut self, now: Time, value: f64) {
        self.area += self.value * (now.0 - self.since.0) as f64;
        self.since = now;
        self.value = value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// A bin ends.
    pub fn close_bin(&mut self, end: Time) {
        self.set(end, self.value);
        let length = (end.0 - self.bin_from.0) as f64;
        let mean = if length > 0.0 { self.area / length } else { self.value };
        self.bins.push(LevelBin { min: self.min, mean, max: self.max });
        (self.area, self.bin_from, self.min, self.max) = (0.0, end, self.value, self.value);
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
}
