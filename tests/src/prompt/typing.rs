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
        desk.draws_anew(line);
    }
    desk.enters("");
    desk.shows("added voice>band/eq");
    desk.leaves();
}

#[test]
fn an_open_bracket_or_chain_goes_on_in_the_next_line() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    desk.enters("voice >> fader(");
    desk.types("-9) >>\rba");
    desk.holds("voice >> fader(\n-9) >>\nba");
    desk.enters("nd");
    desk.shows("changed voice>band/fader");
    desk.leaves();
}

#[test]
fn a_paste_of_two_hundred_lines_is_one_text() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    let lines = |wrong: usize| -> String {
        let line = |i| {
            let word = if i == wrong { "fadre" } else { "fader" };
            format!("input(\"pasted {i}\", sine({})) >> {word}(-40) >> band;\n", 100 + i)
        };
        (0..200).map(line).collect()
    };
    let paste = |text: &str| {
        desk.types(format!("\x1b[200~{text}\x1b[201~"));
        desk.shows("input(\"pasted 199\", sine(299))");
        desk.types(key::ENTER);
    };
    // One of them is wrong: none is taken.
    paste(&lines(150));
    desk.shows("did you mean `fader`?");
    desk.shows("not taken; what played plays on");
    desk.asks("get(\"pasted 0/fader.gain\")", "error");
    paste(&lines(usize::MAX));
    desk.shows("added pasted 0");
    desk.asks("get(\"pasted 199/fader.gain\")", "-40");
    // And it goes as it has come.
    desk.asks(":undo", "removed pasted 0");
    desk.asks("get(\"voice/fader.gain\")", "-20");
    desk.leaves();
}

#[test]
fn more_completions_than_the_screen_holds_are_shown_page_by_page_or_not_at_all() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    desk.types([key::TAB, key::TAB].concat());
    desk.shows("possibilities? (y or n)");
    desk.types("y");
    desk.shows("--More--");
    // What happens meanwhile waits, and is told.
    write(folder.path(), &SESSION.replace("-20", "-21"));
    desk.types("q");
    desk.prompts();
    desk.shows("changed voice>band/fader");
    desk.asks("1 + 41", "42");
    desk.leaves();
}

#[test]
fn what_is_typed_ahead_is_kept_for_the_next_line() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    desk.types("1 + 1\r10 + 10\r100 + 100\r:undo\rvoice >> fader(-6) >> ba");
    desk.shows("nothing was typed that could be taken back");
    for told in ["2", "20", "200"] {
        assert!(desk.told().lines().any(|line| line == told), "{told}");
    }
    desk.holds("voice >> fader(-6) >> ba");
    desk.types(key::CTRL_U);
    desk.leaves();
}
