//! `gainstage replay`: a performance again from its journal, to the same bits.

mod files;
mod list;

use std::sync::atomic::Ordering;

use std::path::Path;

use engine::graph::Graph;
use engine::kernel::QUANTUM;
use engine::media::Library;
use engine::replay::{Departure, Replay};
use engine::session::Session;
use engine::tempo::Tempo;

use crate::arguments::{Length, Replay as Arguments};
use crate::ending::{Failure, Outcome};
use crate::journal::hashes::Hashes;
use crate::journal::inputs::Heard;
use crate::journal::kept::clock_time;
use crate::journal::record::{Record, Stamp, Text};
use crate::journal::{Ending, Kept};
use crate::load::{self, Loaded};
use crate::render;
use crate::status::{self, Progress};
use files::Files;

/// Whose cables are stems.
const STEMS_OF: &str = "master";

/// Plays a performance again, or lists it.
pub fn run(arguments: &Arguments) -> Outcome {
    let kept = Kept::open(arguments.journal.as_deref())?;
    if arguments.list {
        return list::print(&kept, arguments);
    }
    if let Some(end) = kept.told_end() {
        status::say(format!("{}: {end}", kept.folder.display()));
    }
    let mut performance = Performance { kept: &kept, library: Library::new(), hashes: Hashes::default() };
    let mut texts = kept.records.iter().filter_map(|record| match record {
        Record::Text(text) => Some(text),
        _ => None,
    });
    let first = texts.next().filter(|text| text.serial == Some(0));
    let first = first.ok_or_else(|| performance.failed("it was cut off before its first text was kept"))?;
    performance.check_media(first)?;
    let (graph, session) = performance.graph(first, None)?;
    let stems_of = arguments.stems.is_some().then_some(STEMS_OF);
    let mut replay = Replay::open(&graph, stems_of).map_err(|departure| performance.departed(&departure))?;
    let range = Range::new(arguments, &kept, &session, replay.late())?;
    for text in texts.take_while(|text| text.frame < range.end(replay.late())) {
        performance.check_media(text)?;
    }
    let mut heard = performance.heard()?;
    let interrupted = render::interruption()?;
    let mut files = Files::create(arguments, &kept)?;
    let end = range.end(replay.late());
    let progress = Progress::new("replaying", end, f64::from(kept.header.rate));
    let mut records = kept.records.iter().peekable();
    let mut silent = Vec::new();
    while replay.frame() < end {
        silent.clear();
        while let Some(record) = records.next_if(|record| record.frame().is_none_or(|frame| frame <= replay.frame())) {
            match record {
                Record::MediaLate { work, .. } if !arguments.clean => silent.push(*work),
                record => performance.apply(record, &mut replay)?,
            }
        }
        let now = replay.frame();
        let live = heard.as_mut().map(|heard| heard.next(now)).transpose();
        replay.quantum(&live.map_err(|error| performance.unheard(&error))?.unwrap_or_default(), &silent);
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
    written.iter().for_each(|(path, delivered)| render::tell(path, *delivered));
    status::say(format!("replayed at {speed:.1} times real time"));
    Ok(())
}

/// What is asked for of the master, in its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    from: u64,
    until: u64,
}

impl Range {
    fn new(arguments: &Arguments, kept: &Kept, session: &Session, late: u64) -> Result<Range, Failure> {
        let whole = match kept.ending {
            Ending::Whole(frames) => frames,
            _ => kept.reached.saturating_sub(late),
        };
        let time = |frame| clock_time(frame, kept.header.rate);
        let clock = session.clock();
        let asked = |option: &str, length: Option<Length>| match length.map(|length| length.frames(&clock)) {
            Some(frame) if frame > whole => {
                Err(Failure::Error(format!("--{option} {}: the performance is {} long", time(frame), time(whole))))
            }
            asked => Ok(asked),
        };
        let until = asked("until", arguments.until)?.unwrap_or(whole);
        let from = match arguments.last.map(|length| length.frames(&clock)) {
            Some(last) if last > until => {
                status::say(format!("there is less than that: all {} of it are written", time(until)));
                0
            }
            Some(last) => until - last,
            None => asked("from", arguments.from)?.unwrap_or(0),
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

/// A journal with what it takes to play it.
struct Performance<'a> {
    kept: &'a Kept,
    library: Library,
    hashes: Hashes,
}

impl Performance<'_> {
    fn failed(&self, why: impl std::fmt::Display) -> Failure {
        Failure::Error(format!("{}: {why}", self.kept.folder.display()))
    }

    fn departed(&self, departure: &Departure) -> Failure {
        self.failed(format!("it does not play as it was played: {departure}; was it another version of gainstage?"))
    }

    /// The session of a text as it was, and its graph, which goes on in the musical time of what ran before.
    fn graph(&self, text: &Text, running: Option<&Tempo>) -> Result<(Graph, Session), Failure> {
        let header = &self.kept.header;
        let files = self.kept.files(text)?;
        let loaded = load::load_kept(&files, &self.library, |session| {
            (session.sample_rate, session.seed) = (header.rate, header.seed);
            // Its sound files are where the session is, also when an older text of it was played.
            session.folder = header.session.parent().unwrap_or(Path::new("")).to_owned();
            let mut tempo = running.cloned().unwrap_or_else(|| Tempo::new(session.clock()));
            tempo.change(text.wanted.unwrap_or(text.at) as i64, session.clock());
            tempo
        });
        match loaded {
            Loaded { graph: Some(graph), session: Some(session), .. } => Ok((graph, session)),
            refused => {
                refused.show();
                Err(self.failed(format!("the text of {} is refused", clock_time(text.frame, header.rate))))
            }
        }
    }

    /// That every sound file of a text is the one that was played.
    fn check_media(&mut self, text: &Text) -> Outcome {
        for played in &text.media {
            let now = Stamp::of(played.path.clone());
            let shown = played.path.display();
            if now.length == 0 {
                return Err(Failure::Error(format!("{shown}: this sound file was played and is not there any more")));
            }
            let hash = self.kept.records.iter().find_map(|record| match record {
                Record::Media { stamp, blake3 } if stamp == played => Some(blake3),
                _ => None,
            });
            let same = match hash {
                Some(hash) => {
                    *hash == self.hashes.of(&now).map_err(|error| Failure::Error(format!("{shown}: {error}")))?
                }
                // It was cut off before that was known.
                None => now == *played,
            };
            if !same {
                let when = clock_time(text.frame, self.kept.header.rate);
                let help = "put that one in its place again";
                return Err(Failure::Error(format!("{shown}: is not the file that was played at {when}; {help}")));
            }
        }
        Ok(())
    }

    /// What live inputs heard, if they heard anything. What of it is missing is told.
    fn heard(&self) -> Result<Option<Heard>, Failure> {
        let rate = self.kept.header.rate;
        let mut found = None;
        for record in &self.kept.records {
            match record {
                Record::Inputs { frame, channels } => found = Some((*frame, *channels)),
                Record::InputLost { frame, frames } => status::warning(format!(
                    "live input of {} could not be kept at {}: what follows is not what was heard",
                    clock_time(*frames, rate),
                    clock_time(*frame, rate)
                )),
                Record::ReportsLost { frame, reports } => status::warning(format!(
                    "{reports} reports were lost at {}: what follows may not be what was heard",
                    clock_time(*frame, rate)
                )),
                _ => {}
            }
        }
        let open = |(frame, channels)| Heard::open(&self.kept.folder, frame, channels);
        found.map(open).transpose().map_err(|error| self.unheard(&error))
    }

    fn unheard(&self, error: &std::io::Error) -> Failure {
        Failure::Error(format!("{}: {error}", self.kept.folder.join(Heard::FILE).display()))
    }

    /// What happened happens again.
    fn apply(&self, record: &Record, replay: &mut Replay) -> Outcome {
        let done = match record {
            Record::Text(Text { serial: None | Some(0), .. }) => Ok(()),
            Record::Text(text @ Text { serial: Some(serial), wanted, .. }) => {
                let (graph, _) = self.graph(text, Some(replay.tempo()))?;
                let again = replay.edit(&graph, *serial, *wanted);
                if let Ok(taken) = &again
                    && (taken.at, taken.heard) != (text.at, text.heard)
                {
                    return Err(self.failed(format!("program {serial} is not heard from the frame on that it was")));
                }
                again.map(drop)
            }
            Record::Settle { serial, now, .. } => replay.settle(*now, *serial),
            Record::Meter { serial, on, .. } => replay.meter(*on, *serial),
            Record::Control { source, value, .. } => {
                replay.control(source, *value);
                Ok(())
            }
            Record::Move { order, .. } => {
                replay.order(*order);
                Ok(())
            }
            Record::Header(_)
            | Record::Inputs { .. }
            | Record::InputLost { .. }
            | Record::MediaLate { .. }
            | Record::InputLate { .. }
            | Record::ReportsLost { .. }
            | Record::Media { .. }
            | Record::Tick { .. }
            | Record::End { .. } => Ok(()),
        };
        done.map_err(|departure| self.departed(&departure))
    }
}
