//! Diagnostics as a person reads them: the line with a caret, what was expected, what belongs to it.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use engine::diagnostic::{Diagnostic, Position, Severity};

use crate::evaluate::SourceFile;
use crate::text::Text;

/// A diagnostic with its lines, as text that ends with a newline; with colours if the terminal has them.
pub fn render(diagnostic: &Diagnostic, files: &[SourceFile], colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(visible(&diagnostic.message)).id(diagnostic.code);
    let mut group = place(Group::with_title(title), diagnostic.at, None, AnnotationKind::Primary, files);
    for (at, what) in &diagnostic.also {
        group = place(group, *at, Some(what), AnnotationKind::Context, files);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(visible(help)));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group]) + "\n"
}

fn place<'a>(
    group: Group<'a>,
    at: Position,
    label: Option<&'a String>,
    kind: AnnotationKind,
    files: &'a [SourceFile],
) -> Group<'a> {
    let Some(file) = files.get(usize::from(at.file)) else { return group };
    let path = file.path.display().to_string();
    let Some((start, line)) = line_of(&file.text, at.line) else { return group.element(Origin::path(path)) };
    let offset: usize = line.chars().take(at.column.saturating_sub(1) as usize).map(char::len_utf8).sum();
    let from = start + offset.min(line.len());
    let width: usize = file.text[from..].chars().take(width(file, at)).map(char::len_utf8).sum();
    let annotation = kind.span(from..from + width);
    let annotation = match label {
        Some(label) => annotation.label(visible(label)),
        None => annotation,
    };
    group.element(Snippet::source(file.text.as_str()).path(path).annotation(annotation))
}

fn width(file: &SourceFile, at: Position) -> usize {
    Text::new(&file.path, &file.text, at.file).width_at(at)
}

/// Where a line starts, in bytes, and the line; the first for a place that is the file as a whole has none.
fn line_of(text: &str, number: u32) -> Option<(usize, &str)> {
    let mut start = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index + 1 == number as usize {
            return Some((start, line.trim_end_matches(['\n', '\r'])));
        }
        start += line.len();
    }
    None
}

/// A message without what would move the cursor of a terminal.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
