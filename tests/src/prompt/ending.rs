//! How a desk ends that is typed at: the terminal is as it was, and what was played is whole.

use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::SESSION;
use crate::commands::folder;
use crate::commands::replay::{bits, journal};
use crate::program::done_in;
use crate::terminal::{Terminal, key};

/// A desk that records and keeps a journal, with a line taken up and another half typed.
fn half_typed(folder: &Path) -> Terminal {
    let desk = Terminal::playing(folder, &["--record", "take.wav", "--journal", "kept"]);
    desk.asks("voice >> fader(-6) >> band", "changed voice>band/fader");
    desk.types("voice >> fader(-");
    desk.holds("voice >> fader(-   fader(gain)");
    assert!(!desk.is_as_a_shell_wants_it());
    desk
}

/// What a journal is replayed to.
fn replayed(folder: &Path) -> Vec<u32> {
    let journal = journal(folder);
    done_in(folder, &["replay", journal.to_str().expect("it is text"), "-o", "again.wav"]);
    bits(&folder.join("again.wav"))
}

#[test]
fn ctrl_d_on_an_empty_line_fades_out_and_leaves_the_terminal_as_it_was() {
    let folder = folder(SESSION);
    let mut desk = half_typed(folder.path());
    desk.types([key::CTRL_U, key::CTRL_D].concat());
    assert_eq!(desk.ends(), 0, "{}", desk.told());
    assert!(desk.is_as_a_shell_wants_it());
    desk.shows("frames recorded");
    assert_eq!(replayed(folder.path()), bits(&folder.path().join("take.wav")));
}

#[test]
fn a_desk_that_is_told_to_end_leaves_the_terminal_as_it_was_and_its_recording_whole() {
    let folder = folder(SESSION);
    let mut desk = half_typed(folder.path());
    desk.signal(Signal::TERM);
    assert_eq!(desk.ends(), 0, "{}", desk.told());
    assert!(desk.is_as_a_shell_wants_it());
    assert_eq!(replayed(folder.path()), bits(&folder.path().join("take.wav")));
}

#[test]
fn a_desk_whose_terminal_is_closed_ends_and_its_recording_is_whole() {
    let folder = folder(SESSION);
    let mut desk = half_typed(folder.path());
    desk.closes();
    assert_eq!(desk.ends(), 0);
    assert_eq!(replayed(folder.path()), bits(&folder.path().join("take.wav")));
}

#[test]
fn of_a_desk_that_is_killed_what_was_played_can_be_replayed() {
    let folder = folder(SESSION);
    let mut desk = half_typed(folder.path());
    // A journal is written to the disk some times a second.
    thread::sleep(Duration::from_millis(700));
    desk.signal(Signal::KILL);
    assert_eq!(desk.ends(), 128 + 9);
    let (taken, again) = (bits(&folder.path().join("take.wav")), replayed(folder.path()));
    let both = taken.len().min(again.len());
    assert!(both > 2 * 4800, "{} and {} samples", taken.len(), again.len());
    assert_eq!(taken[..both], again[..both]);
}
