//! `gainstage learn`: the lessons, step by step. A lesson plays as any session does, and the figures of what is written say
//! how far it is from what a step wants.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Command, FromArgMatches};

use crate::arguments::{Learn, Play};
use crate::ending::{Failure, Outcome};
use crate::paint::Paint;
use crate::{last_good, play};

mod course;
mod folder;
mod lesson;
mod lessons;
mod look;
mod page;
mod progress;

use lesson::Lesson;
use progress::Progress;

pub use course::Course;
pub use look::look;

/// Lists the lessons, prints them, or plays one.
pub fn run(arguments: &Learn) -> Outcome {
    let lessons = lessons::lessons().map_err(Failure::Error)?;
    let asked = arguments.lesson.as_deref().map(|said| lessons::find(&lessons, said)).transpose();
    let asked = asked.map_err(Failure::Error)?;
    if arguments.markdown {
        let page = asked.map_or_else(|| page::book(&lessons), |at| page::page(&lessons[at]));
        return Ok(io::stdout().write_all(page.as_bytes())?);
    }
    let mut progress = Progress::kept();
    let usual = || progress.folder().map_or(PathBuf::from(folder::USUAL), Path::to_owned);
    let folder = arguments.dir.clone().unwrap_or_else(usual);
    // However it is written, it is one folder.
    let whole = std::path::absolute(&folder).unwrap_or_else(|_| folder.clone());
    if arguments.list {
        return Ok(io::stdout().write_all(list(&lessons, &progress, &whole).as_bytes())?);
    }
    let at = match (asked, arguments.restart) {
        (Some(at), restart) => {
            if restart {
                progress.forget_lesson(&whole, &lessons[at]);
            }
            at
        }
        (None, true) => {
            progress.forget(&whole);
            0
        }
        (None, false) => match progress.next(&whole, &lessons) {
            Some(at) => at,
            None => {
                let done = "all lessons are done; `gainstage learn LESSON` plays one again, `--restart` begins anew";
                return Ok(writeln!(io::stdout(), "{done}")?);
            }
        },
    };
    for (i, lesson) in lessons.iter().enumerate() {
        // Those that were written in before are as they were when all begins anew.
        let anew = arguments.restart && (i == at || asked.is_none() && whole.join(lesson.file()).exists());
        if i == at || anew {
            folder::take(&whole, lesson, anew).map_err(Failure::Error)?;
        }
    }
    let plays: Vec<Play> =
        lessons.iter().map(|lesson| played(folder.join(lesson.file()), arguments)).collect::<Result<_, _>>()?;
    let course = Course::new(&lessons, &plays, &whole, progress, at);
    course.introduce();
    play::perform(&plays[at], Some(course))
        .inspect_err(|_| crate::status::say(format!("`gainstage learn {} --restart` puts the lesson back", at + 1)))
}

/// Nobody learns with what is kept of a performance, or from the next room, unless it is said.
const USUAL: [&str; 6] = ["--journal", "none", "--osc", "none", "--midi", "none"];

/// How a lesson is played: as `gainstage play` does, with what is said here.
fn played(session: PathBuf, arguments: &Learn) -> Result<Play, Failure> {
    let options = Play::augment_args(Command::new("play").no_binary_name(true).args_override_self(true));
    let said = USUAL.map(OsString::from).into_iter().chain(arguments.more.iter().cloned());
    let matches = options.try_get_matches_from(said.chain(["--".into(), session.clone().into_os_string()]));
    let said = matches.and_then(|matches| Play::from_arg_matches(&matches));
    let said = said.map_err(|error| {
        let told = error.to_string();
        let told = told.split("\n\nUsage:").next().unwrap_or_default();
        Failure::Misuse(told.trim_start_matches("error: ").to_owned())
    })?;
    Ok(Play {
        device: arguments.device.clone().or(said.device),
        // One that was left with an error in it sounds as it did, and is mended while it plays.
        last_good: last_good::kept(&session).is_some(),
        show: arguments.show.or(said.show),
        length: arguments.length.or(said.length),
        no_prompt: arguments.no_prompt || said.no_prompt,
        plain: arguments.plain || said.plain,
        ..said
    })
}

/// The lessons, and how far each is.
fn list(lessons: &[Lesson], progress: &Progress, folder: &Path) -> String {
    let next = progress.next(folder, lessons);
    let width = lessons.iter().map(|lesson| lesson.title.chars().count()).max().unwrap_or(0);
    let paint = Paint::stdout();
    let line = |(at, lesson): (usize, &Lesson)| {
        let (done, all) = (progress.done(folder, lesson), lesson.steps.len());
        let mark = if next == Some(at) { '>' } else { ' ' };
        let how_far = match done {
            0 => String::new(),
            done if done >= all => ", done".into(),
            done => format!(", {done} of {all} steps"),
        };
        let title = format!("{:width$}", lesson.title);
        format!("{mark} {:2}  {title}  {}\n", at + 1, paint.dim(format!("{}{how_far}", lesson.about)))
    };
    lessons.iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests;
