//! Tests of portraits: each curve against the formula of what it is of, and every effect there is.

use std::f64::consts::PI;

use super::character::{self, Character};
use super::curves;
use super::fields::Field;
use super::trial::{RATE, Trial};
use super::*;

fn drawn(said: &str) -> Vec<Field> {
    fields_of(said).unwrap_or_else(|why| panic!("{said}: {why}"))
}

fn refused(said: &str) -> String {
    match fields_of(said) {
        Err(why) => why.to_string(),
        Ok(fields) => panic!("{said} is drawn: {}", fields[0].name),
    }
}

/// Holds a curve to a formula, as far as that goes.
fn follows(said: &str, line: &str, tolerance: f64, formula: impl Fn(f64) -> Option<f64>) {
    let fields = drawn(said);
    let (_, points) =
        fields[0].lines.iter().find(|(name, _)| name == line).unwrap_or_else(|| panic!("{said} has no `{line}`"));
    let held: Vec<(f64, f64, f64)> = points.iter().filter_map(|(x, y)| Some((*x, *y, formula(*x)?))).collect();
    assert!(held.len() > 20, "{said}: {} points", held.len());
    for (x, y, expected) in held {
        assert!((y - expected).abs() <= tolerance, "{said} at {x}: {y} instead of {expected}");
    }
}

fn db(gain: f64) -> f64 {
    20.0 * gain.log10()
}

#[test]
fn a_level_is_a_level_line() {
    follows("fader(-6)", "each side", 1e-9, |_| Some(-6.0));
    follows("polarity()", "each side", 1e-9, |_| Some(0.0));
    let fields = drawn("swap()");
    let names: Vec<&str> = fields[0].lines.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["to the other side"]);
    follows("width(0)", "to the other side", 1e-6, |_| Some(db(0.5)));
}

#[test]
fn a_filter_is_the_curve_of_its_formula() {
    // Zavalishin 2012: the analogue filter, its frequencies bent by the tangent.
    let bent = |hertz: f64| (PI * hertz / RATE).tan() / (PI * 1000.0 / RATE).tan();
    follows("high_pass(1000, 2)", "each side", 0.01, |hertz| {
        let w = bent(hertz);
        Some(db(w * w / ((1.0 - w * w).powi(2) + (w / 2.0).powi(2)).sqrt())).filter(|level| *level > -60.0)
    });
    follows("low_pass(1.kHz, 2)", "each side", 0.01, |hertz| {
        let w = bent(hertz);
        Some(db(1.0 / ((1.0 - w * w).powi(2) + (w / 2.0).powi(2)).sqrt())).filter(|level| *level > -60.0)
    });
}

#[test]
fn a_bell_follows_the_analogue_one() {
    let (a, q) = (10_f64.powf(6.0 / 40.0), 1.2);
    follows("eq().bell(2000, 6, 1.2)", "each side", 0.1, |hertz| {
        let w = hertz / 2000.0;
        let over = (1.0 - w * w).powi(2) + (w * a / q).powi(2);
        let under = (1.0 - w * w).powi(2) + (w / (a * q)).powi(2);
        Some(db((over / under).sqrt()))
    });
}

#[test]
fn a_row_of_effects_is_the_sum_of_their_levels() {
    let one = |said: &str| drawn(said)[0].lines[0].1.clone();
    let (first, second) = (one("high_pass(200)"), one("eq().high_shelf(5000, 4)"));
    let both = one("high_pass(200) >> eq().high_shelf(5000, 4)");
    for ((both, first), second) in both.iter().zip(&first).zip(&second) {
        assert!((both.1 - first.1 - second.1).abs() < 1e-6, "{both:?}");
    }
}

#[test]
fn a_compressor_is_the_curve_of_its_formula() {
    // Giannoulis, Massberg and Reiss 2012.
    let (threshold, ratio, knee) = (-20.0, 4.0, 6.0);
    follows("compressor(-20, 4).knee(6).attack(1.ms)", "out", 0.02, |x| {
        let over = x - threshold;
        Some(match over {
            _ if 2.0 * over < -knee => x,
            _ if 2.0 * over <= knee => x + (1.0 / ratio - 1.0) * (over + knee / 2.0).powi(2) / (2.0 * knee),
            _ => threshold + over / ratio,
        })
    });
}

#[test]
fn a_limiter_a_gate_and_an_expander_are_the_curves_of_theirs() {
    // It works 0.2 dB inside its ceiling.
    follows("limiter(-6)", "out", 0.25, |x| Some(x.min(-6.0)));
    follows("gate(-40).range(20)", "out", 0.02, |x| match x {
        _ if (x + 40.0).abs() < 1.5 => None,
        _ if x < -40.0 => Some(x - 20.0),
        _ => Some(x),
    });
    follows("expander(-30, 2).range(24)", "out", 0.1, |x| match x {
        _ if (x + 30.0).abs() < 4.0 || x < -50.0 => None,
        _ if x < -30.0 => Some(x - (-30.0 - x)),
        _ => Some(x),
    });
}

/// Where a curve bends most, of those that a field has the one that does so most.
fn knee(field: &Field) -> f64 {
    let bends = field.lines.iter().flat_map(|(_, points)| {
        let bend = |three: &[(f64, f64)]| (three[1].0, (three[2].1 - 2.0 * three[1].1 + three[0].1).abs());
        points.windows(3).map(bend).collect::<Vec<_>>()
    });
    bends.max_by(|a, b| a.1.total_cmp(&b.1)).expect("there are points").0
}

#[test]
fn wherever_a_threshold_is_the_curve_bends_there_and_both_sides_of_it_are_shown() {
    for (said, threshold) in [
        ("compressor(-50, 8).knee(0).attack(1)", -50.0),
        ("compressor(-3, 8).knee(0).attack(1)", -3.0),
        ("gate(-20)", -20.0),
        ("gate(-70)", -70.0),
        ("expander(-80, 3).range(60)", -80.0),
        ("limiter(0)", 0.0),
        ("limiter(-24)", -24.0),
        ("multiband().crossovers(200, 2000).band(2, compressor(-30, 8).knee(0).attack(1))", -30.0),
    ] {
        let fields = drawn(said);
        let found = knee(&fields[0]);
        assert!((found - threshold).abs() <= 1.5, "{said}: {found}");
        let along = &fields[0].along.1;
        assert!(along.start <= threshold - 15.0 && along.end >= threshold + 6.0, "{said}: {along:?}");
        // What is loud for a moment is so beyond the threshold, and soft before and after.
        let (_, came) = fields[1].beside.as_ref().expect("what went in is shown");
        let levels = || came.iter().map(|(_, level)| *level);
        let (soft, loud) = (levels().fold(f64::INFINITY, f64::min), levels().fold(f64::NEG_INFINITY, f64::max));
        assert!(soft < threshold && threshold < loud, "{said}: {soft} to {loud}");
    }
}

#[test]
fn what_a_multiband_does_is_shown_for_each_band() {
    let fields = drawn("multiband().crossovers(200, 2000).band(1, compressor(-24, 3)).band(3, gain(1))");
    let names: Vec<&str> = fields[0].lines.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["band 1, at 63 Hz", "band 2, at 632 Hz", "band 3, at 6325 Hz"]);
    let out = |band: usize| fields[0].lines[band].1.last().expect("there are points").1 - 6.0;
    assert!(out(0) < -15.0 && out(1).abs() < 0.1 && (out(2) - 1.0).abs() < 0.1, "{} {} {}", out(0), out(1), out(2));
    assert!(fields[1].name.contains("63 Hz"), "{}", fields[1].name);
}

#[test]
fn repeats_are_shown_until_they_are_over() {
    let ends = |said: &str| drawn(said)[1].along.1.end;
    // Each repeat is 6 dB softer in the middle of the band: ten of them, and what the filters in the loop take.
    let end = ends("delay(300).feedback(50)");
    assert!((2.0..4.0).contains(&end), "{end}");
    assert!(ends("delay(300).feedback(80)") > 5.0);
    assert!(ends("delay(900).feedback(100)") <= 12.0, "however long it repeats");
    let decay = ends("reverb().decay(3.s)");
    assert!((2.0..5.0).contains(&decay), "{decay}");
}

#[test]
fn what_dither_adds_is_shown_at_the_level_that_it_has() {
    let fields = drawn("dither(16)");
    // Triangular noise of two steps: 20 log10(2 ^ -15 / 2), and 6 dB less in each octave down from half the rate.
    let (_, points) = &fields[0].lines[0];
    let at = |hertz: f64| points.iter().min_by(|a, b| (a.0 - hertz).abs().total_cmp(&(b.0 - hertz).abs())).unwrap().1;
    let third = |hertz: f64| {
        let width = hertz * (2.0_f64.powf(1.0 / 6.0) - 2.0_f64.powf(-1.0 / 6.0));
        db(0.5_f64.powi(15) / 2.0) + 10.0 * (width / (RATE / 2.0)).log10()
    };
    for hertz in [500.0, 2000.0, 8000.0] {
        assert!((at(hertz) - third(hertz)).abs() < 1.0, "{hertz}: {} instead of {}", at(hertz), third(hertz));
    }
    assert!(drawn("dither(16).shape(\"hearing\")")[0].name.contains("adds"));
}

#[test]
fn a_picture_is_called_after_what_is_drawn_first() {
    for (said, file) in [
        ("eq", "eq.svg"),
        ("eq().bell(1.kHz, 6)", "eq.svg"),
        ("x >> gate(-40) >> eq()", "gate.svg"),
        ("(", "effect.svg"),
    ] {
        assert_eq!(usual_file(said), Path::new(file), "{said}");
    }
}

#[test]
fn every_effect_is_drawn_by_its_word_or_says_why_not() {
    for table in EFFECTS {
        match table.word {
            "insert" => assert!(refused("insert").contains("gainstage sweep"), "{}", refused("insert")),
            "looper" => assert!(refused("looper").contains("nothing has"), "{}", refused("looper")),
            // Its file lies beside the examples.
            "convolve" => drop(drawn("convolve(\"../examples/audio/room.flac\")")),
            word => {
                let fields = drawn(word);
                for field in &fields {
                    assert!(!field.lines.is_empty(), "{word}: {}", field.name);
                    for (_, points) in &field.lines {
                        assert!(
                            points.len() >= 2 && points.iter().all(|(x, y)| x.is_finite() && y.is_finite()),
                            "{word}"
                        );
                    }
                }
                let svg = picture(&fields, word, Theme::Auto).unwrap_or_else(|why| panic!("{word}: {why}"));
                resvg::usvg::Tree::from_str(&svg, &resvg::usvg::Options::default()).unwrap();
            }
        }
    }
}

#[test]
fn what_an_effect_is_is_found_out_by_trying_it() {
    for (said, expected) in [
        ("fader(-3)", Character::Steady),
        ("eq().bell(900, -3, 1).high_shelf(8000, 2)", Character::Steady),
        ("multiband()", Character::Steady),
        ("delay(300.ms)", Character::Rings),
        // Its loop bends what is far too loud, and that is not what it is for.
        ("delay(300).feedback(80)", Character::Rings),
        ("multiband().band(1, compressor(-24, 3))", Character::Bends),
        ("reverb()", Character::Rings),
        ("tremolo(4)", Character::Moves),
        ("phaser()", Character::Moves),
        ("compressor(-18, 2)", Character::Bends),
        ("limiter(-1)", Character::Bends),
        ("saturate(6)", Character::Bends),
        // No level is another to it, but a beginning is another than what follows.
        ("transient(40, -20)", Character::Bends),
        ("high_pass(80) >> compressor(-18, 2)", Character::Bends),
    ] {
        assert_eq!(character::of(&Trial::new(said).unwrap()).unwrap(), expected, "{said}");
    }
}

#[test]
fn nothing_comes_out_before_it_has_come_in() {
    for said in ["multiband().band(1, compressor(-24, 3))", "compressor(-18, 4)", "gate(-40)"] {
        let fields = drawn(said);
        let burst = &fields[1];
        let (_, came) = burst.beside.as_ref().expect("what went in is shown");
        let loud = came.iter().fold(f64::NEG_INFINITY, |most, (_, level)| level.max(most));
        let end = came.iter().rfind(|(_, level)| loud - level < 1e-6).expect("it is loud").0;
        let begin = came[1].0;
        let (_, out) = &burst.lines[0];
        let soft = out[0].1;
        let early = out.iter().filter(|(at, _)| *at < begin - 1e-9).find(|(_, level)| (level - soft).abs() > 0.3);
        assert_eq!(early, None, "{said}: {soft} before");
        // While it is loud it comes to rest, and no bump foretells the end.
        let late = || out.iter().filter(|(at, _)| (end - 0.05..end - 1e-9).contains(at)).map(|(_, level)| *level);
        let range = late().fold(f64::NEG_INFINITY, f64::max) - late().fold(f64::INFINITY, f64::min);
        assert!(range < 0.5, "{said}: {range} dB");
        // Nor does one come after it: it only gets softer.
        let after: Vec<f64> =
            out.iter().filter(|(at, _)| (end..end + 0.01).contains(at)).map(|(_, level)| *level).collect();
        assert!(after.windows(2).all(|pair| pair[1] < pair[0] + 0.3), "{said}: {after:?}");
    }
}

#[test]
fn a_law_of_panning_is_seen_by_what_comes_in_mono() {
    let level = |said: &str| {
        let fields = drawn(said);
        let field = fields.last().expect("there is one");
        assert!(fields.len() == 2 && field.name.contains("mono"), "{said}: {}", field.name);
        field.lines.iter().map(|(_, points)| points[100].1).collect::<Vec<f64>>()
    };
    let near = |found: Vec<f64>, expected: f64| found.iter().all(|level| (level - expected).abs() < 0.02);
    assert!(near(level("pan(0)"), db(0.5_f64.sqrt())), "{:?}", level("pan(0)"));
    assert!(near(level("pan(0).law(0)"), 0.0), "{:?}", level("pan(0).law(0)"));
    assert_eq!(drawn("width(50)").len(), 1, "what has no law hears nothing mono");
}

/// How often a curve turns, as it is drawn, in each octave from a frequency on.
fn turns_in(points: &[(f64, f64)], from: f64, to: f64) -> usize {
    let within: Vec<f64> = points.iter().filter(|(hertz, _)| (from..to).contains(hertz)).map(|(_, y)| *y).collect();
    within.windows(3).filter(|three| (three[1] - three[0]) * (three[2] - three[1]) < 0.0).count()
}

#[test]
fn a_comb_is_drawn_tooth_by_tooth_as_far_as_it_can_be_and_no_further() {
    // Half of it comes 10 ms later: a notch at each odd 50 Hz.
    let fields = drawn("delay(10).feedback(0).mix(50)");
    let (end, (_, points)) = (fields[0].along.1.end, &fields[0].lines[0]);
    assert!((1000.0..6000.0).contains(&end), "{end}");
    assert!(fields[0].name.contains("teeth"), "{}", fields[0].name);
    let turns = turns_in(points, 200.0, 1000.0);
    assert!((15..=17).contains(&turns), "a top and a notch in each 100 Hz, and not {turns}");
    assert_eq!(drawn("eq().bell(400, 9, 4).bell(2.kHz, -9, 4)")[0].along.1.end, 20_000.0);
}

#[test]
fn a_response_that_moves_is_shown_at_moments_at_which_it_differs() {
    for said in ["chorus", "flanger", "phaser"] {
        let fields = drawn(said);
        let lines = &fields[0].lines;
        assert!((3..=4).contains(&lines.len()), "{said}: {}", lines.len());
        for (i, (name, one)) in lines.iter().enumerate() {
            for (other, two) in &lines[i + 1..] {
                let apart = one.iter().zip(two).map(|(a, b)| (a.1 - b.1).abs()).fold(0.0, f64::max);
                assert!(apart > 1.0, "{said}: {name} and {other} differ by {apart} dB");
            }
        }
    }
}

#[test]
fn what_is_shown_over_time_agrees_with_the_moments_that_are_shown() {
    for said in ["tremolo(3)", "auto_pan(0.7).depth(70)"] {
        let fields = drawn(said);
        assert_eq!(fields[0].lines.len(), 4, "{said}");
        for (name, points) in &fields[0].lines {
            let after: f64 = name.split(' ').nth(1).and_then(|after| after.parse().ok()).expect("a moment");
            let (_, over_time) = &fields[1].lines[0];
            let near = over_time.iter().min_by(|a, b| (a.0 - after).abs().total_cmp(&(b.0 - after).abs())).unwrap();
            assert!((near.1 - points[100].1).abs() < 0.4, "{said} {name}: {} and {}", near.1, points[100].1);
        }
    }
    let limited = drawn("limiter(-6)");
    assert!(limited[1].name.ends_with("ms ahead"), "{}", limited[1].name);
}

#[test]
fn a_picture_has_parts_of_pixels_and_a_form_for_the_dark() {
    let fields = drawn("eq().bell(1.kHz, 6)");
    let of = |theme: Theme| picture(&fields, "a title", theme).unwrap_or_else(|why| panic!("{why}"));
    let auto = of(Theme::Auto);
    assert!(auto.starts_with("<svg width=\"1080\" height=\"482\" viewBox=\"0 0 10800 4820\""), "{}", &auto[..99]);
    let curve = auto.split(" points=\"").skip(1).max_by_key(|points| points.len()).expect("there is a curve");
    let heights = curve.split('"').next().unwrap().split_whitespace().filter_map(|point| point.split_once(','));
    let heights: Vec<u32> = heights.map(|(_, y)| y.parse().unwrap()).collect();
    assert!(heights.iter().any(|y| y % 10 != 0), "{heights:?}");
    assert!(auto.contains("prefers-color-scheme:dark") && !of(Theme::Light).contains("<style>"));
    // Every colour of the picture has another in the dark, and it is drawn in that.
    let style = of(Theme::Dark);
    let style = style.split("</style>").next().unwrap().to_owned();
    for what in ["fill", "stroke"] {
        for colour in auto.split(&format!(" {what}=\"#")).skip(1).map(|rest| &rest[..6]) {
            assert!(style.contains(&format!("[{what}=\"#{colour}\"]")), "{what} #{colour}: {style}");
        }
    }
    let options = resvg::usvg::Options::default();
    let tree = resvg::usvg::Tree::from_str(&of(Theme::Dark), &options).unwrap();
    let mut points = resvg::tiny_skia::Pixmap::new(1080, 482).unwrap();
    resvg::render(&tree, resvg::tiny_skia::Transform::default(), &mut points.as_mut());
    let corner = points.pixel(2, 2).unwrap();
    assert!(corner.red() < 60 && corner.green() < 60, "{corner:?}");
}

#[test]
fn what_has_no_curve_says_so() {
    assert!(refused("tempo").contains("only an effect has one"), "{}", refused("tempo"));
    assert!(refused("sine").contains("only an effect has one"), "{}", refused("sine"));
    assert!(refused("fader(off)").contains("nothing comes out of it"), "{}", refused("fader(off)"));
    let far = ["fader(-60)"; 4].join(" >> ");
    assert!(refused(&far).contains("too little to be seen"), "{}", refused(&far));
}

#[test]
fn no_curve_leaves_its_field() {
    for said in ["compressor(-40, 20)", "high_pass(5000)", "fader(24)", "tremolo(4).depth(100)", "delay(100.ms)"] {
        for field in drawn(said) {
            for curve in field.curves() {
                let (low, high) = (field.up.1.start, field.up.1.end);
                assert!(curve.points.iter().all(|(_, y)| (low..=high).contains(y)), "{said}: {}", field.name);
            }
        }
    }
    // The frequencies are those that are heard.
    assert_eq!(curves::FREQUENCIES, 20.0..20_000.0);
}

#[test]
fn the_curve_of_a_chain_is_of_a_tone_that_its_filters_pass_and_its_response_is_drawn_too() {
    let fields = drawn("high_pass(90) >> compressor(-18, 4)");
    let below = |field: &Field| field.lines[0].1.iter().find(|(x, _)| *x == -40.0).map(|(x, y)| y - x);
    // At its corner a filter of the second order is 3 dB down; far above it is nothing.
    assert!(below(&fields[0]).is_some_and(|change| change.abs() < 0.2), "{:?}", below(&fields[0]));
    assert_eq!(fields.len(), 3);
    assert!(fields[2].name.contains("quiet") && fields[2].along.0 == "Hz", "{}", fields[2].name);
    let at_corner = fields[2].lines[0].1.iter().min_by(|a, b| (a.0 - 90.0).abs().total_cmp(&(b.0 - 90.0).abs()));
    assert!(at_corner.is_some_and(|(_, level)| (level + 3.0).abs() < 0.5), "{at_corner:?}");
    let low = drawn("low_pass(300) >> compressor(-18, 4)");
    assert!(below(&low[0]).is_some_and(|change| change.abs() < 0.6), "{:?}", below(&low[0]));
    assert_eq!(drawn("compressor(-18, 4)").len(), 2, "what has no response of its own shows none");
}
