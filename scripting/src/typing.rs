//! What can be said of a line while it is typed: its pieces, whether it goes on, what may stand at the cursor, and how the word
//! is written whose values are being given.

use std::ops::Range;
use std::path::Path;

use crate::text::Text;
use crate::tokens::{Kind, Token, tokens};
use crate::{grammar, words};

/// What a piece of a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A word of the language, or a keyword.
    Known,
    /// A number.
    Number,
    /// A string.
    Text,
    /// A comment.
    Comment,
}

/// What may stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A word, or the name of something that the text has declared.
    Word,
    /// What follows a point: the unit of a number, ...
    Unit,
    /// ... or a method, of the word before it if that is known.
    Method(Option<&'static str>),
    /// What stands in quotes, as the value of this number, from 0, of a word.
    Quoted(Option<(String, usize)>),
}

/// The pieces of a line that are to be told apart, in bytes.
pub fn pieces(line: &str) -> Vec<(Range<usize>, Piece)> {
    let mut found = Vec::new();
    let mut end = 0;
    let comments = |from: usize, to: usize, found: &mut Vec<(Range<usize>, Piece)>| {
        if let Some(at) = line.get(from..to).and_then(|gap| gap.find("//").or_else(|| gap.find("/*"))) {
            found.push((from + at..to, Piece::Comment));
        }
    };
    for token in tokens(line) {
        comments(end, token.start, &mut found);
        end = token.end;
        let written = &line[token.start..token.end];
        let piece = match token.kind {
            Kind::Number => Some(Piece::Number),
            Kind::Text => Some(Piece::Text),
            Kind::OpenComment => Some(Piece::Comment),
            Kind::Word if words::is_word(written) || words::is_method(written) || KEYWORDS.contains(&written) => {
                Some(Piece::Known)
            }
            Kind::Word | Kind::Symbol => None,
        };
        found.extend(piece.map(|piece| (token.start..token.end, piece)));
    }
    comments(end, line.len(), &mut found);
    found
}

/// Rhai's own.
const KEYWORDS: &[&str] = &[
    "let", "const", "fn", "if", "else", "for", "in", "while", "loop", "return", "break", "continue", "import", "as",
    "true", "false", "switch", "do", "until", "private",
];

/// Whether a text is not at its end yet: a bracket is open, or the last thing in it wants something behind it.
pub fn goes_on(text: &str) -> bool {
    let tokens = tokens(text);
    let written = |token: &Token| &text[token.start..token.end];
    let mut open = 0_i64;
    for token in tokens.iter().filter(|token| token.kind == Kind::Symbol) {
        match written(token) {
            "(" | "[" | "{" | "#{" => open += 1,
            ")" | "]" | "}" => open -= 1,
            _ => {}
        }
    }
    let wants_more = tokens.last().is_some_and(|last| match last.kind {
        Kind::OpenComment => true,
        Kind::Symbol => matches!(written(last), ">>" | "+" | "-" | "*" | "/" | "," | "=" | "." | "&&" | "||"),
        Kind::Text => written(last).starts_with('`') && (written(last).len() == 1 || !written(last).ends_with('`')),
        Kind::Word | Kind::Number => false,
    });
    open > 0 || wants_more
}

/// The most lines that are looked at for ends that are missing.
const MOST_LINES: usize = 500;

/// A text of several lines, each statement on lines of its own, with the `;` between them that were left out.
pub fn with_ends(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() < 2 || lines.len() > MOST_LINES {
        return text.to_owned();
    }
    let goes_before = |line: &str| {
        let line = line.trim_start();
        [">>", ".", ")", "]", "}", "+", "-", "*", "/", "&&", "||", "else"].iter().any(|begin| line.starts_with(begin))
    };
    let mut whole = String::new();
    for (i, line) in lines.iter().enumerate() {
        let begin = whole.len();
        whole += line;
        let next = lines[i + 1..].iter().find(|next| !next.trim().is_empty());
        if next.is_some_and(|next| !goes_before(next) || next.trim_start().starts_with("//")) && !goes_on(&whole) {
            let last = tokens(&whole).last().map(|last| (last.end, whole[last.start..last.end].to_owned()));
            if let Some((end, last)) = last
                && end > begin
                && !matches!(last.as_str(), ";" | "}")
            {
                whole.insert(end, ';');
            }
        }
        whole.push('\n');
    }
    whole.truncate(whole.trim_end_matches('\n').len());
    whole
}

/// Whether a line gives a name to something that later lines can use.
pub fn declares(line: &str) -> bool {
    let declaring = |token: &Token| matches!(&line[token.start..token.end], "let" | "const" | "fn" | "import");
    tokens(line).iter().any(|token| token.kind == Kind::Word && declaring(token))
}

/// The statements of a text, each without its `;` and with the line on which it begins, from 1. Nothing if the text does not end by
/// itself.
pub fn statements(text: &str) -> Option<Vec<(u32, String)>> {
    let text = Text::new(Path::new(""), text, 0);
    let written = |tokens: Range<usize>| {
        let written = text.text[text.span(tokens.start).start..text.span(tokens.end - 1).end].to_owned();
        (text.start(tokens.start).line, written)
    };
    text.is_whole().then(|| grammar::statements(&text).into_iter().map(written).collect())
}

/// The names that a text gives to variables and functions.
pub fn declared(text: &str) -> Vec<String> {
    let all = tokens(text);
    let written = |token: &Token| &text[token.start..token.end];
    let named = all.windows(2).filter(|pair| {
        pair.iter().all(|token| token.kind == Kind::Word) && matches!(written(&pair[0]), "let" | "const" | "fn")
    });
    named.map(|pair| written(&pair[1]).to_owned()).collect()
}

/// The path and the value of a line that is nothing but `set("path", value)`, as they are written.
pub fn set_of(line: &str) -> Option<(String, String)> {
    let all = tokens(line);
    let written = |i: usize| all.get(i).map_or("", |token| &line[token.start..token.end]);
    let last = all.len() - usize::from(written(all.len().checked_sub(1)?) == ";");
    let path = written(2).strip_prefix('"')?.strip_suffix('"')?;
    if written(0) != "set" || written(1) != "(" || written(3) != "," || last < 6 || written(last - 1) != ")" {
        return None;
    }
    let value = line[all[3].end..all[last - 1].start].trim();
    let open = |c: char| value.matches(c).count();
    (open('(') == open(')') && !value.contains([';', '\n', '\\'])).then(|| (path.to_owned(), value.to_owned()))
}

/// What may stand at a place of a line, and where it begins.
pub fn wanted(line: &str, at: usize) -> (usize, Wanted) {
    let before = &line[..at];
    let tokens = tokens(before);
    let Some(last) = tokens.last().filter(|last| last.end == at) else { return (at, Wanted::Word) };
    let written = |i: usize| tokens.get(i).map_or("", |token| &before[token.start..token.end]);
    let count = tokens.len();
    if last.kind == Kind::Text && !is_closed(&before[last.start..]) {
        return (last.start + 1, Wanted::Quoted(call_around(before, &tokens, count - 1)));
    }
    // `x.` and `x.na`: in a number a point may belong to it.
    let (begin, point) = match last.kind {
        Kind::Word if written(count.wrapping_sub(2)) == "." => (last.start, Some(count - 2)),
        Kind::Symbol if written(count - 1) == "." => (at, Some(count - 1)),
        Kind::Number if before.ends_with('.') => return (at, Wanted::Unit),
        Kind::Word => (last.start, None),
        _ => (at, None),
    };
    let Some(point) = point else { return (begin, Wanted::Word) };
    match point.checked_sub(1).map(|i| (i, tokens[i].kind)) {
        Some((_, Kind::Number)) => (begin, Wanted::Unit),
        Some((i, _)) => (begin, Wanted::Method(word_behind(before, &tokens, i))),
        None => (begin, Wanted::Word),
    }
}

/// The word that a chain of methods which ends with a token began with: `compressor` for `compressor(-18).attack(3)`.
fn word_behind(text: &str, tokens: &[Token], mut end: usize) -> Option<&'static str> {
    let written = |i: usize| &text[tokens[i].start..tokens[i].end];
    loop {
        if written(end) == ")" {
            let mut open = 0;
            loop {
                match written(end) {
                    ")" | "]" | "}" => open += 1,
                    "(" | "[" | "{" | "#{" => open -= 1,
                    _ => {}
                }
                if open == 0 {
                    break;
                }
                end = end.checked_sub(1)?;
            }
            end = end.checked_sub(1)?;
        }
        if end >= 2 && written(end - 1) == "." {
            end -= 2;
            continue;
        }
        return words::callable().into_iter().find(|word| *word == written(end));
    }
}

fn is_closed(text: &str) -> bool {
    let mut all = text.chars();
    let quote = all.next();
    text.len() > 1 && all.next_back() == quote && !text.ends_with("\\\"")
}

/// The word in whose brackets a token stands, and as which of its values.
fn call_around(text: &str, tokens: &[Token], token: usize) -> Option<(String, usize)> {
    let written = |i: usize| &text[tokens[i].start..tokens[i].end];
    let (mut open, mut values) = (0, 0);
    for i in (0..token).rev() {
        match written(i) {
            ")" | "]" | "}" => open += 1,
            "(" if open == 0 => {
                let word = i.checked_sub(1).filter(|word| tokens[*word].kind == Kind::Word)?;
                return Some((written(word).to_owned(), values));
            }
            "[" | "{" | "#{" if open == 0 => return None,
            "(" | "[" | "{" | "#{" => open -= 1,
            "," if open == 0 => values += 1,
            _ => {}
        }
    }
    None
}

/// How the word is written in whose brackets a place stands, and which of its values is being given, from 0.
pub fn signature_at(line: &str, at: usize) -> Option<(String, usize)> {
    let before = &line[..at];
    let tokens = tokens(before);
    let (word, value) = call_around(before, &tokens, tokens.len())?;
    Some((words::signature(&word)?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_on_while_a_bracket_or_a_chain_is_open() {
        for open in ["voice >> eq(", "voice >> ", "a +", "let x = [1,", "fn f() {", "x.", "let x =", "a /* not yet"] {
            assert!(goes_on(open), "{open}");
        }
        for whole in ["voice >> eq()", "1 + 1", "", "// a comment >>", "let x = 3;", "a >> b; // >>", "x)", "\"(\""] {
            assert!(!goes_on(whole), "{whole}");
        }
    }

    #[test]
    fn statements_on_lines_of_their_own_need_no_ends() {
        for (text, whole) in [
            ("mute(a)\nmute(b)", "mute(a);\nmute(b)"),
            ("mute(a) // loud\n\nmute(b);", "mute(a); // loud\n\nmute(b);"),
            ("a >> eq()\n  >> fader(-3)\n  >> band\nmute(b)", "a >> eq()\n  >> fader(-3)\n  >> band;\nmute(b)"),
            ("let x = [\n1,\n2\n]\nx", "let x = [\n1,\n2\n];\nx"),
            ("fn f(x) {\n  x >> gain(1)\n}\nf(a)", "fn f(x) {\n  x >> gain(1)\n}\nf(a)"),
            ("a >>\nband\n// more\nmute(b)", "a >>\nband;\n// more\nmute(b)"),
            ("mute(a)", "mute(a)"),
        ] {
            assert_eq!(with_ends(text), whole);
        }
    }

    #[test]
    fn a_line_that_only_sets_is_known_by_its_path() {
        let set = |line: &str| set_of(line);
        assert_eq!(set("set(\"voice/fader.gain\", -24.dB);"), Some(("voice/fader.gain".into(), "-24.dB".into())));
        assert_eq!(
            set("set(\"a.pan\", lfo(1.bars).range(-1, 1))"),
            Some(("a.pan".into(), "lfo(1.bars).range(-1, 1)".into()))
        );
        for other in ["set(\"a\")", "set(\"a.b\", 3); set(\"a.c\", 4);", "x >> band", "", "set(p, 3)", "set(\"a.b\", 3"]
        {
            assert_eq!(set(other), None, "{other}");
        }
        assert!(declares("let x = 3;") && declares("fn f() { 3 }") && !declares("1 + 1") && !declares("get(\"let\")"));
    }

    #[test]
    fn what_is_wanted_depends_on_what_stands_before() {
        let at_end = |line: &str| wanted(line, line.len());
        assert_eq!(at_end("voice >> comp"), (9, Wanted::Word));
        assert_eq!(at_end("voice >> "), (9, Wanted::Word));
        assert_eq!(at_end("fader(-3.d"), (9, Wanted::Unit));
        assert_eq!(at_end("fader(3."), (8, Wanted::Unit));
        assert_eq!(at_end("compressor(-18, 3).at"), (19, Wanted::Method(Some("compressor"))));
        assert_eq!(at_end("compressor(-18, 3).attack(5.ms).re"), (32, Wanted::Method(Some("compressor"))));
        assert_eq!(at_end("eq().bell(300, -4, (1)).na"), (24, Wanted::Method(Some("eq"))));
        assert_eq!(at_end("voice.tr"), (6, Wanted::Method(None)));
        assert_eq!(at_end("input(\"v\", clip(\"audio/dr"), (17, Wanted::Quoted(Some(("clip".into(), 0)))));
        assert_eq!(at_end("set(\"voice/f"), (5, Wanted::Quoted(Some(("set".into(), 0)))));
        assert_eq!(at_end("f(3, \"x\", \""), (11, Wanted::Quoted(Some(("f".into(), 2)))));
        assert_eq!(at_end("\"done\""), (6, Wanted::Word));
    }

    #[test]
    fn the_signature_is_that_of_the_innermost_word() {
        let at_end = |line: &str| signature_at(line, line.len());
        assert_eq!(at_end("x >> compressor(-18, "), Some(("compressor(threshold, ratio)".into(), 1)));
        assert_eq!(at_end("x >> fader(lfo("), Some(("lfo(rate)".into(), 0)));
        assert_eq!(at_end("x >> fader(lfo(3))"), None);
        assert_eq!(at_end("nothing(3"), None);
    }

    #[test]
    fn pieces_lie_in_order_and_cover_what_they_name() {
        let line = "voice >> fader(-3.dB) // \"softer\"";
        let shown: Vec<(&str, Piece)> = pieces(line).into_iter().map(|(range, piece)| (&line[range], piece)).collect();
        assert_eq!(shown[0], ("fader", Piece::Known));
        assert!(shown.contains(&("3", Piece::Number)) || shown.contains(&("3.", Piece::Number)), "{shown:?}");
        assert_eq!(shown.last(), Some(&("// \"softer\"", Piece::Comment)));
    }
}
