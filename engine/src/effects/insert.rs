//! `insert`: hardware in a signal's way. What flows in leaves by channels of the device's output, and what comes back by
//! channels of its input goes on.
//!
//! The kernel is only the way back. The way out is a node of its own before it ([`crate::graph::Role::Send`]), through which
//! the signal passes on, so that the dry side of `mix` and `bypass` is what was sent.

use crate::effects::no_tail;
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Memory, Parameter, Recipe, Table, Value};
use crate::session::Setting;
use crate::units::Unit;

/// The longest way there and back, in milliseconds.
const LONGEST: f64 = 2000.0;

/// `insert(out, back)`.
pub static INSERT: Table = Table {
    word: "insert",
    summary: "Hardware: sends to channels of the output device, and goes on with what comes back at the input device.",
    example: "x >> insert([3, 4], [3, 4])",
    arguments: &["out", "back"],
    parameters: &[
        Parameter::channels("out", "which of the device's outputs it sends to, from 1: one, or a list"),
        Parameter::channels("back", "which of the device's inputs it comes back at, from 1: one, or a list"),
        Parameter::number(
            "latency",
            Unit::Milliseconds,
            0.0,
            0.0,
            LONGEST,
            "the way there and back, as `gainstage ping` finds it",
        )
        .fixed(),
    ],
    parts: &[],
    mix: 100.0,
    channels: |recipe| Ok(inputs(recipe).len()),
    latency: |recipe| recipe.clock.frames(recipe.values[2]) as usize,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe| Box::new(Insert { inputs: inputs(recipe) }),
};

/// The channels that the settings of one send to, and those that they hear, counted from 1; the first unless they say.
pub fn channels(settings: &[Setting]) -> (Vec<u16>, Vec<u16>) {
    let of = |index: usize| list(settings.get(index).map(|setting| &setting.value));
    (of(0), of(1))
}

fn list(value: Option<&Value>) -> Vec<u16> {
    match value {
        Some(Value::Channels(list)) if !list.is_empty() => list.clone(),
        _ => vec![1],
    }
}

/// The inputs, counted from 0.
fn inputs(recipe: &Recipe) -> Vec<usize> {
    list(recipe.settings.get(1)).into_iter().map(|channel| usize::from(channel).saturating_sub(1)).collect()
}

struct Insert {
    inputs: Vec<usize>,
}

keep!(Insert);

impl Kernel for Insert {
    fn process(&mut self, io: &mut Io<'_>) {
        for (channel, input) in io.audio.iter_mut().zip(&self.inputs) {
            let frames = &mut channel[io.frames.clone()];
            match io.live.get(*input) {
                Some(live) => frames.copy_from_slice(&live[io.frames.clone()]),
                None => frames.fill(0.0),
            }
        }
    }

    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Buffer, Glide, QUANTUM};
    use crate::tempo::Tempo;
    use crate::test_signals::{Bench, noise};

    #[test]
    fn what_goes_on_is_what_came_back_and_nothing_of_what_went_in() {
        let bench = Bench::new(&INSERT, 1);
        let mut recipe = bench.recipe().clone();
        recipe.settings[1] = Value::Channels(vec![2, 4]);
        assert_eq!((INSERT.channels)(&recipe), Ok(2));
        let live: Vec<Buffer> = (0..3).map(|seed| std::array::from_fn(|i| noise(seed, QUANTUM)[i])).collect();
        let mut audio = vec![[1.0; QUANTUM]; 2];
        let values: Vec<Glide> = recipe.values.iter().map(|value| Glide::still(*value)).collect();
        (INSERT.kernel)(&recipe).process(&mut Io {
            audio: &mut audio,
            channels_in: 1,
            key: &[],
            live: &live,
            frames: 0..QUANTUM,
            values: &values,
            settled: false,
            transport: 0,
            rolling: true,
            moved: false,
            score: None,
            tempo: &Tempo::new(recipe.clock),
            reduced: 0.0,
        });
        assert_eq!(audio, [live[1], [0.0; QUANTUM]], "the device has no fourth channel");
    }

    #[test]
    fn its_latency_is_the_text_s_to_the_frame() {
        for (value, rate, frames) in [
            (Value::Samples(1234.0), 48_000.0, 1234),
            (Value::Samples(1.0), 44_100.0, 1),
            (Value::Samples(95_999.0), 48_000.0, 95_999),
            (Value::Number(10.0), 44_100.0, 441),
        ] {
            let bench = Bench::new(&INSERT, 1).rate(rate);
            let mut recipe = bench.recipe().clone();
            recipe.values[2] = INSERT.parameters[2].resolve(&value, &recipe.clock);
            assert_eq!((INSERT.latency)(&recipe), frames, "{value:?}");
        }
    }
}
