//! What to add to a sampled waveform about its edges and corners, so that it has no partials above half the rate.
//!
//! An edge is replaced by the step response of a windowed sinc (Kaiser, 1974), flat to 0.375 of the rate (18 kHz at 48 kHz)
//! and down by 90 dB at half of it and beyond: what would fold back is gone. A corner is the integral of an edge
//! (Stilson and Smith, 1996; Brandt, 2001). Between frames both are polynomials in pieces, for each frame in reach, through
//! Chebyshev's points, so that the compiler works on several frames at a time.

use std::f64::consts::PI;
use std::sync::OnceLock;

use crate::math;

/// How many frames before and after an edge are touched.
pub(super) const REACH: usize = 20;

/// How many frames an edge touches.
pub(super) const TAPS: usize = 2 * REACH;

/// Pieces from one frame to the next.
const PIECES: usize = 8;

/// Coefficients of each piece: with so many it is right to 130 dB.
const TERMS: usize = 4;

/// The window's shape.
const BETA: f64 = 9.0;

/// Where it lets half through, as a part of half the rate.
const CUTOFF: f64 = 0.8566;

/// Points of Gauss and Legendre between two whole frames.
const POINTS: [(f64, f64); 8] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (-0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (-0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (-0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
    (-0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
];

/// What an edge or a corner adds at each frame in reach.
pub(super) type Taps = [f64; TAPS];

/// The coefficients of all taps, for each piece.
type Pieces = [[Taps; TERMS]; PIECES];

/// The polynomials.
pub(super) struct Edges {
    edge: Pieces,
    corner: Pieces,
}

impl Edges {
    /// Made when first asked for. Not RT.
    pub(super) fn get() -> &'static Edges {
        static EDGES: OnceLock<Edges> = OnceLock::new();
        EDGES.get_or_init(Edges::new)
    }

    fn new() -> Edges {
        let moments = Moments::new();
        let whole = moments.from(0.0).0;
        let none = [[[0.0; TAPS]; TERMS]; PIECES];
        let mut edges = Edges { edge: none, corner: none };
        for (piece, tap) in (0..PIECES).flat_map(|piece| (0..TAPS).map(move |tap| (piece, tap))) {
            // The time from the edge, when it lies so far in its piece before the frame at REACH.
            let time = |part: f64| tap as f64 - REACH as f64 + (piece as f64 + part) / PIECES as f64;
            let edge = polynomial(|part| {
                let (above, _) = moments.from(time(part).abs());
                0.5 * above / whole * if tap < REACH { 1.0 } else { -1.0 }
            });
            let corner = polynomial(|part| {
                let at = time(part).abs();
                let (above, moment) = moments.from(at);
                0.5 * (moment - at * above) / whole
            });
            for term in 0..TERMS {
                edges.edge[piece][term][tap] = edge[term];
                edges.corner[piece][term][tap] = corner[term];
            }
        }
        edges
    }

    /// For an edge that rises by 1, `late` (0 to 1) before the frame at [`REACH`]. RT.
    #[inline(always)]
    pub(super) fn edge(&self, late: f64) -> Taps {
        at(&self.edge, late)
    }

    /// For a corner at which the slope rises by 1 a frame, `late` before the frame at [`REACH`]. RT.
    #[inline(always)]
    pub(super) fn corner(&self, late: f64) -> Taps {
        at(&self.corner, late)
    }
}

/// All polynomials at one place. RT.
#[inline(always)]
fn at(pieces: &Pieces, late: f64) -> Taps {
    let place = late * PIECES as f64;
    let piece = (place as usize).min(PIECES - 1);
    let (terms, u) = (&pieces[piece], 2.0 * (place - piece as f64) - 1.0);
    let mut sum = terms[TERMS - 1];
    for term in terms[..TERMS - 1].iter().rev() {
        for (sum, term) in sum.iter_mut().zip(term) {
            *sum = *sum * u + term;
        }
    }
    sum
}

/// The filter's impulse response, but for its gain.
fn kernel(x: f64) -> f64 {
    let angle = PI * CUTOFF * x;
    let sinc = if x == 0.0 { 1.0 } else { math::sin(angle) / angle };
    sinc * math::kaiser((x / REACH as f64).min(1.0), BETA)
}

/// The integrals of the impulse response and of its product with time, to its end.
struct Moments {
    /// From each frame on.
    frames: [(f64, f64); REACH + 1],
}

impl Moments {
    fn new() -> Moments {
        let mut frames = [(0.0, 0.0); REACH + 1];
        for frame in (0..REACH).rev() {
            let (above, moment) = between(frame as f64, frame as f64 + 1.0);
            frames[frame] = (frames[frame + 1].0 + above, frames[frame + 1].1 + moment);
        }
        Moments { frames }
    }

    /// From `x`, 0 or more.
    fn from(&self, x: f64) -> (f64, f64) {
        let next = (x.ceil() as usize).min(REACH);
        let (above, moment) = between(x, next as f64);
        (self.frames[next].0 + above, self.frames[next].1 + moment)
    }
}

/// The same of no more than a frame.
fn between(from: f64, to: f64) -> (f64, f64) {
    let half = 0.5 * (to - from);
    let part = |(place, weight): (f64, f64)| {
        let at = from + half * (1.0 + place);
        let part = half * weight * kernel(at);
        (part, part * at)
    };
    POINTS.into_iter().map(part).fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1))
}

/// The coefficients in `2 part - 1` of the polynomial that agrees with a function at Chebyshev's points, by Newton's
/// divided differences.
fn polynomial(of: impl Fn(f64) -> f64) -> [f64; TERMS] {
    let points: [f64; TERMS] = std::array::from_fn(|i| math::cos(PI * (i as f64 + 0.5) / TERMS as f64));
    let mut differences: [f64; TERMS] = points.map(|u| of(0.5 * (u + 1.0)));
    for order in 1..TERMS {
        for i in (order..TERMS).rev() {
            differences[i] = (differences[i] - differences[i - 1]) / (points[i] - points[i - order]);
        }
    }
    let mut sum = [0.0; TERMS];
    for i in (0..TERMS).rev() {
        // sum = sum (u - point) + difference
        for k in (0..TERMS).rev() {
            let lower = if k > 0 { sum[k - 1] } else { 0.0 };
            sum[k] = lower - sum[k] * points[i];
        }
        sum[0] += differences[i];
    }
    sum
}
