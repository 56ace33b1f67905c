//! Scales and chords by the names that TidalCycles and Strudel players know.

use serde::Serialize;

use super::notes;
use crate::names;

/// A scale on a root.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scale {
    /// The MIDI note of degree 0.
    pub root: f64,
    /// Semitones above the root within an octave, ascending from 0.
    pub steps: Vec<u8>,
}

/// Names of scales, and their semitones above the root.
pub const SCALES: &[(&[&str], &[u8])] = &[
    (&["major", "ionian"], &[0, 2, 4, 5, 7, 9, 11]),
    (&["minor", "aeolian"], &[0, 2, 3, 5, 7, 8, 10]),
    (&["dorian"], &[0, 2, 3, 5, 7, 9, 10]),
    (&["phrygian"], &[0, 1, 3, 5, 7, 8, 10]),
    (&["lydian"], &[0, 2, 4, 6, 7, 9, 11]),
    (&["mixolydian"], &[0, 2, 4, 5, 7, 9, 10]),
    (&["locrian"], &[0, 1, 3, 5, 6, 8, 10]),
    (&["harmonic minor"], &[0, 2, 3, 5, 7, 8, 11]),
    (&["harmonic major"], &[0, 2, 4, 5, 7, 8, 11]),
    (&["melodic minor"], &[0, 2, 3, 5, 7, 9, 11]),
    (&["melodic major", "hindu"], &[0, 2, 4, 5, 7, 8, 10]),
    (&["maj pent", "major pentatonic", "pentatonic"], &[0, 2, 4, 7, 9]),
    (&["min pent", "minor pentatonic"], &[0, 3, 5, 7, 10]),
    (&["blues", "minor blues"], &[0, 3, 5, 6, 7, 10]),
    (&["major blues"], &[0, 2, 3, 4, 7, 9]),
    (&["whole", "whole tone"], &[0, 2, 4, 6, 8, 10]),
    (&["chromatic"], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    (&["diminished", "whole half"], &[0, 2, 3, 5, 6, 8, 9, 11]),
    (&["half whole"], &[0, 1, 3, 4, 6, 7, 9, 10]),
    (&["augmented"], &[0, 3, 4, 7, 8, 11]),
    (&["lydian minor"], &[0, 2, 4, 6, 7, 8, 10]),
    (&["lydian dominant", "acoustic"], &[0, 2, 4, 6, 7, 9, 10]),
    (&["super locrian", "altered"], &[0, 1, 3, 4, 6, 8, 10]),
    (&["locrian major"], &[0, 2, 4, 5, 6, 8, 10]),
    (&["neapolitan minor"], &[0, 1, 3, 5, 7, 8, 11]),
    (&["neapolitan major"], &[0, 1, 3, 5, 7, 9, 11]),
    (&["hungarian minor"], &[0, 2, 3, 6, 7, 8, 11]),
    (&["romanian minor", "ukrainian dorian"], &[0, 2, 3, 6, 7, 9, 10]),
    (&["double harmonic", "bhairav", "gypsy"], &[0, 1, 4, 5, 7, 8, 11]),
    (&["phrygian dominant", "spanish"], &[0, 1, 4, 5, 7, 8, 10]),
    (&["enigmatic"], &[0, 1, 4, 6, 8, 10, 11]),
    (&["prometheus"], &[0, 2, 4, 6, 9, 10]),
    (&["scriabin"], &[0, 1, 4, 7, 9]),
    (&["bebop", "bebop dominant"], &[0, 2, 4, 5, 7, 9, 10, 11]),
    (&["bebop major"], &[0, 2, 4, 5, 7, 8, 9, 11]),
    (&["todi"], &[0, 1, 3, 6, 7, 8, 11]),
    (&["purvi"], &[0, 1, 4, 6, 7, 8, 11]),
    (&["marva"], &[0, 1, 4, 6, 7, 9, 11]),
    (&["ahirbhairav"], &[0, 1, 4, 5, 7, 9, 10]),
    (&["egyptian"], &[0, 2, 5, 7, 10]),
    (&["kumoi"], &[0, 2, 3, 7, 9]),
    (&["hirajoshi"], &[0, 2, 3, 7, 8]),
    (&["iwato"], &[0, 1, 5, 6, 10]),
    (&["chinese"], &[0, 4, 6, 7, 11]),
    (&["in sen"], &[0, 1, 5, 7, 10]),
    (&["pelog"], &[0, 1, 3, 7, 8]),
    (&["yu"], &[0, 3, 5, 7, 10]),
];

/// Names of chords, and their semitones above the root.
pub const CHORDS: &[(&[&str], &[i8])] = &[
    (&["major", "maj", "M"], &[0, 4, 7]),
    (&["minor", "min", "m"], &[0, 3, 7]),
    (&["aug", "plus", "sharp5"], &[0, 4, 8]),
    (&["dim", "diminished"], &[0, 3, 6]),
    (&["one"], &[0]),
    (&["five", "5"], &[0, 7]),
    (&["sus2"], &[0, 2, 7]),
    (&["sus4", "sus"], &[0, 5, 7]),
    (&["six", "6"], &[0, 4, 7, 9]),
    (&["sixNine", "six9", "6by9"], &[0, 4, 7, 9, 14]),
    (&["major7", "maj7", "M7"], &[0, 4, 7, 11]),
    (&["major9", "maj9", "M9"], &[0, 4, 7, 11, 14]),
    (&["major11", "maj11"], &[0, 4, 7, 11, 14, 17]),
    (&["major13", "maj13"], &[0, 4, 7, 11, 14, 21]),
    (&["add9"], &[0, 4, 7, 14]),
    (&["add11"], &[0, 4, 7, 17]),
    (&["add13"], &[0, 4, 7, 21]),
    (&["dom7", "7"], &[0, 4, 7, 10]),
    (&["dom9", "nine", "9"], &[0, 4, 7, 10, 14]),
    (&["dom11", "eleven", "11"], &[0, 4, 7, 10, 14, 17]),
    (&["dom13", "thirteen", "13"], &[0, 4, 7, 10, 14, 21]),
    (&["sevenFlat5", "7f5"], &[0, 4, 6, 10]),
    (&["sevenSharp5", "7s5"], &[0, 4, 8, 10]),
    (&["sevenFlat9", "7f9"], &[0, 4, 7, 10, 13]),
    (&["sevenSharp9", "7s9"], &[0, 4, 7, 10, 15]),
    (&["sevenSus2", "7sus2"], &[0, 2, 7, 10]),
    (&["sevenSus4", "7sus4"], &[0, 5, 7, 10]),
    (&["nineSus4", "ninesus4", "9sus4"], &[0, 5, 7, 10, 14]),
    (&["minor6", "min6", "m6"], &[0, 3, 7, 9]),
    (&["minorSixNine", "minor69", "m6by9"], &[0, 3, 7, 9, 14]),
    (&["minor7", "min7", "m7"], &[0, 3, 7, 10]),
    (&["minor9", "min9", "m9"], &[0, 3, 7, 10, 14]),
    (&["minor11", "min11", "m11"], &[0, 3, 7, 10, 14, 17]),
    (&["minor13", "min13", "m13"], &[0, 3, 7, 10, 14, 21]),
    (&["minorMajor7", "minMaj7", "mmaj7"], &[0, 3, 7, 11]),
    (&["minor7flat5", "m7flat5", "m7b5", "m7f5"], &[0, 3, 6, 10]),
    (&["minor7sharp5", "m7sharp5", "m7s5"], &[0, 3, 8, 10]),
    (&["diminished7", "dim7"], &[0, 3, 6, 9]),
    (&["diminished9", "dim9"], &[0, 3, 6, 9, 13]),
];

/// How many names are told where none is near.
const LISTED: usize = 8;

impl Scale {
    /// A scale by its name, with or without a root before it: `minor`, `d dorian`, `eb3:major pentatonic`. Case, blanks
    /// and `:` do not matter. Without a root it is on middle C.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub fn named(text: &str) -> Result<Scale, String> {
        let found = |name: &str| {
            let name = plain(name);
            SCALES.iter().find(|(names, _)| names.iter().any(|own| plain(own) == name)).map(|(_, steps)| steps.to_vec())
        };
        if let Some(steps) = found(text) {
            return Ok(Scale { root: 60.0, steps });
        }
        let (root, name) = match text.trim().split_once([' ', ':']) {
            Some((root, name)) if notes::note(root).is_some() => (notes::note(root), name),
            _ => (None, text),
        };
        match (found(name), root) {
            (Some(steps), Some(root)) => Ok(Scale { root: f64::from(root), steps }),
            _ => Err(unknown("scale", name.trim(), SCALES)),
        }
    }

    /// The MIDI note of a degree, 0 for the root; below 0 and beyond the octave the scale goes on. Between two degrees
    /// it is as far between their notes.
    pub fn note(&self, degree: f64) -> f64 {
        let count = self.steps.len() as f64;
        let whole = |degree: f64| {
            let octave = (degree / count).floor();
            let step = self.steps.get((degree - octave * count) as usize).copied().unwrap_or(0);
            self.root + 12.0 * octave + f64::from(step)
        };
        let below = degree.floor();
        let between = degree - below;
        whole(below) + if between == 0.0 { 0.0 } else { between * (whole(below + 1.0) - whole(below)) }
    }
}

/// The semitones of a chord by its name.
///
/// # Errors
/// What is wrong with the name.
pub fn chord(name: &str) -> Result<Vec<i8>, String> {
    if let Some((_, tones)) = CHORDS.iter().find(|(names, _)| names.contains(&name)) {
        return Ok(tones.to_vec());
    }
    Err(unknown("chord", name, CHORDS))
}

/// A name without what does not tell names apart.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What to say of a name that a table does not have: the nearest that it has, or the first few.
fn unknown<T>(what: &str, name: &str, table: &[(&[&str], T)]) -> String {
    if let Some(near) = names::nearest(name, table.iter().flat_map(|(names, _)| names.iter().copied())) {
        return format!("there is no {what} `{name}`: the nearest is `{near}`");
    }
    let few: Vec<String> = table.iter().take(LISTED).map(|(names, _)| format!("`{}`", names[0])).collect();
    let more = table.len() - few.len();
    format!("there is no {what} `{name}`; there are {} and {more} more", few.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_go_on_through_the_octaves() {
        let scale = Scale::named("d4 minor").unwrap();
        let notes: Vec<f64> = (-1..9).map(|degree| scale.note(f64::from(degree))).collect();
        assert_eq!(notes, [60.0, 62.0, 64.0, 65.0, 67.0, 69.0, 70.0, 72.0, 74.0, 76.0]);
        assert_eq!(scale.note(1.5), 64.5);
        assert_eq!(scale.note(-7.0), 50.0);
    }

    #[test]
    fn names_are_read_loosely_and_the_nearest_is_told() {
        assert_eq!(Scale::named("C:Major Pentatonic"), Scale::named("majPent"));
        assert_eq!(Scale::named("c3:minor").unwrap().root, 48.0);
        assert!(Scale::named("mixolidian").unwrap_err().contains("`mixolydian`"));
        assert!(Scale::named("a dorrian").unwrap_err().contains("`dorian`"));
        assert!(chord("major77").unwrap_err().contains("`major7`"));
        assert!(Scale::named("c minr").unwrap_err().ends_with("the nearest is `minor`"));
        assert!(chord("mjaor").unwrap_err().ends_with("the nearest is `major`"));
        assert!(chord("xyzzy").unwrap_err().ends_with("`sus2`, `sus4` and 31 more"));
        assert!(Scale::named("c xyzzy").unwrap_err().len() < 150);
    }

    #[test]
    fn the_tables_are_in_order_and_no_name_is_there_twice() {
        let mut names: Vec<String> =
            SCALES.iter().flat_map(|(names, _)| names.iter().map(|name| plain(name))).collect();
        for (_, steps) in SCALES {
            assert!(steps[0] == 0 && steps.windows(2).all(|pair| pair[0] < pair[1]) && steps.iter().all(|s| *s < 12));
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        let mut names: Vec<&str> = CHORDS.iter().flat_map(|(names, _)| names.iter().copied()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(CHORDS.iter().all(|(_, tones)| tones[0] == 0 && tones.windows(2).all(|pair| pair[0] < pair[1])));
    }
}
