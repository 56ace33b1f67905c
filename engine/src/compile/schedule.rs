//! When each node has its turn.
//!
//! Sound runs in strands: from where nothing flows in, or several strands flow together, to where that happens next. Strands of which
//! none hears another are gone through side by side in bundles, as many as works go abreast and as far as it goes those that are
//! alike, each bundle from its beginning to its end before the next one: what is made is still in the cache when it is heard, few
//! buffers are in use at a time, and little crosses from one bundle to the next.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::abreast::{LANES, Shape};
use crate::mesh::{Id, Mesh, MeshEdge};

/// The stages of a plan. Nodes have odd ones; what flows into a node is mixed in even ones, in that before it at the latest.
pub(super) struct Schedule {
    /// The stage of each node.
    pub(super) stage_of: Vec<usize>,
    /// The stage in which all is there that each node's bundle gives.
    pub(super) given: Vec<usize>,
    /// The nodes of each stage.
    pub(super) stages: BTreeMap<usize, Vec<usize>>,
}

/// Nodes of which each hears those before it and no others.
struct Strand<'a> {
    /// How many strands have to come before it, one after the other.
    level: usize,
    /// What its nodes may do abreast: strands that are alike have the same.
    shapes: Vec<Option<Shape>>,
    /// What it is sorted by among those that are alike: as what it flows into sorts it.
    place: Option<(&'a str, &'a str, Id)>,
}

impl Schedule {
    /// Of a mesh whose nodes are in an order, with the edges into each and their shapes.
    pub(super) fn new(
        mesh: &Mesh,
        order: &[usize],
        into: &[Vec<&MeshEdge>],
        index: &BTreeMap<Id, usize>,
        shape: impl Fn(usize) -> Option<Shape>,
    ) -> Schedule {
        let count = mesh.nodes.len();
        let mut strands: Vec<Strand> = Vec::new();
        // For each node its strand, and how many of its nodes it has to wait for one after the other.
        let (mut strand_of, mut depth) = (vec![0; count], vec![0; count]);
        for &i in order {
            let heard = || into[i].iter().filter(|edge| edge.feedback.is_none()).map(|edge| index[&edge.from]);
            let looped = into[i].iter().any(|edge| edge.feedback.is_some());
            let first = heard().next().map(|from| strand_of[from]).filter(|_| !looped);
            match first.filter(|first| heard().all(|from| strand_of[from] == *first)) {
                Some(strand) => {
                    strand_of[i] = strand;
                    depth[i] = heard().map(|from| depth[from] + 1).max().unwrap_or(0);
                }
                None => {
                    strand_of[i] = strands.len();
                    let level = heard().map(|from| strands[strand_of[from]].level + 1).max().unwrap_or(0);
                    // What hears a loop is behind all that does not hear it: nothing from there on is done on another thread.
                    let level = if looped { level + count } else { level };
                    strands.push(Strand { level, shapes: Vec::new(), place: None });
                }
            }
            strands[strand_of[i]].shapes.push(shape(i));
        }
        for edge in into.iter().flatten() {
            let (from, to) = (strand_of[index[&edge.from]], strand_of[index[&edge.to]]);
            if from != to {
                let place = (edge.path.as_str(), edge.label.as_str(), edge.id);
                strands[from].place = Some(strands[from].place.map_or(place, |least| least.min(place)));
            }
        }
        let bundle_of = bundles(&strands);
        let mut turns: Vec<(usize, usize, usize)> =
            (0..count).map(|i| (bundle_of[strand_of[i]], depth[i], i)).collect();
        turns.sort_unstable();
        // Loops are read before all else, and mixed after that.
        let looped = into.iter().flatten().any(|edge| edge.feedback.is_some());
        let mut schedule = Schedule { stage_of: vec![0; count], given: vec![0; count], stages: BTreeMap::new() };
        let mut stage = if looped { 3 } else { 1 };
        for bundle in turns.chunk_by(|a, b| a.0 == b.0) {
            for turn in bundle.chunk_by(|a, b| a.1 == b.1) {
                let nodes: Vec<usize> = turn.iter().map(|(_, _, i)| *i).collect();
                nodes.iter().for_each(|i| schedule.stage_of[*i] = stage);
                schedule.stages.insert(stage, nodes);
                stage += 2;
            }
            bundle.iter().for_each(|(_, _, i)| schedule.given[*i] = stage - 1);
        }
        schedule
    }

    /// The last stage.
    pub(super) fn last(&self) -> usize {
        self.stages.last_key_value().map_or(0, |(stage, _)| *stage)
    }
}

/// The bundle of each strand, in the order in which they are gone through: that of what flows out of them, so that it is mixed soon.
fn bundles(strands: &[Strand]) -> Vec<usize> {
    // There are few kinds of strands, and to compare two takes a while.
    let mut kinds: Vec<&[Option<Shape>]> =
        strands.iter().map(|strand| &*strand.shapes).collect::<HashSet<_>>().into_iter().collect();
    kinds.sort_unstable();
    let kinds: HashMap<&[Option<Shape>], usize> = kinds.into_iter().zip(0..).collect();
    let mut sorted: Vec<_> = (0..)
        .zip(strands)
        .map(|(number, strand)| (strand.level, kinds[&*strand.shapes], strand.place, number))
        .collect();
    sorted.sort_unstable();
    let (mut bundles, mut lanes) = (Vec::<Vec<usize>>::new(), 0);
    for (_, _, _, strand) in sorted {
        let Strand { level, shapes, .. } = &strands[strand];
        let width = shapes.iter().flatten().map(|shape| shape.lanes()).min().unwrap_or(1);
        match bundles.last_mut().filter(|bundle| strands[bundle[0]].level == *level && lanes + width <= LANES) {
            Some(bundle) => bundle.push(strand),
            None => {
                bundles.push(vec![strand]);
                lanes = 0;
            }
        }
        lanes += width;
    }
    bundles.sort_by_key(|bundle| {
        let first = bundle.iter().map(|strand| strands[*strand].place).min();
        (strands[bundle[0]].level, first, bundle[0])
    });
    let mut bundle_of = vec![0; strands.len()];
    for (number, bundle) in bundles.iter().enumerate() {
        bundle.iter().for_each(|strand| bundle_of[*strand] = number);
    }
    bundle_of
}
