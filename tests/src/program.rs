//! The program as a person runs it: what `cargo build` made, what it says, and the files it leaves.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How long to wait for what must come: generous, for machines with much else to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// The folder of the examples.
pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").canonicalize().expect("there are examples")
}

/// The built program. Cargo builds no other package's program for a test, and a test of yesterday's would be worse
/// than none: so it must be there, and newer than everything it was made from.
pub fn path() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let program = assert_cmd::cargo::cargo_bin("gainstage");
        let shown = program.display();
        let made = modified(&program).unwrap_or_else(|| panic!("{shown} is not there: run `cargo build` first"));
        let sources = fs::read_to_string(program.with_extension("d")).expect("cargo lists what it made it from");
        // `program: source source ...`, with escaped spaces.
        for source in sources.replace("\\ ", "\0").split_whitespace().skip(1) {
            let source = PathBuf::from(source.replace('\0', " "));
            let newer = modified(&source).is_none_or(|changed| changed > made);
            assert!(!newer, "{shown} is older than {}: run `cargo build` first", source.display());
        }
        program
    })
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}

/// A run of the program with these arguments, yet to begin. Nothing of the terminal around it reaches it, and what it
/// keeps in the user's state directory lies beside the program.
pub fn gainstage<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(path());
    command.args(arguments).stdin(Stdio::null()).env_remove("NO_COLOR");
    command.env("XDG_STATE_HOME", path().with_file_name("state-of-tests"));
    command
}

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    /// The exit status.
    pub status: i32,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("what is said is text");
        let status = output.status.code().expect("it ended of its own accord");
        Ran { status, out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Runs the program in a folder, to its end.
pub fn run_in(folder: &Path, arguments: &[&str]) -> Ran {
    gainstage(arguments).current_dir(folder).output().expect("the program starts").into()
}

/// The same, for what must be done without complaint.
pub fn done_in(folder: &Path, arguments: &[&str]) -> Ran {
    let ran = run_in(folder, arguments);
    assert_eq!(ran.status, 0, "{arguments:?}: {ran:?}");
    ran
}

/// A program that runs while a test does something to it.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    /// Every line so far.
    pub told: Vec<String>,
}

impl Running {
    /// Starts the program in a folder.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = gainstage(arguments);
        command.current_dir(folder);
        Running::of(command)
    }

    /// Starts the program in a folder, with somebody who types.
    pub fn typed_to(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = gainstage(arguments);
        command.current_dir(folder).stdin(Stdio::piped());
        Running::of(command)
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        let keys = self.child.stdin.as_mut().expect("somebody types");
        writeln!(keys, "{line}").and_then(|()| keys.flush()).expect("it is still there");
    }

    /// Types no more.
    pub fn hangs_up(&mut self) {
        self.child.stdin = None;
    }

    /// Starts a program that is about to begin.
    pub fn of(mut command: Command) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let from = BufReader::new(child.stderr.take().expect("it is piped"));
        let (to, lines) = mpsc::channel();
        thread::spawn(move || from.lines().map_while(Result::ok).try_for_each(|line| to.send(line)));
        Running { child, lines, told: Vec::new() }
    }

    /// The next line it says.
    pub fn line(&mut self) -> String {
        let line = self.lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|_| panic!("it says nothing more after {:#?}", self.told));
        self.told.push(line.clone());
        line
    }

    /// Waits for a line with this in it.
    pub fn says(&mut self, part: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(part) {
                return line;
            }
        }
    }

    /// As a machine that fails does it: nothing is closed and nothing is said.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is still there");
        self.child.wait().expect("it ends");
    }

    /// As Ctrl-C does it.
    pub fn interrupt(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", &format!("kill -INT {pid}")]).status().expect("there is a shell");
        assert!(sent.success(), "it is still there");
    }

    /// Waits for its end and gives the exit status.
    pub fn end(&mut self) -> i32 {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                self.told.extend(self.lines.iter());
                return status.code().unwrap_or_else(|| panic!("it was killed: {status}"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end after {:#?}", self.told);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Of one that has ended there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
