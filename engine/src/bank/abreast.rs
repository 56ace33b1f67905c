//! How the works of a bank go abreast with others, and alone again.

use super::{Bank, WorkCell, WorkIo, whole};
use crate::abreast::{Abreast, Interleaved};
use crate::plan::Plan;

/// How a work went through a quantum in which it might go abreast.
pub enum Fell {
    /// It is in its lanes.
    In,
    /// It was processed alone, and came out as finite numbers or not.
    Alone {
        /// See [`WorkCell::process`].
        is_finite: bool,
    },
}

impl Bank {
    /// Gets ready for a plan. Not RT.
    pub fn line_up(&mut self, plan: &Plan) {
        self.disband();
        let is_source = |cell: &usize| plan.works.get(*cell).is_some_and(|work| work.channels.0 == 0);
        self.sources = (0..self.works.len()).filter(is_source).collect();
        self.abreast = Abreast::of(plan);
        let sounds = plan.ranks.iter().map(|rank| rank.sound + 1).max().unwrap_or(0);
        self.interleaved = (0..sounds).map(|_| Interleaved::default()).collect();
    }

    /// All works go on alone, with their state in their cells. RT.
    pub fn disband(&mut self) {
        self.abreast.iter_mut().for_each(|abreast| abreast.disband(&mut self.works));
    }
}

impl WorkCell {
    /// Goes abreast with others from this quantum on, if it may; otherwise the quantum is processed. RT.
    pub fn fall_in(&mut self, io: &mut WorkIo<'_>, abreast: &mut Abreast, place: usize) -> Fell {
        let hears_nothing = self.hears_nothing(io);
        if self.stays_at_rest(hears_nothing, io) {
            return Fell::Alone { is_finite: true };
        }
        let is_plain = self.settled && self.wet.value() == 1.0 && self.waiting.is_empty() && self.poisoned.is_none();
        let is_plain = is_plain && self.trusted.is_still() && !hears_nothing;
        let (kernel, io_whole) = (&mut self.kernel, whole(self.channels.0, &self.glides, io));
        if is_plain && abreast.fall_in(place, |abreast, lane| kernel.fall_in(&io_whole, abreast, lane)) {
            self.reduced = 0.0;
            return Fell::In;
        }
        Fell::Alone { is_finite: self.process_heard(hears_nothing, io) }
    }

    /// Goes on alone from what became of it in the lanes from `lane` on. RT.
    pub fn fall_out(&mut self, abreast: &Abreast, lane: usize) {
        self.kernel.fall_out(abreast, lane);
    }

    /// By how many dB it turned down at most in a quantum that went abreast. RT.
    pub fn turned_down(&mut self, reduced: f64) {
        self.reduced = reduced;
    }
}
