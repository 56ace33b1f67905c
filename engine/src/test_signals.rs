//! For tests: signals to send through a kernel, a bench that drives one as a plan would, and measures of what comes out.

use crate::keep::Ledger;
use crate::kernel::{Buffer, Glide, Io, Kernel, QUANTUM};
use crate::math;
use crate::parameter::{Branch, Kind, Law, Memory, Parameter, Recipe, Table, Value};
use crate::tempo::Tempo;
use crate::units::Clock;

/// The rate at which tests run unless they say otherwise.
pub const RATE: f64 = 48_000.0;

/// How long an edit is ramped, in frames: 20 ms.
pub const RAMP: usize = 960;

/// A kernel built from its table, and the values it runs at.
pub struct Bench {
    table: &'static Table,
    recipe: Recipe,
    /// Where the values are, and where they glide to.
    now: Vec<f64>,
    goal: Vec<f64>,
    stretch: usize,
    kernel: Option<Box<dyn Kernel>>,
    frame: u64,
    rolling: bool,
}

impl Bench {
    /// The effect as its table has it when nothing is said, on so many channels.
    pub fn new(table: &'static Table, channels: usize) -> Self {
        let clock = Clock { rate: RATE, tempo: 120.0, beats_per_bar: 4.0 };
        let mut bench = Bench {
            table,
            recipe: Recipe { seed: 1, ..Recipe::plain(channels, clock) },
            now: Vec::new(),
            goal: Vec::new(),
            stretch: QUANTUM,
            kernel: None,
            frame: 0,
            rolling: true,
        };
        bench.add_defaults(table.parameters);
        bench
    }

    /// At another sample rate. Before anything is set.
    pub fn rate(mut self, rate: f64) -> Self {
        self.recipe.clock.rate = rate;
        self
    }

    /// As one branch of an effect that takes a signal apart.
    pub fn branch(mut self, branch: Branch) -> Self {
        self.recipe.branch = Some(branch);
        self
    }

    /// With a file, for its path.
    pub fn media(mut self, media: std::sync::Arc<crate::media::Media>) -> Self {
        self.recipe.media.push(media);
        self
    }

    /// With a key of so many channels.
    pub fn key(mut self, channels: usize) -> Self {
        self.recipe.key_channels = channels;
        self
    }

    /// Called for at most so many frames at a time, from 1 to 64.
    pub fn stretch(mut self, frames: usize) -> Self {
        self.stretch = frames;
        self
    }

    /// With a parameter set, in its own unit; a choice by its index, a flag as 0 or 1.
    pub fn set(mut self, name: &str, number: f64) -> Self {
        let index = self.table.index(name).expect("the table has the parameter");
        self.put(index, number);
        self
    }

    /// With a parameter set to its special word.
    pub fn special(mut self, name: &str) -> Self {
        let index = self.table.index(name).expect("the table has the parameter");
        self.put_value(index, Value::Special);
        self
    }

    /// With a parameter set to a length in beats.
    pub fn beats(mut self, name: &str, beats: f64) -> Self {
        let index = self.table.index(name).expect("the table has the parameter");
        self.put_value(index, Value::Beats(beats));
        self
    }

    /// Begins at a frame of the transport.
    pub fn from(mut self, frame: u64) -> Self {
        self.frame = frame;
        self
    }

    /// With the transport standing still.
    pub fn standing(mut self) -> Self {
        self.rolling = false;
        self
    }

    /// With a part appended, its parameters set in order; those not given keep their defaults.
    pub fn part(mut self, word: &str, numbers: &[f64]) -> Self {
        let part = self.table.parts.iter().position(|p| p.word == word).expect("the table has the part");
        let first = self.recipe.values.len();
        self.recipe.parts.push(part);
        self.add_defaults(self.table.parts[part].parameters);
        numbers.iter().enumerate().for_each(|(i, number)| self.put(first + i, *number));
        self
    }

    /// Changes a parameter, by its index among all values, while it runs: ramped over [`RAMP`] frames of the next run.
    pub fn edit(&mut self, index: usize, number: f64) {
        self.kernel();
        self.goal[index] = self.parameter(index).resolve(&Value::Number(number), &self.recipe.clock);
    }

    /// Whether a value is a number that may be changed while it runs.
    pub fn is_free(&self, index: usize) -> bool {
        let parameter = self.parameter(index);
        !parameter.fixed && matches!(parameter.kind, Kind::Number { .. })
    }

    /// Has the kernel forget all sound, and begins again at frame 0.
    pub fn reset(&mut self) {
        self.kernel().reset();
        self.frame = 0;
    }

    /// A bench built anew from the same recipe, where this one is, that has taken up what this one's kernel kept.
    pub fn again(&mut self) -> Bench {
        let mut kept = Ledger::writing();
        self.kernel().keep(&mut kept);
        let mut kept = Ledger::reading(kept.finish().expect("what is written fits"));
        let mut bench = Bench { recipe: self.recipe.clone(), kernel: None, ..Bench::new(self.table, 0) };
        bench.kernel().keep(&mut kept);
        kept.finish().expect("it is taken up to the last byte");
        bench.now.clone_from(&self.now);
        bench.goal.clone_from(&self.goal);
        Bench { stretch: self.stretch, frame: self.frame, rolling: self.rolling, ..bench }
    }

    /// What the kernel is built from.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// How many channels leave.
    pub fn channels_out(&self) -> usize {
        (self.table.channels)(&self.recipe).expect("it takes so many channels")
    }

    /// By how many frames the output lags.
    pub fn latency(&self) -> usize {
        (self.table.latency)(&self.recipe)
    }

    /// Runs a signal of one channel through an effect that gives one.
    pub fn run_mono(&mut self, input: &[f64]) -> Vec<f64> {
        self.run(&[input.to_vec()]).remove(0)
    }

    /// Runs a signal, one vector a channel.
    pub fn run(&mut self, input: &[Vec<f64>]) -> Vec<Vec<f64>> {
        self.run_keyed(input, &[])
    }

    /// The same with a key.
    pub fn run_keyed(&mut self, input: &[Vec<f64>], key: &[Vec<f64>]) -> Vec<Vec<f64>> {
        self.kernel();
        let tempo = Tempo::new(self.recipe.clock);
        let (start, length) = (self.now.clone(), input[0].len());
        let rolling = self.rolling;
        let mut output = vec![Vec::with_capacity(length); self.channels_out()];
        let mut audio: Vec<Buffer> = vec![[0.0; QUANTUM]; self.channels_out().max(input.len())];
        let mut keys: Vec<Buffer> = vec![[0.0; QUANTUM]; key.len()];
        let mut done = 0;
        while done < length {
            let within = (self.frame % QUANTUM as u64) as usize;
            let count = self.stretch.min(QUANTUM - within).min(length - done);
            let frames = within..within + count;
            if within == 0 || done == 0 {
                // As in a plan, all of a quantum's input is there before any stretch of it is worked on.
                let rest = (QUANTUM - within).min(length - done);
                for (buffers, signals) in [(&mut audio, input), (&mut keys, key)] {
                    for (buffer, signal) in buffers.iter_mut().zip(signals) {
                        buffer[within..within + rest].copy_from_slice(&signal[done..done + rest]);
                    }
                }
            }
            let values: Vec<Glide> = (0..start.len())
                .map(|i| Glide { from: self.value(i, start[i], done), to: self.value(i, start[i], done + count) })
                .collect();
            let transport = self.frame - within as u64;
            self.kernel().process(&mut Io {
                audio: &mut audio,
                channels_in: input.len(),
                key: &keys,
                live: &[],
                frames: frames.clone(),
                values: &values,
                settled: false,
                transport,
                rolling,
                moved: false,
                score: None,
                tempo: &tempo,
                reduced: 0.0,
            });
            output.iter_mut().zip(&audio).for_each(|(out, buffer)| out.extend_from_slice(&buffer[frames.clone()]));
            done += count;
            self.frame += count as u64;
            if !self.rolling && self.frame.is_multiple_of(QUANTUM as u64) {
                self.frame -= QUANTUM as u64;
            }
        }
        self.now = (0..start.len()).map(|i| self.value(i, start[i], length)).collect();
        output
    }

    /// The value at a frame of a ramp that began at `from`.
    fn value(&self, index: usize, from: f64, frame: usize) -> f64 {
        let (to, part) = (self.goal[index], frame as f64 / RAMP as f64);
        match self.parameter(index).kind {
            _ if part >= 1.0 || from == to => to,
            Kind::Number { law: Law::Own | Law::Pace, .. } => to,
            Kind::Number { law: Law::Octaves, .. } => from * math::pow(to / from, part),
            _ => from + (to - from) * part,
        }
    }

    fn parameter(&self, index: usize) -> Parameter {
        let parts = self.recipe.parts.iter().flat_map(|part| self.table.parts[*part].parameters);
        *self.table.parameters.iter().chain(parts).nth(index).expect("there are so many values")
    }

    fn put(&mut self, index: usize, number: f64) {
        let value = match self.parameter(index).kind {
            Kind::Choice { .. } => Value::Choice(number as usize),
            Kind::Flag { .. } => Value::Flag(number != 0.0),
            _ => Value::Number(number),
        };
        self.put_value(index, value);
    }

    fn put_value(&mut self, index: usize, value: Value) {
        self.recipe.values[index] = self.parameter(index).resolve(&value, &self.recipe.clock);
        self.recipe.settings[index] = value;
    }

    fn add_defaults(&mut self, parameters: &[Parameter]) {
        for parameter in parameters {
            let value = parameter.default();
            self.recipe.values.push(parameter.resolve(&value, &self.recipe.clock));
            self.recipe.settings.push(value);
        }
    }

    fn kernel(&mut self) -> &mut dyn Kernel {
        if self.kernel.is_none() {
            self.now.clone_from(&self.recipe.values);
            self.goal.clone_from(&self.recipe.values);
        }
        self.kernel.get_or_insert_with(|| (self.table.kernel)(&self.recipe)).as_mut()
    }
}

/// A sine that peaks at `level` dBFS and begins at 0.
pub fn sine(freq: f64, level: f64, rate: f64, frames: usize) -> Vec<f64> {
    let peak = math::gain_from_db(level);
    (0..frames).map(|i| peak * math::sin(std::f64::consts::TAU * freq * i as f64 / rate)).collect()
}

/// White noise between -1 and 1.
pub fn noise(seed: u64, frames: usize) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..frames).map(|_| next()).collect()
}

/// A one, then silence.
pub fn impulse(frames: usize) -> Vec<f64> {
    (0..frames).map(|i| if i == 0 { 1.0 } else { 0.0 }).collect()
}

/// A sine within a signal.
pub struct Tone {
    /// Its peak.
    pub peak: f64,
    /// The sum of its squares.
    pub energy: f64,
}

/// The sine of `w` radians a frame within a signal: a least-squares fit, exact for a steady sine of any length.
pub fn tone_in(signal: &[f64], w: f64) -> Tone {
    let [mut ss, mut cc, mut sc, mut xs, mut xc] = [0.0; 5];
    for (i, x) in signal.iter().enumerate() {
        let (s, c) = (math::sin(w * i as f64), math::cos(w * i as f64));
        ss += s * s;
        cc += c * c;
        sc += s * c;
        xs += x * s;
        xc += x * c;
    }
    let whole = ss * cc - sc * sc;
    let (a, b) = ((xs * cc - xc * sc) / whole, (xc * ss - xs * sc) / whole);
    Tone { peak: math::sqrt(a * a + b * b), energy: a * xs + b * xc }
}

/// The level in dBFS (of its peak) of the sine of a frequency within a signal.
pub fn level_at(signal: &[f64], freq: f64, rate: f64) -> f64 {
    math::db_from_gain(tone_in(signal, std::f64::consts::TAU * freq / rate).peak)
}

/// A ratio of powers in dB.
pub fn db_of_power(ratio: f64) -> f64 {
    math::db_from_gain(ratio) / 2.0
}

/// The RMS level in dB.
pub fn rms(signal: &[f64]) -> f64 {
    db_of_power(signal.iter().map(|x| x * x).sum::<f64>() / signal.len() as f64)
}

/// The sample peak in dBFS.
pub fn peak(signal: &[f64]) -> f64 {
    math::db_from_gain(signal.iter().fold(0.0, |most, x| x.abs().max(most)))
}

/// The frequency in Hz over each cycle of a sine that may waver, from one upward crossing of 0 to the next, each with its
/// middle in seconds.
pub fn pitches(signal: &[f64], rate: f64) -> Vec<(f64, f64)> {
    let up = |(i, pair): (usize, &[f64])| {
        (pair[0] < 0.0 && pair[1] >= 0.0).then(|| i as f64 + pair[0] / (pair[0] - pair[1]))
    };
    let crossings: Vec<f64> = signal.windows(2).enumerate().filter_map(up).collect();
    crossings.windows(2).map(|pair| ((pair[0] + pair[1]) / 2.0 / rate, rate / (pair[1] - pair[0]))).collect()
}

/// The power in each bin of a signal's transform, so that a sine of peak 1 on a bin reads 1; bin `k` is `k` periods over
/// the whole signal. No window: what is steady should be periodic in it.
pub fn spectrum(signal: &[f64]) -> Vec<f64> {
    let transform = realfft::RealFftPlanner::<f64>::new().plan_fft_forward(signal.len());
    let mut bins = transform.make_output_vec();
    transform.process(&mut signal.to_vec(), &mut bins).expect("the lengths fit");
    let scale = 2.0 / signal.len() as f64;
    bins.iter().map(|bin| bin.norm_sqr() * scale * scale).collect()
}

/// The RMS level in dBFS of what a signal holds above a frequency, in the loudest [`RAMP`] frames: what a click leaves.
/// The ends of the signal are faded over a quarter of its length each, so what is looked for should be in its middle half.
pub fn level_above(signal: &[f64], freq: f64, rate: f64) -> f64 {
    let (length, fade) = (signal.len(), signal.len() / 4);
    let mut planner = realfft::RealFftPlanner::<f64>::new();
    let (forward, back) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
    let mut faded: Vec<f64> = (0..length)
        .map(|i| {
            let part = (i.min(length - 1 - i) as f64 / fade as f64).min(1.0);
            signal[i] * (0.5 - 0.5 * math::cos(std::f64::consts::PI * part))
        })
        .collect();
    let mut bins = forward.make_output_vec();
    forward.process(&mut faded, &mut bins).expect("the lengths fit");
    let first = (freq / rate * length as f64).ceil() as usize;
    bins.iter_mut().take(first).for_each(|bin| *bin = Default::default());
    back.process(&mut bins, &mut faded).expect("the lengths fit");
    let loudest =
        faded.chunks(RAMP / 2).collect::<Vec<_>>().windows(2).map(|pair| rms(&pair.concat())).fold(f64::MIN, f64::max);
    loudest - math::db_from_gain(length as f64)
}

/// What an edit leaves above 5 kHz, in dBFS: the bench runs a 100 Hz sine of -12 dBFS on every channel, every second one
/// upside down, the edit is made at its crest, and the loudest channel counts.
pub fn click_of_edit(bench: &mut Bench, edit: impl FnOnce(&mut Bench)) -> f64 {
    let rate = bench.recipe().rate();
    let (length, at) = (24_000, 12_120);
    let turned = |channel: usize| if channel.is_multiple_of(2) { 1.0 } else { -1.0 };
    let input: Vec<Vec<f64>> = (0..bench.recipe().channels)
        .map(|channel| sine(100.0, -12.0, rate, length).iter().map(|x| x * turned(channel)).collect())
        .collect();
    let cut = |from: usize, to: usize| -> Vec<Vec<f64>> { input.iter().map(|x| x[from..to].to_vec()).collect() };
    let mut output = bench.run(&cut(0, at));
    edit(bench);
    let after = bench.run(&cut(at, length));
    output.iter_mut().zip(after).for_each(|(out, rest)| out.extend(rest));
    output.iter().map(|channel| level_above(channel, 5000.0, rate)).fold(f64::NEG_INFINITY, f64::max)
}

mod tests {
    use super::*;
    use crate::effects::{no_latency, no_tail, same_channels};
    use crate::units::Unit;

    /// Gives its key plus each of its values, so that a test sees what a kernel is given.
    static PROBE: Table = Table {
        word: "probe",
        summary: "",
        example: "",
        arguments: &[],
        parameters: &[
            Parameter::number("even", Unit::Plain, 0.0, 0.0, 10.0, ""),
            Parameter::number("octaves", Unit::Hertz, 0.0, 0.0, 10.0, ""),
        ],
        parts: &[],
        mix: 100.0,
        channels: same_channels,
        latency: no_latency,
        tail: no_tail,
        memory: Memory::Brief,
        kernel: |_| Box::new(Probe),
    };

    struct Probe;

    crate::keep::keep!(Probe);

    impl Kernel for Probe {
        fn process(&mut self, io: &mut Io<'_>) {
            let count = io.frames.len();
            for (n, i) in io.frames.clone().enumerate() {
                let key: f64 = io.key.iter().map(|key| key[i]).sum();
                io.audio[0][i] = key + io.values.iter().map(|value| value.at(n, count)).sum::<f64>();
            }
        }

        fn reset(&mut self) {}
    }

    #[test]
    fn a_kernel_is_given_the_key_of_its_own_frames() {
        let key = vec![noise(1, 300)];
        for frames in [1, 17, 64] {
            let mut bench = Bench::new(&PROBE, 1).key(1).stretch(frames);
            assert_eq!(bench.recipe().key_channels, 1);
            assert_eq!(bench.run_keyed(&[vec![0.0; 300]], &key), key);
        }
    }

    #[test]
    fn an_edit_is_ramped_over_20_ms_evenly_or_in_octaves() {
        // At the end of the eighth of fifteen stretches.
        let under_way = |index: usize, from: f64, to: f64| {
            let mut bench = Bench::new(&PROBE, 1).set(PROBE.parameters[index].name, from);
            bench.edit(index, to);
            let out = bench.run_mono(&[0.0; RAMP]);
            assert_eq!(out[RAMP - 1], to);
            out[8 * QUANTUM - 1]
        };
        assert!((under_way(0, 1.0, 4.0) - (1.0 + 3.0 * 8.0 / 15.0)).abs() < 1e-9);
        assert!((under_way(1, 1.0, 4.0) - math::pow(4.0, 8.0 / 15.0)).abs() < 1e-9);
    }

    #[test]
    fn the_measures_read_a_sine_at_its_level() {
        let tone = sine(1000.0, -12.0, RATE, 48_000);
        assert!((level_at(&tone, 1000.0, RATE) + 12.0).abs() < 1e-9);
        assert!((rms(&tone) + 15.0103).abs() < 1e-4);
        assert!((peak(&tone) + 12.0).abs() < 1e-3);
        assert!((db_of_power(spectrum(&tone)[1000]) + 12.0).abs() < 1e-9);
        assert!((level_above(&tone, 900.0, RATE) + 15.0103).abs() < 1e-3);
        assert!(level_above(&tone, 5000.0, RATE) < -150.0);
    }
}
