//! How long the callback takes for each block, as a share of the block's own time.

use std::time::Instant;

use engine::kernel::QUANTUM;
use engine::live::Player;
use engine::playback::Playback;

/// The rate of what is measured.
pub const RATE: u32 = 48_000;

/// Times every block that it passes on.
pub struct Timed {
    player: Player,
    times: rtrb::Producer<u32>,
}

impl Timed {
    /// What times a player, and where its times come out.
    pub fn new(player: Player) -> (Timed, rtrb::Consumer<u32>) {
        let (times, timed) = rtrb::RingBuffer::new(1 << 20);
        (Timed { player, times }, timed)
    }
}

impl Playback for Timed {
    fn fill(&mut self, block: &mut [f32], channels: usize) {
        let begun = Instant::now();
        self.player.fill(block, channels);
        // A ring that is full has lost a figure, not a sound.
        let _ = self.times.push(begun.elapsed().as_nanos() as u32);
    }
}

/// The share of a block's own time that so many nanoseconds are.
pub fn share(nanos: u32) -> f64 {
    f64::from(nanos) * 1e-9 * f64::from(RATE) / QUANTUM as f64
}

/// The share that a part of all blocks stayed within.
pub fn within(shares: &mut [f64], part: f64) -> f64 {
    shares.sort_by(f64::total_cmp);
    shares[((shares.len() - 1) as f64 * part) as usize]
}

/// Says how they lie.
pub fn show(what: &str, shares: &mut [f64]) {
    let [middle, most_of_all, nearly_all, worst] = [0.5, 0.99, 0.999, 1.0].map(|part| 100.0 * within(shares, part));
    let late = shares.iter().filter(|share| **share > 1.0).count();
    println!(
        "{what:<22} {:>8} blocks: median {middle:>5.1} %, 99th {most_of_all:>5.1} %, 99.9th {nearly_all:>6.1} %, most \
         {worst:>6.1} %, {late} late",
        shares.len()
    );
}
