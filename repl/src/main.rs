//! `gainstage`: a live-coded mixing and mastering desk. This file is its table of contents.

mod address;
mod arguments;
mod changes;
mod chart;
mod check;
mod clock;
mod control;
mod costing;
mod devices;
mod ending;
mod errand;
mod expectations;
mod figures;
mod file_edit;
#[cfg(test)]
mod fuzz;
mod graph;
mod inbox;
mod journal;
mod last_good;
mod latency;
mod learn;
mod levels;
mod lines;
mod link;
mod live_input;
mod load;
mod manual;
mod measure;
mod measuring;
mod meters;
mod midi;
mod new;
mod notices;
mod osc;
mod paint;
mod picture;
mod ping;
mod play;
mod portrait;
mod prompt;
mod recorder;
mod render;
mod replay;
mod revisions;
mod safety;
mod scenes;
mod show;
mod sound;
mod state_dir;
mod status;
mod sweep;
mod tell;
mod text;
mod timeline;
mod trouble;
mod trying;
mod view;
mod watch;
mod why;
mod words;

use std::process::ExitCode;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    #[cfg(unix)]
    endure_full_files();
    let Arguments { command } = Arguments::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    // Texts are evaluated in place there. Where there is no such room, each text says so itself.
    scripting::with_room(|| run(&command)).unwrap_or_else(|_| run(&command))
}

fn run(command: &Command) -> ExitCode {
    let done = match command {
        Command::Play(play) => play::run(play),
        Command::Render(render) => render::run(render),
        Command::Check(check) => check::run(check),
        Command::Graph(graph) => graph::run(graph),
        Command::Devices(devices) => devices::run(devices),
        Command::Words(words) => words::run(words),
        Command::Replay(replay) => replay::run(replay),
        Command::Sweep(sweep) => sweep::run(sweep),
        Command::Measure(measure) => measure::run(measure),
        Command::Ping(ping) => ping::run(ping),
        Command::New(new) => new::run(new),
        Command::Learn(learn) => learn::run(learn),
        Command::Tell(tell) => tell::run(tell),
        Command::Completions(completions) => manual::completions(completions),
        Command::Man(man) => manual::pages(man),
    };
    ending::exit_code(done)
}

/// A file that may not grow further is a full disk, told as one, and not the end of the program.
#[cfg(unix)]
fn endure_full_files() {
    // Whoever takes note of the signal is not ended by it.
    let noted = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, noted);
}
