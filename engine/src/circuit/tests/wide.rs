//! What is worked on in wide registers, and what is worked off together, against what is not.

use super::*;
use crate::wide::tests::plainly;

/// What a circuit gives in `L` lanes, in stretches that fit no register.
fn run<const L: usize>(circuit: &Circuit, seed: u64) -> Vec<f64> {
    let mut machine = Machine::<L>::new(circuit, RATE);
    let mut found = Vec::new();
    for quantum in 0..4 {
        let knobs: [Buffer; 2] =
            std::array::from_fn(|k| std::array::from_fn(|i| even(k as u64, quantum * 64 + i as u64)));
        for channel in 0..circuit.inputs {
            let x = |i: usize, lane: usize| 2.0 * even((channel * L + lane) as u64, quantum * 64 + i as u64);
            machine
                .input(channel)
                .iter_mut()
                .enumerate()
                .for_each(|(i, frame)| *frame = std::array::from_fn(|l| x(i, l)));
        }
        let cut = mix(seed * 100 + quantum) as usize % QUANTUM;
        for frames in [0..cut, cut..QUANTUM] {
            machine.run(frames.clone(), &Around::effect(quantum * 64, &knobs, seed));
            for channel in 0..machine.outputs() {
                found.extend_from_slice(machine.output(channel)[frames.clone()].as_flattened());
            }
        }
    }
    found
}

fn agree<const L: usize>(circuit: &Circuit, seed: u64) {
    let (wide, plain) = (run::<L>(circuit, seed), plainly(|| run::<L>(circuit, seed)));
    let at = wide.iter().zip(&plain).position(|(a, b)| !same(*a, *b));
    assert_eq!(at, None, "{L} lanes: {seed}\n{circuit:#?}");
}

#[test]
fn wide_registers_change_no_bit_in_any_number_of_lanes() {
    for seed in 0..60 {
        let circuit = any_circuit(seed);
        agree::<1>(&circuit, seed);
        agree::<2>(&circuit, seed);
        agree::<3>(&circuit, seed);
        agree::<8>(&circuit, seed);
    }
}

/// Circuits whose steps are worked off together: sums and products of two, what is bent before, what is chosen.
fn fused() -> Vec<Circuit> {
    use Binary::{Add, Greater, GreaterOrEqual, Less, LessOrEqual, Multiply, Subtract};
    let plain = [Add, Subtract, Multiply];
    let compares = [Less, LessOrEqual, Greater, GreaterOrEqual];
    let mut circuits = Vec::new();
    for numbers in [false, true] {
        for function in plain {
            for (first, third) in plain.iter().flat_map(|first| plain.map(|third| (*first, third))) {
                circuits.push(effect(|b, x| {
                    let (y, half, third_part) = (b.delay1(x)?, b.constant(0.5)?, b.constant(-0.3)?);
                    let (p, q) = if numbers { (half, third_part) } else { (x, y) };
                    let (one, other) = (b.binary(first, x, p)?, b.binary(third, y, q)?);
                    b.binary(function, one, other)
                }));
            }
        }
        for (function, bend) in plain
            .into_iter()
            .chain(compares)
            .flat_map(|function| [Unary::Abs, Unary::Negate, Unary::Sign].map(|bend| (function, bend)))
        {
            for turned in [false, true] {
                circuits.push(effect(|b, x| {
                    let other = if numbers { b.constant(0.25)? } else { b.delay1(x)? };
                    let bent = b.unary(bend, x)?;
                    if turned { b.binary(function, other, bent) } else { b.binary(function, bent, other) }
                }));
            }
        }
        for function in compares {
            circuits.push(effect(|b, x| {
                let (other, no) = (if numbers { b.constant(0.25)? } else { b.delay1(x)? }, b.constant(-0.5)?);
                let condition = b.binary(function, x, other)?;
                b.select(condition, x, no)
            }));
        }
    }
    circuits
}

#[test]
fn what_is_worked_off_together_gives_the_bits_of_the_interpreter() {
    for circuit in fused() {
        let steps = plan::Plan::new(&circuit).steps.len();
        let delays = circuit.nodes.iter().filter(|node| matches!(node, Node::Delay1(_))).count();
        assert_eq!(steps, 1 + delays, "{circuit:#?}");
        agree::<1>(&circuit, 1);
        agree::<8>(&circuit, 1);
        let x = |i: usize| [0.0, -0.0, even(3, i as u64), 0.25][i / 5 % 4];
        let sound: Vec<f64> = (0..QUANTUM).map(x).collect();
        let mut interpreter = Interpreter::new(&circuit);
        let around = Around::<1>::effect(0, &[], 1);
        let mut channel = sound.clone();
        Machine::<1>::new(&circuit, RATE).work(&mut channel, &(0..QUANTUM), &around);
        for (i, (ran, worked)) in work(&circuit, &sound).into_iter().zip(channel).enumerate() {
            let expected = interpreter.frame(&[x(i)], i, &around)[0];
            assert!(same(ran, expected) && same(worked, expected), "{i}: {ran} {worked} {expected}\n{circuit:#?}");
        }
    }
}
