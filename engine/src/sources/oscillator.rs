//! The phase of what repeats. At a steady frequency it is a function of the transport frame; while a control moves the
//! frequency, it goes on from frame to frame, beginning where a steady one would be.

use crate::keep::keep;
use crate::parameter::{Recipe, Value};

/// Turns frames and frequencies into phase. Frames are asked for in order.
#[derive(Clone)]
pub(super) struct Oscillator {
    rate: f64,
    moves: bool,
    /// Of one that moves: where it is at the frame that comes next.
    next: Option<Moving>,
}

/// Where an oscillator is that moves.
#[derive(Clone, Copy, Default)]
struct Moving {
    frame: u64,
    phase: f64,
    /// Whether a cycle begins after the frame before and not after this one.
    begins: bool,
}

keep!(Oscillator: next);
keep!(Moving: frame, phase, begins);

impl Oscillator {
    /// `freq` is the index of the frequency among a recipe's values.
    pub(super) fn new(recipe: &Recipe, freq: usize) -> Oscillator {
        let moves = matches!(recipe.settings.get(freq), Some(Value::Control(_)));
        Oscillator { rate: recipe.rate(), moves, next: None }
    }

    /// The part of its cycle at a frame, from 0 to 1. RT.
    pub(super) fn phase(&mut self, frame: u64, freq: f64) -> f64 {
        if self.moves { self.go(frame, freq).phase } else { self.steady(frame, freq) }
    }

    /// Whether a cycle begins at a frame: after the frame before and not after this one. RT.
    pub(super) fn begins(&mut self, frame: u64, freq: f64) -> bool {
        if self.moves { self.go(frame, freq).begins } else { self.begins_steadily(frame, freq) }
    }

    /// Cycles a frame. RT.
    pub(super) fn step(&self, freq: f64) -> f64 {
        freq / self.rate
    }

    fn go(&mut self, frame: u64, freq: f64) -> Moving {
        let now = self.next.filter(|next| next.frame == frame);
        // A transport that comes from elsewhere begins anew.
        let now = now.unwrap_or_else(|| Moving {
            frame,
            phase: self.steady(frame, freq),
            begins: self.begins_steadily(frame, freq),
        });
        let after = now.phase + self.step(freq);
        let cycles = after.floor();
        self.next = Some(Moving { frame: frame.wrapping_add(1), phase: after - cycles, begins: cycles > 0.0 });
        now
    }

    /// Whole seconds and the rest are taken apart, so that hours in, the phase is as exact as at first.
    fn steady(&self, frame: u64, freq: f64) -> f64 {
        let seconds = (frame as f64 / self.rate).floor();
        let rest = frame as f64 - seconds * self.rate;
        let cycles = (seconds * freq).fract() + rest * freq / self.rate;
        cycles - cycles.floor()
    }

    fn begins_steadily(&self, frame: u64, freq: f64) -> bool {
        let due = (frame as f64 * freq / self.rate).floor();
        (due * self.rate / freq).ceil() == frame as f64
    }

    /// Forgets where it was. RT.
    pub(super) fn reset(&mut self) {
        self.next = None;
    }
}
