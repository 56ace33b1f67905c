//! What amendments leave behind: nothing that was not asked for.

use crate::rehearsal::cold;
use crate::sessions::{graph, try_graph};

fn paths(text: &str) -> Vec<String> {
    let mut paths: Vec<String> = graph(text).nodes.into_iter().map(|node| node.path).collect();
    paths.sort();
    paths
}

#[test]
fn a_sum_that_loses_all_its_members_takes_its_cables_and_keys_with_it() {
    let text = r#"
        let a = input("a", sine(100)); let b = input("b", sine(200)); let v = input("v", sine(300));
        let s = a + b;
        v >> compressor(-20, 2).key(s) >> master;
        s >> eq() >> master;
        remove("a"); remove("b");
    "#;
    assert_eq!(paths(text), ["master", "output 1-2", "v", "v>master/compressor"]);
}

#[test]
fn a_replaced_cable_leaves_neither_effects_nor_names_behind() {
    let text = r#"
        let v = input("v", sine(300)); let band = bus("band");
        v >> fader(-3) >> band;
        replace(v >> fader(-6) >> band);
        replace(v >> fader(-9) >> band);
        band >> master;
        set("v/fader.gain", off);
    "#;
    assert_eq!(paths(text), ["band", "master", "output 1-2", "v", "v>band/fader"]);
    assert!(cold(text, 640)[0].iter().all(|x| *x == 0.0), "the fader that is set is the one that is heard");
}

#[test]
fn two_taps_of_one_input_add_up() {
    let text = r#"let d = input("d", sine(300)); let wet = d >> gain(-6); d + wet >> master;"#;
    let (both, one) = (cold(text, 640), cold(r#"input("d", sine(300)) >> master;"#, 640));
    let expected = 1.0 + 10f64.powf(-0.3);
    for (both, one) in both[0].iter().zip(&one[0]) {
        assert!((both - expected * one).abs() < 1e-12);
    }
}

#[test]
fn a_glob_means_what_the_word_can_be_done_to() {
    let kit = "let k = input(\"d-kick\", sine(100)); let s = input(\"d-snare\", sine(200)); let m = bus(\"m\");\n\
               k >> m; s >> m; m >> master;\n";
    assert_eq!(paths(&format!("{kit}unplug(\"d-*\");")), ["m", "master", "output 1-2"]);
    let told = try_graph(&format!("{kit}k >> eq() >> master; mute(\"*/eq\");")).expect_err("an effect cannot be muted");
    assert!(told.contains("an effect is bypassed"), "{told}");
}

#[test]
fn a_loop_wider_than_its_place_is_refused_where_it_is_written() {
    let told = try_graph(
        "let m = bus(\"m\", 1);\ninput(\"a\", sine(100)) >> m;\nm >> pan(0.2) >> feedback(m, 100.ms);\nm >> master;",
    )
    .expect_err("two channels do not fit into one");
    assert!(told.contains("2 channels do not fit into `m`") && told.contains(":3:"), "{told}");
}

#[test]
fn what_leads_through_something_safe_outlives_a_solo() {
    let text = r#"
        let k = input("k", sine(100)); let v = input("v", sine(200)); let p = input("p", sine(300));
        let drums = bus("drums");
        k >> drums; drums >> master; v >> master; p >> master;
        solo("v"); safe(drums);
    "#;
    let graph = graph(text);
    let gain = |path: &str| graph.edges.iter().find(|edge| edge.path == path).map(|edge| edge.gain);
    assert_eq!((gain("k>drums"), gain("v>master"), gain("p>master")), (Some(1.0), Some(1.0), Some(0.0)));
}
