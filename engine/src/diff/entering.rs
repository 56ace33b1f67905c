//! How what is new comes in: what is faded at its input rather than its output, and what has to be filled with sound before.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::{Union, is_effect};
use crate::graph::{Edge, Node, Port};
use crate::mesh::{Due, Id, MeshEdge};
use crate::parameter::Memory;

/// Where new ways take over from old ones: what fades out there goes on until the lines of what fades in are full, so that the
/// one follows on from the other. Ways that lead from other places, or to others, have nothing to do with it.
pub(super) struct Seams<'a> {
    union: &'a Union<'a>,
    /// For every node of the graph when lines that are new, or were a moment ago, have filled before it and in it.
    pub full: Vec<Due>,
    /// What feeds each node of the graph, loops aside.
    feeds: Vec<Vec<&'a Edge>>,
    /// What is asked of only where something comes or goes.
    origins: OnceCell<Vec<BTreeSet<&'a str>>>,
    before: OnceCell<Before<'a>>,
}

/// What ran.
struct Before<'a> {
    /// The graph's nodes by the running ones that they are.
    now: BTreeMap<Id, usize>,
    /// The running edges by the node that they lead to, and from.
    into: BTreeMap<Id, Vec<&'a MeshEdge>>,
    out_of: BTreeMap<Id, Vec<&'a MeshEdge>>,
}

/// Whether it stands in the text under a name, so that ways begin and end there: no effect, and no sum of a list.
fn is_place(node: &Node) -> bool {
    !is_effect(node) && !node.path.contains('+')
}

fn is_sound(port: Port) -> bool {
    matches!(port, Port::Main | Port::Dry)
}

impl<'a> Seams<'a> {
    pub fn new(union: &'a Union<'a>) -> Self {
        let graph = union.graph;
        let mut feeds: Vec<Vec<&Edge>> = vec![Vec::new(); graph.nodes.len()];
        for edge in graph.edges.iter().filter(|edge| edge.feedback.is_none()) {
            feeds[edge.to].push(edge);
        }
        let mut full = vec![Due::default(); graph.nodes.len()];
        for &i in &graph.order {
            let node = &graph.nodes[i];
            full[i] = match union.before(i) {
                Some(old) => old.full,
                None => {
                    let own = if node.memory == Memory::Line { node.tail as u32 } else { 0 };
                    feeds[i].iter().fold(Due::default(), |due, edge| due.join(full[edge.from])).later(own)
                }
            };
        }
        Seams { union, full, feeds, origins: OnceCell::new(), before: OnceCell::new() }
    }

    /// For every node of the graph the places whose sound reaches it, through effects and whatever is new.
    fn origins(&self) -> &[BTreeSet<&'a str>] {
        self.origins.get_or_init(|| {
            let graph = self.union.graph;
            let mut all: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); graph.nodes.len()];
            for &i in &graph.order {
                let node = &graph.nodes[i];
                let mut origins: BTreeSet<&str> = BTreeSet::new();
                if !is_place(node) || self.union.before(i).is_none() {
                    let heard = self.feeds[i].iter().filter(|edge| is_sound(edge.port) && edge.gain != 0.0);
                    heard.for_each(|edge| origins.extend(&all[edge.from]));
                }
                if is_place(node) || origins.is_empty() {
                    origins.insert(&node.path);
                }
                all[i] = origins;
            }
            all
        })
    }

    fn before(&self) -> &Before<'a> {
        self.before.get_or_init(|| {
            let (mut into, mut out_of): (BTreeMap<Id, Vec<_>>, BTreeMap<Id, Vec<_>>) = Default::default();
            let union = self.union;
            for edge in union.old.edges.iter().filter(|edge| edge.feedback.is_none() && is_sound(edge.port)) {
                into.entry(edge.to).or_default().push(edge);
                out_of.entry(edge.from).or_default().push(edge);
            }
            let matched = union.matched.iter().enumerate();
            let now = matched.filter_map(|(i, id)| Some(((*id)?, i))).collect();
            Before { now, into, out_of }
        })
    }

    /// When a way that is new, and the others by which the same is heard at the same place, are full.
    pub fn entering(&self, edge: &Edge) -> Due {
        let origins = self.origins();
        let ways = self.ways(edge.to, edge.port, |from| !origins[from].is_disjoint(&origins[edge.from]));
        ways.unwrap_or(self.full[edge.from])
    }

    /// When all that leads to a node of the graph is full.
    pub fn all_into(&self, to: usize) -> Due {
        let edges = self.union.graph.edges.iter().filter(|edge| edge.to == to);
        edges.fold(Due::default(), |due, edge| due.join(self.full[edge.from]))
    }

    /// When the ways are full by which the sound of a running edge that is gone is heard from now on; none if it is not.
    pub fn leaving(&self, edge: &MeshEdge) -> Option<Due> {
        let (origins, now) = (self.origins_before(edge.from), self.origins());
        let same = |from: usize| !now[from].is_disjoint(&origins);
        self.ends(edge).into_iter().filter_map(|(to, port)| self.ways(to, port, same)).reduce(Due::join)
    }

    /// When those ways into a node are full that come from such nodes and let anything through; none if there are none.
    fn ways(&self, to: usize, port: Port, from: impl Fn(usize) -> bool) -> Option<Due> {
        let edges = self.union.graph.edges.iter().filter(|edge| edge.to == to && edge.port == port);
        let ways = edges.filter(|edge| edge.gain != 0.0 && from(edge.from));
        ways.map(|edge| self.full[edge.from]).reduce(Due::join)
    }

    /// The places whose sound reaches a running node, through effects and whatever is gone.
    fn origins_before(&self, from: Id) -> BTreeSet<&'a str> {
        let (mut open, mut seen, mut origins) = (vec![from], BTreeSet::new(), BTreeSet::new());
        while let Some(id) = open.pop() {
            let Some(old) = self.union.old_nodes.get(&id).filter(|_| seen.insert(id)) else { continue };
            let feeds = self.before().into.get(&id).map_or(&[][..], Vec::as_slice);
            let place = is_place(&old.node);
            if place || feeds.is_empty() {
                origins.insert(old.node.path.as_str());
            }
            if !place || !self.union.carried(id) {
                open.extend(feeds.iter().map(|edge| edge.from));
            }
        }
        origins
    }

    /// Where the sound of a running edge comes to what stays: the nodes of the graph, and by which way in.
    fn ends(&self, edge: &MeshEdge) -> Vec<(usize, Port)> {
        let (mut open, mut seen, mut ends) = (vec![(edge.to, edge.port)], BTreeSet::new(), Vec::new());
        while let Some((id, port)) = open.pop() {
            match self.before().now.get(&id) {
                Some(node) => ends.push((*node, port)),
                None if seen.insert(id) => {
                    let on = self.before().out_of.get(&id).map_or(&[][..], Vec::as_slice);
                    open.extend(on.iter().map(|edge| (edge.to, edge.port)));
                }
                None => {}
            }
        }
        ends
    }
}

impl Union<'_> {
    /// For every node of the graph, whether it is new and its sound fades in by itself: it echoes, and so must never hear
    /// a step, or it hears of something that does; then all that flows into it is faded in.
    pub(super) fn faded_in(&self) -> Vec<bool> {
        let mut faded = vec![false; self.graph.nodes.len()];
        let mut feeds: Vec<Vec<usize>> = vec![Vec::new(); self.graph.nodes.len()];
        for edge in self.graph.edges.iter().filter(|edge| edge.feedback.is_none() && edge.port != Port::Key) {
            feeds[edge.to].push(edge.from);
        }
        for &i in &self.graph.order {
            let by_feeds = feeds[i].iter().any(|from| faded[*from]);
            let echoes = self.graph.nodes[i].memory == Memory::Echoes;
            faded[i] = self.matched[i].is_none() && (echoes || by_feeds);
        }
        faded
    }
}
