//! A playback that plays silence until it is handed what to play, which fades in then: so that a device can be opened before what
//! plays is taken from another.

use engine::fade::{Ramp, fade_frames};
use engine::playback::Playback;
use rtrb::{Consumer, Producer, RingBuffer};

/// How long the sound fades in, in milliseconds.
const FADE_MS: f64 = 50.0;

/// Who has something to hand over.
pub struct Giver(Producer<Box<dyn Playback>>);

impl Giver {
    /// Hands it over.
    pub fn hand_over(mut self, playback: Box<dyn Playback>) {
        // There is room for one, and there is one.
        let _ = self.0.push(playback);
    }
}

/// What is given to a device meanwhile.
pub struct Handover {
    coming: Consumer<Box<dyn Playback>>,
    playback: Option<Box<dyn Playback>>,
    fade: Ramp,
    frames: u32,
    ceiling: f32,
}

/// Both ends, for a device of so many frames a second that no sample may exceed `ceiling` on.
pub fn handover(rate: u32, ceiling: f32) -> (Handover, Giver) {
    let (giver, coming) = RingBuffer::new(1);
    let frames = fade_frames(FADE_MS, f64::from(rate));
    (Handover { coming, playback: None, fade: Ramp::still(0.0), frames, ceiling }, Giver(giver))
}

impl Playback for Handover {
    fn fill(&mut self, block: &mut [f32], channels: usize) {
        if self.playback.is_none() {
            self.playback = self.coming.pop().ok();
        }
        let Some(playback) = &mut self.playback else { return block.fill(0.0) };
        playback.fill(block, channels);
        self.fade.aim(1.0, 0, self.frames);
        self.fade.fade(block, channels);
    }

    fn ready(&mut self) -> bool {
        self.playback.as_mut().is_none_or(|playback| playback.ready())
    }

    fn ceiling(&self) -> f32 {
        self.ceiling
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Full;

    impl Playback for Full {
        fn fill(&mut self, block: &mut [f32], _: usize) {
            block.fill(1.0);
        }
    }

    #[test]
    fn it_is_silent_until_it_is_handed_something_which_fades_in_once() {
        let (mut playback, giver) = handover(48_000, 0.9);
        let mut block = [f32::NAN; 2 * 480];
        playback.fill(&mut block, 2);
        assert_eq!(block, [0.0; 2 * 480]);
        giver.hand_over(Box::new(Full));
        let mut heard: Vec<f32> = Vec::new();
        for _ in 0..10 {
            playback.fill(&mut block, 2);
            heard.extend(block.iter().step_by(2));
        }
        let frames = fade_frames(FADE_MS, 48_000.0) as usize;
        let steps = heard.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(steps.clone().all(|step| (-1e-6..=1.1 / frames as f32).contains(&step)));
        assert!(heard[0] < 0.01 && heard[frames..].iter().all(|x| *x == 1.0), "{:?}", &heard[frames - 2..frames + 2]);
        assert_eq!(playback.ceiling(), 0.9);
    }
}
