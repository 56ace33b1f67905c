//! The transport stops, starts, goes elsewhere and panics, and nothing clicks.

use engine::transport::Move;

use crate::rehearsal::{Rehearsal, cold, first_difference};
use crate::spectrum::loudest_above;

const TONES: &str = r#"
    input("a", sine(100).level(-12)) >> fader(-3) >> delay(100.ms).feedback(50).mix(30) >> limiter(-1) >> master;
    input("b", sine(60).level(-20)) >> compressor(-30, 3) >> master;
"#;

fn clicks(rehearsal: &Rehearsal) -> f64 {
    rehearsal.sound.iter().map(|channel| loudest_above(&channel[9600..], 5000.0)).fold(f64::MIN, f64::max)
}

fn rms(sound: &[f64]) -> f64 {
    (sound.iter().map(|x| x * x).sum::<f64>() / sound.len() as f64).sqrt()
}

#[test]
fn it_stops_and_goes_on_without_a_click_and_what_has_been_heard_rings_on() {
    let mut rehearsal = Rehearsal::new(TONES);
    rehearsal.run(24_000);
    rehearsal.order(Move::Stop);
    rehearsal.run(24_000);
    let stopped = rehearsal.transport();
    assert_eq!(stopped, 24_000 + 960, "it stands when all has faded");
    let sound = &rehearsal.sound[0];
    assert!(rms(&sound[27_000..28_000]) > 0.01, "the echo rings on");
    assert!(rms(&sound[46_000..48_000]) < 0.5 * rms(&sound[20_000..22_000]));
    rehearsal.run(480_000);
    assert!(rms(&rehearsal.sound[0][500_000..]) < 1e-9, "and dies away");
    rehearsal.order(Move::Start);
    rehearsal.run(24_000);
    assert_eq!(rehearsal.transport(), stopped + 24_000);
    assert!(clicks(&rehearsal) < -80.0, "{:.1}", clicks(&rehearsal));
}

#[test]
fn elsewhere_it_sounds_as_if_it_had_come_there() {
    // Nothing here remembers for long, so that two seconds later both are the same.
    let text = r#"
        input("a", sine(100).level(-12)) >> fader(-3) >> limiter(-1) >> master;
        input("b", noise("pink").level(-20)) >> eq().bell(300, 4) >> master;
    "#;
    let mut rehearsal = Rehearsal::new(text);
    rehearsal.run(9_600);
    rehearsal.order(Move::Locate(480_000));
    rehearsal.run(192_000);
    let there = cold(text, 672_000);
    // It went when all had faded, at 9600 + 960.
    let (located, straight) = (&rehearsal.sound[0][150_000..190_000], &there[0][150_000 + 480_000 - 10_560..]);
    let off = located.iter().zip(straight).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off < 1e-9, "{off}");
}

#[test]
fn it_goes_elsewhere_without_a_click() {
    let mut rehearsal = Rehearsal::new(TONES);
    rehearsal.run(24_000);
    for frame in [96_033, 7, 480_000] {
        rehearsal.order(Move::Locate(frame));
        rehearsal.run(24_000);
    }
    assert!(clicks(&rehearsal) < -80.0, "{:.1}", clicks(&rehearsal));
}

#[test]
fn a_panic_is_silence_in_5_ms_with_every_tail_forgotten_until_it_is_started() {
    let mut rehearsal = Rehearsal::new(TONES);
    rehearsal.run(24_000);
    rehearsal.order(Move::Panic);
    rehearsal.run(48_000);
    let after = &rehearsal.sound[0][24_000 + 240..];
    assert!(after.iter().all(|x| *x == 0.0), "silence to the last bit");
    rehearsal.order(Move::Start);
    rehearsal.run(2_400);
    assert!(rms(&rehearsal.sound[0][74_000..74_400]) > 0.05, "it plays again");
}

#[test]
fn orders_give_the_same_bits_each_time() {
    let run = || {
        let mut rehearsal = Rehearsal::new(TONES);
        for order in [Move::Stop, Move::Start, Move::Locate(96_000), Move::Panic, Move::Locate(64), Move::Start] {
            rehearsal.run(1_280);
            rehearsal.order(order);
        }
        rehearsal.run(9_600);
        rehearsal.sound
    };
    assert_eq!(first_difference(&run(), &run()), None);
}

#[test]
fn the_noise_of_an_effect_goes_on_while_the_transport_stands_still() {
    let mut rehearsal = Rehearsal::new("input(\"a\", sine(220)) >> dsp(\"hiss\", |x| x + noise() * 0.1) >> master;");
    rehearsal.order(Move::Stop);
    rehearsal.run(4_800);
    let from = rehearsal.sound[0].len();
    rehearsal.run(6_400);
    let quanta: Vec<&[f64]> = rehearsal.sound[0][from..].chunks(64).collect();
    assert!(quanta.iter().all(|quantum| quantum.iter().any(|x| *x != 0.0)));
    assert!(quanta.windows(2).all(|two| two[0] != two[1]));
}
