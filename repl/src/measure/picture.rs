//! A sound as a picture: its loudness over time, its spectrum, and where between left and right it is.

use std::path::Path;

use engine::delivery::Whole;
use engine::math::db_from_gain;
use engine::measure::{Measurement, Spectrum, THIRD_OCTAVES};
use engine::target::Target;
use plotters::prelude::*;

use crate::chart::{Area, COLOURS, Curve, Failed, GRID, INK, chart, encoded, finite};
use crate::ending::{Failure, Outcome};
use crate::status;

const SIZE: (u32, u32) = (1280, 900);

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

    /// Draws the picture and writes it.
    pub fn draw(&self, file: &Path, measurement: &Measurement, targets: &[&Target], title: &str) -> Outcome {
        let failed = |why: String| Failure::Error(format!("{}: {why}", file.display()));
        let picture = self.picture(measurement, targets, title);
        let picture = picture.map_err(|why| failed(format!("the picture cannot be drawn: {why}")))?;
        let bytes = encoded(file, picture).map_err(|why| failed(format!("the picture cannot be drawn: {why}")))?;
        let written = Whole::of_bytes(file, &bytes).and_then(Whole::publish);
        written.map_err(|error| Failure::Error(error.to_string()))?;
        status::say(file.display());
        Ok(())
    }

    fn picture(&self, measurement: &Measurement, targets: &[&Target], title: &str) -> Result<String, Failed> {
        let mut picture = String::new();
        {
            let root = SVGBackend::with_string(&mut picture, SIZE).into_drawing_area();
            root.fill(&WHITE)?;
            let root = root.titled(title, ("sans-serif", 26).into_font().color(&INK))?;
            let (over_time, below) = root.split_vertically(430);
            self.draw_loudness(&over_time, measurement, targets)?;
            if self.is_stereo {
                let (spectrum, field) = below.split_horizontally(840);
                self.draw_spectrum(&spectrum)?;
                self.draw_field(&field)?;
            } else {
                self.draw_spectrum(&below)?;
            }
            root.present()?;
        }
        Ok(picture)
    }

    fn draw_loudness(&self, area: &Area<'_>, measurement: &Measurement, targets: &[&Target]) -> Result<(), Failed> {
        let history = measurement.history();
        let end = (measurement.frames() as f64 / self.rate).max(0.1);
        let step = history.len().div_ceil(STEPS).max(1);
        // Of each step the loudest, so that nothing short is lost.
        let over_time = |of: &dyn Fn(&engine::measure::Moment) -> Option<f64>| {
            finite(history.chunks(step).map(|part| {
                let loudest = part.iter().filter_map(of).fold(f64::NEG_INFINITY, f64::max);
                (
                    part[0].frame as f64 / self.rate,
                    if loudest.is_finite() { loudest.max(LOUDNESS_FLOOR) } else { loudest },
                )
            }))
        };
        let level = |name: String, colour: usize, lufs: f64| Curve {
            name,
            colour,
            points: vec![(0.0, lufs.max(LOUDNESS_FLOOR)), (end, lufs.max(LOUDNESS_FLOOR))],
            is_bold: false,
        };
        let mut curves = vec![
            Curve { name: "momentary".into(), colour: 4, points: over_time(&|m| m.momentary), is_bold: false },
            Curve { name: "short-term".into(), colour: 0, points: over_time(&|m| m.short_term), is_bold: true },
        ];
        if let Some(integrated) = measurement.figures().integrated {
            curves.push(level(format!("integrated {integrated:.1}"), 1, integrated));
        }
        for target in targets {
            if let Some((lufs, ..)) = target.loudness {
                curves.push(level(format!("{} {lufs}", target.name), 2, lufs));
            }
        }
        let points = || curves.iter().flat_map(|curve| &curve.points).map(|(_, lufs)| *lufs);
        let top = (points().fold(-20.0, f64::max) / 5.0).ceil() * 5.0 + 5.0;
        let bottom = ((points().fold(-20.0, f64::min) / 5.0).floor() * 5.0 - 5.0).max(LOUDNESS_FLOOR);
        chart(area, "Loudness", ("s", 0.0..end), ("LUFS", bottom..top), &curves)
    }

    fn draw_spectrum(&self, area: &Area<'_>) -> Result<(), Failed> {
        let bins = self.spectrum.bins();
        let highest = (self.rate / 2.0).min(20_000.0);
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
        let mut thirds = Vec::new();
        for (centre, level) in THIRD_OCTAVES.iter().zip(self.spectrum.third_octaves()) {
            let Some(level) = level else { continue };
            let edge = 2.0_f64.powf(1.0 / 6.0);
            thirds.extend([(centre / edge, level), ((centre * edge).min(highest), level)]);
        }
        let top = fine.iter().chain(&thirds).map(|(_, level)| *level).fold(f64::NEG_INFINITY, f64::max);
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
        let area = area.titled("Stereo field", ("sans-serif", 18).into_font().color(&INK))?;
        let (width, height) = area.dim_in_pixel();
        let side = width.min(height) as i32 - 60;
        let (left, top) = ((width as i32 - side) / 2, (height as i32 - side) / 2);
        let place = |x: f64, y: f64| (left + (x * f64::from(side)) as i32, top + ((1.0 - y) * f64::from(side)) as i32);
        for (from, to) in
            [((0.5, 0.0), (0.5, 1.0)), ((0.0, 0.5), (1.0, 0.5)), ((0.0, 0.0), (1.0, 1.0)), ((0.0, 1.0), (1.0, 0.0))]
        {
            area.draw(&PathElement::new([place(from.0, from.1), place(to.0, to.1)], GRID))?;
        }
        let most = f64::from(self.field.iter().copied().max().unwrap_or(0).max(1));
        let used = || self.field.iter().enumerate().filter(|(_, count)| **count > 0);
        // As near as it is heard: soft sound is not a speck.
        let reach = used().map(|(n, _)| (n % CELLS).abs_diff(MIDDLE).max((n / CELLS).abs_diff(MIDDLE))).max();
        let reach = reach.unwrap_or(0).max(4);
        let cell = 1.0 / (2 * reach + 1) as f64;
        for (n, count) in used() {
            let edge = |index: usize| (index + reach - MIDDLE) as f64 * cell;
            let (x, y) = (edge(n % CELLS), edge(n / CELLS));
            let shade = (1.0 + 0.18 * (f64::from(*count) / most).ln()).max(0.08);
            // Not see-through: where neighbours touch there would be lines.
            let RGBColor(red, green, blue) = COLOURS[0];
            let [red, green, blue] = [red, green, blue].map(|c| (255.0 - shade * (255.0 - f64::from(c))).round() as u8);
            let colour = RGBColor(red, green, blue);
            area.draw(&Rectangle::new([place(x, y + cell), place(x + cell, y)], colour.filled()))?;
        }
        let font = || ("sans-serif", 14).into_font().color(&INK);
        for (text, x, y) in [("L", -0.03, 1.05), ("R", 1.01, 1.05), ("mid", 0.48, 1.06), ("side", 1.01, 0.52)] {
            area.draw(&Text::new(text, place(x, y), font()))?;
        }
        Ok(())
    }
}
