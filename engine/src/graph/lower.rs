//! From a session to its graph: nodes for places and effects, edges for what flows between them, motions for controls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Controlled, Edge, Graph, Node, NodeControl, Port, Role, audible_part, fixing, order_of, parameters_of};
use crate::audible;
use crate::control::{Way, moment};
use crate::diagnostic::{Diagnostic, Position};
use crate::effects::insert::{self, INSERT};
use crate::fade::fade_frames;
use crate::follow::FOLLOW;
use crate::form::{self, Span};
use crate::media::{Fault, Library, Media, MediaError};
use crate::motion::{Motion, Sections};
use crate::names::Names;
use crate::nest::{self, Nest};
use crate::parameter::{Branch, Kind, Memory, Parameter, Recipe, Table, Value};
use crate::score::Score;
use crate::session::{
    CableKind, Effect, InstanceId, PlaceId, PlaceKind, Session, Setting, Source, TableRef, Tap, Work,
};
use crate::sources::{self, midi_out::Sent};
use crate::tempo::Tempo;
use crate::units::Clock;
use crate::words;

mod instruments;

/// A session on its way to a graph.
pub(super) struct Lowering<'a> {
    session: &'a Session,
    names: Names,
    library: &'a Library,
    clock: Clock,
    tempo: Tempo,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    of_place: Vec<usize>,
    of_instance: Vec<usize>,
    /// What the dry side of an effect that others stand in goes through, by the node where that is blended.
    turned: BTreeMap<usize, usize>,
    /// What branches end with, and the node that it leads to: an effect put in later may be made after that.
    ends: Vec<(Tap, usize, Position)>,
    /// What controls follow: the node and the number among its controls, and the signal.
    followed: Vec<(usize, usize, Followed)>,
    /// What is sent to MIDI ports.
    sent: Vec<Sent>,
}

/// A control of a node that is being made, and what it follows.
struct Steering {
    control: NodeControl,
    followed: Option<Followed>,
}

/// A signal that a control follows.
struct Followed {
    signal: Tap,
    attack: f64,
    release: f64,
}

/// A node's work on its way: its role, and what moves its numbers.
type Steered = (Role, Vec<Steering>);

/// How a file is opened: at a rate, to be streamed or not.
type Opening = fn(&Library, &Path, u32) -> Result<Arc<Media>, MediaError>;

impl<'a> Lowering<'a> {
    pub(super) fn new(session: &'a Session, names: Names, library: &'a Library, tempo: Tempo) -> Self {
        Lowering {
            session,
            names,
            library,
            clock: session.clock(),
            tempo,
            nodes: Vec::new(),
            edges: Vec::new(),
            of_place: Vec::new(),
            of_instance: Vec::new(),
            turned: BTreeMap::new(),
            ends: Vec::new(),
            followed: Vec::new(),
            sent: Vec::new(),
        }
    }

    pub(super) fn graph(mut self) -> Result<Graph, Vec<Diagnostic>> {
        self.add_nodes()?;
        self.add_edges()?;
        self.add_followers();
        let Lowering { session, nodes, edges, clock, tempo, sent, .. } = self;
        let end = (!session.form.is_empty()).then(|| form::frame_of(session.form.bars(), &tempo));
        // A loop is refused whether or not it is heard.
        let (order, all) = (order_of(&nodes, &edges)?, nodes.len());
        let (nodes, edges) = audible_part(nodes, edges);
        let order = if nodes.len() == all { order } else { order_of(&nodes, &edges)? };
        let mut graph = Graph { clock, tempo, crossfade: session.crossfade, end, nodes, edges, order, sent };
        graph.find_channels()?;
        graph.align()?;
        Ok(graph)
    }

    fn add_nodes(&mut self) -> Result<(), Vec<Diagnostic>> {
        let mut errors = Vec::new();
        let silent = audible::silent_places(self.session);
        for (i, place) in self.session.places.iter().enumerate() {
            let name = self.names.place(PlaceId(i)).to_owned();
            let mut score = None;
            let (work, channels) = match &place.kind {
                PlaceKind::Bus { channels } => (unsteered(Role::Sum), *channels),
                PlaceKind::Sum => (unsteered(Role::Sum), 0),
                PlaceKind::Output(list) => (unsteered(Role::Output(list.clone())), list.len()),
                PlaceKind::Input(sources) if sources.len() == 1 => {
                    let (work, played) = or_told_of_source(self.source(&name, &sources[0]), &mut errors);
                    let sent = Sent::of(&name, &sources[0], played.as_ref());
                    self.sent.extend(sent.filter(|_| !silent[i]));
                    score = played;
                    (work, 0)
                }
                PlaceKind::Input(sources) => {
                    let sum = self.nodes.len() + sources.len();
                    for (n, source) in sources.iter().enumerate() {
                        let path = format!("{name}#{}", n + 1);
                        let (work, score) = or_told_of_source(self.source(&path, source), &mut errors);
                        let sent = Sent::of(&path, source, score.as_ref());
                        self.sent.extend(sent.filter(|_| !silent[i]));
                        let from = self.add(path.clone(), work, 0, source.at);
                        self.nodes[from].score = score;
                        self.edge(from, sum, Port::Main, path, source.at);
                    }
                    (unsteered(Role::Sum), 0)
                }
            };
            let at = match &place.kind {
                PlaceKind::Input(sources) if sources.len() == 1 => sources[0].at,
                _ => place.at,
            };
            let node = self.add(name, work, channels, at);
            self.nodes[node].score = score;
            self.of_place.push(node);
        }
        for (i, instance) in self.session.instances.iter().enumerate() {
            let names = self.names.instance(InstanceId(i)).to_vec();
            let path = names.first().cloned().unwrap_or_default();
            if let Work::Effect(effect) = &instance.work
                && std::ptr::eq(effect.table.0, &INSERT)
            {
                let (out, _) = insert::channels(&effect.settings);
                let count = out.len();
                let send = self.add(format!("{path}/out"), unsteered(Role::Send(out)), count, instance.at);
                self.nodes[send].piece_of = Some(path.clone());
            }
            let work = match &instance.work {
                Work::Effect(effect) => match nest::of(effect.table.0) {
                    Some(nest) => self.join(&path, nest, effect),
                    None => self.effect(&path, effect),
                },
                Work::Branch { of, number } => self.branch(*of, *number),
                Work::Blend { mix, bypass, .. } => self
                    .wet(&path, mix, bypass)
                    .map(|(wet, steering)| (Role::Blend { wet }, steering.into_iter().collect())),
            };
            let node = self.add(path, or_told(work, &mut errors), 0, instance.at);
            self.nodes[node].names = names;
            if let Work::Branch { of, .. } = instance.work {
                self.nodes[node].piece_of = self.names.instance(of).first().cloned();
            }
            self.of_instance.push(node);
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn add_edges(&mut self) -> Result<(), Vec<Diagnostic>> {
        let mut errors = Vec::new();
        let silences = form::silences(self.session);
        for (end, to, at) in std::mem::take(&mut self.ends) {
            self.tap_edge(end, to, Port::Main, at);
        }
        for (i, instance) in self.session.instances.iter().enumerate() {
            let to = self.of_instance[i];
            match &instance.work {
                // Its sum comes right before it.
                Work::Effect(effect) if !effect.branches.is_empty() => {
                    let sum = self.nodes[to - 1].path.clone();
                    self.edge(to - 1, to, Port::Main, sum, instance.at);
                    match self.turned.get(&to).copied() {
                        Some(turned) => {
                            self.tap_edge(instance.from, turned, Port::Main, instance.at);
                            let path = self.nodes[turned].path.clone();
                            self.edge(turned, to, Port::Dry, path, instance.at);
                        }
                        None => self.tap_edge(instance.from, to, Port::Dry, instance.at),
                    }
                }
                // So does what it sends by.
                Work::Effect(effect) if std::ptr::eq(effect.table.0, &INSERT) => {
                    let send = self.nodes[to - 1].path.clone();
                    self.edge(to - 1, to, Port::Main, send, instance.at);
                    self.tap_edge(instance.from, to - 1, Port::Main, instance.at);
                }
                _ => self.tap_edge(instance.from, to, Port::Main, instance.at),
            }
            match &instance.work {
                Work::Blend { dry, .. } => self.tap_edge(*dry, to, Port::Dry, instance.at),
                Work::Effect(Effect { key: Some((key, at)), .. }) => self.tap_edge(*key, to, Port::Key, *at),
                Work::Effect(_) | Work::Branch { .. } => {}
            }
        }
        for (i, cable) in self.session.cables.iter().enumerate() {
            let (from, to) = (self.node_of(cable.from), self.of_place[cable.to.0]);
            let id = crate::session::CableId(i);
            let (path, label) = (self.names.cable(id).to_owned(), self.names.label(id).to_owned());
            let (mut level, mut control, mut feedback) = (1.0, None, None);
            match &cable.kind {
                _ if matches!(*silences[i], [(_, true)]) => level = 0.0,
                CableKind::Plug => {}
                // A control is known by the cable's path, and has nothing to move while the cable is silent.
                CableKind::Send { gain } => match self.number((&path, None), &words::SEND_GAIN, gain, Controlled::Gain)
                {
                    // The whole level is the control's, if there is one.
                    Ok((_, Some(steering))) => control = Some(steering.control),
                    Ok((value, None)) => level = value,
                    Err(error) => errors.push(error),
                },
                CableKind::Feedback { time } => {
                    let ms = words::FEEDBACK_TIME.resolve(&time.value, &self.clock);
                    feedback = Some(self.clock.frames(ms) as usize);
                }
            }
            if silences[i].len() > 1 {
                match self.falls_silent(&path, &silences[i], control.take(), cable.at) {
                    Ok(moved) => control = Some(moved),
                    Err(error) => errors.push(error),
                }
            }
            self.edge(from, to, Port::Main, path, cable.at);
            if let Some(edge) = self.edges.last_mut() {
                (edge.label, edge.gain, edge.control, edge.feedback) = (label, level, control, feedback);
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// What takes a cable away in some sections, beside what sections set of it.
    fn falls_silent(
        &self,
        path: &str,
        silences: &[(f64, bool)],
        set: Option<NodeControl>,
        at: Position,
    ) -> Result<NodeControl, Diagnostic> {
        let fade = i64::from(fade_frames(self.session.crossfade, self.clock.rate));
        let gain = |silent: &bool| if *silent { f64::NEG_INFINITY } else { 0.0 };
        let mute = Sections { steps: silences.iter().map(|(bar, silent)| (*bar, gain(silent))).collect(), fade };
        match set {
            None => Ok(NodeControl {
                path: format!("{path}.mute"),
                of: Controlled::Gain,
                motion: Motion::Sections(mute),
                at,
            }),
            Some(NodeControl { path, motion: Motion::Sections(level), of, at }) => {
                Ok(NodeControl { path, motion: Motion::Sections(level.plus(&mute)), of, at })
            }
            Some(NodeControl { motion, .. }) => {
                let message = format!("a section mutes `{path}`, whose level `{}` moves", motion.kind());
                let help = "give a fader on the bus that it leads to the control, and the send a number";
                Err(Diagnostic::error("mute-of-moved", at, message).help(help))
            }
        }
    }

    /// Puts an envelope follower behind every signal that a control follows.
    fn add_followers(&mut self) {
        for (node, number, Followed { signal, attack, release }) in std::mem::take(&mut self.followed) {
            let control = &self.nodes[node].controls[number];
            // One control may move several branches of an effect.
            let path = match control.path.starts_with(&self.nodes[node].path) {
                true => format!("{}/follow", control.path),
                false => format!("{}:{}/follow", self.nodes[node].path, control.path),
            };
            let at = control.at;
            let recipe = Recipe {
                values: vec![attack, release],
                settings: vec![Value::Number(attack), Value::Number(release)],
                ..Recipe::plain(0, self.clock)
            };
            let role = Role::Work { table: TableRef(&FOLLOW), recipe: Box::new(recipe), wet: 1.0 };
            let follower = self.add(path.clone(), unsteered(role), 0, at);
            let of = &self.nodes[node];
            self.nodes[follower].piece_of = Some(of.piece_of.clone().unwrap_or(of.path.clone()));
            self.tap_edge(signal, follower, Port::Main, at);
            self.edge(follower, node, Port::Follow(number), path, at);
        }
    }

    fn add(&mut self, path: String, (role, steering): Steered, channels: usize, at: Position) -> usize {
        let names = vec![path.clone()];
        let node = self.nodes.len();
        let mut controls = Vec::with_capacity(steering.len());
        for Steering { control, followed } in steering {
            self.followed.extend(followed.map(|followed| (node, controls.len(), followed)));
            controls.push(control);
        }
        self.nodes.push(Node {
            path,
            names,
            piece_of: None,
            role,
            channels,
            latency: 0,
            tail: 0,
            memory: Memory::Brief,
            late: 0,
            controls,
            score: None,
            at,
        });
        node
    }

    fn edge(&mut self, from: usize, to: usize, port: Port, path: String, at: Position) {
        let label = String::new();
        self.edges.push(Edge { from, to, port, path, label, gain: 1.0, control: None, feedback: None, delay: 0, at });
    }

    fn tap_edge(&mut self, from: Tap, to: usize, port: Port, at: Position) {
        let from = self.node_of(from);
        let path = self.nodes[from].path.clone();
        self.edge(from, to, port, path, at);
    }

    fn node_of(&self, tap: Tap) -> usize {
        match tap {
            Tap::Place(id) => self.of_place[id.0],
            Tap::Instance(id) => self.of_instance[id.0],
        }
    }

    fn source(&self, path: &str, source: &Source) -> Result<(Steered, Option<Arc<Score>>), Diagnostic> {
        let (mut recipe, steering) = self.recipe(path, source.table.0, &[(None, &source.settings)], &[])?;
        let placed = |spans: &Arc<[Span]>| spans.iter().map(|span| span.placed(&self.tempo)).collect();
        recipe.spans = source.spans.as_ref().map(placed);
        sources::make_media(source.table.0, &mut recipe, &self.tempo, self.library)
            .map_err(|why| Diagnostic::error("refused", source.at, format!("`{}`: {why}", source.table.0.word)))?;
        let score = self.score(source, &recipe)?;
        Ok(((Role::Work { table: source.table, recipe: Box::new(recipe), wet: 1.0 }, steering), score.map(Arc::new)))
    }

    fn effect(&self, path: &str, effect: &Effect) -> Result<Steered, Diagnostic> {
        let parts: Vec<usize> = effect.parts.iter().map(|part| part.part).collect();
        let own = [(None, effect.settings.as_slice())];
        let of_parts = effect.parts.iter().enumerate().map(|(i, part)| (Some(i + 1), part.settings.as_slice()));
        let settings: Vec<_> = own.into_iter().chain(of_parts).collect();
        let (recipe, mut steering) = self.recipe(path, effect.table.0, &settings, &parts)?;
        may_move(effect.table.0, &recipe, &steering)?;
        let (wet, of_wet) = self.wet(path, &effect.mix, &effect.bypass)?;
        steering.extend(of_wet);
        Ok((Role::Work { table: effect.table, recipe: Box::new(recipe), wet }, steering))
    }

    /// The beginning of a branch: what the effect that it is of takes out of the signal.
    fn branch(&self, of: InstanceId, number: usize) -> Result<Steered, Diagnostic> {
        let Some(effect) = self.session.instances[of.0].work.effect() else { return Ok(unsteered(Role::Sum)) };
        let path = self.names.instance(of).first().cloned().unwrap_or_default();
        let (mut recipe, steering) = self.recipe(&path, effect.table.0, &[(None, &effect.settings)], &[])?;
        if number == 0 {
            may_move(effect.table.0, &recipe, &steering)?;
        }
        recipe.branch = Some(Branch { number, count: effect.branches.len() });
        Ok((Role::Work { table: effect.table, recipe: Box::new(recipe), wet: 1.0 }, steering))
    }

    /// The end of an effect that others stand in: the sum of its branches, and its dry side.
    fn join(&mut self, path: &str, nest: &Nest, effect: &Effect) -> Result<Steered, Diagnostic> {
        let mut backs = Vec::new();
        for number in 0..effect.branches.len() {
            let Some(table) = (nest.back)(number) else {
                backs.push(None);
                continue;
            };
            let (of, path) = (path, format!("{path}#{}>", nest.name(number)));
            let (recipe, steering) = self.recipe(&path, table, &[], &[])?;
            let role = Role::Work { table: TableRef(table), recipe: Box::new(recipe), wet: 1.0 };
            let back = self.add(path, (role, steering), 0, effect.at);
            self.nodes[back].piece_of = Some(of.to_owned());
            backs.push(Some(back));
        }
        let (mut recipe, steering) = self.recipe(path, effect.table.0, &[(None, &effect.settings)], &[])?;
        let (wet, of_wet) = self.wet(path, &effect.mix, &effect.bypass)?;
        let both_heard = of_wet.is_some() || (wet > 0.0 && wet < 1.0);
        if both_heard && (nest.turns)(&recipe) {
            let count = effect.branches.len();
            recipe.branch = Some(Branch { number: count, count });
            let role = Role::Work { table: effect.table, recipe: Box::new(recipe), wet: 1.0 };
            let turned = self.add(format!("{path}/dry"), (role, steering), 0, effect.at);
            self.nodes[turned].piece_of = Some(path.to_owned());
            // The blend comes right after the sum.
            self.turned.insert(turned + 2, turned);
        }
        let sum = self.add(format!("{path}/sum"), unsteered(Role::Sum), 0, effect.at);
        self.nodes[sum].piece_of = Some(path.to_owned());
        for (end, back) in effect.branches.iter().zip(backs) {
            self.ends.push((*end, back.unwrap_or(sum), effect.at));
            if let Some(back) = back {
                let path = self.nodes[back].path.clone();
                self.edge(back, sum, Port::Main, path, effect.at);
            }
        }
        Ok((Role::Blend { wet }, of_wet.into_iter().collect()))
    }

    /// `settings` are those of the word itself, then those of each part with its number.
    fn recipe(
        &self,
        path: &str,
        table: &'static Table,
        settings: &[(Option<usize>, &[Setting])],
        parts: &[usize],
    ) -> Result<(Recipe, Vec<Steering>), Diagnostic> {
        let (mut media, mut files): (Vec<Arc<Media>>, Vec<PathBuf>) = Default::default();
        let settings = settings.iter().flat_map(|(part, list)| list.iter().map(move |setting| (*part, setting)));
        let settings: Vec<(Option<usize>, &Setting)> = settings.collect();
        let (mut values, mut steering) = (Vec::with_capacity(settings.len()), Vec::new());
        // An effect has to look at all of its file before it can begin.
        let open = || if sources::find(table.word).is_some() { Library::open } else { Library::open_whole };
        for (i, (parameter, (part, setting))) in parameters_of(table, parts).zip(&settings).enumerate() {
            let (value, control) = self.number((path, *part), parameter, setting, Controlled::Value(i))?;
            values.push(value);
            steering.extend(control);
            match (parameter.kind, &setting.value) {
                (Kind::Path, Value::Path(file)) => media.push(self.open(file, setting.at, open())?),
                (Kind::Folder, Value::Path(folder)) => {
                    for (file, below) in self.files_of(folder, setting.at)? {
                        let opened = self.open(&file, setting.at, Library::open_whole)?;
                        if opened.whole().is_none() {
                            let message = format!("\"{file}\" is too long for a kit: a few minutes are the most");
                            return Err(Diagnostic::error("too-large", setting.at, message));
                        }
                        media.push(opened);
                        files.push(below);
                    }
                }
                (Kind::Path, _) => {
                    let message = format!("`{}` needs a file", table.word);
                    return Err(Diagnostic::error("missing-argument", setting.at, message).help(table.example));
                }
                _ => {}
            }
        }
        let settings = settings.iter().map(|(_, setting)| setting.value.clone()).collect();
        let (seed, parts) = (seed_of(self.session.seed, path), parts.to_vec());
        let recipe = Recipe {
            channels: 0,
            key_channels: 0,
            clock: self.clock,
            values,
            settings,
            parts,
            media,
            files,
            tempo: None,
            seed,
            spans: None,
            branch: None,
        };
        Ok((recipe, steering))
    }

    fn open(&self, file: &str, at: Position, open: Opening) -> Result<Arc<Media>, Diagnostic> {
        let opened = open(self.library, &self.session.folder.join(file), self.session.sample_rate);
        opened.map_err(|why| match why.fault {
            Fault::Missing => Diagnostic::error("missing-file", at, format!("there is no file \"{file}\"")),
            fault => Diagnostic::error("bad-file", at, format!("\"{file}\" {fault}")),
        })
    }

    /// What the kernel receives for a setting, and what moves it from there. Its owner is known by a path, and the number of
    /// the part of that, if it is one.
    fn number(
        &self,
        (path, part): (&str, Option<usize>),
        parameter: &'static Parameter,
        setting: &Setting,
        of: Controlled,
    ) -> Result<(f64, Option<Steering>), Diagnostic> {
        let Some(control) = setting.value.control() else {
            return Ok((self.still(parameter, &setting.value), None));
        };
        let path = match part {
            None => format!("{path}.{}", parameter.name),
            Some(part) => format!("{path}#{part}.{}", parameter.name),
        };
        let motion = control.motion(parameter, &self.clock, seed_of(self.session.seed, &path));
        let motion = motion.map_err(|refusal| refusal.diagnostic(setting.at))?;
        let first = motion.value(&motion.begin(0, &self.tempo), &self.tempo, 0);
        let followed = match control.way {
            Way::Follow { signal: Some(signal), attack, release, .. } => Some(Followed { signal, attack, release }),
            _ => None,
        };
        // What was followed is gone: it stays at silence.
        let still = followed.is_none() && matches!(control.way, Way::Follow { .. });
        // What is built for it must bear the most of it.
        let number = if parameter.fixed { motion.bounds().1 } else { first };
        let control = NodeControl { path, of, motion, at: setting.at };
        Ok((parameter.by_law(number), (!still).then_some(Steering { control, followed })))
    }

    /// What the kernel receives for a value that stays.
    fn still(&self, parameter: &Parameter, value: &Value) -> f64 {
        match value {
            Value::Beats(_) | Value::Bars(_) if parameter.on_transport => {
                moment(value, &self.clock).place(&self.tempo) * 1000.0 / self.clock.rate
            }
            value => parameter.resolve(value, &self.clock),
        }
    }

    /// Wet against dry, 0 to 1, and what moves it; what is bypassed stays so.
    fn wet(&self, path: &str, mix: &Setting, bypass: &Setting) -> Result<(f64, Option<Steering>), Diagnostic> {
        match bypass.value {
            Value::Flag(true) => Ok((0.0, None)),
            _ => {
                let (percent, steering) = self.number((path, None), &words::MIX, mix, Controlled::Wet)?;
                Ok((percent / 100.0, steering))
            }
        }
    }
}

/// Whether controls may move an effect's numbers: not where one of its parameters fixes them all.
fn may_move(table: &'static Table, recipe: &Recipe, steering: &[Steering]) -> Result<(), Diagnostic> {
    let (Some((by, value)), Some(Steering { control, .. })) = (fixing(table, recipe), steering.first()) else {
        return Ok(());
    };
    let name = control.path.rsplit('.').next().unwrap_or_default();
    let message = format!("`{name}` is fixed while `{}` is {}: a control cannot move it", by.name, by.show(value));
    let help = format!("give `{name}` a number, or leave out `.{}`", by.name);
    Err(Diagnostic::error("fixed", control.at, message).help(help))
}

fn unsteered(role: Role) -> Steered {
    (role, Vec::new())
}

fn or_told(work: Result<Steered, Diagnostic>, errors: &mut Vec<Diagnostic>) -> Steered {
    work.unwrap_or_else(|error| {
        errors.push(error);
        unsteered(Role::Sum)
    })
}

fn or_told_of_source(
    source: Result<(Steered, Option<Arc<Score>>), Diagnostic>,
    errors: &mut Vec<Diagnostic>,
) -> (Steered, Option<Arc<Score>>) {
    source.unwrap_or_else(|error| {
        errors.push(error);
        (unsteered(Role::Sum), None)
    })
}

/// A number for what is random at a path (FNV-1a, Fowler, Noll and Vo 1991, then mixed with the session's seed).
fn seed_of(seed: u64, path: &str) -> u64 {
    let hash = path.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let mut mixed = hash ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
