//! A lesson at a terminal: lines that are typed count as edits do, and the way on is asked for.

use tempfile::TempDir;

use crate::commands::folder;
use crate::terminal::Terminal;

#[test]
fn a_lesson_is_done_by_typing_says_an_answer_and_goes_over_into_the_next() {
    let place = TempDir::new().expect("there is room");
    let desk = Terminal::of_size((50, 120), place.path(), &["learn", "level", "--device", "none"]);
    desk.shows("step 1 of 2: bring the voice forward");
    desk.asks(":lesson answer", "fader(-8)");
    desk.asks("set(\"voice>master/fader.gain\", -8)", "4.5 dB over the keys: that is it");
    desk.asks(":lesson", "step 2 of 2: halve the piano");
    desk.asks(":lesson next", "lesson 3 of 16, Pan");
    desk.asks(":lesson", "step 1 of 2: make room to the left");
    // What was typed into the last lesson is no part of this one.
    desk.asks(":history", "nothing was typed that could be taken back");
    desk.asks(":graph", "pluck");
    // There are ways back as well, and to anywhere.
    desk.asks(":lesson back", "lesson 2 of 16, Level");
    desk.asks(":lesson", "step 2 of 2: halve the piano");
    desk.asks(":lesson 1", "lesson 1 of 16, A cable");
    desk.asks(":lesson back", "this is the first lesson");
    desk.asks(":lesson pan", "lesson 3 of 16, Pan");
    desk.asks(":lesson pam", "did you mean `pan`?");
    desk.asks(":lesson again", "lesson 3 of 16, Pan");
    desk.leaves();
}

#[test]
fn a_session_that_is_no_lesson_says_so() {
    let folder = folder("input(\"a\", sine(440)) >> master;\n");
    let desk = Terminal::playing(folder.path(), &[]);
    desk.asks(":lesson", "this is no lesson; `gainstage learn` plays them");
    desk.leaves();
}
