//! Loudness: integrated, range and true peak of a file, an example rendered and repeated.
//!
//! All read the file and say three figures; ours gives the rest as well. The ebur128 crate is driven by this program, which
//! reads the file as plainly as can be, and so is libebur128 by a few lines of C. Ours on as many files as there are cores says how
//! it spreads.

use std::cell::OnceCell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::Command;

use ebur128::{EbuR128, Mode};

use crate::contest::done;
use crate::contest::material::{self, HEADER, RATE};
use crate::programs::{self, Stage};
use crate::race::{Entry, Work};

/// What makes this program the scanner instead.
pub const SCAN: &str = "--scan";

/// How far an integrated loudness may be from ours, in LU: some are told in tenths.
const TOLERANCE: f64 = 0.1;

/// Writes `programme.wav`: half a minute of an example, again and again.
pub fn write_programme(stage: &Stage) {
    let session = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/first.rhai");
    let mut render = Command::new(programs::gainstage());
    render.arg("render").arg(session).args(["--length", "30s", "--bits", "32f", "-o"]).arg(stage.path("piece.wav"));
    done(&mut render).expect("gainstage is built: cargo build --release");
    lengthen(&stage.path("piece.wav"), &stage.path("programme.wav"), stage.seconds);
}

/// Lengthens what was rendered to `from`, stereo, to so many seconds.
fn lengthen(from: &Path, to: &Path, seconds: usize) {
    let reader = hound::WavReader::open(from).expect("it was rendered");
    let bytes = u64::from(reader.len()) * 4;
    // Its sound is the last that is in it.
    let mut file = File::open(from).expect("it was rendered");
    let begin = file.metadata().expect("it was rendered").len() - bytes;
    let mut piece = vec![0; bytes as usize];
    file.seek(SeekFrom::Start(begin)).and_then(|_| file.read_exact(&mut piece)).expect("it can be read");
    material::repeat(to, 2, &piece, seconds);
}

pub fn work(stage: &Stage) -> Work {
    write_programme(stage);
    stage.scripts("loudness", &[]);
    let ours = programs::gainstage();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut many = stage.entry("gainstage, a file a core", None, &ours, &["measure", "--json"]);
    many.command = many.command.map(|mut command| {
        command.args(vec!["programme.wav"; cores]);
        command
    });
    let ffmpeg = ["-nostdin", "-nostats", "-i", "programme.wav", "-af", "ebur128=peak=true", "-f", "null", "-"];
    let entries = vec![
        stage.entry("gainstage measure", None, &ours, &["measure", "--json", "programme.wav"]),
        stage.entry("ebur128 crate", None, &programs::this(), &[SCAN, "programme.wav"]),
        stage.entry("ffmpeg ebur128", None, "ffmpeg", &ffmpeg),
        libebur128(stage),
        many,
    ];
    let ours = OnceCell::new();
    let tell = Box::new(move |_: Option<&Path>, said: &str| {
        let figures = figures(said).ok_or("it gives no figures")?;
        let [integrated, range, peak] = figures;
        let told = format!("{integrated:.2} LUFS, {range:.2} LU, {peak:.2} dBTP");
        let apart = (integrated - ours.get_or_init(|| figures)[0]).abs();
        if apart < TOLERANCE { Ok(told) } else { Err(format!("its figures are not the same: {told}")) }
    });
    Work { tell, ..stage.work(format!("loudness of {} s of stereo", stage.seconds), entries, 0.0) }
}

fn libebur128(stage: &Stage) -> Entry {
    let program = stage.path("scan");
    let mut entry = stage.entry("libebur128", None, &program.to_string_lossy(), &["programme.wav"]);
    let made = done(&mut stage.command("cc", &["-O3", "-march=native", "scan.c", "-lebur128", "-lm", "-o", "scan"]));
    entry.command = made.map(|()| stage.command(&program.to_string_lossy(), &["programme.wav"]));
    entry
}

/// The three figures in what somebody says.
fn figures(said: &str) -> Option<[f64; 3]> {
    if let Ok(told) = serde_json::from_str::<serde_json::Value>(said) {
        let figure = |name: &str| told[0][name].as_f64();
        return Some([figure("integrated_lufs")?, figure("loudness_range_lu")?, figure("true_peak_dbtp")?]);
    }
    // The last of its kind is that of the whole.
    let figure = |head: &str| {
        let line = said.lines().rev().find_map(|line| line.trim().strip_prefix(head))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some([figure("I:")?, figure("LRA:")?, figure("Peak:")?])
}

/// The scanner: reads the file as plainly as can be.
pub fn scan(file: &Path) {
    let mut meter = EbuR128::new(2, RATE, Mode::I | Mode::LRA | Mode::TRUE_PEAK).expect("it can be made");
    let mut file = File::open(file).expect("it is there");
    file.seek(SeekFrom::Start(HEADER as u64)).expect("it has a header");
    let mut bytes = vec![0; 1 << 16];
    let mut sound = Vec::new();
    loop {
        let count = file.read(&mut bytes).expect("it can be read");
        if count == 0 {
            break;
        }
        sound.clear();
        sound.extend(bytes[..count].as_chunks().0.iter().map(|x| f32::from_le_bytes(*x)));
        meter.add_frames_f32(&sound).expect("they are whole frames");
    }
    let peak = (0..2).map(|channel| meter.true_peak(channel).expect("it was asked for")).fold(0.0, f64::max);
    let (integrated, range) = (meter.loudness_global(), meter.loudness_range());
    let (integrated, range) = (integrated.unwrap_or(f64::NAN), range.unwrap_or(f64::NAN));
    println!("I: {integrated:.2} LUFS\nLRA: {range:.2} LU\nPeak: {:.2} dBTP", 20.0 * peak.log10());
}
