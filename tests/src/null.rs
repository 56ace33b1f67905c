//! What cancels: bypasses and mixes, stems against their sum, paths of different latency, loops of exact periods.

use engine::offline::{Offline, Stream};

use crate::exact::rendered;
use crate::rehearsal::first_difference;
use crate::sessions::{examples_without_live_input, graph, of_every_effect, try_graph};

const FRAMES: usize = 9600;

fn assert_same(what: &str, a: &str, b: &str) {
    let (a, b) = (rendered(&graph(a), FRAMES), rendered(&graph(b), FRAMES));
    assert!(b.iter().flatten().any(|x| *x != 0.0), "{what} is silent");
    assert_eq!(first_difference(&a, &b), None, "{what}");
}

#[test]
fn a_bypassed_effect_gives_its_input_delayed_by_its_latency() {
    for after in ["", " >> pan(0.3)"] {
        let source = format!("let x = input(\"y\", saw(110)){after};");
        let dry = format!("{source} x >> master;");
        for (word, text) in of_every_effect("saw(110)", ".bypass(on)") {
            let text = text.replace("let x = input(\"x\", saw(110));", &source);
            assert_same(&format!("{word}{after}"), &text, &dry);
        }
    }
}

#[test]
fn an_effect_mixed_out_is_exactly_its_input() {
    let dry = "let x = input(\"x\", saw(110)); x >> master;";
    for (word, text) in of_every_effect("saw(110)", ".mix(0)") {
        assert_same(&word, &text, dry);
    }
    let composed = "let x = input(\"x\", saw(110)); x >> (saturate(12) >> limiter(-20)).mix(0) >> master;";
    assert_same("composed", composed, dry);
    let bypassed = "let x = input(\"x\", saw(110)); x >> (saturate(12) >> limiter(-20)).bypass() >> master;";
    assert_same("composed", bypassed, dry);
}

#[test]
fn an_idle_compressor_with_look_ahead_does_not_comb_when_it_is_mixed_in_parallel() {
    let dry = "let x = input(\"x\", saw(110)); x >> master;";
    let idle = "let x = input(\"x\", saw(110)); x >> compressor(0, 4).lookahead(5.ms).mix(50) >> master;";
    assert_same("half of it", idle, dry);
}

/// A list a channel.
type Sound = Vec<Vec<f64>>;

/// The stems of a place by path, and what the first output gives.
fn stems(text: &str, of: &str) -> (Vec<(String, Sound)>, Sound) {
    let mut offline = Offline::new(&graph(text), Some(of)).expect("the plan proves right");
    let mut stems: Vec<(String, Sound)> =
        offline.stems().into_iter().map(|(path, channels)| (path, vec![Vec::new(); channels])).collect();
    let mut mix = vec![Vec::new(); offline.outputs()[0]];
    let kept = offline.render::<()>(
        FRAMES as u64,
        |_| {},
        |stream, channels| {
            let sound = match stream {
                Stream::Output(_) => &mut mix,
                Stream::Stem(i) => &mut stems[i].1,
                Stream::Heard(_) | Stream::Reduced(_) => unreachable!("nobody listens"),
            };
            sound.iter_mut().zip(channels).for_each(|(sound, channel)| sound.extend_from_slice(channel));
            Ok(())
        },
    );
    kept.expect("nothing is refused");
    (stems, mix)
}

fn assert_stems_add_up(text: &str, of: &str, count: usize) {
    let (stems, mix) = stems(text, of);
    assert_eq!(stems.len(), count);
    assert!(stems.is_sorted_by(|(a, _), (b, _)| a < b), "in path order");
    let mut sum = vec![vec![0.0; FRAMES]; 2];
    for (path, stem) in &stems {
        assert_eq!((stem.len(), stem[0].len()), (2, FRAMES), "{path}");
        sum.iter_mut().flatten().zip(stem.iter().flatten()).for_each(|(sum, x)| *sum += x);
    }
    assert_eq!(first_difference(&sum, &mix), None);
}

#[test]
fn stems_of_master_add_up_to_its_input_in_every_bit() {
    let text = r#"
        let a = input("a", saw(110));
        let b = input("b", noise("pink"));
        let c = input("c", sine(50));
        let room = bus("room");
        c >> saturate(12) >> send(master, -6) >> pan(-0.5) >> room;
        b >> limiter(-20) >> fader(-3.3) >> master;
        a >> send(room, -7) >> compressor(-30, 3).key(b) >> master;
        a >> fader(-11.1) >> cable("thin") >> master;
        room >> reverb() >> master;
    "#;
    assert_stems_add_up(text, "master", 5);
}

#[test]
fn a_sum_of_many_has_the_same_bits_whether_its_members_are_kept_or_not() {
    // Of one channel and of two, standing and moving, more than are added in one go.
    let member = |i: usize| {
        let pan = if i.is_multiple_of(3) { " >> pan(0.3)" } else { "" };
        let level = if i % 7 == 5 { format!("lfo({i}).range(-12, -3)") } else { format!("-{i}.3") };
        format!("input(\"in-{i}\", saw({})){pan} >> fader({level}) >> sum;\n", 50 + 7 * i)
    };
    let members: String = (1..=40).map(member).collect();
    let text = format!("let sum = bus(\"sum\"); {members} sum >> master;");
    let (kept, mix) = stems(&text, "sum");
    assert_eq!(kept.len(), 40);
    assert_eq!(first_difference(&mix, &rendered(&graph(&text), FRAMES)), None);
}

#[test]
fn stems_of_a_bus_add_up_to_its_input_in_every_bit() {
    for (name, text) in examples_without_live_input()
        .into_iter()
        .filter(|(_, text)| text.contains("bus(\"band\")") && text.contains("clip("))
    {
        // What enters the band is all that is left when nothing follows it.
        let plain: String = text
            .lines()
            .filter(|line| !line.starts_with("band ") && !line.starts_with("master "))
            .collect::<Vec<_>>()
            .join("\n");
        let (before, _) = plain.split_once("// Mastering").unwrap_or((&plain, ""));
        let text = format!("{before}\nband >> master;");
        let (stems, _) = stems(&text, "band");
        assert!(stems.len() > 3, "{name}");
        assert_stems_add_up(&text, "band", stems.len());
    }
}

#[test]
fn paths_of_different_latency_cancel_wherever_they_meet() {
    for late in [
        "limiter(-1)",
        "saturate(6).bypass(on)",
        "compressor(0, 1).lookahead(5)",
        "limiter(-1) >> limiter(-1).lookahead(4)",
    ] {
        let x = "let x = input(\"x\", noise(\"pink\")); let b = bus(\"b\"); ";
        let ways = [
            ("cables", format!("x >> {late} >> master; x * -1 >> cable(\"dry\") >> master;")),
            (
                "a send",
                format!(
                    "x >> {late} >> send(b, 0) >> fader(off) >> master; x >> polarity() >> cable(\"dry\") >> b; b >> master;"
                ),
            ),
            ("a bus", format!("x >> {late} >> b; x * -1 >> master; b >> master;")),
            ("a sum", format!("(x >> {late}) + (x * -1) >> master;")),
            ("a difference", format!("x - (x >> {late}) >> master;")),
        ];
        for (meeting, way) in ways {
            let sound = rendered(&graph(&format!("{x}{way}")), FRAMES);
            let most = sound.iter().flatten().fold(0.0f64, |most, x| most.max(x.abs()));
            assert_eq!(most, 0.0, "{late} in {meeting}");
        }
    }
}

#[test]
fn a_key_waits_for_what_it_steers_and_is_waited_for() {
    let x = "let x = input(\"x\", sine(50)); let k = input(\"k\", impulse(20)); ";
    let plain = format!("{x} x >> compressor(-40, 8).key(k) >> master;");
    for (what, text) in [
        ("the signal is late", format!("{x} x >> limiter(-1) >> compressor(-40, 8).key(k) >> master;")),
        ("the key is late", format!("{x} x >> compressor(-40, 8).key(k >> saturate(6).bypass(on)) >> master;")),
    ] {
        assert_same(what, &text, &plain);
    }
}

#[test]
fn a_loop_comes_round_after_exactly_its_period_whatever_delays_are_in_it() {
    for inside in ["gain(-6)", "gain(-6) >> limiter(-1)", "gain(-6) >> limiter(-1) >> saturate(0).bypass()"] {
        let text = format!(
            "input(\"i\", impulse(1).level(-12)) >> at(\"b\"); let b = bus(\"b\"); b >> {inside} >> feedback(b, 480.samples); b >> master;"
        );
        let sound = rendered(&graph(&text), 4000);
        let step = engine::math::gain_from_db(-6.0);
        let mut level = engine::math::gain_from_db(-12.0);
        for (frame, heard) in sound[0].iter().enumerate() {
            let expected = if frame % 480 == 0 { level } else { 0.0 };
            assert_eq!(*heard, expected, "{inside}, frame {frame}");
            level *= if frame % 480 == 0 { step } else { 1.0 };
        }
    }
}

#[test]
fn a_loop_that_is_too_short_is_refused_with_the_least_time_that_is_not() {
    let text = |inside: &str, time: &str| {
        format!(
            "input(\"i\", impulse(1)) >> at(\"b\"); let b = bus(\"b\"); b >> {inside} >> feedback(b, {time}); b >> master;"
        )
    };
    // A quantum is 64 frames, 1.334 ms; the limiter's latency is 104.
    for (inside, least) in [("gain(-6)", "1.34"), ("gain(-6) >> limiter(-1)", "3.5")] {
        let told = try_graph(&text(inside, "1.ms")).expect_err("1 ms is too short");
        assert!(told.contains(&format!("it takes at least {least} ms")), "{told}");
        assert!(try_graph(&text(inside, &format!("{least}.ms"))).is_ok(), "{inside}");
    }
}
