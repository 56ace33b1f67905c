//! What sections set: a value from one bar line to another, reached in a way that ends on the line.

use super::Corner;
use super::course::nearest;
use crate::form;
use crate::tempo::Tempo;

/// Values in bars.
#[derive(Clone, Debug, PartialEq)]
pub struct Sections {
    /// Bars and values, in order; the first holds from the beginning on. Never empty.
    pub steps: Vec<(f64, f64)>,
    /// How many frames the way to the next value takes: it sets out so much before the line, or at the line before where that is
    /// nearer.
    pub fade: i64,
}

impl Sections {
    /// The sum of both, with the fade of the first.
    pub fn plus(&self, other: &Sections) -> Sections {
        let mut bars: Vec<f64> = self.steps.iter().chain(&other.steps).map(|step| step.0).collect();
        bars.sort_by(f64::total_cmp);
        bars.dedup();
        let at = |steps, bar| form::at(steps, bar).copied().unwrap_or(0.0);
        let sum = |bar: f64| (bar, at(&self.steps, bar) + at(&other.steps, bar));
        Sections { steps: bars.into_iter().map(sum).collect(), fade: self.fade }
    }

    /// The frame of a step's line. RT.
    fn line(&self, step: usize, tempo: &Tempo) -> i64 {
        match self.steps.get(step) {
            None => i64::MAX,
            Some((bar, _)) => nearest(tempo.frame_of_bar(*bar)),
        }
    }

    /// The first frame of the way to a step. RT.
    fn sets_out(&self, step: usize, tempo: &Tempo) -> i64 {
        match step.checked_sub(1) {
            None => i64::MIN,
            Some(before) => self.line(step, tempo).saturating_sub(self.fade).max(self.line(before, tempo)),
        }
    }

    /// The step whose way begins last at or before a frame. RT.
    fn step_at(&self, tempo: &Tempo, frame: i64) -> usize {
        let bar = tempo.bar_at(frame.saturating_add(self.fade));
        // No way begins more than `fade` before its line.
        let near = self.steps.partition_point(|step| step.0 <= bar).min(self.steps.len() - 1);
        (0..=near).rev().find(|step| self.sets_out(*step, tempo) <= frame).unwrap_or(0)
    }

    /// RT.
    pub(super) fn value(&self, tempo: &Tempo, frame: i64) -> f64 {
        self.steps.get(self.step_at(tempo, frame)).map_or(0.0, |step| step.1)
    }

    /// The first way that begins behind a frame. RT.
    pub(super) fn corner(&self, tempo: &Tempo, after: i64) -> Option<Corner> {
        let next = self.step_at(tempo, after) + 1;
        (next < self.steps.len()).then(|| Corner { frame: self.sets_out(next, tempo), jumps: true })
    }

    /// The frames that the way has which begins at a frame. RT.
    pub(super) fn jump(&self, tempo: &Tempo, frame: i64) -> u32 {
        let way = self.line(self.step_at(tempo, frame), tempo).saturating_sub(frame);
        u32::try_from(way).unwrap_or(0)
    }
}
