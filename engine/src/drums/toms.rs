//! `lt`, `mt`, `ht`: bodies like the kick's, higher and bent less, with a second mode and the breath of the skin.

use super::parts::{Band, Channels, Shop, add};
use super::{Drum, Variant, variant};

pub(super) const LOW: Drum = Drum {
    name: "lt",
    aliases: &[],
    summary: "low tom",
    variants: &VARIANTS,
    choke: None,
    make: |variant, shop| make(92.0, 1.2, &TOMS[variant], shop),
};

pub(super) const MIDDLE: Drum =
    Drum { name: "mt", summary: "middle tom", make: |variant, shop| make(131.0, 1.0, &TOMS[variant], shop), ..LOW };

pub(super) const HIGH: Drum =
    Drum { name: "ht", summary: "high tom", make: |variant, shop| make(185.0, 0.82, &TOMS[variant], shop), ..LOW };

const VARIANTS: [Variant; 3] = [variant(-10.0, "round"), variant(-10.0, "punchy"), variant(-10.0, "dry")];

struct Tom {
    bends: [(f64, f64); 2],
    t60: f64,
    drive: f64,
    /// Gains of the second mode, of the skin's breath, and of the stick.
    second: f64,
    breath: f64,
    stick: f64,
}

const TOMS: [Tom; 3] = [
    Tom { bends: [(0.35, 0.025), (0.08, 0.09)], t60: 0.55, drive: 0.9, second: 0.1, breath: 0.12, stick: 0.12 },
    Tom { bends: [(1.1, 0.014), (0.3, 0.06)], t60: 0.5, drive: 1.7, second: 0.12, breath: 0.12, stick: 0.4 },
    Tom { bends: [(0.5, 0.012), (0.12, 0.03)], t60: 0.24, drive: 1.2, second: 0.25, breath: 0.08, stick: 0.3 },
];

/// `freq` is where the pitch comes to rest; `longer` scales the fall.
fn make(freq: f64, longer: f64, tom: &Tom, shop: &Shop) -> Channels {
    let part = |ratio: f64, t60: f64, drive: f64| {
        shop.body(freq * ratio, tom.bends, &shop.shape(0.0008, 0.008, t60 * longer), drive)
    };
    let mut drum = part(1.0, tom.t60, tom.drive);
    // The second mode of a circular membrane.
    add(&mut drum, tom.second, &part(1.593, 0.35 * tom.t60, 0.5));
    let skin = [Band::High(freq, 0.7), Band::Low(freq * 6.0, 0.7)];
    add(&mut drum, tom.breath, &shop.burst(0, skin, &shop.shape(0.002, 0.0, 0.6 * tom.t60)));
    add(&mut drum, tom.stick, &shop.burst(1, [Band::Round(2800.0, 0.7)], &shop.shape(0.0003, 0.0, 0.02)));
    vec![drum]
}
