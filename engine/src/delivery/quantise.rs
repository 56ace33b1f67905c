//! From f64 to integers.

use super::{Depth, Format};
use crate::dither::{Dither, Rounder};

/// Rounds samples to integers, with dither if it is wanted, and counts what it clips.
#[derive(Clone)]
pub(super) struct Quantiser {
    rounder: Rounder,
    seed: u64,
    /// The frame that is next.
    frame: u64,
    pub(super) clipped: u64,
}

impl Quantiser {
    /// # Errors
    /// A shape of dither that is not for the rate.
    pub(super) fn new(format: Format) -> Result<Quantiser, String> {
        let (dither, bits) = match format.depth {
            Depth::Int16 | Depth::Int24 => (format.dither, u32::from(format.depth.bits())),
            Depth::Float32 => (Dither::None, 24),
        };
        let rounder = Rounder::new(dither, bits, f64::from(format.rate), format.channels)?;
        Ok(Quantiser { rounder, seed: format.seed, frame: 0, clipped: 0 })
    }

    /// The same for a file in which the sound goes on.
    pub(super) fn going_on(&self) -> Quantiser {
        Quantiser { clipped: 0, ..self.clone() }
    }

    /// Appends the integers for one frame, a sample for each channel.
    pub(super) fn quantise(&mut self, frame: impl Iterator<Item = f64>, to: &mut Vec<i32>) {
        let scale = self.rounder.scale();
        for (channel, x) in frame.enumerate() {
            let wanted = self.rounder.round(x, self.seed, self.frame, channel);
            let held = wanted.clamp(-scale, scale - 1.0);
            self.clipped += u64::from(held != wanted);
            to.push(held as i32);
        }
        self.frame += 1;
    }
}
