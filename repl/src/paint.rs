//! Colour on a terminal that wants it: never in a file or a pipe, never with `NO_COLOR`.

use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether and how to colour one of the two output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// For standard output.
    pub fn stdout() -> Self {
        Paint { on: wanted(io::stdout().is_terminal()) }
    }

    /// For standard error.
    pub fn stderr() -> Self {
        Paint { on: wanted(io::stderr().is_terminal()) }
    }

    /// Whether there is any colour at all.
    pub fn is_on(self) -> bool {
        self.on
    }

    /// What the eye should find first.
    pub fn bold(self, text: impl Display) -> String {
        self.wrap("1", text)
    }

    /// What may be passed over.
    pub fn dim(self, text: impl Display) -> String {
        self.wrap("2", text)
    }

    /// A number.
    pub fn cyan(self, text: impl Display) -> String {
        self.wrap("36", text)
    }

    /// A text in quotes.
    pub fn green(self, text: impl Display) -> String {
        self.wrap("32", text)
    }

    /// What is wrong.
    pub fn red(self, text: impl Display) -> String {
        self.wrap("1;31", text)
    }

    fn wrap(self, code: &str, text: impl Display) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// Whether the user has asked for words alone.
static PLAIN: AtomicBool = AtomicBool::new(false);

/// From now on there are no colours.
pub fn off() {
    PLAIN.store(true, Ordering::Relaxed);
}

/// Whether the terminal says of itself that it can show no more than text.
pub fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// A text without its colours.
pub fn plain(text: &str) -> String {
    let (mut plain, mut rest) = (String::new(), text);
    while let Some((before, escape)) = rest.split_once("\x1b[") {
        plain += before;
        rest = escape.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

fn wanted(terminal: bool) -> bool {
    let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    terminal && !no_colour && !is_dumb() && !PLAIN.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_untouched_without_colour_and_reset_with_it() {
        assert_eq!(Paint { on: false }.bold("fader"), "fader");
        assert_eq!(Paint { on: true }.bold("fader"), "\x1b[1mfader\x1b[0m");
        assert_eq!(plain(&format!("a {} >> b", Paint { on: true }.red("fader"))), "a fader >> b");
    }

    #[test]
    fn a_pipe_is_never_coloured() {
        assert!(!wanted(false));
    }
}
