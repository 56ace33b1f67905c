//! The prompt, typed at in a real pseudo-terminal.

use std::fs;
use std::path::Path;

use rexpect::session::{PtySession, spawn_command};
use tempfile::TempDir;

use super::folder;
use crate::program::gainstage;

const SESSION: &str = "let voice = input(\"voice\", sine(440));\nlet band = bus(\"band\");\n\
                       voice >> fader(-20) >> band;\nband >> master;\n";

/// How long to wait for what has to come, in milliseconds.
const PATIENCE: u64 = 20_000;

/// A desk that plays a session at a terminal of its own.
fn typing(folder: &TempDir) -> PtySession {
    let mut command = gainstage(["play", "session.rhai", "--device", "none", "--osc", "none"]);
    command.current_dir(folder.path()).env("TERM", "xterm").env("XDG_STATE_HOME", folder.path().join("state"));
    let mut session = spawn_command(command, Some(PATIENCE)).expect("it starts");
    session.exp_string("playing").expect("it plays");
    session
}

fn ends(mut session: PtySession) {
    session.exp_string("stopped").expect("it fades out");
    session.exp_eof().expect("it ends");
}

#[test]
fn a_line_is_taken_up_undone_and_redone() {
    let folder = folder(SESSION);
    let mut desk = typing(&folder);
    for (line, told) in [
        ("voice >> fader(-6) >> band", "changed voice>band/fader"),
        (":undo", "taken back: voice >> fader(-6) >> band"),
        (":redo", "taken up again: voice >> fader(-6) >> band"),
        ("set(\"voice/fader.gain\", -12)", "changed voice>band/fader"),
        (":history", "voice >> fader(-6) >> band"),
        (":text", "// typed"),
        (":drop", "dropped: all lines"),
        (":drop", "there are no lines"),
        (":plan voice >> fader(-3) >> band", "plan: changed voice>band/fader, heard at once"),
        ("1 + 2", "3"),
        ("get(\"voice/fader.gain\")", "-20"),
        (":quit", "stopped"),
    ] {
        desk.send_line(line).expect("it listens");
        desk.exp_string(told).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    desk.exp_eof().expect("it ends");
}

#[test]
fn what_is_wrong_is_told_with_a_caret_and_plays_on() {
    let folder = folder(SESSION);
    let mut desk = typing(&folder);
    for (line, told) in [
        ("voice >> fadre(-6) >> band", "did you mean `fader`?"),
        ("voice >> fader(-6.ms) >> band", "is given in ms"),
        (":undoo", "did you mean `:undo`?"),
        (":over soon voice >> band", "is no time"),
        ("voice >> fader(-6) >> band", "changed voice>band/fader"),
    ] {
        desk.send_line(line).expect("it listens");
        desk.exp_string(told).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    desk.send_control('d').expect("it listens");
    ends(desk);
}

#[test]
fn an_open_bracket_goes_on_and_tab_completes() {
    let folder = folder(SESSION);
    let mut desk = typing(&folder);
    desk.send_line("voice >> fader(").expect("it listens");
    desk.send_line("-9) >> band").expect("it listens");
    desk.exp_string("changed voice>band/fader").expect("both lines are one");
    desk.send("voice >> compr\t(-30, 4) >> fader(-9) >> ba\tnd\n").expect("it listens");
    desk.exp_string("added voice>band/compressor").expect("a word is completed");
    desk.send_control('d').expect("it listens");
    ends(desk);
}

#[test]
fn ctrl_c_takes_a_line_away_and_ends_nothing() {
    let folder = folder(SESSION);
    let mut desk = typing(&folder);
    desk.send("voice >> fader(off) >> band").expect("it listens");
    desk.send_control('c').expect("it listens");
    desk.exp_string("Ctrl-D on an empty line").expect("it says how to end");
    desk.send_line(":text").expect("it listens");
    desk.exp_string("band >> master").expect("it plays on");
    desk.send_control('d').expect("it listens");
    ends(desk);
}

#[test]
fn the_file_and_the_lines_both_apply_and_a_line_that_no_longer_fits_is_set_aside() {
    let folder = folder(SESSION);
    let mut desk = typing(&folder);
    desk.send_line("voice >> fader(-6) >> band").expect("it listens");
    desk.exp_string("changed voice>band/fader").expect("it is taken up");
    let file = |text: &str| fs::write(Path::new(folder.path()).join("session.rhai"), text).expect("it can be written");
    file(&SESSION.replace("band >> master", "band >> pan(0.5) >> master"));
    desk.exp_string("added band>master/pan").expect("the file applies too");
    file("input(\"tone\", sine(100)) >> master;\n");
    desk.exp_string("set aside: voice >> fader(-6) >> band").expect("it is shown");
    desk.send_control('d').expect("it listens");
    ends(desk);
}

#[test]
fn enormous_and_malformed_lines_leave_the_prompt_and_the_sound() {
    let folder = folder(SESSION);
    let mut desk = typing(&folder);
    for line in [
        "((((((((((",
        "\"",
        "}{",
        "let let let",
        "voice >> >> band",
        "\u{1b}[31m",
        "fn f( {",
        "💥 >> band",
        "a".repeat(5000).as_str(),
    ] {
        desk.send_line(line).expect("it listens");
        // What is open is given up.
        desk.send_control('c').expect("it listens");
    }
    desk.send_line("1 + 41").expect("it listens");
    desk.exp_string("42").expect("the prompt is there");
    desk.send_line("voice >> fader(-6) >> band").expect("it listens");
    desk.exp_string("changed voice>band/fader").expect("and so is the sound");
    desk.send_control('d').expect("it listens");
    ends(desk);
}
