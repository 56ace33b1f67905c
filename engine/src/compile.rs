//! From the mesh to a plan: ops in stages, buffers shared out, cells built or carried.

mod controls;
mod kept;
mod observed;
mod schedule;
mod scores;

use std::collections::BTreeMap;
use std::sync::Arc;

use rtrb::Consumer;

use crate::abreast::Shape;
use crate::bank::{Bank, BlendCell, Carry, EdgeCell, LoopCell, WorkCell};
use crate::effects;
use crate::fade::fade_frames;
use crate::graph::{Controlled, Port, Role, parameters_of};
use crate::kernel::QUANTUM;
use crate::listen::{self, Copier, Hearing, Looks};
use crate::mesh::{Due, Id, Mesh, MeshEdge, MeshNode, Phase};
use crate::meter::{self, Meters, Reading};
use crate::motion::{EventSource, Motion};
use crate::plan::{Capture, Op, Plan, PlanBlend, PlanEdge, PlanGain, PlanLoop, PlanOutput, PlanWork, Slots, SourceId};
use crate::ranks::{self, Forming};
use crate::score::Score;
use crate::sources;
use crate::tempo::Tempo;
use crate::verify::{self, Flaw};

use observed::Observed;
use schedule::Schedule;

/// A plan with the state it needs: what the audio thread is given, and what it gives back.
pub struct Program {
    /// What to do.
    pub plan: Plan,
    /// On what.
    pub bank: Bank,
    /// What of the running bank goes on.
    pub carry: Carry,
    /// Counts the plans of a desk.
    pub serial: u64,
    /// Frames that changed numbers take to glide.
    pub fade: u32,
    /// The frame of the transport from which on it is to be heard; at once without one.
    pub at: Option<u64>,
    /// Frames that it has to run before, so that what it brings is filled with sound by then.
    pub lead: u32,
    /// Copies what is listened to.
    pub copier: Option<Copier>,
    /// What was listened to: taken before the program is sent.
    pub hearing: Option<Hearing>,
    /// Reads what is metered.
    pub meters: Option<Meters>,
    /// What it has read: taken when the program is sent.
    pub readings: Option<Consumer<Reading>>,
    /// By how much the monitor is turned while it runs, linear.
    pub trim: f64,
}

impl Program {
    /// Whether the new sources have their sound at hand for the quantum at this transport frame. Asking makes those that
    /// stream from disk fetch it. Not RT.
    pub fn media_ready(&self, transport: u64) -> bool {
        // Every one is asked, so that all of them begin to fetch.
        let late = self.bank.works.iter().flatten().filter(|cell| !cell.is_ready(transport)).count();
        let unknown = self.bank.scores.iter().flatten().filter(|score| !score.is_ready(transport)).count();
        late + unknown == 0
    }
}

/// Which cell of a bank belongs to which identity.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    works: BTreeMap<Id, usize>,
    blends: BTreeMap<Id, usize>,
    edges: BTreeMap<Id, usize>,
    loops: BTreeMap<Id, usize>,
    /// Of what is played by which work: which cell it is, what, and in which time.
    scores: BTreeMap<Id, (usize, Arc<Score>, Tempo)>,
    /// Of controls: which state it is, how it moves, and which version of it that is.
    motions: BTreeMap<ControlId, (usize, Motion, u64)>,
    /// Which controls move what of a node or an edge.
    moved: BTreeMap<(Id, Controlled), ControlId>,
    /// What controls have ever listened to outside, in the order in which it came up.
    sources: Vec<EventSource>,
    /// The next version to give.
    fresh: u64,
}

/// The identity of a control: the path of its parameter, and its kind.
type ControlId = (String, &'static str);

impl Layout {
    /// The number of what controls listen to outside, if any does or did.
    pub fn source(&self, source: &EventSource) -> Option<SourceId> {
        self.sources.iter().position(|known| known == source).map(|n| SourceId(n as u32))
    }

    /// A layout of nothing, which numbers what controls listen to outside as this one does.
    pub fn of_sources(&self) -> Layout {
        Layout { sources: self.sources.clone(), ..Layout::default() }
    }

    /// What a number stands for.
    pub fn source_of(&self, id: SourceId) -> Option<&EventSource> {
        self.sources.get(id.0 as usize)
    }
}

/// What is kept besides what leaves.
#[derive(Clone, Debug, Default)]
pub struct Keep {
    /// The place whose cables are captured on their way in.
    pub stems_of: Option<String>,
    /// What is looked at.
    pub looks: Looks,
}

/// Compiles a mesh. `running` is the layout of the plan that it will follow on from.
///
/// # Errors
/// When the plan does not prove right: a fault of this program, never of a text.
pub fn compile(mesh: &Mesh, running: &Layout, keep: &Keep, serial: u64) -> Result<(Program, Layout), Flaw> {
    let order = mesh.order().map_err(|_| Flaw::Order)?;
    let mut compiler = Compiler::new(mesh, order, running, keep);
    compiler.motions_of_the_text();
    compiler.loops();
    for stage in 0..=compiler.schedule.last() {
        compiler.stage(stage);
    }
    compiler.loop_writes();
    // What is delivered comes first, and is never what hardware is sent.
    let rank = |output: &PlanOutput| (output.send.is_some(), output.leaving, output.channels.clone());
    compiler.plan.outputs.sort_by_key(rank);
    compiler.meters();
    compiler.heard();
    let Compiler { mut plan, mut bank, carry, layout, .. } = compiler;
    ranks::link(&mut plan, &[]);
    bank.line_up(&plan);
    bank.slots = vec![[0.0; QUANTUM]; plan.slots];
    bank.heard = vec![false; plan.motions.len()];
    bank.followed = vec![[0.0; QUANTUM]; plan.followed];
    verify::verify(&plan, &bank, &carry)?;
    let fade = fade_frames(mesh.crossfade, mesh.clock.rate);
    let lead = plan.gains.iter().map(|gain| gain.due.lead()).max().unwrap_or(0);
    let listened = !plan.heard.is_empty();
    let (copier, hearing) = listened.then(|| listen::hearing(&plan.heard, mesh.clock.rate)).unzip();
    let (meters, readings) = meter::meters(&plan.meters, mesh.clock.rate).unzip();
    let (at, trim) = (None, keep.looks.trim);
    Ok((Program { plan, bank, carry, serial, fade, at, lead, copier, hearing, meters, readings, trim }, layout))
}

struct Compiler<'a> {
    mesh: &'a Mesh,
    schedule: Schedule,
    running: &'a Layout,
    keep: &'a Keep,
    observed: Observed,
    plan: Plan,
    bank: Bank,
    carry: Carry,
    layout: Layout,
    /// Edges into each node, in path order.
    into: Vec<Vec<&'a MeshEdge>>,
    index: BTreeMap<Id, usize>,
    /// The nodes of which something is mixed before the stage in front of theirs, and how many edges by then, by the stage.
    early: BTreeMap<usize, Vec<(usize, usize)>>,
    /// How many of the edges into each node are mixed.
    mixed: Vec<usize>,
    /// The node whose buffers hold what this one gives.
    holder: Vec<usize>,
    /// The last stage that reads what a holder gives.
    last_use: Vec<usize>,
    /// How many edges read what a holder gives, by the stage in which they do.
    readers: BTreeMap<(usize, usize), usize>,
    value: Vec<Slots>,
    /// What steers a node, or its dry side.
    side: Vec<Slots>,
    /// What the controls of a node follow, by their number.
    followed: Vec<Vec<(usize, Slots)>>,
    loop_value: BTreeMap<Id, Slots>,
    held: Vec<(Slots, usize)>,
    free: Vec<bool>,
}

const TO_THE_END: usize = usize::MAX;

/// What a node's work has in common with others that it may go abreast with.
fn shape(node: &MeshNode) -> Option<Shape> {
    match &node.node.role {
        Role::Work { table, recipe, .. } => effects::shape(table.0, recipe),
        _ => None,
    }
}

impl<'a> Compiler<'a> {
    fn new(mesh: &'a Mesh, order: Vec<usize>, running: &'a Layout, keep: &'a Keep) -> Self {
        let index = mesh.index();
        let count = mesh.nodes.len();
        let mut into: Vec<Vec<&MeshEdge>> = vec![Vec::new(); count];
        for edge in &mesh.edges {
            into[index[&edge.to]].push(edge);
        }
        for edges in &mut into {
            edges.sort_by(|a, b| (&a.path, &a.label, a.id).cmp(&(&b.path, &b.label, b.id)));
        }
        let shape = |i: usize| shape(&mesh.nodes[i]);
        let mut compiler = Compiler {
            schedule: Schedule::new(mesh, &order, &into, &index, shape),
            mesh,
            running,
            keep,
            observed: Observed::of(keep, mesh),
            plan: Plan::empty(mesh.tempo.clone()),
            bank: Bank::default(),
            carry: Carry::default(),
            layout: Layout { sources: running.sources.clone(), fresh: running.fresh, ..Layout::default() },
            into,
            index,
            early: BTreeMap::new(),
            mixed: vec![0; count],
            holder: (0..count).collect(),
            last_use: vec![0; count],
            readers: BTreeMap::new(),
            value: vec![Slots::NONE; count],
            side: vec![Slots::NONE; count],
            followed: vec![Vec::new(); count],
            loop_value: BTreeMap::new(),
            held: Vec::new(),
            free: Vec::new(),
        };
        for i in order {
            compiler.find_holder(i);
        }
        for i in 0..count {
            compiler.find_uses(i);
        }
        compiler
    }

    fn find_holder(&mut self, i: usize) {
        let role = &self.mesh.nodes[i].node.role;
        if let (Role::Sum | Role::Output(_) | Role::Send(_), Some(edge)) = (role, self.alias(i, Port::Main)) {
            self.holder[i] = self.holder[self.index[&edge.from]];
        }
    }

    /// When what flows into a node is read, and what of it is mixed early: as soon as the bundle that it comes from is done, and
    /// all that is to be added before it is there.
    fn find_uses(&mut self, i: usize) {
        let stage = self.schedule.stage_of[i];
        let is_mixed = self.alias(i, Port::Main).is_none();
        let (mut count, mut mixed) = (0, 0);
        for edge in &self.into[i] {
            let from = self.index[&edge.from];
            let mut until = stage;
            if edge.port == Port::Main && is_mixed {
                // What hears a loop waits as long as it can: nothing behind it is done on another thread.
                let given = if edge.feedback.is_some() { stage } else { self.schedule.given[from] };
                let before = mixed;
                mixed = before.max(given).min(stage - 1);
                if count > 0 && before < mixed {
                    self.early.entry(before).or_default().push((i, count));
                }
                (count, until) = (count + 1, mixed);
            }
            if edge.feedback.is_some() {
                until = TO_THE_END;
            }
            let holder = self.holder[from];
            self.last_use[holder] = self.last_use[holder].max(until);
            *self.readers.entry((holder, until)).or_default() += 1;
        }
        if count > 0 && mixed < stage - 1 {
            self.early.entry(mixed).or_default().push((i, count));
        }
        if self.mesh.nodes[i].node.role.leaves() || self.is_observed(i) {
            self.last_use[self.holder[i]] = TO_THE_END;
        }
    }

    fn node(&self, i: usize) -> &'a MeshNode {
        &self.mesh.nodes[i]
    }

    /// The one edge into a port if it changes nothing, so that its buffers can be used as they are.
    fn alias(&self, i: usize, port: Port) -> Option<&'a MeshEdge> {
        let mut edges = self.into[i].iter().filter(|edge| edge.port == port);
        let (edge, None) = (edges.next()?, edges.next()) else { return None };
        let takes = match &self.node(i).node.role {
            _ if matches!(port, Port::Follow(_)) => 1,
            Role::Work { recipe, .. } if port == Port::Key => recipe.key_channels,
            Role::Work { recipe, .. } => recipe.channels,
            _ => self.node(i).node.channels,
        };
        let same = self.node(self.index[&edge.from]).node.channels == takes;
        (same && self.is_plain(edge, i)).then_some(*edge)
    }

    fn is_plain(&self, edge: &MeshEdge, to: usize) -> bool {
        edge.phase == Phase::Steady
            && edge.gain == 1.0
            && edge.delay == 0
            && edge.control.is_none()
            && edge.feedback.is_none()
            && self.keep.stems_of.as_ref() != Some(&self.node(to).node.path)
            && !self.observed.hears(edge)
    }

    /// Loops are read before anything else.
    fn loops(&mut self) {
        for edge in self.mesh.edges.iter() {
            let Some(delay) = edge.feedback else { continue };
            let channels = self.node(self.index[&edge.from]).node.channels;
            let cell = self.bank.loops.len();
            self.layout.loops.insert(edge.id, cell);
            self.plan.loops.push(PlanLoop { path: edge.path.clone(), channels });
            match self.running.loops.get(&edge.id) {
                Some(old) => {
                    self.carry.loops.push((*old, cell));
                    self.bank.loops.push(None);
                }
                None => self.bank.loops.push(Some(Box::new(LoopCell::new(delay, channels)))),
            }
            let out = self.take(channels, TO_THE_END);
            self.loop_value.insert(edge.id, out);
            self.plan.ops.push(Op::LoopRead { cell, out });
        }
    }

    fn loop_writes(&mut self) {
        for edge in self.mesh.edges.iter().filter(|edge| edge.feedback.is_some()) {
            let from = self.value[self.index[&edge.from]];
            self.plan.ops.push(Op::LoopWrite { cell: self.layout.loops[&edge.id], from });
        }
        self.plan.stages.push(self.plan.ops.len());
    }

    fn stage(&mut self, stage: usize) {
        self.held.retain(|(slots, last_use)| {
            let over = *last_use < stage;
            if over {
                self.free[slots.range()].fill(true);
            }
            !over
        });
        let mixes = stage.is_multiple_of(2);
        let nodes = self.schedule.stages.get(&(stage + usize::from(mixes)));
        // Works that may go abreast stand together: what is in a stage has no order.
        let of_node = |i: usize| if mixes { None } else { shape(self.node(i)) };
        let mut here: Vec<(Option<Shape>, usize)> = nodes.into_iter().flatten().map(|&i| (of_node(i), i)).collect();
        here.sort_by_key(|(shape, i)| (*shape, &self.mesh.nodes[*i].node.path, self.mesh.nodes[*i].id));
        let mut ranks = Forming::default();
        for (shape, i) in here {
            ranks.next(shape, self.plan.ops.len());
            if mixes { self.mixes(i) } else { self.work(i) }
        }
        ranks.next(None, self.plan.ops.len());
        self.plan.ranks.extend(ranks.formed);
        for (i, count) in self.early.remove(&stage).unwrap_or_default() {
            self.mix_up_to(i, count);
        }
        self.plan.stages.push(self.plan.ops.len());
    }

    /// Brings together what flows into a node.
    fn mixes(&mut self, i: usize) {
        let node = &self.node(i).node;
        self.side[i] = match &node.role {
            Role::Work { recipe, .. } if recipe.key_channels > 0 => self.side_input(i, Port::Key, recipe.key_channels),
            Role::Blend { .. } => self.side_input(i, Port::Dry, node.channels),
            _ => Slots::NONE,
        };
        for k in 0..node.controls.len() {
            if self.into[i].iter().any(|edge| edge.port == Port::Follow(k)) {
                let heard = self.side_input(i, Port::Follow(k), 1);
                self.followed[i].push((k, heard));
            }
        }
        match (&node.role, self.alias(i, Port::Main)) {
            (Role::Sum | Role::Output(_) | Role::Send(_), Some(edge)) => {
                self.value[i] = self.value[self.index[&edge.from]];
            }
            (Role::Work { .. }, Some(_)) => {}
            (Role::Work { recipe, .. }, None) if recipe.channels == 0 => {}
            _ => self.mix_up_to(i, usize::MAX),
        }
    }

    /// What steers a node, or its dry side: used as it is where that serves.
    fn side_input(&mut self, i: usize, port: Port, channels: usize) -> Slots {
        if let Some(edge) = self.alias(i, port) {
            return self.value[self.index[&edge.from]];
        }
        let edges: Vec<&MeshEdge> = self.into[i].iter().filter(|edge| edge.port == port).copied().collect();
        let out = self.take(channels, self.schedule.stage_of[i]);
        self.mix(i, &edges, out, false);
        out
    }

    /// Mixes so many of the edges that lead into a node, but for those that are mixed already.
    fn mix_up_to(&mut self, i: usize, count: usize) {
        let node = &self.node(i).node;
        let (channels, room) = match &node.role {
            Role::Work { recipe, .. } => (recipe.channels, recipe.channels.max(node.channels)),
            _ => (node.channels, node.channels),
        };
        let begun = self.mixed[i];
        let edges = self.into[i].iter().filter(|edge| edge.port == Port::Main).take(count).skip(begun);
        let edges: Vec<&MeshEdge> = edges.copied().collect();
        if begun == 0 {
            let last_use = self.last_use[i].max(self.schedule.stage_of[i]);
            self.value[i] = Slots { first: self.take(room, last_use).first, count: channels };
        } else if edges.is_empty() {
            return;
        }
        self.mixed[i] += edges.len();
        self.mix(i, &edges, self.value[i], begun > 0);
    }

    /// Mixes edges that lead into a node, or adds them to what is mixed.
    fn mix(&mut self, i: usize, edges: &[&MeshEdge], out: Slots, adds: bool) {
        let first = self.plan.edges.len();
        let (place, channels) = (&self.node(i).node, out.count);
        for edge in edges {
            let from = match self.loop_value.get(&edge.id) {
                Some(slots) => *slots,
                None => self.value[self.index[&edge.from]],
            };
            let plain = edge.phase == Phase::Steady && edge.gain == 1.0 && edge.delay == 0 && edge.control.is_none();
            let cell = (!plain).then(|| self.edge_cell(edge, i, from.count));
            let captured = edge.port == Port::Main && self.keep.stems_of.as_ref() == Some(&place.path);
            let heard = edge.port == Port::Main && self.observed.hears(edge);
            let capture = (captured || heard).then(|| self.take(channels, TO_THE_END));
            if let Some(slots) = capture {
                if captured {
                    self.plan.captures.push(Capture { path: edge.path.clone(), slots, late: place.late });
                }
                if heard {
                    self.observed.carries(edge, slots, place.late);
                }
            }
            self.plan.edges.push(PlanEdge { from, cell, capture });
        }
        self.plan.ops.push(Op::Mix { first, last: self.plan.edges.len(), out, adds });
    }

    fn edge_cell(&mut self, edge: &MeshEdge, to: usize, channels: usize) -> usize {
        let cell = self.bank.edges.len();
        // One that is heard already without a cell of its own only now gets one.
        let is_new = edge.initial == 0.0 || !matches!(edge.phase, Phase::Arriving(_));
        self.layout.edges.insert(edge.id, cell);
        match self.running.edges.get(&edge.id) {
            Some(old) => {
                self.carry.edges.push((*old, cell));
                self.bank.edges.push(None);
            }
            None => self.bank.edges.push(Some(Box::new(EdgeCell::new(edge.initial, is_new, edge.delay, channels)))),
        }
        let length = fade_frames(self.mesh.crossfade, self.mesh.clock.rate);
        let (goal, due, fade) = match edge.phase {
            Phase::Steady | Phase::Held | Phase::Ringing(_) => (edge.gain, Due::default(), length),
            Phase::Arriving(fade) => (edge.gain, fade.due(), fade.length),
            Phase::Leaving(fade) => (0.0, fade.due(), fade.length),
        };
        let late = edge.late.max(self.node(to).node.late);
        let controls = edge.control.iter().map(|control| self.control(control, None)).collect();
        let controls = self.with_what_moved(edge.id, controls);
        self.plan.gains.push(PlanGain { goal, due, late, controls, fade, delay: edge.delay, channels });
        cell
    }

    fn work(&mut self, i: usize) {
        let mesh_node = self.node(i);
        let node = &mesh_node.node;
        match &node.role {
            Role::Sum => {}
            Role::Output(channels) | Role::Send(channels) => {
                let (channels, slots) = (channels.clone(), self.value[i]);
                let (leaving, send) = (!mesh_node.current, node.piece_of.clone());
                self.plan.outputs.push(PlanOutput { channels, slots, late: node.late, leaving, send });
            }
            Role::Work { table, recipe, wet } => {
                let key = self.side[i];
                let room = recipe.channels.max(node.channels);
                let (input, out) = match self.alias(i, Port::Main) {
                    Some(edge) => {
                        let from = self.index[&edge.from];
                        let out = self.in_place(i, from, room);
                        (self.value[from], out.unwrap_or_else(|| self.take(room, self.last_use[i])))
                    }
                    None if recipe.channels == 0 => (Slots::NONE, self.take(room, self.last_use[i])),
                    None => (self.value[i], Slots { first: self.value[i].first, count: room }),
                };
                let cell = self.bank.works.len();
                self.layout.works.insert(mesh_node.id, cell);
                match self.running.works.get(&mesh_node.id) {
                    Some(old) => {
                        self.carry.works.push((*old, cell));
                        self.bank.works.push(None);
                    }
                    None => {
                        let parameters = parameters_of(table.0, &recipe.parts);
                        let built = WorkCell::new(*table, parameters, recipe, *wet, node.channels);
                        self.bank.works.push(Some(Box::new(built)));
                    }
                }
                let first = self.plan.goals.len();
                self.plan.goals.extend(&recipe.values);
                let goals = first..self.plan.goals.len();
                let channels = (recipe.channels, node.channels);
                let controls = self.controls(i);
                let keyboard = sources::keyboard(table.0, |index| recipe.settings.get(index));
                let keyboard = keyboard.map(|source| self.source(&source));
                // Live inputs sound whether or not the transport goes on, and so does what is played by hand.
                let on_transport = recipe.channels == 0 && !sources::is_live(table.0) && keyboard.is_none();
                let late = node.late;
                let score = node.score.as_ref().map(|score| self.score(mesh_node.id, score));
                self.plan.works.push(PlanWork {
                    table: *table,
                    goals,
                    wet: *wet,
                    channels,
                    late,
                    on_transport,
                    score,
                    keyboard,
                    controls,
                });
                self.plan.paths.push(node.path.clone());
                self.plan.ops.push(Op::Work { cell, input, key, out });
                self.value[i] = Slots { first: out.first, count: node.channels };
            }
            Role::Blend { wet } => {
                let cell = self.bank.blends.len();
                self.layout.blends.insert(mesh_node.id, cell);
                match self.running.blends.get(&mesh_node.id) {
                    Some(old) => {
                        self.carry.blends.push((*old, cell));
                        self.bank.blends.push(None);
                    }
                    None => self.bank.blends.push(Some(Box::new(BlendCell::new(*wet)))),
                }
                let controls = self.controls(i);
                self.plan.blends.push(PlanBlend { wet: *wet, late: node.late, controls });
                self.plan.ops.push(Op::Blend { cell, dry: self.side[i], out: self.value[i] });
            }
        }
    }

    /// The buffers of the one input, if nobody else reads them any more and there are enough.
    fn in_place(&mut self, i: usize, from: usize, room: usize) -> Option<Slots> {
        let (holder, stage) = (self.holder[from], self.schedule.stage_of[i]);
        let readers = self.readers.get(&(holder, stage)).copied().unwrap_or(0);
        let first = self.value[from].first;
        let until = self.last_use[i].max(stage);
        let (slots, last_use) = self.held.iter_mut().find(|(slots, _)| slots.first == first)?;
        if readers != 1 || *last_use != stage || slots.count < room {
            return None;
        }
        *last_use = until;
        Some(Slots { first, count: room })
    }

    /// Takes as many neighbouring buffers as asked for, until the last stage that reads them.
    fn take(&mut self, count: usize, last_use: usize) -> Slots {
        let run = |first: &usize| (0..count).all(|i| self.free.get(first + i).copied().unwrap_or(true));
        let first = (0..=self.free.len()).find(run).unwrap_or(self.free.len());
        let slots = Slots { first, count };
        self.free.resize(self.free.len().max(first + count), true);
        self.free[slots.range()].fill(false);
        self.plan.slots = self.free.len();
        // What nobody reads is still written in the stage that makes it.
        let made = self.plan.stages.len();
        self.held.push((slots, last_use.max(made)));
        slots
    }
}
