//! The fields of a portrait: curves with their axes, as data.

use std::ops::Range;

use engine::math::{cos, db_from_gain, gain_from_db, sin};

use super::character::{self, Character, FRAMES, impulse, sided};
use super::trial::{RATE, Sound, Trial};
use crate::chart::{Curve, Points, finite};
use crate::ending::Failure;

/// Frequencies at which a response is shown: so many, evenly in octaves.
const STEPS: usize = 240;
pub(super) const FREQUENCIES: Range<f64> = 20.0..20_000.0;

/// How far below the highest point curves are shown at most, in dB.
const RANGE: f64 = 60.0;

/// What is not seen of a curve, in dB; and how many points of it may lie further off, where a level steps.
const UNSEEN: f64 = 0.1;
const FEW: usize = 4;

/// Frequencies of a response that is smoothed over thirds of an octave, and how many of each third are looked at.
const SMOOTH_STEPS: usize = 80;
const WITHIN: i32 = 6;

/// Levels at which one that depends on the level is looked at, in dBFS.
const LEVELS: std::ops::RangeInclusive<i32> = -60..=6;

/// How long each of them lasts at least, and at most, in seconds: until what smooths has come to rest.
const HELD: Range<f64> = 0.06..3.0;

/// How long what was taken for too much is waited for at most, in milliseconds.
const LET_GO: f64 = 150.0;

/// The tone that is heard where nothing says another.
const TONE: f64 = 1000.0;

/// What is shown over time of one that depends on the level: soft, loud, soft again, in dBFS and seconds.
const SOFT: f64 = -40.0;
const LOUD: f64 = -6.0;
const BURST: [f64; 3] = [0.1, 0.4, 1.0];

/// What stays as loud as this, in dB, is told by its pitch; and at how many frequencies that is looked at.
const LEVEL: f64 = 1.0;
const FINE_STEPS: usize = 1200;

/// Moments at which a response that moves is looked at, and the seconds that are shown of it at most.
const MOMENTS: usize = 4;
const LONGEST_CYCLE: f64 = 8.0;

/// A field of a picture.
pub struct Field {
    /// What stands above it.
    pub name: String,
    /// What is along: its unit and from where to where.
    pub along: (&'static str, Range<f64>),
    /// What is up.
    pub up: (&'static str, Range<f64>),
    /// The curves with their names.
    pub lines: Vec<(String, Points)>,
    /// What they are to be compared with: what went in.
    pub beside: Option<(&'static str, Points)>,
}

/// Which of the colours of charts is grey.
const GREY: usize = 4;

impl Field {
    /// The curves as a chart draws them, what they are compared with behind them; one by itself has no name.
    pub fn curves(&self) -> impl Iterator<Item = Curve> {
        let alone = self.lines.len() == 1 && self.beside.is_none();
        let (low, high) = (self.up.1.start, self.up.1.end);
        let curve = move |name: &str, colour: usize, points: &Points, is_bold: bool| {
            let points = points.iter().map(|(x, y)| (*x, y.clamp(low, high))).collect();
            Curve { name: if alone { String::new() } else { name.to_owned() }, colour, points, is_bold }
        };
        let behind = self.beside.iter().map(move |(name, points)| curve(name, GREY, points, false));
        let before = self.lines.iter().enumerate().map(move |(i, (name, points))| curve(name, i, points, true));
        behind.chain(before)
    }
}

/// What there is to draw of an effect.
///
/// # Errors
/// It has no curve: with the reason.
pub fn of(trial: &Trial) -> Result<Vec<Field>, Failure> {
    Ok(match character::of(trial)? {
        Character::Steady => vec![response(trial, levels)?],
        Character::Rings => vec![response(trial, smooth_levels)?, ringing(trial)?],
        Character::Moves => vec![moving_response(trial)?, over_time(trial)?],
        Character::Bends => seen(vec![level_against_level(trial)?, burst(trial)?])?,
    })
}

/// Fields in which something differs from what went in.
fn seen(fields: Vec<Field>) -> Result<Vec<Field>, Failure> {
    let differs = |field: &Field| {
        let Some((_, beside)) = &field.beside else { return true };
        let at = |x: f64| {
            let after = beside.partition_point(|(known, _)| *known <= x).clamp(1, beside.len() - 1);
            let [(x0, y0), (x1, y1)] = [beside[after - 1], beside[after]];
            y0 + (y1 - y0) * ((x - x0) / (x1 - x0).max(1e-9)).clamp(0.0, 1.0)
        };
        field.lines.iter().flat_map(|(_, points)| points).filter(|(x, y)| (y - at(*x)).abs() > UNSEEN).count() > FEW
    };
    match fields.iter().any(differs) {
        true => Ok(fields),
        false => Err(Failure::Error("what it does to a level is too little to be seen".into())),
    }
}

/// Level over frequency, of each side and from one to the other.
fn response(trial: &Trial, levels: fn(&[f64]) -> Points) -> Result<Field, Failure> {
    let (left, right) = (sided(trial, 0, [1.0, 0.0])?, sided(trial, 0, [0.0, 1.0])?);
    let pairs = [
        ("each side", [("left", &left[0]), ("right", &right[1])]),
        ("to the other side", [("left to right", &left[1]), ("right to left", &right[0])]),
    ];
    let mut lines: Vec<(String, Points)> = Vec::new();
    for (both, ways) in pairs {
        // What does not come through is no curve.
        let heard = ways.iter().filter(|(_, heard)| heard.iter().any(|x| x.abs() > 1e-9));
        let curves: Vec<(&str, Points)> = heard.map(|(name, heard)| (*name, levels(heard))).collect();
        match &curves[..] {
            [(_, one), (_, other)] if one.iter().zip(other).all(|(a, b)| (a.1 - b.1).abs() < 1e-6) => {
                lines.push((both.into(), one.clone()));
            }
            curves => lines.extend(curves.iter().map(|(name, points)| ((*name).to_owned(), points.clone()))),
        }
    }
    match lines.iter().all(|(_, points)| points.is_empty()) {
        true => Err(Failure::Error("what comes out of it is too little to be seen".into())),
        false => Ok(over_frequency("Level", lines)),
    }
}

fn over_frequency(name: &str, lines: Vec<(String, Points)>) -> Field {
    let heights = || lines.iter().flat_map(|(_, points)| points).map(|(_, y)| *y);
    let top = (heights().fold(f64::NEG_INFINITY, f64::max) / 6.0).ceil() * 6.0 + 6.0;
    let bottom = (heights().fold(f64::INFINITY, f64::min) / 6.0).floor() * 6.0 - 6.0;
    let (along, up) = (("Hz", FREQUENCIES), ("dB", bottom.max(top - RANGE)..top));
    Field { name: name.into(), along, up, lines, beside: None }
}

/// The level of a response at each frequency: its Fourier transform just there.
fn levels(response: &[f64]) -> Points {
    let heard = sounding(response);
    finite(frequencies(STEPS).map(|hertz| (hertz, db_from_gain(magnitude(heard, hertz)))))
}

/// The same as the ear hears what rings: the mean of each third of an octave.
fn smooth_levels(response: &[f64]) -> Points {
    let heard = sounding(response);
    finite(frequencies(SMOOTH_STEPS).map(|hertz| {
        let near = (-WITHIN..=WITHIN).map(|i| hertz * 2.0_f64.powf(f64::from(i) / f64::from(WITHIN) / 6.0));
        let power = near.map(|hertz| magnitude(heard, hertz).powi(2)).sum::<f64>() / f64::from(2 * WITHIN + 1);
        (hertz, db_from_gain(power.sqrt()))
    }))
}

/// A response up to where it is over.
fn sounding(response: &[f64]) -> &[f64] {
    &response[..response.iter().rposition(|x| x.abs() > 1e-12).map_or(0, |last| last + 1)]
}

/// Frequencies evenly in octaves.
fn frequencies(steps: usize) -> impl Iterator<Item = f64> {
    let octaves = (FREQUENCIES.end / FREQUENCIES.start).ln();
    (0..=steps).map(move |step| FREQUENCIES.start * (octaves * step as f64 / steps as f64).exp())
}

/// How much of a frequency is in a sound (Goertzel 1958).
fn magnitude(sound: &[f64], hertz: f64) -> f64 {
    let angle = std::f64::consts::TAU * hertz / RATE;
    let (coefficient, mut before, mut last) = (2.0 * cos(angle), 0.0, 0.0);
    for x in sound {
        (before, last) = (last, x + coefficient * last - before);
    }
    (last - before * cos(angle)).hypot(before * sin(angle))
}

/// How a response dies away: the loudest of each few milliseconds.
fn ringing(trial: &Trial) -> Result<Field, Failure> {
    let heard = impulse(trial, 0, 1.0)?;
    let step = FRAMES / 400;
    let most = heard.iter().flatten().fold(0.0, |most: f64, x| most.max(x.abs()));
    let lines = sides(&heard, |side| {
        let parts = side.chunks(step).enumerate();
        parts.map(|(i, part)| (seconds(i * step), db_from_gain(loudest(part) / most))).collect()
    });
    let (along, up) = (("s", 0.0..seconds(FRAMES)), ("dB below its peak", -RANGE..3.0));
    Ok(Field { name: "What comes after a click".into(), along, up, lines, beside: None })
}

/// A curve for each side, or one if they are the same.
fn sides(heard: &Sound, curve: impl Fn(&[f64]) -> Points) -> Vec<(String, Points)> {
    let [left, right] = heard;
    let mut lines = vec![("left".to_owned(), floored(curve(left)))];
    let differ = left.iter().zip(right).any(|(a, b)| (a - b).abs() > 1e-9);
    lines.extend(differ.then(|| ("right".to_owned(), floored(curve(right)))));
    lines
}

/// Silence has no level: it is as far down as a curve goes.
fn floored(points: Points) -> Points {
    points.into_iter().map(|(x, y)| (x, y.max(-200.0))).collect()
}

fn loudest(part: &[f64]) -> f64 {
    part.iter().fold(0.0, |most: f64, x| most.max(x.abs()))
}

fn seconds(frames: usize) -> f64 {
    frames as f64 / RATE
}

/// What comes out of each level: of a constant, whose level is the same at every moment; of a tone where a constant does not come
/// through or the effect listens for one.
fn level_against_level(trial: &Trial) -> Result<Field, Failure> {
    let slow = trial.most("attack").unwrap_or(0.0).max(trial.most("lookahead").unwrap_or(0.0));
    // A step may be taken for more than it is, which is let go again.
    let again = (3.0 * trial.most("release").unwrap_or(0.0)).min(LET_GO);
    let held = ((7.0 * slow).max(again) / 1000.0).clamp(HELD.start, HELD.end);
    let hold = (held * RATE) as usize;
    let tone = trial.most("freq");
    let constant = |level: f64| move |_: usize| [gain_from_db(level); 2];
    let soft = trial.hear(hold, constant(f64::from(*LEVELS.start())))?;
    let passes = mean(&soft[0][hold * 3 / 4..]).abs() > 0.5 * gain_from_db(f64::from(*LEVELS.start())) / 4.0;
    let of_tone = tone.is_some() || !passes;
    let hertz = tone.unwrap_or(TONE);
    let height = |frame: usize| gain_from_db(f64::from(LEVELS.start() + (frame / hold) as i32));
    let frames = hold * LEVELS.count();
    let heard = trial.hear(frames, |frame| {
        let wave = if of_tone { wave(hertz, frame) } else { 1.0 };
        [wave * height(frame); 2]
    })?;
    // The end of each level, when what smooths has come to rest.
    let end = (hold / 4).min(RATE as usize / 10);
    let points = LEVELS.enumerate().map(|(i, level)| {
        let part = &heard[0][(i + 1) * hold - end..(i + 1) * hold];
        let out = if of_tone { (2.0 * mean_square(part)).sqrt() } else { mean(part).abs() };
        (f64::from(level), db_from_gain(out))
    });
    let (low, high) = (f64::from(*LEVELS.start()), f64::from(*LEVELS.end()));
    let as_it_came = vec![(low, low), (high, high)];
    let of = if of_tone { format!("Level of a tone of {} Hz", hertz.round()) } else { "Level".to_owned() };
    let points = floored(points.collect());
    let top = points.iter().map(|(_, y)| *y).fold(high, f64::max).ceil();
    Ok(Field {
        name: format!("{of} against what comes in"),
        along: ("dBFS in", low - 1e-3..high),
        up: ("dBFS out", low - 20.0..top + 12.0),
        lines: vec![("out".into(), points)],
        beside: Some(("as it came in", as_it_came)),
    })
}

fn mean(part: &[f64]) -> f64 {
    part.iter().sum::<f64>() / part.len().max(1) as f64
}

fn mean_square(part: &[f64]) -> f64 {
    part.iter().map(|x| x * x).sum::<f64>() / part.len().max(1) as f64
}

fn wave(hertz: f64, frame: usize) -> f64 {
    sin(std::f64::consts::TAU * (hertz * frame as f64 / RATE).fract())
}

/// Soft, loud, and soft again: how soon something is done about it, and how soon it is over.
fn burst(trial: &Trial) -> Result<Field, Failure> {
    let hertz = trial.most("freq").unwrap_or(TONE);
    let longer = trial.most("release").unwrap_or(0.0).clamp(0.0, 2000.0) / 1000.0;
    let [begin, end, all] = [BURST[0], BURST[1], BURST[2] + 2.0 * longer];
    let level = |seconds: f64| if (begin..end).contains(&seconds) { LOUD } else { SOFT };
    // What has to settle does so before.
    let before = RATE as usize / 2;
    let at = |frame: usize| seconds(frame) - seconds(before);
    let frames = before + (all * RATE) as usize;
    let heard = trial.hear(frames, |frame| [wave(hertz, frame) * gain_from_db(level(at(frame))); 2])?;
    let step = (RATE / hertz).ceil().max(RATE / 1000.0) as usize;
    let parts = heard[0][before..].chunks(step).enumerate();
    let points = parts.map(|(i, part)| (seconds(i * step), db_from_gain(loudest(part)))).collect();
    let steps = [(0.0, SOFT), (begin, SOFT), (begin, LOUD), (end, LOUD), (end, SOFT), (all, SOFT)].to_vec();
    let points: Points = floored(points);
    let top = points.iter().map(|(_, y)| *y).fold(LOUD, f64::max).ceil() + 3.0;
    Ok(Field {
        name: format!("A tone of {} Hz that is loud for {} ms", hertz.round(), ((end - begin) * 1000.0).round()),
        along: ("s", 0.0..all),
        up: ("dBFS", SOFT - 30.0..top),
        lines: vec![("out".into(), points)],
        beside: Some(("in", steps)),
    })
}

/// How long a cycle is, in seconds: two of them are shown.
fn cycle(trial: &Trial) -> f64 {
    let rate = trial.most("rate");
    rate.map_or(LONGEST_CYCLE / 2.0, |rate| 1.0 / rate).clamp(0.05, LONGEST_CYCLE / 2.0)
}

/// Level over frequency at some moments of a cycle.
fn moving_response(trial: &Trial) -> Result<Field, Failure> {
    let mut lines = Vec::new();
    for moment in 0..MOMENTS {
        let after = cycle(trial) * moment as f64 / MOMENTS as f64;
        let heard = impulse(trial, (after * RATE) as usize, 1.0)?;
        lines.push((format!("after {} s", (after * 1000.0).round() / 1000.0), levels(&heard[0])));
    }
    Ok(over_frequency("Level, at some moments, of the left side", lines))
}

/// What becomes of a tone over two cycles.
fn over_time(trial: &Trial) -> Result<Field, Failure> {
    let all = 2.0 * cycle(trial);
    let before = RATE as usize / 4;
    let heard = trial.hear(before + (all * RATE) as usize, |frame| [wave(TONE, frame); 2])?;
    let heard = heard.map(|side| side[before.min(side.len())..].to_vec());
    let period = (RATE / TONE) as usize;
    let step = (heard[0].len() / 600 / period).max(1) * period;
    let lines = sides(&heard, |side| {
        let parts = side.chunks(step).enumerate();
        parts.map(|(i, part)| (seconds(i * step), db_from_gain(loudest(part)))).collect()
    });
    let heights = || lines.iter().flat_map(|(_, points)| points).map(|(_, y)| *y);
    let top = (heights().fold(0.0, f64::max) / 3.0).ceil() * 3.0 + 3.0;
    let bottom = (heights().fold(0.0, f64::min) / 3.0).floor() * 3.0 - 3.0;
    if heights().fold(f64::NEG_INFINITY, f64::max) - heights().fold(f64::INFINITY, f64::min) < LEVEL {
        return Ok(spectrum(&heard[0]));
    }
    let name = format!("Level of a tone of {TONE} Hz");
    let up = ("dBFS", bottom.max(top - RANGE)..top);
    Ok(Field { name, along: ("s", 0.0..all), up, lines, beside: None })
}

/// What has become of the pitch of a tone: its spectrum, seen through a window (Hann) of a sixth of a second.
fn spectrum(sound: &[f64]) -> Field {
    let frames = sound.len().min(RATE as usize / 6);
    let window = |i: usize| 0.5 - 0.5 * cos(std::f64::consts::TAU * i as f64 / frames as f64);
    let seen: Vec<f64> = sound.iter().take(frames).enumerate().map(|(i, x)| x * window(i)).collect();
    // A tone of full scale comes to a quarter of the frames.
    let points =
        frequencies(FINE_STEPS).map(|hertz| (hertz, db_from_gain(magnitude(&seen, hertz) * 4.0 / frames as f64)));
    let lines = vec![("left".to_owned(), floored(points.collect()))];
    let name = format!("What a tone of {TONE} Hz becomes");
    Field { name, along: ("Hz", FREQUENCIES), up: ("dBFS", -RANGE..6.0), lines, beside: None }
}
