//! The README and the chapters of the guide say only what is so: their sessions are right, their commands run, the tour
//! goes as it is told, their tables are those of the program, and what they point to is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Ran, Running, done_in, examples, gainstage, path, run_in};

fn root() -> PathBuf {
    examples().parent().expect("the examples are in the repository").to_owned()
}

/// One of the documents, by its name from the repository on.
fn document(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn readme() -> String {
    document("README.md")
}

/// A chapter of the guide.
fn chapter(name: &str) -> String {
    document(&format!("repl/guide/{name}.md"))
}

/// The names of the chapters' files.
fn chapters() -> Vec<String> {
    let listed = fs::read_dir(root().join("repl/guide")).expect("there is a guide");
    let names = listed.map(|entry| entry.expect("it is there").file_name().into_string().expect("a name in letters"));
    let mut names: Vec<String> = names.map(|name| format!("repl/guide/{name}")).collect();
    names.sort();
    names
}

/// All of them, with their texts: the README first.
fn documents() -> Vec<(String, String)> {
    let names = std::iter::once("README.md".to_owned()).chain(chapters());
    names.map(|name| (name.clone(), document(&name))).collect()
}

/// The text under a heading, to the next.
fn section<'a>(document: &'a str, heading: &str) -> &'a str {
    let (_, rest) = document.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("{heading} is missing"));
    rest.split("\n## ").next().unwrap_or(rest)
}

/// The fenced blocks: the language of each, and its lines.
fn blocks(document: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut inside = false;
    for line in document.lines().map(str::trim) {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(language) => {
                inside = true;
                blocks.push((language, Vec::new()));
            }
            None if inside => blocks.last_mut().expect("one is open").1.push(line),
            None => {}
        }
    }
    blocks
}

/// The lines of all fenced blocks of a language.
fn fenced(document: &str, language: &str) -> Vec<String> {
    let of_it = blocks(document).into_iter().filter(|(name, _)| *name == language);
    of_it.flat_map(|(_, lines)| lines).map(str::to_owned).collect()
}

/// What stands outside them.
fn prose(document: &str) -> String {
    document.split("```").step_by(2).collect()
}

/// The words of a command, as a shell takes them apart.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for c in command.chars() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().expect("there is one").push(c),
        }
    }
    words
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

/// Puts the one session of a kind beside the examples, as `session.rhai`.
fn put(folder: &TempDir, document: &str, kind: &str) {
    let of_it: Vec<_> = blocks(document).into_iter().filter(|(language, _)| *language == kind).collect();
    let [(_, lines)] = &of_it[..] else { panic!("{} sessions `{kind}`", of_it.len()) };
    fs::write(folder.path().join("examples/session.rhai"), lines.join("\n")).expect("it can be written");
}

#[test]
fn every_session_in_them_is_right_and_sounds() {
    let mut kinds = BTreeSet::new();
    for (name, text) in documents() {
        for (kind, _) in blocks(&text).iter().filter(|(language, _)| language.starts_with("rhai")) {
            let folder = copy();
            put(&folder, &text, kind);
            let checked = done_in(folder.path(), &["check", "examples/session.rhai"]);
            let said = (checked.out.as_str(), checked.err.as_str());
            assert_eq!(said, ("", "1 session, no errors, no warnings\n"), "{name}: {kind}");
            let mut render =
                vec!["render", "examples/session.rhai", "-o", "mix.wav", "--length", "1bars", "--bits", "32f"];
            if *kind == "rhai hardware" {
                render.extend(["--input", "drums/insert=examples/audio/drums.flac"]);
            }
            done_in(folder.path(), &render);
            let mut mix = hound::WavReader::open(folder.path().join("mix.wav")).expect("it is written");
            let heard = mix.samples::<f32>().any(|x| x.expect("it is whole").abs() > 0.05);
            assert!(heard, "{name}: {kind} is not heard");
            kinds.insert((*kind).to_owned());
        }
    }
    for kind in ["rhai", "rhai movement", "rhai patterns", "rhai circuits", "rhai album", "rhai hardware"] {
        assert!(kinds.contains(kind), "there is no `{kind}`");
    }
}

#[test]
fn the_session_of_the_readme_is_of_ten_lines() {
    assert!(fenced(&readme(), "rhai").len() <= 12);
}

#[test]
fn what_is_said_to_move_moves() {
    let folder = copy();
    put(&folder, &chapter("time-and-movement"), "rhai movement");
    let picture = done_in(folder.path(), &["graph", "examples/session.rhai"]).out;
    for part in ["lfo(1.bars)", "ramp(300, 16.kHz, 2.bars)", "steps(", "room>master/fader.gain follows"] {
        assert!(picture.contains(part), "{part} is not in:\n{picture}");
    }
}

#[test]
fn the_piece_has_the_form_that_is_said() {
    let folder = copy();
    put(&folder, &chapter("composing"), "rhai sections");
    let drawn = done_in(folder.path(), &["graph", "examples/session.rhai", "--timeline"]).out;
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
fn the_album_has_its_tracks() {
    let folder = copy();
    put(&folder, &chapter("delivering"), "rhai album");
    done_in(folder.path(), &["render", "examples/session.rhai", "--tracks", "songs", "--bits", "32f"]);
    let tracks = ["01 Dawn.wav", "02 Noon.wav", "03 Dusk.wav"].map(|name| folder.path().join("songs").join(name));
    for track in tracks {
        let mut track = hound::WavReader::open(track).expect("it is written");
        assert!(track.samples::<f32>().any(|x| x.expect("it is whole").abs() > 0.05), "it is heard");
    }
}

#[test]
fn the_tested_mix_holds_what_it_expects() {
    let folder = copy();
    put(&folder, &chapter("measuring"), "rhai tested");
    let checked = done_in(folder.path(), &["check", "examples/session.rhai", "--render"]);
    assert_eq!(checked.out.lines().filter(|line| line.starts_with("line ")).count(), 4, "{checked:?}");
}

/// Runs a command of a document in a copy of the examples, or finds it in what checks a whole clone.
fn run(folder: &Path, command: &str, ci: &str) {
    // Whoever is root needs no `sudo`, and may have none.
    let command = command.strip_prefix("$(command -v sudo) ").unwrap_or(command);
    let words = words(command);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let prints = || ["--list", "--markdown"].iter().any(|option| words.contains(option));
    match words[..] {
        // It needs a desk that plays, which another test gives it.
        ["gainstage", "tell", ..] => {}
        // These end with the user's Ctrl-C.
        ["gainstage", "play" | "learn", ..] if !prints() => {
            done_in(folder, &[&words[1..], &["--device", "none", "--length", "0.2s"]].concat());
        }
        // Without a card they can only say that nothing comes back.
        ["gainstage", measures @ ("sweep" | "ping"), ..] if !words.contains(&"--through") => {
            let short: &[&str] = match measures {
                "ping" => &["--times", "1"],
                _ if words.contains(&"--time") => &["--tail", "100ms"],
                _ => &["--tail", "100ms", "--time", "200ms"],
            };
            let tried = run_in(folder, &[&words[1..], &["--device", "none"], short].concat());
            assert_eq!(tried.status, 1, "{command}: {tried:?}");
            assert!(tried.err.contains("nothing came back"), "{command}: {tried:?}");
        }
        ["gainstage", ..] => {
            done_in(folder, &words[1..]);
        }
        // What builds and installs is too much for a test: the check of a whole clone does it.
        ["cargo", ..] => assert!(ci.lines().any(|line| line.starts_with(command)), "`{command}` is not in .ci/run"),
        // The longer form of what is run in a shorter one.
        [longer, "cargo", ..] if longer.starts_with("GAINSTAGE_") => {
            let shorter = &command[longer.len() + 1..];
            let runs = |line: &str| {
                let line = line.strip_prefix(longer).map_or(line, str::trim_start);
                line.starts_with("cargo test") && shorter.starts_with(line)
            };
            assert!(ci.lines().any(runs), "`{shorter}` is not in .ci/run");
        }
        ["cp", from, to] => drop(fs::copy(folder.join(from), folder.join(to)).expect("it can be copied")),
        ["apt-get", "update"] => {}
        ["apt-get", "install", "-y", ref packages @ ..] => {
            let installs = ci.lines().find(|line| line.starts_with("install ")).expect("it installs");
            assert!(packages.iter().all(|name| installs.split(' ').any(|n| n == *name)), "{packages:?}");
        }
        _ => panic!("`{command}` is run nowhere"),
    }
}

/// What is there when the commands of a document have run.
const MADE: [(&str, &[&str]); 6] = [
    ("README.md", &["first.wav", "stems/first-band.wav", "mine/session.rhai", "routing.svg"]),
    ("repl/guide/delivering.md", &["album.wav", "album.cue", "album/03 Voice.wav", "flac/01 Drums.flac"]),
    ("repl/guide/hardware.md", &["strip.wav", "strip.json", "strip.svg"]),
    (
        "repl/guide/measuring.md",
        &["first.wav", "first-measured.svg", "first-measured.png", "figures.json", "figures.xml"],
    ),
    (
        "repl/guide/recording.md",
        &["take.wav", "takes/first-band.wav", "takes/live-input-voice-in.wav", "kept", "again.wav", "just-now.wav"],
    ),
    (
        "repl/guide/seeing.md",
        &[
            "routing.svg",
            "two-rooms.png",
            "strip.svg",
            "compressor.svg",
            "eq.png",
            "session.svg",
            "edit.svg",
            "both.svg",
        ],
    ),
];

#[test]
fn every_command_in_them_runs() {
    let ci = document(".ci/run");
    // Each stands by itself, in a copy of its own. Most of the time is that of desks that play: they do it at once.
    thread::scope(|scope| {
        for (name, text) in documents() {
            let ci = &ci;
            scope.spawn(move || {
                let folder = copy();
                for line in fenced(&text, "sh") {
                    line.split(" && ").for_each(|command| run(folder.path(), command, ci));
                }
                let made = MADE.iter().filter(|(document, _)| *document == name).flat_map(|(_, made)| *made);
                for file in made {
                    assert!(folder.path().join(file).exists(), "{name} makes no {file}");
                }
            });
        }
    });
    for (name, text) in documents() {
        let mut others =
            blocks(&text).into_iter().filter(|(language, _)| *language != "sh").flat_map(|(_, lines)| lines);
        assert_eq!(others.find(|line| line.starts_with("gainstage ")), None, "{name}: it is not marked as `sh`");
    }
    let known: Vec<String> = documents().into_iter().map(|(name, _)| name).collect();
    assert!(MADE.iter().all(|(name, _)| known.iter().any(|known| known == name)), "{known:?}");
}

/// The options that a text names.
fn options(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c == '-' || c.is_ascii_alphanumeric()));
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

/// The program's commands, each with the options that it takes.
fn commands() -> BTreeMap<String, BTreeSet<String>> {
    let here = Path::new(".");
    let help = done_in(here, &["--help"]).out;
    let commands = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("it lists them");
    // What goes on in a further line is set in more.
    let lines = commands.lines().filter(|line| !line.starts_with("   "));
    let with_options = |command: &str| {
        let mut known = options(&done_in(here, &[command, "--help"]).out);
        known.retain(|option| option != "--help" && option != "--version");
        (command.to_owned(), known)
    };
    lines.filter_map(|line| line.split_whitespace().next()).map(with_options).collect()
}

#[test]
fn every_command_that_is_named_in_passing_is_the_programs() {
    let known = commands();
    let mut count = 0;
    for (name, text) in documents() {
        let text = prose(&text);
        for named in quoted(&text).filter_map(|quoted| quoted.split("gainstage ").nth(1)) {
            let command = named.split([' ', ')', '\n']).next().unwrap_or(named);
            let takes = known.get(command).unwrap_or_else(|| panic!("{name}: there is no `gainstage {named}`"));
            let unknown = options(named).into_iter().find(|option| option != "--help" && !takes.contains(option));
            assert_eq!(unknown, None, "{name}: `gainstage {named}`");
            count += 1;
        }
    }
    assert!(count > 30, "only {count}");
}

#[cfg(unix)]
#[test]
fn what_it_tells_a_desk_from_an_editor_is_taken() {
    let folder = copy();
    let told: Vec<String> = documents()
        .iter()
        .flat_map(|(_, text)| fenced(text, "sh"))
        .filter(|line| line.starts_with("gainstage tell "))
        .collect();
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
fn the_readmes_commands_are_the_programs_in_a_line_each() {
    let readme = readme();
    let rows = section(&readme, "The commands").lines().filter_map(|line| line.strip_prefix("| `gainstage "));
    let told: Vec<&str> = rows.map(|row| row.split([' ', '`']).next().expect("a command")).collect();
    let known = commands();
    assert_eq!(told.len(), known.len());
    assert_eq!(BTreeSet::from_iter(told), known.keys().map(String::as_str).collect());
}

#[test]
fn the_guides_commands_and_options_are_the_programs() {
    let told: BTreeMap<String, BTreeSet<String>> = chapter("commands")
        .split("\n## ")
        .next()
        .unwrap_or_default()
        .split("\n- **`gainstage ")
        .skip(1)
        .map(|entry| {
            let command = entry.split([' ', '`']).next().expect("a command").to_owned();
            let mut shown = options(entry);
            // `devices` explains itself by the options of another command.
            if command == "devices" {
                shown.retain(|option| !["--device", "--input", "--midi"].contains(&option.as_str()));
            }
            (command, shown)
        })
        .collect();
    assert_eq!(told, commands());
}

#[test]
fn the_guides_words_are_those_of_the_reference() {
    let guide = chapter("words");
    let told: BTreeSet<&str> = section(&guide, "By group")
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

/// What a link to a heading of a document ends in, as the forges make it of the heading.
fn anchors(document: &str) -> BTreeSet<String> {
    let prose = prose(document);
    let headings = prose.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || "-_ ".contains(*c);
    headings.map(|line| line.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn what_they_point_to_is_there() {
    let mut count = 0;
    for (name, text) in documents() {
        let text = prose(&text);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with("http")) {
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let folder = root().join(&name).parent().expect("it is in a folder").to_owned();
            let place = if file.is_empty() { root().join(&name) } else { folder.join(file) };
            assert!(place.exists(), "{name}: {link} is not there");
            if let Some(anchor) = anchor {
                let text = fs::read_to_string(&place).expect("a text");
                assert!(anchors(&text).contains(anchor), "{name}: {link} has no such heading");
            }
            count += 1;
        }
        // Places in the repository that are named and not linked.
        let tops = ["engine/", "scripting/", "repl/", "tests/", "examples/", ".ci/"];
        let is_place = |text: &&str| tops.iter().any(|top| text.starts_with(top)) && !text.contains('\n');
        for place in quoted(&text).filter(is_place) {
            assert!(root().join(place).exists(), "{name}: {place} is not there");
            count += 1;
        }
    }
    let readme = readme();
    let places = section(&readme, "Where things live").lines().filter_map(|line| line.split("  ").next());
    for place in places.filter(|place| place.contains('/') && !place.contains(' ')) {
        assert!(root().join(place).exists(), "{place} is not there");
        count += 1;
    }
    assert!(count >= 50, "only {count}");
}

#[test]
fn the_readme_leads_to_every_chapter_and_is_read_in_five_minutes() {
    let readme = readme();
    let table = section(&readme, "The guide");
    for name in chapters() {
        let text = document(&name);
        let mut lines = text.lines();
        let heading =
            lines.next().and_then(|line| line.strip_prefix("# ")).unwrap_or_else(|| panic!("{name}: a heading"));
        assert!(table.contains(&format!("| [{heading}]({name}) |")), "{name} is not in the README's table");
        assert_eq!(lines.next(), Some(""), "{name}");
        assert!(
            lines.next().is_some_and(|line| line.starts_with("This chapter ")),
            "{name} does not say what it tells"
        );
        assert!(text.lines().count() <= 130, "{name} is too long for a chapter");
    }
    let lines = readme.lines().count();
    assert!(lines < 230, "the README has {lines} lines: what is more than a newcomer needs belongs in the guide");
}
