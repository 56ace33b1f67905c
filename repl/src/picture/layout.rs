//! Where cards stand and cables run: layers from left to right as Sugiyama, Tagawa and Toda (1981) draw them, by the library
//! `dagre`. What comes out is in pixels.

use std::collections::BTreeSet;

use dagre::graph::{Graph, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, RankAlign, RankDir, layout};

use super::diagram::{Cable, CableKind, CardKind, Diagram};

/// Room between columns, between the cards of one, and between cables that pass them.
const BETWEEN_COLUMNS: f64 = 92.0;
const BETWEEN_CARDS: f64 = 20.0;
const BETWEEN_CABLES: f64 = 12.0;

/// The same for who sits far away.
const LARGE_BETWEEN_COLUMNS: f64 = 52.0;
const LARGE_BETWEEN_CARDS: f64 = 12.0;

/// How far apart ways back run below a card.
pub const LANE: f64 = 11.0;

/// What holds the inputs in the first column, and whatever else nothing flows into from standing before them.
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
    let arrives: BTreeSet<usize> =
        diagram.cables.iter().filter_map(|cable| forwards(diagram, cable)).map(|(_, to)| to).collect();
    for (i, card) in diagram.cards.iter().enumerate() {
        let (width, height) = card.size();
        let height = height + lanes(diagram, i) as f64 * LANE;
        graph.set_node(i.to_string(), Some(NodeLabel { width, height, ..NodeLabel::default() }));
        let weight = match card.kind {
            CardKind::Input => HOLD,
            _ if arrives.contains(&i) => continue,
            _ => 1,
        };
        graph.set_edge(ROOT, i.to_string(), Some(EdgeLabel { weight, ..EdgeLabel::default() }), None);
    }
    for (i, cable) in diagram.cables.iter().enumerate() {
        let Some((from, to)) = forwards(diagram, cable) else { continue };
        // What is heard is led straight before what steers.
        let weight = if cable.kind == CableKind::Plug { 3 } else { 1 };
        let edge = EdgeLabel { weight, ..EdgeLabel::default() };
        graph.set_edge(from.to_string(), to.to_string(), Some(edge), Some(&i.to_string()));
    }
    let (columns, cards) = match diagram.is_large {
        true => (LARGE_BETWEEN_COLUMNS, LARGE_BETWEEN_CARDS),
        false => (BETWEEN_COLUMNS, BETWEEN_CARDS),
    };
    let options = LayoutOptions {
        rankdir: RankDir::LR,
        nodesep: cards,
        edgesep: BETWEEN_CABLES,
        ranksep: columns,
        rank_align: RankAlign::Top,
        ..LayoutOptions::default()
    };
    layout(&mut graph, Some(options));
    let centres = (0..diagram.cards.len()).map(|i| {
        let node = graph.node(&i.to_string());
        node.map_or((0.0, 0.0), |node| (node.x.unwrap_or(0.0), node.y.unwrap_or(0.0)))
    });
    let centres: Vec<(f64, f64)> = centres.collect();
    // Upside down it is as good: the way round is taken in which what is written first is rather above.
    let turn = if is_upside_down(diagram, &centres) { -1.0 } else { 1.0 };
    let mut cards: Vec<Area> = Vec::with_capacity(diagram.cards.len());
    for (i, card) in diagram.cards.iter().enumerate() {
        let (x, y) = (centres[i].0, turn * centres[i].1);
        let (width, height) = card.size();
        let lanes = lanes(diagram, i) as f64 * LANE;
        let (x, y) = ((x - width / 2.0).round(), (y - (height + lanes) / 2.0).round());
        cards.push(Area { x, y, width, height });
    }
    as_declared(diagram, &mut cards);
    let least = |of: fn(&Area) -> f64| cards.iter().map(of).fold(f64::INFINITY, f64::min);
    let (left, top) = (least(|card| card.x), least(|card| card.y));
    let passes = diagram.cables.iter().enumerate().map(|(i, cable)| -> Vec<(f64, f64)> {
        let Some((from, to)) = forwards(diagram, cable) else { return Vec::new() };
        let edge = graph.edge(&from.to_string(), &to.to_string(), Some(&i.to_string()));
        let points = edge.map_or(&[][..], |edge| &edge.points);
        // The first and the last are where the library has the cards' edges.
        let inner = points.get(1..points.len().saturating_sub(1)).unwrap_or_default();
        inner.iter().map(|point| (point.x - left, turn * point.y - top)).collect()
    });
    let mut passes: Vec<Vec<(f64, f64)>> = passes.collect();
    cards.iter_mut().for_each(|card| (card.x, card.y) = (card.x - left, card.y - top));
    untangle(diagram, &cards, &mut passes);
    Places { cards, passes }
}

/// Lets the first column have its cards in the order in which they are declared, with the room between them that it had.
fn as_declared(diagram: &Diagram, cards: &mut [Area]) {
    let is_input = |card: usize| diagram.cards[card].kind == CardKind::Input;
    let inputs = || (0..cards.len()).filter(|card| is_input(*card)).map(|card| cards[card]);
    let right = inputs().map(|area| area.right()).fold(f64::NEG_INFINITY, f64::max);
    let declared: Vec<usize> = (0..cards.len()).filter(|card| cards[*card].x < right).collect();
    let height = |card: usize| cards[card].height + lanes(diagram, card) as f64 * LANE;
    let mut shown = declared.clone();
    shown.sort_by(|a, b| cards[*a].y.total_cmp(&cards[*b].y));
    let Some(top) = shown.first().map(|card| cards[*card].y) else { return };
    let room: Vec<f64> = shown.windows(2).map(|two| cards[two[1]].y - cards[two[0]].y - height(two[0])).collect();
    let heights: Vec<f64> = declared.iter().map(|card| height(*card)).collect();
    let mut y = top;
    for (i, card) in declared.iter().enumerate() {
        cards[*card].y = y;
        y += heights[i] + room.get(i).copied().unwrap_or(0.0);
    }
}

/// Lets cables to one card pass what stands between in the order in which they come: they would cross each other for nothing.
fn untangle(diagram: &Diagram, cards: &[Area], passes: &mut [Vec<(f64, f64)>]) {
    let goes_on = |cable: &Cable| course(diagram, cable) == Course::On;
    for (target, _) in diagram.cards.iter().enumerate() {
        let cables = diagram.cables.iter().enumerate().filter(|(_, cable)| cable.to.card == target && goes_on(cable));
        let cables: Vec<usize> = cables.map(|(i, _)| i).collect();
        let mut columns: Vec<f64> = cables.iter().flat_map(|i| &passes[*i]).map(|(x, _)| *x).collect();
        columns.sort_by(f64::total_cmp);
        columns.dedup();
        for column in columns {
            let mut here: Vec<(f64, usize, usize)> = Vec::new();
            for &i in &cables {
                let Some(at) = passes[i].iter().position(|(x, _)| *x == column) else { continue };
                let from = diagram.cables[i].from;
                let begin = cards[from.card].y + diagram.cards[from.card].middle(from.row);
                here.push((at.checked_sub(1).map_or(begin, |before| passes[i][before].1), i, at));
            }
            let mut heights: Vec<f64> = here.iter().map(|(_, i, at)| passes[*i][*at].1).collect();
            heights.sort_by(f64::total_cmp);
            here.sort_by(|a, b| a.0.total_cmp(&b.0));
            here.iter().zip(heights).for_each(|((_, i, at), y)| passes[*i][*at].1 = y);
        }
    }
}

/// Whether more of the inputs stand above what is written before them than below.
fn is_upside_down(diagram: &Diagram, centres: &[(f64, f64)]) -> bool {
    let inputs = diagram.cards.iter().zip(centres).filter(|(card, _)| card.kind == CardKind::Input);
    let heights: Vec<f64> = inputs.map(|(_, (_, y))| *y).collect();
    let mut above = 0_isize;
    for (i, first) in heights.iter().enumerate() {
        above += heights[i + 1..].iter().map(|second| if second < first { 1 } else { -1 }).sum::<isize>();
    }
    above > 0
}

/// How a cable runs, as seen from the column where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// To the right, as sound flows.
    On,
    /// Round below the cards, back to the left.
    Back,
    /// To the left, between the cards: what steers an input is behind it.
    Against,
    /// To another card of its own column, in front of both.
    Beside,
}

/// How a cable runs. Inputs stay in the first column, whatever steers them.
pub fn course(diagram: &Diagram, cable: &Cable) -> Course {
    let is_input = |card: usize| diagram.cards[card].kind == CardKind::Input;
    match cable.kind {
        CableKind::Feedback => Course::Back,
        CableKind::Plug | CableKind::Send => Course::On,
        CableKind::Key | CableKind::Follow if cable.from.card == cable.to.card => Course::Beside,
        CableKind::Key | CableKind::Follow => match (is_input(cable.from.card), is_input(cable.to.card)) {
            (true, true) => Course::Beside,
            (false, true) => Course::Against,
            _ => Course::On,
        },
    }
}

/// Between which cards a cable leads from left to right; nothing where it leads to its own column.
fn forwards(diagram: &Diagram, cable: &Cable) -> Option<(usize, usize)> {
    let (from, to) = (cable.from.card, cable.to.card);
    match course(diagram, cable) {
        Course::Beside => None,
        _ if from == to => None,
        Course::Back | Course::Against => Some((to, from)),
        Course::On => Some((from, to)),
    }
}
