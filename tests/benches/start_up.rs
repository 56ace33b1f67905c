//! From the command to the first sound: an example, and 64 strips, each of a file of its own, played to the silent device. Measured
//! is the time until the program says that it plays, which it does as the device begins, in turn with `gainstage check` of the same
//! session: how many times as long as that it takes may be compared between machines, the milliseconds may not.
//!
//! `cargo build --release && cargo bench -p gainstage-tests --bench start_up [-- RUNS]`.

mod release;
mod strips_of_files;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use release::{program, show};
use strips_of_files::median;

/// Runs of each, unless said.
const RUNS: usize = 15;

/// Seconds of each file.
const SECONDS: u32 = 20;

fn main() {
    let runs = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(RUNS);
    let folder = tempfile::tempdir().expect("a folder");
    strips_of_files::write(folder.path(), SECONDS);
    let strips = folder.path().join("session.rhai");
    std::fs::write(&strips, strips_of_files::session(-6.0)).expect("the session can be written");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/first.rhai");
    for (name, session) in [("the first example", &example), ("64 strips of files", &strips)] {
        let (mut played, mut checked) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            played.push(played_after(session, folder.path()));
            checked.push(checked_after(session));
        }
        let ratio = median(&played) / median(&checked);
        println!("{name}: it plays after {ratio:.2} times as long as it is checked");
        show("  to the first sound", played);
        show("  checked", checked);
    }
}

/// How long it is until a session plays, in milliseconds.
fn played_after(session: &Path, state: &Path) -> f64 {
    let begun = Instant::now();
    let mut child = Command::new(program())
        .args(["play", "--device", "none", "--no-prompt", "--osc", "none"])
        .arg(session)
        .env("XDG_STATE_HOME", state)
        .stderr(Stdio::piped())
        .spawn()
        .expect("build the program first: cargo build --release");
    let lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let said = lines.map_while(Result::ok).find(|line| line.starts_with("playing"));
    let took = begun.elapsed();
    child.kill().expect("it can be stopped");
    child.wait().expect("it ends");
    said.expect("it plays");
    took.as_secs_f64() * 1000.0
}

/// How long checking a session takes, in milliseconds.
fn checked_after(session: &Path) -> f64 {
    let begun = Instant::now();
    let checked = Command::new(program()).arg("check").arg(session).output().expect("the program starts");
    assert!(checked.status.success());
    begun.elapsed().as_secs_f64() * 1000.0
}
