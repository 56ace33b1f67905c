//! What of a plan goes on where it is compiled anew: the numbers that its history gave it, and its state.

use super::{Layout, Program};
use crate::keep::{Keep, Ledger, keep};
use crate::plan::Plan;

keep!(super::Keep: looks);

impl Layout {
    /// What of it a plan depends on that is built anew: how controls and what they listen to are numbered.
    pub fn numbers(&self) -> Layout {
        let Layout { motions, sources, fresh, .. } = self.clone();
        Layout { motions, sources, fresh, ..Layout::default() }
    }
}

impl Keep for Layout {
    fn keep(&mut self, ledger: &mut Ledger) {
        ledger.list(&mut self.sources);
        self.fresh.keep(ledger);
        ledger.exactly(self.motions.len());
        for ((path, _), (.., version)) in &mut self.motions {
            ledger.called(path);
            version.keep(ledger);
        }
    }
}

/// Between two quanta, when nothing has been heard from outside since the last.
impl Keep for Program {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.bank.keep(ledger);
        // Those that the text has no more come last, and move nothing once the program's frame has come.
        let Plan { works, blends, gains, motions, .. } = &self.plan;
        let controls = works.iter().flat_map(|work| &work.controls);
        let controls = controls.chain(blends.iter().flat_map(|blend| &blend.controls));
        let controls = controls.chain(gains.iter().flat_map(|gain| &gain.controls));
        let left = controls.filter(|control| control.before.is_some()).count();
        let of_the_text = motions.len().saturating_sub(left);
        ledger.exactly(of_the_text);
        self.bank.motions.iter_mut().take(of_the_text).for_each(|state| state.keep(ledger));
    }
}
