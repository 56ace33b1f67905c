//! Convolution: a stereo sound with a stereo response of five seconds, side by side.
//!
//! What it costs depends on how late it may be, so each is told with its latency. Ours has none; who may be 8192 frames late
//! transforms less often. fconvolver goes from file to file, where nothing is late: jconvolver, which plays, would be by its partition.
//! ffmpeg's of 5.1 gives twice what it should, which is taken back; one that does not is left out by its level.

use crate::contest::material::{self, RATE, noise};
use crate::loudness::write_programme;
use crate::programs::Stage;
use crate::race::Work;

pub fn work(stage: &Stage) -> Work {
    write_programme(stage);
    material::repeat(&stage.path("response.wav"), 2, &response(), 5);
    stage.scripts("convolution", &[]);
    let ffmpeg = |name: &str, partition: &str, latency: &str| {
        let filter = format!("[0][1]afir=gtype=none:irgain=0.5:minp={partition}:maxp=8192");
        let arguments = [
            "-nostdin",
            "-y",
            "-i",
            "programme.wav",
            "-i",
            "response.wav",
            "-filter_complex",
            &filter,
            "-c:a",
            "pcm_f32le",
            "ffmpeg.wav",
        ];
        stage.entry(name, Some("ffmpeg.wav"), "ffmpeg", &arguments).noted(latency)
    };
    let entries = vec![
        stage.gainstage("convolution.rhai").noted("no latency"),
        ffmpeg("ffmpeg afir", "8192", "8192 frames late"),
        ffmpeg("ffmpeg afir, small", "256", "256 frames late"),
        stage
            .entry("zita (fconvolver)", Some("zita.wav"), "fconvolver", &["zita.conf", "programme.wav", "zita.wav"])
            .noted("partitions of 8192 at least"),
        stage.supercollider("partconv").noted("8192 frames late"),
        stage.csound("convolution.csd").noted("8192 frames late"),
    ];
    stage.work(format!("a response of 5 s, {} s of stereo", stage.seconds), entries, 0.5)
}

/// Five seconds of a room's stereo response: noise that dies away by 60 dB in four of them.
fn response() -> Vec<u8> {
    let mut noise = noise(99);
    let mut piece = Vec::new();
    for frame in 0..5 * RATE {
        let level = 10_f64.powf(-3.0 * f64::from(frame) / f64::from(4 * RATE)) * 0.005;
        for _ in 0..2 {
            piece.extend(((noise() * level) as f32).to_le_bytes());
        }
    }
    piece
}
