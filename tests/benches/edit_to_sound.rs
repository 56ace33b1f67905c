//! From a save to the sound of it: the program plays a session of 200 lines to the silent device, 64 frames at a time, and is
//! given 200 edits. Measured is the time from the file's being closed to the program's saying that the new plan is heard, and then
//! the same from Enter at the prompt, in a terminal.
//!
//! `cargo build --release && cargo bench -p gainstage-tests --bench edit_to_sound`.

mod release;

use engine::desk::Desk;
use engine::graph::prepare;
use engine::media::Library;
use engine::render::Taken;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use release::{program, show};

const SAVES: usize = 200;

/// Between saves: longer than any fade, so that each finds the desk settled.
const PAUSE: Duration = Duration::from_millis(40);

fn session(fader: f64) -> String {
    let mut text = String::from("title(\"two hundred lines\");\nlet mix = bus(\"mix\");\n");
    for i in 1..=49 {
        text.push_str(&format!(
            "let in{i} = input(\"in-{i}\", sine({}).level(-40));\nin{i} >> eq().bell(400, -3, 1.2).bell(2500, 2, 1)\n\
             \x20   >> compressor(-45, 3).attack(8.ms).release(120.ms)\n    >> fader({}) >> mix;\n",
            100 + 3 * i,
            if i == 25 { fader } else { -6.0 },
        ));
    }
    text + "mix >> limiter(-1) >> master;\n// two hundred\n"
}

/// What each step of an edit takes, without a program, files or a device.
fn steps() {
    let library = Library::new();
    let path = Path::new("bench.rhai");
    let [mut evaluated, mut prepared, mut compiled] = [const { Vec::new() }; 3];
    let mut desk: Option<Desk> = None;
    let timed = |times: &mut Vec<f64>, begun: Instant| times.push(begun.elapsed().as_secs_f64() * 1000.0);
    for i in 0..=SAVES {
        let text = session(-(i as f64) / 10.0);
        let begun = Instant::now();
        let session = scripting::evaluate_text(path, &text).session.expect("the session is right");
        timed(&mut evaluated, begun);
        let begun = Instant::now();
        let graph = prepare(session, &library).graph.expect("the session can sound");
        timed(&mut prepared, begun);
        let begun = Instant::now();
        match &mut desk {
            None => desk = Some(Desk::open(&graph, None).expect("the plan proves right").0),
            Some(desk) => {
                desk.edit(&graph, None).expect("the plan proves right");
                desk.taken_up(Taken { clock: 0, at: 0, heard: 0 });
                timed(&mut compiled, begun);
            }
        }
    }
    show("evaluate", evaluated);
    show("check and lower", prepared);
    show("diff, compile, verify", compiled);
}

fn main() {
    steps();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("session.rhai");
    std::fs::write(&file, session(0.0)).expect("the session can be written");
    let mut child = Command::new(program())
        .args(["play", "--device", "none", "--no-prompt"])
        .arg(&file)
        .stderr(Stdio::piped())
        .spawn()
        .expect("build the program first: cargo build --release");
    let (told, heard) = mpsc::channel();
    let lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if line.starts_with("changed") {
                let _ = told.send(Instant::now());
            }
        }
    });
    thread::sleep(Duration::from_millis(500));
    let times: Vec<f64> = (1..=SAVES)
        .map(|i| {
            std::fs::write(&file, session(-(i as f64) / 10.0)).expect("the session can be written");
            let closed = Instant::now();
            let heard = heard.recv_timeout(Duration::from_secs(5)).expect("the edit is heard");
            thread::sleep(PAUSE);
            heard.saturating_duration_since(closed).as_secs_f64() * 1000.0
        })
        .collect();
    child.kill().expect("it can be stopped");
    child.wait().expect("it ends");
    show("save to sound", times);
    #[cfg(unix)]
    typed(&file);
}

/// From Enter to the sound of a line: each changes the level of one strip.
#[cfg(unix)]
fn typed(file: &Path) {
    use std::io::{Read, Write};

    std::fs::write(file, session(0.0)).expect("the session can be written");
    let (terminal, other_side) = pty_process::blocking::open().expect("there are terminals");
    terminal.resize(pty_process::Size::new(30, 100)).expect("it has a size");
    let mut child = pty_process::blocking::Command::new(program())
        .args(["play", "--device", "none", "--osc", "none", "--journal", "none"])
        .arg(file)
        .env("TERM", "xterm")
        .env("XDG_STATE_HOME", file.with_file_name("state"))
        .spawn(other_side)
        .expect("the program starts");
    thread::sleep(Duration::from_millis(500));
    let times = thread::scope(|scope| {
        let (told, heard) = mpsc::channel();
        let mut shown = &terminal;
        scope.spawn(move || {
            // What is shown comes in pieces.
            let (mut bytes, mut seen) = ([0; 4096], Vec::new());
            while let Ok(count @ 1..) = shown.read(&mut bytes) {
                seen.extend_from_slice(&bytes[..count]);
                if let Some(at) = seen.windows(9).position(|part| part == b"changed i") {
                    seen.drain(..at + 9);
                    let _ = told.send(Instant::now());
                }
            }
        });
        let mut keys = &terminal;
        let times: Vec<f64> = (1..=SAVES)
            .map(|i| {
                let line = format!("set(\"in-25/fader.gain\", -{})", i as f64 / 10.0);
                keys.write_all(line.as_bytes()).expect("it listens");
                thread::sleep(PAUSE);
                let entered = Instant::now();
                keys.write_all(b"\r").expect("it listens");
                let heard = heard.recv_timeout(Duration::from_secs(5)).expect("the line is heard");
                thread::sleep(PAUSE);
                heard.saturating_duration_since(entered).as_secs_f64() * 1000.0
            })
            .collect();
        child.kill().expect("it can be stopped");
        child.wait().expect("it ends");
        times
    });
    show("Enter to sound", times);
}
