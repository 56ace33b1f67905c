//! `gainstage graph`: shows the signal flow, read off what would be compiled.

use std::io::{self, Write};

use engine::graph::{Graph as Flow, Port, Role, parameters_of};
use engine::math::db_from_gain;
use engine::media::Library;
use engine::names::Names;
use engine::session::{Cable, CableId, CableKind, InstanceId, MASTER, PlaceId, PlaceKind, Session, Tap, Work};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::arguments::{Graph, GraphFormat};
use crate::chart::publish;
use crate::ending::{Failure, Outcome};
use crate::picture::order::as_sound_flows;
use crate::picture::silence::{NO_OUTPUT, Silence};
use crate::picture::{self, Drawing};
use crate::{load, timeline};

/// Shows the session's signal flow on standard output, or writes it to a file.
pub fn run(arguments: &Graph) -> Outcome {
    let format = format(arguments)?;
    let loaded = load::load(&arguments.session, &Library::new());
    loaded.show();
    let (Some(session), Some(flow)) = (&loaded.session, &loaded.graph) else {
        return Err(Failure::Shown);
    };
    let diagram = || picture::diagram(session, flow, arguments.unfold);
    let shown = match format {
        GraphFormat::Text if arguments.timeline => timeline::text(session, flow, timeline::columns()),
        _ if arguments.timeline => {
            return Err(Failure::Misuse("a timeline is drawn with `--format text` alone".into()));
        }
        GraphFormat::Text => text(session, flow),
        GraphFormat::Json => serde_json::to_string_pretty(&Picture::of(session, flow)).map_err(io::Error::from)? + "\n",
        // The ending of the file makes it a PNG.
        GraphFormat::Svg | GraphFormat::Png => picture::svg(&Drawing::of(diagram()), arguments.theme.into()),
        GraphFormat::Dot => picture::dot(&diagram()),
        GraphFormat::Mermaid => picture::mermaid(&diagram()),
    };
    match &arguments.file {
        None => Ok(io::stdout().lock().write_all(shown.as_bytes())?),
        Some(file) => publish(file, Ok(shown)),
    }
}

/// How it is to be shown: as it is said, or as the file's name ends.
fn format(arguments: &Graph) -> Result<GraphFormat, Failure> {
    let ending = arguments.file.as_ref().map(|file| file.extension().map_or_else(String::new, ascii_lowercase));
    let of_file = match ending.as_deref() {
        None => None,
        Some("svg") => Some(GraphFormat::Svg),
        Some("png") => Some(GraphFormat::Png),
        Some("dot" | "gv") => Some(GraphFormat::Dot),
        Some("mmd" | "mermaid") => Some(GraphFormat::Mermaid),
        Some("json") => Some(GraphFormat::Json),
        Some("txt") => Some(GraphFormat::Text),
        Some(_) if arguments.format.is_some() => None,
        Some(_) => {
            let what = "the name ends in .svg, .png, .dot, .mmd, .json or .txt, or `--format` says what it is";
            return Err(Failure::Misuse(what.into()));
        }
    };
    match (arguments.format, of_file) {
        (Some(GraphFormat::Png), of_file) if of_file != Some(GraphFormat::Png) => {
            Err(Failure::Misuse("a PNG is written to a file whose name ends in .png: `-o FILE.png`".into()))
        }
        (
            Some(GraphFormat::Text | GraphFormat::Json | GraphFormat::Dot | GraphFormat::Mermaid),
            Some(GraphFormat::Png),
        ) => Err(Failure::Misuse("a name that ends in .png is that of a picture, `--format png`".into())),
        (said, of_file) => Ok(said.or(of_file).unwrap_or(GraphFormat::Text)),
    }
}

fn ascii_lowercase(text: &std::ffi::OsStr) -> String {
    text.to_string_lossy().to_ascii_lowercase()
}

/// The graph as `--format json` prints it.
#[derive(Serialize)]
struct Picture {
    /// Frames a second.
    sample_rate: f64,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

#[derive(Serialize)]
struct Node {
    path: String,
    /// `source`, `effect`, `sum`, `blend` or `output`.
    kind: &'static str,
    /// The word of a source or an effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    word: Option<&'static str>,
    channels: usize,
    /// Frames by which it delays what flows through it.
    latency: usize,
    /// Frames by which what reaches it is late.
    late: usize,
    /// Why it is silent whatever is played: nothing flows in, or it leads to no output and is not compiled.
    #[serde(skip_serializing_if = "Option::is_none")]
    silent: Option<&'static str>,
    /// A source's or an effect's numbers, in their own units.
    #[serde(skip_serializing_if = "Map::is_empty")]
    parameters: Map<String, Value>,
}

#[derive(Serialize)]
struct Edge {
    path: String,
    from: String,
    to: String,
    /// `main`, `key`, `dry` or `follow`.
    port: &'static str,
    /// In dB; null is silence.
    gain_db: Option<f64>,
    /// Frames it waits for slower ones.
    delay: usize,
    /// Frames of a feedback's line.
    #[serde(skip_serializing_if = "Option::is_none")]
    feedback: Option<usize>,
}

impl Picture {
    fn of(session: &Session, flow: &Flow) -> Self {
        let names = Names::of(session);
        let silence = Silence::of(session, flow, &names);
        let places = || (0..session.places.len()).map(PlaceId);
        let why = |path: &str| places().find(|id| names.place(*id) == path).and_then(|id| silence.of_place(id));
        let node = |node: &engine::graph::Node| {
            let (kind, word, parameters) = match &node.role {
                Role::Sum => ("sum", None, Map::new()),
                Role::Blend { .. } => ("blend", None, Map::new()),
                Role::Output(_) => ("output", None, Map::new()),
                Role::Send(_) => ("send", None, Map::new()),
                Role::Work { table, recipe, .. } => {
                    let kind = if recipe.channels == 0 { "source" } else { "effect" };
                    let own = table.0.parameters.len();
                    let shown = parameters_of(table.0, &recipe.parts).zip(&recipe.settings).enumerate();
                    let shown = shown.map(|(i, (parameter, setting))| {
                        let name = match i < own {
                            true => parameter.name.to_owned(),
                            false => part_name(table.0, &recipe.parts, i - own),
                        };
                        (name, Value::String(parameter.show(setting)))
                    });
                    (kind, Some(table.0.word), shown.collect())
                }
            };
            let (path, channels) = (node.path.clone(), node.channels);
            let silent = why(&path);
            Node { path, kind, word, channels, latency: node.latency, late: node.late, silent, parameters }
        };
        let edge = |edge: &engine::graph::Edge| Edge {
            path: edge.path.clone(),
            from: flow.nodes[edge.from].path.clone(),
            to: flow.nodes[edge.to].path.clone(),
            port: match edge.port {
                Port::Main => "main",
                Port::Key => "key",
                Port::Dry => "dry",
                Port::Follow(_) => "follow",
            },
            gain_db: Some(db_from_gain(edge.gain)).filter(|db| db.is_finite()),
            delay: edge.delay,
            feedback: edge.feedback,
        };
        let mut picture = Picture {
            sample_rate: flow.clock.rate,
            nodes: flow.nodes.iter().map(node).collect(),
            edges: flow.edges.iter().map(edge).collect(),
        };
        let is_left_out = |id: &PlaceId| silence.of_place(*id) == Some(NO_OUTPUT);
        let left_out = |id: PlaceId| {
            let place = &session.places[id.0];
            let (kind, word, channels) = match &place.kind {
                PlaceKind::Input(sources) => ("source", sources.first().map(|source| source.table.0.word), 0),
                PlaceKind::Bus { channels } => ("sum", None, *channels),
                PlaceKind::Sum => ("sum", None, 0),
                PlaceKind::Output(list) => ("output", None, list.len()),
            };
            let (path, parameters) = (names.place(id).to_owned(), Map::new());
            Node { path, kind, word, channels, latency: 0, late: 0, silent: Some(NO_OUTPUT), parameters }
        };
        picture.nodes.extend(places().filter(is_left_out).map(left_out));
        // What leads there or comes from there is no edge of what is compiled: it is one from place to place.
        for (i, cable) in session.cables.iter().enumerate() {
            let (from, to) = (session.origin(cable.from), cable.to);
            if is_left_out(&from) || is_left_out(&to) {
                let (path, port) = (names.cable(CableId(i)).to_owned(), "main");
                let (from, to) = (names.place(from).to_owned(), names.place(to).to_owned());
                picture.edges.push(Edge { path, from, to, port, gain_db: None, delay: 0, feedback: None });
            }
        }
        picture
    }
}

/// `#2.gain`: the name of the `i`th parameter of all parts, counted through.
fn part_name(table: &engine::parameter::Table, parts: &[usize], i: usize) -> String {
    let mut before = 0;
    for (number, part) in parts.iter().enumerate() {
        let parameters = table.parts[*part].parameters;
        if let Some(parameter) = parameters.get(i - before) {
            return format!("#{}.{}", number + 1, parameter.name);
        }
        before += parameters.len();
    }
    unreachable!("every parameter belongs to a part")
}

/// The places as sound flows through them: inputs first, the master and what leaves it last.
fn in_order(session: &Session) -> Vec<PlaceId> {
    let onward = session.cables.iter().filter(|cable| !matches!(cable.kind, CableKind::Feedback { .. }));
    let leads: Vec<(usize, usize)> = onward.map(|cable| (session.origin(cable.from).0, cable.to.0)).collect();
    let rank = |place: usize| match &session.places[place].kind {
        PlaceKind::Input(_) => 0,
        PlaceKind::Sum => 1,
        PlaceKind::Bus { .. } if PlaceId(place) != MASTER => 2,
        PlaceKind::Bus { .. } => 3,
        PlaceKind::Output(_) => 4,
    };
    as_sound_flows(session.places.len(), &leads, rank).into_iter().map(PlaceId).collect()
}

/// One paragraph a place, as sound flows: what it is, and each cable that leaves it with what it passes.
pub fn text(session: &Session, flow: &Flow) -> String {
    let names = Names::of(session);
    let silence = Silence::of(session, flow, &names);
    let mut out = String::new();
    for id in in_order(session) {
        let (place, name) = (&session.places[id.0], names.place(id));
        let node = flow.nodes.iter().find(|node| node.path == name);
        let what = match &place.kind {
            PlaceKind::Input(sources) => {
                let words: Vec<&str> = sources.iter().map(|source| source.table.0.word).collect();
                format!("input, {}", words.join(" and "))
            }
            PlaceKind::Bus { .. } => "bus".into(),
            PlaceKind::Sum => "sum".into(),
            PlaceKind::Output(_) => "output".into(),
        };
        let channels = match node.map_or(0, |node| node.channels) {
            0 => String::new(),
            1 => ", mono".into(),
            2 => ", stereo".into(),
            n => format!(", {n} channels"),
        };
        let state = match (place.state.muted, place.state.soloed) {
            (true, _) => ", muted",
            (_, true) => ", soloed",
            _ => "",
        };
        let silent = silence.of_place(id).map(|why| format!(", silent: {why}")).unwrap_or_default();
        let late = match (&place.kind, node.map_or(0, |node| node.late)) {
            (PlaceKind::Output(_), late) if late > 0 => format!(", {late} frames late"),
            _ => String::new(),
        };
        out.push_str(&format!("{name}  ({what}{channels}{state}{late}{silent})\n"));
        for (c, cable) in session.cables.iter().enumerate() {
            if session.origin(cable.from) == id {
                out.push_str(&format!("  {}\n", cable_line(session, &names, &silence, CableId(c), cable)));
            }
        }
        for (k, instance) in session.instances.iter().enumerate() {
            if let Work::Effect(effect) = &instance.work
                && let Some((key, _)) = effect.key
                && session.origin(key) == id
            {
                let chain = chain(session, key);
                out.push_str(&format!("  ~> key of {}{chain}\n", names.call(InstanceId(k))));
            }
        }
        for (owner, which, tap) in session.followed().into_iter().filter(|(.., tap)| session.origin(*tap) == id) {
            let path = names.parameter(session, owner, which);
            out.push_str(&format!("  ~> {path} follows{}\n", chain(session, tap)));
        }
    }
    out
}

fn cable_line(session: &Session, names: &Names, silence: &Silence, id: CableId, cable: &Cable) -> String {
    let to = names.place(cable.to);
    let label = cable.name.as_ref().map(|name| format!(" :{name}")).unwrap_or_default();
    let arrow = match &cable.kind {
        CableKind::Plug => format!("-> {to}{label}"),
        CableKind::Send { gain } => {
            format!("=> {to}{label}  send {}", engine::words::SEND_GAIN.show(&gain.value))
        }
        CableKind::Feedback { time } => {
            format!("<> {to}{label}  feedback {}", engine::words::FEEDBACK_TIME.show(&time.value))
        }
    };
    let is_silent = engine::audible::silent_cables(session)[id.0] || silence.of_cable(id);
    let muted = if is_silent { "  (silent)" } else { "" };
    format!("{arrow}{}{muted}", chain(session, cable.from))
}

fn chain(session: &Session, end: Tap) -> String {
    let steps = steps(session, &session.chain(end));
    if steps.is_empty() { String::new() } else { format!("  through {}", steps.join(", ")) }
}

fn steps(session: &Session, passed: &[InstanceId]) -> Vec<String> {
    passed.iter().map(|id| step(session, *id)).collect()
}

/// An effect with the numbers that its word was given, and what stands in it.
fn step(session: &Session, id: InstanceId) -> String {
    match &session.instances[id.0].work {
        Work::Blend { mix, .. } => format!("blend {}", engine::words::MIX.show(&mix.value)),
        Work::Branch { of, .. } => {
            let word = session.instances[of.0].work.effect().map_or("", |effect| effect.table.word);
            format!("{word}#{}", session.branch_name(id))
        }
        Work::Effect(effect) if !effect.branches.is_empty() => {
            let inside = effect.branches.iter().filter_map(|end| {
                let branch = session.branch(id, *end);
                let (begin, rest) = branch.split_first().filter(|(_, rest)| !rest.is_empty())?;
                Some(format!("{}: {}", session.branch_name(*begin), steps(session, rest).join(", ")))
            });
            format!("{} [{}]", effect.table.word, inside.collect::<Vec<_>>().join("; "))
        }
        Work::Effect(effect) => {
            let table = effect.table.0;
            let given = table.arguments.iter().filter_map(|name| table.index(name));
            let mut shown: Vec<String> = given.map(|i| table.parameters[i].show(&effect.settings[i].value)).collect();
            shown.extend(effect.parts.iter().map(|part| picture::part(effect, part)));
            match shown.is_empty() {
                true => table.word.to_owned(),
                false => format!("{}({})", table.word, shown.join(", ")),
            }
        }
    }
}
