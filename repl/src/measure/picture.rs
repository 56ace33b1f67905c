//! A sound as a picture: its loudness over time, its spectrum, and where between left and right it is.

use std::path::Path;

use engine::math::db_from_gain;
use engine::measure::{Measurement, Moment, Spectrum, THIRD_OCTAVES};
use engine::target::Target;
use plotters::prelude::*;

use crate::chart::{
    Area, Curve, Failed, GRID, INK, Points, captioned, chart, drawn, finite, font, line, publish, px, shade, titled,
};
use crate::ending::Outcome;
use crate::picture::Theme;

const SIZE: (u32, u32) = (1280, 900);

/// How high what is over time is.
const UPPER: i32 = px(410);

/// How wide the spectrum of one sound is, beside its stereo field.
const SPECTRUM_WIDTH: i32 = px(840);

/// Points of a curve over time, at most.
const STEPS: usize = 1200;

/// The lowest loudness that is shown, and how far below the highest the spectrum is.
const LOUDNESS_FLOOR: f64 = -60.0;
const SPECTRUM_RANGE: f64 = 80.0;

/// Cells of the stereo field, along and up, and the one in its middle. The outermost is full scale of both sides.
const CELLS: usize = 161;
const MIDDLE: usize = CELLS / 2;

/// What a picture is drawn from, gathered while the sound goes by.
pub struct Sketch {
    spectrum: Spectrum,
    rate: f64,
    /// How often the sound was at each place: side along, mid up.
    field: Vec<u32>,
    is_stereo: bool,
}

impl Sketch {
    pub fn new(rate: u32, channels: usize) -> Sketch {
        Sketch {
            spectrum: Spectrum::new(rate, channels),
            rate: rate.into(),
            field: vec![0; CELLS * CELLS],
            is_stereo: channels == 2,
        }
    }

    pub fn take(&mut self, sound: &[&[f64]]) {
        self.spectrum.take(sound);
        if let (true, [left, right]) = (self.is_stereo, sound) {
            for (left, right) in left.iter().zip(*right) {
                let cell = |x: f64| ((x.clamp(-2.0, 2.0) / 2.0 + 1.0) * MIDDLE as f64).round() as usize;
                self.field[cell(left + right) * CELLS + cell(right - left)] += 1;
            }
        }
    }

    fn draw_loudness(&self, area: &Area<'_>, measurement: &Measurement, targets: &[&Target]) -> Result<(), Failed> {
        let end = self.seconds(measurement);
        let over_time = |of: &dyn Fn(&Moment) -> Option<f64>| self.over_time(measurement, of);
        let mut curves = vec![
            Curve { name: "momentary".into(), colour: 4, points: over_time(&|m| m.momentary), is_bold: false },
            Curve { name: "short-term".into(), colour: 0, points: over_time(&|m| m.short_term), is_bold: true },
        ];
        if let Some(integrated) = measurement.figures().integrated {
            curves.push(level(format!("integrated {integrated:.1}"), 1, integrated, end));
        }
        curves.extend(wanted(targets, end));
        chart(area, "Loudness", ("s", 0.0..end), ("LUFS", loudnesses(&curves)), &curves)
    }

    /// How long the sound is.
    fn seconds(&self, measurement: &Measurement) -> f64 {
        (measurement.frames() as f64 / self.rate).max(0.1)
    }

    /// A loudness over time.
    fn over_time(&self, measurement: &Measurement, of: &dyn Fn(&Moment) -> Option<f64>) -> Points {
        let history = measurement.history();
        let step = history.len().div_ceil(STEPS).max(1);
        // Of each step the loudest, so that nothing short is lost.
        finite(history.chunks(step).map(|part| {
            let loudest = part.iter().filter_map(of).fold(f64::NEG_INFINITY, f64::max);
            let shown = if loudest.is_finite() { loudest.max(LOUDNESS_FLOOR) } else { loudest };
            (part[0].frame as f64 / self.rate, shown)
        }))
    }

    /// The highest frequency that is shown.
    fn highest(&self) -> f64 {
        (self.rate / 2.0).min(20_000.0)
    }

    /// The level in each third of an octave, as steps.
    fn thirds(&self) -> Points {
        let edge = 2.0_f64.powf(1.0 / 6.0);
        let levels = THIRD_OCTAVES.iter().zip(self.spectrum.third_octaves());
        let known = levels.filter_map(|(centre, level)| Some((centre, level?)));
        known
            .flat_map(|(centre, level)| [(centre / edge, level), ((centre * edge).min(self.highest()), level)])
            .collect()
    }

    fn draw_spectrum(&self, area: &Area<'_>) -> Result<(), Failed> {
        let bins = self.spectrum.bins();
        let highest = self.highest();
        // The mean of each twelfth of an octave's bins, as a level in each third, so that both curves can be compared.
        let mut fine = Vec::new();
        let mut low = 20.0;
        while low < highest {
            let high = low * 2.0_f64.powf(1.0 / 12.0);
            let within: Vec<f64> =
                bins.iter().filter(|(hertz, _)| (low..high).contains(hertz)).map(|(_, power)| *power).collect();
            if !within.is_empty() {
                let width = self.rate / 2.0 / (bins.len() - 1) as f64;
                let density = within.iter().sum::<f64>() / within.len() as f64 / width;
                let middle = low * 2.0_f64.powf(1.0 / 24.0);
                let third = middle * (2.0_f64.powf(1.0 / 6.0) - 2.0_f64.powf(-1.0 / 6.0));
                fine.push((middle, db_from_gain(density * third) / 2.0));
            }
            low = high;
        }
        let thirds = self.thirds();
        let top = fine.iter().chain(&thirds).map(|(_, level)| *level).fold(f64::NEG_INFINITY, f64::max);
        if !top.is_finite() {
            // Silence has no spectrum: it would be a line along the edge.
            fine.clear();
        }
        let top = if top.is_finite() { (top / 10.0).ceil() * 10.0 + 10.0 } else { 0.0 };
        let clipped = |points: Vec<(f64, f64)>| {
            points.into_iter().map(|(hertz, level)| (hertz.max(20.0), level.max(top - SPECTRUM_RANGE))).collect()
        };
        let curves = [
            Curve { name: "thirds of an octave".into(), colour: 0, points: clipped(thirds), is_bold: true },
            Curve { name: "finely".into(), colour: 4, points: clipped(fine), is_bold: false },
        ];
        chart(area, "Spectrum", ("Hz", 20.0..highest), ("dBFS", top - SPECTRUM_RANGE..top), &curves)
    }

    /// Mid up, side along: mono is an upright line, one side alone a slanted one, opposite polarity a level one.
    fn draw_field(&self, area: &Area<'_>) -> Result<(), Failed> {
        let area = captioned(area, "Stereo field", &[])?;
        let (width, height) = area.dim_in_pixel();
        let side = width.min(height) as i32 - px(60);
        let (left, top) = ((width as i32 - side) / 2, (height as i32 - side) / 2);
        // At whole pixels: between others cells would be seen as a net.
        let whole = |at: i32| at / px(1) * px(1);
        let place = |x: f64, y: f64| {
            (whole(left + (x * f64::from(side)) as i32), whole(top + ((1.0 - y) * f64::from(side)) as i32))
        };
        for (from, to) in
            [((0.5, 0.0), (0.5, 1.0)), ((0.0, 0.5), (1.0, 0.5)), ((0.0, 0.0), (1.0, 1.0)), ((0.0, 1.0), (1.0, 0.0))]
        {
            area.draw(&PathElement::new([place(from.0, from.1), place(to.0, to.1)], line(GRID, 1)))?;
        }
        let most = f64::from(self.field.iter().copied().max().unwrap_or(0).max(1));
        // Silence is nowhere: its one cell would fill the field.
        let sounds = self.field.iter().enumerate().any(|(n, count)| *count > 0 && n != MIDDLE * CELLS + MIDDLE);
        let used = || self.field.iter().enumerate().filter(|(_, count)| sounds && **count > 0);
        // As near as it is heard: soft sound is not a speck.
        let reach = used().map(|(n, _)| (n % CELLS).abs_diff(MIDDLE).max((n / CELLS).abs_diff(MIDDLE))).max();
        let reach = reach.unwrap_or(0).max(4);
        let cell = 1.0 / (2 * reach + 1) as f64;
        for (n, count) in used() {
            let edge = |index: usize| (index + reach - MIDDLE) as f64 * cell;
            let (x, y) = (edge(n % CELLS), edge(n / CELLS));
            let colour = shade((1.0 + 0.18 * (f64::from(*count) / most).ln()).max(0.08));
            area.draw(&Rectangle::new([place(x, y + cell), place(x + cell, y)], colour.filled()))?;
        }
        for (text, x, y) in [("L", -0.03, 1.05), ("R", 1.01, 1.05), ("mid", 0.48, 1.06), ("side", 1.01, 0.52)] {
            area.draw(&Text::new(text, place(x, y), font(14.0).color(&INK)))?;
        }
        Ok(())
    }
}

/// A level line at a loudness.
fn level(name: String, colour: usize, lufs: f64, end: f64) -> Curve {
    let lufs = lufs.max(LOUDNESS_FLOOR);
    Curve { name, colour, points: vec![(0.0, lufs), (end, lufs)], is_bold: false }
}

/// What targets want, each as a line.
fn wanted(targets: &[&Target], end: f64) -> impl Iterator<Item = Curve> {
    let loudness = targets.iter().filter_map(|target| Some((target.name, target.loudness?.0)));
    loudness.map(move |(name, lufs)| level(format!("{name} {lufs}"), 2, lufs, end))
}

/// A sound that is drawn.
pub struct Sounding<'a> {
    /// Its name.
    pub name: String,
    /// What was gathered of it.
    pub sketch: &'a Sketch,
    /// Its figures.
    pub measurement: &'a Measurement,
}

/// Draws one sound: its loudness over time with what targets want, its spectrum, and where it stands.
pub fn draw(file: &Path, one: &Sounding<'_>, targets: &[&Target], theme: Theme) -> Outcome {
    publish(file, picture_of_one(one, targets, theme))
}

fn picture_of_one(one: &Sounding<'_>, targets: &[&Target], theme: Theme) -> Result<String, Failed> {
    let Sounding { name, sketch, measurement } = one;
    drawn(SIZE, theme, |root| {
        let (over_time, below) = titled(root, name)?.split_vertically(UPPER);
        sketch.draw_loudness(&over_time, measurement, targets)?;
        if sketch.is_stereo {
            let (spectrum, field) = below.split_horizontally(SPECTRUM_WIDTH);
            sketch.draw_spectrum(&spectrum)?;
            sketch.draw_field(&field)
        } else {
            sketch.draw_spectrum(&below)
        }
    })
}

/// Draws two sounds over each other, and what the second has more than the first: before and after.
pub fn draw_both(file: &Path, both: [&Sounding<'_>; 2], targets: &[&Target], theme: Theme) -> Outcome {
    publish(file, picture_of_both(both, targets, theme))
}

fn picture_of_both(both: [&Sounding<'_>; 2], targets: &[&Target], theme: Theme) -> Result<String, Failed> {
    drawn(SIZE, theme, |root| {
        let title = format!("{} and {}", both[0].name, both[1].name);
        let (over_time, below) = titled(root, &title)?.split_vertically(UPPER);
        let (spectrum, difference) = below.split_horizontally(px(SIZE.0 as i32 / 2));
        let curve = |number: usize, name: String, points: Points| Curve { name, colour: number, points, is_bold: true };
        let loudness = both.iter().enumerate().flat_map(|(number, Sounding { name, sketch, measurement })| {
            let integrated = measurement.figures().integrated;
            let name = integrated.map_or_else(|| name.clone(), |lufs| format!("{name}, integrated {lufs:.1}"));
            let short_term = curve(number, name, sketch.over_time(measurement, &|moment| moment.short_term));
            // Of what is short there is hardly a short-term loudness, which begins at 3 s.
            let points = sketch.over_time(measurement, &|moment| moment.momentary);
            [Curve { name: String::new(), colour: number, points, is_bold: false }, short_term]
        });
        let end = both.iter().map(|one| one.sketch.seconds(one.measurement)).fold(0.0, f64::max);
        let loudness: Vec<Curve> = loudness.chain(wanted(targets, end)).collect();
        chart(
            &over_time,
            "Loudness, short-term, and momentary in thin lines",
            ("s", 0.0..end),
            ("LUFS", loudnesses(&loudness)),
            &loudness,
        )?;
        let thirds: Vec<Curve> =
            both.iter().enumerate().map(|(i, one)| curve(i, one.name.clone(), one.sketch.thirds())).collect();
        let highest = both.iter().map(|one| one.sketch.highest()).fold(f64::INFINITY, f64::min);
        let top = thirds.iter().flat_map(|curve| &curve.points).fold(f64::NEG_INFINITY, |top, (_, y)| top.max(*y));
        let top = if top.is_finite() { (top / 10.0).ceil() * 10.0 + 10.0 } else { 0.0 };
        let field = |curves: Vec<Curve>, low: f64, high: f64| -> Vec<Curve> {
            let within = |(x, y): (f64, f64)| (x <= highest * 1.001).then(|| (x.max(20.0), y.clamp(low, high)));
            let cut = |curve: Curve| Curve { points: curve.points.into_iter().filter_map(within).collect(), ..curve };
            curves.into_iter().map(cut).collect()
        };
        let difference_of = more(both[0].sketch, both[1].sketch);
        let low = top - SPECTRUM_RANGE;
        let curves = field(thirds, low, top);
        chart(&spectrum, "Spectrum, thirds of an octave", ("Hz", 20.0..highest), ("dBFS", low..top), &curves)?;
        let most = difference_of.iter().fold(3.0, |most: f64, (_, y)| most.max(y.abs()));
        let most = ((most / 3.0).ceil() * 3.0).min(SPECTRUM_RANGE / 2.0);
        let name = format!("What {} has more", both[1].name);
        let curves = field(vec![curve(1, String::new(), difference_of)], -most, most);
        chart(&difference, &name, ("Hz", 20.0..highest), ("dB", -most..most), &curves)
    })
}

/// By how much the second is louder than the first in each third of an octave that both have.
fn more(first: &Sketch, second: &Sketch) -> Points {
    let levels = |sketch: &Sketch| -> Vec<Option<f64>> { sketch.spectrum.third_octaves().to_vec() };
    let both = THIRD_OCTAVES.iter().zip(levels(first)).zip(levels(second));
    both.filter_map(|((centre, first), second)| Some((*centre, second? - first?))).collect()
}

/// From where to where curves of loudness are shown.
fn loudnesses(curves: &[Curve]) -> std::ops::Range<f64> {
    let points = || curves.iter().flat_map(|curve| &curve.points).map(|(_, lufs)| *lufs);
    let top = (points().fold(-20.0, f64::max) / 5.0).ceil() * 5.0 + 5.0;
    let bottom = ((points().fold(-20.0, f64::min) / 5.0).floor() * 5.0 - 5.0).max(LOUDNESS_FLOOR);
    bottom..top
}
