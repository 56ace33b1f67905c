//! `midi_out()`: an instrument that is elsewhere. What it plays is sent to a MIDI port by whoever plays the desk; here it is
//! silent, and so it is in what is rendered.

use std::sync::Arc;

use super::instrument::{HOLD, PATTERN, VELOCITY};
use crate::effects::{no_latency, no_tail};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Memory, Parameter, Table, Value};
use crate::score::Score;
use crate::session::Source;
use crate::units::Unit;

/// The MIDI channels there are.
const CHANNELS: [f64; 16] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0];

/// `midi_out(port)`.
pub static MIDI_OUT: Table = Table {
    word: "midi_out",
    summary: "An instrument at a MIDI port: what it plays is sent there, each note when its frame is heard. It gives no sound here, and need not be plugged in anywhere.",
    example: "play(\"c4 e4\", midi_out(\"Synth MIDI 1\").channel(2))",
    arguments: &["port"],
    parameters: &[
        PATTERN,
        VELOCITY,
        HOLD,
        Parameter::port("port", "which, by the name that `gainstage devices` shows"),
        Parameter::steps("channel", Unit::Plain, 1.0, &CHANNELS, "the MIDI channel, from 1"),
    ],
    parts: &[],
    mix: 100.0,
    channels: super::mono,
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |_| Box::new(Elsewhere),
};

const PORT: usize = 3;
const CHANNEL: usize = 4;

/// What is sent to a MIDI port.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The path of the input that is sent.
    pub path: String,
    /// The port's name.
    pub port: String,
    /// The MIDI channel, from 1.
    pub channel: u8,
    /// What is played.
    pub score: Arc<Score>,
}

impl Sent {
    /// What a source sends that plays a score, if it sends anything.
    pub fn of(path: &str, source: &Source, score: Option<&Arc<Score>>) -> Option<Sent> {
        if !is_midi_out(source) {
            return None;
        }
        let value = |index: usize| source.settings.get(index).map(|setting| &setting.value);
        let (Some(Value::Port(port)), Some(Value::Number(channel))) = (value(PORT), value(CHANNEL)) else {
            return None;
        };
        Some(Sent { path: path.to_owned(), port: port.clone(), channel: *channel as u8, score: score?.clone() })
    }
}

/// Whether a source is elsewhere.
pub fn is_midi_out(source: &Source) -> bool {
    std::ptr::eq(source.table.0, &MIDI_OUT)
}

struct Elsewhere;

keep!(Elsewhere);

impl Kernel for Elsewhere {
    fn process(&mut self, io: &mut Io<'_>) {
        // What is due is not kept waiting for somebody to play it.
        while io.next_note().is_some() {}
    }

    fn reset(&mut self) {}
}
