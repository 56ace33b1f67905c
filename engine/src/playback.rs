//! What a device, real or silent, calls for sound, and how well the one called keeps up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use crate::denormals;

/// What gives a device its sound.
pub trait Playback: Send {
    /// Fills a block of whole frames, channels interleaved, full scale being 1. RT.
    fn fill(&mut self, block: &mut [f32], channels: usize);

    /// Whether the next block can be had without gaps. Only who can wait asks: the silent device does, before each
    /// block; a sound card never can. RT.
    fn ready(&mut self) -> bool {
        true
    }
}

/// What takes the sound that a device hears.
pub trait Capture: Send {
    /// Takes a block of whole frames, channels interleaved, full scale being 1. RT.
    fn take(&mut self, block: &[f32], channels: usize);

    /// What comes next does not follow on what came last. RT.
    fn begins_anew(&mut self) {}
}

/// How much of the time that a block lasts is spent on making it. Devices under-report their dropouts, so the deadline
/// is watched here.
#[derive(Debug, Default)]
pub struct Load {
    worst: AtomicU32,
    late: AtomicU64,
}

impl Load {
    /// The worst share of a block's time since last asked: 1 is all of it.
    pub fn take_worst(&self) -> f64 {
        f64::from(self.worst.swap(0, Ordering::Relaxed)) / 1000.0
    }

    /// How many blocks took longer to make than they last.
    pub fn late(&self) -> u64 {
        self.late.load(Ordering::Relaxed)
    }

    /// Notes that making `frames` frames at `rate` took `seconds`; who waits for them is never late. RT.
    fn note(&self, seconds: f64, frames: usize, rate: u32, waits: bool) {
        let share = seconds * f64::from(rate) / frames.max(1) as f64;
        self.worst.fetch_max((share * 1000.0) as u32, Ordering::Relaxed);
        if share > 1.0 && !waits {
            self.late.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A playback with what surrounds each call to it on whichever thread drives it.
pub(crate) struct Driven {
    playback: Box<dyn Playback>,
    load: Arc<Load>,
    rate: u32,
}

impl Driven {
    /// Drives `playback` at `rate` frames a second.
    pub(crate) fn new(playback: Box<dyn Playback>, load: Arc<Load>, rate: u32) -> Self {
        Driven { playback, load, rate }
    }

    /// See [`Playback::ready`]. RT.
    pub(crate) fn ready(&mut self) -> bool {
        self.playback.ready()
    }

    /// See [`Playback::fill`]. RT.
    pub(crate) fn fill(&mut self, block: &mut [f32], channels: usize) {
        self.timed(block, channels, false);
    }

    /// The same for who can wait for it. RT.
    pub(crate) fn fill_unhurried(&mut self, block: &mut [f32], channels: usize) {
        self.timed(block, channels, true);
    }

    /// RT.
    fn timed(&mut self, block: &mut [f32], channels: usize, waits: bool) {
        let start = Instant::now();
        denormals::flushed(|| self.playback.fill(block, channels));
        self.load.note(start.elapsed().as_secs_f64(), block.len() / channels.max(1), self.rate, waits);
    }

    /// Gives the playback back.
    pub(crate) fn into_inner(self) -> Box<dyn Playback> {
        self.playback
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_is_the_share_of_the_blocks_own_time() {
        let load = Load::default();
        load.note(0.005, 480, 48_000, false);
        load.note(0.002, 480, 48_000, false);
        assert_eq!((load.take_worst(), load.late()), (0.5, 0));
        assert_eq!(load.take_worst(), 0.0, "asking starts anew");
    }

    #[test]
    fn a_block_that_takes_longer_than_it_lasts_is_late() {
        let load = Load::default();
        load.note(0.011, 480, 48_000, false);
        assert_eq!(load.late(), 1);
        load.note(0.011, 480, 48_000, true);
        assert_eq!(load.late(), 1, "but not for who waits");
    }
}
