//! `gainstage sweep` and `gainstage ping`: what they write, and that nothing is left of what could not be measured.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use engine::math::db_from_gain;
use hound::{SampleFormat, WavReader};
use serde_json::Value;
use tempfile::TempDir;

use super::folder;
use crate::program::{Running, done_in, run_in};

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("it can be listed");
    entries.map(|entry| entry.expect("it is there").file_name().into_string().expect("it is text")).collect()
}

fn figures(folder: &TempDir, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.path().join(name)).expect("it is written")).expect("it is JSON")
}

/// A curve of the first channel at a frequency.
fn at(figures: &Value, curve: &Value, freq: f64) -> f64 {
    let hz = figures["hz"].as_array().expect("there are frequencies");
    let i = hz.iter().position(|hz| hz.as_f64().is_some_and(|hz| hz >= freq)).expect("the sweep has it");
    curve[i].as_f64().unwrap_or_else(|| panic!("there is no level at {freq} Hz"))
}

#[test]
fn a_session_is_measured_by_what_it_makes_of_the_sweep() {
    let folder = folder("input(\"in\", device(1)) >> eq().bell(1000, 6, 1) >> gain(-3) >> master;");
    let arguments = ["sweep", "-o", "bell", "--through", "session.rhai", "--time", "2s", "--tail", "500ms"];
    let ran = done_in(folder.path(), &arguments);
    assert!(ran.out.contains("channel 1: 0 samples late") && ran.out.contains("channel 2"), "{}", ran.out);
    let found = figures(&folder, "bell.json");
    let response = &found["channels"][0]["response_db"];
    for (freq, level) in [(50.0, -3.0), (1000.0, 3.0), (15_000.0, -3.0)] {
        assert!((at(&found, response, freq) - level).abs() < 0.15, "{} dB at {freq} Hz", at(&found, response, freq));
    }
    let distortion = at(&found, &found["channels"][0]["distortion_db"], 1000.0);
    assert!(distortion < -80.0, "an equaliser adds nothing, not {distortion} dB");
    let mut response = WavReader::open(folder.path().join("bell.wav")).expect("it is written");
    assert_eq!((response.spec().channels, response.spec().sample_format), (2, SampleFormat::Float));
    let peak = response
        .samples::<f32>()
        .map(|x| x.expect("it is whole"))
        .enumerate()
        .fold((0, 0.0), |most, (i, x)| if x > most.1 { (i, x) } else { most });
    assert_eq!(peak.0 as u64 / 2, found["frame_of_peak"].as_u64().expect("it is told"));
    let picture = fs::read_to_string(folder.path().join("bell.svg")).expect("it is written");
    assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
    for part in ["Level", "Harmonics", "Impulse response", "Decay in octave bands", "10k"] {
        assert!(picture.contains(part), "{part}");
    }
    let written = ["bell.json", "bell.svg", "bell.wav", "session.rhai"];
    assert_eq!(names(folder.path()), written.map(str::to_owned).into());
}

#[test]
fn the_harmonics_of_a_hard_clip_are_those_of_its_series() {
    // A sine of 0 dBFS clipped hard at 0 dBFS after 6 dB of gain, without oversampling: odd harmonics alone.
    let folder =
        folder("input(\"in\", device(1)) >> saturate(6).curve(\"hard\").oversample(1).auto_gain(false) >> master;");
    let arguments =
        ["sweep", "-o", "clip", "--through", "session.rhai", "--time", "2s", "--tail", "300ms", "--level", "0"];
    done_in(folder.path(), &arguments);
    let found = figures(&folder, "clip.json");
    let of = |order: usize| at(&found, &found["channels"][0]["harmonics"][order - 2]["db"], 200.0);
    // b_n = 2/pi * integral over half a turn of min(max(k sin, -1), 1) sin(n x), with k = 1.995.
    let k = engine::math::gain_from_db(6.0);
    let b = |n: usize| {
        let steps = 20_000;
        let x = |i: usize| std::f64::consts::PI * (i as f64 + 0.5) / f64::from(steps as u32);
        let sum: f64 = (0..steps).map(|i| (k * x(i).sin()).clamp(-1.0, 1.0) * (n as f64 * x(i)).sin()).sum();
        2.0 * sum / f64::from(steps as u32)
    };
    for order in [3, 5] {
        let expected = db_from_gain(b(order).abs() / b(1));
        assert!((of(order) - expected).abs() < 0.3, "H{order}: {} dB, not {expected}", of(order));
    }
    assert!(of(2) < -60.0, "even harmonics are not there: {} dB", of(2));
}

#[test]
fn what_cannot_be_measured_is_told_and_leaves_nothing() {
    let short = ["--time", "200ms", "--tail", "100ms"];
    let input = "let x = input(\"in\", device(1));";
    for (text, told) in [
        ("input(\"a\", sine(440)) >> master;".to_owned(), "nothing in it hears the sweep"),
        (format!("{input} x >> fader(off) >> master;"), "silent all the time"),
        (format!("{input} x >> insert(3, 3) >> master;"), "\"in/insert\" is a live input"),
        (format!("{input} x >> fader(off) >> master; input(\"n\", noise()) >> master;"), "lost in noise"),
        (format!("{input} x >> fadre(1) >> master;"), "did you mean"),
    ] {
        let folder = folder(&text);
        let ran = run_in(folder.path(), &[&["sweep", "-o", "x", "--through", "session.rhai"][..], &short].concat());
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{text}: {}", ran.err);
        assert!(ran.err.contains(told), "{told} is not in: {}", ran.err);
        assert_eq!(names(folder.path()), ["session.rhai".to_owned()].into(), "{text}");
    }
    let empty = TempDir::new().expect("there is room");
    for (arguments, status, told) in [
        (&["sweep", "-o", "x", "--device", "none"][..], 1, "nothing came back at input 1"),
        (&["sweep", "-o", "no/x", "--device", "none"], 1, "cannot be written"),
        (&["sweep", "-o", "x", "--from", "1k", "--to", "1500"], 2, "at least an octave"),
        (&["sweep", "-o", "x", "--rate", "32000"], 2, "ends at 15360 Hz at most"),
        (&["sweep", "-o", "x", "--input", "65"], 2, "65"),
    ] {
        let ran = run_in(empty.path(), &[arguments, &short].concat());
        assert_eq!(ran.status, status, "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(told), "{told} is not in: {}", ran.err);
    }
    let ran = run_in(empty.path(), &["ping", "--output", "3", "--input", "3", "--device", "none", "--times", "1"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("nothing came back at input 3"), "{}", ran.err);
    assert!(names(empty.path()).is_empty());
}

#[test]
fn a_measurement_that_is_interrupted_leaves_nothing() {
    let folder = TempDir::new().expect("there is room");
    let mut running = Running::start(folder.path(), &["sweep", "-o", "x", "--device", "none", "--time", "60s"]);
    running.says("live inputs are silent");
    running.interrupt();
    assert_eq!(running.end(), 1);
    assert!(running.told.iter().any(|line| line.contains("interrupted; nothing is written")), "{:?}", running.told);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_render_of_hardware_asks_what_it_heard_unless_it_is_passed_by() {
    let session = folder("input(\"x\", sine(440)) >> insert(3, 3).latency(480.samples) >> master;");
    let render = |more: &[&str]| {
        run_in(session.path(), &[&["render", "session.rhai", "-o", "a.wav", "--length", "0.1s"][..], more].concat())
    };
    let refused = render(&[]);
    assert_eq!(refused.status, 1);
    assert!(refused.err.contains("\"x/insert\" is a live input"), "{}", refused.err);
    assert_eq!(names(session.path()), ["session.rhai".to_owned()].into());
    assert_eq!(render(&["--input", "silence"]).status, 0);
    assert_eq!(render(&["--input", "x/insert=silence"]).status, 0);
    assert_eq!(render(&["--input", "x/insert=a.wav", "--output", "2"]).status, 2, "what is sent is no output");
    super::write(session.path(), "input(\"x\", sine(440)) >> insert(3, 3).bypass(on) >> master;");
    assert_eq!(render(&[]).status, 0);
    super::write(session.path(), "input(\"in\", device(1)) >> insert(3, 3).bypass(on) >> master;");
    let sweep = ["sweep", "-o", "passed", "--through", "session.rhai", "--time", "200ms", "--tail", "100ms"];
    done_in(session.path(), &sweep);
}
