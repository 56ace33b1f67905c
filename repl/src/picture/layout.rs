//! Where cards stand and cables run: layers from left to right as Sugiyama, Tagawa and Toda (1981) draw them, by the library
//! `dagre`. What comes out is in pixels.

use dagre::graph::{Graph, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, RankAlign, RankDir, layout};

use super::diagram::{CableKind, CardKind, Diagram};

/// Room between columns, between the cards of one, and between cables that pass them.
const BETWEEN_COLUMNS: f64 = 92.0;
const BETWEEN_CARDS: f64 = 20.0;
const BETWEEN_CABLES: f64 = 12.0;

/// How far apart ways back run below a card.
pub const LANE: f64 = 11.0;

/// What holds the inputs in the first column.
const ROOT: &str = "root";

/// How much stronger it does than cables pull.
const HOLD: i32 = 100;

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Area {
    /// Where it ends at the right.
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Where it ends at the bottom.
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// Whether they have more than an edge in common.
    pub fn overlaps(&self, other: &Area) -> bool {
        let apart = self.right() <= other.x || other.right() <= self.x;
        !(apart || self.bottom() <= other.y || other.bottom() <= self.y)
    }
}

/// What the library has found.
pub struct Places {
    /// Of each card.
    pub cards: Vec<Area>,
    /// Of each cable, the heights at which it passes what stands between its ends, with where that is along, from left to right.
    pub passes: Vec<Vec<(f64, f64)>>,
}

/// How many ways back begin or end at a card: they run below it.
fn lanes(diagram: &Diagram, card: usize) -> usize {
    let back = diagram.cables.iter().filter(|cable| cable.kind == CableKind::Feedback);
    back.filter(|cable| cable.from.card == card || cable.to.card == card).count()
}

/// Gives each card its place.
pub fn places(diagram: &Diagram) -> Places {
    let mut graph: Graph<NodeLabel, EdgeLabel> =
        Graph::with_options(GraphOptions { directed: true, multigraph: true, compound: false });
    graph.set_node(ROOT, Some(NodeLabel::default()));
    for (i, card) in diagram.cards.iter().enumerate() {
        let (width, height) = card.size();
        let height = height + lanes(diagram, i) as f64 * LANE;
        graph.set_node(i.to_string(), Some(NodeLabel { width, height, ..NodeLabel::default() }));
        if card.kind == CardKind::Input {
            let hold = EdgeLabel { weight: HOLD, ..EdgeLabel::default() };
            graph.set_edge(ROOT, i.to_string(), Some(hold), None);
        }
    }
    for (i, cable) in diagram.cables.iter().enumerate() {
        let Some((from, to)) = forwards(cable.kind, cable.from.card, cable.to.card) else { continue };
        // What is heard is led straight before what steers.
        let weight = if cable.kind == CableKind::Plug { 3 } else { 1 };
        let edge = EdgeLabel { weight, ..EdgeLabel::default() };
        graph.set_edge(from.to_string(), to.to_string(), Some(edge), Some(&i.to_string()));
    }
    let options = LayoutOptions {
        rankdir: RankDir::LR,
        nodesep: BETWEEN_CARDS,
        edgesep: BETWEEN_CABLES,
        ranksep: BETWEEN_COLUMNS,
        rank_align: RankAlign::Top,
        ..LayoutOptions::default()
    };
    layout(&mut graph, Some(options));
    let mut cards: Vec<Area> = Vec::with_capacity(diagram.cards.len());
    for (i, card) in diagram.cards.iter().enumerate() {
        let node = graph.node(&i.to_string());
        let (x, y) = node.map_or((0.0, 0.0), |node| (node.x.unwrap_or(0.0), node.y.unwrap_or(0.0)));
        let (width, height) = card.size();
        let lanes = lanes(diagram, i) as f64 * LANE;
        let (x, y) = ((x - width / 2.0).round(), (y - (height + lanes) / 2.0).round());
        cards.push(Area { x, y, width, height });
    }
    let least = |of: fn(&Area) -> f64| cards.iter().map(of).fold(f64::INFINITY, f64::min);
    let (left, top) = (least(|card| card.x), least(|card| card.y));
    let passes = diagram.cables.iter().enumerate().map(|(i, cable)| {
        let Some((from, to)) = forwards(cable.kind, cable.from.card, cable.to.card) else { return Vec::new() };
        let edge = graph.edge(&from.to_string(), &to.to_string(), Some(&i.to_string()));
        let points = edge.map_or(&[][..], |edge| &edge.points);
        // The first and the last are where the library has the cards' edges.
        let inner = points.get(1..points.len().saturating_sub(1)).unwrap_or_default();
        inner.iter().map(|point| (point.x - left, point.y - top)).collect()
    });
    let passes = passes.collect();
    cards.iter_mut().for_each(|card| (card.x, card.y) = (card.x - left, card.y - top));
    Places { cards, passes }
}

/// Between which cards a cable leads from left to right; nothing where it leads back to its own.
fn forwards(kind: CableKind, from: usize, to: usize) -> Option<(usize, usize)> {
    match kind {
        _ if from == to => None,
        CableKind::Feedback => Some((to, from)),
        _ => Some((from, to)),
    }
}
