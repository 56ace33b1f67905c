//! What each work of a plan costs: measured for a hundred quanta when somebody asks, into a table that is there from the
//! start. Costs nothing while nobody asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::kernel::QUANTUM;
use crate::plan::Op;

/// How many quanta are measured.
pub const COSTED_QUANTA: u32 = 100;

/// The works of the largest plan that can be measured whole.
const MOST_WORKS: usize = 8192;

/// What both sides see.
struct Table {
    asked: AtomicBool,
    nanoseconds: Box<[AtomicU64]>,
}

/// The side that asks. Not RT.
#[derive(Clone)]
pub struct Costs(Arc<Table>);

/// The side that measures.
pub struct Meter {
    table: Arc<Table>,
    /// The program that is measured.
    serial: u64,
    left: u32,
}

/// Both sides of a measurement. Not RT.
pub fn costs() -> (Costs, Meter) {
    let nanoseconds = (0..MOST_WORKS).map(|_| AtomicU64::new(0)).collect();
    let table = Arc::new(Table { asked: AtomicBool::new(false), nanoseconds });
    (Costs(table.clone()), Meter { table, serial: 0, left: 0 })
}

impl Costs {
    /// Asks for a measurement: it will be reported.
    pub fn ask(&self) {
        self.0.asked.store(true, Ordering::Relaxed);
    }

    /// The share of the sound's own time that each of the first `works` works took, once it is measured: 1 is all of it.
    pub fn shares(&self, works: usize, rate: u32) -> Vec<f64> {
        let whole = f64::from(COSTED_QUANTA) * QUANTUM as f64 / f64::from(rate);
        let spent = |table: &AtomicU64| Duration::from_nanos(table.load(Ordering::Relaxed)).as_secs_f64();
        self.0.nanoseconds.iter().take(works).map(|spent_by| spent(spent_by) / whole).collect()
    }
}

impl Meter {
    /// Before a quantum of a program. RT.
    pub fn begin(&mut self, serial: u64) {
        let other = self.left > 0 && self.serial != serial;
        if self.table.asked.swap(false, Ordering::Relaxed) || other {
            self.table.nanoseconds.iter().for_each(|spent| spent.store(0, Ordering::Relaxed));
            self.left = COSTED_QUANTA;
        }
        self.serial = serial;
    }

    /// Before ops: when they begin, if that matters. RT.
    #[inline]
    pub fn start(&self) -> Option<Instant> {
        (self.left > 0).then(Instant::now)
    }

    /// After some ops that were done together, of which each has its share. RT.
    #[inline]
    pub fn stop(&self, begun: Option<Instant>, ops: &[Op]) {
        let Some(begun) = begun else { return };
        let share = begun.elapsed().as_nanos() as u64 / ops.len().max(1) as u64;
        for op in ops {
            if let Op::Work { cell, .. } = op
                && let Some(spent) = self.table.nanoseconds.get(*cell)
            {
                spent.fetch_add(share, Ordering::Relaxed);
            }
        }
    }

    /// After a quantum: whether it was the last that is measured. RT.
    pub fn end(&mut self) -> bool {
        let last = self.left == 1;
        self.left = self.left.saturating_sub(1);
        last
    }
}
