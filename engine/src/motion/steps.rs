//! The mini-notation with numbers, as `steps` reads it: a sequence shares a bar, `[ ]` groups share a step, `< >` takes
//! turns by the bar, `~` goes on with the last value, `*` and `/` speed up and slow down, `!` repeats, `@` and `_` lengthen.
//! After TidalCycles (McLean, 2014).
//!
//! Since each value holds until the next, a pattern is where its values begin. It is worked out once, for as many bars as
//! pass before it repeats.

mod ratio;

use ratio::{Ratio, gcd};

/// The deepest nesting of groups.
const DEEPEST: usize = 24;

/// The most steps of a pattern, written or after what repeats and speeds up.
const MOST_STEPS: usize = 4096;

/// The most bars before a pattern repeats.
const MOST_BARS: i128 = 1024;

/// The largest number that lengthens, repeats, speeds up or slows down.
const MOST_TIMES: i128 = 1000;

/// A pattern, worked out.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// The bars after which it begins anew.
    pub bars: f64,
    /// Its values in order. Never empty.
    pub steps: Vec<Step>,
}

/// Where a value begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Bars from the pattern's beginning.
    pub place: f64,
    /// The value.
    pub value: f64,
    /// Where it is written, in characters from the beginning of the text.
    pub column: usize,
}

/// What is wrong with a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// Where, in characters from the beginning of the text.
    pub column: usize,
    /// What.
    pub message: String,
}

/// Reads a pattern.
///
/// # Errors
/// What cannot be read, has no number in it, or is too much to be played.
pub fn parse(text: &str) -> Result<Pattern, PatternError> {
    let mut reader = Reader { letters: text.chars().collect(), next: 0, depth: 0 };
    let (whole, _) = reader.sequence(None)?;
    let too_much = |what: &str| PatternError { column: 0, message: format!("the pattern is too much: {what}") };
    let bars = whole
        .period()
        .filter(|bars| *bars <= MOST_BARS)
        .ok_or_else(|| too_much(&format!("it repeats only after more than {MOST_BARS} bars")))?;
    let mut found = Found { steps: Vec::new(), work: 0 };
    let end = Ratio::whole(bars);
    whole
        .find(Ratio::ZERO, end, &mut found, &Some)
        .ok_or_else(|| too_much(&format!("it has more than {MOST_STEPS} steps, or steps too short to be played")))?;
    if found.steps.is_empty() {
        return Err(PatternError { column: 0, message: "there is no number in the pattern".into() });
    }
    Ok(Pattern { bars: bars as f64, steps: found.steps })
}

/// A part of a pattern. It has cycles of its own, one a bar unless it stands in something.
#[derive(Clone, Debug)]
enum Part {
    Value(f64, usize),
    Rest,
    /// Parts that share a cycle by their lengths.
    Sequence(Vec<(Part, Ratio)>),
    /// Parts that take turns, a cycle each.
    Turns(Vec<Part>),
    /// So many cycles in one.
    Fast(Box<Part>, Ratio),
}

struct Found {
    steps: Vec<Step>,
    work: usize,
}

impl Found {
    /// Counts what is done; none if it is too much.
    fn step(&mut self) -> Option<()> {
        self.work += 1;
        (self.work <= 16 * MOST_STEPS).then_some(())
    }
}

impl Part {
    /// The cycles after which it repeats; none if there are very many.
    fn period(&self) -> Option<i128> {
        let bounded = |cycles: i128| Some(cycles).filter(|cycles| *cycles <= MOST_BARS * MOST_TIMES);
        let common = |all: i128, part: &Part| {
            let own = part.period()?;
            bounded((all / gcd(all, own)).checked_mul(own)?)
        };
        match self {
            Part::Value(..) | Part::Rest => Some(1),
            Part::Sequence(parts) => parts.iter().try_fold(1, |all, (part, _)| common(all, part)),
            Part::Turns(parts) => bounded(parts.iter().try_fold(1, common)?.checked_mul(parts.len() as i128)?),
            Part::Fast(part, times) => {
                let cycles = part.period()?.checked_mul(times.under)?;
                bounded(cycles / gcd(cycles, times.over))
            }
        }
    }

    /// Finds the values that begin from one place to another; `map` leads from its own time to the whole's.
    fn find(&self, from: Ratio, to: Ratio, found: &mut Found, map: &dyn Fn(Ratio) -> Option<Ratio>) -> Option<()> {
        for cycle in from.floor()..to.ceil() {
            found.step()?;
            let begin = Ratio::whole(cycle);
            match self {
                Part::Rest => return Some(()),
                Part::Fast(part, times) => {
                    let slower = |place: Ratio| map(place.divided(*times)?);
                    return part.find(from.times(*times)?, to.times(*times)?, found, &slower);
                }
                Part::Value(value, column) => {
                    if begin >= from && begin < to {
                        let place = map(begin)?.number();
                        found.steps.push(Step { place, value: *value, column: *column });
                        (found.steps.len() <= MOST_STEPS).then_some(())?;
                    }
                }
                Part::Turns(parts) => {
                    let count = parts.len() as i128;
                    let shift = Ratio::whole(cycle - cycle.div_euclid(count));
                    let part = parts.get(cycle.rem_euclid(count) as usize)?;
                    let (first, last) = (from.max(begin), to.min(begin.plus(Ratio::ONE)?));
                    part.find(first.minus(shift)?, last.minus(shift)?, found, &|place| map(place.plus(shift)?))?;
                }
                Part::Sequence(parts) => {
                    let whole = parts.iter().try_fold(Ratio::ZERO, |sum, (_, length)| sum.plus(*length))?;
                    let mut first = begin;
                    for (part, length) in parts {
                        let length = length.divided(whole)?;
                        let end = first.plus(length)?;
                        let (a, b) = (from.max(first), to.min(end));
                        if a < b {
                            let inside = |place: Ratio| begin.plus(place.minus(first)?.divided(length)?);
                            let outside = |place: Ratio| map(first.plus(place.minus(begin)?.times(length)?)?);
                            part.find(inside(a)?, inside(b)?, found, &outside)?;
                        }
                        first = end;
                    }
                }
            }
        }
        Some(())
    }
}

struct Reader {
    letters: Vec<char>,
    next: usize,
    depth: usize,
}

/// A part of a sequence while it is read.
struct Term {
    part: Part,
    length: Ratio,
    /// How many parts are in it.
    size: usize,
    column: usize,
}

impl Reader {
    fn error<T>(&self, column: usize, message: impl Into<String>) -> Result<T, PatternError> {
        Err(PatternError { column, message: message.into() })
    }

    fn peek(&self) -> Option<char> {
        self.letters.get(self.next).copied()
    }

    fn takes(&mut self, letter: char) -> bool {
        let is = self.peek() == Some(letter);
        self.next += usize::from(is);
        is
    }

    /// Terms up to the bracket that closes them, or to the end; and how many parts are in them.
    fn sequence(&mut self, opened: Option<(char, usize)>) -> Result<(Part, usize), PatternError> {
        let turns = opened.is_some_and(|(bracket, _)| bracket == '<');
        let mut terms: Vec<Term> = Vec::new();
        loop {
            while self.peek().is_some_and(char::is_whitespace) {
                self.next += 1;
            }
            let column = self.next;
            let Some(letter) = self.peek() else {
                match opened {
                    Some((bracket, at)) => return self.error(at, format!("this `{bracket}` is never closed")),
                    None => break,
                }
            };
            match letter {
                ']' | '>' => {
                    let wanted = opened.map(|(bracket, _)| if bracket == '[' { ']' } else { '>' });
                    match wanted {
                        Some(wanted) if wanted == letter => {
                            self.next += 1;
                            break;
                        }
                        Some(wanted) => return self.error(column, format!("expected `{wanted}`, not `{letter}`")),
                        None => return self.error(column, format!("this `{letter}` closes nothing")),
                    }
                }
                '_' => {
                    self.next += 1;
                    let Some(last) = terms.last_mut() else {
                        return self.error(column, "`_` lengthens what stands before it, and nothing does");
                    };
                    last.length = last.length.plus(Ratio::ONE).unwrap_or(last.length);
                }
                '!' => {
                    let Some(last) = terms.last() else {
                        return self.error(column, "`!` repeats what stands before it, and nothing does");
                    };
                    let again = Term { part: last.part.clone(), column, ..*last };
                    self.next += 1;
                    terms.push(again);
                }
                _ => self.term(&mut terms)?,
            }
            if terms.iter().map(|term| term.size).sum::<usize>() > MOST_STEPS {
                return self.error(column, format!("the pattern is too much: it has more than {MOST_STEPS} steps"));
            }
        }
        let size = terms.iter().map(|term| term.size).sum();
        match (terms.is_empty(), opened) {
            (true, Some((bracket, at))) => self.error(at, format!("nothing stands in this `{bracket}`")),
            (true, None) => self.error(0, "there is no number in the pattern"),
            (false, _) if turns => Ok((Part::Turns(self.turns(terms)?), size)),
            (false, _) => Ok((Part::Sequence(terms.into_iter().map(|term| (term.part, term.length)).collect()), size)),
        }
    }

    /// What takes turns: a lengthened part has several.
    fn turns(&self, terms: Vec<Term>) -> Result<Vec<Part>, PatternError> {
        let mut parts = Vec::new();
        for term in terms {
            let Some(turns) = term.length.as_whole() else {
                return self.error(term.column, "in `< >` a part lasts whole turns: `@2`, `@3`");
            };
            parts.extend(std::iter::repeat_n(term.part, turns));
            if parts.len() > MOST_STEPS {
                return self.error(term.column, format!("more than {MOST_STEPS} parts take turns"));
            }
        }
        Ok(parts)
    }

    /// A number, a rest or a group, with what is said of it.
    fn term(&mut self, terms: &mut Vec<Term>) -> Result<(), PatternError> {
        let column = self.next;
        let (mut part, mut size) = self.atom()?;
        let mut length = Ratio::ONE;
        let mut repeats = 1;
        loop {
            let at = self.next;
            if self.takes('*') {
                part = Part::Fast(Box::new(part), self.times('*')?);
            } else if self.takes('/') {
                let times = self.times('/')?;
                part = Part::Fast(Box::new(part), Ratio { over: times.under, under: times.over });
            } else if self.takes('@') {
                length = self.times('@')?;
            } else if self.takes('!') {
                repeats = match self.peek() {
                    Some(digit) if digit.is_ascii_digit() => match self.times('!')?.as_whole() {
                        Some(times) => times.saturating_mul(repeats),
                        None => return self.error(at + 1, "`!` repeats a whole number of times"),
                    },
                    _ => repeats + 1,
                };
            } else {
                break;
            }
            size += 1;
            if size > MOST_STEPS {
                return self.error(at, "too much is said of one step");
            }
        }
        if !self.peek().is_none_or(|letter| letter.is_whitespace() || "[]<>_".contains(letter)) {
            return self.unexpected();
        }
        if size.saturating_mul(repeats) > MOST_STEPS {
            return self.error(column, format!("the pattern is too much: it has more than {MOST_STEPS} steps"));
        }
        terms.extend((0..repeats).map(|_| Term { part: part.clone(), length, size, column }));
        Ok(())
    }

    fn atom(&mut self) -> Result<(Part, usize), PatternError> {
        let column = self.next;
        match self.peek() {
            Some('~') => {
                self.next += 1;
                Ok((Part::Rest, 1))
            }
            Some(bracket @ ('[' | '<')) => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return self.error(column, "groups are nested too deep here");
                }
                self.next += 1;
                let (part, size) = self.sequence(Some((bracket, column)))?;
                self.depth -= 1;
                Ok((part, size + 1))
            }
            Some('-' | '+' | '.' | '0'..='9') => {
                let value = self.number()?;
                Ok((Part::Value(value, column), 1))
            }
            _ => self.unexpected(),
        }
    }

    /// The error for what has no place here.
    fn unexpected<T>(&self) -> Result<T, PatternError> {
        let letter = self.peek().unwrap_or(' ');
        let message = match letter {
            ',' => "steps gives one value at a time: `,` has no place here".into(),
            '(' | ')' | '?' | ':' | '|' | '%' => format!("`{letter}` has no place in a pattern of numbers"),
            letter if letter.is_alphabetic() => {
                let word: String =
                    self.letters[self.next..].iter().take_while(|letter| letter.is_alphanumeric()).collect();
                format!("`{word}` is no number: a pattern for `steps` has numbers without units")
            }
            letter => format!("`{}` has no meaning here", letter.escape_debug()),
        };
        self.error(self.next, message)
    }

    fn number(&mut self) -> Result<f64, PatternError> {
        let column = self.next;
        if matches!(self.peek(), Some('-' | '+')) {
            self.next += 1;
        }
        while self.peek().is_some_and(|letter| letter.is_ascii_digit() || letter == '.') {
            self.next += 1;
        }
        let text: String = self.letters[column..self.next].iter().collect();
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => self.error(column, format!("`{text}` is no number")),
        }
    }

    /// How many times, behind a sign: above 0, with at most three decimals.
    fn times(&mut self, sign: char) -> Result<Ratio, PatternError> {
        let column = self.next;
        while self.peek().is_some_and(|letter| letter.is_ascii_digit() || letter == '.') {
            self.next += 1;
        }
        let text: String = self.letters[column..self.next].iter().collect();
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let digits = format!("{whole}{decimals}").parse::<i128>().ok().filter(|_| decimals.len() <= 3);
        let times = digits.and_then(|over| Ratio::new(over, 10i128.pow(decimals.len() as u32)));
        match times.filter(|times| *times > Ratio::ZERO && *times <= Ratio::whole(MOST_TIMES)) {
            Some(times) => Ok(times),
            None => self.error(column, format!("`{sign}` wants a number above 0 behind it, up to {MOST_TIMES}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bars until it repeats, and where which value begins.
    fn read(text: &str) -> (f64, Vec<(f64, f64)>) {
        let pattern = parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        (pattern.bars, pattern.steps.iter().map(|step| (step.place, step.value)).collect())
    }

    #[test]
    fn a_sequence_shares_a_bar_and_a_group_a_step() {
        let third = 1.0 / 3.0;
        let expected = vec![(0.0, -3.0), (third, -3.0), (2.0 / 3.0, -6.0), (5.0 / 6.0, 0.0)];
        assert_eq!(read("-3 -3 [-6 0]"), (1.0, expected));
        assert_eq!(read(" 1.5 "), (1.0, vec![(0.0, 1.5)]));
        assert_eq!(read("[1 [2 3]] 4"), (1.0, vec![(0.0, 1.0), (0.25, 2.0), (0.375, 3.0), (0.5, 4.0)]));
    }

    #[test]
    fn rests_begin_nothing() {
        assert_eq!(read("~ 1 ~ 2"), (1.0, vec![(0.25, 1.0), (0.75, 2.0)]));
    }

    #[test]
    fn parts_are_repeated_and_lengthened() {
        assert_eq!(read("1!3 2"), read("1 1 1 2"));
        assert_eq!(read("1 ! ! 2"), read("1 1 1 2"));
        assert_eq!(read("1! 2"), read("1 1 2"));
        assert_eq!(read("1@3 2"), (1.0, vec![(0.0, 1.0), (0.75, 2.0)]));
        assert_eq!(read("1 _ _ 2"), read("1@3 2"));
        assert_eq!(read("1@1.5 2@0.5"), (1.0, vec![(0.0, 1.0), (0.75, 2.0)]));
    }

    #[test]
    fn parts_are_sped_up_and_slowed_down() {
        assert_eq!(read("1 [2 3]*2"), read("1 [2 3 2 3]"));
        assert_eq!(read("[1 2]/2"), (2.0, vec![(0.0, 1.0), (1.0, 2.0)]));
        assert_eq!(read("[1 2 3]*1.5"), (2.0, read("1 2 3 1 2 3 1 2 3").1.iter().map(|s| (s.0 * 2.0, s.1)).collect()));
        // The second half of a bar has a half of the group in turn.
        assert_eq!(read("0 [1 2]/2"), (2.0, vec![(0.0, 0.0), (0.5, 1.0), (1.0, 0.0), (1.5, 2.0)]));
    }

    #[test]
    fn parts_take_turns_by_the_cycle_they_stand_in() {
        assert_eq!(read("<1 2>"), (2.0, vec![(0.0, 1.0), (1.0, 2.0)]));
        assert_eq!(read("0 <1 2>"), (2.0, vec![(0.0, 0.0), (0.5, 1.0), (1.0, 0.0), (1.5, 2.0)]));
        assert_eq!(read("<1 2>*2"), (1.0, vec![(0.0, 1.0), (0.5, 2.0)]));
        assert_eq!(read("<1 <2 3>>"), (4.0, vec![(0.0, 1.0), (1.0, 2.0), (2.0, 1.0), (3.0, 3.0)]));
        assert_eq!(read("<1@2 2>"), read("<1 1 2>"));
        assert_eq!(read("<1 2> <3 4 5>").0, 6.0);
    }

    #[test]
    fn values_know_where_they_are_written() {
        let columns = |text: &str| parse(text).unwrap().steps.iter().map(|step| step.column).collect::<Vec<_>>();
        assert_eq!(columns("-3  [~ 1]*2"), [0, 7, 7]);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        for (text, column, part) in [
            ("", 0, "no number"),
            ("~ ~", 0, "no number"),
            ("1 [2 3", 2, "never closed"),
            ("1 2]", 3, "closes nothing"),
            ("[1 2>", 4, "expected `]`"),
            ("1 []", 2, "nothing stands"),
            ("1 x 2", 2, "`x` is no number"),
            ("-3 -3dB", 5, "`dB` is no number"),
            ("1, 2", 1, "one value at a time"),
            ("1 1.2.3", 2, "no number"),
            ("- 1", 0, "no number"),
            ("1*0", 2, "above 0"),
            ("1*", 2, "above 0"),
            ("1/x", 2, "above 0"),
            ("_ 1", 0, "nothing does"),
            ("! 1", 0, "nothing does"),
            ("1!1.5", 2, "whole number"),
            ("<1@1.5 2>", 1, "whole turns"),
            ("bd sn", 0, "`bd` is no number"),
            ("1(3,8)", 1, "no place"),
            ("é", 0, "`é` is no number"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.column, column, "{text}: {error:?}");
            assert!(error.message.contains(part), "{text}: {error:?}");
        }
    }

    #[test]
    fn what_is_too_much_is_refused_at_once() {
        for text in [
            "1!1000!1000",
            "[[1!1000]!1000]!1000",
            "[[1*1000]*1000]*1000",
            "<1 2>/1000",
            "<1!1000 2> <1!999 2> <1!997 2>",
            &"[".repeat(100_000),
            &format!("{}1{}", "[".repeat(30), "]".repeat(30)),
            &"1 ".repeat(50_000),
            &format!("1{}", "*1.001".repeat(100)),
            "1/1000/1000",
        ] {
            let error = parse(text).expect_err(&text[..text.len().min(40)]);
            assert!(["too much", "too deep"].iter().any(|part| error.message.contains(part)), "{error:?}");
        }
    }
}
