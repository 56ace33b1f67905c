//! The tables of what a text makes of circuits: a `dsp` of its name, a `synth`. A table is made once for all circuits with the
//! same parameters, and stays.

use std::sync::{Arc, Mutex, PoisonError};

use super::effect;
use super::{Circuit, Knob};
use crate::effects::no_latency;
use crate::parameter::{Memory, Parameter, Recipe, Table, Value};
use crate::sources::synth;

/// The name of the parameter that holds the circuit: no setter has it.
pub const CIRCUIT: &str = "circuit";

const NO_CIRCUIT: Parameter = Parameter::circuit(CIRCUIT, "what is done to sound");

/// The effect of a name that a circuit is.
pub fn effect(name: &str, circuit: &Circuit) -> &'static Table {
    known(name, circuit, || Table {
        word: name.to_owned().leak(),
        summary: "An effect of this session's own.",
        example: "x >> dsp(\"half\", |x| x * 0.5)",
        arguments: &[],
        parameters: with_knobs(&[NO_CIRCUIT], circuit),
        parts: &[],
        mix: 100.0,
        channels: effect::channels,
        latency: no_latency,
        tail: effect::tail,
        memory: Memory::Brief,
        kernel: effect::kernel,
    })
}

/// The instrument whose voices are a circuit.
pub fn synth(circuit: &Circuit) -> &'static Table {
    let plain: &'static Table = &synth::SYNTH;
    known(plain.word, circuit, || Table { parameters: with_knobs(plain.parameters, circuit), ..*plain })
}

/// The circuit of a recipe.
pub fn circuit_of(recipe: &Recipe) -> Option<&Arc<Circuit>> {
    recipe.settings.iter().find_map(|setting| match setting {
        Value::Circuit(circuit) => Some(circuit),
        _ => None,
    })
}

/// A table of a word for circuits with certain parameters.
type Known = (String, Vec<Knob>, &'static Table);

fn known(word: &str, circuit: &Circuit, table: impl FnOnce() -> Table) -> &'static Table {
    static TABLES: Mutex<Vec<Known>> = Mutex::new(Vec::new());
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    let same = tables.iter().find(|(known, knobs, _)| known == word && *knobs == circuit.parameters);
    if let Some((.., table)) = same {
        return table;
    }
    let table: &'static Table = Box::leak(Box::new(table()));
    tables.push((word.to_owned(), circuit.parameters.clone(), table));
    table
}

/// The parameters of a word, then those that a circuit declares.
fn with_knobs(own: &[Parameter], circuit: &Circuit) -> &'static [Parameter] {
    let knobs = circuit.parameters.iter().map(|knob| synth::of_knob(knob, "declared with `param`"));
    own.iter().copied().chain(knobs).collect::<Vec<_>>().leak()
}
