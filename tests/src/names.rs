//! What paths mean, and that a line which changes one thing changes nothing else.

use engine::graph::{Graph, Role};

use crate::sessions::{graph, try_graph};

/// A desk with a tap used twice, ordinals, a band, a send, named cables.
fn desk(said: &str) -> String {
    format!(
        r#"
let voice = input("voice", sine(200));
let kick = input("drums-kick", sine(50));
let snare = input("drums-snare", sine(100));
let band = bus("band");
let room = bus("room");
let clear = voice >> high_pass(90) >> eq().bell(300, -3, 1).bell(3000, 2, 1).named("air");
clear >> eq().bell(500, 1, 1) >> eq().bell(700, 1, 1) >> fader(-3) >> band;
clear >> fader(-9) >> room;
kick + snare >> compressor(-20, 2).named("glue") >> band;
kick >> fader(-20) >> send(room, -12) >> cable("dry") >> band;
room >> fader(-1) >> band;
band >> limiter(-1) >> master;
{said}
"#
    )
}

/// A graph as text: each node with its numbers, each edge with its ends.
fn shape(graph: &Graph) -> Vec<String> {
    let nodes = graph.nodes.iter().map(|node| match &node.role {
        Role::Work { table, recipe, wet } => {
            format!("{} {} {:?} {:?} {wet}", node.path, table.0.word, recipe.values, recipe.parts)
        }
        other => format!("{} {other:?}", node.path),
    });
    let path = |i: usize| graph.nodes[i].path.as_str();
    let edges = graph
        .edges
        .iter()
        .map(|edge| format!("{} > {} {:?} {} {}", path(edge.from), path(edge.to), edge.port, edge.path, edge.gain));
    let mut shape: Vec<String> = nodes.chain(edges).collect();
    shape.sort();
    shape
}

/// What a line makes of the desk is what another text says outright.
fn assert_means(said: &str, plain: impl Fn(&str) -> String) {
    let (said_of, outright) = (desk(said), plain(&desk("")));
    assert_ne!(outright, desk(""), "{said}: the other text is another");
    assert_eq!(shape(&graph(&said_of)), shape(&graph(&outright)), "{said}");
}

/// The same, by exchanging a piece of text.
fn assert_exchanges(said: &str, old: &str, new: &str) {
    assert_means(said, |text| text.replacen(old, new, 1));
}

#[test]
fn set_changes_the_number_it_names_and_no_other() {
    for (path, old) in [
        ("voice>band/fader.gain", "fader(-3)"),
        ("voice>room/fader.gain", "fader(-9)"),
        ("drums-kick/fader.gain", "fader(-20)"),
        ("drums-kick>band:dry/fader.gain", "fader(-20)"),
        ("room/fader.gain", "fader(-1)"),
    ] {
        assert_exchanges(&format!("set(\"{path}\", -7);"), old, "fader(-7)");
    }
    assert_exchanges("set(\"voice/eq.3.bypass\", on);", "eq().bell(700, 1, 1)", "eq().bell(700, 1, 1).bypass(on)");
    assert_exchanges("set(\"voice>band/eq.2.mix\", 40);", "bell(500, 1, 1)", "bell(500, 1, 1).mix(40)");
    assert_exchanges("set(\"voice/eq.3#1.gain\", 5);", "bell(700, 1, 1)", "bell(700, 5, 1)");
}

#[test]
fn a_band_is_set_by_its_number_and_by_its_name() {
    let bands = |said: &str| {
        format!("input(\"a\", sine(100)) >> eq().bell(300, -3, 1).bell(900, 2, 1).named(\"mud\") >> master;{said}")
    };
    let plain = bands("").replace("bell(900, 2, 1)", "bell(900, -6, 1)");
    for path in ["a/eq#2.gain", "a/eq#mud.gain", "a>master/eq#mud.gain"] {
        let set = bands(&format!("set(\"{path}\", -6);"));
        assert_eq!(shape(&graph(&set)), shape(&graph(&plain)), "{path}");
    }
}

#[test]
fn the_level_of_a_send_is_that_of_its_cable() {
    let sends = |said: &str| {
        format!(
            "let a = input(\"a\", sine(100)); let r = bus(\"r\"); a >> send(r, -12) >> master; r >> cable(\"r\") >> master;{said}"
        )
    };
    let set = graph(&sends("set(\"a>r.gain\", -30);"));
    assert_eq!(shape(&set), shape(&graph(&sends("").replace("-12", "-30"))));
}

#[test]
fn a_short_form_that_means_two_things_is_refused_with_both_full_names() {
    let told = try_graph(&desk("set(\"voice/fader.gain\", -7);")).expect_err("there are two faders");
    assert!(told.contains("`voice>band/fader` or `voice>room/fader`"), "{told}");
    // A shared instance is one thing with two names, and its short form means it.
    assert_exchanges("set(\"voice/high_pass.freq\", 50);", "high_pass(90)", "high_pass(50)");
    assert_exchanges("set(\"voice>room/high_pass.freq\", 50);", "high_pass(90)", "high_pass(50)");
}

#[test]
fn a_sum_is_named_by_its_members_and_a_named_effect_by_its_name() {
    assert_exchanges("set(\"drums-kick+drums-snare/glue.ratio\", 8);", "compressor(-20, 2)", "compressor(-20, 8)");
}

#[test]
fn a_thing_added_to_itself_is_heard_twice() {
    let sum = graph("let a = input(\"a\", sine(100)); a + (a >> gain(-6)) >> fader(0) >> master;");
    let paths: Vec<&str> = sum.edges.iter().map(|edge| edge.path.as_str()).collect();
    assert!(paths.contains(&"a>a+a") && paths.contains(&"a>a+a:2"), "{paths:?}");
}

#[test]
fn a_sum_that_loses_all_members_but_one_is_still_a_sum() {
    let text = "let a = input(\"a\", sine(100)); let b = input(\"b\", sine(50)); a + b >> fader(-3) >> master;";
    let left = graph(&format!("{text} remove(\"b\");"));
    let paths: Vec<&str> = left.nodes.iter().map(|node| node.path.as_str()).collect();
    assert!(paths.contains(&"a") && paths.contains(&"a+") && !paths.contains(&"b"), "{paths:?}");
}

#[test]
fn remove_takes_the_effect_out_and_nothing_else() {
    assert_exchanges("remove(\"voice/high_pass\");", "high_pass(90) >> ", "");
    assert_exchanges("remove(\"drums-kick+drums-snare/glue\");", "compressor(-20, 2).named(\"glue\") >> ", "");
    assert_exchanges("remove(\"voice>band/eq.3\");", " >> eq().bell(700, 1, 1)", "");
}

#[test]
fn remove_takes_a_place_with_its_cables() {
    assert_means("remove(\"room\");", |text| {
        text.replace("let room = bus(\"room\");\n", "")
            .replace(" >> send(room, -12)", "")
            .replace("clear >> fader(-9) >> room;\n", "")
            .replace("room >> fader(-1) >> band;\n", "")
    });
}

#[test]
fn before_and_after_put_an_effect_in_at_their_place() {
    assert_exchanges("before(\"band/limiter\", gain(-2));", "limiter(-1)", "gain(-2) >> limiter(-1)");
    assert_exchanges("after(\"band/limiter\", gain(-2));", "limiter(-1)", "limiter(-1) >> gain(-2)");
    assert_exchanges(
        "before(\"drums-kick>band:dry\", polarity() >> gain(-2));",
        "send(room, -12)",
        "send(room, -12) >> polarity() >> gain(-2)",
    );
    // Behind a shared tap is behind it for both of its ways.
    assert_exchanges("after(\"voice/high_pass\", gain(1));", "high_pass(90)", "high_pass(90) >> gain(1)");
}

#[test]
fn unplug_takes_a_cable_with_its_sends() {
    assert_exchanges(
        "unplug(\"drums-kick>band:dry\");",
        "kick >> fader(-20) >> send(room, -12) >> cable(\"dry\") >> band;\n",
        "",
    );
    let cable = "let a = input(\"a\", sine(100)); let r = bus(\"r\"); let m = bus(\"m\"); ";
    let all = format!("{cable} a >> send(r, -12) >> m; a >> cable(\"2\") >> m; r >> master; m >> master;");
    let gone = format!("{cable} a >> cable(\"2\") >> m; r >> master; m >> master;");
    assert_eq!(shape(&graph(&format!("{all} unplug(\"a>m\");"))), shape(&graph(&gone)));
    let without_send = format!("{cable} a >> m; a >> cable(\"2\") >> m; r >> master; m >> master;");
    assert_eq!(shape(&graph(&format!("{all} unplug(\"a>r\");"))), shape(&graph(&without_send)));
}

#[test]
fn replace_puts_a_line_in_the_place_of_another() {
    assert_exchanges("replace(room >> reverb() >> band);", "room >> fader(-1) >> band", "room >> reverb() >> band");
}
