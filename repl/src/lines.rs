//! The lines that follow the session's file while it plays: what a controller writes becomes part of the text.
//!
//! A write to a parameter is one line, `set("voice/fader.gain", -24);`. The next write to the same parameter takes its place,
//! so that the text never grows with the movement of a hand.

use std::collections::BTreeMap;

/// What stands for the path of the tempo, which no parameter has.
pub const TEMPO: &str = "tempo";

/// The lines in order, each with the path that it sets if it came from a controller.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    lines: Vec<String>,
    /// For each path that a controller has set, which of the lines does.
    sets: BTreeMap<String, usize>,
}

impl Lines {
    /// The lines as texts.
    pub fn as_slice(&self) -> &[String] {
        &self.lines
    }

    /// The paths that have a line of their own, each with it.
    pub fn sets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sets.iter().map(|(path, i)| (path.as_str(), self.lines[*i].as_str()))
    }

    /// Sets a parameter: the line of its path is replaced where it stands, or a new one is added. `value` is as it is
    /// written in a text. The tempo is no parameter: what sets it comes behind all that does so already.
    pub fn set(&mut self, path: &str, value: &str) {
        if path == TEMPO {
            if let Some(i) = self.sets.get(path) {
                self.remove(*i);
            }
            self.sets.insert(path.to_owned(), self.lines.len());
            return self.lines.push(format!("{path}({value});"));
        }
        let line = format!("set(\"{path}\", {value});");
        match self.sets.get(path) {
            Some(i) => self.lines[*i] = line,
            None => {
                self.sets.insert(path.to_owned(), self.lines.len());
                self.lines.push(line);
            }
        }
    }

    /// Adds a line, as it was typed.
    pub fn push(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    /// Sets again what other lines set otherwise than they did before: a hand has moved since.
    pub fn keep_sets(&mut self, others: &Lines, before: &Lines, except: Option<&str>) {
        for (path, i) in others.sets.iter().filter(|(path, _)| Some(path.as_str()) != except) {
            let line = &others.lines[*i];
            if before.sets.get(path).is_some_and(|before_at| before.lines[*before_at] == *line) {
                continue;
            }
            match self.sets.get(path) {
                Some(own) => self.lines[*own] = line.clone(),
                None => {
                    self.sets.insert(path.clone(), self.lines.len());
                    self.lines.push(line.clone());
                }
            }
        }
    }

    /// Takes out lines that are in the file by now.
    pub fn take_out(&mut self, saved: &[String]) {
        for line in saved {
            if let Some(i) = self.lines.iter().position(|own| own == line) {
                self.remove(i);
            }
        }
    }

    fn remove(&mut self, line: usize) -> String {
        self.sets.retain(|_, i| *i != line);
        self.sets.values_mut().filter(|i| **i > line).for_each(|i| *i -= 1);
        self.lines.remove(line)
    }

    /// Takes out the lines that are no longer right, one after another, until `check` finds nothing wrong, and gives what it
    /// found last. Each line that goes is given to `tell` with what was wrong.
    ///
    /// `check` says what became of the first lines of the list.
    ///
    /// # Errors
    /// What is wrong with the text without any lines: all of them stay then.
    pub fn set_aside<T, E>(
        &mut self,
        mut check: impl FnMut(&[String]) -> Result<T, E>,
        mut tell: impl FnMut(String, E),
    ) -> Result<T, E> {
        let mut wrong = match check(&self.lines) {
            Ok(found) => return Ok(found),
            Err(wrong) if self.lines.is_empty() => return Err(wrong),
            Err(wrong) => wrong,
        };
        let alone = check(&[])?;
        while !self.lines.is_empty() {
            // The shortest beginning that is wrong ends with a line that is.
            let (mut right, mut end) = (0, self.lines.len());
            while end - right > 1 {
                let middle = right.midpoint(end);
                match check(&self.lines[..middle]) {
                    Ok(_) => right = middle,
                    Err(error) => (end, wrong) = (middle, error),
                }
            }
            tell(self.remove(end - 1), wrong);
            match check(&self.lines) {
                Ok(found) => return Ok(found),
                Err(error) => wrong = error,
            }
        }
        Ok(alone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(paths: &[&str]) -> Lines {
        let mut lines = Lines::default();
        paths.iter().for_each(|path| lines.set(path, "0"));
        lines
    }

    #[test]
    fn the_tempo_is_set_once_behind_all_that_sets_it_already() {
        let mut lines = Lines::default();
        lines.set(TEMPO, "120");
        lines.push("tempo(90)");
        lines.set("a/fader.gain", "-3");
        for bpm in ["121", "121.5"] {
            lines.set(TEMPO, bpm);
        }
        lines.set("a/fader.gain", "-6");
        assert_eq!(lines.as_slice(), ["tempo(90)", "set(\"a/fader.gain\", -6);", "tempo(121.5);"]);
    }

    #[test]
    fn a_path_has_one_line_whose_last_value_wins_in_its_place() {
        let mut lines = lines(&["a.gain", "b.gain"]);
        for value in ["-1", "-2", "off"] {
            lines.set("a.gain", value);
        }
        assert_eq!(lines.as_slice(), ["set(\"a.gain\", off);", "set(\"b.gain\", 0);"]);
    }

    #[test]
    fn lines_that_are_wrong_are_set_aside_and_take_no_others_along() {
        for wrong in [&["b"][..], &["a", "c", "e"], &["e"], &["a", "b", "c", "d", "e"], &[]] {
            let mut kept = lines(&["a", "b", "c", "d", "e"]);
            let mut told = Vec::new();
            let check = |lines: &[String]| {
                let bad = lines.iter().find(|line| wrong.iter().any(|name| line.contains(&format!("\"{name}\""))));
                bad.map_or(Ok(()), |bad| Err(bad.clone()))
            };
            assert_eq!(kept.set_aside(check, |line, why| told.push((line, why))), Ok(()));
            assert_eq!(told.len(), wrong.len());
            assert!(told.iter().all(|(line, why)| line == why), "{told:?}");
            let left: Vec<&str> = ["a", "b", "c", "d", "e"].into_iter().filter(|name| !wrong.contains(name)).collect();
            assert_eq!(kept.as_slice(), lines(&left).as_slice());
            // Those that are left keep their place.
            let count = kept.as_slice().len();
            left.iter().for_each(|name| kept.set(name, "1"));
            assert_eq!(kept.as_slice().len(), count);
            assert!(kept.as_slice().iter().all(|line| line.ends_with(", 1);")), "{kept:?}");
        }
    }

    #[test]
    fn a_text_that_is_wrong_by_itself_takes_the_blame() {
        let mut kept = lines(&["a", "b"]);
        assert_eq!(kept.set_aside(|_| Err::<(), _>("wrong"), |_, _| ()), Err("wrong"));
        assert_eq!(kept, lines(&["a", "b"]));
    }
}
