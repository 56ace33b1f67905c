//! The state-variable filter of Zavalishin (2012) and Simper (2013), whose frequency and q move at every frame.
//!
//! Its coefficients are functions of g, the tangent of half the angle of its frequency. The tangent is written as a fraction
//! of two short polynomials, within 1.5e-8 of the frequency up to 0.49 of the rate, and the fraction is never worked out:
//! multiplied through, all coefficients share one division. Where all lanes have the same frequency and q they are worked
//! out once. Any positive g and q make a stable filter, so what the
//! approximation is off by moves the frequency and nothing else.

use std::f64::consts::PI;

use super::{Pass, frame};
use crate::keep::{Keep, Ledger};
use crate::wide::each;

/// The highest frequency, as a part of the rate.
const HIGHEST: f64 = 0.49;

/// The lowest frequency in Hz.
const LOWEST: f64 = 1.0;

/// What shapes a filter over a stretch.
#[derive(Clone, Copy)]
pub(super) struct Shape<'a, const L: usize> {
    /// In Hz.
    pub freq: &'a [[f64; L]],
    pub q: &'a [[f64; L]],
    /// Whether both are the same in all lanes.
    pub together: bool,
}

/// One filter in each of `L` lanes.
#[derive(Clone)]
pub(super) struct Filter<const L: usize> {
    pass: Pass,
    rate: f64,
    s1: [f64; L],
    s2: [f64; L],
}

/// For how many frames coefficients are worked out before they are used: the two kinds of work do not wait for each other.
const AHEAD: usize = 16;

/// What a frame is computed with: k, the inverse of q, and what the states and what comes in have a share of.
#[derive(Clone, Copy)]
struct Coefficients<const W: usize> {
    k: [f64; W],
    /// 2 / (1 + g (g + k)) - 1.
    stays: [f64; W],
    /// g times 2 / (1 + g (g + k)).
    passes: [f64; W],
    /// g² times 2 / (1 + g (g + k)).
    follows: [f64; W],
}

impl<const W: usize> Coefficients<W> {
    const NONE: Self = Coefficients { k: [0.0; W], stays: [0.0; W], passes: [0.0; W], follows: [0.0; W] };

    /// With k only if it is asked for: it takes a division. RT.
    #[inline(always)]
    fn new<const K: bool>(freq: [f64; W], q: [f64; W], most: f64, step: f64) -> Self {
        let mut by = Self::NONE;
        for i in 0..W {
            let x = within(freq[i], LOWEST, most) * step;
            let q = within(q[i], 0.1, 1000.0);
            let z = x * x;
            let sine = x * (1.0 + z * (-0.112_027_741_076_003_3 + z * 0.001_122_938_385_750_171_8));
            let cosine = 0.999_999_985_018_248_9 + z * (-0.445_360_751_921_385_4 + z * 0.016_242_216_444_341_54);
            by.k[i] = if K { 1.0 / q } else { 0.0 };
            // Both sides multiplied by q and the cosine's square: one division.
            let (sine2, cosine2, both) = (sine * sine, cosine * cosine, sine * cosine);
            let over = 2.0 * q / (q * (cosine2 + sine2) + both);
            by.stays[i] = cosine2 * over - 1.0;
            by.passes[i] = both * over;
            by.follows[i] = sine2 * over;
        }
        by
    }
}

/// RT.
#[inline(always)]
fn within(x: f64, least: f64, most: f64) -> f64 {
    let x = if x > most { most } else { x };
    if x < least { least } else { x }
}

impl<const L: usize> Filter<L> {
    /// Not RT.
    pub(super) fn new(pass: Pass, rate: f64) -> Self {
        Filter { pass, rate, s1: [0.0; L], s2: [0.0; L] }
    }

    /// Begins a note. RT.
    pub(super) fn reset(&mut self, lane: usize) {
        (self.s1[lane], self.s2[lane]) = (0.0, 0.0);
    }

    /// A stretch of frames; a frequency or a q of one frame stays as it is, and both may be the same in all lanes. RT.
    #[inline(always)]
    pub(super) fn run(&mut self, out: &mut [[f64; L]], of: &[[f64; L]], shape: Shape<'_, L>) {
        match self.pass {
            Pass::Low => self.go::<false>(out, of, shape, |_, _, _, v2| v2),
            Pass::High => self.go::<true>(out, of, shape, |x, k, v1, v2| x - k * v1 - v2),
            Pass::Band => self.go::<true>(out, of, shape, |_, k, v1, _| k * v1),
            Pass::Notch => self.go::<true>(out, of, shape, |x, k, v1, _| x - k * v1),
        }
    }

    /// RT.
    #[inline(always)]
    fn go<const K: bool>(
        &mut self,
        out: &mut [[f64; L]],
        of: &[[f64; L]],
        Shape { freq, q, together }: Shape<'_, L>,
        tap: impl Fn(f64, f64, f64, f64) -> f64,
    ) {
        let (most, step) = (HIGHEST * self.rate, PI / self.rate);
        if let ([freq], [q]) = (freq, q) {
            let by = Coefficients::<L>::new::<K>(*freq, *q, most, step);
            self.all(out, of, |_| by, &tap);
            return;
        }
        for (n, (out, of)) in out.chunks_mut(AHEAD).zip(of.chunks(AHEAD)).enumerate() {
            let first = n * AHEAD;
            if together {
                let one = |from: &[[f64; L]]| each(|i| frame(from, first + i)[0]);
                let by = Coefficients::<AHEAD>::new::<K>(one(freq), one(q), most, step);
                let at = |i: usize| Coefficients {
                    k: [by.k[i]; L],
                    stays: [by.stays[i]; L],
                    passes: [by.passes[i]; L],
                    follows: [by.follows[i]; L],
                };
                self.all(out, of, at, &tap);
            } else {
                let mut by = [Coefficients::<L>::NONE; AHEAD];
                for (i, by) in by.iter_mut().enumerate() {
                    *by = Coefficients::new::<K>(frame(freq, first + i), frame(q, first + i), most, step);
                }
                self.all(out, of, |i| by[i], &tap);
            }
        }
    }

    /// A stretch, by the coefficients of each of its frames. RT.
    #[inline(always)]
    fn all(
        &mut self,
        out: &mut [[f64; L]],
        of: &[[f64; L]],
        by: impl Fn(usize) -> Coefficients<L>,
        tap: impl Fn(f64, f64, f64, f64) -> f64,
    ) {
        let (mut s1, mut s2) = (self.s1, self.s2);
        for (frame, (out, x)) in out.iter_mut().zip(of).enumerate() {
            let Coefficients { k, stays, passes, follows } = by(frame);
            // v1 = (s1 + g (x - s2)) / (1 + g (g + k)); v2 = s2 + g v1; s = 2 v - s.
            let over: [f64; L] = each(|i| x[i] - s2[i]);
            let next1: [f64; L] = each(|i| stays[i] * s1[i] + passes[i] * over[i]);
            let next2: [f64; L] = each(|i| (s2[i] + passes[i] * s1[i]) + follows[i] * over[i]);
            *out = each(|i| tap(x[i], k[i], 0.5 * (s1[i] + next1[i]), 0.5 * (s2[i] + next2[i])));
            (s1, s2) = (next1, next2);
        }
        (self.s1, self.s2) = (s1, s2);
    }
}

impl<const L: usize> Keep for Filter<L> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.s1.keep(ledger);
        self.s2.keep(ledger);
    }
}
