//! The colours of charts, on white and on black. What is drawn has those on white; a style sheet puts the others in their place.

use plotters::style::RGBColor;

use crate::picture::Theme;

/// Colours that are told apart by who sees no red or green as well (Okabe and Ito 2008).
pub const COLOURS: [RGBColor; 5] =
    [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167), RGBColor(86, 86, 86)];

/// The same on black: lighter.
const DARK_COLOURS: [RGBColor; 5] = [
    RGBColor(86, 180, 233),
    RGBColor(255, 154, 92),
    RGBColor(60, 207, 160),
    RGBColor(229, 143, 198),
    RGBColor(176, 184, 192),
];

/// What everything is drawn on.
pub const GROUND: RGBColor = RGBColor(255, 255, 255);
const DARK_GROUND: RGBColor = RGBColor(20, 24, 29);

/// What is written, and axes.
pub const INK: RGBColor = RGBColor(40, 40, 40);
const DARK_INK: RGBColor = RGBColor(232, 237, 242);

/// The lines behind.
pub const GRID: RGBColor = RGBColor(215, 215, 215);
const DARK_GRID: RGBColor = RGBColor(57, 66, 77);

/// How many shades of the first colour there are, from nearly the ground to itself.
const SHADES: u8 = 32;

/// As much of the first colour as is said, from 0 to 1, on the ground. It is not see-through: where neighbours touch there would be lines.
pub fn shade(depth: f64) -> RGBColor {
    let step = (depth.clamp(0.0, 1.0) * f64::from(SHADES)).round();
    mixed(GROUND, COLOURS[0], step / f64::from(SHADES))
}

fn mixed(ground: RGBColor, colour: RGBColor, depth: f64) -> RGBColor {
    let of = |ground: u8, colour: u8| {
        (f64::from(ground) + depth * (f64::from(colour) - f64::from(ground))).round().clamp(0.0, 255.0) as u8
    };
    RGBColor(of(ground.0, colour.0), of(ground.1, colour.1), of(ground.2, colour.2))
}

/// Each colour on white, and the one on black that stands for it.
fn pairs() -> Vec<(RGBColor, RGBColor)> {
    let shades = (1..SHADES).map(|step| f64::from(step) / f64::from(SHADES));
    let shades = shades.map(|depth| (mixed(GROUND, COLOURS[0], depth), mixed(DARK_GROUND, DARK_COLOURS[0], depth)));
    let others = [(GROUND, DARK_GROUND), (INK, DARK_INK), (GRID, DARK_GRID)];
    COLOURS.into_iter().zip(DARK_COLOURS).chain(others).chain(shades).collect()
}

/// The style sheet that a picture needs to be looked at as is wished; nothing for one on white.
pub fn style(picture: &str, theme: Theme) -> String {
    let on_black = || -> String {
        let rule = |(light, dark): (RGBColor, RGBColor)| {
            let (light, dark) = (written(light), written(dark));
            let of = |what: &str| {
                let has = format!("{what}=\"{light}\"");
                if picture.contains(&has) { format!("[{has}]{{{what}:{dark}}}") } else { String::new() }
            };
            [of("fill"), of("stroke")].concat()
        };
        pairs().into_iter().map(rule).collect()
    };
    match theme {
        Theme::Light => String::new(),
        Theme::Dark => format!("<style>{}</style>\n", on_black()),
        Theme::Auto => format!("<style>@media (prefers-color-scheme:dark){{{}}}</style>\n", on_black()),
    }
}

/// A colour as an SVG of charts has it.
fn written(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How bright it is (WCAG 2.1, relative luminance).
    fn brightness(RGBColor(red, green, blue): RGBColor) -> f64 {
        let linear = |part: u8| match f64::from(part) / 255.0 {
            low if low <= 0.04045 => low / 12.92,
            high => ((high + 0.055) / 1.055).powf(2.4),
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    fn contrast(a: RGBColor, b: RGBColor) -> f64 {
        let (a, b) = (brightness(a), brightness(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn letters_and_curves_are_told_from_the_ground_in_light_and_in_the_dark() {
        assert!(contrast(INK, GROUND) > 7.0 && contrast(DARK_INK, DARK_GROUND) > 7.0);
        for (light, dark) in COLOURS.into_iter().zip(DARK_COLOURS) {
            assert!(contrast(light, GROUND) > 2.9, "{light:?}");
            assert!(contrast(dark, DARK_GROUND) > 4.5, "{dark:?}");
        }
    }

    #[test]
    fn each_colour_on_white_has_one_on_black_and_no_two_are_written_alike() {
        let pairs = pairs();
        let written: std::collections::BTreeSet<String> =
            pairs.iter().map(|(light, _)| super::written(*light)).collect();
        assert_eq!(written.len(), pairs.len());
        for depth in [0.03, 0.08, 0.5, 0.99, 1.0] {
            assert!(pairs.iter().any(|(light, _)| *light == shade(depth)), "{depth}");
        }
    }
}
