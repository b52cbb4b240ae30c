//! Keyed, counter-based random streams: every draw has a name.
//!
//! A [`Stream`] is a 64-bit key derived from the seed by names and numbers:
//! `root.named("traffic.users").at(n)` is the luck of the n-th user, whatever else happens and in whatever
//! order. So two variants with one seed meet the same customers, and a difference between them is the
//! remedy's alone (common random numbers). [`Draws`] turns a key into a short sequence by SplitMix64 (Steele,
//! Lea and Flood, 2014; public-domain reference by Vigna), a named generator whose values are the same on
//! every platform. Streams are not for secrets.

use rand::TryRng;
use std::convert::Infallible;

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64: every input bit reaches every output bit.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A named source of luck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: u64,
}

impl Stream {
    /// The stream of everything that happens under this seed.
    pub fn root(seed: u64) -> Stream {
        Stream { key: mix(seed.wrapping_add(GOLDEN)) }
    }

    /// The part of this stream that belongs to a name (FNV-1a over its bytes, then mixed).
    pub fn named(self, name: &str) -> Stream {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        self.at(hash)
    }

    /// The part of this stream that belongs to a number.
    pub fn at(self, n: u64) -> Stream {
        Stream { key: mix(self.key ^ mix(n.wrapping_mul(GOLDEN).wrapping_add(0x5851_f42d_4c95_7f2d))) }
    }

    /// The draws of this stream, from the first.
    pub fn draws(self) -> Draws {
        Draws { state: self.key }
    }
}

/// A sequence of random numbers.
#[derive(Clone, Debug)]
pub struct Draws {
    state: u64,
}

impl Draws {
    /// Evenly from 0 to below 1, in steps of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Evenly from 0 to below `n`; 0 if `n` is 0 (Lemire's multiplication; bias below n/2⁶⁴).
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }
}

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_splitmix64() {
        // Reference values of Vigna's splitmix64.c with state 1234567.
        let mut draws = Draws { state: 1_234_567 };
        assert_eq!(draws.next(), 6_457_827_717_110_365_317);
        assert_eq!(draws.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn the_luck_of_one_does_not_depend_on_the_luck_of_another() {
        let users = Stream::root(1).named("traffic.users");
        let direct = users.at(7).draws().unit();
        for other in 0..7 {
            users.at(other).draws().unit();
        }
        assert_eq!(users.at(7).draws().unit(), direct);
        assert_ne!(Stream::root(1).named("traffic.attack").at(7), users.at(7));
        assert_ne!(Stream::root(2).named("traffic.users").at(7), users.at(7));
    }

    #[test]
    fn neighbouring_streams_are_unrelated() {
        // First draws of 20,000 neighbours: mean and serial correlation of uniform, independent numbers.
        let stream = Stream::root(42).named("a");
        let first: Vec<f64> = (0..20_000).map(|n| stream.at(n).draws().unit() - 0.5).collect();
        let mean = first.iter().sum::<f64>() / 20_000.0;
        let serial = first.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / 20_000.0 * 12.0;
        assert!(mean.abs() < 0.01, "mean {mean}");
        assert!(serial.abs() < 0.03, "serial correlation {serial}");
    }

    #[test]
    fn below_reaches_all_and_only_what_it_should() {
        let mut seen = [0u32; 7];
        let mut draws = Stream::root(3).draws();
        for _ in 0..7_000 {
            seen[draws.below(7) as usize] += 1;
        }
        assert!(seen.iter().all(|count| (850..1150).contains(count)), "{seen:?}");
        assert_eq!(draws.below(0), 0);
    }
}
