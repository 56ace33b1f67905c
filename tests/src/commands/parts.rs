//! Long performances: their journals are cut into parts, each of which begins with a checkpoint.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::render::wav;
use super::replay::{bits, journal, playing, stop};
use super::{folder, parsed};
use crate::program::{Running, done_in, run_in};

/// Everything in it moves or rings, and forgets soon.
const TEXT: &str = r#"
tempo(132);
let a = input("a", saw(110));
let b = input("b", noise("pink"));
let echo = bus("echo");
a >> low_pass(lfo("1/4").range(300, 3000)) >> send(echo, -9) >> fader(-9) >> master;
b >> compressor(-30, 4).key(a) >> pan(steps("-0.5 0.5")) >> fader(-15) >> master;
echo >> delay(60.ms).feedback(30) >> reverb().decay(0.2.s) >> master;
master >> limiter(-1).release("auto");
"#;

/// A performance in parts of 0.4 s, with an edit, until one of them from `part` on has a checkpoint. Gives it still playing.
fn long(folder: &Path, part: usize, more: &[&str]) -> Running {
    let mut playing = playing(folder, &[&["--journal-part", "0.4s"], more].concat());
    fs::write(folder.join("session.rhai"), TEXT.replace("fader(-15)", "fader(-12)")).expect("it can be written");
    playing.says("changed b>master/fader");
    let begun = Instant::now();
    while checkpoints(folder).iter().all(|(number, _)| *number < part) {
        assert!(begun.elapsed() < Duration::from_secs(60), "no checkpoint is made: {:?}", checkpoints(folder));
        thread::sleep(Duration::from_millis(50));
    }
    playing
}

/// The parts that begin with a checkpoint, in order.
fn checkpoints(folder: &Path) -> Vec<(usize, PathBuf)> {
    let journal = journal(folder);
    let parts = (2..1000).map(|number| (number, journal.join(format!("part-{number}")).join("checkpoint")));
    parts.filter(|(_, file)| file.exists()).collect()
}

/// That a file is the end of what was heard, in bits.
fn assert_is_end(folder: &Path, file: &str) -> usize {
    let (heard, again) = (bits(&folder.join("a.wav")), bits(&folder.join(file)));
    let rest = &heard[heard.len() - again.len()..];
    let differs = rest.iter().zip(&again).position(|(a, b)| a != b);
    assert_eq!(differs, None, "{file}: the sample of {} from which on they differ", again.len());
    heard.len() - again.len()
}

#[test]
fn a_long_performance_replays_to_the_same_bits_from_any_of_its_checkpoints() {
    let place = folder(TEXT);
    let folder = place.path();
    stop(long(folder, 4, &[]));
    let found = checkpoints(folder);
    let whole = done_in(folder, &["replay", "kept", "-o", "whole.wav"]);
    assert!(!whole.err.contains("removed"), "{whole:?}");
    assert_eq!(assert_is_end(folder, "whole.wav"), 0);
    let last = done_in(folder, &["replay", "kept", "--last", "0.1s", "-o", "last.wav", "--stems", "last"]);
    assert!(!last.err.contains("less than that"), "{last:?}");
    assert_eq!(wav(&folder.join("last.wav")).len(), 2 * 4800);
    assert_is_end(folder, "last.wav");
    assert_eq!(wav(&folder.join("last/session-a.wav")).len(), 2 * 4800);

    // Without its beginning it begins at the first checkpoint.
    let lines = journal(folder).join("journal.jsonl");
    let kept = fs::read_to_string(&lines).expect("it is there");
    fs::write(&lines, format!("{}\n", kept.lines().next().expect("it has a header"))).expect("it can be written");
    let rest = done_in(folder, &["replay", "kept", "-o", "rest.wav"]);
    assert!(rest.err.contains("has been removed: it begins there"), "{rest:?}");
    let begin = assert_is_end(folder, "rest.wav");
    assert!(begin > 2 * 19_200, "the first part has no checkpoint, and this begins at {begin}");
    let early = run_in(folder, &["replay", "kept", "-o", "early.wav", "--from", "0.1s"]);
    assert!(early.status == 1 && early.err.contains("--from 00:00:00.100: what was played before"), "{early:?}");
    let list = parsed(&done_in(folder, &["replay", "kept", "--list", "--json"]));
    let list = list.as_array().expect("it is a list");
    assert!(list.iter().any(|entry| entry["what"] == "removed" && entry["frame"] == (begin / 2) as u64), "{list:?}");

    // One that is damaged is told of, and the one before it taken, or the beginning.
    fs::write(&lines, kept).expect("it can be written");
    for (_, file) in &found {
        let mut bytes = fs::read(file).expect("it is there");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        fs::write(file, bytes).expect("it can be written");
    }
    let last = done_in(folder, &["replay", "kept", "--last", "0.1s", "-o", "again.wav"]);
    assert!(last.err.contains("checkpoint: this checkpoint is of no use: it is damaged"), "{last:?}");
    assert_is_end(folder, "again.wav");
}

#[test]
fn when_journals_take_too_much_the_beginning_of_a_performance_goes_while_it_plays() {
    let place = folder(TEXT);
    let folder = place.path();
    // Room for one checkpoint of it, and not for two.
    let mut playing = long(folder, 3, &["--journal-room", "4000000"]);
    playing.says("the beginning of this performance is removed from its journal");
    let back = done_in(folder, &["replay", "kept", "--last", "0.2s", "-o", "back.wav"]);
    assert!(back.err.contains("still being played"), "{back:?}");
    playing.interrupt();
    assert_eq!(playing.end(), 0, "{:#?}", playing.told);
    // Whoever makes its checkpoints finds what that takes, throughout; and there was no live input to do without.
    let amiss =
        playing.told.iter().find(|line| line.contains("no checkpoint for now") || line.contains("are not kept"));
    assert_eq!(amiss, None);
    assert_eq!(fs::read_to_string(journal(folder).join("journal.jsonl")).expect("it is there").lines().count(), 1);
    let rest = done_in(folder, &["replay", "kept", "-o", "rest.wav"]);
    assert!(rest.err.contains("has been removed: it begins there"), "{rest:?}");
    assert!(assert_is_end(folder, "rest.wav") > 2 * 19_200);
}

#[test]
fn beyond_a_damaged_line_it_is_played_from_the_next_checkpoint_if_that_is_asked_for() {
    let place = folder(TEXT);
    let folder = place.path();
    stop(long(folder, 4, &[]));
    let lines = journal(folder).join("part-2/journal.jsonl");
    let kept = fs::read_to_string(&lines).expect("it is there");
    let damaged: Vec<&str> = kept.lines().enumerate().map(|(n, line)| if n == 2 { "{" } else { line }).collect();
    fs::write(&lines, damaged.join("\n") + "\n").expect("it can be written");
    let short = done_in(folder, &["replay", "kept", "-o", "short.wav"]);
    assert!(short.err.contains("unless --from lies in a further part"), "{short:?}");
    let heard = wav(&folder.join("a.wav")).len() / 2;
    assert!(wav(&folder.join("short.wav")).len() / 2 < heard - 2400);
    let from = format!("{}f", heard - 2400);
    let rest = done_in(folder, &["replay", "kept", "--from", &from, "-o", "rest.wav"]);
    assert!(rest.err.contains("line 3 of") && rest.err.contains("is missing"), "{rest:?}");
    assert_eq!(assert_is_end(folder, "rest.wav"), 2 * (heard - 2400));
    // What lies between cannot be played: not even what lies just before the checkpoint.
    let told = rest.err.lines().find_map(|line| line.strip_suffix(" is missing")).expect("it says what is");
    let begin = told.rsplit(' ').next().expect("it says until when");
    let digits: Vec<u64> = begin.split([':', '.']).map(|part| part.parse().expect("it is a time")).collect();
    let [0, 0, seconds, thousandths] = digits[..] else { panic!("{begin}") };
    let before = format!("{}f", (seconds * 1000 + thousandths - 1) * 48);
    let between = run_in(folder, &["replay", "kept", "--from", &before, "-o", "between.wav"]);
    assert_eq!(between.status, 1, "{between:?}");
    let why = format!("what was played before {begin} cannot be understood, and it can be played from there on");
    assert!(between.err.contains(&why) && !folder.join("between.wav").exists(), "{between:?}");
}

#[test]
fn live_input_that_was_lost_is_in_the_list() {
    let place = folder(TEXT);
    let folder = place.path();
    assert_eq!(playing(folder, &["--length", "0.3s"]).end(), 0);
    let lines = journal(folder).join("journal.jsonl");
    let kept = fs::read_to_string(&lines).expect("it is there");
    let (before, end) = kept.trim_end().rsplit_once('\n').expect("it has lines");
    let lost = r#"{"is":"input_lost","frame":4800,"frames":480}"#;
    fs::write(&lines, format!("{before}\n{lost}\n{end}\n")).expect("it can be written");
    let list = parsed(&done_in(folder, &["replay", "kept", "--list", "--json"]));
    let entry = list.as_array().and_then(|list| list.iter().find(|entry| entry["what"] == "input_lost"));
    let entry = entry.unwrap_or_else(|| panic!("it is not in {list}"));
    assert_eq!((&entry["frame"], &entry["time"]), (&4800.into(), &"00:00:00.100".into()));
    // A tenth of a second at 132 beats a minute.
    assert_eq!(entry["bar"], 1.05);
}

/// The parts that somebody makes a checkpoint for, of the journals in a folder.
#[cfg(target_os = "linux")]
fn followed(folder: &Path) -> Vec<usize> {
    let home = folder.to_str().expect("it is text");
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let commands = processes.filter_map(|one| fs::read(one.path().join("cmdline")).ok());
    let part = |command: Vec<u8>| -> Option<usize> {
        let command = String::from_utf8(command).ok()?;
        let (before, part) = command.trim_end_matches('\0').split_once("\0--checkpoint\0")?;
        before.contains(home).then(|| part.parse().ok())?
    };
    commands.filter_map(part).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn what_follows_a_performance_ends_with_it_however_that_ends() {
    let place = folder(&TEXT.replace("decay(0.2.s)", "decay(20.s)"));
    let folder = place.path();
    let mut playing = playing(folder, &["--journal-part", "0.4s"]);
    thread::sleep(Duration::from_millis(500));
    // What was removed rings on for long, and what follows it looks for a checkpoint as long as it does.
    let rest: Vec<&str> = TEXT.lines().filter(|line| !line.contains("echo")).collect();
    fs::write(folder.join("session.rhai"), rest.join("\n") + "\na >> fader(-9) >> master;\n")
        .expect("it can be written");
    playing.says("removed");
    let begun_before = (2..100).take_while(|number| journal(folder).join(format!("part-{number}")).exists()).last();
    let begun = Instant::now();
    while !followed(folder).iter().any(|part| *part > begun_before.unwrap_or(1)) {
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing follows it: {:?}", followed(folder));
        thread::sleep(Duration::from_millis(50));
    }
    playing.kill();
    let begun = Instant::now();
    while !followed(folder).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it is still there");
        thread::sleep(Duration::from_millis(50));
    }
    let unfinished = |part: &Path| part.join(".checkpoint.part").exists();
    let parts = (2..100).map(|number| journal(folder).join(format!("part-{number}")));
    assert!(!parts.into_iter().any(|part| unfinished(&part)));
}

#[test]
fn a_journal_that_cannot_be_written_goes_on_when_it_can_and_says_so() {
    let place = folder(TEXT);
    let folder = place.path();
    let mut playing = playing(folder, &[]);
    thread::sleep(Duration::from_millis(300));
    // A file in the place of the folder of texts: whoever runs this, nothing can be put into it.
    let (texts, aside) = (journal(folder).join("texts"), folder.join("aside"));
    fs::rename(&texts, &aside).expect("it can be renamed");
    fs::write(&texts, "").expect("there is room");
    fs::write(folder.join("session.rhai"), TEXT.replace("fader(-15)", "fader(-12)")).expect("it can be written");
    playing.says("the journal cannot be written for now");
    fs::write(folder.join("session.rhai"), TEXT.replace("fader(-15)", "fader(-13)")).expect("it can be written");
    thread::sleep(Duration::from_millis(300));
    fs::remove_file(&texts).expect("it is there");
    fs::rename(&aside, &texts).expect("it can be renamed");
    let told = playing.says("the journal goes on");
    assert!(told.contains("nothing is missing"), "{told}");
    stop(playing);
    done_in(folder, &["replay", "kept", "-o", "b.wav"]);
    assert_eq!(assert_is_end(folder, "b.wav"), 0);
}

#[test]
fn a_journal_that_is_only_read_is_not_said_to_be_played() {
    let place = folder(TEXT);
    let folder = place.path();
    let mut playing = playing(folder, &[]);
    thread::sleep(Duration::from_millis(600));
    playing.kill();
    let reader = fs::File::create(journal(folder).join("in-use")).expect("it can be made");
    reader.lock_shared().expect("readers do not mind each other");
    let ran = done_in(folder, &["replay", "kept", "-o", "b.wav"]);
    assert!(ran.err.contains("cut off at") && !ran.err.contains("still being played"), "{ran:?}");
}

#[test]
fn a_text_that_was_changed_in_the_journal_is_refused() {
    let place = folder(TEXT);
    let folder = place.path();
    assert_eq!(playing(folder, &["--length", "0.2s"]).end(), 0);
    let text = journal(folder).join("texts/0001-session.rhai");
    fs::write(&text, TEXT.replace("-15", "-3")).expect("it can be written");
    let ran = run_in(folder, &["replay", "kept", "-o", "b.wav"]);
    assert!(ran.status == 1 && ran.err.contains("is not the text that was played"), "{ran:?}");
    assert!(!folder.join("b.wav").exists());
}

#[test]
fn a_list_ends_where_it_is_asked_to() {
    let place = folder(TEXT);
    let folder = place.path();
    let mut playing = playing(folder, &[]);
    thread::sleep(Duration::from_millis(300));
    fs::write(folder.join("session.rhai"), TEXT.replace("fader(-15)", "fader(-12)")).expect("it can be written");
    playing.says("changed b>master/fader");
    stop(playing);
    let list = |more: &[&str]| done_in(folder, &[&["replay", "kept", "--list"], more].concat()).out;
    assert!(list(&[]).contains("changed b>master/fader") && list(&[]).contains("the end"));
    let first = list(&["--until", "0.1s"]);
    assert!(first.contains("begins") && !first.contains("changed") && !first.contains("the end"), "{first}");
}
