//! An `eq` of linear phase: the curves of all bands in one symmetric filter, every frequency as late as every other.
//!
//! The magnitudes of the very sections that the bands without latency run are multiplied, transformed into an impulse
//! response of zero phase, and cut off at 4096 frames of 48 kHz (a Tukey window, level but for its ends), of which the
//! middle is what the signal is late by. What is sharper than such a response can tell apart (about 12 Hz) gets wider.

use std::f64::consts::PI;
use std::sync::Arc;

use rustfft::FftPlannerScalar;
use rustfft::num_complex::Complex;

use super::{Declared, On, declared};
use crate::convolution::{Bins, Response, Ways};
use crate::filters::Section;
use crate::keep::keep;
use crate::kernel::{Buffer, Io, Kernel, QUANTUM};
use crate::math;
use crate::parameter::Recipe;

/// Half the length of the response, in frames of 48 kHz.
const HALF: f64 = 2048.0;

/// Which part of each half is faded out.
const FADED: f64 = 0.25;

/// The bands that have a centre, and the widest in Hz that it is worth looking at.
const NARROW: [&str; 3] = ["bell", "notch", "band_pass"];
const TOLD_APART: f64 = 100.0;

/// By how many dB a band may be off its gain, and the gain in dB below which it is silent.
const SHORT: f64 = 0.5;
const SILENT: f64 = -40.0;

/// How many times finer the curves are sampled than the response is long.
const FINER: usize = 4;

/// By how many frames every frequency is late: half the response.
pub fn latency(rate: f64) -> usize {
    (HALF * rate / 48_000.0).round() as usize
}

/// The gains from each side to each side at one frequency: of left to left, right to left, left to right, right to right.
type Gains = [f64; 4];

/// What a band of a gain does to both sides.
fn gains(on: On, gain: f64) -> Gains {
    let (both, apart) = (0.5 * (gain + 1.0), 0.5 * (gain - 1.0));
    match on {
        On::All => [gain, 0.0, 0.0, gain],
        On::Mid => [both, apart, apart, both],
        On::Side => [both, -apart, -apart, both],
        On::Left => [gain, 0.0, 0.0, 1.0],
        On::Right => [1.0, 0.0, 0.0, gain],
    }
}

/// What one band behind another does.
fn behind(after: Gains, before: Gains) -> Gains {
    let [a, b, c, d] = after;
    let [e, f, g, h] = before;
    [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h]
}

/// The taps from each side to each side; those of a way that nothing takes are silent.
fn taps(bands: impl Iterator<Item = (On, Vec<Section>)>, rate: f64) -> [Vec<f64>; 4] {
    let bands: Vec<(On, Vec<Section>)> = bands.collect();
    let all = |freq: f64| {
        bands.iter().fold([1.0, 0.0, 0.0, 1.0], |before, (on, sections)| {
            let gain = sections.iter().map(|section| section.gain(freq, rate)).product();
            behind(gains(*on, gain), before)
        })
    };
    of_curves(all, rate)
}

/// The taps of filters of linear phase, each late by [`latency`], whose gains at a frequency are given. What the curves add
/// up to, the taps do.
pub fn of_curves<const N: usize>(gains: impl Fn(f64) -> [f64; N], rate: f64) -> [Vec<f64>; N] {
    let half = latency(rate);
    let length = (FINER * 2 * half).next_power_of_two();
    let mut curves = [(); N].map(|()| vec![Complex { re: 0.0, im: 0.0 }; length]);
    for bin in 0..=length / 2 {
        for (curve, gain) in curves.iter_mut().zip(gains(rate * bin as f64 / length as f64)) {
            curve[bin].re = gain / length as f64;
            curve[(length - bin) % length].re = gain / length as f64;
        }
    }
    let back = FftPlannerScalar::new().plan_fft_inverse(length);
    curves.map(|mut curve| {
        back.process(&mut curve);
        (0..=2 * half)
            .map(|i| i.abs_diff(half))
            .map(|away| curve[away].re * window(away as f64 / half as f64))
            .collect()
    })
}

/// The gain of such taps at a frequency.
fn gain_of(taps: &[f64], freq: f64, rate: f64) -> f64 {
    let half = taps.len() / 2;
    let turn = 2.0 * PI * freq / rate;
    taps.iter().enumerate().map(|(i, tap)| tap * math::cos(turn * i.abs_diff(half) as f64)).sum::<f64>().abs()
}

/// Bands that are narrower than the filter can tell apart: the number of each, from 1, the gain in dB that it has at its
/// centre, and the one that it should have.
pub fn shallow(recipe: &Recipe) -> Vec<(usize, f64, f64)> {
    let rate = recipe.rate();
    let one = |(i, band): (usize, Declared<'_>)| {
        let &[freq, .., q] = band.designed() else { return None };
        if !NARROW.contains(&band.part.word) || freq / q > TOLD_APART {
            return None;
        }
        let sections = band.sections(rate);
        let gain = |freq: f64| sections.iter().map(|section| section.gain(freq, rate)).product();
        let [taps] = of_curves(|freq| [gain(freq)], rate);
        let (has, wanted) = (math::db_from_gain(gain_of(&taps, freq, rate)), math::db_from_gain(gain(freq)));
        ((has - wanted.max(SILENT)).abs() > SHORT && has > SILENT).then_some((i + 1, has, wanted))
    };
    declared(recipe).enumerate().filter_map(one).collect()
}

/// The window at a part of its half length.
fn window(part: f64) -> f64 {
    let into = (part - (1.0 - FADED)) / FADED;
    if into <= 0.0 { 1.0 } else { 0.5 + 0.5 * math::cos(PI * into) }
}

/// Filters of linear phase at work.
pub struct Linear {
    ways: Ways<Bins>,
    /// What comes in.
    input: Vec<Buffer>,
}

keep!(Linear: ways);

impl Linear {
    /// One filter for every channel, by its taps. Not RT.
    pub fn even(taps: &[f64], channels: usize) -> Self {
        let response = Arc::new(Response::new(taps));
        Linear::of(Ways::new((0..channels).map(|channel| (channel, channel, response.clone()))), channels)
    }

    fn of(ways: Ways<Bins>, channels: usize) -> Self {
        Linear { ways, input: vec![[0.0; QUANTUM]; channels] }
    }

    /// Makes the filter of an eq, which takes some milliseconds. Not RT.
    pub fn new(recipe: &Recipe) -> Self {
        let rate = recipe.rate();
        let bands: Vec<Declared<'_>> = declared(recipe).collect();
        let taps = taps(bands.iter().map(|band| (band.on, band.sections(rate))), rate);
        if bands.iter().all(|band| band.on == On::All) {
            return Linear::even(&taps[0], recipe.channels);
        }
        let sounds = |taps: &Vec<f64>| taps.iter().any(|tap| *tap != 0.0);
        let all = [(0, 0), (1, 0), (0, 1), (1, 1)].into_iter().zip(&taps).filter(|(_, taps)| sounds(taps));
        let ways = all.map(|((from, to), taps)| (from, to, Arc::new(Response::new(taps))));
        Linear::of(Ways::new(ways), recipe.channels)
    }
}

impl Kernel for Linear {
    fn process(&mut self, io: &mut Io<'_>) {
        let (first, frames) = (io.frame(io.frames.start), io.frames.clone());
        for (kept, sound) in self.input.iter_mut().zip(io.audio.iter()) {
            kept[frames.clone()].copy_from_slice(&sound[frames.clone()]);
        }
        self.ways.process(first, frames, &self.input, io.audio);
    }

    fn reset(&mut self) {
        self.ways.reset();
    }
}
