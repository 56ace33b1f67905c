//! Where something new begins in a sound: a hit, a consonant, a note that is struck.
//!
//! An onset is a peak of how much the spectrum grows within a short time (spectral flux: Dixon, "Onset detection revisited",
//! 2006), with magnitudes compressed by a square root and reckoned against the loudest that is near, so that what beats or
//! hisses is no onset. Then it is put where the energy rises most.

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlannerScalar};

use super::vocoder::{Circle, hann, size};

/// Steps of the spectrum in one of its frames.
const STEPS: usize = 4;

/// How much of a sound must be new: noise alone gives half of it.
const NEW: f64 = 0.3;

/// What is this much quieter than the loudest of a sound, in compressed magnitudes, begins nothing: -68 dB.
const FLOOR: f64 = 0.02;

/// Within so many steps only one begins: 21 ms at 48 kHz.
const APART: usize = 8;

/// What is nearer than so many steps is what an onset is measured against: 100 ms at 48 kHz.
const NEAR: usize = 38;

/// The frames at which something begins, in order. Not RT.
pub(super) fn onsets(sound: &Circle<'_>, rate: f64) -> Vec<i64> {
    let frame = size(sound, rate) / 8;
    let step = frame / STEPS;
    let (new, level) = flux(sound, frame, step);
    let loudest = level.iter().fold(0.0, |most: f64, level| most.max(*level));
    let strength: Vec<f64> = (0..new.len())
        .map(|i| {
            let near = &level[i.saturating_sub(NEAR)..(i + NEAR).min(level.len())];
            let around = near.iter().fold(FLOOR * loudest, |most, level| most.max(*level));
            if around > 0.0 { new[i] / around } else { 0.0 }
        })
        .collect();
    let is_peak = |i: usize| {
        let (before, after) = (&strength[i.saturating_sub(APART)..i], &strength[i..(i + APART).min(strength.len())]);
        strength[i] > NEW && before.iter().all(|x| *x < strength[i]) && after.iter().all(|x| *x <= strength[i])
    };
    let mut found: Vec<i64> = Vec::new();
    for i in (0..strength.len()).filter(|i| is_peak(*i)) {
        let at = rise(sound, (i * step) as i64, frame as i64, rate);
        if (0..sound.length).contains(&at) && found.last().is_none_or(|last| at - last >= (2 * frame) as i64) {
            found.push(at);
        }
    }
    found
}

/// For each step: how much of the spectrum is new since a frame ago, and how much there is.
fn flux(sound: &Circle<'_>, frame: usize, step: usize) -> (Vec<f64>, Vec<f64>) {
    let forward = FftPlannerScalar::new().plan_fft_forward(frame);
    let window = hann(frame);
    let bins = frame / 2 + 1;
    let mut ago = vec![vec![0.0; bins]; STEPS];
    let (mut new, mut level) = (Vec::new(), Vec::new());
    // A loop is gone into with what its end leaves behind.
    let begin = -((STEPS * step) as i64);
    for (i, centre) in (begin..sound.length).step_by(step).enumerate() {
        let now = magnitudes(sound, centre - frame as i64 / 2, &window, &*forward);
        let before = &mut ago[i % STEPS];
        if centre >= 0 {
            new.push(now.iter().zip(before.iter()).map(|(now, before)| (now - before).max(0.0)).sum());
            level.push(now.iter().sum());
        }
        *before = now;
    }
    (new, level)
}

/// The square roots of the magnitudes, all channels together, of the frames from `first` on.
fn magnitudes(sound: &Circle<'_>, first: i64, window: &[f64], forward: &dyn Fft<f64>) -> Vec<f64> {
    let frame = window.len();
    let mut powers = vec![0.0; frame / 2 + 1];
    // Two channels are transformed at once.
    for pair in sound.channels.chunks(2) {
        let at = |channel: Option<&Vec<f32>>, i: usize| {
            channel.map_or(0.0, |channel| sound.at(channel, first + i as i64) * window[i])
        };
        let mut bins: Vec<Complex<f64>> =
            (0..frame).map(|i| Complex::new(at(pair.first(), i), at(pair.get(1), i))).collect();
        forward.process(&mut bins);
        for (k, power) in powers.iter_mut().enumerate() {
            *power += bins[k].norm_sqr() + bins[(frame - k) % frame].norm_sqr();
        }
    }
    powers.iter().map(|power| power.sqrt().sqrt()).collect()
}

/// Where around a frame the energy rises most: where that of the millisecond after exceeds that of the one before by the
/// most. What changes slowly is left out of it.
fn rise(sound: &Circle<'_>, around: i64, frame: i64, rate: f64) -> i64 {
    let fall = 1.0 - 1000.0 / rate;
    let (first, last) = (around - frame, around + frame / 2);
    let change = |at: i64| {
        let step = |channel: &Vec<f32>| sound.at(channel, at) - sound.at(channel, at - 1);
        sound.channels.iter().map(|channel| step(channel) * step(channel)).sum::<f64>()
    };
    let energy: Vec<f64> = (first - frame..last + frame).map(change).collect();
    let mut after = vec![0.0; energy.len() + 1];
    for i in (0..energy.len()).rev() {
        after[i] = energy[i] + fall * after[i + 1];
    }
    let (mut before, mut best) = (0.0, (f64::MIN, around));
    for (i, energy) in energy.iter().enumerate() {
        let at = first - frame + i as i64;
        if (first..last).contains(&at) && after[i] - before > best.0 {
            best = (after[i] - before, at);
        }
        before = fall * (before + energy);
    }
    best.1
}
