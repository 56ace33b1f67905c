//! Random numbers without state: a hash of a seed and a counter, so that noise is a function of the frame it falls on and
//! the same on every machine.

use crate::keep::keep;
use crate::kernel::Io;

/// Sixty-four well-mixed bits of a number: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014). RT.
pub fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A number evenly spread over -0.5 (included) to 0.5 (not), for one counter of one seed. RT.
pub fn even(seed: u64, counter: u64) -> f64 {
    const STEP: f64 = 1.0 / (1u64 << 53) as f64;
    (mix(mix(seed) ^ counter) >> 11) as f64 * STEP - 0.5
}

/// The frames that noise falls on: those of the transport. While that stands they come again, and noise must not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    /// Frames of noise since the transport stands still.
    stood: u64,
}

keep!(Count: stood);

impl Count {
    /// The count for a frame of the buffers, each of which is asked for once. RT.
    pub fn next(&mut self, io: &Io<'_>, i: usize) -> u64 {
        let count = if io.rolling { io.frame(i) } else { io.transport.wrapping_add(self.stood) };
        self.stood = if io.rolling { 0 } else { self.stood + 1 };
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_numbers_have_the_moments_of_an_even_spread() {
        let count = 200_000;
        let numbers: Vec<f64> = (0..count).map(|i| even(7, i)).collect();
        let mean = numbers.iter().sum::<f64>() / count as f64;
        let power = numbers.iter().map(|x| x * x).sum::<f64>() / count as f64;
        assert!(mean.abs() < 0.002, "mean {mean}");
        assert!((power - 1.0 / 12.0).abs() < 0.0005, "power {power}");
        assert!(numbers.iter().all(|x| (-0.5..0.5).contains(x)));
    }

    #[test]
    fn neighbouring_counters_and_seeds_are_unrelated() {
        let count = 100_000;
        for (a, b) in [((1, 0), (1, 1)), ((1, 0), (2, 0))] {
            let product: f64 = (0..count).map(|i| even(a.0, i + a.1) * even(b.0, i + b.1)).sum::<f64>() / count as f64;
            assert!(product.abs() < 0.001, "{product}");
        }
    }
}
