//! `dither`: rounding to the depth of a medium, with triangular dither; as the last of a master it is what its files hold.

use super::{no_latency, no_tail};
use crate::diagnostic::Diagnostic;
use crate::dither::{Dither, Rounder, Shape};
use crate::graph::{Graph, Port, Role};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::random::Count;
use crate::units::Unit;

const BITS: usize = 0;
const SHAPE: usize = 1;

/// `dither(bits)`.
pub static DITHER: Table = Table {
    word: "dither",
    summary: "Rounds to so many bits with triangular dither; last before the output, files of this depth are not dithered again.",
    example: "x >> dither(16).shape(\"hearing\")",
    arguments: &["bits"],
    parameters: &[
        Parameter::steps(
            "bits",
            Unit::Plain,
            16.0,
            &[8.0, 12.0, 16.0, 20.0, 24.0],
            "full scale is 2 to the power of bits - 1 steps",
        )
        .random(),
        Parameter::choice(
            "shape",
            Shape::NAMES,
            "its noise: even, least to the ear at any rate, or of Lipshitz (1991) or Wannamaker (1992) for 44.1 and 48 kHz",
        ),
    ],
    parts: &[],
    mix: 100.0,
    channels: |recipe| rounder(recipe).map(|_| recipe.channels),
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe: &Recipe| {
        let hold = recipe.rate() as u64 / 2;
        // One that `channels` has refused is never heard.
        match rounder(recipe) {
            Ok(rounder) => {
                Box::new(Dithering { rounder, seed: recipe.seed, count: Count::default(), hold, quiet: hold })
            }
            Err(_) => Box::new(Nothing),
        }
    },
};

fn rounder(recipe: &Recipe) -> Result<Rounder, String> {
    let shape = Shape::ALL.into_iter().find(|shape| *shape as usize as f64 == recipe.values[SHAPE]).unwrap_or_default();
    Rounder::new(Dither::Tpdf(shape), recipe.values[BITS] as u32, recipe.rate(), recipe.channels)
}

struct Dithering {
    rounder: Rounder,
    seed: u64,
    count: Count,
    /// Frames of silence after which it is silent too, until something comes.
    hold: u64,
    /// Frames of silence so far, up to `hold`.
    quiet: u64,
}

keep!(Dithering: rounder, count, quiet);

impl Kernel for Dithering {
    fn process(&mut self, io: &mut Io<'_>) {
        for i in io.frames.clone() {
            let silent = io.audio.iter().all(|channel| channel[i] == 0.0);
            self.quiet = if silent { (self.quiet + 1).min(self.hold) } else { 0 };
            if self.quiet == self.hold {
                self.rounder.reset();
                continue;
            }
            let frame = self.count.next(io, i);
            for (number, channel) in io.audio.iter_mut().enumerate() {
                let rounded = self.rounder.round(channel[i], self.seed, frame, number);
                channel[i] = rounded / self.rounder.scale();
            }
        }
    }

    fn reset(&mut self) {
        self.rounder.reset();
        self.count = Count::default();
        self.quiet = self.hold;
    }
}

/// A dither that cannot be.
struct Nothing;

keep!(Nothing);

impl Kernel for Nothing {
    fn process(&mut self, _: &mut Io<'_>) {}

    fn reset(&mut self) {}
}

/// For each dither of a graph its number among the nodes, to how many bits it rounds, and the output that it is the last before, if
/// nothing changes what it gives on the way there.
fn dithers(graph: &Graph) -> impl Iterator<Item = (usize, u32, Option<usize>)> + '_ {
    graph.nodes.iter().enumerate().filter_map(|(number, node)| {
        let Role::Work { table, recipe, wet } = &node.role else { return None };
        if !std::ptr::eq(table.0, &DITHER) {
            return None;
        }
        let whole = *wet == 1.0 && node.controls.is_empty();
        let output = graph.edges.iter().filter(|edge| edge.from == number && whole).find_map(|edge| {
            let alone = graph.edges.iter().filter(|other| other.to == edge.to).count() == 1;
            let plain = edge.port == Port::Main && edge.gain == 1.0 && edge.control.is_none();
            (alone && plain && matches!(graph.nodes[edge.to].role, Role::Output(_))).then_some(edge.to)
        });
        Some((number, recipe.values[BITS] as u32, output))
    })
}

/// To how many bits the text itself dithers what leaves by an output, counted from the one with the lowest channels.
pub fn delivered_bits(graph: &Graph, output: usize) -> Option<u32> {
    let mut outputs: Vec<(&[u16], usize)> = Vec::new();
    for (number, node) in graph.nodes.iter().enumerate() {
        if let Role::Output(channels) = &node.role {
            outputs.push((channels, number));
        }
    }
    outputs.sort_unstable();
    let (_, wanted) = *outputs.get(output)?;
    dithers(graph).find_map(|(_, bits, leads)| (leads == Some(wanted)).then_some(bits))
}

/// Warns of every dither that something comes after: what it has rounded does not stay so.
pub(crate) fn misplaced(graph: &Graph) -> Vec<Diagnostic> {
    let elsewhere = dithers(graph).filter(|(.., output)| output.is_none());
    elsewhere
        .map(|(number, bits, _)| {
            let node = &graph.nodes[number];
            let message = format!("`{}` rounds to {bits} bits, and what comes after it rounds anew", node.path);
            Diagnostic::warning("dither-elsewhere", node.at, message)
                .help("a dither is the last before the output: `master >> ... >> dither(16) >> output(1, 2)`")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, db_of_power, rms, sine, spectrum};

    #[test]
    fn the_total_error_is_the_published_one_whatever_the_signal() {
        for (bits, expected) in [(16.0, -96.33), (24.0, -144.49)] {
            for level in [-140.0, -60.0, -3.0] {
                let input = sine(997.0, level, RATE, 1 << 16);
                let output = Bench::new(&DITHER, 1).set("bits", bits).run_mono(&input);
                let error: Vec<f64> = output.iter().zip(&input).map(|(y, x)| y - x).collect();
                assert!((rms(&error) - expected).abs() < 0.1, "{bits} bits at {level}: {}", rms(&error));
                let scale = 2.0f64.powf(bits - 1.0);
                assert!(output.iter().all(|y| (y * scale).fract() == 0.0), "every sample is a whole step");
            }
        }
    }

    #[test]
    fn a_tone_below_the_last_bit_comes_through_undistorted() {
        let (frames, bin) = (1 << 18, 5000);
        let input = sine(f64::from(bin) * RATE / frames as f64, -100.0, RATE, frames);
        for shape in 0..Shape::ALL.len() {
            let power = spectrum(&Bench::new(&DITHER, 1).set("shape", shape as f64).run_mono(&input));
            let level = |bin: u32| db_of_power(power[bin as usize]);
            assert!((level(bin) + 100.0).abs() < 0.2, "shape {shape}: {}", level(bin));
            assert!(level(3 * bin) < -130.0, "shape {shape}: third harmonic {}", level(3 * bin));
        }
    }

    #[test]
    fn the_error_is_as_even_while_the_transport_stands() {
        // Noise that came again with every quantum would lie in lines, 750 Hz apart, with nothing between them.
        let input = vec![0.1; 1 << 15];
        let output = Bench::new(&DITHER, 1).standing().run_mono(&input);
        let power = spectrum(&output);
        let lines = (1..32).map(|line| power[line * 512]).sum::<f64>() / 31.0;
        let all = power[100..].iter().sum::<f64>() / (power.len() - 100) as f64;
        assert!((db_of_power(lines) - db_of_power(all)).abs() < 3.0, "{} dB", db_of_power(lines) - db_of_power(all));
        let (first, second) = (&output[..64], &output[64..128]);
        assert!(first.iter().zip(second).filter(|(a, b)| a != b).count() > 16, "quantum by quantum it is another");
    }

    #[test]
    fn silence_becomes_digital_black_after_half_a_second() {
        let mut input = vec![0.0; 48_000];
        input[10_000] = 0.5;
        let output = Bench::new(&DITHER, 1).run_mono(&input);
        let last = output.iter().rposition(|y| *y != 0.0).unwrap();
        assert!(output[..10_000].iter().all(|y| *y == 0.0));
        assert!((33_900..34_000).contains(&last), "the last that is heard is frame {last}");
    }
}
