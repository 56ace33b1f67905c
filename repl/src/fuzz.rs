//! Bytes that nobody has chosen, for tests of what comes from outside. The same each time.
//!
//! `GAINSTAGE_CASES=20000` tries so many cases instead of the ordinary number.

/// How many cases to try.
pub fn cases(ordinary: u64) -> u64 {
    std::env::var("GAINSTAGE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(ordinary)
}

/// Numbers of a seed: a linear congruential generator, its upper half (Knuth, 1997).
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed.
    pub fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1))
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

/// Random bytes.
pub fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    (0..count).map(|_| dice.below(256) as u8).collect()
}
