//! What was measured, told: a list for one file, a table for several, JSON for programs; and what media think of it.

use std::io::{self, Write};

use engine::figure::Figure;
use engine::measure::Figures;
use engine::target::{self, Line, Target};
use serde::Serialize;

use crate::arguments::Measure;
use crate::ending::{Failure, Outcome};
use crate::paint::Paint;
use crate::status::minutes;

/// The figures of a sound: all but the last, which only effects have.
const SHOWN: &[Figure] = Figure::ALL.split_last().expect("there are some").1;

/// How the columns of a table are headed, in the order of [`SHOWN`].
const HEADINGS: [&str; SHOWN.len()] =
    ["LUFS", "M max", "S max", "LRA", "dBTP", "dBFS", "RMS", "PLR", "PSR", "corr", "DC", "clipped"];

/// How long a sound is at least whose loudness range has settled, in seconds (EBU Tech 3342).
const SETTLED: f64 = 60.0;

/// Everything there is to tell.
pub struct Report {
    targets: Vec<&'static Target>,
    rows: Vec<Row>,
}

/// One file, or the album.
struct Row {
    name: String,
    is_album: bool,
    layout: Option<&'static str>,
    measured: Result<Figures, String>,
    judged: Vec<(&'static Target, Vec<Line>)>,
}

impl Report {
    pub fn new(arguments: &Measure) -> Report {
        Report { targets: arguments.target.clone(), rows: Vec::new() }
    }

    /// A file, the layout of its channels, and its figures.
    pub fn add(&mut self, name: &str, layout: Option<&'static str>, figures: Figures) {
        let judged = self.targets.iter().map(|target| (*target, target.judge(&figures))).collect();
        self.rows.push(Row { name: name.into(), is_album: false, layout, measured: Ok(figures), judged });
    }

    /// All files as one.
    pub fn add_album(&mut self, figures: Figures) {
        self.add("album", None, figures);
        self.rows.iter_mut().last().into_iter().for_each(|row| row.is_album = true);
    }

    /// A file that has no figures, and why.
    pub fn add_error(&mut self, name: &str, why: &str) {
        let measured = Err(why.into());
        self.rows.push(Row { name: name.into(), is_album: false, layout: None, measured, judged: Vec::new() });
    }

    /// Tells of everything; fails if something could not be measured, or a target does not hold.
    pub fn tell(&self, as_json: bool) -> Outcome {
        let text = if as_json { self.json()? } else { self.text() };
        io::stdout().write_all(text.as_bytes())?;
        let holds = |row: &Row| {
            row.measured.is_ok()
                && row
                    .judged
                    .iter()
                    .all(|(target, lines)| lines.iter().all(|line| line.holds) && wrong_rate(target, row).is_none())
        };
        if self.rows.iter().all(holds) { Ok(()) } else { Err(Failure::Shown) }
    }

    fn text(&self) -> String {
        let told: Vec<(&Row, &Figures)> =
            self.rows.iter().filter_map(|row| Some((row, row.measured.as_ref().ok()?))).collect();
        let mut out = match &told[..] {
            [(row, figures)] => list(row, figures),
            rows => table(rows),
        };
        for (row, _) in &told {
            let named = if told.len() > 1 { format!("{}: ", row.name) } else { String::new() };
            for (target, lines) in &row.judged {
                out.push_str(&format!("\n{named}{}\n", Paint::stdout().bold(target.medium)));
                lines.iter().for_each(|line| out.push_str(&judged(line)));
                if let Some(wrong) = wrong_rate(target, row) {
                    out.push_str(&format!("  {}  {wrong}\n", Paint::stdout().red("fail")));
                }
            }
        }
        out
    }

    fn json(&self) -> Result<String, Failure> {
        let objects: Vec<Object> = self.rows.iter().map(Row::object).collect();
        let text = serde_json::to_string_pretty(&objects).map_err(|error| Failure::Error(error.to_string()))?;
        Ok(text + "\n")
    }
}

/// A line for each figure, and where it stood.
fn list(row: &Row, figures: &Figures) -> String {
    let seconds = seconds(figures);
    let channels = row.layout.map_or_else(|| format!("{} channels", figures.channels), str::to_owned);
    let paint = Paint::stdout();
    let mut out = format!("{}: {}, {} Hz, {channels}\n", paint.bold(&row.name), minutes(seconds), figures.rate);
    let width = SHOWN.iter().map(|figure| figure.title().len()).max().unwrap_or(0);
    for &figure in SHOWN {
        let found = figures.get(figure);
        let number = found.map_or("-".into(), |(value, _)| figure.shown(value));
        // Numbers stand under each other, whatever unit follows them.
        let (number, unit) = number.split_once(' ').unwrap_or((&number, ""));
        let mut line = format!("  {:width$}  {number:>9} {unit}", figure.title());
        if let Some((_, Some(frame))) = found {
            line = format!("{line:<ends$}  {}", at(frame, figures), ends = width + 18);
        }
        if figure == Figure::LoudnessRange && found.is_some() && seconds < SETTLED {
            line = format!("{line:<ends$}  of less than a minute", ends = width + 18);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if let (count, Some(first)) = figures.broken {
        out.push_str(&format!("  {:width$}  {count:>9}      {}\n", "samples that are no numbers", at(first, figures)));
    }
    out
}

/// A line for each file.
fn table(rows: &[(&Row, &Figures)]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let cells = rows.iter().map(|(row, figures)| {
        let number = |figure: Figure| {
            let shown = figures.get(figure).map_or("-".into(), |(value, _)| figure.shown(value));
            shown.split(' ').next().unwrap_or_default().to_owned()
        };
        let mut cells = vec![row.name.clone(), minutes(seconds(figures))];
        cells.extend(SHOWN.iter().copied().map(number));
        cells
    });
    let headings = ["", "time"].into_iter().chain(HEADINGS).map(str::to_owned).collect();
    let lines: Vec<Vec<String>> = [headings].into_iter().chain(cells).collect();
    aligned(&lines, |line| line == 0 || rows[line - 1].0.is_album)
}

/// Tells what media there are and what they want.
pub fn tell_targets(as_json: bool) -> Outcome {
    let text = if as_json {
        serde_json::to_string_pretty(target::all()).map_err(|error| Failure::Error(error.to_string()))? + "\n"
    } else {
        let headings = ["", "LUFS", "dBTP", "RMS", "dBFS", "delivered", "as of", "medium"].map(str::to_owned).to_vec();
        let rows = target::all().iter().map(|target| {
            let number = |value: Option<f64>| value.map_or("-".into(), |value| value.to_string());
            let rate = target.rate.map_or("own rate".into(), |rate| format!("{rate} Hz"));
            vec![
                target.name.into(),
                number(target.loudness.map(|(lufs, ..)| lufs)),
                number(target.true_peak),
                target.rms.map_or("-".into(), |(low, high)| format!("{low} to {high}")),
                number(target.sample_peak),
                format!("{rate}, {} bits", target.bits),
                target.date.into(),
                target.medium.into(),
            ]
        });
        aligned(&[headings].into_iter().chain(rows).collect::<Vec<_>>(), |line| line == 0)
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// Lines of cells as columns, the first to the left and the others to the right.
fn aligned(lines: &[Vec<String>], is_bold: impl Fn(usize) -> bool) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for (n, line) in lines.iter().enumerate() {
        let mut text = String::new();
        for (i, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let padded = if i == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") };
            text.push_str(&padded);
        }
        out.push_str(&if is_bold(n) { Paint::stdout().bold(&text) } else { text });
        out.push('\n');
    }
    out
}

/// What a target says of one figure.
fn judged(line: &Line) -> String {
    let paint = Paint::stdout();
    let verdict = if line.holds { "pass".to_owned() } else { paint.red("fail") };
    let measured = line.measured.map_or("-".into(), |value| line.figure.shown(value));
    let advice = line.advice.as_ref().map_or(String::new(), |advice| format!("\n        {advice}"));
    format!("  {verdict}  {}: {measured}, wanted {}{advice}\n", line.figure.title(), line.wanted)
}

/// What is wrong with the rate of a file, if a medium wants another.
fn wrong_rate(target: &Target, row: &Row) -> Option<String> {
    let (wanted, figures) = (target.rate?, row.measured.as_ref().ok()?);
    let name = target.name;
    (figures.rate != wanted).then(|| {
        format!(
            "rate: {} Hz, wanted {wanted} Hz\n        `render --target {name}` delivers it at that rate",
            figures.rate
        )
    })
}

fn seconds(figures: &Figures) -> f64 {
    figures.frames as f64 / f64::from(figures.rate)
}

fn at(frame: u64, figures: &Figures) -> String {
    format!("at {}", minutes(frame as f64 / f64::from(figures.rate)))
}

/// What a program reads of one file.
#[derive(Serialize)]
struct Object<'a> {
    file: &'a str,
    album: bool,
    error: Option<&'a str>,
    layout: Option<&'static str>,
    sample_rate: Option<u32>,
    channels: Option<usize>,
    duration_s: Option<f64>,
    integrated_lufs: Option<f64>,
    loudness_range_lu: Option<f64>,
    momentary_max_lufs: Option<f64>,
    momentary_max_at_s: Option<f64>,
    short_term_max_lufs: Option<f64>,
    short_term_max_at_s: Option<f64>,
    true_peak_dbtp: Option<f64>,
    true_peak_at_s: Option<f64>,
    sample_peak_dbfs: Option<f64>,
    sample_peak_at_s: Option<f64>,
    rms_dbfs: Option<f64>,
    plr_lu: Option<f64>,
    psr_min_lu: Option<f64>,
    psr_min_at_s: Option<f64>,
    correlation: Option<f64>,
    dc_offset: Option<f64>,
    clipped_samples: Option<u64>,
    broken_samples: Option<u64>,
    targets: Vec<Verdict<'a>>,
}

/// What a program reads of one target.
#[derive(Serialize)]
struct Verdict<'a> {
    target: &'static str,
    #[serde(flatten)]
    line: &'a Line,
}

impl Row {
    fn object(&self) -> Object<'_> {
        let figures = self.measured.as_ref().ok();
        let value = |figure: Figure| figures.and_then(|figures| Some(figures.get(figure)?.0));
        let at = |figure: Figure| {
            let (_, frame) = figures?.get(figure)?;
            Some(frame? as f64 / f64::from(figures?.rate))
        };
        let verdicts = self
            .judged
            .iter()
            .flat_map(|(target, lines)| lines.iter().map(|line| Verdict { target: target.name, line }));
        Object {
            file: &self.name,
            album: self.is_album,
            error: self.measured.as_ref().err().map(String::as_str),
            layout: self.layout,
            sample_rate: figures.map(|figures| figures.rate),
            channels: figures.map(|figures| figures.channels),
            duration_s: figures.map(seconds),
            integrated_lufs: value(Figure::Lufs),
            loudness_range_lu: value(Figure::LoudnessRange),
            momentary_max_lufs: value(Figure::Momentary),
            momentary_max_at_s: at(Figure::Momentary),
            short_term_max_lufs: value(Figure::ShortTerm),
            short_term_max_at_s: at(Figure::ShortTerm),
            true_peak_dbtp: value(Figure::TruePeak),
            true_peak_at_s: at(Figure::TruePeak),
            sample_peak_dbfs: value(Figure::SamplePeak),
            sample_peak_at_s: at(Figure::SamplePeak),
            rms_dbfs: value(Figure::Rms),
            plr_lu: value(Figure::Plr),
            psr_min_lu: value(Figure::Psr),
            psr_min_at_s: at(Figure::Psr),
            correlation: value(Figure::Correlation),
            dc_offset: value(Figure::DcOffset),
            clipped_samples: figures.map(|figures| figures.clipped.0),
            broken_samples: figures.map(|figures| figures.broken.0),
            targets: verdicts.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_in_hours_minutes_and_seconds() {
        assert_eq!([0.04, 12.34, 59.96, 3_723.4].map(minutes), ["0:00.0", "0:12.3", "1:00.0", "1:02:03.4"]);
    }
}
