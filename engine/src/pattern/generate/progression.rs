//! Progressions of chords by rule, each chord led to from the one before by the least motion.

use super::{MOST_BARS, Pattern, PatternError, count, drawn, made, wrong};
use crate::names;
use crate::pattern::event::Value;
use crate::pattern::scales::{self, Scale};

/// What follows what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The usual root progressions of common practice (Piston, Harmony, 1941), drawn by their weight; the last bar has
    /// the dominant, which leads back.
    Functional,
    /// One of the loops of four chords that songs are made of, drawn.
    Pop,
    /// The circle of falling fifths through the scale.
    Fifths,
    /// The twelve bars of the blues, with dominant sevenths.
    Blues,
}

/// The rules by their names.
pub const RULES: &[(&str, Rule)] =
    &[("functional", Rule::Functional), ("pop", Rule::Pop), ("fifths", Rule::Fifths), ("blues", Rule::Blues)];

/// For each degree what may follow, with weights: Piston's "usually", "sometimes" and "less often".
const USUAL: [&[(i64, usize)]; 7] = [
    &[(3, 3), (4, 3), (5, 2), (1, 2), (2, 1)],
    &[(4, 6), (3, 1), (5, 1), (0, 1)],
    &[(5, 6), (3, 2), (0, 1)],
    &[(4, 6), (0, 3), (1, 3), (5, 1)],
    &[(0, 6), (5, 3), (3, 1)],
    &[(1, 4), (4, 4), (3, 2), (2, 1)],
    &[(0, 6), (2, 1)],
];

/// Loops of four degrees.
const LOOPS: [[i64; 4]; 8] =
    [[0, 4, 5, 3], [5, 3, 0, 4], [0, 5, 3, 4], [0, 3, 5, 4], [0, 5, 1, 4], [3, 0, 4, 5], [0, 2, 3, 4], [5, 4, 3, 4]];

/// The twelve bars, as degrees of a major scale.
const BLUES: [i64; 12] = [0, 0, 0, 0, 3, 3, 0, 0, 4, 3, 0, 4];

impl Rule {
    /// A rule by its name.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub fn named(name: &str) -> Result<Rule, PatternError> {
        let all = || RULES.iter().map(|(name, _)| *name);
        RULES.iter().find(|(own, _)| *own == name).map(|(_, rule)| *rule).ok_or_else(|| {
            let error = wrong(format!("there is no rule `{name}` for a progression"));
            match names::nearest(name, all()) {
                Some(near) => error.help(format!("the nearest is `{near}`")),
                None => error.help(format!("there are {}", all().collect::<Vec<_>>().join(", "))),
            }
        })
    }
}

/// A chord a bar, as MIDI notes, in the key of a scale of seven notes: of so many notes, by thirds; triads without a number,
/// and sevenths in the blues.
///
/// # Errors
/// There is no such scale, it has not seven notes, or there are no bars, or more than 256, or a chord is not to have 3 to 5
/// notes.
pub fn progression(scale: &str, rule: Rule, bars: i64, seed: u64, notes: Option<i64>) -> Result<Pattern, PatternError> {
    let scale = Scale::named(scale).map_err(wrong)?;
    let bars = count("bars", bars, 1, MOST_BARS)?;
    let of_rule = if rule == Rule::Blues { 4 } else { 3 };
    let size = count("notes of a chord", notes.unwrap_or(of_rule), 3, 5)?;
    if scale.steps.len() != 7 && rule != Rule::Blues {
        return Err(wrong("a progression wants a scale of seven notes: `major`, `minor`, `dorian`"));
    }
    let mut roots = vec![0i64];
    for bar in 1..bars {
        let last = roots[bar - 1];
        roots.push(match rule {
            Rule::Functional if bar + 1 == bars => 4,
            Rule::Functional => weighted(USUAL[last as usize], seed, bar as u64),
            Rule::Fifths => (last + 3) % 7,
            Rule::Pop | Rule::Blues => 0,
        });
    }
    match rule {
        Rule::Pop => {
            let four = LOOPS[drawn(seed, 0, LOOPS.len())];
            roots = (0..bars).map(|bar| four[bar % 4]).collect();
        }
        Rule::Blues => roots = (0..bars).map(|bar| BLUES[bar % 12]).collect(),
        Rule::Functional | Rule::Fifths => {}
    }
    let major = Scale { root: scale.root, steps: vec![0, 2, 4, 5, 7, 9, 11] };
    let tones = |root: i64| -> Vec<f64> {
        match rule {
            Rule::Blues => {
                let above = scales::chord("dom9").unwrap_or_default();
                above.iter().take(size).map(|tone| major.note(root as f64) + f64::from(*tone)).collect()
            }
            _ => (0..size as i64).map(|third| scale.note((root + 2 * third) as f64)).collect(),
        }
    };
    let mut before: Option<Vec<f64>> = None;
    let mut chords = Vec::with_capacity(bars);
    for root in roots {
        let notes = led(tones(root), before.as_deref());
        let names: Vec<String> = notes.iter().map(|note| Value::Number(*note).to_string()).collect();
        chords.push(format!("[{}]", names.join(",")));
        before = Some(notes);
    }
    made(&format!("<{}>", chords.join(" ")))
}

/// One of several by their weights, drawn.
fn weighted(of: &[(i64, usize)], seed: u64, counter: u64) -> i64 {
    let mut left = drawn(seed, counter, of.iter().map(|(_, weight)| weight).sum());
    for (degree, weight) in of {
        if left < *weight {
            return *degree;
        }
        left -= weight;
    }
    0
}

/// The inversion of a chord whose voices move least from the chord before, ascending.
fn led(tones: Vec<f64>, before: Option<&[f64]>) -> Vec<f64> {
    let Some(before) = before else { return tones };
    let mut best = (f64::INFINITY, tones.clone());
    for octave in [-12.0, 0.0] {
        let mut notes: Vec<f64> = tones.iter().map(|tone| tone + octave).collect();
        for _ in 0..2 * tones.len() {
            let motion: f64 = notes.iter().zip(before).map(|(a, b)| (a - b).abs()).sum();
            if motion < best.0 {
                best = (motion, notes.clone());
            }
            notes[0] += 12.0;
            notes.sort_by(f64::total_cmp);
        }
    }
    best.1
}
