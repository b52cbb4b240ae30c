//! The best queues we know for these workloads, with nothing around them: 64-bit keys, no cancellation, no
//! order among ties, sizes and delays known beforehand.

use herdsim::engine::time::Span;

/// At most `N` times, sorted: the least last. With a number each (below 256), if asked.
pub struct Few<const N: usize> {
    times: [u64; N],
    numbers: [u8; N],
    count: usize,
}

impl<const N: usize> Default for Few<N> {
    fn default() -> Self {
        Few { times: [0; N], numbers: [0; N], count: 0 }
    }
}

impl<const N: usize> Few<N> {
    #[inline]
    pub fn least(&self) -> u64 {
        if self.count == 0 { u64::MAX } else { self.times[self.count - 1] }
    }

    #[inline]
    pub fn pop(&mut self) -> u64 {
        self.count -= 1;
        self.times[self.count]
    }

    #[inline]
    pub fn push(&mut self, at: u64) {
        let mut place = self.count;
        while place > 0 && self.times[place - 1] < at {
            self.times[place] = self.times[place - 1];
            place -= 1;
        }
        self.times[place] = at;
        self.count += 1;
    }

    #[inline]
    pub fn pop_numbered(&mut self) -> usize {
        self.count -= 1;
        self.numbers[self.count].into()
    }

    #[inline]
    pub fn push_numbered(&mut self, at: u64, number: usize) {
        let mut place = self.count;
        while place > 0 && self.times[place - 1] < at {
            self.times[place] = self.times[place - 1];
            self.numbers[place] = self.numbers[place - 1];
            place -= 1;
        }
        self.times[place] = at;
        self.numbers[place] = number as u8;
        self.count += 1;
    }
}

/// A calendar queue (Brown, 1988) of a fixed year: one list a day, as many days as timers, the day as long
/// as the mean gap.
pub struct Calendar {
    days: Vec<u32>,
    next: Vec<u32>,
    at: Vec<u64>,
    /// log₂ of the length of a day.
    shift: u32,
    today: u64,
}

const END: u32 = u32::MAX;

impl Calendar {
    pub fn new(pending: u32, mean: Span) -> Calendar {
        let shift = (mean.0 / u64::from(pending)).ilog2() + 1;
        let days = ((4 * mean.0) >> shift).next_power_of_two() as usize;
        let size = pending as usize;
        Calendar { days: vec![END; days], next: vec![END; size], at: vec![0; size], shift, today: 0 }
    }

    #[inline]
    pub fn push(&mut self, at: u64, timer: u32) {
        let day = (at >> self.shift) as usize & (self.days.len() - 1);
        self.at[timer as usize] = at;
        self.next[timer as usize] = self.days[day];
        self.days[day] = timer;
    }

    #[inline]
    pub fn pop(&mut self) -> (u64, u32) {
        loop {
            let day = self.today as usize & (self.days.len() - 1);
            let (mut timer, mut before) = (self.days[day], END);
            let (mut best, mut best_before, mut least) = (END, END, (self.today + 1) << self.shift);
            while timer != END {
                let at = self.at[timer as usize];
                if at < least {
                    (best, best_before, least) = (timer, before, at);
                }
                (before, timer) = (timer, self.next[timer as usize]);
            }
            if best == END {
                self.today += 1;
                continue;
            }
            let after = self.next[best as usize];
            match best_before {
                END => self.days[day] = after,
                before => self.next[before as usize] = after,
            }
            return (least, best);
        }
    }
}
