//! What an edit does, in words.

use std::collections::BTreeSet;

use engine::compile::Program;
use engine::diff::Changes;
use engine::motion::Motion;
use engine::tempo::Tempo;
use engine::transport::Move;

/// The paths of the ramps in a program that set out when they are first heard, and were in none before: `known` are the
/// versions of those that were.
pub fn new_ramps(program: &Program, known: &mut BTreeSet<u64>) -> Vec<String> {
    let ramps = program.plan.motions.iter().filter(|planned| match &planned.motion {
        Motion::Ramp(ramp) => ramp.start.is_none() && known.insert(planned.version),
        _ => false,
    });
    ramps.map(|planned| planned.path.clone()).collect()
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
