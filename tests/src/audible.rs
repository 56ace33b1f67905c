//! Who is heard: mute, solo, safe, and what stays alive under them.

use engine::graph::Graph;
use engine::graph::Port;

use crate::sessions::{graph, try_graph};

const DESK: &str = r#"
let kick = input("kick", sine(50));
let snare = input("snare", sine(200));
let voice = input("voice", sine(400));
let drums = bus("drums");
let room = bus("room");
kick >> drums;
snare >> send(room, -10) >> drums;
voice >> compressor(-20, 2).key(kick) >> send(room, -6) >> master;
drums >> master;
room >> master;
"#;

/// The paths of all cables that are silent, of the desk with something said of it.
fn silent(said: &str) -> Vec<String> {
    let graph = graph(&format!("{DESK}{said}"));
    let silent = graph.edges.iter().filter(|edge| edge.port == Port::Main && edge.gain == 0.0);
    let mut paths: Vec<String> = silent.map(|edge| edge.path.clone()).collect();
    paths.sort();
    paths
}

#[test]
fn nothing_is_silent_unless_it_is_said() {
    assert_eq!(silent(""), Vec::<String>::new());
}

#[test]
fn mute_silences_what_leaves_a_thing_sends_as_well() {
    assert_eq!(silent("mute(snare);"), ["snare>drums", "snare>room"]);
    assert_eq!(silent("mute(\"room\");"), ["room>master"]);
    assert_eq!(silent("mute(\"snare>room\");"), ["snare>room"]);
    assert_eq!(silent("mute(at(\"voice>master\"));"), ["voice>master"]);
    assert_eq!(silent("mute(\"room\"); mute(snare); mute(room, off);"), ["snare>drums", "snare>room"]);
    assert_eq!(silent("solo(snare); solo(\"snare\", off);"), [""; 0]);
    assert_eq!(silent("mute([kick, drums]);"), ["drums>master", "kick>drums"]);
}

#[test]
fn mute_takes_globs_of_whole_names() {
    assert_eq!(silent("mute(\"*room\");"), ["room>master", "snare>room", "voice>room"]);
    assert_eq!(silent("mute(\"k*k\");"), ["kick>drums"]);
    assert!(try_graph(&format!("{DESK}mute(\"x*\");")).is_err());
}

#[test]
fn solo_silences_every_input_that_has_no_way_through() {
    assert_eq!(silent("solo(voice);"), ["kick>drums", "snare>drums", "snare>room"]);
    assert_eq!(silent("solo([voice, kick]);"), ["snare>drums", "snare>room"]);
}

#[test]
fn solo_of_a_bus_keeps_all_ways_through_it_and_what_is_downstream() {
    assert_eq!(silent("solo(drums);"), ["voice>master", "voice>room"]);
    assert_eq!(silent("solo(room);"), ["kick>drums"]);
    assert_eq!(silent("solo(master);"), Vec::<String>::new());
}

#[test]
fn solo_of_a_cable_keeps_what_passes_it() {
    assert_eq!(silent("solo(\"snare>room\");"), ["kick>drums", "voice>master", "voice>room"]);
}

#[test]
fn mute_beats_solo_in_either_order() {
    for said in ["mute(voice); solo(voice);", "solo(voice); mute(voice);"] {
        let silent = silent(said);
        assert_eq!(silent, ["kick>drums", "snare>drums", "snare>room", "voice>master", "voice>room"]);
    }
}

#[test]
fn safe_exempts_from_solo_but_not_from_mute() {
    assert_eq!(silent("solo(voice); safe(kick);"), ["snare>drums", "snare>room"]);
    assert_eq!(silent("mute(kick); safe(kick);"), ["kick>drums"]);
}

#[test]
fn keys_stay_alive_under_mute_and_solo() {
    let key = |graph: &Graph| {
        let edge = graph.edges.iter().find(|edge| edge.port == Port::Key).expect("the compressor has a key");
        (graph.nodes[edge.from].path.clone(), edge.gain)
    };
    for said in ["", "mute(kick);", "solo(voice);"] {
        assert_eq!(key(&graph(&format!("{DESK}{said}"))), ("kick".to_owned(), 1.0), "{said}");
    }
}
