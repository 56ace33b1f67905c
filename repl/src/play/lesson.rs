//! A lesson that is played: each text that is taken up is held to what the step wants, beside all else, and one lesson goes over
//! into the next without a break.

use super::Playing;
use super::told::Editors;
use crate::costing::step_back;
use crate::last_good::Keeper;
use crate::learn::look;
use crate::prompt::{Lesson, Which};
use crate::status;
use crate::watch::Changed;

impl Playing<'_> {
    /// Begins to teach, if that is what it is played for.
    pub(super) fn begin_lesson(&mut self) {
        if let Some(course) = &self.course {
            course.tell_step();
            if self.prompt.is_some() {
                status::say(
                    "  `:lesson` says this again, `:lesson answer` one way to do it, `:lesson next` goes on, `:lesson back` \
                     and `:lesson 3` go elsewhere, `:lesson again` begins this one anew",
                );
            }
            self.look_at_lesson();
        }
    }

    /// Holds the text as it stands to what the step wants. Of texts that come faster than that goes only the newest is.
    pub(super) fn look_at_lesson(&mut self) {
        let Some(course) = &mut self.course else { return };
        let Some(goals) = course.goals().map(<[_]>::to_vec) else { return };
        if course.is_looking {
            course.is_behind = true;
            return;
        }
        (course.is_looking, course.is_behind) = (true, false);
        let (text, library) = (self.text.snapshot(), self.library.clone());
        let work = move || {
            step_back();
            look(&text, &goals, &library)
        };
        let begun = self.aside_in_any_case(work, |playing, found| {
            let Some(course) = &mut playing.course else { return };
            course.is_looking = false;
            // What was found of another text than the newest helps nobody.
            let is_done = !course.is_behind && found.is_some_and(|found| course.hear(found));
            let goes_on = is_done && course.is_done() && playing.prompt.is_none();
            let is_to_do = !course.is_done();
            if goes_on {
                playing.go_to_lesson(&Which::Next);
            } else if course.is_behind || is_done && is_to_do {
                playing.look_at_lesson();
            }
        });
        if let (false, Some(course)) = (begun, &mut self.course) {
            course.is_looking = false;
        }
    }

    /// What is asked of the lesson.
    pub(super) fn lesson(&mut self, asked: Lesson) {
        let Some(course) = &self.course else {
            return status::error("this is no lesson; `gainstage learn` plays them");
        };
        match asked {
            Lesson::Step => {
                course.tell_step();
                self.look_at_lesson();
            }
            Lesson::Answer => course.tell_answer(),
            Lesson::Go(which) => self.go_to_lesson(&which),
        }
    }

    /// Goes over to a lesson: its text takes the place of the one that plays.
    fn go_to_lesson(&mut self, which: &Which) {
        let Some(course) = &mut self.course else { return };
        let next = match course.go_to(which) {
            Ok(next) => next,
            Err(why) if course.is_done() && *which == Which::Next => return status::say(why),
            Err(why) => return status::error(why),
        };
        // What is being found is of the lesson before.
        course.is_behind = course.is_looking;
        course.tell_step();
        self.arguments = next;
        self.keeper = Keeper::start(&next.session);
        self.editors = Editors::listening(next, &self.aside.events);
        self.watched = vec![next.session.clone()];
        self.watch.files(&self.watched);
        self.text.turn_over();
        self.edited(&Changed { file: next.session.clone(), content: None });
    }
}
