//! Elementary cellular automata (Wolfram, 1983) as rhythms.

use super::{MOST_BARS, Pattern, PatternError, count, drawn, made, sequence, steps_of};

/// A value at each living cell of a ring, a generation a bar. It begins with one living cell, or with cells drawn by a
/// seed. `rule` has a bit for each of the eight neighbourhoods, as Wolfram numbers them: 30, 90, 110.
///
/// # Errors
/// The value cannot be read; there are no cells or bars, or more than 256.
pub fn cellular(value: &str, rule: u8, cells: i64, bars: i64, seed: Option<u64>) -> Result<Pattern, PatternError> {
    let (cells, bars) = (count("cells", cells, 1, 256)?, count("bars", bars, 1, MOST_BARS)?);
    made(value)?;
    let mut row: Vec<bool> = (0..cells)
        .map(|cell| match seed {
            Some(seed) => drawn(seed, cell as u64, 2) == 1,
            None => cell == 0,
        })
        .collect();
    let mut generations = Vec::with_capacity(bars);
    for _ in 0..bars {
        generations.push(format!("[{}]", steps_of(value, row.iter().copied())?));
        let alive = |cell: usize| u8::from(row[cell % cells]);
        row = (0..cells)
            .map(|cell| rule >> (4 * alive(cell + cells - 1) + 2 * alive(cell) + alive(cell + 1)) & 1 == 1)
            .collect();
    }
    made(&format!("<{}>", sequence(generations.iter().map(String::as_str))?))
}
