//! Counts of bins as rates: what charts of requests per second are drawn from.
//!
//! All bins are taken to be equally long. The last of a run may be short: its counts are scaled up to those
//! of a whole bin, since a rate that drops at the end of a run would be taken for the fleet's. Tables keep
//! the counts as they are.

use crate::measure::outage::bin_length;
use crate::measure::{BIN, ClassMeasured, Measured};
use std::borrow::Cow;

/// A class whose last bin has the counts that a whole one would have.
pub fn evenly<'a>(measured: &Measured, class: &'a ClassMeasured) -> Cow<'a, ClassMeasured> {
    let Some(last) = class.bins.len().checked_sub(1) else { return Cow::Borrowed(class) };
    let factor = BIN.as_secs() / bin_length(measured, last);
    if factor <= 1.0 || !factor.is_finite() {
        return Cow::Borrowed(class);
    }
    let scale = |count: &mut u32| *count = (f64::from(*count) * factor).round() as u32;
    let mut even = class.clone();
    let bin = &mut even.bins[last];
    bin.ended.iter_mut().chain([&mut bin.arrived, &mut bin.fulfilled, &mut bin.given_up]).for_each(scale);
    even.served.iter_mut().filter_map(|served| served.bins.get_mut(last)).for_each(scale);
    Cow::Owned(even)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Span;
    use crate::report::synthetic;

    #[test]
    fn a_short_last_bin_has_the_rate_of_the_others() {
        let mut run = synthetic::run("a", 1, true);
        let class = run.measured.classes[0].clone();
        let last = class.bins.len() - 1;
        assert!(matches!(evenly(&run.measured, &class), Cow::Borrowed(_)), "whole bins stay as they are");
        run.measured.duration = BIN * last as u64 + Span::from_millis(2_500);
        let even = evenly(&run.measured, &class);
        assert_eq!(even.bins[last].arrived, 4 * class.bins[last].arrived);
        assert_eq!(even.bins[last].ended, class.bins[last].ended.map(|count| 4 * count));
        assert_eq!(even.bins[..last], class.bins[..last]);
    }
}
