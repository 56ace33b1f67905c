//! What is looked after while it plays besides what was reported: the devices, their clocks, and whether the machine keeps up.

use std::time::Instant;

use super::Playing;
use crate::{safety, sound, status};

/// By how many millionths the clocks of input and output may differ before this is told.
const DRIFT_TOLD: f64 = 50.0;

impl Playing<'_> {
    /// Tells what has become of the devices and of the time there is, and, if that was measured of a program, what takes it.
    pub(super) fn attend(&mut self, costed: Option<u64>) {
        if let lost @ 1.. = self.live.take_lost_reports() {
            self.journal.lost(lost);
            status::warning(format!("{lost} reports were lost: a replay may not be what was heard from here on"));
        }
        if let Some(works) = costed.map(|serial| self.programs.works(serial)) {
            let shares = self.live.costs().shares(works.len(), self.given.rate);
            status::warning(safety::costs(works, &shares));
        }
        let (dropouts, others) = sound::attend(&self.output, self.input.as_ref());
        self.trouble.dropouts += dropouts;
        self.trouble.device += others;
        self.trouble.late_blocks = self.output.late();
        if self.overload.look(self.output.smoothed_load(), self.trouble.late_blocks, Instant::now()) {
            self.live.costs().ask();
        }
        if let Some(ppm) = self.live.input_drift_ppm().filter(|ppm| ppm.abs() > DRIFT_TOLD && !self.drift_told) {
            self.drift_told = true;
            let than = if ppm > 0.0 { "faster" } else { "slower" };
            let ppm = ppm.abs();
            status::say(format!(
                "the input device's clock runs {ppm:.0} ppm {than} than the output's: resampled to fit"
            ));
        }
        self.trouble.tell();
    }
}
