//! A desk as it plays, its device called by hand.

use engine::compile::Program;
use engine::desk::Desk;
use engine::live::{Live, Player, Report, Setup, start};
use engine::playback::Playback;
use engine::tap::Wanted;

use crate::sessions::graph;

/// A desk that plays as far as it is asked to.
pub struct ByHand {
    /// The control side.
    pub desk: Desk,
    /// The handle of the audio side.
    pub live: Live,
    player: Player,
    /// What the device was given, two channels interleaved.
    pub heard: Vec<f32>,
}

impl ByHand {
    /// Starts with a text.
    pub fn start(text: &str) -> Self {
        let (desk, program) = Desk::open(&graph(text), None).expect("it compiles");
        let (live, player, ..) = start(program, Setup { rate: 48_000, keep: Wanted::default(), inputs: 0, cushion: 0 });
        ByHand { desk, live, player, heard: Vec::new() }
    }

    /// Plays on, for so many frames.
    pub fn play(&mut self, frames: usize) {
        let mut block = vec![0.0; 2 * frames];
        assert_no_alloc::assert_no_alloc(|| self.player.fill(&mut block, 2));
        self.heard.extend(block);
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
