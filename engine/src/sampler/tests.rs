//! The sampler, measured: exactness, chokes, stealing, determinism.

use assert_no_alloc::assert_no_alloc;

use super::*;
use crate::random;
use crate::test_signals::{db_of_power, level_at, noise, sine, tone_in};

const RATE: f64 = 48_000.0;

/// Frames of [`CHOKE`] and of [`EDGE`].
const CHOKED: usize = 144;
const EDGED: usize = 48;

const SETTINGS: Settings = Settings { rate: RATE, touch: 12.0, cut: CHOKE };

fn sound(channels: &[Vec<f64>], choke: Option<u32>) -> Sound {
    let narrow = |channel: &Vec<f64>| channel.iter().map(|x| *x as f32).collect();
    Sound::new(channels.iter().map(narrow).collect(), choke, RATE)
}

fn wide(sound: &Sound, channel: usize) -> Vec<f64> {
    sound.channels()[channel].iter().map(|x| f64::from(*x)).collect()
}

fn sampler(sounds: &[Sound]) -> Sampler {
    with(sounds, SETTINGS)
}

fn with(sounds: &[Sound], settings: Settings) -> Sampler {
    Sampler::new(sounds.to_vec().into(), settings)
}

/// What happens at a frame: a stroke, or that all is stopped.
type Score = [(usize, Option<Stroke>)];

/// So many frames of a score in `channels` channels, in stretches of at most `stretch` frames.
fn play_on(
    sampler: &mut Sampler,
    score: &Score,
    frames: Range<usize>,
    channels: usize,
    stretch: usize,
) -> Vec<Vec<f64>> {
    let mut out = vec![Vec::new(); channels];
    let mut audio = vec![[0.0; QUANTUM]; channels];
    for quantum in frames.step_by(QUANTUM) {
        audio.iter_mut().for_each(|channel| channel.fill(0.0));
        for (at, stroke) in score.iter().filter(|(at, _)| (quantum..quantum + QUANTUM).contains(at)) {
            let done = match stroke {
                Some(stroke) => sampler.start(at - quantum, *stroke),
                None => sampler.stop_all(at - quantum),
            };
            assert_eq!(done, Ok(()));
        }
        for first in (0..QUANTUM).step_by(stretch) {
            let stretch = first..(first + stretch).min(QUANTUM);
            assert_no_alloc(|| sampler.process(stretch, &[], &mut audio));
        }
        out.iter_mut().zip(&audio).for_each(|(out, channel)| out.extend_from_slice(channel));
    }
    out
}

fn play(sounds: &[Sound], score: &Score, frames: usize) -> Vec<f64> {
    play_on(&mut sampler(sounds), score, 0..frames, 1, QUANTUM).remove(0)
}

fn largest_step(sound: &[f64]) -> f64 {
    sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max)
}

const WHOLE: Stroke =
    Stroke { sound: 0, velocity: 1.0, speed: 1.0, from: 0.0, to: f64::INFINITY, late: false, frames: None };

#[test]
fn at_its_own_speed_a_sound_leaves_with_its_bits_on_its_frame() {
    let noisy = sound(&[noise(1, 1000)], None);
    for at in [0, 1, 63, 64, 200] {
        let out = play(std::slice::from_ref(&noisy), &[(at, Some(WHOLE))], 2048);
        assert!(out[..at].iter().chain(&out[at + 1000..]).all(|x| *x == 0.0));
        assert!(out[at..at + 1000] == wide(&noisy, 0)[..]);
    }
    let back = play(std::slice::from_ref(&noisy), &[(5, Some(Stroke { speed: -1.0, ..WHOLE }))], 2048);
    let mut turned = wide(&noisy, 0);
    turned.reverse();
    assert!(back[5..1005] == turned[..]);
}

#[test]
fn channels_go_to_channels_and_one_goes_to_all() {
    let stereo = sound(&[noise(1, 300), noise(2, 300)], None);
    let mono = sound(&[noise(3, 300)], None);
    let mut both = sampler(&[stereo.clone(), mono.clone()]);
    let out = play_on(&mut both, &[(0, Some(WHOLE))], 0..320, 2, QUANTUM);
    assert!(out[0][..300] == wide(&stereo, 0)[..] && out[1][..300] == wide(&stereo, 1)[..]);
    let out = play_on(&mut both, &[(0, Some(Stroke { sound: 1, ..WHOLE }))], 0..320, 2, QUANTUM);
    assert!(out[0] == out[1] && out[0][..300] == wide(&mono, 0)[..]);
    let out = play(std::slice::from_ref(&stereo), &[(0, Some(WHOLE))], 320);
    let (left, right) = (wide(&stereo, 0), wide(&stereo, 1));
    assert!((0..300).all(|i| (out[i] - (left[i] + right[i]) / 2.0).abs() < 1e-15));
}

#[test]
fn at_other_speeds_a_tone_is_90_db_clean_and_at_its_pitch() {
    let tone = sound(&[sine(1000.0, 0.0, RATE, 48_000)], None);
    for speed in [1.5, 0.5, 0.7, 1.01, 2.0, 3.3, -1.5, 7.9] {
        let out = play(std::slice::from_ref(&tone), &[(0, Some(Stroke { speed, ..WHOLE }))], 48_000);
        let middle = &out[1000..((46_000.0 / f64::abs(speed)) as usize).min(48_000)];
        let found = tone_in(middle, std::f64::consts::TAU * 1000.0 * f64::abs(speed) / RATE);
        let whole: f64 = middle.iter().map(|x| x * x).sum();
        let clean = db_of_power(found.energy / (whole - found.energy).abs().max(1e-30));
        assert!(clean > 90.0, "at {speed}: {clean} dB");
        assert!((found.peak - 1.0).abs() < 1e-3, "at {speed}: {}", found.peak);
    }
}

#[test]
fn what_a_faster_speed_lifts_beyond_half_the_rate_is_taken_away() {
    for (freq, speed, alias) in [(18_000.0, 2.0, 12_000.0), (15_000.0, 3.0, 3000.0), (10_000.0, 5.0, 2000.0)] {
        let tone = sound(&[sine(freq, 0.0, RATE, 48_000)], None);
        let out = play(&[tone], &[(0, Some(Stroke { speed, ..WHOLE }))], 8192);
        let level = level_at(&out[1000..7000], alias, RATE);
        assert!(level < -80.0, "{freq} Hz at {speed}: {level} dB at {alias} Hz");
    }
    // Slower, what the sound has is kept and its images are not heard.
    let tone = sound(&[sine(16_000.0, 0.0, RATE, 48_000)], None);
    let out = play(&[tone], &[(0, Some(Stroke { speed: 0.5, ..WHOLE }))], 48_000);
    assert!(level_at(&out[2000..46_000], 8000.0, RATE).abs() < 0.1);
    assert!(level_at(&out[2000..46_000], 16_000.0, RATE) < -80.0);
}

#[test]
fn slices_side_by_side_add_up_to_what_they_were_cut_from() {
    let noisy = sound(&[noise(1, 3000)], None);
    let slice = |from: f64, to: f64| Some(Stroke { from, to, ..WHOLE });
    let score = [(0, slice(0.0, 900.4)), (900, slice(900.4, 2100.0)), (2100, slice(2100.0, 9e9))];
    let out = play(std::slice::from_ref(&noisy), &score, 3200);
    let whole = wide(&noisy, 0);
    assert!((0..3000).all(|i| (out[i] - whole[i]).abs() < 1e-12));
    // Backwards too, where the last comes first.
    let slice = |from: f64, to: f64| Some(Stroke { from, to, speed: -1.0, ..WHOLE });
    let score = [(0, slice(2100.0, 9e9)), (900, slice(900.0, 2100.0)), (2100, slice(0.0, 900.0))];
    let out = play(&[noisy], &score, 3200);
    assert!((0..3000).all(|i| (out[i] - whole[2999 - i]).abs() < 1e-12));
}

#[test]
fn nothing_of_what_follows_a_slice_is_heard_and_from_silence_it_begins_with_its_bits() {
    let quiet: Vec<f64> = sine(1000.0, -40.0, RATE, 1000);
    let loud: Vec<f64> = vec![0.9; 1000];
    let bursts = sound(&[[&quiet[..], &loud, &quiet].concat()], Some(0));
    for (speed, from) in [(1.0, 0.0), (-1.0, 2000.0)] {
        let slice = Stroke { from, to: from + 1000.0, speed, ..WHOLE };
        let out = play(std::slice::from_ref(&bursts), &[(7, Some(slice))], 2048);
        assert!(out.iter().all(|x| x.abs() <= 0.0101), "at {speed}");
        assert!(largest_step(&out[7..]) < 0.002, "at {speed}");
        assert!(out[1007 + EDGED..].iter().all(|x| *x == 0.0), "at {speed}");
    }
    let struck = |score: &Score| play(std::slice::from_ref(&bursts), score, 2048);
    let burst = Stroke { from: 1000.0, to: 2000.0, ..WHOLE };
    assert!(struck(&[(7, Some(burst))])[7..1007].iter().all(|x| *x == f64::from(0.9f32)));
    // Where it cuts off another, and entered in the middle, it comes in; both together are as loud as one.
    let mut slicer = with(std::slice::from_ref(&bursts), Settings { cut: EDGE, ..SETTINGS });
    let cut = play_on(&mut slicer, &[(0, Some(burst)), (500, Some(burst))], 0..2048, 1, QUANTUM).remove(0);
    assert!(cut[..1500].iter().all(|x| (*x - f64::from(0.9f32)).abs() < 1e-12));
    assert_eq!(struck(&[(7, Some(Stroke { late: true, ..burst }))])[7], 0.0);
}

#[test]
fn a_stroke_is_cut_after_its_frames() {
    let even = sound(&[vec![0.5; 4000]], None);
    let out = play(&[even], &[(10, Some(Stroke { frames: Some(1000), ..WHOLE }))], 2048);
    assert!(out[10..1010].iter().all(|x| *x == 0.5));
    assert!(out[1010 + EDGED..].iter().all(|x| *x == 0.0));
    assert!(largest_step(&out[11..]) < 0.5 / EDGED as f64 + 1e-12);
}

#[test]
fn velocity_is_level_and_brightness() {
    let both: Vec<f64> =
        sine(200.0, -6.0, RATE, 9600).iter().zip(sine(8000.0, -6.0, RATE, 9600)).map(|(a, b)| a + b).collect();
    let tones = sound(&[both], None);
    assert!((2000.0..4000.0).contains(&tones.edge()), "{}", tones.edge());
    let levels = |velocity: f64| {
        let out = play(std::slice::from_ref(&tones), &[(0, Some(Stroke { velocity, ..WHOLE }))], 9600);
        (level_at(&out[2400..], 200.0, RATE) + 6.0, level_at(&out[2400..], 8000.0, RATE) + 6.0)
    };
    let (low, high) = levels(1.0);
    assert!(low.abs() < 1e-3 && high.abs() < 1e-3);
    // A half: 12 dB by level, and above the edge half of the touch besides, as a shelf of first order has it.
    let shelf = |freq: f64| {
        let share = crate::one_pole::share(tones.edge(), RATE);
        let w = std::f64::consts::TAU * freq / RATE;
        let (re, im) = (1.0 - (1.0 - share) * math::cos(w), (1.0 - share) * math::sin(w));
        let (low_re, low_im) = (share * re / (re * re + im * im), -share * im / (re * re + im * im));
        let g = math::gain_from_db(-6.0);
        db_of_power((g + (1.0 - g) * low_re).powi(2) + ((1.0 - g) * low_im).powi(2))
    };
    let (low, high) = levels(0.5);
    assert!((low + 12.041 - shelf(200.0)).abs() < 0.02, "{low} dB");
    assert!((high + 12.041 - shelf(8000.0)).abs() < 0.02 && shelf(8000.0) < -3.5, "{high} dB");
    let (low, high) = levels(0.999);
    assert!(low.abs() < 0.02 && high.abs() < 0.04, "{low} {high}");
    assert_eq!(levels(0.0).0, f64::NEG_INFINITY);
}

#[test]
fn a_soft_sine_is_duller_from_half_its_frequency_on() {
    for freq in [50.0, 1000.0, 12_000.0] {
        let edge = sound(&[sine(freq, 0.0, RATE, 48_000)], None).edge();
        assert!((2.0 * edge / freq - 1.0).abs() < 1e-3, "{edge} of {freq}");
    }
}

#[test]
fn a_stroke_chokes_earlier_ones_of_its_group_in_3_ms_without_a_click() {
    let tone = sound(&[sine(100.0, -6.0, RATE, 20_000)], Some(1));
    let silence = sound(&[vec![0.0; 100]], Some(1));
    let other = sound(&[vec![0.0; 100]], Some(2));
    let strike = |sound: usize| Some(Stroke { sound, ..WHOLE });
    let sounds = [tone.clone(), silence, other];
    let at = 1003;
    let out = play(&sounds, &[(0, strike(0)), (at, strike(1))], 4096);
    assert!(out[..at] == wide(&tone, 0)[..at]);
    assert!(out[at + CHOKED / 2].abs() > 0.0 && out[at + CHOKED..].iter().all(|x| *x == 0.0));
    assert!(largest_step(&out) < largest_step(&wide(&tone, 0)) + 0.501 / CHOKED as f64);
    // Not by another group; and what is struck together sounds together.
    assert!(play(&sounds, &[(0, strike(0)), (at, strike(2))], 4096) == wide(&tone, 0)[..4096]);
    assert!(play(&sounds, &[(0, strike(0)), (0, strike(1))], 4096) == wide(&tone, 0)[..4096]);
    let stopped = play(&sounds, &[(0, strike(0)), (at, None)], 4096);
    assert!(stopped == out);
}

#[test]
fn a_voice_is_stolen_without_a_click_and_none_is_left_over() {
    // Each rises within 100 frames to 1 and stays there: what broke off would be a step of 1.
    let rising: Vec<f64> = (0..50_000).map(|i| (f64::from(i) / 100.0).min(1.0)).collect();
    let sounds = [sound(&[rising], None)];
    let score: Vec<_> = (0..60).map(|i| (i * 50, Some(WHOLE))).collect();
    let out = play(&sounds, &score, 8192);
    let apart = largest_step(&out);
    assert!(apart < 0.05, "a step of {apart}");
    assert!((out[8000] - VOICES as f64).abs() < 1e-9, "{} voices sound", out[8000]);
    // All at once, the newest stay, and nothing is heard of the others.
    let score: Vec<_> = (0..100).map(|_| (7, Some(WHOLE))).collect();
    let out = play(&sounds, &score, 1024);
    assert!((out[1000] - VOICES as f64).abs() < 1e-9 && largest_step(&out) < 0.33);
}

/// Strokes of three sounds as a bad player would play them.
fn wild(seed: u64, count: u64) -> (Vec<Sound>, Vec<(usize, Option<Stroke>)>) {
    let sounds = vec![
        sound(&[noise(1, 5000), noise(2, 5000)], Some(1)),
        sound(&[sine(300.0, -3.0, RATE, 9000)], None),
        sound(&[noise(3, 700)], Some(1)),
    ];
    let speeds = [1.0, -1.0, 0.5, 1.37, -2.2, 12.0];
    let mut score: Vec<_> = (0..count)
        .map(|i| {
            let random = |number: u64, most: usize| ((random::even(seed, 8 * i + number) + 0.5) * most as f64) as usize;
            let stroke = Stroke {
                sound: random(0, 3),
                velocity: random(1, 5) as f64 / 4.0,
                speed: speeds[random(2, 6)],
                from: random(3, 300) as f64,
                to: if random(4, 2) == 0 { f64::INFINITY } else { 600.0 },
                late: random(3, 2) == 0,
                frames: (random(5, 2) == 0).then_some(random(6, 2000) as u64),
            };
            (random(7, 16_000), (i % 17 != 16).then_some(stroke))
        })
        .collect();
    score.sort_by_key(|(at, _)| *at);
    (sounds, score)
}

#[test]
fn the_bits_do_not_depend_on_how_a_quantum_is_cut() {
    let (sounds, score) = wild(1, 200);
    let whole = play_on(&mut sampler(&sounds), &score, 0..20_480, 2, 64);
    assert!(whole[0].iter().any(|x| x.abs() > 0.5) && whole[0] != whole[1]);
    for stretch in [1, 7, 17, 63] {
        assert!(play_on(&mut sampler(&sounds), &score, 0..20_480, 2, stretch) == whole, "in stretches of {stretch}");
    }
}

#[test]
fn what_is_kept_goes_on_with_the_same_bits() {
    let (sounds, score) = wild(2, 200);
    let whole = play_on(&mut sampler(&sounds), &score, 0..20_480, 2, 64);
    let mut first = sampler(&sounds);
    play_on(&mut first, &score, 0..9600, 2, 64);
    let mut ledger = Ledger::writing();
    first.keep(&mut ledger);
    let kept = ledger.finish().expect("what is written fits");
    let mut ledger = Ledger::reading(kept.clone());
    let mut second = sampler(&sounds);
    second.keep(&mut ledger);
    ledger.finish().expect("it is taken up to the last byte");
    let rest = play_on(&mut second, &score, 9600..20_480, 2, 64);
    assert!(rest[0][..] == whole[0][9600..] && rest[1][..] == whole[1][9600..]);
    // Of other sounds it does not fit, and leaves one that can be played.
    let mut ledger = Ledger::reading(kept);
    let mut other = sampler(&sounds[..1]);
    other.keep(&mut ledger);
    assert!(ledger.finish().is_err() && other.is_at_rest());
}

#[test]
fn it_rests_when_nothing_sounds() {
    let mut sampler = sampler(&[sound(&[noise(1, 100)], None)]);
    assert!(sampler.is_at_rest());
    assert_eq!(sampler.start(10, WHOLE), Ok(()));
    assert!(!sampler.is_at_rest());
    play_on(&mut sampler, &[], 0..64, 1, 64);
    assert!(!sampler.is_at_rest());
    play_on(&mut sampler, &[], 0..64, 1, 64);
    assert!(sampler.is_at_rest());
    assert_eq!(sampler.start(10, WHOLE), Ok(()));
    sampler.reset();
    assert!(sampler.is_at_rest());
}

#[test]
fn the_gain_glides_over_the_frames_it_is_given_for() {
    let mut sampler = sampler(&[sound(&[vec![1.0; 100]], None)]);
    assert_eq!(sampler.start(16, WHOLE), Ok(()));
    let mut out = [[0.0; QUANTUM]];
    sampler.process(0..32, &[Glide::still(0.5)], &mut out);
    sampler.process(32..64, &[Glide { from: 0.5, to: 1.0 }], &mut out);
    assert_eq!((out[0][15], out[0][16], out[0][31], out[0][63]), (0.0, 0.5, 0.5, 1.0));
    assert!((out[0][47] - 0.75).abs() < 1e-12);
}

#[test]
fn what_cannot_be_played_says_why() {
    let mut sampler = sampler(&[sound(&[vec![1.0; 100]], None), sound(&[], None)]);
    for (stroke, why) in [
        (Stroke { sound: 2, ..WHOLE }, Refused::NoSuchSound),
        (Stroke { velocity: -0.1, ..WHOLE }, Refused::Velocity),
        (Stroke { velocity: f64::NAN, ..WHOLE }, Refused::Velocity),
        (Stroke { speed: 0.0, ..WHOLE }, Refused::Speed),
        (Stroke { speed: f64::NAN, ..WHOLE }, Refused::Speed),
        (Stroke { speed: -2000.0, ..WHOLE }, Refused::Speed),
        (Stroke { from: 100.0, ..WHOLE }, Refused::NothingThere),
        (Stroke { from: 50.0, to: 50.2, ..WHOLE }, Refused::NothingThere),
        (Stroke { to: f64::NAN, ..WHOLE }, Refused::NothingThere),
        (Stroke { from: f64::NAN, ..WHOLE }, Refused::NothingThere),
        (Stroke { from: -1.0, ..WHOLE }, Refused::NothingThere),
        (Stroke { sound: 1, ..WHOLE }, Refused::NothingThere),
    ] {
        assert_eq!(sampler.start(0, stroke), Err(why), "{stroke:?}");
    }
    assert_eq!(sampler.start(QUANTUM, WHOLE), Err(Refused::Frame));
    assert_eq!(sampler.stop_all(QUANTUM), Err(Refused::Frame));
    assert!(sampler.is_at_rest());
    assert!((0..WAITING).all(|_| sampler.start(0, WHOLE).is_ok()));
    assert_eq!(sampler.start(0, WHOLE), Err(Refused::TooMany));
}
