//! How playing ends, and what the journal is told of what was played.

use std::time::Instant;

use engine::live::Report;
use engine::render;

use super::{BUSY, Edited, InFlight, Playing, STOP_PATIENCE, Sent};
use crate::ending::Outcome;
use crate::journal::{Journal, When};
use crate::status;

impl Playing<'_> {
    /// Whether the length that was asked for has been played.
    pub(super) fn is_over(&self) -> bool {
        match self.length {
            Some(_) if self.recorders.any() => self.recorders.is_done(),
            Some(length) => self.live.transport() >= length,
            None => false,
        }
    }

    /// Fades out, closes the device, and then the files.
    pub(super) fn stop(mut self) -> Outcome {
        self.live.stop();
        let begun = Instant::now();
        while !self.live.has_stopped() && begun.elapsed() < STOP_PATIENCE {
            std::thread::sleep(BUSY);
        }
        self.hear_reports();
        let Playing {
            mut live,
            mut in_flight,
            output,
            input,
            recorders,
            length,
            journal,
            late,
            desk,
            programs,
            looking,
            ..
        } = self;
        let (load, worst) = (output.smoothed_load() * 100.0, output.take_worst_load().max(looking.shown.worst) * 100.0);
        drop((input, output));
        let busiest = format!("load {load:.0} %, the busiest block took {worst:.0} % of its time");
        let recorded = recorders.finish();
        for report in live.reports() {
            match (report, in_flight.take()) {
                (Report::TakenUp { serial, taken }, Some(InFlight { sent, .. })) => keep(&journal, serial, taken, sent),
                (report, still) => {
                    in_flight = still;
                    journal.report(report, &desk, &programs);
                }
            }
        }
        // The master is what was recorded of it, or would have been.
        let whole = live.clock().saturating_sub(late);
        let frames = recorded.as_ref().ok().copied().flatten().or(length).map_or(whole, |frames| frames.min(whole));
        journal.end(live.clock(), frames);
        match recorded? {
            Some(frames) => status::say(format!("stopped; {frames} frames recorded; {busiest}")),
            None => status::say(format!("stopped; {busiest}")),
        }
        Ok(())
    }
}

/// Tells the journal what was taken up.
pub(super) fn keep(journal: &Journal, serial: u64, taken: render::Taken, sent: Sent) {
    match sent {
        Sent::Text(edited) => {
            let Edited { taken: text, changes, wanted, .. } = *edited;
            journal.text(text, When::Program { serial, wanted, taken }, changes);
        }
        Sent::Settled(now) => journal.settled(serial, now, taken),
        Sent::Metered(on) => journal.metered(serial, on, taken),
    }
}
