//! The test signals of EBU Tech 3341 (2023) and 3342, and what must hold of figures whatever the sound.
//!
//! Official tolerances at every rate; at 48 kHz also what a correct meter reads of a sine whose phase goes on, to 0.005.

use std::f64::consts::{PI, TAU};

use super::blocks::{BLOCK, Blocks};
use super::loudness::{self, Loudness};
use super::*;
use crate::test_signals::{noise, sine};
use crate::true_peak::{Interpolator, SIDE};

/// Seconds at a level in dBFS for all channels; minus infinity is silence.
type Tones<'a> = &'a [(f64, f64)];

const SILENCE: f64 = f64::NEG_INFINITY;

/// Loudness alone, hearing tones of 1 kHz.
struct Meter {
    blocks: Blocks,
    loudness: Loudness,
    /// Ten periods: 10 ms, a whole number of frames at each of the rates.
    tone: Vec<f64>,
    at: usize,
    channels: usize,
}

impl Meter {
    fn new(rate: u32, layout: &str) -> Meter {
        let layout = Layout::named(layout).unwrap();
        let frames = rate as usize / 100;
        Meter {
            blocks: Blocks::new(rate, layout.channels(), 0),
            loudness: Loudness::new(rate, &layout, 0, &(0..u64::MAX)).unwrap(),
            tone: (0..frames).map(|i| math::sin(TAU * 10.0 * i as f64 / frames as f64)).collect(),
            at: 0,
            channels: layout.channels(),
        }
    }

    /// Plays a tone, each channel at its level; calls at the end of each hop of 10 ms.
    fn play(&mut self, seconds: f64, levels: &[f64], mut hop: impl FnMut(&Loudness)) {
        let gains: Vec<f64> = levels.iter().map(|level| math::gain_from_db(*level)).collect();
        let frames = (seconds * self.tone.len() as f64 * 100.0).round() as usize;
        let mut sound = vec![[0.0; BLOCK]; self.channels];
        let mut left = frames;
        while left > 0 {
            let count = left.min(BLOCK - self.blocks.rest()).min(self.tone.len() - self.at);
            for (channel, gain) in sound.iter_mut().zip(&gains) {
                let tone = &self.tone[self.at..self.at + count];
                channel.iter_mut().zip(tone).for_each(|(into, x)| *into = gain * x);
            }
            self.at = (self.at + count) % self.tone.len();
            left -= count;
            let sound: Vec<&[f64]> = sound.iter().map(|channel| &channel[..count]).collect();
            self.blocks.take(&sound, 0);
            if self.blocks.rest() == 0 {
                let block = self.blocks.count() - 1;
                self.loudness.take(&self.blocks, block, BLOCK);
                let hops = |blocks: u64| blocks as usize * BLOCK / self.tone.len();
                if hops(block + 1) > hops(block) {
                    hop(&self.loudness);
                }
            }
        }
    }

    fn end(mut self) -> Loudness {
        let rest = self.blocks.rest();
        self.blocks.fill();
        self.loudness.take(&self.blocks, self.blocks.count() - 1, rest);
        self.loudness
    }
}

fn heard(rate: u32, layout: &str, tones: Tones) -> Loudness {
    let mut meter = Meter::new(rate, layout);
    for (seconds, level) in tones {
        meter.play(*seconds, &vec![*level; meter.channels], |_| {});
    }
    meter.end()
}

/// Within the official tolerance of what is expected, and at 48 kHz of what a correct meter reads.
fn check(case: &str, rate: u32, reading: Option<f64>, expected: f64, ours: f64) {
    let reading = reading.unwrap_or(f64::NAN);
    assert!((reading - expected).abs() <= 0.1, "case {case} at {rate}: {reading}");
    assert!(rate != 48_000 || (reading - ours).abs() <= 0.005, "case {case} at {rate}: {reading}, not {ours}");
}

fn maxima(loudness: &Loudness) -> [Option<f64>; 2] {
    loudness.maxima().map(|most| most.map(|most| most.value))
}

fn tech_3341(rate: u32) {
    for (case, level, ours) in [("1", -23.0, -22.993), ("2", -33.0, -32.993)] {
        let loudness = heard(rate, "stereo", &[(20.0, level)]);
        let [momentary, short_term] = loudness.readings();
        for reading in [momentary, short_term, loudness::integrated(&[&loudness])] {
            check(case, rate, reading, level, ours);
        }
    }
    for (case, tones, ours) in [
        ("3", &[(10.0, -36.0), (60.0, -23.0), (10.0, -36.0)][..], -23.014),
        ("4", &[(10.0, -72.0), (10.0, -36.0), (60.0, -23.0), (10.0, -36.0), (10.0, -72.0)][..], -23.014),
        ("5", &[(20.0, -26.0), (20.1, -20.0), (20.0, -26.0)][..], -22.979),
    ] {
        check(case, rate, loudness::integrated(&[&heard(rate, "stereo", tones)]), -23.0, ours);
    }
    let mut surround = Meter::new(rate, "5.0");
    surround.play(20.0, &[-28.0, -28.0, -24.0, -30.0, -30.0], |_| {});
    check("6", rate, loudness::integrated(&[&surround.end()]), -23.0, -23.016);

    // Constant once the window is full.
    let mut meter = Meter::new(rate, "stereo");
    for _ in 0..5 {
        for (seconds, level) in [(1.34, -20.0), (1.66, -30.0)] {
            meter.play(seconds, &[level; 2], |loudness| {
                if let [_, Some(reading)] = loudness.readings() {
                    check("9", rate, Some(reading), -23.0, -22.986);
                }
            });
        }
    }
    let mut meter = Meter::new(rate, "stereo");
    for _ in 0..25 {
        for (seconds, level) in [(0.18, -20.0), (0.22, -30.0)] {
            meter.play(seconds, &[level; 2], |loudness| {
                if let [Some(reading), _] = loudness.readings() {
                    check("12", rate, Some(reading), -23.0, -22.960);
                }
            });
        }
    }
    for i in 0..20 {
        let at = f64::from(i);
        // A hop of 10 ms meets the whole of the tone wherever it begins: closer than what 10 readings a second are allowed.
        let [_, most] = maxima(&heard(rate, "stereo", &[(0.15 * at, SILENCE), (3.0, -23.0), (1.0, SILENCE)]));
        check("10", rate, most, -23.0, -22.993);
        let [most, _] = maxima(&heard(rate, "stereo", &[(0.02 * at, SILENCE), (0.4, -23.0), (1.0, SILENCE)]));
        check("13", rate, most, -23.0, -22.994);
    }
    // Live: the largest reading of each part, as the levels rise.
    let mut long = Meter::new(rate, "stereo");
    let mut short = Meter::new(rate, "stereo");
    for i in 0..20 {
        let (at, level) = (f64::from(i), -38.0 + f64::from(i));
        let mut most = [SILENCE; 2];
        for (seconds, level) in [(0.15 * at, SILENCE), (3.0, level), (3.0 - 0.15 * at, SILENCE)] {
            long.play(seconds, &[level; 2], |now| most[1] = now.readings()[1].unwrap_or(SILENCE).max(most[1]));
        }
        for (seconds, level) in [(0.02 * at, SILENCE), (0.4, level), (0.4 - 0.02 * at, SILENCE)] {
            short.play(seconds, &[level; 2], |now| most[0] = now.readings()[0].unwrap_or(SILENCE).max(most[0]));
        }
        check("11", rate, Some(most[1]), level, level + 0.007);
        check("14", rate, Some(most[0]), level, level + 0.006);
    }
}

#[test]
fn ebu_tech_3341_at_44_100_hz() {
    tech_3341(44_100);
}

#[test]
fn ebu_tech_3341_at_48_000_hz() {
    tech_3341(48_000);
}

#[test]
fn ebu_tech_3341_at_96_000_hz() {
    tech_3341(96_000);
}

#[test]
fn ebu_tech_3341_at_192_000_hz() {
    tech_3341(192_000);
}

#[test]
fn ebu_tech_3342_at_every_rate() {
    for rate in [44_100, 48_000, 96_000, 192_000] {
        for (levels, range) in [
            (&[-20.0, -30.0][..], 10.0),
            (&[-20.0, -15.0][..], 5.0),
            (&[-40.0, -20.0][..], 20.0),
            (&[-50.0, -35.0, -20.0, -35.0, -50.0][..], 15.0),
        ] {
            let tones: Vec<(f64, f64)> = levels.iter().map(|level| (20.0, *level)).collect();
            let found = loudness::range(&[&heard(rate, "mono", &tones)]).unwrap();
            assert!((found - range).abs() < 0.01, "{rate}, {levels:?}: {found}");
        }
    }
}

fn measured(rate: u32, sound: &[Vec<f64>]) -> Figures {
    let mut measurement = Measurement::new(rate, Layout::of(sound.len()));
    measurement.take(sound);
    measurement.figures()
}

fn value(extreme: Option<Extreme>) -> f64 {
    extreme.map_or(f64::NAN, |extreme| extreme.value)
}

/// Fades of 10 ms at 48 kHz.
fn faded(mut sound: Vec<f64>, frames: usize) -> Vec<f64> {
    let last = sound.len() - 1;
    for i in 0..frames {
        let gain = i as f64 / frames as f64;
        sound[i] *= gain;
        sound[last - i] *= gain;
    }
    sound
}

#[test]
fn ebu_tech_3341_true_peaks_of_sines() {
    // The signals are parts of the rate, so one rate is all.
    for (case, part, amplitude, phase, expected) in [
        ("15", 4.0, 0.5, 0.0_f64, -6.02),
        ("16", 4.0, 0.5, 45.0, -6.02),
        ("17", 6.0, 0.5, 60.0, -6.02),
        ("18", 8.0, 0.5, 67.5, -6.02),
        ("19", 4.0, 1.41, 45.0, 2.985),
    ] {
        let tone = (0..48_000).map(|i| amplitude * math::sin(TAU * f64::from(i) / part + phase.to_radians()));
        let peak = value(measured(48_000, &[faded(tone.collect(), 480)]).true_peak);
        assert!((peak - expected).abs() <= 0.05, "case {case}: {peak}");
    }
}

#[test]
fn ebu_tech_3341_true_peaks_between_samples_that_differ() {
    // At 4 times the rate: a sixth of the rate at half scale, with one whole period of a quarter at full scale.
    let fine: Vec<f64> = {
        let mut phase = 0.0_f64;
        let middle = 9_600..9_616;
        let tone = (0..19_200).map(|i| {
            let (step, gain) = if middle.contains(&i) { (TAU / 16.0, 1.0) } else { (TAU / 24.0, 0.5) };
            let x = gain * math::sin(phase);
            phase += step;
            x
        });
        faded(tone.collect(), 1_920)
    };
    // Below half the rate.
    let (cutoff, side) = (23.0 / 192.0, 400_i32);
    let low_pass: Vec<f64> = (-side..=side)
        .map(|k| {
            let t = f64::from(k);
            let sinc = if k == 0 { 2.0 * cutoff } else { math::sin(TAU * cutoff * t) / (PI * t) };
            sinc * math::kaiser(t / f64::from(side), 9.0)
        })
        .collect();
    let peaks: Vec<f64> = (0..4)
        .map(|offset| {
            let frame = |at: usize| {
                let from = at as i64 - i64::from(side);
                let taps = low_pass.iter().enumerate();
                taps.map(|(k, tap)| tap * fine.get((from + k as i64) as usize).unwrap_or(&0.0)).sum::<f64>()
            };
            let coarse = (offset..19_200).step_by(4).map(frame).collect();
            value(measured(48_000, &[coarse]).true_peak)
        })
        .collect();
    for (case, peak) in (20..).zip(&peaks) {
        assert!((-0.4..=0.2).contains(peak) && (peak - peaks[0]).abs() <= 0.05, "case {case}: {peaks:?}");
    }
}

#[test]
fn a_full_scale_sine_in_one_channel_reads_as_the_standard_says() {
    let tone = sine(997.0, 0.0, 48_000.0, 5 * 48_000);
    let mono = measured(48_000, std::slice::from_ref(&tone));
    assert!((mono.integrated.unwrap() + 3.01).abs() < 0.01, "{mono:?}");
    assert!((mono.rms.unwrap() + 3.0103).abs() < 0.001 && value(mono.true_peak).abs() < 0.01);
    let mut dual = Measurement::new(48_000, Layout::of(1).dual_mono());
    dual.take(std::slice::from_ref(&tone));
    let stereo = measured(48_000, &[tone.clone(), tone]);
    assert!((dual.figures().integrated.unwrap() - stereo.integrated.unwrap()).abs() < 1e-9);
    assert!((stereo.integrated.unwrap() - mono.integrated.unwrap() - 3.0103).abs() < 1e-3);
    // Its peak is as loud as it is.
    assert!((stereo.plr.unwrap() - (value(stereo.true_peak) - stereo.integrated.unwrap())).abs() < 1e-12);
    assert!((value(stereo.psr) - stereo.plr.unwrap()).abs() < 0.01, "{stereo:?}");
}

/// Noise whose level and colour change, as programme's do.
fn programme(seed: u64, frames: usize) -> Vec<f64> {
    let mut low = 0.0;
    let shape = |i: usize| 0.02 + 0.3 * math::pow(math::sin(i as f64 * 0.000_11 + seed as f64).abs(), 4.0);
    let share = |i: usize| 0.05 + 0.9 * math::pow(math::sin(i as f64 * 0.000_031).abs(), 2.0);
    let coloured = noise(seed, frames).into_iter().enumerate().map(|(i, x)| {
        low += share(i) * (x - low);
        shape(i) * low
    });
    coloured.collect()
}

#[test]
fn what_is_skipped_changes_no_peak() {
    let rate = 8_000;
    let sound = [programme(1, 100_000), programme(2, 100_000)];
    let figures = measured(rate, &sound);
    // Every point of every channel, the slow way.
    let interpolator = Interpolator::new();
    let fine: Vec<f64> = {
        let of = |channel: &Vec<f64>| {
            let mut padded = vec![0.0; SIDE - 1];
            padded.extend(channel);
            padded.extend([0.0; SIDE]);
            let mut peaks = vec![0.0; channel.len()];
            interpolator.peaks(&padded, &mut peaks);
            peaks
        };
        of(&sound[0]).iter().zip(of(&sound[1])).map(|(left, right)| left.max(right)).collect()
    };
    let most = fine.iter().copied().fold(0.0, f64::max);
    let at = fine.iter().position(|x| *x == most).unwrap() as u64;
    assert_eq!(figures.true_peak, Some(Extreme { value: math::db_from_gain(most), frame: at }));
    let mut measurement = Measurement::new(rate, Layout::of(2));
    measurement.take(&sound);
    let mut least = f64::INFINITY;
    for moment in measurement.history() {
        let Some(loud) = moment.short_term.filter(|loud| *loud > -70.0) else { continue };
        // To whole blocks.
        let block = |frame: u64| frame.div_ceil(BLOCK as u64) as usize * BLOCK;
        let stretch = block(moment.frame - 3 * u64::from(rate))..block(moment.frame).min(fine.len());
        let peak = fine[stretch].iter().copied().fold(0.0, f64::max);
        least = least.min(math::db_from_gain(peak) - loud);
    }
    assert!((value(figures.psr) - least).abs() < 1e-9, "{:?} {least}", figures.psr);
}

#[test]
fn figures_do_not_depend_on_the_pieces_a_sound_comes_in() {
    let sound = [programme(3, 200_000), programme(4, 200_000)];
    let whole = measured(44_100, &sound);
    for size in [1, 7, 64, 441, 480, 100_000] {
        let mut measurement = Measurement::new(44_100, Layout::of(2));
        for (left, right) in sound[0].chunks(size).zip(sound[1].chunks(size)) {
            measurement.take(&[left, right]);
            if size > 10_000 {
                measurement.figures();
            }
        }
        assert_eq!(measurement.figures(), whole, "{size}");
        assert_eq!(measurement.clone().into_figures(), whole, "{size}, at its end");
        measurement.reset();
        measurement.take(&sound);
        assert_eq!(measurement.figures(), whole);
    }
}

#[test]
fn parts_measured_side_by_side_are_the_whole() {
    for (rate, seconds) in [(8_000, 150), (11_025, 64), (8_000, 129), (8_000, 20)] {
        let frames = rate as usize * seconds + 123;
        let mut sound = [programme(5, frames), programme(6, frames)];
        // What is counted falls on both sides of where it is cut.
        for at in [63, 64, 128] {
            let frame = rate as usize * at;
            if let [Some(one), Some(other)] = sound.each_mut().map(|channel| channel.get_mut(frame)) {
                (*one, *other) = (f64::NAN, 1.0);
            }
        }
        let whole = measured(rate, &sound);
        let layout = Layout::of(2);
        let measured = parts(rate, &layout, 1.0, frames as u64).map(|(mut part, stretch)| {
            part.take(&sound.each_ref().map(|channel| &channel[stretch.start as usize..stretch.end as usize]));
            part
        });
        let joined = joined(measured.collect::<Vec<_>>()).unwrap().figures();
        for figure in Figure::ALL {
            let near = match (joined.get(figure), whole.get(figure)) {
                (Some((a, at)), Some((b, there))) => (a - b).abs() < 1e-9 && at == there,
                (a, b) => a.is_none() && b.is_none(),
            };
            assert!(near, "{rate}, {seconds}, {figure:?}: {:?} {:?}", joined.get(figure), whole.get(figure));
        }
        assert_eq!((joined.broken, joined.frames), (whole.broken, whole.frames));
        assert_eq!(parts(rate, &layout, 1.0, frames as u64).count(), frames.div_ceil(64 * rate as usize));
    }
}

#[test]
fn an_album_is_gated_as_one() {
    let tracks = [(30.0, -20.0), (30.0, -26.0), (30.0, -50.0)].map(|(seconds, level)| {
        let mut measurement = Measurement::new(8_000, Layout::of(1));
        let tone = sine(1_000.0, level, 8_000.0, (seconds * 8_000.0) as usize);
        measurement.take(&[tone]);
        measurement
    });
    let together = album(&tracks.iter().collect::<Vec<_>>()).unwrap();
    // The third is below the gate of all, though not of its own.
    let loud = tracks.each_ref().map(|track| track.figures().integrated.unwrap());
    let mean = (math::gain_from_db(2.0 * loud[0]) + math::gain_from_db(2.0 * loud[1])) / 2.0;
    assert!((together.integrated.unwrap() - math::db_from_gain(mean) / 2.0).abs() < 1e-6);
    assert_eq!((together.frames, together.true_peak), (720_000, tracks[0].figures().true_peak));
    assert_eq!(album(&[&tracks[1], &tracks[0]]).unwrap().true_peak.unwrap().frame / 240_000, 1);
    assert_eq!(album(&[]), None);
    assert_eq!(album(&[&tracks[0], &Measurement::new(8_000, Layout::of(2))]), None);
    assert_eq!(album(&[&tracks[0]]), Some(tracks[0].figures()));
}

#[test]
fn levels_are_what_the_samples_say() {
    let (mut left, right) = (noise(5, 96_000), noise(6, 96_000));
    assert!(measured(48_000, &[left.clone(), right.clone()]).correlation.unwrap().abs() < 0.01);
    let inverted: Vec<f64> = left.iter().map(|x| -0.3 * x).collect();
    assert_eq!(measured(48_000, &[left.clone(), left.clone()]).correlation, Some(1.0));
    assert!((measured(48_000, &[left.clone(), inverted]).correlation.unwrap() + 1.0).abs() < 1e-12);
    assert_eq!(measured(48_000, &[left.clone(), vec![0.0; 96_000]]).correlation, None);
    let offset = measured(48_000, &[right, left.iter().map(|x| 0.5 * x - 0.25).collect()]).dc_offset;
    let mean = left.iter().sum::<f64>() / 192_000.0;
    assert!((offset - mean + 0.25).abs() < 1e-12);
    left[77_777] = -1.5;
    left[88_888] = 1.0;
    let figures = measured(48_000, &[left]);
    assert_eq!(figures.sample_peak, Some(Extreme { value: math::db_from_gain(1.5), frame: 77_777 }));
    assert_eq!(figures.clipped, (2, Some(77_777)));
    let mut sixteen = Measurement::new(48_000, Layout::of(1)).full_scale(32_767.0 / 32_768.0);
    sixteen.take(&[[0.0, 0.999_9, 32_767.0 / 32_768.0, -1.0]]);
    assert_eq!(sixteen.figures().clipped, (2, Some(2)));
}

#[test]
fn what_is_no_number_is_counted_and_spoils_nothing() {
    let sound = programme(7, 100_000);
    let mut broken = sound.clone();
    let mut silenced = sound;
    for (frame, x) in [(10_000, f64::NAN), (10_001, f64::INFINITY), (50_000, 1e200), (99_999, f64::NEG_INFINITY)] {
        broken[frame] = x;
        silenced[frame] = 0.0;
    }
    let (broken, silenced) = (measured(48_000, &[broken]), measured(48_000, &[silenced]));
    assert_eq!(broken.broken, (4, Some(10_000)));
    assert_eq!(Figures { broken: (0, None), ..broken }, silenced);
}

#[test]
fn what_does_not_exist_is_none() {
    let none = |figures: &Figures| {
        Figure::ALL.into_iter().filter(|figure| figures.get(*figure).is_none()).collect::<Vec<Figure>>()
    };
    // Silence has no level and no loudness; a short sound has levels; loudness wants to know where the channels are.
    let silence = none(&measured(48_000, &[vec![0.0; 480_000]]));
    assert!(!silence.contains(&Figure::DcOffset) && silence.contains(&Figure::Lufs) && silence.len() == 11);
    assert_eq!(measured(48_000, &[Vec::new()]).frames, 0);
    assert_eq!(none(&measured(48_000, &[Vec::new()])), silence);
    let short = measured(48_000, &[noise(8, 10_000)]);
    assert!(short.integrated.is_none() && short.momentary.is_none() && short.true_peak.is_some());
    let many = measured(48_000, &vec![noise(9, 96_000); 24]);
    assert!(many.integrated.is_none() && many.true_peak.is_some() && many.channels == 24);
    // Below -70 LUFS nothing is integrated, though momentary loudness is told.
    let quiet = measured(48_000, &[sine(1_000.0, -80.0, 48_000.0, 96_000)]);
    assert!(quiet.integrated.is_none() && (value(quiet.momentary) + 83.0).abs() < 0.1);
}

#[test]
fn readings_are_of_the_moment_and_of_what_came_since_the_last() {
    let mut measurement = Measurement::new(48_000, Layout::of(2));
    assert_eq!(measurement.readings().sample_peak, None);
    let tone = sine(1_000.0, -20.0, 48_000.0, 48_000 * 4);
    measurement.take(&[&tone, &tone]);
    let readings = measurement.readings();
    for reading in [readings.momentary, readings.short_term, readings.true_peak, readings.sample_peak] {
        assert!((reading.unwrap() + 20.0).abs() < 0.02, "{readings:?}");
    }
    assert!((readings.rms.unwrap() + 23.0103).abs() < 1e-6 && readings.correlation == Some(1.0));
    let (left, right) = (sine(12_000.0, -30.0, 48_000.0, 9_600), vec![0.0; 9_600]);
    measurement.take(&[left, right]);
    let readings = measurement.readings();
    assert!((readings.sample_peak.unwrap() + 30.0).abs() < 0.01 && readings.correlation.is_none());
    assert!(readings.momentary.unwrap() < -22.0 && (readings.short_term.unwrap() + 20.3).abs() < 0.1);
    let history = measurement.history();
    assert_eq!((history.len(), history[9].frame, history[2].momentary), (42, 48_000, None));
    assert!((history[39].short_term.unwrap() + 20.0).abs() < 0.02);
}
