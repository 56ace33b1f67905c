//! What moves in an effect is where the transport has it, whatever was edited on the way.

use crate::rehearsal::{Rehearsal, cold};

fn text(effect: &str) -> String {
    format!("let x = input(\"x\", saw(110)); x >> {effect} >> master;")
}

/// The most by which what runs at its end is off a cold start of a text.
fn off(rehearsal: &Rehearsal, text: &str) -> f64 {
    let cold = cold(text, rehearsal.now() as usize);
    let last = rehearsal.now() as usize - 9600;
    let pairs = rehearsal.sound.iter().zip(&cold).flat_map(|(a, b)| a[last..].iter().zip(&b[last..]));
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn after_a_changed_rate_all_that_moves_is_soon_where_a_cold_start_has_it() {
    for (word, rates) in [
        ("chorus()", [".rate(0.7)", ".rate(3.1)", ".rate(1.bars)"]),
        ("flanger()", [".rate(0.3)", ".rate(\"1/4\")", ".rate(0.2)"]),
        ("phaser()", [".rate(2.bars)", ".rate(0.9)", ".rate(\"1/2t\")"]),
        ("tremolo()", [".rate(\"1/8\")", ".rate(7)", ".rate(\"1/8.\")"]),
        ("auto_pan()", [".rate(1)", ".rate(3.beats)", ".rate(0.37)"]),
        ("vibrato()", [".rate(5)", ".rate(\"1/16\")", ".rate(4)"]),
        ("ring_mod()", [".freq(300)", ".freq(41)", ".freq(1234)"]),
    ] {
        let [first, second, last] = rates.map(|rate| text(&format!("{word}{rate}")));
        let mut rehearsal = Rehearsal::new(&first);
        rehearsal.run(10_000);
        rehearsal.edit(&second);
        rehearsal.run(7777);
        rehearsal.edit(&last);
        rehearsal.run(48_000);
        // Smoothers arrive to a thousand millionth of a frame.
        let off = off(&rehearsal, &last);
        assert!(off < 1e-9, "{word}: {off}");
    }
}

#[test]
fn what_moved_while_the_transport_stood_goes_back_to_its_place() {
    use engine::transport::Move;
    for effect in ["auto_pan(\"1/2\")", "phaser().rate(0.3)", "tape().wow(1).flutter(0.2).hiss(-50)"] {
        let text = text(effect);
        let mut rehearsal = Rehearsal::new(&text);
        rehearsal.run(20_000);
        rehearsal.order(Move::Stop);
        rehearsal.run(12_345);
        rehearsal.order(Move::Start);
        rehearsal.run(64_000);
        let behind = rehearsal.now() - rehearsal.transport();
        let cold = cold(&text, rehearsal.transport() as usize);
        for (ran, cold) in rehearsal.sound.iter().zip(&cold) {
            let last = cold.len() - 9600;
            let pairs = ran[last + behind as usize..].iter().zip(&cold[last..]);
            let off = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(off < 1e-9, "{effect}: {off}");
        }
    }
}

#[test]
fn what_jumps_often_still_gets_to_both_its_ends() {
    for (shape, near) in [("square", 0.001), ("saw", 1.4)] {
        for rate in [1, 5, 11, 25, 40] {
            let lfo = format!("lfo({rate}).shape(\"{shape}\").range(-20, 0)");
            // Every second frame of a tone at a quarter of the rate is at its peak.
            let sound = cold(&format!("input(\"x\", sine(12.kHz).level(0)) >> gain({lfo}) >> master;"), 96_000);
            let levels = sound[0][48_001..].iter().step_by(2).map(|x| 20.0 * x.abs().log10());
            let (least, most) = levels.fold((0.0f64, -99.0f64), |(a, b), x| (a.min(x), b.max(x)));
            assert!(least < -20.0 + near && most > -0.05, "{shape} at {rate} Hz: {least} to {most} dB");
        }
    }
}
