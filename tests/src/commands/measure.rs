//! `gainstage measure`: figures of files of every kind, a clear error of those that have none, and what media say of them.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use engine::delivery::{Depth, Dither, FileWriter, Format, Measured, Tags};
use engine::math::{gain_from_db, sin};
use hound::{SampleFormat, WavSpec, WavWriter};
use serde_json::Value;
use tempfile::TempDir;

use super::{has_fields, parsed};
use crate::program::{Ran, done_in, gainstage, run_in};

const FIELDS: [&str; 16] = [
    "file",
    "sample_rate",
    "channels",
    "duration_s",
    "integrated_lufs",
    "loudness_range_lu",
    "momentary_max_lufs",
    "short_term_max_lufs",
    "true_peak_dbtp",
    "sample_peak_dbfs",
    "rms_dbfs",
    "plr_lu",
    "psr_min_lu",
    "correlation",
    "dc_offset",
    "clipped_samples",
];

fn folder() -> TempDir {
    TempDir::new().expect("there is room")
}

/// A frame of a tone of 1 kHz at a level.
fn tone(frame: usize, rate: u32, level: f64) -> f64 {
    gain_from_db(level) * sin(std::f64::consts::TAU * 1000.0 * frame as f64 / f64::from(rate))
}

/// A WAV file of a tone, the same in each channel.
fn wav(folder: &Path, name: &str, (rate, channels, bits): (u32, u16, u16), seconds: f64, level: f64) {
    let sample_format = if bits == 32 { SampleFormat::Float } else { SampleFormat::Int };
    let spec = WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format };
    let mut writer = WavWriter::create(folder.join(name), spec).expect("it can be written");
    for frame in 0..(seconds * f64::from(rate)) as usize {
        let x = tone(frame, rate, level);
        for _ in 0..channels {
            let written = match sample_format {
                SampleFormat::Float => writer.write_sample(x as f32),
                SampleFormat::Int => writer.write_sample((x * f64::from((1 << (bits - 1)) - 1)).round() as i32),
            };
            written.expect("there is room");
        }
    }
    writer.finalize().expect("it is whole");
}

/// The header of a WAV file that says how many bytes of sound follow.
fn header(tag: u16, channels: u16, rate: u32, bits: u16, data: u32) -> Vec<u8> {
    let frame = channels * bits / 8;
    let mut bytes = b"RIFF\xFF\xFF\xFF\xFFWAVEfmt \x10\0\0\0".to_vec();
    bytes.extend([tag, channels].map(u16::to_le_bytes).concat());
    bytes.extend([rate, rate * u32::from(frame)].map(u32::to_le_bytes).concat());
    bytes.extend([frame, bits].map(u16::to_le_bytes).concat());
    bytes.extend(b"data");
    bytes.extend(data.to_le_bytes());
    bytes
}

/// Sound in 64-bit floats, as many channels in step.
fn doubles(frames: usize, channels: usize) -> Vec<u8> {
    (0..frames).flat_map(|frame| vec![tone(frame, 48_000, -18.0); channels]).flat_map(f64::to_le_bytes).collect()
}

fn measured(folder: &Path, arguments: &[&str]) -> (Ran, Vec<Value>) {
    let ran = run_in(folder, &[&["measure", "--json"], arguments].concat());
    let objects = parsed(&ran).as_array().expect("it is an array").clone();
    (ran, objects)
}

fn near(value: &Value, expected: f64, off: f64) -> bool {
    value.as_f64().is_some_and(|value| (value - expected).abs() <= off)
}

#[test]
fn figures_are_a_list_a_table_and_objects() {
    let folder = folder();
    wav(folder.path(), "a.wav", (48_000, 2, 24), 4.0, -18.0);
    wav(folder.path(), "b.wav", (48_000, 2, 24), 4.0, -24.0);
    let (ran, objects) = measured(folder.path(), &["a.wav", "b.wav", "--album"]);
    assert_eq!((ran.status, objects.len(), ran.err.as_str()), (0, 3, ""));
    has_fields(&Value::Array(objects.clone()), &FIELDS);
    for (object, level) in objects.iter().zip([-18.0, -24.0]) {
        assert!(near(&object["integrated_lufs"], level, 0.05) && near(&object["rms_dbfs"], level - 3.01, 0.01));
        assert!(near(&object["true_peak_dbtp"], level, 0.01) && near(&object["correlation"], 1.0, 1e-9));
        assert!(near(&object["loudness_range_lu"], 0.0, 0.01) && object["clipped_samples"] == 0);
        assert_eq!((&object["duration_s"], &object["layout"]), (&Value::from(4.0), &Value::from("stereo")));
    }
    // The mean of both powers.
    let whole = 10.0 * ((gain_from_db(-36.0) + gain_from_db(-48.0)) / 2.0).log10();
    assert!(objects[2]["album"] == true && near(&objects[2]["integrated_lufs"], whole, 0.1), "{}", objects[2]);
    let list = done_in(folder.path(), &["measure", "a.wav"]).out;
    assert!(list.contains("integrated loudness") && list.contains("-18.0 LUFS"), "{list}");
    let table = done_in(folder.path(), &["measure", "a.wav", "b.wav"]).out;
    assert_eq!(table.lines().count(), 3, "{table}");
    let widths: Vec<usize> = table.lines().map(str::len).collect();
    assert!(widths.iter().all(|width| *width == widths[0]) && widths[0] < 120, "{table}");
}

#[test]
fn files_of_every_kind_have_figures() {
    let folder = folder();
    for (name, kind) in [
        ("8-bit.wav", (44_100, 2, 8)),
        ("16-bit.wav", (44_100, 2, 16)),
        ("mono.wav", (48_000, 1, 24)),
        ("192.wav", (192_000, 2, 32)),
        ("24-channels.wav", (48_000, 24, 16)),
        ("5-1.wav", (48_000, 6, 16)),
    ] {
        wav(folder.path(), name, kind, 1.0, -18.0);
    }
    let doubles = [header(3, 2, 48_000, 64, 48_000 * 16), doubles(48_000, 2)].concat();
    fs::write(folder.path().join("64-bit.wav"), doubles).expect("it can be written");
    // A FLAC file with another's name.
    let flac = folder.path().join("tone.flac");
    let format = Format { depth: Depth::Int24, rate: 48_000, channels: 2, dither: Dither::None, seed: 0 };
    let mut writer = FileWriter::create(&flac, format, &Tags::default()).expect("it can be written");
    let sound: Vec<f64> = (0..48_000).map(|frame| tone(frame, 48_000, -18.0)).collect();
    writer.write(&[&sound, &sound]).expect("there is room");
    writer.finish(&Measured::default()).expect("it is whole");
    fs::rename(flac, folder.path().join("mislabelled.wav")).expect("it can be renamed");
    for (name, lufs) in [
        ("8-bit.wav", Some(-18.0)),
        ("16-bit.wav", Some(-18.0)),
        ("mono.wav", Some(-21.0)),
        ("192.wav", Some(-18.0)),
        ("64-bit.wav", Some(-18.0)),
        ("mislabelled.wav", Some(-18.0)),
        // Three fronts and two surrounds of 1.41; the low frequencies do not count.
        ("5-1.wav", Some(-21.0 + 10.0 * (3.0_f64 + 2.82).log10())),
        ("24-channels.wav", None),
    ] {
        let (ran, objects) = measured(folder.path(), &[name]);
        let object = &objects[0];
        assert_eq!(ran.status, 0, "{name}: {ran:?}");
        assert!(near(&object["true_peak_dbtp"], -18.0, 0.1), "{name}: {object}");
        match lufs {
            Some(lufs) => assert!(near(&object["integrated_lufs"], lufs, 0.1), "{name}: {object}"),
            None => assert!(object["integrated_lufs"].is_null() && ran.err.contains("--layout"), "{name}: {ran:?}"),
        }
    }
    let (_, dual) = measured(folder.path(), &["mono.wav", "--dual-mono"]);
    assert!(near(&dual[0]["integrated_lufs"], -18.0, 0.05));
    let (ran, objects) = measured(folder.path(), &["16-bit.wav", "--layout", "5.1"]);
    assert!(ran.status == 1 && objects[0]["error"].as_str().is_some_and(|why| why.contains("has 2 channels")));
}

#[test]
fn what_has_no_figures_says_why_and_stops_no_other() {
    let folder = folder();
    wav(folder.path(), "good.wav", (48_000, 2, 16), 1.0, -18.0);
    let good = fs::read(folder.path().join("good.wav")).expect("it is there");
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("it can be written");
    write("empty.wav", b"");
    write(
        "no-frames.wav",
        &good[..44].iter().enumerate().map(|(i, b)| if i < 40 { *b } else { 0 }).collect::<Vec<u8>>(),
    );
    write("cut-short.wav", &good[..good.len() / 2]);
    write("header-only.wav", &good[..30]);
    write("text.wav", b"this is no sound, whatever its name says; nor is there any more to come");
    write("noise.flac", &[&b"fLaC"[..], &good[44..5_000]].concat());
    fs::create_dir(folder.path().join("folder.wav")).expect("it can be made");
    let bad = [
        ("empty.wav", "is empty"),
        ("no-frames.wav", "is empty"),
        ("cut-short.wav", "promises 48000 frames, and 23994 are there"),
        ("header-only.wav", ""),
        ("text.wav", "not a sound file"),
        ("noise.flac", ""),
        ("folder.wav", "is not a file"),
        ("missing.wav", "no such file"),
    ];
    let names: Vec<&str> = bad.iter().map(|(name, _)| *name).chain(["good.wav"]).collect();
    let (ran, objects) = measured(folder.path(), &names);
    assert_eq!((ran.status, objects.len()), (1, names.len()));
    has_fields(&Value::Array(objects.clone()), &FIELDS);
    for ((name, why), object) in bad.iter().zip(&objects) {
        let error = object["error"].as_str().unwrap_or_else(|| panic!("{name} has no error: {object}"));
        assert!(error.starts_with(name) && error.contains(why) && error.len() > name.len() + 5, "{error}");
        assert!(ran.err.contains(error) && object["integrated_lufs"].is_null());
    }
    let last = &objects[names.len() - 1];
    assert!(last["error"].is_null() && near(&last["integrated_lufs"], -18.0, 0.1));
}

#[test]
fn silence_and_samples_that_are_no_numbers_are_told() {
    let folder = folder();
    wav(folder.path(), "silent.wav", (48_000, 2, 16), 1.0, f64::NEG_INFINITY);
    let mut sound: Vec<f64> = (0..48_000).map(|frame| tone(frame, 48_000, -18.0)).collect();
    (sound[100], sound[200]) = (f64::NAN, f64::INFINITY);
    let bytes: Vec<u8> = sound.into_iter().flat_map(f64::to_le_bytes).collect();
    let broken = [header(3, 1, 48_000, 64, bytes.len() as u32), bytes].concat();
    fs::write(folder.path().join("broken.wav"), broken).expect("it can be written");
    let (ran, objects) = measured(folder.path(), &["silent.wav", "broken.wav"]);
    assert_eq!(ran.status, 0);
    for field in ["integrated_lufs", "true_peak_dbtp", "rms_dbfs", "plr_lu", "correlation"] {
        assert!(objects[0][field].is_null(), "{field}");
    }
    assert!(objects[1]["broken_samples"] == 2 && near(&objects[1]["integrated_lufs"], -21.0, 0.1), "{}", objects[1]);
    assert!(done_in(folder.path(), &["measure", "broken.wav"]).out.contains("samples that are no numbers"));
}

#[test]
fn a_target_is_met_or_says_by_how_much_it_is_not() {
    let folder = folder();
    wav(folder.path(), "loud.wav", (48_000, 2, 16), 1.0, -12.7);
    wav(folder.path(), "right.wav", (48_000, 2, 16), 1.0, -14.0);
    let ran = run_in(folder.path(), &["measure", "loud.wav", "--target", "spotify,cd"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.out.contains("fail  integrated loudness") && ran.out.contains("`render --target spotify`"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("pass  true peak"), "{}", ran.out);
    let (ran, objects) = measured(folder.path(), &["right.wav", "--target", "spotify"]);
    let lines = objects[0]["targets"].as_array().expect("they are listed");
    assert_eq!((ran.status, lines.len()), (0, 2));
    assert!(lines.iter().all(|line| line["holds"] == true && line["target"] == "spotify" && line["advice"].is_null()));
    let wrong = run_in(folder.path(), &["measure", "right.wav", "--target", "spottify"]);
    assert!(wrong.status == 2 && wrong.err.contains("spotify"), "{wrong:?}");
    let listed = done_in(folder.path(), &["measure", "--targets"]).out;
    let listed_as_json = parsed(&done_in(folder.path(), &["measure", "--targets", "--json"]));
    for target in listed_as_json.as_array().expect("they are listed") {
        let name = target["name"].as_str().expect("it has a name");
        assert!(listed.lines().any(|line| line.split(' ').next() == Some(name)), "{name}: {listed}");
    }
}

#[test]
fn a_picture_shows_loudness_spectrum_and_field() {
    let folder = folder();
    wav(folder.path(), "tone.wav", (48_000, 2, 16), 4.0, -18.0);
    // It is softer than that target, and drawn all the same.
    assert_eq!(
        run_in(folder.path(), &["measure", "tone.wav", "--plot", "tone.svg", "--target", "streaming"]).status,
        1
    );
    let picture = fs::read_to_string(folder.path().join("tone.svg")).expect("it is written");
    assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
    for part in ["Loudness", "short-term", "integrated -18.0", "streaming -14", "Spectrum", "Stereo field"] {
        assert!(picture.contains(part), "{part}");
    }
    done_in(folder.path(), &["measure", "tone.wav", "--plot", "tone.png"]);
    let points = fs::read(folder.path().join("tone.png")).expect("it is written");
    assert!(points.starts_with(b"\x89PNG") && points[16..24] == [0, 0, 5, 0, 0, 0, 3, 132], "1280 by 900");
    assert_eq!(run_in(folder.path(), &["measure", "tone.wav", "--plot", "tone.txt"]).status, 2);
}

#[test]
fn silence_has_no_figures_and_is_drawn_without_a_line() {
    let folder = folder();
    wav(folder.path(), "tone.wav", (48_000, 2, 16), 4.0, -18.0);
    wav(folder.path(), "silence.wav", (48_000, 2, 16), 4.0, f64::NEG_INFINITY);
    let drawn = |name: &str| {
        let told = done_in(folder.path(), &["measure", &format!("{name}.wav"), "--plot", &format!("{name}.svg")]).out;
        let picture = fs::read_to_string(folder.path().join(format!("{name}.svg"))).expect("it is written");
        let points = |line: &str| line.split('"').next().unwrap_or_default().split_whitespace().count();
        // Axes, their marks and what explains the colours have two.
        let curves = picture.split(" points=\"").skip(1).filter(|line| points(line) > 2).count();
        (told, picture, curves)
    };
    let (_, _, curves) = drawn("tone");
    assert!(curves >= 4, "two of loudness, two of the spectrum, and not {curves}");
    let (told, picture, curves) = drawn("silence");
    assert_eq!(curves, 0);
    assert!(!picture.contains("NaN") && !picture.contains("inf") && !picture.contains("integrated"));
    for part in ["Loudness", "Spectrum", "Stereo field"] {
        assert!(picture.contains(part), "{part}");
    }
    for figure in ["integrated loudness", "short-term loudness, max", "true peak", "sample peak", "RMS", "correlation"]
    {
        let line = told.lines().find(|line| line.trim_start().starts_with(figure)).expect(figure);
        assert_eq!(line.split_whitespace().last(), Some("-"), "{line}");
    }
}

#[test]
fn sessions_are_measured_as_they_are_rendered_and_drawn_before_and_after_an_edit() {
    let folder = folder();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("it can be written");
    let session = |level: i32| format!("input(\"a\", sine(1000).level({level})) >> master;\ntarget(\"streaming\");\n");
    write("before.rhai", &session(-18));
    write("after.rhai", &session(-12));
    let endless = run_in(folder.path(), &["measure", "before.rhai"]);
    assert!(endless.status == 1 && endless.err.contains("say how much to render with --length"), "{endless:?}");
    let length = ["--length", "2bars"];
    let both = [&["before.rhai", "after.rhai"], &length[..], &["--plot", "both.svg"]].concat();
    let (ran, objects) = measured(folder.path(), &both);
    assert_eq!(ran.status, 0, "{ran:?}");
    // A tone of 1 kHz in both loudspeakers reads as many LUFS as its peak is dBFS.
    for (object, level) in objects.iter().zip([-18.0, -12.0]) {
        assert!(near(&object["integrated_lufs"], level, 0.1) && object["duration_s"] == 4.0, "{object}");
    }
    let picture = fs::read_to_string(folder.path().join("both.svg")).expect("it is written");
    for part in
        ["before.rhai, integrated -18.0", "after.rhai, integrated -12.0", "streaming -14", "Spectrum", "has more"]
    {
        assert!(picture.contains(part), "{part}");
    }
    // Of what is too short for a short-term loudness the momentary one is seen.
    done_in(folder.path(), &["measure", "before.rhai", "after.rhai", "--length", "2s", "--plot", "short.svg"]);
    let short = fs::read_to_string(folder.path().join("short.svg")).expect("it is written");
    let loudness = short.split("Spectrum").next().unwrap_or_default();
    let points = |line: &str| line.split('"').next().unwrap_or_default().split_whitespace().count();
    assert_eq!(loudness.split(" points=\"").skip(1).filter(|line| points(line) > 8).count(), 2);
    // What is measured is what would be rendered.
    done_in(folder.path(), &[&["render", "after.rhai", "-o", "after.wav", "--bits", "32f"], &length[..]].concat());
    let (_, rendered) = measured(folder.path(), &["after.wav"]);
    for figure in ["integrated_lufs", "true_peak_dbtp", "rms_dbfs", "duration_s"] {
        let of = |object: &Value| object[figure].as_f64().expect(figure);
        assert!((of(&rendered[0]) - of(&objects[1])).abs() < 1e-5, "{figure}");
    }
    // A live input has to hear something, a sound file has no bars, and what is wrong is shown.
    write("live.rhai", "input(\"voice\", device(1)) >> master;");
    let live = run_in(folder.path(), &["measure", "live.rhai", "--length", "1s"]);
    assert!(live.status == 1 && live.err.contains("--input voice=FILE"), "{live:?}");
    done_in(folder.path(), &["measure", "live.rhai", "--length", "1s", "--input", "voice=after.wav"]);
    assert_eq!(run_in(folder.path(), &["measure", "after.wav", "--length", "2bars"]).status, 2);
    assert_eq!(run_in(folder.path(), &["measure", "after.wav", "--input", "silence"]).status, 2);
    write("wrong.rhai", "fadre(3);");
    let wrong = run_in(folder.path(), &["measure", "wrong.rhai", "--length", "1s", "--plot", "wrong.svg"]);
    assert!(wrong.status == 1 && wrong.err.contains("did you mean `fader`?"), "{wrong:?}");
    assert!(!folder.path().join("wrong.svg").exists());
}

#[test]
fn a_pipe_that_never_ends_is_measured_until_it_is_interrupted_or_as_long_as_was_said() {
    let endless = [header(3, 2, 48_000, 64, u32::MAX), doubles(2 * 48_000, 2)].concat();
    let start = |more: &[&str]| {
        let mut command = gainstage([&["measure", "--json", "-"], more].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    };
    let mut limited = start(&["--length", "1s"]);
    // It may stop listening before all is said.
    let _ = limited.stdin.as_mut().expect("it listens").write_all(&endless);
    let ran = Ran::from(limited.wait_with_output().expect("it ends"));
    let object = &parsed(&ran)[0];
    assert!(ran.status == 0 && object["duration_s"] == 1.0 && near(&object["integrated_lufs"], -18.0, 0.1), "{ran:?}");

    let mut child = start(&[]);
    let mut pipe = child.stdin.take().expect("it listens");
    pipe.write_all(&endless).expect("it listens");
    // Nothing tells that it has read all; what it has read by then is enough.
    std::thread::sleep(Duration::from_millis(500));
    let pid = child.id().to_string();
    let sent = Command::new("sh").args(["-c", &format!("kill -INT {pid}")]).status().expect("there is a shell");
    assert!(sent.success());
    let ran = Ran::from(child.wait_with_output().expect("it ends"));
    drop(pipe);
    let object = &parsed(&ran)[0];
    assert!(ran.status == 0 && near(&object["integrated_lufs"], -18.0, 0.1), "{ran:?}");
    assert!(ran.err.contains("interrupted"), "{ran:?}");
}
