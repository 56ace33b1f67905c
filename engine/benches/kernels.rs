//! What the kernel of each effect takes by itself for a frame, of one channel and of two: nanoseconds, and instructions where
//! valgrind is installed. A session adds what it takes to lead sound there, and does some of it side by side: that is what the bench
//! `effects` of the tests measures.
//!
//! `cargo bench -p gainstage-engine --bench kernels [-- WORD]`, the word being what those shown have in their names. Every effect that
//! needs no file runs over noise, its numbers standing still: those of its table, but that a level of 0 dB is one of -3, which is not
//! passed by, and an `eq` has one of each of its bands. Nanoseconds are medians, and may be compared within a run. Instructions are
//! counted as valgrind's processor has them, with AVX2 and no wider, and are the same each time but for what memory is asked for.

use std::fs;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::Instant;

use engine::denormals::flushed;
use engine::effects::EFFECTS;
use engine::kernel::{Buffer, Glide, Io, Kernel, QUANTUM};
use engine::parameter::{Kind, Parameter, Recipe, Table, Value};
use engine::tempo::Tempo;
use engine::units::{Clock, Unit};
use tempfile::TempDir;

/// What makes this program run each kernel once, to be counted.
const COUNT: &str = "--count";

/// Channels of each run.
const CHANNELS: [usize; 2] = [1, 2];

/// Quanta of noise that differ.
const PIECES: usize = 64;

/// Quanta before those that are timed or counted, and how many those are.
const BEFORE: usize = 256;
const TIMED: usize = 1024;
const COUNTED: usize = 256;

/// Runs of each, in turn, of which the median counts.
const TURNS: usize = 9;

/// A kernel, and what it works on.
struct Bench {
    /// None for what running one takes anyway.
    kernel: Option<Box<dyn Kernel>>,
    values: Vec<Glide>,
    channels: usize,
    /// What comes in, again and again: quanta of so many channels.
    noise: Vec<Vec<Buffer>>,
    audio: Vec<Buffer>,
    tempo: Tempo,
    transport: u64,
}

/// Quanta of noise between -0.5 and 0.5, the same each time: a linear congruential generator (Knuth).
fn noise(channels: usize) -> Vec<Vec<Buffer>> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    let mut quantum = || (0..channels).map(|_| std::array::from_fn(|_| next())).collect();
    (0..PIECES).map(|_| quantum()).collect()
}

/// What a parameter is set to.
fn setting(parameter: &Parameter) -> Value {
    match parameter.kind {
        Kind::Number { unit: Unit::Decibels, default: Some(0.0), least, .. } if least <= -3.0 => Value::Number(-3.0),
        _ => parameter.default(),
    }
}

impl Bench {
    fn new(table: Option<&Table>, channels: usize) -> Self {
        let clock = Clock { rate: 48_000.0, tempo: 120.0, beats_per_bar: 4.0 };
        let parts: Vec<usize> = (0..table.map_or(0, |table| table.parts.len())).collect();
        let of_parts = |table: &Table| table.parts.iter().flat_map(|part| part.parameters).copied().collect::<Vec<_>>();
        let parameters = table.map_or(Vec::new(), |table| [table.parameters, &of_parts(table)].concat());
        let settings: Vec<Value> = parameters.iter().map(setting).collect();
        let values =
            parameters.iter().zip(&settings).map(|(parameter, value)| parameter.resolve(value, &clock)).collect();
        let recipe = Recipe { values, settings, parts, seed: 1, ..Recipe::plain(channels, clock) };
        let out = table.map_or(channels, |table| (table.channels)(&recipe).expect("it takes one channel, and two"));
        Bench {
            kernel: table.map(|table| (table.kernel)(&recipe)),
            values: recipe.values.iter().copied().map(Glide::still).collect(),
            channels,
            noise: noise(channels),
            audio: vec![[0.0; QUANTUM]; out.max(channels)],
            tempo: Tempo::new(clock),
            transport: 0,
        }
    }

    fn run(&mut self, quanta: usize) {
        for quantum in 0..quanta {
            self.audio[..self.channels].copy_from_slice(&self.noise[quantum % PIECES]);
            let mut io = Io {
                audio: &mut self.audio,
                channels_in: self.channels,
                key: &[],
                live: &[],
                frames: 0..QUANTUM,
                values: &self.values,
                settled: self.transport > 0,
                transport: self.transport,
                rolling: true,
                moved: false,
                tempo: &self.tempo,
                score: None,
                reduced: 0.0,
            };
            if let Some(kernel) = &mut self.kernel {
                kernel.process(&mut io);
            }
            black_box(&mut self.audio);
            self.transport += QUANTUM as u64;
        }
    }

    /// The nanoseconds of a frame.
    fn time(&mut self) -> f64 {
        let begun = Instant::now();
        flushed(|| self.run(TIMED));
        begun.elapsed().as_secs_f64() * 1e9 / (TIMED * QUANTUM) as f64
    }
}

/// What valgrind counts, which knows it by its name.
#[inline(never)]
fn counted_quanta(bench: &mut Bench) {
    flushed(|| bench.run(COUNTED));
}

/// The instructions of a frame of each of so many benches; none without valgrind.
fn count(word: &str, benches: usize) -> Option<Vec<f64>> {
    let folder = TempDir::new().ok()?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--dump-after=*counted_quanta*"]);
    command.arg(format!("--callgrind-out-file={}", folder.path().join("count").display()));
    command.arg(std::env::current_exe().ok()?).args([COUNT, word]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if !command.status().ok()?.success() {
        return None;
    }
    // It puts down what it has counted since the last time whenever it leaves the function, first what comes before.
    let counted = |nth: usize| {
        let text = fs::read_to_string(folder.path().join(format!("count.{}", nth + 1))).ok()?;
        let total = text.lines().find_map(|line| line.strip_prefix("totals: "))?;
        Some(total.trim().parse::<f64>().ok()? / (COUNTED * QUANTUM) as f64)
    };
    (1..=benches).map(counted).collect()
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

/// What is above what running nothing takes, which are the first two.
fn above_nothing(all: &[f64]) -> Vec<f64> {
    all.iter().enumerate().map(|(n, x)| (x - all[n % CHANNELS.len()]).max(0.0)).collect()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let is_counted = arguments.first().is_some_and(|argument| argument == COUNT);
    let word = arguments.last().filter(|word| *word != COUNT).map_or("", String::as_str);
    let of_files = |table: &Table| table.parameters.iter().any(|p| matches!(p.kind, Kind::Path | Kind::Folder));
    let tables: Vec<&Table> =
        EFFECTS.iter().copied().filter(|table| !of_files(table) && table.word.contains(word)).collect();
    if tables.is_empty() {
        return eprintln!("no effect that needs no file has `{word}` in its name");
    }
    let mut benches: Vec<Bench> = [None]
        .into_iter()
        .chain(tables.iter().copied().map(Some))
        .flat_map(|table| CHANNELS.map(|channels| Bench::new(table, channels)))
        .collect();
    benches.iter_mut().for_each(|bench| flushed(|| bench.run(BEFORE)));
    if is_counted {
        counted_quanta(&mut benches[0]);
        return benches.iter_mut().for_each(counted_quanta);
    }
    let mut times = vec![Vec::new(); benches.len()];
    for _ in 0..TURNS {
        times.iter_mut().zip(&mut benches).for_each(|(times, bench)| times.push(bench.time()));
    }
    let times = above_nothing(&times.into_iter().map(median).collect::<Vec<_>>());
    let counts = count(word, benches.len()).map(|counts| above_nothing(&counts));
    println!("{:<14} {:>19} {:>27}", "", "ns a frame", "instructions a frame");
    println!("{:<14} {:>9} {:>9} {:>17} {:>9}", "", "mono", "stereo", "mono", "stereo");
    for (n, table) in tables.iter().enumerate() {
        let of = |all: &[f64], channels: usize| all[(n + 1) * CHANNELS.len() + channels];
        print!("{:<14} {:>9.2} {:>9.2}", table.word, of(&times, 0), of(&times, 1));
        match &counts {
            Some(counts) => println!(" {:>17.1} {:>9.1}", of(counts, 0), of(counts, 1)),
            None => println!(),
        }
    }
    if counts.is_none() {
        println!("without valgrind no instructions are counted");
    }
}
