//! What helps with typing, as it looks on the screen.

use std::fs;

use super::SESSION;
use crate::commands::{folder, write};
use crate::terminal::{Terminal, key};

#[test]
fn tab_completes_words_setters_units_paths_and_files_and_the_signature_stands_behind() {
    let folder = folder(SESSION);
    fs::create_dir(folder.path().join("audio")).expect("there is room");
    fs::write(folder.path().join("audio/drums.flac"), "").expect("there is room");
    let desk = Terminal::playing(folder.path(), &[]);
    for (typed, held) in [
        ("voice >> compr", "voice >> compressor"),
        ("voice >> compressor(-18, 3).rel", "voice >> compressor(-18, 3).release"),
        ("voice >> delay(3.be", "voice >> delay(3.beats   delay(time)"),
        ("set(\"voice/fa", "set(\"voice/fader   set(path, value)"),
        ("input(\"x\", clip(\"audio/dr", "input(\"x\", clip(\"audio/drums.flac   clip(path)"),
        (":und", ":undo   :undo"),
    ] {
        desk.types(format!("{typed}{}", key::TAB));
        desk.holds(held);
        desk.types(key::CTRL_U);
    }
    desk.leaves();
}

#[test]
fn what_was_typed_comes_back_also_in_the_next_performance() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    desk.asks("voice >> fader(-6) >> band", "changed voice>band/fader");
    desk.asks("1 + 41", "42");
    desk.types(key::UP);
    desk.holds("1 + 41");
    desk.types(key::UP);
    desk.holds("voice >> fader(-6) >> band");
    desk.types(key::CTRL_U);
    desk.leaves();
    let desk = Terminal::playing(folder.path(), &[]);
    desk.types([key::CTRL_R, "fader"].concat());
    desk.shows("voice >> fader(-6) >> band");
    desk.types(key::ENTER);
    desk.shows("changed voice>band/fader");
    desk.leaves();
}

#[test]
fn an_edit_of_the_file_is_told_above_and_the_line_stays_whole() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    desk.types("voice >> fader(-6) >> ba");
    desk.holds("voice >> fader(-6) >> ba");
    write(folder.path(), &SESSION.replace("band >> master", "band >> pan(0.5) >> master"));
    desk.shows("added band>master/pan");
    desk.holds("voice >> fader(-6) >> ba");
    write(folder.path(), &SESSION.replace("bus(", "bsu("));
    desk.shows("did you mean `bus`?");
    desk.shows("the last good text still plays");
    desk.holds("voice >> fader(-6) >> ba");
    desk.enters("nd");
    desk.shows("changed voice>band/fader");
    desk.leaves();
}

#[test]
fn a_line_is_whole_again_when_the_window_has_another_size() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    let line = "voice >> eq().bell(300, -3, 1).bell(2000, 2, 1) >> fader(-6) >> band";
    desk.types(line);
    desk.holds(line);
    for size in [(30, 120), (20, 40), (30, 75), (10, 200), (30, 100)] {
        desk.resizes(size);
        desk.types(key::LEFT);
        desk.types(key::RIGHT);
        desk.holds(line);
    }
    desk.enters("");
    desk.shows("added voice>band/eq");
    desk.leaves();
}
