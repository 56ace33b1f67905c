//! Equalisers in a session that is edited while it plays.

use crate::rehearsal::{Rehearsal, cold};
use crate::sessions::graph;
use crate::spectrum::loudest_above;

/// A session with an eq of linear phase between two latencies of nothing.
fn linear(bands: &str) -> String {
    format!("input(\"x\", sine(100).level(-12)) >> pan(0) >> eq().phase(\"linear\"){bands} >> master;")
}

#[test]
fn an_edit_of_linear_phase_is_crossfaded_without_a_click_and_ends_in_the_bits_of_a_cold_start() {
    for (before, after) in [
        (".bell(1000, 3)", ".bell(1000, -9)"),
        (".bell(100, 12)", ".bell(100, -12)"),
        ("", ".high_pass(60, 48).bell(300, 4).on(\"side\")"),
    ] {
        let mut rehearsal = Rehearsal::new(&linear(before));
        rehearsal.run(20_000);
        rehearsal.edit(&linear(after)).expect("it changes something");
        rehearsal.run(60_000);
        assert!(rehearsal.is_settled());
        for channel in &rehearsal.sound {
            let above = loudest_above(&channel[8000..40_000], 5000.0);
            assert!(above < -80.0, "{before} to {after}: {above} dBFS");
        }
        let cold = cold(&linear(after), rehearsal.sound[0].len());
        let same = cold.iter().zip(&rehearsal.sound).all(|(a, b)| a[60_000..] == b[60_000..]);
        assert!(same, "{before} to {after}");
    }
}

#[test]
fn linear_phase_is_late_by_what_it_declares_and_the_rest_waits_for_it() {
    let text = "let x = input(\"x\", noise(\"white\").level(-12));
        x >> eq().phase(\"linear\") >> polarity() >> cable(\"late\") >> master; x >> master;";
    assert_eq!(graph(text).nodes.iter().map(|node| node.latency).max(), Some(2048));
    let left = cold(text, 20_000).iter().flatten().fold(0.0f64, |most, x| most.max(x.abs()));
    assert!(left < 1e-9, "{left}");
}

#[test]
fn a_band_is_reached_by_its_path_with_all_that_is_said_of_it() {
    let text =
        |eq: &str, set: &str| format!("let x = input(\"x\", noise(\"white\")); x >> pan(0) >> {eq} >> master; {set}");
    let said = cold(&text("eq().bell(300, -4).dynamic(-30, 4).on(\"mid\").named(\"mud\")", ""), 4800);
    for set in [
        "set(\"x/eq#1.threshold\", -30); set(\"x/eq#mud.ratio\", 4);",
        "set(\"x/eq#mud.threshold\", -30.dB); set(\"x/eq#1.ratio\", 4);",
    ] {
        assert!(cold(&text("eq().bell(300, -4).on(\"mid\").named(\"mud\")", set), 4800) == said, "{set}");
    }
    assert!(cold(&text("eq().bell(300, -4).on(\"mid\")", ""), 4800) != said);
}
