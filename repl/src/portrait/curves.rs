//! A response as a curve: its level at each frequency, as finely as it needs.

use std::ops::Range;

use engine::math::{cos, db_from_gain, sin};

use super::trial::RATE;
use crate::chart::{Points, finite};

/// Frequencies at which a response is shown: so many, evenly in octaves.
pub const STEPS: usize = 240;
pub const FREQUENCIES: Range<f64> = 20.0..20_000.0;

/// Frequencies at which one with teeth is shown, how high a tooth is at least, in dB, and how many make a comb; and how many of those
/// frequencies lie between its top and its bottom at least, so that it is seen as one.
const COMB_STEPS: usize = 3000;
const TOOTH: f64 = 2.0;
const MANY_TURNS: usize = 3;
const TURN: usize = 9;

/// Frequencies of a response that is smoothed over thirds of an octave, and how many of each third are looked at.
const SMOOTH_STEPS: usize = 80;
const WITHIN: i32 = 6;

/// The level of a response at each frequency: its Fourier transform just there. Where it has many teeth it is looked at as finely as
/// they need, up to where they stand too close to be drawn.
pub fn levels(response: &[f64]) -> Points {
    let heard = sounding(response);
    let at = |steps: usize| finite(frequencies(steps).map(|hertz| (hertz, db_from_gain(magnitude(heard, hertz)))));
    let coarse = at(STEPS);
    if turns(&coarse).len() < MANY_TURNS {
        return coarse;
    }
    let mut fine = at(COMB_STEPS);
    let turns = turns(&fine);
    if let Some(close) = turns.windows(2).find(|pair| pair[1] - pair[0] < TURN) {
        fine.truncate(close[0] + 1);
    }
    fine
}

/// Where a curve turns after it has gone up or down by a tooth: the numbers of its highest and lowest points.
fn turns(points: &Points) -> Vec<usize> {
    let mut turns = Vec::new();
    let (mut furthest, mut rises) = (0, None);
    for (i, (_, level)) in points.iter().enumerate() {
        let change = level - points[furthest].1;
        let goes_on = rises.is_some_and(|rises| (change > 0.0) == rises);
        if goes_on {
            furthest = i;
        } else if change.abs() > TOOTH {
            turns.extend(rises.map(|_| furthest));
            (furthest, rises) = (i, Some(change > 0.0));
        }
    }
    turns
}

/// The same as the ear hears what rings: the mean of each third of an octave.
pub fn smooth_levels(response: &[f64]) -> Points {
    let heard = sounding(response);
    finite(frequencies(SMOOTH_STEPS).map(|hertz| {
        let near = (-WITHIN..=WITHIN).map(|i| hertz * 2.0_f64.powf(f64::from(i) / f64::from(WITHIN) / 6.0));
        let power = near.map(|hertz| magnitude(heard, hertz).powi(2)).sum::<f64>() / f64::from(2 * WITHIN + 1);
        (hertz, db_from_gain(power.sqrt()))
    }))
}

/// A response up to where it is over.
pub fn sounding(response: &[f64]) -> &[f64] {
    &response[..response.iter().rposition(|x| x.abs() > 1e-12).map_or(0, |last| last + 1)]
}

/// Frequencies evenly in octaves.
pub fn frequencies(steps: usize) -> impl Iterator<Item = f64> {
    let octaves = (FREQUENCIES.end / FREQUENCIES.start).ln();
    (0..=steps).map(move |step| FREQUENCIES.start * (octaves * step as f64 / steps as f64).exp())
}

/// How much of a frequency is in a sound (Goertzel 1958).
pub fn magnitude(sound: &[f64], hertz: f64) -> f64 {
    let angle = std::f64::consts::TAU * hertz / RATE;
    let (coefficient, mut before, mut last) = (2.0 * cos(angle), 0.0, 0.0);
    for x in sound {
        (before, last) = (last, x + coefficient * last - before);
    }
    (last - before * cos(angle)).hypot(before * sin(angle))
}
