//! What an edit does, in words.

use std::collections::BTreeSet;

use engine::compile::Program;
use engine::diff::Changes;
use engine::motion::{Motion, Span};
use engine::tempo::Tempo;
use engine::transport::Move;

/// The paths of the ramps in a program that set out when they are first heard, and were in none before, with how long they take:
/// `known` are the versions of those that were.
pub fn new_ramps(program: &Program, known: &mut BTreeSet<u64>) -> Vec<(String, Span)> {
    let ramps = program.plan.motions.iter().filter_map(|planned| match &planned.motion {
        Motion::Ramp(ramp) if ramp.start.is_none() && known.insert(planned.version) => {
            Some((planned.path.clone(), ramp.time))
        }
        _ => None,
    });
    ramps.collect()
}

/// How many seconds something takes that sets out at a frame.
pub fn seconds(time: Span, at: u64, tempo: &Tempo, rate: u32) -> f64 {
    let begin = at as i64;
    let frames = match time {
        Span::Frames(frames) => frames,
        Span::Beats(beats) => tempo.frame_of_beat(tempo.beat_at(begin) + beats) - at as f64,
        Span::Bars(bars) => tempo.frame_of_bar(tempo.bar_at(begin) + bars) - at as f64,
    };
    frames / f64::from(rate)
}

/// What an order does to the transport, in a line.
pub fn moved(order: Move, at: u64, tempo: &Tempo) -> String {
    let bar = |frame: u64| rounded(tempo.bar_at(frame as i64));
    match order {
        Move::Start => format!("the transport goes on at {}.bars", bar(at)),
        Move::Stop => format!("the transport stops at {}.bars", bar(at)),
        Move::Locate(frame) => format!("the transport goes to {}.bars", bar(frame)),
        Move::Panic => "panic: all is silent, and forgotten, until the transport is started".into(),
    }
}

/// A position in bars, short enough to be read.
pub fn rounded(bar: f64) -> f64 {
    (bar * 1000.0).round() / 1000.0
}

/// What an edit did, in a line.
pub fn describe(changes: &Changes) -> String {
    let mut parts = Vec::new();
    let mut list = |sign: &str, paths: &[String]| {
        if !paths.is_empty() {
            parts.push(format!("{sign} {}", shortened(paths)));
        }
    };
    list("added", &changes.added);
    list("changed", &changes.changed);
    list("removed", &changes.removed);
    list("started anew", &changes.restarted);
    if !changes.realigned.is_empty() {
        let by: Vec<String> = changes.realigned.iter().map(|(path, by)| format!("{path} by {by:+} frames")).collect();
        parts.push(format!("realigned {}", shortened(&by)));
    }
    match parts.is_empty() {
        true => "no change to the sound".into(),
        false => parts.join("; "),
    }
}

/// At most a handful of names, and how many more there are.
fn shortened(paths: &[String]) -> String {
    const SHOWN: usize = 6;
    let mut text = paths.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if paths.len() > SHOWN {
        text.push_str(&format!(" and {} more", paths.len() - SHOWN));
    }
    text
}
