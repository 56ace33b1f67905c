//! The lines that follow a session's file, written into it: each at the declaration that it changes where that is possible, and
//! behind the file where it is not.
//!
//! For each line there are ways to write it, from the tidiest to the plainest ([`ways`] thinks them up), and the first is taken
//! with which the whole still [means](meaning) what file and lines meant together. So a way need not be right to be tried:
//! one that is wrong is not taken.

mod meaning;
mod script;
mod settings;
mod ways;

use engine::session::Session;

use crate::evaluate::{SourceFile, evaluate_played};
use crate::typing;
use meaning::{Meaning, meaning};
use script::Script;

/// Text for a session's file that means what the file means with the lines behind it. `files` are the session's file and what
/// it imports, as [`crate::Evaluated::files`] gave them.
///
/// # Errors
/// File and lines are wrong together, or a line cannot be said in a file: in words.
pub fn fold(files: &[SourceFile], lines: &[String]) -> Result<String, String> {
    let Some((file, others)) = files.split_first() else { return Err("there is no file".into()) };
    let whole = || Whole { file, others, text: file.text.clone(), lines: lines.to_vec() };
    let wanted = whole().means().ok_or("the text is wrong as it stands")?;
    let wanted = &wanted;
    let folded = whole().in_statements(wanted).folded(wanted, true);
    // What one line was folded into may be in the way of another.
    folded.or_else(|_| whole().folded(wanted, false)).map_err(|line| format!("`{line}` cannot be said in a file"))
}

/// A file that some lines are written into by now, and those that still follow it.
struct Whole<'a> {
    file: &'a SourceFile,
    others: &'a [SourceFile],
    text: String,
    lines: Vec<String>,
}

impl Whole<'_> {
    /// What a text declares with lines behind it, if nothing is wrong with it.
    fn session(&self, text: &str, lines: &[String]) -> Option<Session> {
        let file = SourceFile { text: text.to_owned(), ..self.file.clone() };
        let line = |text: &String| SourceFile { path: self.file.path.clone(), text: text.clone(), is_line: true };
        let files: Vec<SourceFile> =
            [file].into_iter().chain(lines.iter().map(line)).chain(self.others.iter().cloned()).collect();
        evaluate_played(&files).session
    }

    fn means(&self) -> Option<Meaning> {
        self.session(&self.text, &self.lines).and_then(meaning)
    }

    /// Each statement as a line of its own, if that means the same.
    fn in_statements(mut self, wanted: &Meaning) -> Self {
        let apart = |line: &String| match typing::statements(line) {
            Some(several) if several.len() > 1 => several.into_iter().map(|(_, statement)| statement).collect(),
            _ => vec![line.clone()],
        };
        let apart = self.lines.iter().flat_map(apart).collect();
        let together = std::mem::replace(&mut self.lines, apart);
        if self.means().as_ref() != Some(wanted) {
            self.lines = together;
        }
        self
    }

    /// The text with all lines written into it; the line that cannot be, if there is one.
    fn folded(mut self, wanted: &Meaning, tidily: bool) -> Result<String, String> {
        if tidily {
            // What is plugged in anew is in its place before something is set of it.
            let mut next = 0;
            while next < self.lines.len() {
                if typing::set_of(&self.lines[next]).is_some() || !self.take(next, wanted, ways::tidy) {
                    next += 1;
                }
            }
        }
        while let Some(line) = self.lines.first().cloned() {
            if !(tidily && self.take(0, wanted, ways::tidy) || self.take(0, wanted, ways::plain)) {
                return Err(line);
            }
        }
        Ok(self.text)
    }

    /// Writes a line into the text in the first way that leaves the meaning as it is; whether there is one.
    fn take(&mut self, line: usize, wanted: &Meaning, ways: impl Fn(&Place<'_>) -> Vec<String>) -> bool {
        let mut others = self.lines.clone();
        let own = others.remove(line);
        let place = Place { whole: self, script: Script::new(&self.text), line: Script::new(&own), number: line };
        let holds = |text: &String| self.session(text, &others).and_then(meaning).as_ref() == Some(wanted);
        let Some(text) = ways(&place).into_iter().find(holds) else { return false };
        (self.text, self.lines) = (text, others);
        true
    }
}

/// Where a line is to be written.
struct Place<'a> {
    whole: &'a Whole<'a>,
    /// The file as it is by now.
    script: Script,
    line: Script,
    /// Which of the lines it is, from 0.
    number: usize,
}

impl Place<'_> {
    /// What the text declares without this line and, if `before` says so, without those behind it.
    fn without(&self, before: bool) -> Option<Session> {
        let lines = &self.whole.lines;
        let behind = if before { &[] } else { &lines[self.number + 1..] };
        self.whole.session(&self.whole.text, &[&lines[..self.number], behind].concat())
    }

    /// What it declares with this line as its last.
    fn with(&self) -> Option<Session> {
        self.whole.session(&self.whole.text, &self.whole.lines[..=self.number])
    }
}

#[cfg(test)]
mod tests;
