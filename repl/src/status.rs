//! What is told beside the results, on standard error: what changed, what is wrong, how far a long job is.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::paint::Paint;

/// One line of what happens: `playing first.rhai on Speakers, 48000 Hz`.
pub fn say(line: impl Display) {
    tell(&line.to_string());
}

/// One line of what is wrong.
pub fn error(message: impl Display) {
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

/// Text that brings its own line ends and colours, such as a diagnostic.
pub fn show(text: &str) {
    let newline = if text.ends_with('\n') { "" } else { "\n" };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_sound_over_time() {
        assert!((speed(480_000, 48_000.0, Duration::from_millis(500)) - 20.0).abs() < 1e-9);
    }
}
