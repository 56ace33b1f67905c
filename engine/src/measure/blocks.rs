//! The newest three seconds of each channel, in blocks of 64 frames.

use super::loudness::SHORT;

/// Frames of a block.
pub(super) const BLOCK: usize = 64;

/// What is beyond this times full scale is no sound: its square would leave no room for any other.
const SANE: f64 = 1e30;

/// The ring of blocks.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    channels: Vec<Vec<f64>>,
    /// Blocks of each channel.
    room: usize,
    /// Frames taken, silence at the end included.
    frames: u64,
}

impl Blocks {
    /// Room for what short-term loudness is taken from, and for what lies round it. The first frame to come has this number,
    /// that of the first of a block.
    pub(super) fn new(rate: u32, channels: usize, frames: u64) -> Blocks {
        let room = (rate as usize * (SHORT + 2) / 10).div_ceil(BLOCK) + 8;
        // Each asks for room of its own: a copy would be written at once, most of it in vain where a sound is short.
        Blocks { channels: (0..channels).map(|_| vec![0.0; room * BLOCK]).collect(), room, frames }
    }

    /// How many blocks are whole.
    pub(super) fn count(&self) -> u64 {
        self.frames / BLOCK as u64
    }

    /// How many frames the block that is not whole has.
    pub(super) fn rest(&self) -> usize {
        (self.frames % BLOCK as u64) as usize
    }

    /// The first block that is still there.
    pub(super) fn first(&self) -> u64 {
        (self.count() + 2).saturating_sub(self.room as u64)
    }

    /// Takes frames, as many as make the block whole at most; gives how many.
    pub(super) fn take(&mut self, sound: &[impl AsRef<[f64]>], from: usize) -> usize {
        let at = (self.count() % self.room as u64) as usize * BLOCK + self.rest();
        let length = sound.iter().map(|channel| channel.as_ref().len()).min().unwrap_or(0);
        let count = (BLOCK - self.rest()).min(length - from);
        for (into, channel) in self.channels.iter_mut().zip(sound) {
            into[at..at + count].copy_from_slice(&channel.as_ref()[from..from + count]);
        }
        self.frames += count as u64;
        count
    }

    /// Silence until the block is whole.
    pub(super) fn fill(&mut self) {
        let at = (self.count() % self.room as u64) as usize * BLOCK;
        for channel in &mut self.channels {
            channel[at + (self.frames % BLOCK as u64) as usize..at + BLOCK].fill(0.0);
        }
        self.frames = (self.count() + 1) * BLOCK as u64;
    }

    /// The index of a block in its ring.
    pub(super) fn slot(&self, block: u64) -> usize {
        (block % self.room as u64) as usize
    }

    /// How many blocks the ring has.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// A block of a channel.
    pub(super) fn get(&self, channel: usize, block: u64) -> &[f64] {
        let at = self.slot(block) * BLOCK;
        &self.channels[channel][at..at + BLOCK]
    }

    /// Makes silence of samples of a block that are no numbers, or beyond any sound; gives how many, and the frame of the first.
    pub(super) fn clean(&mut self, channel: usize, block: u64) -> (u64, u64) {
        let at = self.slot(block) * BLOCK;
        let (mut broken, mut first) = (0, 0);
        for (i, x) in self.channels[channel][at..at + BLOCK].iter_mut().enumerate() {
            if x.is_nan() || x.abs() > SANE {
                *x = 0.0;
                first = if broken == 0 { block * BLOCK as u64 + i as u64 } else { first };
                broken += 1;
            }
        }
        (broken, first)
    }
}

/// Whether samples with this sum of squares need to be cleaned.
pub(super) fn is_sane(squares: f64) -> bool {
    squares <= SANE * SANE
}
