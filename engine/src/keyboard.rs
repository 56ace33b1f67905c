//! Keyboards: what hands do to one, and which of its notes are held.
//!
//! An instrument that is played by hand is told of each [`Touch`] at the beginning of a quantum. [`Held`] knows what that
//! makes of its notes, the sustain pedal included.

use serde::{Deserialize, Serialize};

use crate::keep::keep;

/// What is done to a keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Touch {
    /// A key goes down.
    Press {
        /// Its MIDI number, 0 to 127.
        key: u8,
        /// How hard, 1 to 127.
        velocity: u8,
    },
    /// A key comes up.
    Release {
        /// Its MIDI number.
        key: u8,
    },
    /// The sustain pedal goes down, or comes up.
    Pedal(bool),
    /// Every key comes up, and the pedal too.
    LetGo,
}

/// What a touch makes of a note.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act {
    /// The note of a key begins, so hard from 0 to 1.
    Start(u8, f64),
    /// The note of a key is let go.
    Stop(u8),
}

/// Which notes of a keyboard are held: by its keys, and by its pedal alone.
#[derive(Clone, Debug, Default)]
pub struct Held {
    pressed: Keys,
    sustained: Keys,
    pedal: bool,
}

keep!(Held: pressed, sustained, pedal);

impl Held {
    /// What a touch does, in order. RT.
    pub fn touch(&mut self, touch: Touch, mut act: impl FnMut(Act)) {
        match touch {
            Touch::Press { key, velocity } => {
                // A string that still sounds is struck anew.
                if self.pressed.take(key) | self.sustained.take(key) {
                    act(Act::Stop(key));
                }
                self.pressed.put(key);
                act(Act::Start(key, f64::from(velocity.min(127)) / 127.0));
            }
            Touch::Release { key } => {
                if self.pressed.take(key) {
                    if self.pedal { self.sustained.put(key) } else { act(Act::Stop(key)) }
                }
            }
            Touch::Pedal(down) => {
                self.pedal = down;
                if !down {
                    self.sustained.take_all(|key| act(Act::Stop(key)));
                }
            }
            Touch::LetGo => {
                self.pedal = false;
                self.pressed.take_all(|key| act(Act::Stop(key)));
                self.sustained.take_all(|key| act(Act::Stop(key)));
            }
        }
    }

    /// Forgets all, as if nothing had been touched. RT.
    pub fn forget(&mut self) {
        *self = Held::default();
    }
}

/// A set of keys.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    bits: [u64; 2],
}

keep!(Keys: bits);

impl Keys {
    /// RT.
    pub fn put(&mut self, key: u8) {
        self.bits[usize::from(key & 127) / 64] |= 1 << (key % 64);
    }

    /// Takes a key out; whether it was there. RT.
    pub fn take(&mut self, key: u8) -> bool {
        let (half, bit) = (&mut self.bits[usize::from(key & 127) / 64], 1 << (key % 64));
        let was_there = *half & bit != 0;
        *half &= !bit;
        was_there
    }

    /// Takes all out, from the lowest on. RT.
    pub fn take_all(&mut self, mut taken: impl FnMut(u8)) {
        (0..128).filter(|key| self.take(*key)).for_each(&mut taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(touches: &[Touch]) -> Vec<Act> {
        let (mut held, mut acts) = (Held::default(), Vec::new());
        touches.iter().for_each(|touch| held.touch(*touch, |act| acts.push(act)));
        acts
    }

    fn press(key: u8) -> Touch {
        Touch::Press { key, velocity: 127 }
    }

    fn release(key: u8) -> Touch {
        Touch::Release { key }
    }

    #[test]
    fn a_key_sounds_from_press_to_release_as_hard_as_it_is_struck() {
        let soft = Touch::Press { key: 127, velocity: 1 };
        assert_eq!(
            done(&[press(0), soft, release(0), release(0), release(127)]),
            [Act::Start(0, 1.0), Act::Start(127, 1.0 / 127.0), Act::Stop(0), Act::Stop(127)]
        );
    }

    #[test]
    fn the_pedal_holds_what_is_released_until_it_comes_up_and_not_what_is_still_pressed() {
        let touches =
            [press(60), press(64), Touch::Pedal(true), release(60), release(64), press(64), Touch::Pedal(false)];
        let acts = [Act::Start(60, 1.0), Act::Start(64, 1.0), Act::Stop(64), Act::Start(64, 1.0), Act::Stop(60)];
        assert_eq!(done(&touches), acts);
    }

    #[test]
    fn whatever_is_done_nothing_hangs_once_all_is_let_go() {
        for seed in 0..200 {
            let (mut held, mut sounding) = (Held::default(), [false; 128]);
            let mut act = |act| match act {
                Act::Start(key, _) => assert!(!std::mem::replace(&mut sounding[usize::from(key)], true)),
                Act::Stop(key) => assert!(std::mem::replace(&mut sounding[usize::from(key)], false)),
            };
            for step in 0..400 {
                let drawn = crate::random::mix(seed * 1000 + step);
                let key = (drawn >> 8) as u8 % 24 + 52;
                let touch = match drawn % 8 {
                    0..=3 => press(key),
                    4..=6 => release(key),
                    _ => Touch::Pedal(drawn & 0x10_0000 != 0),
                };
                held.touch(touch, &mut act);
            }
            held.touch(Touch::LetGo, &mut act);
            assert_eq!(sounding, [false; 128]);
        }
    }
}
