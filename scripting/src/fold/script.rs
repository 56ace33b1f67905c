//! A text as a sequence of statements, and what can be done to one of them without touching the others, their layout, or the
//! comments beside it.

use std::ops::Range;
use std::path::Path;

use engine::diagnostic::Position;
use similar::{Algorithm, DiffTag, capture_diff_slices};

use crate::grammar;
use crate::text::Text;
use crate::tokens::Kind;

/// A text with its tokens and its statements.
pub struct Script {
    text: Text,
    statements: Vec<Range<usize>>,
}

impl std::ops::Deref for Script {
    type Target = Text;

    fn deref(&self) -> &Text {
        &self.text
    }
}

impl Script {
    /// Reads a text.
    pub fn new(text: &str) -> Self {
        let text = Text::new(Path::new(""), text, 0);
        let statements = grammar::statements(&text);
        Script { text, statements }
    }

    /// Its statements, as tokens; none has its `;`.
    pub fn statements(&self) -> &[Range<usize>] {
        &self.statements
    }

    /// Its only statement; nothing if it has several.
    pub fn only(&self) -> Option<Range<usize>> {
        match self.statements.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }
    }

    /// The statement that a place stands in.
    pub fn statement_at(&self, at: Position) -> Option<Range<usize>> {
        let token = self.token_at(at)?;
        self.statements.iter().find(|statement| statement.contains(&token)).cloned()
    }

    /// What tokens are written as, with all that is between them.
    pub fn written_as(&self, tokens: &Range<usize>) -> &str {
        match tokens.is_empty() {
            true => "",
            false => &self.text.text[self.bytes(tokens)],
        }
    }

    fn bytes(&self, tokens: &Range<usize>) -> Range<usize> {
        self.span(tokens.start).start..self.span(tokens.end - 1).end
    }

    /// The text with something else in the place of some bytes of it.
    pub fn with(&self, bytes: Range<usize>, other: &str) -> String {
        let text = &self.text.text;
        format!("{}{other}{}", &text[..bytes.start], &text[bytes.end..])
    }

    /// The text with something else in the place of some tokens.
    pub fn exchanged(&self, tokens: &Range<usize>, other: &str) -> String {
        self.with(self.bytes(tokens), other)
    }

    /// The text with a line in the place of some tokens: first in their layout, with what is equal left as it stands, then as it
    /// was typed.
    pub fn replaced(&self, tokens: &Range<usize>, line: &Script, by: &Range<usize>) -> Vec<String> {
        let merged = self.merged(tokens, line, by);
        merged.iter().map(String::as_str).chain([line.written_as(by)]).map(|new| self.exchanged(tokens, new)).collect()
    }

    /// Tokens that are replaced by others, with the space and the comments of those that stay. Nothing if most do not.
    fn merged(&self, tokens: &Range<usize>, line: &Script, by: &Range<usize>) -> Option<String> {
        let written = |script: &'_ Script, tokens: &Range<usize>| -> Vec<String> {
            tokens.clone().map(|i| script.written(i).to_owned()).collect()
        };
        let (old, new) = (written(self, tokens), written(line, by));
        let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
        let (mut text, mut kept) = (String::new(), 0);
        let mut add = |gap: &str, token: &str| {
            let joins = |c: char| c.is_alphanumeric() || c == '_';
            if !text.is_empty() {
                let glued = gap.is_empty() && text.ends_with(joins) && token.starts_with(joins);
                text += if glued { " " } else { gap };
            }
            text += token;
        };
        for op in ops {
            let (tag, from, to) = op.as_tag_tuple();
            match tag {
                DiffTag::Equal => kept += from.len(),
                // Nothing is said of why something stood there that is gone.
                DiffTag::Delete => continue,
                DiffTag::Insert | DiffTag::Replace => {}
            }
            let old_gaps = from.map(|i| self.gap(tokens.start + i)).map(Some).chain(std::iter::repeat(None));
            for (i, gap) in to.zip(old_gaps) {
                let gap = gap.filter(|_| tag != DiffTag::Insert);
                add(gap.unwrap_or_else(|| line.gap(by.start + i)), &new[i]);
            }
        }
        (2 * kept >= old.len()).then_some(text)
    }

    /// What stands between a token and the one before it.
    fn gap(&self, token: usize) -> &str {
        match token.checked_sub(1) {
            Some(before) => &self.text.text[self.span(before).end..self.span(token).start],
            None => "",
        }
    }

    /// The text without a statement. Its lines go with it if nothing else is on them; so does the comment at their end.
    pub fn without(&self, statement: &Range<usize>) -> String {
        let text = &self.text.text;
        let Range { start, mut end } = self.bytes(statement);
        if self.is(statement.end, ";") {
            end = self.span(statement.end).end;
        }
        let begins = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let ends = text[end..].find('\n').map_or(text.len(), |newline| end + newline + 1);
        let (before, behind) = (text[begins..start].trim(), text[end..ends].trim());
        if before.is_empty() && (behind.is_empty() || behind.starts_with("//")) {
            let blank = |text: &str| text.is_empty() || text.ends_with("\n\n") || text.ends_with("\n\r\n");
            let next = text[ends..].find('\n').filter(|next| text[ends..][..*next].trim().is_empty());
            let ends = next.filter(|_| blank(&text[..begins])).map_or(ends, |next| ends + next + 1);
            return self.with(begins..ends, "");
        }
        let space = |c: char| c == ' ' || c == '\t';
        match before.is_empty() {
            true => self.with(start..end + text[end..].len() - text[end..].trim_start_matches(space).len(), ""),
            false => self.with(text[..start].trim_end_matches(space).len()..end, ""),
        }
    }

    /// The token behind what a word is called with and every method that is called on that.
    pub fn chain_end(&self, word: usize) -> usize {
        let mut end = word + 1;
        while let Some(close) = self.closing(end).filter(|_| self.is(end, "(")) {
            end = close + 1;
            if self.is(end, ".") && self.is_name(end + 1) {
                end += 2;
            }
        }
        end
    }

    /// The text without one link of a chain of `>>`, which begins at a place.
    pub fn without_link(&self, at: Position) -> Option<String> {
        let word = self.token_at(at).filter(|&word| self.start(word) == at && self.is_name(word))?;
        let end = self.chain_end(word);
        let before = word.checked_sub(1).filter(|&before| self.is(before, ">>"));
        match before {
            Some(flows) => Some(self.with(self.span(flows.checked_sub(1)?).end..self.span(end - 1).end, "")),
            None if self.is(end, ">>") && end + 1 < self.len() => {
                Some(self.with(self.span(word).start..self.span(end + 1).start, ""))
            }
            None => None,
        }
    }

    /// The text with an end that a statement can follow: a `;` and a new line.
    pub fn ended(&self) -> String {
        let text = &self.text.text;
        let last = self.len().checked_sub(1);
        // A block ends itself, unless its value is taken.
        let block = self.statements.last().is_some_and(|last| {
            self.is(last.end - 1, "}") && self.is_keyword(last.start) && !self.is(last.start, "let")
        });
        let ends = last.is_none_or(|last| self.is(last, ";")) || block;
        let mut ended = match last {
            Some(last) if !ends => self.with(self.span(last).end..self.span(last).end, ";"),
            _ => text.clone(),
        };
        if !ended.is_empty() && !ended.ends_with('\n') {
            ended += self.newline();
        }
        ended
    }

    /// How its lines end.
    pub fn newline(&self) -> &'static str {
        if self.text.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// The text with statements behind it, each on lines of its own.
    pub fn followed(&self, statements: &[String]) -> String {
        let ended =
            |statement: &String| Script::new(statement).ended().replace("\r\n", "\n").replace('\n', self.newline());
        statements.iter().map(ended).fold(self.ended(), |text, statement| text + statement.as_str())
    }

    /// The name that a statement declares, and its value as tokens.
    pub fn declares(&self, statement: &Range<usize>) -> Option<(&str, Range<usize>)> {
        let Range { start, end } = *statement;
        let declared = (self.is(start, "let") || self.is(start, "const")) && self.is(start + 2, "=") && start + 3 < end;
        declared.then(|| (self.written(start + 1), start + 3..end))
    }

    /// The arguments of the call whose word a token is, as tokens.
    pub fn arguments_of(&self, word: usize) -> Vec<Range<usize>> {
        let begins = self.arguments(self.start(word));
        let begins = begins.into_iter().filter_map(|at| self.token_at(at));
        begins.map(|begin| begin..self.argument_end(begin)).collect()
    }

    /// The token behind the argument that begins with a token.
    pub fn argument_end(&self, begin: usize) -> usize {
        let mut end = begin;
        while end < self.len() && !self.is(end, ",") && !self.closes(end) && !self.is(end, ";") {
            end = if self.opens(end) { self.closing(end).unwrap_or(end) } else { end } + 1;
        }
        end
    }

    /// The word that a statement begins by calling.
    pub fn calls(&self, statement: &Range<usize>) -> Option<&str> {
        let word = statement.start;
        (self.is_name(word) && self.is(word + 1, "(")).then(|| self.written(word))
    }

    /// What token `index` says, if it is a text without escapes.
    pub fn quoted(&self, index: usize) -> Option<&str> {
        let inside = self.written(index).strip_prefix('"')?.strip_suffix('"')?;
        (self.kind(index) == Some(Kind::Text) && !inside.contains('\\')).then_some(inside)
    }
}
