//! What stands in a step: words, numbers, notes, chords, rests and groups.

use super::{DEEPEST, Read, Reader};
use crate::pattern::event::Value;
use crate::pattern::node::{Change, Node};
use crate::pattern::ratio::Ratio;
use crate::pattern::{PatternError, notes, scales};

/// The largest number that can be written.
const LARGEST: f64 = 1e9;

/// The most notes of a chord.
const MOST_NOTES: usize = 24;

impl Reader {
    /// One of them, and the number if it is one.
    pub(super) fn atom(&mut self) -> Read<(Node, Option<f64>)> {
        let begin = self.next;
        self.grow(begin, 1)?;
        let Some(letter) = self.peek() else { return self.unexpected() };
        let number_follows = self.after(1).is_some_and(|next| next.is_ascii_digit() || next == '.');
        match letter {
            '~' => {
                self.next += 1;
                Ok((Node::Silence, None))
            }
            '-' if !number_follows => {
                self.next += 1;
                Ok((Node::Silence, None))
            }
            '[' | '<' | '{' => Ok((self.bracket(letter)?, None)),
            '-' | '+' | '.' => self.number(),
            letter if letter.is_alphanumeric() => self.word(),
            _ => self.unexpected(),
        }
    }

    /// A group from its bracket to the one that closes it.
    fn bracket(&mut self, bracket: char) -> Read<Node> {
        let begin = self.next;
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.error(begin, 1, format!("groups are nested more than {DEEPEST} deep here"));
        }
        self.next += 1;
        let parts = self.parts(Some((bracket, begin)))?;
        let wanted = match bracket {
            '[' => ']',
            '<' => '>',
            _ => '}',
        };
        match self.peek() {
            Some(letter) if letter == wanted => self.next += 1,
            Some(letter) => {
                let message = format!("expected `{wanted}`, not `{letter}`");
                return self.fix(self.next, 1, message, format!("the `{bracket}` stands at column {}", begin + 1));
            }
            None => {
                let help = format!("close it with `{wanted}`");
                return self.fix(begin, 1, format!("this `{bracket}` is never closed"), help);
            }
        }
        if parts.sequences.iter().all(|sequence| sequence.terms.is_empty()) {
            return self.fix(begin, 2, format!("nothing stands in this `{bracket}{wanted}`"), "a rest is `~`");
        }
        self.depth -= 1;
        match bracket {
            '[' => self.group(parts, None),
            '<' => self.group(parts, Some((Ratio::ONE, begin))),
            _ if self.takes('%') => {
                let at = self.next;
                if matches!(self.peek(), Some('<' | '[' | '{')) {
                    let by = Box::new(self.argument()?);
                    let node = self.group(parts, Some((Ratio::ONE, begin)))?;
                    return Ok(node.changed(Change::FastBy { by, slow: false }));
                }
                let per = self.ratio('%', false)?;
                self.group(parts, Some((per, at)))
            }
            _ => {
                let first = parts.sequences.first().into_iter().flat_map(|sequence| &sequence.terms);
                let per = first.map(|term| term.length).try_fold(Ratio::ZERO, Ratio::plus);
                let per = self.fine(begin, per)?;
                self.group(parts, Some((per, begin)))
            }
        }
    }

    /// A group of numbers.
    pub(super) fn argument(&mut self) -> Read<Node> {
        let (node, _) = self.atom()?;
        let mut wrong = None;
        node.atoms(&mut |value, place| {
            if !matches!(value, Value::Number(number) if *number >= 0.0) {
                wrong.get_or_insert((value.to_string(), place));
            }
        });
        match wrong {
            Some((value, place)) => {
                let message = format!("`{value}` has no place here: numbers that are not below 0 are wanted");
                Err(PatternError::new(place, message))
            }
            None => Ok(node),
        }
    }

    /// A decimal number, or a fraction `3%4`.
    fn number(&mut self) -> Read<(Node, Option<f64>)> {
        let begin = self.next;
        if matches!(self.peek(), Some('-' | '+')) {
            self.next += 1;
        }
        self.digits();
        let mut text = self.text(begin);
        let mut value = text.parse::<f64>().ok();
        if let Some(over) = value
            && self.peek() == Some('%')
            && self.after(1).is_some_and(|next| next.is_ascii_digit())
        {
            self.next += 1;
            let at = self.next;
            self.digits();
            value = self.text(at).parse::<f64>().ok().filter(|under| *under > 0.0).map(|under| over / under);
            text = self.text(begin);
        }
        let Some(number) = value.filter(|_| !text.ends_with('.')) else {
            return self.fix(begin, self.next - begin, format!("`{text}` is no number"), "write `2`, `0.5` or `-3`");
        };
        if self.peek().is_some_and(char::is_alphabetic) {
            while self.peek().is_some_and(char::is_alphanumeric) {
                self.next += 1;
            }
            let text = self.text(begin);
            return self.fix(begin, self.next - begin, format!("`{text}` is no number"), "a number is without a unit");
        }
        if number.abs() > LARGEST {
            return self.error(begin, self.next - begin, format!("`{text}` is beyond {LARGEST}"));
        }
        if self.peek() == Some('\'') {
            return Ok((self.chord(number, begin)?, None));
        }
        Ok((Node::Atom(Value::Number(number), self.place(begin, self.next)), Some(number)))
    }

    /// Digits and single dots among them; `..` is left.
    fn digits(&mut self) {
        while let Some(letter) = self.peek() {
            let dot = letter == '.' && self.after(1) != Some('.');
            if !(letter.is_ascii_digit() || dot) {
                break;
            }
            self.next += 1;
        }
    }

    /// A word: a name of a sound or a note. One of digits alone is a number, but for the name of a bank: `808:3`.
    fn word(&mut self) -> Read<(Node, Option<f64>)> {
        let begin = self.next;
        while let Some(letter) = self.peek() {
            // A `-` at the end would be a rest.
            let joins = letter == '-' && self.after(1).is_some_and(char::is_alphanumeric);
            if !(letter.is_alphanumeric() || letter == '_' || letter == '#' || joins) {
                break;
            }
            self.next += 1;
        }
        let text = self.text(begin);
        if self.peek() != Some(':') && text.chars().all(|letter| letter.is_ascii_digit()) {
            self.next = begin;
            return self.number();
        }
        if self.peek() == Some('\'') {
            let Some(root) = notes::note(&text) else {
                let message = format!("`{text}` is no note that a chord could stand on");
                return self.fix(begin, self.next - begin, message, "write `c4'maj` or `e'm7`");
            };
            return Ok((self.chord(f64::from(root), begin)?, None));
        }
        Ok((Node::Atom(Value::word(&text), self.place(begin, self.next)), None))
    }

    /// A chord on a note: its name, then how many notes (`'5`), inversions (`'i`), open (`'o`), a note dropped (`'d1`).
    fn chord(&mut self, root: f64, begin: usize) -> Read<Node> {
        let mut notes: Option<Vec<f64>> = None;
        while self.takes('\'') {
            let at = self.next;
            while self.peek().is_some_and(char::is_alphanumeric) {
                self.next += 1;
            }
            let (name, length) = (self.text(at), self.next - at);
            let Some(notes) = &mut notes else {
                match scales::chord(&name) {
                    Ok(tones) => notes = Some(tones.iter().map(|tone| root + f64::from(*tone)).collect()),
                    Err(message) => return self.fix(at, length, message, "write `c4'maj` or `e'm7`"),
                }
                continue;
            };
            if let Ok(count @ 1..=MOST_NOTES) = name.parse::<usize>() {
                let own = notes.clone();
                *notes = (0..count).map(|i| own[i % own.len()] + 12.0 * (i / own.len()) as f64).collect();
            } else if !name.is_empty() && name.len() <= MOST_NOTES && name.chars().all(|letter| letter == 'i') {
                for _ in 0..name.len() {
                    notes[0] += 12.0;
                    notes.rotate_left(1);
                }
            } else if name == "o" && notes.len() > 2 {
                notes[0] -= 12.0;
                notes[2] -= 12.0;
            } else if let Some(Ok(drop)) = name.strip_prefix('d').map(str::parse::<usize>)
                && (1..=notes.len()).contains(&drop)
            {
                let dropped = notes.remove(notes.len() - drop);
                notes.insert(0, dropped - 12.0);
            } else {
                let message = format!("`'{name}` says nothing of this chord");
                let help = "`'5` so many notes, `'i` inverted, `'o` open, `'d1` a note dropped";
                return self.fix(at - 1, length + 1, message, help);
            }
        }
        let place = self.place(begin, self.next);
        let notes = notes.unwrap_or_default();
        self.grow(begin, notes.len())?;
        Ok(Node::stack(notes.into_iter().map(|note| Node::Atom(Value::Number(note), place)).collect()))
    }

    /// A number behind a sign, exact: decimals, or a fraction `3%4`. Above 0, or 0 too.
    pub(super) fn ratio(&mut self, sign: char, zero: bool) -> Read<Ratio> {
        let begin = self.next;
        self.digits();
        let mut value = decimal(&self.text(begin));
        if value.is_some() && self.peek() == Some('%') {
            self.next += 1;
            let at = self.next;
            self.digits();
            let under = decimal(&self.text(at));
            value = value.zip(under).and_then(|(over, under)| over.divided(under).ok());
        }
        let fits = |value: &Ratio| value.number() <= LARGEST && (*value > Ratio::ZERO || zero && *value == Ratio::ZERO);
        match value.filter(fits) {
            Some(value) => Ok(value),
            None => {
                let least = if zero { "from 0 up" } else { "above 0" };
                let message = format!("`{sign}` wants a number {least} behind it");
                let example = if sign == '%' { "{a b c}%4".into() } else { format!("bd{sign}2") };
                self.fix(begin, (self.next - begin).max(1), message, format!("write `{example}`"))
            }
        }
    }

    /// The error for what has no place here.
    pub(super) fn unexpected<T>(&self) -> Read<T> {
        let Some(letter) = self.peek() else {
            return self.error(self.next, 0, "something is missing at the end");
        };
        let help = match letter {
            '(' => "write `bd(3,8)` without a blank before `(`",
            '*' | '/' | '?' | ':' => "it stands right behind what it is said of: `bd*2`, `bd?`, `bd:3`",
            '%' => "`%` stands behind `}` or in a fraction: `{a b c}%4`, `3%4`",
            '"' | '\'' | '`' => "a chord is `c4'maj`",
            '#' => "a sharp note is `c#4` or `cs4`",
            _ => "names, numbers, groups and rests stand in a pattern",
        };
        self.fix(self.next, 1, format!("`{}` has no place here", letter.escape_debug()), help)
    }
}

/// A decimal number, exact.
fn decimal(text: &str) -> Option<Ratio> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 9 || text.ends_with('.') {
        return None;
    }
    let digits = format!("{whole}{decimals}").parse::<i64>().ok()?;
    Ratio::new(digits, 10i64.pow(decimals.len() as u32)).ok()
}
