//! Ramps: how anything that is changed gets to its new value.

use crate::keep::keep;
use crate::kernel::{Glide, QUANTUM};

/// A value on its way to a goal, evenly, in a given number of frames, and the goal that it sets out for next.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ramp {
    from: f64,
    goal: f64,
    done: u32,
    length: u32,
    next: Option<Next>,
}

/// What a ramp does when a wait is over.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Next {
    goal: f64,
    wait: u32,
    length: u32,
}

keep!(Ramp: from, goal, done, length, next);
keep!(Next: goal, wait, length);

impl Ramp {
    /// A value that stays.
    pub const fn still(value: f64) -> Self {
        Ramp { from: value, goal: value, done: 0, length: 0, next: None }
    }

    /// Where it is going in the end.
    pub fn goal(&self) -> f64 {
        self.next.map_or(self.goal, |next| next.goal)
    }

    /// Whether it has arrived, and has nowhere else to go. RT.
    pub const fn is_still(&self) -> bool {
        self.done >= self.length && self.next.is_none()
    }

    /// Where it is now. RT.
    pub fn value(&self) -> f64 {
        self.after(self.done)
    }

    /// Sets out after `wait` frames, from where it is then; it takes `length` more to arrive. Aiming where it already aims
    /// changes nothing. What was waiting gives up its goal, but not its place in time. RT.
    pub fn aim(&mut self, goal: f64, wait: u32, length: u32) {
        if goal == self.goal() {
            return;
        }
        let wait = self.next.map_or(wait, |next| next.wait.min(wait));
        self.next = Some(Next { goal, wait, length });
        self.set_out();
    }

    /// What waits sets out after `wait` frames at the latest. RT.
    pub fn hasten(&mut self, wait: u32) {
        if let Some(next) = &mut self.next {
            next.wait = next.wait.min(wait);
            self.set_out();
        }
    }

    /// The frames for which it goes on in one straight line. RT.
    pub fn straight(&self) -> usize {
        let left = if self.done < self.length { (self.length - self.done) as usize } else { usize::MAX };
        self.next.map_or(left, |next| left.min(next.wait as usize))
    }

    /// Goes on by at most [`Ramp::straight`] frames and says what way that was. RT.
    pub fn advance(&mut self, frames: usize) -> Glide {
        if self.is_still() {
            return Glide::still(self.goal);
        }
        let from = self.value();
        self.done = self.done.saturating_add(frames as u32).min(self.length);
        let to = self.value();
        if let Some(next) = &mut self.next {
            next.wait = next.wait.saturating_sub(frames as u32);
            self.set_out();
        }
        Glide { from, to }
    }

    /// Goes on by a block's frames, each of which is multiplied by where it is then; channels are interleaved. RT.
    pub fn fade(&mut self, block: &mut [f32], channels: usize) {
        if self.is_still() && self.goal == 1.0 {
            return;
        }
        for frame in block.chunks_mut(channels.max(1)) {
            let gain = self.advance(1).to as f32;
            frame.iter_mut().for_each(|sample| *sample *= gain);
        }
    }

    fn set_out(&mut self) {
        if let Some(Next { goal, wait: 0, length }) = self.next {
            *self = Ramp { from: self.value(), goal, done: 0, length, next: None };
        }
    }

    fn after(&self, done: u32) -> f64 {
        if done >= self.length {
            self.goal
        } else {
            self.from + (self.goal - self.from) * (f64::from(done) / f64::from(self.length))
        }
    }
}

/// The frames of a fade that lasts about `ms`: whole quanta, so that one which begins with a quantum ends with one.
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
        ramp.aim(0.25, 0, 960);
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
        ramp.aim(1.0, 0, 640);
        ramp.advance(320);
        ramp.aim(0.0, 0, 640);
        assert_eq!(ramp.value(), 0.5);
        ramp.aim(0.0, 0, 64);
        assert_eq!(ramp.advance(320).to, 0.25, "the goal it already has is not taken as a new one");
    }

    #[test]
    fn a_ramp_that_waits_sets_out_at_its_frame_from_where_it_is_then() {
        let mut ramp = Ramp::still(0.0);
        ramp.aim(1.0, 0, 100);
        ramp.aim(0.0, 50, 100);
        assert_eq!(ramp.straight(), 50);
        assert_eq!(ramp.advance(50), Glide { from: 0.0, to: 0.5 });
        assert_eq!(ramp.straight(), 100);
        assert_eq!(ramp.advance(50), Glide { from: 0.5, to: 0.25 });
        assert_eq!(ramp.advance(100), Glide { from: 0.25, to: 0.0 });
        assert!(ramp.is_still());
    }

    #[test]
    fn a_ramp_that_waits_can_be_made_to_set_out_sooner_and_never_later() {
        let mut ramp = Ramp::still(1.0);
        ramp.aim(0.0, 500, 100);
        ramp.hasten(900);
        assert_eq!(ramp.straight(), 500);
        ramp.hasten(50);
        assert_eq!(ramp.advance(50), Glide::still(1.0));
        assert_eq!(ramp.advance(100), Glide { from: 1.0, to: 0.0 });
        ramp.hasten(0);
        assert!(ramp.is_still());
    }

    #[test]
    fn a_block_is_faded_frame_by_frame_and_then_left_as_it_is() {
        let mut ramp = Ramp::still(0.0);
        ramp.aim(1.0, 0, 4);
        let mut block = [0.5f32; 12];
        ramp.fade(&mut block, 2);
        assert_eq!(block, [0.125, 0.125, 0.25, 0.25, 0.375, 0.375, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
        ramp.aim(0.0, 0, 1);
        ramp.fade(&mut block, 2);
        assert_eq!(block, [0.0; 12]);
    }

    #[test]
    fn goals_that_come_faster_than_they_wait_still_get_their_turn() {
        let mut ramp = Ramp::still(0.0);
        for step in 1..=20 {
            ramp.aim(f64::from(step), 100, 10);
            let mut left = 64;
            while left > 0 {
                let step = ramp.straight().min(left);
                ramp.advance(step);
                left -= step;
            }
        }
        assert!(ramp.value() > 15.0, "{}", ramp.value());
    }

    #[test]
    fn fades_last_whole_quanta() {
        assert_eq!(fade_frames(20.0, 48_000.0), 960);
        assert_eq!(fade_frames(20.0, 44_100.0), 896);
        assert_eq!(fade_frames(0.0, 44_100.0), 64);
    }
}
