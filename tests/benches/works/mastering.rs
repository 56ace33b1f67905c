//! Mastering: four bands of EQ, a compressor over both sides, 6 dB more, and a limiter at -1 dBTP; the true peak that each leaves is
//! measured by `gainstage measure`.
//!
//! ffmpeg's limiter knows sample peaks, so that it works at 192 kHz between two of soxr's resamplers, or leaves what lies between to
//! x42's or LSP's, which it runs as plug-ins. SuperCollider's, Faust's and SoX's know sample peaks alone,
//! though SoX's works at 192 kHz. Thresholds of the compressors are moved as in `strips`, so that all are about as loud.

use std::path::Path;
use std::process::Command;

use crate::loudness::write_programme;
use crate::programs::{self, Stage};
use crate::race::{Entry, Work};

pub fn work(stage: &Stage) -> Work {
    write_programme(stage);
    stage.scripts("mastering", &[]);
    std::fs::copy(stage.path("programme.wav"), stage.path("in-1.wav")).expect("there is room");
    let ffmpeg = |name: &str, limiter: &str| {
        let filter = format!(
            "bass=f=80:g=2:w=0.7071:t=q,equalizer=f=400:g=-2:w=1:t=q,equalizer=f=3000:g=1.5:w=1:t=q,treble=f=10000:g=2:w=0.7071:t=q,\
             acompressor=threshold=-22.3dB:ratio=2:attack=20:release=200:knee=1:link=maximum:detection=peak,volume=6dB,{limiter}"
        );
        let arguments = [
            "-nostdin",
            "-y",
            "-i",
            "programme.wav",
            "-af",
            &filter,
            "-c:a",
            "pcm_f32le",
            "-ar",
            "48000",
            "ffmpeg.wav",
        ];
        stage.entry(name, Some("ffmpeg.wav"), "ffmpeg", &arguments)
    };
    let oversampled = "aresample=192000:resampler=soxr,alimiter=limit=-1dB:level=0:attack=1.5:release=50,aresample=48000:resampler=soxr";
    let x42 = "lv2=p=http\\\\://gareus.org/oss/lv2/dpl#stereo:c=threshold=-1|truepeak=1|release=0.05";
    let lsp =
        "lv2=p=http\\\\://lsp-plug.in/plugins/lv2/limiter_stereo:c=th=0.891251|boost=0|lk=1.5|at=1.5|rt=50|ovs=10";
    let entries = vec![
        stage.gainstage("mastering.rhai"),
        ffmpeg("ffmpeg at 192 kHz", oversampled),
        ffmpeg("ffmpeg with x42's dpl", x42),
        ffmpeg("ffmpeg with LSP's limiter", lsp),
        sox(stage),
        stage.supercollider("mastering").noted("sample peaks"),
        stage.faust("mastering.dsp", 1, 1, None).noted("sample peaks"),
    ];
    let tell = Box::new(|sound: Option<&Path>, _: &str| Ok(true_peak(sound)));
    Work { tell, ..stage.work(format!("mastering {} s of stereo", stage.seconds), entries, 1.5) }
}

/// SoX, all of 12 dB lower, as it knows nothing above full scale: it compresses by a curve, and with another, at 192 kHz, it limits.
fn sox(stage: &Stage) -> Entry {
    let chain = "programme.wav -b 32 -e floating-point sox.wav gain -12 bass +2 80 0.7071q equalizer 400 1q -2 equalizer 3000 1q 1.5 \
                 treble +2 10000 0.7071q compand 0.02,0.2 -90,-90,-34.5,-34.5,0,-17.25 6 rate 192k \
                 compand 0.0003,0.05 -90,-90,-13,-13,0,-13 0 -90 0.0015 rate 48k gain 12";
    let arguments: Vec<&str> = chain.split_whitespace().collect();
    stage.entry("SoX", Some("sox.wav"), "sox", &arguments)
}

/// What lies between the samples of a file.
fn true_peak(sound: Option<&Path>) -> String {
    let peak = sound.and_then(|sound| {
        let output = Command::new(programs::gainstage()).args(["measure", "--json"]).arg(sound).output().ok()?;
        serde_json::from_slice::<serde_json::Value>(&output.stdout).ok()?[0]["true_peak_dbtp"].as_f64()
    });
    peak.map_or_else(|| "no true peak".to_owned(), |peak| format!("leaves {peak:.2} dBTP"))
}
