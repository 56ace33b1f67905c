//! What a room or a piece of gear answers to an exponential sweep (Farina 2000, "Simultaneous measurement of impulse
//! response and distortion with a swept-sine technique"): its impulse response, how loud it is at each frequency, how long it
//! rings on ([`decay`]) and what it adds of its own ([`Impulse::harmonics`]).
//!
//! What was heard is divided by what was sent, spectrum by spectrum, within the band of the sweep. A sweep that is multiplied
//! in frequency is the same sweep, only earlier: so the harmonics of order n that are added come out as responses of their
//! own, [`Swept::early`] frames before the linear one, where a window takes them apart. Nothing here is RT; transforms are
//! scalar ones, whose bits do not depend on the processor.

use std::f64::consts::PI;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlannerScalar};
use std::sync::Arc;

use crate::math;

pub mod decay;

/// The highest order of harmonics that is looked for.
pub const ORDERS: usize = 5;

/// Points of a curve in an octave.
pub const POINTS: f64 = 24.0;

/// How far over its root mean square a response peaks at least, in dB: that of noise alone peaks at 12.
pub const CLEAR_DB: f64 = 20.0;

/// How far below its peak a response begins, in dB (ISO 3382-1).
const ONSET_DB: f64 = -20.0;

/// Below the band, the quotient of spectra fades out over an octave; above it over this part of its end.
const UPPER_FADE: f64 = 1.1;

/// How much of the distance to the harmonics before it belongs to a response: what its filters ring before it.
const BEFORE: f64 = 0.5;

type Bin = Complex<f64>;

/// An exponential sweep, as the word `sweep` makes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swept {
    /// Its frequency at the start, in Hz.
    pub from: f64,
    /// Its frequency at the end, in Hz: above `from`, and below half the rate.
    pub to: f64,
    /// How long it takes, in seconds.
    pub seconds: f64,
    /// Frames a second.
    pub rate: f64,
}

impl Swept {
    /// Frames by which the harmonics of an order are early: T ln n / ln(f2/f1) (Farina 2000).
    pub fn early(&self, order: usize) -> f64 {
        self.seconds * self.rate * math::ln(order as f64) / math::ln(self.to / self.from)
    }

    /// How many frames it has.
    pub fn frames(&self) -> usize {
        (self.seconds * self.rate + 0.5) as usize
    }

    /// The frequencies that curves are given at: from its start to its end, evenly in octaves.
    pub fn points(&self) -> Vec<f64> {
        let count = (math::ln(self.to / self.from) / math::ln(2.0) * POINTS) as usize;
        (0..=count).map(|i| self.from * math::pow(2.0, i as f64 / POINTS)).collect()
    }

    /// How much of the quotient at a frequency counts.
    fn share(&self, freq: f64) -> f64 {
        let above = (self.to * UPPER_FADE).min(self.rate / 2.0);
        let share = if freq < self.from {
            1.0 - math::ln(self.from / freq.max(1e-9)) / math::ln(2.0)
        } else if freq > self.to {
            (above - freq) / (above - self.to)
        } else {
            1.0
        };
        let edge = math::sin(PI / 2.0 * share.clamp(0.0, 1.0));
        edge * edge
    }
}

/// The answer to a sweep.
#[derive(Clone, Debug)]
pub struct Impulse {
    swept: Swept,
    /// The response on a circle of frames, harmonics before the frame 0. What turns is the analytic signal: the response is
    /// its real part, the envelope its magnitude.
    circle: Vec<Bin>,
    /// Frames after the sweep for which was listened on.
    reach: usize,
    peak: usize,
}

impl Impulse {
    /// Finds the response from what was `sent` and what was `heard` from the same frame on, longer by as much as the
    /// response may be late and ring.
    pub fn new(sent: &[f64], heard: &[f64], swept: Swept) -> Impulse {
        let size = (sent.len() + heard.len()).next_power_of_two();
        let reach = heard.len().saturating_sub(sent.len());
        let (_, sent) = transformed(sent, size);
        let (back, mut circle) = transformed(heard, size);
        let freq = |k: usize| k as f64 * swept.rate / size as f64;
        for (k, (bin, sent)) in circle.iter_mut().zip(&sent).enumerate() {
            let share = if (1..size / 2).contains(&k) { swept.share(freq(k)) } else { 0.0 };
            // One side of the spectrum at twice its size is the analytic signal.
            let scale = 2.0 * share / size as f64 / sent.norm_sqr().max(f64::MIN_POSITIVE);
            *bin = if share > 0.0 { *bin * sent.conj() * scale } else { Bin::default() };
        }
        back.process(&mut circle);
        let peak = (0..=reach).max_by(|a, b| circle[*a].norm_sqr().total_cmp(&circle[*b].norm_sqr())).unwrap_or(0);
        Impulse { swept, circle, reach, peak }
    }

    /// The sweep that it is an answer to.
    pub fn swept(&self) -> &Swept {
        &self.swept
    }

    /// The frame at which the response is loudest: by so much it is late.
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// How far the peak stands out of everything, in dB; minus infinity when nothing was heard. See [`CLEAR_DB`].
    pub fn clearness(&self) -> f64 {
        let mean = self.circle.iter().map(Bin::norm_sqr).sum::<f64>() / self.circle.len() as f64;
        if mean == 0.0 {
            f64::NEG_INFINITY
        } else {
            math::db_from_gain(math::sqrt(self.envelope(self.peak as i64) / mean))
        }
    }

    /// The response from `before` frames before its peak to as long as was listened.
    pub fn response(&self, before: usize) -> Vec<f64> {
        let first = self.peak as i64 - before as i64;
        (first..=self.reach as i64).map(|i| self.at(i).re).collect()
    }

    /// The level at each of [`Swept::points`], in dB.
    pub fn magnitude(&self) -> Vec<f64> {
        let spectrum = self.linear();
        self.swept.points().into_iter().map(|freq| math::db_from_gain(spectrum.smooth(freq))).collect()
    }

    /// The harmonics that were added, from the second on, as far as they lie within the band.
    pub fn harmonics(&self) -> Vec<Harmonic> {
        let linear = self.linear();
        let points = self.swept.points();
        (2..=ORDERS)
            .map(|order| {
                let (own, next, last) =
                    (self.swept.early(order), self.swept.early(order + 1), self.swept.early(order - 1));
                let (before, behind) = (BEFORE * (next - own), (1.0 - BEFORE) * (own - last));
                let arrival = self.peak as i64 - (own + 0.5) as i64;
                let window = self.window(arrival, before as usize, behind as usize);
                let found = (arrival - before as i64..arrival + behind as i64)
                    .max_by(|a, b| self.envelope(*a).total_cmp(&self.envelope(*b)));
                let spectrum = Spectrum::of(&window, self.swept.rate);
                let levels = points.iter().map(|freq| {
                    let above = freq * order as f64;
                    let level = math::db_from_gain(spectrum.smooth(above) / linear.smooth(*freq));
                    // Beyond the band the quotient says nothing.
                    (above * half_a_point() <= self.swept.to).then_some(level)
                });
                Harmonic { order, early: self.peak as i64 - found.unwrap_or(arrival), levels: levels.collect() }
            })
            .collect()
    }

    /// All harmonics together against the fundamental, at each of [`Swept::points`], in dB: as far as any lies within the band.
    pub fn distortion(harmonics: &[Harmonic]) -> Vec<Option<f64>> {
        let points = harmonics.iter().map(|one| one.levels.len()).max().unwrap_or(0);
        let at = |i: usize| {
            let found: Vec<f64> = harmonics.iter().filter_map(|one| *one.levels.get(i)?).collect();
            let power: f64 = found.iter().map(|db| math::gain_from_db(2.0 * db)).sum();
            (!found.is_empty()).then(|| math::db_from_gain(power) / 2.0)
        };
        (0..points).map(at).collect()
    }

    /// How the response dies away, in each octave band that the sweep has.
    pub fn decays(&self) -> Vec<decay::Decay> {
        let before = (BEFORE * self.swept.early(2)) as usize;
        let response = self.response(before);
        let onset = before - (self.peak - self.onset()).min(before);
        decay::by_octaves(&response, onset, self.swept.rate, self.swept.from, self.swept.to)
    }

    /// The first frame of the response.
    fn onset(&self) -> usize {
        let threshold = self.envelope(self.peak as i64) * math::gain_from_db(2.0 * ONSET_DB);
        (0..self.peak).find(|i| self.envelope(*i as i64) >= threshold).unwrap_or(self.peak)
    }

    fn linear(&self) -> Spectrum {
        let before = (BEFORE * self.swept.early(2)) as usize;
        Spectrum::of(&self.window(self.peak as i64, before, self.reach - self.peak), self.swept.rate)
    }

    /// The frames round one of the circle, faded at both ends over a part of what is before it.
    fn window(&self, at: i64, before: usize, behind: usize) -> Vec<f64> {
        let (count, fade) = (before + behind, (before / 2).max(1).min(behind / 4 + 1));
        let gain = |i: usize| math::ease(((i.min(count - i) as f64 + 0.5) / fade as f64).min(1.0));
        (0..count).map(|i| gain(i) * self.at(at - before as i64 + i as i64).re).collect()
    }

    fn at(&self, frame: i64) -> Bin {
        self.circle[frame.rem_euclid(self.circle.len() as i64) as usize]
    }

    /// The square of the envelope.
    fn envelope(&self, frame: i64) -> f64 {
        self.at(frame).norm_sqr()
    }
}

/// What is added at a multiple of each frequency.
#[derive(Clone, Debug, PartialEq)]
pub struct Harmonic {
    /// Which multiple.
    pub order: usize,
    /// Frames by which it was found to come before the response.
    pub early: i64,
    /// Its level against the fundamental, in dB, at each of [`Swept::points`]; `None` where it lies beyond the band.
    pub levels: Vec<Option<f64>>,
}

/// By how much a frequency grows from a point to half way to the next.
fn half_a_point() -> f64 {
    math::pow(2.0, 0.5 / POINTS)
}

/// A spectrum by power.
pub(crate) struct Spectrum {
    power: Vec<f64>,
    /// Hz from one bin to the next.
    step: f64,
}

impl Spectrum {
    /// That of a stretch of sound.
    fn of(sound: &[f64], rate: f64) -> Spectrum {
        let (_, bins) = transformed(sound, sound.len().next_power_of_two());
        Spectrum { power: bins[..bins.len() / 2].iter().map(Bin::norm_sqr).collect(), step: rate / bins.len() as f64 }
    }

    /// The linear level round a frequency: the mean of the power over the distance of two points.
    fn smooth(&self, freq: f64) -> f64 {
        let half = half_a_point();
        let (first, last) = (freq / half / self.step, freq * half / self.step);
        let at = |place: f64| {
            let (i, part) = (place as usize, place.fract());
            let bin = |i: usize| self.power.get(i).copied().unwrap_or(0.0);
            bin(i) + (bin(i + 1) - bin(i)) * part
        };
        let count = ((last - first) as usize).max(1) + 1;
        let places = (0..count).map(|i| first + (last - first) * (i as f64 + 0.5) / count as f64);
        math::sqrt(places.map(at).sum::<f64>() / count as f64)
    }
}

/// A sound transformed, on a circle of `size` frames, and what transforms it back, `size` times as large.
pub(crate) fn transformed(sound: &[f64], size: usize) -> (Arc<dyn Fft<f64>>, Vec<Bin>) {
    let mut bins: Vec<Bin> = sound.iter().map(|x| Bin::new(*x, 0.0)).collect();
    bins.resize(size, Bin::default());
    let mut planner = FftPlannerScalar::new();
    planner.plan_fft_forward(size).process(&mut bins);
    (planner.plan_fft_inverse(size), bins)
}

#[cfg(test)]
mod tests;
