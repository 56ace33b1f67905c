//! Targets: what a medium wants of a master, as rows of `targets.tsv`, and how far figures are from it.
//!
//! A target never changes a level. It says what is wanted, what was measured, whether it holds, and what would make it
//! hold, in numbers.

use std::sync::LazyLock;

use serde::Serialize;

use crate::expect::{Bound, SLACK};
use crate::figure::Figure;
use crate::measure::{Extreme, Figures};

/// The rows.
const TABLE: &str = include_str!("targets.tsv");

/// What a medium wants.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Target {
    /// As a session calls it: letters, digits and `_`.
    pub name: &'static str,
    /// As people call it.
    pub medium: &'static str,
    /// Integrated loudness in LUFS, and how far below and above it may be, in LU.
    pub loudness: Option<(f64, f64, f64)>,
    /// The highest true peak in dBTP.
    pub true_peak: Option<f64>,
    /// The lowest and the highest RMS in dBFS.
    pub rms: Option<(f64, f64)>,
    /// The highest sample in dBFS.
    pub sample_peak: Option<f64>,
    /// The rate in Hz that is delivered; none is the session's.
    pub rate: Option<u32>,
    /// The depth in bits that is delivered.
    pub bits: u32,
    /// What else is to be known, or nothing.
    pub note: &'static str,
    /// Where this is from.
    pub source: &'static str,
    /// The date of the source, or when it was last looked at: a year and a month.
    pub date: &'static str,
}

/// One thing that a target wants, and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// What it is about.
    pub figure: Figure,
    /// What is wanted, as `-14.0 LUFS, at most 0.5 LU off`.
    pub wanted: String,
    /// The figure, if there is one.
    pub measured: Option<f64>,
    /// Whether it is as wanted.
    pub holds: bool,
    /// What to do if it is not.
    pub advice: Option<String>,
}

/// Every target, in the order of the table.
pub fn all() -> &'static [Target] {
    static ALL: LazyLock<Vec<Target>> = LazyLock::new(|| rows().filter_map(Target::read).collect());
    &ALL
}

/// The target of this name.
pub fn find(name: &str) -> Option<&'static Target> {
    all().iter().find(|target| target.name == name)
}

/// The rows that are neither comments nor the heading.
fn rows() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).skip(1)
}

impl Target {
    /// A row of the table; none if it is malformed, which a test sees to.
    fn read(row: &'static str) -> Option<Target> {
        let cells: Vec<&'static str> = row.split('\t').map(|cell| if cell == "-" { "" } else { cell }).collect();
        let [name, medium, lufs, low, high, dbtp, rms_low, rms_high, dbfs, rate, bits, date, source, note] = cells[..]
        else {
            return None;
        };
        let number = |cell: &str| cell.parse::<f64>().ok();
        Some(Target {
            name,
            medium,
            loudness: number(lufs).zip(number(low)).zip(number(high)).map(|((lufs, low), high)| (lufs, low, high)),
            true_peak: number(dbtp),
            rms: number(rms_low).zip(number(rms_high)),
            sample_peak: number(dbfs),
            rate: rate.parse().ok(),
            bits: bits.parse().ok()?,
            note,
            source,
            date,
        })
    }

    /// By how many dB a master is to be turned up for it, down if that is less than 0: to its loudness, or where it wants an
    /// RMS and the master is outside it to the middle of that. None where there is nothing to measure.
    pub fn gain(&self, figures: &Figures) -> Option<f64> {
        match (self.loudness, self.rms) {
            (Some((lufs, ..)), _) => figures.integrated.map(|measured| lufs - measured),
            (None, Some((low, high))) => figures.rms.map(|measured| match (low..=high).contains(&measured) {
                true => 0.0,
                false => f64::midpoint(low, high) - measured,
            }),
            (None, None) => Some(0.0),
        }
    }

    /// By how many dB the peaks of a master are over what it allows once it is turned up by so many dB, if they are.
    pub fn over(&self, figures: &Figures, gain: f64) -> Option<f64> {
        let over = |peak: Option<Extreme>, most: Option<f64>| Some(peak?.value + gain - most?);
        let most =
            over(figures.true_peak, self.true_peak).into_iter().chain(over(figures.sample_peak, self.sample_peak));
        most.reduce(f64::max).filter(|over| *over > SLACK)
    }

    /// Where it wants figures to lie.
    pub fn bounds(&self) -> Vec<(Figure, Bound)> {
        let within = |figure: Figure, low: f64, value: f64, high: f64| match low == high {
            true => vec![(figure, Bound::Within { value, tolerance: low })],
            false => vec![(figure, Bound::Above(value - low)), (figure, Bound::Below(value + high))],
        };
        let loudness = self.loudness.map(|(lufs, low, high)| within(Figure::Lufs, low, lufs, high));
        let rms = self.rms.map(|(low, high)| vec![(Figure::Rms, Bound::Above(low)), (Figure::Rms, Bound::Below(high))]);
        let peaks = [(Figure::TruePeak, self.true_peak), (Figure::SamplePeak, self.sample_peak)];
        let peaks = peaks.into_iter().filter_map(|(figure, most)| Some((figure, Bound::Below(most?))));
        loudness.into_iter().chain(rms).flatten().chain(peaks).collect()
    }

    /// How far figures are from it, in a few words.
    pub fn distance(&self, figures: &Figures) -> String {
        let name = self.name;
        let loudness = self.loudness.zip(figures.integrated).map(|((lufs, low, high), measured)| {
            let off = measured - lufs;
            let way = if off < 0.0 { "under" } else { "over" };
            let fits = if (-low..=high).contains(&off) { ", which it allows" } else { "" };
            format!("{:.1} LU {way} what {name} wants{fits}", off.abs())
        });
        let peak = self.over(figures, 0.0).map(|over| format!("its peaks are {over:.1} dB over the ceiling of {name}"));
        let said: Vec<String> = loudness.into_iter().chain(peak).collect();
        if said.is_empty() { format!("that is what {name} wants") } else { said.join(", and ") }
    }

    /// What is wanted against what was measured, a line for each thing wanted.
    pub fn judge(&self, figures: &Figures) -> Vec<Line> {
        let loudness = self.loudness.map(|loudness| self.judge_loudness(loudness, figures));
        // How far it will be turned down for its loudness.
        let down = match (loudness.as_ref(), self.loudness) {
            (Some(Line { holds: false, measured: Some(measured), .. }), Some((lufs, ..))) => measured - lufs,
            _ => 0.0,
        };
        let peak = |figure: Figure, most: f64| {
            let measured = figures.get(figure).map(|(value, _)| value);
            let over = measured.map(|value| value - most);
            let advice = over.map(|over| match self.loudness {
                Some(_) if down >= over => {
                    format!("{over:.1} dB over: turned down by {down:.1} dB for its loudness it holds")
                }
                _ => format!(
                    "{over:.1} dB over: lower the ceiling of the limiter by as much (`limiter({most})` as the last \
                     effect), or the level before it"
                ),
            });
            line(figure, format!("at most {}", figure.shown(most)), measured, |value| value <= most, advice)
        };
        let rms = self.rms.map(|(low, high)| {
            let measured = figures.rms;
            let advice = measured.map(|value| match value > high {
                true => format!("{:.1} dB too loud: turn it down by that much at least", value - high),
                false => format!("{:.1} dB too soft: turn it up by that much at least, or compress it", low - value),
            });
            let wanted = format!("{low:.1} to {}", Figure::Rms.shown(high));
            line(Figure::Rms, wanted, measured, |value| (low..=high).contains(&value), advice)
        });
        let true_peak = self.true_peak.map(|most| peak(Figure::TruePeak, most));
        let sample_peak = self.sample_peak.map(|most| peak(Figure::SamplePeak, most));
        [loudness, rms, true_peak, sample_peak].into_iter().flatten().collect()
    }

    fn judge_loudness(&self, (lufs, low, high): (f64, f64, f64), figures: &Figures) -> Line {
        let advice = figures.integrated.map(|measured| {
            let (off, name) = (measured - lufs, self.name);
            if off > 0.0 {
                return format!("{off:.1} LU too loud: `render --target {name}` turns it down by {off:.1} dB");
            }
            let up = -off;
            let said = format!("{up:.1} LU too soft");
            let over = figures.true_peak.zip(self.true_peak).map(|(peak, most)| peak.value + up - most);
            match over.filter(|over| *over > 0.0) {
                Some(over) => format!(
                    "{said}: turned up by {up:.1} dB its peaks would be {over:.1} dB over; raise `gain` of the limiter \
                     by {up:.1} dB"
                ),
                None => format!("{said}: `render --target {name}` turns it up by {up:.1} dB"),
            }
        });
        let off = if low == high { format!("{low} LU off") } else { format!("{low} LU below or {high} LU above") };
        let wanted = format!("{}, at most {off}", Figure::Lufs.shown(lufs));
        let holds = |value: f64| value >= lufs - low && value <= lufs + high;
        line(Figure::Lufs, wanted, figures.integrated, holds, advice)
    }
}

/// A line whose figure holds if it would a little lower or a little higher.
fn line(
    figure: Figure,
    wanted: String,
    measured: Option<f64>,
    holds: impl Fn(f64) -> bool,
    advice: Option<String>,
) -> Line {
    let holds = measured.is_some_and(|value| holds(value - SLACK) || holds(value) || holds(value + SLACK));
    let nothing = || "there is nothing to measure: it is silent, too short, or of a layout that is not known".into();
    let advice = (!holds).then(|| advice.unwrap_or_else(nothing));
    Line { figure, wanted, measured, holds, advice }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Layout, Measurement};
    use crate::test_signals::sine;

    /// The figures of a stereo tone of 1 kHz, whose loudness in LUFS is about its level.
    fn tone(level: f64) -> Figures {
        let tone = sine(997.0, level, 48_000.0, 96_000);
        let mut measurement = Measurement::new(48_000, Layout::of(2));
        measurement.take(&[&tone, &tone]);
        measurement.figures()
    }

    fn lines(name: &str, level: f64) -> Vec<(Figure, bool, String)> {
        let lines = find(name).unwrap().judge(&tone(level));
        lines.into_iter().map(|line| (line.figure, line.holds, line.advice.unwrap_or_default())).collect()
    }

    #[test]
    fn every_row_reads_and_says_where_it_is_from() {
        assert_eq!(rows().count(), all().len());
        for target in all() {
            assert!(find(target.name) == Some(target), "{} is there twice", target.name);
            assert!(target.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
            let (year, month) = target.date.split_once('-').unwrap();
            assert!((1990..2100).contains(&year.parse().unwrap()) && (1..=12).contains(&month.parse().unwrap()));
            assert!(target.source.len() > 5 && [16, 24].contains(&target.bits));
            assert!(target.loudness.or(target.rms.map(|rms| (rms.0, rms.1, 0.0))).is_some() || target.name == "cd");
            assert!(target.loudness.is_none_or(|(lufs, low, high)| lufs < 0.0 && low > 0.0 && high > 0.0));
            assert!(target.true_peak.or(target.sample_peak).is_some_and(|peak| peak < 0.0));
        }
        for name in ["streaming", "spotify", "apple_music", "youtube", "tidal", "amazon", "deezer", "podcast"] {
            assert!(find(name).unwrap().rate.is_none(), "{name}");
        }
        assert_eq!(find("cd").map(|cd| (cd.rate, cd.bits, cd.loudness)), Some((Some(44_100), 16, None)));
        assert_eq!(find("vinyl"), None);
    }

    #[test]
    fn what_holds_needs_no_advice() {
        let none = String::new();
        assert_eq!(lines("streaming", -14.0), [(Figure::Lufs, true, none.clone()), (Figure::TruePeak, true, none)]);
        // RMS of a sine is 3 dB below its peak.
        assert!(lines("acx", -17.0).iter().all(|(_, holds, _)| *holds));
        // At its bound, by less than is shown.
        assert!(lines("streaming", -14.501).iter().all(|(_, holds, _)| *holds));
        assert!(!lines("streaming", -14.51)[0].1);
    }

    #[test]
    fn advice_says_by_how_much() {
        let too_loud = lines("spotify", -12.7);
        assert_eq!(too_loud[0].2, "1.3 LU too loud: `render --target spotify` turns it down by 1.3 dB");
        let too_soft = lines("ebu_r128", -30.0);
        assert_eq!(too_soft[0].2, "7.0 LU too soft: `render --target ebu_r128` turns it up by 7.0 dB");
        // A steady tone at -0.5 is louder than any target: what is turned down for its loudness peaks lower too.
        let peaks = lines("streaming", -0.5);
        assert_eq!(peaks[1].2, "0.5 dB over: turned down by 13.5 dB for its loudness it holds");
        assert!(lines("cd", 0.3)[0].2.starts_with("0.4 dB over: lower the ceiling of the limiter"));
        assert_eq!(lines("acx", -30.0)[0].2, "10.0 dB too soft: turn it up by that much at least, or compress it");
        let figures = Figures { integrated: Some(-20.0), ..tone(-3.0) };
        let advice = find("spotify").unwrap().judge(&figures)[0].advice.clone().unwrap();
        assert!(advice.contains("its peaks would be 4.0 dB over"), "{advice}");
    }

    #[test]
    fn silence_holds_to_nothing() {
        let lines = find("streaming").unwrap().judge(&tone(f64::NEG_INFINITY));
        assert!(lines.iter().all(|line| !line.holds && line.advice.as_ref().unwrap().starts_with("there is nothing")));
    }
}
