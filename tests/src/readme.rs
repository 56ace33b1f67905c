//! The README says only what is so: its session is right, its commands run, its tour goes as it tells, its tables are
//! those of the program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Ran, Running, done_in, examples, gainstage, path, run_in};

fn root() -> PathBuf {
    examples().parent().expect("the examples are in the repository").to_owned()
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("there is a README")
}

/// The text under a heading, to the next.
fn section<'a>(readme: &'a str, heading: &str) -> &'a str {
    let (_, rest) = readme.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("{heading} is missing"));
    rest.split("\n## ").next().unwrap_or(rest)
}

/// The lines of all fenced blocks of a language.
fn fenced(readme: &str, language: &str) -> Vec<String> {
    let mut inside = None;
    let mut lines = Vec::new();
    for line in readme.lines().map(str::trim) {
        match (line.strip_prefix("```"), inside) {
            (Some(opened), None) => inside = Some(opened == language),
            (Some(_), Some(_)) => inside = None,
            (None, Some(true)) => lines.push(line.to_owned()),
            (None, _) => {}
        }
    }
    lines
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// A copy of the examples, where they may be edited.
fn copy() -> TempDir {
    let folder = TempDir::new().expect("there is room");
    for part in ["examples", "examples/audio", "examples/mastering", "examples/pieces"] {
        fs::create_dir(folder.path().join(part)).expect("it can be made");
        for entry in fs::read_dir(root().join(part)).expect("it can be listed") {
            let from = entry.expect("it is there").path();
            if from.is_file() {
                let name = from.file_name().expect("it has a name");
                fs::copy(&from, folder.path().join(part).join(name)).expect("it can be copied");
            }
        }
    }
    folder
}

#[test]
fn its_session_is_right_and_sounds() {
    let folder = copy();
    let session = fenced(&readme(), "rhai").join("\n");
    assert!(session.lines().count() <= 12, "a session of ten lines");
    fs::write(folder.path().join("examples/readme.rhai"), session).expect("it can be written");
    let checked = done_in(folder.path(), &["check", "examples/readme.rhai"]);
    assert_eq!((checked.out.as_str(), checked.err.as_str()), ("", "1 session, no errors, no warnings\n"));
    let render = ["render", "examples/readme.rhai", "-o", "mix.wav", "--length", "0.5s", "--bits", "32f"];
    done_in(folder.path(), &render);
    let mut mix = hound::WavReader::open(folder.path().join("mix.wav")).expect("it is written");
    assert!(mix.samples::<f32>().any(|x| x.expect("it is whole").abs() > 0.05), "it is heard");
}

#[test]
fn what_it_says_moves_moves() {
    let folder = copy();
    let session = fenced(&readme(), "rhai movement").join("\n");
    fs::write(folder.path().join("examples/movement.rhai"), session).expect("it can be written");
    let checked = done_in(folder.path(), &["check", "examples/movement.rhai"]);
    assert_eq!((checked.out.as_str(), checked.err.as_str()), ("", "1 session, no errors, no warnings\n"));
    let picture = done_in(folder.path(), &["graph", "examples/movement.rhai"]).out;
    for part in ["lfo(1.bars)", "ramp(300, 16.kHz, 2.bars)", "steps(", "room>master/fader.gain follows"] {
        assert!(picture.contains(part), "{part} is not in:\n{picture}");
    }
    let render = ["render", "examples/movement.rhai", "-o", "mix.wav", "--length", "1bars", "--bits", "32f"];
    done_in(folder.path(), &render);
    let mut mix = hound::WavReader::open(folder.path().join("mix.wav")).expect("it is written");
    assert!(mix.samples::<f32>().any(|x| x.expect("it is whole").abs() > 0.05), "it is heard");
}

#[test]
fn what_its_instruments_play_is_heard() {
    let folder = copy();
    for language in ["rhai patterns", "rhai circuits"] {
        let session = fenced(&readme(), language).join("\n");
        fs::write(folder.path().join("examples/played.rhai"), session).expect("it can be written");
        let checked = done_in(folder.path(), &["check", "examples/played.rhai"]);
        assert_eq!((checked.out.as_str(), checked.err.as_str()), ("", "1 session, no errors, no warnings\n"));
        let render = ["render", "examples/played.rhai", "-o", "mix.wav", "--length", "1bars", "--bits", "32f"];
        done_in(folder.path(), &render);
        let mut mix = hound::WavReader::open(folder.path().join("mix.wav")).expect("it is written");
        assert!(mix.samples::<f32>().any(|x| x.expect("it is whole").abs() > 0.05), "it is heard");
        fs::remove_file(folder.path().join("mix.wav")).expect("it is there");
    }
}

#[test]
fn its_piece_has_the_form_that_it_says() {
    let folder = copy();
    let session = fenced(&readme(), "rhai sections").join("\n");
    fs::write(folder.path().join("examples/piece.rhai"), session).expect("it can be written");
    let checked = done_in(folder.path(), &["check", "examples/piece.rhai"]);
    assert_eq!((checked.out.as_str(), checked.err.as_str()), ("", "1 session, no errors, no warnings\n"));
    let drawn = done_in(folder.path(), &["graph", "examples/piece.rhai", "--timeline"]).out;
    let expected = "\
42 bars, 1:24.0; 120 bpm, 4/4

bar                 0       8       16      24      32
                    |verse  |chorus |verse  |chorus |b|chorus
keys                [===============================--=======]
pad                 [======]        [======]
voice                       [===]           [===]     [===]
keys/low_pass.freq  |800 Hz         |800 Hz
";
    assert_eq!(drawn, expected, "{drawn}");
}

#[test]
fn its_album_is_right_and_has_its_tracks() {
    let folder = copy();
    let session = fenced(&readme(), "rhai album").join("\n");
    fs::write(folder.path().join("examples/songs.rhai"), session).expect("it can be written");
    let checked = done_in(folder.path(), &["check", "examples/songs.rhai"]);
    assert_eq!((checked.out.as_str(), checked.err.as_str()), ("", "1 session, no errors, no warnings\n"));
    done_in(folder.path(), &["render", "examples/songs.rhai", "--tracks", "songs", "--bits", "32f"]);
    let tracks = ["01 Dawn.wav", "02 Noon.wav", "03 Dusk.wav"].map(|name| folder.path().join("songs").join(name));
    for track in tracks {
        let mut track = hound::WavReader::open(track).expect("it is written");
        assert!(track.samples::<f32>().any(|x| x.expect("it is whole").abs() > 0.05), "it is heard");
    }
}

#[test]
fn its_tested_mix_holds_what_it_expects() {
    let folder = copy();
    let session = fenced(&readme(), "rhai tested").join("\n");
    fs::write(folder.path().join("examples/tested.rhai"), session).expect("it can be written");
    let checked = done_in(folder.path(), &["check", "examples/tested.rhai", "--render"]);
    assert_eq!(checked.out.lines().filter(|line| line.starts_with("line ")).count(), 4, "{checked:?}");
}

#[test]
fn its_hardware_is_right_and_heard_when_it_is_told_what_came_back() {
    let folder = copy();
    let session = fenced(&readme(), "rhai hardware").join("\n");
    fs::write(folder.path().join("examples/hardware.rhai"), session).expect("it can be written");
    let checked = done_in(folder.path(), &["check", "examples/hardware.rhai"]);
    assert_eq!((checked.out.as_str(), checked.err.as_str()), ("", "1 session, no errors, no warnings\n"));
    let came_back = "drums/insert=examples/audio/drums.flac";
    done_in(
        folder.path(),
        &["render", "examples/hardware.rhai", "-o", "mix.wav", "--length", "0.2s", "--input", came_back],
    );
}

#[test]
fn every_command_in_it_runs() {
    let folder = copy();
    let ci = fs::read_to_string(root().join(".ci/run")).expect("it is there");
    let mut ran = 0;
    for line in fenced(&readme(), "sh") {
        // It needs a desk that plays.
        if line.starts_with("gainstage tell ") {
            continue;
        }
        for command in line.split(" && ") {
            // Whoever is root needs no `sudo`, and may have none.
            let command = command.strip_prefix("$(command -v sudo) ").unwrap_or(command);
            let words: Vec<&str> = command.split(' ').collect();
            match words[..] {
                // These end with the user's Ctrl-C.
                ["gainstage", "play" | "learn", ..] if !words.contains(&"--list") => {
                    done_in(folder.path(), &[&words[1..], &["--device", "none", "--length", "0.2s"]].concat());
                    ran += 1;
                }
                // Without a card they can only say that nothing comes back.
                ["gainstage", measures @ ("sweep" | "ping"), ..] if !words.contains(&"--through") => {
                    let short: &[&str] = match measures {
                        "ping" => &["--times", "1"],
                        _ if words.contains(&"--time") => &["--tail", "100ms"],
                        _ => &["--tail", "100ms", "--time", "200ms"],
                    };
                    let tried = run_in(folder.path(), &[&words[1..], &["--device", "none"], short].concat());
                    assert_eq!(tried.status, 1, "{command}: {tried:?}");
                    assert!(tried.err.contains("nothing came back"), "{command}: {tried:?}");
                    ran += 1;
                }
                ["gainstage", ..] => {
                    done_in(folder.path(), &words[1..]);
                    ran += 1;
                }
                // What builds and installs is too much for a test: the check of a whole clone does it.
                ["cargo", ..] => {
                    assert!(ci.lines().any(|line| line.starts_with(command)), "`{command}` is not in .ci/run")
                }
                // The longer form of what is run in a shorter one.
                [longer, "cargo", ..] if longer.starts_with("GAINSTAGE_") => {
                    let shorter = &command[longer.len() + 1..];
                    let runs = |line: &str| {
                        let line = line.strip_prefix(longer).map_or(line, str::trim_start);
                        line.starts_with("cargo test") && shorter.starts_with(line)
                    };
                    assert!(ci.lines().any(runs), "`{shorter}` is not in .ci/run");
                }
                ["apt-get", "update"] => {}
                ["apt-get", "install", "-y", ref packages @ ..] => {
                    let installs = ci.lines().find(|line| line.starts_with("install ")).expect("it installs");
                    assert!(packages.iter().all(|name| installs.split(' ').any(|n| n == *name)), "{packages:?}");
                }
                _ => panic!("`{command}` is run nowhere"),
            }
        }
    }
    assert!(ran >= 8, "only {ran} commands");
    let made = |name: &str| folder.path().join(name).exists();
    for name in [
        "first.wav",
        "stems/first-band.wav",
        "album.wav",
        "album.cue",
        "album/03 Voice.wav",
        "flac/01 Drums.flac",
        "mine/session.rhai",
        "take.wav",
        "takes/first-band.wav",
        "takes/live-input-voice-in.wav",
        "strip.wav",
        "strip.json",
        "strip.svg",
        "routing.svg",
        "two-rooms.png",
        "compressor.svg",
        "eq.png",
        "sessions.svg",
        "both.svg",
    ] {
        assert!(made(name), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn what_it_tells_a_desk_from_an_editor_is_taken() {
    let folder = copy();
    let readme = readme();
    let told: Vec<String> =
        fenced(section(&readme, "From an editor"), "sh").into_iter().filter(|line| !line.is_empty()).collect();
    assert!(told.len() >= 2);
    let own = |mut command: Command| {
        command.current_dir(folder.path());
        for variable in ["XDG_RUNTIME_DIR", "XDG_STATE_HOME", "TMPDIR"] {
            command.env(variable, folder.path());
        }
        command
    };
    let play = ["play", "examples/first.rhai", "--device", "none", "--osc", "none", "--no-prompt"];
    let mut playing = Running::of(own(gainstage(play)));
    playing.says("playing to the silent device");
    for line in told {
        let shell = format!("gainstage() {{ '{}' \"$@\"; }}; {line}", path().display());
        let mut command = Command::new("sh");
        command.args(["-c", &shell]);
        let ran: Ran = own(command).output().expect("there is a shell").into();
        assert!(ran.status == 0 && ran.out.contains("voice>band/fader"), "{line}: {ran:?}");
    }
    playing.interrupt();
    assert_eq!(playing.end(), 0, "{:#?}", playing.told);
}

#[test]
fn its_tour_goes_as_it_tells() {
    let readme = readme();
    let tour = section(&readme, "Five minutes");
    let folder = copy();
    let session = folder.path().join("examples/first.rhai");
    let text = fs::read_to_string(&session).expect("it is there");
    let mut playing =
        Running::start(folder.path(), &["play", "examples/first.rhai", "--device", "none", "--no-prompt"]);
    playing.says("playing to the silent device");
    for (written, instead, told) in [
        ("fader(-8.dB)", "fader(-4.dB)", "changed voice>band/fader"),
        ("fader(-8.dB)", "fadre(-4)", "did you mean `fader`?"),
        ("fader(-8.dB)", "fader(-4.dB)", "no change to the sound"),
    ] {
        assert!(text.contains(written), "{written} is not in the example");
        assert!([written, instead, told].iter().all(|part| tour.contains(part)), "{instead} is not in the tour");
        fs::write(&session, text.replace(written, instead)).expect("it can be written");
        playing.says(told);
    }
    fs::write(&session, text.replace("room  >> reverb()", "//room  >> reverb()")).expect("it can be written");
    assert!(tour.contains("`room  >> reverb()`") && text.contains("\nroom  >> reverb()"));
    playing.says("`room` goes nowhere");
    assert!(playing.says("removed").contains("room>band/reverb"));
    fs::write(&session, &text).expect("it can be written");
    assert!(playing.says("added").contains("room>band/reverb"));
    playing.interrupt();
    assert_eq!(playing.end(), 0, "{:#?}", playing.told);
}

#[test]
fn its_commands_and_options_are_the_programs() {
    let readme = readme();
    let here = Path::new(".");
    let rows = section(&readme, "The commands").lines().filter(|line| line.starts_with("| `gainstage "));
    let mut told = BTreeSet::new();
    for row in rows {
        let command = row["| `gainstage ".len()..].split([' ', '`']).next().expect("a command").to_owned();
        let help = done_in(here, &[&command, "--help"]).out;
        let options = |text: &str| -> BTreeSet<String> {
            let words = text.split(|c: char| !(c == '-' || c.is_ascii_alphanumeric()));
            words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
        };
        let mut known = options(&help);
        known.retain(|option| option != "--help" && option != "--version");
        // `devices` explains itself by the options of another command.
        let mut shown = options(row);
        if command == "devices" {
            shown.retain(|option| !["--device", "--input", "--midi"].contains(&option.as_str()));
        }
        assert_eq!(shown, known, "{command}");
        told.insert(command);
    }
    let help = done_in(here, &["--help"]).out;
    let commands = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("it lists them");
    // What goes on in a further line is set in more.
    let lines = commands.lines().filter(|line| !line.starts_with("   "));
    let known: BTreeSet<String> = lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    assert_eq!(told, known);
}

#[test]
fn its_words_are_those_of_the_reference() {
    let readme = readme();
    let section = section(&readme, "The words");
    let told: BTreeSet<&str> = section
        .lines()
        .filter(|line| line.starts_with("- **") || line.starts_with("  "))
        .flat_map(quoted)
        .flat_map(|words| words.split_whitespace())
        .map(|word| word.trim_start_matches('.').split('(').next().unwrap_or(word))
        .collect();
    let reference = done_in(Path::new("."), &["words", "--json"]).out;
    let reference: Value = serde_json::from_str(&reference).expect("it is JSON");
    let known: BTreeSet<&str> = reference
        .as_array()
        .expect("it is a list")
        .iter()
        // What can be done with numbers is not what a session is made of.
        .filter(|entry| entry["group"] != "numbers")
        .map(|entry| entry["word"].as_str().expect("a word"))
        .collect();
    assert_eq!(told, known);
}

#[test]
fn what_it_points_to_is_there() {
    let readme = readme();
    let links = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let places = section(&readme, "Where things live").lines().filter_map(|line| line.split("  ").next());
    let places = places.filter(|place| place.contains('/') && !place.contains(' '));
    // Commands are run by another test.
    let is_place = |text: &&str| text.contains('/') && !text.contains('\n');
    let named = quoted(section(&readme, "How to change it")).filter(is_place);
    let mut count = 0;
    for place in links.filter(|link| !link.starts_with("http")).chain(places).chain(named) {
        assert!(root().join(place).exists(), "{place} is not there");
        count += 1;
    }
    assert!(count >= 12, "only {count}");
}
