//! One file of a session: its text and its tokens, and the questions of place that they answer.

use std::ops::Range;
use std::path::{Path, PathBuf};

use engine::diagnostic::Position;
use engine::session::Written;

use crate::tokens::{Kind, Token, tokens};

/// How deep brackets may be nested.
const DEEPEST: usize = 100;

const KEYWORDS: &[&str] = &[
    "let", "const", "if", "else", "switch", "do", "while", "until", "loop", "for", "in", "continue", "break", "return",
    "throw", "try", "catch", "fn", "private", "import", "export", "as",
];

/// A file that is being read.
pub struct Text {
    /// Where it lives.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
    file: u16,
    tokens: Vec<Token>,
    /// For each bracket the one that it belongs to.
    partners: Vec<Option<usize>>,
    /// The first bracket that is nested too deep.
    too_deep: Option<usize>,
    /// Where each statement ends.
    ends: Vec<(u32, u32)>,
    /// Calls and operators whose value nothing takes, in order.
    discarded: Vec<(u32, u32)>,
}

impl Text {
    /// Reads a text; `file` is its number among the session's files.
    pub fn new(path: &Path, text: &str, file: u16) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_string();
        let tokens = tokens(&text);
        let partners = vec![None; tokens.len()];
        let mut this = Text {
            path: path.into(),
            text,
            file,
            tokens,
            partners,
            too_deep: None,
            ends: Vec::new(),
            discarded: Vec::new(),
        };
        this.pair();
        this.ends = (0..this.len())
            .filter(|&i| this.is(i, ";"))
            .map(|i| (this.tokens[i].line, this.tokens[i].column))
            .collect();
        if this.too_deep.is_none() {
            this.discarded = crate::grammar::discarded(&this);
        }
        this
    }

    /// Finds which brackets belong together, of whatever kind.
    fn pair(&mut self) {
        let mut open = Vec::new();
        for index in 0..self.len() {
            if self.opens(index) {
                open.push(index);
                if open.len() > DEEPEST && self.too_deep.is_none() {
                    self.too_deep = Some(index);
                }
            } else if self.closes(index)
                && let Some(partner) = open.pop()
            {
                self.partners[index] = Some(partner);
                self.partners[partner] = Some(index);
            }
        }
    }

    /// The first bracket that is nested deeper than a text may be.
    pub fn too_deep(&self) -> Option<usize> {
        self.too_deep
    }

    /// Whether it ends by itself: no bracket is open, no text without its closing mark.
    pub fn is_whole(&self) -> bool {
        let brackets = (0..self.len()).filter(|&i| self.opens(i) || self.closes(i));
        let last = self.tokens.last().filter(|token| token.kind == Kind::Text).map(|t| &self.text[t.start..t.end]);
        let open = last.is_some_and(|text| text.starts_with('`') && (text.len() == 1 || !text.ends_with('`')));
        !open && brackets.into_iter().all(|i| self.partners[i].is_some())
    }

    /// How many tokens it has.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether token `index` is this symbol or word.
    pub fn is(&self, index: usize, what: &str) -> bool {
        let is_it = |t: &Token| t.end - t.start == what.len() && t.kind != Kind::Text && self.of(t) == what;
        self.tokens.get(index).is_some_and(is_it)
    }

    /// Token `index` as it is written; nothing behind the end.
    pub fn written(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |t| self.of(t))
    }

    fn of(&self, token: &Token) -> &str {
        &self.text[token.start..token.end]
    }

    /// What token `index` is.
    pub fn kind(&self, index: usize) -> Option<Kind> {
        self.tokens.get(index).map(|t| t.kind)
    }

    /// Whether token `index` is a name that is no keyword.
    pub fn is_name(&self, index: usize) -> bool {
        self.kind(index) == Some(Kind::Word) && !self.is_keyword(index)
    }

    /// Whether token `index` is one of Rhai's keywords.
    pub fn is_keyword(&self, index: usize) -> bool {
        self.kind(index) == Some(Kind::Word) && KEYWORDS.contains(&self.written(index))
    }

    /// Whether token `index` is an opening bracket of any kind.
    pub fn opens(&self, index: usize) -> bool {
        // Bytes are compared in place, text by a call: every token is asked.
        self.kind(index) == Some(Kind::Symbol)
            && matches!(self.written(index).as_bytes(), b"(" | b"[" | b"{" | b"#{" | b"?[")
    }

    /// Whether token `index` is a closing bracket of any kind.
    pub fn closes(&self, index: usize) -> bool {
        self.kind(index) == Some(Kind::Symbol) && matches!(self.written(index).as_bytes(), b")" | b"]" | b"}")
    }

    /// The bracket that closes the one at token `open`.
    pub fn closing(&self, open: usize) -> Option<usize> {
        self.partners.get(open).copied().flatten().filter(|_| self.opens(open))
    }

    /// Where token `index` is, in bytes.
    ///
    /// # Panics
    /// Behind the end.
    pub fn span(&self, index: usize) -> Range<usize> {
        self.tokens[index].start..self.tokens[index].end
    }

    /// The line of token `index`, and that on which it ends.
    pub fn lines(&self, index: usize) -> (u32, u32) {
        self.tokens.get(index).map_or((0, 0), |t| (t.line, t.end_line))
    }

    /// Where token `index` begins.
    pub fn start(&self, index: usize) -> Position {
        self.tokens
            .get(index)
            .map_or(Position { file: self.file, line: 0, column: 0 }, |t| self.place(t.line, t.column))
    }

    /// Where the last character of token `index` stands.
    pub fn end(&self, index: usize) -> Position {
        let token = self.tokens.get(index);
        token.map_or(self.start(index), |t| self.place(t.end_line, t.end_column.saturating_sub(1).max(1)))
    }

    /// A place in this file.
    pub fn place(&self, line: u32, column: u32) -> Position {
        Position { file: self.file, line, column }
    }

    /// The token at a place, or the last that begins before it.
    pub fn token_at(&self, at: Position) -> Option<usize> {
        self.tokens.partition_point(|t| (t.line, t.column) <= (at.line, at.column)).checked_sub(1)
    }

    /// Where a text in quotes stands, at a place or behind it.
    pub fn quoted_behind(&self, at: Position, inside: &str) -> Option<Position> {
        let quoted = format!("\"{inside}\"");
        (self.token_at(at)?..self.len()).find(|&index| self.written(index) == quoted).map(|index| self.start(index))
    }

    /// How many characters the token at a place has on its line; 1 where there is none.
    pub fn width_at(&self, at: Position) -> usize {
        let Some(first) = self.token_at(at).filter(|&index| self.start(index) == at) else { return 1 };
        // A quantity is marked as a whole: its sign, its number and its unit.
        let mut last = first;
        if self.is(last, "-") && self.kind(last + 1) == Some(Kind::Number) && self.touches(last) {
            last += 1;
        }
        if self.kind(last) == Some(Kind::Number) && self.is(last + 1, ".") && self.is_name(last + 2) {
            last += 2;
        }
        let (start, end) = (&self.tokens[first], &self.tokens[last]);
        if end.end_line == start.line { (end.end_column - start.column) as usize } else { 1 }
    }

    /// Whether nothing stands between a token and the next.
    fn touches(&self, index: usize) -> bool {
        self.tokens.get(index + 1).is_some_and(|next| next.start == self.tokens[index].end)
    }

    /// The token at a place as it is written.
    pub fn word_at(&self, at: Position) -> &str {
        self.token_at(at).map_or("", |index| self.written(index))
    }

    /// Where each argument of the call at a place begins.
    pub fn arguments(&self, call: Position) -> Vec<Position> {
        self.token_at(call).map_or(Vec::new(), |word| self.parts(word + 1, "(").collect())
    }

    /// Where one of them begins, counted from 0.
    pub fn argument(&self, call: Position, number: usize) -> Option<Position> {
        self.parts(self.token_at(call)? + 1, "(").nth(number)
    }

    /// Where each element of the list that is written at a place begins.
    pub fn elements(&self, list: Position) -> Vec<Position> {
        self.token_at(list).map_or(Vec::new(), |open| self.parts(open, "[").collect())
    }

    /// Where what the commas of a bracket part begins.
    fn parts(&self, open: usize, bracket: &str) -> impl Iterator<Item = Position> {
        let close = self.closing(open).filter(|_| self.is(open, bracket));
        let mut next = open + 1;
        std::iter::from_fn(move || {
            let close = close.filter(|close| next < *close)?;
            let found = self.start(next);
            // The parameters of a closure have commas of their own.
            if self.is(next, "|") {
                next = (next + 1..close).find(|&i| self.is(i, "|")).unwrap_or(close);
            }
            while next < close && !self.is(next, ",") {
                next = if self.opens(next) { self.closing(next).unwrap_or(close) } else { next } + 1;
            }
            next += 1;
            Some(found)
        })
    }

    /// Where the characters stand of the text that is written in quotes at a place, as far as one can tell.
    pub fn quoted(&self, at: Position) -> Written {
        let mut anchors = Vec::new();
        let token = self.token_at(at).filter(|&index| self.is_text(at) && self.start(index) == at);
        let mut letters = token.map_or("", |index| self.written(index)).chars().peekable();
        let is_raw = letters.next() == Some('`');
        let (mut line, mut column) = (at.line, at.column + 1);
        // A break right behind the quote is none of the text.
        if is_raw && letters.next_if_eq(&'\n').is_some() {
            (line, column) = (line + 1, 1);
        }
        let mut number = 0;
        let mut here = Some(());
        while let Some(letter) = letters.next() {
            if here.take().is_some() {
                anchors.push((number, self.place(line, column)));
            }
            number += 1;
            column += 1;
            match letter {
                '\n' => (line, column, here) = (line + 1, 1, Some(())),
                '$' if is_raw && letters.peek() == Some(&'{') => break,
                '\\' if !is_raw => {
                    let digits = match letters.next() {
                        Some('x') => 2,
                        Some('u') => 4,
                        Some('U') => 8,
                        Some('\n') | None => break,
                        _ => 0,
                    };
                    letters.by_ref().take(digits).for_each(drop);
                    (column, here) = (column + 1 + digits as u32, Some(()));
                }
                _ => {}
            }
        }
        Written { at, anchors }
    }

    /// How many arguments the closure takes that is written at a place.
    pub fn closure(&self, at: Position) -> Option<usize> {
        let open = self.token_at(at).filter(|&index| self.start(index) == at)?;
        if self.is(open, "||") {
            return Some(0);
        }
        let inside = (open + 1..self.len()).take_while(|&index| !self.is(index, "|"));
        self.is(open, "|").then(|| inside.filter(|&index| self.kind(index) == Some(Kind::Word)).count())
    }

    /// Where a word is written in the closure that begins at a place, if it is.
    pub fn in_closure(&self, at: Position, word: &str) -> Option<Position> {
        let open = self.token_at(at).filter(|&index| self.start(index) == at && self.closure(at).is_some())?;
        let mut depth = 0usize;
        for index in open + 1..self.len() {
            if self.opens(index) {
                depth += 1;
            } else if self.closes(index) {
                depth = depth.checked_sub(1)?;
            } else if depth == 0 && (self.is(index, ";") || self.is(index, ",") && !self.is(open, "|")) {
                return None;
            } else if self.kind(index) == Some(Kind::Word) && self.is(index, word) {
                return Some(self.start(index));
            }
        }
        None
    }

    /// Where a method is called on a name that one of its arguments has within a closure: `p.every(2, |x| p)`.
    pub fn given_to_itself(&self) -> Option<Position> {
        let is_so = |&name: &usize| {
            let call = self.is_name(name) && self.is(name + 1, ".") && self.is_name(name + 2);
            let close = self.closing(name + 3).filter(|_| call && self.is(name + 3, "("));
            let inside = name + 4..close.unwrap_or(name);
            let mut behind = inside.skip_while(|&index| !self.is(index, "|")).skip(1);
            behind.any(|index| self.written(index) == self.written(name) && !self.is(index - 1, "."))
        };
        (0..self.len()).find(is_so).map(|name| self.start(name))
    }

    /// Whether a text in quotes is written at a place.
    pub fn is_text(&self, at: Position) -> bool {
        self.token_at(at).is_some_and(|index| self.start(index) == at && self.kind(index) == Some(Kind::Text))
    }

    /// Where the text in quotes is written whose method is called at a place.
    pub fn object(&self, method: Position) -> Option<Position> {
        let object = self.token_at(method).filter(|_| self.is_method(method))?.checked_sub(2)?;
        (self.kind(object) == Some(Kind::Text)).then(|| self.start(object))
    }

    /// Whether the call at a place is written as a method, `x.word()`.
    pub fn is_method(&self, call: Position) -> bool {
        self.token_at(call)
            .and_then(|index| index.checked_sub(1))
            .is_some_and(|before| self.is(before, ".") || self.is(before, "?."))
    }

    /// Where the operand behind the operator at a place begins.
    pub fn after(&self, operator: Position) -> Position {
        match self.token_at(operator) {
            Some(index) if index + 1 < self.len() => self.start(index + 1),
            _ => operator,
        }
    }

    /// Which statement a place stands in, counted by the semicolons before it.
    pub fn statement(&self, at: Position) -> usize {
        self.ends.partition_point(|&end| end < (at.line, at.column))
    }

    /// Whether the token at a place is this symbol.
    pub fn is_token(&self, at: Position, what: &str) -> bool {
        self.token_at(at).is_some_and(|index| self.start(index) == at && self.is(index, what))
    }

    /// The innermost bracket that is open before a place.
    pub fn open_at(&self, at: Position) -> Option<usize> {
        let mut open = Vec::new();
        for index in (0..self.len()).take_while(|&index| self.start(index) < at) {
            if self.opens(index) {
                open.push(index);
            } else if self.closes(index) {
                open.pop();
            }
        }
        // A brace holds statements: one of them ends within it.
        open.pop().filter(|&index| !self.is(index, "{"))
    }

    /// Whether the token at a place is a bracket that closes none.
    pub fn closes_nothing(&self, at: Position) -> bool {
        let Some(index) = self.token_at(at).filter(|&index| self.start(index) == at && self.closes(index)) else {
            return false;
        };
        let open = (0..index).filter(|&i| self.opens(i)).count();
        open <= (0..index).filter(|&i| self.closes(i)).count()
    }

    /// The word that begins the chain of methods in which the method at a place stands: `eq` in `eq().bell().mix()`.
    pub fn chain_root(&self, method: Position) -> Option<usize> {
        let mut word = self.token_at(method)?;
        while word >= 2 && self.is(word - 1, ".") {
            word -= 2;
            if self.closes(word) {
                word = self.partners[word]?.checked_sub(1)?;
            }
        }
        Some(word)
    }

    /// The first word of the statement around a place, and the statement as it is written, without its end.
    pub fn statement_around(&self, at: Position) -> (&str, &str) {
        let Some(middle) = self.token_at(at) else { return ("", "") };
        let ends = |&i: &usize| self.is(i, ";") || self.is(i, "{") || self.is(i, "}");
        let first = (0..middle).rev().find(ends).map_or(0, |i| i + 1);
        let last = (middle..self.len()).find(ends).unwrap_or(self.len()) - 1;
        (self.written(first), &self.text[self.tokens[first].start..self.tokens[last].end])
    }

    /// What is written from token `first` to the end of its statement.
    pub fn rest_of_statement(&self, first: usize) -> &str {
        let last = (first..self.len()).find(|&i| self.is(i, ";") || self.is(i, "}")).unwrap_or(self.len());
        if first < last { &self.text[self.tokens[first].start..self.tokens[last - 1].end] } else { "" }
    }

    /// Whether nothing takes the value of the call or operator at a place.
    pub fn discards(&self, at: Position) -> bool {
        self.discarded.binary_search(&(at.line, at.column)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_begin_where_they_are_written() {
        let text = Text::new(Path::new("x"), "f(a, g(1, 2), [3, 4], |x, y| x) ", 0);
        let columns = |column| text.arguments(text.place(1, column)).iter().map(|p| p.column).collect::<Vec<_>>();
        assert_eq!(columns(1), [3, 6, 15, 23]);
        assert_eq!(columns(6), [8, 11]);
        assert!(Text::new(Path::new("x"), "f()", 0).arguments(text.place(1, 1)).is_empty());
    }
}
