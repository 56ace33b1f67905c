//! What the instruments of a plan play.

use std::sync::Arc;

use super::Compiler;
use crate::mesh::Id;
use crate::score::{Score, ScoreCell};

impl Compiler<'_> {
    /// What a work plays: what it has played so far, or what takes the place of that.
    pub(super) fn score(&mut self, work: Id, score: &Arc<Score>) -> usize {
        let cell = self.bank.scores.len();
        let tempo = &self.mesh.tempo;
        self.layout.scores.insert(work, (cell, score.clone(), tempo.clone()));
        let running = self.running.scores.get(&work);
        let goes_on = running.filter(|(_, played, time)| played == score && time == tempo);
        match (goes_on, running) {
            (Some((old, ..)), _) => {
                self.carry.scores.push((*old, cell));
                self.bank.scores.push(None);
            }
            (None, before) => {
                self.carry.succeeded.extend(before.map(|(old, ..)| (*old, cell)));
                self.bank.scores.push(Some(Box::new(ScoreCell::new(score.clone(), tempo))));
            }
        }
        cell
    }
}
