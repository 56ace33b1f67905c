//! Charts: curves in a field with axes, as the pictures of `sweep` and `measure` are made of.

use std::path::Path;

use engine::delivery::Whole;
use engine::math::db_from_gain;
use epaint_default_fonts::UBUNTU_LIGHT;
use plotters::coord::ranged1d::{KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use resvg::{tiny_skia, usvg};

use crate::ending::{Failure, Outcome};
use crate::status;

/// Colours that are told apart by who sees no red or green as well (Okabe and Ito 2008).
pub const COLOURS: [RGBColor; 5] =
    [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167), RGBColor(86, 86, 86)];

/// What is written, and axes.
pub const INK: RGBColor = RGBColor(40, 40, 40);
/// The lines behind.
pub const GRID: RGBColor = RGBColor(215, 215, 215);

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

/// A picture as its file holds it: as it is, or drawn in points where the file's name ends in `.png`, with letters of our own
/// since a machine may have none.
///
/// # Errors
/// What the library says.
fn encoded(file: &Path, picture: String) -> Result<Vec<u8>, Failed> {
    if file.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("png")) {
        return Ok(picture.into_bytes());
    }
    let mut options = usvg::Options::default();
    let fonts = options.fontdb_mut();
    fonts.load_font_data(UBUNTU_LIGHT.to_vec());
    let family = fonts.faces().next().and_then(|face| face.families.first()).map(|(name, _)| name.clone());
    family.into_iter().for_each(|family| fonts.set_sans_serif_family(family));
    let tree = usvg::Tree::from_str(&picture, &options)?;
    let size = tree.size().to_int_size();
    let mut points = tiny_skia::Pixmap::new(size.width(), size.height()).ok_or("it has no size")?;
    resvg::render(&tree, tiny_skia::Transform::default(), &mut points.as_mut());
    Ok(points.encode_png()?)
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

/// Draws one field of a picture; along frequencies in octaves.
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
    let mut builder = ChartBuilder::on(area);
    builder.caption(name, ("sans-serif", 18).into_font().color(&INK)).margin(14);
    builder.x_label_area_size(40).y_label_area_size(58);
    let font = || ("sans-serif", 14).into_font().color(&INK);
    macro_rules! draw {
        ($x:expr, $shown:expr) => {{
            let mut chart = builder.build_cartesian_2d($x, y)?;
            chart
                .configure_mesh()
                .bold_line_style(GRID)
                .light_line_style(TRANSPARENT)
                .axis_style(INK)
                .x_desc(along)
                .y_desc(up)
                .label_style(font())
                .x_label_formatter(&$shown)
                .y_label_formatter(&|y: &f64| format!("{}", (y * 100.0).round() / 100.0))
                .draw()?;
            for curve in curves {
                let colour = COLOURS[curve.colour % COLOURS.len()];
                let style = colour.stroke_width(if curve.is_bold { 2 } else { 1 });
                let drawn = chart.draw_series(LineSeries::new(curve.points.iter().copied(), style))?;
                if !curve.name.is_empty() {
                    drawn
                        .label(curve.name.as_str())
                        .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
                }
            }
            if curves.iter().any(|curve| !curve.name.is_empty()) {
                let mut labels = chart.configure_series_labels();
                labels.position(SeriesLabelPosition::UpperRight).background_style(WHITE.mix(0.85)).border_style(GRID);
                labels.label_font(font()).draw()?;
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
