//! A pattern written back as text: what it has in some cycles, as literal mini-notation.

use std::collections::BTreeMap;

use super::event::{Event, Place, Span};
use super::ratio::{Ratio, gcd};
use super::{Pattern, PatternError};

/// The most cycles that are written.
const MOST_CYCLES: i64 = 256;

/// Values of one voice in order, none before the end of the one before: `None` is a rest.
type Line = Vec<(Ratio, Option<String>)>;

impl Pattern {
    /// Mini-notation that has the same values at the same times as the first cycles of this pattern, and repeats them.
    /// What began before is left out, and what goes on after the last cycle is cut there.
    ///
    /// # Errors
    /// The pattern cannot be worked out, more than 256 cycles are wanted, or the text would have more parts than a
    /// pattern may have.
    pub fn to_text(&self, seed: u64, cycles: i64) -> Result<String, PatternError> {
        let wrong = |message: String| PatternError::new(Place::default(), message);
        if !(1..=MOST_CYCLES).contains(&cycles) {
            return Err(wrong(format!("from 1 to {MOST_CYCLES} cycles can be written, not {cycles}")));
        }
        let mut events = Vec::new();
        for onsets in self.first_onsets(seed, cycles) {
            events.extend(onsets?);
        }
        let text = literal(&events, cycles).ok_or_else(|| wrong("its times are too fine to be written".into()))?;
        Pattern::parse(&text, 0).map_err(|error| wrong(format!("it cannot be written: {}", error.message)))?;
        Ok(text)
    }
}

/// Values that begin within the first cycles, written down; what goes on after these is cut. None if their times are
/// too fine together.
pub(super) fn literal(events: &[Event], cycles: i64) -> Option<String> {
    let whole = Span::new(Ratio::ZERO, Ratio::whole(cycles));
    let mut bars = vec![Vec::new(); usize::try_from(cycles).ok()?];
    let mut crosses = false;
    for event in events {
        let cycle = event.whole.begin.floor();
        let cut = Event { whole: event.whole.within(whole)?, ..event.clone() };
        crosses |= cut.whole.end > Ratio::whole(cycle + 1);
        bars.get_mut(usize::try_from(cycle).ok()?)?.push(cut);
    }
    if crosses {
        return phrase(&bars.concat(), whole).map(|text| format!("[{text}]/{cycles}"));
    }
    let bars = bars.iter().enumerate().map(|(cycle, events)| phrase(events, Span::cycle(cycle as i64)));
    bars.collect::<Option<Vec<String>>>().map(turns)
}

/// Bars that take turns; equal ones next to each other once.
fn turns(bars: Vec<String>) -> String {
    if bars.windows(2).all(|pair| pair[0] == pair[1]) {
        return bars.into_iter().next().unwrap_or_default();
    }
    let mut text = Vec::new();
    for bars in bars.chunk_by(|a, b| a == b) {
        let bar = &bars[0];
        let group = if bar.contains([' ', ',']) { format!("[{bar}]") } else { bar.clone() };
        text.push(if bars.len() == 1 { group } else { format!("{group}!{}", bars.len()) });
    }
    format!("<{}>", text.join(" "))
}

/// Values within a span as one sequence, or several at once. None if the times do not fit.
fn phrase(events: &[Event], span: Span) -> Option<String> {
    // What has the same time is one chord.
    let mut chords: BTreeMap<(Ratio, Ratio), Vec<String>> = BTreeMap::new();
    for event in events {
        chords.entry((event.whole.begin, event.whole.end)).or_default().push(event.value.to_string());
    }
    // Each goes to the first voice that is free.
    let mut voices: Vec<(Ratio, Line)> = Vec::new();
    for ((begin, end), values) in chords {
        let free = voices.iter().position(|(until, _)| *until <= begin);
        let voice = free.unwrap_or_else(|| {
            voices.push((span.begin, Vec::new()));
            voices.len() - 1
        });
        let (until, line) = &mut voices[voice];
        if *until < begin {
            line.push((begin.minus(*until).ok()?, None));
        }
        let text = if values.len() == 1 { values.concat() } else { format!("[{}]", values.join(",")) };
        line.push((end.minus(begin).ok()?, Some(text)));
        *until = end;
    }
    if voices.is_empty() {
        return Some("~".into());
    }
    let mut texts = Vec::new();
    for (until, mut line) in voices {
        if until < span.end {
            line.push((span.end.minus(until).ok()?, None));
        }
        texts.push(written(&line)?);
    }
    Some(texts.join(", "))
}

/// One voice, its lengths in the smallest whole numbers.
fn written(line: &Line) -> Option<String> {
    let mut under = 1i64;
    for (length, _) in line {
        let part = length.under() / gcd(under as u64, length.under() as u64) as i64;
        under = under.checked_mul(part)?;
    }
    let whole = |length: &Ratio| length.over().checked_mul(under / length.under());
    let lengths: Vec<i64> = line.iter().map(|(length, _)| whole(length)).collect::<Option<_>>()?;
    let common = lengths.iter().fold(0, |common, length| gcd(common, *length as u64)) as i64;
    let steps = line.iter().zip(lengths).map(|((_, value), length)| {
        let value = value.as_deref().unwrap_or("~");
        match length / common {
            1 => value.to_owned(),
            length if value == "~" && length <= 4 => vec!["~"; length as usize].join(" "),
            length => format!("{value}@{length}"),
        }
    });
    Some(steps.collect::<Vec<_>>().join(" "))
}
