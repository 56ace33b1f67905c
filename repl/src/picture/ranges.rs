//! What the figures of several rows come to: those that stand at the same place from the least to the most, each with its unit.

use std::collections::BTreeMap;

use super::wording;

/// What differs in more ways is not said one by one.
const MOST_WAYS: usize = 4;

/// Units that are told as another from some size on: how many of the smaller are one.
const LARGER_UNITS: [(&str, &str, f64); 2] = [(" kHz", " Hz", 1000.0), (" s", " ms", 1000.0)];

/// What says that several have nothing in common.
pub const EACH_ITS_OWN: &str = "each its own";

/// A figure as it is written.
#[derive(Clone)]
struct Number<'a> {
    value: f64,
    text: &'a str,
    unit: &'a str,
}

/// The figures that stand at one place: those with the same words round them.
struct Place<'a> {
    before: &'a str,
    unit: &'a str,
    nth: usize,
    numbers: Vec<Number<'a>>,
}

/// The places behind a word such as a band's, which is empty where figures begin with a number.
struct Way<'a> {
    word: &'a str,
    count: usize,
    places: Vec<Place<'a>>,
}

/// What figures have in common, or from the least to the most.
pub fn of(all: &[&str]) -> String {
    let Some(first) = all.first() else { return String::new() };
    if all.iter().all(|figures| figures == first) {
        return (*first).to_owned();
    }
    let mut ways = vec![Way { word: "", count: all.len(), places: Vec::new() }];
    for figures in all {
        take(&mut ways, figures);
    }
    if ways.len() > MOST_WAYS + 1 {
        return EACH_ITS_OWN.to_owned();
    }
    let said = ways.iter().flat_map(|way| {
        let word = match way.count {
            _ if way.word.is_empty() => None,
            count if count == all.len() => Some(way.word.to_owned()),
            count => Some(format!("{} in {count}", way.word)),
        };
        word.into_iter().chain(way.places.iter().map(|place| place.range(way.count)))
    });
    said.collect::<Vec<_>>().join(wording::BETWEEN)
}

/// Puts each of one row's figures to those that stand where it does.
fn take<'a>(ways: &mut Vec<Way<'a>>, figures: &'a str) {
    let mut at = 0;
    let mut seen: BTreeMap<(usize, &str, &str), usize> = BTreeMap::new();
    for figure in figures.split(wording::BETWEEN).filter(|figure| !figure.is_empty()) {
        let Some((before, number)) = number(figure) else {
            at = ways.iter().position(|way| way.word == figure).unwrap_or(ways.len());
            if at == ways.len() {
                ways.push(Way { word: figure, count: 0, places: Vec::new() });
            }
            ways[at].count += 1;
            continue;
        };
        let unit = LARGER_UNITS.iter().find(|(larger, ..)| *larger == number.unit).map_or(number.unit, |of| of.1);
        let count = seen.entry((at, before, unit)).or_insert(0);
        let nth = *count;
        *count += 1;
        let places = &mut ways[at].places;
        match places.iter_mut().find(|place| (place.before, place.unit, place.nth) == (before, unit, nth)) {
            Some(place) => place.numbers.push(number),
            None => places.push(Place { before, unit, nth, numbers: vec![number] }),
        }
    }
}

/// The first number of a figure with its unit, and what stands before it; nothing of a word.
fn number(figure: &str) -> Option<(&str, Number<'_>)> {
    let digit = figure.find(|letter: char| letter.is_ascii_digit())?;
    let begin = if figure[..digit].ends_with('-') { digit - 1 } else { digit };
    let (before, rest) = figure.split_at(begin);
    let end =
        rest[1..].find(|letter: char| !letter.is_ascii_digit() && letter != '.').map_or(rest.len(), |end| end + 1);
    let (text, unit) = rest.split_at(end);
    let scale = LARGER_UNITS.iter().find(|(larger, ..)| *larger == unit).map_or(1.0, |of| of.2);
    let value = text.parse::<f64>().ok()? * scale;
    (before.is_empty() || before.ends_with(' ')).then_some((before, Number { value, text, unit }))
}

impl Place<'_> {
    /// From the least to the most, of as many as there might be.
    fn range(&self, of: usize) -> String {
        let by_value = |a: &&Number, b: &&Number| a.value.total_cmp(&b.value);
        let (Some(least), Some(most)) = (self.numbers.iter().min_by(by_value), self.numbers.iter().max_by(by_value))
        else {
            return String::new();
        };
        let range = match least.value == most.value {
            true => format!("{}{}", least.text, least.unit),
            false if least.unit == most.unit => format!("{} to {}{}", least.text, most.text, most.unit),
            false => format!("{}{} to {}{}", least.text, least.unit, most.text, most.unit),
        };
        let count = self.numbers.len();
        let only = if count == of { String::new() } else { format!(" in {count}") };
        format!("{}{range}{only}", self.before)
    }
}
