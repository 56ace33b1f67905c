//! Units that the text speaks in, and what each of them may stand for.

use serde::{Deserialize, Serialize};

use crate::pattern::notes;

/// What a number in the text was said to be: the suffix it carried, `-18.dB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// No unit: a ratio, a factor, a position.
    Plain,
    /// `dB`, a difference of level.
    Decibels,
    /// `dBFS`, a level against full scale.
    DecibelsFullScale,
    /// `dBTP`, a true peak against full scale.
    DecibelsTruePeak,
    /// `LUFS`, a loudness.
    Lufs,
    /// `ms`.
    Milliseconds,
    /// `s`.
    Seconds,
    /// `samples`, at the session's rate.
    Samples,
    /// `Hz`.
    Hertz,
    /// `kHz`.
    Kilohertz,
    /// `beats`, of the tempo.
    Beats,
    /// `bars`, of the tempo and the time signature.
    Bars,
    /// `bpm`.
    BeatsPerMinute,
    /// `percent`.
    Percent,
    /// `degrees`.
    Degrees,
    /// `semitones`.
    Semitones,
    /// `cents`.
    Cents,
}

/// What a unit measures. Units of one dimension convert into each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// A bare ratio or position.
    Plain,
    /// Level.
    Level,
    /// Loudness.
    Loudness,
    /// Time, in seconds or in music.
    Time,
    /// Frequency.
    Frequency,
    /// Tempo.
    Tempo,
    /// A part of a hundred.
    Percent,
    /// An angle.
    Angle,
    /// A musical interval.
    Interval,
}

impl Unit {
    /// Every unit that has a suffix, in the order the reference lists them.
    pub const ALL: [Unit; 16] = [
        Unit::Decibels,
        Unit::DecibelsFullScale,
        Unit::DecibelsTruePeak,
        Unit::Lufs,
        Unit::Milliseconds,
        Unit::Seconds,
        Unit::Samples,
        Unit::Hertz,
        Unit::Kilohertz,
        Unit::Beats,
        Unit::Bars,
        Unit::BeatsPerMinute,
        Unit::Percent,
        Unit::Degrees,
        Unit::Semitones,
        Unit::Cents,
    ];

    /// The suffix as it is written after a number; empty for [`Unit::Plain`].
    pub const fn suffix(self) -> &'static str {
        match self {
            Unit::Plain => "",
            Unit::Decibels => "dB",
            Unit::DecibelsFullScale => "dBFS",
            Unit::DecibelsTruePeak => "dBTP",
            Unit::Lufs => "LUFS",
            Unit::Milliseconds => "ms",
            Unit::Seconds => "s",
            Unit::Samples => "samples",
            Unit::Hertz => "Hz",
            Unit::Kilohertz => "kHz",
            Unit::Beats => "beats",
            Unit::Bars => "bars",
            Unit::BeatsPerMinute => "bpm",
            Unit::Percent => "percent",
            Unit::Degrees => "degrees",
            Unit::Semitones => "semitones",
            Unit::Cents => "cents",
        }
    }

    /// How the unit is written behind a figure shown to a person.
    pub const fn sign(self) -> &'static str {
        match self {
            Unit::Percent => "%",
            Unit::Degrees => "°",
            other => other.suffix(),
        }
    }

    /// What the unit measures.
    pub const fn dimension(self) -> Dimension {
        match self {
            Unit::Plain => Dimension::Plain,
            Unit::Decibels | Unit::DecibelsFullScale | Unit::DecibelsTruePeak => Dimension::Level,
            Unit::Lufs => Dimension::Loudness,
            Unit::Milliseconds | Unit::Seconds | Unit::Samples | Unit::Beats | Unit::Bars => Dimension::Time,
            Unit::Hertz | Unit::Kilohertz => Dimension::Frequency,
            Unit::BeatsPerMinute => Dimension::Tempo,
            Unit::Percent => Dimension::Percent,
            Unit::Degrees => Dimension::Angle,
            Unit::Semitones | Unit::Cents => Dimension::Interval,
        }
    }
}

/// What turns musical and sampled time into seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Frames a second.
    pub rate: f64,
    /// Beats a minute.
    pub tempo: f64,
    /// Beats a bar.
    pub beats_per_bar: f64,
}

impl Clock {
    /// The length of a beat in milliseconds.
    pub fn beat_ms(&self) -> f64 {
        60_000.0 / self.tempo
    }

    /// The whole number of frames nearest to a time in milliseconds.
    pub fn frames(&self, ms: f64) -> u64 {
        (ms * self.rate / 1000.0 + 0.5).max(0.0) as u64
    }
}

/// The frequency in Hz of a note such as `a4` (440 Hz), `c#3` or `Bb2`: equal temperament, octaves from C, `c-1` to `b9`.
/// One sharp `#` or flat `b`, or two.
pub fn note_frequency(name: &str) -> Option<f64> {
    let mut letters = name.chars();
    let tone = notes::tone(letters.next()?)?;
    let rest = letters.as_str();
    let octave = rest.trim_start_matches(['#', 'b']);
    let shift = match &rest[..rest.len() - octave.len()] {
        "" => 0,
        "#" => 1,
        "##" => 2,
        "b" => -1,
        "bb" => -2,
        _ => return None,
    };
    let digits = octave.strip_prefix('-').unwrap_or(octave);
    let octave: i32 = octave.parse().ok().filter(|octave| (-1..=9).contains(octave) && digits.len() == 1)?;
    Some(notes::frequency(f64::from(12 * (octave + 1) + tone + shift)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_have_the_frequencies_of_equal_temperament() {
        for (name, expected) in [("a4", 440.0), ("A3", 220.0), ("c4", 261.6256), ("c#3", 138.5913), ("bb2", 116.5409)] {
            assert!((note_frequency(name).unwrap() - expected).abs() < 1e-4, "{name}");
        }
        for (name, expected) in
            [("c-1", 8.1758), ("b9", 15_804.265_6), ("e#4", 349.2282), ("cb4", 246.9417), ("f##5", 783.9909)]
        {
            assert!((note_frequency(name).unwrap() - expected).abs() < 1e-4, "{name}");
        }
    }

    #[test]
    fn what_is_no_note_has_no_frequency() {
        for name in ["", "a", "4", "h4", "a10", "a+4", "a#b4", "a###4", "a-2", "a4x", "é4", "a 4"] {
            assert_eq!(note_frequency(name), None, "{name:?}");
        }
    }
}
