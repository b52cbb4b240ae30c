//! From ten-second bins to the columns of a chart, so that no peak is lost.
//!
//! A column holds whole bins. Of gauges and percentiles it keeps the highest (and where asked the least)
//! value of any of its bins; of stacked counts the whole bin with the greatest sum; histograms are added up.
//! Nothing is averaged but means over equal times.

/// How bins make columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Bins in a column.
    pub per: usize,
    /// How many there are.
    pub count: usize,
}

/// Bins in a column: steps that make round times.
const STEPS: [usize; 14] = [1, 2, 3, 6, 12, 18, 30, 60, 90, 180, 360, 1080, 2160, 8640];

impl Columns {
    /// At most `most` columns for so many bins.
    pub fn new(bins: usize, most: usize) -> Columns {
        let fits = |step: &&usize| bins.div_ceil(**step) <= most;
        let per = STEPS.iter().find(fits).copied().unwrap_or_else(|| bins.div_ceil(most.max(1)).max(1));
        Columns { per, count: bins.div_ceil(per) }
    }

    /// One value a column, made of the values of its bins; none where there are no bins.
    pub fn each<T, U>(&self, bins: &[T], make: impl Fn(&[T]) -> Option<U>) -> Vec<Option<U>> {
        let mut columns: Vec<Option<U>> = bins.chunks(self.per).map(make).collect();
        columns.resize_with(self.count, || None);
        columns
    }

    /// The highest value in each column.
    pub fn highest<T>(&self, bins: &[T], value: impl Fn(&T) -> Option<i64>) -> Vec<Option<i64>> {
        self.each(bins, |bins| bins.iter().filter_map(&value).max())
    }

    /// The least value in each column.
    pub fn least<T>(&self, bins: &[T], value: impl Fn(&T) -> Option<i64>) -> Vec<Option<i64>> {
        self.each(bins, |bins| bins.iter().filter_map(&value).min())
    }

    /// The entry with the greatest sum in each column, the first of equals; `finer` entries make a bin.
    pub fn busiest<'a, T>(
        &self,
        entries: &'a [T],
        finer: usize,
        sum: impl Fn(&T) -> u64,
    ) -> Vec<Option<&'a T>> {
        let greatest = |entries: &'a [T]| {
            let summed = entries.iter().map(|entry| (sum(entry), entry)).rev();
            summed.max_by_key(|(sum, _)| *sum).map(|(_, entry)| entry)
        };
        let mut columns: Vec<Option<&T>> = entries.chunks(self.per * finer).map(greatest).collect();
        columns.resize(self.count, None);
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_few_and_hold_round_times() {
        let of = |bins, most| {
            let columns = Columns::new(bins, most);
            (columns.per, columns.count)
        };
        assert_eq!(of(0, 900), (1, 0));
        assert_eq!(of(1, 900), (1, 1));
        assert_eq!(of(4320, 900), (6, 720), "twelve hours: a minute each");
        assert_eq!(of(4320, 450), (12, 360));
        assert_eq!(of(100_000_000, 900).1, 900);
    }

    #[test]
    fn peaks_survive_wherever_they_stand() {
        for peak in 0..4320 {
            let bins: Vec<i64> = (0..4320).map(|n| if n == peak { 1_000 } else { 7 }).collect();
            let columns = Columns::new(bins.len(), 900);
            assert_eq!(columns.highest(&bins, |value| Some(*value)).iter().flatten().max(), Some(&1_000));
            assert_eq!(columns.least(&bins, |value| Some(-*value)).iter().flatten().min(), Some(&-1_000));
            let busiest = columns.busiest(&bins, 1, |value| *value as u64);
            assert_eq!(busiest[peak / columns.per], Some(&1_000));
        }
    }

    #[test]
    fn a_busiest_second_is_kept_whole() {
        let mut seconds = vec![[1, 0]; 200];
        seconds[137] = [3, 90];
        let columns = Columns { per: 6, count: 4 };
        let busiest = columns.busiest(&seconds, 10, |second: &[u64; 2]| second.iter().sum());
        assert_eq!(busiest, [Some(&[1, 0]), Some(&[1, 0]), Some(&[3, 90]), Some(&[1, 0])]);
    }
}
