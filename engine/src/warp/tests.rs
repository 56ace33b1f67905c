//! What a warped sound must hold.

use std::f64::consts::TAU;

use super::*;
use crate::random;
use crate::test_signals::{RATE, level_at, rms};

/// Ratios of lengths, some of them awkward.
const RATIOS: [f64; 5] = [0.5, 0.731, 1.07, 1.5, 2.0];

/// Nothing but what is said.
fn to(frames: usize) -> Warp {
    Warp { speed: 1.0, frames, semitones: 0.0, looped: false }
}

fn narrow(sound: &[f64]) -> Vec<f32> {
    sound.iter().map(|x| *x as f32).collect()
}

fn made(sound: &[f64], to: Warp) -> Vec<f64> {
    warp(vec![narrow(sound)], RATE, to).remove(0).into_iter().map(f64::from).collect()
}

fn stretched(sound: &[f64], ratio: f64) -> Vec<f64> {
    made(sound, to((sound.len() as f64 * ratio) as usize))
}

/// Sines of a frequency and a peak each.
fn sines(list: &[(f64, f64)], frames: usize) -> Vec<f64> {
    let at = |i: usize| list.iter().map(|(freq, peak)| peak * math::sin(TAU * freq * i as f64 / RATE)).sum();
    (0..frames).map(at).collect()
}

/// All but the beginning and the end.
fn middle(sound: &[f64]) -> &[f64] {
    &sound[sound.len() / 6..sound.len() * 5 / 6]
}

/// What is left of the middle of a sound when its sines are taken out, in dB below all of it. A sine that is off by a
/// hundredth of a percent leaves -30 dB of a second.
fn beside(sound: &[f64], freqs: &[f64]) -> f64 {
    let mut rest = middle(sound).to_vec();
    let all = rms(&rest);
    // Sines that are not quite orthogonal over the stretch are taken out in turns.
    let turns = if freqs.len() == 1 { 1 } else { 4 * freqs.len() };
    for freq in freqs.iter().cycle().take(turns) {
        let w = TAU * freq / RATE;
        let waves: Vec<(f64, f64)> =
            (0..rest.len()).map(|i| (math::sin(w * i as f64), math::cos(w * i as f64))).collect();
        let [mut ss, mut cc, mut sc, mut xs, mut xc] = [0.0; 5];
        for ((s, c), x) in waves.iter().zip(&rest) {
            (ss, cc, sc, xs, xc) = (ss + s * s, cc + c * c, sc + s * c, xs + x * s, xc + x * c);
        }
        let whole = ss * cc - sc * sc;
        let (a, b) = ((xs * cc - xc * sc) / whole, (xc * ss - xs * sc) / whole);
        rest.iter_mut().zip(&waves).for_each(|(x, (s, c))| *x -= a * s + b * c);
    }
    rms(&rest) - all
}

#[test]
fn a_sine_keeps_its_frequency_and_its_level_at_any_length() {
    for freq in [55.0, 997.0, 12_013.0] {
        let sound = sines(&[(freq, 0.5)], 48_000);
        for ratio in RATIOS {
            let made = stretched(&sound, ratio);
            let (level, rest) = (level_at(middle(&made), freq, RATE), beside(&made, &[freq]));
            assert!((level + 6.0206).abs() < 0.02, "{freq} Hz times {ratio}: {level} dB");
            // The mirror of 55 Hz at -55 Hz is near.
            let bound = if freq < 100.0 { -60.0 } else { -120.0 };
            assert!(rest < bound, "{freq} Hz times {ratio}: {rest} dB beside it");
        }
    }
}

#[test]
fn a_chord_stays_the_chord_it_is() {
    let chord = [(110.0, 0.2), (277.2, 0.15), (659.3, 0.1), (1318.5, 0.1), (5011.0, 0.05)];
    let sound = sines(&chord, 48_000);
    for ratio in RATIOS {
        let rest = beside(&stretched(&sound, ratio), &chord.map(|(freq, _)| freq));
        assert!(rest < -43.0, "times {ratio}: {rest} dB beside it");
    }
}

/// A click every so many frames on what else there is, but for the first.
fn clicks(every: usize, mut sound: Vec<f64>) -> Vec<f64> {
    (every..sound.len()).step_by(every).for_each(|at| sound[at] += 0.8);
    sound
}

#[test]
fn clicks_stay_on_the_beat_as_they_are_with_nothing_before_them() {
    for every in [24_000, 6_000, 3_000] {
        let sound = clicks(every, vec![0.0; 72_000]);
        for ratio in RATIOS {
            let made = stretched(&sound, ratio);
            for n in 1..72_000 / every {
                let beat = ((n * every) as f64 * ratio + 0.5) as usize;
                let loudest = (beat - 240..beat + 240).max_by(|a, b| made[*a].abs().total_cmp(&made[*b].abs()));
                assert_eq!(loudest, Some(beat), "times {ratio}");
                let peak = math::db_from_gain(made[beat] / 0.8);
                assert!(peak.abs() < 0.2, "times {ratio}: {peak} dB");
                let before = made[beat - 960..beat].iter().fold(0.0, |most: f64, x| most.max(x.abs()));
                assert!(before < 1e-6, "times {ratio}: {before} before the click");
            }
        }
    }
}

#[test]
fn a_tone_goes_on_through_clicks_that_stay_on_the_beat() {
    let (every, freq) = (12_000, 1003.0);
    let sound = clicks(every, sines(&[(freq, 0.2)], 72_000));
    for ratio in RATIOS {
        let made = stretched(&sound, ratio);
        let beats: Vec<usize> = (1..6).map(|n| ((n * every) as f64 * ratio + 0.5) as usize).collect();
        for &beat in &beats {
            let loudest = (beat - 240..beat + 240).max_by(|a, b| made[*a].abs().total_cmp(&made[*b].abs()));
            assert!(loudest.is_some_and(|loudest| loudest.abs_diff(beat) <= 1), "times {ratio}");
            assert!((0.8 * 0.7..1.2).contains(&made[beat].abs()), "times {ratio}: {}", made[beat]);
            for near in [beat - 1100, beat + 140] {
                let level = level_at(&made[near..near + 957], freq, RATE) + 13.979;
                assert!(level.abs() < 0.5, "times {ratio}: {level} dB at {near}, by the click at {beat}");
            }
        }
    }
}

#[test]
fn pitch_alone_keeps_the_length() {
    for (semitones, freq) in [(12.0, 997.0), (-12.0, 997.0), (7.0, 440.0), (-0.5, 3000.0)] {
        let made = made(&sines(&[(freq, 0.5)], 48_000), Warp { semitones, ..to(48_000) });
        let rest = beside(&made, &[freq * math::pow(2.0, semitones / 12.0)]);
        assert_eq!(made.len(), 48_000);
        assert!(rest < -90.0, "{semitones} semitones: {rest} dB beside it");
    }
}

#[test]
fn a_tape_takes_pitch_and_length_together() {
    let sound = sines(&[(997.0, 0.5)], 24_000);
    for speed in [0.5, 1.37, 2.0] {
        let frames = frames_at(speed, 24_000) as usize;
        let made = made(&sound, Warp { speed, ..to(frames) });
        let rest = beside(&made, &[997.0 * speed]);
        assert!(made.len() == frames && rest < -100.0, "at {speed}: {rest} dB beside it");
    }
    let high = made(&sines(&[(15_000.0, 0.5)], 24_000), Warp { speed: 2.0, ..to(12_000) });
    assert!(rms(middle(&high)) < -100.0, "{} dB of what the rate has no room for", rms(middle(&high)));
    let mut backwards = made(&sound, Warp { speed: -1.0, ..to(24_000) });
    backwards.reverse();
    assert_eq!(narrow(&backwards), narrow(&sound));
}

/// Noise in so many channels.
fn noise(channels: u64, frames: u64) -> Vec<Vec<f32>> {
    (0..channels).map(|seed| (0..frames).map(|i| random::even(seed, i) as f32).collect()).collect()
}

#[test]
fn what_is_so_already_is_left_as_it_is() {
    let sound = noise(2, 5000);
    for looped in [false, true] {
        assert_eq!(warp(sound.clone(), RATE, Warp { looped, ..to(5000) }), sound);
    }
}

#[test]
fn it_is_as_long_as_it_is_to_be_to_the_frame() {
    for length in [1, 7, 500, 5000, 20_001] {
        for frames in [1, 33, 4097, 20_011] {
            for (semitones, looped) in [(0.0, false), (0.0, true), (-7.0, true), (24.0, false)] {
                let made = warp(noise(3, length), RATE, Warp { semitones, looped, ..to(frames) });
                assert!(made.len() == 3 && made.iter().all(|channel| channel.len() == frames));
                assert!(made.iter().flatten().all(|x| x.abs() < 4.0), "{length} to {frames}");
            }
        }
    }
}

#[test]
fn the_image_stays_where_it_is() {
    // The right side is the left one at half, upside down: that is what it stays.
    let left = noise(1, 24_000).remove(0);
    let right: Vec<f32> = left.iter().map(|x| -0.5 * x).collect();
    for (frames, semitones) in [(35_003, 0.0), (15_000, 0.0), (24_000, 5.0)] {
        let made = warp(vec![left.clone(), right.clone()], RATE, Warp { semitones, ..to(frames) });
        let error: Vec<f64> = made[0].iter().zip(&made[1]).map(|(l, r)| f64::from(-0.5 * l - r)).collect();
        assert!(rms(&error) < -130.0, "{} dB", rms(&error));
    }
}

#[test]
fn a_loop_leads_into_itself() {
    // Whole periods, but for what the vocoder does to their phases on the way round.
    let sound = sines(&[(250.0, 0.3), (1000.0, 0.2)], 48_000);
    let whole = rms(&sound);
    for frames in [60_000, 40_000] {
        let once = made(&sound, Warp { looped: true, ..to(frames) });
        let seam = [&once[frames - 4800..], &once[..4800]].concat();
        let bend = |sound: &[f64]| {
            sound.windows(3).map(|x| (x[0] - 2.0 * x[1] + x[2]).abs()).fold(0.0, |most: f64, x| most.max(x))
        };
        assert!(bend(&seam) < 1.02 * bend(middle(&once)), "{} at the seam, {}", bend(&seam), bend(middle(&once)));
        for level in seam.chunks(960).map(rms) {
            assert!((level - whole).abs() < 0.5, "{level} dB of {whole} at the seam");
        }
    }
}
