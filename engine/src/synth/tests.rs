//! Tests of the synthesiser: frames, bits, levels, clicks.

use assert_no_alloc::assert_no_alloc;

use super::*;
use crate::circuit::sketch::Sketch;
use crate::circuit::{Colour, Figure, Pass, Signal, Wave};
use crate::random::mix;

const RATE: f64 = 48_000.0;

fn saw() -> Circuit {
    let s = Sketch::voice();
    let out = s.wave(Wave::Saw, s.note(Figure::Freq), s.number(0.0)).signal();
    s.finish(&[out]).unwrap()
}

/// What a synth could be built of: noise, a swept filter, an envelope, a random phase.
fn rich() -> Circuit {
    let mut b = crate::circuit::Builder::new(0).unwrap();
    let freq = b.note(Figure::Freq).unwrap();
    let (half, random) = (b.constant(0.5).unwrap(), b.note(Figure::Random).unwrap());
    let saw = b.oscillator(Wave::Saw, freq, half, random).unwrap();
    let noise = b.noise(Colour::Pink).unwrap();
    let sum = b.binary(crate::circuit::Binary::Add, saw, noise).unwrap();
    let times: Vec<Signal> = [3.0, 40.0, 20.0, 60.0].iter().map(|x| b.constant(*x).unwrap()).collect();
    let rise = b.envelope(times[0], times[1], times[2], times[3]).unwrap();
    let cutoff = b.parameter("cutoff", 3000.0, 20.0, 20_000.0).unwrap();
    let corner = b.binary(crate::circuit::Binary::Multiply, rise, cutoff).unwrap();
    let q = b.constant(3.0).unwrap();
    let out = b.filter(Pass::Low, sum, corner, q).unwrap();
    b.finish(&[out]).unwrap()
}

fn values(circuit: &Circuit, set: &[(usize, f64)]) -> Vec<Glide> {
    let mut values: Vec<f64> = SETTINGS.iter().map(|setting| setting.default).collect();
    values[LEVEL] = 1.0;
    values.extend(circuit.parameters.iter().map(|knob| knob.default));
    set.iter().for_each(|(index, value)| values[*index] = *value);
    values.into_iter().map(Glide::still).collect()
}

/// Plays notes that begin at frames, quanta cut as `cut` says.
fn render(
    synth: &mut Synth,
    notes: &[(u64, Note)],
    values: &[Glide],
    quanta: u64,
    mut cut: impl FnMut(u64) -> usize,
) -> Vec<[f64; 2]> {
    let mut sound = Vec::new();
    for quantum in 0..quanta {
        let start = quantum * QUANTUM as u64;
        for (at, note) in notes.iter().filter(|(at, _)| (start..start + QUANTUM as u64).contains(at)) {
            synth.start((at - start) as usize, *note);
        }
        let mut out = [[0.0; QUANTUM]; 2];
        let cut = cut(quantum).min(QUANTUM);
        assert_no_alloc(|| {
            synth.process(0..cut, start, values, &mut out);
            synth.process(cut..QUANTUM, start, values, &mut out);
        });
        sound.extend((0..QUANTUM).map(|i| [out[0][i], out[1][i]]));
    }
    sound
}

fn note(id: u64, pitch: f64, frames: u64) -> Note {
    Note { id, pitch, velocity: 1.0, frames: Some(frames) }
}

/// A crowd of notes.
fn crowd(count: u64, over: u64, seed: u64) -> Vec<(u64, Note)> {
    let mut notes: Vec<(u64, Note)> = (0..count)
        .map(|i| {
            let r = |k: u64| mix(seed * 1_000_003 + i * 16 + k);
            let velocity = 0.3 + (r(3) % 70) as f64 / 100.0;
            (r(0) % over, Note { id: i, pitch: (36 + r(1) % 48) as f64, velocity, frames: Some(1 + r(2) % 6000) })
        })
        .collect();
    notes.sort_by_key(|(at, _)| *at);
    notes
}

#[test]
fn notes_begin_and_end_on_their_frames() {
    let circuit = saw();
    let set = [(ATTACK, 0.0), (SUSTAIN, 100.0), (RELEASE, 0.0)];
    for (at, frames) in [(0, 64), (17, 2), (63, 100), (64, 4000), (200, 31)] {
        let mut synth = Synth::new(&circuit, Fixed::default(), RATE, 1).unwrap();
        // A saw begins at 0: its second frame is the first to be heard.
        let sound = render(&mut synth, &[(at, note(1, 60.0, frames))], &values(&circuit, &set), 80, |_| 64);
        let heard: Vec<usize> = (0..sound.len()).filter(|i| sound[*i][0] != 0.0).collect();
        assert!(heard.first().is_some_and(|first| *first as u64 - at <= 1), "{at} {frames}: {:?}", heard.first());
        assert_eq!(*heard.last().unwrap() as u64, at + frames - 1, "{at} {frames}");
        assert!(synth.is_at_rest());
    }
}

#[test]
fn a_saw_at_full_velocity_peaks_near_18_db_below_full_scale() {
    let circuit = saw();
    let mut synth = Synth::new(&circuit, Fixed::default(), RATE, 1).unwrap();
    let values = values(&circuit, &[(SUSTAIN, 100.0)]);
    let sound = render(&mut synth, &[(0, note(1, 45.0, 48_000))], &values, 700, |_| 64);
    let peak = sound.iter().fold(0.0, |peak: f64, x| peak.max(x[0].abs()));
    let peak = math::db_from_gain(peak);
    assert!((-18.2..-16.5).contains(&peak), "{peak}");
}

#[test]
fn the_bits_are_the_same_however_a_quantum_is_cut() {
    let circuit = rich();
    for (voices, unison, glide) in [(16, 1, 0.0), (3, 3, 20.0), (1, 2, 30.0)] {
        let fixed = Fixed { voices, unison, legato: false };
        let notes = crowd(60, 20_000, 7);
        let values = values(&circuit, &[(GLIDE, glide)]);
        let mut whole = Synth::new(&circuit, fixed, RATE, 1).unwrap();
        let mut parts = Synth::new(&circuit, fixed, RATE, 1).unwrap();
        let one = render(&mut whole, &notes, &values, 600, |_| 64);
        let other = render(&mut parts, &notes, &values, 600, |quantum| mix(quantum) as usize % 65);
        let differs = one.iter().zip(&other).position(|(a, b)| a != b);
        assert_eq!(differs, None, "{voices} {unison}");
        assert!(one.iter().any(|x| x[0] != 0.0) && whole.is_at_rest());
    }
}

#[test]
fn a_voice_sounds_the_same_in_every_lane() {
    let circuit = rich();
    let values = values(&circuit, &[]);
    let mut first = None;
    for others in 0..11 {
        let mut synth = Synth::new(&circuit, Fixed::default(), RATE, 1).unwrap();
        // Silent notes that take up the lanes before it.
        for id in 0..others {
            synth.start(0, Note { id: 100 + id, pitch: 50.0, velocity: 0.0, frames: None });
        }
        let mut set = values.clone();
        set[VELOCITY] = Glide::still(100.0);
        let sound = render(&mut synth, &[(70, note(1, 60.3, 3000))], &set, 100, |_| 64);
        let expected = first.get_or_insert_with(|| sound.clone());
        assert!(sound == *expected, "{others}");
    }
}

#[test]
fn what_is_taken_makes_no_click() {
    // Sines of low pitch, so that a step would show: the largest step is that of an onset.
    let s = Sketch::voice();
    let out = s.wave(Wave::Sine, s.note(Figure::Freq), s.number(0.0)).signal();
    let sine = s.finish(&[out]).unwrap();
    let values = values(&sine, &[(SUSTAIN, 100.0)]);
    let step = |sound: &[[f64; 2]]| sound.windows(2).map(|w| (w[1][0] - w[0][0]).abs()).fold(0.0, f64::max);
    let fixed = Fixed { voices: 2, ..Fixed::default() };
    let mut synth = Synth::new(&sine, fixed, RATE, 1).unwrap();
    let two = step(&render(&mut synth, &[(0, note(1, 40.0, 9000)), (0, note(2, 40.0, 9000))], &values, 200, |_| 64));
    let mut synth = Synth::new(&sine, fixed, RATE, 1).unwrap();
    let notes: Vec<_> = (0..12).map(|i| (i * 777, note(i, 40.0, 9000))).collect();
    let stolen = step(&render(&mut synth, &notes, &values, 400, |_| 64));
    // A fade of 3 ms from the peak of a voice falls by 1/144 of it a frame.
    assert!(stolen < 1.5 * two + UNITY / 144.0, "{stolen} {two}");
}

#[test]
fn the_one_let_go_first_is_taken_first() {
    let circuit = saw();
    let values = values(&circuit, &[(RELEASE, 5000.0)]);
    let mut synth = Synth::new(&circuit, Fixed { voices: 3, ..Fixed::default() }, RATE, 1).unwrap();
    let notes =
        [(0, note(1, 50.0, 100_000)), (0, note(2, 52.0, 300)), (0, note(3, 54.0, 200)), (640, note(4, 56.0, 9000))];
    render(&mut synth, &notes, &values, 11, |_| 64);
    let stage = |id: u64| synth.voices.iter().find(|voice| voice.id == id && voice.count > 0).map(|voice| voice.stage);
    assert_eq!(
        (stage(1), stage(2), stage(3), stage(4)),
        (Some(Stage::On), Some(Stage::Released), Some(Stage::Fading), Some(Stage::On))
    );
}

#[test]
fn one_voice_goes_back_to_the_key_that_is_held() {
    let circuit = saw();
    let values = values(&circuit, &[]);
    let mut synth = Synth::new(&circuit, Fixed { voices: 1, legato: true, unison: 1 }, RATE, 1).unwrap();
    let held = |id: u64, pitch: f64| Note { id, pitch, velocity: 1.0, frames: None };
    render(&mut synth, &[(0, held(1, 40.0)), (500, held(2, 47.0))], &values, 10, |_| 64);
    assert_eq!(synth.voices[0].id, 2);
    synth.stop(3, 2);
    render(&mut synth, &[], &values, 1, |_| 64);
    assert_eq!((synth.voices[0].id, synth.voices[0].stage), (1, Stage::On));
    synth.stop(3, 1);
    render(&mut synth, &[], &values, 300, |_| 64);
    assert!(synth.is_at_rest());
}

#[test]
fn glide_goes_in_pitch_and_arrives_on_its_frame() {
    let s = Sketch::voice();
    let out = s.note(Figure::Pitch).signal();
    let circuit = s.finish(&[out]).unwrap();
    let set = [(ATTACK, 0.0), (DECAY, 0.0), (SUSTAIN, 100.0), (GLIDE, 10.0), (RELEASE, 0.0)];
    let mut synth = Synth::new(&circuit, Fixed { voices: 1, ..Fixed::default() }, RATE, 1).unwrap();
    let sound = render(
        &mut synth,
        &[(0, note(1, 48.0, 9000)), (640, note(2, 60.0, 9000))],
        &values(&circuit, &set),
        40,
        |_| 64,
    );
    for (i, frame) in sound.iter().enumerate().take(2000) {
        let way = (i as f64 - 640.0).clamp(0.0, 480.0) / 480.0;
        let found = frame[0] / UNITY;
        assert!((found - (48.0 + 12.0 * way)).abs() < 1e-9, "{i}: {found}");
    }
}

#[test]
fn too_many_events_are_counted_and_nothing_breaks() {
    let circuit = saw();
    let values = values(&circuit, &[]);
    let mut synth = Synth::new(&circuit, Fixed { voices: 128, unison: 16, legato: false }, RATE, 1).unwrap();
    (0..300).for_each(|id| synth.start(5, Note { id, pitch: 60.0, velocity: 1.0, frames: None }));
    assert_eq!(synth.dropped(), 44);
    let sound = render(&mut synth, &[], &values, 2, |_| 64);
    assert!(sound.iter().all(|x| x[0].is_finite()));
    synth.stop_all(0);
    render(&mut synth, &[], &values, 200, |_| 64);
    assert!(synth.is_at_rest());
}

#[test]
fn what_is_kept_goes_on_with_the_same_bits() {
    let circuit = rich();
    let fixed = Fixed { voices: 4, unison: 2, legato: false };
    let values = values(&circuit, &[(GLIDE, 30.0)]);
    let mut synth = Synth::new(&circuit, fixed, RATE, 1).unwrap();
    render(&mut synth, &crowd(40, 6400, 3), &values, 100, |_| 64);
    synth.start(70, note(900, 64.0, 500));
    let mut ledger = Ledger::writing();
    synth.keep(&mut ledger);
    let bytes = ledger.finish().unwrap();
    let mut other = Synth::new(&circuit, fixed, RATE, 1).unwrap();
    let mut ledger = Ledger::reading(bytes);
    other.keep(&mut ledger);
    ledger.finish().unwrap();
    assert_eq!(render(&mut synth, &[], &values, 100, |_| 64), render(&mut other, &[], &values, 100, |_| 64));
}

#[test]
fn a_synth_says_what_is_wrong() {
    let circuit = saw();
    let of = |voices, unison| Synth::new(&circuit, Fixed { voices, unison, legato: false }, RATE, 1).err().unwrap();
    assert!(of(0, 1).contains("1 to 128"));
    assert!(of(129, 1).contains("1 to 128"));
    assert!(of(1, 17).contains("1 to 16"));
    assert!(presets::find("brass").unwrap_err().contains("bass, keys"));
}

/// The greatest momentary loudness in LUFS, the peak and the offset of a sound.
fn figures(sound: &[[f64; 2]], channels: usize) -> (f64, f64, f64) {
    // ITU-R BS.1770, at 48 kHz; one channel is heard from both sides.
    let mut power = vec![0.0; sound.len()];
    let mut peak: f64 = 0.0;
    let mut offset: f64 = 0.0;
    for channel in 0..2 {
        let from = channel.min(channels - 1);
        let stages = [
            (
                [1.535_124_859_586_97, -2.691_696_189_406_38, 1.198_392_810_852_85],
                [-1.690_659_293_182_41, 0.732_480_774_215_85],
            ),
            ([1.0, -2.0, 1.0], [-1.990_047_454_833_98, 0.990_072_250_366_21]),
        ];
        let mut state = [[0.0; 2]; 2];
        for (i, frame) in sound.iter().enumerate() {
            let mut x = frame[from];
            peak = peak.max(x.abs());
            for ((b, a), s) in stages.iter().zip(&mut state) {
                let y = b[0] * x + s[0];
                *s = [b[1] * x - a[0] * y + s[1], b[2] * x - a[1] * y];
                x = y;
            }
            power[i] += x * x;
        }
        offset = offset.max((sound.iter().map(|frame| frame[from]).sum::<f64>() / sound.len() as f64).abs());
    }
    let window = 19_200;
    let tenths: Vec<f64> = power.chunks(4800).map(|tenth| tenth.iter().sum()).collect();
    let loudest = tenths.windows(4).map(|four| four.iter().sum::<f64>() / window as f64).fold(0.0, f64::max);
    (-0.691 + 10.0 * math::ln(loudest) / std::f64::consts::LN_10, math::db_from_gain(peak), math::db_from_gain(offset))
}

fn preset(name: &str, pitches: &[f64]) -> (f64, f64, f64) {
    let preset = presets::find(name).unwrap();
    let mut synth = Synth::new(&preset.circuit, preset.fixed, RATE, 1).unwrap();
    let values: Vec<Glide> = preset.values().into_iter().map(Glide::still).collect();
    let notes: Vec<(u64, Note)> = pitches
        .iter()
        .enumerate()
        .map(|(i, pitch)| (10, Note { id: i as u64, pitch: *pitch, velocity: 0.8, frames: Some(48_000) }))
        .collect();
    let sound = render(&mut synth, &notes, &values, 2000, |_| 64);
    assert!(synth.is_at_rest(), "{name}");
    figures(&sound, channels(&preset.circuit, preset.fixed))
}

#[test]
fn presets_are_equally_loud_and_leave_headroom() {
    let mut all = Vec::new();
    for name in presets::NAMES {
        let notes = [48.0, 52.0, 55.0, 60.0, 64.0, 67.0, 72.0].map(|pitch| preset(name, &[pitch]));
        let loudness = notes.iter().map(|(loudness, _, _)| math::pow(10.0, loudness / 10.0)).sum::<f64>() / 7.0;
        let (_, peak, _) = preset(name, &[48.0, 55.0, 60.0, 64.0]);
        let offset = notes.iter().map(|(_, _, offset)| *offset).fold(f64::NEG_INFINITY, f64::max);
        let loudness = 10.0 * math::ln(loudness) / std::f64::consts::LN_10;
        let each: Vec<String> = notes.iter().map(|(loudness, peak, _)| format!("{loudness:.1}/{peak:.1}")).collect();
        all.push((name, loudness, peak, offset, each));
    }
    let loudest = all.iter().map(|it| it.1).fold(f64::NEG_INFINITY, f64::max);
    for (_, loudness, peak, offset, _) in &all {
        assert!(loudest - loudness < 3.0, "{all:#?}");
        assert!(*peak < -6.0 && *offset < -60.0, "{all:#?}");
    }
}

#[test]
fn wide_registers_change_no_bit() {
    let circuit = rich();
    for unison in [1, 3] {
        let play = || {
            let fixed = Fixed { voices: 7, unison, ..Fixed::default() };
            let mut synth = Synth::new(&circuit, fixed, RATE, 1).unwrap();
            render(&mut synth, &crowd(40, 8000, 5), &values(&circuit, &[]), 150, |quantum| mix(quantum) as usize % 64)
        };
        let (wide, plain) = (play(), crate::wide::tests::plainly(play));
        assert!(wide.as_flattened().iter().zip(plain.as_flattened()).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}
