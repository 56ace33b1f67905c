//! `gainstage render --target`: what is delivered reads what was aimed at, and what cannot be reached is not written.

use std::fs;
use std::path::Path;

use engine::measure::{Figures, Layout, Measurement};
use engine::media::Library;
use tempfile::TempDir;

use super::folder;
use crate::program::{Ran, examples, run_in};
use crate::spectrum::true_peak;

/// Noise with bursts over it, whose peaks stand 15 dB over its loudness.
const PROGRAMME: &str = r#"let a = input("a", noise("pink").level(-24));
let b = input("b", impulse(2).level(-6));
a >> pan(-0.2) >> master; b >> low_pass(9000) >> master;
"#;

fn render(folder: &TempDir, options: &str) -> Ran {
    let arguments: Vec<&str> =
        ["render", "session.rhai", "--length", "6s"].into_iter().chain(options.split(' ')).collect();
    run_in(folder.path(), &arguments)
}

/// What a file of this rate reads, and its true peak looked at 16 times as finely.
fn read(path: &Path, rate: u32) -> (Figures, f64) {
    let media = Library::new().open(path, rate).expect("it is a sound file");
    assert_eq!(media.stretched(), 1.0, "{} has another rate", path.display());
    let sound = media.memory().expect("it is short");
    let sound: Vec<Vec<f64>> = sound.iter().map(|channel| channel.iter().map(|x| f64::from(*x)).collect()).collect();
    let mut measurement = Measurement::new(rate, Layout::of(sound.len()));
    measurement.take(&sound);
    let peak = sound.iter().map(|channel| true_peak(channel)).fold(f64::NEG_INFINITY, f64::max);
    (measurement.figures(), peak)
}

#[test]
fn what_is_delivered_reads_what_was_aimed_at_at_each_rate_and_depth() {
    let folder = folder(&format!("{PROGRAMME}master >> limiter(-1).gain(12) >> output(1, 2);"));
    let ran = render(&folder, "--target spotify,apple_music,ebu_r128,cd -o mix.wav");
    assert_eq!(ran.status, 0, "{ran:?}");
    for (name, lufs, ceiling, rate) in [
        ("spotify", Some(-14.0), -1.0, 48_000),
        ("apple_music", Some(-16.0), -1.0, 48_000),
        ("ebu_r128", Some(-23.0), -1.0, 48_000),
        ("cd", None, -0.1, 44_100),
    ] {
        let (figures, peak) = read(&folder.path().join(format!("mix-{name}.wav")), rate);
        if let Some(lufs) = lufs {
            assert!((figures.integrated.unwrap() - lufs).abs() <= 0.05, "{name}: {:?}", figures.integrated);
        }
        assert!(peak <= ceiling + 0.2, "{name}: {peak}");
    }
    for (options, rate) in [
        ("--target spotify -o one.flac --bits 16", 48_000),
        ("--target spotify -o one.wav --rate 96000 --bits 32f", 96_000),
    ] {
        let ran = render(&folder, options);
        assert_eq!(ran.status, 0, "{ran:?}");
        let file = options.split(' ').nth(3).unwrap();
        let (figures, peak) = read(&folder.path().join(file), rate);
        assert!((figures.integrated.unwrap() + 14.0).abs() <= 0.05 && peak <= -0.8, "{options}: {figures:?}, {peak}");
    }
}

#[test]
fn a_target_that_cannot_be_reached_is_told_of_with_two_remedies_and_nothing_is_written() {
    let folder = folder(&format!("{PROGRAMME}master >> output(1, 2);"));
    let ran = render(&folder, "--target spotify,ebu_r128 -o mix.wav");
    assert_eq!(ran.status, 1, "{ran:?}");
    for part in
        ["dB over the ceiling", "Raise `gain` of the limiter by", "choose a quieter target", "nothing is written"]
    {
        assert!(ran.err.contains(part), "{part}: {ran:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the session");
    let ran = render(&folder, "--target spotify -o mix.wav --force");
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.err.contains("warning") && folder.path().join("mix.wav").exists(), "{ran:?}");
}

#[test]
fn the_gain_is_one_number_for_the_whole() {
    let folder = folder(&format!("{PROGRAMME}master >> limiter(-1).gain(8) >> output(1, 2);"));
    assert_eq!(render(&folder, "--bits 32f -o plain.wav").status, 0);
    assert_eq!(render(&folder, "--bits 32f --target ebu_r128 -o turned.wav").status, 0);
    let (plain, turned) =
        (super::render::wav(&folder.path().join("plain.wav")), super::render::wav(&folder.path().join("turned.wav")));
    let ratios = plain.iter().zip(&turned).filter(|(x, _)| x.abs() > 0.01).map(|(x, y)| f64::from(*y) / f64::from(*x));
    let (least, most) = ratios.fold((f64::MAX, f64::MIN), |(least, most), ratio| (least.min(ratio), most.max(ratio)));
    assert!(most / least - 1.0 < 1e-6 && most < 0.9, "{least} to {most}");
}

#[test]
fn silence_has_no_target_and_an_unknown_target_is_wrong_use() {
    let folder = folder("input(\"a\", sine(100)) >> fader(off) >> master;");
    let ran = render(&folder, "--target spotify -o mix.wav");
    assert!(ran.status == 1 && ran.err.contains("no loudness"), "{ran:?}");
    let ran = render(&folder, "--target spotfiy -o mix.wav");
    assert!(ran.status == 2 && ran.err.contains("did you mean spotify?"), "{ran:?}");
}

#[test]
fn every_file_says_what_it_reads() {
    let folder = folder(&format!("{PROGRAMME}master >> output(1, 2);"));
    let ran = render(&folder, "-o mix.wav");
    assert!(ran.status == 0 && ran.err.contains("LUFS") && ran.err.contains("dBTP"), "{ran:?}");
    let bytes = fs::read(folder.path().join("mix.wav")).unwrap();
    let bext = bytes.windows(4).position(|name| name == b"bext").expect("it is a broadcast file");
    let loudness = i16::from_le_bytes([bytes[bext + 8 + 412], bytes[bext + 8 + 413]]);
    let (figures, _) = read(&folder.path().join("mix.wav"), 48_000);
    assert!((f64::from(loudness) / 100.0 - figures.integrated.unwrap()).abs() <= 0.0051, "{loudness}: {figures:?}");
}

#[test]
fn the_mastering_examples_hold_what_they_expect() {
    for name in ["streaming", "cd", "podcast", "stems"] {
        let ran = run_in(&examples().join("mastering"), &["check", "--render", &format!("{name}.rhai")]);
        assert_eq!(ran.status, 0, "{name}: {ran:?}");
        assert!(ran.out.lines().count() >= 4, "{name}: {ran:?}");
    }
}

#[test]
fn tracks_are_delivered_to_a_target_as_the_whole_that_they_are() {
    let folder = folder(
        "let songs = input(\"songs\", tracks([track(\"One\", \"a.wav\").gap(0), track(\"Two\", \"b.wav\").gap(0)]));\n\
         songs >> master;\n",
    );
    for (name, seconds, db) in [("a.wav", "0.9s", -20), ("b.wav", "2s", -26)] {
        let text = format!("input(\"n\", noise(\"pink\").level({db})) >> master;");
        fs::write(folder.path().join("made.rhai"), text).unwrap();
        let made = run_in(folder.path(), &["render", "made.rhai", "-o", name, "--length", seconds]);
        assert_eq!(made.status, 0, "{made:?}");
    }
    let ran =
        run_in(folder.path(), &["render", "session.rhai", "--target", "ebu_r128", "--tracks", "t", "--bits", "24"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(fs::read_dir(folder.path().join("t")).unwrap().count(), 2, "{ran:?}");
}

#[test]
fn one_channel_is_delivered_as_it_is_heard_from_two_loudspeakers_if_that_is_said() {
    let folder = folder("input(\"v\", noise(\"pink\").level(-30)) >> master; master >> mono() >> output(1);");
    for (options, lufs) in [("--target podcast -o one.wav", -16.0), ("--target podcast --dual-mono -o two.wav", -19.0)]
    {
        let ran = render(&folder, options);
        assert_eq!(ran.status, 0, "{ran:?}");
        let (figures, _) = read(&folder.path().join(options.rsplit(' ').next().unwrap()), 48_000);
        assert!((figures.integrated.unwrap() - lufs).abs() < 0.06, "{options}: {:?}", figures.integrated);
    }
}

#[test]
fn a_target_that_is_there_twice_is_wrong_use() {
    let folder = folder(PROGRAMME);
    assert_eq!(render(&folder, "--target cd,cd -o mix.wav").status, 2);
}
