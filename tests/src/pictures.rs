//! What `gainstage graph` shows is what runs: its JSON against the plan that is compiled, sound by sound; and what other
//! programs make of its pictures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use engine::desk::Desk;
use engine::graph::{Graph, prepare};
use engine::media::Library;
use engine::plan::{Op, Plan, Slots};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{done_in, run_in};
use crate::random_sessions::Draft;
use crate::sessions::{examples, try_graph};

/// Whose sound is somewhere: the paths of sources and effects, and of the loops whose sound comes round.
type Heard = BTreeSet<String>;

/// Who hears whom: for each source and effect what flows in and what steers it; for each loop and each output what reaches it.
type Flow = BTreeMap<String, (Heard, Heard)>;

fn of_loop(path: &str) -> String {
    format!("loop {path}")
}

/// What a plan does with sound, found by going through its operations with the names of sounds in place of sounds.
fn of_plan(plan: &Plan) -> Flow {
    let mut slots: Vec<Heard> = vec![Heard::new(); plan.slots];
    let mut flow = Flow::new();
    let in_slots = |slots: &[Heard], of: Slots| -> Heard { slots[of.range()].iter().flatten().cloned().collect() };
    for op in &plan.ops {
        match *op {
            Op::LoopRead { cell, out } => {
                slots[out.range()].fill(Heard::from([of_loop(&plan.loops[cell].path)]));
            }
            Op::Mix { first, last, out, adds } => {
                let edges = plan.edges[first..last].iter().map(|edge| edge.from);
                let all: Heard = edges.chain(adds.then_some(out)).flat_map(|from| in_slots(&slots, from)).collect();
                slots[out.range()].fill(all);
            }
            Op::Work { cell, input, key, out } => {
                let path = plan.paths[cell].clone();
                let followed = plan.works[cell].controls.iter().filter_map(|control| control.heard);
                let mut steers = in_slots(&slots, key);
                steers.extend(followed.flat_map(|heard| in_slots(&slots, heard)));
                flow.insert(path.clone(), (in_slots(&slots, input), steers));
                slots[out.range()].fill(Heard::from([path]));
            }
            Op::Blend { dry, out, .. } => {
                let both: Heard = in_slots(&slots, dry).union(&in_slots(&slots, out)).cloned().collect();
                slots[out.range()].fill(both);
            }
            Op::LoopWrite { cell, from } => {
                flow.insert(of_loop(&plan.loops[cell].path), (in_slots(&slots, from), Heard::new()));
            }
        }
    }
    for output in plan.outputs.iter().filter(|output| output.send.is_none()) {
        flow.insert(format!("output {:?}", output.channels), (in_slots(&slots, output.slots), Heard::new()));
    }
    flow
}

/// The same of what `--format json` says.
fn of_json(json: &Value) -> Flow {
    let text = |of: &Value, field: &str| of[field].as_str().expect(field).to_owned();
    let nodes: BTreeMap<String, String> =
        list(json, "nodes").map(|node| (text(node, "path"), text(node, "kind"))).collect();
    let edges: Vec<&Value> = list(json, "edges").collect();
    let mut gives: BTreeMap<String, Heard> = BTreeMap::new();
    let mut flow = Flow::new();
    // What is not known yet is on its way: nodes stand in no order.
    while gives.len() < nodes.len() {
        let before = gives.len();
        for (path, kind) in nodes.iter().filter(|(path, _)| !gives.contains_key(*path)).collect::<Vec<_>>() {
            let into: Vec<&Value> = edges.iter().copied().filter(|edge| text(edge, "to") == *path).collect();
            let of = |edge: &Value| match edge["feedback"].is_u64() {
                true => Some(Heard::from([of_loop(&text(edge, "path"))])),
                false => gives.get(&text(edge, "from")).cloned(),
            };
            if into.iter().any(|edge| of(edge).is_none()) {
                continue;
            }
            let by = |ports: &[&str]| -> Heard {
                let chosen = into.iter().filter(|edge| ports.contains(&&*text(edge, "port")));
                chosen.filter_map(|edge| of(edge)).flatten().collect()
            };
            let (sound, steering) = (by(&["main", "dry"]), by(&["key", "follow"]));
            let given = match kind.as_str() {
                "source" | "effect" => {
                    flow.insert(path.clone(), (sound, steering));
                    Heard::from([path.clone()])
                }
                "output" => {
                    let channels: Vec<&str> = path.trim_start_matches("output ").split(['-', ',', ' ']).collect();
                    flow.insert(format!("output [{}]", channels.join(", ")), (sound.clone(), Heard::new()));
                    sound
                }
                _ => sound,
            };
            gives.insert(path.clone(), given);
        }
        assert!(gives.len() > before, "there is a way round in {json}");
    }
    for edge in edges.iter().filter(|edge| edge["feedback"].is_u64()) {
        flow.insert(of_loop(&text(edge, "path")), (gives[&text(edge, "from")].clone(), Heard::new()));
    }
    flow
}

fn list<'a>(json: &'a Value, of: &str) -> impl Iterator<Item = &'a Value> {
    json[of].as_array().expect("it is an array").iter()
}

/// What is shown without what leads to no output: that is not compiled.
fn compiled(mut json: Value) -> Value {
    let left_out = |node: &Value| node["silent"] == "leads to no output";
    let gone: BTreeSet<String> = list(&json, "nodes")
        .filter(|node| left_out(node))
        .filter_map(|node| Some(node["path"].as_str()?.into()))
        .collect();
    let stays =
        |edge: &Value| ["from", "to"].iter().all(|end| edge[end].as_str().is_some_and(|end| !gone.contains(end)));
    json["nodes"].as_array_mut().expect("it is an array").retain(|node| !left_out(node));
    json["edges"].as_array_mut().expect("it is an array").retain(stays);
    json
}

/// The gains that are not unity and the waits, of all edges that no control moves, in order: in hundredths of a dB and frames.
fn levels(all: impl Iterator<Item = (f64, usize)>) -> Vec<(i64, usize)> {
    let hundredths = |gain: f64| if gain > 0.0 { (2000.0 * gain.log10()).round() as i64 } else { i64::MIN };
    let mut levels: Vec<(i64, usize)> = all.map(|(gain, delay)| (hundredths(gain), delay)).collect();
    levels.retain(|level| *level != (0, 0));
    levels.sort_unstable();
    levels
}

/// Holds what is shown of a session's file to the plan of its graph; how many edges there are that controls move.
fn agree(file: &Path, graph: &Graph) -> usize {
    let shown = done_in(Path::new("."), &["graph", file.to_str().expect("a name"), "--format", "json"]).out;
    let json = compiled(serde_json::from_str(&shown).expect("it is JSON"));
    let (_, program) = Desk::open(graph, None).expect("the plan proves right");
    assert_eq!(of_json(&json), of_plan(&program.plan), "{}", file.display());
    // What a control moves has no level of its own, in either.
    let moved: BTreeSet<(&str, &str)> = graph
        .edges
        .iter()
        .filter(|edge| edge.control.is_some())
        .map(|edge| (&*edge.path, &*graph.nodes[edge.to].path))
        .collect();
    let is_moved = |edge: &Value| {
        let end = |name: &str| edge[name].as_str().expect("it is text").to_owned();
        moved.contains(&(&*end("path"), &*end("to")))
    };
    let gain = |edge: &Value| edge["gain_db"].as_f64().map_or(0.0, |db| 10_f64.powf(db / 20.0));
    let edges = list(&json, "edges").filter(|edge| !edge["feedback"].is_u64() && !is_moved(edge));
    let shown = levels(edges.map(|edge| (gain(edge), edge["delay"].as_u64().expect("a number") as usize)));
    let (by_hand, by_control): (Vec<_>, Vec<_>) = program.plan.gains.iter().partition(|gain| gain.controls.is_empty());
    let running = levels(by_hand.iter().map(|gain| (gain.goal, gain.delay)));
    assert_eq!(shown, running, "{}", file.display());
    assert_eq!(by_control.len(), moved.len(), "{}", file.display());
    moved.len()
}

/// Every session of the examples.
fn sessions() -> Vec<PathBuf> {
    let folders = ["", "mastering", "pieces", "lessons"].map(|folder| examples().join(folder));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("there are examples"));
    let files = files.map(|entry| entry.expect("it can be read").path());
    let mut sessions: Vec<PathBuf> = files
        .filter(|file| file.extension().is_some_and(|ending| ending == "rhai") && !file.ends_with("mix.rhai"))
        .collect();
    sessions.sort();
    assert!(sessions.len() >= 30, "{sessions:?}");
    sessions
}

#[test]
fn what_is_shown_of_every_example_is_what_runs() {
    for file in sessions() {
        let session = scripting::evaluate_file(&file).session.expect("the example is right");
        let graph = prepare(session, &Library::new()).graph.expect("the example is right");
        let _ = agree(&file, &graph);
    }
}

/// What controls of every kind move, beside all else: a send's level, an effect's number, what follows another signal.
fn with_controls(which: usize) -> String {
    let lfo = "lfo(2).range(-20, -6)";
    // A send follows no signal.
    let controls =
        [(lfo, "follow(moving).range(-20, -6)"), ("ramp(-20, -6, 1.bars)", lfo), ("midi_cc(7)", "midi_cc(8)")];
    let (send, fader) = controls[which % controls.len()];
    format!(
        "let moving = input(\"moving\", sine(50).level(-30)); let meeting = bus(\"meeting\"); meeting >> at(\"master\");\n\
         moving >> send(\"meeting\", {send}) >> fader({fader}) >> at(\"master\");\n"
    )
}

#[test]
fn what_is_shown_of_random_sessions_is_what_runs() {
    let folder = TempDir::new().expect("there is room");
    let file = folder.path().join("session.rhai");
    let mut seed = 7_u32;
    let mut byte = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    let (mut shown, mut moved) = (0, 0);
    while shown < 30 {
        let mut draft = Draft::default();
        for _ in 0..24 {
            let mut next = draft.clone();
            next.step((byte(), byte(), byte(), byte()));
            if try_graph(&next.text()).is_ok() {
                draft = next;
            }
        }
        let text = format!("{}{}", draft.text(), with_controls(shown));
        let graph = try_graph(&text).expect("it is as right as without");
        fs::write(&file, text).expect("it can be written");
        moved += agree(&file, &graph);
        shown += 1;
    }
    assert!(moved >= 20, "{moved} levels that controls move");
}

#[test]
fn what_leads_nowhere_is_shown_as_silent_beside_what_runs() {
    let folder = TempDir::new().expect("there is room");
    let file = folder.path().join("session.rhai");
    let text = "let a = input(\"a\", sine(99)); let room = bus(\"room\"); let lost = bus(\"lost\");\n\
                a >> send(lost, -9) >> fader(-3) >> master; room >> reverb() >> master;\n";
    fs::write(&file, text).expect("it can be written");
    agree(&file, &try_graph(text).expect("it is right"));
    let shown = done_in(folder.path(), &["graph", "session.rhai", "--format", "json"]).out;
    let json: Value = serde_json::from_str(&shown).expect("it is JSON");
    let silent: BTreeMap<&str, &str> =
        list(&json, "nodes").filter_map(|node| Some((node["path"].as_str()?, node["silent"].as_str()?))).collect();
    assert_eq!(silent, BTreeMap::from([("room", "nothing flows in"), ("lost", "leads to no output")]));
    assert!(list(&json, "edges").any(|edge| edge["path"] == "a>lost" && edge["gain_db"].is_null()));
}

#[test]
fn graphviz_draws_what_is_written_for_it() {
    let is_there = Command::new("dot").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(is_there || std::env::var_os("CI").is_none(), "graphviz is missing");
    if !is_there {
        return;
    }
    for file in sessions() {
        let dot = done_in(Path::new("."), &["graph", file.to_str().expect("a name"), "--format", "dot"]).out;
        let mut program = Command::new("dot");
        program.args(["-Tsvg"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = program.spawn().expect("it is there");
        running.stdin.take().expect("it listens").write_all(dot.as_bytes()).expect("it listens");
        let done = running.wait_with_output().expect("it ends");
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        // It tells of fonts that a machine has not.
        let wrong = told.lines().any(|line| line.contains("rror") || line.contains("unrecognized"));
        assert!(done.status.success() && !wrong, "{}: {told}", file.display());
        assert!(String::from_utf8_lossy(&done.stdout).contains("master"), "{}", file.display());
    }
}

#[test]
fn a_png_is_as_large_as_the_picture_and_goes_to_a_file_alone() {
    let folder = TempDir::new().expect("there is room");
    fs::write(folder.path().join("s.rhai"), "input(\"a\", sine(99)) >> fader(-3) >> master;")
        .expect("it can be written");
    let svg = done_in(folder.path(), &["graph", "s.rhai", "--format", "svg"]).out;
    let size = |of: &str| -> u32 {
        let said = svg.split(&format!(" {of}=\"")).nth(1).and_then(|rest| rest.split('"').next());
        said.and_then(|points| points.parse().ok()).unwrap_or_else(|| panic!("no {of}: {svg}"))
    };
    let done = done_in(folder.path(), &["graph", "s.rhai", "--format", "png", "-o", "s.png"]);
    assert!(done.out.is_empty(), "{done:?}");
    let points = fs::read(folder.path().join("s.png")).expect("it is written");
    assert!(points.starts_with(b"\x89PNG\r\n\x1a\n") && points.ends_with(b"IEND\xae\x42\x60\x82"), "it is whole");
    assert_eq!(points[16..24], [size("width"), size("height")].map(u32::to_be_bytes).concat());
    // A terminal shows no points, and another ending would say what it is not.
    for more in [&[][..], &["-o", "s.svg"], &["-o", "s"]] {
        let ran = run_in(folder.path(), &[&["graph", "s.rhai", "--format", "png"], more].concat());
        assert!(ran.status == 2 && ran.out.is_empty() && ran.err.contains("`-o FILE.png`"), "{more:?}: {ran:?}");
    }
    assert!(!folder.path().join("s.svg").exists() && !folder.path().join("s").exists());
}

#[test]
fn a_picture_is_what_the_ending_of_its_file_says() {
    let folder = TempDir::new().expect("there is room");
    fs::write(folder.path().join("s.rhai"), "input(\"a\", sine(99)) >> fader(-3) >> master;")
        .expect("it can be written");
    let begins = |name: &str| fs::read(folder.path().join(name)).expect("it is written");
    for (name, expected) in
        [("s.svg", "<svg "), ("s.dot", "digraph "), ("s.mmd", "---"), ("s.json", "{"), ("s.txt", "a  (input, sine")]
    {
        done_in(folder.path(), &["graph", "s.rhai", "-o", name]);
        assert!(begins(name).starts_with(expected.as_bytes()), "{name}");
    }
    done_in(folder.path(), &["graph", "s.rhai", "-o", "s.PNG", "--theme", "dark"]);
    assert!(begins("s.PNG").starts_with(b"\x89PNG"), "a name may be in capitals");
    done_in(folder.path(), &["graph", "s.rhai", "-o", "s.other", "--format", "dot"]);
    assert!(begins("s.other").starts_with(b"digraph "));
    // Without a file it is called after the word.
    done_in(folder.path(), &["words", "gain(-3) >> eq()", "--plot"]);
    assert!(begins("gain.svg").starts_with(b"<svg "));
    let broken = run_in(folder.path(), &["words", "compressor(-18, 4", "--plot", "x.svg"]);
    assert!(broken.status == 1 && broken.err.contains("1 | compressor(-18, 4\n"), "{broken:?}");
    assert!(!broken.err.contains("master"), "nothing is told of what nobody wrote: {broken:?}");
    let wrong: [&[&str]; 5] = [
        &["graph", "s.rhai", "-o", "s.doc"],
        &["graph", "s.rhai", "-o", "s.png", "--format", "dot"],
        &["graph", "s.rhai", "--format", "svg", "--timeline"],
        &["words", "--plot", "x.svg"],
        &["measure", "a.wav", "b.wav", "c.wav", "--plot", "x.svg"],
    ];
    for arguments in wrong {
        let ran = run_in(folder.path(), arguments);
        assert!(ran.status == 2 && ran.out.is_empty() && !ran.err.is_empty(), "{arguments:?}: {ran:?}");
    }
    let unknown = run_in(folder.path(), &["words", "compressr", "--plot", "x.svg"]);
    assert!(unknown.status == 1 && unknown.err.contains("did you mean `compressor`?"), "{unknown:?}");
    assert!(!folder.path().join("x.svg").exists());
}

#[test]
fn plots_are_drawn_for_the_light_and_for_the_dark() {
    let folder = TempDir::new().expect("there is room");
    let session = "let a = input(\"a\", device(1)); a >> gain(-3) >> master;";
    fs::write(folder.path().join("s.rhai"), session).expect("it can be written");
    let plots: [(&[&str], &str); 3] = [
        (&["words", "gain", "--plot", "gain.svg"], "gain.svg"),
        (&["measure", "s.rhai", "--input", "silence", "--length", "1s", "--plot", "s.svg"], "s.svg"),
        (&["sweep", "--through", "s.rhai", "--time", "200ms", "--tail", "100ms", "-o", "swept"], "swept.svg"),
    ];
    let dark = "[fill=\"#FFFFFF\"]{fill:";
    for (arguments, file) in plots {
        let drawn = |theme: &[&str]| {
            let _ = fs::remove_file(folder.path().join(file));
            if file == "swept.svg" {
                for made in ["swept.wav", "swept.json"] {
                    let _ = fs::remove_file(folder.path().join(made));
                }
            }
            done_in(folder.path(), &[arguments, theme].concat());
            fs::read_to_string(folder.path().join(file)).expect("it is written")
        };
        let (auto, only_dark, light) = (drawn(&[]), drawn(&["--theme", "dark"]), drawn(&["--theme", "light"]));
        assert!(auto.contains("@media (prefers-color-scheme:dark){") && auto.contains(dark), "{file}");
        assert!(!only_dark.contains("@media") && only_dark.contains(dark), "{file}");
        assert!(!light.contains("<style>") && light.contains("fill=\"#FFFFFF\""), "{file}");
    }
    // What draws nothing has no colours.
    for arguments in [&["words", "gain", "--theme", "dark"][..], &["measure", "s.rhai", "--theme", "dark"]] {
        assert_eq!(run_in(folder.path(), arguments).status, 2, "{arguments:?}");
    }
}
