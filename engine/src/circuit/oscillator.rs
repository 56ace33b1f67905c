//! Waveforms without partials above half the rate, whatever their frequency does.
//!
//! The waveform is computed [`REACH`] frames ahead, at the frequency that there is now, and put into a ring; an edge that
//! turns up there still reaches all frames about it. So a steady tone is exact from its first frame on, and one whose
//! frequency moves follows it so many frames late (0.4 ms at 48 kHz). Only edges cost more than adding.

use std::f64::consts::TAU;

use super::edges::{Edges, REACH, TAPS, Taps};
use super::functions::{floor, sin_within};
use super::{Wave, frame};
use crate::keep::{Keep, Ledger};
use crate::wide::{Aligned, each};

/// Frames of the ring: a power of two.
const RING: usize = 64;

/// How many frames are gone through before their edges are drawn.
const AT_ONCE: usize = 8;

// What the edges of so many frames touch has room.
const _: () = assert!(TAPS + AT_ONCE <= RING);

/// One oscillator in each of `L` lanes.
#[derive(Clone)]
pub(super) struct Oscillator<const L: usize> {
    wave: Wave,
    /// Cycles a frame in a hertz.
    step: f64,
    edges: &'static Edges,
    fresh: [bool; L],
    /// The place in the cycle, from 0 to 1; of what has edges `REACH` frames ahead. What jumps or turns does at 0.
    phase: [f64; L],
    /// How much of the cycle lies between its first and its second edge or corner.
    width: [f64; L],
    /// Frames to come, from `at` on.
    ring: Box<Aligned<[[f64; L]; RING]>>,
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
            width: [0.5; L],
            ring: Box::new(Aligned([[0.0; L]; RING])),
            at: 0,
        }
    }

    /// Begins a note. RT.
    pub(super) fn reset(&mut self, lane: usize) {
        self.fresh[lane] = true;
        self.ring.iter_mut().for_each(|frame| frame[lane] = 0.0);
    }

    /// A stretch of frames; a frequency or a width of one frame stays as it is. RT.
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
        for (i, out) in out.iter_mut().enumerate() {
            let freq = frame(freq, i);
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
        let (step, mut count): (f64, [u64; L]) = (self.step, each(|lane| count_of(self.phase[lane])));
        // Of each frame, after that of the frame before: where it is and how wide; and by how much it goes on.
        let mut phases = [self.phase; AT_ONCE + 1];
        let mut widths = [self.width; AT_ONCE + 1];
        let (mut by, mut steps) = ([[0.0; L]; AT_ONCE], [[0; L]; AT_ONCE]);
        for (n, out) in out.chunks_mut(AT_ONCE).enumerate() {
            let first = n * AT_ONCE;
            if n == 0 || freq.len() > 1 {
                for (i, (by, steps)) in by.iter_mut().zip(&mut steps).enumerate() {
                    let freq = frame(freq, first + i);
                    *by = each(|lane| grain(increment(freq[lane], step)));
                    *steps = each(|lane| step_of(by[lane]));
                }
            }
            let (mut edges, mut found) = ([0; AT_ONCE], 0);
            for i in 0..out.len() {
                count = each(|lane| count[lane].wrapping_add(steps[i][lane]));
                let (before, phase): (_, [f64; L]) = (phases[i], each(|lane| part(count[lane])));
                let mut any = 0;
                (0..L).for_each(|lane| any |= (before[lane] + by[i][lane] - phase[lane]).to_bits());
                phases[i + 1] = phase;
                let ahead = &mut self.ring[(self.at + REACH + i) % RING];
                if TWO {
                    let (earlier, width) = (widths[i], frame(width, first + i));
                    let width = each(|lane| broad(width[lane]));
                    let from: [f64; L] = each(|lane| after(before[lane], earlier[lane]));
                    let to: [f64; L] = each(|lane| after(phase[lane], width[lane]));
                    let by: [f64; L] = each(|lane| by[i][lane] - (width[lane] - earlier[lane]));
                    (0..L).for_each(|lane| any |= (from[lane] + by[lane] - to[lane]).to_bits());
                    *ahead = each(|lane| ahead[lane] + naive(phase[lane], to[lane], width[lane]));
                    widths[i + 1] = width;
                } else {
                    *ahead = each(|lane| ahead[lane] + naive(phase[lane], 0.0, 0.0));
                }
                // Written down without a branch, which could not be foreseen.
                edges[found] = i;
                found += usize::from(any != 0);
            }
            for i in edges[..found].iter().copied() {
                let went = |lane: usize| {
                    let [before, now] = [i, i + 1].map(|i| (phases[i][lane], widths[i][lane]));
                    Went { by: by[i][lane], before, now }
                };
                // Nearly always it is one.
                let turned = |lane: usize| went(lane).first().turns != 0.0 || TWO && went(lane).second().turns != 0.0;
                let mut lanes = (0..L).fold(0u32, |lanes, lane| lanes | u32::from(turned(lane)) << lane);
                while lanes != 0 {
                    let lane = lanes.trailing_zeros() as usize % L;
                    lanes &= lanes - 1;
                    self.touch::<TWO>(lane, (REACH + i) as isize, went(lane));
                }
            }
            for out in out.iter_mut() {
                let next = &mut self.ring[self.at % RING];
                *out = *next;
                *next = [0.0; L];
                self.at = (self.at + 1) % RING;
            }
            (phases[0], widths[0]) = (phases[out.len()], widths[out.len()]);
        }
        (self.phase, self.width) = (phases[0], widths[0]);
    }

    /// Adds what belongs to the edges that were passed on the way to the frame `time` frames on. RT.
    #[inline(always)]
    fn touch<const TWO: bool>(&mut self, lane: usize, time: isize, went: Went) {
        let both = [(went.first(), 1.0), if TWO { (went.second(), -1.0) } else { (Turn::default(), 0.0) }];
        for (Turn { turns, by, phase }, sign) in both.into_iter().take(if TWO { 2 } else { 1 }) {
            let height = match self.wave {
                // Whichever way it goes round, a corner at the bottom bends up.
                Wave::Triangle => 8.0 * by.abs() * sign,
                Wave::Saw => -2.0 * turns.signum(),
                _ => 2.0 * turns.signum() * sign,
            };
            for passed in 0..turns.abs() as usize {
                let away = if turns > 0.0 { phase + passed as f64 } else { phase - 1.0 - passed as f64 };
                let late = (away / by).clamp(0.0, 1.0);
                let edges = self.edges;
                let taps = if self.wave == Wave::Triangle { edges.corner(late) } else { edges.edge(late) };
                self.add(lane, time, &each(|tap| taps[tap] * height));
            }
        }
    }

    /// Not drawn into what is wide: one lane of many frames is best gone through one by one. RT.
    #[inline(never)]
    fn add(&mut self, lane: usize, time: isize, taps: &Taps) {
        // What lies before the frame that comes next is over.
        let first = time - REACH as isize;
        let taps = &taps[(-first).max(0) as usize..];
        let (begin, end) = self.ring.split_at_mut((self.at + first.max(0) as usize) % RING);
        let (soon, late) = taps.split_at(taps.len().min(end.len()));
        end.iter_mut().zip(soon).for_each(|(frame, x)| frame[lane] += x);
        begin.iter_mut().zip(late).for_each(|(frame, x)| frame[lane] += x);
    }

    /// Fills the ring as if it had been going on at this frequency. RT.
    #[inline(never)]
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
        let (by, width) = (grain(increment(freq, self.step)), broad(width));
        // From as far before the first frame as its edges reach.
        let far = begin - (REACH + 1) as f64 * by;
        let mut count = count_of(grain(far - floor(far)));
        let mut before = part(count);
        for time in -(REACH as isize)..REACH as isize {
            count = count.wrapping_add(step_of(by));
            let now = part(count);
            if time >= 0 {
                let second = after(now, width);
                self.ring[(self.at + time as usize) % RING][lane] += match self.wave {
                    Wave::Saw | Wave::Sine => saw(now, second, width),
                    Wave::Triangle => triangle(now, second, width),
                    Wave::Square | Wave::Pulse => pulse(now, second, width),
                };
            }
            let went = Went { by, before: (before, width), now: (now, width) };
            match self.wave {
                Wave::Saw => self.touch::<false>(lane, time, went),
                _ => self.touch::<true>(lane, time, went),
            }
            before = now;
        }
        (self.phase[lane], self.width[lane]) = (before, width);
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

/// Where a lane was at a frame and came to at the next: the place in the cycle and the width, and by how much it went on.
#[derive(Clone, Copy)]
struct Went {
    by: f64,
    before: (f64, f64),
    now: (f64, f64),
}

impl Went {
    /// Of the first edge. RT.
    #[inline(always)]
    fn first(&self) -> Turn {
        Turn { turns: self.before.0 + self.by - self.now.0, by: self.by, phase: self.now.0 }
    }

    /// Of the second. RT.
    #[inline(always)]
    fn second(&self) -> Turn {
        let (phase, by) = (after(self.now.0, self.now.1), self.by - (self.now.1 - self.before.1));
        Turn { turns: after(self.before.0, self.before.1) + by - phase, by, phase }
    }
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

// Places in a cycle are multiples of 2^-51, so that what is added to them and taken away is exact, and a cycle that began
// shows in the sum. They are counted in whole numbers of 64 bits, whose lowest are 0, round and round: a frame waits for the
// count of the frame before, and for nothing else.

/// The nearest such multiple of what lies from -1 to 1. RT.
#[inline(always)]
fn grain(x: f64) -> f64 {
    (x + 3.0) - 3.0
}

/// The count of a place from 0 to 1. RT.
#[inline(always)]
fn count_of(place: f64) -> u64 {
    (place + 1.0).to_bits() << 12
}

/// What a step from -0.5 to 0.5 adds to the count. RT.
#[inline(always)]
fn step_of(by: f64) -> u64 {
    (by + 1.5).to_bits() << 12 ^ 1 << 63
}

/// The place that is counted. RT.
#[inline(always)]
fn part(count: u64) -> f64 {
    f64::from_bits(count >> 12 | 1.0f64.to_bits()) - 1.0
}

/// How far the second edge is, where the first is. RT.
#[inline(always)]
fn after(phase: f64, width: f64) -> f64 {
    let second = phase - width;
    if second < 0.0 { second + 1.0 } else { second }
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
    grain(if width < 0.01 { 0.01 } else { width })
}

impl<const L: usize> Keep for Oscillator<L> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.fresh.keep(ledger);
        self.phase.keep(ledger);
        self.width.keep(ledger);
        self.ring.as_mut_slice().keep(ledger);
        ledger.index(&mut self.at, RING);
    }
}
