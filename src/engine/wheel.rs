//! Events at any time: hierarchical timing wheels with a sorted front.
//!
//! The next few dozen events lie sorted in the *front*, where they are taken from and where a small world
//! happens altogether. Later ones lie unsorted in buckets. A bucket's level is the highest digit (eight bits)
//! in which its times differ from a base that is not later than any of them, its slot is that digit: so a
//! bucket of level n spans 256ⁿ ns, whatever the delays are. When its turn comes, a bucket goes to the front
//! if it holds a few hundred at most, and is spread over the levels below otherwise. Nothing is tuned to the
//! load: an event moves at most once a level, microseconds beside hours (on which calendar queues fail) or
//! not.
//!
//! Sources: Varghese and Lauck, Hashed and Hierarchical Timing Wheels (SOSP 1987); Ahuja, Mehlhorn, Orlin and
//! Tarjan, the radix heap (1990); Tang, Goh and Thng, the sorted bottom of the ladder queue (2005).

use std::collections::BTreeSet;

/// Due time in nanoseconds (64 bits), then the number in order of scheduling: no two are equal.
pub type Key = u128;

/// Later than every key.
pub const NEVER: Key = Key::MAX;

/// Bits of a digit.
const DIGIT: u32 = 8;
const SLOTS: usize = 1 << DIGIT;
const LEVELS: usize = (u64::BITS / DIGIT) as usize;
const BUCKETS: usize = LEVELS * SLOTS;
/// A bucket of at most so many goes to the front whole.
const SOME: usize = 256;
/// So few are sorted one by one, and go to the front together with those of other buckets.
const FEW: usize = 16;
/// A front that has grown to more than so many, or to twice what it began with, goes back to the buckets.
const MANY: usize = 96;
/// Room is kept of buckets for at most so many, lest each of thousands keep what one once needed.
const KEPT: usize = 4096;

#[derive(Clone, Copy, Debug)]
struct Entry<E> {
    at: u64,
    /// The lower half of the key.
    name: u64,
    event: E,
}

impl<E> Entry<E> {
    fn key(&self) -> Key {
        Key::from(self.at) << 64 | Key::from(self.name)
    }
}

/// Events by key.
#[derive(Clone, Debug)]
pub struct Wheel<E> {
    /// All entries due before `horizon`, sorted from `head` on; what lies before it has been taken out.
    front: Vec<Entry<E>>,
    head: usize,
    /// What it may grow to, with what was taken out.
    room: usize,
    horizon: u64,
    /// Not later than anything here, nor than anything that can still come.
    base: u64,
    /// A bit for each bucket that has entries.
    filled: [u64; BUCKETS / 64],
    buckets: Box<[Vec<Entry<E>>; BUCKETS]>,
    /// Room for buckets that need some.
    spare: Vec<Vec<Entry<E>>>,
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
            head: 0,
            room: MANY,
            horizon: u64::MAX,
            base: 0,
            filled: [0; BUCKETS / 64],
            buckets: Box::new([const { Vec::new() }; BUCKETS]),
            spare: Vec::new(),
            cancelled: BTreeSet::new(),
            next_cancelled: NEVER,
            patience: MANY,
        }
    }
}

impl<E: Copy> Wheel<E> {
    /// How many events lie here, the cancelled among them. Counts them.
    pub fn pending(&self) -> usize {
        self.front.len() - self.head + self.buckets.iter().map(Vec::len).sum::<usize>()
    }

    /// Puts an event in. It is due after whatever was taken out, and not before the last limit to which
    /// nothing was.
    #[inline]
    pub fn push(&mut self, key: Key, event: E) {
        let (at, name) = ((key >> 64) as u64, key as u64);
        if at >= self.horizon {
            self.put_behind(at, name, event);
        } else {
            self.insert(at, name, event);
        }
    }

    /// Takes the next event out, if it is due before `limit`.
    #[inline]
    pub fn take(&mut self, limit: Key) -> Option<(Key, E)> {
        loop {
            let Some(next) = self.front.get(self.head) else {
                if self.advance(limit) {
                    continue;
                }
                return None;
            };
            let (key, event) = (next.key(), next.event);
            if key >= limit {
                return None;
            }
            if key < self.next_cancelled {
                self.head += 1;
                return Some((key, event));
            }
            self.head += usize::from(key == self.next_cancelled);
            self.cancelled.pop_first();
            self.note_next_cancelled();
        }
    }

    /// Cancels an event that is pending.
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

    /// Puts an entry in its place in the front, moving the shorter side: there is room before the head.
    #[inline(never)]
    fn insert(&mut self, at: u64, name: u64, event: E) {
        let entry = Entry { at, name, event };
        // Whatever is due at the same time was scheduled before.
        let place = self.head + self.front[self.head..].partition_point(|other| other.at <= at);
        if self.head > 0 && place - self.head <= self.front.len() - place {
            self.front.copy_within(self.head..place, self.head - 1);
            self.head -= 1;
            self.front[place - 1] = entry;
        } else {
            self.front.insert(place, entry);
            if self.front.len() > self.room {
                self.make_room();
            }
        }
    }

    /// Forgets what was taken out of the front; if it is large all the same, it goes back to the buckets.
    #[inline(never)]
    fn make_room(&mut self) {
        self.front.drain(..self.head);
        self.head = 0;
        let [Some(first), Some(last)] = [self.front.first(), self.front.last()] else { return };
        if self.front.len() > self.room / 2 && first.at < last.at {
            self.horizon = self.base;
            let front = std::mem::take(&mut self.front);
            self.spread(front);
        }
    }

    /// Puts an entry in its bucket. (Its parts come one by one, in registers: what has just been written
    /// piece by piece cannot be read back as a whole without a stall.)
    #[inline(always)]
    fn put_behind(&mut self, at: u64, name: u64, event: E) {
        // Level times bits of a digit: the highest bit that differs, rounded down.
        let low = ((at ^ self.base) | 1).ilog2() & !(DIGIT - 1);
        let index = (low as usize * (SLOTS / DIGIT as usize)) | ((at >> low) as usize % SLOTS);
        let bucket = &mut self.buckets[index % BUCKETS];
        if bucket.is_empty() {
            self.filled[index / 64 % (BUCKETS / 64)] |= 1 << (index % 64);
            if bucket.capacity() == 0
                && let Some(room) = self.spare.pop()
            {
                *bucket = room;
            }
        }
        bucket.push(Entry { at, name, event });
    }

    /// Puts all entries of a vector in their buckets, and keeps its room.
    fn spread(&mut self, mut entries: Vec<Entry<E>>) {
        for &Entry { at, name, event } in &entries {
            self.put_behind(at, name, event);
        }
        if entries.capacity() <= KEPT {
            entries.clear();
            self.spare.push(entries);
        }
    }

    /// The first bucket that has entries.
    fn first(&self) -> Option<usize> {
        let word = self.filled.iter().position(|&word| word != 0)?;
        Some(word * 64 + self.filled[word].trailing_zeros() as usize)
    }

    /// Fills the front, which is empty, with what is due next; false if nothing is before `limit`.
    #[inline(never)]
    fn advance(&mut self, limit: Key) -> bool {
        self.front.clear();
        self.head = 0;
        while let Some(index) = self.first() {
            let (start, _) = self.reach(index);
            if index < SLOTS || self.buckets[index].len() <= SOME {
                self.collect(index);
                return true;
            }
            if Key::from(start) << 64 > limit {
                return false;
            }
            let bucket = self.empty(index);
            self.base = start;
            self.spread(bucket);
        }
        // Nothing is left: what comes next may be earlier than what was cancelled last.
        (self.horizon, self.base) = (u64::MAX, 0);
        false
    }

    /// Moves buckets of a level to the front, sorted: the first one, and more while they are few together.
    fn collect(&mut self, first: usize) {
        let mut last = first;
        'words: for word in first / 64..(first / SLOTS + 1) * (SLOTS / 64) {
            while self.filled[word] != 0 {
                let index = word * 64 + self.filled[word].trailing_zeros() as usize;
                let bucket = &mut self.buckets[index];
                if self.front.is_empty() && bucket.len() > FEW {
                    put_in_front(&mut self.front, bucket, (index / SLOTS) as u32 * DIGIT);
                } else if self.front.len() + bucket.len() > FEW {
                    break 'words;
                }
                bucket.drain(..).for_each(|entry| put_in_order(&mut self.front, entry));
                self.filled[word] &= self.filled[word] - 1;
                last = index;
            }
        }
        self.room = MANY.max(2 * self.front.len());
        self.horizon = if self.first().is_none() { u64::MAX } else { self.reach(last).1.saturating_add(1) };
    }

    /// Takes all entries out of a bucket.
    fn empty(&mut self, index: usize) -> Vec<Entry<E>> {
        let bucket = std::mem::take(&mut self.buckets[index]);
        self.filled[index / 64] &= !(1 << (index % 64));
        bucket
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
        self.front.drain(..self.head);
        self.head = 0;
        self.front.retain(|entry| !cancelled.contains(&entry.key()));
        for index in 0..BUCKETS {
            if !self.buckets[index].is_empty() {
                let mut bucket = self.empty(index);
                bucket.retain(|entry| !cancelled.contains(&entry.key()));
                self.spread(bucket);
            }
        }
    }

    fn note_next_cancelled(&mut self) {
        self.next_cancelled = self.cancelled.first().copied().unwrap_or(NEVER);
    }
}

/// Moves the entries of a bucket to the front, which is empty: by the digit below its own, then in order.
fn put_in_front<E: Copy>(front: &mut Vec<Entry<E>>, bucket: &mut Vec<Entry<E>>, low: u32) {
    let digit = |entry: &Entry<E>| (entry.at >> low.saturating_sub(DIGIT)) as usize % SLOTS;
    let mut counts = [0; SLOTS];
    bucket.iter().for_each(|entry| counts[digit(entry)] += 1);
    front.append(bucket);
    if counts.iter().any(|&count| count > FEW) {
        front.sort_unstable_by_key(Entry::key);
        return;
    }
    let mut places = [0; SLOTS];
    for slot in 1..SLOTS {
        places[slot] = places[slot - 1] + counts[slot - 1];
    }
    bucket.resize(front.len(), front[0]);
    for &entry in front.iter() {
        let place = &mut places[digit(&entry)];
        bucket[*place] = entry;
        *place += 1;
    }
    front.clear();
    bucket.drain(..).for_each(|entry| put_in_order(front, entry));
}

/// Appends an entry to those that are in order, and moves it to its place.
#[inline]
fn put_in_order<E: Copy>(entries: &mut Vec<Entry<E>>, entry: Entry<E>) {
    let mut place = entries.len();
    entries.push(entry);
    while place > 0 && entries[place - 1].key() > entry.key() {
        entries[place] = entries[place - 1];
        place -= 1;
    }
    entries[place] = entry;
}
