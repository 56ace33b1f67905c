//! What clips must hold that are warped, pitched, or played as a tape is.

use std::path::PathBuf;

use tempfile::TempDir;

use super::super::{End, end, make_media};
use super::*;
use crate::kernel::QUANTUM;
use crate::tempo;
use crate::test_signals::{Bench, level_at, rms, sine};
use crate::units::Clock;

const CLOCK: Clock = Clock { rate: 48_000.0, tempo: 120.0, beats_per_bar: 4.0 };

fn wav(folder: &TempDir, name: &str, sound: &[Vec<f32>]) -> PathBuf {
    let path = folder.path().join(name);
    let spec = hound::WavSpec {
        channels: sound.len() as u16,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    (0..sound[0].len()).for_each(|i| sound.iter().for_each(|channel| writer.write_sample(channel[i]).unwrap()));
    writer.finalize().unwrap();
    path
}

/// A bar at 120 beats a minute with a click on each beat, the first the loudest.
fn bar_of_clicks() -> Vec<f32> {
    let mut bar = vec![0.0; 96_000];
    (0..4).for_each(|beat| bar[beat * 24_000] = if beat == 0 { 0.9 } else { 0.6 });
    bar
}

/// A clip with what is set, in a musical time.
fn clip(library: &Library, path: &std::path::Path, tempo: &Tempo, set: &[(&str, f64)]) -> Result<Recipe, String> {
    let mut recipe = Bench::new(&CLIP, 0).recipe().clone();
    recipe.clock = tempo.clock();
    recipe.media = vec![library.open(path, 48_000).unwrap()];
    for (name, number) in set {
        recipe.values[CLIP.index(name).unwrap()] = *number;
    }
    make_media(&CLIP, &mut recipe, tempo, library)?;
    (CLIP.channels)(&recipe)?;
    Ok(recipe)
}

/// What a clip gives from a frame on, in every channel.
fn heard(recipe: &Recipe, first: u64, frames: usize) -> Vec<Vec<f32>> {
    let channels = (CLIP.channels)(recipe).unwrap();
    let (quanta, skipped) = ((frames + 2 * QUANTUM) as u64 / QUANTUM as u64, first as usize % QUANTUM);
    let mut kernel = kernel(recipe);
    let sound = super::super::tests::from(&mut *kernel, recipe, channels, first - skipped as u64, quanta);
    let cut = |channel: Vec<f64>| channel[skipped..skipped + frames].iter().map(|x| *x as f32).collect();
    sound.into_iter().map(cut).collect()
}

/// The frames, from `first` on, at which a sound is loudest within 50 ms and not quiet.
fn peaks(sound: &[f32], first: u64) -> Vec<u64> {
    let is_peak = |i: &usize| {
        let around = &sound[i.saturating_sub(2400)..(i + 2400).min(sound.len())];
        sound[*i].abs() > 0.3 && around.iter().all(|x| x.abs() <= sound[*i].abs())
    };
    (0..sound.len()).filter(is_peak).map(|i| first + i as u64).collect()
}

#[test]
fn the_beats_of_a_loop_are_those_of_the_transport_at_any_tempo_and_wherever_it_is_entered() {
    let (folder, library) = (TempDir::new().unwrap(), Library::new());
    let path = wav(&folder, "bar.wav", &[bar_of_clicks()]);
    for beats_a_minute in [93.0, 96.0, 120.0, 151.3] {
        let tempo = Tempo::new(Clock { tempo: beats_a_minute, ..CLOCK });
        let recipe = clip(&library, &path, &tempo, &[("bars", 1.0), ("looped", 1.0)]).unwrap();
        for entered in [0.0, 1000.25] {
            let first = tempo.frame_of_bar(entered) as u64;
            let found = peaks(&heard(&recipe, first, 400_000)[0], first);
            let beats = (0..).map(|n| tempo.frame_of_beat(entered * 4.0 + f64::from(n)));
            let beats: Vec<f64> = beats.take_while(|beat| *beat < first as f64 + 399_990.0).collect();
            assert_eq!(found.len(), beats.len(), "at {beats_a_minute}");
            for (found, beat) in found.iter().zip(beats) {
                assert!((*found as f64 - beat).abs() <= 2.0, "at {beats_a_minute}: {found} for {beat}");
            }
        }
        assert_eq!(end(&CLIP, &recipe), End::Never);
    }
}

#[test]
fn a_loop_at_its_own_tempo_is_left_as_it_is() {
    let (folder, library) = (TempDir::new().unwrap(), Library::new());
    let sound: Vec<f32> = (0..96_000).map(|i| crate::random::even(4, i) as f32).collect();
    let path = wav(&folder, "noise.wav", std::slice::from_ref(&sound));
    let recipe = clip(&library, &path, &Tempo::new(CLOCK), &[("bars", 1.0), ("looped", 1.0)]).unwrap();
    assert!(heard(&recipe, 192_000, 96_000)[0] == sound);
}

#[test]
fn through_changes_of_tempo_the_beats_go_on_and_what_was_keeps_to_the_old_one() {
    let (folder, library) = (TempDir::new().unwrap(), Library::new());
    let path = wav(&folder, "bar.wav", &[bar_of_clicks()]);
    let set = [("bars", 1.0), ("looped", 1.0)];
    let before = Tempo::new(CLOCK);
    let mut tempo = before.clone();
    tempo.change(tempo.frame_of_bar(1.6) as i64, Clock { tempo: 97.0, ..CLOCK });
    tempo.change(tempo.frame_of_bar(3.0) as i64, Clock { tempo: 141.0, ..CLOCK });
    let (old, new) = (clip(&library, &path, &before, &set).unwrap(), clip(&library, &path, &tempo, &set).unwrap());
    let (old, new) = (heard(&old, 0, 600_000).remove(0), heard(&new, 0, 600_000).remove(0));
    let change = before.frame_of_bar(1.6) as usize;
    assert!(old[..change] == new[..change]);
    let beats: Vec<f64> =
        (0..).map(|n| tempo.frame_of_beat(f64::from(n))).take_while(|beat| *beat < 599_990.0).collect();
    let found = peaks(&new, 0);
    assert_eq!(found.len(), beats.len());
    for (found, beat) in found.iter().zip(beats) {
        assert!((*found as f64 - beat).abs() <= 2.0, "{found} for {beat}");
    }
}

#[test]
fn a_clip_of_bars_starts_and_ends_on_its_lines_with_its_fades_and_its_pitch() {
    let (folder, library) = (TempDir::new().unwrap(), Library::new());
    let tone: Vec<f32> = sine(440.0, -6.0, 48_000.0, 150_000).iter().map(|x| *x as f32).collect();
    let path = wav(&folder, "tone.wav", &[tone]);
    let tempo = Tempo::new(Clock { tempo: 96.0, ..CLOCK });
    let set = [("bars", 2.0), ("start", 2500.0), ("from", 500.0), ("fade_out", 1000.0)];
    let recipe = clip(&library, &path, &tempo, &set).unwrap();
    assert_eq!(end(&CLIP, &recipe), End::At(360_000));
    let sound: Vec<f64> = heard(&recipe, 0, 400_000)[0].iter().map(|x| f64::from(*x)).collect();
    assert!(sound[..120_000].iter().chain(&sound[360_000..]).all(|x| *x == 0.0));
    let level = level_at(&sound[130_000..300_000], 440.0, 48_000.0);
    assert!((level + 6.0).abs() < 0.05, "{level} dB at its pitch");
    assert!((rms(&sound[335_000..337_000]) - rms(&sound[200_000..202_000]) + 6.0206).abs() < 0.2, "half way out");
}

#[test]
fn pitch_keeps_the_length_and_speed_does_not() {
    let (folder, library) = (TempDir::new().unwrap(), Library::new());
    let tone: Vec<f32> = sine(440.0, -6.0, 48_000.0, 48_000).iter().map(|x| *x as f32).collect();
    let path = wav(&folder, "tone.wav", std::slice::from_ref(&tone));
    for (set, frames, freq) in [
        (vec![("pitch", 12.0)], 48_000, 880.0),
        (vec![("speed", 0.5)], 96_000, 220.0),
        (vec![("speed", -2.0)], 24_000, 880.0),
        (vec![("speed", 2.0), ("pitch", -12.0)], 24_000, 440.0),
    ] {
        let recipe = clip(&library, &path, &Tempo::new(CLOCK), &set).unwrap();
        assert_eq!(end(&CLIP, &recipe), End::At(frames), "{set:?}");
        let sound: Vec<f64> = heard(&recipe, 0, frames as usize)[0].iter().map(|x| f64::from(*x)).collect();
        let level = level_at(&sound[4800..sound.len() - 4800], freq, 48_000.0);
        assert!((level + 6.0).abs() < 0.1, "{set:?}: {level} dB at {freq} Hz");
    }
    let recipe = clip(&library, &path, &Tempo::new(CLOCK), &[("speed", -1.0)]).unwrap();
    assert!(heard(&recipe, 0, 48_000)[0].iter().rev().eq(&tone));
}

#[test]
fn a_file_that_is_streamed_gives_the_bits_of_one_in_memory() {
    let folder = TempDir::new().unwrap();
    let noise = |seed| (0..30_000).map(|i| crate::random::even(seed, i) as f32).collect::<Vec<f32>>();
    let path = wav(&folder, "noise.wav", &[noise(1), noise(2)]);
    let [kept, streamed] = [u64::MAX, 0].map(|bound| {
        let set = [("pitch", 3.0), ("from", 100.0), ("to", 500.0)];
        let recipe = clip(&Library::with_bound(bound), &path, &Tempo::new(CLOCK), &set).unwrap();
        heard(&recipe, 0, 20_000)
    });
    assert!(kept == streamed && kept[0].iter().any(|x| *x != 0.0));
}

#[test]
fn what_is_made_is_made_when_it_is_asked_for_and_once() {
    let (folder, library) = (TempDir::new().unwrap(), Library::new());
    let path = wav(&folder, "bar.wav", &[bar_of_clicks()]);
    let tempo = Tempo::new(Clock { tempo: 100.0, ..CLOCK });
    let made = |set: &[(&str, f64)]| clip(&library, &path, &tempo, set).unwrap().media[1].clone();
    let (one, again, other) = (made(&[("bars", 1.0)]), made(&[("bars", 1.0), ("gain", 0.5)]), made(&[("bars", 2.0)]));
    assert!(Arc::ptr_eq(&one, &again) && one.identity() != other.identity());
    while !one.is_at_hand() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert_eq!((one.memory().unwrap()[0].len(), one.frames()), (115_200, 115_200));
    assert!(other.memory().is_none(), "nobody asked for it");
}

#[test]
fn what_cannot_be_warped_is_refused_with_the_reason() {
    let (folder, library) = (TempDir::new().unwrap(), Library::new());
    let path = wav(&folder, "bar.wav", &[bar_of_clicks()]);
    let refused = |set: &[(&str, f64)]| clip(&library, &path, &Tempo::new(CLOCK), set).unwrap_err();
    assert!(refused(&[("bars", 1.0), ("speed", 2.0)]).starts_with("`bars` and `speed` both say how long it lasts"));
    assert!(refused(&[("speed", 0.0)]).starts_with("`speed` is 0: it goes from 0.0625 to 16"));
    assert_eq!(refused(&[("bars", 17.0)]), "2.000 s cannot become 34.000 s: 16 times as long or as short is the most");
    assert_eq!(refused(&[("bars", 1.0), ("fade_in", 2500.0)]), "`fade_in` is 2.500 s, longer than the clip's 2.000 s");
    let long = wav(&folder, "long.wav", &[vec![0.0; 29_000_000]]);
    let error = clip(&library, &long, &Tempo::new(CLOCK), &[("pitch", 1.0)]).unwrap_err();
    assert!(error.starts_with("10.1 minutes are too long to be warped"), "{error}");
    let part = clip(&library, &long, &Tempo::new(CLOCK), &[("pitch", 1.0), ("to", 1000.0)]);
    assert!(part.is_ok(), "a part of it may be");
    let higher = |semitones| clip(&library, &long, &Tempo::new(CLOCK), &[("pitch", semitones), ("to", 100_000.0)]);
    let error = higher(36.0).unwrap_err();
    assert!(error.starts_with("13.3 minutes are too long to be warped"), "it is made longer first: {error}");
    assert!(higher(24.0).is_ok());
}

/// A tempo that goes from one to another over so many bars.
fn ramp(from: f64, to: f64, bars: f64) -> Tempo {
    let glide = tempo::Glide::Ramp { from, to, time: Value::Bars(bars), start: None };
    let clock = Clock { tempo: glide.end(), ..CLOCK };
    Tempo::new(tempo::Pace { clock, course: Some(glide.course(&clock)), over: 0.0 })
}

#[test]
fn while_the_tempo_moves_the_beats_are_those_of_the_transport_and_few_sounds_are_made() {
    let (folder, library) = (TempDir::new().unwrap(), Library::new());
    let path = wav(&folder, "bar.wav", &[bar_of_clicks()]);
    let tempo = ramp(90.0, 180.0, 16.0);
    let stretches = tempo.stretches().count();
    let recipe = clip(&library, &path, &tempo, &[("bars", 1.0), ("looped", 1.0)]).unwrap();
    let mut made: Vec<u64> = recipe.media[1..].iter().map(|media| media.identity()).collect();
    made.sort_unstable();
    made.dedup();
    assert!(made.len() < 40 && stretches > 200, "{} for {stretches}", made.len());
    for entered in [0.0, 7.3] {
        let first = tempo.frame_of_bar(entered) as u64;
        let found = peaks(&heard(&recipe, first, 400_000)[0], first);
        let beats = (0..).map(|n| tempo.frame_of_beat((entered * 4.0).ceil() + f64::from(n)));
        let beats: Vec<f64> = beats.take_while(|beat| *beat < first as f64 + 399_990.0).collect();
        assert_eq!(found.len(), beats.len());
        for (found, beat) in found.iter().zip(beats) {
            assert!((*found as f64 - beat).abs() <= 2.0, "{found} for {beat}");
        }
    }
}

#[test]
fn while_the_tempo_moves_a_tone_goes_on_without_a_step_near_its_pitch() {
    let (folder, library) = (TempDir::new().unwrap(), Library::new());
    let tone: Vec<f32> = sine(440.0, -6.0, 48_000.0, 96_000).iter().map(|x| *x as f32).collect();
    let path = wav(&folder, "tone.wav", &[tone]);
    let recipe = clip(&library, &path, &ramp(100.0, 110.0, 4.0), &[("bars", 1.0), ("looped", 1.0)]).unwrap();
    let sound: Vec<f64> = heard(&recipe, 0, 300_000)[0].iter().map(|x| f64::from(*x)).collect();
    let steps = sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
    assert!(steps < 1.3 * 0.5 * std::f64::consts::TAU * 440.0 / 48_000.0, "{steps}");
    let rising = sound[4800..].windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    let pitch = rising as f64 * 48_000.0 / 295_200.0;
    assert!((pitch / 440.0 - 1.0).abs() < 0.011, "{pitch} Hz");
}

#[test]
fn a_way_that_takes_too_many_sounds_is_refused() {
    let (folder, library) = (TempDir::new().unwrap(), Library::new());
    let path = wav(&folder, "minutes.wav", &[vec![0.0; 9_600_000]]);
    let error = clip(&library, &path, &ramp(60.0, 240.0, 64.0), &[("bars", 100.0)]).unwrap_err();
    assert!(error.starts_with("while the tempo is on its way it is warped to"), "{error}");
    assert!(error.contains("1024 MB are the most"), "{error}");
}
