//! Edits and tempos in musical time, to the frame.

use engine::graph::prepare_in;
use engine::media::Library;
use engine::tempo::{Grid, Tempo};
use engine::units::Clock;

use crate::rehearsal::{Rehearsal, first_difference};
use crate::sessions::{graph, session};

/// What a text gives when it is edited into another one at a frame of the transport, and what it gives untouched.
fn edited_at(before: &str, after: &str, at: u64) -> (Rehearsal, Rehearsal) {
    let (mut edited, mut untouched) = (Rehearsal::new(before), Rehearsal::new(before));
    edited.run(4800);
    edited.edit_at(&graph(after), Some(at)).expect("it changes something");
    edited.run(at as usize + 9600 - edited.now() as usize);
    untouched.run(edited.now() as usize);
    (edited, untouched)
}

fn latency(rehearsal: &Rehearsal) -> usize {
    rehearsal.outputs_late()
}

#[test]
fn an_edit_for_a_frame_changes_the_output_from_exactly_that_frame_on() {
    let text = |chain: &str, rest: &str| {
        format!(
            r#"
            let room = bus("room");
            let a = input("a", noise("white"));
            let b = input("b", noise("pink"));
            a >> eq().bell(1000, 3) >> send(room, -12) {chain} >> master;
            b >> fader(-6) >> master;
            room >> fader(-12) >> master;
            {rest}
            "#
        )
    };
    for (what, before, after) in [
        ("a fader", text(">> fader(-3)", ""), text(">> fader(-9)", "")),
        ("a pan", text(">> pan(0.1)", ""), text(">> pan(0.4)", "")),
        ("an insert", text("", ""), text(">> saturate(6).oversample(1).adaa(off)", "")),
        ("an insert taken out", text(">> high_pass(300)", ""), text("", "")),
        ("a bypass", text(">> high_pass(300)", ""), text(">> high_pass(300).bypass()", "")),
        ("a mute", text("", ""), text("", r#"mute("b");"#)),
        ("a new cable", text("", ""), text("", r#"b >> fader(-20) >> cable("more") >> master;"#)),
        ("a send", text("", ""), text("", r#"set("a>room.gain", -6);"#)),
        ("an input that goes", text("", r#"input("c", noise("brown")) >> master;"#), text("", "")),
        ("behind a look-ahead", text(">> limiter(-1) >> fader(0)", ""), text(">> limiter(-1) >> fader(-6)", "")),
        ("before a look-ahead", text(">> fader(0) >> limiter(-1)", ""), text(">> fader(-6) >> limiter(-1)", "")),
        (
            "before a master that is late",
            text("", "master >> limiter(-1);"),
            text(">> fader(-6)", "master >> limiter(-1);"),
        ),
    ] {
        for at in [9_600, 9_601, 9_663, 10_037] {
            let (edited, untouched) = edited_at(&before, &after, at);
            let expected = at as usize + latency(&untouched);
            let found = first_difference(&edited.sound, &untouched.sound);
            assert_eq!(found, Some(expected), "{what} at {at}, {} late", latency(&untouched));
        }
    }
}

#[test]
fn a_control_keeps_its_course_until_the_frame_of_an_edit_and_leaves_it_there() {
    let text = |chain: &str, rest: &str| {
        format!(
            r#"
            let room = bus("room");
            let a = input("a", noise("white").level(-3));
            a >> send(room, 0) {chain} >> master;
            room >> fader(-12) >> master;
            {rest}
            "#
        )
    };
    let fast = "lfo(30).range(-12, 0)";
    for (what, before, after) in [
        ("one comes", text(">> fader(0)", ""), text(&format!(">> fader({fast})"), "")),
        ("one goes", text(&format!(">> fader({fast})"), ""), text(">> fader(-20)", "")),
        ("one changes", text(&format!(">> fader({fast})"), ""), text(">> fader(lfo(30).range(-30, -20))", "")),
        (
            "another comes in its place behind a look-ahead",
            text(">> limiter(0) >> pan(lfo(30))", ""),
            text(">> limiter(0) >> pan(automate([[0, -1], [8, 1]]))", ""),
        ),
        (
            "one of a filter goes before a look-ahead",
            text(">> low_pass(lfo(30).range(1000, 5000)) >> limiter(0)", ""),
            text(">> low_pass(300) >> limiter(0)", ""),
        ),
        (
            "one of a send goes",
            text("", &format!(r#"set("a>room.gain", {fast});"#)),
            text("", r#"set("a>room.gain", -20);"#),
        ),
        ("one of a mix goes", text(">> polarity().mix(lfo(30).range(0, 40))", ""), text(">> polarity().mix(0)", "")),
    ] {
        for at in [9_600, 9_601, 9_663, 10_037] {
            let (edited, untouched) = edited_at(&before, &after, at);
            let expected = at as usize + latency(&untouched);
            // A control goes in straight lines that are off by at most so much.
            let near = 4e-4;
            let apart = |frame: usize| {
                let channels = edited.sound.iter().zip(&untouched.sound);
                channels.map(|(a, b)| (a[frame] - b[frame]).abs()).fold(0.0, f64::max)
            };
            let found = (0..edited.sound[0].len()).find(|frame| apart(*frame) > near);
            let found = found.unwrap_or_else(|| panic!("{what} at {at}: never"));
            assert!((expected..expected + 24).contains(&found), "{what} at {at}: {found}, not {expected}");
        }
    }
}

#[test]
fn an_edit_is_heard_at_the_frame_nearest_to_the_line_of_its_grid() {
    let text = |gain: i32| format!("tempo(113);\ninput(\"a\", noise(\"white\")) >> fader({gain}) >> master;");
    let tempo = Tempo::new(Clock { rate: 48_000.0, tempo: 113.0, beats_per_bar: 4.0 });
    let at = tempo.next_line(Grid::Bars(1.0), 4800);
    assert_eq!(at as f64, (4.0 * 60.0 / 113.0 * 48_000.0f64).round());
    let (edited, untouched) = edited_at(&text(0), &text(-6), at as u64);
    assert_eq!(first_difference(&edited.sound, &untouched.sound), Some(at as usize));
}

#[test]
fn a_tempo_keeps_the_beat_and_moves_nothing_that_has_begun() {
    let text = |bpm: i32, more: &str| {
        format!(
            r#"tempo({bpm}); input("a", impulse(1).level(-6)) >> delay("1/8").feedback(0).mix(50) >> master; {more}"#
        )
    };
    let library = Library::new();
    let mut rehearsal = Rehearsal::new(&text(120, ""));
    rehearsal.run(48_000);
    let mut tempo = rehearsal.desk().mesh().tempo.clone();
    let faster = session(&text(60, ""));
    tempo.change(60_000, faster.clock());
    let graph = prepare_in(faster, &library, tempo).graph.expect("it is right");
    let changes = rehearsal.edit_at(&graph, Some(60_000)).expect("it changes something");
    assert!(changes.changed.contains(&"tempo".to_owned()), "{changes:?}");
    let tempo = &rehearsal.desk().mesh().tempo;
    assert_eq!(tempo.beat_at(48_000), 2.0);
    assert_eq!(tempo.beat_at(60_000), 2.5);
    assert_eq!(tempo.beat_at(108_000), 3.5);
    rehearsal.run(120_000);
    let echo = |from: usize| {
        let found = rehearsal.sound[0][from..].iter().position(|x| x.abs() > 0.05);
        found.map(|frame| from + frame)
    };
    assert_eq!(echo(10), Some(12_000), "an eighth at 120");
    assert_eq!(echo(144_010), Some(168_000), "an eighth at 60");
}
