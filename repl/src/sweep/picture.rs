//! What a sweep has told, as a picture: level, distortion, how it dies away.

use engine::math::{db_from_gain, gain_from_db};
use engine::response::decay::schroeder;

use super::figures::Figures;
use crate::chart::{Area, Curve, Failed, Points, chart, drawn, finite, titled};
use crate::picture::Theme;

const SIZE: (u32, u32) = (1280, 900);

/// How far below the highest point curves are shown, in dB.
const LEVEL_RANGE: f64 = 50.0;
const DECAY_RANGE: f64 = 90.0;

/// The lowest distortion that is shown, in dB.
const DISTORTION_FLOOR: f64 = -120.0;

/// Points of a curve over time.
const STEPS: usize = 600;

/// Draws the figures, and the impulse responses that they are of.
///
/// # Errors
/// What the library says; nothing is known that it would refuse.
pub fn draw(figures: &Figures, responses: &[Vec<f64>], title: &str, theme: Theme) -> Result<String, Failed> {
    drawn(SIZE, theme, |root| {
        let [level, distortion, energy, times] = &titled(root, title)?.split_evenly((2, 2))[..] else {
            unreachable!("it is cut in four")
        };
        draw_level(level, figures)?;
        draw_distortion(distortion, figures)?;
        draw_energy(energy, figures, responses)?;
        draw_times(times, figures)
    })
}

fn draw_level(area: &Area<'_>, figures: &Figures) -> Result<(), Failed> {
    let curves: Vec<Curve> = figures
        .channels
        .iter()
        .enumerate()
        .map(|(i, one)| Curve {
            name: format!("channel {}", one.channel),
            colour: i,
            points: finite(figures.hz().iter().zip(&one.response_db).map(|(hz, db)| (*hz, *db))),
            is_bold: true,
        })
        .collect();
    let top = top(&curves);
    chart(area, "Level", ("Hz", hertz(figures)), ("dB", top - LEVEL_RANGE..top), &curves)
}

fn draw_distortion(area: &Area<'_>, figures: &Figures) -> Result<(), Failed> {
    let Some(first) = figures.channels.first() else { return Ok(()) };
    let of = |levels: &[Option<f64>]| {
        let known = figures.hz().iter().zip(levels).filter_map(|(hz, db)| Some((*hz, (*db)?)));
        known.map(|(hz, db)| (hz, db.max(DISTORTION_FLOOR))).collect()
    };
    let together = Curve { name: "together".into(), colour: 4, points: of(&first.distortion_db), is_bold: true };
    let orders = first.harmonics.iter().enumerate().map(|(i, one)| Curve {
        name: format!("H{}", one.order),
        colour: i,
        points: of(&one.db),
        is_bold: false,
    });
    let curves: Vec<Curve> = [together].into_iter().chain(orders).collect();
    let top = top(&curves).clamp(DISTORTION_FLOOR + 20.0, 20.0);
    let name = format!("Harmonics against the fundamental, channel {}", first.channel);
    chart(area, &name, ("Hz of the fundamental", hertz(figures)), ("dB", DISTORTION_FLOOR..top), &curves)
}

/// Levels over time, loudest of each step, and Schroeder's curve of the first channel.
fn draw_energy(area: &Area<'_>, figures: &Figures, responses: &[Vec<f64>]) -> Result<(), Failed> {
    let energies: Vec<Vec<f64>> = responses.iter().map(|one| one.iter().map(|x| x * x).collect()).collect();
    let loudest = energies.iter().flatten().fold(0.0, |most: f64, x| most.max(*x));
    let frames = energies.iter().map(Vec::len).max().unwrap_or(1);
    // What lies at the floor to the end is not shown.
    let heard = |energy: &Vec<f64>| energy.iter().rposition(|x| *x > loudest * gain_from_db(-2.0 * DECAY_RANGE));
    let shown = energies.iter().filter_map(heard).max().unwrap_or(0).max(frames / 50).min(frames);
    let step = shown.div_ceil(STEPS).max(1);
    let time = |frame: usize| frame as f64 / figures.rate();
    let mut curves: Vec<Curve> = energies
        .iter()
        .zip(&figures.channels)
        .enumerate()
        .map(|(i, (energy, one))| Curve {
            name: format!("channel {}", one.channel),
            colour: i,
            points: finite(energy[..shown.min(energy.len())].chunks(step).enumerate().map(|(k, part)| {
                let most = part.iter().fold(0.0, |most: f64, x| most.max(*x));
                (time(k * step), db_from_gain(most / loudest) / 2.0)
            })),
            is_bold: false,
        })
        .collect();
    if let Some(energy) = energies.first() {
        let curve = schroeder(energy, 0.0);
        let points = finite(
            curve[..shown.min(curve.len())].iter().step_by(step).enumerate().map(|(k, db)| (time(k * step), *db)),
        );
        curves.push(Curve { name: "integrated backwards".into(), colour: 4, points, is_bold: true });
    }
    chart(area, "Impulse response", ("s", 0.0..time(shown)), ("dB", -DECAY_RANGE..5.0), &curves)
}

fn draw_times(area: &Area<'_>, figures: &Figures) -> Result<(), Failed> {
    let Some(first) = figures.channels.first() else { return Ok(()) };
    let bands = &first.decay;
    let times: [(&str, Points); 3] = [
        ("EDT", bands.iter().filter_map(|band| Some((band.band_hz, band.edt_s?))).collect()),
        ("T20", bands.iter().filter_map(|band| Some((band.band_hz, band.t20_s?))).collect()),
        ("T30", bands.iter().filter_map(|band| Some((band.band_hz, band.t30_s?))).collect()),
    ];
    let longest = times.iter().flat_map(|(_, points)| points).fold(0.0, |most: f64, (_, s)| most.max(*s));
    let curves: Vec<Curve> = times
        .into_iter()
        .enumerate()
        .map(|(colour, (name, points))| Curve { name: name.into(), colour, points, is_bold: true })
        .filter(|curve| !curve.points.is_empty())
        .collect();
    let name = match curves.is_empty() {
        true => format!("Decay in octave bands, channel {}: none that can be told", first.channel),
        false => format!("Decay in octave bands, channel {}", first.channel),
    };
    chart(area, &name, ("Hz", hertz(figures)), ("s", 0.0..(1.2 * longest).max(0.1)), &curves)
}

fn hertz(figures: &Figures) -> std::ops::Range<f64> {
    figures.hz().first().copied().unwrap_or(20.0)..figures.hz().last().copied().unwrap_or(20_000.0)
}

/// The next ten above all that is shown.
fn top(curves: &[Curve]) -> f64 {
    let most = curves.iter().flat_map(|curve| &curve.points).fold(f64::NEG_INFINITY, |most, (_, y)| most.max(*y));
    if most.is_finite() { ((most + 3.0) / 10.0).ceil() * 10.0 } else { 0.0 }
}
