//! A tournament: the least of many keys, each of which changes now and then.
//!
//! A winner tree (Knuth, The Art of Computer Programming 3, §5.4.1): the leaves are the keys, each inner node
//! the lesser of its two children. A change costs at most one comparison a level, and fewer where it does not
//! matter.

use super::wheel::{Key, NEVER};

/// Keys by number, and the least of them.
#[derive(Clone, Debug)]
pub struct Tournament {
    /// The two that meet at each inner node: the root at 1, below `n` the nodes `2n` and `2n + 1`; those of
    /// the second half are the keys themselves.
    pairs: Vec<[Key; 2]>,
    least: Key,
}

impl Default for Tournament {
    fn default() -> Self {
        Tournament { pairs: vec![[NEVER; 2]; 2], least: NEVER }
    }
}

impl Tournament {
    /// Makes room for the key of this number, which is [`NEVER`] at first.
    pub fn reserve(&mut self, number: u16) {
        while usize::from(number) >= self.pairs.len() {
            let keys: Vec<Key> = (0..self.pairs.len() as u16).map(|number| self.get(number)).collect();
            self.pairs = vec![[NEVER; 2]; 2 * keys.len()];
            (0..).zip(keys).for_each(|(number, key)| self.set(number, key));
        }
    }

    /// A key.
    #[inline]
    pub fn get(&self, number: u16) -> Key {
        let leaf = self.pairs.len() + usize::from(number);
        self.pairs[leaf / 2][leaf % 2]
    }

    /// Changes a key.
    #[inline]
    pub fn set(&mut self, number: u16, key: Key) {
        let mut winner = key;
        let mut node = self.pairs.len() + usize::from(number);
        while node > 1 {
            let pair = &mut self.pairs[node / 2];
            pair[node % 2] = winner;
            winner = pair[0].min(pair[1]);
            node /= 2;
        }
        self.least = winner;
    }

    /// The least key.
    #[inline]
    pub fn least(&self) -> Key {
        self.least
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_least_is_the_least(changes in prop::collection::vec((0u16..9, 0u128..20), 1..60)) {
            let mut tournament = Tournament::default();
            let mut keys = [NEVER; 9];
            for (number, key) in changes {
                tournament.reserve(number);
                keys[usize::from(number)] = key;
                tournament.set(number, key);
                prop_assert_eq!(tournament.least(), *keys.iter().min().unwrap());
            }
        }
    }
}
