//! Tests of circuits: each node against its formula, machines against an interpreter that works node by node, frame by frame.

mod shared;
mod wide;

use std::f64::consts::{PI, TAU};

use assert_no_alloc::assert_no_alloc;

use super::machine::{Around, Block, Machine, State};
use super::plan::{Alike, Memory};
use super::*;
use crate::keep::{Keep, Ledger};
use crate::kernel::{Buffer, QUANTUM};
use crate::math;
use crate::random::{even, mix};

const RATE: f64 = 48_000.0;

/// A voice of one output.
fn voice(build: impl FnOnce(&mut Builder) -> Result<Signal, String>) -> Circuit {
    let mut b = Builder::new(0).unwrap();
    let out = build(&mut b).unwrap();
    b.finish(&[out]).unwrap()
}

/// An effect of one channel.
fn effect(build: impl FnOnce(&mut Builder, Signal) -> Result<Signal, String>) -> Circuit {
    let mut b = Builder::new(1).unwrap();
    let x = b.input(0).unwrap();
    let out = build(&mut b, x).unwrap();
    b.finish(&[out]).unwrap()
}

/// What a voice gives in one lane, its gate open for `held` frames; the frequency is a function of the frame.
fn play(circuit: &Circuit, count: usize, held: usize, freq: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut machine = Machine::<1>::new(circuit, RATE);
    let mut out = Vec::new();
    let mut at = 0;
    while at < count {
        let stop = if at < held { held } else { count };
        let start = at % QUANTUM;
        let end = (start + stop - at).min(QUANTUM);
        let base = at - start;
        let block: Block<1> = std::array::from_fn(|i| [freq(base + i)]);
        let around = Around {
            transport: base as u64,
            knobs: &[],
            pitch: Some((&block, &block)),
            velocity: [0.8],
            gate: [at < held],
            seed: [5],
            age: [base as u64],
            still: false,
        };
        machine.run(start..end, &around);
        out.extend(machine.output(0)[start..end].iter().map(|frame| frame[0]));
        at += end - start;
    }
    out
}

/// What an effect makes of a sound.
fn work(circuit: &Circuit, sound: &[f64]) -> Vec<f64> {
    let mut machine = Machine::<1>::new(circuit, RATE);
    let mut out = Vec::new();
    for (quantum, chunk) in sound.chunks(QUANTUM).enumerate() {
        machine.input(0).as_flattened_mut()[..chunk.len()].copy_from_slice(chunk);
        machine.run(0..chunk.len(), &Around::effect((quantum * QUANTUM) as u64, &[], 1));
        out.extend_from_slice(&machine.output(0).as_flattened()[..chunk.len()]);
    }
    out
}

/// The amplitude of a sine with `cycles` in all of the sound.
fn amplitude(sound: &[f64], cycles: f64) -> f64 {
    let step = TAU * cycles / sound.len() as f64;
    let (mut re, mut im) = (0.0, 0.0);
    for (i, x) in sound.iter().enumerate() {
        re += x * math::cos(step * i as f64);
        im += x * math::sin(step * i as f64);
    }
    2.0 * math::sqrt(re * re + im * im) / sound.len() as f64
}

fn steady(wave: Wave, width: f64) -> Circuit {
    voice(|b| {
        let (freq, width, phase) = (b.note(Figure::Freq)?, b.constant(width)?, b.constant(0.0)?);
        b.oscillator(wave, freq, width, phase)
    })
}

/// The strongest partial up to half the rate that is no harmonic, in dB below the first, of a tone of `cycles` in 2048 frames.
fn aliases(wave: Wave, width: f64, cycles: usize) -> f64 {
    let freq = cycles as f64 * RATE / 2048.0;
    let sound = play(&steady(wave, width), 2048, 2048, |_| freq);
    let first = amplitude(&sound, cycles as f64);
    let others = (1..=1024).filter(|bin| bin % cycles != 0).map(|bin| amplitude(&sound, bin as f64));
    math::db_from_gain(others.fold(0.0, f64::max) / first)
}

#[test]
fn aliases_lie_90_db_below_the_first_partial_at_any_frequency() {
    for cycles in [3, 19, 43, 107, 213, 331, 467, 641, 811] {
        for (wave, width) in [(Wave::Saw, 0.5), (Wave::Square, 0.5), (Wave::Triangle, 0.5), (Wave::Pulse, 0.3)] {
            let found = aliases(wave, width, cycles);
            assert!(found < -90.0, "{wave:?} at {:.0} Hz: {found:.1} dB", cycles as f64 * RATE / 2048.0);
        }
    }
}

#[test]
fn partials_are_those_of_the_waveforms() {
    let cycles = 11;
    let freq = cycles as f64 * RATE / 2048.0;
    for k in 1..=(18_000.0 / freq) as usize {
        let kf = k as f64;
        // Above 16 kHz the band's end begins: 0.1 dB at 18 kHz.
        let within = if kf * freq < 16_000.0 { 3e-4 } else { 0.01 };
        let odd = (k % 2) as f64;
        let expected = [
            (Wave::Saw, 2.0 / (PI * kf)),
            (Wave::Square, odd * 4.0 / (PI * kf)),
            (Wave::Triangle, odd * 8.0 / (PI * PI * kf * kf)),
            (Wave::Pulse, 4.0 / (PI * kf) * math::sin(PI * kf * 0.3).abs()),
        ];
        for (wave, level) in expected {
            let sound = play(&steady(wave, 0.3), 2048, 2048, |_| freq);
            let found = amplitude(&sound, (k * cycles) as f64);
            assert!((found - level).abs() < within * (2.0 / (PI * kf)), "{wave:?} {k}: {found} {level}");
        }
    }
}

#[test]
fn a_steady_tone_is_as_it_should_be_from_its_first_frame() {
    // The same cycle, once from the beginning and once long after.
    for wave in [Wave::Sine, Wave::Saw, Wave::Square, Wave::Triangle, Wave::Pulse] {
        let sound = play(&steady(wave, 0.25), 4096, 4096, |_| 16.0 * RATE / 1024.0);
        for i in 0..1024 {
            assert!((sound[i] - sound[i + 3072]).abs() < 1e-6, "{wave:?} {i}: {} {}", sound[i], sound[i + 3072]);
        }
    }
}

#[test]
fn audio_rate_modulation_stays_bounded_and_makes_no_click() {
    for wave in [Wave::Saw, Wave::Square, Wave::Triangle, Wave::Pulse] {
        let circuit = voice(|b| {
            let (freq, phase) = (b.note(Figure::Freq)?, b.constant(0.1)?);
            let (third, half, three) = (b.constant(0.37)?, b.constant(0.5)?, b.constant(3.0)?);
            let slow = b.binary(Binary::Multiply, freq, third)?;
            let by = b.oscillator(Wave::Sine, slow, half, phase)?;
            let width = b.binary(Binary::Multiply, by, half)?;
            let width = b.binary(Binary::Add, width, half)?;
            let by = b.binary(Binary::Multiply, by, three)?;
            let by = b.binary(Binary::Multiply, by, freq)?;
            // Through zero and back.
            let freq = b.binary(Binary::Add, freq, by)?;
            b.oscillator(wave, freq, width, phase)
        });
        for freq in [50.0, 440.0, 3000.0, 11_000.0, 23_000.0] {
            let sound = play(&circuit, 20_000, 20_000, |_| freq);
            let peak = sound.iter().fold(0.0, |peak: f64, x| peak.max(x.abs()));
            assert!(peak < 2.0, "{wave:?} {freq}: {peak}");
        }
    }
}

fn filter(pass: Pass, freq: f64, q: f64) -> Circuit {
    effect(|b, x| {
        let (freq, q) = (b.constant(freq)?, b.constant(q)?);
        b.filter(pass, x, freq, q)
    })
}

#[test]
fn filters_have_the_bilinear_response() {
    let mut impulse = vec![0.0; 48_000];
    impulse[0] = 1.0;
    for (corner, q) in [(100.0, 0.707), (1000.0, 8.0), (5000.0, 0.5), (12_000.0, 2.0), (20_000.0, 1.0)] {
        let g = math::tan(PI * corner / RATE);
        for pass in [Pass::Low, Pass::High, Pass::Band, Pass::Notch] {
            let sound = work(&filter(pass, corner, q), &impulse);
            for freq in [50.0, 400.0, 990.0, 3000.0, 9000.0, 19_000.0, 23_000.0] {
                // s = i w, w = tan(...) / g.
                let w = math::tan(PI * freq / RATE) / g;
                let (re, im) = (1.0 - w * w, w / q);
                let below = math::sqrt(re * re + im * im);
                let above = match pass {
                    Pass::Low => 1.0,
                    Pass::High => w * w,
                    Pass::Band => w / q,
                    Pass::Notch => (1.0 - w * w).abs(),
                };
                let found = amplitude(&sound, freq) * 24_000.0;
                assert!(
                    (found - above / below).abs() < 1e-5 * (1.0 + q),
                    "{pass:?} {corner} {freq}: {found} {}",
                    above / below
                );
            }
        }
    }
}

#[test]
fn a_filter_swept_at_audio_rate_at_q_40_stays_bounded() {
    let circuit = effect(|b, x| {
        let (q, k) = (b.constant(40.0)?, b.constant(11_990.0)?);
        let freq = b.binary(Binary::Multiply, x, k)?;
        let middle = b.constant(12_010.0)?;
        let freq = b.binary(Binary::Add, freq, middle)?;
        b.filter(Pass::Low, x, freq, q)
    });
    for (seed, rate) in [(1, 0.0), (2, 0.001), (3, 0.03), (4, 0.4), (5, 0.9)] {
        let sound: Vec<f64> = (0..96_000)
            .map(|i| if rate == 0.0 { 2.0 * even(seed, i) } else { math::sin(TAU * rate * i as f64 / 2.0) })
            .collect();
        let peak = work(&circuit, &sound).iter().fold(0.0, |peak: f64, x| peak.max(x.abs()));
        assert!(peak.is_finite() && peak < 400.0, "{rate}: {peak}");
    }
}

#[test]
fn envelopes_arrive_on_their_frames() {
    let circuit = voice(|b| {
        let [a, d, s, r] = [5.0, 20.0, 30.0, 50.0].map(|x| b.constant(x).unwrap());
        b.envelope(a, d, s, r)
    });
    let sound = play(&circuit, 5000, 2000, |_| 100.0);
    let (attack, decay, release) = (240, 960, 2400);
    assert_eq!(sound[0], 0.0);
    assert!(sound[..=attack].is_sorted() && sound[attack - 1] < 1.0);
    assert_eq!(sound[attack], 1.0);
    assert!(sound[attack + decay - 1] > 0.3);
    assert!(sound[attack + decay..=2000].iter().all(|x| *x == 0.3));
    assert!(sound[2000 + release - 1] > 0.0);
    assert!(sound[2000 + release..].iter().all(|x| *x == 0.0));
    // Half way up it has risen by what a capacitor would have.
    let risen = (1.0 - math::exp(-0.75)) / (1.0 - math::exp(-1.5));
    assert!((sound[attack / 2] - risen).abs() < 1e-9);
}

#[test]
fn an_envelope_that_begins_again_goes_on_from_where_it_is() {
    let mut envelope = envelope::Envelope::<1>::new(RATE);
    let times = |_: usize, _: usize| envelope::Times { attack: 10.0, decay: 20.0, sustain: 0.5, release: 30.0 };
    let mut sound = vec![[0.0]; 2000];
    envelope.run(&mut sound[..700], &[true], &[1.0], times);
    envelope.run(&mut sound[700..1000], &[false], &[1.0], times);
    envelope.again(0);
    envelope.run(&mut sound[1000..], &[true], &[1.0], times);
    let step = sound.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs()).fold(0.0, f64::max);
    assert!(step < 0.005, "{step}");
    assert_eq!(sound[1000 + 480][0], 1.0);
}

#[test]
fn noise_is_as_loud_and_as_coloured_as_it_says() {
    for (colour, slope) in [(Colour::White, 0.0), (Colour::Pink, -3.01)] {
        let sound = play(&voice(|b| b.noise(colour)), 1 << 16, 1 << 16, |_| 0.0);
        let power = sound.iter().map(|x| x * x).sum::<f64>() / sound.len() as f64;
        assert!((math::sqrt(power) - 0.577).abs() < 0.08, "{colour:?}: {power}");
        // The power in two bands an octave wide, five octaves apart.
        let band = |low: usize| {
            (low..2 * low).step_by(low / 128).map(|bin| math::pow(amplitude(&sound, bin as f64), 2.0)).sum::<f64>()
                / 128.0
        };
        let found = 10.0 * math::ln(band(16_384) / band(512)) / std::f64::consts::LN_10 / 5.0;
        assert!((found - slope).abs() < 0.4, "{colour:?}: {found}");
    }
}

#[test]
fn a_loop_is_one_frame_long() {
    let circuit = effect(|b, x| {
        b.feedback(|b, y| {
            let half = b.constant(0.5)?;
            let y = b.binary(Binary::Multiply, y, half)?;
            b.binary(Binary::Add, x, y)
        })
    });
    let mut sound = vec![0.0; 100];
    sound[3] = 1.0;
    let found = work(&circuit, &sound);
    assert!((0..100).all(|i| found[i] == if i < 3 { 0.0 } else { math::pow(0.5, (i - 3) as f64) }));
}

#[test]
fn a_string_is_as_long_as_its_delay_and_the_frame_of_the_loop() {
    let circuit = effect(|b, x| {
        b.feedback(|b, y| {
            let (frames, most) = (b.constant(99.0)?, b.constant(0.5)?);
            let y = b.delay(y, frames, 200)?;
            let y = b.binary(Binary::Multiply, y, most)?;
            b.binary(Binary::Add, x, y)
        })
    });
    let mut sound = vec![0.0; 500];
    sound[0] = 1.0;
    let found = work(&circuit, &sound);
    let expected = |i: usize| if i.is_multiple_of(100) { math::pow(0.5, (i / 100) as f64) } else { 0.0 };
    assert!((0..500).all(|i| found[i] == expected(i)));
}

#[test]
fn functions_are_as_exact_as_the_library() {
    let close = |found: f64, right: f64, what: &str| {
        assert!((found - right).abs() <= 6e-16 * right.abs().max(1e-300) + 3e-16, "{what}: {found:e} {right:e}");
    };
    for i in 0..200_000 {
        let x = even(3, i) * math::pow(10.0, even(4, i) * 8.0);
        close(functions::sin(x), libm::sin(x), &format!("sin {x}"));
        close(functions::cos(x), libm::cos(x), &format!("cos {x}"));
        let (found, right) = (functions::tanh(x), libm::tanh(x));
        assert!((found - right).abs() <= 1e-15 * right.abs(), "tanh {x}: {found:e} {right:e}");
        let (found, right) = (functions::exp(x), libm::exp(x));
        assert!(found == right || (found - right).abs() <= 1e-15 * right, "exp {x}: {found:e} {right:e}");
        assert_eq!(functions::floor(x * 100.0), (x * 100.0).floor());
    }
    for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1e300, 709.5, -745.0] {
        for (found, right) in [(functions::exp(x), libm::exp(x)), (functions::tanh(x), libm::tanh(x))] {
            assert!(found == right || found.is_nan() && right.is_nan(), "{x}: {found} {right}");
        }
        assert_eq!(functions::floor(x).is_nan(), x.is_nan());
    }
}

/// Works a circuit off node by node, frame by frame, in one lane.
struct Interpreter {
    circuit: Circuit,
    states: Vec<Option<State<1>>>,
    loops: Vec<f64>,
}

impl Interpreter {
    fn new(circuit: &Circuit) -> Self {
        let states = circuit.nodes.iter().map(|node| {
            let plain = matches!(
                node,
                Node::Constant(_)
                    | Node::Input(_)
                    | Node::Note(_)
                    | Node::Parameter(_)
                    | Node::Unary(..)
                    | Node::Binary(..)
                    | Node::Select(..)
                    | Node::Back
                    | Node::Loop { .. }
            );
            (!plain).then(|| State::new(&Memory { node: *node, alike: Alike::None, still: [false; 4] }, RATE))
        });
        let states = states.collect();
        Interpreter { circuit: circuit.clone(), states, loops: vec![0.0; circuit.nodes.len()] }
    }

    fn frame(&mut self, input: &[f64], i: usize, around: &Around<'_, 1>) -> Vec<f64> {
        let mut values: Vec<f64> = Vec::new();
        for (n, node) in self.circuit.nodes.iter().enumerate() {
            let of = |signal: Signal| values[signal.index()];
            let value = match *node {
                Node::Constant(x) => x,
                Node::Input(channel) => input[channel],
                Node::Parameter(index) => around.knobs[index][i],
                Node::Unary(f, a) => functions::unary(f, of(a)),
                Node::Binary(f, a, b) => functions::binary(f, of(a), of(b)),
                Node::Select(a, b, c) => functions::select(of(a), of(b), of(c)),
                Node::Back => self.loops[n],
                Node::Loop { back, result } => {
                    self.loops[back.index()] = of(result);
                    of(result)
                }
                Node::Note(figure) => {
                    let mut out = [[0.0]];
                    machine::note(figure, &mut out, i, around, RATE);
                    out[0][0]
                }
                _ => {
                    let args: Vec<[f64; 1]> = node.sources().map(|source| [of(source)]).chain([[0.0]; 4]).collect();
                    let mut out = [[0.0]];
                    let state = self.states[n].as_mut().unwrap();
                    let args = std::array::from_fn(|k| std::slice::from_ref(&args[k]));
                    machine::with_state(state, &mut out, args, false, i, around, RATE);
                    out[0][0]
                }
            };
            values.push(value);
        }
        self.circuit.outputs.iter().map(|output| values[output.index()]).collect()
    }
}

/// A number below `bound`, another each time.
fn draw(count: &mut u64, bound: usize) -> usize {
    *count += 1;
    (mix(*count) % bound as u64) as usize
}

/// Some circuit, with loops within loops.
fn any_circuit(seed: u64) -> Circuit {
    use {Binary::*, Unary::*};
    let mut count = seed << 20;
    let count = &mut count;
    let mut b = Builder::new(2).unwrap();
    let mut pool = vec![b.input(0).unwrap(), b.input(1).unwrap()];
    pool.push(b.parameter("a", 0.5, 0.0, 1.0).unwrap());
    pool.push(b.parameter("b", 0.5, 0.0, 1.0).unwrap());
    pool.push(b.constant(0.25).unwrap());
    pool.push(b.constant(-0.75).unwrap());
    pool.push(b.constant(300.0).unwrap());
    // For each open loop, its way back and how many signals there were.
    let mut open: Vec<(Signal, usize)> = Vec::new();
    for _ in 0..10 + draw(count, 60) {
        let mut any = || {
            // Late ones more often.
            let back = draw(count, pool.len()).min(draw(count, pool.len()));
            pool[pool.len() - 1 - back]
        };
        let (x, y, z) = (any(), any(), any());
        let made = match draw(count, 30) {
            0..=12 => {
                let all =
                    [Add, Subtract, Multiply, Min, Max, Less, GreaterOrEqual, And, Or, Add, Subtract, Multiply, Equal];
                b.binary(all[draw(count, all.len())], x, y)
            }
            13..=17 => {
                let all = [Tanh, Sin, Abs, Sign, Floor, Negate, Not, Cos];
                b.unary(all[draw(count, all.len())], x)
            }
            18 => b.select(x, y, z),
            19 => b.delay1(x),
            20 => b.delay(x, y, 20 + draw(count, 200)),
            21 => b.smooth(x, 3.0),
            22 => b.hold(x, y),
            23 => b.filter([Pass::Low, Pass::High, Pass::Band, Pass::Notch][draw(count, 4)], x, y, z),
            24 => b.oscillator([Wave::Saw, Wave::Sine, Wave::Pulse, Wave::Triangle][draw(count, 4)], x, y, z),
            25 => b.noise(if draw(count, 2) == 0 { Colour::White } else { Colour::Pink }),
            26 => b.lfo(3.0, Wave::Triangle, Clock::Transport),
            27 | 28 if open.len() < 3 => b.open().inspect(|back| open.push((*back, pool.len()))),
            _ => match open.pop() {
                Some((back, length)) => {
                    let last = *pool.last().unwrap();
                    let mixed = b.binary(Subtract, last, back).unwrap();
                    let half = b.constant(0.4).unwrap();
                    let mixed = b.binary(Multiply, mixed, half).unwrap();
                    let result = b.unary(Tanh, mixed).unwrap();
                    pool.truncate(length);
                    b.close(back, result)
                }
                None => b.clamp(x, y, z),
            },
        };
        // Constants may be refused, as a frequency below 0 is.
        pool.extend(made);
    }
    while let Some((back, length)) = open.pop() {
        let last = *pool.last().unwrap();
        let sum = b.binary(Add, last, back).unwrap();
        let result = b.unary(Tanh, sum).unwrap();
        pool.truncate(length);
        pool.push(b.close(back, result).unwrap());
    }
    let outputs = [pool[pool.len() - 1], pool[pool.len() - 2]];
    b.finish(&outputs).unwrap()
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

#[test]
fn a_machine_gives_the_bits_of_the_interpreter_in_any_lane_and_any_stretches() {
    let mut loops = 0;
    for seed in 0..150 {
        let circuit = any_circuit(seed);
        loops += circuit.nodes.iter().filter(|node| matches!(node, Node::Loop { .. })).count();
        let mut interpreter = Interpreter::new(&circuit);
        let mut machine = Machine::<4>::new(&circuit, RATE);
        let lane = (seed % 4) as usize;
        for quantum in 0..6 {
            let knobs: [Buffer; 2] =
                std::array::from_fn(|k| std::array::from_fn(|i| even(k as u64, quantum * 64 + i as u64)));
            let input = |channel: usize, i: usize| even(9 + channel as u64, quantum * 64 + i as u64) * 2.0;
            for channel in 0..2 {
                for (i, frame) in machine.input(channel).iter_mut().enumerate() {
                    *frame =
                        std::array::from_fn(|l| if l == lane { input(channel, i) } else { even(77, (i * l) as u64) });
                }
            }
            let mut around = Around::<4>::effect(quantum * 64, &knobs, 3);
            around.seed = [3; 4];
            let mut one = Around::<1>::effect(quantum * 64, &knobs, 3);
            one.seed = [3];
            let cut = mix(seed * 100 + quantum) as usize % QUANTUM;
            for frames in [0..cut, cut..QUANTUM] {
                assert_no_alloc(|| machine.run(frames.clone(), &around));
                for i in frames {
                    let expected = interpreter.frame(&[input(0, i), input(1, i)], i, &one);
                    for (channel, expected) in expected.iter().enumerate() {
                        let found = machine.output(channel)[i][lane];
                        assert!(
                            same(found, *expected),
                            "{seed} {quantum} {i} {channel}: {found} {expected}\n{circuit:#?}"
                        );
                    }
                }
            }
        }
    }
    assert!(loops > 40, "{loops}");
}

/// A loop of a few sums and products, of what it gave, of what it gave before that, of what comes in and of numbers.
fn any_short_loop(seed: u64) -> Circuit {
    let mut count = seed << 20;
    let count = &mut count;
    effect(|b, x| {
        let knob = b.parameter("a", 0.5, 0.0, 1.0)?;
        let (number, less) = (b.constant(0.3)?, b.constant(-0.6)?);
        let early = b.binary(Binary::Multiply, x, number)?;
        b.feedback(|b, y| {
            let mut pool = vec![x, knob, number, less, early, b.delay1(y)?];
            let mut chain = y;
            for _ in 0..=draw(count, 3) {
                let mut other = if draw(count, 6) == 0 { y } else { pool[draw(count, pool.len())] };
                if draw(count, 3) == 0 {
                    other = b.binary(Binary::Multiply, pool[draw(count, 5)], pool[5])?;
                }
                let function = [Binary::Add, Binary::Subtract, Binary::Multiply][draw(count, 3)];
                let turned = draw(count, 2) == 0;
                chain = if turned { b.binary(function, other, chain)? } else { b.binary(function, chain, other)? };
                pool.insert(0, x);
            }
            Ok(chain)
        })
    })
}

#[test]
fn short_loops_give_the_bits_of_the_interpreter() {
    let mut chains = 0;
    for seed in 0..400 {
        let circuit = any_short_loop(seed);
        let plan = plan::Plan::new(&circuit);
        chains += plan.steps.iter().filter(|step| matches!(step, plan::Step::Loop { chain: Some(_), .. })).count();
        let mut interpreter = Interpreter::new(&circuit);
        let mut machine = Machine::<2>::new(&circuit, RATE);
        for quantum in 0..3 {
            let knobs: [Buffer; 1] = [std::array::from_fn(|i| even(1, quantum * 64 + i as u64))];
            // Zeros of both signs too.
            let input = |i: usize| [0.0, -0.0, even(9, quantum * 64 + i as u64)][i / 7 % 3];
            machine.input(0).iter_mut().enumerate().for_each(|(i, frame)| *frame = [0.1, input(i)]);
            let cut = mix(seed * 100 + quantum) as usize % QUANTUM;
            for frames in [0..cut, cut..QUANTUM] {
                assert_no_alloc(|| machine.run(frames.clone(), &Around::effect(quantum * 64, &knobs, 3)));
                for i in frames {
                    let one = Around::<1>::effect(quantum * 64, &knobs, 3);
                    let (found, expected) = (machine.output(0)[i][1], interpreter.frame(&[input(i)], i, &one)[0]);
                    assert!(same(found, expected), "{seed} {quantum} {i}: {found} {expected}\n{circuit:#?}");
                }
            }
        }
    }
    assert!(chains > 200, "{chains}");
}

#[test]
fn what_is_kept_goes_on_with_the_same_bits() {
    for seed in 0..40 {
        let circuit = any_circuit(seed);
        let knobs = [[0.3; QUANTUM]; 2];
        let mut machine = Machine::<2>::new(&circuit, RATE);
        let run = |machine: &mut Machine<2>, quantum: u64| {
            for channel in 0..2 {
                for (i, frame) in machine.input(channel).iter_mut().enumerate() {
                    *frame = [even(1, quantum * 64 + i as u64), even(2, i as u64)];
                }
            }
            machine.run(0..QUANTUM, &Around::effect(quantum * 64, &knobs, 3));
            (0..2).flat_map(|channel| machine.output(channel).to_vec()).collect::<Vec<_>>()
        };
        (0..5).for_each(|quantum| drop(run(&mut machine, quantum)));
        let mut ledger = Ledger::writing();
        machine.keep(&mut ledger);
        let bytes = ledger.finish().unwrap();
        let mut other = Machine::<2>::new(&circuit, RATE);
        let mut ledger = Ledger::reading(bytes);
        other.keep(&mut ledger);
        ledger.finish().unwrap();
        for quantum in 5..8 {
            let pairs = run(&mut machine, quantum).into_iter().zip(run(&mut other, quantum));
            assert!(pairs.into_iter().all(|(a, b)| same(a[0], b[0]) && same(a[1], b[1])), "{seed}");
        }
    }
}

#[test]
fn folding_changes_no_bit() {
    use {Binary::*, Unary::*};
    let numbers = [0.0, -0.0, 1.0, -1.5, 0.3, 1e-310, 17.25, -250.0];
    for a in numbers {
        for b in numbers {
            let all = [
                Add,
                Subtract,
                Multiply,
                Divide,
                Remainder,
                Power,
                Min,
                Max,
                Less,
                LessOrEqual,
                Greater,
                GreaterOrEqual,
                Equal,
                Unequal,
                And,
                Or,
            ];
            for function in all {
                let folded = effect(|builder, x| {
                    let (a, b) = (builder.constant(a)?, builder.constant(b)?);
                    let y = builder.binary(function, a, b)?;
                    builder.select(x, y, x)
                });
                let found = work(&folded, &[1.0])[0];
                let unfolded = effect(|builder, x| {
                    // Nobody knows beforehand that x is 1.
                    let (a, b) = (builder.constant(a)?, builder.constant(b)?);
                    let (a, b) = (builder.select(x, a, x)?, builder.select(x, b, x)?);
                    builder.binary(function, a, b)
                });
                let expected = work(&unfolded, &[1.0])[0];
                assert!(same(found, expected), "{function:?} {a} {b}: {found} {expected}");
            }
        }
        for function in [Negate, Not, Abs, Sign, Floor, SquareRoot, Sin, Cos, Tan, Tanh, Exp, Log] {
            let folded = effect(|builder, x| {
                let a = builder.constant(a)?;
                let y = builder.unary(function, a)?;
                builder.select(x, y, x)
            });
            let unfolded = effect(|builder, x| {
                let a = builder.constant(a)?;
                let a = builder.select(x, a, x)?;
                builder.unary(function, a)
            });
            assert!(same(work(&folded, &[1.0])[0], work(&unfolded, &[1.0])[0]), "{function:?} {a}");
        }
    }
}

#[test]
fn what_is_written_twice_is_worked_out_once() {
    let circuit = effect(|b, x| {
        let (p, q) = (b.binary(Binary::Multiply, x, x)?, b.binary(Binary::Multiply, x, x)?);
        let (zero, less) = (b.constant(0.0)?, b.constant(-0.0)?);
        assert_eq!((p, zero == less), (q, false));
        b.unary(Unary::Tanh, x)?;
        b.binary(Binary::Add, p, q)
    });
    assert_eq!(circuit.nodes.len(), 3);
}

#[test]
fn a_builder_says_what_is_wrong() {
    let mut b = Builder::new(1).unwrap();
    let x = b.input(0).unwrap();
    let says = |result: Result<Signal, String>, part: &str| {
        let error = result.unwrap_err();
        assert!(error.contains(part), "{error}");
    };
    says(b.constant(f64::NAN), "finite");
    says(b.input(1), "there is no channel 1");
    says(b.note(Figure::Freq), "only the voice of a synth");
    says(b.feedback(|b, _| b.unary(Unary::Abs, x)), "does not use y");
    let mut b = Builder::new(1).unwrap();
    let x = b.input(0).unwrap();
    let mut leak = x;
    b.feedback(|b, y| {
        leak = b.unary(Unary::Abs, y)?;
        b.binary(Binary::Add, leak, x)
    })
    .unwrap();
    says(b.unary(Unary::Negate, leak), "used outside");
    says(b.parameter("a", 2.0, 0.0, 1.0), "not between");
    says(b.parameter("a", 0.0, 1.0, 0.0), "below its most");
    says(b.parameter("A b", 0.0, 0.0, 1.0), "cannot name");
    b.parameter("a", 0.0, 0.0, 1.0).unwrap();
    says(b.parameter("a", 0.0, 0.0, 1.0), "two parameters");
    says(b.delay(x, x, 0), "a delay reaches");
    let zero = b.constant(0.0).unwrap();
    says(b.filter(Pass::Low, x, zero, x), "above 0");
    says(b.smooth(x, 0.0), "above 0");
    says(b.lfo(0.0, Wave::Sine, Clock::Transport), "above 0");
    says(b.delay1(Signal(900)), "another circuit");
    let mut last = x;
    let error = loop {
        match b.delay1(last) {
            Ok(next) => last = next,
            Err(error) => break error,
        }
    };
    assert!(error.contains("at most 1000"), "{error}");
    assert!(b.clone().finish(&[]).unwrap_err().contains("one signal or two"));
    assert!(b.finish(&[leak]).unwrap_err().contains("used outside"));
    assert!(Builder::new(3).is_err());
}

#[test]
fn an_lfo_is_a_function_of_its_clock() {
    for (wave, at) in [(Wave::Sine, 1.0), (Wave::Saw, 0.5), (Wave::Square, 1.0), (Wave::Triangle, 1.0)] {
        let sound = play(&voice(|b| b.lfo(2.0, wave, Clock::Age)), 24_000, 24_000, |_| 0.0);
        assert!((sound[6000] - at).abs() < 1e-9, "{wave:?}: {}", sound[6000]);
        assert!((sound[18_000] - if wave == Wave::Saw { -0.5 } else { -1.0 }).abs() < 1e-9, "{wave:?}");
    }
}

#[test]
fn decay_falls_by_60_db_in_its_time_and_smoothing_goes_its_part_of_the_way() {
    let sound = play(
        &voice(|b| {
            let ms = b.constant(100.0)?;
            b.decay(ms)
        }),
        4801,
        4801,
        |_| 0.0,
    );
    assert!(sound[0] == 1.0 && (sound[4800] - 1e-3).abs() < 1e-9, "{}", sound[4800]);
    let mut step = vec![0.0; 1];
    step.extend([1.0; 480]);
    let found = work(&effect(|b, x| b.smooth(x, 10.0)), &step);
    assert!((found[480] - (1.0 - math::exp(-1.0))).abs() < 1e-9, "{}", found[480]);
}

#[test]
fn what_voices_have_in_common_makes_the_same_bits_when_it_is_worked_out_once() {
    let mut shared = 0;
    for seed in 0..60 {
        let circuit = any_circuit(seed);
        let Split { common, each } = Split::new(&circuit);
        shared += common.outputs.len();
        let mut whole = Machine::<4>::new(&circuit, RATE);
        let mut parts = (Machine::<1>::new(&common, RATE), Machine::<4>::new(&each, RATE));
        for quantum in 0..3 {
            let mut knobs: Vec<Buffer> =
                (0..2).map(|k| std::array::from_fn(|i| even(k, quantum * 64 + i as u64))).collect();
            for channel in 0..2 {
                for i in 0..QUANTUM {
                    let frame = std::array::from_fn(|lane| even(7 + lane as u64, (quantum * 64 + i as u64) * 2));
                    whole.input(channel)[i] = frame;
                    parts.1.input(channel)[i] = frame;
                }
            }
            parts.0.run(0..QUANTUM, &Around::effect(quantum * 64, &knobs, 3));
            whole.run(0..QUANTUM, &Around::effect(quantum * 64, &knobs, 3));
            for channel in 0..common.outputs.len() {
                knobs.push(std::array::from_fn(|i| parts.0.output(channel)[i][0]));
            }
            parts.1.run(0..QUANTUM, &Around::effect(quantum * 64, &knobs, 3));
            for channel in 0..2 {
                let pairs = whole.output(channel).iter().zip(parts.1.output(channel));
                assert!(pairs.into_iter().all(|(a, b)| (0..4).all(|lane| same(a[lane], b[lane]))), "{seed}");
            }
        }
    }
    assert!(shared > 60, "{shared}");
}

#[test]
fn what_is_held_is_what_there_was_as_the_other_rose() {
    let mut b = Builder::new(2).unwrap();
    let (x, when) = (b.input(0).unwrap(), b.input(1).unwrap());
    let held = b.hold(x, when).unwrap();
    let circuit = b.finish(&[held]).unwrap();
    let mut machine = Machine::<1>::new(&circuit, RATE);
    // It rises from below, from 0, stays up, touches 0 and rises again, and rises at the first frame of a stretch.
    let when = [-1.0, 0.5, 1.0, 0.0, 2.0, -3.0, 0.0, 1e-300, 1.0, f64::NAN, 1.0, -1.0, 1.0];
    let expected = [0, 1, 1, 1, 4, 4, 4, 7, 7, 7, 7, 7, 12];
    for i in 0..when.len() {
        machine.input(0)[i] = [10.0 + i as f64];
        machine.input(1)[i] = [when[i]];
    }
    machine.reset();
    for stretch in [0..3, 3..4, 4..12, 12..13] {
        machine.run(stretch.clone(), &Around::effect(0, &[], 0));
        for i in stretch {
            assert_eq!(machine.output(0)[i], [10.0 + f64::from(expected[i])], "{i}");
        }
    }
    // Another note begins with what there is, whether anything rises or not.
    machine.reset();
    (machine.input(0)[20], machine.input(1)[20]) = ([-5.0], [-1.0]);
    machine.run(20..21, &Around::effect(0, &[], 0));
    assert_eq!(machine.output(0)[20], [-5.0]);
}

#[test]
fn frequency_modulation_of_a_sine_is_the_analytic_waveform_without_a_click() {
    // sin(2 pi f t + index sin(2 pi m t)): what the frequency adds up to, and how fast its slope changes.
    let (carrier, modulator, index) = (440.0, 130.0, 3.0);
    let circuit = steady(Wave::Sine, 0.5);
    let count = 9600;
    let at = |i: usize| TAU * modulator * i as f64 / RATE;
    let sound = play(&circuit, count, count, |i| carrier + index * modulator * math::cos(at(i)));
    // A phase that adds frequencies up frame by frame goes ahead of the integral as a sum does of an integral.
    let half = PI * modulator / RATE;
    let summed = |i: usize| half * index * (math::sin(at(i) - half) + math::sin(half)) / math::sin(half);
    let expected = |i: usize| math::sin(TAU * carrier * i as f64 / RATE + summed(i));
    let worst = (0..count).map(|i| (sound[i] - expected(i)).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-9, "{worst:e}");
    // The second derivative is at most (the highest frequency)² plus how fast the frequency changes.
    let highest = TAU * (carrier + index * modulator) / RATE;
    let bend = highest * highest + index * (TAU * modulator / RATE) * (TAU * modulator / RATE);
    let click = sound.windows(3).map(|w| (w[2] - 2.0 * w[1] + w[0]).abs()).fold(0.0, f64::max);
    assert!(click <= bend * (1.0 + 1e-9), "{click} {bend}");
}
