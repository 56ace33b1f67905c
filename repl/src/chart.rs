//! Charts: curves in a field with axes, as the pictures of `sweep` and `measure` are made of.

use std::path::Path;

use engine::delivery::Whole;
use engine::math::db_from_gain;
use plotters::coord::ranged1d::{KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::ending::{Failure, Outcome};
use crate::picture::Theme;
use crate::picture::letters::{self, Font};
use crate::status;

mod colours;
mod fonts;
mod png;

pub use colours::{COLOURS, GRID, INK, shade};

/// What is drawn is placed in parts of a pixel, so many of each: in whole ones curves would wobble.
const FINE: u32 = 10;

/// So many pixels as a picture is drawn in.
pub const fn px(pixels: i32) -> i32 {
    pixels * FINE as i32
}

/// Letters so many pixels high.
pub fn font(size: f64) -> FontDesc<'static> {
    ("sans-serif", size * f64::from(FINE)).into_font()
}

/// A line so many pixels wide.
pub fn line(colour: RGBColor, width: u32) -> ShapeStyle {
    colour.stroke_width(width * FINE)
}

/// Room around what is drawn, and how high titles and the lines above a field are.
const MARGIN: i32 = px(18);
const TITLE_HEIGHT: i32 = px(52);
const LINE_HEIGHT: i32 = px(24);

/// The letters of titles, of what stands above a field, and of all else.
const TITLE: f64 = 24.0;
const CAPTION: f64 = 17.0;
const SMALL: f64 = 14.0;

/// How long a line in a legend is, and what lies behind it and behind its name.
const SAMPLE: i32 = px(20);
const BETWEEN: i32 = px(7);
const BETWEEN_ENTRIES: i32 = px(18);

/// What the library says.
pub type Failed = Box<dyn std::error::Error>;
/// A field of the picture.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
/// Where a curve goes.
pub type Points = Vec<(f64, f64)>;

/// A curve with its name and its number among the colours.
pub struct Curve {
    /// Its name; without one it is not listed.
    pub name: String,
    /// Its number among the colours.
    pub colour: usize,
    /// Where it goes.
    pub points: Points,
    /// Whether it is drawn twice as wide.
    pub is_bold: bool,
}

/// A picture so many pixels wide and high, for a screen that is light or dark.
///
/// # Errors
/// What the library says.
pub fn drawn(
    (width, height): (u32, u32),
    theme: Theme,
    draw: impl FnOnce(&Area<'_>) -> Result<(), Failed>,
) -> Result<String, Failed> {
    let mut picture = String::new();
    {
        let root = SVGBackend::with_string(&mut picture, (width * FINE, height * FINE)).into_drawing_area();
        root.fill(&colours::GROUND)?;
        draw(&root)?;
        root.present()?;
    }
    // The library has one size: that of what it draws in.
    let (_, drawn) = picture.split_once('\n').ok_or("nothing is drawn")?;
    let (of_view, style) = (format!("0 0 {} {}", width * FINE, height * FINE), colours::style(drawn, theme));
    Ok(format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"{of_view}\" xmlns=\"http://www.w3.org/2000/svg\">\n{style}{drawn}"
    ))
}

/// A picture as its file holds it: as it is, or drawn in points where the file's name ends in `.png`.
///
/// # Errors
/// What the library says.
fn encoded(file: &Path, picture: String) -> Result<Vec<u8>, Failed> {
    match file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")) {
        true => png::encoded(&picture),
        false => Ok(picture.into_bytes()),
    }
}

/// Writes a picture that was drawn to its file: beside it, and renamed when whole.
///
/// # Errors
/// It could not be drawn, or the file cannot be written.
pub fn publish(file: &Path, picture: Result<String, Failed>) -> Outcome {
    let failed = |why: Failed| Failure::Error(format!("{}: the picture cannot be drawn: {why}", file.display()));
    let bytes = picture.and_then(|picture| encoded(file, picture)).map_err(failed)?;
    let written = Whole::of_bytes(file, &bytes).and_then(Whole::publish);
    written.map_err(|error| Failure::Error(error.to_string()))?;
    status::say(file.display());
    Ok(())
}

/// How wide a text is at most.
fn width(text: &str, size: f64) -> i32 {
    (letters::width(text, Font { size, is_bold: false }) * f64::from(FINE)).ceil() as i32
}

/// Writes a text in one line, from its left end on, at a height of its middle.
fn write(area: &Area<'_>, text: &str, place: (i32, i32), size: f64) -> Result<(), Failed> {
    let style = TextStyle::from(font(size)).color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
    Ok(area.draw(&Text::new(text, place, style))?)
}

/// Writes the title of a picture, as much as there is room for, and gives what is left below.
///
/// # Errors
/// What the library says.
pub fn titled<'a>(root: &Area<'a>, title: &str) -> Result<Area<'a>, Failed> {
    let room = (f64::from(root.dim_in_pixel().0) - f64::from(2 * MARGIN)) / f64::from(FINE);
    // A long one is written in smaller letters before it is cut.
    let long = letters::width(title, Font { size: TITLE, is_bold: false });
    let size = (TITLE * room / long.max(1.0)).clamp(SMALL, TITLE);
    let title = letters::fitted(title, Font { size, is_bold: false }, room);
    let (head, rest) = root.split_vertically(TITLE_HEIGHT);
    write(&head, &title, (MARGIN, TITLE_HEIGHT / 2 + px(4)), size)?;
    Ok(rest)
}

/// Writes the name of a field, and beside it, or below where there is no room, what its curves are; gives what is left below.
///
/// # Errors
/// What the library says.
pub fn captioned<'a>(area: &Area<'a>, name: &str, curves: &[Curve]) -> Result<Area<'a>, Failed> {
    let right = area.dim_in_pixel().0 as i32 - MARGIN;
    let named: Vec<&Curve> = curves.iter().filter(|curve| !curve.name.is_empty()).collect();
    let long = |curve: &Curve| SAMPLE + BETWEEN + width(&curve.name, SMALL) + BETWEEN_ENTRIES;
    let all = named.iter().map(|curve| long(curve)).sum::<i32>() - BETWEEN_ENTRIES;
    let beside = MARGIN + width(name, CAPTION) + BETWEEN_ENTRIES + all <= right;
    let (mut x, mut y) = if beside { (right - all, LINE_HEIGHT / 2) } else { (MARGIN, LINE_HEIGHT * 3 / 2) };
    let mut places = Vec::with_capacity(named.len());
    for curve in &named {
        if x > MARGIN && x + long(curve) - BETWEEN_ENTRIES > right {
            (x, y) = (MARGIN, y + LINE_HEIGHT);
        }
        places.push((x, y));
        x += long(curve);
    }
    let (head, rest) = area.split_vertically(places.last().map_or(LINE_HEIGHT / 2, |(_, y)| *y) + LINE_HEIGHT / 2);
    write(&head, name, (MARGIN, LINE_HEIGHT / 2), CAPTION)?;
    for (curve, (x, y)) in named.into_iter().zip(places) {
        let style = line(COLOURS[curve.colour % COLOURS.len()], 2);
        head.draw(&PathElement::new([(x, y), (x + SAMPLE, y)], style))?;
        write(&head, &curve.name, (x + SAMPLE + BETWEEN, y), SMALL)?;
    }
    Ok(rest)
}

/// Draws one field of a picture; along frequencies in octaves. What its curves are stands above it, where it covers none.
///
/// # Errors
/// What the library says.
pub fn chart(
    area: &Area<'_>,
    name: &str,
    (along, x): (&str, std::ops::Range<f64>),
    (up, y): (&str, std::ops::Range<f64>),
    curves: &[Curve],
) -> Result<(), Failed> {
    let field = captioned(area, name, curves)?;
    let mut builder = ChartBuilder::on(&field);
    builder.margin(MARGIN).margin_top(px(4)).x_label_area_size(px(40)).y_label_area_size(px(58));
    let label = || font(SMALL).color(&INK);
    macro_rules! draw {
        ($x:expr, $shown:expr) => {{
            let mut chart = builder.build_cartesian_2d($x, y)?;
            chart
                .configure_mesh()
                .bold_line_style(line(GRID, 1))
                .light_line_style(TRANSPARENT)
                .axis_style(line(INK, 1))
                .set_all_tick_mark_size(px(5))
                .x_desc(along)
                .y_desc(up)
                .label_style(label())
                .x_label_formatter(&$shown)
                .y_label_formatter(&|y: &f64| format!("{}", (y * 100.0).round() / 100.0))
                .draw()?;
            for curve in curves {
                let style = line(COLOURS[curve.colour % COLOURS.len()], if curve.is_bold { 2 } else { 1 });
                chart.draw_series(LineSeries::new(curve.points.iter().copied(), style))?;
            }
        }};
    }
    if x.start > 0.0 {
        draw!(Octaves(x), |hz: &f64| if *hz >= 1000.0 { format!("{}k", hz / 1000.0) } else { format!("{hz}") });
    } else {
        draw!(x, |s: &f64| format!("{}", (s * 1000.0).round() / 1000.0));
    }
    Ok(())
}

/// Frequencies, evenly in octaves, with the marks that engineers know.
struct Octaves(std::ops::Range<f64>);

impl Ranged for Octaves {
    type FormatOption = plotters::coord::ranged1d::NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let of = |freq: f64| db_from_gain(freq);
        RangedCoordf64::from(of(self.0.start)..of(self.0.end)).map(&of(*value), limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        let marks = [20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0];
        marks.into_iter().filter(|mark| *mark >= self.0.start * 0.999 && *mark <= self.0.end * 1.001).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.0.clone()
    }
}

impl plotters::coord::ranged1d::ValueFormatter<f64> for Octaves {}

/// The points that are somewhere.
pub fn finite(points: impl Iterator<Item = (f64, f64)>) -> Points {
    points.filter(|(_, y)| y.is_finite()).collect()
}
