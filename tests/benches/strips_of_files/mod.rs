//! A session as a mix has it: strips, each of a file of its own, with the effects that a strip has; and the middle of what was
//! measured of it.

use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};

/// Strips of the session.
pub const STRIPS: usize = 64;

/// The files that it reads.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    (1..=STRIPS).map(|i| folder.join(format!("{i}.wav"))).collect()
}

/// Writes them, of so many seconds of stereo each.
pub fn write(folder: &Path, seconds: u32) {
    let spec = WavSpec { channels: 2, sample_rate: 48_000, bits_per_sample: 24, sample_format: SampleFormat::Int };
    for (i, path) in files(folder).iter().enumerate() {
        let mut file = WavWriter::create(path, spec).expect("there is room");
        for frame in 0..seconds * spec.sample_rate {
            // A saw, of another pitch in each.
            let x = (frame as i32 * (i as i32 + 3) * 401) % (1 << 20) - (1 << 19);
            for _ in 0..2 {
                file.write_sample(x).expect("there is room");
            }
        }
        file.finalize().expect("there is room");
    }
}

/// Its text, with the level of one of the strips.
pub fn session(level: f64) -> String {
    let mut text = String::from("title(\"strips\");\nlet mix = bus(\"mix\");\n");
    for i in 1..=STRIPS {
        text.push_str(&format!(
            "let in{i} = input(\"in-{i}\", clip(\"{i}.wav\").looped());\nin{i} >> eq().bell(400, -3, 1.2).bell(2500, 2, 1)\n\
             \x20   >> compressor(-45, 3).attack(8.ms).release(120.ms)\n    >> fader({}) >> mix;\n",
            if i == 25 { level } else { -6.0 },
        ));
    }
    text + "mix >> limiter(-1) >> master;\n"
}

/// The middle of some times.
pub fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
