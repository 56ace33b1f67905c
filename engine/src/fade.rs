//! Ramps: how anything that is changed gets to its new value.

use crate::kernel::{Glide, QUANTUM};

/// A value on its way to a goal, evenly, in a given number of frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    from: f64,
    goal: f64,
    done: u32,
    length: u32,
}

impl Ramp {
    /// A value that stays.
    pub const fn still(value: f64) -> Self {
        Ramp { from: value, goal: value, done: 0, length: 0 }
    }

    /// Where it is going.
    pub const fn goal(&self) -> f64 {
        self.goal
    }

    /// Whether it has arrived. RT.
    pub const fn is_still(&self) -> bool {
        self.done >= self.length
    }

    /// Where it is now. RT.
    pub fn value(&self) -> f64 {
        self.after(self.done)
    }

    /// Sets out from where it is; it takes `frames` to arrive. Aiming where it already aims changes nothing. RT.
    pub fn aim(&mut self, goal: f64, frames: u32) {
        if goal != self.goal {
            *self = Ramp { from: self.value(), goal, done: 0, length: frames };
        }
    }

    /// Goes on by `frames` and says what way that was. RT.
    pub fn advance(&mut self, frames: usize) -> Glide {
        if self.is_still() {
            return Glide::still(self.goal);
        }
        let from = self.value();
        self.done = self.done.saturating_add(frames as u32).min(self.length);
        Glide { from, to: self.value() }
    }

    fn after(&self, done: u32) -> f64 {
        if done >= self.length {
            self.goal
        } else {
            self.from + (self.goal - self.from) * (f64::from(done) / f64::from(self.length))
        }
    }
}

/// The frames of a fade that lasts about `ms`: whole quanta, so that a ramp ends where a stretch ends.
pub fn fade_frames(ms: f64, rate: f64) -> u32 {
    let quanta = (ms * rate / 1000.0 / QUANTUM as f64).ceil().max(1.0);
    quanta as u32 * QUANTUM as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_is_even_and_arrives_exactly() {
        let mut ramp = Ramp::still(1.0);
        ramp.aim(0.25, 960);
        let mut last = 1.0;
        for _ in 0..15 {
            let glide = ramp.advance(64);
            assert!((glide.from - last).abs() < 1e-15);
            assert!((glide.from - glide.to - 0.75 / 15.0).abs() < 1e-12);
            last = glide.to;
        }
        assert_eq!(ramp.value(), 0.25);
        assert!(ramp.is_still());
    }

    #[test]
    fn a_ramp_aimed_anew_goes_on_from_where_it_is() {
        let mut ramp = Ramp::still(0.0);
        ramp.aim(1.0, 640);
        ramp.advance(320);
        ramp.aim(0.0, 640);
        assert_eq!(ramp.value(), 0.5);
        ramp.aim(0.0, 64);
        assert_eq!(ramp.advance(320).to, 0.25, "the goal it already has is not taken as a new one");
    }

    #[test]
    fn fades_last_whole_quanta() {
        assert_eq!(fade_frames(20.0, 48_000.0), 960);
        assert_eq!(fade_frames(20.0, 44_100.0), 896);
        assert_eq!(fade_frames(0.0, 44_100.0), 64);
    }
}
