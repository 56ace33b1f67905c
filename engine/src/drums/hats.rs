//! `hh` and `oh`: six squares without a common measure, through the bands that leave only their highest harmonics, and some
//! air. The squares are in the middle, the air is wide.

use super::parts::{Band, Channels, Shop, add, squares};
use super::{Drum, HATS, Variant, variant};

pub(super) const CLOSED: Drum = Drum {
    name: "hh",
    aliases: &["ch", "hat"],
    summary: "closed hat",
    variants: &CLOSED_VARIANTS,
    choke: Some(HATS),
    make: |variant, shop| make(&CLOSED_HATS[variant], shop),
};

pub(super) const OPEN: Drum = Drum {
    name: "oh",
    aliases: &[],
    summary: "open hat",
    variants: &OPEN_VARIANTS,
    choke: Some(HATS),
    make: |variant, shop| make(&OPEN_HATS[variant], shop),
};

const CLOSED_VARIANTS: [Variant; 4] =
    [variant(-13.0, "tight"), variant(-13.0, "metallic"), variant(-13.0, "pedal"), variant(-13.0, "thin and dry")];

const OPEN_VARIANTS: [Variant; 3] = [variant(-13.0, "classic"), variant(-13.0, "half open"), variant(-14.0, "long")];

/// The oscillators of the 808's metal, in Hz.
pub(super) const METAL: [f64; 6] = [205.3, 304.4, 369.6, 522.7, 540.0, 800.0];

struct Hat {
    attack: f64,
    t60: f64,
    /// The lower edge, and the band that is heard most, in Hz.
    low: f64,
    bright: f64,
    /// Gains of metal and of air.
    metal: f64,
    air: f64,
}

const CLOSED_HATS: [Hat; 4] = [
    Hat { attack: 0.0004, t60: 0.11, low: 6800.0, bright: 9500.0, metal: 0.7, air: 0.55 },
    Hat { attack: 0.0004, t60: 0.16, low: 6200.0, bright: 7600.0, metal: 1.0, air: 0.2 },
    Hat { attack: 0.003, t60: 0.14, low: 5200.0, bright: 6400.0, metal: 0.8, air: 0.35 },
    Hat { attack: 0.0003, t60: 0.06, low: 8200.0, bright: 11_000.0, metal: 0.45, air: 0.8 },
];

const OPEN_HATS: [Hat; 3] = [
    Hat { attack: 0.0006, t60: 0.75, low: 6500.0, bright: 9000.0, metal: 0.8, air: 0.5 },
    Hat { attack: 0.0006, t60: 0.4, low: 6800.0, bright: 9500.0, metal: 0.7, air: 0.55 },
    Hat { attack: 0.0008, t60: 1.2, low: 6000.0, bright: 8200.0, metal: 0.9, air: 0.4 },
];

fn make(hat: &Hat, shop: &Shop) -> Channels {
    let shape = shop.shape(hat.attack, 0.002, hat.t60);
    let frames = shape.frames();
    let edges = [Band::High(hat.low, 0.55), Band::High(hat.low, 1.3)];
    let bright = [Band::Round(hat.bright, 0.8)];
    let tuned = METAL.map(|freq| freq * shop.tune);
    let mut metal = shop.filtered(squares(&tuned, shop.seed, frames), edges);
    let band = shop.filtered(metal.clone(), bright);
    add(&mut metal, 1.5, &band);
    metal.iter_mut().zip(shape.gains()).for_each(|(x, gain)| *x *= hat.metal * gain);
    [0, 1]
        .map(|side| {
            let mut channel = metal.clone();
            add(
                &mut channel,
                hat.air,
                &shop.burst(side, [edges[0], edges[1], Band::Low(hat.bright * 1.25, 0.6)], &shape),
            );
            channel
        })
        .into()
}
