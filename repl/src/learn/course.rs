//! Somebody's way through the lessons while they play: which step it is, what is said of it, and what comes next.

use std::env;
use std::fs;
use std::path::Path;

use super::folder;
use super::lesson::{Goal, Lesson, Step};
use super::lessons::find;
use super::look::Found;
use super::progress::Progress;
use crate::arguments::Play;
use crate::paint::Paint;
use crate::prompt::Which;
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
    /// Begins at a lesson, with the steps that are still to be done; behind the last, if all have been done.
    pub fn new(lessons: &'a [Lesson], plays: &'a [Play], folder: &'a Path, progress: Progress, at: usize) -> Self {
        let mut course = Course { lessons, plays, folder, progress, at, step: 0, is_looking: false, is_behind: false };
        course.begin(at);
        course
    }

    fn begin(&mut self, at: usize) {
        let lesson = &self.lessons[at];
        let done = self.progress.done(self.folder, lesson).min(lesson.steps.len());
        // What was all done in a text that is gone is to be done again.
        let is_untouched =
            || fs::read(self.folder.join(lesson.file())).is_ok_and(|text| text == lesson.text.as_bytes());
        self.at = at;
        self.step = if done == lesson.steps.len() && is_untouched() { 0 } else { done };
        self.progress.reached(self.folder, lesson, self.step);
    }

    /// The lesson.
    pub fn lesson(&self) -> &'a Lesson {
        &self.lessons[self.at]
    }

    /// The step that is to be done.
    fn step(&self) -> Option<&'a Step> {
        self.lesson().steps.get(self.step)
    }

    /// What it wants; behind the last step what that wanted, so that who goes on writing hears of it.
    pub fn goals(&self) -> Option<&'a [Goal]> {
        self.step().or(self.lesson().steps.last()).map(|step| step.goals.as_slice())
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
        let goals = step.goals.iter().map(|goal| format!("  goal: {}", goal.told()));
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
        let number = self.at + 1;
        let next = match self.lessons.get(number) {
            Some(next) => format!("The next is {}, {}: {}", number + 1, next.title, next.about),
            None => "It was the last; `gainstage new DIR` makes a session of your own".into(),
        };
        status::say(format!(
            "that was lesson {number}, and all of it is done; stay as long as you like, or begin it anew with \
             `gainstage learn {number} --restart`. {next}"
        ));
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
        let is_done = !self.is_done() && !found.is_empty() && found.iter().all(|found| found.reached);
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

    /// Goes over to the next lesson, the one before, or one by its number or name, and says how that is played.
    ///
    /// # Errors
    /// There is none, or it cannot be put into the folder.
    pub fn go_to(&mut self, which: &Which) -> Result<&'a Play, String> {
        let (at, anew) = match which {
            Which::Next => (self.at + 1, false),
            Which::Back => (self.at.checked_sub(1).ok_or("this is the first lesson")?, false),
            Which::Anew => (self.at, true),
            Which::Named(said) => (find(self.lessons, said)?, false),
        };
        let lesson = self.lessons.get(at).ok_or("this is the last lesson")?;
        folder::take(self.folder, lesson, anew)?;
        if anew {
            self.progress.forget_lesson(self.folder, lesson);
        }
        self.begin(at);
        self.introduce();
        Ok(&self.plays[self.at])
    }
}
