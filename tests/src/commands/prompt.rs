//! What the prompt shows, as somebody meets it who has it read aloud: plain lines, why something is not heard, what a line costs.

use std::f64::consts::TAU;
use std::path::Path;
use std::thread;

use tempfile::TempDir;

use super::folder;
use crate::program::Running;

/// Plays a session to somebody who types.
fn typing(folder: &TempDir, more: &[&str]) -> Running {
    let mut arguments = vec!["play", "session.rhai", "--device", "none", "--osc", "none", "--plain"];
    arguments.extend(more);
    let mut playing = Running::typed_to(folder.path(), &arguments);
    playing.says("playing to the silent device");
    playing
}

/// That it ends when the typing does, and has written no escapes.
fn ended(mut playing: Running) -> Vec<String> {
    playing.types(":quit");
    assert_eq!(playing.end(), 0, "{:#?}", playing.told);
    let told = std::mem::take(&mut playing.told);
    let escapes = told.iter().find(|line| line.chars().any(|c| c.is_control()));
    assert_eq!(escapes, None, "{told:#?}");
    told
}

const TWO: &str = r#"
let a = input("a", sine(440)); let b = input("b", sine(220)); let room = bus("room");
a >> fader(-3) >> send(room, -6) >> master;
b >> master;
room >> low_pass(900) >> master;
"#;

/// Writes ten seconds of a tone.
fn tone(file: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(file, spec).expect("it can be written");
    for i in 0..480_000 {
        let x = (TAU * 440.0 * f64::from(i) / 48_000.0).sin();
        wav.write_sample((x * 4000.0) as i16).expect("it can be written");
    }
    wav.finalize().expect("it can be written");
}

/// A reason why `a` is not heard: what the text says, what is typed first, what is answered, and what is typed to mend it.
type Reason = (String, &'static [&'static str], &'static str, &'static str);

fn reasons() -> Vec<Reason> {
    let two = |more: &str| format!("{TWO}{more}");
    let alone = |line: &str| format!("input(\"b\", sine(220)) >> master;\n{line}");
    vec![
        (two("mute(\"a\");"), &[], "`a` is muted", "mute(\"a\", off)"),
        (two(""), &["mute(\"*\")"], "`a` is muted", "mute(\"*\", off)"),
        (two("solo(b);"), &[], "`a` is not soloed, and `b` is", "solo(\"b\", off)"),
        (
            alone("input(\"a\", sine(440)) >> fader(off) >> master;"),
            &[],
            "`a/fader` is off",
            "set(\"a/fader.gain\", 0)",
        ),
        (
            two(""),
            &["unplug(\"a>room\")", "set(\"a/fader.gain\", -70)"],
            "-70 dB, by a line that was typed",
            "set(\"a/fader.gain\", 0)",
        ),
        (alone("input(\"a\", sine(440));"), &[], "no cable leads on from `a`", "at(\"a\") >> master"),
        (
            alone("input(\"a\", sine(440).level(-50)) >> gate(-20) >> master;"),
            &[":locate 4"],
            "`a/gate` is closed",
            "set(\"a/gate.threshold\", -80)",
        ),
        (alone("input(\"a\", sine(440).level(off)) >> master;"), &[], "`a` is off", "set(\"a.level\", -18)"),
        (alone("input(\"a\", clip(\"a.wav\").start(40.bars)) >> master;"), &[], "begins at 40.bars", ":locate 40"),
        (alone("input(\"a\", clip(\"a.wav\")) >> master;"), &[":locate 50"], "`a` is over", ":locate 0"),
        (two(""), &[":stop"], "the transport stands still", ":start"),
        (two(""), &[":panic"], "silenced by `:panic`", ":start"),
        (
            alone("input(\"a\", sine(440)) >> fader(lfo(1.bars).range(-120, -110)) >> master;"),
            &[],
            "`a/fader.gain` is moved by a control",
            "set(\"a/fader.gain\", 0)",
        ),
    ]
}

#[test]
fn every_reason_why_something_is_not_heard_is_told_with_what_mends_it() {
    // A few at once, since each of them listens for a while.
    let reasons = reasons();
    for some in reasons.chunks(4) {
        thread::scope(|scope| {
            for (text, typed, told, mends) in some {
                scope.spawn(move || {
                    let folder = folder(text);
                    tone(&folder.path().join("a.wav"));
                    let mut playing = typing(&folder, &[]);
                    for line in *typed {
                        playing.types(line);
                    }
                    playing.types(":why a");
                    let verdict = playing.says("a is not heard");
                    assert!(verdict.contains(told), "{told}: {verdict}");
                    playing.types(mends);
                    playing.types(":text");
                    playing.says("input(\"b\"");
                    // What is mended fades in.
                    thread::sleep(std::time::Duration::from_millis(300));
                    playing.types(":why a");
                    playing.says("a is heard");
                    let told = ended(playing);
                    let offered = told.iter().any(|line| line.contains(&format!("type `{mends}`")));
                    assert!(offered, "{mends} is not offered in {told:#?}");
                });
            }
        });
    }
}

#[test]
fn the_line_that_silences_is_quoted_and_what_does_not_exist_is_told() {
    let folder = folder(&format!("{TWO}mute(\"a\");\n"));
    let mut playing = typing(&folder, &[]);
    playing.types(":why a");
    playing.says("a is not heard: `a` is muted");
    playing.says("session.rhai:6:1");
    playing.says("6 | mute(\"a\");");
    playing.says("^^^^");
    playing.types(":why c");
    playing.says("nothing is called `c`");
    playing.types(":why a/fader.gain");
    playing.says("a/fader is not heard");
    ended(playing);
}

#[test]
fn the_meters_are_said_in_plain_lines() {
    let folder = folder(&format!("{TWO}mute(b); solo(a);\n"));
    let mut playing = typing(&folder, &[]);
    playing.types(":meters");
    assert!(playing.says("bpm, load").starts_with("bar "), "{:#?}", playing.told);
    assert!(playing.says("master: ").contains("peak -"));
    playing.says("loudness: momentary -");
    let a = playing.says("a: ");
    assert!(a.starts_with("a: peak -18.0 dB, RMS -21.0 dB") && a.ends_with("soloed"), "{a}");
    assert!(playing.says("b: ").ends_with(", muted"));
    playing.says("room: peak -");
    playing.types(":meters 1");
    playing.says("bpm, load");
    playing.says("bpm, load");
    playing.types(":meters off");
    playing.types(":meters line");
    playing.says("there is no title to write into here");
    ended(playing);
}

#[test]
fn a_planned_line_says_when_how_late_and_at_what_cost_and_changes_nothing() {
    let folder = folder(TWO);
    let mut playing = typing(&folder, &[]);
    // So much that no other work on the machine hides it.
    playing.types(":plan after(\"master\", limiter(-1) >> reverb() >> tape())");
    let plan = playing.says("plan: ");
    assert!(plan.contains("added master>output 1-2/limiter") && plan.contains("heard at once"), "{plan}");
    assert!(plan.contains("latency +") && plan.contains(" ms in all"), "{plan}");
    let cost = playing.says("plan: ");
    assert!(cost.contains("% more load") && cost.contains("measured on 0.5 s rendered offline"), "{cost}");
    playing.types("1 + 1");
    playing.says("2");
    playing.types(":history");
    playing.says("nothing was typed that could be taken back");
    ended(playing);
}

#[test]
fn how_late_a_live_input_is_is_told_by_what_causes_it() {
    let folder = folder("input(\"a\", device(1)) >> master; master >> limiter(-1) >> output(1, 2);");
    let mut playing = typing(&folder, &["--buffer", "256"]);
    playing.types(":latency");
    let late = playing.says("a is heard");
    assert!(late.contains(": 5.3 buffer, 5.3 cushion, ") && late.ends_with("/limiter"), "{late}");
    playing.types(":why a");
    playing.says("a is not heard: live inputs are silent");
    ended(playing);
}

#[test]
fn an_example_is_typed_and_taken_back() {
    let folder = folder(TWO);
    let mut playing = typing(&folder, &[]);
    playing.types(":words fader");
    playing.says("`:try fader` types after(\"a\", fader(-6)); `:undo` takes it back");
    playing.types(":try low_pass");
    playing.says("> after(\"a\", low_pass(2.kHz))");
    playing.says("low_pass");
    playing.types(":undo");
    playing.says("taken back: after(\"a\", low_pass(2.kHz))");
    playing.types(":try fadre");
    playing.says("there is no word `fadre`");
    ended(playing);
}

#[test]
fn the_end_of_what_is_typed_ends_it_and_open_lines_go_on() {
    let folder = folder(TWO);
    let mut playing = typing(&folder, &[]);
    playing.types("after(\"a\",");
    playing.types("gain(-3))");
    assert!(playing.says("added").contains("gain"));
    playing.hangs_up();
    assert_eq!(playing.end(), 0, "{:#?}", playing.told);
}

#[test]
fn what_a_generator_made_is_frozen_into_the_text() {
    let folder = folder(
        "input(\"tune\", play(walk(\"c4 minor\", 4, 2), pluck())) >> master;\ninput(\"hats\", play(\"hh*4?\", kit())) >> master;\n",
    );
    let mut playing = typing(&folder, &[]);
    playing.types(":freeze tune");
    playing.says("`tune` comes round in 2 bars");
    playing.types(":text");
    let line = playing.says("set(\"tune.pattern\", \"<[60 ");
    let notes = line.split('"').nth(3).expect("it is in quotes").to_owned();
    assert!(notes.starts_with('<') && notes.ends_with('>') && !notes.contains('t'), "{notes}");
    playing.types(":freeze hats 2");
    playing.says("the first 2 bars of `hats`, written out");
    playing.types(":freeze master");
    playing.says("`master` plays no pattern; these do: tune, hats");
    ended(playing);
}
