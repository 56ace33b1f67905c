//! The analysis against answers that are known beforehand.

use super::*;
use crate::sources::sweep::SWEEP;
use crate::test_signals::{Bench, RATE, noise};

/// A sweep as the word makes it, at a level in dBFS.
fn sweep(swept: Swept, level: f64) -> Vec<f64> {
    let bench = Bench::new(&SWEEP, 0).rate(swept.rate).set("from", swept.from).set("to", swept.to);
    let mut bench = bench.set("time", swept.seconds * 1000.0).set("level", level);
    bench.run_mono(&vec![0.0; swept.frames()])
}

fn whole(seconds: f64) -> Swept {
    Swept { from: 20.0, to: 20_000.0, seconds, rate: RATE }
}

/// A sound as it comes back: later, and with room to ring.
fn later(sound: &[f64], delay: usize, room: usize) -> Vec<f64> {
    [vec![0.0; delay], sound.to_vec(), vec![0.0; room - delay]].concat()
}

#[test]
fn a_loopback_is_late_by_its_delay_to_the_frame_and_flat() {
    let swept = whole(4.0);
    let sent = sweep(swept, -12.0);
    for (delay, gain) in [(0, 1.0), (1, -1.0), (1234, 0.25), (9_999, -0.01)] {
        let heard: Vec<f64> = later(&sent, delay, 24_000).iter().map(|x| gain * x).collect();
        let impulse = Impulse::new(&sent, &heard, swept);
        assert_eq!(impulse.peak(), delay);
        assert!(impulse.clearness() > 2.0 * CLEAR_DB);
        let level = math::db_from_gain(f64::abs(gain));
        for (freq, found) in swept.points().iter().zip(impulse.magnitude()) {
            let inside = (40.0..18_000.0).contains(freq);
            assert!(!inside || (found - level).abs() < 0.07, "{delay}: {found} dB at {freq} Hz");
        }
    }
}

#[test]
fn what_is_only_noise_is_not_taken_for_a_response() {
    let swept = whole(1.0);
    let sent = sweep(swept, -12.0);
    let impulse = Impulse::new(&sent, &noise(1, sent.len() + 24_000), swept);
    assert!(impulse.clearness() < CLEAR_DB - 3.0, "{}", impulse.clearness());
    let nothing = Impulse::new(&sent, &vec![0.0; sent.len() + 24_000], swept);
    assert_eq!(nothing.clearness(), f64::NEG_INFINITY);
}

#[test]
fn the_response_of_a_bell_is_that_of_its_closed_form() {
    let swept = whole(4.0);
    let sent = sweep(swept, -12.0);
    // The peaking filter of the cookbook (Bristow-Johnson; W3C 2021), run as it stands.
    let (freq, gain, q) = (1000.0, 12.0, 2.0);
    let (a, w) = (math::pow(10.0, gain / 40.0), std::f64::consts::TAU * freq / RATE);
    let alpha = math::sin(w) / (2.0 * q);
    let scale = 1.0 + alpha / a;
    let b = [(1.0 + alpha * a) / scale, -2.0 * math::cos(w) / scale, (1.0 - alpha * a) / scale];
    let d = [1.0, -2.0 * math::cos(w) / scale, (1.0 - alpha / a) / scale];
    let mut state = [0.0; 4];
    let mut run = |x: f64| {
        let y = b[0] * x + b[1] * state[0] + b[2] * state[1] - d[1] * state[2] - d[2] * state[3];
        state = [x, state[0], y, state[2]];
        y
    };
    let heard: Vec<f64> = later(&sent, 500, 24_000).into_iter().map(&mut run).collect();
    let impulse = Impulse::new(&sent, &heard, swept);
    for (freq, found) in swept.points().into_iter().zip(impulse.magnitude()) {
        let w = std::f64::consts::TAU * freq / RATE;
        let power = |c: [f64; 3]| {
            let turn = |n: f64| Bin::new(math::cos(n * w), -math::sin(n * w));
            (turn(1.0) * c[1] + turn(2.0) * c[2] + c[0]).norm_sqr()
        };
        let expected = math::db_from_gain(power(b) / power(d)) / 2.0;
        let inside = (40.0..18_000.0).contains(&freq);
        assert!(!inside || (found - expected).abs() < 0.1, "{found} dB at {freq} Hz, not {expected}");
    }
}

#[test]
fn harmonics_come_early_by_the_logarithm_of_their_order_and_at_their_level() {
    let swept = whole(4.0);
    let (second, third) = (0.1, 0.05);
    let sent = sweep(swept, -6.0);
    let peak = math::gain_from_db(-6.0);
    let bent: Vec<f64> = sent.iter().map(|x| x + second * x * x + third * x * x * x).collect();
    let impulse = Impulse::new(&sent, &later(&bent, 300, 24_000), swept);
    // The powers of a sine, by the theorem of multiple angles.
    let fundamental = peak + third * 0.75 * peak * peak * peak;
    let expected = [second * peak * peak / 2.0, third * peak * peak * peak / 4.0];
    let harmonics = impulse.harmonics();
    for (harmonic, expected) in harmonics.iter().zip(expected) {
        let early = swept.early(harmonic.order);
        assert!((harmonic.early as f64 - early).abs() <= 1.0, "{} frames, not {early}", harmonic.early);
        let level = math::db_from_gain(expected / fundamental);
        for (freq, found) in swept.points().into_iter().zip(&harmonic.levels) {
            if (100.0..18_000.0 / harmonic.order as f64).contains(&freq) {
                let found = found.expect("it is within the band");
                assert!((found - level).abs() < 0.1, "order {}: {found} dB at {freq} Hz, not {level}", harmonic.order);
            }
        }
    }
    let at_1k = swept.points().iter().position(|freq| *freq >= 1000.0).expect("it has 1 kHz");
    for harmonic in &harmonics[2..] {
        assert!(harmonic.levels[at_1k].expect("it is within the band") < -90.0, "there is no order {}", harmonic.order);
    }
    let ratio = (expected[0] * expected[0] + expected[1] * expected[1]) / (fundamental * fundamental);
    let together = Impulse::distortion(&harmonics)[at_1k].expect("it is within the band");
    assert!((together - math::db_from_gain(ratio) / 2.0).abs() < 0.1);
}

#[test]
fn the_harmonics_of_a_ten_second_sweep_come_when_farina_says() {
    let swept = whole(10.0);
    for (order, seconds) in [(2, 1.0034), (3, 1.5904), (4, 2.0069)] {
        assert!((swept.early(order) / RATE - seconds).abs() < 5e-5);
    }
}

/// Noise that dies away by 60 dB in so many seconds, over so many.
fn dying(seed: u64, seconds: f64, frames: usize) -> Vec<f64> {
    let rate = -60.0 / seconds / RATE;
    noise(seed, frames).iter().enumerate().map(|(i, x)| x * math::gain_from_db(rate * i as f64)).collect()
}

/// The decay of all frequencies together.
fn broadband(sound: &[f64]) -> decay::Fit {
    decay::of(sound, 12_000.0, RATE).t30.expect("it is clear of noise")
}

#[test]
fn noise_of_a_known_decay_reads_it_within_a_hundredth() {
    let fits: Vec<_> = (0..8).map(|seed| broadband(&dying(seed, 1.2, 115_200))).collect();
    for fit in &fits {
        assert!((fit.seconds / 1.2 - 1.0).abs() < 0.01 && fit.r2 > 0.999, "{fit:?}");
    }
}

#[test]
fn every_band_reads_a_known_decay_in_the_mean() {
    const SEEDS: u64 = 6;
    // A narrow band has few independent samples: its readings scatter by about 0.55 / sqrt(width x time) (ISO 3382-2).
    let mut sums = [0.0; 7];
    for seed in 0..SEEDS {
        for (sum, one) in sums.iter_mut().zip(decay::by_octaves(&dying(seed, 1.2, 115_200), 0, RATE, 88.0, 12_000.0)) {
            let fit = one.t30.expect("it is clear of noise");
            assert!(one.band < 500.0 || fit.r2 >= 0.995, "{} Hz: {fit:?}", one.band);
            *sum += fit.seconds / SEEDS as f64;
        }
    }
    for (band, mean) in decay::BANDS[2..].iter().zip(sums) {
        let scatter = 0.55 / math::sqrt(band / math::sqrt(2.0) * 1.2 * SEEDS as f64);
        let bound = f64::max(0.01, 2.0 * scatter);
        assert!((mean / 1.2 - 1.0).abs() < bound, "{band} Hz: {mean} s");
    }
}

#[test]
fn a_tone_that_dies_away_reads_its_decay_in_its_own_band() {
    for band in &decay::BANDS[2..] {
        let tone: Vec<f64> = (0..96_000)
            .map(|i| {
                let level = math::gain_from_db(-60.0 / 1.2 * i as f64 / RATE);
                level * math::sin(std::f64::consts::TAU * band * i as f64 / RATE)
            })
            .collect();
        let edge = math::sqrt(2.0);
        let all = decay::by_octaves(&tone, 0, RATE, band / edge, band * edge);
        let [own] = &all[..] else { panic!("one band lies within its own edges") };
        for fit in [own.t20, own.t30] {
            let fit = fit.expect("it is clear of noise");
            assert!((fit.seconds / 1.2 - 1.0).abs() < 0.01 && fit.r2 > 0.999, "{band} Hz: {fit:?}");
        }
    }
}

#[test]
fn noise_neither_lengthens_a_decay_nor_is_one_read_out_of_it() {
    let with = |level: f64| -> Vec<f64> {
        let hiss = noise(99, 144_000);
        dying(3, 1.0, 144_000).iter().zip(hiss).map(|(x, n)| x + math::gain_from_db(level) * n).collect()
    };
    let clear = broadband(&with(-60.0));
    assert!((clear.seconds - 1.0).abs() < 0.02, "{clear:?}");
    let near = decay::of(&with(-40.0), 12_000.0, RATE);
    assert!(near.t30.is_none() && near.t20.is_some(), "40 dB above the noise: {near:?}");
    assert!((near.range - 40.0).abs() < 1.5, "{}", near.range);
    let lost = decay::of(&noise(5, 96_000), 12_000.0, RATE);
    assert_eq!((lost.edt, lost.t20, lost.t30), (None, None, None));
}

#[test]
fn a_room_reads_the_same_through_a_sweep() {
    let swept = whole(2.0);
    let sent = sweep(swept, -12.0);
    // A direct sound, then a tail of 0.8 s: convolved by multiplying spectra.
    let mut room = dying(7, 0.8, 60_000);
    room.iter_mut().for_each(|x| *x *= 0.1);
    room[0] = 1.0;
    let frames = sent.len() + 72_000;
    let size = (frames + room.len()).next_power_of_two();
    let (back, mut bins) = transformed(&sent, size);
    bins.iter_mut().zip(transformed(&room, size).1).for_each(|(a, b)| *a *= b / size as f64);
    back.process(&mut bins);
    let heard: Vec<f64> = bins[..frames].iter().map(|bin| bin.re).collect();
    let impulse = Impulse::new(&sent, &heard, swept);
    assert_eq!(impulse.peak(), 0);
    for (found, direct) in impulse.decays().iter().zip(decay::by_octaves(&room, 0, RATE, 20.0, 20_000.0)) {
        if found.band >= 125.0 {
            let (found, direct) = (found.t30.expect("it is clear"), direct.t30.expect("so is this"));
            assert!((found.seconds / direct.seconds - 1.0).abs() < 0.02, "{found:?}, not {direct:?}");
        }
    }
}
