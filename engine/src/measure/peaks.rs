//! True peaks: of the whole, of what was heard lately, and of each three seconds against their loudness.
//!
//! A block of 64 frames is looked at between its samples only where its [`Bound`] says that this could change a figure, and
//! in it only those eights of frames that could. Whatever is asked, no block is looked at more than twice: the second time it is
//! looked at whole and then its peak is known. That is the most work there can be; programme needs a few blocks in a hundred.

use std::ops::Range;
use std::sync::Arc;

use super::blocks::{BLOCK, Blocks};
use super::loudness::{Loudness, SHORT, gate};
use super::{Extreme, louder};
use crate::true_peak::{ABREAST, Interpolator, Most, SIDE};
use crate::wide::wide;

/// What is known of a block of one channel.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// The largest sample.
    sample: f64,
    /// The largest bend, that at the last frame of the block left out and that before its first included.
    bend: f64,
    /// Between what its peak is.
    least: f64,
    most: f64,
    looked: u8,
}

/// The true peaks of a sound so far.
#[derive(Clone, Debug)]
pub(super) struct Peaks {
    interpolator: Arc<Interpolator>,
    /// Of each channel, in the order of the ring of blocks.
    known: Vec<Vec<Known>>,
    /// The blocks that count: all, but for a part of a sound.
    counted: Range<u64>,
    /// The largest of the whole.
    pub(super) top: Option<Extreme>,
    /// Blocks that can be looked at: the next has not come, so its neighbour waits.
    ready: u64,
    /// The block from which on somebody who looks now and then has not seen.
    unseen: u64,
    /// The tenth at whose end the next three seconds are judged, and the largest sample in each of the last tenths.
    next: usize,
    samples: [f64; SHORT],
    /// The smallest power of a peak over the mean power of its three seconds.
    pub(super) ratio: Option<Extreme>,
}

impl Peaks {
    pub(super) fn new(blocks: &Blocks, channels: usize, counted: Range<u64>, next: usize) -> Peaks {
        Peaks {
            interpolator: Arc::new(Interpolator::new()),
            known: vec![vec![Known::default(); blocks.room()]; channels],
            counted,
            top: None,
            ready: 0,
            unseen: 0,
            next,
            samples: [0.0; SHORT],
            ratio: None,
        }
    }

    /// Takes what another has found of the part before.
    pub(super) fn after(&mut self, before: &Peaks) {
        self.counted.start = before.counted.start;
        self.top = louder(before.top, self.top);
        let inverted = |ratio: Option<Extreme>| ratio.map(|ratio| Extreme { value: -ratio.value, ..ratio });
        self.ratio = inverted(louder(inverted(before.ratio), inverted(self.ratio)));
    }

    /// Takes a block that has become whole, whose largest samples are these.
    pub(super) fn take(&mut self, blocks: &Blocks, block: u64, samples: &[f64]) {
        let slot = blocks.slot(block);
        for (channel, sample) in samples.iter().enumerate() {
            let before = block.checked_sub(1).map(|before| blocks.get(channel, before));
            let ends = before.map_or([0.0; 2], |before| [before[BLOCK - 2], before[BLOCK - 1]]);
            let bend = bend(ends, blocks.get(channel, block));
            self.known[channel][slot] = Known { sample: *sample, bend, ..Known::default() };
        }
        let Some(ready) = block.checked_sub(1) else { return };
        let bound = self.interpolator.bound();
        for channel in 0..samples.len() {
            let about = |block: Option<u64>| block.map_or(Known::default(), |b| self.known[channel][blocks.slot(b)]);
            let (before, here, after) = (about(ready.checked_sub(1)), about(Some(ready)), about(Some(block)));
            let bends = before.bend.max(here.bend).max(after.bend);
            let near = here.sample.max(blocks.get(channel, block)[0].abs());
            let any = before.sample.max(here.sample).max(after.sample);
            let most = bound.of(near, bends).min(bound.any * any).max(here.sample);
            let known = &mut self.known[channel][blocks.slot(ready)];
            *known = Known { least: here.sample, most, ..here };
            let top = self.top.map_or(0.0, |top| top.value);
            if most > top && self.counted.contains(&ready) {
                let at = self.look(blocks, channel, ready, top);
                if let Some(frame) = at {
                    let value = self.known[channel][blocks.slot(ready)].least;
                    self.top = Some(Extreme { value, frame });
                }
            }
        }
        self.ready = block;
    }

    /// Looks at what of a block may be above a level, or at all of it if it was looked at before. Gives the frame of the
    /// largest, if it is above.
    fn look(&mut self, blocks: &Blocks, channel: usize, block: u64, above: f64) -> Option<u64> {
        let mut sound = [0.0; 3 * BLOCK];
        let (before, rest) = sound.split_at_mut(BLOCK);
        let (here, after) = rest.split_at_mut(BLOCK);
        if let Some(earlier) = block.checked_sub(1) {
            before.copy_from_slice(blocks.get(channel, earlier));
        }
        here.copy_from_slice(blocks.get(channel, block));
        after.copy_from_slice(blocks.get(channel, block + 1));
        let known = &mut self.known[channel][blocks.slot(block)];
        let again = known.looked > 0;
        let level = if again { known.least } else { above };
        let (mut most, mut at) = (level, None);
        let interpolator = &self.interpolator;
        wide(
            #[inline(always)]
            || {
                let all = Most::of(&sound);
                for first in (BLOCK..2 * BLOCK).step_by(ABREAST) {
                    let reach = sound[first + 1 - SIDE..].first_chunk();
                    let peaks = reach.and_then(|reach| interpolator.peaks_abreast(most, all, reach));
                    for (i, peak) in peaks.into_iter().flatten().enumerate() {
                        if peak > most {
                            (most, at) = (peak, Some(block * BLOCK as u64 + (first - BLOCK + i) as u64));
                        }
                    }
                }
            },
        );
        known.looked += 1;
        known.least = if at.is_some() { most } else { known.least };
        known.most = if again { known.least } else { most };
        at
    }

    /// The largest of some blocks, as long as it is below a limit; what is beyond it is only told to be.
    fn largest(&mut self, blocks: &Blocks, stretch: Range<u64>, samples: f64, limit: f64) -> f64 {
        let mut most = samples;
        for channel in 0..self.known.len() {
            for block in stretch.clone() {
                let slot = blocks.slot(block);
                most = most.max(self.known[channel][slot].least);
                while self.known[channel][slot].most > most {
                    self.look(blocks, channel, block, most);
                    most = most.max(self.known[channel][slot].least);
                }
                if most >= limit {
                    return most;
                }
            }
        }
        most
    }

    /// The true peak of what came since this was last asked, of the newest three seconds at most.
    pub(super) fn recent(&mut self, blocks: &Blocks) -> f64 {
        let stretch = self.unseen.max(blocks.first())..self.ready;
        self.unseen = self.ready;
        self.largest(blocks, stretch, 0.0, f64::INFINITY)
    }

    /// Judges every three seconds that have become whole and can be looked at, against their loudness.
    pub(super) fn judge(&mut self, blocks: &Blocks, loudness: &Loudness) {
        while self.next <= loudness.count() && loudness.start_of_tenth(self.next) <= self.ready * BLOCK as u64 {
            let end = self.next;
            let block = |tenth: usize| loudness.start_of_tenth(tenth).div_ceil(BLOCK as u64);
            let newest = block(end - 1)..block(end);
            let samples = newest.flat_map(|block| self.known.iter().map(move |known| known[blocks.slot(block)].sample));
            self.samples[end % SHORT] = samples.fold(0.0, f64::max);
            self.next += 1;
            let mean = loudness.mean(SHORT, end).filter(|mean| *mean > gate() && loudness.counts(end));
            let Some(mean) = mean else { continue };
            // A peak from here on makes no smaller ratio than there is.
            let limit = self.ratio.map_or(f64::INFINITY, |ratio| crate::math::sqrt(ratio.value * mean));
            let sample = self.samples.iter().copied().fold(0.0, f64::max);
            if sample >= limit {
                continue;
            }
            let peak = self.largest(blocks, block(end - SHORT)..block(end), sample, limit);
            if peak < limit {
                let frame = loudness.start_of_tenth(end - SHORT);
                self.ratio = Some(Extreme { value: peak * peak / mean, frame });
            }
        }
    }
}

/// The largest bend of a block and the two frames before it.
fn bend(ends: [f64; 2], sound: &[f64]) -> f64 {
    let mut all = [0.0; 2 + BLOCK];
    all[..2].copy_from_slice(&ends);
    all[2..].copy_from_slice(sound);
    wide(
        #[inline(always)]
        || Most::of(&all).bend,
    )
}
