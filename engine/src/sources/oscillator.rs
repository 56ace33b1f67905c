//! The phase of what repeats: a function of the transport frame.

/// Turns frames into phase.
#[derive(Clone, Copy)]
pub(super) struct Oscillator {
    freq: f64,
    rate: f64,
}

impl Oscillator {
    pub(super) fn new(freq: f64, rate: f64) -> Oscillator {
        Oscillator { freq, rate }
    }

    /// Cycles a frame. RT.
    pub(super) fn step(&self) -> f64 {
        self.freq / self.rate
    }

    /// The part of its cycle at a frame, from 0 to 1. Whole seconds and the rest are taken apart, so that hours in, the
    /// phase is as exact as at first. RT.
    pub(super) fn phase(&self, frame: u64) -> f64 {
        let seconds = (frame as f64 / self.rate).floor();
        let rest = frame as f64 - seconds * self.rate;
        let cycles = (seconds * self.freq).fract() + rest * self.freq / self.rate;
        cycles - cycles.floor()
    }
}
