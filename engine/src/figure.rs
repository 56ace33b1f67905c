//! Figures: what can be said of a sound in one number, how each is called, and in what it is counted.

use serde::Serialize;

use crate::parameter::Parameter;
use crate::units::Unit;

/// A figure of a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Integrated loudness.
    Lufs,
    /// The largest momentary loudness.
    Momentary,
    /// The largest short-term loudness.
    ShortTerm,
    /// Loudness range.
    LoudnessRange,
    /// The largest peak between samples.
    TruePeak,
    /// The largest sample.
    SamplePeak,
    /// Root mean square of all channels.
    Rms,
    /// Peak to loudness ratio.
    Plr,
    /// The smallest peak to short-term loudness ratio.
    Psr,
    /// Correlation of the first two channels.
    Correlation,
    /// The mean of the channel that has most of it.
    DcOffset,
    /// Samples at or beyond full scale.
    ClippedSamples,
    /// The most that an effect of dynamics took off.
    GainReduction,
}

impl Figure {
    /// Every figure, in the order in which they are shown.
    pub const ALL: [Figure; 13] = [
        Figure::Lufs,
        Figure::Momentary,
        Figure::ShortTerm,
        Figure::LoudnessRange,
        Figure::TruePeak,
        Figure::SamplePeak,
        Figure::Rms,
        Figure::Plr,
        Figure::Psr,
        Figure::Correlation,
        Figure::DcOffset,
        Figure::ClippedSamples,
        Figure::GainReduction,
    ];

    /// How a session calls it.
    pub const fn word(self) -> &'static str {
        match self {
            Figure::Lufs => "lufs",
            Figure::Momentary => "momentary",
            Figure::ShortTerm => "short_term",
            Figure::LoudnessRange => "loudness_range",
            Figure::TruePeak => "true_peak",
            Figure::SamplePeak => "sample_peak",
            Figure::Rms => "rms",
            Figure::Plr => "plr",
            Figure::Psr => "psr",
            Figure::Correlation => "correlation",
            Figure::DcOffset => "dc_offset",
            Figure::ClippedSamples => "clipped_samples",
            Figure::GainReduction => "gain_reduction",
        }
    }

    /// How a table shows it.
    pub const fn title(self) -> &'static str {
        match self {
            Figure::Lufs => "integrated loudness",
            Figure::Momentary => "momentary loudness, max",
            Figure::ShortTerm => "short-term loudness, max",
            Figure::LoudnessRange => "loudness range",
            Figure::TruePeak => "true peak",
            Figure::SamplePeak => "sample peak",
            Figure::Rms => "RMS",
            Figure::Plr => "peak to loudness (PLR)",
            Figure::Psr => "peak to short-term (PSR), min",
            Figure::Correlation => "correlation",
            Figure::DcOffset => "DC offset",
            Figure::ClippedSamples => "clipped samples",
            Figure::GainReduction => "gain reduction, max",
        }
    }

    /// What is written behind its number; nothing behind a ratio or a count.
    pub const fn sign(self) -> &'static str {
        match self {
            Figure::Lufs | Figure::Momentary | Figure::ShortTerm => "LUFS",
            Figure::LoudnessRange | Figure::Plr | Figure::Psr => "LU",
            Figure::TruePeak => "dBTP",
            Figure::SamplePeak | Figure::Rms => "dBFS",
            Figure::GainReduction => "dB",
            Figure::Correlation | Figure::DcOffset | Figure::ClippedSamples => "",
        }
    }

    /// What is written behind the difference of two of its numbers.
    pub const fn difference(self) -> &'static str {
        match self {
            Figure::Lufs | Figure::Momentary | Figure::ShortTerm => "LU",
            Figure::TruePeak | Figure::SamplePeak | Figure::Rms => "dB",
            other => other.sign(),
        }
    }

    /// The values that it can have, as a session says them.
    pub const fn parameter(self) -> Parameter {
        let (unit, least, most) = match self {
            Figure::Lufs | Figure::Momentary | Figure::ShortTerm => (Unit::Lufs, -120.0, 24.0),
            Figure::TruePeak => (Unit::DecibelsTruePeak, -200.0, 24.0),
            Figure::SamplePeak | Figure::Rms => (Unit::DecibelsFullScale, -200.0, 24.0),
            Figure::LoudnessRange | Figure::Plr | Figure::Psr | Figure::GainReduction => {
                (Unit::Decibels, -200.0, 200.0)
            }
            Figure::Correlation | Figure::DcOffset => (Unit::Plain, -1.0, 1.0),
            Figure::ClippedSamples => (Unit::Plain, 0.0, 1e12),
        };
        Parameter::number(self.word(), unit, 0.0, least, most, self.summary())
    }

    /// The values that the difference of two of its numbers can have.
    pub const fn differences(self) -> Parameter {
        let (unit, most) = match self.difference().is_empty() {
            true => (Unit::Plain, 1e12),
            false => (Unit::Decibels, 200.0),
        };
        Parameter::number(self.word(), unit, 0.0, -most, most, self.summary())
    }

    /// Whether it is reckoned from loudness, which weighs channels by where they stand.
    pub const fn is_of_loudness(self) -> bool {
        use Figure::{LoudnessRange, Lufs, Momentary, Plr, Psr, ShortTerm};
        matches!(self, Lufs | Momentary | ShortTerm | LoudnessRange | Plr | Psr)
    }

    /// What it says, in one sentence.
    pub const fn summary(self) -> &'static str {
        match self {
            Figure::Lufs => "Loudness of the whole, gated (ITU-R BS.1770-5).",
            Figure::Momentary => "The largest loudness of any 400 ms (EBU Tech 3341).",
            Figure::ShortTerm => "The largest loudness of any 3 s (EBU Tech 3341).",
            Figure::LoudnessRange => "How far loud and soft passages lie apart (EBU Tech 3342).",
            Figure::TruePeak => {
                "The largest peak of the sound that a converter makes of the samples, looked at 8 times as finely."
            }
            Figure::SamplePeak => "The largest sample of any channel.",
            Figure::Rms => "Root mean square of all channels; a full-scale sine reads -3.01.",
            Figure::Plr => "True peak above integrated loudness.",
            Figure::Psr => "True peak of 3 s above their loudness, where it is least.",
            Figure::Correlation => "Of left and right over the whole: 1 for mono, -1 for opposite polarity.",
            Figure::DcOffset => "The mean of the channel that is farthest off centre; full scale is 1.",
            Figure::ClippedSamples => "Samples at full scale or beyond.",
            Figure::GainReduction => "The most that a compressor, gate, de-esser or limiter took off.",
        }
    }

    /// The figure of this name.
    pub fn find(word: &str) -> Option<Figure> {
        Figure::ALL.into_iter().find(|figure| figure.word() == word)
    }

    /// A number of its kind as it was said.
    pub fn exactly(self, value: f64) -> String {
        if self.sign().is_empty() { value.to_string() } else { format!("{value} {}", self.sign()) }
    }

    /// Its number as it is shown: to a tenth where it is in decibels or loudness units, to a hundredth as a ratio.
    pub fn shown(self, value: f64) -> String {
        let number = match self {
            Figure::ClippedSamples => format!("{value:.0}"),
            Figure::Correlation => format!("{value:.2}"),
            Figure::DcOffset => format!("{value:.5}"),
            _ => format!("{value:.1}"),
        };
        // -0.0 is 0.0.
        let number =
            if number.trim_start_matches(['-', '0', '.']).is_empty() { number.replace('-', "") } else { number };
        if self.sign().is_empty() { number } else { format!("{number} {}", self.sign()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_is_found_by_its_word() {
        for figure in Figure::ALL {
            assert_eq!(Figure::find(figure.word()), Some(figure));
        }
        assert_eq!(Figure::find("loudness"), None);
    }

    #[test]
    fn a_figure_is_shown_with_its_unit_and_without_a_negative_zero() {
        assert_eq!(Figure::TruePeak.shown(-1.04), "-1.0 dBTP");
        assert_eq!(Figure::Correlation.shown(-0.001), "0.00");
        assert_eq!(Figure::Lufs.shown(-0.04), "0.0 LUFS");
        assert_eq!(Figure::ClippedSamples.shown(12.0), "12");
    }
}
