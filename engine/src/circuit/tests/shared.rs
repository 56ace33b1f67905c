//! What is worked out once, for all frames or for several packs of voices, against what is worked out each time.

use super::*;
use crate::circuit::machine::Bench;

/// Circuits of what is known of a note, with states that it shapes, within a loop and without.
fn circuits() -> Vec<Circuit> {
    let mut circuits = Vec::new();
    for clock in [Clock::Age, Clock::Transport] {
        for wave in [Wave::Sine, Wave::Saw, Wave::Square, Wave::Triangle, Wave::Pulse] {
            circuits.push(voice(|b| {
                let (freq, velocity, age) = (b.note(Figure::Freq)?, b.note(Figure::Velocity)?, b.note(Figure::Age)?);
                let (half, knob) = (b.constant(0.5)?, b.parameter("knob", 0.0, -1.0, 1.0)?);
                let width = b.binary(Binary::Multiply, velocity, half)?;
                let tone = b.oscillator(wave, freq, width, half)?;
                let sway = b.lfo(90.0, Wave::Sine, clock)?;
                let cutoff = b.binary(Binary::Multiply, freq, sway)?;
                let low = b.filter(Pass::Low, tone, cutoff, velocity)?;
                let swayed = b.binary(Binary::Add, sway, knob)?;
                let swayed = b.binary(Binary::Add, swayed, age)?;
                let high = b.filter(Pass::High, low, swayed, half)?;
                let round = b.feedback(|b, y| {
                    let y = b.binary(Binary::Multiply, y, width)?;
                    let tone = b.oscillator(wave, freq, width, half)?;
                    let band = b.filter(Pass::Band, y, freq, half)?;
                    b.binary(Binary::Add, tone, band)
                })?;
                b.binary(Binary::Add, high, round)
            }));
        }
    }
    circuits
}

#[test]
fn what_stays_gives_the_same_bits_worked_out_once_and_at_every_frame() {
    for circuit in circuits() {
        let (pitch, freq): (Block<4>, Block<4>) =
            ([[60.0, 61.5, 0.0, 127.0]; QUANTUM], [[261.0, 285.0, 8.0, 12_543.0]; QUANTUM]);
        let mut machines = [Machine::<4>::new(&circuit, RATE), Machine::new(&circuit, RATE)];
        for quantum in 0..4 {
            let knobs: Vec<Buffer> = (0..circuit.parameters.len() as u64)
                .map(|k| std::array::from_fn(|i| even(k, quantum * 64 + i as u64)))
                .collect();
            for frames in [0..11, 11..QUANTUM] {
                for (machine, still) in machines.iter_mut().zip([true, false]) {
                    let pitch = Some((&freq, &pitch));
                    let around = Around { pitch, still, ..Around::effect(quantum * 64, &knobs, 3) };
                    machine.run(frames.clone(), &around);
                }
                let [still, each] = &machines;
                for channel in 0..still.outputs() {
                    let [still, each] =
                        [still, each].map(|machine| machine.output(channel)[frames.clone()].as_flattened());
                    let at = still.iter().zip(each).position(|(a, b)| !same(*a, *b));
                    assert_eq!(at, None, "{circuit:#?}");
                }
            }
        }
    }
}

#[test]
fn packs_on_one_bench_give_the_bits_of_each_alone() {
    for circuit in circuits() {
        let mut bench = Bench::<2>::new(&circuit, RATE);
        // The second is as old as the first, the third is not, and in the last one voice is younger than the other.
        let ages = [[500, 500], [500, 500], [90, 90], [90, 7]];
        let mut packs = ages.map(|age| (age, bench.states(), Machine::<2>::new(&circuit, RATE)));
        for quantum in 0..3 {
            let knobs: Vec<Buffer> = (0..circuit.parameters.len() as u64)
                .map(|k| std::array::from_fn(|i| even(k, quantum * 64 + i as u64)))
                .collect();
            for frames in [0..30, 30..QUANTUM] {
                bench.begin();
                for (age, states, machine) in &mut packs {
                    let age = age.map(|age| age + quantum * 64);
                    let around = Around { age, ..Around::effect(quantum * 64, &knobs, 3) };
                    bench.run(states, &frames, &around);
                    machine.run(frames.clone(), &around);
                    for channel in 0..machine.outputs() {
                        let [one, other] = [bench.output(channel), machine.output(channel)];
                        let pairs = one[frames.clone()].as_flattened().iter().zip(other[frames.clone()].as_flattened());
                        assert!(pairs.into_iter().all(|(a, b)| same(*a, *b)), "{circuit:#?}");
                    }
                }
            }
        }
    }
}
