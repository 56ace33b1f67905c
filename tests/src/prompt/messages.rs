//! What is told while somebody types stands above the line, and the line is whole.

use std::fs;
use std::net::UdpSocket;

use super::SESSION;
use crate::commands::controllers::message;
use crate::commands::replay::journal;
use crate::commands::{folder, write};
use crate::terminal::{Terminal, key};

const LINE: &str =
    "voice >> eq().bell(300, -3, 1).bell(2000, 2, 1) >> compressor(-18, 3).attack(5.ms) >> fader(-6) >> band";

/// The address that a desk listens at.
fn listens_at(desk: &Terminal) -> String {
    let told = desk.told();
    let at = told.find("127.0.0.1:").unwrap_or_else(|| panic!("it does not say where it listens:\n{told}"));
    told[at..].split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':')).next().unwrap_or_default().to_owned()
}

#[test]
fn whatever_is_told_meanwhile_the_line_stands_whole() {
    let folder = folder(SESSION);
    let desk = Terminal::playing_of_size((30, 60), folder.path(), &["--osc", "127.0.0.1:0"]);
    let (hand, at) = (UdpSocket::bind("127.0.0.1:0").expect("there is a network"), listens_at(&desk));
    let moves = |address: &str, value| hand.send_to(&message(address, value), &at).expect("it can be sent");
    let mut typed = String::new();
    for (i, key) in LINE.chars().enumerate() {
        typed.push(key);
        desk.types(key.to_string());
        match i % 10 {
            1 => drop(moves("/nowhere", i as f32)),
            4 => drop(moves("/voice/fader/gain", -(i as f32))),
            7 => write(folder.path(), &SESSION.replace("-20", &format!("-{}", 21 + i % 9))),
            _ => {}
        }
        if i % 25 == 24 {
            desk.shows(&typed);
        }
    }
    desk.holds(LINE);
    desk.types(key::ENTER);
    desk.shows("added voice>band/eq, voice>band/compressor");
    desk.leaves();
}

#[test]
fn a_search_that_is_left_open_keeps_no_edit_from_being_heard() {
    let folder = folder(SESSION);
    let mut desk = Terminal::playing(folder.path(), &["--journal", "kept"]);
    desk.asks("1 + 1", "2");
    desk.types(key::CTRL_R);
    desk.shows("reverse-i-search");
    let texts = || {
        let kept = fs::read_to_string(journal(folder.path()).join("journal.jsonl")).expect("it can be read");
        kept.lines().filter(|line| line.starts_with("{\"is\":\"text\"")).count()
    };
    // Had it waited for its words to be read, it would not hear all of this.
    for edit in 1..7 {
        write(folder.path(), &SESSION.replace("-20", &format!("-{}", 20 + edit)));
        desk.sees(("the edits in the journal", edit), |_| texts() > edit);
    }
    desk.signal(rustix::process::Signal::TERM);
    assert_eq!(desk.ends(), 0);
    assert!(desk.times_told("changed voice>band/fader") > 3, "{}", desk.told());
    assert!(desk.is_as_a_shell_wants_it());
}
