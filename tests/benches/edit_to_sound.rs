//! From a save to the sound of it: the program plays a session of 64 strips, each of a file of its own, to the silent device, 64
//! frames at a time, and is given 200 edits. Measured is what each step takes, and how much of all of them that is; then the time
//! from the file's being closed to the program's saying that the new plan is heard, and the same from Enter at the prompt, in a
//! terminal.
//!
//! `cargo build --release && cargo bench -p gainstage-tests --bench edit_to_sound [-- EDITS]`.

mod release;
mod strips_of_files;

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
use strips_of_files::{STRIPS, files, median};

/// Edits, unless said.
const SAVES: usize = 200;

/// Between saves: longer than any fade, so that each finds the desk settled.
const PAUSE: Duration = Duration::from_millis(40);

fn session(fader: f64) -> String {
    strips_of_files::session(if fader == 0.0 { -6.0 } else { fader })
}

/// What each step of an edit takes, without a program or a device.
fn steps(folder: &Path, saves: usize) {
    let library = Library::new();
    let path = folder.join("session.rhai");
    let [mut evaluated, mut looked_up, mut prepared, mut compiled] = [const { Vec::new() }; 4];
    let mut desk: Option<Desk> = None;
    let timed = |times: &mut Vec<f64>, begun: Instant| times.push(begun.elapsed().as_secs_f64() * 1000.0);
    for i in 0..=saves {
        let text = session(-(i as f64) / 10.0);
        let begun = Instant::now();
        let session = scripting::evaluate_text(&path, &text).session.expect("the session is right");
        timed(&mut evaluated, begun);
        // Once more beside the check, which does it too.
        let begun = Instant::now();
        let media: Vec<_> =
            files(folder).iter().map(|file| library.open(file, session.sample_rate).expect("it is there")).collect();
        timed(&mut looked_up, begun);
        let begun = Instant::now();
        let graph = prepare(session, &library).graph.expect("the session can sound");
        timed(&mut prepared, begun);
        drop(media);
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
    // The first has decoded everything.
    let steps = [
        ("evaluate", &evaluated[1..]),
        ("check, media and lower", &prepared[1..]),
        ("diff, compile, verify", &compiled[..]),
    ];
    let whole: f64 = steps.iter().map(|(_, times)| median(times)).sum();
    for (name, times) in steps {
        show(name, times.to_vec());
        println!("{:>22} {:>3.0} % of the three", "", 100.0 * median(times) / whole);
    }
    show("of that, media", looked_up[1..].to_vec());
}

fn main() {
    let saves = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(SAVES);
    let folder = tempfile::tempdir().expect("a folder");
    strips_of_files::write(folder.path(), 1);
    println!("{STRIPS} strips of files, {saves} edits");
    scripting::with_room(|| steps(folder.path(), saves)).expect("there is room");
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
    let times: Vec<f64> = (1..=saves)
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
    typed(&file, saves);
}

/// From Enter to the sound of a line: each changes the level of one strip.
#[cfg(unix)]
fn typed(file: &Path, saves: usize) {
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
        let times: Vec<f64> = (1..=saves)
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
