//! The session as a graph that could sound: nodes that do one thing each, edges between them, every channel count,
//! number and latency known. The last form that still carries names; what is compiled is made from it.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use crate::album;
use crate::amend;
use crate::check;
use crate::diagnostic::{Diagnostic, Position};
use crate::effects::dither;
use crate::effects::eq::{self, EQ};
use crate::form;
use crate::kernel::QUANTUM;
use crate::media::Library;
use crate::motion::{EventSource, Motion};
use crate::names::Names;
use crate::parameter::{Memory, Parameter, Recipe, Table, Value};
use crate::score::Score;
use crate::session::{Session, TableRef};
use crate::sources::{self, midi_out::Sent};
use crate::tempo::Tempo;
use crate::units::Clock;

mod lower;

use lower::Lowering;

/// A checked session, ready to be compiled.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The session's clock.
    pub clock: Clock,
    /// Where beats and bars lie.
    pub tempo: Tempo,
    /// How long changes take to be made, in milliseconds.
    pub crossfade: f64,
    /// The transport frame at which the last section ends, if there are any.
    pub end: Option<u64>,
    /// What does something, sources and outputs included. Only what can be heard at an output is here.
    pub nodes: Vec<Node>,
    /// What flows where.
    pub edges: Vec<Edge>,
    /// Indices of the nodes, each after all it hears of, feedback aside.
    pub order: Vec<usize>,
    /// What is sent to MIDI ports, plugged in or not.
    pub sent: Vec<Sent>,
}

/// One thing that sounds.
#[derive(Clone, Debug)]
pub struct Node {
    /// The first of its names, in path order.
    pub path: String,
    /// Every full name it has.
    pub names: Vec<String>,
    /// What the text has of it, if it is but a piece of that: the effect that it is the sum, a branch, or the way out of.
    pub piece_of: Option<String>,
    /// What it does.
    pub role: Role,
    /// Channels that leave it.
    pub channels: usize,
    /// Frames by which it delays what flows through it.
    pub latency: usize,
    /// Frames for which it sounds on after its input has ended.
    pub tail: u64,
    /// What it still gives of what it has heard.
    pub memory: Memory,
    /// Frames by which what reaches it is late against the transport.
    pub late: usize,
    /// The controls that move its numbers, in the order of what they move.
    pub controls: Vec<NodeControl>,
    /// What it plays, if it is an instrument.
    pub score: Option<Arc<Score>>,
    /// Where the text declares it.
    pub at: Position,
}

/// A control on one number of a node or an edge. Its identity, and that of its state, is path and kind.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeControl {
    /// The path of the parameter it moves.
    pub path: String,
    /// What it moves.
    pub of: Controlled,
    /// How, in the parameter's unit.
    pub motion: Motion,
    /// Where the text says so.
    pub at: Position,
}

impl Graph {
    /// Whether what is made of media for the tempo that it ends with is at hand; what is not has now been asked for. Not RT.
    pub fn is_made(&self) -> bool {
        let newest = |node: &Node| match &node.role {
            Role::Work { recipe, .. } => recipe.media.last().cloned(),
            _ => None,
        };
        // Every one is asked for.
        self.nodes.iter().filter_map(newest).filter(|media| !media.is_at_hand()).count() == 0
    }

    /// What controls and instruments listen to outside, and between which values what comes from there must lie to mean something to all
    /// that listen.
    pub fn event_sources(&self) -> BTreeMap<EventSource, (f64, f64)> {
        let of_nodes = self.nodes.iter().flat_map(|node| &node.controls);
        let mut sources: BTreeMap<EventSource, (f64, f64)> = BTreeMap::new();
        for control in of_nodes.chain(self.edges.iter().filter_map(|edge| edge.control.as_ref())) {
            if let Motion::Event { source, range, bounds, .. } = &control.motion {
                let (low, high) = if range.is_some() { (0.0, 1.0) } else { *bounds };
                let found = sources.entry(source.clone()).or_insert((low, high));
                *found = (found.0.max(low), found.1.min(high));
            }
        }
        for node in &self.nodes {
            if let Role::Work { table, recipe, .. } = &node.role {
                let keyboard = sources::keyboard(table.0, |index| recipe.settings.get(index));
                sources.extend(keyboard.map(|keyboard| (keyboard, (0.0, 1.0))));
            }
        }
        sources
    }
}

/// What a control moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Controlled {
    /// One of [`Recipe::values`].
    Value(usize),
    /// Wet against dry: the motion is in percent.
    Wet,
    /// The gain of an edge: the motion is in dB.
    Gain,
}

/// What a node does.
#[derive(Clone, Debug)]
pub enum Role {
    /// Adds what flows in.
    Sum,
    /// An effect, or a source when nothing flows in.
    Work {
        /// Its word.
        table: TableRef,
        /// What its kernel is built from.
        recipe: Box<Recipe>,
        /// Wet against dry, 0 to 1.
        wet: f64,
    },
    /// Wet ([`Port::Main`]) against dry ([`Port::Dry`]) of a composed effect.
    Blend {
        /// Wet against dry, 0 to 1.
        wet: f64,
    },
    /// Channels of the device or the file, from 1.
    Output(Vec<u16>),
    /// The way out to hardware: channels of the device, from 1. What flows in leaves there, and passes on as well.
    Send(Vec<u16>),
}

impl Role {
    /// Whether sound leaves by it.
    pub fn leaves(&self) -> bool {
        matches!(self, Role::Output(_) | Role::Send(_))
    }

    /// Whether a cell built for one serves the other: the same work, differing at most in numbers that glide.
    pub fn same_shape(&self, other: &Role) -> bool {
        match (self, other) {
            (Role::Sum, Role::Sum) | (Role::Blend { .. }, Role::Blend { .. }) => true,
            (Role::Output(a), Role::Output(b)) | (Role::Send(a), Role::Send(b)) => a == b,
            (Role::Work { table, recipe: a, .. }, Role::Work { table: other, recipe: b, .. }) => {
                table == other
                    && (a.channels, a.key_channels, a.clock.rate) == (b.channels, b.key_channels, b.clock.rate)
                    && a.parts == b.parts
                    && a.branch == b.branch
                    && (table.0.plays() || a.spans == b.spans)
                    && a.media.iter().map(|m| m.identity()).eq(b.media.iter().map(|m| m.identity()))
                    && a.tempo == b.tempo
                    && (a.seed == b.seed || !is_random(table.0, a))
                    && fixed_values(table.0, a).eq(fixed_values(table.0, b))
            }
            _ => false,
        }
    }
}

/// The most feedback that is left to something which has been taken out, in percent.
const RINGING_FEEDBACK: f64 = 95.0;

impl Role {
    /// What it becomes when it has been taken out and rings: unfrozen, and with feedback that dies away.
    pub fn let_go(&mut self) {
        let Role::Work { table, recipe, .. } = self else { return };
        let mut limit = |name: &str, most: f64| {
            if let Some(value) = table.0.index(name).and_then(|i| recipe.values.get_mut(i)) {
                *value = value.min(most);
            }
        };
        limit("feedback", RINGING_FEEDBACK);
        limit("freeze", 0.0);
    }
}

/// Whether what it gives depends on the seed: a source may, an effect says so.
fn is_random(table: &'static Table, recipe: &Recipe) -> bool {
    recipe.channels == 0 || table.parameters.iter().any(|parameter| parameter.random)
}

/// Stands for the value of what a control moves: the bits of no number.
const MOVED: u64 = u64::MAX;

fn fixed_values<'a>(table: &'static Table, recipe: &'a Recipe) -> impl Iterator<Item = (u64, Option<&'a Value>)> {
    let parameters = parameters_of(table, &recipe.parts);
    let all = fixing(table, recipe).is_some();
    let fixed =
        parameters.zip(recipe.values.iter().zip(&recipe.settings)).filter(move |(parameter, _)| parameter.fixed || all);
    fixed.map(|(_, (value, setting))| match setting {
        Value::Control(_) => (MOVED, None),
        Value::Channels(_) | Value::Path(_) | Value::Circuit(_) => (value.to_bits(), Some(setting)),
        _ => (value.to_bits(), None),
    })
}

/// The parameter, if there is one, that fixes everything of its effect by what it is.
fn fixing<'a>(table: &'static Table, recipe: &'a Recipe) -> Option<(&'static Parameter, &'a Value)> {
    let all = parameters_of(table, &recipe.parts).zip(recipe.values.iter().zip(&recipe.settings));
    let is_fixing =
        |parameter: &Parameter, value: f64| parameter.fixes_all.is_some_and(|option| option as f64 == value);
    all.filter(|(parameter, (value, _))| is_fixing(parameter, **value)).map(|(p, (_, setting))| (p, setting)).next()
}

/// The parameters of a table followed by those of its parts, in the order of [`Recipe::values`].
pub fn parameters_of<'a>(table: &'static Table, parts: &'a [usize]) -> impl Iterator<Item = &'static Parameter> + 'a {
    table.parameters.iter().chain(parts.iter().flat_map(move |part| table.parts[*part].parameters))
}

/// What flows from one node to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// An index into [`Graph::nodes`].
    pub from: usize,
    /// An index into [`Graph::nodes`].
    pub to: usize,
    /// Which way in.
    pub port: Port,
    /// The path it is known and sorted by: that of the cable, or of the node it comes from.
    pub path: String,
    /// What tells it from other edges between the same ports.
    pub label: String,
    /// Linear gain.
    pub gain: f64,
    /// What moves the gain.
    pub control: Option<NodeControl>,
    /// For a feedback, the frames of its own delay line.
    pub feedback: Option<usize>,
    /// Frames it waits for the slowest that arrives at the same port.
    pub delay: usize,
    /// Where the text plugs it in.
    pub at: Position,
}

/// The ways into a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Port {
    /// The signal.
    Main,
    /// What steers it.
    Key,
    /// The dry side of a composed effect.
    Dry,
    /// What the control of this number among [`Node::controls`] follows: one channel, its envelope.
    Follow(usize),
}

/// What comes of a session that was looked at: a graph when it can sound, and what there is to tell in any case.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The graph; `None` if anything told is an error.
    pub graph: Option<Graph>,
    /// The session with everything applied to it.
    pub session: Option<Session>,
    /// Errors and warnings, in text order.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks a session and lowers it into a graph. Opens the media it names.
pub fn prepare(session: Session, library: &Library) -> Prepared {
    let tempo = Tempo::new(session.pace());
    prepare_in(session, library, tempo)
}

/// The same where the transport has had other tempos before: `tempo` ends with the session's.
pub fn prepare_in(mut session: Session, library: &Library, tempo: Tempo) -> Prepared {
    let mut told = amend::apply(&mut session);
    told.extend(album::lay_out(&mut session, library).err());
    told.extend(form::lay_out(&mut session));
    told.extend(check::imply_output(&mut session).err());
    let names = Names::of(&session);
    told.extend(check::check(&session, &names));
    let mut graph = None;
    if !told.iter().any(Diagnostic::is_error) {
        told.extend(check::dead_ends(&session, &names));
        match Lowering::new(&session, names, library, tempo).graph() {
            Ok(lowered) => {
                told.extend(dither::misplaced(&lowered));
                told.extend(lowered.nodes.iter().flat_map(shallow_bands));
                graph = Some(lowered);
            }
            Err(errors) => told.extend(errors),
        }
    }
    told.sort_by_key(|diagnostic| diagnostic.at);
    Prepared { graph, session: Some(session), diagnostics: told }
}

/// Tells of bands of an equaliser that do less than they say.
fn shallow_bands(node: &Node) -> Vec<Diagnostic> {
    let Role::Work { table: TableRef(table), recipe, .. } = &node.role else { return Vec::new() };
    if !std::ptr::eq(*table, &EQ) {
        return Vec::new();
    }
    let tell = |(band, why): (usize, String)| {
        let warning = Diagnostic::warning("narrow-band", node.at, format!("`{}#{band}` {why}", node.path));
        warning.help("lower its `q`, or leave out `.phase(\"linear\")`")
    };
    eq::shallow(recipe).into_iter().map(tell).collect()
}

/// Things by the group that each is in, in their order.
struct Grouped {
    /// Where each group begins in `things`, and behind the last where that ends.
    begins: Vec<usize>,
    things: Vec<usize>,
}

impl Grouped {
    /// `of` gives for each thing the number of its group, below `groups`.
    fn new(groups: usize, of: impl Iterator<Item = usize> + Clone) -> Self {
        let mut begins = vec![0; groups + 1];
        of.clone().for_each(|group| begins[group + 1] += 1);
        (0..groups).for_each(|group| begins[group + 1] += begins[group]);
        let mut next = begins.clone();
        let mut things = vec![0; begins[groups]];
        for (thing, group) in of.enumerate() {
            things[next[group]] = thing;
            next[group] += 1;
        }
        Grouped { begins, things }
    }

    fn of(&self, group: usize) -> &[usize] {
        &self.things[self.begins[group]..self.begins[group + 1]]
    }
}

/// The edges that arrive at each node.
fn arriving(edges: &[Edge], nodes: usize) -> Grouped {
    Grouped::new(nodes, edges.iter().map(|edge| edge.to))
}

/// Leaves out what no output hears.
fn audible_part(nodes: Vec<Node>, edges: Vec<Edge>) -> (Vec<Node>, Vec<Edge>) {
    let mut heard: Vec<bool> = nodes.iter().map(|node| matches!(node.role, Role::Output(_))).collect();
    let arriving = arriving(&edges, nodes.len());
    let mut open: Vec<usize> = (0..nodes.len()).filter(|i| heard[*i]).collect();
    while let Some(to) = open.pop() {
        for edge in arriving.of(to).iter().map(|i| &edges[*i]) {
            if !heard[edge.from] {
                heard[edge.from] = true;
                open.push(edge.from);
            }
        }
    }
    if !heard.contains(&false) {
        return (nodes, edges);
    }
    let mut number = 0;
    let numbers: Vec<usize> = heard
        .iter()
        .map(|heard| {
            number += usize::from(*heard);
            number.wrapping_sub(1)
        })
        .collect();
    let edges = edges
        .into_iter()
        .filter(|edge| heard[edge.from] && heard[edge.to])
        .map(|edge| Edge { from: numbers[edge.from], to: numbers[edge.to], ..edge })
        .collect();
    let nodes = nodes.into_iter().zip(&heard).filter(|(_, heard)| **heard).map(|(node, _)| node).collect();
    (nodes, edges)
}

/// An order in which every node comes after those that links, from one node to another, lead from; otherwise the links of
/// one way round.
pub(crate) fn topological(nodes: usize, links: &[(usize, usize)]) -> Result<Vec<usize>, Vec<usize>> {
    let mut into = vec![0usize; nodes];
    links.iter().for_each(|(_, to)| into[*to] += 1);
    let out = Grouped::new(nodes, links.iter().map(|(from, _)| *from));
    let mut order: Vec<usize> = (0..nodes).filter(|node| into[*node] == 0).collect();
    let mut next = 0;
    while let Some(&node) = order.get(next) {
        next += 1;
        for &link in out.of(node) {
            let to = links[link].1;
            into[to] -= 1;
            if into[to] == 0 {
                order.push(to);
            }
        }
    }
    if order.len() == nodes {
        return Ok(order);
    }
    // Every node left is led to by another node left: going back long enough comes round.
    let left = |node: usize| into[node] > 0;
    let mut node = (0..nodes).find(|node| left(*node)).unwrap_or(0);
    let mut way: Vec<usize> = Vec::new();
    let mut seen = vec![None; nodes];
    while seen[node].is_none() {
        seen[node] = Some(way.len());
        let Some(back) = links.iter().position(|(from, to)| *to == node && left(*from)) else { break };
        way.push(back);
        node = links[back].0;
    }
    let mut round = way.split_off(seen[node].unwrap_or(0));
    round.reverse();
    Err(round)
}

/// The indices of the nodes, each after all it hears of, feedback aside.
fn order_of(nodes: &[Node], edges: &[Edge]) -> Result<Vec<usize>, Vec<Diagnostic>> {
    let forward: Vec<&Edge> = edges.iter().filter(|edge| edge.feedback.is_none()).collect();
    let links: Vec<(usize, usize)> = forward.iter().map(|edge| (edge.from, edge.to)).collect();
    topological(nodes.len(), &links)
        .map_err(|round| vec![cycle_error(nodes, &round.iter().map(|i| forward[*i]).collect::<Vec<_>>())])
}

fn cycle_error(nodes: &[Node], round: &[&Edge]) -> Diagnostic {
    let mut way: Vec<&str> = Vec::new();
    for edge in round {
        let place = nodes[edge.from].path.as_str();
        if !place.contains('/') {
            way.push(place);
        }
        if let Port::Key | Port::Follow(_) = edge.port {
            way.push(nodes[edge.to].path.as_str());
        }
    }
    if let Some(first) = way.first().copied() {
        way.push(first);
    }
    let at = round.iter().map(|edge| edge.at).max().unwrap_or_default();
    let first = round.iter().map(|edge| edge.at).min().unwrap_or_default();
    let error = Diagnostic::error("cycle", at, format!("this closes a loop: {}", way.join(" > ")))
        .help("a loop needs a delay in it: `... >> feedback(bus, 50.ms)` in place of the cable that closes it");
    if first == at { error } else { error.also(first, "the way round also passes here") }
}

/// The tail of an effect with every number that a control moves as long as it gets.
fn longest_tail(table: &'static Table, recipe: &Recipe, controls: &[NodeControl]) -> u64 {
    if controls.is_empty() {
        return (table.tail)(recipe);
    }
    let parameters: Vec<_> = parameters_of(table, &recipe.parts).collect();
    let ends: [fn(&Motion) -> f64; 2] = [|motion| motion.bounds().0, |motion| motion.bounds().1];
    let tails = ends.into_iter().map(|end| {
        let mut at_end = recipe.clone();
        for control in controls {
            if let Controlled::Value(i) = control.of {
                at_end.values[i] = parameters[i].by_law(end(&control.motion));
            }
        }
        (table.tail)(&at_end)
    });
    tails.max().unwrap_or(0)
}

fn unfit(at: Position, from: &Node, place: &str, takes: usize) -> Diagnostic {
    let have = from.channels;
    let help = match (takes, &from.role) {
        (1, _) => "make it mono first: `>> mono()`; or give the bus two channels".to_owned(),
        (_, Role::Work { table, .. }) => match table.0.word {
            "clip" => format!("take {takes} of them: `.channels(1, 2)` on the clip, or make it mono: `>> mono()`"),
            "device" => format!("take {takes} of them: `device(1, 2)`, or make it mono: `>> mono()`"),
            "insert" => format!("take {takes} ways back: `insert([3, 4], [3, 4])`, or make it mono: `>> mono()`"),
            word => format!("what leaves the `{word}` has {have} channels: make it mono, `>> mono()`"),
        },
        _ => "make it mono: `>> mono()`".to_owned(),
    };
    let message = format!("the {have} channels of `{}` do not fit into `{place}`, which has {takes}", from.path);
    Diagnostic::error("channels", at, message).help(help)
}

impl Graph {
    /// Finds the channels of everything, and with them latencies and tails.
    fn find_channels(&mut self) -> Result<(), Vec<Diagnostic>> {
        let arriving = arriving(&self.edges, self.nodes.len());
        for &i in &self.order {
            // What it does is put back when it is known: nothing hears itself at once.
            let mut role = mem::replace(&mut self.nodes[i].role, Role::Sum);
            let ins = |port: Port| {
                let edges = arriving.of(i).iter().map(|i| &self.edges[*i]).filter(move |edge| edge.port == port);
                edges.filter(|edge| edge.feedback.is_none()).map(|edge| (edge.at, &self.nodes[edge.from]))
            };
            let widest = |port: Port| ins(port).map(|(_, from)| from.channels).max().unwrap_or(0);
            let (main, key, dry) = (widest(Port::Main), widest(Port::Key), widest(Port::Dry));
            let node = &self.nodes[i];
            let mut takes = node.channels;
            let (mut latency, mut tail, mut memory, mut channels) = (0, 0, Memory::Brief, node.channels);
            match &mut role {
                Role::Sum if channels == 0 => (channels, takes) = (main, main),
                Role::Sum | Role::Output(_) | Role::Send(_) => {}
                Role::Blend { .. } => (channels, takes) = (main.max(dry), main.max(dry)),
                Role::Work { table, recipe, wet } => {
                    (recipe.channels, recipe.key_channels, takes) = (main, key, main);
                    channels = (table.0.channels)(recipe).map_err(|why| {
                        vec![Diagnostic::error("refused", node.at, format!("`{}`: {why}", table.0.word))]
                    })?;
                    if *wet != 1.0 {
                        // What it is mixed with keeps its width.
                        channels = channels.max(main);
                    }
                    latency = (table.0.latency)(recipe);
                    (tail, memory) = (longest_tail(table.0, recipe, &node.controls), table.0.memory);
                }
            }
            let fits = |from: &Node| from.channels == 1 || from.channels == takes;
            if let Some((at, from)) = ins(Port::Main).chain(ins(Port::Dry)).find(|(_, from)| !fits(from)) {
                return Err(vec![unfit(at, from, &node.path, takes)]);
            }
            let node = &mut self.nodes[i];
            (node.role, node.channels, node.latency) = (role, channels, latency);
            (node.tail, node.memory) = (tail, memory);
        }
        for edge in self.edges.iter().filter(|edge| edge.feedback.is_some()) {
            let (from, place) = (&self.nodes[edge.from], &self.nodes[edge.to]);
            if from.channels != 1 && from.channels != place.channels {
                return Err(vec![unfit(edge.at, from, &place.path, place.channels)]);
            }
        }
        Ok(())
    }

    /// Delay compensation: lets every edge wait for the slowest that arrives with it. A feedback's own latency is part
    /// of its period.
    fn align(&mut self) -> Result<(), Vec<Diagnostic>> {
        let mut leaves = vec![0usize; self.nodes.len()];
        let arriving = arriving(&self.edges, self.nodes.len());
        for &i in &self.order {
            let edges = arriving.of(i).iter().map(|i| &self.edges[*i]).filter(|edge| edge.feedback.is_none());
            let late = edges.map(|edge| leaves[edge.from]).max().unwrap_or(0);
            self.nodes[i].late = late;
            leaves[i] = late + self.nodes[i].latency;
        }
        for edge in &mut self.edges {
            let (leaves, late) = (leaves[edge.from], self.nodes[edge.to].late);
            match &mut edge.feedback {
                None => edge.delay = late - leaves,
                Some(line) => {
                    // What leaves the tap for frame c of the transport enters the place for frame c + period.
                    let least = (leaves + QUANTUM).saturating_sub(late);
                    if *line < least {
                        let ms = (least as f64 * 100_000.0 / self.clock.rate).ceil() / 100.0;
                        let message = format!("the loop `{}` is too short: it takes at least {ms} ms", edge.path);
                        let error = Diagnostic::error("loop-too-short", edge.at, message);
                        return Err(vec![error.help(format!("write `feedback(..., {ms}.ms)` or more"))]);
                    }
                    *line = *line + late - leaves;
                }
            }
        }
        Ok(())
    }
}
