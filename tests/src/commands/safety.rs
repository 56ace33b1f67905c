//! `gainstage play`: what is told when a session goes wrong, is too much for the machine, or is broken from the start.

use std::fs;

use super::play::{playing, stopped};
use super::{BAD, folder, write};
use crate::program::{Running, run_in};

#[test]
fn a_runaway_is_silenced_and_told_with_its_path_and_so_is_its_end() {
    let tone = "input(\"a\", sine(220)) >> fader(-6) >> master;";
    let folder = folder(tone);
    let mut playing = playing(&folder, &["--max-level", "-3"]);
    let loud = tone.replace("fader(-6)", "gain(24) >> gain(24).named(\"b\") >> gain(24).named(\"c\")");
    write(folder.path(), &loud);
    let told = playing.says("has run away");
    assert!(told.contains("output(1, 2)") && told.contains("silent until that is over"), "{told}");
    assert!(told.contains("it comes from a>master/"), "{told}");
    write(folder.path(), tone);
    playing.says("output(1, 2) is sane again, and heard");
    stopped(playing);
}

#[test]
fn an_overload_is_told_with_the_strips_that_cost_most() {
    // Several times as much as a machine can do, and no more: the test waits for it.
    let light: String = (0..6).map(|n| format!("input(\"light{n}\", sine(220)) >> fader(-40) >> master;\n")).collect();
    let reverbs = vec!["reverb().mix(10)"; 20].join(" >> ");
    let strips: String = (0..12)
        .map(|n| format!("input(\"heavy{n}\", noise(\"white\")) >> {reverbs} >> fader(-40) >> master;\n"))
        .collect();
    let folder = folder(&format!("{light}{strips}"));
    let mut playing = playing(&folder, &[]);
    let told = playing.says("the machine cannot keep up");
    assert!(told.contains(": heavy") && told.contains(" takes ") && !told.contains("light"), "{told}");
    playing.interrupt();
    assert_eq!(playing.end(), 0);
}

#[test]
fn a_session_that_is_broken_can_be_played_as_it_last_was() {
    let good = "import \"part\" as part; input(\"a\", sine(220)) >> part::quieter() >> master;";
    let folder = folder(good);
    let part = folder.path().join("part.rhai");
    fs::write(&part, "fn quieter() { fader(-6) }").expect("it can be written");
    let none = run_in(folder.path(), &["play", "missing.rhai", "--device", "none", "--last-good"]);
    assert_eq!(none.status, 1);
    assert!(none.err.contains("no good text of missing.rhai is kept"), "{none:?}");

    let mut first = playing(&folder, &[]);
    fs::write(&part, "fn quieter() { fader(-9) }").expect("it can be written");
    first.says("changed a>master/fader");
    stopped(first);

    // Both files are spoilt while nobody watches.
    write(folder.path(), BAD);
    fs::write(&part, "fn quieter() {").expect("it can be written");
    let refused = run_in(folder.path(), &["play", "session.rhai", "--device", "none"]);
    assert_eq!(refused.status, 1);
    let hint = "the last good text is kept: `gainstage play session.rhai --last-good` plays it (";
    let (_, rest) = refused.err.split_once(hint).unwrap_or_else(|| panic!("{refused:?}"));
    let kept = rest.split(')').next().expect("a path");
    assert_eq!(fs::read_to_string(kept).expect("it is there"), good);

    let mut playing = Running::start(folder.path(), &["play", "session.rhai", "--device", "none", "--last-good"]);
    playing.says("playing the last good text (");
    playing.says("playing to the silent device");
    fs::write(&part, "fn quieter() { fader(-3) }").expect("it can be written");
    write(folder.path(), good);
    playing.says("changed a>master/fader");
    stopped(playing);
}
