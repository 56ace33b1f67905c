//! How each program is found, made ready and run. What is made once and then used often, by a compiler or by a language, is made here
//! and not counted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::contest::{self, done, there};
use crate::race::{Entry, Work};

/// Where a work is done: a folder with its scripts and its sounds.
pub struct Stage {
    pub folder: PathBuf,
    pub seconds: usize,
}

impl Stage {
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A work of which nothing more is to be told.
    pub fn work(&self, title: String, entries: Vec<Entry>, tolerance: f64) -> Work {
        Work { title, entries, tolerance, seconds: self.seconds, tell: Box::new(|_, _| Ok(String::new())) }
    }

    /// Copies the scripts of a work.
    pub fn scripts(&self, work: &str, values: &[(&str, String)]) {
        contest::scripts(work, &self.folder, &[values, &[("seconds", self.seconds.to_string())]].concat());
    }

    /// A command that is run in the folder.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder);
        command
    }

    /// Somebody who runs a program, if it is installed.
    pub fn entry(&self, name: &str, sound: Option<&str>, program: &str, arguments: &[&str]) -> Entry {
        let command = there(program).map(|()| self.command(program, arguments));
        let sound = sound.map(|sound| self.path(sound));
        Entry { name: name.to_owned(), note: String::new(), command, sound, is_limit: false }
    }

    /// Ours, which renders a session.
    pub fn gainstage(&self, session: &str) -> Entry {
        let length = format!("{}s", self.seconds);
        let arguments = ["render", session, "-o", "ours.wav", "--length", &length, "--bits", "32f"];
        self.entry("gainstage", Some("ours.wav"), &gainstage(), &arguments)
    }

    /// SuperCollider, whose language writes a score `NAME.osc` that its server plays.
    pub fn supercollider(&self, name: &str) -> Entry {
        let (score, sound) = (format!("{name}.osc"), format!("{name}-sc.wav"));
        let play =
            ["-N", &score, "_", &sound, "48000", "WAV", "float", "-o", "2", "-m", "65536", "-b", "2048", "-w", "256"];
        let mut entry = self.entry("SuperCollider (scsynth)", Some(&sound), "scsynth", &play);
        entry.command = entry.command.and_then(|command| contest::score(&self.folder, name).map(|()| command));
        entry
    }

    pub fn csound(&self, script: &str) -> Entry {
        self.entry("Csound", Some("csound.wav"), "csound", &["-W", "-f", "-o", "csound.wav", "-d", "-m0", script])
    }

    /// Faust: so many programs of one kind in so many groups, and one after them, made by its compiler and the best that C++ has.
    pub fn faust(&self, part: &str, parts: usize, groups: usize, whole: Option<&str>) -> Entry {
        let program = self.path(part).with_extension("program");
        let mut entry = self.entry("Faust (C++)", Some("faust.wav"), &program.to_string_lossy(), &[]);
        let made = || {
            for (name, text) in
                [("faust.cpp", include_str!("faust.cpp")), ("cookbook.lib", include_str!("cookbook.lib"))]
            {
                fs::write(self.path(name), text).map_err(|why| why.to_string())?;
            }
            done(&mut self.command("faust", &["-cn", "Part", "-o", "part.h", part]))?;
            if let Some(whole) = whole {
                done(&mut self.command("faust", &["-cn", "Whole", "-o", "whole.h", whole]))?;
            }
            let mut compiler = self.command("c++", &["-O3", "-march=native", "-ffast-math", "faust.cpp", "-o"]);
            compiler.arg(&program);
            compiler.args([
                format!("-DPARTS={parts}"),
                format!("-DGROUPS={groups}"),
                format!("-DSECONDS={}", self.seconds),
            ]);
            compiler.args(whole.map(|_| "-DWHOLE"));
            done(&mut compiler)
        };
        entry.command = made().map(|()| self.command(&program.to_string_lossy(), &[]));
        entry
    }
}

/// The program that `cargo build --release` makes.
pub fn gainstage() -> String {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/gainstage");
    program.to_string_lossy().into_owned()
}

/// This program, which can be run as one of those that it races.
pub fn this() -> String {
    std::env::current_exe().expect("this program is somewhere").to_string_lossy().into_owned()
}
