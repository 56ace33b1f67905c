//! What goes wrong again and again while a desk plays, told now and then with how often it did.

use std::time::{Duration, Instant};

use crate::status;

/// How long after saying so trouble of one kind is not told again.
const PAUSE: Duration = Duration::from_secs(5);

/// What went wrong since it was last told of.
#[derive(Default)]
pub struct Trouble {
    /// Sound files that were not read in time.
    pub media: u32,
    /// Live input that did not come in time.
    pub input: u32,
    /// Recordings that were not written in time.
    pub record: u32,
    /// Dropouts that the device told of.
    pub dropouts: u64,
    /// Other errors that it told of.
    pub device: u64,
    /// Blocks that were computed too late, since the start.
    pub late_blocks: u64,
    late_told: u64,
    told: Option<Instant>,
}

impl Trouble {
    /// Tells of it, but not too often.
    pub fn tell(&mut self) {
        if self.told.is_some_and(|told| told.elapsed() < PAUSE) {
            return;
        }
        let late = self.late_blocks - self.late_told;
        let mut lines = Vec::new();
        let mut line = |count: u64, what: &str| {
            if count > 0 {
                lines.push(format!("{what} ({count} times)"));
            }
        };
        line(u64::from(self.media), "a sound file was not read in time: what was missing was silent");
        line(u64::from(self.input), "live input did not come in time: what was missing was silent");
        line(u64::from(self.record), "a recording was not written in time: silence stands for what is missing");
        line(self.dropouts, "the sound device dropped out");
        line(self.device, "the sound device spoke of an error");
        line(late, "a block was computed too late");
        if !lines.is_empty() {
            lines.iter().for_each(status::warning);
            *self = Trouble {
                late_blocks: self.late_blocks,
                late_told: self.late_blocks,
                told: Some(Instant::now()),
                ..Trouble::default()
            };
        }
    }
}
