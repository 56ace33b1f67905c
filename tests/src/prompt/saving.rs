//! `:save`, `:scene` and `:go`: what a performer has typed outlives the performance.

use std::fs;
use std::path::Path;

use super::SESSION;
use crate::commands::{folder, render::wav, write};
use crate::program::done_in;
use crate::terminal::Terminal;

fn text(folder: &Path) -> String {
    fs::read_to_string(folder.join("session.rhai")).expect("it is there")
}

#[test]
fn a_save_shows_what_it_changes_writes_it_the_second_time_and_changes_no_sound() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    desk.asks(":save", "there are no lines to save");
    desk.asks("set(\"voice/fader.gain\", -6)", "changed voice>band/fader");
    desk.asks("mute(\"voice\")", "changed");
    desk.asks(":save", ":save once more writes this into");
    desk.shows("- voice >> fader(-20) >> band;");
    desk.shows("+ voice >> fader(-6) >> band;");
    desk.shows("+ mute(\"voice\");");
    assert_eq!(text(folder.path()), SESSION);
    desk.asks(":save", "saved: the lines are in");
    desk.shows("no change to the sound");
    assert_eq!(text(folder.path()), SESSION.replace("-20", "-6") + "mute(\"voice\");\n");
    desk.asks(":undo", "nothing was typed that could be taken back");
    desk.asks(":save", "there are no lines to save");
    // The file is followed as before.
    write(folder.path(), SESSION);
    desk.shows("changed voice>band/fader");
    desk.leaves();
}

#[test]
fn what_would_be_written_is_shown_anew_when_the_text_has_changed() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    desk.asks("mute(\"voice\")", "changed");
    desk.asks(":save", ":save once more writes this into");
    desk.asks("tempo(90)", "changed tempo");
    desk.asks(":save", ":save once more writes this into");
    assert_eq!(text(folder.path()), SESSION);
    desk.asks(":save", "saved: the lines are in");
    assert_eq!(text(folder.path()), format!("{SESSION}mute(\"voice\");\ntempo(90);\n"));
    desk.leaves();
}

#[test]
fn a_file_that_is_wrong_or_lies_elsewhere_is_not_written_and_another_one_not_without_being_told_twice() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    desk.asks("mute(\"voice\")", "changed");
    let wrong = SESSION.replace("bus(", "bsu(");
    write(folder.path(), &wrong);
    desk.shows("the last good text still plays");
    desk.asks(":save", "holds another text than the one that plays");
    assert_eq!(text(folder.path()), wrong);
    desk.asks(":save other.rhai", "saved to other.rhai; the lines stay");
    let other = || fs::read_to_string(folder.path().join("other.rhai")).expect("it is there");
    assert_eq!(other(), format!("{SESSION}mute(\"voice\");\n"));
    desk.asks("tempo(90)", "changed tempo");
    desk.asks(":save other.rhai", ":save other.rhai once more writes this into");
    assert_eq!(other(), format!("{SESSION}mute(\"voice\");\n"));
    desk.asks(":save other.rhai", "saved to");
    assert_eq!(other(), format!("{SESSION}mute(\"voice\");\ntempo(90);\n"));
    desk.asks(":save nowhere/other.rhai", "not saved");
    desk.leaves();
}

#[test]
fn scenes_are_kept_listed_gone_to_and_taken_back() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    for (line, told) in [
        (":scene", "there are no scenes yet"),
        ("voice >> fader(-6) >> band", "changed voice>band/fader"),
        (":scene loud", "scene `loud` is kept in session.scenes/loud.rhai: 1 line"),
        ("voice >> fader(-40) >> band", "changed voice>band/fader"),
        (":scene loud", "in place of what it was"),
        (":drop", "dropped: all lines"),
        (":go loud over 100.ms", "scene: loud"),
        (":text", "voice >> fader(-40) >> band"),
        (":undo", "taken back: :go loud"),
        (":go lood", "did you mean `loud`?"),
        (":go loud over soon", "is no time"),
        (":scene a/b", "is no name for a scene"),
    ] {
        desk.asks(line, told);
    }
    let scene = folder.path().join("session.scenes/loud.rhai");
    assert_eq!(
        fs::read_to_string(&scene).expect("it is kept"),
        "voice >> fader(-6) >> band;\nvoice >> fader(-40) >> band;\n"
    );
    fs::write(&scene, "// by hand\nmute(\"nobody\");\ntempo(90);\n").expect("it can be written");
    desk.asks(":go loud", "session.scenes/loud.rhai:2: mute(\"nobody\")");
    desk.asks(":text", "tempo(90)");
    desk.leaves();
}

#[test]
fn a_performance_with_scenes_and_saves_is_replayed_to_the_bits_that_were_recorded() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &["--journal", "kept", "--record", "take.wav"]);
    for (line, told) in [
        ("voice >> fader(-6) >> low_pass(900) >> band", "changed voice>band/fader"),
        // What is typed faster than a busy machine plays is never heard.
        (":why voice", "voice is heard"),
        (":scene loud", "is kept in"),
        (":drop", "dropped: all lines"),
        (":go loud over 50.ms", "scene: loud"),
        (":undo", "taken back: :go loud"),
        (":redo", "taken up again: :go loud"),
        ("set(\"voice/low_pass.freq\", 400)", "changed voice>band/low_pass"),
        (":save", ":save once more writes this into"),
        (":save", "saved: the lines are in"),
        ("voice >> fader(-9) >> band", "changed voice>band/fader"),
    ] {
        desk.asks(line, told);
    }
    desk.leaves();
    assert!(text(folder.path()).contains("voice >> fader(-6) >> low_pass(400) >> band;"), "{}", text(folder.path()));
    done_in(folder.path(), &["replay", "kept", "-o", "again.wav"]);
    let (take, again) = (wav(&folder.path().join("take.wav")), wav(&folder.path().join("again.wav")));
    assert!(take.iter().any(|x| x.abs() > 0.05), "something was heard");
    assert_eq!(take.len(), again.len());
    let differs = take.iter().zip(&again).position(|(a, b)| a.to_bits() != b.to_bits());
    assert_eq!(differs, None, "the sample from which on they differ");
}
