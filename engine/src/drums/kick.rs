//! `bd`: a body whose pitch falls fast, bent by a stage that is driven, and the beater's click.
//!
//! The 808's is a bridged-T resonator near 50 Hz, struck by a pulse that lifts its pitch for a few milliseconds; the 909's a
//! sine swept from far higher, with noise for the beater.

use super::parts::{Band, Channels, Shop, add};
use super::{Drum, KICKS, Variant, variant};

pub(super) const DRUM: Drum =
    Drum { name: "bd", aliases: &["kick"], summary: "bass drum", variants: &VARIANTS, choke: Some(KICKS), make };

const VARIANTS: [Variant; 4] =
    [variant(-6.0, "tight"), variant(-6.0, "long and low"), variant(-6.0, "punchy"), variant(-7.0, "soft")];

struct Kick {
    freq: f64,
    bends: [(f64, f64); 2],
    hold: f64,
    t60: f64,
    drive: f64,
    /// Gain and centre of the click.
    click: (f64, f64),
}

const KICKS_MADE: [Kick; 4] = [
    Kick { freq: 52.0, bends: [(4.5, 0.006), (0.7, 0.03)], hold: 0.03, t60: 0.42, drive: 1.6, click: (0.8, 3200.0) },
    Kick { freq: 45.0, bends: [(1.6, 0.007), (0.25, 0.05)], hold: 0.05, t60: 1.5, drive: 1.3, click: (0.22, 1800.0) },
    Kick { freq: 50.0, bends: [(6.0, 0.009), (0.9, 0.04)], hold: 0.05, t60: 0.5, drive: 2.4, click: (1.1, 4000.0) },
    Kick { freq: 56.0, bends: [(1.8, 0.008), (0.4, 0.03)], hold: 0.01, t60: 0.38, drive: 0.8, click: (0.1, 900.0) },
];

fn make(variant: usize, shop: &Shop) -> Channels {
    let kick = &KICKS_MADE[variant];
    let shape = shop.shape(0.0006, kick.hold, kick.t60);
    let mut body = shop.body(kick.freq, kick.bends, &shape, kick.drive);
    let (gain, centre) = kick.click;
    let click = shop.burst(0, [Band::Round(centre, 0.7)], &shop.shape(0.0003, 0.0, 0.02));
    add(&mut body, gain, &click);
    vec![body]
}
