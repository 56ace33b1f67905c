//! What several strips pass, as the rows of one card: each kind of effect and send once, with how many have it.

use std::collections::BTreeMap;

use super::diagram::{Card, Row, RowKind};
use super::{ranges, wording};

/// What tells how loud a strip is in the mix.
const FADER: &str = "fader";

/// On which side of its strip's fader something stands. A strip without one is all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Before,
    Itself,
    After,
}

/// What rows of several strips have in common that become one: what they belong to, and which of that sort they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sort<'a> {
    of: Option<usize>,
    side: Side,
    kind: RowKind,
    sort: &'a str,
    nth: usize,
}

/// Rows that become one.
struct Several<'a> {
    sort: Sort<'a>,
    rows: Vec<&'a Row>,
    /// How far down they stand in their strips, added up, each from 0 to 1.
    down: f64,
}

/// The rows that stand for those of all cards; and of each card, which of them stands for each of its own.
pub fn summary(cards: &[&Card]) -> (Vec<Row>, Vec<Vec<usize>>) {
    let mut found: Vec<Several> = Vec::new();
    let mut numbers: BTreeMap<Sort, usize> = BTreeMap::new();
    let mut places: Vec<Vec<usize>> = Vec::new();
    for card in cards {
        let mut seen = BTreeMap::new();
        let mut above = None;
        let mut gone = Vec::new();
        let fader = fader(card);
        for (i, row) in card.rows.iter().enumerate() {
            let (of, side) = match above {
                Some((number, side)) if row.is_lesser() => (Some(number), side),
                _ => (None, side(i, fader)),
            };
            let nth: &mut usize = seen.entry((of, side, row.kind, &*row.sort)).or_insert(0);
            let sort = Sort { of, side, kind: row.kind, sort: &row.sort, nth: *nth };
            *nth += 1;
            let number = *numbers.entry(sort.clone()).or_insert(found.len());
            if number == found.len() {
                found.push(Several { sort, rows: Vec::new(), down: 0.0 });
            }
            found[number].rows.push(row);
            found[number].down += (i as f64 + 0.5) / card.rows.len() as f64;
            gone.push(number);
            if of.is_none() {
                above = Some((number, side));
            }
        }
        places.push(gone);
    }
    let order = order(&found);
    let has_fader = cards.iter().any(|card| fader(card).is_some());
    let rows = order.iter().map(|number| found[*number].row(cards.len(), has_fader)).collect();
    let mut stands_at = vec![0; found.len()];
    order.iter().enumerate().for_each(|(at, number)| stands_at[*number] = at);
    places.iter_mut().flatten().for_each(|number| *number = stands_at[*number]);
    (rows, places)
}

/// Where a strip's fader is: the last, if it has several.
fn fader(card: &Card) -> Option<usize> {
    card.rows.iter().rposition(|row| row.kind == RowKind::Effect && row.sort == FADER)
}

fn side(row: usize, fader: Option<usize>) -> Side {
    match fader {
        Some(fader) if row == fader => Side::Itself,
        Some(fader) if row > fader => Side::After,
        _ => Side::Before,
    }
}

/// From what stands first in most strips to what stands last, what belongs to something below that.
fn order(found: &[Several]) -> Vec<usize> {
    let mean = |number: usize| found[number].down / found[number].rows.len() as f64;
    let mut all: Vec<usize> = (0..found.len()).collect();
    all.sort_by(|a, b| {
        let key = |number: usize| {
            let top = found[number].sort.of.unwrap_or(number);
            (found[top].sort.side, mean(top), top, found[number].sort.of.is_some(), mean(number))
        };
        let (a, b) = (key(*a), key(*b));
        (a.0.cmp(&b.0)).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)).then(a.3.cmp(&b.3)).then(a.4.total_cmp(&b.4))
    });
    all
}

impl Several<'_> {
    /// The row that stands for all, of so many strips.
    fn row(&self, strips: usize, has_fader: bool) -> Row {
        let first = self.rows[0];
        let is_one_name = self.rows.iter().all(|row| row.word == first.word);
        let mut word = if is_one_name { first.word.clone() } else { self.sort.sort.to_owned() };
        if self.sort.kind == RowKind::Send && has_fader {
            word += if self.sort.side == Side::After { ", post" } else { ", pre" };
        }
        if self.rows.len() < strips {
            word += &format!(" in {} of {strips}", self.rows.len());
        }
        let figures: Vec<&str> =
            self.rows.iter().map(|row| if is_one_name { &*row.figures } else { without_word(row) }).collect();
        let figures = match self.sort.kind {
            RowKind::Control if figures.iter().any(|figures| *figures != first.figures) => ranges::EACH_ITS_OWN.into(),
            _ => ranges::of(&figures),
        };
        let title = self.rows.iter().map(|row| &*row.title).collect::<Vec<_>>().join("; ");
        let is_idle = self.rows.iter().all(|row| row.is_idle);
        Row { word, figures, title, is_idle, ..first.clone() }
    }
}

/// The figures of what has a name, without the word that stands before them then.
fn without_word(row: &Row) -> &str {
    match row.figures.strip_prefix(&*row.sort) {
        Some(rest) if row.word != row.sort => rest.trim_start_matches(wording::BETWEEN),
        _ => &row.figures,
    }
}
