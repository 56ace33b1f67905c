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

    /// The level that no sample may exceed, whatever is between here and the device: a filter rings. RT.
    fn ceiling(&self) -> f32 {
        f32::INFINITY
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
    /// An `f32` by its bits. Only the audio thread writes it.
    smoothed: AtomicU32,
}

/// The time over which the load is smoothed, in seconds: it comes within 63 % of a change in it.
const SMOOTHING: f64 = 1.0;

/// A block counts for no more than this: one that the system held up for long says little about the rest.
const MOST: f64 = 4.0;

impl Load {
    /// The share of the blocks' time over the last second or so: 1 is all of it.
    pub fn smoothed(&self) -> f64 {
        f64::from(f32::from_bits(self.smoothed.load(Ordering::Relaxed)))
    }

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
        let length = frames.max(1) as f64 / f64::from(rate);
        let share = seconds / length;
        let smoothed = self.smoothed();
        // A block that takes longer than it lasts fills more of the time that is looked at.
        let nearer = (length * share.clamp(1.0, MOST) / SMOOTHING).min(1.0);
        let smoothed = smoothed + (share.min(MOST) - smoothed) * nearer;
        self.smoothed.store((smoothed as f32).to_bits(), Ordering::Relaxed);
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
    #[cfg(feature = "devices")]
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
        hold(block, self.playback.ceiling());
        self.load.note(start.elapsed().as_secs_f64(), block.len() / channels.max(1), self.rate, waits);
    }

    /// Gives the playback back.
    pub(crate) fn into_inner(self) -> Box<dyn Playback> {
        self.playback
    }
}

/// Lets no sample exceed the ceiling; what is no number is silence. RT.
fn hold(block: &mut [f32], ceiling: f32) {
    for sample in block {
        *sample = if sample.is_nan() { 0.0 } else { sample.clamp(-ceiling, ceiling) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;

    struct Overshooting;

    impl Playback for Overshooting {
        fn fill(&mut self, block: &mut [f32], _: usize) {
            block.copy_from_slice(&[0.4, -0.6, f32::NAN, f32::NEG_INFINITY]);
        }

        fn ceiling(&self) -> f32 {
            0.5
        }
    }

    #[test]
    fn whatever_a_playback_gives_no_sample_exceeds_its_ceiling() {
        let mut block = [0.0; 4];
        Driven::new(Box::new(Overshooting), Arc::default(), 48_000).fill(&mut block, 2);
        assert_eq!(block, [0.4, -0.5, 0.0, -0.5]);
    }

    #[test]
    fn the_smoothed_load_follows_within_a_second_and_no_single_block_moves_it_far() {
        let load = Load::default();
        (0..100).for_each(|_| load.note(0.005, 480, 48_000, false));
        assert!((load.smoothed() - 0.5 * (1.0 - math::exp(-1.0))).abs() < 0.002, "{}", load.smoothed());
        (0..1000).for_each(|_| load.note(0.005, 480, 48_000, false));
        assert!((load.smoothed() - 0.5).abs() < 0.001);
        load.note(10.0, 480, 48_000, false);
        assert!(load.smoothed() < 0.65, "{}", load.smoothed());
        (0..200).for_each(|_| load.note(0.005, 64, 48_000, false));
        assert!(load.smoothed() > 0.8, "a quarter of a second's blocks that take a whole one are too much at once");
    }

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
