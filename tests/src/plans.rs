//! What the compiler makes of small sessions, as text: stages, buffers, cells. A change of it is to be read, not only
//! accepted: `INSTA_UPDATE=always cargo test -p gainstage-tests plans`.

use std::fmt::Write;

use engine::desk::Desk;
use engine::plan::{Op, Plan};

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
