//! `sn`: two modes of the head, and the wires: noise that lasts longer than they do, with a snap at its start.

use super::parts::{Band, Channels, Shop, add};
use super::{Drum, Variant, variant};

pub(super) const DRUM: Drum =
    Drum { name: "sn", aliases: &["sd", "snare"], summary: "snare drum", variants: &VARIANTS, choke: None, make };

const VARIANTS: [Variant; 4] =
    [variant(-6.5, "crisp"), variant(-6.5, "round and bright"), variant(-6.5, "fat and low"), variant(-7.0, "dry")];

struct Snare {
    /// Frequencies of the two modes, their gains and T60s.
    modes: [(f64, f64, f64); 2],
    drive: f64,
    /// Gain, lower and upper edge, and T60 of the wires.
    wires: (f64, f64, f64, f64),
    snap: f64,
}

const SNARES: [Snare; 4] = [
    Snare {
        modes: [(185.0, 0.7, 0.16), (331.0, 0.42, 0.11)],
        drive: 1.4,
        wires: (1.2, 750.0, 9500.0, 0.26),
        snap: 0.8,
    },
    Snare {
        modes: [(238.0, 0.65, 0.13), (476.0, 0.4, 0.09)],
        drive: 0.9,
        wires: (1.15, 2200.0, 12_000.0, 0.2),
        snap: 0.5,
    },
    Snare {
        modes: [(158.0, 1.0, 0.24), (286.0, 0.5, 0.15)],
        drive: 1.8,
        wires: (1.15, 800.0, 7000.0, 0.38),
        snap: 0.6,
    },
    Snare { modes: [(205.0, 0.9, 0.1), (392.0, 0.6, 0.07)], drive: 1.2, wires: (1.1, 1500.0, 8000.0, 0.12), snap: 0.9 },
];

fn make(variant: usize, shop: &Shop) -> Channels {
    let snare = &SNARES[variant];
    let mut drum = Vec::new();
    for (freq, gain, t60) in snare.modes {
        let shape = shop.shape(0.0005, 0.004, t60);
        add(&mut drum, gain, &shop.body(freq, [(0.7, 0.004), (0.12, 0.02)], &shape, snare.drive));
    }
    let (gain, low, high, t60) = snare.wires;
    let bands = [Band::High(low, 0.7), Band::Low(high, 0.6)];
    add(&mut drum, gain, &shop.burst(0, bands, &shop.shape(0.0015, 0.016, t60)));
    let snap = shop.burst(1, [Band::High(3500.0, 0.7), Band::Low(13_000.0, 0.6)], &shop.shape(0.0003, 0.0, 0.035));
    add(&mut drum, snare.snap, &snap);
    vec![drum]
}
