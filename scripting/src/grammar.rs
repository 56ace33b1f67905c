//! What is looked for in a text before Rhai reads it: semicolons that are missing where the next line would change the
//! meaning, words that are declared anew, values that nothing takes.

use std::ops::Range;

use engine::diagnostic::Diagnostic;
use engine::units::Unit;

use crate::text::Text;
use crate::tokens::Kind;
use crate::words;

/// Every fault that can be seen in the tokens alone.
pub fn faults(text: &Text) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = redefined(text).collect();
    found.extend(absent(text));
    found.extend(open_comment(text));
    found.extend(text.too_deep().map(|index| {
        Diagnostic::error("too-deep", text.start(index), "brackets are nested too deep here")
            .help("give a part of it a name: `let part = ...;`")
    }));
    found.extend(missing_semicolon(text));
    found.extend(glued_units(text));
    found.sort_by_key(|d| d.at);
    found
}

/// The error for a missing semicolon behind token `last`.
pub fn semicolon_after(text: &Text, last: usize) -> Diagnostic {
    let at = text.end(last);
    Diagnostic::error("missing-semicolon", at, format!("missing `;` at the end of line {}", at.line))
        .help("every statement ends with `;`")
}

/// A line that begins with `(` or `[` would call or index what stands before it.
fn missing_semicolon(text: &Text) -> impl Iterator<Item = Diagnostic> {
    let mut inside: Vec<bool> = Vec::new();
    (0..text.len()).filter_map(move |i| {
        let in_statement = inside.last().is_none_or(|braces| *braces);
        let first_of_line = i > 0 && text.lines(i - 1).1 < text.lines(i).0;
        let fault = first_of_line
            && in_statement
            && (text.is(i, "(") || text.is(i, "["))
            && ends_value(text, i - 1)
            && !text.is(i - 1, "}");
        if text.opens(i) {
            inside.push(text.is(i, "{"));
        } else if text.closes(i) {
            inside.pop();
        }
        fault.then(|| {
            semicolon_after(text, i - 1).help(format!(
                "without it, the `{}` on the next line would belong to this one; every statement ends with `;`",
                text.written(i)
            ))
        })
    })
}

/// A number with its unit glued on, or set beside it: `-18ms`, `-3 dB`.
fn glued_units(text: &Text) -> impl Iterator<Item = Diagnostic> {
    (0..text.len()).filter(|i| text.kind(*i) == Some(Kind::Number)).filter_map(|i| {
        let written = text.written(i);
        let digits = written.trim_end_matches(char::is_alphabetic);
        let beside = text.kind(i + 1) == Some(Kind::Word) && text.lines(i).1 == text.lines(i + 1).0;
        let said = match &written[digits.len()..] {
            "" if beside => text.written(i + 1),
            glued => glued,
        };
        let unit = Unit::ALL.iter().find(|unit| unit.suffix().eq_ignore_ascii_case(said))?.suffix();
        let sign = if i > 0 && text.is(i - 1, "-") { "-" } else { "" };
        let message = format!("a point joins a unit to its number, and `{said}` has none");
        let error = Diagnostic::error("unit-without-point", text.start(i), message);
        Some(error.help(format!("write `{sign}{digits}.{unit}`")))
    })
}

fn ends_value(text: &Text, index: usize) -> bool {
    match text.kind(index) {
        Some(Kind::Number | Kind::Text) => true,
        Some(Kind::Word) => !text.is_keyword(index),
        Some(Kind::Symbol) => text.closes(index),
        Some(Kind::OpenComment) | None => false,
    }
}

/// Rhai takes a comment that never ends for an end of the text.
fn open_comment(text: &Text) -> Option<Diagnostic> {
    let last = text.len().checked_sub(1).filter(|&last| text.kind(last) == Some(Kind::OpenComment))?;
    Some(Diagnostic::error("syntax", text.start(last), "this comment never ends").help("end it with `*/`"))
}

/// Rhai's functions that a session does not have.
fn absent(text: &Text) -> impl Iterator<Item = Diagnostic> {
    const ABSENT: &[&str] = &["print", "debug", "eval", "sleep", "timestamp", "exit", "rand"];
    (0..text.len())
        .filter(|&i| text.kind(i) == Some(Kind::Word) && text.is(i + 1, "(") && ABSENT.contains(&text.written(i)))
        .map(|i| {
            Diagnostic::error("unknown-word", text.start(i), format!("there is no word `{}`", text.written(i))).help(
                "a session declares sound: it prints nothing, waits for nothing, and knows neither clock nor chance",
            )
        })
}

/// Variables, functions and parameters that are named like a word.
fn redefined(text: &Text) -> impl Iterator<Item = Diagnostic> {
    declared(text).into_iter().filter_map(|(index, what)| {
        let name = text.written(index);
        let taken = match what {
            "function" => words::is_word(name) || words::is_method(name),
            _ => words::is_word(name) && !words::is_shared(name),
        };
        taken.then(|| {
            Diagnostic::error(
                "word-redefined",
                text.start(index),
                format!("`{name}` is a word of the language and cannot be the name of a {what}"),
            )
            .help(format!("choose another name, such as `my_{name}`"))
        })
    })
}

/// The tokens that declare a variable or a parameter.
pub fn variables(text: &Text) -> Vec<usize> {
    declared(text).into_iter().filter(|(_, what)| *what != "function").map(|(index, _)| index).collect()
}

/// The tokens that name a function where it is defined.
pub fn functions(text: &Text) -> Vec<usize> {
    declared(text).into_iter().filter(|(_, what)| *what == "function").map(|(index, _)| index).collect()
}

/// The tokens that declare a name, and what each declares.
fn declared(text: &Text) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    let mut i = 0;
    while i < text.len() {
        if text.kind(i) == Some(Kind::Word) {
            match text.written(i) {
                "let" | "const" => found.push((i + 1, "variable")),
                "fn" => {
                    found.push((i + 1, "function"));
                    i = parameters(text, i + 3, ")", &mut found);
                }
                "catch" if text.is(i + 1, "(") => found.push((i + 2, "variable")),
                "for" if text.is(i + 1, "(") => i = parameters(text, i + 2, ")", &mut found),
                "for" => found.push((i + 1, "variable")),
                "as" => found.push((i + 1, "import")),
                _ => {}
            }
        } else if text.is(i, "|") && (i == 0 || !ends_value(text, i - 1)) {
            i = parameters(text, i + 1, "|", &mut found);
        }
        i += 1;
    }
    found.retain(|(index, _)| text.is_name(*index));
    found
}

/// Adds the names from token `first` on to the token `end`; gives the place of `end`.
fn parameters(text: &Text, first: usize, end: &str, found: &mut Vec<(usize, &'static str)>) -> usize {
    let mut i = first;
    while i < text.len() && !text.is(i, end) && (text.is_name(i) || text.is(i, ",")) {
        found.push((i, if text.is_name(i) { "parameter" } else { "" }));
        i += 1;
    }
    i
}

/// The calls and operators that are a whole statement, so that nothing takes their value: line and column, in order.
pub fn discarded(text: &Text) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    scan(text, 0, text.len(), &mut found);
    let mut places: Vec<(u32, u32)> =
        found.into_iter().map(|index| text.start(index)).map(|p| (p.line, p.column)).collect();
    places.sort_unstable();
    places
}

/// Adds the roots of the statements between two tokens, and of those within their blocks.
fn scan(text: &Text, from: usize, to: usize, found: &mut Vec<usize>) {
    let mut start = from;
    while start < to {
        let end = statement_end(text, start).min(to);
        if text.is(end, ";") || end == text.len() {
            found.extend(root(text, start, end));
        }
        let mut i = start;
        while i < end {
            if text.is(i, "{") {
                let close = text.closing(i).unwrap_or(end);
                scan(text, i + 1, close, found);
                i = close;
            }
            i += 1;
        }
        start = end + 1;
    }
}

/// The statements of a text as tokens, in order; none has its `;`.
pub fn statements(text: &Text) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = statement_end(text, start);
        let last = if text.closes(end) { end + 1 } else { end };
        if start < last {
            found.push(start..last);
        }
        start = end + 1;
    }
    found
}

/// The `;` or the closing bracket at which the statement from token `start` ends, or the end of the text.
fn statement_end(text: &Text, start: usize) -> usize {
    let mut i = start;
    while i < text.len() {
        if text.is(i, ";") || text.closes(i) {
            return i;
        }
        let block = text.is(i, "{");
        if text.opens(i) {
            match text.closing(i) {
                // A block ends its statement, unless an `else` or an operator follows.
                Some(close) if block && !text.is(close + 1, "else") && !text.is(close + 1, ";") => {
                    if matches!(text.kind(close + 1), Some(Kind::Word) | None) || text.is(close + 1, "[") {
                        return close;
                    }
                    i = close;
                }
                Some(close) => i = close,
                None => return text.len(),
            }
        }
        i += 1;
    }
    i
}

/// The token whose call or operator makes the value of the statement; none if it declares, assigns or controls.
fn root(text: &Text, start: usize, end: usize) -> Option<usize> {
    if text.is_keyword(start) {
        return None;
    }
    let (mut flow, mut call) = (None, None);
    let mut i = start;
    while i < end {
        if text.opens(i) {
            i = text.closing(i)?;
        } else if text.is(i, ">>") {
            flow = Some(i);
        } else if text.is_name(i) && text.is(i + 1, "(") {
            call = Some(i);
        } else if matches!(text.written(i), "=" | "+=" | "-=" | "*=" | "/=") {
            return None;
        } else if !(text.is_name(i) || text.is(i, ".") || text.is(i, "::")) && flow.is_none() {
            // Some other operator: its value is no effect.
            call = None;
        }
        i += 1;
    }
    flow.or(call)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn read(text: &str) -> Text {
        Text::new(Path::new("x"), text, 0)
    }

    fn codes(text: &str) -> Vec<(&'static str, u32, u32)> {
        faults(&read(text)).iter().map(|d| (d.code, d.at.line, d.at.column)).collect()
    }

    #[test]
    fn a_line_that_begins_with_a_bracket_needs_a_semicolon_before_it() {
        assert_eq!(codes("let a = b\n(c + d) >> e;"), [("missing-semicolon", 1, 9)]);
        assert_eq!(codes("a >> b // note\n\n[c, d] >> e;"), [("missing-semicolon", 1, 6)]);
        assert!(codes("let a = b;\n(c + d) >> e;").is_empty());
        assert!(codes("if x { y(); }\n[c, d] >> e;").is_empty());
        assert!(codes("let a = [\n[1, 2],\n[3, 4]];").is_empty());
        assert!(codes("let a = b >>\n(c >> d);").is_empty());
    }

    #[test]
    fn names_of_words_are_refused_wherever_something_is_declared() {
        for text in
            ["let bus = 1;", "fn send(x) { }", "fn f(a, fader) { }", "let f = |gain| 1;", "for input in 0..2 { }"]
        {
            assert_eq!(codes(text).first().map(|c| c.0), Some("word-redefined"), "{text}");
        }
        assert!(codes("let band = bus(\"band\"); let x = a || bus; fn strip(x) { x }").is_empty());
    }

    #[test]
    fn only_whole_statements_are_thrown_away() {
        assert_eq!(
            read("let c = a.b(1); c.d(2).e(3); c = c.d(4); f(g(1)); a >> b(1) >> c(2);").discarded_columns(),
            [24, 42, 61]
        );
        assert_eq!(read("fn f(x) { x.a(1); x.b(2) }").discarded_columns(), [13]);
    }

    impl Text {
        fn discarded_columns(&self) -> Vec<u32> {
            discarded(self).iter().map(|p| p.1).collect()
        }
    }
}
