//! Levels: peaks of samples, sums of samples and of their products, and samples that were clipped or are none.

use super::blocks::{BLOCK, Blocks, is_sane};
use super::{Extreme, louder};
use crate::math;

/// Lanes that sums are made in, always the same.
const LANES: usize = 4;

/// Sums over frames.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    /// Of each channel: samples, and their squares.
    channels: Vec<[f64; 2]>,
    /// Of the products of the first two.
    product: f64,
    frames: u64,
}

/// The levels of a sound so far.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    /// From where on a sample counts as clipped.
    full_scale: f64,
    pub(super) all: Sums,
    /// Since somebody looked.
    pub(super) recent: Sums,
    pub(super) peak: Option<Extreme>,
    pub(super) recent_peak: f64,
    pub(super) clipped: (u64, Option<u64>),
    pub(super) broken: (u64, Option<u64>),
}

impl Levels {
    pub(super) fn new(channels: usize, full_scale: f64) -> Levels {
        let sums = Sums { channels: vec![[0.0; 2]; channels], ..Sums::default() };
        Levels {
            full_scale,
            all: sums.clone(),
            recent: sums,
            peak: None,
            recent_peak: 0.0,
            clipped: (0, None),
            broken: (0, None),
        }
    }

    /// Takes a block that has become whole, cleans it, and gives the peak of each channel; `frames` of it are sound, the
    /// rest is silence. One that does not count is only cleaned and looked at.
    pub(super) fn take(&mut self, blocks: &mut Blocks, (block, counts): (u64, bool), frames: usize, peaks: &mut [f64]) {
        for (channel, peak) in peaks.iter_mut().enumerate() {
            let (mut most, mut sums) = look(blocks.get(channel, block));
            if !is_sane(sums[1]) {
                let (broken, first) = blocks.clean(channel, block);
                if counts {
                    count(&mut self.broken, broken, first);
                }
                (most, sums) = look(blocks.get(channel, block));
            }
            *peak = most;
            if !counts {
                continue;
            }
            for all in [&mut self.all, &mut self.recent] {
                all.channels[channel][0] += sums[0];
                all.channels[channel][1] += sums[1];
            }
            self.recent_peak = self.recent_peak.max(most);
            self.look_closer(blocks.get(channel, block), block, most);
        }
        if !counts {
            return;
        }
        let product = if peaks.len() > 1 { product(blocks.get(0, block), blocks.get(1, block)) } else { 0.0 };
        for all in [&mut self.all, &mut self.recent] {
            all.product += product;
            all.frames += frames as u64;
        }
    }

    /// Takes what another has found before.
    pub(super) fn after(&mut self, before: &Levels) {
        let mut sums = before.all.clone();
        sums.add(&self.all);
        self.all = sums;
        self.peak = louder(before.peak, self.peak);
        for (counted, earlier) in [(&mut self.clipped, before.clipped), (&mut self.broken, before.broken)] {
            *counted = (earlier.0 + counted.0, earlier.1.or(counted.1));
        }
    }

    /// Finds where a new peak stands, and clipped samples.
    fn look_closer(&mut self, sound: &[f64], block: u64, most: f64) {
        let frame = |index: usize| block * BLOCK as u64 + index as u64;
        if self.peak.map_or(most > 0.0, |peak| most > peak.value) {
            let at = sound.iter().position(|x| x.abs() == most).unwrap_or(0);
            self.peak = Some(Extreme { value: most, frame: frame(at) });
        }
        if most >= self.full_scale {
            let mut clipped = sound.iter().enumerate().filter(|(_, x)| x.abs() >= self.full_scale);
            if let Some((first, _)) = clipped.next() {
                count(&mut self.clipped, 1 + clipped.count() as u64, frame(first));
            }
        }
    }
}

/// Counts more of something that was first seen at a frame.
fn count(counted: &mut (u64, Option<u64>), more: u64, frame: u64) {
    counted.0 += more;
    // Channels of one block are looked at one after the other.
    counted.1 = Some(counted.1.map_or(frame, |first| first.min(frame)));
}

impl Sums {
    /// Begins again.
    pub(super) fn clear(&mut self) {
        self.channels.fill([0.0; 2]);
        (self.product, self.frames) = (0.0, 0);
    }

    /// Adds those of another sound, as far as it has the same channels.
    pub(super) fn add(&mut self, other: &Sums) {
        for (sums, more) in self.channels.iter_mut().zip(&other.channels) {
            sums[0] += more[0];
            sums[1] += more[1];
        }
        self.product += other.product;
        self.frames += other.frames;
    }

    /// The mean of all squares; none of silence.
    pub(super) fn square(&self) -> Option<f64> {
        let squares: f64 = self.channels.iter().map(|sums| sums[1]).sum();
        (squares > 0.0).then(|| squares / (self.frames * self.channels.len() as u64) as f64)
    }

    /// The mean of the channel that is farthest off centre.
    pub(super) fn offset(&self) -> f64 {
        let means = self.channels.iter().map(|sums| sums[0] / self.frames.max(1) as f64);
        means.fold(0.0, |most, mean| if mean.abs() > f64::abs(most) { mean } else { most })
    }

    /// The correlation of the first two channels.
    pub(super) fn correlation(&self) -> Option<f64> {
        let (left, right) = (self.channels.first()?[1], self.channels.get(1)?[1]);
        let both = math::sqrt(left) * math::sqrt(right);
        (both > 0.0).then(|| (self.product / both).clamp(-1.0, 1.0))
    }
}

/// The largest sample, the sum, and the sum of squares.
fn look(sound: &[f64]) -> (f64, [f64; 2]) {
    let [mut most, mut sum, mut squares] = [[0.0; LANES]; 3];
    for frames in sound.as_chunks::<LANES>().0 {
        for lane in 0..LANES {
            let x = frames[lane];
            let size = x.abs();
            most[lane] = if size > most[lane] { size } else { most[lane] };
            sum[lane] += x;
            squares[lane] += x * x;
        }
    }
    (most.into_iter().fold(0.0, f64::max), [fold(sum), fold(squares)])
}

/// The sum of products.
fn product(left: &[f64], right: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    for (left, right) in left.as_chunks::<LANES>().0.iter().zip(right.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] += left[lane] * right[lane];
        }
    }
    fold(sums)
}

fn fold(lanes: [f64; LANES]) -> f64 {
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}
