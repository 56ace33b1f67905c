//! Several lines that came at once: a paste, an editor's block, or a bracket left open in front of a command.

use scripting::typing;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A line of text, or a command.
    Line(String),
    /// Text that has no end before the command behind it: it is left out.
    Unfinished(String),
}

/// What is to be done, in order: a line that begins with a colon is a command of its own, and the text between two of them is one.
pub fn pieces(text: &str) -> Vec<Piece> {
    if !text.lines().any(is_command) {
        return vec![Piece::Line(typing::with_ends(text))];
    }
    let (mut found, mut open) = (Vec::new(), String::new());
    let close = |open: &mut String, found: &mut Vec<Piece>| {
        let text = std::mem::take(open);
        match text.trim() {
            "" => {}
            begun if typing::goes_on(begun) => found.push(Piece::Unfinished(begun.to_owned())),
            whole => found.push(Piece::Line(typing::with_ends(whole))),
        }
    };
    for line in text.lines() {
        if is_command(line) {
            close(&mut open, &mut found);
            found.push(Piece::Line(line.trim().to_owned()));
        } else {
            open = open + line + "\n";
        }
    }
    close(&mut open, &mut found);
    found
}

/// Whether a line is a command, wherever it stands.
pub fn is_command(line: &str) -> bool {
    line.trim_start().starts_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_done_whatever_stands_open_before_it() {
        let line = |text: &str| Piece::Line(text.into());
        assert_eq!(pieces("voice >> band"), [line("voice >> band")]);
        assert_eq!(pieces("[\n:panic"), [Piece::Unfinished("[".into()), line(":panic")]);
        assert_eq!(pieces(":undo\n:history"), [line(":undo"), line(":history")]);
        assert_eq!(pieces("mute(a)\nmute(b)\n :text\n"), [line("mute(a);\nmute(b)"), line(":text")]);
        // A line of an `:over` may go on in the next ones.
        assert_eq!(pieces(":over 4.bars voice >> band"), [line(":over 4.bars voice >> band")]);
    }
}
