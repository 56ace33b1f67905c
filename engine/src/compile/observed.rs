//! What of a plan somebody looks at: its meters, and the points that are listened to. Their buffers are kept to the end of the
//! quantum.

use std::collections::{BTreeMap, BTreeSet};

use super::{Compiler, Keep};
use crate::graph::Port;
use crate::listen::{Heard, Point, Spot};
use crate::mesh::{Id, Mesh, MeshEdge, MeshNode, Phase};
use crate::meter::Meter;
use crate::plan::{PlanCue, Slots};

/// What is looked at, by path.
#[derive(Default)]
pub(super) struct Observed {
    nodes: BTreeSet<String>,
    cables: BTreeSet<String>,
    meters: bool,
    /// The nodes whose sound metered cables carry as it is: those that no gain turns.
    carriers: BTreeMap<String, Id>,
    carrying: BTreeSet<Id>,
    /// Where the cables have been found to carry their sound, and how late it is there.
    carried: Vec<(String, Slots, usize)>,
}

impl Observed {
    pub(super) fn of(keep: &Keep, mesh: &Mesh) -> Self {
        let mut observed = Observed { meters: keep.looks.meters, ..Observed::default() };
        let levels = keep.looks.levels.iter();
        let metered: BTreeSet<&String> = levels.clone().filter_map(|point| point.spot.cable()).collect();
        let as_it_is = |edge: &&MeshEdge| {
            let unturned = edge.gain == 1.0 && edge.control.is_none() && edge.feedback.is_none();
            edge.phase == Phase::Steady && edge.port == Port::Main && unturned && metered.contains(&edge.path)
        };
        let carriers = mesh.edges.iter().filter(as_it_is).map(|edge| (edge.path.clone(), edge.from));
        observed.carriers = carriers.collect();
        observed.carrying = observed.carriers.values().copied().collect();
        for point in levels {
            match &point.spot {
                Spot::Node(path) => observed.nodes.insert(path.clone()),
                Spot::Cable(path) if !observed.carriers.contains_key(path) => observed.cables.insert(path.clone()),
                Spot::Cable(_) | Spot::Delivered => false,
            };
        }
        let ahead = keep.looks.cue.iter().flat_map(|cue| &cue.point);
        for point in keep.looks.points.iter().chain(ahead) {
            match &point.spot {
                Spot::Delivered => false,
                Spot::Node(path) => observed.nodes.insert(path.clone()),
                Spot::Cable(path) => observed.cables.insert(path.clone()),
            };
        }
        observed
    }

    /// Whether somebody listens to what an edge carries.
    pub(super) fn hears(&self, edge: &MeshEdge) -> bool {
        !matches!(edge.phase, Phase::Leaving(_)) && self.cables.contains(&edge.path)
    }

    /// What an edge carries lies here, for whoever listens.
    pub(super) fn carries(&mut self, edge: &MeshEdge, slots: Slots, late: usize) {
        self.carried.push((edge.path.clone(), slots, late));
    }
}

impl Compiler<'_> {
    /// Whether the sound of a node is kept for somebody who looks at it.
    pub(super) fn is_observed(&self, i: usize) -> bool {
        let MeshNode { id, node, current, .. } = self.node(i);
        let carries = self.observed.carrying.contains(id);
        self.is_metered(i) || carries || *current && self.observed.nodes.contains(&node.path)
    }

    /// Whether a node is an input or a bus that is metered. Master is metered where it leaves.
    fn is_metered(&self, i: usize) -> bool {
        let MeshNode { node, current, .. } = self.node(i);
        let is_place = !node.path.contains(['/', '>', '#', '+']) && !node.role.leaves();
        self.observed.meters && *current && is_place && node.path != "master"
    }

    /// The meters: master, then inputs and buses in path order, then what else is metered.
    pub(super) fn meters(&mut self) {
        let place = |path: &str, slots| Meter { path: path.to_owned(), slots, work: None, place: true };
        let delivered = self.plan.outputs.iter().find(|output| output.send.is_none());
        let master = delivered.map(|output| place("master", output.slots));
        let mut places: Vec<usize> = (0..self.mesh.nodes.len()).filter(|i| self.is_metered(*i)).collect();
        places.sort_by_key(|i| &self.mesh.nodes[*i].node.path);
        let places = places.into_iter().map(|i| place(&self.node(i).node.path, self.value[i]));
        let levels = self.keep.looks.levels.iter().filter_map(|point| {
            let Heard { name, slots, work, .. } = self.metered_at(point)?;
            Some(Meter { path: name, slots, work, place: false })
        });
        self.plan.meters = master.filter(|_| self.observed.meters).into_iter().chain(places).chain(levels).collect();
    }

    fn metered_at(&self, point: &Point) -> Option<Heard> {
        let carrier = point.spot.cable().and_then(|path| self.observed.carriers.get(path));
        match carrier {
            Some(id) => {
                let i = *self.index.get(id)?;
                Some(Heard { name: point.name.clone(), slots: self.value[i], late: self.node(i).node.late, work: None })
            }
            None => self.heard_at(point),
        }
    }

    /// The points that are listened to, in the order in which they were asked for, and what is heard ahead. What is not in the
    /// text, or leads to no output, has none.
    pub(super) fn heard(&mut self) {
        let looks = &self.keep.looks;
        self.plan.heard = looks.points.iter().filter_map(|point| self.heard_at(point)).collect();
        self.plan.cue = looks.cue.as_ref().map(|cue| {
            let heard = cue.point.as_ref().and_then(|point| self.heard_at(point));
            PlanCue { channels: cue.channels.clone(), heard }
        });
    }

    fn heard_at(&self, point: &Point) -> Option<Heard> {
        let name = point.name.clone();
        match &point.spot {
            Spot::Delivered => {
                let output = self.plan.outputs.iter().find(|output| output.send.is_none() && !output.leaving)?;
                Some(Heard { name, slots: output.slots, late: output.late, work: None })
            }
            Spot::Node(path) => {
                let here = |i: &usize| self.node(*i).current && self.node(*i).node.path == *path;
                let i = (0..self.mesh.nodes.len()).find(here)?;
                let MeshNode { id, node, .. } = self.node(i);
                let work = point.reduces.then(|| self.layout.works.get(id).copied()).flatten();
                Some(Heard { name, slots: self.value[i], late: node.late + node.latency, work })
            }
            Spot::Cable(path) => {
                let (_, slots, late) = self.observed.carried.iter().find(|(carried, ..)| carried == path)?;
                Some(Heard { name, slots: *slots, late: *late, work: None })
            }
        }
    }
}
