//! Tests of portraits: each curve against the formula of what it is of, and every effect there is.

use std::f64::consts::PI;

use super::character::{self, Character};
use super::fields::{self, Field};
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
                let svg = picture(&fields, word).unwrap_or_else(|why| panic!("{word}: {why}"));
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
fn what_has_no_curve_says_so() {
    assert!(refused("tempo").contains("only an effect has one"), "{}", refused("tempo"));
    assert!(refused("sine").contains("only an effect has one"), "{}", refused("sine"));
    assert!(refused("dither(16)").contains("too little to be seen"), "{}", refused("dither(16)"));
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
    assert_eq!(fields::FREQUENCIES, 20.0..20_000.0);
}
