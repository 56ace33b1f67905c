//! What to add to a sampled waveform about its edges and corners, so that it has no partials above half the rate.
//!
//! An edge is replaced by the step response of a windowed sinc (Kaiser, 1974), flat to 0.417 of the rate (20 kHz at 48 kHz)
//! and down by over 100 dB from 0.583 on: what is between folds back to above 0.417. A corner is the integral of an edge
//! (Stilson and Smith, 1996; Brandt, 2001). Between frames both are polynomials, one for each frame in reach, through
//! Chebyshev's points, so that an edge costs no look-up and the compiler works on several frames at a time.

use std::f64::consts::PI;
use std::sync::OnceLock;

use crate::math;

/// How many frames before and after an edge are touched.
pub(super) const REACH: usize = 18;

/// How many frames an edge touches.
pub(super) const TAPS: usize = 2 * REACH;

/// Coefficients of each polynomial.
const TERMS: usize = 8;

/// The window's shape.
const BETA: f64 = 9.6;

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

/// The polynomials.
pub(super) struct Edges {
    edge: [Taps; TERMS],
    corner: [Taps; TERMS],
}

impl Edges {
    /// Made when first asked for. Not RT.
    pub(super) fn get() -> &'static Edges {
        static EDGES: OnceLock<Edges> = OnceLock::new();
        EDGES.get_or_init(Edges::new)
    }

    fn new() -> Edges {
        let whole = moments(0.0).0;
        let mut edges = Edges { edge: [[0.0; TAPS]; TERMS], corner: [[0.0; TAPS]; TERMS] };
        for tap in 0..TAPS {
            // The time from the edge, when it lies `late` before the frame at REACH.
            let time = |late: f64| tap as f64 - REACH as f64 + late;
            let edge = polynomial(|late| {
                let (above, _) = moments(time(late).abs());
                0.5 * above / whole * if tap < REACH { 1.0 } else { -1.0 }
            });
            let corner = polynomial(|late| {
                let at = time(late).abs();
                let (above, moment) = moments(at);
                0.5 * (moment - at * above) / whole
            });
            for term in 0..TERMS {
                edges.edge[term][tap] = edge[term];
                edges.corner[term][tap] = corner[term];
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
fn at(terms: &[Taps; TERMS], late: f64) -> Taps {
    let u = 2.0 * late - 1.0;
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
    let sinc = if x == 0.0 { 1.0 } else { math::sin(PI * x) / (PI * x) };
    sinc * math::kaiser((x / REACH as f64).min(1.0), BETA)
}

/// The integrals from `x` (0 or more) to the end of the impulse response and of its product with time.
fn moments(x: f64) -> (f64, f64) {
    let (mut above, mut moment) = (0.0, 0.0);
    let mut from = x;
    while from < REACH as f64 {
        let to = (from.floor() + 1.0).min(REACH as f64);
        let half = 0.5 * (to - from);
        for (place, weight) in POINTS {
            let at = from + half * (1.0 + place);
            let part = half * weight * kernel(at);
            above += part;
            moment += part * at;
        }
        from = to;
    }
    (above, moment)
}

/// The coefficients in `2 late - 1` of the polynomial that agrees with a function at Chebyshev's points, by Newton's
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
