//! A journal with what it takes to play it: from its beginning, or from a checkpoint on.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::path::Path;
use std::sync::Arc;

use engine::graph::Graph;
use engine::media::Library;
use engine::replay::{self, Departure, Replay};
use engine::session::Session;
use engine::tempo::Tempo;

use crate::ending::{Failure, Outcome};
use crate::journal::Kept;
use crate::journal::checkpoint::{About, Checkpoint, PROGRAM};
use crate::journal::hashes::Hashes;
use crate::journal::inputs::Heard;
use crate::journal::kept::clock_time;
use crate::journal::record::{Record, Stamp, Text};
use crate::load::{self, Loaded};
use crate::status;

/// A journal that is played.
pub struct Performance<'a> {
    kept: &'a Kept,
    library: Library,
    hashes: Hashes,
    /// What is in the sound files that were played.
    media: BTreeMap<Stamp, String>,
}

/// Where it can be played from.
pub struct Beginning {
    /// The desk there.
    pub replay: Replay,
    /// What plays there.
    pub session: Session,
    /// The text that it was declared by.
    pub text: Text,
}

impl<'a> Performance<'a> {
    /// Nothing is played yet. Sound files that `library` has are those that a desk which plays already knows.
    pub fn new(kept: &'a Kept, library: Library) -> Self {
        let media = kept.records.iter().filter_map(|record| match record {
            Record::Media { stamp, blake3 } => Some((stamp.clone(), blake3.clone())),
            _ => None,
        });
        Performance { kept, library, hashes: Hashes::default(), media: media.collect() }
    }

    /// The sound files, to go on with.
    pub fn into_library(self) -> Library {
        self.library
    }

    /// Where what is there begins: at its first text, or, when that has been removed, at the first checkpoint.
    ///
    /// # Errors
    /// There is neither.
    pub fn begin(&mut self, stems_of: Option<&str>) -> Result<Beginning, Failure> {
        let first = self.kept.records.iter().find_map(|record| match record {
            Record::Text(text @ Text { serial: Some(0), .. }) if self.kept.begins => Some(text),
            _ => None,
        });
        if let Some(text) = first {
            self.check_media(text)?;
            let (graph, session) = self.graph(text, None)?;
            let replay = Replay::open(&graph, stems_of).map_err(|departure| self.departed(&departure))?;
            return Ok(Beginning { replay, session, text: text.clone() });
        }
        if self.kept.parts.is_empty() {
            return Err(self.failed("it was cut off before its first text was kept"));
        }
        let kept = self.kept;
        self.go_on_from(kept.checkpoints(u64::MAX, status::warning), stems_of).ok_or_else(|| {
            self.failed("its first parts have been removed, and there is no checkpoint from which it can be played")
        })
    }

    /// The nearest checkpoint at or before a frame; none without one. One that cannot be used is told of, and the one before
    /// it taken.
    pub fn resume(&mut self, frame: u64, stems_of: Option<&str>) -> Option<Beginning> {
        let kept = self.kept;
        self.go_on_from(kept.checkpoints(frame, status::warning).rev(), stems_of)
    }

    /// The first of some checkpoints that can be used.
    fn go_on_from(
        &mut self,
        checkpoints: impl Iterator<Item = Checkpoint>,
        stems_of: Option<&str>,
    ) -> Option<Beginning> {
        for checkpoint in checkpoints {
            let time = clock_time(checkpoint.about.frame, self.kept.header.rate);
            match self.take_up(checkpoint, stems_of) {
                Ok(beginning) => return Some(beginning),
                Err(why) => status::warning(format!("the checkpoint at {time} is of no use: {why}")),
            }
        }
        None
    }

    fn take_up(&mut self, checkpoint: Checkpoint, stems_of: Option<&str>) -> Result<Beginning, Failure> {
        let Checkpoint { about, state } = checkpoint;
        self.media.extend(about.media);
        self.check_media(&about.text)?;
        let there = replay::moment(&state, f64::from(self.kept.header.rate));
        let there = there.map_err(|misfit| self.failed(misfit))?;
        let (graph, session) = self.graph(&about.text, Some(&there.tempo))?;
        let replay = Replay::resume(&graph, stems_of, state).map_err(|departure| self.departed(&departure))?;
        Ok(Beginning { replay, session, text: about.text })
    }

    /// A checkpoint of a desk that plays what a text declares, if it can be made now. It is proved: what comes of it when it
    /// is taken up is the same again.
    ///
    /// # Errors
    /// It does not prove right.
    pub fn checkpoint(&self, replay: &mut Replay, text: &Text, stems_of: &str) -> Result<Option<Checkpoint>, Failure> {
        let Some(state) = replay.checkpoint() else { return Ok(None) };
        let (graph, _) = self.graph(text, Some(replay.tempo()))?;
        let mut again = Replay::resume(&graph, Some(stems_of), state.clone()).map_err(|why| self.departed(&why))?;
        if again.checkpoint().as_ref() != Some(&state) {
            return Err(self.failed("a checkpoint does not come out as it went in; this is a fault of gainstage"));
        }
        let media = text.media.iter().filter_map(|stamp| Some((stamp.clone(), self.media.get(stamp)?.clone())));
        let about =
            About { program: PROGRAM.into(), frame: replay.frame(), text: text.clone(), media: media.collect() };
        Ok(Some(Checkpoint { about, state }))
    }

    /// What happened from a frame on.
    pub fn records_from(&self, frame: u64) -> impl Iterator<Item = &'a Record> + use<'a> {
        self.kept.records.iter().filter(move |record| record.frame().is_some_and(|at| at >= frame))
    }

    /// The texts from a frame on.
    pub fn texts_from(&self, frame: u64) -> impl Iterator<Item = &'a Text> + use<'a> {
        self.records_from(frame).filter_map(|record| if let Record::Text(text) = record { Some(text) } else { None })
    }

    /// Plays the next quantum, before which happens what is due of `records`, from what live inputs heard; `clean` without
    /// gaps. Gives the last text that was taken up.
    ///
    /// # Errors
    /// It does not play as it was played.
    pub fn quantum(
        &self,
        replay: &mut Replay,
        records: &mut Peekable<impl Iterator<Item = &'a Record>>,
        heard: Option<&mut Heard>,
        clean: bool,
    ) -> Result<Option<&'a Text>, Failure> {
        let now = replay.frame();
        let (mut silent, mut taken) = (Vec::new(), None);
        while let Some(record) = records.next_if(|record| record.frame().is_none_or(|frame| frame <= now)) {
            match record {
                Record::MediaLate { work, .. } if !clean => silent.push(*work),
                record => self.apply(record, replay)?,
            }
            if let Record::Text(text @ Text { serial: Some(_), .. }) = record {
                taken = Some(text);
            }
        }
        let live = heard.map(|heard| heard.next(now)).transpose().map_err(|error| self.unheard(&error))?;
        replay.quantum(&live.unwrap_or_default(), &silent);
        Ok(taken)
    }

    /// What live inputs heard from a frame on, if they heard anything. What of it is missing is told.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn heard(&self, from: u64) -> Result<Option<Heard>, Failure> {
        let at = |frame: u64| clock_time(frame, self.kept.header.rate);
        for record in &self.kept.records {
            match record {
                Record::InputLost { frame, frames } if *frame >= from => status::warning(format!(
                    "live input of {} could not be kept at {}: what follows is not what was heard",
                    at(*frames),
                    at(*frame)
                )),
                Record::ReportsLost { frame, reports } if *frame >= from => status::warning(format!(
                    "{reports} reports were lost at {}: what follows may not be what was heard",
                    at(*frame)
                )),
                _ => {}
            }
        }
        if let Some(end) = self.kept.inputs_end {
            status::warning(format!(
                "live inputs were not kept from {} on: what follows is not what was heard",
                at(end)
            ));
        }
        Heard::open(&self.kept.inputs, self.kept.inputs_end, from).map_err(|error| self.unheard(&error))
    }

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
        let loaded = load::load_played(&files, &self.library, |session| {
            (session.sample_rate, session.seed) = (header.rate, header.seed);
            // Its sound files are where the session is, also when an older text of it was played.
            session.folder = header.session.parent().unwrap_or(Path::new("")).to_owned();
            session.crossfade = text.crossfade.unwrap_or(session.crossfade);
            session.tempo_over = text.tempo_over;
            let mut tempo = running.cloned().unwrap_or_else(|| Tempo::new(session.pace()));
            tempo.change(text.wanted.unwrap_or(text.at) as i64, session.pace());
            tempo
        });
        match loaded {
            Loaded { graph: Some(graph), session: Some(session), .. } => Ok((graph, Arc::unwrap_or_clone(session))),
            refused => {
                refused.show();
                Err(self.failed(format!("the text of {} is refused", clock_time(text.frame, header.rate))))
            }
        }
    }

    /// That every sound file of a text is the one that was played.
    ///
    /// # Errors
    /// One is another now, or is gone.
    pub fn check_media(&mut self, text: &Text) -> Outcome {
        for played in &text.media {
            let now = Stamp::of(played.path.clone());
            let shown = played.path.display();
            if now.length == 0 {
                return Err(Failure::Error(format!("{shown}: this sound file was played and is not there any more")));
            }
            let hash = self.media.get(played);
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
            Record::Note { source, touch, .. } => {
                replay.touch(source, *touch);
                Ok(())
            }
            Record::Move { order, .. } => {
                replay.order(*order);
                Ok(())
            }
            Record::Header(_)
            | Record::Inputs { .. }
            | Record::InputLost { .. }
            | Record::InputsEnd { .. }
            | Record::MediaLate { .. }
            | Record::InputLate { .. }
            | Record::ReportsLost { .. }
            | Record::Media { .. }
            | Record::Part { .. }
            | Record::Tick { .. }
            | Record::End { .. } => Ok(()),
        };
        done.map_err(|departure| self.departed(&departure))
    }
}
