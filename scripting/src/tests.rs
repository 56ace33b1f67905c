//! What texts mean: the sessions that they declare.

use std::path::Path;

use engine::parameter::Value;
use engine::session::*;

use crate::{Evaluated, evaluate_kept, evaluate_text, evaluate_text_with};

fn evaluated(text: &str) -> Evaluated {
    evaluate_text(Path::new("session.rhai"), text)
}

fn session(text: &str) -> Session {
    let result = evaluated(text);
    assert!(result.diagnostics.is_empty(), "{text}: {:?}", result.diagnostics);
    result.session.expect("a text without errors is a session")
}

fn codes(text: &str) -> Vec<&'static str> {
    evaluated(text).diagnostics.iter().map(|d| d.code).collect()
}

fn place(session: &Session, name: &str) -> PlaceId {
    PlaceId(session.places.iter().position(|p| p.name == name).unwrap_or_else(|| panic!("no place {name}")))
}

/// The words of the effects that a cable passes, from the source on, and where it begins.
fn chain(session: &Session, cable: usize) -> (Vec<&'static str>, PlaceId) {
    let mut words = Vec::new();
    let mut tap = session.cables[cable].from;
    while let Tap::Instance(id) = tap {
        let instance = &session.instances[id.0];
        words.push(match &instance.work {
            Work::Effect(effect) => effect.table.word,
            Work::Branch { .. } => "branch",
            Work::Blend { .. } => "blend",
        });
        tap = instance.from;
    }
    words.reverse();
    let Tap::Place(start) = tap else { unreachable!("the loop ends at a place") };
    (words, start)
}

fn effect(session: &Session, index: usize) -> &Effect {
    session.instances[index].work.effect().unwrap_or_else(|| panic!("instance {index} is no effect"))
}

#[test]
fn a_tempo_moves_in_the_time_signature_of_the_whole_text() {
    let clock = |text: &str| session(text).pace();
    let pace = clock("tempo(ramp(120, 140, 8.bars)); time_signature(3, 4);");
    let course = pace.course.expect("it moves");
    assert_eq!((pace.clock.tempo, pace.clock.beats_per_bar), (140.0, 3.0));
    assert_eq!((course.points, course.adrift), (vec![(0.0, 120.0), (24.0, 140.0)], true));
    let course = clock("tempo(ramp(100.bpm, 50, 2.beats).start(4.bars));").course.expect("it moves");
    assert_eq!((course.points, course.adrift), (vec![(16.0, 100.0), (18.0, 50.0)], false));
    let course = clock("tempo(automate([[0, 90], [8, 120]]).hold());").course.expect("it moves");
    assert_eq!((course.points, course.hold), (vec![(0.0, 90.0), (8.0, 120.0)], true));
    assert_eq!(clock("tempo(ramp(120, 140, 8.bars)); tempo(96);").course, None, "what is said last holds");
    assert_eq!(codes("tempo(ramp(120, 0.5, 8.bars));"), ["out-of-range"]);
    assert_eq!(codes("tempo(steps(\"120 140\"));"), ["wrong-type"]);
}

#[test]
fn a_session_says_with_whom_it_shares_its_time() {
    let s = session("clock_in(\"Drums\"); clock_out(\"Bass\"); clock_out(\"Lights\", -20.ms);");
    assert_eq!(s.company.clock_in.map(|(port, _)| port).as_deref(), Some("Drums"));
    let sent: Vec<(&str, f64)> = s.company.clock_out.iter().map(|(port, ms, _)| (port.as_str(), *ms)).collect();
    assert_eq!(sent, [("Bass", 0.0), ("Lights", -20.0)]);
    assert!(session("link();").company.link.is_some());
    for text in [
        "clock_in(\"a\"); clock_in(\"b\");",
        "link(); clock_in(\"b\");",
        "link(); link();",
        "clock_out(\"a\"); clock_out(\"a\", 5);",
        "clock_in(\"a\"); clock_out(\"a\");",
    ] {
        assert_eq!(codes(text), ["clock-twice"], "{text}");
    }
    assert_eq!(codes("clock_in(\" \");"), ["bad-port"]);
    assert_eq!(codes("clock_in(1);"), ["wrong-type"]);
    assert_eq!(codes("clock_out(\"a\", lfo(1));"), ["wrong-type"]);
    assert_eq!(codes("clock_out(\"a\", 600);"), ["out-of-range"]);
}

#[test]
fn an_instrument_is_played_from_a_keyboard_or_at_a_port_if_the_text_says_so() {
    let keyboard = |text: &str| {
        let s = session(text);
        let sources = s.places.iter().find_map(|place| match &place.kind {
            engine::session::PlaceKind::Input(sources) => Some(&sources[0]),
            _ => None,
        });
        let source = sources.expect("there is an input");
        engine::sources::keyboard(source.table.0, |index| source.settings.get(index).map(|setting| &setting.value))
    };
    let notes = |channel| Some(engine::motion::EventSource::Notes { channel });
    assert_eq!(keyboard("input(\"k\", keys());"), None);
    assert_eq!(keyboard("input(\"k\", keys().keyboard());"), notes(None));
    assert_eq!(keyboard("input(\"k\", play(\"c4\", keys()).keyboard(16));"), notes(Some(16)));
    assert_eq!(keyboard("input(\"k\", kit().keyboard(10).keyboard(off));"), None);
    assert_eq!(keyboard("input(\"k\", synth(|note| saw(note.freq)).keyboard(1));"), notes(Some(1)));
    assert_eq!(keyboard("input(\"k\", keys()); set(\"k.keyboard\", 3);"), None, "what is set applies later");
    for text in ["keys().keyboard(0)", "keys().keyboard(17)", "keys().keyboard(1.5)"] {
        assert_eq!(codes(&format!("input(\"k\", {text}) >> master;")), ["out-of-range"], "{text}");
    }
    assert_eq!(codes("input(\"k\", keys().keyboard(\"a\")) >> master;"), ["wrong-type"]);
    assert_eq!(codes("input(\"k\", keys().keyboard(lfo(1))) >> master;").len(), 1);
    assert_eq!(codes("input(\"k\", sine(440).keyboard()) >> master;"), ["unknown-parameter"]);
    assert_eq!(codes("input(\"k\", play(\"c4\", midi_out())) >> master;"), ["wrong-arguments"]);
    assert_eq!(codes("input(\"k\", play(\"c4\", midi_out(\" \"))) >> master;"), ["bad-port"]);
    assert_eq!(codes("input(\"k\", play(\"c4\", midi_out(\"a\").channel(17))) >> master;"), ["out-of-range"]);
}

#[test]
fn flow_binds_looser_than_addition() {
    let s = session("let a = bus(\"a\"); let b = bus(\"b\"); a + b >> gain(-3) >> master;");
    assert_eq!(s.cables.len(), 3);
    let (words, start) = chain(&s, 2);
    assert_eq!((words, &s.places[start.0].kind), (vec!["gain"], &PlaceKind::Sum));
    assert_eq!(s.cables[0].to, start);
    assert_eq!(s.cables[1].to, start);
    assert_eq!(s.cables[2].to, MASTER);
}

#[test]
fn sums_of_the_same_members_are_one_place() {
    let s =
        session("let a = bus(\"a\"); let b = bus(\"b\"); a + b >> master; b + a >> gain(1) >> at(\"c\"); bus(\"c\");");
    assert_eq!(s.places.iter().filter(|p| p.kind == PlaceKind::Sum).count(), 1);
    let s = session("let a = bus(\"a\"); a + bus(\"b\") + bus(\"c\") >> master;");
    assert_eq!(s.cables.iter().filter(|c| s.places[c.to.0].kind == PlaceKind::Sum).count(), 3);
}

#[test]
fn a_list_plugs_in_each_of_its_signals() {
    let s = session("[bus(\"a\"), bus(\"b\")] >> gain(-3) >> master;");
    assert_eq!(s.cables.len(), 2);
    assert_eq!(chain(&s, 0), (vec!["gain"], place(&s, "a")));
    assert_eq!(chain(&s, 1), (vec!["gain"], place(&s, "b")));
}

#[test]
fn taps_held_in_variables_share_what_comes_before_them() {
    let s = session("let v = bus(\"v\") >> gain(1); v >> fader(0) >> master; v >> fader(-9) >> bus(\"r\");");
    assert_eq!(s.instances.len(), 3);
    assert_eq!(s.instances[1].from, Tap::Instance(InstanceId(0)));
    assert_eq!(s.instances[2].from, Tap::Instance(InstanceId(0)));
}

#[test]
fn effects_are_values_that_setters_do_not_change() {
    let s = session("let c = gain(1); let d = c.gain(2); bus(\"a\") >> c >> d >> master;");
    assert_eq!(effect(&s, 0).settings[0].value, Value::Number(1.0));
    assert_eq!(effect(&s, 1).settings[0].value, Value::Number(2.0));
    assert_eq!(codes("let c = gain(1); c.gain(2); bus(\"a\") >> c >> master;"), ["thrown-away"]);
    assert_eq!(codes("fn f() { gain(1) } f() >> gain(2); gain(3);"), ["thrown-away", "thrown-away"]);
}

#[test]
fn functions_return_whole_strips() {
    let s = session("fn strip(db) { gain(1) >> fader(db) } bus(\"a\") >> strip(-3) >> master;");
    assert_eq!(chain(&s, 0).0, ["gain", "fader"]);
}

#[test]
fn a_composed_effect_with_a_mix_ends_in_a_blend_with_the_signal_before_it() {
    let s = session("let g = (gain(1) >> fader(2)).mix(40).named(\"glue\"); bus(\"a\") >> pan(0) >> g >> master;");
    assert_eq!(chain(&s, 0).0, ["pan", "gain", "fader", "blend"]);
    let Work::Blend { dry, name, mix, bypass } = &s.instances[3].work else { panic!("no blend") };
    assert_eq!((*dry, name.as_deref()), (Tap::Instance(InstanceId(0)), Some("glue")));
    assert_eq!((&mix.value, &bypass.value), (&Value::Number(40.0), &Value::Flag(false)));
    let plain = session("bus(\"a\") >> (gain(1) >> fader(2)) >> master;");
    assert_eq!(chain(&plain, 0).0, ["gain", "fader"]);
}

#[test]
fn a_send_taps_where_it_stands_and_belongs_to_its_statement() {
    let s = session("let r = bus(\"r\"); bus(\"a\") >> gain(1) >> send(r, -14) >> fader(0) >> master;");
    assert_eq!(chain(&s, 0).0, ["gain"]);
    assert_eq!((s.cables[0].owner, s.cables[0].to), (Some(CableId(1)), place(&s, "r")));
    assert!(matches!(&s.cables[0].kind, CableKind::Send { gain } if gain.value == Value::Number(-14.0)));

    let held = session("let v = bus(\"a\") >> send(\"r\", -14); v >> master; bus(\"r\");");
    assert_eq!(held.cables[0].owner, None, "the statement of the send plugs nothing in");

    let called = session("fn f(x) { x >> send(\"r\") >> gain(1) } f(bus(\"a\")) >> master; bus(\"r\");");
    assert_eq!(called.cables[0].owner, Some(CableId(1)));
}

#[test]
fn replace_marks_the_cables_of_its_line_and_their_sends() {
    let s = session("bus(\"a\") >> master; replace(at(\"a\") >> send(\"r\") >> gain(1) >> master); bus(\"r\");");
    assert_eq!(s.cables.iter().map(|c| c.replaces).collect::<Vec<_>>(), [false, true, true]);
}

#[test]
fn signals_scale_and_subtract_by_gain_and_polarity() {
    let s = session("bus(\"a\") * -0.5 >> master;");
    assert_eq!(chain(&s, 0).0, ["gain", "polarity"]);
    let Value::Number(db) = effect(&s, 0).settings[0].value else { panic!("no level") };
    assert!((db + 6.020_599_913_279_624).abs() < 1e-12, "{db}");
    let silent = session("0 * bus(\"a\") >> master;");
    assert_eq!(effect(&silent, 0).settings[0].value, Value::Special);
    let difference = session("let b = bus(\"b\"); bus(\"a\") - b >> master;");
    assert_eq!(chain(&difference, 1), (vec!["polarity"], place(&difference, "b")));
}

#[test]
fn places_may_be_named_before_they_are_declared() {
    let s = session("bus(\"a\") >> send(\"room\", -3) >> at(\"band\"); bus(\"room\", 1); bus(\"band\") >> master;");
    assert_eq!(s.places[place(&s, "room").0].kind, PlaceKind::Bus { channels: 1 });
    assert_eq!(codes("bus(\"a\") >> at(\"band\"); bus(\"bend\") >> master;"), ["unknown-name"]);
}

#[test]
fn quantities_of_one_unit_reckon() {
    let ok = "if 1 / 2 != 0.5 { throw 1; } if -3.dB + 1.dB != - 2.dB { throw 2; } if 1.s + 500.ms != 1.5.s { throw 3; }
        if 2 * 4.beats != 8.beats { throw 4; } if 6.dB / 2.dB != 3 { throw 5; } if 7 / 7 != 1 { throw 6; }
        if (-(3.dB)) > 0.dB { throw 7; } if 2 ** 3 != 8 { throw 8; } let x = 3; x /= 2; if x != 1.5 { throw 9; }";
    session(ok);
    for wrong in ["1.dB + 1", "1.dB + 1.ms", "1.dB * 1.dB", "1 / 0", "1.dB < 1", "9223372036854775807 * 2"] {
        assert_eq!(codes(&format!("let x = {wrong};")).len(), 1, "{wrong}");
    }
}

#[test]
fn our_values_cannot_be_compared() {
    for operator in ["==", "!=", "<", ">", "<=", ">="] {
        assert_eq!(codes(&format!("let x = master {operator} 0.5;")), ["wrong-type"], "{operator}");
        assert_eq!(codes(&format!("let x = gain(1) {operator} gain(1);")), ["wrong-type"], "{operator}");
    }
}

#[test]
fn times_in_music_are_judged_by_the_final_tempo() {
    assert!(codes("bus(\"a\") >> compressor().attack(2.beats) >> master; tempo(240);").is_empty());
    assert_eq!(codes("bus(\"a\") >> compressor().attack(2.beats) >> master; tempo(30);"), ["out-of-range"]);
}

#[test]
fn notes_are_frequencies_where_hertz_are_wanted() {
    let s = session("input(\"a\", sine(\"a3\")) >> master;");
    let PlaceKind::Input(sources) = &s.places[1].kind else { panic!("no input") };
    let Value::Number(hertz) = sources[0].settings[0].value else { panic!("no frequency") };
    assert!((hertz - 220.0).abs() < 1e-9);
}

#[test]
fn parts_take_some_of_their_arguments_and_names() {
    let s =
        session("bus(\"a\") >> eq().bell(350, -4).named(\"mud\").bell(900).named(\"x\").named(\"tone\") >> master;");
    let eq = effect(&s, 0);
    assert_eq!(eq.name.as_deref(), Some("tone"));
    let names: Vec<_> = eq.parts.iter().map(|p| p.name.as_deref()).collect();
    assert_eq!(names, [Some("mud"), Some("x")]);
    assert_eq!(eq.parts[0].settings[0].value, Value::Number(350.0));
    assert_eq!(eq.parts[0].settings[2].value, eq.table.parts[eq.parts[0].part].parameters[2].default());
}

#[test]
fn a_pace_is_said_in_hertz_or_as_the_length_of_a_cycle() {
    let rate = |said: &str| {
        let s = session(&format!("bus(\"a\") >> tremolo({said}) >> master;"));
        effect(&s, 0).settings[0].value.clone()
    };
    assert_eq!(rate("3"), Value::Number(3.0));
    assert_eq!(rate("\"1/8.\""), Value::Beats(0.75));
    assert_eq!(rate("2.beats"), Value::Beats(2.0));
    assert_eq!(rate("4.bars"), Value::Bars(4.0));
    let told = |effect: &str| codes(&format!("bus(\"a\") >> {effect} >> master;"));
    assert!(told("tremolo(lfo(1.bars).range(1, 6))").is_empty());
    for (effect, code) in [
        ("tremolo(\"1/512\")", "out-of-range"),
        ("tremolo(\"a4\")", "wrong-type"),
        ("tremolo(200.ms)", "wrong-unit"),
        ("tremolo(100)", "out-of-range"),
        ("ring_mod(\"1/8\")", "wrong-type"),
        ("ring_mod(1.bars)", "wrong-unit"),
    ] {
        assert_eq!(told(effect), [code], "{effect}");
    }
    // The range holds for the tempo there is in the end.
    assert_eq!(codes("bus(\"a\") >> vibrato(1.bars) >> master; tempo(240);"), [] as [&str; 0]);
    assert_eq!(codes("bus(\"a\") >> vibrato(1.bars) >> master; tempo(60);"), ["out-of-range"]);
}

#[test]
fn every_setter_of_every_table_takes_its_own_default() {
    for table in crate::words::tables() {
        for parameter in table.parameters {
            use engine::parameter::Kind;
            let value = match (parameter.kind, parameter.default()) {
                (Kind::Signal, _) => "master".to_string(),
                (Kind::Path, _) => "\"a.wav\"".to_string(),
                (Kind::Channels, _) => "1".to_string(),
                (Kind::Pattern, _) => "1".to_string(),
                (Kind::Folder, _) => "\"kit\"".to_string(),
                (Kind::Port, _) => "\"Port\"".to_string(),
                (Kind::Number { special: Some(("off", _)), .. }, Value::Special) => "off".to_string(),
                (Kind::Number { special: Some((word, _)), .. }, Value::Special) => format!("\"{word}\""),
                (_, Value::Number(number)) => number.to_string(),
                (_, value) => parameter.show(&value),
            };
            let argument = table.arguments.first().and_then(|name| table.parameters.iter().find(|p| p.name == *name));
            let first = match argument.map(|argument| argument.kind) {
                Some(Kind::Port) => "\"Port\"",
                Some(Kind::Path) => "\"a.wav\"",
                Some(Kind::Channels) => "1",
                _ => "",
            };
            let text = format!("let x = {}({first}).{}({value});", table.word, parameter.name);
            let told: Vec<_> = evaluated(&text).diagnostics.into_iter().filter(|d| d.is_error()).collect();
            assert!(told.is_empty(), "{text}: {told:?}");
        }
    }
}

#[test]
fn every_example_of_the_reference_evaluates() {
    for entry in crate::reference() {
        if entry.word == "import" {
            continue;
        }
        let names = ["x", "voice", "band", "room", "echo", "left", "right", "sides", "kick", "snare", "drums"];
        let declared: String =
            names.iter().map(|n| format!("let {n} = bus(\"{n} bus\"); bus(\"{n}\");")).collect::<Vec<_>>().join(" ");
        let declares = entry.example.starts_with("let ");
        let flows = entry.example.contains("x >>") && !entry.example.contains("master");
        let line = match (declares, flows) {
            (true, _) => entry.example.replace("\"voice\"", "\"lead\"").replace("\"band\"", "\"choir\""),
            (false, true) => format!("{} >> master;", entry.example),
            (false, false) => entry.example.clone(),
        };
        // What is read has to be there.
        let reads = ["get", "gain_reduction"].contains(&entry.word.as_str());
        let before = if reads { "at(\"voice\") >> compressor() >> master;" } else { "" };
        let text = format!("{declared}\n{before}\n{line}");
        let told: Vec<_> = evaluated(&text).diagnostics.into_iter().filter(|d| d.is_error()).collect();
        assert!(told.is_empty(), "{text}: {told:?}");
    }
}

#[test]
fn positions_are_those_of_the_words() {
    let s = session("let a = bus(\"a\");\na >> gain(\n  -3) >> master;\n");
    assert_eq!((s.instances[0].at.line, s.instances[0].at.column), (2, 6));
    assert_eq!((effect(&s, 0).settings[0].at.line, effect(&s, 0).settings[0].at.column), (3, 3));
    assert_eq!((s.cables[0].at.line, s.cables[0].at.column), (3, 10));
}

#[test]
fn evaluating_twice_gives_the_same() {
    let text = "for i in 0..20 { bus(`b${i}`) >> send(\"r\", -i) >> pan(i / 40) >> master; } bus(\"r\") + at(\"b1\") >> master;";
    let (first, second) = (session(text), session(text));
    assert!(first == second);
}

#[test]
fn imports_see_the_words_and_are_evaluated_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("it can be written");
    file("strips.rhai", "bus(\"room\") >> master;\nfn strip(x) { x >> send(\"room\", -3) >> fader(off) }\n");
    file("more.rhai", "import \"strips\" as strips;\nfn both(x) { strips::strip(x) }\n");
    let text = "import \"strips\" as s; import \"more\" as m; m::both(s::strip(bus(\"a\"))) >> master;";
    let result = evaluate_text(&folder.path().join("session.rhai"), text);
    assert!(result.diagnostics.is_empty(), "{:?}", result.diagnostics);
    let s = result.session.expect("it has no errors");
    assert_eq!(s.places.iter().filter(|p| p.name == "room").count(), 1);
    let names: Vec<_> = result.files.iter().map(|f| f.path.file_name().expect("a name").to_owned()).collect();
    assert_eq!(names, ["session.rhai", "strips.rhai", "more.rhai"]);
    assert_eq!(s.files.len(), 3);
}

#[test]
fn a_line_may_declare_an_input_or_a_bus_again_and_a_file_may_not() {
    let file = "let a = input(\"a\", sine(220)); let b = bus(\"b\"); a >> b; b >> master; mute(a);";
    let with = |lines: &[&str]| {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        evaluate_text_with(Path::new("x.rhai"), file, &lines)
    };
    let again = with(&["let a = input(\"a\", saw(110))", "bus(\"b\", 1)", "input(\"a\", square(55))"]);
    let session = again.session.unwrap_or_else(|| panic!("{:?}", again.diagnostics));
    let names: Vec<&str> = session.places.iter().map(|place| place.name.as_str()).collect();
    assert_eq!(names, ["master", "a", "b"]);
    let PlaceKind::Input(sources) = &session.places[1].kind else { panic!("it is an input") };
    assert_eq!((sources.len(), sources[0].table.0.word), (1, "square"));
    assert_eq!(session.places[2].kind, PlaceKind::Bus { channels: 1 });
    assert_eq!((session.cables.len(), session.amendments.len()), (2, 1), "what was plugged and muted stays so");
    let code = |lines: &[&str]| with(lines).diagnostics.first().map(|one| one.code);
    assert_eq!(code(&["bus(\"a\")"]), Some("name-twice"), "an input becomes no bus");
    assert_eq!(code(&["input(\"c\", sine(1)); input(\"c\", sine(2))"]), Some("name-twice"), "not within a line");
    assert_eq!(code(&["bus(\"master\")"]), Some("name-twice"));
    let twice = evaluate_text(Path::new("x.rhai"), &format!("{file} input(\"a\", saw(110));"));
    assert_eq!(twice.diagnostics.first().map(|one| one.code), Some("name-twice"));
}

#[test]
fn a_text_that_was_kept_needs_none_of_its_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("it can be written");
    file("strips.rhai", "fn strip(x) { x >> fader(-3) }\n");
    let text = "import \"./strips\" as s; s::strip(bus(\"a\")) >> master;";
    let lines = ["set(\"a/fader.gain\", -5)".to_owned()];
    let before = evaluate_text_with(&folder.path().join("session.rhai"), text, &lines);
    file("strips.rhai", "fn strip(x) { x >> fader(-9) }\n");
    let kept = evaluate_kept(&before.files);
    assert!(before.session.is_some() && kept.session == before.session && kept.files == before.files);
    folder.close().expect("it can go");
    let kept = evaluate_kept(&before.files);
    assert!(kept.session == before.session, "{:?}", kept.diagnostics);
    assert_eq!(evaluate_kept(&before.files[..1]).diagnostics[0].code, "import-missing");
    assert!(evaluate_kept(&[]).session.is_none());
}

#[test]
fn a_missing_import_is_among_the_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let result = evaluate_text(&folder.path().join("session.rhai"), "import \"strips\" as s;");
    assert_eq!(result.files[1].path, folder.path().join("strips.rhai"));
    assert_eq!(result.diagnostics[0].code, "import-missing");
}

#[test]
fn broken_texts_are_told_what_is_wrong_and_never_break_the_program() {
    let text = "tempo(96);\nlet room = bus(\"room\");\nfn strip(x, db) { x >> eq().bell(350, -4).named(\"mud\") >> fader(db) }\n\
        let v = input(\"v\", sine(\"a3\").level(-12));\nfor i in 0..3 { strip(v, -i.dB) >> send(room, -14) >> cable(`c${i}`) >> master; }\n\
        [v, room] + v * 0.5 >> at(\"band\"); /* c */ mute(\"v*\"); set(\"v/eq.gain\", 3.ms); // end\n";
    let pieces =
        ["(", ")", "[", "]", "{", "}", ";", ">>", ".", ",", "\"", "`", "/*", "|", "-", "é", "loop ", "let ", "fn "];
    let characters: Vec<char> = text.chars().collect();
    let mut state = 1u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..400 {
        let mut broken = characters.clone();
        for _ in 0..1 + next(3) {
            let at = next(broken.len());
            match next(3) {
                0 => drop(broken.remove(at)),
                1 => broken.swap(at, next(characters.len()).min(characters.len() - 4)),
                _ => drop(broken.splice(at..at, pieces[next(pieces.len())].chars())),
            }
        }
        let broken: String = broken.into_iter().collect();
        let result = evaluated(&broken);
        let refused = result.diagnostics.iter().any(|d| d.is_error());
        assert_eq!(refused, result.session.is_none(), "{broken}");
        for diagnostic in &result.diagnostics {
            assert!(diagnostic.code != "internal" && diagnostic.at.line > 0, "{broken}\n{diagnostic:?}");
            assert!(crate::report::render(diagnostic, &result.files, false).contains("session.rhai:"), "{broken}");
        }
    }
}

#[test]
fn nesting_without_end_meets_a_limit_of_the_language() {
    for bracket in ["(", "[", "{", "#{", "f(", "|x| {", "if x {"] {
        let told = codes(&bracket.repeat(100_000));
        assert!(told.contains(&"too-deep"), "{bracket} {told:?}");
    }
    assert_eq!(codes(&format!("let x = {}1;", "- ".repeat(100_000))), ["too-deep"]);
    assert_eq!(codes(&format!("let x = 1{};", " + 1".repeat(100_000))), ["too-deep"]);
    assert_eq!(codes(&"a.b(".repeat(2_000)).first(), Some(&"too-deep"));
}

/// A text and the lines that follow it.
fn followed(text: &str, lines: &[&str]) -> Evaluated {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    evaluate_text_with(Path::new("session.rhai"), text, &lines)
}

/// What is told of a text with lines: the code, the name of the file, line and column.
fn told(text: &str, lines: &[&str]) -> Vec<(&'static str, String, u32, u32)> {
    let result = followed(text, lines);
    let name = |file: u16| result.files[usize::from(file)].path.display().to_string();
    result.diagnostics.iter().map(|d| (d.code, name(d.at.file), d.at.line, d.at.column)).collect()
}

#[test]
fn lines_see_what_the_file_and_earlier_lines_declare() {
    let file = "let a = bus(\"a\"); fn strip(db) { gain(1) >> fader(db) }\na >> master // the end";
    let lines = ["let b = bus(\"b\")", "fn twice(x) { x >> strip(1) >> strip(2) }", "", "twice(b + a) >> master"];
    let result = followed(file, &lines);
    assert!(result.diagnostics.is_empty(), "{:?}", result.diagnostics);
    let s = result.session.unwrap();
    assert_eq!(chain(&s, s.cables.len() - 1).0, ["gain", "fader", "gain", "fader"]);
    let whole = session(&format!("{file}\n;{};", lines.join(";\n")));
    assert_eq!((s.places.len(), s.instances.len()), (whole.places.len(), whole.instances.len()));
}

#[test]
fn what_is_wrong_with_a_line_is_told_of_that_line() {
    let file = "let a = bus(\"a\");\na >> master;";
    let line = |code, number: u32, column| vec![(code, format!("(line {number})"), 1, column)];
    assert_eq!(told(file, &["let c = 1", "a >> gain(99)"]), line("out-of-range", 2, 11));
    assert_eq!(told(file, &["a >> fader(", "gain(1)"]), line("syntax", 1, 11));
    assert_eq!(told(file, &["let c =", "let d = 1"]), line("syntax", 1, 7));
    assert_eq!(told(file, &["title(`a", "title(`b`)"]), line("syntax", 1, 7));
    assert_eq!(told(file, &["let c = 1", "/* never", "let d = 1"]), line("syntax", 2, 1));
    assert_eq!(told(file, &["let c = a c", "let d = 1"]), line("missing-semicolon", 1, 9));
    assert_eq!(told(file, &["d >> master"]), line("unknown-word", 1, 1));
    assert_eq!(told(file, &["let x =\n  1 +\n  nobody", "1"]), vec![("unknown-word", "(line 1)".into(), 3, 3)]);
    assert_eq!(told("return;", &["bus(\"b\")"]), line("never-reached", 1, 1));
    let in_file = told("let a = bus(\"a\");\na >> gain(99) >> master", &["let c = 1"]);
    assert_eq!(in_file, [("out-of-range", "session.rhai".into(), 2, 11)]);
    let called = followed("fn f(x) { x >> 3 }\nlet a = bus(\"a\");", &["let c = 1", "f(a) >> master"]);
    assert_eq!(called.diagnostics[0].at.file, 0);
    assert_eq!(called.diagnostics[0].also[0].0, engine::diagnostic::Position { file: 2, line: 1, column: 1 });
}

#[test]
fn a_line_is_shown_with_a_caret_and_the_nearest_name_of_the_file() {
    let result = followed("let drums = bus(\"d\");\ndrums >> master;", &["1", "drms >> master"]);
    let shown = crate::report::render(&result.diagnostics[0], &result.files, false);
    for expected in ["--> (line 2):1:1", "1 | drms >> master", "  | ^^^^", "did you mean `drums`?"] {
        assert!(shown.contains(expected), "{shown}");
    }
}

#[test]
fn a_line_that_plugs_a_cable_in_again_replaces_it() {
    let file = "fn strip(x, db) { x >> fader(db) >> at(\"b\"); } let a = bus(\"a\"); let b = bus(\"b\"); b >> master; strip(a, -3);";
    let lines = ["a >> fader(-6) >> b", "strip(a, -9)"];
    for (count, expected) in [(0, -3.0), (1, -6.0), (2, -9.0)] {
        let mut s = followed(file, &lines[..count]).session.unwrap();
        assert!(engine::amend::apply(&mut s).is_empty());
        assert_eq!((s.cables.len(), s.instances.len()), (2, 1));
        assert_eq!(effect(&s, 0).settings[0].value, Value::Number(expected));
    }
}

#[test]
fn imports_of_the_file_and_of_lines_are_seen_by_later_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("strips.rhai"), "fn strip(x) { x >> fader(off) }\n").unwrap();
    let lines = ["import \"strips\" as again".to_owned(), "again::strip(s::strip(bus(\"a\"))) >> master".to_owned()];
    let result = evaluate_text_with(&folder.path().join("session.rhai"), "import \"strips\" as s;", &lines);
    assert!(result.diagnostics.is_empty(), "{:?}", result.diagnostics);
    let lines: Vec<bool> = result.files.iter().map(|file| file.is_line).collect();
    assert_eq!(lines, [false, true, true, false]);
    assert_eq!(result.session.unwrap().files.len(), 4);
}

#[test]
fn sections_come_in_the_order_of_the_text_or_in_that_of_arrange() {
    let order = |text: &str| session(text).form.order;
    let three = "let a = section(\"a\", 4, || {}); section(\"b\", 8.bars, || {}); section(\"c\", 0.5, || {});";
    assert_eq!(order(three), [0, 1, 2]);
    assert_eq!(order(&format!("arrange([\"c\", \"a\"]); {three}")), [2, 0]);
    assert_eq!(order(&format!("{three} arrange([a, \"b\", a, a]);")), [0, 1, 0, 0]);
    let bars: Vec<f64> = session(three).form.sections.iter().map(|section| section.bars).collect();
    assert_eq!(bars, [4.0, 8.0, 0.5]);
}

#[test]
fn what_stands_in_a_section_is_said_of_that_alone() {
    let text = "
        fn part(name, freq) { input(name, sine(freq)); set(`${name}/fader.gain`, -3); mute(at(\"band\")); }
        let own = input(\"x\", saw(110));
        section(\"a\", 4, || { for n in 1..=2 { part(`p${n}`, 100 * n); } own.mute(); });
        section(\"b\", 4, || { let x = input(\"x\", sine(50)); x.solo(); set(\"x/fader.gain\", off); master.mute(off); });
        for p in [\"p1\", \"p2\", \"x\"] { at(p) >> fader(0) >> bus(\"band\"); break; }";
    let text = text.replace("bus(\"band\"); break; }", "at(\"band\"); } bus(\"band\") >> master;");
    let session = session(&text);
    let sections = |name: &str| match &session.places[place(&session, name).0].kind {
        PlaceKind::Input(sources) => sources.iter().map(|source| source.section).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!((sections("p1"), sections("p2"), sections("x")), (vec![Some(0)], vec![Some(0)], vec![None, Some(1)]));
    let of: Vec<Option<usize>> = session.amendments.iter().map(|amendment| amendment.section).collect();
    assert_eq!(of, [0, 0, 0, 0, 0, 1, 1, 1].map(Some));
}

#[test]
fn a_line_that_says_a_section_again_takes_the_place_of_all_that_it_said() {
    let file = "section(\"a\", 4, || { input(\"p\", sine(50)); input(\"q\", sine(70)); mute(\"p\"); }); section(\"b\", 2, || {});
        at(\"p\") >> master;";
    let with = |lines: &[&str]| {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        evaluate_text_with(Path::new("session.rhai"), file, &lines)
    };
    let session =
        with(&["section(\"a\", 8, || { input(\"p\", saw(90)); })", "arrange([\"b\", \"a\"])"]).session.unwrap();
    assert_eq!((session.form.sections[0].bars, &session.form.order[..]), (8.0, &[1, 0][..]));
    let PlaceKind::Input(sources) = &session.places[place(&session, "p").0].kind else { panic!("no input") };
    assert_eq!(sources.iter().map(|source| source.table.0.word).collect::<Vec<_>>(), ["saw"]);
    // What no section has any more goes, unless something leads on from it.
    let removed = |amendment: &Amendment| matches!(amendment.what, Amend::Remove(Target::Place(id)) if id == place(&session, "q"));
    assert_eq!(session.amendments.iter().filter(|one| removed(one)).count(), session.amendments.len());
    let gone = with(&["section(\"a\", 8, || {})"]);
    assert_eq!(gone.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["unknown-name"]);
}

#[test]
fn closures_know_the_words_that_stand_for_something() {
    assert_eq!(
        codes(
            "section(\"a\", 4, || { mute(master, off); set(\"x/fader.gain\", off); }); input(\"x\", sine(5)) >> fader(0) >> master;"
        ),
        [""; 0]
    );
}
