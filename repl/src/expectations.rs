//! What a session expects of its figures: it is rendered, measured where something is expected, and held to its word.

use engine::diagnostic::Diagnostic;
use engine::expect::Expectation;
use engine::figure::Figure;
use engine::graph::Graph;
use engine::listen::Point;
use engine::measure::{Figures, Layout, Measurement};
use engine::offline::{Extent, Offline, Stream};
use engine::tempo::Tempo;

use crate::ending::{Failure, Outcome};
use crate::live_input::LiveInputs;
use crate::render::fell_ill;

/// One expectation, and what was found.
#[derive(Debug)]
pub struct Verdict {
    /// What was expected.
    pub expected: Expectation,
    /// The figure, if there is one.
    pub measured: Option<f64>,
    /// Where it stood, if it stood somewhere.
    pub stood: Option<Moment>,
    /// Why there is no figure.
    pub why: String,
}

/// A moment of a rendering.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Seconds from the beginning.
    pub seconds: f64,
    /// Bars and beats, both from 1.
    pub bar: (u64, u64),
}

impl Moment {
    fn at(frame: u64, tempo: &Tempo) -> Moment {
        let bars = tempo.bar_at(frame as i64);
        let beats = (bars.fract() * tempo.clock().beats_per_bar).floor();
        Moment { seconds: frame as f64 / tempo.rate(), bar: (bars.floor() as u64 + 1, beats as u64 + 1) }
    }

    /// `1:02.350, bar 17 beat 3`.
    pub fn shown(self) -> String {
        let minutes = (self.seconds / 60.0).floor();
        let seconds = self.seconds - 60.0 * minutes;
        format!("{minutes:.0}:{seconds:06.3}, bar {} beat {}", self.bar.0, self.bar.1)
    }
}

impl Verdict {
    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.measured.is_some_and(|value| self.expected.bound.holds(value))
    }

    /// What was found, in words.
    pub fn found(&self) -> String {
        let Some(value) = self.measured else { return format!("there is none: {}", self.why) };
        // As many places as it takes to see that it misses.
        let bound = self.expected.bound;
        let near = !bound.holds(value) && bound.missed_by(value).abs() < 0.1;
        if near { self.expected.shown_closely(value) } else { self.expected.shown(value) }
    }

    /// What is to be told of one that does not hold.
    pub fn diagnostic(&self) -> Diagnostic {
        let Expectation { figure, bound, at, .. } = &self.expected;
        let message = format!("{}: {}, expected {}", self.expected.subject(), self.found(), self.expected.expected());
        let error = Diagnostic::error("expectation", *at, message);
        match (self.measured, self.stood) {
            (Some(value), stood) => {
                let missed = (bound.missed_by(value) * 100.0).round() / 100.0;
                let missed = format!("{missed} {}", figure.difference());
                let missed = missed.trim_end();
                let at = stood.map_or(String::new(), |moment| format!(", at {}", moment.shown()));
                error.help(format!("missed by {missed}{at}"))
            }
            (None, _) => error,
        }
    }
}

/// What was measured at one point.
struct Measured {
    point: Point,
    measurement: Option<Measurement>,
    /// The most that was taken off, and where.
    reduced: Option<(f64, u64)>,
    frames: u64,
}

impl Measured {
    fn get(&self, figure: Figure, figures: Option<&Figures>) -> Option<(f64, Option<u64>)> {
        match figure {
            Figure::GainReduction => self.reduced.map(|(down, frame)| (down, Some(frame))),
            other => figures?.get(other),
        }
    }
}

/// Renders as much of a session, and gives a verdict on each expectation, in text order.
///
/// `heed` hears how many frames are done, and ends it by an error.
///
/// # Errors
/// That of `heed`; a plan that does not prove right; something gave what is no number.
pub fn judge(
    graph: &Graph,
    expectations: &[Expectation],
    inputs: &mut LiveInputs,
    extent: Extent,
    mut heed: impl FnMut(u64) -> Outcome,
) -> Result<Vec<Verdict>, Failure> {
    let mut points: Vec<Point> = expectations
        .iter()
        .flat_map(|expected| [Some(&expected.point), expected.over.as_ref()])
        .flatten()
        .cloned()
        .collect();
    points.sort();
    points.dedup();
    let mut offline =
        Offline::listening(graph, None, points.clone()).map_err(|flaw| Failure::Error(flaw.to_string()))?;
    let heard = offline.heard();
    let rate = graph.clock.rate as u32;
    let mut measured: Vec<Measured> = points
        .into_iter()
        .map(|point| {
            let channels = heard.iter().find(|(name, _)| *name == point.name).map(|(_, channels)| *channels);
            let measurement = channels.map(|channels| Measurement::new(rate, Layout::of(channels)));
            Measured { point, measurement, reduced: None, frames: 0 }
        })
        .collect();
    // Which of the points each stream is of: those that are not heard have none.
    let of: Vec<usize> = heard
        .iter()
        .filter_map(|(name, _)| measured.iter().position(|measured| measured.point.name == *name))
        .collect();
    offline.render_ahead(
        extent,
        |live| inputs.fill(live),
        |stream, sound| {
            match stream {
                Stream::Heard(i) => {
                    let measured = &mut measured[of[i]];
                    if let Some(measurement) = &mut measured.measurement {
                        measurement.take(sound);
                    }
                    measured.frames += sound.first().map_or(0, |channel| channel.len() as u64);
                    heed(measured.frames)?;
                }
                Stream::Reduced(i) => {
                    let measured = &mut measured[of[i]];
                    let down = sound[0][0];
                    if measured.reduced.is_none_or(|(most, _)| down > most) {
                        measured.reduced = Some((down, measured.frames.saturating_sub(1)));
                    }
                }
                Stream::Output(_) | Stream::Stem(_) => {}
            }
            Ok::<(), Failure>(())
        },
    )?;
    if let Some((path, frame)) = offline.ill().first() {
        return Err(Failure::Error(fell_ill(path, *frame, graph)));
    }
    let figures: Vec<Option<Figures>> =
        measured.iter().map(|measured| measured.measurement.as_ref().map(Measurement::figures)).collect();
    let verdict = |expected: &Expectation| {
        let place = |point: &Point| measured.iter().position(|measured| measured.point == *point);
        let found = |i: Option<usize>| i.and_then(|i| measured[i].get(expected.figure, figures[i].as_ref()));
        let own = place(&expected.point);
        let over = expected.over.as_ref().map(place);
        let value = match over {
            // A difference stands nowhere.
            Some(over) => found(own).zip(found(over)).map(|((a, _), (b, _))| (a - b, None)),
            None => found(own),
        };
        // What has no figure of two is to blame.
        let i = if found(own).is_some() { over.unwrap_or(own) } else { own };
        let measurement = i.and_then(|i| measured[i].measurement.as_ref());
        let why = match (measurement.map(Measurement::layout), expected.figure) {
            (None, _) => "it leads to no output".into(),
            (Some(layout), Figure::Correlation) if layout.channels() < 2 => "one channel has no correlation".into(),
            (Some(layout), figure) if layout.weights().is_none() && figure.is_of_loudness() => {
                format!("where its {} channels stand is not known, and so no loudness", layout.channels())
            }
            _ => "it is silent, or too short".into(),
        };
        Verdict {
            expected: expected.clone(),
            measured: value.map(|(value, _)| value),
            stood: value.and_then(|(_, frame)| frame).map(|frame| Moment::at(frame, &graph.tempo)),
            why,
        }
    };
    let mut verdicts: Vec<Verdict> = expectations.iter().map(verdict).collect();
    verdicts.sort_by_key(|verdict| verdict.expected.at);
    Ok(verdicts)
}
