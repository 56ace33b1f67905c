//! Reads the mini-notation that TidalCycles (McLean, 2014) and Strudel players know.

mod atom;

use std::collections::BTreeMap;

use super::event::Place;
use super::node::{Change, Euclid, Node, Salt};
use super::ratio::Ratio;
use super::{MOST_SIZE, PatternError, euclid, query};
use crate::random;

/// The deepest nesting of groups.
const DEEPEST: usize = 24;

/// Reads a pattern; `origin` is what the places of its values say of the text.
pub(super) fn parse(text: &str, origin: u32) -> Result<Node, PatternError> {
    let mut reader =
        Reader { letters: text.chars().collect(), next: 0, depth: 0, size: 0, origin, chances: BTreeMap::new() };
    let parts = reader.parts(None)?;
    if let Some(letter) = reader.peek() {
        return reader.error(reader.next, 1, format!("this `{letter}` closes nothing"));
    }
    let node = reader.group(parts, None)?;
    if node == Node::Silence && text.trim().is_empty() {
        return reader.error(0, 0, "the pattern is empty").map_err(|error| error.help("a rest is `~`"));
    }
    Ok(node)
}

struct Reader {
    letters: Vec<char>,
    next: usize,
    depth: usize,
    /// Parts so far, copies too.
    size: usize,
    origin: u32,
    /// How often chance is asked for in the same words.
    chances: BTreeMap<Salt, u64>,
}

/// A part of a sequence while it is read.
#[derive(Clone)]
struct Term {
    node: Node,
    length: Ratio,
    copy: u32,
    /// The number that it is, if it is nothing else.
    number: Option<f64>,
    size: usize,
    begin: usize,
}

/// A sequence that has been read.
struct Sequence {
    terms: Vec<Term>,
    begin: usize,
}

/// What stands in brackets or in the whole text.
struct Parts {
    sequences: Vec<Sequence>,
    /// Whether one is chosen, instead of all being played.
    chosen: bool,
}

type Read<T> = Result<T, PatternError>;

impl Reader {
    fn place(&self, begin: usize, end: usize) -> Place {
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Place { origin: self.origin, begin: short(begin), end: short(end) }
    }

    fn error<T>(&self, begin: usize, length: usize, message: impl Into<String>) -> Read<T> {
        Err(PatternError::new(self.place(begin, begin + length), message))
    }

    /// The error with a way out.
    fn fix<T>(&self, begin: usize, length: usize, message: impl Into<String>, help: impl Into<String>) -> Read<T> {
        self.error(begin, length, message).map_err(|error| error.help(help))
    }

    fn peek(&self) -> Option<char> {
        self.letters.get(self.next).copied()
    }

    fn after(&self, by: usize) -> Option<char> {
        self.letters.get(self.next + by).copied()
    }

    fn takes(&mut self, letter: char) -> bool {
        let is = self.peek() == Some(letter);
        self.next += usize::from(is);
        is
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next += 1;
        }
    }

    fn text(&self, begin: usize) -> String {
        self.letters[begin..self.next].iter().collect()
    }

    fn fine<T>(&self, begin: usize, result: Result<T, super::ratio::TooFine>) -> Read<T> {
        result.or_else(|_| self.error(begin, 1, "these lengths and speeds are too fine together to be played exactly"))
    }

    /// Counts parts; refuses too many.
    fn grow(&mut self, begin: usize, by: usize) -> Read<()> {
        self.size = self.size.saturating_add(by);
        if self.size > MOST_SIZE {
            return self.error(begin, 1, format!("the pattern is too much: it has more than {MOST_SIZE} parts"));
        }
        Ok(())
    }

    /// A number for a place where chance is asked for: of the words there that it is said of, and how often they came
    /// before, so that what is written elsewhere does not change it, nor what else is said of them.
    fn salt(&mut self, begin: usize, end: usize) -> Salt {
        let hash = self.letters[begin..end]
            .iter()
            .filter(|letter| !letter.is_whitespace())
            .fold(0, |hash, letter| random::mix(hash ^ u64::from(*letter)));
        let count = self.chances.entry(hash).or_default();
        *count += 1;
        random::mix(hash ^ *count)
    }

    /// Sequences up to what closes them, which is not taken.
    fn parts(&mut self, opened: Option<(char, usize)>) -> Read<Parts> {
        let mut parts = Parts { sequences: vec![self.sequence()?], chosen: false };
        loop {
            let at = self.next;
            let Some(letter) = self.peek() else { return Ok(parts) };
            let chooses = match letter {
                ',' => false,
                '|' => true,
                ')' if opened.is_none() => return self.error(at, 1, "this `)` closes nothing"),
                _ => return Ok(parts),
            };
            if chooses && let Some((bracket @ ('<' | '{'), _)) = opened {
                return self.fix(at, 1, format!("`|` has no place in `{bracket}`"), "choose inside of `[a|b]`");
            }
            if parts.sequences.len() > 1 && chooses != parts.chosen {
                let message = "`,` and `|` in one group: which belongs together is not clear";
                return self.fix(at, 1, message, "put what is chosen from into its own `[a|b]`");
            }
            self.next += 1;
            let sequence = self.sequence()?;
            for empty in [parts.sequences.last(), Some(&sequence)].into_iter().flatten() {
                if empty.terms.is_empty() {
                    return self.fix(at, 1, format!("nothing stands beside this `{letter}`"), "a rest is `~`");
                }
            }
            parts.sequences.push(sequence);
            parts.chosen = chooses;
        }
    }

    /// What a group is. `per` is how many steps of it a cycle has, where it says so.
    fn group(&mut self, parts: Parts, per: Option<(Ratio, usize)>) -> Read<Node> {
        let begin = parts.sequences.first().map_or(0, |sequence| sequence.begin);
        let mut nodes = Vec::new();
        for sequence in parts.sequences {
            let begin = sequence.begin;
            let whole = sequence.terms.iter().try_fold(Ratio::ZERO, |sum, term| sum.plus(term.length));
            let whole = self.fine(begin, whole)?;
            let terms = sequence.terms.into_iter().map(|term| (term.node, term.length, term.copy)).collect::<Vec<_>>();
            if terms.is_empty() {
                nodes.push(Node::Silence);
                continue;
            }
            let mut node = self.fine(begin, Node::sequence(terms))?;
            if let Some((per, at)) = per {
                let by = self.fine(at, per.divided(whole))?;
                node = node.changed(Change::Fast(by));
            }
            nodes.push(node);
        }
        Ok(match parts.chosen {
            true => Node::Choose(nodes, self.salt(begin, self.next)),
            false => Node::stack(nodes),
        })
    }

    /// Terms up to whatever does not belong to a sequence, which is not taken.
    fn sequence(&mut self) -> Read<Sequence> {
        let begin = self.next;
        let mut terms: Vec<Term> = Vec::new();
        // Where the foot begins that is read, and where a `.` ended the one before.
        let mut feet: Vec<Term> = Vec::new();
        let mut foot = None;
        loop {
            self.blanks();
            let at = self.next;
            let Some(letter) = self.peek() else { break };
            match letter {
                ',' | '|' | ']' | '>' | '}' | ')' => break,
                '.' if self.after(1) == Some('.') => self.range(&mut terms)?,
                '.' if !self.after(1).is_some_and(|next| next.is_ascii_digit()) => {
                    self.next += 1;
                    if self.peek().is_some_and(|next| next.is_alphanumeric()) {
                        return self.fix(at, 1, "a `.` between groups stands alone", "write `a b . c d`");
                    }
                    foot = Some(at);
                    feet.push(self.foot(&mut terms, at)?);
                }
                '_' | '@' if terms.is_empty() => {
                    return self.error(at, 1, format!("`{letter}` lengthens what stands before it, and nothing does"));
                }
                '_' => {
                    self.next += 1;
                    self.longer(&mut terms, at)?;
                }
                '@' => {
                    self.next += 1;
                    if self.peek().is_some_and(|next| next.is_ascii_digit() || next == '.') {
                        return self.fix(at, 1, "`@` stands apart from what it lengthens", "write `a@3`");
                    }
                    self.longer(&mut terms, at)?;
                }
                '!' => {
                    self.next += 1;
                    if self.peek().is_some_and(|next| next.is_ascii_digit()) {
                        return self.fix(at, 1, "`!` and its number stand apart from what they repeat", "write `a!3`");
                    }
                    let Some(mut again) = terms.last().cloned() else {
                        return self.error(at, 1, "`!` repeats what stands before it, and nothing does");
                    };
                    again.copy += 1;
                    self.grow(at, again.size)?;
                    terms.push(again);
                }
                _ => self.term(&mut terms)?,
            }
        }
        if let Some(at) = foot {
            feet.push(self.foot(&mut terms, at)?);
            terms = feet;
        }
        Ok(Sequence { terms, begin })
    }

    /// The last term longer by one step.
    fn longer(&self, terms: &mut [Term], at: usize) -> Read<()> {
        if let Some(last) = terms.last_mut() {
            last.length = self.fine(at, last.length.plus(Ratio::ONE))?;
        }
        Ok(())
    }

    /// What stands between two `.`, as one step.
    fn foot(&mut self, terms: &mut Vec<Term>, at: usize) -> Read<Term> {
        let (begin, size) = match terms.first() {
            Some(first) => (first.begin, terms.iter().map(|term| term.size).sum::<usize>() + 1),
            None => return self.fix(at, 1, "nothing stands on one side of this `.`", "a rest is `~`"),
        };
        let parts = std::mem::take(terms).into_iter().map(|term| (term.node, term.length, term.copy)).collect();
        let node = self.fine(at, Node::sequence(parts))?;
        Ok(Term { node, length: Ratio::ONE, copy: 0, number: None, size, begin })
    }

    /// `a .. b`: the whole numbers from one to another, as one step.
    fn range(&mut self, terms: &mut Vec<Term>) -> Read<()> {
        let at = self.next;
        let wrong = |reader: &Self, at| reader.fix(at, 2, "`..` stands between two numbers", "write `0 .. 3`");
        let Some(Some(first)) = terms.last().map(|term| term.number) else { return wrong(self, at) };
        self.next += 2;
        self.blanks();
        let begin = self.next;
        if !self.peek().is_some_and(|letter| letter.is_ascii_digit() || letter == '-') {
            return wrong(self, at);
        }
        self.term(terms)?;
        let (last, from) = match (terms.pop(), terms.pop()) {
            (Some(Term { number: Some(last), .. }), Some(from)) => (last, from),
            _ => return self.fix(begin, 1, "`..` stands between two numbers", "change the whole: `[0 .. 3]*2`"),
        };
        if first.fract() != 0.0 || last.fract() != 0.0 {
            return self.error(at, 2, "`..` goes from one whole number to another");
        }
        let count = (last - first).abs() as usize + 1;
        self.grow(at, count)?;
        let place = self.place(from.begin, self.next);
        let step = (last - first).signum();
        let atom = |i: usize| Node::Atom(super::Value::Number(first + step * i as f64), place);
        let node = self.fine(at, Node::even((0..count).map(atom).collect()))?;
        terms.push(Term { node, number: None, size: count, ..from });
        Ok(())
    }

    /// A value or a group, with what is said of it.
    fn term(&mut self, terms: &mut Vec<Term>) -> Read<()> {
        let begin = self.next;
        let before = self.size;
        let (mut node, mut number) = self.atom()?;
        let end = self.next;
        let mut length = Ratio::ONE;
        let mut repeats = 1usize;
        loop {
            let at = self.next;
            let Some(letter) = self.peek() else { break };
            if !"*/@!?(:".contains(letter) {
                break;
            }
            self.next += 1;
            number = None;
            self.grow(at, 1)?;
            match letter {
                '*' | '/' => node = self.speed(node, letter)?,
                '@' if !self.peek().is_some_and(|next| next.is_ascii_digit() || next == '.') => {
                    length = self.fine(at, length.plus(Ratio::ONE))?;
                }
                '@' => length = self.ratio('@', false)?,
                '!' => repeats = self.repeats(repeats)?,
                '?' => {
                    let chance = self.chance()?;
                    let salt = self.salt(begin, end);
                    node = node.changed(Change::Degrade { chance, salt, keep: false });
                }
                '(' => node = self.euclid(node, at)?,
                _ => node = self.sample(node)?,
            }
        }
        match self.peek() {
            None => {}
            Some(letter) if letter.is_whitespace() || "[]<>{}),|".contains(letter) => {}
            Some('.') if self.after(1) == Some('.') => {}
            Some('.') => return self.fix(self.next, 1, "a `.` between groups stands alone", "write `a b . c d`"),
            Some('_') => return self.fix(self.next, 1, "`_` stands alone behind what it lengthens", "write `a _ _ b`"),
            Some(_) => return self.unexpected(),
        }
        let size = self.size - before;
        self.grow(begin, size.saturating_mul(repeats - 1))?;
        let term = Term { node, length, copy: 0, number: number.filter(|_| repeats == 1), size, begin };
        for copy in 0..repeats {
            terms.push(Term { copy: copy as u32, ..term.clone() });
        }
        Ok(())
    }

    /// What `*` or `/` says: a number, or a group of numbers.
    fn speed(&mut self, node: Node, sign: char) -> Read<Node> {
        let slow = sign == '/';
        let at = self.next;
        match self.peek() {
            Some('<' | '[' | '{') => {
                let by = Box::new(self.argument()?);
                Ok(node.changed(Change::FastBy { by, slow }))
            }
            Some('-') => self.fix(at, 1, "a speed is not below 0", "to play backwards: `.rev()`"),
            _ => {
                let by = self.ratio(sign, !slow)?;
                let by = if slow { self.fine(at, by.turned())? } else { by };
                Ok(node.changed(Change::Fast(by)))
            }
        }
    }

    fn repeats(&mut self, repeats: usize) -> Read<usize> {
        let at = self.next;
        if !self.peek().is_some_and(|next| next.is_ascii_digit()) {
            return Ok(repeats + 1);
        }
        let times = self.ratio('!', false)?;
        match usize::try_from(times.over()) {
            Ok(over) if times.under() == 1 => Ok(repeats.saturating_add(over - 1)),
            _ => self.error(at, self.next - at, "`!` repeats a whole number of times"),
        }
    }

    /// The number behind `?`, a half if there is none.
    fn chance(&mut self) -> Read<f64> {
        let at = self.next;
        if !self.peek().is_some_and(|next| next.is_ascii_digit() || next == '.') {
            return Ok(0.5);
        }
        let chance = self.ratio('?', true)?;
        if chance > Ratio::ONE {
            let message = "`?` wants a chance from 0 to 1 behind it: how likely it is left out";
            return self.fix(at, self.next - at, message, "write `bd?` or `bd?0.3`");
        }
        Ok(chance.number())
    }

    /// `(beats,steps)` or `(beats,steps,rotation)`.
    fn euclid(&mut self, node: Node, open: usize) -> Read<Node> {
        let mut arguments = Vec::new();
        loop {
            let begin = self.next;
            let sequence = self.sequence()?;
            if sequence.terms.is_empty() {
                return self.fix(begin, 1, "a number is missing in this `(`", "write `bd(3,8)` or `bd(3,8,2)`");
            }
            let parts = Parts { sequences: vec![sequence], chosen: false };
            let argument = self.group(parts, None)?;
            self.whole_numbers(&argument)?;
            arguments.push(argument);
            match self.peek() {
                Some(',') => self.next += 1,
                Some(')') => break,
                None => return self.error(open, 1, "this `(` is never closed"),
                Some(letter) => return self.error(self.next, 1, format!("expected `,` or `)`, not `{letter}`")),
            }
        }
        self.next += 1;
        let count = arguments.len();
        let mut arguments = arguments.into_iter();
        let (Some(beats), Some(steps), rotation, None) =
            (arguments.next(), arguments.next(), arguments.next(), arguments.next())
        else {
            let message = format!("a Euclidean rhythm has beats, steps and perhaps a rotation, not {count} numbers");
            return self.fix(open, self.next - open, message, "write `bd(3,8)` or `bd(3,8,2)`");
        };
        let mut wrong = None;
        steps.atoms(&mut |value, place| {
            if value.note().is_some_and(|steps| !(1.0..=euclid::MOST_STEPS as f64).contains(&steps)) {
                wrong.get_or_insert(place);
            }
        });
        if let Some(place) = wrong {
            let message = format!("a Euclidean rhythm has from 1 to {} steps", euclid::MOST_STEPS);
            return Err(PatternError::new(place, message));
        }
        let rotation = rotation.unwrap_or_else(|| Node::number(0.0));
        Ok(node.changed(Change::Euclid(Box::new(Euclid { beats, steps, rotation }))))
    }

    fn whole_numbers(&self, node: &Node) -> Read<()> {
        let mut wrong = None;
        node.atoms(&mut |value, place| {
            let most = euclid::FARTHEST;
            let fits = matches!(value, super::Value::Number(n) if query::whole(*n, -most, most, place).is_ok());
            if !fits {
                wrong.get_or_insert((value.to_string(), place));
            }
        });
        match wrong {
            Some((value, place)) => {
                Err(PatternError::new(place, format!("`{value}` is no whole number, which a Euclidean rhythm wants")))
            }
            None => Ok(()),
        }
    }

    /// What `:` says: the number of a sample, or a group of numbers.
    fn sample(&mut self, node: Node) -> Read<Node> {
        let at = self.next;
        let by = match self.peek() {
            Some('<' | '[' | '{') => self.argument()?,
            Some(letter) if letter.is_ascii_digit() => Node::number(self.ratio(':', true)?.number()),
            _ => return self.fix(at, 1, "`:` wants the number of a sample behind it", "write `bd:3`"),
        };
        let number = match &by {
            Node::Atom(super::Value::Number(n), _) => Some(*n).filter(|n| n.fract() == 0.0 && *n <= 65_535.0),
            _ => None,
        };
        match (node, number) {
            (Node::Atom(super::Value::Word { name, .. }, place), Some(n)) => {
                let place = Place { end: self.place(at, self.next).end, ..place };
                Ok(Node::Atom(super::Value::Word { name, sample: Some(n as u32) }, place))
            }
            (node, _) => Ok(node.changed(Change::Sample(Box::new(by)))),
        }
    }
}
