//! Every number of every effect may be moved by a control, and nothing steps.

use engine::effects::EFFECTS;
use engine::parameter::{Kind, Parameter, Table};

use crate::rehearsal::Rehearsal;
use crate::sessions::try_graph;
use crate::spectrum::loudest_above;

/// Above this nothing of a tone at 60 Hz is heard, unless something clicks or distorts.
const ABOVE: f64 = 5000.0;

/// What an edit may leave there, in dBFS.
const BOUND: f64 = -80.0;

/// The ends of a sweep within a parameter's range: what an engineer would go through, and no level above 0 dB.
fn ends(parameter: &Parameter) -> Option<(f64, f64)> {
    let Kind::Number { least, most, .. } = parameter.kind else { return None };
    let (least, most) = match parameter.name {
        "gain" => (least.max(-60.0), most.min(0.0)),
        // Between its neighbours: crossovers rise.
        "crossover_1" => (40.0, 1500.0),
        "crossover_2" => (300.0, 12_000.0),
        _ => (least.max(-60.0), most),
    };
    (parameter.moves && least.is_finite() && most.is_finite()).then_some((least, most))
}

/// A session in which one setter of an effect, or one of its example as it stands, says something.
fn session(table: &Table, setter: &str) -> String {
    let effect = table.example.trim_start_matches("x >>").trim();
    format!("let x = input(\"x\", sine(60).level(-18));\nx >> {effect}{setter} >> master;")
}

/// How loud it is above the tone, once the first half second is over: what it is filled with then is not asked for here.
fn above(text: &str) -> f64 {
    let mut rehearsal = Rehearsal::new(text);
    rehearsal.run(72_000);
    rehearsal.sound.iter().map(|channel| loudest_above(&channel[24_000..], ABOVE)).fold(f64::MIN, f64::max)
}

/// Sweeps what `session` takes a value for between two ends, and tells of every control under which it steps.
fn steps(what: &str, session: impl Fn(String) -> String, (low, high): (f64, f64)) -> Vec<String> {
    // What it makes of the tone at the ends, and between them, is not the control's.
    let middle = (low + high) / 2.0;
    let at_rest = |value: f64| above(&session(format!("{value}")));
    let still = [low, middle, high].map(at_rest).into_iter().fold(BOUND, f64::max);
    let controls = ["lfo(3).shape(\"square\")", "lfo(2).shape(\"sine\")", "lfo(\"1/8\").shape(\"random\")"];
    let controls = controls.map(|control| format!("{control}.range({low}, {high})"));
    let moved = controls.map(|control| (above(&session(control.clone())), control));
    // Some make most of it elsewhere: bits that are few, but not too few for the tone.
    let between = |part: u8| at_rest(low + (high - low) * f64::from(part) / 24.0);
    let still = match moved.iter().any(|(moved, _)| *moved >= still + 6.0) {
        true => (1..24).map(between).fold(still, f64::max),
        false => still,
    };
    moved
        .into_iter()
        .filter(|(moved, _)| *moved >= still + 6.0)
        .map(|(moved, control)| format!("{what}({control}): {moved:.1}, at rest {still:.1}"))
        .collect()
}

#[test]
fn every_number_of_every_effect_may_jump_and_swing_under_a_control_without_a_step() {
    let (mut swept, mut found) = (0, Vec::new());
    for table in EFFECTS {
        let named = table.parameters.iter().filter_map(|parameter| Some((parameter.name, ends(parameter)?)));
        for (name, (low, high)) in named.chain([("mix", (0.0, 100.0))]) {
            let setter = |value: String| session(table, &format!(".{name}({value})"));
            if [low, high].iter().any(|end| try_graph(&setter(format!("{end}"))).is_err()) {
                continue;
            }
            found.extend(steps(&format!("{}.{name}", table.word), setter, (low, high)));
            swept += 1;
        }
    }
    assert!(found.is_empty(), "dBFS above {ABOVE} Hz:\n{}", found.join("\n"));
    assert!(swept > 33, "{swept} numbers");
}

#[test]
fn every_number_of_every_band_may_jump_and_swing_under_a_control_without_a_step() {
    let (mut swept, mut found) = (0, Vec::new());
    for table in EFFECTS {
        for part in table.parts {
            for (name, ends) in part.parameters.iter().filter_map(|parameter| Some((parameter.name, ends(parameter)?)))
            {
                // A band with a gain that is at work, all of it or, below a threshold of its own, some.
                let at_work = if part.index("gain").is_some() { "set(\"x/e#1.gain\", -12);" } else { "" };
                let loud = match name {
                    "ratio" => "set(\"x/e#1.threshold\", -30);",
                    _ => "",
                };
                let word = table.word;
                let text = |value: String| {
                    format!(
                        "let x = input(\"x\", sine(60).level(-18)); x >> {word}().{}().named(\"b\").named(\"e\") >> master;
                         {at_work} {loud} set(\"x/e#b.{name}\", {value});",
                        part.word
                    )
                };
                found.extend(steps(&format!("{word}().{}.{name}", part.word), text, ends));
                swept += 1;
            }
        }
    }
    assert!(found.is_empty(), "dBFS above {ABOVE} Hz:\n{}", found.join("\n"));
    assert!(swept > 20, "{swept} numbers");
}
