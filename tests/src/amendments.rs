//! What amendments leave behind: nothing that was not asked for.

use engine::graph::prepare;
use engine::media::Library;

use crate::rehearsal::cold;
use crate::sessions::{graph, session, try_graph};

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
    assert!(told.contains("the 2 channels of `m>m/pan` do not fit into `m`") && told.contains(":3:"), "{told}");
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

#[test]
fn what_is_put_in_after_something_and_keyed_by_it_hears_it_as_it_was() {
    let text = |rest: &str| format!("let x = input(\"x\", saw(100)); let c = x >> compressor(-20, 2); {rest}");
    let put = text("c >> master; after(\"x/compressor\", compressor(-30, 4).key(c));");
    let written = text("c >> compressor(-30, 4).key(c) >> master;");
    assert_eq!(cold(&put, 4800), cold(&written, 4800));
    let put = text("c >> master; after(\"x/compressor\", gain(follow(c).range(-6, 0)));");
    let written = text("c >> gain(follow(c).range(-6, 0)) >> master;");
    assert_eq!(cold(&put, 4800), cold(&written, 4800));
}

#[test]
fn a_cycle_of_no_length_is_refused_in_words() {
    for length in ["0.bars", "0.beats"] {
        let told = try_graph(&format!("input(\"x\", sine(100)) >> tremolo({length}) >> master;")).expect_err("refused");
        assert!(told.contains("`rate` is the length of a cycle here, and there is none of 0"), "{told}");
        assert!(!told.contains("inf"), "{told}");
    }
}

#[test]
fn a_band_of_linear_phase_that_is_too_narrow_is_told_of_with_what_it_reaches() {
    let told = |bands: &str| {
        let text = format!("input(\"x\", sine(100)) >> eq().phase(\"linear\"){bands} >> master;");
        let evaluated = prepare(session(&text), &Library::new());
        evaluated.diagnostics.iter().map(|told| told.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(".bell(1000, -12, 4).notch(1000, 1).band_pass(500, 2)"), Vec::<String>::new());
    let narrow = told(".bell(1000, 3).bell(100, -12, 30)");
    assert_eq!(narrow.len(), 1, "{narrow:?}");
    assert!(narrow[0].starts_with("`x>master/eq#2` has -") && narrow[0].contains("not -12.0 dB"), "{narrow:?}");
}
