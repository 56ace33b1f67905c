//! Waveforms without partials above half the rate, whatever their frequency does.
//!
//! The waveform is computed [`REACH`] frames ahead, at the frequency that there is now, and put into a ring; an edge that
//! turns up there still reaches all frames about it. So a steady tone is exact from its first frame on, and one whose
//! frequency moves follows it so many frames late (0.4 ms at 48 kHz). Only frames that have an edge cost more than adding
//! and comparing.

use std::array::from_fn;
use std::f64::consts::TAU;

use super::Wave;
use super::edges::{Edges, REACH, Taps};
use super::functions::{floor, sin_within, truth};
use crate::keep::{Keep, Ledger};
use crate::wide::wide;

/// Frames of the ring: a power of two above [`TAPS`].
const RING: usize = 64;

/// One oscillator in each of `L` lanes.
#[derive(Clone)]
pub(super) struct Oscillator<const L: usize> {
    wave: Wave,
    /// Cycles a frame in a hertz.
    step: f64,
    edges: &'static Edges,
    fresh: [bool; L],
    /// The place in the cycle, from 0 to 1, `REACH` frames ahead; what jumps or turns does at 0.
    phase: [f64; L],
    /// The same, of the second edge or corner of a cycle.
    second: [f64; L],
    /// How much of the cycle lies between the two.
    width: [f64; L],
    /// Frames to come, from `at` on.
    ring: Box<[[f64; L]; RING]>,
    at: usize,
}

impl<const L: usize> Oscillator<L> {
    /// Not RT.
    pub(super) fn new(wave: Wave, rate: f64) -> Self {
        Oscillator {
            wave,
            step: 1.0 / rate,
            edges: Edges::get(),
            fresh: [true; L],
            phase: [0.0; L],
            second: [0.0; L],
            width: [0.5; L],
            ring: Box::new([[0.0; L]; RING]),
            at: 0,
        }
    }

    /// Begins a note. RT.
    pub(super) fn reset(&mut self, lane: usize) {
        self.fresh[lane] = true;
        self.ring.iter_mut().for_each(|frame| frame[lane] = 0.0);
    }

    /// A stretch of frames. RT.
    #[inline(always)]
    pub(super) fn run(&mut self, out: &mut [[f64; L]], freq: &[[f64; L]], width: &[[f64; L]], phase: &[[f64; L]]) {
        if let (Some(freq), Some(width), Some(phase)) = (freq.first(), width.first(), phase.first()) {
            for lane in 0..L {
                if std::mem::take(&mut self.fresh[lane]) {
                    self.start(lane, freq[lane], width[lane], phase[lane]);
                }
            }
        }
        match self.wave {
            Wave::Sine => self.sine(out, freq),
            Wave::Saw => self.turn::<false>(out, freq, width, saw),
            Wave::Triangle => self.turn::<true>(out, freq, width, triangle),
            Wave::Square | Wave::Pulse => self.turn::<true>(out, freq, width, pulse),
        }
    }

    /// RT.
    #[inline(always)]
    fn sine(&mut self, out: &mut [[f64; L]], freq: &[[f64; L]]) {
        let (mut phase, step) = (self.phase, self.step);
        for (out, freq) in out.iter_mut().zip(freq) {
            *out = phase;
            for lane in 0..L {
                let next = phase[lane] + increment(freq[lane], step);
                phase[lane] = next - floor(next);
            }
        }
        self.phase = phase;
        out.as_flattened_mut().iter_mut().for_each(|x| *x = sin_within(TAU * *x));
    }

    /// What has edges or corners: one a cycle, or two. RT.
    #[inline(always)]
    fn turn<const TWO: bool>(
        &mut self,
        out: &mut [[f64; L]],
        freq: &[[f64; L]],
        width: &[[f64; L]],
        naive: impl Fn(f64, f64, f64) -> f64,
    ) {
        let (mut phase, mut second, mut broadness, step) = (self.phase, self.second, self.width, self.step);
        for ((out, freq), width) in out.iter_mut().zip(freq).zip(width) {
            let by: [f64; L] = from_fn(|lane| increment(freq[lane], step));
            let next: [f64; L] = from_fn(|lane| phase[lane] + by[lane]);
            let turns: [f64; L] = from_fn(|lane| truth(next[lane] >= 1.0) - truth(next[lane] < 0.0));
            phase = from_fn(|lane| next[lane] - turns[lane]);
            let mut any = turns.iter().fold(0, |any, turns| any | turns.to_bits());
            let (mut turns2, mut by2) = ([0.0; L], [0.0; L]);
            if TWO {
                for lane in 0..L {
                    let wide = broad(width[lane]);
                    by2[lane] = by[lane] - (wide - broadness[lane]);
                    let next = second[lane] + by2[lane];
                    turns2[lane] = floor(next);
                    second[lane] = next - turns2[lane];
                    broadness[lane] = wide;
                    any |= turns2[lane].to_bits();
                }
            }
            let ahead = &mut self.ring[(self.at + REACH) % RING];
            *ahead = from_fn(|lane| ahead[lane] + naive(phase[lane], second[lane], broadness[lane]));
            if any << 1 != 0 {
                for lane in 0..L {
                    let first = Turn { turns: turns[lane], by: by[lane], phase: phase[lane] };
                    let second = Turn { turns: turns2[lane], by: by2[lane], phase: second[lane] };
                    self.touch(lane, REACH as isize, first, second);
                }
            }
            *out = self.ring[self.at];
            self.ring[self.at] = [0.0; L];
            self.at = (self.at + 1) % RING;
        }
        (self.phase, self.second, self.width) = (phase, second, broadness);
    }

    /// Adds what belongs to the edges that were passed on the way to the frame `time` frames on. RT.
    #[inline]
    fn touch(&mut self, lane: usize, time: isize, first: Turn, second: Turn) {
        if first.turns != 0.0 {
            self.pass(lane, time, first, 1.0);
        }
        if second.turns != 0.0 {
            self.pass(lane, time, second, -1.0);
        }
    }

    /// Adds one kind of edge, once or several times. RT.
    #[inline(never)]
    fn pass(&mut self, lane: usize, time: isize, turn: Turn, sign: f64) {
        let Turn { turns, by, phase } = turn;
        let height = match self.wave {
            // Whichever way it goes round, a corner at the bottom bends up.
            Wave::Triangle => 8.0 * by.abs() * sign,
            Wave::Saw => -2.0 * turns.signum(),
            _ => 2.0 * turns.signum() * sign,
        };
        for passed in 0..turns.abs() as usize {
            let away = if turns > 0.0 { phase + passed as f64 } else { phase - 1.0 - passed as f64 };
            let late = (away / by).clamp(0.0, 1.0);
            let taps = wide(
                #[inline(always)]
                || if self.wave == Wave::Triangle { self.edges.corner(late) } else { self.edges.edge(late) },
            );
            self.add(lane, time, &taps.map(|tap| tap * height));
        }
    }

    /// RT.
    fn add(&mut self, lane: usize, time: isize, taps: &Taps) {
        // What lies before the frame that comes next is over.
        let first = time - REACH as isize;
        let over = (-first).max(0) as usize;
        for (i, x) in taps.iter().skip(over).enumerate() {
            self.ring[(self.at + first.max(0) as usize + i) % RING][lane] += x;
        }
    }

    /// Fills the ring as if it had been going on at this frequency. RT.
    fn start(&mut self, lane: usize, freq: f64, width: f64, phase: f64) {
        let begin = match self.wave {
            Wave::Saw => phase + 0.5,
            Wave::Triangle => phase + 0.25,
            Wave::Sine | Wave::Square | Wave::Pulse => phase,
        };
        if self.wave == Wave::Sine {
            self.phase[lane] = begin - floor(begin);
            return;
        }
        let by = increment(freq, self.step);
        self.width[lane] = broad(width);
        let part = |x: f64| x - floor(x);
        // From as far before the first frame as its edges reach.
        self.phase[lane] = part(begin - (REACH + 1) as f64 * by);
        self.second[lane] = part(self.phase[lane] - self.width[lane]);
        for time in -(REACH as isize)..REACH as isize {
            let step = |phase: &mut f64| {
                let next = *phase + by;
                let turns = floor(next);
                *phase = next - turns;
                Turn { turns, by, phase: *phase }
            };
            let first = step(&mut self.phase[lane]);
            let second = if self.wave == Wave::Saw { Turn::default() } else { step(&mut self.second[lane]) };
            if time >= 0 {
                let (p, q, w) = (self.phase[lane], self.second[lane], self.width[lane]);
                self.ring[(self.at + time as usize) % RING][lane] += match self.wave {
                    Wave::Saw | Wave::Sine => saw(p, q, w),
                    Wave::Triangle => triangle(p, q, w),
                    Wave::Square | Wave::Pulse => pulse(p, q, w),
                };
            }
            self.touch(lane, time, first, second);
        }
    }
}

/// The waveform before it is band-limited, at the places in the cycle of both edges; so the next two. RT.
#[inline(always)]
fn saw(p: f64, _: f64, _: f64) -> f64 {
    2.0 * p - 1.0
}

/// RT.
#[inline(always)]
fn triangle(p: f64, _: f64, _: f64) -> f64 {
    1.0 - 4.0 * (p - 0.5).abs()
}

/// The difference of two saws. RT.
#[inline(always)]
fn pulse(p: f64, q: f64, width: f64) -> f64 {
    2.0 * (q - p + width) - 1.0
}

/// How a phase went on from one frame to the next.
#[derive(Clone, Copy, Default)]
struct Turn {
    /// How many cycles began; below 0 if it goes backwards.
    turns: f64,
    /// By how many cycles it went on.
    by: f64,
    /// Where in the cycle it came to.
    phase: f64,
}

/// Cycles a frame. RT.
#[inline(always)]
fn increment(freq: f64, step: f64) -> f64 {
    let by = freq * step;
    let by = if by > 0.5 { 0.5 } else { by };
    if by < -0.5 { -0.5 } else { by }
}

/// The width of a pulse. RT.
#[inline(always)]
fn broad(width: f64) -> f64 {
    let width = if width > 0.99 { 0.99 } else { width };
    if width < 0.01 { 0.01 } else { width }
}

impl<const L: usize> Keep for Oscillator<L> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.fresh.keep(ledger);
        self.phase.keep(ledger);
        self.second.keep(ledger);
        self.width.keep(ledger);
        self.ring.as_mut_slice().keep(ledger);
        ledger.index(&mut self.at, RING);
    }
}
