//! `cp`: several hands a moment apart, and the room they are in: noise round 1 kHz, as in the 808, with bursts 10 ms apart
//! before a tail. The two sides share most of their noise, so that it is a little wide and loses nothing in mono.

use super::parts::{Band, Channels, Shop, add};
use super::{Drum, Variant, variant};

pub(super) const DRUM: Drum =
    Drum { name: "cp", aliases: &["clap"], summary: "hand clap", variants: &VARIANTS, choke: None, make };

const VARIANTS: [Variant; 3] = [variant(-7.0, "classic"), variant(-7.0, "tight"), variant(-7.0, "wide, in a room")];

struct Clap {
    centre: f64,
    q: f64,
    /// When each hand but the last begins, in seconds, and when the last does.
    hands: [f64; 3],
    last: f64,
    /// T60 of the last hand, and gain and T60 of the room.
    t60: f64,
    room: (f64, f64),
    side: f64,
}

const CLAPS: [Clap; 3] = [
    Clap {
        centre: 1050.0,
        q: 1.1,
        hands: [0.0, 0.0105, 0.0205],
        last: 0.0305,
        t60: 0.1,
        room: (0.3, 0.42),
        side: 0.35,
    },
    Clap { centre: 1400.0, q: 0.9, hands: [0.0, 0.006, 0.0125], last: 0.019, t60: 0.07, room: (0.15, 0.2), side: 0.25 },
    Clap { centre: 1150.0, q: 0.8, hands: [0.0, 0.013, 0.024], last: 0.036, t60: 0.13, room: (0.4, 0.8), side: 0.7 },
];

fn make(variant: usize, shop: &Shop) -> Channels {
    let clap = &CLAPS[variant];
    // Noises 0 to 3 are of the hands, 4 of the room; for the sides, 8 more and 16 more.
    let layer = |number: u64| {
        let mut sound = Vec::new();
        let bands = [Band::Round(clap.centre, clap.q), Band::High(450.0, 0.7)];
        let air = [Band::High(2600.0, 0.7), Band::Low(9000.0, 0.7)];
        let starts = clap.hands.iter().chain([&clap.last]);
        for (hand, start) in starts.enumerate() {
            let t60 = if hand == 3 { clap.t60 } else { 0.028 };
            let shape = shop.shape(0.0005, 0.0, t60);
            let mut burst = shop.burst(number + hand as u64, bands, &shape);
            add(&mut burst, 0.16, &shop.burst(number + 32 + hand as u64, air, &shape));
            add(&mut sound, 1.0, &late(burst, *start));
        }
        let (gain, t60) = clap.room;
        let room = shop.burst(number + 4, bands, &shop.shape(0.004, 0.0, t60));
        add(&mut sound, gain, &late(room, clap.last));
        sound
    };
    let middle = layer(0);
    [8, 16]
        .map(|side| {
            let mut channel = middle.clone();
            add(&mut channel, clap.side, &layer(side));
            channel
        })
        .into()
}

/// The same, so many seconds later.
fn late(sound: Vec<f64>, seconds: f64) -> Vec<f64> {
    let mut later = vec![0.0; super::frames(seconds)];
    later.extend(sound);
    later
}
