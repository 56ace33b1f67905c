//! What patterns promise.

mod errors;
mod laws;
mod methods;
mod table;

use super::*;

/// A pattern of a text.
fn pattern(text: &str) -> Pattern {
    Pattern::parse(text, 0).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The values that begin in some cycles, as `begin end value`, in order.
fn told(pattern: &Pattern, cycles: std::ops::Range<i64>) -> Vec<String> {
    cycles.map(|cycle| line(pattern, cycle)).collect()
}

/// Those of one cycle in one line.
fn line(pattern: &Pattern, cycle: i64) -> String {
    let mut events = pattern.onsets(7, cycle).unwrap();
    let key = |event: &Event| (event.whole.begin, event.whole.end, event.value.to_string());
    events.sort_by_key(key);
    let all: Vec<String> = events.iter().map(|e| format!("{} {} {}", e.whole.begin, e.whole.end, e.value)).collect();
    all.join(", ")
}

/// Random patterns in words, of all that the notation has; no chance unless `drawn`.
struct Maker {
    count: u64,
    seed: u64,
    drawn: bool,
}

impl Maker {
    fn new(seed: u64, drawn: bool) -> Self {
        Maker { count: 0, seed, drawn }
    }

    fn below(&mut self, n: usize) -> usize {
        self.count += 1;
        (crate::random::mix(self.seed ^ crate::random::mix(self.count)) % n as u64) as usize
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn sequence(&mut self, depth: usize) -> String {
        let count = 1 + self.below(4);
        (0..count).map(|_| self.term(depth)).collect::<Vec<_>>().join(" ")
    }

    fn term(&mut self, depth: usize) -> String {
        let kind = if depth > 0 { self.below(9) } else { 0 };
        let mut text = match kind {
            0..4 => self.one(&["bd", "sn:3", "c4", "7", "-2.5", "~", "hh"]).to_string(),
            4 => format!("[{}]", self.sequence(depth - 1)),
            5 => format!("<{}>", self.sequence(depth - 1)),
            6 => format!("{{{}}}%{}", self.sequence(depth - 1), self.one(&["3", "4", "<2 5>"])),
            7 => format!("[{} | {}]", self.sequence(depth - 1), self.sequence(depth - 1)),
            _ => format!("[{}, {}]", self.sequence(depth - 1), self.sequence(depth - 1)),
        };
        if kind == 7 && !self.drawn {
            text = text.replace('|', ",");
        }
        let said =
            ["", "", "", "*2", "*1.5", "/3", "*<2 3>", "/<1 2>", "@3", "!2", "(3,8)", "(<2 3>,5,1)", "?", "?0.2"];
        let count = if self.drawn { said.len() } else { said.len() - 2 };
        text + self.one(&said[..count])
    }
}
