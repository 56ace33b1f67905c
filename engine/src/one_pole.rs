//! The simplest filter, and the constants that smoothing is told in.

use std::f64::consts::TAU;

use crate::keep::keep;
use crate::kernel::Glide;
use crate::math;
use crate::rest::spent;

/// The pole of a smoother that reaches 63.2 % of a step after `ms`: what remains of the old after each frame. RT.
pub fn pole(ms: f64, rate: f64) -> f64 {
    math::exp(-1000.0 / (ms.max(1e-3) * rate))
}

/// The share of the new in each frame of a low-pass of 6 dB an octave at `freq`. RT.
pub fn share(freq: f64, rate: f64) -> f64 {
    1.0 - math::exp(-TAU * freq / rate)
}

/// The shares at both ends of a stretch over which the frequency glides. RT.
pub fn shares(freq: Glide, rate: f64) -> Glide {
    let from = share(freq.from, rate);
    Glide { from, to: if freq.is_still() { from } else { share(freq.to, rate) } }
}

/// A low-pass of 6 dB an octave, whose response to an impulse is greatest at once; what it leaves out is the high-pass.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OnePole {
    y: f64,
}

keep!(OnePole: y);

impl OnePole {
    /// One frame, of which `share` is taken. RT.
    #[inline(always)]
    pub fn low(&mut self, share: f64, x: f64) -> f64 {
        self.y = spent(self.y + share * (x - self.y));
        self.y
    }

    /// One frame without its lows. RT.
    #[inline]
    pub fn high(&mut self, share: f64, x: f64) -> f64 {
        x - self.low(share, x)
    }

    /// Forgets all sound. RT.
    pub fn reset(&mut self) {
        self.y = 0.0;
    }
}

/// Goes after a value, so that what moves in straight lines turns no corners, and arrives exactly.
#[derive(Clone, Copy, Debug)]
pub struct Smoother {
    at: Option<f64>,
    share: f64,
}

keep!(Smoother: at);

/// What is nearer to where it goes than this has arrived.
const ARRIVED: f64 = 1e-9;

impl Smoother {
    /// One that has gone 63.2 % of a step after `ms`. It begins with the first value that it is given. Not RT.
    pub fn new(ms: f64, rate: f64) -> Self {
        Smoother { at: None, share: 1.0 - pole(ms, rate) }
    }

    /// One frame. RT.
    #[inline]
    pub fn step(&mut self, goal: f64) -> f64 {
        let at = self.at.unwrap_or(goal);
        let away = goal - at;
        let next = if away.abs() <= ARRIVED { goal } else { at + self.share * away };
        self.at = Some(next);
        next
    }

    /// As if new. RT.
    pub fn reset(&mut self) {
        self.at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_reaches_63_percent_after_its_time() {
        let mut smoother = OnePole::default();
        let share = 1.0 - pole(10.0, 48_000.0);
        let reached = (0..480).fold(0.0, |_, _| smoother.low(share, 1.0));
        assert!((reached - (1.0 - math::exp(-1.0))).abs() < 1e-9);
    }

    #[test]
    fn a_smoother_begins_where_it_is_told_and_arrives_exactly() {
        let mut smoother = Smoother::new(10.0, 48_000.0);
        assert_eq!(smoother.step(3.0), 3.0);
        let reached = (0..480).fold(0.0, |_, _| smoother.step(4.0));
        assert!((reached - 4.0 + math::exp(-1.0)).abs() < 1e-9);
        assert_eq!((0..12_000).fold(0.0, |_, _| smoother.step(4.0)), 4.0);
        smoother.reset();
        assert_eq!(smoother.step(1.0), 1.0);
    }

    #[test]
    fn low_and_high_add_up_to_the_input() {
        let (mut low, mut high) = (OnePole::default(), OnePole::default());
        for n in 0..100 {
            let x = math::sin(f64::from(n * n));
            assert!((low.low(0.1, x) + high.high(0.1, x) - x).abs() < 1e-15);
        }
    }
}
