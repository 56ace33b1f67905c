//! The mesh: what runs now. It is the newest graph together with whatever of older ones still fades or rings, every part
//! with an identity of its own, so that state can be carried and everything changed can be ramped.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Position;
use crate::graph::{Graph, Node, NodeControl, Port, Role};
use crate::keep::{Keep, Ledger};
use crate::kernel::QUANTUM;
use crate::tempo::Tempo;
use crate::units::Clock;

/// All that sounds, or is about to, or has not yet ended.
#[derive(Clone, Debug)]
pub struct Mesh {
    /// The session's clock.
    pub clock: Clock,
    /// Where beats and bars lie.
    pub tempo: Tempo,
    /// How long changes take to be made, in milliseconds.
    pub crossfade: f64,
    /// Its nodes.
    pub nodes: Vec<MeshNode>,
    /// Its edges.
    pub edges: Vec<MeshEdge>,
    /// The next identity to give.
    pub(crate) fresh: u64,
}

/// The identity of a node or an edge, and so of its state. Never used twice.
pub type Id = u64;

/// A node that has, or had, a place in the text.
#[derive(Clone, Debug)]
pub struct MeshNode {
    /// Its identity.
    pub id: Id,
    /// What it is.
    pub node: Node,
    /// Its place in the order of its graph.
    pub rank: usize,
    /// Whether the newest text has it.
    pub current: bool,
    /// When it and what it hears of give all that they will: lines that were new have filled by then.
    pub full: Due,
}

/// What flows, or still flows, from one node to another.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshEdge {
    /// Its identity.
    pub id: Id,
    /// The node it comes from.
    pub from: Id,
    /// The node it leads to.
    pub to: Id,
    /// The way in.
    pub port: Port,
    /// The path it is known and sorted by.
    pub path: String,
    /// What tells it from other edges between the same ports.
    pub label: String,
    /// The linear gain that the text gives it.
    pub gain: f64,
    /// The gain its cell starts with, should it need a new one.
    pub initial: f64,
    /// What moves the gain.
    pub control: Option<NodeControl>,
    /// Frames by which what flows at its end was late when it came, or is now.
    pub late: usize,
    /// Frames it waits for slower ones.
    pub delay: usize,
    /// Frames of a feedback's line.
    pub feedback: Option<usize>,
    /// What it is about.
    pub phase: Phase,
    /// Where the text plugs it in.
    pub at: Position,
}

/// What an edge is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is as the text says.
    Steady,
    /// It ramps to what the text says.
    Arriving(Fade),
    /// It ramps to silence, and ends.
    Leaving(Fade),
    /// It feeds something that is fading out further on, and ends with it.
    Held,
    /// It carries a tail, for as long as a fade would take, then leaves.
    Ringing(Fade),
}

/// The earliest that something may happen: so many frames after the plan is taken up, and not before a frame of the
/// renderer's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    after: u32,
    at: u64,
}

impl Due {
    /// So many frames after the plan is taken up.
    pub fn after(frames: u32) -> Due {
        Due { after: frames, at: 0 }
    }

    /// The later of two.
    pub fn join(self, other: Due) -> Due {
        Due { after: self.after.max(other.after), at: self.at.max(other.at) }
    }

    /// So many frames later.
    pub fn later(self, frames: u32) -> Due {
        match frames {
            0 => self,
            _ => Due { after: self.after.saturating_add(frames), at: self.at.saturating_add(u64::from(frames)) },
        }
    }

    /// The frames that a plan has to be taken up before something is to happen.
    pub fn lead(self) -> u32 {
        self.after
    }

    /// The frames that are left when the plan is taken up at a frame of the clock. RT.
    pub fn left(self, clock: u64) -> u32 {
        self.after.max(u32::try_from(self.at.saturating_sub(clock)).unwrap_or(u32::MAX))
    }

    /// Begins with a quantum: the clock counts whole ones.
    fn whole_quanta(self) -> Due {
        let quantum = QUANTUM as u32;
        let at = self.at.checked_next_multiple_of(u64::from(quantum)).unwrap_or(self.at);
        Due { after: self.after.checked_next_multiple_of(quantum).unwrap_or(self.after), at }
    }

    fn taken_up(&mut self, clock: u64) {
        if self.after > 0 {
            *self = Due { after: 0, at: self.at.max(clock + u64::from(self.after)) };
        }
    }
}

/// How an edge gets to its new gain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fade {
    /// The earliest that it sets out.
    wait: Due,
    /// By how many frames it is later than that, as what flows there is.
    late: u32,
    /// Frames that it takes.
    pub length: u32,
    /// The frame of the renderer's clock at which it sets out where nothing is late, once the plan has been taken up.
    sets_out: Option<u64>,
}

impl Fade {
    /// A fade that has yet to begin, with a quantum, where what flows is `late`.
    pub fn new(wait: Due, late: usize, length: u32) -> Self {
        Fade { wait: wait.whole_quanta(), late: late as u32, length, sets_out: None }
    }

    /// When it sets out where nothing is late.
    pub fn due(&self) -> Due {
        self.sets_out.map_or(self.wait, |at| Due { after: 0, at })
    }

    /// Whether it was made to wait for something to fill.
    pub fn was_held_back(&self) -> bool {
        self.wait != Due::default()
    }

    /// The frame of the clock at which it is over, once that is known.
    fn ends(&self) -> Option<u64> {
        self.sets_out.map(|at| at + u64::from(self.late) + u64::from(self.length))
    }

    fn taken_up(&mut self, clock: u64, heard: u64) {
        let due = heard.max(clock + u64::from(self.wait.left(clock)));
        self.sets_out.get_or_insert(due);
    }

    fn is_past(&self, now: u64) -> bool {
        self.ends().is_some_and(|end| end <= now)
    }
}

/// Of a steady mesh: what tells it from that of the same graph which nothing ran before.
impl Keep for Mesh {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.fresh.keep(ledger);
        ledger.exactly(self.nodes.len());
        let mut now: BTreeMap<Id, Id> = BTreeMap::new();
        for MeshNode { id, node, full, .. } in &mut self.nodes {
            let before = *id;
            ledger.called(&node.path);
            id.keep(ledger);
            full.at.keep(ledger);
            now.insert(before, *id);
        }
        ledger.exactly(self.edges.len());
        for edge in &mut self.edges {
            ledger.called(&edge.path);
            edge.id.keep(ledger);
            edge.late.keep(ledger);
            for end in [&mut edge.from, &mut edge.to] {
                *end = now.get(end).copied().unwrap_or(*end);
            }
        }
    }
}

/// The fade that ends a tail, in seconds.
const TAIL_FADE_SECONDS: f64 = 1.0;

impl Mesh {
    /// A mesh of nothing yet, in a graph's time.
    pub fn empty(graph: &Graph) -> Self {
        let Graph { clock, tempo, crossfade, .. } = graph;
        Mesh {
            clock: *clock,
            tempo: tempo.clone(),
            crossfade: *crossfade,
            nodes: Vec::new(),
            edges: Vec::new(),
            fresh: 0,
        }
    }

    /// The node of an identity.
    pub fn node(&self, id: Id) -> Option<&MeshNode> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// Whether it is what the newest text says and nothing besides: nothing fades in or out, or rings on.
    pub fn is_steady(&self) -> bool {
        self.nodes.iter().all(|node| node.current) && self.edges.iter().all(|edge| edge.phase == Phase::Steady)
    }

    /// Learns at which frame of the clock the plan made of it was taken up, and from which on it is heard where nothing is
    /// late.
    pub fn taken_up(&mut self, clock: u64, heard: u64) {
        self.nodes.iter_mut().for_each(|node| node.full.taken_up(clock));
        for edge in &mut self.edges {
            match &mut edge.phase {
                Phase::Arriving(fade) | Phase::Leaving(fade) | Phase::Ringing(fade) => fade.taken_up(clock, heard),
                Phase::Steady | Phase::Held => {}
            }
        }
    }

    /// The next frame at which something ends, if anything will.
    pub fn next_end(&self) -> Option<u64> {
        let ends = self.edges.iter().filter_map(|edge| match edge.phase {
            Phase::Arriving(fade) | Phase::Leaving(fade) | Phase::Ringing(fade) => fade.ends(),
            Phase::Steady | Phase::Held => None,
        });
        ends.min()
    }

    /// What is left when everything that has ended by `now` is gone; `None` when that is all of it.
    pub fn settled(&self, now: u64) -> Option<Mesh> {
        if self.next_end().is_none_or(|end| end > now) {
            return None;
        }
        let mut mesh = self.clone();
        mesh.edges.retain(|edge| !matches!(edge.phase, Phase::Leaving(fade) if fade.is_past(now)));
        for edge in &mut mesh.edges {
            match edge.phase {
                Phase::Arriving(fade) if fade.is_past(now) => {
                    edge.phase = Phase::Steady;
                    edge.initial = edge.gain;
                }
                Phase::Ringing(fade) if fade.is_past(now) => {
                    let length = crate::fade::fade_frames(TAIL_FADE_SECONDS * 1000.0, self.clock.rate);
                    edge.phase = Phase::Leaving(Fade::new(Due::default(), edge.late, length));
                }
                _ => {}
            }
        }
        mesh.drop_unheard();
        Some(mesh)
    }

    /// Takes out what is not of the newest text and cannot be heard any more.
    pub(crate) fn drop_unheard(&mut self) {
        if self.nodes.iter().all(|node| node.current) {
            return;
        }
        let mut into: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
        for edge in &self.edges {
            into.entry(edge.to).or_default().push(edge.from);
        }
        let still_leaves = |node: &MeshNode| matches!(node.node.role, Role::Output(_)) && into.contains_key(&node.id);
        let ends = self.nodes.iter().filter(|node| node.current || still_leaves(node));
        let mut open: Vec<Id> = ends.map(|node| node.id).collect();
        let mut heard: BTreeSet<Id> = open.iter().copied().collect();
        while let Some(to) = open.pop() {
            let from = into.get(&to).map_or(&[][..], Vec::as_slice);
            open.extend(from.iter().copied().filter(|from| heard.insert(*from)));
        }
        self.nodes.retain(|node| heard.contains(&node.id));
        self.edges.retain(|edge| heard.contains(&edge.from) && heard.contains(&edge.to));
    }

    /// The indices of [`Mesh::nodes`], each after all it hears of, feedback aside; otherwise nodes of one way round.
    pub(crate) fn order(&self) -> Result<Vec<usize>, Vec<usize>> {
        let index = self.index();
        let links: Vec<(usize, usize)> = self
            .edges
            .iter()
            .filter(|edge| edge.feedback.is_none())
            .map(|edge| (index[&edge.from], index[&edge.to]))
            .collect();
        crate::graph::topological(self.nodes.len(), &links)
            .map_err(|round| round.into_iter().map(|link| links[link].0).collect())
    }

    /// Where each node is in [`Mesh::nodes`].
    pub(crate) fn index(&self) -> BTreeMap<Id, usize> {
        self.nodes.iter().enumerate().map(|(i, node)| (node.id, i)).collect()
    }
}
