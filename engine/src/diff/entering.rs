//! How what is new comes in: what is faded at its input rather than its output, and what has to be filled with sound before.

use super::{Union, whole_quanta};
use crate::graph::Port;
use crate::parameter::Memory;

impl Union<'_> {
    /// Frames until all lines that are new are full of sound: what fades in or out waits for that, all of it, so that the one
    /// follows on from the other.
    pub(super) fn filled(&self) -> u32 {
        let mut filled = vec![0; self.graph.nodes.len()];
        for &i in &self.graph.order {
            let node = &self.graph.nodes[i];
            if self.matched[i].is_none() {
                let feeds = self.graph.edges.iter().filter(|edge| edge.to == i && edge.feedback.is_none());
                let own = if node.memory == Memory::Line { node.tail as usize } else { 0 };
                filled[i] = own + feeds.map(|edge| filled[edge.from]).max().unwrap_or(0);
            }
        }
        whole_quanta(filled.into_iter().max().unwrap_or(0))
    }

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
