//! From f64 to integers.

use super::{Depth, Format};
use crate::random;

/// Rounds samples to integers, with dither if it is wanted, and counts what it clips.
pub(super) struct Quantiser {
    /// What a sample of 1.0 becomes.
    scale: f64,
    channels: u64,
    dither: Option<u64>,
    pub(super) clipped: u64,
}

impl Quantiser {
    pub(super) fn new(format: Format) -> Quantiser {
        let scale = match format.depth {
            Depth::Int16 => 32_768.0,
            Depth::Int24 | Depth::Float32 => 8_388_608.0,
        };
        let dither = format.dither.then_some(format.seed);
        Quantiser { scale, channels: format.channels as u64, dither, clipped: 0 }
    }

    /// The integer for a sample. The dither is triangular, the sum of two even spreads of one step each, so that the error's
    /// mean and power do not depend on the signal (Lipshitz, Wannamaker and Vanderkooy, 1992); it is a function of the
    /// seed, the frame and the channel.
    pub(super) fn quantise(&mut self, x: f64, frame: u64, channel: usize) -> i32 {
        let dither = self.dither.map_or(0.0, |seed| {
            let counter = 2 * (frame * self.channels + channel as u64);
            random::even(seed, counter) + random::even(seed, counter + 1)
        });
        let wanted = (x * self.scale + dither + 0.5).floor();
        let held = wanted.clamp(-self.scale, self.scale - 1.0);
        self.clipped += u64::from(held != wanted);
        held as i32
    }
}
