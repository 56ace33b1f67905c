//! What a playing renderer can be asked about its work, and what answers: [`crate::inspect`] for levels,
//! [`crate::costs`] for time. A renderer that only renders has none.

use std::ops::Range;
use std::time::Instant;

use crate::costs::Meter;
use crate::guard::Act;
use crate::inspect::{Inspector, Origin};
use crate::kernel::Buffer;
use crate::plan::Plan;

/// Levels and times of the ops.
pub struct Probe {
    /// Who looks for where trouble comes from.
    pub inspector: Inspector,
    /// Who measures what each work costs.
    pub meter: Meter,
    found: Option<(Act, Origin)>,
    costed: bool,
}

impl Probe {
    /// A probe that nobody has asked. Not RT.
    pub fn new(meter: Meter) -> Self {
        Probe { inspector: Inspector::default(), meter, found: None, costed: false }
    }

    /// Whether what each op makes is looked at. RT.
    pub fn is_looking(&self) -> bool {
        self.inspector.is_looking()
    }

    /// Before a quantum of a program. RT.
    pub fn begin(&mut self, serial: u64, plan: &Plan) {
        self.inspector.begin(serial, plan);
        self.meter.begin(serial);
    }

    /// After some ops that were done together. RT.
    #[inline]
    pub fn see(&mut self, begun: Option<Instant>, done: Range<usize>, plan: &Plan, slots: &[Buffer]) {
        self.meter.stop(begun, plan.ops.get(done.clone()).unwrap_or_default());
        done.for_each(|index| self.inspector.see(index, plan, slots));
    }

    /// After a quantum. RT.
    pub fn end(&mut self, plan: &Plan) {
        self.found = self.inspector.conclude(plan);
        self.costed = self.meter.end();
    }

    /// What the last quantum answered, if anything: why the guard acted. RT.
    pub fn take_found(&mut self) -> Option<(Act, Origin)> {
        self.found.take()
    }

    /// Whether the last quantum was the last of a measurement of costs. RT.
    pub fn is_costed(&self) -> bool {
        self.costed
    }
}
