//! Controls from the text to the sound: what moves, how far, at which frame, and what takes no control.

use engine::control::Control;
use engine::effects::EFFECTS;
use engine::graph::{Controlled, Graph, Node, Port, Role, parameters_of};
use engine::media::Library;
use engine::motion::Motion;
use engine::names::Names;
use engine::parameter::{Kind, Parameter, Table};
use engine::sources::SOURCES;

use crate::rehearsal::{Rehearsal, cold};
use crate::sessions::{graph, session, try_graph};
use crate::spectrum::loudest_above;

fn node<'a>(graph: &'a Graph, path: &str) -> &'a Node {
    graph.nodes.iter().find(|node| node.path == path).unwrap_or_else(|| panic!("there is no {path}"))
}

/// The control that a session with one has.
fn only(text: &str) -> Control {
    let session = session(text);
    let controlled = session.controlled();
    assert_eq!(controlled.len(), 1, "{text}");
    let (owner, which) = controlled[0];
    session.setting(owner, which).1.value.control().expect("it is one").clone()
}

/// Level in dB of a voice under a control against the same voice without, frame by frame.
fn level(setup: &str, control: &str, frames: usize) -> Vec<f64> {
    let voice = |gain: &str| format!("{setup} input(\"v\", noise(\"white\")) >> fader({gain}) >> master;");
    let (moved, still) = (cold(&voice(control), frames), cold(&voice("0"), frames));
    moved[0].iter().zip(&still[0]).map(|(moved, still)| 20.0 * (moved / still).abs().log10()).collect()
}

#[test]
fn every_number_that_glides_and_every_switch_takes_a_control_and_every_other_says_why_not() {
    let mut moved = 0;
    // Those that cannot do without a file or a device are left out.
    let whole =
        |table: &&&Table| !table.parameters.iter().any(|p| matches!(p.kind, Kind::Path | Kind::Channels | Kind::Port));
    for table in EFFECTS.iter().chain(SOURCES.iter()).filter(whole) {
        let is_source = SOURCES.iter().any(|source| source.word == table.word);
        for parameter in
            table.parameters.iter().filter(|p| !matches!(p.kind, Kind::Signal | Kind::Pattern | Kind::Folder))
        {
            let (least, most) = match parameter.kind {
                Kind::Number { least, most, .. } => (least, most),
                _ => (0.0, 1.0),
            };
            let control = format!("lfo(3).range({least:?}, {most:?})");
            // A crossover needs the bands that it parts.
            let whole =
                if table.word == "multiband" { ".crossovers(60, 150, 400, 1000, 2500, 6000, 12000)" } else { "" };
            let set = format!("{}(){whole}.{}({control})", table.word, parameter.name);
            let text = match is_source {
                true => format!("input(\"x\", {set}) >> master;"),
                false => format!("input(\"x\", saw(110)) >> {set} >> master;"),
            };
            let glides = matches!(parameter.kind, Kind::Number { .. } | Kind::Flag { .. }) && parameter.moves;
            match try_graph(&text) {
                Ok(graph) => {
                    assert!(glides, "{text}");
                    let controls = graph.nodes.iter().flat_map(|node| &node.controls).collect::<Vec<_>>();
                    // Each branch of an effect that others stand in is moved, by the same control.
                    assert!(!controls.is_empty() && controls.iter().all(|c| c.path == controls[0].path), "{text}");
                    assert!(controls[0].path.ends_with(&format!(".{}", parameter.name)));
                    moved += 1;
                }
                Err(told) => {
                    assert!(!glides, "{text}: {told}");
                    assert!(told.contains("a control cannot move it"), "{text}: {told}");
                }
            }
        }
    }
    assert!(moved > 50, "{moved}");
}

#[test]
fn parts_mixes_and_sends_are_moved_by_their_paths() {
    let graph = graph(
        r#"
        let v = input("v", [saw(110), sine(50).level(lfo(1).range(-30, -20))]);
        let room = bus("room");
        v >> eq().bell(lfo(2).range(200, 800), 3, 1).bell(900, lfo(1.bars).range(-6, 6)).named("air")
          >> (gain(3) >> gain(-3)).mix(lfo(1))
          >> send(room, lfo("1/8").range(-20, -6)) >> master;
        room >> reverb().mix(ramp(0, 100, 2.bars)) >> master;
        "#,
    );
    let of = |path: &str| {
        let controls = &node(&graph, path).controls;
        controls.iter().map(|control| (control.path.clone(), control.of)).collect::<Vec<_>>()
    };
    assert_eq!(of("v#2"), [("v#2.level".into(), Controlled::Value(1))]);
    let eq = graph.nodes.iter().find(|node| matches!(&node.role, Role::Work { table, .. } if table.0.word == "eq"));
    let eq = eq.expect("there is an eq");
    for control in &eq.controls {
        let (Controlled::Value(i), Role::Work { table, recipe, .. }) = (control.of, &eq.role) else { panic!() };
        let parameter: Vec<&Parameter> = parameters_of(table.0, &recipe.parts).collect();
        assert!(control.path.ends_with(&format!(".{}", parameter[i].name)), "{}", control.path);
    }
    let paths: Vec<&str> = eq.controls.iter().map(|control| control.path.as_str()).collect();
    assert!(paths[0].ends_with("#1.freq") && paths[1].ends_with("#2.gain"), "{paths:?}");
    assert_eq!(of("room>master/reverb"), [("room>master/reverb.mix".into(), Controlled::Wet)]);
    let send = graph.edges.iter().find(|edge| edge.path == "v>room").and_then(|edge| edge.control.as_ref());
    assert_eq!(send.map(|control| (control.path.as_str(), control.of)), Some(("v>room.gain", Controlled::Gain)));
    let Role::Work { wet, .. } = node(&graph, "room>master/reverb").role else { panic!() };
    assert_eq!(wet, 0.0, "what it begins with");
}

#[test]
fn automation_is_heard_at_its_frame() {
    let level = level("tempo(96);", "automate([[0, -20], [1, -20], [2, -6], [2.5, -12]])", 90_000);
    // A beat has 30 000 frames.
    for (frame, expected) in [(0, -20.0), (29_999, -20.0), (45_000, -13.0), (60_000, -6.0), (75_000, -12.0)] {
        assert!((level[frame] - expected).abs() < 1e-3, "{} at {frame}", level[frame]);
    }
    assert!(level[59_999] < level[60_000] && level[60_001] < level[60_000], "the point has its own frame");
    assert!(level[30_001] > level[30_000]);
}

#[test]
fn a_locked_lfo_turns_on_the_beat() {
    let level = level("tempo(96);", "lfo(\"1/4\").shape(\"triangle\").range(-24, 0)", 90_000);
    for (frame, expected) in [(7_500, 0.0), (22_500, -24.0), (37_500, 0.0), (82_500, -24.0)] {
        assert!((level[frame] - expected).abs() < 1e-6, "{} at {frame}", level[frame]);
    }
}

#[test]
fn steps_are_in_force_a_crossfade_after_their_beat() {
    let level = level("tempo(96);", "steps(\"-3 [-6 -12]\")", 130_000);
    for (frame, expected) in [(59_999, -3.0), (62_000, -6.0), (89_999, -6.0), (92_000, -12.0), (122_000, -3.0)] {
        assert!((level[frame] - expected).abs() < 1e-6, "{} at {frame}", level[frame]);
    }
}

#[test]
fn follow_goes_from_the_low_end_at_silence_to_the_high_end_at_full_scale() {
    let text = |level: &str| {
        format!(
            "let key = input(\"key\", square(0.01).level({level}));
            input(\"v\", noise(\"white\")) >> fader(follow(key).attack(1).range(0, -12)) >> master;
            mute(\"key\");"
        )
    };
    let still = cold("input(\"v\", noise(\"white\")) >> master;", 48_000);
    for (key, expected) in [("off", 0.0), ("-6.0206", -6.0), ("0", -12.0)] {
        let moved = cold(&text(key), 48_000);
        let got = 20.0 * (moved[0][47_000] / still[0][47_000]).abs().log10();
        assert!((got - expected).abs() < 0.02, "{key}: {got}, not {expected}");
    }
}

#[test]
fn what_is_followed_is_an_edge_of_the_graph() {
    let text = r#"
        let kick = input("kick", sine(50));
        let late = kick >> limiter(-1);
        let pad = input("pad", saw(110));
        pad >> fader(follow(late).range(0, -12)).mix(follow("kick")) >> master;
    "#;
    let graph = graph(text);
    let fader = graph.nodes.iter().position(|node| node.path == "pad>master/fader").expect("it is there");
    let of: Vec<Controlled> = graph.nodes[fader].controls.iter().map(|control| control.of).collect();
    assert_eq!(of, [Controlled::Value(0), Controlled::Wet]);
    let mut heard: Vec<(Port, &str, usize)> = graph
        .edges
        .iter()
        .filter(|edge| edge.to == fader && matches!(edge.port, Port::Follow(_)))
        .map(|edge| (edge.port, graph.nodes[edge.from].path.as_str(), edge.delay))
        .collect();
    heard.sort();
    let latency = graph.nodes.iter().map(|node| node.latency).max().expect("there are nodes");
    assert!(latency > 0);
    assert_eq!(
        heard,
        [
            (Port::Follow(0), "pad>master/fader.gain/follow", 0),
            (Port::Follow(1), "pad>master/fader.mix/follow", latency)
        ],
        "each waits for the slowest"
    );
    assert!(graph.nodes.iter().any(|node| node.names.contains(&"kick>pad>master/fader.gain/limiter".to_owned())));
}

#[test]
fn what_is_followed_stays_so_while_things_are_taken_away_and_put_in() {
    let text = |rest: &str| {
        format!(
            r#"
            let gone = input("gone", sine(40)); let kick = input("kick", sine(50)); let pad = input("pad", saw(110));
            gone >> eq() >> master;
            let tap = kick >> eq() >> gain(-3);
            tap >> master;
            pad >> fader(follow(tap).range(0, -12)) >> master;
            {rest}"#
        )
    };
    let source = |text: &str| {
        let graph = graph(text);
        let follower = graph.nodes.iter().position(|node| node.path.ends_with("/follow"));
        let edge = graph.edges.iter().find(|edge| Some(edge.to) == follower);
        edge.map(|edge| graph.nodes[edge.from].path.clone())
    };
    assert_eq!(source(&text("")).as_deref(), Some("kick>master/gain"));
    assert_eq!(source(&text("remove(\"gone\");")).as_deref(), Some("kick>master/gain"));
    assert_eq!(source(&text("remove(\"kick/gain\");")).as_deref(), Some("kick>master/eq"));
    assert_eq!(source(&text("after(\"kick/gain\", polarity());")).as_deref(), Some("kick>master/polarity"));
    let set = "set(\"pad/fader.gain\", follow(gone).range(-1, -2)); remove(\"kick\");";
    assert_eq!(source(&text(set)).as_deref(), Some("gone"));
    let silent = text("remove(\"kick\");");
    assert_eq!(source(&silent), None, "nothing is left to follow");
    let silent = graph(&silent);
    let Role::Work { recipe, .. } = &node(&silent, "pad>master/fader").role else { panic!() };
    assert_eq!(recipe.values, [1.0], "it is as at silence");
}

#[test]
fn something_that_is_only_followed_goes_somewhere() {
    let prepared = engine::graph::prepare(
        session(
            "let kick = input(\"kick\", sine(50)); let low = kick >> low_pass(80);
             input(\"pad\", saw(110)) >> fader(follow(low).range(0, -12)) >> master;",
        ),
        &Library::new(),
    );
    assert_eq!(prepared.diagnostics, []);
}

#[test]
fn a_control_is_read_back_and_set_like_any_value() {
    let first =
        only("input(\"v\", saw(110)) >> fader(lfo(2.beats).shape(\"saw\").phase(90).range(-12, 0.dB)) >> master;");
    assert_eq!(first.to_string(), "lfo(2.beats).shape(\"saw\").phase(90).range(-12, 0.dB)");
    let again = "let v = input(\"v\", saw(110)); v >> fader(lfo(2.beats).shape(\"saw\").phase(90).range(-12, 0.dB)) >> master;
        let same = get(\"v/fader.gain\"); remove(\"v/fader\"); before(\"v>master\", gain(0)); set(\"v/gain.gain\", same);";
    assert_eq!(only(again), first, "wherever it is written");
    for text in [
        "ramp(-60, 0, 4.bars).curve(\"s\").start(8.bars)",
        "automate([[0, -60], [16, 0]])",
        "steps(\"-3 <-6 ~>\")",
        "midi_cc(7).channel(2).start(-6).range(-60, 0)",
        "osc(\"/desk/voice\")",
    ] {
        let session = |control: &str| format!("input(\"v\", saw(110)) >> fader({control}) >> master;");
        let shown = only(&session(text)).to_string();
        assert_eq!(only(&session(&shown)), only(&session(text)), "{shown}");
    }
}

#[test]
fn one_control_on_two_parameters_is_two_equal_ones() {
    let graph = graph(
        "let slow = lfo(1.bars).shape(\"random\").range(-12, 0);
         input(\"a\", saw(110)) >> fader(slow) >> master; input(\"b\", saw(111)) >> fader(slow) >> master;",
    );
    let motion = |path: &str| match &node(&graph, path).controls[0].motion {
        Motion::Lfo(lfo) => lfo.clone(),
        other => panic!("{other:?}"),
    };
    let (a, b) = (motion("a>master/fader"), motion("b>master/fader"));
    assert_ne!(a.seed, b.seed, "chance is drawn by path");
    assert_eq!((a.rate, a.shape, a.range), (b.rate, b.shape, b.range));
}

#[test]
fn ranges_are_whole_where_that_is_meant_and_octaves_for_frequencies() {
    let range = |chain: &str| {
        let graph = graph(&format!("input(\"v\", saw(110)) >> {chain} >> master;"));
        let motion = graph.nodes.iter().flat_map(|node| &node.controls).next().map(|control| control.motion.clone());
        match motion {
            Some(Motion::Lfo(lfo)) => lfo.range,
            Some(Motion::Event { range: Some(range), .. }) => range,
            other => panic!("{chain}: {other:?}"),
        }
    };
    let ends = |chain: &str| (range(chain).low, range(chain).high, range(chain).octaves);
    assert_eq!(ends("pan(lfo(1))"), (-1.0, 1.0, false));
    assert_eq!(ends("gain(1).mix(lfo(1))"), (0.0, 100.0, false));
    assert_eq!(ends("low_pass(lfo(1).range(\"a2\", 2.kHz))"), (110.0, 2000.0, true));
    assert_eq!(ends("fader(midi_cc(7))"), (-120.0, 24.0, false));
    assert!(range("low_pass(midi_cc(74))").octaves);
    assert!((range("low_pass(midi_cc(74).range(100, 6400))").at(0.5) - 800.0).abs() < 1e-9);
}

#[test]
fn a_random_lfo_is_the_same_each_time_and_another_for_another_seed() {
    let text = |seed: u8| {
        format!("seed({seed}); input(\"v\", sine(300)) >> fader(lfo(40).shape(\"random\").range(-12, 0)) >> master;")
    };
    assert!(cold(&text(1), 9600) == cold(&text(1), 9600));
    assert!(cold(&text(1), 9600) != cold(&text(2), 9600));
}

#[test]
fn a_tail_is_as_long_as_a_control_can_make_it() {
    let tail = |decay: &str| {
        let text = format!("input(\"v\", saw(110)) >> reverb().decay({decay}) >> master;");
        node(&graph(&text), "v>master/reverb").tail
    };
    assert_eq!(tail("lfo(1).range(0.5.s, 4.s)"), tail("4.s"));
    assert_eq!(tail("ramp(4.s, 0.5.s, 1.bars)"), tail("4.s"));
}

#[test]
fn a_clip_that_has_begun_stays_where_it_is_when_the_tempo_changes() {
    use engine::graph::prepare_in;
    use engine::tempo::Tempo;
    let text = |tempo: u32| {
        format!("tempo({tempo}); input(\"d\", clip(\"audio/drums.flac\").start(2.bars).looped()) >> master;")
    };
    let start = |graph: &Graph| match &node(graph, "d").role {
        Role::Work { recipe, .. } => recipe.values[4],
        other => panic!("{other:?}"),
    };
    assert_eq!(start(&graph(&text(120))), 4000.0);
    let (before, after) = (session(&text(120)), session(&text(60)));
    let moved = |at: i64| {
        let mut tempo = Tempo::new(before.clock());
        tempo.change(at, after.clock());
        start(&prepare_in(after.clone(), &Library::new(), tempo).graph.expect("it is right"))
    };
    assert_eq!(moved(200_000), 4000.0, "it has begun");
    assert_eq!(moved(96_000), 2000.0 + 4000.0, "the second of the two bars is twice as long");
}

#[test]
fn an_edit_elsewhere_leaves_a_ramp_running() {
    let text = |other: &str| {
        format!(
            "input(\"v\", noise(\"white\")) >> fader(ramp(-40, 0, 1.s)) >> master;
             input(\"w\", sine(100).level(-60)) >> fader({other}) >> mono() >> at(\"side\"); bus(\"side\");"
        )
    };
    let plain = cold(&text("-3"), 48_000);
    let mut edited = Rehearsal::new(&text("-3"));
    edited.run(9600).edit(&text("-9"));
    edited.run(38_400);
    assert!(edited.sound[0][..47_000] == plain[0][..47_000], "to the bit");
}

#[test]
fn grids_and_crossfades_are_the_sessions() {
    use engine::tempo::Grid;
    let of = |line: &str| session(&format!("{line} tempo(60); input(\"v\", saw(110)) >> master;"));
    assert_eq!(of("").quantize, None);
    assert_eq!(of("quantize(2.bars);").quantize, Some(Grid::Bars(2.0)));
    assert_eq!(of("quantize(\"1/8\");").quantize, Some(Grid::Beats(0.5)));
    assert_eq!(of("quantize(250.ms);").quantize, Some(Grid::Milliseconds(250.0)));
    assert_eq!(of("quantize(1.bars); quantize(off);").quantize, None);
    assert_eq!(of("").crossfade, 20.0);
    assert_eq!(of("crossfade(0.2.s);").crossfade, 200.0);
    assert_eq!(of("crossfade(1.beats);").crossfade, 1000.0, "by the tempo that holds in the end");
}

#[test]
fn names_of_parameters_lead_back_to_them() {
    let session = session(
        "let v = input(\"v\", [saw(110).level(lfo(1).range(-9, 0)), sine(50)]); let room = bus(\"room\");
         v >> eq().bell(300, lfo(2).range(-3, 3)) >> send(room, lfo(1).range(-9, 0)) >> master; room >> master;",
    );
    let names = Names::of(&session);
    for (owner, which) in session.controlled() {
        let path = names.parameter(&session, owner, which);
        let found = names.find(&session, &path);
        assert_eq!(found, Ok(engine::names::Found::Parameter(owner, which)), "{path}");
    }
}

#[test]
fn a_send_under_a_control_has_the_level_that_the_control_gives() {
    let text =
        |gain: &str| format!("let r = bus(\"r\"); input(\"a\", sine(500).level(-6)) >> send(r, {gain}); r >> master;");
    let (moved, still) = (cold(&text("osc(\"/s\").start(-12)"), 9600), cold(&text("-12"), 9600));
    let off = moved[0].iter().zip(&still[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off < 1e-12, "{off}");
}

#[test]
fn putting_a_control_on_a_send_and_taking_it_off_leaves_no_step() {
    let text =
        |gain: &str| format!("let r = bus(\"r\"); input(\"a\", sine(60).level(-12)) >> send(r, {gain}); r >> master;");
    let mut rehearsal = Rehearsal::new(&text("0"));
    for gain in ["osc(\"/s\").start(-30)", "0", "lfo(2).range(-40, 0)", "-20", "0"] {
        rehearsal.run(9600);
        rehearsal.edit(&text(gain)).expect("it changes something");
    }
    rehearsal.run(9600);
    let above = loudest_above(&rehearsal.sound[0][4800..], 5000.0);
    assert!(above < -80.0, "{above:.1} dBFS");
}

#[test]
fn a_frequency_takes_a_control_and_gives_it_up_without_a_step() {
    let text = |freq: &str| format!("input(\"a\", sine({freq}).level(-12)) >> master;");
    let mut rehearsal = Rehearsal::new(&text("60"));
    for freq in ["lfo(2).range(50, 70)", "lfo(3).range(40, 80)", "osc(\"/f\").start(60)", "60", "65"] {
        rehearsal.run(9600);
        rehearsal.edit(&text(freq)).expect("it changes something");
    }
    rehearsal.run(9600);
    let above = loudest_above(&rehearsal.sound[0][4800..], 5000.0);
    assert!(above < -80.0, "{above:.1} dBFS");
    let (moved, still) = (cold(&text("osc(\"/f\").start(441)"), 9600), cold(&text("441"), 9600));
    let off = moved[0].iter().zip(&still[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off < 1e-9, "where nothing has moved it, it is the steady one: {off}");
}
