//! A desk as it plays, its device called by hand.

use engine::compile::Program;
use engine::desk::Desk;
use engine::live::{Live, Player, Report, Setup, start};
use engine::playback::Playback;
use engine::tap::{Recordings, Wanted};

use crate::sessions::graph;

/// A desk that plays as far as it is asked to.
pub struct ByHand {
    /// The control side.
    pub desk: Desk,
    /// The handle of the audio side.
    pub live: Live,
    player: Player,
    /// What is kept of it.
    pub kept: Recordings,
    channels: usize,
    /// What the device was given, channels interleaved.
    pub heard: Vec<f32>,
}

impl ByHand {
    /// Starts with a text, on two channels.
    pub fn start(text: &str) -> Self {
        ByHand::start_on(text, 2)
    }

    /// The same on so many channels, with the master kept. What its instruments play first is at hand.
    pub fn start_on(text: &str, channels: usize) -> Self {
        let (desk, program) = Desk::open(&graph(text), None).expect("it compiles");
        while !program.media_ready(0) {
            std::thread::yield_now();
        }
        let keep = Wanted { master: true, ..Wanted::default() };
        let (live, player, _, kept) = start(program, Setup { rate: 48_000, keep, inputs: 0, cushion: 0 });
        ByHand { desk, live, player, kept, channels, heard: Vec::new() }
    }

    /// Plays on, for so many frames.
    pub fn play(&mut self, frames: usize) {
        let mut block = vec![0.0; self.channels * frames];
        assert_no_alloc::assert_no_alloc(|| self.player.fill(&mut block, self.channels));
        self.heard.extend(block);
    }

    /// What one channel of the device was given.
    pub fn channel(&self, channel: usize) -> Vec<f32> {
        self.heard.iter().skip(channel).step_by(self.channels).copied().collect()
    }

    /// What was kept of the first channel of the master since this was last asked.
    pub fn recorded(&mut self) -> Vec<f32> {
        let (mut quantum, mut sound) = (Vec::new(), Vec::new());
        let master = self.kept.master.as_mut().expect("it is kept");
        while master.next(&mut quantum).is_some() {
            sound.extend(quantum.iter().step_by(2));
        }
        sound
    }

    /// Sends a program, and plays a quantum in which it is taken up.
    pub fn take_up(&mut self, program: Box<Program>) {
        assert!(self.live.send(program).is_ok(), "the way is free");
        self.play(64);
        for report in self.live.reports() {
            if let Report::TakenUp { taken, .. } = report {
                self.desk.taken_up(taken);
            }
        }
    }
}
