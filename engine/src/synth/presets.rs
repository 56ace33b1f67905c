//! Sounds to begin with: `bass keys pad pluck lead`.
//!
//! Each is a circuit with a few parameters and the settings that go with it. At a velocity of 0.8 they are about equally
//! loud from c3 to c5.

use super::{Fixed, SETTINGS};
use crate::circuit::sketch::{Line, Sketch};
use crate::circuit::{Circuit, Figure, Pass, Unary, Wave};

/// A sound by its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// What it is called.
    pub name: &'static str,
    /// What it is like.
    pub summary: &'static str,
    /// One voice of it.
    pub circuit: Circuit,
    /// What is built in.
    pub fixed: Fixed,
    /// The settings that differ from the defaults of [`SETTINGS`], by their names.
    pub settings: &'static [(&'static str, f64)],
}

impl Preset {
    /// The value of each of [`SETTINGS`], a level as its gain, then of each of the circuit's parameters.
    pub fn values(&self) -> Vec<f64> {
        let own = SETTINGS.iter().map(|setting| {
            let named = self.settings.iter().find(|(name, _)| *name == setting.name);
            let value = named.map_or(setting.default, |(_, value)| *value);
            if setting.unit == "dB" { crate::math::gain_from_db(value) } else { value }
        });
        own.chain(self.circuit.parameters.iter().map(|knob| knob.default)).collect()
    }
}

/// The names of all presets.
pub const NAMES: [&str; 5] = ["bass", "keys", "pad", "pluck", "lead"];

/// The preset of a name.
///
/// # Errors
/// There is none of that name.
pub fn find(name: &str) -> Result<Preset, String> {
    let poly = Fixed::default();
    let (name, summary, circuit, fixed, settings): (_, _, _, _, &[_]) = match name {
        "bass" => (
            NAMES[0],
            "A saw over a sine an octave below it, a filter that opens with each note, a touch of drive.",
            bass(),
            Fixed { voices: 1, ..poly },
            &[("attack", 2.0), ("decay", 300.0), ("sustain", 80.0), ("release", 80.0)],
        ),
        "keys" => (
            NAMES[1],
            "An electric piano: brighter the harder it is played.",
            keys(),
            poly,
            &[("attack", 1.0), ("decay", 4000.0), ("sustain", 20.0), ("release", 250.0)],
        ),
        "pad" => (
            NAMES[2],
            "Six slow saws from left to right under a filter that breathes.",
            pad(),
            poly,
            &[("attack", 450.0), ("decay", 1500.0), ("sustain", 85.0), ("release", 1200.0), ("touch", 50.0)],
        ),
        "pluck" => (
            NAMES[3],
            "Short and round: a filter that closes at once.",
            pluck(),
            poly,
            &[("attack", 1.0), ("decay", 900.0), ("sustain", 0.0), ("release", 300.0)],
        ),
        "lead" => (
            NAMES[4],
            "One bright voice that glides, with vibrato on what is held.",
            lead(),
            Fixed { voices: 1, legato: true, ..poly },
            &[("attack", 8.0), ("sustain", 85.0), ("release", 150.0), ("glide", 60.0), ("touch", 50.0)],
        ),
        other => return Err(format!("there is no preset \"{other}\": {}", NAMES.join(", "))),
    };
    Ok(Preset { name, summary, circuit: circuit?, fixed, settings })
}

/// As many cents higher. A cent is near enough 1/1731 of a frequency.
fn detuned(freq: Line<'_>, cents: f64) -> Line<'_> {
    freq * (1.0 + cents * (std::f64::consts::LN_2 / 1200.0))
}

fn bass() -> Result<Circuit, String> {
    let s = Sketch::voice();
    let (freq, velocity, zero) = (s.note(Figure::Freq), s.note(Figure::Velocity), s.number(0.0));
    let cutoff = s.parameter("cutoff", 350.0, 40.0, 8000.0);
    let resonance = s.parameter("resonance", 1.4, 0.5, 12.0);
    let open = s.parameter("open", 60.0, 0.0, 100.0) * 0.01;
    let drive = s.parameter("drive", 35.0, 0.0, 100.0) * 0.01;
    let saws = s.wave(Wave::Saw, freq, zero) + s.wave(Wave::Saw, detuned(freq, 6.0), s.number(0.3));
    let sub = s.wave(Wave::Sine, freq * 0.5, zero);
    let fall = s.envelope(1.0, 260.0, 8.0, 100.0);
    let corner = cutoff + freq + fall * open * (velocity * 4500.0 + 500.0);
    let sound = saws.filter(Pass::Low, corner, resonance) * 0.55 + sub * 0.6;
    let bent = (sound * (drive * 2.5 + 0.6)).unary(Unary::Tanh) * (s.number(1.5) - drive * 0.6);
    let out = (bent * BASS).signal();
    s.finish(&[out])
}

fn keys() -> Result<Circuit, String> {
    let s = Sketch::voice();
    let (freq, velocity, zero) = (s.note(Figure::Freq), s.note(Figure::Velocity), s.number(0.0));
    let bright = s.parameter("bright", 50.0, 0.0, 100.0) * 0.02;
    let tine = s.parameter("tine", 40.0, 0.0, 100.0) * 0.025;
    let hit = velocity * velocity;
    let quarter = s.number(0.25);
    // Frequency modulation by a cosine is phase modulation by a sine; the index is a part of the modulating frequency.
    let index = bright * (hit * 1.6 + 0.15) * (s.decay(s.number(2600.0)) * 0.8 + 0.2);
    let body = s.wave(Wave::Sine, freq + s.wave(Wave::Sine, detuned(freq, 2.0), quarter) * freq * index, zero);
    let high = (freq * 14.0).at_most(9000.0);
    let ring = tine * (hit * 0.5 + 0.05) * s.decay(s.number(450.0));
    let bell = s.wave(Wave::Sine, freq + s.wave(Wave::Sine, high, quarter) * high * ring * 0.5, zero);
    // Modulator and carrier a little apart make an offset that sways.
    let sound = (body * 0.8 + bell * 0.45).filter(Pass::High, s.number(30.0), s.number(0.7));
    let out = (sound * KEYS).signal();
    s.finish(&[out])
}

fn pad() -> Result<Circuit, String> {
    let s = Sketch::voice();
    let (freq, random) = (s.note(Figure::Freq), s.note(Figure::Random));
    let cutoff = s.parameter("cutoff", 1400.0, 100.0, 12_000.0);
    let resonance = s.parameter("resonance", 0.9, 0.5, 8.0);
    let motion = s.parameter("motion", 40.0, 0.0, 100.0) * 0.01;
    let width = s.parameter("width", 50.0, 0.0, 100.0) * 0.01;
    let saw = |cents: f64, turn: f64| s.wave(Wave::Saw, detuned(freq, cents), (random * turn).part());
    let (left, right) = (saw(-11.0, 17.0) + saw(5.0, 29.0), saw(-5.0, 41.0) + saw(11.0, 59.0));
    let middle = saw(-1.5, 71.0) + saw(1.5, 83.0);
    let swell = s.envelope(900.0, 2500.0, 70.0, 900.0) * 0.6 + 0.4;
    let corner = |rate: f64| (cutoff * (s.sway(rate) * motion * 0.5 + 1.0) + freq) * swell;
    let (near, far) = (s.number(1.0) - width * 0.5, width * 0.5 + 0.25);
    let side = [(left, 0.11), (right, 0.13)]
        .map(|(own, rate)| ((own * far * 1.6 + middle * near) * PAD).filter(Pass::Low, corner(rate), resonance));
    let outputs = side.map(Line::signal);
    s.finish(&outputs)
}

fn pluck() -> Result<Circuit, String> {
    let s = Sketch::voice();
    let (freq, velocity, zero) = (s.note(Figure::Freq), s.note(Figure::Velocity), s.number(0.0));
    let cutoff = s.parameter("cutoff", 500.0, 40.0, 8000.0);
    let resonance = s.parameter("resonance", 1.8, 0.5, 12.0);
    let bright = s.parameter("bright", 50.0, 0.0, 100.0) * 0.02;
    let length = s.parameter("length", 450.0, 20.0, 4000.0);
    let body = s.wave(Wave::Saw, freq, zero) * 0.6 + s.wave(Wave::Square, detuned(freq, 4.0), s.number(0.1)) * 0.35;
    let fall = s.decay(length);
    let corner = cutoff + freq * 0.5 + fall * bright * (velocity * velocity * 7000.0 + 1500.0);
    let out = (body.filter(Pass::Low, corner, resonance) * PLUCK).signal();
    s.finish(&[out])
}

fn lead() -> Result<Circuit, String> {
    let s = Sketch::voice();
    let (freq, velocity, zero) = (s.note(Figure::Freq), s.note(Figure::Velocity), s.number(0.0));
    let cutoff = s.parameter("cutoff", 3200.0, 100.0, 16_000.0);
    let resonance = s.parameter("resonance", 1.6, 0.5, 12.0);
    let vibrato = s.parameter("vibrato", 18.0, 0.0, 100.0) * (std::f64::consts::LN_2 / 1200.0);
    let colour = s.parameter("colour", 40.0, 0.0, 100.0) * 0.01;
    // Nothing for a third of a second, all of it after another half.
    let grown = ((s.note(Figure::Age) - 0.35) * 2.0).at_least(0.0).at_most(1.0);
    let freq = freq * (s.wave(Wave::Sine, s.number(5.4), zero) * grown * vibrato + 1.0);
    let saws = s.wave(Wave::Saw, detuned(freq, -5.0), zero) + s.wave(Wave::Saw, detuned(freq, 5.0), s.number(0.4));
    let square = s.wave(Wave::Square, freq, s.number(0.2));
    let fall = s.envelope(12.0, 500.0, 35.0, 200.0);
    let corner = cutoff * (fall * (velocity * 0.8 + 0.4) + 0.4) + freq;
    let sound = saws * 0.5 * (s.number(1.0) - colour * 0.6) + square * colour * 0.7;
    let out = (sound.filter(Pass::Low, corner, resonance) * LEAD).signal();
    s.finish(&[out])
}

// What makes them equally loud.
const BASS: f64 = 0.84;
const KEYS: f64 = 0.8;
const PAD: f64 = 0.5;
const PLUCK: f64 = 1.58;
const LEAD: f64 = 1.12;
