//! What keeps corners and edges from aliasing: the difference between a band-limited step and a step.
//!
//! A waveform with edges is its naive form plus, near each edge, this difference (Brandt, 2001: BLEP, here with a linear-
//! phase kernel); for one with corners it is the difference's integral. Both are tables, read at the distance from the
//! edge, so that a waveform stays a function of its phase.

use std::f64::consts::PI;
use std::sync::OnceLock;

use crate::math;

/// Frames on each side of an edge that it reaches.
pub(crate) const REACH: usize = 32;

/// Points of the tables a frame.
const FINE: usize = 256;

/// The filter falls off about this frequency, as a part of the sample rate: flat to 0.42 (20 kHz at 48 kHz), and down
/// by 80 dB from 0.5 on.
const CUTOFF: f64 = 0.46;

/// The window's shape (Kaiser, 1974), for 80 dB.
const BETA: f64 = 7.86;

/// The two tables, from distance 0 to [`REACH`].
pub(crate) struct Step {
    edge: Vec<f64>,
    corner: Vec<f64>,
}

impl Step {
    /// The tables, made when they are first asked for. Not RT.
    pub(crate) fn tables() -> &'static Step {
        static TABLES: OnceLock<Step> = OnceLock::new();
        TABLES.get_or_init(Step::new)
    }

    fn new() -> Step {
        let points = REACH * FINE;
        let step = 1.0 / FINE as f64;
        let kernel: Vec<f64> = (0..=points)
            .map(|i| {
                let x = i as f64 * step;
                let sinc = if i == 0 { 2.0 * CUTOFF } else { math::sin(2.0 * PI * CUTOFF * x) / (PI * x) };
                let part = x / REACH as f64;
                sinc * bessel(BETA * math::sqrt(1.0 - part * part)) / bessel(BETA)
            })
            .collect();
        // The integral from the far end inwards, so that both vanish there; the trapezium's error is far below the window's.
        let inwards = |of: &[f64]| {
            let mut sums = vec![0.0; of.len()];
            for i in (0..of.len() - 1).rev() {
                sums[i] = sums[i + 1] - 0.5 * step * (of[i] + of[i + 1]);
            }
            sums
        };
        let mut edge = inwards(&kernel);
        // Half of a step of 1 lies on each side of its middle.
        let scale = -0.5 / edge[0];
        edge.iter_mut().for_each(|x| *x *= scale);
        let corner = inwards(&edge);
        Step { edge, corner }
    }

    /// What to add at `distance` frames after (or, negative, before) an edge that rises by 1. RT.
    pub(crate) fn edge(&self, distance: f64) -> f64 {
        let found = read(&self.edge, distance.abs());
        if distance < 0.0 { -found } else { found }
    }

    /// What to add at `distance` frames from a corner at which the slope rises by 1 a frame. RT.
    pub(crate) fn corner(&self, distance: f64) -> f64 {
        read(&self.corner, distance.abs())
    }
}

/// A table between its points; nothing beyond its end. RT.
fn read(table: &[f64], distance: f64) -> f64 {
    let place = distance * FINE as f64;
    let index = place as usize;
    match (table.get(index), table.get(index + 1)) {
        (Some(a), Some(b)) => a + (b - a) * (place - index as f64),
        _ => 0.0,
    }
}

/// The modified Bessel function of the first kind and order 0, by its series.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..60 {
        let half = x / (2.0 * f64::from(k));
        term *= half * half;
        sum += term;
    }
    sum
}
