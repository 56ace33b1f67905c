//! Somebody's way through the lessons while they play: which step it is, what is said of it, and what comes next.

use std::env;
use std::path::Path;

use super::folder;
use super::lesson::{Goal, Lesson, Step};
use super::look::Found;
use super::progress::Progress;
use crate::arguments::Play;
use crate::paint::Paint;
use crate::status;

/// A way through the lessons.
pub struct Course<'a> {
    lessons: &'a [Lesson],
    /// How each is played.
    plays: &'a [Play],
    folder: &'a Path,
    progress: Progress,
    /// The lesson.
    at: usize,
    /// The step; as many as the lesson has when it is done.
    step: usize,
    /// Whether the text is being listened to.
    pub is_looking: bool,
    /// Whether it has changed meanwhile.
    pub is_behind: bool,
}

impl<'a> Course<'a> {
    /// Begins at a lesson, with the steps that are still to be done; with all of them, if they have all been done.
    pub fn new(lessons: &'a [Lesson], plays: &'a [Play], folder: &'a Path, progress: Progress, at: usize) -> Self {
        let mut course = Course { lessons, plays, folder, progress, at, step: 0, is_looking: false, is_behind: false };
        course.begin(at);
        course
    }

    fn begin(&mut self, at: usize) {
        let done = self.progress.done(self.folder, &self.lessons[at]);
        self.at = at;
        self.step = if done < self.lessons[at].steps.len() { done } else { 0 };
        self.progress.reached(self.folder, &self.lessons[at], self.step);
    }

    /// The lesson.
    pub fn lesson(&self) -> &'a Lesson {
        &self.lessons[self.at]
    }

    /// The step that is to be done.
    fn step(&self) -> Option<&'a Step> {
        self.lesson().steps.get(self.step)
    }

    /// What it wants.
    pub fn goals(&self) -> Option<&'a [Goal]> {
        self.step().map(|step| step.goals.as_slice())
    }

    /// Says which lesson it is, and where its text is.
    pub fn introduce(&self) {
        let (lesson, count) = (self.lesson(), self.lessons.len());
        let file = self.plays[self.at].session.display();
        let editor =
            ["VISUAL", "EDITOR"].into_iter().find_map(|name| env::var(name).ok().filter(|one| !one.is_empty()));
        let open = editor.map_or("any editor".into(), |editor| format!("an editor, such as `{editor} {file}`"));
        let heading = format!("lesson {} of {count}, {}: {}", self.at + 1, lesson.title, lesson.about);
        status::say(format!(
            "{}\nit is in {file}: open it in {open}, read it while it plays, and save what you change",
            Paint::stderr().bold(heading)
        ));
    }

    /// Says what is to be tried.
    pub fn tell_step(&self) {
        let Some(step) = self.step() else { return self.tell_end() };
        let heading = format!("step {} of {}: {}", self.step + 1, self.lesson().steps.len(), step.title);
        let prose = step.prose.iter().map(|line| format!("  {line}").trim_end().to_owned());
        let goals = step.goals.iter().map(|goal| format!("  goal: {}", goal.says));
        let lines = [Paint::stderr().bold(heading)].into_iter().chain(prose).chain(goals);
        status::say(lines.collect::<Vec<_>>().join("\n"));
    }

    /// Says one way to do it.
    pub fn tell_answer(&self) {
        let Some(step) = self.step() else { return self.tell_end() };
        let edits = step.answer.iter().map(|(old, new)| format!("instead of  {old}\nwrite       {new}"));
        status::say(edits.collect::<Vec<_>>().join("\n"));
    }

    fn tell_end(&self) {
        match self.lessons.get(self.at + 1) {
            Some(next) => status::say(format!(
                "that was lesson {}; stay as long as you like. The next is {}, {}: {}",
                self.at + 1,
                self.at + 2,
                next.title,
                next.about
            )),
            None => status::say("that was the last lesson; `gainstage new DIR` makes a session of your own"),
        }
    }

    /// Tells what was found of the text; whether the step is done, and the next has begun.
    pub fn hear(&mut self, found: Result<Vec<Found>, String>) -> bool {
        let found = match found {
            Ok(found) => found,
            Err(why) => {
                status::say(format!("how far it is cannot be told: {why}"));
                return false;
            }
        };
        found.iter().for_each(|found| status::say(&found.told));
        let is_done = !found.is_empty() && found.iter().all(|found| found.reached);
        if is_done {
            self.step += 1;
            self.progress.reached(self.folder, self.lesson(), self.step);
            self.tell_step();
        }
        is_done
    }

    /// Whether all steps of the lesson are done.
    pub fn is_done(&self) -> bool {
        self.step().is_none()
    }

    /// Goes on to the next lesson, and says how that is played; nothing after the last one.
    ///
    /// # Errors
    /// It cannot be put into the folder.
    pub fn go_on(&mut self) -> Result<Option<&'a Play>, String> {
        let Some(lesson) = self.lessons.get(self.at + 1) else { return Ok(None) };
        folder::take(self.folder, lesson, false)?;
        self.begin(self.at + 1);
        self.introduce();
        Ok(Some(&self.plays[self.at]))
    }
}
