//! `gainstage learn`: what a learner meets, from the first edit to the next lesson, and where things go wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::program::{Ran, Running, examples, gainstage};

/// A run in a folder that also holds what is kept.
fn learn(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = gainstage(["learn"].iter().chain(arguments));
    command.current_dir(folder).env("XDG_STATE_HOME", folder.join("state"));
    command
}

fn ran(folder: &Path, arguments: &[&str]) -> Ran {
    learn(folder, arguments).output().expect("the program starts").into()
}

fn learning(folder: &Path, arguments: &[&str]) -> Running {
    Running::of(learn(folder, &[&["--device", "none"], arguments].concat()))
}

/// A lesson's file in the usual folder.
fn lesson(folder: &Path, name: &str) -> PathBuf {
    folder.join("gainstage-lessons").join(name).with_extension("rhai")
}

fn edit(file: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(file).expect("it is there");
    assert!(text.contains(old), "{old}");
    // As editors do it: never half a file.
    fs::write(file.with_extension("new"), text.replace(old, new)).expect("it can be written");
    fs::rename(file.with_extension("new"), file).expect("it is in place");
}

#[test]
fn an_edit_is_told_of_and_leads_to_the_next_step_and_the_next_lesson_and_is_remembered() {
    let folder = TempDir::new().expect("there is room");
    let level = lesson(folder.path(), "02-level");
    let mut learner = learning(folder.path(), &["level"]);
    learner.says("lesson 2 of 16, Level");
    learner.says("step 1 of 2: bring the voice forward");
    let told = learner.says("dB to go");
    assert!(told.starts_with("the voice stands 11.5 dB under the keys: ") && told.ends_with("dB over)"), "{told}");
    edit(&level, "fader(-24)", "fader(-13)");
    assert!(learner.says("3.5 dB to go").contains("0.5 dB under the keys: "), "{:#?}", learner.told);
    edit(&level, "fader(-13)", "fader(-8)");
    assert_eq!(learner.says("that is it"), "the voice stands 4.5 dB over the keys: that is it");
    learner.says("step 2 of 2: halve the piano");
    edit(&level, "keys  >> fader", "keys * 0.5 >> fader");
    learner.says("that was lesson 2");
    learner.says("lesson 3 of 16, Pan");
    learner.says("step 1 of 2");
    // What is wrong is shown as ever, and plays on; nor does a file that is gone end anything.
    let pan = lesson(folder.path(), "03-pan");
    edit(&pan, "keys  >> pan(0)", "keys  >> pna(0)");
    learner.says("did you mean `pan`?");
    learner.says("not taken; the last good text still plays");
    edit(&pan, "keys  >> pna(0)", "keys  >> pan(-0.7)");
    edit(&pan, "pluck >> pan(0)", "pluck >> pan(0.7)");
    learner.says("that is it");
    learner.says("step 2 of 2: what the middle costs");
    fs::remove_file(&pan).expect("it is there");
    learner.interrupt();
    assert_eq!(learner.end(), 0, "{:#?}", learner.told);
    let list = ran(folder.path(), &["--list"]).out;
    assert!(list.lines().any(|line| line.starts_with("   2  Level") && line.ends_with(", done")), "{list}");
    assert!(list.lines().any(|line| line.starts_with(">  3  Pan") && line.ends_with(", 1 of 2 steps")), "{list}");
    // Alone it goes on there, and a lesson that is gone is put there again; one that is there stays as it was written.
    let mut again = learning(folder.path(), &["--length", "0.2s", "--", "--record", "learned.wav"]);
    again.says("lesson 3 of 16, Pan");
    again.says("step 2 of 2");
    assert_eq!(again.end(), 0, "{:#?}", again.told);
    assert!(folder.path().join("learned.wav").exists());
    assert!(pan.exists() && fs::read_to_string(level).is_ok_and(|text| text.contains("keys * 0.5")));
}

#[test]
fn a_lesson_that_was_done_begins_behind_its_end_and_goes_on_telling_how_it_stands() {
    let folder = TempDir::new().expect("there is room");
    let level = lesson(folder.path(), "02-level");
    let mut learner = learning(folder.path(), &["level"]);
    learner.says("goal: the voice stands ... over the keys: 3 to 5 dB");
    edit(&level, "fader(-24)", "fader(-8)");
    learner.says("step 2 of 2: halve the piano");
    edit(&level, "keys  >> fader", "keys * 0.5 >> fader");
    learner.says("that was lesson 2");
    learner.interrupt();
    assert_eq!(learner.end(), 0, "{:#?}", learner.told);
    let mut again = learning(folder.path(), &["level"]);
    again.says("that was lesson 2, and all of it is done");
    again.says("over the keys: that is it");
    // Nothing is wanted any more, and what is written is told of all the same.
    edit(&level, "keys * 0.5 >> fader", "keys * 0.9 >> fader");
    assert!(again.says("dB to go").contains("over the keys: "), "{:#?}", again.told);
    assert!(again.told.iter().any(|line| line.ends_with("(wanted: 9 to 11 dB)")), "{:#?}", again.told);
    assert!(!again.told.iter().any(|line| line.contains("step 1 of 2")), "{:#?}", again.told);
    again.interrupt();
    assert_eq!(again.end(), 0, "{:#?}", again.told);
    // Where its text is gone, it is there anew, and so are its steps.
    fs::remove_file(&level).expect("it is there");
    let mut anew = learning(folder.path(), &["level", "--length", "0.2s"]);
    anew.says("step 1 of 2: bring the voice forward");
    assert_eq!(anew.end(), 0, "{:#?}", anew.told);
}

#[test]
fn begun_anew_what_was_written_is_put_aside_and_told_where() {
    let folder = TempDir::new().expect("there is room");
    let cable = lesson(folder.path(), "01-a-cable");
    assert_eq!(learning(folder.path(), &["--length", "0.1s"]).end(), 0);
    let text = fs::read_to_string(&cable).expect("it is there");
    fs::write(&cable, "fadre(3);\n").expect("it can be written");
    // It plays as it was when it was right, and says what is wrong.
    let mut broken = learning(folder.path(), &["1", "--length", "0.1s"]);
    broken.says("did you mean `fader`?");
    assert_eq!(broken.end(), 0, "{:#?}", broken.told);
    let mut anew = learning(folder.path(), &["1", "--restart", "--length", "0.1s"]);
    anew.says("what you had written is in");
    assert_eq!(anew.end(), 0, "{:#?}", anew.told);
    assert_eq!(fs::read_to_string(&cable).expect("it is there"), text);
    let aside = fs::read_to_string(cable.with_extension("1.rhai")).expect("it is beside it");
    assert_eq!(aside, "fadre(3);\n");
    // One that never played has nothing to play: the way out is told.
    let level = lesson(folder.path(), "02-level");
    fs::write(&level, "fadre(3);\n").expect("it can be written");
    let ran = ran(folder.path(), &["2", "--device", "none"]);
    assert!(ran.status == 1 && ran.err.contains("did you mean `fader`?"), "{ran:?}");
    assert!(ran.err.contains("`gainstage learn 2 --restart` puts the lesson back"), "{ran:?}");
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_lost() {
    let folder = TempDir::new().expect("there is room");
    let wrong = ran(folder.path(), &["--", "--bufer", "64"]);
    assert!(wrong.status == 2 && wrong.err.contains("--buffer"), "{wrong:?}");
    let unknown = ran(folder.path(), &["compresor"]);
    assert!(unknown.status == 1 && unknown.err.contains("did you mean `compressor`?"), "{unknown:?}");
    fs::write(folder.path().join("file"), "").expect("it can be written");
    let unwritable = ran(folder.path(), &["--dir", "file", "--device", "none"]);
    assert!(unwritable.status == 1 && unwritable.err.contains("cannot be written to"), "{unwritable:?}");
    // What is kept may be nonsense, or not be kept at all.
    let kept = folder.path().join("state/gainstage/learn");
    fs::create_dir_all(&kept).expect("it can be made");
    for nonsense in ["", "{", "[1, 2]", "{\"last\": 3, \"folders\": {}}", "\0\u{ff}"] {
        fs::write(kept.join("progress.json"), nonsense).expect("it can be written");
        let list = ran(folder.path(), &["--list"]);
        assert!(list.status == 0 && list.err.contains("is counted anew"), "{nonsense}: {list:?}");
        assert!(list.out.starts_with(">  1  A cable"), "{nonsense}: {list:?}");
    }
    let huge = r#"{"last": "/nowhere", "folders": {"/nowhere": {"lesson": "x", "done": {"01-a-cable": 99999}}}}"#;
    fs::write(kept.join("progress.json"), huge).expect("it can be written");
    assert!(ran(folder.path(), &["--list"]).out.starts_with(">  1  A cable"));
    fs::remove_dir_all(folder.path().join("state")).expect("it is there");
    fs::write(folder.path().join("state"), "").expect("it can be written");
    let mut unkept = learning(folder.path(), &["--length", "0.1s"]);
    unkept.says("how far you have come cannot be kept");
    unkept.says("step 1 of 2");
    assert_eq!(unkept.end(), 0, "{:#?}", unkept.told);
}

#[test]
fn a_lesson_is_shown_in_a_browser_wherever_it_is_asked_for() {
    let folder = TempDir::new().expect("there is room");
    for arguments in [["sends", "--show", "127.0.0.1:0"], ["--show", "127.0.0.1:0", "sends"]] {
        let mut learner = learning(folder.path(), &[&arguments[..], &["--length", "0.2s"]].concat());
        learner.says("lesson 5 of 16, Sends");
        assert!(learner.end() == 0 && learner.told.iter().any(|line| line.contains("http://")), "{:#?}", learner.told);
    }
}

/// The commands that the comments of a lesson name. What stands behind one as its file is the lesson's.
fn named(text: &str) -> Vec<String> {
    let prose: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("//")).map(str::trim).collect();
    let prose = prose.join(" ");
    let quoted = prose.split('`').skip(1).step_by(2);
    quoted.filter_map(|quoted| quoted.strip_prefix("gainstage ")).map(str::to_owned).collect()
}

#[test]
fn what_lessons_tell_to_run_runs() {
    let folder = TempDir::new().expect("there is room");
    let mut listed: Vec<PathBuf> = fs::read_dir(examples().join("lessons"))
        .expect("they are there")
        .map(|entry| entry.expect("it is there").path())
        .collect();
    listed.sort();
    let (mut count, mut done) = (0, std::collections::BTreeSet::new());
    for file in listed {
        let (text, name) = (fs::read_to_string(&file).expect("a text"), file.to_string_lossy().into_owned());
        for command in named(&text) {
            count += 1;
            let words: Vec<&str> = command.split(' ').collect();
            // Which lesson is played, drawn or measured makes no difference to whether it runs.
            if !done.insert(command.clone()) {
                continue;
            }
            let more: &[&str] = match words[0] {
                "learn" => &["--device", "none", "--length", "0.1s"],
                "graph" | "check" => &[&name],
                _ => &[],
            };
            let ran: Ran = gainstage([&words[..], more].concat())
                .current_dir(folder.path())
                .env("XDG_STATE_HOME", folder.path().join("state"))
                .output()
                .expect("the program starts")
                .into();
            assert_eq!(ran.status, 0, "{name}: `gainstage {command}`: {ran:?}");
        }
    }
    assert!(count >= 8, "only {count}");
    let lesson = |name: &str| fs::read_to_string(examples().join("lessons").join(name)).expect("it is there");
    assert!(named(&lesson("15-mastering.rhai")).contains(&"measure --targets".to_owned()));
    assert!(named(&lesson("01-a-cable.rhai")).iter().any(|command| command.ends_with("--show")));
}

#[test]
fn lessons_are_printed_as_pages() {
    let folder = TempDir::new().expect("there is room");
    let page = ran(folder.path(), &["--markdown", "pan"]).out;
    assert!(page.starts_with("## Pan\n") && page.contains("```rhai\ntitle(\"Pan\");"), "{page}");
    let book = ran(folder.path(), &["--markdown"]).out;
    assert!(book.contains(&page) && book.contains("16. Feedback"), "{book}");
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 0, "nothing is written");
}
