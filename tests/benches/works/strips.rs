//! Strips: a sound file, a high-pass, four bands of EQ, a compressor, a gain and a place, of each of so many channels.
//!
//! Filters are those of R. Bristow-Johnson's cookbook, but ours, whose bells and shelves are not cramped near half the rate: a few
//! hundredths of a dB here. Compressors have ratio 3, no knee, 10 ms and 200 ms, and follow levels each in its own way, ours, Faust's
//! and Csound's sample by sample, while SuperCollider's finds a gain for each block of 64 and goes there in a line. So that all turn down
//! alike the others' thresholds lie 2 to 5 dB below ours.
//!
//! The last is none of the others, but what the processor can do: see [`crate::limit`].

use crate::contest;
use crate::limit;
use crate::programs::{self, Stage};
use crate::race::{Entry, Work};

/// Numbers of channels.
pub const SIZES: [usize; 4] = [1, 8, 64, 256];

pub fn work(stage: &Stage, strips: usize) -> Work {
    let gain = contest::strips(&stage.folder, strips, stage.seconds);
    let entries = vec![
        stage.gainstage("strips.rhai"),
        stage.supercollider("strips"),
        stage.faust("strip.dsp", strips, 1, None),
        stage.csound("strips.csd"),
        the_limit(stage, strips, &gain),
    ];
    let title = format!("{strips} strips, {} s", stage.seconds);
    stage.work(title, entries, 0.5)
}

fn the_limit(stage: &Stage, strips: usize, gain: &str) -> Entry {
    let arguments = [limit::LIMIT, &strips.to_string(), &stage.seconds.to_string(), gain];
    let mut entry = stage.entry("limit", Some(limit::SOUND), &programs::this(), &arguments);
    entry.command = entry.command.and_then(|command| limit::is_within_reach().map(|()| command));
    Entry { is_limit: true, ..entry }
}
