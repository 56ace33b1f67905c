//! `gainstage replay`: what was heard again from its journal, and the performance as a list.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::{folder, has_fields, parsed, render::wav};
use crate::program::{Running, done_in, run_in};

const START: &str = r#"
import "strip" as strip;
let a = input("a", saw(110));
let b = input("b", noise("pink"));
a >> strip::dull() >> fader(-6) >> master;
b >> compressor(-30, 4) >> fader(-15) >> master;
master >> limiter(-1);
"#;

/// A folder with the session and what it imports.
fn place() -> TempDir {
    let folder = folder(START);
    fs::write(folder.path().join("strip.rhai"), "fn dull() { low_pass(900) }\n").expect("it can be written");
    folder
}

/// The samples of a file, as nothing but equality can be asked of them.
pub fn bits(path: &Path) -> Vec<u32> {
    wav(path).iter().map(|x| x.to_bits()).collect()
}

/// Plays to nobody, with a recording and a journal.
pub fn playing(folder: &Path, more: &[&str]) -> Running {
    let arguments =
        ["play", "session.rhai", "--device", "none", "--no-prompt", "--record", "a.wav", "--journal", "kept"];
    let mut playing = Running::start(folder, &[&arguments[..], more].concat());
    playing.says("keeping a journal in kept");
    playing
}

/// Saves some edits one after another, each when the last has been heard.
fn edit(folder: &Path, playing: &mut Running) {
    let session = folder.join("session.rhai");
    let edits = [
        START.replace("fader(-6)", "fader(-9)"),
        START.replace("compressor(-30, 4)", "compressor(-30, 4) >> reverb().decay(0.3.s)"),
        START.replace("a >> strip::dull() >> fader(-6) >> master;", ""),
        START.to_owned(),
        format!("{START}// a remark\n"),
    ];
    for text in edits {
        fs::write(&session, text).expect("it can be written");
        let told = ["changed", "added", "removed", "no change"];
        while !told.map(|word| playing.told.last().is_some_and(|line| line.starts_with(word))).contains(&true) {
            playing.line();
        }
        playing.told.clear();
        thread::sleep(Duration::from_millis(90));
    }
    fs::write(folder.join("strip.rhai"), "fn dull() { low_pass(1500) }\n").expect("it can be written");
    playing.says("changed");
}

/// Ctrl-C, and that it ends as it should.
pub fn stop(mut playing: Running) {
    playing.interrupt();
    assert_eq!(playing.end(), 0, "{:#?}", playing.told);
}

/// The one journal that was kept.
pub fn journal(folder: &Path) -> PathBuf {
    let kept = fs::read_dir(folder.join("kept")).expect("it is there");
    let kept: Vec<PathBuf> = kept.map(|entry| entry.expect("it can be read").path()).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    kept[0].clone()
}

#[test]
fn what_was_recorded_through_edits_is_what_its_journal_replays_to() {
    let place = place();
    let folder = place.path();
    let mut playing = playing(folder, &[]);
    edit(folder, &mut playing);
    stop(playing);
    // What is there now is not what was played.
    fs::write(folder.join("strip.rhai"), "nonsense").expect("it can be written");
    fs::remove_file(folder.join("session.rhai")).expect("it is there");

    done_in(folder, &["replay", "kept", "-o", "b.wav"]);
    let (heard, again) = (bits(&folder.join("a.wav")), bits(&folder.join("b.wav")));
    assert_eq!(heard.len(), again.len());
    assert_eq!(heard.iter().zip(&again).position(|(a, b)| a != b), None, "the sample from which on they differ");

    // A part of it is that part, however it is asked for.
    let (heard, frame) = (wav(&folder.join("a.wav")), 2);
    let length = heard.len() / frame;
    done_in(folder, &["replay", "kept", "--from", "0.2s", "--until", "0.5s", "-o", "part.wav"]);
    assert_eq!(wav(&folder.join("part.wav")), heard[9_600 * frame..24_000 * frame]);
    done_in(folder, &["replay", "kept", "--last", "9601f", "-o", "last.wav"]);
    assert_eq!(wav(&folder.join("last.wav")), heard[heard.len() - 9601 * frame..]);

    // Stems are as long as the master.
    done_in(folder, &["replay", "kept", "--stems", "stems"]);
    for stem in ["session-a.wav", "session-b.wav"] {
        assert_eq!(wav(&folder.join("stems").join(stem)).len(), heard.len(), "{stem}");
    }

    let list = done_in(folder, &["replay", "kept", "--list"]).out;
    let wanted = [
        "session.rhai begins",
        "changed a>master/fader",
        "added b>master/reverb",
        "removed a, a>master",
        "no change to the sound",
        "changed a>master/low_pass",
        "the end",
    ];
    let mut rest = list.as_str();
    for part in wanted {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("{part} does not come in its turn in {list}")).1;
    }
    let list = parsed(&done_in(folder, &["replay", "kept", "--list", "--json"]));
    has_fields(&list, &["time", "frame", "bar", "what", "told"]);
    assert_eq!(list[0]["frame"], 0);
    let end = list.as_array().and_then(|list| list.last()).expect("it has an end");
    assert_eq!((&end["frame"], &end["what"]), (&length.into(), &"end".into()));
}

#[test]
fn stems_of_a_performance_add_up_to_its_master() {
    let text = r#"let a = input("a", sine(220)); let b = input("b", saw(110)); a >> fader(-6) >> master;"#;
    let place = folder(text);
    let folder = place.path();
    let mut playing = playing(folder, &[]);
    let session = folder.join("session.rhai");
    thread::sleep(Duration::from_millis(100));
    fs::write(&session, format!("{text} b >> fader(-12) >> master;")).expect("it can be written");
    playing.says("added");
    fs::write(&session, text.replace("a >> fader(-6) >> master;", "b >> fader(-12) >> master;")).expect("as before");
    playing.says("removed");
    thread::sleep(Duration::from_millis(100));
    stop(playing);
    done_in(folder, &["replay", "kept", "--stems", ".", "-o", "b.wav"]);
    let of = |name: &str| wav(&folder.join(name));
    let (a, b, whole) = (of("session-a.wav"), of("session-b.wav"), of("b.wav"));
    assert!(a.len() == whole.len() && b.len() == whole.len());
    let most = a.iter().zip(&b).zip(&whole).map(|((a, b), whole)| (a + b - whole).abs()).fold(0.0, f32::max);
    // Each of them is rounded to 32 bits.
    assert!(most < 1e-6, "they are {most} off");
    assert!(a[..100].iter().any(|x| *x != 0.0) && b[..100].iter().all(|x| *x == 0.0));
    assert!(a[a.len() - 100..].iter().all(|x| *x == 0.0) && b[b.len() - 100..].iter().any(|x| *x != 0.0));
}

#[test]
fn a_program_that_is_killed_leaves_a_journal_of_all_but_the_last_second() {
    let place = place();
    let folder = place.path();
    let mut playing = playing(folder, &[]);
    edit(folder, &mut playing);
    thread::sleep(Duration::from_millis(1200));

    // Looking back needs no end.
    let back = done_in(folder, &["replay", "kept", "--last", "0.1s", "-o", "back.wav"]);
    assert!(back.err.contains("still being played"), "{back:?}");
    assert_eq!(wav(&folder.join("back.wav")).len(), 2 * 4800);

    thread::sleep(Duration::from_millis(300));
    playing.kill();
    let heard = bits(&folder.join("a.wav"));
    let ran = done_in(folder, &["replay", "kept", "-o", "b.wav"]);
    assert!(ran.err.contains("cut off at 00:00:0"), "{ran:?}");
    let again = bits(&folder.join("b.wav"));
    let both = heard.len().min(again.len());
    assert!(both > 48_000, "{} and {}", heard.len(), again.len());
    assert!(again.len() + 2 * 48_000 > heard.len(), "{} and {}", heard.len(), again.len());
    assert!(heard[..both] == again[..both]);

    // Cut at any byte it goes as far as it can, or says why not.
    let lines = journal(folder).join("journal.jsonl");
    let whole = fs::read(&lines).expect("it is there");
    let mut last = 0;
    for cut in [whole.len() * 2 / 5, whole.len() * 3 / 5, whole.len() * 4 / 5, whole.len() - 1] {
        fs::write(&lines, &whole[..cut]).expect("it can be written");
        let ran = run_in(folder, &["replay", "kept", "-o", "cut.wav"]);
        assert!(ran.err.contains("cut off at") || ran.status == 1, "{cut}: {ran:?}");
        if ran.status == 0 {
            let cut = bits(&folder.join("cut.wav"));
            assert!(cut.len() >= last && cut[..] == again[..cut.len()]);
            last = cut.len();
        }
    }
    assert!(last > 0, "none of them could be played");
}

#[test]
fn a_sound_file_that_is_another_now_is_refused_by_name_before_anything_is_written() {
    let place = folder(r#"input("a", clip("a.wav").looped()) >> master;"#);
    let folder = place.path();
    let clip = folder.join("a.wav");
    let write = |level: f32| {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 48_000,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut writer = hound::WavWriter::create(&clip, spec).expect("it can be written");
        (0..4800).for_each(|i| writer.write_sample(level * (i % 100) as f32 / 100.0).expect("there is room"));
        writer.finalize().expect("there is room");
    };
    write(0.5);
    let mut playing = playing(folder, &["--length", "0.5s"]);
    assert_eq!(playing.end(), 0, "{:#?}", playing.told);
    let kept = fs::read(&clip).expect("it is there");
    write(0.25);
    let ran = run_in(folder, &["replay", "kept", "-o", "b.wav"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{ran:?}");
    assert!(ran.err.contains("a.wav: is not the file that was played"), "{ran:?}");
    assert!(!folder.join("b.wav").exists());
    done_in(folder, &["replay", "kept", "--list"]);
    fs::remove_file(&clip).expect("it is there");
    let ran = run_in(folder, &["replay", "kept", "-o", "b.wav"]);
    assert!(ran.status == 1 && ran.err.contains("not there any more"), "{ran:?}");
    // The same content is the same file, whatever its date.
    fs::write(&clip, kept).expect("it can be written");
    done_in(folder, &["replay", "kept", "-o", "b.wav"]);
    assert!(fs::read(folder.join("a.wav")).is_ok() && wav(&folder.join("b.wav")).len() == 2 * 24_000);
}

#[test]
fn what_cannot_be_replayed_says_why_and_writes_nothing() {
    let place = place();
    let folder = place.path();
    let mut playing = playing(folder, &["--length", "0.3s"]);
    assert_eq!(playing.end(), 0, "{:#?}", playing.told);
    for (arguments, told) in [
        (&["replay", "nowhere", "-o", "b.wav"][..], "nowhere: there is no journal"),
        (&["replay", "strip.rhai", "-o", "b.wav"], "strip.rhai: is a file"),
        (&["replay", ".", "-o", "b.wav"], "there is no journal in it"),
        (&["replay", "kept", "-o", "b.wav", "--until", "1h"], "a length is seconds"),
        (&["replay", "kept", "-o", "b.wav", "--until", "9s"], "--until 00:00:09.000: the performance is 00:00:00.300"),
        (&["replay", "kept", "-o", "b.wav", "--from", "9s"], "--from 00:00:09.000"),
        (&["replay", "kept", "-o", "b.wav", "--from", "0.2s", "--until", "0.1s"], "nothing lies between"),
        (&["replay", "kept", "-o", "nowhere/b.wav"], "nowhere/b.wav"),
    ] {
        let ran = run_in(folder, arguments);
        assert!(ran.status > 0 && ran.out.is_empty() && ran.err.contains(told), "{arguments:?}: {ran:?}");
        assert!(!folder.join("b.wav").exists());
    }
    let ran = done_in(folder, &["replay", "kept", "-o", "b.wav", "--last", "9s"]);
    assert!(ran.err.contains("less than that: all 00:00:00.300"), "{ran:?}");
    assert_eq!(wav(&folder.join("b.wav")).len(), 2 * 14_400);
    fs::write(journal(folder).join("journal.jsonl"), "a song\n").expect("it can be written");
    let ran = run_in(folder, &["replay", "kept", "-o", "c.wav"]);
    assert!(ran.status == 1 && ran.err.contains("is no journal"), "{ran:?}");
}

#[test]
fn none_is_kept_when_none_is_wanted_and_a_folder_that_takes_none_is_an_error() {
    let place = place();
    let folder = place.path();
    let arguments = ["play", "session.rhai", "--device", "none", "--length", "0.1s", "--journal"];
    let ran = done_in(folder, &[&arguments[..], &["none"]].concat());
    assert!(!ran.err.contains("journal") && !folder.join("none").exists(), "{ran:?}");
    fs::write(folder.join("taken"), "").expect("there is room");
    let ran = run_in(folder, &[&arguments[..], &["taken"]].concat());
    assert!(ran.status == 1 && ran.err.contains("--journal: taken"), "{ran:?}");
    // What could not begin leaves none.
    let begin = ["play", "session.rhai", "--device", "no such card", "--journal", "kept"];
    assert_eq!(run_in(folder, &begin).status, 1);
    assert_eq!(fs::read_dir(folder.join("kept")).expect("it was made").count(), 0);
}

#[test]
fn without_a_word_the_journal_is_kept_in_the_users_state_directory_and_found_there() {
    let place = place();
    let folder = place.path();
    let state = TempDir::new().expect("there is room");
    let in_state = |arguments: &[&str]| {
        let mut command = crate::program::gainstage(arguments);
        command.current_dir(folder).env("XDG_STATE_HOME", state.path());
        crate::program::Ran::from(command.output().expect("the program starts"))
    };
    let ran = in_state(&["replay", "-o", "b.wav"]);
    assert!(ran.status == 1 && ran.err.contains("there is no journal in it"), "{ran:?}");
    let ran = in_state(&["play", "session.rhai", "--device", "none", "--length", "0.2s"]);
    let journals = state.path().join("gainstage/journals");
    let told = format!("keeping a journal in {}", journals.display());
    assert!(ran.status == 0 && ran.err.contains(&told) && ran.err.contains("live inputs too"), "{ran:?}");
    assert_eq!(fs::read_dir(&journals).expect("it is there").count(), 1);
    let ran = in_state(&["replay", "-o", "b.wav"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(wav(&folder.join("b.wav")).len(), 2 * 9600);
}
