//! `cr` and `rd`: the metal of the hats in more bands, each with a fall of its own, and noise, which in a crash
//! differs from side to side.

use super::hats::METAL;
use super::parts::{Band, Channels, Shop, add, ring, squares};
use super::{Drum, Variant, variant};
use crate::math;

pub(super) const CRASH: Drum = Drum {
    name: "cr",
    aliases: &["cy", "crash"],
    summary: "crash cymbal",
    variants: &CRASH_VARIANTS,
    choke: None,
    make: |variant, shop| make(&CRASHES[variant], shop),
};

pub(super) const RIDE: Drum = Drum {
    name: "rd",
    aliases: &["ride"],
    summary: "ride cymbal",
    variants: &RIDE_VARIANTS,
    choke: None,
    make: |variant, shop| make(&RIDES[variant], shop),
};

const CRASH_VARIANTS: [Variant; 3] = [variant(-10.0, "full"), variant(-10.0, "short"), variant(-11.0, "dark")];

const RIDE_VARIANTS: [Variant; 3] = [variant(-14.0, "classic"), variant(-14.0, "bell"), variant(-15.0, "dry")];

/// Gain and T60 of a part.
type Part = (f64, f64);

struct Cymbal {
    /// Whether its noise differs from side to side.
    wide: bool,
    /// The lower edge of all, in Hz.
    low: f64,
    /// The metal below 6 kHz and above.
    body: Part,
    shine: Part,
    /// Noise: at once, and behind.
    splash: Part,
    wash: Part,
    /// What rings when the tip of a stick strikes.
    ping: Part,
}

const CRASHES: [Cymbal; 3] = [
    Cymbal {
        wide: true,
        low: 1500.0,
        body: (0.4, 1.1),
        shine: (0.5, 1.3),
        splash: (0.5, 0.12),
        wash: (0.55, 1.4),
        ping: (0.0, 0.1),
    },
    Cymbal {
        wide: true,
        low: 2200.0,
        body: (0.3, 0.5),
        shine: (0.5, 0.6),
        splash: (0.6, 0.1),
        wash: (0.55, 0.65),
        ping: (0.0, 0.1),
    },
    Cymbal {
        wide: true,
        low: 900.0,
        body: (0.6, 1.5),
        shine: (0.25, 1.0),
        splash: (0.4, 0.15),
        wash: (0.4, 1.3),
        ping: (0.0, 0.1),
    },
];

const RIDES: [Cymbal; 3] = [
    Cymbal {
        wide: false,
        low: 2600.0,
        body: (0.22, 0.8),
        shine: (0.3, 1.1),
        splash: (0.12, 0.03),
        wash: (0.12, 0.9),
        ping: (0.3, 0.5),
    },
    Cymbal {
        wide: false,
        low: 600.0,
        body: (0.2, 0.7),
        shine: (0.15, 0.8),
        splash: (0.1, 0.03),
        wash: (0.05, 0.7),
        ping: (1.0, 0.9),
    },
    Cymbal {
        wide: false,
        low: 3200.0,
        body: (0.2, 0.3),
        shine: (0.25, 0.45),
        splash: (0.2, 0.03),
        wash: (0.08, 0.35),
        ping: (0.35, 0.25),
    },
];

/// What a struck bell rings at, in Hz, with gains.
const PINGS: [(f64, f64); 4] = [(833.0, 0.35), (2117.0, 0.5), (3361.0, 0.35), (4793.0, 0.3)];

fn make(cymbal: &Cymbal, shop: &Shop) -> Channels {
    let shape = |(_, t60): Part, attack| shop.shape(attack, 0.0, t60);
    let layer = |(gain, _): Part, mut sound: Vec<f64>, shape: super::parts::Shape, into: &mut Vec<f64>| {
        shape.give(&mut sound);
        add(into, gain, &sound);
    };
    let tuned = METAL.map(|freq| freq * shop.tune * 1.31);
    let (body, shine) = (shape(cymbal.body, 0.001), shape(cymbal.shine, 0.002));
    let metal = squares(&tuned, shop.seed, body.frames().max(shine.frames()));
    let mut middle = Vec::new();
    let low = shop.filtered(metal.clone(), [Band::High(cymbal.low, 0.7), Band::Round(4200.0, 0.6)]);
    layer(cymbal.body, low, body, &mut middle);
    layer(cymbal.shine, shop.filtered(metal, [Band::High(6500.0, 0.7), Band::High(6500.0, 0.7)]), shine, &mut middle);
    let (ping, t60) = cymbal.ping;
    let mut bell = Vec::new();
    for (freq, gain) in PINGS {
        add(&mut bell, gain, &ring(freq * shop.tune, t60 * shop.decay * math::sqrt(PINGS[0].0 / freq)));
    }
    add(&mut middle, ping, &shop.filtered(bell, [Band::High(400.0, 0.7)]));
    let sides: &[u64] = if cymbal.wide { &[0, 1] } else { &[0] };
    sides
        .iter()
        .map(|&side| {
            let mut channel = middle.clone();
            let splash =
                shop.burst(side, [Band::High(3000.0, 0.7), Band::Low(11_000.0, 0.6)], &shape(cymbal.splash, 0.0005));
            add(&mut channel, cymbal.splash.0, &splash);
            let bands = [Band::High(cymbal.low * 2.0, 0.7), Band::High(3800.0, 0.6), Band::Low(9500.0, 0.6)];
            add(&mut channel, cymbal.wash.0, &shop.burst(2 + side, bands, &shape(cymbal.wash, 0.003)));
            channel
        })
        .collect()
}
