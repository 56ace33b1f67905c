//! A sound looked at closely: how it swings, what frequencies it is made of, and where it lies between left and right.

use std::f64::consts::TAU;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};
use serde_json::{Value, json};

use super::seen::Sound;

/// How many of the newest frames are looked at for frequencies: a power of two.
pub const FRAMES: usize = 4096;

/// How many of them are shown as they swing, in how many columns, and how many frames before them may be passed over so that a
/// swing stands still.
const SWING: usize = 1536;
const COLUMNS: usize = 192;
const SEARCHED: usize = 2048;

/// How many points of the newest are shown between left and right, one every so many frames.
const POINTS: usize = 256;
const APART: usize = 6;

/// Bands in which levels are shown, evenly in octaves, and the frequencies at their ends.
pub const BANDS: usize = 128;
pub const LOWEST: f64 = 20.0;
pub const HIGHEST: f64 = 20_000.0;

/// The lowest level that is shown, in dBFS.
const FLOOR: f64 = -120.0;

/// Below this a loudness is of nothing that anybody hears: the absolute gate of ITU-R BS.1770-5, in LUFS.
const GATE: f64 = -70.0;

/// A loudness, if it is one of something heard.
pub fn loudness(figure: Option<f64>) -> Option<f64> {
    figure.filter(|figure| *figure >= GATE)
}

/// A level in dB, if it is one of something heard.
pub fn level(figure: Option<f64>) -> Option<f64> {
    figure.filter(|figure| *figure >= FLOOR)
}

/// What a sound is looked at through.
pub struct Glass {
    fft: Arc<dyn Fft<f64>>,
    window: Vec<f64>,
    frames: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl Default for Glass {
    fn default() -> Self {
        let fft = FftPlanner::new().plan_fft_forward(FRAMES);
        let hann = |i: usize| 0.5 - 0.5 * (TAU * i as f64 / FRAMES as f64).cos();
        Glass {
            window: (0..FRAMES).map(hann).collect(),
            frames: vec![Complex::default(); FRAMES],
            scratch: vec![Complex::default(); fft.get_inplace_scratch_len()],
            fft,
        }
    }
}

impl Glass {
    /// What there is to see of a sound at a rate.
    pub fn look(&mut self, sound: &Sound, rate: u32) -> Value {
        let bands: Vec<i32> = self.bands(&sound.channels, rate).iter().map(|level| (level * 10.0) as i32).collect();
        let tenths = |figure: Option<f64>| figure.map(|figure| (figure * 10.0).round() / 10.0);
        let [momentary, short_term, integrated, peak] = sound.loudness;
        let figures = [loudness(momentary), loudness(short_term), loudness(integrated), level(peak)];
        let hundredths = |figure: f64| (figure * 100.0).round() / 100.0;
        json!({
            "swing": swing(&sound.channels), "field": field(&sound.channels), "bands": bands,
            "lufs": figures.map(tenths), "rms": tenths(level(sound.level[0])), "correlation": sound.level[1].map(hundredths),
            "channels": sound.channels.len(),
        })
    }

    /// The level in dBFS in each band, as the peak of a sine that would stand there; of several channels their mean power.
    fn bands(&mut self, channels: &[Vec<f32>], rate: u32) -> [f64; BANDS] {
        let mut powers = vec![0.0; FRAMES / 2 + 1];
        for channel in channels {
            let newest = &channel[channel.len().saturating_sub(FRAMES)..];
            self.frames.fill(Complex::default());
            let late = FRAMES - newest.len();
            for ((frame, x), weight) in self.frames[late..].iter_mut().zip(newest).zip(&self.window[late..]) {
                frame.re = f64::from(*x) * weight;
            }
            self.fft.process_with_scratch(&mut self.frames, &mut self.scratch);
            // A sine of full scale lies in two bins, and the window takes half of it.
            let scale = 4.0 / FRAMES as f64;
            let own = self.frames.iter().map(|bin| bin.norm_sqr() * scale * scale / channels.len() as f64);
            powers.iter_mut().zip(own).for_each(|(power, own)| *power += own);
        }
        let bin = |hertz: f64| (hertz * FRAMES as f64 / f64::from(rate)).min(powers.len() as f64 - 1.0);
        let edge = |band: usize| LOWEST * (HIGHEST / LOWEST).powf(band as f64 / BANDS as f64);
        let mut levels = [FLOOR; BANDS];
        for (band, level) in levels.iter_mut().enumerate() {
            let (from, to) = (bin(edge(band)), bin(edge(band + 1)));
            // Where bins lie further apart than bands, what is between two of them is drawn between them.
            let middle = f64::midpoint(from, to);
            let (below, above) = (powers[middle.floor() as usize], powers[middle.ceil() as usize]);
            let between = below + (above - below) * middle.fract();
            let whole = (from.ceil() as usize..=to.floor() as usize).map(|bin| powers[bin]);
            let power = whole.fold(between, f64::max);
            *level = (10.0 * power.log10()).max(FLOOR);
        }
        levels
    }
}

/// How each channel swings, from -127 to 127 at full scale: the least and the most in each column.
fn swing(channels: &[Vec<f32>]) -> Vec<Vec<i32>> {
    let Some(first) = channels.first() else { return Vec::new() };
    let end = first.len().saturating_sub(SWING);
    let begin = end.saturating_sub(SEARCHED);
    // It begins where the sound of all channels comes up through zero, as late as that is.
    let all = |i: usize| channels.iter().filter_map(|channel| channel.get(i)).sum::<f32>();
    let rises = (begin + 1..=end).rev().find(|i| all(i - 1) <= 0.0 && all(*i) > 0.0);
    let from = rises.unwrap_or(end);
    let column = |samples: &[f32]| {
        let least = samples.iter().copied().fold(f32::INFINITY, f32::min);
        let most = samples.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        [least, most].map(|x| (x * 127.0).round().clamp(-160.0, 160.0) as i32)
    };
    let shown = |channel: &Vec<f32>| {
        let newest = channel.get(from..).unwrap_or_default();
        let newest = &newest[..newest.len().min(SWING)];
        newest.chunks(SWING / COLUMNS).flat_map(column).collect()
    };
    channels.iter().take(2).map(shown).collect()
}

/// The newest points between left and right, from -127 to 127 at full scale: left, then right of each. A mono sound lies in the
/// middle.
fn field(channels: &[Vec<f32>]) -> Vec<i32> {
    let (Some(left), Some(right)) = (channels.first(), channels.get(1).or(channels.first())) else { return Vec::new() };
    let pairs = left.iter().zip(right).rev().step_by(APART).take(POINTS);
    let shown = |x: &f32| (x * 127.0).round().clamp(-160.0, 160.0) as i32;
    pairs.flat_map(|(left, right)| [shown(left), shown(right)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;

    fn sine(hertz: f64, gain: f64) -> Vec<f32> {
        (0..3 * FRAMES).map(|i| (gain * (TAU * hertz * i as f64 / f64::from(RATE)).sin()) as f32).collect()
    }

    fn band(hertz: f64) -> usize {
        ((hertz / LOWEST).ln() / (HIGHEST / LOWEST).ln() * BANDS as f64) as usize
    }

    #[test]
    fn a_sine_stands_in_its_band_at_its_own_peak() {
        // What falls between two bins reads low by at most 1.42 dB, the scallop of the window of Hann (Harris, 1978).
        for (hertz, gain) in [(100.0, 1.0), (1000.0, 0.5), (5000.0, 0.1), (15_000.0, 0.25)] {
            for channels in [vec![sine(hertz, gain)], vec![sine(hertz, gain), sine(hertz, gain)]] {
                let levels = Glass::default().bands(&channels, RATE);
                let expected = 20.0 * f64::log10(gain);
                let most = levels.iter().copied().fold(FLOOR, f64::max);
                assert!(most <= expected + 0.01 && most >= expected - 1.43, "{hertz}: {most}");
                let loudest = levels.iter().position(|level| *level == most).expect("it is there");
                assert!(loudest.abs_diff(band(hertz)) <= 1, "{hertz}: {loudest}");
                let far = levels.iter().enumerate().filter(|(at, _)| at.abs_diff(loudest) > 20);
                assert!(hertz < 1000.0 || far.into_iter().all(|(_, level)| *level < expected - 60.0), "{hertz}");
            }
        }
    }

    #[test]
    fn what_swings_begins_where_it_rises_through_zero_and_reaches_as_far_as_it_does() {
        for hertz in [60.0, 440.0, 3000.0] {
            let shown = swing(&[sine(hertz, 0.5)]);
            assert_eq!(shown[0].len(), 2 * COLUMNS);
            let (least, most) = (shown[0].iter().min(), shown[0].iter().max());
            assert!(
                least.is_some_and(|least| (-64..=-62).contains(least))
                    && most.is_some_and(|most| (62..=64).contains(most))
            );
            // The first column begins below the middle or at it.
            assert!(shown[0][0] <= 2 + (hertz / 100.0) as i32, "{hertz}: {:?}", &shown[0][..2]);
        }
        let silent = swing(&[vec![0.0; FRAMES]]);
        assert!(silent[0].iter().all(|x| *x == 0));
        assert!(swing(&[]).is_empty() && swing(&[Vec::new()])[0].is_empty());
    }

    #[test]
    fn what_lies_on_both_sides_lies_in_the_middle_and_what_is_opposite_across() {
        let (left, right) = (sine(440.0, 0.5), sine(440.0, -0.5));
        let pairs = |field: Vec<i32>| field.chunks(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>();
        assert!(pairs(field(std::slice::from_ref(&left))).iter().all(|(l, r)| l == r));
        let across = pairs(field(&[left, right]));
        assert!(across.len() == POINTS && across.iter().all(|(l, r)| *l == -*r));
    }

    #[test]
    fn what_is_too_soft_to_be_heard_has_no_figure() {
        let shown = |lufs: f64, level: f64| {
            let (loudness, level) = ([Some(lufs), Some(lufs), Some(lufs), Some(level)], [Some(level), None]);
            Glass::default().look(&Sound { loudness, level, ..Sound::default() }, RATE)
        };
        let heard = shown(-69.94, -119.94);
        assert_eq!((&heard["lufs"], &heard["rms"]), (&json!([-69.9, -69.9, -69.9, -119.9]), &json!(-119.9)));
        for (lufs, level) in [(-70.1, -120.1), (-542.0, -538.0), (f64::NEG_INFINITY, f64::NAN)] {
            let silent = shown(lufs, level);
            assert_eq!((&silent["lufs"], &silent["rms"]), (&json!([null, null, null, null]), &Value::Null), "{lufs}");
        }
    }

    #[test]
    fn whatever_is_looked_at_something_is_seen() {
        for channels in [vec![], vec![vec![]], vec![vec![f32::NAN; 100]], vec![vec![1e30; FRAMES]; 6]] {
            let seen = Glass::default().look(&Sound { channels, ..Sound::default() }, RATE);
            assert!(seen["bands"].as_array().is_some_and(|bands| bands.len() == BANDS));
        }
    }
}
