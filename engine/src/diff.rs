//! From what runs and what the newest text says to what shall run: which state goes on, what fades in, what fades out
//! or rings on.

mod entering;
mod matching;

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::fade::fade_frames;
use crate::graph::{Graph, Node, Port, Role};
use crate::mesh::{Due, Fade, Id, Mesh, MeshEdge, MeshNode, Phase};
use crate::parameter::Memory;
use entering::Seams;
use matching::match_nodes;

mod changes;

pub use changes::Changes;

/// How long a removed tail may ring before its last fade, in seconds.
const TAIL_HOLD_SECONDS: f64 = 9.0;

/// How much of a loop that has been taken out goes round again, so that it dies away whatever its gain was.
const RINGING_LOOP: f64 = 0.95;

/// The mesh for a graph, with everything that fades on the way there; `None` when that is what runs already.
pub fn edit(old: &Mesh, graph: &Graph) -> Option<(Mesh, Changes)> {
    let mut forced: BTreeSet<Id> = BTreeSet::new();
    loop {
        let matched = match_nodes(old, graph, &forced);
        let (mesh, changes) = Union::new(old, graph, matched).build();
        match mesh.order() {
            Ok(_) if changes.is_empty() && same(old, &mesh) => return None,
            Ok(_) => return Some((mesh, changes)),
            Err(round) => {
                // Old and new ways together close a loop: one of the nodes on it starts anew beside its old self.
                let carried = |node: &&MeshNode| old.node(node.id).is_some_and(|n| n.current) && node.current;
                let on_round: Vec<&MeshNode> = round.iter().map(|i| &mesh.nodes[*i]).filter(carried).collect();
                let stateless = on_round.iter().find(|node| matches!(node.node.role, Role::Sum));
                match stateless.or(on_round.first()) {
                    Some(node) => forced.insert(node.id),
                    None => return Some((first(graph, old.fresh), changes)),
                };
            }
        }
    }
}

/// The mesh of a graph that nothing runs before: everything steady from its first frame.
pub fn first(graph: &Graph, fresh: Id) -> Mesh {
    let nothing = Mesh { fresh, ..Mesh::empty(graph) };
    let (mut mesh, _) = Union::new(&nothing, graph, vec![None; graph.nodes.len()]).build();
    for edge in &mut mesh.edges {
        edge.phase = Phase::Steady;
        edge.initial = edge.gain;
    }
    // Lines that nothing was heard before are full of what there was: silence.
    mesh.nodes.iter_mut().for_each(|node| node.full = Due::default());
    mesh
}

fn same(old: &Mesh, new: &Mesh) -> bool {
    old.edges.len() == new.edges.len()
        && (old.crossfade, &old.tempo) == (new.crossfade, &new.tempo)
        && old.nodes.len() == new.nodes.len()
        && old
            .nodes
            .iter()
            .zip(&new.nodes)
            .all(|(a, b)| (a.id, a.current, &a.node.path) == (b.id, b.current, &b.node.path))
        && old
            .edges
            .iter()
            .zip(&new.edges)
            .all(|(a, b)| (a.id, a.phase, &a.path, a.gain) == (b.id, b.phase, &b.path, b.gain))
}

fn is_effect(node: &Node) -> bool {
    node.path.contains('/')
}

struct Union<'a> {
    old: &'a Mesh,
    graph: &'a Graph,
    /// For each node of the graph the running one that it is.
    matched: Vec<Option<Id>>,
    /// The running nodes that go on.
    carried: BTreeSet<Id>,
    old_nodes: BTreeMap<Id, &'a MeshNode>,
    /// The running edges, those between the same ports together.
    twins: Vec<(Between<'a>, &'a MeshEdge)>,
}

/// What an edge joins: from, to, the way in, its label, whether it closes a loop.
type Between<'a> = (Id, Id, Port, &'a str, bool);

impl<'a> Union<'a> {
    fn new(old: &'a Mesh, graph: &'a Graph, matched: Vec<Option<Id>>) -> Self {
        let between =
            |edge: &'a MeshEdge| (edge.from, edge.to, edge.port, edge.label.as_str(), edge.feedback.is_some());
        let mut twins: Vec<(Between, &MeshEdge)> = old.edges.iter().map(|edge| (between(edge), edge)).collect();
        twins.sort_by_key(|(between, _)| *between);
        Union {
            carried: matched.iter().flatten().copied().collect(),
            old_nodes: old.nodes.iter().map(|node| (node.id, node)).collect(),
            old,
            graph,
            matched,
            twins,
        }
    }

    fn build(&self) -> (Mesh, Changes) {
        let mut mesh = Mesh { fresh: self.old.fresh, ..Mesh::empty(self.graph) };
        let mut changes = Changes::default();
        let seams = Seams::new(self);
        let ids = self.nodes(&mut mesh, &seams, &mut changes);
        self.new_edges(&mut mesh, &ids, &seams, &mut changes);
        self.removed_cables(&mesh, &mut changes);
        if !self.old.nodes.is_empty() {
            let (old, new) = (self.old.tempo.clock(), self.graph.tempo.clock());
            let moves_like = self.old.tempo.moves_like(&self.graph.tempo);
            let told = [(moves_like, "tempo"), (old.beats_per_bar == new.beats_per_bar, "time_signature")];
            changes.changed.extend(told.into_iter().filter(|(same, _)| !same).map(|(_, word)| word.to_owned()));
        }
        mesh.drop_unheard();
        changes.tidy();
        (mesh, changes)
    }

    fn carried(&self, id: Id) -> bool {
        self.carried.contains(&id)
    }

    /// The running edges between the same ports.
    fn twins(&self, between: Between<'_>) -> impl Iterator<Item = &'a MeshEdge> {
        let first = self.twins.partition_point(|(other, _)| *other < between);
        self.twins[first..].iter().take_while(move |(other, _)| *other == between).map(|(_, edge)| *edge)
    }

    /// The running node that a node of the graph is.
    fn before(&self, node: usize) -> Option<&'a MeshNode> {
        self.matched[node].and_then(|id| self.old_nodes.get(&id).copied())
    }

    fn nodes(&self, mesh: &mut Mesh, seams: &Seams<'_>, changes: &mut Changes) -> Vec<Id> {
        let mut ids = vec![0; self.graph.nodes.len()];
        let ended = LazyCell::new(|| -> BTreeSet<&str> {
            let ended = self.old.nodes.iter().filter(|old| old.current && !self.carried(old.id));
            ended.map(|old| old.node.path.as_str()).collect()
        });
        for (rank, &i) in self.graph.order.iter().enumerate() {
            let node = &self.graph.nodes[i];
            let before = self.before(i);
            ids[i] = match before {
                Some(old) => {
                    if !old.current {
                        // It was on its way out, and is taken back.
                        changes.added(node);
                    }
                    let played = old.node.score != node.score;
                    if played || numbers_differ(&old.node.role, &node.role) || old.node.controls != node.controls {
                        changes.changed(node);
                    }
                    old.id
                }
                None => {
                    if ended.contains(node.path.as_str()) {
                        changes.restarted(node)
                    } else {
                        changes.added(node)
                    }
                    mesh.fresh += 1;
                    mesh.fresh - 1
                }
            };
            mesh.nodes.push(MeshNode { id: ids[i], node: node.clone(), rank, current: true, full: seams.full[i] });
        }
        let paths = LazyCell::new(|| self.paths());
        for old in self.old.nodes.iter().filter(|old| !self.carried(old.id)) {
            if old.current && !paths.contains(old.node.path.as_str()) {
                changes.removed(&old.node);
            }
            let mut gone = MeshNode { current: false, ..old.clone() };
            if old.current {
                gone.node.role.let_go();
            }
            mesh.nodes.push(gone);
        }
        ids
    }

    /// What the text has.
    fn paths(&self) -> BTreeSet<&'a str> {
        self.graph.nodes.iter().map(|node| node.path.as_str()).collect()
    }

    fn new_edges(&self, mesh: &mut Mesh, ids: &[Id], seams: &Seams<'_>, changes: &mut Changes) {
        let length = fade_frames(self.graph.crossfade, self.graph.clock.rate);
        // What those wait for that are replaced by an edge of the same place, and what replaces them.
        let mut waits: BTreeMap<Id, Due> = BTreeMap::new();
        let faded_in = LazyCell::new(|| self.faded_in());
        // A cable that something was taken out of is the same cable.
        let before = LazyCell::new(|| -> BTreeSet<&str> {
            let stayed = self.old.edges.iter().filter(|edge| matches!(edge.phase, Phase::Steady | Phase::Arriving(_)));
            stayed.map(|edge| edge.path.as_str()).collect()
        });
        for edge in &self.graph.edges {
            let (from, to) = (ids[edge.from], ids[edge.to]);
            let between = (from, to, edge.port, edge.label.as_str(), edge.feedback.is_some());
            let twin = self.twins(between).max_by_key(|old| (old.delay, old.feedback) == (edge.delay, edge.feedback));
            let base = MeshEdge {
                id: 0,
                from,
                to,
                port: edge.port,
                path: edge.path.clone(),
                label: edge.label.clone(),
                gain: edge.gain,
                initial: edge.gain,
                control: edge.control.clone(),
                late: self.late(to, edge.to),
                delay: edge.delay,
                feedback: edge.feedback,
                phase: Phase::Steady,
                at: edge.at,
            };
            let fade = |wait: Due| Phase::Arriving(Fade::new(wait, base.late, length));
            let goes_on = twin.filter(|old| (old.delay, old.feedback) == (edge.delay, edge.feedback));
            if let Some(old) = goes_on {
                let phase = match old.phase {
                    phase @ (Phase::Steady | Phase::Arriving(_))
                        if old.gain == edge.gain && old.control == edge.control =>
                    {
                        phase
                    }
                    Phase::Arriving(begun) => fade(begun.due().join(seams.full[edge.from])),
                    // It was let go, perhaps before anything was to be heard of it.
                    Phase::Leaving(_) => fade(seams.full[edge.from]),
                    Phase::Steady | Phase::Held | Phase::Ringing(_) => fade(Due::default()),
                };
                if old.gain != edge.gain || old.control != edge.control {
                    changes.changed.push(edge.path.clone());
                }
                mesh.edges.push(MeshEdge { id: old.id, initial: old.initial, phase, ..base });
                continue;
            }
            if let Some(old) = twin {
                let wait = match edge.feedback {
                    // Its line is filled before it is let through, and until then the old one goes on.
                    Some(line) => {
                        changes.changed.push(edge.path.clone());
                        Due::after(line as u32)
                    }
                    None => {
                        let by = edge.delay as i64 - old.delay as i64;
                        changes.realigned(&edge.path, &self.graph.nodes[edge.from], by);
                        // All that meets there is on time together.
                        seams.all_into(edge.to)
                    }
                };
                waits.extend([mesh.fresh, old.id].map(|id| (id, wait)));
            }
            let node = &self.graph.nodes[edge.to];
            let stays = self.carried(to) || node.role.leaves();
            let enters = !faded_in[edge.from] && (stays || faded_in[edge.to] && edge.port != Port::Key);
            let (initial, phase) = match enters {
                // Lines and look-aheads fill with sound before any of it is let through: that takes as long as it is late.
                true => (0.0, fade(waits.get(&mesh.fresh).copied().unwrap_or_default().join(seams.entering(edge)))),
                false => (edge.gain, Phase::Steady),
            };
            let only_cable = self.carried(from) && self.carried(to) && twin.is_none();
            if only_cable && !before.contains(edge.path.as_str()) && edge.path.contains('>') && !edge.path.contains('/')
            {
                changes.added.push(edge.path.clone());
            }
            mesh.fresh += 1;
            mesh.edges.push(MeshEdge { id: mesh.fresh - 1, initial, phase, ..base });
        }
        self.leave(mesh, length, &waits, seams);
    }

    /// Frames by which what flows into a node is late, now or until now: where that changes, nothing changes before both.
    fn late(&self, id: Id, node: usize) -> usize {
        self.old_nodes.get(&id).map_or(0, |old| old.node.late).max(self.graph.nodes[node].late)
    }

    /// What the text no longer has: it fades at the last point before what stays; what echoes is faded at what flows into
    /// it, and rings.
    fn leave(&self, mesh: &mut Mesh, length: u32, waits: &BTreeMap<Id, Due>, seams: &Seams<'_>) {
        let kept: BTreeSet<Id> = mesh.edges.iter().map(|edge| edge.id).collect();
        let gone: Vec<&MeshEdge> = self.old.edges.iter().filter(|edge| !kept.contains(&edge.id)).collect();
        if gone.is_empty() {
            return;
        }
        let tails = self.tails(&gone);
        for edge in gone {
            let late = match self.matched.iter().position(|id| *id == Some(edge.to)) {
                Some(node) => self.late(edge.to, node),
                None => edge.late,
            };
            let way_on = seams.leaving(edge);
            // What nothing takes over from is waited for by nothing.
            let wait =
                way_on.map_or(Due::default(), |wait| wait.join(waits.get(&edge.id).copied().unwrap_or_default()));
            let leaving = Phase::Leaving(Fade::new(wait, late, length));
            let leaves_desk = self.old_nodes.get(&edge.to).is_some_and(|to| to.node.role.leaves());
            let last = self.carried(edge.to) || leaves_desk;
            let mut gain = edge.gain;
            let phase = match (edge.phase, tails.get(&edge.from)) {
                (Phase::Leaving(fade), _) if way_on.is_none() && fade.was_held_back() => leaving,
                (phase @ Phase::Leaving(_), _) => phase,
                (phase, Some(_)) if edge.feedback.is_some() && !last => {
                    // A loop that is gone as a whole goes round on, and dies away.
                    if phase != Phase::Held {
                        gain *= RINGING_LOOP;
                    }
                    Phase::Held
                }
                _ if edge.feedback.is_some() => leaving,
                (phase @ Phase::Ringing(_), Some(_)) if last => phase,
                (_, Some(tail)) if last => Phase::Ringing(Fade::new(wait, late, length + *tail as u32)),
                (_, None) if last || tails.contains_key(&edge.to) => leaving,
                _ => Phase::Held,
            };
            mesh.edges.push(MeshEdge { phase, gain, late, ..edge.clone() });
        }
    }

    /// For every node that is gone but rings, the frames it does so for.
    fn tails(&self, gone: &[&MeshEdge]) -> BTreeMap<Id, u64> {
        let most = (TAIL_HOLD_SECONDS * self.graph.clock.rate) as u64;
        let mut tails: BTreeMap<Id, u64> = BTreeMap::new();
        let mut nodes: Vec<&MeshNode> = self.old.nodes.iter().filter(|node| !self.carried(node.id)).collect();
        nodes.sort_by_key(|node| node.rank);
        // In the order of their graph each node comes after what feeds it; a second pass serves those of older graphs.
        for _ in 0..2 {
            for node in &nodes {
                let mut feeds = gone.iter().filter(|edge| edge.to == node.id);
                let looped = feeds.clone().any(|edge| edge.feedback.is_some() && !self.carried(edge.from));
                let before = feeds.by_ref().filter_map(|edge| tails.get(&edge.from)).max().copied();
                let echoes = node.node.memory == Memory::Echoes;
                let own = match (looped, echoes) {
                    (true, _) => most,
                    (false, true) => node.node.tail,
                    (false, false) => 0,
                };
                if looped || echoes || before.is_some() {
                    tails.insert(node.id, (own + before.unwrap_or(0)).min(most));
                }
            }
        }
        tails
    }

    /// Tells of cables that are gone from between places that stay.
    fn removed_cables(&self, mesh: &Mesh, changes: &mut Changes) {
        let new =
            LazyCell::new(|| -> BTreeSet<&str> { self.graph.edges.iter().map(|edge| edge.path.as_str()).collect() });
        let places = LazyCell::new(|| self.paths());
        for edge in mesh.edges.iter().filter(|edge| matches!(edge.phase, Phase::Leaving(_))) {
            // A send may go with the effect that it was tapped behind.
            let is_cable = !edge.path.contains('/');
            let stays = || edge.path.split_once('>').is_some_and(|(place, _)| is_cable && places.contains(place));
            let between = self.carried(edge.to) && (self.carried(edge.from) || stays());
            if between && !new.contains(edge.path.as_str()) {
                changes.removed.push(edge.path.clone());
            }
        }
    }
}

fn numbers_differ(old: &Role, new: &Role) -> bool {
    match (old, new) {
        (Role::Work { recipe: a, wet: v, .. }, Role::Work { recipe: b, wet: w, .. }) => a.values != b.values || v != w,
        (Role::Blend { wet: a }, Role::Blend { wet: b }) => a != b,
        _ => false,
    }
}
