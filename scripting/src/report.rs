//! Diagnostics as a person reads them: the line with a caret, what was expected, what belongs to it.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use engine::diagnostic::{Diagnostic, Position, Severity};

use crate::evaluate::SourceFile;
use crate::text::Text;

/// A diagnostic with its lines, as text that ends with a newline; with colours if the terminal has them.
///
/// The lines come from `files`, in the order of [`Position::file`].
pub fn render(diagnostic: &Diagnostic, files: &[SourceFile], colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(visible(&diagnostic.message)).id(diagnostic.code);
    let mut group = Group::with_title(title);
    let mut places = vec![(diagnostic.at, None)];
    places.extend(diagnostic.also.iter().map(|(at, what)| (*at, Some(what.as_str()))));
    // Places in one file are shown together, under the first that is told.
    while let Some((first, _)) = places.first().copied() {
        let (here, elsewhere) = places.into_iter().partition(|(at, _)| at.file == first.file);
        places = elsewhere;
        if let Some(file) = files.get(usize::from(first.file)) {
            group = show(group, file, &here, diagnostic.at);
        }
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(visible(help)));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group]) + "\n"
}

/// Adds the lines of a file that places stand in.
fn show<'a>(
    group: Group<'a>,
    file: &'a SourceFile,
    places: &[(Position, Option<&str>)],
    primary: Position,
) -> Group<'a> {
    let path = file.path.display().to_string();
    let text = Text::new(&file.path, &file.text, primary.file);
    let marks: Vec<Annotation<'a>> = places
        .iter()
        .filter_map(|(at, label)| {
            let kind =
                if *at == primary && label.is_none() { AnnotationKind::Primary } else { AnnotationKind::Context };
            let mark = kind.span(span(file, &text, *at)?);
            Some(match label {
                Some(label) => mark.label(visible(label)),
                None => mark,
            })
        })
        .collect();
    match marks.is_empty() {
        true => group.element(Origin::path(path)),
        false => group.element(Snippet::source(file.text.as_str()).path(path).annotations(marks)),
    }
}

/// The bytes of what stands at a place; none for the file as a whole.
fn span(file: &SourceFile, text: &Text, at: Position) -> Option<std::ops::Range<usize>> {
    let before: usize = file.text.split_inclusive('\n').take(at.line.checked_sub(1)? as usize).map(str::len).sum();
    let line = file.text.get(before..)?.split('\n').next()?.trim_end_matches('\r');
    let bytes = |characters: usize| line.chars().take(characters).map(char::len_utf8).sum::<usize>();
    let column = at.column.saturating_sub(1) as usize;
    Some(before + bytes(column)..before + bytes(column + text.width_at(at)))
}

/// How many characters stand at a place, as they are marked: a word, a string, a number with its unit.
pub fn width(file: &SourceFile, at: Position) -> usize {
    Text::new(&file.path, &file.text, at.file).width_at(at)
}

/// A message without what would move the cursor of a terminal.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn carets_stand_under_words_behind_wide_characters() {
        let files = [SourceFile {
            path: PathBuf::from("é.rhai"),
            text: "title(\"é\"); gain(90.dB);\r\nbus(3);".into(),
            is_line: false,
        }];
        let at = Position { file: 0, line: 1, column: 18 };
        let diagnostic = Diagnostic::error("out-of-range", at, "too much")
            .also(Position { line: 2, column: 1, ..at }, "and this")
            .help("less");
        let shown = render(&diagnostic, &files, false);
        let expected = [
            "error[out-of-range]: too much",
            " --> é.rhai:1:18",
            "  |",
            "1 | title(\"é\"); gain(90.dB);",
            "  |                  ^^^^^",
            "2 | bus(3);",
            "  | --- and this",
            "  |",
            "  = help: less",
            "",
        ];
        assert_eq!(shown.lines().map(str::trim_end).collect::<Vec<_>>(), expected[..expected.len() - 1]);
        assert!(render(&diagnostic, &files, true).contains("\u{1b}["));
    }

    #[test]
    fn a_place_without_a_line_shows_the_file() {
        let files = [SourceFile { path: PathBuf::from("a.rhai"), text: String::new(), is_line: false }];
        let shown = render(&Diagnostic::error("empty", Position::default(), "nothing"), &files, false);
        assert!(shown.contains("a.rhai"), "{shown}");
    }
}
