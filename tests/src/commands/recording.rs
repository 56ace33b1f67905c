//! `gainstage play --record`, `--record-stems` and `--record-inputs`: what is found afterwards, however it ended.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{folder, play::playing, play::stopped, render::wav};
use crate::program::{Ran, done_in, path, run_in};

const BAND: &str = r#"
let a = input("a", sine(220));
let b = input("b", saw(110));
a >> fader(-6) >> master;
b >> low_pass(400) >> fader(-9) >> master;
master >> limiter(-1);
"#;

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("it can be listed");
    entries.map(|entry| entry.expect("it is there").file_name().to_string_lossy().into_owned()).collect()
}

/// Waits until a file has so many bytes.
fn wait_for(file: &Path, bytes: u64) {
    let begun = Instant::now();
    while fs::metadata(file).map_or(0, |metadata| metadata.len()) < bytes {
        assert!(begun.elapsed() < Duration::from_secs(30), "{} does not grow to {bytes} bytes", file.display());
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_was_recorded_before_a_kill_is_in_files_that_open_and_is_what_it_renders_to() {
    // At once, since each plays for a while: killed at the first bytes, and later.
    let kills = [69, 100_000, 500_000, 800_000];
    thread::scope(|scope| {
        for bytes in kills {
            scope.spawn(move || {
                let folder = folder(BAND);
                let record = ["--record", "take.wav", "--record-stems", "stems"];
                let mut playing = playing(&folder, &record);
                let take = folder.path().join("take.wav");
                wait_for(&take, bytes);
                playing.kill();
                let render = ["render", "session.rhai", "-o", "all.wav", "--stems", "all", "--bits", "32f"];
                done_in(folder.path(), &[&render[..], &["--length", "4s"]].concat());
                for (kept_name, whole) in [
                    ("take.wav", "all.wav"),
                    ("stems/session-a.wav", "all/session-a.wav"),
                    ("stems/session-b.wav", "all/session-b.wav"),
                ] {
                    let (kept, whole) = (wav(&folder.path().join(kept_name)), wav(&folder.path().join(whole)));
                    // A second of stereo is 384000 bytes.
                    let least = if kept_name == "take.wav" { bytes.saturating_sub(68 + 384_000) } else { 0 };
                    assert!(4 * kept.len() as u64 >= least, "{kept_name}: {} samples of {bytes} bytes", kept.len());
                    let differs = kept.iter().zip(&whole).position(|(a, b)| a.to_bits() != b.to_bits());
                    assert_eq!(differs, None, "{kept_name}: the sample from which on they differ");
                }
            });
        }
    });
}

#[test]
fn stems_and_inputs_recorded_are_those_of_a_render() {
    let folder = folder(&format!("{BAND} input(\"voice\", device(1, 2)) >> master;"));
    let length = ["--length", "1s"];
    let record = ["play", "session.rhai", "--device", "none", "--no-prompt", "--record-stems", "played"];
    let ran = done_in(folder.path(), &[&record[..], &["--record-inputs", "played"], &length].concat());
    let last = ran.err.lines().last().expect("it says how it ended");
    assert!(last.starts_with("stopped; 48000 frames recorded"), "{last}");
    let render = ["render", "session.rhai", "--stems", "rendered", "--input", "silence"];
    done_in(folder.path(), &[&render[..], &length].concat());
    for name in ["session-a.wav", "session-b.wav", "session-voice.wav"] {
        let sound = |dir: &str| wav(&folder.path().join(dir).join(name));
        assert!(sound("played") == sound("rendered"), "{name}");
    }
    assert_eq!(wav(&folder.path().join("played/session-voice-in.wav")), vec![0.0; 2 * 48_000]);
    assert_eq!(names(&folder.path().join("played")).len(), 4);
}

#[test]
fn a_stem_that_an_edit_adds_is_as_long_as_the_rest() {
    let folder = folder(BAND);
    let mut playing = playing(&folder, &["--record", "take.wav", "--record-stems", "stems"]);
    wait_for(&folder.path().join("take.wav"), 100_000);
    let added = format!("{BAND} input(\"c\", square(330)) >> fader(-12) >> master;");
    fs::write(folder.path().join("session.rhai"), added).expect("it can be written");
    playing.says("added");
    wait_for(&folder.path().join("stems/session-c.wav"), 400_000);
    let told = stopped(playing);
    let stems = ["a", "b", "c"].map(|name| wav(&folder.path().join(format!("stems/session-{name}.wav"))));
    let frames = stems[0].len() / 2;
    assert_eq!(stems.each_ref().map(|stem| stem.len() / 2), [frames; 3]);
    assert!(told.iter().any(|line| *line == format!("stems/session-c.wav: {frames} frames")), "{told:#?}");
    let begin = stems[2].iter().position(|x| *x != 0.0).expect("it sounds");
    assert!(begin > 20_000, "it begins with the silence before it: {begin}");
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let folder = folder(BAND);
    let there = ["take.wav", "take.2-2.wav", "stems/session-a.wav", "stems/session.2-b.wav"];
    fs::create_dir(folder.path().join("stems")).expect("it can be made");
    for name in there {
        fs::write(folder.path().join(name), "precious").expect("it can be written");
    }
    let record = ["--record", "take.wav", "--record-stems", "stems", "--record-inputs", "stems", "--length", "0.1s"];
    let mut playing = playing(&folder, &record);
    assert_eq!(playing.end(), 0, "{:#?}", playing.told);
    for told in ["take.wav is there already and stays as it is: this is recorded to take.3.wav", "session.3-..."] {
        assert!(playing.told.iter().any(|line| line.contains(told)), "{told} is missing in {:#?}", playing.told);
    }
    for name in there {
        assert_eq!(fs::read(folder.path().join(name)).expect("it is there"), b"precious", "{name}");
    }
    for name in ["take.3.wav", "stems/session.3-a.wav", "stems/session.3-b.wav"] {
        assert_eq!(wav(&folder.path().join(name)).len(), 2 * 4800, "{name}");
    }
}

#[test]
fn a_recording_that_cannot_begin_leaves_no_file() {
    let folder = folder(BAND);
    let run = |arguments: &[&str]| {
        let ran = run_in(folder.path(), &[&["play", "session.rhai", "--no-prompt"], arguments].concat());
        assert_eq!(ran.status, 1, "{ran:?}");
        ran.err
    };
    let record = ["--record", "take.wav", "--record-stems", "stems"];
    assert!(run(&[&record[..], &["--device", "no such card"]].concat()).contains("no such card"));
    fs::write(folder.path().join("file"), "precious").expect("it can be written");
    let refused = run(&["--device", "none", "--record", "take.wav", "--record-stems", "file"]);
    assert!(refused.contains("error: file: "), "{refused}");
    assert_eq!(names(folder.path()), ["file", "session.rhai", "stems"].map(String::from).into());
    assert_eq!(names(&folder.path().join("stems")).len(), 0);
}

/// A run in a shell in which no file can have more than 64 blocks: what a full disk answers, and without an end to it.
fn with_small_files(folder: &TempDir, arguments: &str) -> Ran {
    let program = path().display();
    let line =
        format!("trap '' XFSZ; ulimit -f 64; exec '{program}' play session.rhai --device none --no-prompt {arguments}");
    let mut command = Command::new("sh");
    command.args(["-c", &line]).current_dir(folder.path()).stdin(Stdio::null());
    command.output().expect("there is a shell").into()
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_told_and_playing_goes_on_and_what_is_written_stays() {
    let folder = folder(BAND);
    let ran = with_small_files(&folder, "--record take.wav --length 1.5s");
    assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{ran:?}");
    for told in ["error: take.wav: File too large", "playing goes on", "of 72000 frames"] {
        assert!(ran.err.contains(told), "{told} is missing in {}", ran.err);
    }
    assert_eq!(ran.err.matches("playing goes on").count(), 1, "it is told once: {}", ran.err);
    let kept = wav(&folder.path().join("take.wav"));
    let size = fs::metadata(folder.path().join("take.wav")).expect("it is there").len();
    assert!(size.is_multiple_of(64 * 512) && kept.len() as u64 / 2 == (size - 68) / 8, "{size} bytes");
    done_in(folder.path(), &["render", "session.rhai", "-o", "all.wav", "--bits", "32f", "--length", "1.5s"]);
    assert!(kept[..] == wav(&folder.path().join("all.wav"))[..kept.len()]);
}
