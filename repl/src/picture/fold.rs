//! Many strips become one card: first those that are alike in every step, then those that go the same ways; where there are still many,
//! all that are plugged into the same place. Fewer are easier read one by one.

use std::collections::BTreeMap;

use super::diagram::{Cable, CableKind, Card, CardKind, Diagram, End, RowKind};
use super::letters;
use super::summary::summary;

/// A diagram with no more cards stays as it is.
const MOST_CARDS: usize = 20;

/// Lines with the names of what is folded.
const MOST_LINES: usize = 3;

/// How wide those are.
const LINE_WIDTH: f64 = 200.0;

/// What strips have in common that may be folded: the ways they go, and, where it is asked for, what they pass.
type Likeness = (Vec<(CableKind, usize)>, Vec<(RowKind, String)>);

/// How much strips that become one card have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alike {
    /// Each step, and each way that they go.
    Steps,
    /// Each way that they go, as plugs and as sends.
    Ways,
    /// Where they are plugged in, whatever else they are sent to.
    Destination,
}

impl Alike {
    /// No fewer strips are folded.
    fn least(self) -> usize {
        match self {
            Alike::Steps | Alike::Ways => 4,
            Alike::Destination => 2,
        }
    }
}

/// The diagram with strips folded, if it has many cards.
pub fn folded(diagram: Diagram) -> Diagram {
    if diagram.cards.len() <= MOST_CARDS {
        return diagram;
    }
    // First what is alike in every step, then what of the rest goes the same ways.
    let closely = by_likeness(&diagram, Alike::Steps);
    if closely.cards.len() <= MOST_CARDS {
        return closely;
    }
    let by_ways = by_likeness(&closely, Alike::Ways);
    // Anew from what each strip is, so that one card says of all that are plugged into a place how many do what.
    if by_ways.cards.len() <= MOST_CARDS { by_ways } else { by_likeness(&diagram, Alike::Destination) }
}

fn by_likeness(diagram: &Diagram, alike: Alike) -> Diagram {
    let mut groups: BTreeMap<Likeness, Vec<usize>> = BTreeMap::new();
    for (i, card) in diagram.cards.iter().enumerate() {
        if let Some(likeness) = likeness(diagram, i, card, alike) {
            groups.entry(likeness).or_default().push(i);
        }
    }
    groups.retain(|_, group| group.len() >= alike.least());
    if groups.is_empty() {
        return diagram.clone();
    }
    // The first of each group stands for it.
    let mut stands_for: BTreeMap<usize, &[usize]> = BTreeMap::new();
    let mut stood_for: BTreeMap<usize, usize> = BTreeMap::new();
    for group in groups.values() {
        stands_for.insert(group[0], group);
        stood_for.extend(group.iter().map(|card| (*card, group[0])));
    }
    let mut cards = Vec::new();
    let mut numbers = BTreeMap::new();
    // Of each card that is folded: which row of the one that stands for it stands for each of its own.
    let mut rows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (i, card) in diagram.cards.iter().enumerate() {
        if stood_for.get(&i).is_some_and(|first| *first != i) {
            continue;
        }
        numbers.insert(i, cards.len());
        cards.push(match stands_for.get(&i) {
            Some(group) => {
                let (card, places) = fold(group.iter().map(|i| &diagram.cards[*i]));
                rows.extend(group.iter().copied().zip(places));
                card
            }
            None => card.clone(),
        });
    }
    let row = |end: End| match (end.row, rows.get(&end.card)) {
        (Some(row), Some(places)) => places.get(row).copied(),
        (row, _) => row,
    };
    // What is plugged leaves by the last row by which it leaves any of the strips.
    let mut last: BTreeMap<(usize, usize), Option<usize>> = BTreeMap::new();
    for cable in diagram.cables.iter().filter(|cable| cable.kind == CableKind::Plug) {
        if let Some(first) = stood_for.get(&cable.from.card) {
            let last = last.entry((*first, cable.to.card)).or_default();
            *last = (*last).max(row(cable.from));
        }
    }
    let mut cables: Vec<Cable> = Vec::new();
    for cable in &diagram.cables {
        let number = |card: usize| numbers.get(stood_for.get(&card).unwrap_or(&card)).copied();
        let (Some(from), Some(to)) = (number(cable.from.card), number(cable.to.card)) else { continue };
        let first = stood_for.get(&cable.from.card);
        let leaves = match first {
            Some(first) if cable.kind == CableKind::Plug => last.get(&(*first, cable.to.card)).copied().flatten(),
            _ => row(cable.from),
        };
        let (from, to) = (End { card: from, row: leaves }, End { card: to, row: cable.to.row });
        let like = |other: &&mut Cable| other.kind == cable.kind && other.from == from && other.to == to;
        match cables.iter_mut().find(like).filter(|_| first.is_some()) {
            Some(other) => {
                other.paths.extend(cable.paths.iter().cloned());
                other.title = format!("{} cables: {}", other.paths.len(), other.paths.join(", "));
                other.is_silent &= cable.is_silent;
                other.channels = other.channels.max(cable.channels);
            }
            None => cables.push(Cable { from, to, ..cable.clone() }),
        }
    }
    Diagram { cards, cables, ..diagram.clone() }
}

/// What a card may be folded by; nothing of one that says something of its own: what is muted or soloed, keyed, or looked at. A send
/// that is off keeps a strip from no other that goes to the same place: its row says so.
fn likeness(diagram: &Diagram, number: usize, card: &Card, alike: Alike) -> Option<Likeness> {
    let arrives = diagram.cables.iter().any(|cable| cable.to.card == number);
    let mut ways = Vec::new();
    for cable in diagram.cables.iter().filter(|cable| cable.from.card == number) {
        let is_off = cable.is_silent && (alike != Alike::Destination || cable.kind == CableKind::Plug);
        if !matches!(cable.kind, CableKind::Plug | CableKind::Send) || is_off {
            return None;
        }
        ways.push((cable.kind, cable.to.card));
    }
    if card.kind != CardKind::Input || arrives || card.badge.is_some() || card.paths.len() > 1 {
        return None;
    }
    if alike == Alike::Destination && ways.iter().any(|(kind, _)| *kind == CableKind::Plug) {
        ways.retain(|(kind, _)| *kind == CableKind::Plug);
    }
    ways.sort();
    ways.dedup();
    let rows = card.rows.iter().filter(|_| alike == Alike::Steps).map(|row| (row.kind, row.word.clone()));
    Some((ways, rows.collect()))
}

/// One card for several; and of each of them, which of its rows stands for each of their own.
fn fold<'a>(cards: impl Iterator<Item = &'a Card>) -> (Card, Vec<Vec<usize>>) {
    let cards: Vec<&Card> = cards.collect();
    let paths: Vec<String> = cards.iter().flat_map(|card| card.paths.iter().cloned()).collect();
    let (rows, places) = summary(&cards);
    let folded = Card {
        name: format!("{} strips", cards.len()),
        about: in_lines(&paths),
        rows,
        channels: cards.iter().map(|card| card.channels).max().unwrap_or(0),
        paths,
        ..cards[0].clone()
    };
    (folded, places)
}

/// Names in a few lines, with how many more there are. Those that only count on are said by the first and the last.
fn in_lines(names: &[String]) -> Vec<String> {
    let width = |text: &str| letters::width(text, super::diagram::ABOUT);
    let mut lines = vec![String::new()];
    let mut left = names.len();
    // What is wider than a line is said in two.
    let halves = runs(names).into_iter().flat_map(|(name, count)| match name.split_once(" to ") {
        Some((first, last)) if count > 1 && width(&name) > LINE_WIDTH => {
            vec![(format!("{first} to"), 0), (last.to_owned(), count)]
        }
        _ => vec![(name, count)],
    });
    for (name, count) in halves {
        let more = format!(" and {left} more");
        let comma = match count {
            0 => " ",
            _ if left > count => ", ",
            _ => "",
        };
        let is_last = lines.len() == MOST_LINES;
        let Some(line) = lines.last_mut() else { break };
        let room = LINE_WIDTH - if is_last && left > count { width(&more) } else { 0.0 };
        if line.is_empty() || width(&format!("{line}{name}{comma}")) <= room {
            *line += &format!("{name}{comma}");
        } else if is_last {
            *line = format!("{}{more}", line.trim_end_matches(", "));
            break;
        } else {
            lines.push(format!("{name}{comma}"));
        }
        left -= count;
    }
    lines
}

/// Names, each with how many it stands for: `in-1 to in-64` for those that count on.
fn runs(names: &[String]) -> Vec<(String, usize)> {
    let after = |name: &str| {
        let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let digits = &name[stem.len()..];
        let next = digits.parse::<u64>().ok()?.checked_add(1)?;
        Some(format!("{stem}{next:0width$}", width = digits.len()))
    };
    let mut runs = Vec::new();
    let mut rest = names;
    while let Some(first) = rest.first() {
        let follows = |pair: &[String]| after(&pair[0]).as_ref() == Some(&pair[1]);
        let long = 1 + rest.windows(2).take_while(|pair| follows(pair)).count();
        match long {
            0..=2 => runs.push((first.clone(), 1)),
            _ => runs.push((format!("{first} to {}", rest[long - 1]), long)),
        }
        rest = &rest[runs.last().map_or(1, |(_, count)| *count)..];
    }
    runs
}
