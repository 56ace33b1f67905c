//! Noise: a hash of the note and its age, so that a note sounds the same in whatever lane it plays.
//!
//! Pink noise is white noise through poles and zeros in turn, two octaves from pole to pole: a staircase of half the slope
//! of a pole, whose steps are too small to tell (0.2 dB).

use std::f64::consts::TAU;

use super::Colour;
use crate::keep::{Keep, Ledger};
use crate::math;
use crate::random::{even, mix};

/// Poles of pink noise.
const POLES: usize = 6;

/// The lowest, in Hz.
const LOWEST: f64 = 8.0;

/// One noise in each of `L` lanes.
#[derive(Clone)]
pub(super) struct Noise<const L: usize> {
    colour: Colour,
    number: u64,
    /// For each pole, what remains of the old, and the same for the zero an octave above.
    poles: [(f64, f64); POLES],
    gain: f64,
    state: [[f64; L]; POLES],
}

impl<const L: usize> Noise<L> {
    /// Not RT.
    pub(super) fn new(colour: Colour, number: u32, rate: f64) -> Self {
        let remains = |freq: f64| math::exp(-TAU * freq / rate);
        let poles = std::array::from_fn(|i| {
            let pole = LOWEST * (1u64 << (2 * i)) as f64;
            (remains(pole), remains(2.0 * pole))
        });
        let mut noise = Noise { colour, number: u64::from(number), poles, gain: 1.0, state: [[0.0; L]; POLES] };
        noise.gain = 1.0 / math::sqrt(noise.power());
        noise
    }

    /// By how much the filter raises the power of white noise: the sum of the squares of its impulse response.
    fn power(&self) -> f64 {
        let mut state = [0.0; POLES];
        (0..1 << 17)
            .map(|i| self.poles.iter().zip(&mut state).fold(f64::from(u8::from(i == 0)), through))
            .map(|y| y * y)
            .sum()
    }

    /// Begins a note. RT.
    pub(super) fn reset(&mut self, lane: usize) {
        self.state.iter_mut().for_each(|state| state[lane] = 0.0);
    }

    /// A stretch of frames, the first of which is `age` frames on in the note of each lane. RT.
    pub(super) fn run(&mut self, out: &mut [[f64; L]], seed: &[u64; L], age: &[u64; L]) {
        let seed: [u64; L] = seed.map(|seed| mix(seed.wrapping_add(self.number)));
        for (i, out) in out.iter_mut().enumerate() {
            for lane in 0..L {
                out[lane] = 2.0 * even(seed[lane], age[lane].wrapping_add(i as u64));
            }
            if self.colour == Colour::Pink {
                for (&(pole, zero), state) in self.poles.iter().zip(&mut self.state) {
                    for lane in 0..L {
                        let next = out[lane] + pole * state[lane];
                        out[lane] = next - zero * state[lane];
                        state[lane] = next;
                    }
                }
                out.iter_mut().for_each(|x| *x *= self.gain);
            }
        }
    }
}

/// One pole and its zero.
fn through(x: f64, (&(pole, zero), state): (&(f64, f64), &mut f64)) -> f64 {
    let next = x + pole * *state;
    let y = next - zero * *state;
    *state = next;
    y
}

impl<const L: usize> Keep for Noise<L> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.state.keep(ledger);
    }
}
