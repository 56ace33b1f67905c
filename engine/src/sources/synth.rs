//! Instruments that calculate their sound: `synth(|note| ...)`, whose voice a text describes, and the presets `bass`, `keys`,
//! `pad`, `pluck` and `lead`.

use std::sync::LazyLock;

use super::instrument::{HOLD, KEYBOARD, PATTERN, VELOCITY};
use crate::circuit::tables::{CIRCUIT, circuit_of};
use crate::circuit::{Circuit, Knob};
use crate::effects::no_latency;
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::keyboard::{Act, Held, Touch};
use crate::parameter::{Law, Memory, Parameter, Recipe, Table};
use crate::random;
use crate::synth::presets::{self, NAMES, Preset};
use crate::synth::{self, Fixed, Note, SETTINGS, Setting, Synth};
use crate::units::Unit;

/// The parameters of every synth, before those of its circuit.
const OWN: [Parameter; 7] = [
    PATTERN,
    VELOCITY,
    HOLD,
    Parameter::number("voices", Unit::Plain, 16.0, 1.0, 128.0, "notes that sound at a time; the quietest makes room")
        .fixed(),
    Parameter::flag("legato", false, "with one voice, a note that begins while another is held only moves the pitch"),
    Parameter::number("unison", Unit::Plain, 1.0, 1.0, 16.0, "detuned copies of each note").fixed(),
    KEYBOARD,
];

const VOICES: usize = 3;
const LEGATO: usize = 4;
const UNISON: usize = 5;

/// The table of `synth(|note| ...)` for circuits that declare no parameters.
pub static SYNTH: LazyLock<&'static Table> = LazyLock::new(|| {
    let circuit = Parameter::circuit(CIRCUIT, "what a voice is");
    let own = OWN.into_iter().chain([circuit]);
    lasting(Table {
        word: "synth",
        summary: "An instrument of this session's own. In its function generators swing from -1 to 1, and what it gives is brought to -18 dBFS.",
        example: "play(\"c3 e3\", synth(|note| saw(note.freq)))",
        parameters: own
            .chain(SETTINGS.iter().map(|setting| of_setting(setting, setting.default)))
            .collect::<Vec<_>>()
            .leak(),
        ..table(|recipe| instrument(recipe, circuit_of(recipe).map(|circuit| &**circuit)))
    })
});

/// A table of a preset: its name, an example, and what goes by its circuit.
type Row = (&'static str, &'static str, fn(&Recipe) -> Result<usize, String>, fn(&Recipe) -> Box<dyn Kernel>);

macro_rules! rows {
    ($($name:literal: $example:literal,)+) => {
        [$(($name, $example, |recipe| channels_of(preset($name), recipe), |recipe| instrument(recipe, preset($name))),)+]
    };
}

/// The presets, in the order in which the reference shows them.
pub static PRESETS: LazyLock<Vec<&'static Table>> = LazyLock::new(|| {
    const ROWS: [Row; 5] = rows! {
        "bass": "play(\"c2 ~ c2 eb2\", bass())",
        "keys": "play(\"c4'maj f4'maj\", keys())",
        "pad": "play(\"<c4'min7 ab3'maj7>\", pad())",
        "pluck": "play(\"c4 eb4 g4 bb4\", pluck())",
        "lead": "play(\"c5 ~ eb5 d5\", lead())",
    };
    ROWS.into_iter().filter_map(|row| Some(preset_table(sound(row.0)?, row))).collect()
});

/// The circuit of a preset.
fn preset(name: &str) -> Option<&'static Circuit> {
    sound(name).map(|preset| &preset.circuit)
}

/// A preset by its name; each is made once.
fn sound(name: &str) -> Option<&'static Preset> {
    static SOUNDS: LazyLock<Vec<Preset>> =
        LazyLock::new(|| NAMES.iter().filter_map(|name| presets::find(name).ok()).collect());
    SOUNDS.iter().find(|preset| preset.name == name)
}

fn preset_table(preset: &Preset, (_, example, channels, kernel): Row) -> &'static Table {
    let mut own = OWN;
    own[VOICES] = own[VOICES].with_default(preset.fixed.voices as f64);
    own[UNISON] = own[UNISON].with_default(preset.fixed.unison as f64);
    own[LEGATO] = Parameter::flag("legato", preset.fixed.legato, own[LEGATO].help);
    let settings = SETTINGS.iter().map(|setting| {
        let said = preset.settings.iter().find(|(name, _)| *name == setting.name);
        of_setting(setting, said.map_or(setting.default, |(_, value)| *value))
    });
    let knobs = preset.circuit.parameters.iter().map(|knob| of_knob(knob, "of this sound"));
    let parameters = own.into_iter().chain(settings).chain(knobs).collect::<Vec<_>>().leak();
    lasting(Table { word: preset.name, summary: preset.summary, example, parameters, channels, ..table(kernel) })
}

fn table(kernel: fn(&Recipe) -> Box<dyn Kernel>) -> Table {
    Table {
        word: "",
        summary: "",
        example: "",
        arguments: &[],
        parameters: &[],
        parts: &[],
        mix: 100.0,
        channels: |recipe| channels_of(circuit_of(recipe).map(|circuit| &**circuit), recipe),
        latency: no_latency,
        tail: |recipe| (release(recipe) / 1000.0 * recipe.rate()) as u64,
        memory: Memory::Brief,
        kernel,
    }
}

fn lasting(table: Table) -> &'static Table {
    Box::leak(Box::new(table))
}

/// A setting of the synthesiser as a parameter.
fn of_setting(setting: &Setting, default: f64) -> Parameter {
    let Setting { name, least, most, .. } = *setting;
    let unit = match setting.unit {
        "ms" => Unit::Milliseconds,
        "cents" => Unit::Cents,
        "dB" => Unit::Decibels,
        _ => Unit::Percent,
    };
    let parameter = Parameter::number(name, unit, default, least, most, setting.help);
    if unit == Unit::Decibels { parameter.or("off", 0.0).law(Law::Amplitude) } else { parameter }
}

/// A parameter that a circuit declares.
pub(crate) fn of_knob(knob: &Knob, help: &'static str) -> Parameter {
    let name = knob.name.clone().leak();
    Parameter::number(name, Unit::Plain, knob.default, knob.least, knob.most, help)
}

/// Which of a recipe's values are the settings, with those of the circuit behind them.
fn first_setting(recipe: &Recipe) -> usize {
    OWN.len() + usize::from(circuit_of(recipe).is_some())
}

fn release(recipe: &Recipe) -> f64 {
    let at = SETTINGS.iter().position(|setting| setting.name == "release");
    at.and_then(|at| recipe.values.get(first_setting(recipe) + at)).copied().unwrap_or(0.0)
}

fn fixed(recipe: &Recipe) -> Fixed {
    let [voices, legato, unison] = [VOICES, LEGATO, UNISON].map(|index| recipe.values[index]);
    Fixed { voices: voices as usize, legato: legato != 0.0, unison: unison as usize }
}

/// The most megabytes that the delays of a synth take.
const MOST_MEGABYTES: usize = 256;

/// For [`Table::channels`]: two if copies are spread, or the circuit gives two.
fn channels_of(circuit: Option<&Circuit>, recipe: &Recipe) -> Result<usize, String> {
    for (index, name) in [(VOICES, "voices"), (UNISON, "unison")] {
        let number = recipe.values[index];
        if number.fract() != 0.0 {
            return Err(format!("`{name}` is a whole number, not {number}"));
        }
    }
    let Some(circuit) = circuit else { return Ok(1) };
    let Fixed { voices, unison, .. } = fixed(recipe);
    let megabytes = synth::memory(circuit, fixed(recipe)).div_ceil(1 << 20);
    if megabytes > MOST_MEGABYTES {
        let copies = if unison == 1 { String::new() } else { format!(" in {unison} copies") };
        return Err(format!(
            "its delays take {megabytes} MB for {voices} voices{copies}, and as many that fade out: {MOST_MEGABYTES} MB are \
             the most; shorten the delays, or have fewer `voices` or less `unison`"
        ));
    }
    Ok(synth::channels(circuit, fixed(recipe)))
}

fn instrument(recipe: &Recipe, circuit: Option<&Circuit>) -> Box<dyn Kernel> {
    // A recipe is checked by `channels` before it is built.
    let synth = circuit.and_then(|circuit| Synth::new(circuit, fixed(recipe), recipe.rate(), recipe.seed).ok());
    match synth {
        Some(synth) => {
            let (first, seed) = (first_setting(recipe), recipe.seed);
            Box::new(Instrument { synth, first, seed, held: Held::default(), by_hand: false })
        }
        None => Box::new(Silent),
    }
}

struct Instrument {
    synth: Synth,
    /// The first of the values that are settings.
    first: usize,
    seed: u64,
    /// What a keyboard holds.
    held: Held,
    by_hand: bool,
}

keep!(Instrument: synth, held);

impl Kernel for Instrument {
    fn process(&mut self, io: &mut Io<'_>) {
        if io.frames.start == 0 && self.by_hand && (io.moved || !io.rolling) {
            // Hands stay where they are.
            self.synth.stop_timed();
        } else if io.frames.start == 0 && io.moved {
            self.synth.reset();
        }
        let frames = io.frames.clone();
        while let Some((at, note)) = io.next_note() {
            let id = random::mix(random::mix(self.seed ^ note.begin ^ note.pitch.to_bits()) ^ note.end);
            let left = note.end.saturating_sub(io.frame(at)).max(1);
            self.synth.start(at, Note { id, pitch: note.pitch, velocity: note.velocity, frames: Some(left) });
        }
        self.synth.process(frames, io.transport, io.values.get(self.first..).unwrap_or_default(), io.audio);
    }

    fn reset(&mut self) {
        self.synth.reset();
        self.held.forget();
    }

    fn hand(&mut self, plays: bool) {
        self.by_hand = plays;
    }

    fn touch(&mut self, touch: Touch) {
        let Instrument { synth, seed, held, .. } = self;
        // Notes of the pattern are known by where they begin, which is no such number.
        let id = |key: u8| random::mix(*seed ^ HAND ^ u64::from(key));
        held.touch(touch, |act| match act {
            Act::Start(key, velocity) => {
                synth.start(0, Note { id: id(key), pitch: f64::from(key), velocity, frames: None });
            }
            Act::Stop(key) => synth.stop(0, id(key)),
        });
    }
}

/// What tells the notes of hands from others: `keys`.
const HAND: u64 = 0x6b65_7973_0000_0000;

/// Stands for what cannot be built.
struct Silent;

keep!(Silent);

impl Kernel for Silent {
    fn process(&mut self, _: &mut Io<'_>) {}

    fn reset(&mut self) {}
}
