//! A mix: 32 strips as in `strips`, in four groups with a compressor each, two sends to a reverb and to an echo, and a master of four
//! bands of EQ, three of compression, and a limiter.
//!
//! Reverbs are what each has, of about the same length and brought to the same level: theirs are Schroeder's and Moorer's as
//! `freeverb` has them, Csound's a feedback delay network. Limiters watch sample peaks, ours too; SuperCollider's treats
//! each side for itself, and Csound's is a compressor of ratio 100 that looks ahead. Crossovers are Linkwitz-Riley's of the fourth order in
//! all. Thresholds are moved as in `strips`, so that all are about as loud.

use crate::contest::material;
use crate::programs::Stage;
use crate::race::Work;

const STRIPS: usize = 32;
const GROUPS: usize = 4;

pub fn work(stage: &Stage) -> Work {
    material::channels(&stage.folder, STRIPS, stage.seconds);
    stage.scripts("mix", &[("strips", STRIPS.to_string())]);
    let entries = vec![
        stage.gainstage("mix.rhai"),
        stage.supercollider("mix"),
        stage.faust("part.dsp", STRIPS, GROUPS, Some("whole.dsp")),
        stage.csound("mix.csd"),
    ];
    stage.work(format!("a mix of {STRIPS} strips, {} s", stage.seconds), entries, 1.5)
}
