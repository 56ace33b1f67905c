//! What is told beside the results, on standard error: what changed, what is wrong, how far a long job is.

use std::cell::RefCell;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::paint::Paint;
use crate::tell::Answer;

/// One line of what happens: `playing first.rhai on Speakers, 48000 Hz`.
pub fn say(line: impl Display) {
    tell(&line.to_string());
}

/// One line of what comes of something that is wrong and has been shown.
pub fn refuse(line: impl Display) {
    mark_refused();
    say(line);
}

/// One line of what is wrong.
pub fn error(message: impl Display) {
    mark_refused();
    tell(&format!("{} {message}", Paint::stderr().red("error:")));
}

/// One line of what may be wrong.
pub fn warning(message: impl Display) {
    tell(&format!("{} {message}", Paint::stderr().bold("warning:")));
}

/// Puts text above a line that is being typed.
type Above = Box<dyn Fn(String) + Send>;

/// Who does, while somebody types.
static ABOVE: Mutex<Option<Above>> = Mutex::new(None);

/// From now on what is told on the terminal goes above the line that is being typed there.
pub fn above(print: impl Fn(String) + Send + 'static) {
    if io::stderr().is_terminal() {
        *ABOVE.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(print));
    }
}

/// Nobody types any more. What was to go above the line has been told.
pub fn below() {
    *ABOVE.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// Tells somebody else.
type Beside = Box<dyn Fn(&str) + Send>;

/// Who does, if anybody is to be told everything.
static BESIDE: Mutex<Option<Beside>> = Mutex::new(None);

/// From now on somebody else is told as well, who tells nothing in turn.
pub fn beside(tell: impl Fn(&str) + Send + 'static) {
    *BESIDE.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(tell));
}

/// Nobody else is told any more.
pub fn alone() {
    *BESIDE.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

thread_local! {
    /// What this thread tells, and whether it refused something, while somebody listens.
    static HEARD: RefCell<Option<(bool, String)>> = const { RefCell::new(None) };
}

/// From now on what this thread tells is kept as well.
pub fn listen() {
    HEARD.set(Some((false, String::new())));
}

/// What this thread has told since it was listened to, which ends with this.
pub fn heard() -> Answer {
    let (refused, told) = HEARD.take().unwrap_or_default();
    Answer::new(refused, &told)
}

/// What is done for somebody else meanwhile is no part of what is listened to.
pub fn unheard<T>(work: impl FnOnce() -> T) -> T {
    let heard = HEARD.take();
    let done = work();
    HEARD.set(heard);
    done
}

fn mark_refused() {
    HEARD.with_borrow_mut(|heard| heard.iter_mut().for_each(|(refused, _)| *refused = true));
}

/// Text that brings its own line ends and colours, such as a diagnostic.
pub fn show(text: &str) {
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    HEARD.with_borrow_mut(|heard| heard.iter_mut().for_each(|(_, told)| *told += &format!("{text}{newline}")));
    BESIDE.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|tell| tell(text));
    if let Some(print) = ABOVE.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
        return print(format!("{text}{newline}"));
    }
    // Nobody can be told that standard error is gone.
    let _ = write!(io::stderr().lock(), "{text}{newline}");
}

fn tell(line: &str) {
    show(&format!("{line}\n"));
}

/// How far a job of a known number of frames is, shown on a terminal only.
pub struct Progress {
    bar: ProgressBar,
    rate: f64,
}

impl Progress {
    /// A job of `frames` frames, `rate` a second of sound.
    pub fn new(what: &str, frames: u64, rate: f64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(frames), target());
        let style = ProgressStyle::with_template("{prefix} [{bar:30}] {percent}% {msg}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
        bar.set_prefix(what.to_owned());
        Progress { bar, rate }
    }

    /// `done` frames are done.
    pub fn at(&self, done: u64) {
        self.bar.set_position(done);
        self.bar.set_message(format!("{:.0}x", speed(done, self.rate, self.bar.elapsed())));
    }

    /// The job is done: the bar goes, and how many times faster than real time it went is returned.
    pub fn finish(self, done: u64) -> f64 {
        let speed = speed(done, self.rate, self.bar.elapsed());
        self.bar.finish_and_clear();
        speed
    }
}

fn target() -> ProgressDrawTarget {
    if io::stderr().is_terminal() { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() }
}

/// How many times faster than it sounds `frames` frames were made.
fn speed(frames: u64, rate: f64, spent: Duration) -> f64 {
    frames as f64 / rate / spent.as_secs_f64().max(1e-9)
}

/// A length of time as it is read on a clock: `0:12.3`, `1:02:03.4`.
pub fn minutes(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round() as u64;
    let (hours, minutes, rest) = (tenths / 36_000, tenths / 600 % 60, tenths % 600);
    let rest = format!("{:02}.{}", rest / 10, rest % 10);
    if hours > 0 { format!("{hours}:{minutes:02}:{rest}") } else { format!("{minutes}:{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thread_tells_is_heard_from_it_alone_and_only_while_it_is_listened_to() {
        say("before");
        listen();
        say("a line");
        std::thread::spawn(|| error("of another")).join().expect("it ends");
        assert_eq!(heard(), Answer { refused: false, text: "a line\n".into() });
        listen();
        refuse("not taken");
        assert_eq!(heard(), Answer { refused: true, text: "not taken\n".into() });
        say("after");
        assert_eq!(heard(), Answer::default());
    }

    #[test]
    fn speed_is_sound_over_time() {
        assert!((speed(480_000, 48_000.0, Duration::from_millis(500)) - 20.0).abs() < 1e-9);
    }
}
