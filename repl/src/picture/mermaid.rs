//! A diagram for Mermaid, which Markdown shows in many places.

use super::diagram::{CableKind, Card, CardKind, Diagram, Row};
use super::order::as_sound_flows;
use super::palette::{CARDS, LIGHT, card_name};

/// The diagram as text.
pub fn text(diagram: &Diagram) -> String {
    let mut text = format!("---\ntitle: \"{}\"\n---\nflowchart LR\n", escaped(&diagram.title));
    let onward = diagram.cables.iter().filter(|cable| matches!(cable.kind, CableKind::Plug | CableKind::Send));
    let leads: Vec<(usize, usize)> = onward.map(|cable| (cable.from.card, cable.to.card)).collect();
    for i in as_sound_flows(diagram.cards.len(), &leads, |i| diagram.cards[i].kind) {
        let card = &diagram.cards[i];
        let (open, close) = match card.kind {
            CardKind::Input => ("([", "])"),
            CardKind::Sum => ("((", "))"),
            _ => ("[", "]"),
        };
        text += &format!("  c{i}{open}\"{}\"{close}:::{}\n", lines(card), card_name(card.kind));
    }
    for cable in &diagram.cables {
        let row = cable.from.row.and_then(|row| diagram.cards[cable.from.card].rows.get(row));
        let arrow = match cable.kind {
            _ if cable.is_silent => "-. silent .->".to_owned(),
            CableKind::Plug => "-->".to_owned(),
            CableKind::Send => format!("-. \"{}\" .->", row.map_or_else(String::new, said)),
            CableKind::Key => "-. key .->".to_owned(),
            CableKind::Follow => "-. follow .->".to_owned(),
            CableKind::Feedback => format!("== \"{}\" ==>", row.map_or_else(String::new, said)),
        };
        text += &format!("  c{} {arrow} c{}\n", cable.from.card, cable.to.card);
    }
    for kind in CARDS {
        let fill = LIGHT.of_card(kind);
        text += &format!("  classDef {} fill:{fill},stroke:{},color:{}\n", card_name(kind), LIGHT.edge, LIGHT.ink);
    }
    text
}

/// What is written in a card.
fn lines(card: &Card) -> String {
    let badge = card.badge.map(|badge| format!(" ({badge})")).unwrap_or_default();
    let head = format!("<b>{}</b>{badge}", escaped(&card.name));
    let about = card.about.iter().map(|line| format!("<i>{}</i>", escaped(line)));
    let rows = card.rows.iter().map(said);
    [head].into_iter().chain(about).chain(rows).collect::<Vec<_>>().join("<br/>")
}

fn said(row: &Row) -> String {
    let said = format!("{} {}{}", row.word, row.figures, if row.is_idle { " (idle)" } else { "" });
    escaped(said.trim_end())
}

/// Text in quotes: letters, digits and what means nothing to Mermaid as they are, everything else by its number.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            c if c.is_control() => escaped.push(' '),
            c if c.is_alphanumeric() || " .,:/+-()='_".contains(c) || !c.is_ascii() => escaped.push(c),
            other => escaped += &format!("#{};", u32::from(other)),
        }
    }
    escaped
}
