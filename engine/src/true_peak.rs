//! What lies between frames: the peak of the sound that a converter will make of them.
//!
//! Eight points for each frame, each computed from 32 frames before and after it by a windowed sinc. A peak between two
//! points is at most 0.17 dB higher than they show (the bound of ITU-R BS.1770, annex 2).
//!
//! Points as far from one frame as from the next have the same weights, one's last being the other's first. Of what each weighs,
//! sums of frames that lie as far away on either side make one half and their differences the other, which both have in
//! common: one is their sum, the other their difference, and the larger of both is what their amplitudes add up to.

use std::f64::consts::PI;

use crate::keep::keep;
use crate::kernel::QUANTUM;
use crate::math;
use crate::wide::wide;

/// Points that are looked at for each frame.
const POINTS: usize = 8;

/// Frames before and after that each point between two frames is computed from.
pub const SIDE: usize = 32;

/// How steep the window is: as steep as keeps what is below 20 kHz at 48 kHz.
const BETA: f64 = 5.0;

/// Frames by which the frame that is looked at lags the newest.
pub const DELAY: usize = SIDE;

/// What weighs the frames round one point, oldest first.
type Weights = [f64; 2 * SIDE];

/// Frames that are looked at side by side.
pub const ABREAST: usize = 8;

/// The frames that as many windows reach that begin one after the other.
const REACH: usize = 2 * SIDE + ABREAST - 1;

/// How many frames before and after a point are looked at first: often that is enough to tell that it is not high.
const FIRST: usize = 8;

/// Computes the points between frames.
#[derive(Debug)]
pub struct Interpolator {
    /// From the middle of a window outwards.
    pairs: Box<[Pair]>,
    bound: Bound,
    /// What all but the first pairs can give, of the largest frame.
    rest: f64,
}

/// What weighs two frames as far away on either side.
#[derive(Debug)]
struct Pair {
    /// Their sum, for each point of the first half and the one in the middle.
    even: [f64; POINTS / 2],
    /// Their difference, for each of the first half.
    odd: [f64; POINTS / 2 - 1],
}

/// The weights of each point between two frames.
fn points() -> impl Iterator<Item = Weights> {
    (1..POINTS).map(|point| {
        let part = point as f64 / POINTS as f64;
        let mut weights = [0.0; 2 * SIDE];
        for (k, weight) in weights.iter_mut().enumerate() {
            let t = k as f64 - (SIDE as f64 - 1.0) - part;
            *weight = math::sin(PI * t) / (PI * t) * math::kaiser(t / SIDE as f64, BETA);
        }
        // Each has unit gain at 0 Hz.
        let sum: f64 = weights.iter().sum();
        weights.map(|weight| weight / sum)
    })
}

/// What the points between frames can be at most, so that they need not be computed where that is not enough.
///
/// A point is what a straight line between its neighbours has there, and a weighted sum of bends: of the second differences
/// of the frames round it. What the weights sum up to without their signs bounds it, and tightly for sound that
/// has little above a few kHz.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// Of the larger of both neighbours.
    pub line: f64,
    /// Of the largest bend of [`SIDE`] frames on either side.
    pub bend: f64,
    /// Of the largest of [`SIDE`] frames on either side: what bounds it when the bends do not.
    pub any: f64,
}

/// What rounding may add to a bound, as a part of it.
const MARGIN: f64 = 1e-9;

/// Sums over pairs for as many frames as are looked at side by side: of their sums, and of their differences.
#[derive(Default)]
struct Sums {
    even: [[f64; ABREAST]; POINTS / 2],
    odd: [[f64; ABREAST]; POINTS / 2 - 1],
}

impl Sums {
    /// Adds what some pairs weigh, of which the first is so far from the middle. RT.
    #[inline(always)]
    fn add(&mut self, pairs: &[Pair], sound: &[f64; REACH], first: usize) {
        for (away, pair) in (first..).zip(pairs) {
            let (before, after) = (&sound[SIDE - 1 - away..][..ABREAST], &sound[SIDE + away..][..ABREAST]);
            let (mut sum, mut difference) = ([0.0; ABREAST], [0.0; ABREAST]);
            for i in 0..ABREAST {
                sum[i] = before[i] + after[i];
            }
            for i in 0..ABREAST {
                difference[i] = before[i] - after[i];
            }
            for (even, weight) in self.even.iter_mut().zip(&pair.even) {
                for i in 0..ABREAST {
                    even[i] += weight * sum[i];
                }
            }
            for (odd, weight) in self.odd.iter_mut().zip(&pair.odd) {
                for i in 0..ABREAST {
                    odd[i] += weight * difference[i];
                }
            }
        }
    }

    /// The largest of each frame and its points. RT.
    #[inline(always)]
    fn peaks(&self, sound: &[f64; REACH]) -> [f64; ABREAST] {
        let [both @ .., middle] = &self.even;
        let mut most = [0.0_f64; ABREAST];
        for i in 0..ABREAST {
            most[i] = sound[SIDE - 1 + i].abs().max(middle[i].abs());
        }
        for (even, odd) in both.iter().zip(&self.odd) {
            for i in 0..ABREAST {
                most[i] = most[i].max(even[i].abs() + odd[i].abs());
            }
        }
        most
    }
}

/// The largest that there is in a sound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Most {
    /// The largest frame.
    pub frame: f64,
    /// The largest bend: the largest second difference.
    pub bend: f64,
}

impl Most {
    /// RT.
    #[inline(always)]
    pub fn of(sound: &[f64]) -> Self {
        let bend = |a: f64, b: f64, c: f64| ((a - b) - (b - c)).abs();
        let (mut frames, mut bends) = ([0.0_f64; ABREAST], [0.0_f64; ABREAST]);
        let [first, second, third] =
            [0, 1, 2].map(|from| sound.get(from..).unwrap_or_default().as_chunks::<ABREAST>().0);
        for ((a, b), c) in first.iter().zip(second).zip(third) {
            for i in 0..ABREAST {
                frames[i] = frames[i].max(a[i].abs());
            }
            for i in 0..ABREAST {
                bends[i] = bends[i].max(bend(a[i], b[i], c[i]));
            }
        }
        let rest = &sound[third.len() * ABREAST..];
        Most {
            frame: rest.iter().map(|x| x.abs()).chain(frames).fold(0.0, f64::max),
            bend: rest.windows(3).map(|w| bend(w[0], w[1], w[2])).chain(bends).fold(0.0, f64::max),
        }
    }
}

impl Bound {
    /// What points between neighbours, of which the larger is so large, can be where bends are so large at most, and what rounding
    /// may add. RT.
    #[inline(always)]
    pub fn of(&self, near: f64, bends: f64) -> f64 {
        (self.line * near + self.bend * bends) * (1.0 + MARGIN)
    }
}

impl Default for Interpolator {
    fn default() -> Self {
        Interpolator::new()
    }
}

impl Interpolator {
    /// Not RT.
    pub fn new() -> Self {
        let half: Vec<Weights> = points().take(POINTS / 2).collect();
        let pair = |k: usize| Pair {
            even: std::array::from_fn(|point| f64::midpoint(half[point][k], half[point][2 * SIDE - 1 - k])),
            odd: std::array::from_fn(|point| (half[point][k] - half[point][2 * SIDE - 1 - k]) / 2.0),
        };
        let rest = |weights: Weights| {
            let outside = weights[..SIDE - FIRST].iter().chain(&weights[SIDE + FIRST..]);
            outside.map(|weight| weight.abs()).sum()
        };
        Interpolator {
            pairs: (0..SIDE).rev().map(pair).collect(),
            bound: bound(),
            rest: points().map(rest).fold(0.0, f64::max),
        }
    }

    /// The peak, as a linear amplitude, from each of some frames until just before the next. `sound` begins [`SIDE`] - 1 frames
    /// before the first of them and ends [`SIDE`] frames behind the last. RT.
    pub fn peaks(&self, sound: &[f64], peaks: &mut [f64]) {
        self.peaks_above(0.0, sound, peaks);
    }

    /// The same of those that are above a level. Of each eight of which none can be, by their [`Bound`] or by what is nearest to
    /// them, all stay what they are. RT.
    pub fn peaks_above(&self, level: f64, sound: &[f64], peaks: &mut [f64]) {
        wide(
            #[inline(always)]
            || {
                let most = Most::of(sound);
                for (at, peaks) in peaks.chunks_mut(ABREAST).enumerate() {
                    let sound = &sound[at * ABREAST..];
                    let mut padded = [0.0; REACH];
                    let sound = sound.first_chunk().unwrap_or_else(|| {
                        padded[..sound.len()].copy_from_slice(sound);
                        &padded
                    });
                    if let Some(found) = self.peaks_abreast(level, most, sound) {
                        peaks.copy_from_slice(&found[..peaks.len()]);
                    }
                }
            },
        );
    }

    /// The peaks of [`ABREAST`] frames, or none if none of them can be above a level; `most` is of all that they are computed
    /// from, or of more. RT.
    #[inline(always)]
    pub fn peaks_abreast(&self, level: f64, most: Most, sound: &[f64; REACH]) -> Option<[f64; ABREAST]> {
        let near = sound[SIDE - 1..SIDE + ABREAST].iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        if self.bound.of(near, most.bend) < level {
            return None;
        }
        let mut sums = Sums::default();
        let (first, rest) = self.pairs.split_at(FIRST);
        sums.add(first, sound, 0);
        let peaks = sums.peaks(sound);
        let highest = peaks.iter().fold(0.0, |most: f64, peak| most.max(*peak));
        if (highest + self.rest * most.frame) * (1.0 + MARGIN) < level {
            return None;
        }
        sums.add(rest, sound, FIRST);
        Some(sums.peaks(sound))
    }

    /// What the points can be at most. RT.
    pub fn bound(&self) -> Bound {
        self.bound
    }
}

/// What the points can be at most. Not RT.
fn bound() -> Bound {
    let mut bound = Bound { line: 1.0, bend: 0.0, any: 1.0 };
    for (p, weights) in points().enumerate() {
        let part = (p + 1) as f64 / POINTS as f64;
        bound.any = weights.iter().map(|weight| weight.abs()).sum::<f64>().max(bound.any);
        let mut rest = weights;
        rest[SIDE - 1] -= 1.0 - part;
        rest[SIDE] -= part;
        // Both sums over the rest are 0 once its slope is taken off: then it is made of bends alone.
        let slope: f64 = rest.iter().enumerate().map(|(k, weight)| k as f64 * weight).sum();
        rest[SIDE - 1] += slope;
        rest[SIDE] -= slope;
        let (mut once, mut twice, mut bends) = (0.0, 0.0, 0.0);
        for weight in rest {
            once += weight;
            twice += once;
            bends += f64::abs(twice);
        }
        bound.bend = bends.max(bound.bend);
        bound.line = (1.0 + 2.0 * slope.abs()).max(bound.line);
    }
    bound
}

/// The last frames of one channel.
pub struct History {
    frames: [f64; 2 * SIDE - 1],
}

/// Frames, as many as a quantum has at most, behind those that they are looked at with.
pub type Followed = [f64; 2 * SIDE - 1 + QUANTUM];

impl Default for History {
    fn default() -> Self {
        History { frames: [0.0; 2 * SIDE - 1] }
    }
}

keep!(History: frames);

impl History {
    /// Takes frames, no more than a quantum has, and gives them behind those before them: what [`Interpolator::peaks`] looks at
    /// to find the peaks of as many frames, each [`DELAY`] frames before one that was taken. RT.
    pub fn follow(&mut self, frames: &[f64]) -> Followed {
        let mut followed = [0.0; 2 * SIDE - 1 + QUANTUM];
        let (before, after) = followed.split_at_mut(self.frames.len());
        before.copy_from_slice(&self.frames);
        after[..frames.len()].copy_from_slice(frames);
        self.frames.copy_from_slice(&followed[frames.len()..][..2 * SIDE - 1]);
        followed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::noise;
    use crate::wide::tests::plainly;

    /// The peak at each frame that has enough of them before and behind it.
    fn peaks(sound: &[f64]) -> Vec<f64> {
        let mut peaks = vec![0.0; sound.len() + 1 - 2 * SIDE];
        Interpolator::new().peaks(sound, &mut peaks);
        peaks
    }

    /// The true peak in dB of a sine of a quarter, a sixth, ... of the rate, at a phase in degrees.
    fn reading(part: f64, phase: f64) -> f64 {
        let sound: Vec<f64> = (0..960)
            .map(|i| {
                let fade = math::ease((f64::from(i.min(959 - i)) / 240.0).min(1.0));
                0.5 * fade * math::sin(2.0 * PI * f64::from(i) / part + phase.to_radians())
            })
            .collect();
        let most = peaks(&sound).into_iter().fold(0.0, f64::max);
        math::db_from_gain(most)
    }

    #[test]
    fn the_test_signals_of_ebu_tech_3341_read_right() {
        // Cases 15 to 18: -6.02 dBTP, of which 16 shows -9.03 in its frames.
        for (part, phase) in [(4.0, 0.0), (4.0, 45.0), (6.0, 60.0), (8.0, 67.5)] {
            assert!((reading(part, phase) + 6.02).abs() < 0.05, "{part}, {phase}: {}", reading(part, phase));
        }
    }

    #[test]
    fn no_point_is_beyond_its_bound() {
        let bound = bound();
        assert!(bound.line < 1.01 && bound.bend < 0.61 && bound.any < 3.0, "{bound:?}");
        for (step, seed) in (1..40).zip(1..) {
            // From white noise to noise that is held for many frames, whose bends are rare.
            let sound: Vec<f64> = noise(seed, 400).iter().flat_map(|x| vec![*x; step as usize]).take(400).collect();
            for (frames, peak) in sound.windows(2 * SIDE).zip(peaks(&sound)) {
                let most = Most::of(frames);
                let slowly = frames.windows(3).map(|w| ((w[0] - w[1]) - (w[1] - w[2])).abs()).fold(0.0, f64::max);
                let any = frames.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
                assert_eq!(most, Most { frame: any, bend: slowly });
                let near = frames[SIDE - 1].abs().max(frames[SIDE].abs());
                assert!(peak <= bound.of(near, most.bend), "{step}: {peak}");
                assert!(peak <= bound.any * any + 1e-12, "{step}: {peak}");
            }
        }
        // The signs of the widest point's own weights reach what bounds any sound.
        let worst = points().map(|weights| peaks(&weights.map(f64::signum))[0]);
        assert!((worst.fold(0.0, f64::max) - bound.any).abs() < 1e-12);
    }

    #[test]
    fn a_peak_is_the_largest_of_all_points_each_weighed_alone() {
        let sound = noise(3, 200);
        for (frames, peak) in sound.windows(2 * SIDE).zip(peaks(&sound)) {
            let point = |weights: Weights| weights.iter().zip(frames).map(|(weight, x)| weight * x).sum::<f64>().abs();
            let most = points().map(point).fold(frames[SIDE - 1].abs(), f64::max);
            assert!((peak - most).abs() < 1e-13, "{peak} for {most}");
        }
    }

    #[test]
    fn as_wide_as_the_processor_can_and_as_every_one_can_give_the_same_bits() {
        let sound = noise(7, 1000);
        assert_eq!(peaks(&sound), plainly(|| peaks(&sound)));
    }

    #[test]
    fn no_peak_above_a_level_is_left_out() {
        // A low sound with a little noise bends too little to come near the level; of noise the nearest frames tell.
        let noise = noise(5, 5000);
        let low = |(i, x): (usize, &f64)| 0.6 * math::sin(i as f64 * 0.01) + 0.05 * x;
        let low: Vec<f64> = noise.iter().enumerate().map(low).collect();
        for (sound, level) in [(low, 0.62), (noise, 1.5)] {
            let (peaks, interpolator) = (peaks(&sound), Interpolator::new());
            let mut found = vec![0.0; peaks.len() / QUANTUM * QUANTUM];
            let runs = sound.windows(2 * SIDE - 1 + QUANTUM).step_by(QUANTUM).zip(found.chunks_mut(QUANTUM));
            runs.for_each(|(sound, found)| interpolator.peaks_above(level, sound, found));
            let (mut high, mut left_out) = (0, 0);
            for (peak, found) in peaks.iter().zip(&found) {
                assert!(found == peak || (*peak <= level && *found == 0.0), "{found} for {peak}");
                high += usize::from(*peak > level);
                left_out += usize::from(*found == 0.0);
            }
            assert!(high > 10 && left_out > found.len() / 4, "above {level} are {high}, left out are {left_out}");
        }
    }

    #[test]
    fn however_many_frames_are_taken_at_a_time_each_is_looked_at_delay_frames_later() {
        let sound = noise(1, 500);
        let whole = peaks(&sound);
        for lengths in [&[QUANTUM][..], &[1], &[5, 64, 17]] {
            let (mut history, mut rest, mut found) = (History::default(), &sound[..], Vec::new());
            for length in lengths.iter().cycle() {
                let (frames, behind) = rest.split_at(rest.len().min(*length));
                let mut here = [0.0; QUANTUM];
                Interpolator::new().peaks(&history.follow(frames), &mut here[..frames.len()]);
                found.extend_from_slice(&here[..frames.len()]);
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
            // The first whole window ends with the frame 2 SIDE - 1, at which the frame DELAY before it is looked at.
            assert_eq!(found[2 * SIDE - 1..], whole, "{lengths:?}");
        }
    }
}
