//! Events at any time: hierarchical timing wheels with a sorted front.
//!
//! The next few dozen events lie sorted in the *front*, where they are taken from and where a small world
//! happens altogether. Later ones lie unsorted in buckets. A bucket's level is the highest digit (eight bits)
//! in which its times differ from a base that is not later than any of them, its slot is that digit: so a
//! bucket of level n spans 256ⁿ ns, whatever the delays are. When its turn comes, a bucket goes to the front
//! if it does not hold too many, and is spread over the levels below otherwise. How many are too many is
//! learnt from the front itself: where much of what comes lands in it, it is too wide, and sinking into it
//! costs more than another level; where little does, a few hundred are taken at once. An event moves at most
//! once a level, microseconds beside hours (on which calendar queues fail) or not. Buckets are made of chunks
//! that they share, so that thousands of them need no more room than what is pending, and what is read
//! together lies together.
//!
//! Sources: Varghese and Lauck, Hashed and Hierarchical Timing Wheels (SOSP 1987); Ahuja, Mehlhorn, Orlin and
//! Tarjan, the radix heap (1990); Tang, Goh and Thng, the sorted bottom of the ladder queue (2005).

use super::sorted::{Entry, Key, NEVER, put_in_order, sort};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Bits of a digit.
const DIGIT: u32 = 8;
const SLOTS: usize = 1 << DIGIT;
const LEVELS: usize = (u64::BITS / DIGIT) as usize;
const BUCKETS: usize = LEVELS * SLOTS;
/// Buckets of at most so many together go to the front whole: at the least, and at the most.
const FEW: usize = 64;
const SOME: usize = 256;
/// When more than so many have landed in the front, or twice what it began with, and it is not small, it goes
/// back to the buckets.
const MANY: usize = 96;
/// Entries of a chunk: enough that the memory is read ahead.
const CHUNK: usize = 32;

/// Entries in no order.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// Behind the last entry; at the end of its chunk if that is full.
    end: u32,
    len: u32,
}

/// Events by key.
#[derive(Clone, Debug)]
pub struct Wheel<E> {
    /// All entries due before `horizon`, in order; perhaps some that are due at it.
    front: Vec<Entry<E>>,
    /// How many may land in it.
    room: usize,
    /// How many have since it was filled.
    landed: usize,
    /// How many together go there whole.
    some: usize,
    horizon: u64,
    /// Not later than anything here, nor than anything that can still come.
    base: u64,
    /// Entries on their way from a bucket.
    hand: Vec<Entry<E>>,
    /// A bit for each bucket that has entries.
    filled: [u64; BUCKETS / 64],
    buckets: Box<[Bucket; BUCKETS]>,
    /// Chunk by chunk.
    entries: Vec<Entry<E>>,
    /// Where the chunk ends that comes before each, in its bucket or among those that are free.
    before: Vec<u32>,
    /// Where the free chunk ends that was used last; 0 if none is.
    free: u32,
    /// Entries to be dropped when their turn comes.
    cancelled: BTreeSet<Key>,
    next_cancelled: Key,
    /// With more cancelled than this, it is worth a look whether most are.
    patience: usize,
}

impl<E> Default for Wheel<E> {
    fn default() -> Self {
        Wheel {
            front: Vec::new(),
            room: MANY,
            landed: 0,
            some: SOME,
            horizon: u64::MAX,
            base: 0,
            hand: Vec::new(),
            filled: [0; BUCKETS / 64],
            buckets: Box::new([Bucket::default(); BUCKETS]),
            entries: Vec::new(),
            before: Vec::new(),
            free: 0,
            cancelled: BTreeSet::new(),
            next_cancelled: NEVER,
            patience: MANY,
        }
    }
}

impl<E: Copy> Wheel<E> {
    /// How many events lie here, the cancelled among them. Counts them.
    pub fn pending(&self) -> usize {
        self.front.len() + self.buckets.iter().map(|bucket| bucket.len as usize).sum::<usize>()
    }

    /// Puts an event in. It is due after whatever was taken out, and not before the last limit to which
    /// nothing was.
    #[inline]
    pub fn push(&mut self, key: Key, event: E) {
        if (key >> 64) as u64 >= self.horizon {
            self.put_behind(key, event);
        } else if self.front.len() < self.front.capacity() {
            put_in_order(&mut self.front, key, event);
            self.landed += 1;
            if self.landed > self.room && self.front.len() > FEW {
                self.make_room();
            }
        } else {
            self.widen(key, event);
        }
    }

    /// Puts an event in a front that has no memory left. (Apart, so that `push` has no registers to save: the
    /// rest calls nothing but as its last act.)
    #[inline(never)]
    fn widen(&mut self, key: Key, event: E) {
        self.front.reserve(1);
        self.push(key, event);
    }

    /// The key of the next event, or an earlier one.
    #[inline]
    pub fn next(&self) -> Key {
        if let [.., next] = &self.front[..] { next.key() } else { Key::from(self.horizon) << 64 }
    }

    /// Takes the event out that [`Wheel::next`] is the key of, which is before `limit`; `None` if there is
    /// none, or it was cancelled: then `next` has become later.
    #[inline]
    pub fn take(&mut self, limit: Key) -> Option<E> {
        let Some(entry) = self.front.pop() else {
            self.advance(limit);
            return None;
        };
        if entry.key() < self.next_cancelled {
            return Some(entry.event);
        }
        self.drop_cancelled(entry);
        None
    }

    /// Cancels an event that is pending.
    #[inline(never)]
    pub fn cancel(&mut self, key: Key) {
        self.cancelled.insert(key);
        self.next_cancelled = self.next_cancelled.min(key);
        if self.cancelled.len() > self.patience {
            let pending = self.pending();
            if self.cancelled.len() > pending / 2 {
                self.bury();
            }
            self.patience = MANY.max(pending / 2);
        }
    }

    /// The front goes back to the buckets; if all of it is due at one instant, it stays, and what comes next
    /// waits there.
    #[inline(never)]
    fn make_room(&mut self) {
        if self.horizon == u64::MAX {
            // There is nothing else, and what can still come may be earlier than what was cancelled last.
            self.base = 0;
        }
        self.horizon = self.front[0].at;
        if self.front.last().is_some_and(|first| first.at < self.horizon) {
            self.horizon = self.base;
            std::mem::swap(&mut self.front, &mut self.hand);
            self.put_back();
        }
    }

    /// Puts an entry in its bucket.
    #[inline(always)]
    fn put_behind(&mut self, key: Key, event: E) {
        let at = (key >> 64) as u64;
        // Level times bits of a digit: the highest bit that differs, rounded down.
        let low = ((at ^ self.base) | 1).ilog2() & !(DIGIT - 1);
        let index = (low as usize * (SLOTS / DIGIT as usize)) | ((at >> low) as usize % SLOTS);
        let place = self.buckets[index % BUCKETS].end as usize;
        if place.is_multiple_of(CHUNK) {
            self.put_in_new_chunk(index, key, event);
        } else {
            self.put_at(place, index, key, event);
        }
    }

    #[inline(always)]
    fn put_at(&mut self, place: usize, index: usize, key: Key, event: E) {
        self.entries[place] = Entry::new(key, event);
        let bucket = &mut self.buckets[index % BUCKETS];
        bucket.end = place as u32 + 1;
        bucket.len += 1;
    }

    /// Puts an entry in a bucket that has no chunk, or a full one.
    #[inline(never)]
    fn put_in_new_chunk(&mut self, index: usize, key: Key, event: E) {
        if self.free == 0 {
            self.entries.extend([Entry::new(key, event); CHUNK]);
            self.before.push(0);
            self.free = u32::try_from(self.entries.len()).expect("fewer than four billion pending events");
        }
        let place = self.free as usize - CHUNK;
        self.free = std::mem::replace(&mut self.before[place / CHUNK], self.buckets[index].end);
        self.filled[index / 64] |= 1 << (index % 64);
        self.put_at(place, index, key, event);
    }

    /// Takes the last chunk of a bucket in hand; false if there is none.
    fn lift(&mut self, index: usize) -> bool {
        let bucket = &mut self.buckets[index];
        if bucket.len == 0 {
            self.filled[index / 64] &= !(1 << (index % 64));
            return false;
        }
        let chunk = (bucket.end as usize - 1) / CHUNK;
        let entries = &self.entries[chunk * CHUNK..bucket.end as usize];
        self.hand.extend_from_slice(entries);
        bucket.len -= entries.len() as u32;
        bucket.end = std::mem::replace(&mut self.before[chunk], self.free);
        self.free = ((chunk + 1) * CHUNK) as u32;
        true
    }

    /// Puts what is in hand in buckets.
    fn put_back(&mut self) {
        while let Some(entry) = self.hand.pop() {
            self.put_behind(entry.key(), entry.event);
        }
    }

    /// The first bucket from there on that has entries.
    fn filled_from(&self, from: usize) -> Option<usize> {
        let mut word = from / 64;
        let mut filled = self.filled.get(word)? & (u64::MAX << (from % 64));
        while filled == 0 {
            word += 1;
            filled = *self.filled.get(word)?;
        }
        Some(word * 64 + filled.trailing_zeros() as usize)
    }

    /// The front is done with: the next one is to be half as wide if more than an eighth of what it began
    /// with has landed in it, twice as wide if not half of that has.
    fn learn(&mut self) {
        let landed = 16 * std::mem::take(&mut self.landed);
        if landed > self.room {
            self.some = FEW.max(self.some / 2);
        } else if 2 * landed < self.room {
            self.some = SOME.min(self.some * 2);
        }
    }

    /// Fills the front, which is empty, with what is due next, unless that is after `limit`.
    #[inline(never)]
    fn advance(&mut self, limit: Key) {
        self.learn();
        while let Some(index) = self.filled_from(0) {
            let (start, _) = self.reach(index);
            if index < SLOTS || self.buckets[index].len as usize <= self.some {
                return self.collect(index);
            }
            self.horizon = start;
            if Key::from(start) << 64 >= limit {
                return;
            }
            self.base = start;
            while self.lift(index) {
                self.put_back();
            }
        }
        self.horizon = u64::MAX;
    }

    /// Moves buckets of a level to the front: the first one, and more while they are few together.
    fn collect(&mut self, first: usize) {
        let mut last = first;
        let next = loop {
            while self.lift(last) {}
            let next = self.filled_from(last + 1);
            match next.filter(|index| index / SLOTS == first / SLOTS) {
                Some(index) if self.hand.len() + self.buckets[index].len as usize <= self.some => {
                    last = index
                }
                _ => break next,
            }
        };
        let ((start, _), (_, end)) = (self.reach(first), self.reach(last));
        self.sort_into_front(start, end);
        self.room = MANY.max(2 * self.front.len());
        self.horizon = match next {
            Some(_) => end.saturating_add(u64::from(first >= SLOTS)),
            None => u64::MAX,
        };
    }

    /// Moves what is in hand to the front, which is empty: by a digit that tells most of it apart, then in
    /// order.
    fn sort_into_front(&mut self, start: u64, end: u64) {
        let slots = self.hand.len().next_power_of_two().min(SLOTS);
        let low = (((end - start) | 1).ilog2() + 1).saturating_sub(slots.ilog2());
        let digit = |entry: &Entry<E>| ((entry.at - start) >> low) as usize % SLOTS;
        let mut places = [0; SLOTS];
        self.hand.iter().for_each(|entry| places[digit(entry)] += 1);
        let crowded = places.iter().any(|&count| count > CHUNK);
        let mut sum = 0;
        for place in places[..slots].iter_mut().rev() {
            sum += std::mem::replace(place, sum);
        }
        self.front.resize(sum, self.hand[0]);
        for entry in self.hand.drain(..) {
            let place = &mut places[digit(&entry)];
            self.front[*place] = entry;
            *place += 1;
        }
        if crowded {
            self.front.sort_unstable_by_key(|entry| Reverse(entry.key()));
        } else {
            sort(&mut self.front);
        }
    }

    /// The first and the last instant of a bucket.
    fn reach(&self, index: usize) -> (u64, u64) {
        let low = (index / SLOTS) as u32 * DIGIT;
        let above = u64::MAX.checked_shl(low + DIGIT).unwrap_or(0);
        let start = (self.base & above) | (((index % SLOTS) as u64) << low);
        (start, start | ((1 << low) - 1))
    }

    /// Removes the cancelled, once they are the greater part.
    fn bury(&mut self) {
        let cancelled = std::mem::take(&mut self.cancelled);
        self.next_cancelled = NEVER;
        self.front.retain(|entry| !cancelled.contains(&entry.key()));
        for index in 0..BUCKETS {
            while self.lift(index) {}
            self.hand.retain(|entry| !cancelled.contains(&entry.key()));
            self.put_back();
        }
    }

    /// An entry has come up that was cancelled, or is due after one that was.
    #[inline(never)]
    fn drop_cancelled(&mut self, entry: Entry<E>) {
        self.cancelled.pop_first();
        if entry.key() != self.next_cancelled {
            self.front.push(entry);
        }
        self.next_cancelled = self.cancelled.first().copied().unwrap_or(NEVER);
    }
}
