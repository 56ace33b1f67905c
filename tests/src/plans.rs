//! What the compiler makes of small sessions, as text: stages, buffers, cells. A change of it is to be read, not only
//! accepted: `INSTA_UPDATE=always cargo test -p gainstage-tests plans`.

use std::collections::BTreeMap;
use std::fmt::Write;

use engine::bank::Carry;
use engine::desk::Desk;
use engine::offline::{Stream, Threads};
use engine::plan::{Op, Plan};
use engine::verify::verify;

use crate::relay::rendered;
use crate::sessions::graph;

fn plan(text: &str) -> String {
    let (_, program) = Desk::open(&graph(text), None).expect("the plan proves right");
    shown(&program.plan)
}

fn shown(plan: &Plan) -> String {
    let mut out = format!("{} buffers\n", plan.slots);
    let mut first = 0;
    for (stage, &end) in plan.stages.iter().enumerate().filter(|(_, end)| **end > 0) {
        for op in &plan.ops[first..end] {
            let what = match *op {
                Op::Work { cell, .. } => plan.paths[cell].as_str(),
                _ => "",
            };
            writeln!(out, "{stage:>3}  {op:?} {what}").expect("a string takes everything");
            if let Op::Mix { first, last, .. } = *op {
                for edge in &plan.edges[first..last] {
                    let cell = edge.cell.map(|cell| &plan.gains[cell]);
                    writeln!(out, "       + {:?} {cell:?}", edge.from).expect("a string takes everything");
                }
            }
        }
        first = end;
    }
    for output in &plan.outputs {
        writeln!(out, "{:?} leaves by {:?}, {} late", output.slots, output.channels, output.late)
            .expect("a string takes everything");
    }
    out
}

#[test]
fn a_strip_works_in_place() {
    insta::assert_snapshot!(plan(
        r#"input("a", sine(100)) >> high_pass(90) >> compressor(-18, 3) >> fader(-3) >> master;"#
    ));
}

#[test]
fn paths_wait_for_the_slowest_and_sums_add_in_path_order() {
    insta::assert_snapshot!(plan(
        r#"
        let b = input("b", sine(100));
        let a = input("a", sine(200));
        let room = bus("room");
        b >> saturate(6) >> send(room, -12) >> master;
        a >> compressor(-20, 2).key(b) >> pan(0.5) >> send(room, -6) >> master;
        room >> reverb() >> master;
        "#
    ));
}

#[test]
fn a_composed_effect_is_blended_with_what_came_before_it() {
    insta::assert_snapshot!(plan(
        r#"
        let strip = (high_pass(90) >> saturate(6)).mix(30);
        input("a", sine(100)) >> strip >> master;
        "#
    ));
}

#[test]
fn a_loop_is_read_first_and_written_last() {
    insta::assert_snapshot!(plan(
        r#"
        let echo = bus("echo");
        input("a", sine(100)) >> echo;
        echo >> fader(-6) >> feedback(echo, 100.ms) >> master;
        "#
    ));
}

/// So many strips of two kinds in turn, whose levels lie far apart, and what they send to.
fn two_kinds(strips: usize) -> String {
    let strips = (1..=strips).map(|i| {
        let (level, kind) = (-(i as f64 * 17.3) % 90.0, ["", ">> compressor(-30, 3)"][i % 2]);
        format!(
            "input(\"in-{i}\", noise().level({level:.1})) >> high_pass({}) {kind} >> send(room, -9) >> master;\n",
            30 + i
        )
    });
    format!("let room = bus(\"room\");\n{}room >> gain(-3) >> master;", strips.collect::<String>())
}

#[test]
fn strips_are_gone_through_in_bundles_so_that_more_of_them_take_no_more_buffers() {
    let slots = |strips: usize| Desk::open(&graph(&two_kinds(strips)), None).expect("it proves right").1.plan.slots;
    assert_eq!(slots(256), slots(128));
    assert!(slots(128) < 128, "{}", slots(128));
}

#[test]
fn a_sum_has_the_bits_of_its_cables_added_in_path_order_whatever_the_order_of_the_work() {
    let (streams, _) = rendered(&graph(&two_kinds(40)), Threads::Exactly(1));
    let (mut cables, mut master) = (BTreeMap::new(), Vec::new());
    for (stream, bits) in streams {
        let sound: Vec<Vec<f64>> =
            bits.iter().map(|channel| channel.iter().map(|x| f64::from_bits(*x)).collect()).collect();
        match stream {
            Stream::Stem(cable) => drop(cables.insert(cable, sound)),
            _ => master = sound,
        }
    }
    assert_eq!(cables.len(), 41);
    let mut sum = vec![vec![0.0; master[0].len()]; 2];
    for cable in cables.values() {
        for (sum, cable) in sum.iter_mut().zip(cable) {
            sum.iter_mut().zip(cable).for_each(|(sum, x)| *sum += x);
        }
    }
    assert!(sum.iter().flatten().any(|x| *x != 0.0) && sum == master);
    // Added in another order, they have others.
    let mut other = vec![0.0; master[0].len()];
    cables.values().rev().for_each(|cable| other.iter_mut().zip(&cable[0]).for_each(|(sum, x)| *sum += x));
    assert!(other != master[0]);
}

#[test]
fn what_hears_a_loop_comes_behind_all_that_does_not_so_that_other_threads_can_do_that() {
    let strips: String =
        (1..=40).map(|i| format!("input(\"in-{i}\", noise()) >> eq().bell({}, 3) >> master;\n", 300 + i)).collect();
    let echo = r#"
        let echo = bus("echo");
        let a = input("a", noise());
        a >> echo;
        a >> master;
        echo >> delay(90.ms) >> fader(-6) >> feedback(echo, 90.ms) >> master;
    "#;
    let (_, program) = Desk::open(&graph(&format!("{echo}{strips}")), None).expect("the plan proves right");
    let plan = &program.plan;
    let given = plan.ops.iter().find_map(|op| if let Op::LoopRead { out, .. } = op { Some(*out) } else { None });
    let given = given.expect("a loop is read");
    let hears = |op: &Op| match *op {
        Op::Mix { first, last, .. } => plan.edges[first..last].iter().any(|edge| edge.from.overlaps(given)),
        _ => false,
    };
    let first = plan.ops.iter().position(hears).expect("it is heard");
    let works = plan.ops[..first].iter().filter(|op| matches!(op, Op::Work { .. })).count();
    assert_eq!(works, 81);
}

#[test]
fn a_sum_that_goes_on_from_what_is_no_sum_is_not_proved() {
    let (_, program) = Desk::open(&graph(&two_kinds(40)), None).expect("the plan proves right");
    let mut plan = program.plan.clone();
    let proves = |plan: &Plan| verify(plan, &program.bank, &Carry::default()).is_ok();
    assert!(proves(&plan));
    let work = |op: &Op| if let Op::Work { out, .. } = *op { Some(out).filter(|out| out.count == 2) } else { None };
    let made = plan.ops.iter().find_map(work).expect("some works are of two channels");
    let sum = plan.ops.iter_mut().rev().find_map(|op| match op {
        Op::Mix { out, adds: true, .. } => Some(out),
        _ => None,
    });
    *sum.expect("some sums go on") = made;
    assert!(!proves(&plan));
}
