//! A performance as a document: what happened, when, in a line each.

use std::collections::BTreeSet;
use std::io::{self, Write};

use engine::kernel::QUANTUM;
use engine::motion::EventSource;
use engine::render::Moment;
use engine::tempo::Tempo;
use engine::transport::{Move, Transport};
use engine::units::Clock;
use serde::Serialize;

use crate::arguments::{Length, Replay as Arguments};
use crate::changes::describe;
use crate::ending::{Failure, Outcome};
use crate::journal::checkpoint::{About, Checkpoint};
use crate::journal::kept::clock_time;
use crate::journal::record::{Header, Record, Text};
use crate::journal::{Ending, Kept};
use crate::paint::Paint;
use crate::status;

/// One line of the list.
#[derive(Debug, PartialEq, Serialize)]
struct Entry {
    /// `00:01:12.250`, from the beginning.
    time: String,
    /// The same in frames.
    frame: u64,
    /// The bar, the first being 1, with its part of a bar; none where the transport is not known to have been.
    #[serde(skip_serializing_if = "Option::is_none")]
    bar: Option<f64>,
    /// What kind of thing happened.
    what: &'static str,
    /// In words.
    told: String,
    /// How many times in a row.
    times: u32,
    /// Of a control, the first and the last value.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<f64>,
    /// The files of a text, as they are called in the journal's `texts`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    texts: Vec<String>,
    /// The prompt's lines that came with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
}

/// Prints the list.
pub fn print(kept: &Kept, arguments: &Arguments) -> Outcome {
    let entries = entries(kept, arguments.until)?;
    let mut out = io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &entries).map_err(io::Error::from)?;
        writeln!(out)?;
        return Ok(());
    }
    out.write_all(table(&kept.header, &entries, Paint::stdout()).as_bytes())?;
    Ok(())
}

fn table(header: &Header, entries: &[Entry], paint: Paint) -> String {
    let Header { session, started, rate, program, .. } = header;
    let played = format!("played {started} with gainstage {program} at {rate} Hz");
    let mut text = format!("{}, {played}\n", paint.bold(session.display()));
    for Entry { time, bar, told, times, from, to, lines, .. } in entries {
        let values = match (from, to) {
            (Some(from), Some(to)) if *times > 1 => format!(": {times} values, {from:.3} to {to:.3}"),
            (Some(from), _) => format!(": {from:.3}"),
            _ if *times > 1 => format!(" ({times} times)"),
            _ => String::new(),
        };
        let bar = bar.map_or_else(String::new, |bar| format!("bar {bar:.2}"));
        text += &format!("{}  {bar:<11}  {told}{values}\n", paint.dim(time));
        lines.iter().for_each(|line| text += &format!("{:27}> {line}\n", ""));
    }
    text
}

/// Everything up to a length of it, which may be in bars of the first tempo.
fn entries(kept: &Kept, until: Option<Length>) -> Result<Vec<Entry>, Failure> {
    let rate = kept.header.rate;
    let mut time = Time { transport: Transport::new(f64::from(rate)), clock: 0, been: Vec::new(), tempo: None };
    let mut removed = if kept.begins { None } else { kept.checkpoints(u64::MAX, status::warning).next() };
    if let Some(checkpoint) = &removed {
        time.begin_at(checkpoint, rate)?;
    }
    let mut end = None;
    let mut lines: Vec<String> = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut entries: Vec<Entry> = Vec::new();
    for record in &kept.records {
        // Live input is told of a little later than what else happens, and where it was lost is where that was.
        let lost = match record {
            Record::InputLost { frame, .. } | Record::InputsEnd { frame } => Some(*frame),
            _ => None,
        };
        let Some(mut frame) = record.frame().or(lost) else { continue };
        if let Some(checkpoint) = removed.take_if(|checkpoint| checkpoint.about.frame <= frame) {
            entries.push(time.removed(&checkpoint, rate));
            lines.clone_from(&checkpoint.about.text.lines);
        }
        time.go_to(frame);
        let mut at = time.at(frame);
        let mut texts = Vec::new();
        let mut typed = Vec::new();
        match record {
            Record::Text(text) => {
                (frame, at) = (text.heard, Some(text.at));
                time.turn(kept, text)?;
                if let (None, Some(until), Some(tempo)) = (end, until, &time.tempo) {
                    end = Some(until.frames(&tempo.clock()));
                }
                // A file that was not there before is named, and so is a line.
                texts.extend(text.files.iter().map(|file| file.text.clone()).filter(|name| known.insert(name.clone())));
                typed = new_lines(&lines, &text.lines);
                lines.clone_from(&text.lines);
            }
            Record::Move { order, .. } => time.transport.order(*order),
            _ => {}
        }
        let Some((what, told)) = told(record, rate) else { continue };
        if end.is_some_and(|end| frame >= end) {
            return Ok(entries);
        }
        // What goes on and on is told once, and how often it came.
        if let Some(last) = entries.last_mut().filter(|last| last.told == told && GOES_ON.contains(&what)) {
            last.times += 1;
            last.to = value(record);
            continue;
        }
        let (from, to) = (value(record), value(record));
        entries.push(Entry {
            time: clock_time(frame, rate),
            frame,
            bar: at.map(|at| time.bar(at)),
            what,
            told,
            times: 1,
            from,
            to,
            texts,
            lines: typed,
        });
    }
    let (frame, told) = match &kept.ending {
        Ending::Whole(frames) => (*frames, "the end".to_owned()),
        _ => (kept.reached, kept.told_end().unwrap_or_default()),
    };
    if end.is_some_and(|end| frame >= end) {
        return Ok(entries);
    }
    time.go_to(frame);
    let (clock, bar) = (clock_time(frame, rate), Some(time.bar(time.transport.frame())));
    let (texts, lines) = (Vec::new(), Vec::new());
    entries.push(Entry { time: clock, frame, bar, what: "end", told, times: 1, from: None, to: None, texts, lines });
    Ok(entries)
}

/// Where the transport was, and how its bars lay.
struct Time {
    transport: Transport,
    clock: u64,
    /// Where it has been: from a frame of the desk on at one of its own, and whether it went on from there.
    been: Vec<(u64, u64, bool)>,
    tempo: Option<Tempo>,
}

impl Time {
    /// What was before has been removed: it is reckoned from a checkpoint.
    fn begin_at(&mut self, checkpoint: &Checkpoint, rate: u32) -> Outcome {
        let moment = engine::replay::moment(&checkpoint.state, f64::from(rate));
        let Moment { clock, transport, tempo } = moment.map_err(|misfit| Failure::Error(misfit.to_string()))?;
        *self = Time { transport, clock, been: Vec::new(), tempo: Some(tempo) };
        Ok(())
    }

    /// The line that tells of it.
    fn removed(&self, checkpoint: &Checkpoint, rate: u32) -> Entry {
        let About { frame, text, .. } = &checkpoint.about;
        Entry {
            time: clock_time(*frame, rate),
            frame: *frame,
            bar: Some(self.bar(self.transport.frame())),
            what: "removed",
            told: "what was played before is not kept any more, and it can be played from here on".into(),
            times: 1,
            from: None,
            to: None,
            texts: text.files.iter().map(|file| file.text.clone()).collect(),
            lines: text.lines.clone(),
        }
    }

    /// Goes on to a frame of the desk.
    fn go_to(&mut self, frame: u64) {
        while self.clock < frame {
            self.transport.turn();
            // They are faded by being asked.
            let _ = (self.transport.gate(), self.transport.voice());
            let at = self.transport.frame();
            let goes_on = self.transport.is_rolling();
            let is_told = |was: &(u64, u64, bool)| was.2 == goes_on && place(was, self.clock) == at;
            if !self.been.last().is_some_and(is_told) {
                self.been.push((self.clock, at, goes_on));
            }
            self.transport.advance();
            self.clock += QUANTUM as u64;
        }
    }

    /// Where the transport was at a frame of the desk, unless that lies before everything that is known.
    fn at(&self, frame: u64) -> Option<u64> {
        if frame >= self.clock {
            return Some(self.transport.frame());
        }
        let after = self.been.partition_point(|(clock, ..)| *clock <= frame);
        after.checked_sub(1).map(|n| place(&self.been[n], frame))
    }

    /// Follows the tempo that a text sets. For that its sound files are not needed.
    fn turn(&mut self, kept: &Kept, text: &Text) -> Outcome {
        let evaluated = scripting::evaluate_played(&kept.files(text)?);
        if let Some(session) = evaluated.session {
            let clock = Clock { rate: f64::from(kept.header.rate), ..session.clock() };
            match &mut self.tempo {
                None => self.tempo = Some(Tempo::new(clock)),
                Some(tempo) => tempo.change(text.wanted.unwrap_or(text.at) as i64, clock),
            }
        }
        Ok(())
    }

    /// The bar of a frame of the transport as people count, the first being 1; hundredths are enough.
    fn bar(&self, at: u64) -> f64 {
        self.tempo.as_ref().map_or(1.0, |tempo| ((tempo.bar_at(at as i64) + 1.0) * 100.0).floor() / 100.0)
    }
}

/// Where a transport is at a frame of the desk that has been somewhere since another, and went on from there or did not.
fn place(been: &(u64, u64, bool), frame: u64) -> u64 {
    let (clock, at, goes_on) = *been;
    if goes_on { at + (frame - clock) } else { at }
}

/// What is told once however often it comes in a row.
const GOES_ON: [&str; 4] = ["control", "note", "media_late", "input_late"];

/// What to tell of a record; none for what nobody heard.
fn told(record: &Record, rate: u32) -> Option<(&'static str, String)> {
    match record {
        Record::Text(Text { serial: Some(0), files, .. }) => {
            let name = files.first().map_or_else(String::new, |file| file.path.display().to_string());
            Some(("text", format!("{name} begins")))
        }
        Record::Text(text) => Some(("text", describe(&text.changes))),
        Record::Control { source, .. } => Some(("control", name_of(source))),
        Record::Note { source, .. } => Some(("note", name_of(source))),
        Record::Move { order, .. } => Some((
            "move",
            match order {
                Move::Start => "start".into(),
                Move::Stop => "stop".into(),
                Move::Locate(frame) => format!("locate {}", clock_time(*frame, rate)),
                Move::Panic => "panic".into(),
            },
        )),
        Record::MediaLate { path, .. } => {
            Some(("media_late", format!("{path}: its sound file did not come in time, and it was silent")))
        }
        Record::InputLate { .. } => Some(("input_late", "live input did not come in time, and was silent".into())),
        Record::InputLost { frame, frames } => {
            let (at, lost) = (clock_time(*frame, rate), clock_time(*frames, rate));
            Some(("input_lost", format!("from {at} on {lost} of live input could not be kept")))
        }
        Record::InputsEnd { .. } => Some(("inputs_end", "live inputs are not kept any more".into())),
        Record::ReportsLost { reports, .. } => {
            Some(("reports_lost", format!("{reports} reports were lost: what follows may not be what was heard")))
        }
        Record::Header(_)
        | Record::Inputs { .. }
        | Record::Settle { .. }
        | Record::Meter { .. }
        | Record::Media { .. }
        | Record::Part { .. }
        | Record::Tick { .. }
        | Record::End { .. } => None,
    }
}

fn name_of(source: &EventSource) -> String {
    match source {
        EventSource::Midi { channel: Some(channel), controller } => {
            format!("midi controller {controller}, channel {channel}")
        }
        EventSource::Midi { channel: None, controller } => format!("midi controller {controller}"),
        EventSource::Osc { address } => format!("osc {address}"),
        EventSource::Notes { channel: Some(channel) } => format!("midi keyboard, channel {channel}"),
        EventSource::Notes { channel: None } => "midi keyboard".into(),
    }
}

fn value(record: &Record) -> Option<f64> {
    if let Record::Control { value, .. } = record { Some(*value) } else { None }
}

/// The lines of the prompt that are not among those before.
fn new_lines(before: &[String], now: &[String]) -> Vec<String> {
    let same = before.iter().zip(now).take_while(|(a, b)| a == b).count();
    now[same..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_transport_was_is_known_through_stops_and_moves() {
        let transport = Transport::new(48_000.0);
        let mut time = Time { transport, clock: 6400, been: Vec::new(), tempo: None };
        time.go_to(12_800);
        assert_eq!(
            (time.at(6399), time.at(6400), time.at(7001), time.at(12_800)),
            (None, Some(0), Some(601), Some(6400))
        );
        time.transport.order(Move::Stop);
        time.go_to(64_000);
        // It stands once what played on it has faded, in 20 ms: 960 frames.
        assert_eq!((time.at(13_000), time.at(20_000), time.at(63_999)), (Some(6600), Some(7360), Some(7360)));
        time.transport.order(Move::Locate(96_000));
        time.transport.order(Move::Start);
        time.go_to(128_000);
        assert_eq!((time.at(20_000), time.at(64_010), time.at(127_999)), (Some(7360), Some(96_010), Some(159_999)));
        assert_eq!(time.been.len(), 3, "{:?}", time.been);
    }

    #[test]
    fn only_what_the_prompt_added_is_listed() {
        let lines = |text: &str| -> Vec<String> { text.chars().map(String::from).collect() };
        assert_eq!(new_lines(&lines("ab"), &lines("abc")), lines("c"));
        assert_eq!(new_lines(&lines("abc"), &lines("ab")), lines(""));
        assert_eq!(new_lines(&lines("abc"), &lines("axc")), lines("xc"));
    }
}
