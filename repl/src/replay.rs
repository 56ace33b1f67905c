//! `gainstage replay`: a performance again from its journal, to the same bits.

mod checkpoints;
mod files;
mod list;
mod performance;

use std::sync::atomic::Ordering;

use engine::kernel::QUANTUM;
use engine::media::Library;
use engine::session::Session;

use crate::arguments::{Length, Replay as Arguments};
use crate::ending::{Failure, Outcome};
use crate::journal::kept::clock_time;
use crate::journal::{Ending, Kept};
use crate::render;
use crate::status::{self, Progress};
use files::Files;
use performance::{Beginning, Performance};

/// Whose cables are stems.
const STEMS_OF: &str = "master";

/// Plays a performance again, or lists it.
pub fn run(arguments: &Arguments) -> Outcome {
    if let Some(part) = arguments.checkpoint {
        return checkpoints::make(arguments.journal.as_deref(), part);
    }
    if arguments.modest {
        checkpoints::step_back(checkpoints::MODEST);
    }
    let kept = Kept::open(arguments.journal.as_deref())?;
    if arguments.list {
        return list::print(&kept, arguments);
    }
    let kept = beyond_damage(kept, arguments.from)?;
    if let Some(end) = kept.told_end() {
        status::say(format!("{}: {end}", kept.folder.display()));
    }
    let stems_of = arguments.stems.is_some().then_some(STEMS_OF);
    let mut performance = Performance::new(&kept, Library::new());
    let Beginning { mut replay, session, mut text } = performance.begin(stems_of)?;
    let begin = replay.frame();
    let range = Range::new(arguments, &kept, &session, replay.late(), begin)?;
    if let Some(nearer) = performance.resume(range.from, stems_of) {
        Beginning { replay, text, .. } = nearer;
    }
    let end = range.end(replay.late());
    performance.check_media(&text)?;
    for text in performance.texts_from(replay.frame()).take_while(|text| text.frame < end) {
        performance.check_media(text)?;
    }
    let mut heard = performance.heard(replay.frame())?;
    let interrupted = render::interruption()?;
    let mut files = Files::create(arguments, &kept)?;
    let progress = Progress::new("replaying", end, f64::from(kept.header.rate));
    let mut records = performance.records_from(replay.frame()).peekable();
    while replay.frame() < end {
        let now = replay.frame();
        performance.quantum(&mut replay, &mut records, heard.as_mut(), arguments.clean)?;
        if let Some(part) = range.part(now, replay.late()) {
            files.master(&replay.master(kept.header.channels), part)?;
        }
        if let Some(part) = replay.stems_late().and_then(|late| range.part(now, late)) {
            files.stems(replay.stems(), part)?;
        }
        if interrupted.load(Ordering::Relaxed) {
            return Err(Failure::Error("interrupted; nothing is written".into()));
        }
        progress.at(replay.frame());
    }
    let written = files.finish(range.frames())?;
    let speed = progress.finish(end);
    written.iter().for_each(|(path, delivered)| render::tell(path, *delivered, None));
    status::say(format!("replayed at {speed:.1} times real time"));
    Ok(())
}

/// A journal, or, where something in it cannot be understood and `from` lies beyond that, what follows.
fn beyond_damage(mut kept: Kept, from: Option<Length>) -> Result<Kept, Failure> {
    let Some(from) = from else { return Ok(kept) };
    while let Some(rest) = kept.after_damage()? {
        let begun = Performance::new(&kept, Library::new()).begin(None);
        // What cannot even begin ends before everything.
        if begun.is_ok_and(|begun| from.frames(&begun.session.clock()) <= kept.reached) {
            break;
        }
        let told = kept.damage().unwrap_or_default();
        let shown = kept.folder.display();
        let begin = Performance::new(&rest, Library::new()).begin(None)?.replay.frame();
        let (end, begin) = (clock_time(kept.reached, kept.header.rate), clock_time(begin, kept.header.rate));
        status::warning(format!("{shown}: {told}: what was played from {end} to {begin} is missing"));
        kept = rest;
    }
    Ok(kept)
}

/// What is asked for of the master, in its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    from: u64,
    until: u64,
}

impl Range {
    /// Of what was played from frame `begin` of the desk on: what was before is gone.
    fn new(arguments: &Arguments, kept: &Kept, session: &Session, late: u64, begin: u64) -> Result<Range, Failure> {
        let whole = match kept.ending {
            Ending::Whole(frames) => frames,
            _ => kept.reached.saturating_sub(late),
        };
        let time = |frame| clock_time(frame, kept.header.rate);
        let gone = if kept.is_rest { "cannot be understood" } else { "has been removed" };
        let clock = session.clock();
        let asked = |option: &str, length: Option<Length>| match length.map(|length| length.frames(&clock)) {
            Some(frame) if frame > whole => {
                Err(Failure::Error(format!("--{option} {}: the performance is {} long", time(frame), time(whole))))
            }
            asked => Ok(asked),
        };
        let until = asked("until", arguments.until)?.unwrap_or(whole);
        let there = until.saturating_sub(begin);
        let from = match (arguments.last.map(|length| length.frames(&clock)), asked("from", arguments.from)?) {
            (Some(last), _) if last > there => {
                status::say(format!("there is less than that: all {} of it are written", time(there)));
                begin
            }
            (Some(last), _) => until - last,
            (None, Some(from)) if from < begin => {
                let (from, begin) = (time(from), time(begin));
                return Err(Failure::Error(format!(
                    "--from {from}: what was played before {begin} {gone}, and it can be played from there on"
                )));
            }
            (None, Some(from)) => from,
            (None, None) => {
                if begin > 0 {
                    let (shown, begin) = (kept.folder.display(), time(begin));
                    status::say(format!("{shown}: what was played before {begin} {gone}: it begins there"));
                }
                begin
            }
        };
        if from >= until {
            let why = if whole == 0 { "there is no sound in it" } else { "nothing lies between --from and --until" };
            return Err(Failure::Error(format!("{}: {why}", kept.folder.display())));
        }
        Ok(Range { from, until })
    }

    fn frames(self) -> u64 {
        self.until - self.from
    }

    /// The first frame of the desk that need not be rendered, for sound that is `late`.
    fn end(self, late: u64) -> u64 {
        self.until + late
    }

    /// Which frames of the quantum at a frame of the desk are asked for, of sound that is `late`.
    fn part(self, now: u64, late: u64) -> Option<std::ops::Range<usize>> {
        let within = |frame: u64| (frame + late).saturating_sub(now).min(QUANTUM as u64) as usize;
        let part = within(self.from)..within(self.until);
        (!part.is_empty()).then_some(part)
    }
}
