//! What a traced `dsp` costs beside the same formula written in Rust: both as the kernel of an effect, on the same buffers.
//!
//! `cargo bench -p gainstage-tests --bench circuits`. The figure is the ratio; the least of many short runs counts, each beside the
//! other's. What it is compared with is what one would write as an effect of this engine: a loop over the frames of each
//! channel, in place, its state in registers, made for this one formula and compiled as everything here is. A sound that has
//! been worked on is put back before it is worked on again, which is not timed.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use engine::circuit::tables;
use engine::circuit::{Binary, Builder, Circuit, Signal, Unary};
use engine::keep::{Keep, Ledger};
use engine::kernel::{Buffer, Glide, Io, Kernel, QUANTUM};
use engine::math;
use engine::parameter::{Recipe, Value};
use engine::tempo::Tempo;
use engine::units::Clock;

/// Quanta a run: as many as lie near the processor.
const QUANTA: usize = 24;

/// Runs of each, in turn.
const RUNS: usize = 4000;

const CLOCK: Clock = Clock { rate: 48_000.0, tempo: 120.0, beats_per_bar: 4.0 };

type Made = Result<Signal, String>;

/// A formula: its name, as a circuit, and in Rust.
struct Formula {
    name: &'static str,
    circuit: Circuit,
    rust: fn(usize) -> Box<dyn Kernel>,
}

fn formula(name: &'static str, body: fn(&mut Builder, Signal) -> Made, rust: fn(usize) -> Box<dyn Kernel>) -> Formula {
    let made = || -> Result<Circuit, String> {
        let mut builder = Builder::new(1)?;
        let x = builder.input(0)?;
        let y = body(&mut builder, x)?;
        builder.finish(&[y])
    };
    Formula { name, circuit: made().expect("it is right"), rust }
}

/// An effect: a formula of what it remembers and of what comes in.
struct Written<F> {
    formula: F,
    /// What each channel remembers.
    states: Vec<f64>,
}

impl<F: Fn(&mut f64, f64) -> f64> Keep for Written<F> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.states.keep(ledger);
    }
}

impl<F: Fn(&mut f64, f64) -> f64 + Send> Kernel for Written<F> {
    fn process(&mut self, io: &mut Io<'_>) {
        for (state, channel) in self.states.iter_mut().zip(io.audio.iter_mut()) {
            let mut own = *state;
            for x in &mut channel[io.frames.clone()] {
                *x = (self.formula)(&mut own, *x);
            }
            *state = own;
        }
    }

    fn reset(&mut self) {
        self.states.fill(0.0);
    }
}

fn written(channels: usize, formula: impl Fn(&mut f64, f64) -> f64 + Send + 'static) -> Box<dyn Kernel> {
    Box::new(Written { formula, states: vec![0.0; channels] })
}

/// The kernel that a text's `dsp` gets.
fn traced(circuit: &Circuit, channels: usize) -> Box<dyn Kernel> {
    let recipe = Recipe {
        values: vec![0.0],
        settings: vec![Value::Circuit(Arc::new(circuit.clone()))],
        seed: 1,
        ..Recipe::plain(channels, CLOCK)
    };
    (tables::effect("formula", circuit).kernel)(&recipe)
}

fn times(builder: &mut Builder, x: Signal, factor: f64) -> Made {
    let factor = builder.constant(factor)?;
    builder.binary(Binary::Multiply, x, factor)
}

fn add(builder: &mut Builder, a: Signal, b: Signal) -> Made {
    builder.binary(Binary::Add, a, b)
}

fn formulas() -> Vec<Formula> {
    vec![
        formula(
            "tanh(3x)",
            |b, x| {
                let driven = times(b, x, 3.0)?;
                b.unary(Unary::Tanh, driven)
            },
            |channels| written(channels, |_, x| math::tanh(x * 3.0)),
        ),
        formula(
            "1.5x - 0.5x^3",
            |b, x| {
                let (square, linear) = (b.binary(Binary::Multiply, x, x)?, times(b, x, 1.5)?);
                let cube = b.binary(Binary::Multiply, square, x)?;
                let cube = times(b, cube, 0.5)?;
                b.binary(Binary::Subtract, linear, cube)
            },
            |channels| written(channels, |_, x| x * 1.5 - x * x * x * 0.5),
        ),
        formula(
            "fold and the frame before",
            |b, x| {
                let (size, half) = (b.unary(Unary::Abs, x)?, b.constant(0.5)?);
                let over = b.binary(Binary::Greater, size, half)?;
                let sign = b.unary(Unary::Sign, x)?;
                let turned = b.binary(Binary::Subtract, sign, x)?;
                let folded = b.select(over, turned, x)?;
                let before = b.delay1(x)?;
                let before = times(b, before, 0.3)?;
                add(b, folded, before)
            },
            |channels| {
                written(channels, |before, x| {
                    let sign = f64::from(u8::from(x > 0.0)) - f64::from(u8::from(x < 0.0));
                    let folded = if x.abs() > 0.5 { sign - x } else { x };
                    folded + std::mem::replace(before, x) * 0.3
                })
            },
        ),
        formula(
            "loop 0.9y + 0.1x",
            |b, x| {
                let new = times(b, x, 0.1)?;
                b.feedback(|b, y| {
                    let old = times(b, y, 0.9)?;
                    add(b, old, new)
                })
            },
            |channels| {
                written(channels, |state, x| {
                    *state = *state * 0.9 + x * 0.1;
                    *state
                })
            },
        ),
        formula(
            "loop tanh(0.9y + x)",
            |b, x| {
                b.feedback(|b, y| {
                    let old = times(b, y, 0.9)?;
                    let sum = add(b, old, x)?;
                    b.unary(Unary::Tanh, sum)
                })
            },
            |channels| {
                written(channels, |state, x| {
                    *state = math::tanh(*state * 0.9 + x);
                    *state
                })
            },
        ),
    ]
}

/// Seconds that a kernel takes for all quanta.
fn time(kernel: &mut dyn Kernel, channels: usize, sound: &[Buffer], work: &mut [Buffer], tempo: &Tempo) -> f64 {
    work.copy_from_slice(sound);
    let begun = Instant::now();
    for (quantum, audio) in work.chunks_mut(channels).enumerate() {
        kernel.process(&mut Io {
            audio,
            channels_in: channels,
            key: &[],
            live: &[],
            frames: 0..QUANTUM,
            values: &[Glide::still(0.0)],
            settled: false,
            transport: (quantum * QUANTUM) as u64,
            rolling: true,
            moved: false,
            tempo,
            score: None,
            reduced: 0.0,
        });
    }
    black_box(work);
    begun.elapsed().as_secs_f64()
}

fn main() {
    let tempo = Tempo::new(CLOCK);
    println!("{:<28} {:>8} {:>12} {:>12} {:>8}", "a frame of", "channels", "traced", "in Rust", "ratio");
    for Formula { name, circuit, rust } in formulas() {
        for channels in [1, 2] {
            let mut kernels = [traced(&circuit, channels), rust(channels)];
            let frame = |i: usize| math::sin(0.1 * i as f64);
            let sound: Vec<Buffer> =
                (0..QUANTA * channels).map(|n| std::array::from_fn(|i| frame(n * QUANTUM + i))).collect();
            let mut works = [sound.clone(), sound.clone()];
            let mut times = [f64::INFINITY; 2];
            for _ in 0..RUNS {
                for ((kernel, work), least) in kernels.iter_mut().zip(&mut works).zip(&mut times) {
                    *least = least.min(time(kernel.as_mut(), channels, &sound, work, &tempo));
                }
            }
            let [traced, written] = times.map(|time| time * 1e9 / (QUANTA * QUANTUM * channels) as f64);
            println!("{name:<28} {channels:>8} {traced:>9.2} ns {written:>9.2} ns {:>8.2}", traced / written);
        }
    }
}
