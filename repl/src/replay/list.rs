//! A performance as a document: what happened, when, in a line each.

use std::collections::BTreeSet;
use std::io::{self, Write};

use engine::tempo::Tempo;
use serde::Serialize;

use crate::arguments::Replay as Arguments;
use crate::ending::{Failure, Outcome};
use crate::journal::kept::clock_time;
use crate::journal::record::{Header, Record, Text};
use crate::journal::{Ending, Kept};
use crate::paint::Paint;
use crate::play::describe;

/// One line of the list.
#[derive(Debug, PartialEq, Serialize)]
struct Entry {
    /// `00:01:12.250`, from the beginning.
    time: String,
    /// The same in frames.
    frame: u64,
    /// The bar, the first being 1, with its part of a bar.
    bar: f64,
    /// What kind of thing happened.
    what: &'static str,
    /// In words.
    told: String,
    /// The files of a text, as they are called in the journal's `texts`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    texts: Vec<String>,
    /// The prompt's lines that came with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
}

/// Prints the list.
pub fn print(kept: &Kept, arguments: &Arguments) -> Outcome {
    let entries = entries(kept)?;
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
    for Entry { time, bar, told, lines, .. } in entries {
        text += &format!("{}  bar {bar:<7.2}  {told}\n", paint.dim(time));
        lines.iter().for_each(|line| text += &format!("{:27}> {line}\n", ""));
    }
    text
}

fn entries(kept: &Kept) -> Result<Vec<Entry>, Failure> {
    let rate = kept.header.rate;
    let mut tempo: Option<Tempo> = None;
    let mut lines: Vec<String> = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut entries: Vec<Entry> = Vec::new();
    for record in &kept.records {
        let Some((frame, (what, told))) = record.frame().zip(told(record)) else { continue };
        let mut entry =
            Entry { time: clock_time(frame, rate), frame, bar: 1.0, what, told, texts: Vec::new(), lines: Vec::new() };
        if let Record::Text(text) = record {
            // A file that was not there before is named.
            entry.texts =
                text.files.iter().map(|file| file.text.clone()).filter(|name| known.insert(name.clone())).collect();
            entry.lines = new_lines(&lines, &text.lines);
            lines.clone_from(&text.lines);
            turn(&mut tempo, kept, text)?;
        }
        entry.bar = tempo.as_ref().map_or(1.0, |tempo| bar(tempo, frame));
        match entries.last_mut() {
            // What goes on happening is told once.
            Some(last) if last.what == entry.what && last.told == entry.told && what != "text" => {}
            _ => entries.push(entry),
        }
    }
    let (frame, told) = match &kept.ending {
        Ending::Whole(frames) => (*frames, "the end".to_owned()),
        _ => (kept.reached, kept.told_end().unwrap_or_default()),
    };
    entries.push(Entry {
        time: clock_time(frame, rate),
        frame,
        bar: tempo.as_ref().map_or(1.0, |tempo| bar(tempo, frame)),
        what: "end",
        told,
        texts: Vec::new(),
        lines: Vec::new(),
    });
    Ok(entries)
}

/// The bar as people count: the first is 1; hundredths are enough.
fn bar(tempo: &Tempo, frame: u64) -> f64 {
    ((tempo.bar_at(frame as i64) + 1.0) * 100.0).floor() / 100.0
}

/// What to tell of a record; none for what nobody heard.
fn told(record: &Record) -> Option<(&'static str, String)> {
    match record {
        Record::Text(Text { serial: Some(0), files, .. }) => {
            let name = files.first().map_or_else(String::new, |file| file.path.display().to_string());
            Some(("text", format!("{name} begins")))
        }
        Record::Text(text) => Some(("text", describe(&text.changes))),
        Record::MediaLate { work, .. } => {
            Some(("media_late", format!("{work}: its sound file did not come in time, and it was silent")))
        }
        Record::InputLate { .. } => Some(("input_late", "live input did not come in time, and was silent".into())),
        Record::Header(_) | Record::Settle { .. } | Record::Media { .. } | Record::Tick { .. } | Record::End { .. } => {
            None
        }
    }
}

/// Follows the tempo that a text sets. For that its sound files are not needed.
fn turn(tempo: &mut Option<Tempo>, kept: &Kept, text: &Text) -> Outcome {
    let evaluated = scripting::evaluate_kept(&kept.files(text)?);
    if let Some(session) = evaluated.session {
        let clock = engine::units::Clock { rate: f64::from(kept.header.rate), ..session.clock() };
        match tempo {
            None => *tempo = Some(Tempo::new(clock)),
            Some(tempo) if tempo.clock() != clock => tempo.change(text.frame as i64, clock),
            Some(_) => {}
        }
    }
    Ok(())
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
    fn only_what_the_prompt_added_is_listed() {
        let lines = |text: &str| -> Vec<String> { text.chars().map(String::from).collect() };
        assert_eq!(new_lines(&lines("ab"), &lines("abc")), lines("c"));
        assert_eq!(new_lines(&lines("abc"), &lines("ab")), lines(""));
        assert_eq!(new_lines(&lines("abc"), &lines("axc")), lines("xc"));
    }
}
