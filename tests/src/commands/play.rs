//! `gainstage play`: what is recorded, and what is told of each save.

use std::fs;
use std::path::Path;
use std::thread;

use tempfile::TempDir;

use super::{BAD, folder, render::wav, write};
use crate::program::{Running, done_in, examples, run_in};

const STRIP: &str = r#"
let a = input("a", sine(220));
let b = input("b", saw(110));
a >> fader(-6) >> master;
b >> low_pass(400) >> fader(-9) >> master;
"#;

/// Plays a session to nobody.
pub fn playing(folder: &TempDir, more: &[&str]) -> Running {
    let mut arguments = vec!["play", "session.rhai", "--device", "none", "--no-prompt"];
    arguments.extend(more);
    let mut playing = Running::start(folder.path(), &arguments);
    playing.says("playing to the silent device");
    playing
}

/// Ctrl-C, and that it ends as it should.
pub fn stopped(mut playing: Running) -> Vec<String> {
    playing.interrupt();
    assert_eq!(playing.end(), 0, "{:#?}", playing.told);
    assert!(playing.told.last().is_some_and(|line| line.starts_with("stopped")), "{:#?}", playing.told);
    std::mem::take(&mut playing.told)
}

#[test]
fn what_is_recorded_while_it_plays_is_the_file_that_it_renders_to() {
    let place = TempDir::new().expect("there is room");
    done_in(place.path(), &["new", "mine"]);
    let mut sessions = ["first", "routing", "dynamics"].map(|name| examples().join(format!("{name}.rhai"))).to_vec();
    sessions.push(place.path().join("mine/session.rhai"));
    // At once, since each of them takes as long as it sounds.
    thread::scope(|scope| {
        for session in &sessions {
            let folder = place.path();
            scope.spawn(move || {
                let name = session.file_stem().and_then(|name| name.to_str()).expect("it has a name");
                let (played, rendered) = (format!("{name}-played.wav"), format!("{name}-rendered.wav"));
                let session = session.to_str().expect("it is text");
                let length = ["--length", "1.5s"];
                let play = ["play", session, "--device", "none", "--no-prompt", "--record", &played];
                let ran = done_in(folder, &[&play[..], &length].concat());
                assert_eq!(ran.out, "", "{session}");
                done_in(folder, &[&["render", session, "-o", &rendered, "--bits", "32f"][..], &length].concat());
                // What a file says of itself beside its sound is another matter.
                let (played, rendered) = (wav(&folder.join(&played)), wav(&folder.join(&rendered)));
                assert_eq!(played.len(), rendered.len(), "{session}");
                let differs = played.iter().zip(&rendered).position(|(a, b)| a.to_bits() != b.to_bits());
                assert_eq!(differs, None, "{session}: the sample from which on they differ");
            });
        }
    });
}

#[test]
fn a_length_ends_it() {
    let folder = folder(STRIP);
    let mut playing = playing(&folder, &["--length", "0.1s"]);
    assert_eq!(playing.end(), 0, "{:#?}", playing.told);
}

#[test]
fn ctrl_c_fades_out_and_closes_the_recording() {
    let folder = folder(STRIP);
    let playing = playing(&folder, &["--record", "take.wav"]);
    thread::sleep(std::time::Duration::from_millis(300));
    let told = stopped(playing);
    assert!(told.last().is_some_and(|line| line.contains("frames recorded")), "{told:#?}");
    assert!(!wav(&folder.path().join("take.wav")).is_empty());
    assert_eq!(fs::read_dir(folder.path()).expect("it can be listed").count(), 2, "the session and the take");
}

#[test]
fn what_cannot_begin_says_why_and_harms_nothing() {
    let folder = folder(BAD);
    let take = folder.path().join("take.wav");
    fs::write(&take, "precious").expect("it can be written");
    let refused = |arguments: &[&str], told: &str| {
        let ran = run_in(folder.path(), &[&["play", "session.rhai", "--record", "take.wav"], arguments].concat());
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{ran:?}");
        assert!(ran.err.contains(told), "{told} is missing in {ran:?}");
        assert_eq!(fs::read(&take).expect("it is there"), b"precious");
    };
    refused(&["--device", "none"], "did you mean `fader`?");
    write(folder.path(), STRIP);
    refused(&["--device", "no such card"], "no such card");
    let nowhere = ["play", "session.rhai", "--device", "none", "--record", "no folder/take.wav"];
    let ran = run_in(folder.path(), &nowhere);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("no folder/take.wav"), "{ran:?}");
}

#[test]
fn a_live_input_without_a_card_is_silent_and_this_is_said() {
    let folder = folder(r#"input("voice", device(1)) >> master; input("a", sine(220)) >> master;"#);
    let mut playing = playing(&folder, &["--input", "none", "--length", "0.1s"]);
    assert_eq!(playing.end(), 0);
    assert!(playing.told.iter().any(|line| line == "live inputs are silent"), "{:#?}", playing.told);
}

/// Gives a session a new text.
type Save = fn(&Path, &str);

/// The ways in which editors save.
const SAVES: [(&str, Save); 3] = [
    ("in place", |session, text| fs::write(session, text).expect("it can be written")),
    ("renamed over", |session, text| {
        let new = session.with_extension("new");
        fs::write(&new, text).expect("it can be written");
        fs::rename(new, session).expect("it can be renamed");
    }),
    ("deleted and created", |session, text| {
        fs::remove_file(session).expect("it can be removed");
        fs::write(session, text).expect("it can be written");
    }),
];

#[test]
fn every_save_is_told_by_what_it_changed_however_it_is_saved() {
    for (how, save) in SAVES {
        let folder = folder(STRIP);
        let session = folder.path().join("session.rhai");
        let mut playing = playing(&folder, &[]);

        save(&session, &STRIP.replace("fader(-6)", "fader(-12)"));
        assert_eq!(playing.line(), "changed a>master/fader", "{how}");

        save(&session, &STRIP.replace("low_pass(400) >> ", ""));
        let line = playing.line();
        assert!(line.contains("changed a>master/fader") && line.contains("removed b>master/low_pass"), "{how}: {line}");

        save(&session, STRIP);
        let line = playing.line();
        assert!(line.contains("added b>master/low_pass"), "{how}: {line}");
        stopped(playing);
    }
}

#[test]
fn a_warning_is_told_once_as_long_as_it_stays() {
    let nowhere = format!("{STRIP}bus(\"room\");\n");
    let place = folder(&nowhere);
    let mut playing = playing(&place, &[]);
    let mut save = |text: String, told: &str| {
        write(place.path(), &text);
        playing.says(told);
    };
    save(nowhere.replace("fader(-6)", "fader(-7)"), "changed a>master/fader");
    save(nowhere.replace("fader(-6)", "fader(-8"), "not taken");
    save(nowhere.replace("fader(-6)", "fader(-8)"), "changed a>master/fader");
    save(STRIP.into(), "changed a>master/fader");
    save(nowhere.replace("fader(-6)", "fader(-9)"), "changed a>master/fader");
    let told = stopped(playing);
    let times = told.iter().filter(|line| line.contains("`room` goes nowhere")).count();
    assert_eq!(times, 2, "at the start, and when it came again: {told:#?}");
}

#[test]
fn a_text_that_fails_changes_nothing_and_mending_it_is_no_change() {
    for (how, save) in SAVES {
        let folder = folder(STRIP);
        let session = folder.path().join("session.rhai");
        let mut playing = playing(&folder, &[]);

        save(&session, &STRIP.replace("fader(-6)", "fadre(-6)"));
        assert!(playing.line().contains("error"), "{how}");
        playing.says("did you mean `fader`?");
        playing.says("session.rhai: not taken; the last good text still plays");

        save(&session, STRIP);
        assert_eq!(playing.line(), "no change to the sound", "{how}");

        save(&session, &format!("{STRIP}// a remark\n"));
        assert_eq!(playing.line(), "no change to the sound", "{how}");

        // Saved unchanged there is nothing to tell: the next line is of the next change.
        save(&session, &format!("{STRIP}// a remark\n"));
        save(&session, &STRIP.replace("fader(-9)", "fader(-8)"));
        assert_eq!(playing.line(), "changed b>master/fader", "{how}");
        stopped(playing);
    }
}

#[test]
fn an_import_is_followed_too() {
    let folder = folder("import \"strip\" as strip; input(\"a\", sine(220)) >> strip::quieter() >> master;");
    let import = folder.path().join("strip.rhai");
    fs::write(&import, "fn quieter() { fader(-6) }").expect("it can be written");
    let mut playing = playing(&folder, &[]);
    fs::write(&import, "fn quieter() { fader(-9) }").expect("it can be written");
    assert_eq!(playing.line(), "changed a>master/fader");
    fs::write(&import, "fn quieter() { fader(-9 }").expect("it can be written");
    playing.says("strip.rhai");
    playing.says("not taken; the last good text still plays");
    stopped(playing);
}

#[test]
fn recording_through_an_edit_that_changes_no_sound_is_recording_without_it() {
    let folder = folder(STRIP);
    let session = folder.path().join("session.rhai");
    let mut edited = playing(&folder, &["--record", "edited.wav", "--length", "1s"]);
    fs::write(&session, format!("// a remark\n{STRIP}")).expect("it can be written");
    edited.says("no change to the sound");
    assert_eq!(edited.end(), 0);
    done_in(folder.path(), &["render", "session.rhai", "-o", "rendered.wav", "--bits", "32f", "--length", "1s"]);
    assert_eq!(wav(&folder.path().join("edited.wav")), wav(&folder.path().join("rendered.wav")));
}
