//! What measuring costs: ten minutes of stereo, against ffmpeg's `ebur128=peak=true` and the scanner of the ebur128 crate.
//!
//! `cargo build --release && cargo bench -p gainstage-tests --bench measure [-- SECONDS]`. All three read the same file of
//! 32-bit floats, an example rendered and repeated, and give integrated loudness, range and true peak; ours gives the rest as well. What counts is the time of the
//! processor, of all threads: its ratio to another's in the same run may be compared, the seconds may not. Ours on as many files as there are cores says how it spreads.

mod programs;

use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use ebur128::{EbuR128, Mode};
use engine::graph::prepare;
use engine::media::Library;
use engine::offline::Offline;

/// Seconds of sound, unless said.
const SECONDS: usize = 600;

/// Seconds of the example that are rendered, and then repeated.
const PIECE: usize = 30;

/// Runs of each, in turn, of which the median counts.
const RUNS: usize = 5;

const RATE: u32 = 48_000;

/// What makes this program the scanner instead.
const SCAN: &str = "--scan";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == SCAN) {
        return scan(Path::new(&arguments[at + 1]));
    }
    let seconds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(SECONDS);
    let folder = tempfile::TempDir::new().expect("there is room");
    let file = programme(folder.path(), seconds);
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/gainstage");
    let scanner = std::env::current_exe().expect("this program is somewhere");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let copies = vec![file.clone(); cores];
    let ours = |files: &[PathBuf]| {
        let mut command = Command::new(&program);
        command.arg("measure").arg("--json").args(files);
        command
    };
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-nostats", "-i"]).arg(&file).args(["-af", "ebur128=peak=true", "-f", "null", "-"]);
    let mut scanned = Command::new(scanner);
    scanned.arg(SCAN).arg(&file);
    let mut contestants = vec![("gainstage measure".to_owned(), ours(&copies[..1])), ("ebur128 crate".into(), scanned)];
    match Command::new("ffmpeg").arg("-version").output() {
        Ok(_) => contestants.push(("ffmpeg ebur128".into(), ffmpeg)),
        Err(why) => println!("ffmpeg cannot be asked: {why}"),
    }
    contestants.push((format!("gainstage, {cores} files"), ours(&copies)));
    let mut times = vec![Vec::new(); contestants.len()];
    for _ in 0..RUNS {
        for ((_, command), times) in contestants.iter_mut().zip(&mut times) {
            times.push(programs::time(command));
        }
    }
    let medians: Vec<(f64, f64)> = times
        .iter_mut()
        .map(|times| {
            times.sort_by(|a, b| a.0.total_cmp(&b.0));
            times[RUNS / 2]
        })
        .collect();
    println!("{:<24} {:>12} {:>12} {:>22}", "10 minutes of stereo", "processor", "clock", "times as long as ours");
    for ((name, _), (processor, clock)) in contestants.iter().zip(&medians) {
        println!("{name:<24} {processor:>10.2} s {clock:>10.2} s {:>22.2}", processor / medians[0].0);
    }
}

/// A file of an example, repeated.
fn programme(folder: &Path, seconds: usize) -> PathBuf {
    let session = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/first.rhai");
    let text = fs::read_to_string(&session).expect("there is the example");
    let session = scripting::evaluate_text(&session, &text).session.expect("it is right");
    let graph = prepare(session, &Library::new()).graph.expect("it can sound");
    let mut piece = Vec::new();
    let mut offline = Offline::new(&graph, None).expect("the plan proves right");
    let rendered: Result<(), Infallible> = offline.render(
        PIECE as u64 * u64::from(RATE),
        |_| {},
        |_, sound| {
            for frame in 0..sound[0].len() {
                piece.extend(sound.iter().flat_map(|channel| (channel[frame] as f32).to_le_bytes()));
            }
            Ok(())
        },
    );
    rendered.unwrap_or_else(|never| match never {});
    let file = folder.join("programme.wav");
    let bytes = piece.len() * seconds / PIECE / 8 * 8;
    let mut into = BufWriter::new(File::create(&file).expect("there is room"));
    let mut header = b"RIFF".to_vec();
    header.extend((bytes as u32 + 36).to_le_bytes());
    header.extend(b"WAVEfmt \x10\0\0\0\x03\0\x02\0");
    header.extend([RATE, RATE * 8].map(u32::to_le_bytes).concat());
    header.extend(b"\x08\0\x20\0data");
    header.extend((bytes as u32).to_le_bytes());
    into.write_all(&header).expect("there is room");
    let mut left = bytes;
    while left > 0 {
        let count = left.min(piece.len());
        into.write_all(&piece[..count]).expect("there is room");
        left -= count;
    }
    into.flush().expect("there is room");
    file
}

/// The scanner: reads the file as plainly as can be.
fn scan(file: &Path) {
    let mut meter = EbuR128::new(2, RATE, Mode::I | Mode::LRA | Mode::TRUE_PEAK).expect("it can be made");
    let mut file = File::open(file).expect("it is there");
    let mut bytes = vec![0; 1 << 16];
    let mut sound = Vec::new();
    file.read_exact(&mut bytes[..44]).expect("it has a header");
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
    println!("{:?} {:?} {}", integrated, range, 20.0 * peak.log10());
}
