//! Loops that follow the tempo: on the beat, at their pitch, through an edit of it.

use std::f64::consts::TAU;
use std::time::Duration;

use engine::graph::{Graph, prepare_in};
use engine::media::Library;
use engine::tempo::Tempo;
use tempfile::TempDir;

use crate::rehearsal::{Rehearsal, first_difference};
use crate::sessions::session;

/// A bar at 120 beats a minute: a click on each beat over a quiet tone of 441 Hz, in a session at a tempo.
fn text(folder: &TempDir, tempo: u32) -> String {
    let path = folder.path().join("bar.wav");
    if !path.exists() {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 48_000,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut writer = hound::WavWriter::create(&path, spec).expect("it can be written");
        for i in 0..96_000 {
            let click = if i % 24_000 == 0 { 0.6 } else { 0.0 };
            let x = click + 0.1 * (TAU * 441.0 * f64::from(i) / 48_000.0).cos();
            writer.write_sample(x as f32).expect("it can be written");
        }
        writer.finalize().expect("it can be written");
    }
    format!("tempo({tempo}); input(\"a\", clip(\"{}\").bars(1).looped()) >> master;", path.display())
}

/// The graph of a text in a musical time, with all that it warps.
fn made(text: &str, library: &Library, tempo: Option<Tempo>) -> Graph {
    let session = session(text);
    let tempo = tempo.unwrap_or_else(|| Tempo::new(session.clock()));
    let graph = prepare_in(session, library, tempo).graph.expect("the text is right");
    while !graph.is_made() {
        std::thread::sleep(Duration::from_millis(1));
    }
    graph
}

/// Whether a sound has its clicks where the beats are, within two frames: the lines that a loop is laid between and the
/// onsets within it lie on whole frames.
fn assert_on_the_beat(sound: &[f64], tempo: &Tempo) {
    let beats = (0..).map(|n| tempo.frame_of_beat(f64::from(n))).take_while(|beat| *beat < sound.len() as f64 - 2400.0);
    for beat in beats {
        let around = (beat as usize).saturating_sub(2400)..beat as usize + 2400;
        let loudest = around.max_by(|a, b| sound[*a].abs().total_cmp(&sound[*b].abs())).expect("there is sound");
        assert!((loudest as f64 - beat).abs() <= 2.0, "{loudest} for {beat}");
        assert!((0.45..0.85).contains(&sound[loudest].abs()), "{} at {loudest}", sound[loudest]);
    }
}

/// How much of the power between two clicks a frequency has.
fn share(sound: &[f64], hertz: f64) -> f64 {
    let (mut s, mut c, mut all) = (0.0, 0.0, 0.0);
    for (i, x) in sound.iter().enumerate() {
        let w = TAU * hertz * i as f64 / 48_000.0;
        (s, c, all) = (s + x * w.sin(), c + x * w.cos(), all + x * x);
    }
    2.0 * (s * s + c * c) / (sound.len() as f64 * all)
}

#[test]
fn a_loop_of_bars_is_on_the_beat_at_any_tempo_and_keeps_its_pitch() {
    let folder = TempDir::new().expect("there is room");
    for tempo in [96, 141] {
        let graph = made(&text(&folder, tempo), &Library::new(), None);
        let mut rehearsal = Rehearsal::of(&graph);
        rehearsal.run(300_000);
        assert_on_the_beat(&rehearsal.sound[0], &graph.tempo);
        let beat = graph.tempo.frame_of_beat(1.0) as usize;
        let held = share(&rehearsal.sound[0][beat + 1000..2 * beat - 1000], 441.0);
        assert!(held > 0.98, "{held} of it at {tempo}");
        let mut again = Rehearsal::of(&made(&text(&folder, tempo), &Library::new(), None));
        again.run(300_000);
        assert_eq!(first_difference(&rehearsal.sound, &again.sound), None, "made anew it has the same bits");
    }
}

#[test]
fn an_edit_of_the_tempo_takes_a_loop_along_from_its_frame_on() {
    let (folder, library) = (TempDir::new().expect("there is room"), Library::new());
    let before = made(&text(&folder, 96), &library, None);
    for bars in [2.0, 1.4] {
        let at = before.tempo.frame_of_bar(bars) as u64;
        let after = text(&folder, 141);
        let mut tempo = before.tempo.clone();
        tempo.change(at as i64, session(&after).clock());
        let after = made(&after, &library, Some(tempo.clone()));
        let (mut edited, mut untouched) = (Rehearsal::of(&before), Rehearsal::of(&before));
        edited.run(4800);
        edited.edit_at(&after, Some(at)).expect("it changes something");
        edited.run(500_000 - edited.now() as usize);
        untouched.run(at as usize + 4800);
        assert!(first_difference(&edited.sound, &untouched.sound).is_some_and(|frame| frame >= at as usize));
        assert_on_the_beat(&edited.sound[0], &tempo);
    }
}
