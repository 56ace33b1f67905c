//! The words of a text with their places: what Rhai's errors do not tell (where an argument begins, where a line ends) is
//! read off here. Only as much of the grammar as that needs.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or a keyword.
    Word,
    /// A number.
    Number,
    /// A string or a character.
    Text,
    /// An operator or a bracket.
    Symbol,
    /// A comment that never ends.
    OpenComment,
}

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends, in bytes.
    pub end: usize,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The line on which it ends, from 1.
    pub end_line: u32,
    /// The column just behind it.
    pub end_column: u32,
}

/// Symbols of several characters, the longest first.
const LONG: &[&str] = &[
    "<<=", ">>=", "**=", "..=", "...", "===", "!==", "::", ">>", "<<", "**", "==", "!=", "<=", ">=", "&&", "||", "??",
    "?.", "?[", "=>", "->", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "#{", "..",
];

/// The symbol of several characters that a text begins with, if it does.
fn long_symbol(text: &str) -> Option<&'static str> {
    let &[first, second, ..] = text.as_bytes() else { return None };
    // The first two characters decide about most, and nearly all symbols are of one alone.
    let begins = |symbol: &&&str| symbol.as_bytes()[..2] == [first, second] && text.starts_with(**symbol);
    LONG.iter().find(begins).copied()
}

/// Every token of a text but its comments. A string that is not finished ends with its line; a comment that is not
/// finished is a token of its own.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut reader = Reader { text, offset: 0, line: 1, column: 1 };
    // About as many as most texts have: growing would copy them again and again.
    let mut found = Vec::with_capacity(text.len() / 3);
    while let Some(first) = reader.peek() {
        if first.is_whitespace() || first == '\u{feff}' {
            reader.skip();
        } else if first == '/' && reader.rest().starts_with("//") {
            reader.skip_while(|c| c != '\n');
        } else if first == '/' && reader.rest().starts_with("/*") {
            let (start, line, column) = (reader.offset, reader.line, reader.column);
            if !reader.comment() {
                let (end_line, end_column) = (line, column + 2);
                found.push(Token {
                    kind: Kind::OpenComment,
                    start,
                    end: start + 2,
                    line,
                    column,
                    end_line,
                    end_column,
                });
            }
        } else {
            found.push(reader.token(first));
        }
    }
    found
}

struct Reader<'a> {
    text: &'a str,
    offset: usize,
    line: u32,
    column: u32,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.offset..]
    }

    fn peek(&self) -> Option<char> {
        match self.text.as_bytes().get(self.offset) {
            Some(&byte) if byte.is_ascii() => Some(char::from(byte)),
            _ => self.rest().chars().next(),
        }
    }

    fn skip(&mut self) {
        if let Some(c) = self.peek() {
            self.offset += c.len_utf8();
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.skip();
        }
    }

    fn skip_text(&mut self, text: &str) {
        for _ in text.chars() {
            self.skip();
        }
    }

    /// Skips a comment; `false` if the text ends within it.
    fn comment(&mut self) -> bool {
        let mut depth = 0usize;
        while !self.rest().is_empty() {
            if self.rest().starts_with("/*") {
                depth += 1;
                self.skip_text("/*");
            } else if self.rest().starts_with("*/") {
                self.skip_text("*/");
                depth -= 1;
                if depth == 0 {
                    return true;
                }
            } else {
                self.skip();
            }
        }
        false
    }

    fn token(&mut self, first: char) -> Token {
        let (start, line, column) = (self.offset, self.line, self.column);
        let kind = if first.is_alphabetic() || first == '_' {
            self.skip_while(|c| c.is_alphanumeric() || c == '_');
            Kind::Word
        } else if first.is_ascii_digit() {
            self.number();
            Kind::Number
        } else if matches!(first, '"' | '`' | '\'') {
            self.quoted(first);
            Kind::Text
        } else {
            match long_symbol(self.rest()) {
                Some(symbol) => self.skip_text(symbol),
                None => self.skip(),
            }
            Kind::Symbol
        };
        Token { kind, start, end: self.offset, line, column, end_line: self.line, end_column: self.column }
    }

    /// A point belongs to a number only before a digit: `3.dB` is a number and a unit.
    fn number(&mut self) {
        self.skip_while(|c| c.is_ascii_alphanumeric() || c == '_');
        let mut ahead = self.rest().chars();
        if ahead.next() == Some('.') && ahead.next().is_some_and(|c| c.is_ascii_digit()) {
            self.skip();
            self.skip_while(|c| c.is_ascii_alphanumeric() || c == '_');
        }
    }

    fn quoted(&mut self, mark: char) {
        self.skip();
        while let Some(c) = self.peek() {
            self.skip();
            if c == '\\' && mark != '`' {
                self.skip();
            } else if c == mark || (c == '\n' && mark != '`') {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        tokens(text).iter().map(|t| &text[t.start..t.end]).collect()
    }

    #[test]
    fn units_strings_and_comments_are_told_apart() {
        assert_eq!(
            texts("a >> gain(-3.5.dB); // no\n/* a /* b */ c */ \"x;\\\"y\" 1.kHz"),
            ["a", ">>", "gain", "(", "-", "3.5", ".", "dB", ")", ";", "\"x;\\\"y\"", "1", ".", "kHz"]
        );
    }

    #[test]
    fn columns_count_characters() {
        let found = tokens("\"é\" x\n  y");
        assert_eq!((found[1].line, found[1].column), (1, 5));
        assert_eq!((found[2].line, found[2].column), (2, 3));
    }
}
