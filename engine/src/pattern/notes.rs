//! Names of notes, MIDI numbers and frequencies.

use crate::math;

/// The octave of a note that names none: that of middle C.
const OCTAVE: i32 = 4;

/// The MIDI number of a note by its name: a letter, `s` or `#` for each semitone up, `f` or `b` for each down, and an
/// octave. `c4` is 60, `a4` is 69, `eb5` is 75; without an octave it is that of middle C. None if it is no such name.
pub fn note(name: &str) -> Option<i32> {
    let mut letters = name.chars().peekable();
    let tone = tone(letters.next()?)?;
    let mut bend = 0;
    while let Some(by) = match letters.peek() {
        Some('s' | '#') => Some(1),
        Some('f' | 'b') => Some(-1),
        Some('n') => Some(0),
        _ => None,
    } {
        bend += by;
        letters.next();
        if name.len() > 8 {
            return None;
        }
    }
    let octave: String = letters.collect();
    let octave = match octave.as_str() {
        "" => OCTAVE,
        text if text.trim_start_matches('-').chars().all(|letter| letter.is_ascii_digit()) => text.parse().ok()?,
        _ => return None,
    };
    (-9..=99).contains(&octave).then_some((octave + 1) * 12 + tone + bend)
}

/// The semitones of a letter above C.
pub fn tone(letter: char) -> Option<i32> {
    Some(match letter.to_ascii_lowercase() {
        'c' => 0,
        'd' => 2,
        'e' => 4,
        'f' => 5,
        'g' => 7,
        'a' => 9,
        'b' => 11,
        _ => return None,
    })
}

/// The frequency of a MIDI note in Hz, equally tempered, with `a4`, note 69, at 440 Hz. Parts of a note are in between.
pub fn frequency(note: f64) -> f64 {
    440.0 * math::pow(2.0, (note - 69.0) / 12.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_midi_notes() {
        for (name, number) in [
            ("c4", 60),
            ("a4", 69),
            ("c", 60),
            ("eb5", 75),
            ("fs3", 54),
            ("c#4", 61),
            ("Bb3", 58),
            ("bb", 70),
            ("ef5", 75),
            ("css4", 62),
            ("c-1", 0),
            ("g9", 127),
            ("cn4", 60),
        ] {
            assert_eq!(note(name), Some(number), "{name}");
        }
        for name in ["", "h4", "bd", "c4x", "4", "cp", "e--1", "c4000000000000", "éb"] {
            assert_eq!(note(name), None, "{name}");
        }
    }

    #[test]
    fn notes_are_equally_tempered() {
        assert_eq!(frequency(69.0), 440.0);
        assert!((frequency(60.0) - 261.625_565_300_598_6).abs() < 1e-9);
        assert!((frequency(69.5) / 440.0 - 2f64.powf(1.0 / 24.0)).abs() < 1e-12);
    }
}
