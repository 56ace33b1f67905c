//! `rim`, `cb`, `sh`: the small ones.

use super::parts::{Band, Channels, Shop, add, bend, ring, squares};
use super::{Drum, Variant, variant};

pub(super) const RIM: Drum = Drum {
    name: "rim",
    aliases: &["rs"],
    summary: "rim shot",
    variants: &[variant(-9.0, "rim shot"), variant(-9.0, "side stick, of wood"), variant(-11.0, "clave")],
    choke: None,
    make: rim,
};

pub(super) const COWBELL: Drum = Drum {
    name: "cb",
    aliases: &["cowbell"],
    summary: "cowbell",
    variants: &[variant(-13.0, "classic"), variant(-13.0, "short and high"), variant(-13.0, "low, like an agogo")],
    choke: None,
    make: cowbell,
};

pub(super) const SHAKER: Drum =
    Drum { name: "sh", aliases: &["shaker"], summary: "shaker", variants: &SHAKERS, choke: None, make: shaker };

const SHAKERS: [Variant; 3] = [variant(-15.0, "there"), variant(-16.0, "and back"), variant(-15.0, "long")];

/// Modes of each rim: frequency in Hz, gain, T60 in seconds.
const RIMS: [[(f64, f64, f64); 3]; 3] = [
    [(1667.0, 1.0, 0.045), (455.0, 0.8, 0.05), (2610.0, 0.25, 0.025)],
    [(815.0, 1.0, 0.06), (1240.0, 0.7, 0.05), (2350.0, 0.5, 0.035)],
    [(2500.0, 1.0, 0.09), (2500.0 * 1.51, 0.08, 0.04), (1240.0, 0.05, 0.03)],
];

fn rim(variant: usize, shop: &Shop) -> Channels {
    let mut drum = Vec::new();
    for (freq, gain, t60) in RIMS[variant] {
        add(&mut drum, gain, &ring(freq * shop.tune, t60 * shop.decay));
    }
    bend(&mut drum, [1.6, 1.0, 0.5][variant]);
    let mut drum = shop.filtered(drum, [Band::High(120.0, 0.7)]);
    let click = shop.burst(0, [Band::High(2500.0, 0.7), Band::Low(11_000.0, 0.7)], &shop.shape(0.0002, 0.0, 0.012));
    add(&mut drum, [0.5, 0.5, 0.15][variant], &click);
    vec![drum]
}

/// Two squares, the 808's 540 and 800 Hz among them, through the band round their fourth harmonic; at once and behind.
fn cowbell(variant: usize, shop: &Shop) -> Channels {
    let (freqs, centre, t60) =
        [([540.0, 800.0], 2640.0, 0.45), ([587.0, 845.0], 3000.0, 0.2), ([391.0, 580.0], 1900.0, 0.5)][variant];
    let (strike, behind) = (shop.shape(0.0005, 0.004, 0.05), shop.shape(0.0005, 0.0, t60));
    let metal = squares(&freqs.map(|freq| freq * shop.tune), shop.seed, behind.frames().max(strike.frames()));
    // Overtones are what is struck; what goes on ringing is lower.
    let mut drum = shop.filtered(metal.clone(), [Band::Round(centre, 1.0), Band::High(450.0, 0.7)]);
    let mut body = shop.filtered(metal, [Band::Round(centre / 3.2, 1.0), Band::High(350.0, 0.7)]);
    strike.give(&mut drum);
    behind.give(&mut body);
    add(&mut drum, 0.7, &body);
    vec![drum]
}

fn shaker(variant: usize, shop: &Shop) -> Channels {
    let (attack, t60, centre) = [(0.02, 0.09, 7200.0), (0.012, 0.05, 8600.0), (0.045, 0.16, 6600.0)][variant];
    let bands = [Band::Round(centre, 0.9), Band::High(3500.0, 0.7)];
    let shape = shop.shape(attack, 0.004, t60);
    let middle = shop.burst(0, bands, &shape);
    [1, 2]
        .map(|side| {
            let mut channel = middle.clone();
            add(&mut channel, 0.5, &shop.burst(side, bands, &shape));
            channel
        })
        .into()
}
