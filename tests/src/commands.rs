//! Each command as its user meets it: exit status, what goes to which stream, and what programs read of it.

pub mod controllers;
mod delivery;
mod expectations;
mod learn;
mod measure;
mod parts;
mod play;
mod prompt;
mod recording;
pub mod render;
pub mod replay;
mod safety;
mod sweep;
mod targets;
#[cfg(unix)]
mod tell;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Ran, done_in, examples, gainstage, path, run_in};

/// A folder with a session in it.
pub fn folder(text: &str) -> TempDir {
    let folder = TempDir::new().expect("there is room");
    write(folder.path(), text);
    folder
}

/// Gives the session in a folder another text.
pub fn write(folder: &Path, text: &str) {
    fs::write(folder.join("session.rhai"), text).expect("it can be written");
}

fn parsed(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error} in {}", ran.out))
}

/// The fields that each object of an array has, which must be the same for all of them.
fn has_fields(array: &Value, fields: &[&str]) {
    let objects = array.as_array().expect("it is an array");
    for object in objects {
        for field in fields {
            assert!(object.get(field).is_some(), "{field} is missing in {object}");
        }
    }
}

const GOOD: &str = "input(\"a\", sine(440)) >> fader(-3) >> master;\n";
const BAD: &str = "let a = input(\"a\", sine(440));\na >> fadre(-3) >> master;\n";

#[test]
fn help_and_version_are_results() {
    let here = Path::new(".");
    for arguments in [&["--help"][..], &["--version"], &["play", "--help"], &["render", "--help"]] {
        let ran = done_in(here, arguments);
        assert!(ran.out.contains("gainstage") && ran.err.is_empty(), "{ran:?}");
    }
}

#[test]
fn wrong_use_is_status_2_and_no_result() {
    let here = Path::new(".");
    let wrong: [&[&str]; 12] = [
        &[],
        &["ply", "session.rhai"],
        &["check"],
        &["check", "--jsn", "session.rhai"],
        &["graph", "session.rhai", "--format", "picture"],
        &["render", "session.rhai"],
        &["render", "session.rhai", "-o", "mix.mp3"],
        &["render", "session.rhai", "-o", "mix.wav", "--length", "30"],
        &["render", "session.rhai", "-o", "mix.wav", "--bits", "12"],
        &["render", "session.rhai", "-o", "mix.wav", "--stems-of", "band"],
        &["play", "session.rhai", "--buffer", "1"],
        &["words", "--json", "--markdown"],
    ];
    for arguments in wrong {
        let ran = run_in(here, arguments);
        assert_eq!(ran.status, 2, "{arguments:?}: {ran:?}");
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn every_bad_script_is_status_1_with_its_file_line_and_column() {
    let scripts =
        std::fs::read_dir("bad_scripts").expect("the corpus is there").map(|entry| entry.expect("listed").path());
    for script in scripts.filter(|path| path.extension().is_some_and(|extension| extension == "rhai")) {
        let script = script.to_string_lossy();
        let ran = run_in(std::path::Path::new("."), &["check", "--json", &script]);
        assert_eq!(ran.status, 1, "{script}: {ran:?}");
        let told: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{script}: {error}"));
        let errors = told.as_array().expect("an array").iter().filter(|one| one["severity"] == "error");
        let mut count = 0;
        for error in errors {
            count += 1;
            assert!(error["line"].as_u64() > Some(0) && error["column"].as_u64() > Some(0), "{script}: {error}");
            assert!(error["file"].as_str().is_some_and(|file| file.starts_with("bad_scripts/")), "{script}: {error}");
        }
        assert!(count > 0, "{script}");
    }
}

#[test]
fn a_session_with_an_error_is_status_1_for_every_command_that_reads_one() {
    let folder = folder(BAD);
    for arguments in [
        &["play", "session.rhai", "--device", "none"][..],
        &["render", "session.rhai", "-o", "mix.wav", "--length", "1s"],
        &["graph", "session.rhai"],
        &["graph", "session.rhai", "--format", "json"],
    ] {
        let ran = run_in(folder.path(), arguments);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains("session.rhai:2:6") && ran.err.contains("did you mean `fader`?"), "{ran:?}");
    }
}

#[test]
fn check_tells_of_every_session_and_counts() {
    let (good, bad) = (folder(GOOD), folder(BAD));
    let sessions = [good.path().join("session.rhai"), bad.path().join("session.rhai")];
    let [good, bad] = sessions.each_ref().map(|path| path.to_str().expect("it is text"));
    let here = Path::new(".");

    let fine = done_in(here, &["check", good, good]);
    assert_eq!((fine.out.as_str(), fine.err.as_str()), ("", "2 sessions, no errors, no warnings\n"));

    let ran = run_in(here, &["check", good, bad, good]);
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains(&format!("{bad}:2:6")) && ran.out.contains("a >> fadre(-3)"), "{ran:?}");
    assert_eq!(ran.err, "3 sessions, 1 error, no warnings\n");

    let missing = run_in(here, &["check", "no such session.rhai"]);
    assert_eq!(missing.status, 1);
    assert!(missing.out.contains("no such session.rhai"), "{missing:?}");
}

#[test]
fn check_json_has_the_documented_fields() {
    let folder = folder(BAD);
    let ran = run_in(folder.path(), &["check", "--json", "session.rhai"]);
    assert_eq!(ran.status, 1);
    let told = parsed(&ran);
    has_fields(&told, &["file", "line", "column", "severity", "code", "message", "help"]);
    let first = &told[0];
    assert_eq!((&first["line"], &first["column"]), (&2.into(), &6.into()));
    assert_eq!((&first["severity"], &first["code"]), (&"error".into(), &"unknown-word".into()));
    write(folder.path(), GOOD);
    assert_eq!(parsed(&done_in(folder.path(), &["check", "--json", "session.rhai"])), Value::Array(Vec::new()));
}

#[test]
fn every_warning_is_shown_and_is_no_failure() {
    for (text, told) in [
        ("let f = fader(-3); f.gain(-6); input(\"a\", sine(440)) >> f >> master;", "this changes nothing"),
        ("input(\"a\", sine(440)) >> master; input(\"b\", sine(550)) >> fader(-3);", "goes nowhere"),
        (
            "input(\"a\", sine(440)) >> master; input(\"b\", sine(550)) >> output(3, 4);",
            "to hear it, write `master >> output(1, 2)`",
        ),
        ("input(\"a\", sine(440)) >> saturate(6).mix(0.5) >> master;", "50"),
        ("input(\"a\", keys()) >> master;", "nothing plays `a`"),
    ] {
        let folder = folder(text);
        let ran = done_in(folder.path(), &["check", "session.rhai"]);
        assert!(ran.out.contains("warning") && ran.out.contains(told), "{text}: {ran:?}");
        assert_eq!(ran.err, "1 session, no errors, 1 warning\n");
    }
}

#[test]
fn graph_shows_every_place_and_what_cables_pass() {
    let examples = examples();
    let text = done_in(&examples, &["graph", "first.rhai"]).out;
    for part in ["drums  (input, clip, mono)", "=> room  send -22 dB", "~> key of bass/compressor", "limiter(-1 dBTP)"]
    {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    for example in ["first", "routing", "dynamics", "live-input"] {
        let picture = parsed(&done_in(&examples, &["graph", &format!("{example}.rhai"), "--format", "json"]));
        assert_eq!(picture["sample_rate"], 48_000.0);
        has_fields(&picture["nodes"], &["path", "kind", "channels", "latency", "late"]);
        has_fields(&picture["edges"], &["path", "from", "to", "port", "gain_db", "delay"]);
        let nodes: Vec<&Value> =
            picture["nodes"].as_array().expect("a list").iter().map(|node| &node["path"]).collect();
        for edge in picture["edges"].as_array().expect("a list") {
            assert!(nodes.contains(&&edge["from"]) && nodes.contains(&&edge["to"]), "{edge} joins no two nodes");
        }
    }
}

#[test]
fn every_word_has_an_entry_of_its_own() {
    let here = Path::new(".");
    let words = parsed(&done_in(here, &["words", "--json"]));
    has_fields(&words, &["word", "signature", "summary", "example", "group", "parameters", "parts"]);
    let page = done_in(here, &["words", "--markdown"]).out;
    let list = done_in(here, &["words"]).out;
    let known: Vec<&str> =
        words.as_array().expect("a list").iter().map(|word| word["word"].as_str().expect("a word")).collect();
    for effect in engine::effects::EFFECTS {
        assert!(known.contains(&effect.word), "{} has no entry", effect.word);
        let entry = done_in(here, &["words", effect.word]).out;
        for parameter in effect.parameters {
            assert!(entry.contains(parameter.name) && entry.contains(parameter.help), "{}: {entry}", effect.word);
        }
    }
    for word in words.as_array().expect("a list") {
        let signature = word["signature"].as_str().expect("it has one");
        // A bar ends a cell of a table.
        let (heading, row) = (format!("### `{signature}`\n"), format!("| `{}` |", signature.replace('|', "\\|")));
        assert!(list.contains(signature) && (page.contains(&heading) || page.contains(&row)), "{signature}");
    }
}

#[test]
fn an_unknown_word_suggests_the_nearest() {
    let ran = run_in(Path::new("."), &["words", "compresor"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("did you mean `compressor`?"), "{ran:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let command = format!("set -o pipefail; '{}' words --markdown | head -n 1", path().display());
    let ran: Ran = Command::new("bash").args(["-c", &command]).output().expect("there is a shell").into();
    assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (0, "# The words of gainstage\n", ""));
}

#[cfg(feature = "devices")]
#[test]
fn devices_are_listed_by_the_names_that_play_takes() {
    let here = Path::new(".");
    let devices = parsed(&done_in(here, &["devices", "--json"]));
    has_fields(&devices, &["name", "description", "host", "default_output", "default_input", "output", "input"]);
    let list = done_in(here, &["devices"]).out;
    for device in devices.as_array().expect("a list") {
        assert!(list.contains(device["name"].as_str().expect("a name")), "{device} is missing in {list}");
    }
}

#[test]
fn a_new_session_checks_clean_and_sounds() {
    let place = TempDir::new().expect("there is room");
    let made = done_in(place.path(), &["new", "mine"]);
    assert_eq!(made.out, "gainstage play mine/session.rhai\n");
    let checked = done_in(place.path(), &["check", "mine/session.rhai"]);
    assert_eq!(checked.err, "1 session, no errors, no warnings\n");
    done_in(place.path(), &["render", "mine/session.rhai", "-o", "mine.wav", "--length", "0.5s", "--bits", "32f"]);
    let sound = render::wav(&place.path().join("mine.wav"));
    let peak = sound.iter().fold(0.0, |peak: f32, x| peak.max(x.abs()));
    assert!((0.05..=0.9).contains(&peak), "it peaks at {peak}");

    let again = run_in(place.path(), &["new", "mine"]);
    assert_eq!((again.status, again.out.as_str()), (1, ""));
    assert!(again.err.contains("not empty"), "{again:?}");
}

/// What a command writes to a terminal.
#[cfg(target_os = "linux")]
fn on_a_terminal(command: &str, no_color: Option<&str>) -> String {
    let mut script = Command::new("script");
    script.args(["-qec", &format!("'{}' {command}", path().display()), "/dev/null"]);
    script.env("TERM", "xterm").env_remove("NO_COLOR").stdin(Stdio::null());
    script.envs(no_color.map(|value| ("NO_COLOR", value)));
    let ran: Ran = script.output().expect("every Debian has `script`").into();
    assert_eq!(ran.status, 0, "{ran:?}");
    ran.out
}

#[cfg(target_os = "linux")]
#[test]
fn colour_is_for_terminals_that_want_it() {
    let is_coloured = |text: &str| text.contains('\x1b');
    assert!(is_coloured(&on_a_terminal("words", None)));
    assert!(!is_coloured(&on_a_terminal("words", Some("1"))));
    // By the convention of no-color.org an empty value is none.
    assert!(is_coloured(&on_a_terminal("words", Some(""))));
    let piped: Ran = gainstage(["words"]).output().expect("the program starts").into();
    assert!(!is_coloured(&piped.out));
}
