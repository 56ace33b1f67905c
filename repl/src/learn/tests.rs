//! Every lesson is right: it sounds and keeps its word, each step is still to be done before its answer and is done after it,
//! and its page is the lesson.

use std::fs;
use std::path::{Path, PathBuf};

use engine::media::Library;
use scripting::SourceFile;

use super::lesson::{Goal, Lesson};
use super::look::look;
use super::{lessons, page};
use crate::text::Snapshot;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// A text as it plays beside its sounds.
fn text(text: &str) -> Snapshot {
    let path = examples().join("learned.rhai");
    Snapshot { files: vec![SourceFile { path, text: text.to_owned(), is_line: false }], lines: Vec::new() }
}

/// What of a text is read by the desk, line by line.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with("//") && !line.trim().is_empty())
}

/// A text with an edit made to what the desk reads of it, where that can only be one.
fn edited(text: &str, (old, new): &(String, String)) -> String {
    let found: usize = code(text).map(|line| line.matches(old).count()).sum();
    assert_eq!(found, 1, "`{old}` in\n{text}");
    let line = |line: &str| if line.starts_with("//") { line.to_owned() } else { line.replace(old, new) };
    text.lines().map(|one| line(one) + "\n").collect()
}

fn is_reached(text_now: &str, goals: &[Goal], library: &Library) -> bool {
    let found = look(&text(text_now), goals, library).unwrap_or_else(|why| panic!("{why}:\n{text_now}"));
    assert!(!found.is_empty());
    found.iter().all(|found| found.reached)
}

#[test]
fn the_lessons_are_those_of_the_folder_numbered_and_written_to_be_read() {
    let lessons = lessons::lessons().unwrap();
    let mut files: Vec<String> = fs::read_dir(examples().join("lessons"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(lessons.iter().map(Lesson::file).collect::<Vec<_>>(), files);
    for (number, lesson) in (1..).zip(&lessons) {
        assert!(lesson.text.starts_with(&format!("// {number}. {}: ", lesson.title)), "{}", lesson.name);
        assert!((2..=3).contains(&lesson.steps.len()), "{}", lesson.name);
        // What a terminal shows must fit there.
        let prose = lesson.steps.iter().flat_map(|step| &step.prose);
        prose.for_each(|line| assert!(line.chars().count() <= 98, "{}: {line}", lesson.name));
        lesson.text.lines().for_each(|line| assert!(line.chars().count() <= 111, "{}: {line}", lesson.name));
    }
}

#[test]
fn every_step_is_to_be_done_until_its_answer_does_it_by_a_small_edit() {
    let library = Library::new();
    for lesson in lessons::lessons().unwrap() {
        let mut now = lesson.text.clone();
        let all: Vec<Goal> = lesson.steps.iter().flat_map(|step| step.goals.clone()).collect();
        let untouched =
            look(&text(&lesson.text), &all, &library).unwrap_or_else(|why| panic!("{}: {why}", lesson.name));
        let mut untouched = untouched.into_iter();
        for step in &lesson.steps {
            let name = format!("{}, {}", lesson.name, step.title);
            let found: Vec<_> = untouched.by_ref().take(step.goals.len()).collect();
            assert!(found.len() == step.goals.len() && !found.iter().all(|one| one.reached), "{name}: {found:?}");
            let is_before = now == lesson.text || !is_reached(&now, &step.goals, &library);
            assert!(is_before, "{name}: it is reached before");
            let answered = step.answer.iter().fold(now.clone(), |text, edit| edited(&text, edit));
            assert!(is_reached(&answered, &step.goals, &library), "{name}: its answer does not reach it");
            let changed = now.lines().zip(answered.lines()).filter(|(before, after)| before != after).count();
            assert!((1..=2).contains(&changed), "{name}: {changed} lines");
            now = answered;
        }
    }
}

#[test]
fn every_lesson_sounds_and_keeps_its_word() {
    let library = Library::new();
    for lesson in lessons::lessons().unwrap() {
        let said = code(&lesson.text).filter_map(|line| line.strip_prefix("expect(")?.split_once(';'));
        let mut said: Vec<String> = said.map(|(expects, _)| format!("expect({expects}")).collect();
        assert!(said.len() >= 2, "{}", lesson.name);
        said.push("expect(master.rms).above(-32)".into());
        let goals: Vec<Goal> = said.into_iter().map(|expects| Goal { says: expects.clone(), expects }).collect();
        let found = look(&text(&lesson.text), &goals, &library).unwrap_or_else(|why| panic!("{}: {why}", lesson.name));
        assert_eq!(found.len(), goals.len(), "{}", lesson.name);
        found.iter().for_each(|found| assert!(found.reached, "{}: {}", lesson.name, found.told));
    }
}

#[test]
fn the_code_of_a_page_is_the_lesson_and_the_book_has_every_page() {
    let lessons = lessons::lessons().unwrap();
    let book = page::book(&lessons);
    for lesson in &lessons {
        let page = page::page(lesson);
        let fenced: Vec<&str> = page.split("```rhai\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect();
        let fenced = fenced.join("\n");
        assert_eq!(code(&fenced).collect::<Vec<_>>(), code(&lesson.text).collect::<Vec<_>>(), "{}", lesson.name);
        for step in &lesson.steps {
            let prose = step.prose.iter().chain(step.goals.iter().map(|goal| &goal.expects));
            prose.for_each(|line| assert!(page.contains(line.as_str()), "{}: {line}", lesson.name));
            for told in step.goals.iter().map(Goal::told) {
                assert!(
                    page.contains(&format!("> Goal: {told}. ")) && !told.contains("...."),
                    "{}: {told}",
                    lesson.name
                );
            }
        }
        assert!(book.contains(&page));
    }
}

#[test]
fn how_far_a_text_is_is_said_with_the_figure_and_what_is_missing() {
    let library = Library::new();
    let goal = |says: &str, expects: &str| Goal { says: says.into(), expects: expects.into() };
    let told = |level: i32, goals: &[Goal]| {
        let session = format!("let a = input(\"a\", sine(1000).level(-17));\na >> fader({level}) >> master;\n");
        let found = look(&text(&session), goals, &library);
        found.map(|found| found.into_iter().map(|found| found.told).collect::<Vec<_>>())
    };
    let over = [goal("a stands ... over b", "expect(at(\"a>master\").rms - a.input.rms).within(-3, 1)")];
    let said = |level| told(level, &over).unwrap().remove(0);
    assert_eq!(said(-3), "a stands 3.0 dB under b: that is it");
    assert_eq!(said(-6), "a stands 6.0 dB under b: 2 dB to go (wanted: -4 to -2 dB over)");
    assert_eq!(said(0), "a stands 0.0 dB over b: 2 dB too much (wanted: -4 to -2 dB)");
    let under = [goal("a is ... under b", "expect(a.input.rms - at(\"a>master\").rms).above(2)")];
    assert_eq!(told(-3, &under).unwrap(), ["a is 3.0 dB under b: that is it"]);
    assert_eq!(told(3, &under).unwrap(), ["a is 3.0 dB over b: 5 dB to go (wanted: 2 dB or more under)"]);
    let louder = [goal("a is ... louder than b", "expect(at(\"a>master\").rms - a.input.rms).within(3, 1)")];
    assert_eq!(told(-3, &louder).unwrap(), ["a is 3.0 dB softer than b: 5 dB to go (wanted: 2 to 4 dB louder)"]);
    let changed = [goal("a is changed by ...", "expect(at(\"a>master\").rms - a.input.rms).within(0, 1)")];
    assert_eq!(told(-3, &changed).unwrap(), ["a is changed by -3.0 dB: 2 dB to go (wanted: -1 to 1 dB)"]);
    let peak = [goal("the peak", "expect(master.sample_peak).below(-20)")];
    assert_eq!(told(-1, &peak).unwrap(), ["the peak: -18.0 dBFS: 2 dB too much (wanted: -20 dBFS or less)"]);
    let missing = [goal("b flows at ... into a", "expect(at(\"b>master\").rms).above(-60)")];
    let not_yet = "b flows: not yet, nothing is called `b>master`";
    assert_eq!(told(0, &missing).unwrap(), [not_yet]);
    let both = [missing[0].clone(), over[0].clone()];
    assert_eq!(told(-3, &both).unwrap(), [not_yet, "a stands 3.0 dB under b: that is it"]);
    assert!(look(&text("let a = fadre(3);"), &over, &library).unwrap_err().contains("did you mean `fader`"));
}
