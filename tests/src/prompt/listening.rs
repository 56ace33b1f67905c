//! What whoever plays hears beyond the text, as it is asked for at the prompt.

use std::path::Path;
use std::process::Command;

use crate::commands::replay::bits;
use crate::commands::{folder, write};
use crate::program::done_in;
use crate::terminal::Terminal;

const SESSION: &str = "let voice = input(\"voice\", sine(440).level(-12));\nlet band = bus(\"band\");\n\
                       voice >> fader(-20) >> band;\nband >> master;\n";

fn git(folder: &Path, arguments: &[&str]) {
    let who = ["-c", "user.name=a", "-c", "user.email=a@b"];
    let done = Command::new("git").args(who).args(arguments).current_dir(folder).output().expect("there is git");
    assert!(done.status.success(), "{arguments:?}");
}

#[test]
fn the_monitor_is_turned_dimmed_and_made_mono_and_says_how_it_stands() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    for (line, told) in [
        (":level -6", "the monitor is at -6 dB; what is kept and rendered is as before"),
        (":dim", "the monitor is at -6 dB, dimmed by 20 dB"),
        (":dim", "the monitor is at -6 dB;"),
        (":mono", "the monitor is at -6 dB, in mono"),
        (":level off", "the monitor is off, in mono"),
        (":why voice", "voice is not heard: the monitor is off"),
        (":level 40", "the monitor goes from -120 to 12 dB, or off"),
        (":level loud", "write `:level -6`"),
        (":click", "click"),
        (":click 2", "`:start` counts 2 bars in"),
        (":stop", "the transport stops"),
        (":start", "counting 2 bars in"),
        (":stop", "the transport stops"),
        (":click", "no click"),
        (":start", "the transport goes on"),
    ] {
        desk.asks(line, told);
    }
    desk.leaves();
}

#[test]
fn a_path_or_a_line_is_heard_ahead_where_there_are_channels_for_it() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    desk.asks(":cue voice", "the text has no cue output: write `cue_output(3, 4)`");
    write(folder.path(), &format!("{SESSION}cue_output(3, 4);\ninput(\"idle\", sine(1));\n"));
    desk.shows("no change to the sound");
    for (line, told) in [
        (":cue voice", "voice is heard ahead on 3, 4, before its fader"),
        (":cue voice>band", "voice>band is heard ahead on 3, 4"),
        (":cue vioce", "`voice`"),
        (":cue idle", "leads to no output: the cue output hears nothing of it"),
        (":cue voice >> fader(-3) >> band", "changed voice>band/fader; type the line to take it up"),
        (":cue voice >> fader(-3.ms) >> band", "the cue output hears what it heard"),
        ("voice >> fader(-3) >> band", "changed voice>band/fader"),
        (":cue", "nothing is heard ahead on 3, 4"),
    ] {
        desk.asks(line, told);
    }
    desk.leaves();
}

#[test]
fn a_git_revision_is_heard_as_loud_as_the_text_and_what_was_heard_is_in_the_journal() {
    let folder = folder(SESSION);
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "session.rhai"]);
    git(folder.path(), &["commit", "-q", "-m", "quieter"]);
    write(folder.path(), &SESSION.replace("-20", "-14"));
    let desk = Terminal::playing(folder.path(), &["--journal", "kept", "--record", "take.wav"]);
    for (line, told) in [
        (":ab nothing", "git knows no revision `nothing`; the text plays on"),
        (":ab off", "nothing is compared"),
        (":ab", "the text is turned down by 6.0 dB in the monitor"),
        (":ab", "the text is heard"),
        (":ab", "HEAD is heard"),
        ("voice >> fader(-30) >> band", "back from HEAD to the text"),
        (":ab", "HEAD is turned down by 10.0 dB in the monitor"),
        (":ab off", "nothing is compared any more"),
        (":text", "voice >> fader(-30) >> band"),
    ] {
        desk.asks(line, told);
    }
    desk.leaves();
    done_in(folder.path(), &["replay", "kept", "-o", "again.wav", "--bits", "32f"]);
    let (recorded, again) = (bits(&folder.path().join("take.wav")), bits(&folder.path().join("again.wav")));
    assert!(recorded.len() > 10_000 && recorded == again, "{} and {} samples", recorded.len(), again.len());
}
