//! The program at a terminal of its own: what is typed goes to it key by key, and what can be asked is what a person would see
//! on the screen.

use std::cell::{RefCell, RefMut};
use std::fmt::Debug;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, tcgetattr};
use vt100::{Parser, Screen};

use crate::program::gainstage;

/// How long to wait for what must come: generous, for machines with much else to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many lines that have left the screen at its top are remembered.
const REMEMBERED: usize = 2000;

/// Keys that have no letter.
pub mod key {
    pub const ENTER: &str = "\r";
    pub const TAB: &str = "\t";
    pub const UP: &str = "\x1b[A";
    pub const CTRL_C: &str = "\x03";
    pub const CTRL_D: &str = "\x04";
    pub const CTRL_R: &str = "\x12";
    pub const CTRL_U: &str = "\x15";
}

/// What stands at the beginning of a line that is being typed.
const PROMPT: &str = ">";

/// What has arrived.
struct Arrived {
    parser: Parser,
    more: Receiver<Vec<u8>>,
    /// Whether nothing more will.
    is_over: bool,
}

/// A program at a terminal.
pub struct Terminal {
    child: Child,
    keys: Sender<Vec<u8>>,
    /// The terminal; closed once nobody has it any more.
    pty: Option<Arc<Pty>>,
    arrived: RefCell<Arrived>,
}

impl Terminal {
    /// Starts the program in a folder, at a screen of some rows and columns. What it keeps from one run to the next is kept in the
    /// folder `state` there.
    pub fn of_size((rows, columns): (u16, u16), folder: &Path, arguments: &[&str]) -> Self {
        let (pty, child_side) = open().expect("there are pseudo-terminals");
        pty.resize(Size::new(rows, columns)).expect("it has a size");
        let mut command = gainstage(arguments);
        command.stdin(Stdio::inherit()).current_dir(folder).env("TERM", "xterm-256color");
        command.env("XDG_STATE_HOME", folder.join("state"));
        let child = Command::from(command).spawn(child_side).expect("the program starts");
        let pty = Arc::new(pty);
        let parser = Parser::new(at_least_one(rows), at_least_one(columns), REMEMBERED);
        let (to, more) = mpsc::channel();
        let arrived = RefCell::new(Arrived { parser, more, is_over: false });
        let (keys, typed) = mpsc::channel::<Vec<u8>>();
        // A program that does not listen must not keep the test from looking.
        let keyboard = pty.clone();
        thread::spawn(move || typed.iter().try_for_each(|keys| (&*keyboard).write_all(&keys)));
        let from = Arc::downgrade(&pty);
        thread::spawn(move || listen(&from, &to));
        Terminal { child, keys, pty: Some(pty), arrived }
    }

    /// Plays `session.rhai` of a folder to nobody, on a screen of 30 rows and 100 columns, and waits for the prompt.
    pub fn playing(folder: &Path, more: &[&str]) -> Self {
        Self::playing_of_size((30, 100), folder, more)
    }

    /// The same on a screen of some rows and columns.
    pub fn playing_of_size(size: (u16, u16), folder: &Path, more: &[&str]) -> Self {
        let mut arguments = vec!["play", "session.rhai", "--device", "none"];
        if !more.contains(&"--osc") {
            arguments.extend(["--osc", "none"]);
        }
        let terminal = Self::of_size(size, folder, &[&arguments[..], more].concat());
        terminal.prompts();
        terminal
    }

    /// Types: text, [`key`]s, or whatever bytes a terminal could send.
    pub fn types(&self, keys: impl AsRef<[u8]>) {
        self.keys.send(keys.as_ref().to_vec()).expect("there is somebody to type for");
    }

    /// Types a line and Enter.
    pub fn enters(&self, line: &str) {
        self.types(format!("{line}{}", key::ENTER));
    }

    /// Types a line and Enter once there is an empty prompt, and waits until something is told that was not told before, and for
    /// the prompt thereafter.
    pub fn asks(&self, line: &str, told: &str) {
        self.prompts();
        let before = self.times_told(told);
        self.enters(line);
        self.tells_again(told, before);
        self.prompts();
    }

    /// Waits until something is told that was told so often before.
    pub fn tells_again(&self, told: &str, before: usize) {
        self.sees(("once more", told), |screen| count(&everything(screen), told) > before);
    }

    /// How often something has been told so far, also above what the screen shows now.
    pub fn times_told(&self, told: &str) -> usize {
        count(&everything(self.look().parser.screen()), told)
    }

    /// Waits for an empty prompt.
    pub fn prompts(&self) {
        self.sees("an empty prompt", is_empty_prompt);
    }

    /// Waits until the screen shows a text.
    pub fn shows(&self, text: &str) {
        self.sees(text, |screen| shown(screen).contains(text));
    }

    /// Waits until what is being typed stands so on the screen, whole, as its last line, with the cursor at its end.
    pub fn holds(&self, line: &str) {
        let held = format!("{PROMPT} {line}");
        self.sees(("the line", line), |screen| typed(screen).trim_end() == held.trim_end());
    }

    /// Has the screen drawn anew with Ctrl-L until what is being typed stands on it whole: a program hears of another size when
    /// it does.
    pub fn draws_anew(&self, line: &str) {
        let held = format!("{PROMPT} {line}");
        let (mut drawn, often) = (Instant::now(), Duration::from_secs(1));
        self.types("\x0c");
        self.sees(("the line drawn anew", line), |screen| {
            if drawn.elapsed() > often {
                drawn = Instant::now();
                self.types("\x0c");
            }
            typed(screen).trim_end() == held.trim_end()
        });
    }

    /// Waits until the screen is as wanted. `wanted` tells what that is.
    pub fn sees(&self, wanted: impl Debug, mut is_so: impl FnMut(&Screen) -> bool) {
        let begun = Instant::now();
        loop {
            let arrived = self.look();
            if is_so(arrived.parser.screen()) {
                return;
            }
            if arrived.is_over || begun.elapsed() > PATIENCE {
                let (shown, is_over) = (shown(arrived.parser.screen()), arrived.is_over);
                drop(arrived);
                panic!("{wanted:?} does not come{}:\n{shown}", if is_over { " before the end" } else { "" });
            }
            drop(arrived);
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Everything that was shown and told so far, with what has left the screen at its top.
    pub fn told(&self) -> String {
        everything(self.look().parser.screen())
    }

    /// Makes the screen larger or smaller.
    pub fn resizes(&self, (rows, columns): (u16, u16)) {
        let pty = self.pty.as_ref().expect("the terminal is open");
        self.look().parser.set_size(at_least_one(rows), at_least_one(columns));
        pty.resize(Size::new(rows, columns)).expect("it has a size");
    }

    /// Whether the terminal is as a shell wants it: what is typed is shown, and arrives line by line.
    pub fn is_as_a_shell_wants_it(&self) -> bool {
        let pty = self.pty.as_ref().expect("the terminal is open");
        let modes = tcgetattr(pty).expect("a terminal has modes").local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN)
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is there");
    }

    /// Closes the terminal, as somebody does who closes its window.
    pub fn closes(&mut self) {
        // The one who types lets go of it too.
        self.keys = mpsc::channel().0;
        self.pty = None;
    }

    /// Waits for its end, and for all that it has still written; the exit status, or the signal that ended it, as a shell tells
    /// it.
    pub fn ends(&mut self) -> i32 {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let has_ended = self.child.try_wait().expect("it can be asked");
            if let Some(status) = has_ended.filter(|_| self.look().is_over) {
                return status.code().or_else(|| status.signal().map(|signal| 128 + signal)).expect("it has ended");
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end:\n{}", self.told());
    }

    /// Types Ctrl-D and sees it end as it should.
    pub fn leaves(mut self) {
        self.prompts();
        self.types(key::CTRL_D);
        assert_eq!(self.ends(), 0, "{}", self.told());
        assert!(self.is_as_a_shell_wants_it());
    }

    /// Takes in what has arrived by now.
    fn look(&self) -> RefMut<'_, Arrived> {
        let mut arrived = self.arrived.borrow_mut();
        loop {
            match arrived.more.try_recv() {
                Ok(bytes) => arrived.parser.process(&bytes),
                Err(TryRecvError::Empty) => return arrived,
                Err(TryRecvError::Disconnected) => {
                    arrived.is_over = true;
                    return arrived;
                }
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Of one that has ended there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn at_least_one(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a screen has rows and columns")
}

/// Passes on what the program writes, until there is no terminal or no program any more.
fn listen(from: &Weak<Pty>, to: &Sender<Vec<u8>>) {
    let moment = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
    let mut bytes = [0; 16_384];
    while let Some(pty) = from.upgrade() {
        // A terminal that somebody reads cannot be closed.
        match poll(&mut [PollFd::new(&*pty, PollFlags::IN)], Some(&moment)) {
            Ok(0) => {}
            Ok(_) => match (&*pty).read(&mut bytes) {
                Ok(count @ 1..) if to.send(bytes[..count].to_vec()).is_ok() => {}
                // Nobody looks any more, or, as Linux says it, nobody has the other side open.
                _ => return,
            },
            Err(_) => return,
        }
    }
}

/// What a screen shows: a row that is full goes on in the next.
fn shown(screen: &Screen) -> String {
    let (_, columns) = screen.size();
    let rows = screen.rows(0, columns.get()).zip(0..);
    let mut text = String::new();
    for (row, i) in rows {
        text += &row;
        let is_full = screen.cell(i, columns.get() - 1).is_some_and(|cell| cell.has_contents());
        if !is_full && !screen.row_wrapped(i) {
            text.push('\n');
        }
    }
    text
}

/// All that a screen remembers.
fn everything(screen: &Screen) -> String {
    let mut screen = screen.clone();
    let (_, columns) = screen.size();
    let mut text = String::new();
    for above in (1..=screen.scrollback_len()).rev() {
        screen.set_scrollback(above);
        text.extend(screen.rows(0, columns.get()).next());
        if !screen.row_wrapped(0) {
            text.push('\n');
        }
    }
    screen.set_scrollback(0);
    text + shown(&screen).as_str()
}

/// How often something stands in a text, what was typed aside.
fn count(text: &str, told: &str) -> usize {
    text.lines().filter(|line| !line.starts_with(PROMPT)).map(|line| line.matches(told).count()).sum()
}

/// What stands on a screen from the last prompt on.
fn typed(screen: &Screen) -> String {
    let shown = shown(screen);
    let lines: Vec<&str> = shown.lines().collect();
    let begin = lines.iter().rposition(|line| line.starts_with(PROMPT)).unwrap_or(lines.len());
    lines[begin..].join("\n")
}

/// Whether nothing is typed, and something could be.
fn is_empty_prompt(screen: &Screen) -> bool {
    let (row, column) = screen.cursor_position();
    let begins = screen.rows(0, column).nth(row.into()).is_some_and(|line| line.trim_end() == PROMPT);
    begins && typed(screen).trim_end() == PROMPT
}
