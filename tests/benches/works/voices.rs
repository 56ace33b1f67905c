//! A hundred voices: saws, each into a resonant low-pass that is swept, and to its place.
//!
//! No voice lies an octave above another, so that it does not matter where in the cycle a saw begins. They are about as loud, octave
//! by octave, but not as clean: of a saw at 5 kHz ours leaves aliases of less than -90 dB, Faust's some of -18 dB.

use crate::programs::Stage;
use crate::race::Work;

pub fn work(stage: &Stage) -> Work {
    stage.scripts("voices", &[]);
    let entries = vec![
        stage.gainstage("voices.rhai"),
        stage.supercollider("voices"),
        stage.csound("voices.csd"),
        stage.faust("voice.dsp", 100, 1, None).noted("a program a voice"),
        stage.faust("voices.dsp", 1, 1, None).noted("one program, which works the sweep out once"),
        stage.entry("ChucK", Some("chuck.wav"), "chuck", &["--silent", "voices.ck"]),
    ];
    stage.work(format!("100 voices, {} s", stage.seconds), entries, 1.5)
}
