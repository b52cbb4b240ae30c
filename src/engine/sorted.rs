//! Few entries in order.
//!
//! The next one stands last, where it is taken off for nothing; a new one sinks from there to its place, past
//! all that is due before it. Good for a few hundred, since what it passes is moved.

/// Due time in nanoseconds (64 bits), then the number in order of scheduling: no two are equal.
pub type Key = u128;

/// Later than every key.
pub const NEVER: Key = Key::MAX;

/// So many are passed one by one, which a processor foresees; a search that halves it does not.
const NEAR: usize = 16;

/// Something under its key.
#[derive(Clone, Copy, Debug)]
pub struct Entry<E> {
    /// The upper half of the key.
    pub at: u64,
    /// The lower half of the key.
    pub name: u64,
    /// What is due.
    pub event: E,
}

impl<E> Entry<E> {
    /// An event under its key.
    pub fn new(key: Key, event: E) -> Self {
        Entry { at: (key >> 64) as u64, name: key as u64, event }
    }

    /// Under which it stands.
    pub fn key(&self) -> Key {
        Key::from(self.at) << 64 | Key::from(self.name)
    }
}

/// Puts an event in its place among those in order. (It becomes an entry where it is put: what has just been
/// written in parts cannot be read back as a whole without a stall.)
#[inline(always)]
pub fn put_in_order<E: Copy>(entries: &mut Vec<Entry<E>>, key: Key, event: E) {
    if entries.len() >= NEAR && entries[entries.len() - NEAR].key() < key {
        return put_far(entries, key, event);
    }
    entries.push(Entry::new(key, event));
    sink(entries, key, event);
}

/// It stands deep: it is searched for, and the rest is moved at once.
#[inline(never)]
fn put_far<E: Copy>(entries: &mut Vec<Entry<E>>, key: Key, event: E) {
    let far = &entries[..entries.len() - NEAR];
    let place = far.partition_point(|other| other.key() > key);
    entries.insert(place, Entry::new(key, event));
}

/// Puts entries in order that nearly are.
pub fn sort<E: Copy>(entries: &mut [Entry<E>]) {
    for end in 1..entries.len() {
        let entry = entries[end];
        if entries[end - 1].key() < entry.key() {
            sink(&mut entries[..=end], entry.key(), entry.event);
        }
    }
}

/// Puts an event in its place among those in order, of which the last is to be written over.
#[inline(always)]
pub fn sink<E: Copy>(mut entries: &mut [Entry<E>], key: Key, event: E) {
    while let Some((last, others)) = entries.split_last_mut() {
        match others.last() {
            Some(&other) if other.key() < key => *last = other,
            _ => {
                *last = Entry::new(key, event);
                return;
            }
        }
        entries = others;
    }
}
