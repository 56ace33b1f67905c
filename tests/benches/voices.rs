//! What voices cost: a hundred of saw into a swept resonant low-pass and a pan, sixty seconds of them, against SuperCollider,
//! Csound, Faust and ChucK, each with a script of its own in `voices/` for the same sound. Who is not there is left out.
//!
//! `cargo build --release && cargo bench -p gainstage-tests --bench voices`. What counts is the time of the processor: its ratio to
//! another's in the same run may be compared, the seconds may not. Compiling is not counted, writing the sound is. All are about as
//! loud, band by band; no voice lies an octave above another, so that it does not matter where in the cycle a saw begins. They are
//! not as clean: of a saw at 5 kHz ours leaves aliases of less than -90 dB, Faust's some of -18 dB.

mod programs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use tempfile::TempDir;

/// Runs of each, in turn, of which the median counts.
const RUNS: usize = 5;

fn main() {
    let folder = TempDir::new().expect("there is room");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/voices");
    for file in fs::read_dir(&here).expect("they are there").flatten() {
        fs::copy(file.path(), folder.path().join(file.file_name())).expect("there is room");
    }
    let contestants = [
        gainstage(),
        supercollider(folder.path()),
        csound(),
        faust(folder.path(), "Faust, a voice a program", "voice.dsp", 100),
        faust(folder.path(), "Faust, one sweep for all", "voices.dsp", 1),
        chuck(),
    ];
    let mut contestants: Vec<(&str, Command)> = contestants.into_iter().flatten().collect();
    for (_, command) in &mut contestants {
        command.current_dir(folder.path());
    }
    let mut times = vec![Vec::new(); contestants.len()];
    for _ in 0..RUNS {
        for ((_, command), times) in contestants.iter_mut().zip(&mut times) {
            times.push(programs::time(command).0);
        }
    }
    println!("{:<24} {:>12} {:>40}", "100 voices, 60 s", "processor", "times as long as ours, least to most");
    for ((name, _), own) in contestants.iter().zip(&times) {
        let processor = sorted(own.clone());
        // Each run against ours of the same turn.
        let ratios = sorted(own.iter().zip(&times[0]).map(|(time, ours)| time / ours).collect());
        let [least, median, most] = [0, RUNS / 2, RUNS - 1].map(|place| ratios[place]);
        println!("{name:<24} {:>10.2} s {median:>22.2}   ({least:>5.2} to {most:>5.2})", processor[RUNS / 2]);
    }
}

fn sorted(mut times: Vec<f64>) -> Vec<f64> {
    times.sort_by(f64::total_cmp);
    times
}

/// How a command ends, if it is there; what it says is not shown.
fn status(command: &mut Command) -> Option<ExitStatus> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()
}

/// Whether a command does what it should.
fn done(command: &mut Command) -> bool {
    status(command).is_some_and(|status| status.success())
}

fn command(program: impl Into<PathBuf>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program.into());
    command.args(arguments);
    command
}

fn gainstage() -> Option<(&'static str, Command)> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/gainstage");
    Some((
        "gainstage",
        command(program, &["render", "voices.rhai", "-o", "ours.wav", "--length", "60s", "--bits", "32f"]),
    ))
}

fn supercollider(folder: &Path) -> Option<(&'static str, Command)> {
    let mut language = command("sclang", &["voices.scd"]);
    language.envs([("QT_QPA_PLATFORM", "offscreen"), ("QTWEBENGINE_DISABLE_SANDBOX", "1")]).current_dir(folder);
    let play = ["-N", "voices.osc", "_", "sc.wav", "48000", "WAV", "float", "-o", "2"];
    done(&mut language).then(|| ("SuperCollider (scsynth)", command("scsynth", &play)))
}

fn csound() -> Option<(&'static str, Command)> {
    let there = done(&mut command("csound", &["--version"]));
    there.then(|| ("Csound", command("csound", &["-f", "-o", "csound.wav", "voices.csd"])))
}

/// A program for each voice, as Faust plays notes; or one for all, which works the sweep out once.
fn faust(folder: &Path, name: &'static str, source: &str, programs: usize) -> Option<(&'static str, Command)> {
    let program = folder.join(source).with_extension("program");
    // Without an architecture for files it is driven by a few lines that count sixty seconds.
    let made = done(command("faust", &["-i", "-a", "faust.cpp", "-o", "made.cpp", source]).current_dir(folder))
        && done(
            command("c++", &["-O3", "-march=native", "-ffast-math", "made.cpp"])
                .args([format!("-DVOICES={programs}"), "-o".to_owned()])
                .arg(&program)
                .current_dir(folder),
        );
    made.then(|| (name, command(program, &[])))
}

fn chuck() -> Option<(&'static str, Command)> {
    // Asked for its version, it says it, and fails.
    let there = status(&mut command("chuck", &["--version"])).is_some();
    there.then(|| ("ChucK", command("chuck", &["--silent", "voices.ck"])))
}
