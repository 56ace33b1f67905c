//! Rewriting systems (Lindenmayer, 1968) as sequences.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{MADE, Pattern, PatternError, count, made, sequence, wrong};
use crate::pattern::MOST_SIZE;
use crate::pattern::parse::parse;

/// The most symbols that an axiom may grow to.
const MOST_SYMBOLS: usize = 4000;

/// A sequence grown from an axiom: `times` times each symbol is replaced by what its rule says, and `steps` symbols
/// make a bar. Symbols are words if the axiom or a rule has blanks in it, and letters otherwise; each is a step of the
/// mini-notation (`bd`, `60`, `~`). What a symbol sounds like can be said by one more rule in `sounds`.
///
/// # Errors
/// The axiom is empty, it grows to more than 4000 symbols, a symbol is no step, or all are too much together.
pub fn lsystem(
    axiom: &str,
    rules: &[(String, String)],
    times: i64,
    steps: i64,
    sounds: &[(String, String)],
) -> Result<Pattern, PatternError> {
    let (times, steps) = (count("times", times, 0, 64)?, count("steps", steps, 1, 256)?);
    let words = std::iter::once(axiom).chain(rules.iter().map(|(_, to)| to.as_str()));
    let blanks = words.map(str::trim).any(|text| text.contains(char::is_whitespace));
    let symbols = |text: &str| -> Vec<String> {
        match blanks {
            true => text.split_whitespace().map(str::to_owned).collect(),
            false => text.trim().chars().map(String::from).collect(),
        }
    };
    let mut replaced: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (from, to) in rules {
        replaced.entry(from.trim()).or_insert_with(|| symbols(to));
    }
    let mut grown = symbols(axiom);
    for _ in 0..times {
        let mut next = Vec::new();
        for symbol in grown {
            match replaced.get(symbol.as_str()) {
                Some(to) => next.extend(to.iter().cloned()),
                None => next.push(symbol),
            }
            if next.len() > MOST_SYMBOLS {
                return Err(wrong(format!("the axiom grows to more than {MOST_SYMBOLS} symbols in {times} times")));
            }
        }
        grown = next;
    }
    if grown.is_empty() {
        return Err(wrong("nothing grows from this axiom"));
    }
    let (mut spoken, mut size) = (BTreeMap::new(), 0);
    for symbol in &grown {
        if let Entry::Vacant(entry) = spoken.entry(symbol.as_str()) {
            let said = sounds.iter().find(|(from, _)| from.trim() == symbol).map_or(symbol, |(_, to)| to);
            // Whether it is too much to be played is seen of all together.
            let node = parse(said, MADE)
                .map_err(|error| wrong(format!("the symbol `{symbol}` is no step: {}", error.message)))?;
            size += node.size();
            if size > MOST_SIZE {
                return Err(wrong(format!("the pattern is too much: it has more than {MOST_SIZE} parts")));
            }
            entry.insert(format!("[{said}]"));
        }
    }
    let text = sequence(grown.iter().filter_map(|symbol| spoken.get(symbol.as_str())).map(String::as_str))?;
    made(&format!("{{{text}}}%{steps}"))
}
