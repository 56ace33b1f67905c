//! What lies between frames: the peak of the sound that a converter will make of them.
//!
//! Eight points for each frame, each computed from 32 frames before and after it by a windowed sinc. A peak between two
//! points is at most 0.17 dB higher than they show (the bound of ITU-R BS.1770, annex 2).

use std::f64::consts::PI;

use crate::keep::{Keep, Ledger};
use crate::math;

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

/// Computes the points between frames.
#[derive(Debug)]
pub struct Interpolator {
    points: Box<[Weights]>,
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

impl Default for Interpolator {
    fn default() -> Self {
        Interpolator::new()
    }
}

impl Interpolator {
    /// Not RT.
    pub fn new() -> Self {
        // Each point has unit gain at 0 Hz.
        let point = |part: f64| {
            let mut weights = [0.0; 2 * SIDE];
            for (k, weight) in weights.iter_mut().enumerate() {
                let t = k as f64 - (SIDE as f64 - 1.0) - part;
                *weight = math::sin(PI * t) / (PI * t) * math::kaiser(t / SIDE as f64, BETA);
            }
            let sum: f64 = weights.iter().sum();
            weights.map(|weight| weight / sum)
        };
        Interpolator { points: (1..POINTS).map(|p| point(p as f64 / POINTS as f64)).collect() }
    }

    /// The peak from the frame that is looked at until just before the next, as a linear amplitude. RT.
    pub fn peak(&self, history: &History) -> f64 {
        self.peak_of(history.frames())
    }

    /// The same of twice [`SIDE`] frames, oldest first, the frame looked at being the last of the first half. RT.
    #[inline(always)]
    pub fn peak_of(&self, frames: &[f64]) -> f64 {
        let mut most = frames[SIDE - 1].abs();
        for weights in &self.points {
            // Four sums, always added in this order.
            let mut sums = [0.0; 4];
            for (weights, frames) in weights.chunks_exact(4).zip(frames.chunks_exact(4)) {
                for (sum, (weight, frame)) in sums.iter_mut().zip(weights.iter().zip(frames)) {
                    *sum += weight * frame;
                }
            }
            most = most.max(((sums[0] + sums[1]) + (sums[2] + sums[3])).abs());
        }
        most
    }

    /// What the points can be at most.
    pub fn bound(&self) -> Bound {
        let mut bound = Bound { line: 1.0, bend: 0.0, any: 1.0 };
        for (p, weights) in self.points.iter().enumerate() {
            let part = (p + 1) as f64 / POINTS as f64;
            bound.any = weights.iter().map(|weight| weight.abs()).sum::<f64>().max(bound.any);
            let mut rest = *weights;
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
}

/// The last frames of one channel.
pub struct History {
    /// Each frame twice, so that they always lie in one piece.
    ring: [f64; 4 * SIDE],
    next: usize,
}

impl Default for History {
    fn default() -> Self {
        History { ring: [0.0; 4 * SIDE], next: 0 }
    }
}

impl Keep for History {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.ring.keep(ledger);
        ledger.index(&mut self.next, 2 * SIDE);
    }
}

impl History {
    /// Takes a frame. RT.
    pub fn write(&mut self, x: f64) {
        self.ring[self.next] = x;
        self.ring[self.next + 2 * SIDE] = x;
        self.next = (self.next + 1) % (2 * SIDE);
    }

    /// The frame that is looked at: the one written [`DELAY`] frames before the newest. RT.
    pub fn frame(&self) -> f64 {
        self.frames()[SIDE - 1]
    }

    /// Oldest first. RT.
    fn frames(&self) -> &[f64] {
        &self.ring[self.next..self.next + 2 * SIDE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::noise;

    /// The true peak in dB of a sine of a quarter, a sixth, ... of the rate, at a phase in degrees.
    fn reading(part: f64, phase: f64) -> f64 {
        let (interpolator, mut history) = (Interpolator::new(), History::default());
        let mut most = 0.0_f64;
        for i in 0..960 {
            let fade = math::ease((f64::from(i.min(959 - i)) / 240.0).min(1.0));
            history.write(0.5 * fade * math::sin(2.0 * PI * f64::from(i) / part + phase.to_radians()));
            most = most.max(interpolator.peak(&history));
        }
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
        let interpolator = Interpolator::new();
        let bound = interpolator.bound();
        assert!(bound.line < 1.01 && bound.bend < 0.61 && bound.any < 3.0, "{bound:?}");
        for (step, seed) in (1..40).zip(1..) {
            // From white noise to noise that is held for many frames, whose bends are rare.
            let sound: Vec<f64> = noise(seed, 400).iter().flat_map(|x| vec![*x; step as usize]).take(400).collect();
            for frames in sound.windows(2 * SIDE) {
                let bends = frames.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs()).fold(0.0, f64::max);
                let near = frames[SIDE - 1].abs().max(frames[SIDE].abs());
                let any = frames.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
                let peak = interpolator.peak_of(frames);
                assert!(peak <= bound.line * near + bound.bend * bends + 1e-12, "{step}: {peak}");
                assert!(peak <= bound.any * any + 1e-12, "{step}: {peak}");
            }
        }
        // The signs of the widest point's own weights reach what bounds any sound.
        let worst = interpolator.points.iter().map(|weights| {
            let signs: Vec<f64> = weights.iter().map(|weight| weight.signum()).collect();
            interpolator.peak_of(&signs)
        });
        assert!((worst.fold(0.0, f64::max) - bound.any).abs() < 1e-12);
    }

    #[test]
    fn the_frame_looked_at_is_delay_frames_old() {
        let mut history = History::default();
        let sound = noise(1, 500);
        for (i, x) in sound.iter().enumerate() {
            history.write(*x);
            if i >= DELAY {
                assert_eq!(history.frame(), sound[i - DELAY]);
            }
        }
    }
}
