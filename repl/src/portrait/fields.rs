//! The fields of a portrait: curves with their axes, as data.

use std::ops::{Range, RangeInclusive};

use engine::effects::dither::DITHER;
use engine::math::{cos, db_from_gain, gain_from_db, sin};
use engine::measure::{Spectrum, THIRD_OCTAVES};

use super::character::{self, Character, FRAMES, impulse, sided};
use super::curves::{FREQUENCIES, STEPS, frequencies, levels, magnitude, smooth_levels, sounding};
use super::trial::{RATE, Sound, Trial};
use crate::chart::{Curve, Points};
use crate::ending::Failure;

/// How far below the highest point curves are shown at most, in dB.
const RANGE: f64 = 60.0;

/// What is not seen of a curve, in dB; and how many points of it may lie further off, where a level steps.
const UNSEEN: f64 = 0.1;
const FEW: usize = 4;

/// What ends lower than this, of the highest frequency, ends for its teeth.
const COMB_END: f64 = 0.98;

/// Levels at which one that depends on the level is looked at, in dBFS: these, and so far below and above each of its
/// thresholds, but none softer than the last.
const LEVELS: RangeInclusive<i32> = -60..=6;
const AROUND: [f64; 2] = [24.0, 18.0];
const SOFTEST: i32 = -114;

/// How long each of them lasts at least, and at most, in seconds: until what smooths has come to rest.
const HELD: Range<f64> = 0.06..3.0;

/// How long what was taken for too much is waited for at most, in milliseconds.
const LET_GO: f64 = 150.0;

/// The tone that is heard where nothing says another.
const TONE: f64 = 1000.0;

/// How loud the click is by whose response the tone is chosen: below thresholds.
const QUIET: f64 = 1.0 / 4096.0;

/// Frequencies pass alike if they differ by no more, in dB; by more than the second, the response is shown.
const ALIKE: f64 = 0.2;
const SHOWN: f64 = 1.0;

/// What is shown over time of one that depends on the level: soft, loud, soft again, in dBFS; of one that has thresholds so far
/// below and above them. Until when each lasts, in seconds.
const SOFT: f64 = -40.0;
const LOUD: f64 = -6.0;
const BEYOND: f64 = 12.0;
const BURST: [f64; 3] = [0.1, 0.4, 1.0];

/// What is not even that much has not been added.
const SAME: f64 = 1e-9;

/// What stays as loud as this, in dB, is told by its pitch; and at how many frequencies that is looked at.
const LEVEL: f64 = 1.0;
const FINE_STEPS: usize = 1200;

/// How many moments of a response that moves are shown, of how many that are looked at; by how much they differ at least, in dB on
/// the whole; and the seconds that are shown of it at most.
const MOMENTS: usize = 4;
const LOOKED_AT: usize = 12;
const DIFFER: f64 = 0.5;
const LONGEST_CYCLE: f64 = 8.0;

/// In so many phases a tone is heard that is loud for a moment: together they have a level at each frame, with no cycle to wait for.
const PHASES: usize = 3;

/// Points of what grows.
const RAMP: u8 = 16;

/// Points of a curve over time, at most.
const MOST_POINTS: usize = 2000;

/// How far below its peak a response is over, in dB, and how many frames of it are looked at, at most.
const OVER: f64 = -60.0;
const MOST_FRAMES: usize = 1 << 19;

/// How loud the tone is to which one adds something, in dBFS, and how long it is looked at, in seconds.
const FAINT: f64 = -60.0;
const LISTENED: f64 = 2.0;

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
        Character::Steady => [response(trial, levels)?].into_iter().chain(of_mono(trial)?).collect(),
        Character::Rings => vec![response(trial, smooth_levels)?, ringing(trial)?],
        Character::Moves => vec![moving_response(trial)?, over_time(trial)?],
        // It does little to a level, and something to silence.
        Character::Bends if trial.has(DITHER.word) => vec![added(trial)?],
        Character::Bends => {
            let (levels, hertz) = level_against_level(trial)?;
            let fields = vec![levels, burst(trial, hertz)?];
            match fields.iter().any(is_seen) {
                true => fields.into_iter().chain(quiet_response(trial)?).collect(),
                false => vec![added(trial)?],
            }
        }
    })
}

/// Whether something differs in a field from what went in.
fn is_seen(field: &Field) -> bool {
    let Some((_, beside)) = &field.beside else { return true };
    field.lines.iter().any(|(_, points)| changes(points, beside).filter(|change| *change > UNSEEN).count() > FEW)
}

/// By how much each point differs from what went in.
fn changes(points: &Points, beside: &Points) -> impl Iterator<Item = f64> {
    let at = |x: f64| {
        let after = beside.partition_point(|(known, _)| *known <= x).clamp(1, beside.len() - 1);
        let [(x0, y0), (x1, y1)] = [beside[after - 1], beside[after]];
        y0 + (y1 - y0) * ((x - x0) / (x1 - x0).max(1e-9)).clamp(0.0, 1.0)
    };
    points.iter().map(move |(x, y)| (y - at(*x)).abs())
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

/// Level over frequency, on each side, of what comes in on one channel, of what has a law for that. What comes in on two it leaves
/// as it is in the middle, whatever its law.
fn of_mono(trial: &Trial) -> Result<Option<Field>, Failure> {
    let Some(mono) = trial.of_mono()? else { return Ok(None) };
    let heard = sided(&mono, 0, [1.0, 0.0])?;
    let sides = [("left", &heard[0]), ("right", &heard[1])];
    let lines: Vec<(String, Points)> = sides.map(|(name, heard)| (name.to_owned(), levels(heard))).into();
    let heard = lines.into_iter().filter(|(_, points)| !points.is_empty()).collect::<Vec<_>>();
    Ok((!heard.is_empty()).then(|| over_frequency("Level of what comes in mono", heard)))
}

fn over_frequency(name: &str, lines: Vec<(String, Points)>) -> Field {
    let heights = || lines.iter().flat_map(|(_, points)| points).map(|(_, y)| *y);
    let top = (heights().fold(f64::NEG_INFINITY, f64::max) / 6.0).ceil() * 6.0 + 6.0;
    let bottom = (heights().fold(f64::INFINITY, f64::min) / 6.0).floor() * 6.0 - 6.0;
    // All end where the first does of which no more can be drawn.
    let ends = lines.iter().filter_map(|(_, points)| points.last()).map(|(hertz, _)| *hertz);
    let end = ends.fold(FREQUENCIES.end, f64::min);
    let is_cut = end < COMB_END * FREQUENCIES.end;
    let (name, end) = match is_cut {
        true => (format!("{name}, up to where its teeth stand too close to be drawn"), end),
        false => (name.to_owned(), FREQUENCIES.end),
    };
    let lines = lines.into_iter().map(|(name, mut points)| {
        points.retain(|(hertz, _)| *hertz <= end * (1.0 + 1e-9));
        (name, points)
    });
    let (along, up) = (("Hz", FREQUENCIES.start..end), ("dB", bottom.max(top - RANGE)..top));
    Field { name, along, up, lines: lines.collect(), beside: None }
}

/// How a response dies away, as long as it is heard: the loudest of each few milliseconds.
fn ringing(trial: &Trial) -> Result<Field, Failure> {
    let mut frames = character::frames(trial);
    let (heard, most, shown) = loop {
        let heard = trial.hear(frames, |frame| [if frame == 0 { 1.0 } else { 0.0 }; 2])?;
        let most = heard.iter().flatten().fold(0.0, |most: f64, x| most.max(x.abs()));
        let is_heard = |x: &f64| x.abs() > most * gain_from_db(OVER);
        let last = heard.iter().filter_map(|side| side.iter().rposition(is_heard)).max().unwrap_or(0);
        // What repeats is over where it has been silent for as long as it sounded last.
        if last < frames / 2 || frames >= MOST_FRAMES {
            break (heard, most, (last + last / 8).clamp(FRAMES / 16, frames));
        }
        frames = (2 * frames).min(MOST_FRAMES);
    };
    let step = shown.div_ceil(400);
    let lines = sides(&heard.map(|side| side[..shown].to_vec()), |side| {
        let parts = side.chunks(step).enumerate();
        parts.map(|(i, part)| (middle(i, step), db_from_gain(loudest(part) / most))).collect()
    });
    let (along, up) = (("s", 0.0..seconds(shown)), ("dB below its peak", -RANGE..3.0));
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

/// When the middle of the so-manieth step is, in seconds: there stands what is told of the whole of it.
fn middle(index: usize, step: usize) -> f64 {
    seconds(index * step) + seconds(step) / 2.0
}

fn seconds(frames: usize) -> f64 {
    frames as f64 / RATE
}

/// What comes out of each level: of a constant, whose level is the same at every moment; of a tone where a constant does not come
/// through or the effect listens for one; of a tone in each band where it has several. With the tone to which it does most.
fn level_against_level(trial: &Trial) -> Result<(Field, f64), Failure> {
    let slow = trial.most("attack").unwrap_or(0.0).max(trial.most("lookahead").unwrap_or(0.0));
    // A step may be taken for more than it is, which is let go again.
    let again = (3.0 * trial.most("release").unwrap_or(0.0)).min(LET_GO);
    let held = ((7.0 * slow).max(again) / 1000.0).clamp(HELD.start, HELD.end);
    let hold = (held * RATE) as usize;
    let levels = levels_round(&trial.thresholds());
    let (low, high) = (f64::from(*levels.start()), f64::from(*levels.end()));
    let tone = trial.most("freq");
    let soft = trial.hear(hold, |_| [gain_from_db(low); 2])?;
    let passes = mean(&soft[0][hold * 3 / 4..]).abs() > 0.5 * gain_from_db(low) / 4.0;
    let hertz = passing(tone.unwrap_or(TONE), &quiet_levels(trial)?);
    let out = |wave: &dyn Fn(usize) -> f64, level: &dyn Fn(&[f64]) -> f64| {
        let height = |frame: usize| gain_from_db(f64::from(levels.start() + (frame / hold) as i32));
        let heard = trial.hear(hold * levels.clone().count(), |frame| [wave(frame) * height(frame); 2])?;
        // The end of each level, when what smooths has come to rest.
        let end = (hold / 4).min(RATE as usize / 10);
        let part = |i: usize| &heard[0][(i + 1) * hold - end..(i + 1) * hold];
        let points = levels.clone().enumerate().map(|(i, x)| (f64::from(x), db_from_gain(level(part(i)))));
        Ok::<Points, Failure>(floored(points.collect()))
    };
    let of_tone = |hertz: f64| out(&|frame| wave(hertz, frame), &|part| (2.0 * mean_square(part)).sqrt());
    let (of, lines) = match trial.crossings() {
        [] if tone.is_some() || !passes => {
            (format!("Level of a tone of {} Hz", hertz.round()), vec![("out".to_owned(), of_tone(hertz)?, hertz)])
        }
        [] => ("Level".to_owned(), vec![("out".to_owned(), out(&|_| 1.0, &|part| mean(part).abs())?, hertz)]),
        crossings => {
            let named = |(band, hertz): (usize, f64)| {
                Ok((format!("band {}, at {} Hz", band + 1, hertz.round()), of_tone(hertz)?, hertz))
            };
            let lines: Result<Vec<_>, Failure> = middles(crossings).into_iter().enumerate().map(named).collect();
            ("Level of a tone in each band".to_owned(), lines?)
        }
    };
    let as_it_came = vec![(low, low), (high, high)];
    let change = |points: &Points| changes(points, &as_it_came).sum::<f64>();
    let most = lines.iter().max_by(|(_, a, _), (_, b, _)| change(a).total_cmp(&change(b)));
    let hertz = most.map_or(hertz, |(.., hertz)| *hertz);
    let lines: Vec<(String, Points)> = lines.into_iter().map(|(name, points, _)| (name, points)).collect();
    let top = lines.iter().flat_map(|(_, points)| points).map(|(_, y)| *y).fold(high, f64::max).ceil();
    let field = Field {
        name: format!("{of} against what comes in"),
        along: ("dBFS in", low - 1e-3..high),
        up: ("dBFS out", low - 20.0..top + 3.0),
        lines,
        beside: Some(("as it came in", as_it_came)),
    };
    Ok((field, hertz))
}

/// The response to what is quiet; nothing where that has no response either.
fn quiet_levels(trial: &Trial) -> Result<Points, Failure> {
    let of = |level: f64| Ok::<Points, Failure>(levels(&impulse(trial, 0, level)?[0]));
    let (one, half) = (of(QUIET)?, of(QUIET / 2.0)?);
    let is_one = one.len() == half.len() && one.iter().zip(&half).all(|(a, b)| (a.1 - b.1).abs() < UNSEEN);
    Ok(if is_one { one } else { Vec::new() })
}

/// The level that most frequencies come out with, of a response.
fn usual_level(response: &Points) -> Option<f64> {
    let alike = |level: f64| response.iter().filter(|(_, other)| (other - level).abs() <= ALIKE / 2.0).count();
    response.iter().map(|(_, level)| *level).max_by_key(|level| alike(*level))
}

/// The frequency nearest to one that comes through as most do: filters beside what bends do not lower its curve.
fn passing(wanted: f64, response: &Points) -> f64 {
    let Some(usual) = usual_level(response) else { return wanted };
    let far = |hertz: f64, from: f64| (hertz / from).ln().abs();
    let passes = |hertz: f64| {
        let near = response.iter().min_by(|a, b| far(a.0, hertz).total_cmp(&far(b.0, hertz)));
        near.is_some_and(|(_, level)| (level - usual).abs() <= ALIKE)
    };
    if passes(wanted) {
        return wanted;
    }
    if passes(TONE) {
        return TONE;
    }
    let passing = response.iter().map(|(hertz, _)| *hertz).filter(|hertz| passes(*hertz));
    passing.min_by(|a, b| far(*a, TONE).total_cmp(&far(*b, TONE))).unwrap_or(wanted)
}

/// Level over frequency of what is quiet, where frequencies differ.
fn quiet_response(trial: &Trial) -> Result<Option<Field>, Failure> {
    let response = quiet_levels(trial)?;
    let Some(usual) = usual_level(&response) else { return Ok(None) };
    let differs = response.iter().any(|(_, level)| (level - usual).abs() > SHOWN);
    Ok(differs.then(|| over_frequency("Level of what is quiet", vec![("left".into(), response)])))
}

/// Levels on both sides of thresholds.
fn levels_round(thresholds: &[f64]) -> RangeInclusive<i32> {
    let [below, above] = AROUND;
    let low = thresholds.iter().map(|level| (level - below) as i32).fold(*LEVELS.start(), i32::min);
    let high = thresholds.iter().map(|level| (level + above) as i32).fold(*LEVELS.end(), i32::max);
    low.max(SOFTEST)..=high
}

/// The middle of each band between crossings, in octaves.
fn middles(crossings: &[f64]) -> Vec<f64> {
    let edges: Vec<f64> = [FREQUENCIES.start].iter().chain(crossings).chain([&FREQUENCIES.end]).copied().collect();
    edges.windows(2).map(|band| (band[0] * band[1]).sqrt()).collect()
}

fn mean(part: &[f64]) -> f64 {
    part.iter().sum::<f64>() / part.len().max(1) as f64
}

fn mean_square(part: &[f64]) -> f64 {
    part.iter().map(|x| x * x).sum::<f64>() / part.len().max(1) as f64
}

fn wave(hertz: f64, frame: usize) -> f64 {
    turned_wave(hertz, frame, 0.0)
}

/// The same, so much of a cycle on.
fn turned_wave(hertz: f64, frame: usize, turned: f64) -> f64 {
    sin(std::f64::consts::TAU * (hertz * frame as f64 / RATE + turned).fract())
}

/// Soft, loud, and soft again: how soon something is done about it, and how soon it is over.
fn burst(trial: &Trial, hertz: f64) -> Result<Field, Failure> {
    let thresholds = trial.thresholds();
    let soft = thresholds.iter().map(|level| level - BEYOND).reduce(f64::min).unwrap_or(SOFT);
    let loud = thresholds.iter().map(|level| level + BEYOND).reduce(f64::max).unwrap_or(LOUD);
    let longer = trial.most("release").unwrap_or(0.0).clamp(0.0, 2000.0) / 1000.0;
    let [begin, end, all] = [BURST[0], BURST[1], BURST[2] + 2.0 * longer];
    // It grows and falls over a cycle: a step would be a click, which is heard in other bands than the tone.
    let (low, high, ramp) = (gain_from_db(soft), gain_from_db(loud), 1.0 / hertz);
    let grown = |seconds: f64| 0.5 - 0.5 * cos(std::f64::consts::PI * (seconds / ramp).clamp(0.0, 1.0));
    let height = |seconds: f64| low + (high - low) * (grown(seconds - begin) - grown(seconds - end));
    // What has to settle does so before.
    let before = RATE as usize / 2;
    let at = |frame: usize| seconds(frame) - seconds(before);
    let frames = before + (all * RATE) as usize;
    let mut powers = vec![0.0; frames - before];
    for phase in 0..PHASES {
        let turned = phase as f64 / (2 * PHASES) as f64;
        let sound = |frame: usize| turned_wave(hertz, frame, turned) * height(at(frame));
        let heard = trial.hear(frames, |frame| [sound(frame); 2])?;
        powers.iter_mut().zip(&heard[0][before..]).for_each(|(power, x)| *power += x * x);
    }
    // The squares of sines so far apart add up to the same at every frame.
    let of_all = |power: f64| (2.0 * power / PHASES as f64).sqrt();
    // At half a millisecond as a beginning is sharp, and where it lasts as fine as is seen.
    let step = (RATE as usize / 2000).max(powers.len().div_ceil(MOST_POINTS));
    let points = powers.iter().step_by(step).enumerate();
    let points = points.map(|(i, power)| (seconds(i * step), db_from_gain(of_all(*power)))).collect();
    let edges =
        [begin, end].into_iter().flat_map(|edge| (0..=RAMP).map(move |i| edge + ramp * f64::from(i) / f64::from(RAMP)));
    let moments = [0.0].into_iter().chain(edges).chain([all]);
    let steps = moments.map(|at| (at, db_from_gain(height(at)))).collect();
    // What comes before its cause was seen coming.
    let ahead = trial.most("lookahead").filter(|ahead| *ahead > 0.0);
    let ahead = ahead.map_or_else(String::new, |ahead| format!(", which is seen {ahead} ms ahead"));
    let points: Points = floored(points);
    let top = points.iter().map(|(_, y)| *y).fold(loud, f64::max).ceil() + 3.0;
    Ok(Field {
        name: format!("A tone of {} Hz that is loud for {} ms{ahead}", hertz.round(), ((end - begin) * 1000.0).round()),
        along: ("s", 0.0..all),
        up: ("dBFS", soft - 30.0..top),
        lines: vec![("out".into(), points)],
        beside: Some(("in", steps)),
    })
}

/// What comes out beside a faint tone that goes in, in thirds of an octave: noise, and harmonics.
///
/// # Errors
/// Nothing does.
fn added(trial: &Trial) -> Result<Field, Failure> {
    let before = RATE as usize / 2;
    let frames = (LISTENED * RATE) as usize;
    let heard = trial.hear(before + frames, |frame| [wave(TONE, frame) * gain_from_db(FAINT); 2])?;
    let heard = &heard[0][before..];
    // As much of the tone, and of it a quarter turn on, as is there: its cycles are whole.
    let turned = |frame: usize| cos(std::f64::consts::TAU * (TONE * frame as f64 / RATE).fract());
    let share =
        |of: &dyn Fn(usize) -> f64| heard.iter().enumerate().map(|(i, x)| x * of(i)).sum::<f64>() * 2.0 / frames as f64;
    let (straight, aside) = (share(&|frame| wave(TONE, frame)), share(&turned));
    let rest = heard.iter().enumerate().map(|(i, x)| x - straight * wave(TONE, i) - aside * turned(i));
    let rest: Vec<f64> = rest.collect();
    if loudest(&rest) < SAME {
        return Err(Failure::Error("what it does to a level is too little to be seen".into()));
    }
    let mut spectrum = Spectrum::new(RATE as u32, 1);
    spectrum.take(&[&rest]);
    let thirds = THIRD_OCTAVES.iter().zip(spectrum.third_octaves());
    let points: Points = thirds.filter_map(|(hertz, level)| Some((*hertz, level?))).collect();
    let heights = || points.iter().map(|(_, y)| *y);
    let top = (heights().fold(f64::NEG_INFINITY, f64::max) / 10.0).ceil() * 10.0 + 10.0;
    let bottom = (heights().fold(f64::INFINITY, f64::min) / 10.0).floor() * 10.0 - 10.0;
    Ok(Field {
        name: format!("What it adds to a tone of {TONE} Hz at {FAINT} dBFS, in thirds of an octave"),
        along: ("Hz", FREQUENCIES),
        up: ("dBFS", bottom.max(top - 2.0 * RANGE)..top),
        lines: vec![("left".into(), points)],
        beside: None,
    })
}

/// How long a cycle is, in seconds: two of them are shown.
fn cycle(trial: &Trial) -> f64 {
    let rate = trial.most("rate");
    rate.map_or(LONGEST_CYCLE / 2.0, |rate| 1.0 / rate).clamp(0.05, LONGEST_CYCLE / 2.0)
}

/// Level over frequency at some moments of a cycle: those at which it differs most.
fn moving_response(trial: &Trial) -> Result<Field, Failure> {
    let mut looked_at = Vec::with_capacity(LOOKED_AT);
    for moment in 0..LOOKED_AT {
        let after = cycle(trial) * moment as f64 / LOOKED_AT as f64;
        let heard = impulse(trial, (after * RATE) as usize, 1.0)?;
        let [left, _] = heard;
        let heights: Vec<f64> = frequencies(STEPS).map(|hertz| magnitude(sounding(&left), hertz)).collect();
        looked_at.push((after, left, heights));
    }
    let mut shown: Vec<usize> = vec![0];
    while shown.len() < MOMENTS {
        // What is least like the one of those that it is most like.
        let alone = |i: usize| {
            let apart = |other: &usize| apart(&looked_at[i].2, &looked_at[*other].2);
            shown.iter().map(apart).fold(f64::INFINITY, f64::min)
        };
        let next = (0..LOOKED_AT).map(|i| (alone(i), i)).max_by(|a, b| a.0.total_cmp(&b.0));
        match next.filter(|(alone, _)| *alone > DIFFER) {
            Some((_, next)) => shown.push(next),
            None => break,
        }
    }
    shown.sort_unstable();
    let lines = shown.into_iter().map(|i| {
        let (after, heard, _) = &looked_at[i];
        (format!("after {} s", (after * 1000.0).round() / 1000.0), levels(heard))
    });
    Ok(over_frequency("Level, at some moments, of the left side", lines.collect()))
}

/// By how much two responses differ, in dB, from one frequency to the next on the whole; below what is seen they are alike.
fn apart(one: &[f64], other: &[f64]) -> f64 {
    let seen = |height: &f64| db_from_gain(*height).max(-RANGE / 2.0);
    let all = one.iter().zip(other).map(|(one, other)| (seen(one) - seen(other)).abs());
    all.sum::<f64>() / one.len().max(1) as f64
}

/// What becomes of a tone over two cycles.
fn over_time(trial: &Trial) -> Result<Field, Failure> {
    let cycle = cycle(trial);
    let all = 2.0 * cycle;
    // What has to settle does so before, and time begins where a cycle does.
    let before = ((0.25 / cycle).ceil() * cycle * RATE) as usize;
    let heard = trial.hear(before + (all * RATE) as usize, |frame| [wave(TONE, frame); 2])?;
    let heard = heard.map(|side| side[before.min(side.len())..].to_vec());
    let period = (RATE / TONE) as usize;
    let step = (heard[0].len() / 600 / period).max(1) * period;
    let lines = sides(&heard, |side| {
        let parts = side.chunks(step).enumerate();
        parts.map(|(i, part)| (middle(i, step), db_from_gain(loudest(part)))).collect()
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
