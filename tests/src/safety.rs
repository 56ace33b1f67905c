//! What stands between a text and a loudspeaker: sessions that go wrong, played to nobody, and what is told of each.

use assert_no_alloc::assert_no_alloc;
use engine::costs::COSTED_QUANTA;
use engine::desk::Desk;
use engine::guard::Deed;
use engine::inspect::Origin;
use engine::kernel::QUANTUM;
use engine::live::{Report, Setup, start};
use engine::playback::Playback;
use engine::tap::Wanted;

use crate::exact::rendered;
use crate::sessions::graph;

/// What playing a text gave: the left channel, and of each deed of the guard the path that it came from.
struct Played {
    left: Vec<f32>,
    told: Vec<(Deed, String)>,
    costed: Vec<f64>,
    paths: Vec<String>,
}

fn played(text: &str, ceiling: f64, seconds: f64) -> Played {
    let (_, program) = Desk::open(&graph(text), None).expect("the plan proves right");
    let paths = program.plan.paths.clone();
    let loops: Vec<String> = program.plan.loops.iter().map(|one| format!("the loop {}", one.path)).collect();
    let setup = Setup { rate: 48_000, keep: Wanted::default(), inputs: 0, cushion: 0 };
    let (mut live, player, ..) = start(program, setup);
    let mut player = player.with_ceiling(ceiling);
    live.costs().ask();
    let mut played = Played { left: Vec::new(), told: Vec::new(), costed: Vec::new(), paths };
    let mut block = [0.0f32; 2 * QUANTUM];
    for _ in 0..(seconds * 48_000.0) as usize / QUANTUM {
        assert_no_alloc(|| player.fill(&mut block, 2));
        played.left.extend(block.iter().step_by(2));
        let reports: Vec<Report> = live.reports().collect();
        for report in reports {
            match report {
                Report::Guarded { deed, origin, .. } => {
                    let from = match origin {
                        Origin::Work(work) => played.paths[work].clone(),
                        Origin::Loop(one) => loops[one].clone(),
                        Origin::Sum => "the sum".into(),
                        Origin::Unknown => String::new(),
                    };
                    played.told.push((deed, from));
                }
                Report::Costed { .. } => played.costed = live.costs().shares(played.paths.len(), 48_000),
                _ => {}
            }
        }
    }
    played
}

fn told(text: &str) -> Vec<(Deed, String)> {
    played(text, 0.0, 1.5).told
}

const ROOM: &str = "
let quiet = input(\"quiet\", sine(220));
quiet >> fader(-6) >> bus(\"band\");
at(\"band\") >> master;
";

fn is(deed: Deed, path: &str) -> (Deed, String) {
    (deed, path.to_owned())
}

#[test]
fn a_runaway_is_told_with_the_effect_that_it_comes_from() {
    let loud = format!(
        "{ROOM} input(\"loud\", sine(330)) >> gain(24) >> saturate(0) >> gain(24).named(\"much\") >> gain(20) >> at(\"band\");"
    );
    let told = told(&loud);
    assert_eq!(told.last(), Some(&is(Deed::Shuts, "loud>band/gain.2")), "{told:?}");
}

#[test]
fn an_over_is_told_with_the_effect_that_it_comes_from_or_as_a_sum() {
    let loud = format!("{ROOM} input(\"loud\", sine(330)) >> gain(10) >> gain(12) >> fader(-1) >> at(\"band\");");
    assert_eq!(told(&loud), [is(Deed::Holds, "loud>band/gain.2")]);
    let turned_down = format!(
        "{ROOM} input(\"a\", sine(330)) >> gain(24) >> fader(-30) >> at(\"band\");
        input(\"b\", sine(550).level(-1)) >> gain(4) >> fader(-1) >> master;"
    );
    assert_eq!(told(&turned_down), [is(Deed::Holds, "b>master/gain")], "what is turned down again is not to blame");
    let many: String =
        (0..8).map(|n| format!("input(\"s{n}\", sine(220).level(-12)) >> fader(0) >> master;")).collect();
    assert_eq!(told(&format!("{many} master >> fader(-2) >> output(1, 2);")), [is(Deed::Holds, "the sum")]);
}

#[test]
fn dc_is_told_with_what_it_comes_from() {
    // One sample in six at full scale has a mean of -15.6 dBFS.
    let biased = format!("{ROOM} input(\"x\", impulse(8000)) >> fader(-1) >> low_pass(9000) >> at(\"band\");");
    assert_eq!(played(&biased, 6.0, 2.0).told, [is(Deed::TakesOutDc, "x")]);
}

#[test]
fn a_howl_is_told_with_the_loop_that_it_comes_from() {
    // With an effect in it, without one, and behind effects that only pass on what is too loud already.
    for (closes, leaves) in [
        (">> gain(6) >> feedback(echo, 5.ms)", ""),
        ("* 2.0 >> feedback(echo, 5.ms)", ""),
        ("* 2.0 >> feedback(echo, 5.ms)", ">> high_pass(90) >> fader(-1)"),
    ] {
        let howl = format!(
            "let tone = input(\"tone\", sine(220)); let echo = bus(\"echo\"); tone >> fader(-20) >> echo;
            echo {closes}; echo {leaves} >> master;"
        );
        let told = told(&howl);
        assert!(told.contains(&is(Deed::Shuts, "the loop echo>echo")), "{closes} {leaves}: {told:?}");
    }
    // What is too loud before it comes to a loop is not the loop's fault.
    let loud = "
        let echo = bus(\"echo\");
        input(\"tone\", sine(220)) >> gain(24) >> gain(24).named(\"much\") >> echo;
        echo >> fader(-6) >> feedback(echo, 5.ms);
        echo >> master;
    ";
    let told = told(loud);
    assert!(told.contains(&is(Deed::Shuts, "tone>echo/much")), "{told:?}");
}

#[test]
fn below_the_ceiling_a_device_gets_the_bits_of_the_render() {
    let offline = rendered(&graph(ROOM), 48_000);
    let live = played(ROOM, 0.0, 1.0);
    assert!(live.told.is_empty());
    assert!(live.left.iter().zip(&offline[0]).all(|(a, b)| a.to_bits() == (*b as f32).to_bits()));
    let low = played(ROOM, -30.0, 1.0);
    let ceiling = engine::math::gain_from_db(-30.0) as f32;
    let held = offline[0].iter().map(|x| (*x as f32).clamp(-ceiling, ceiling));
    assert!(low.left.iter().zip(held).all(|(a, b)| *a == b));
    assert_eq!(low.told.len(), 1);
}

#[test]
fn every_work_is_measured_and_nothing_beside() {
    let played = played(ROOM, 0.0, f64::from(COSTED_QUANTA + 1) * QUANTUM as f64 / 48_000.0);
    assert_eq!(played.costed.len(), played.paths.len());
    assert!(played.costed.iter().all(|share| *share > 0.0), "{:?}", played.costed);
}
