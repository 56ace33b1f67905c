//! A diagram for Graphviz: each card is a table whose rows are ports, so that cables leave from where a signal is tapped.

use super::diagram::CableKind;
use super::diagram::{Card, CardKind, Diagram, End};
use super::palette::{LIGHT, cable_name};
use super::svg::escaped;

/// The diagram as text.
pub fn text(diagram: &Diagram) -> String {
    let mut text = format!(
        "digraph flow {{\n  label=<{}>; labelloc=t; rankdir=LR; ranksep=1.1; bgcolor=\"{}\";\n  \
         fontname=\"sans-serif\"; node [shape=plain, fontname=\"sans-serif\", fontsize=11];\n  edge [arrowsize=0.7];\n",
        one_letter_at_least(&diagram.title),
        LIGHT.ground,
    );
    for (i, card) in diagram.cards.iter().enumerate() {
        text += &format!("  c{i} [id={}, label=<{}>];\n", quoted(&card.paths.join(" ")), table(card));
    }
    let inputs: Vec<String> = (0..diagram.cards.len())
        .filter(|i| diagram.cards[*i].kind == CardKind::Input)
        .map(|i| format!("c{i}"))
        .collect();
    if !inputs.is_empty() {
        text += &format!("  {{ rank=same; {} }}\n", inputs.join("; "));
    }
    for cable in &diagram.cables {
        let kind = if cable.is_silent { LIGHT.silent } else { LIGHT.of_cable(cable.kind) };
        let (style, more) = match cable.kind {
            CableKind::Plug => ("solid", ""),
            CableKind::Send => ("dashed", ""),
            CableKind::Key | CableKind::Follow => ("dotted", ""),
            CableKind::Feedback => ("dashed", ", constraint=false"),
        };
        text += &format!(
            "  {}:e -> {}:w [class={}, style={style}, color=\"{kind}\", tooltip={}{more}];\n",
            port(cable.from),
            port(cable.to),
            cable_name(cable.kind),
            quoted(&cable.title),
        );
    }
    text + "}\n"
}

fn port(end: End) -> String {
    match end.row {
        Some(row) => format!("c{}:r{row}", end.card),
        None => format!("c{}:head", end.card),
    }
}

/// A card as Graphviz's own kind of HTML.
fn table(card: &Card) -> String {
    let mut head = format!("<b>{}</b>", one_letter_at_least(&card.name));
    head.extend(card.badge.map(|badge| format!(" ({badge})")));
    for line in &card.about {
        head += &format!("<br/><font point-size=\"9\">{}</font>", one_letter_at_least(line));
    }
    let mut rows = String::new();
    for (i, row) in card.rows.iter().enumerate() {
        let indent = if row.is_lesser() { "&#160;&#160;&#160;" } else { "" };
        let idle = if row.is_idle { format!(" <font color=\"{}\">(idle)</font>", LIGHT.dim) } else { String::new() };
        rows += &format!(
            "<tr><td port=\"r{i}\" align=\"left\">{indent}{} <font color=\"{}\">{}</font>{idle}</td></tr>",
            one_letter_at_least(&row.word),
            LIGHT.dim,
            one_letter_at_least(&row.figures),
        );
    }
    format!(
        "<table border=\"1\" cellborder=\"0\" cellspacing=\"0\" cellpadding=\"4\" color=\"{}\" bgcolor=\"{}\">\
         <tr><td port=\"head\" bgcolor=\"{}\">{head}</td></tr>{rows}</table>",
        LIGHT.edge,
        LIGHT.card,
        LIGHT.of_card(card.kind),
    )
}

/// Text within Graphviz's HTML, which takes none that is empty.
fn one_letter_at_least(text: &str) -> String {
    if text.is_empty() { "&#160;".into() } else { escaped(text) }
}

/// Text in quotes. A backslash begins an escape there.
fn quoted(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("\"{}\"", plain.replace('\\', "\\\\").replace('"', "\\\""))
}
