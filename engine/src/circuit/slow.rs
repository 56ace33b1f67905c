//! What is slow or small: the frame before, smoothing, holding, falling away, LFOs.

use std::f64::consts::TAU;

use super::Wave;
use super::functions::{floor, sin_within, truth};
use crate::keep::{Keep, Ledger};
use crate::math;
use crate::wide::wide;

/// One number in each of `L` lanes, and whether it has begun.
#[derive(Clone)]
pub(super) struct Cell<const L: usize> {
    x: [f64; L],
    /// Of what is held, what said when, one frame ago; of what falls away, what remains after each frame.
    other: [f64; L],
    fresh: [bool; L],
}

impl<const L: usize> Cell<L> {
    /// Not RT.
    pub(super) fn new() -> Self {
        Cell { x: [0.0; L], other: [0.0; L], fresh: [true; L] }
    }

    /// Begins a note. RT.
    pub(super) fn reset(&mut self, lane: usize) {
        (self.x[lane], self.other[lane], self.fresh[lane]) = (0.0, 0.0, true);
    }

    /// Of what falls away: begins again. RT.
    pub(super) fn again(&mut self, lane: usize) {
        self.fresh[lane] = true;
    }

    /// What it holds. RT.
    pub(super) fn held(&self) -> [f64; L] {
        self.x
    }

    /// Holds something else. RT.
    pub(super) fn hold(&mut self, x: [f64; L]) {
        self.x = x;
    }

    /// The frame before. RT.
    pub(super) fn delay1(&mut self, out: &mut [[f64; L]], of: &[[f64; L]]) {
        if let (Some((first, out)), Some((last, of))) = (out.split_first_mut(), of.split_last()) {
            *first = std::mem::replace(&mut self.x, *last);
            out.copy_from_slice(of);
        }
    }

    /// Goes after a signal, `share` of the way each frame. RT.
    pub(super) fn smooth(&mut self, out: &mut [[f64; L]], of: &[[f64; L]], share: f64) {
        for (out, of) in out.iter_mut().zip(of) {
            for lane in 0..L {
                let from = if std::mem::take(&mut self.fresh[lane]) { of[lane] } else { self.x[lane] };
                self.x[lane] = from + share * (of[lane] - from);
            }
            *out = self.x;
        }
    }

    /// Sample and hold. RT.
    pub(super) fn sample(&mut self, out: &mut [[f64; L]], of: &[[f64; L]], when: &[[f64; L]]) {
        for ((out, of), when) in out.iter_mut().zip(of).zip(when) {
            for lane in 0..L {
                let rises = when[lane] > 0.0 && self.other[lane] <= 0.0;
                if std::mem::take(&mut self.fresh[lane]) || rises {
                    self.x[lane] = of[lane];
                }
                self.other[lane] = when[lane];
            }
            *out = self.x;
        }
    }

    /// Falls from 1 by 60 dB in a time; over at -200 dB. RT.
    pub(super) fn decay(&mut self, out: &mut [[f64; L]], ms: &[[f64; L]], rate: f64) {
        let Some(first) = ms.first() else { return };
        for (lane, ms) in first.iter().enumerate() {
            if std::mem::take(&mut self.fresh[lane]) {
                self.x[lane] = 1.0;
                self.other[lane] = math::exp(-3.0 * std::f64::consts::LN_10 * 1000.0 / (ms.max(1e-3) * rate));
            }
        }
        for out in out {
            *out = self.x;
            for lane in 0..L {
                let next = self.x[lane] * self.other[lane];
                self.x[lane] = if next < 1e-10 { 0.0 } else { next };
            }
        }
    }
}

impl<const L: usize> Keep for Cell<L> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.x.keep(ledger);
        self.other.keep(ledger);
        self.fresh.keep(ledger);
    }
}

/// A slow waveform, of the cycles that have gone by. RT.
pub(super) fn lfo(wave: Wave, cycles: &mut [f64]) {
    wide(
        #[inline(always)]
        || sway(wave, cycles),
    );
}

/// RT.
#[inline(always)]
fn sway(wave: Wave, cycles: &mut [f64]) {
    let part = |x: f64| x - floor(x);
    match wave {
        Wave::Sine => each(cycles, |x| sin_within(TAU * part(x))),
        Wave::Saw => each(cycles, |x| {
            let phase = part(x);
            2.0 * (phase - truth(phase >= 0.5))
        }),
        Wave::Square | Wave::Pulse => each(cycles, |x| 2.0 * truth(part(x) < 0.5) - 1.0),
        Wave::Triangle => each(cycles, |x| {
            let shifted = part(x) + 0.25;
            1.0 - 4.0 * (0.5 - (shifted - floor(shifted))).abs()
        }),
    }
}

/// RT.
#[inline(always)]
fn each(of: &mut [f64], f: impl Fn(f64) -> f64) {
    for x in of {
        *x = f(*x);
    }
}
