//! The values of parameters.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::circuit::Circuit;
use crate::control::Control;
use crate::pattern::Pattern;

/// A parameter's value as the session holds it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Value {
    /// A number in the parameter's own unit.
    Number(f64),
    /// A time in beats.
    Beats(f64),
    /// A time in bars.
    Bars(f64),
    /// A time in samples.
    Samples(f64),
    /// The parameter's special word, such as `off`.
    Special,
    /// An option by its index.
    Choice(usize),
    /// Yes or no.
    Flag(bool),
    /// Numbers of channels, from 1.
    Channels(Vec<u16>),
    /// A media file, as written.
    Path(String),
    /// What moves it.
    Control(Box<Control>),
    /// A pattern.
    Pattern(#[serde(serialize_with = "plainly")] Arc<Pattern>),
    /// The name of a MIDI port.
    Port(String),
    /// What a closure was traced into.
    Circuit(#[serde(serialize_with = "plainly")] Arc<Circuit>),
}

/// What is shared, written as what it is.
fn plainly<T: Serialize, S: Serializer>(shared: &Arc<T>, serializer: S) -> Result<S::Ok, S::Error> {
    shared.as_ref().serialize(serializer)
}
