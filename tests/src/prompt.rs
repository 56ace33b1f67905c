//! The prompt, typed at in a real terminal: what a performer relies on.

mod ending;
mod hostile;
mod lessons;
mod listening;
mod messages;
mod newcomer;
mod random_lines;
mod saving;
mod typing;

use crate::commands::{folder, write};
use crate::terminal::{Terminal, key};

const SESSION: &str = "let voice = input(\"voice\", sine(440));\nlet band = bus(\"band\");\n\
                       voice >> fader(-20) >> band;\nband >> master;\n";

#[test]
fn lines_are_taken_up_undone_redone_and_dropped() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    for (line, told) in [
        ("voice >> fader(-6) >> band", "changed voice>band/fader"),
        (":undo", "taken back: voice >> fader(-6) >> band"),
        (":redo", "taken up again: voice >> fader(-6) >> band"),
        ("set(\"voice/fader.gain\", -12)", "changed voice>band/fader"),
        (":history", "set(\"voice/fader.gain\", -12)"),
        (":text", "// typed"),
        (":drop", "dropped: all lines"),
        (":plan voice >> fader(-3) >> band", "plan: changed voice>band/fader, heard at once"),
        (":drop", "there are no lines"),
        ("1 + 2", "3"),
        ("get(\"voice/fader.gain\")", "-20"),
    ] {
        desk.asks(line, told);
    }
    desk.leaves();
}

#[test]
fn what_is_wrong_is_marked_and_the_right_line_follows() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    for (line, told) in [
        ("voice >> fadre(-6) >> band", "did you mean `fader`?"),
        ("voice >> fadre(-6) >> band", "^^^^^"),
        ("voice >> fader(-6.ms) >> band", "is given in ms"),
        (":undoo", "did you mean `:undo`?"),
        (":over soon voice >> band", "is no time"),
        ("voice >> fader(-6) >> band", "changed voice>band/fader"),
    ] {
        desk.asks(line, told);
    }
    desk.leaves();
}

#[test]
fn ctrl_c_takes_a_line_away_and_what_plays_plays_on() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    desk.types("voice >> fader(off) >> band");
    desk.holds("voice >> fader(off) >> band");
    desk.types(key::CTRL_C);
    desk.shows("Ctrl-D on an empty line");
    desk.asks(":text", "band >> master");
    assert_eq!(desk.times_told("fader(off)"), 0);
    desk.leaves();
}

#[test]
fn the_file_and_the_lines_both_apply_and_a_line_that_no_longer_fits_is_set_aside() {
    let folder = folder(SESSION);
    let desk = Terminal::playing(folder.path(), &[]);
    desk.asks("voice >> fader(-6) >> band", "changed voice>band/fader");
    write(folder.path(), &SESSION.replace("band >> master", "band >> pan(0.5) >> master"));
    desk.shows("added band>master/pan");
    write(folder.path(), "input(\"tone\", sine(100)) >> master;\n");
    desk.shows("set aside: voice >> fader(-6) >> band");
    desk.leaves();
}
