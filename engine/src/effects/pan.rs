//! `pan`: a place between left and right. Mono is panned by a law; stereo is balanced.

use std::f64::consts::FRAC_PI_2;

use super::{no_latency, no_tail, stereo};
use crate::abreast::{Abreast, Shape};
use crate::keep::keep;
use crate::kernel::{Glide, Io, Kernel};
use crate::last::Last;
use crate::math;
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::units::Unit;

const POSITION: usize = 0;
const LAW: usize = 1;

/// `pan(position)`.
pub static PAN: Table = Table {
    word: "pan",
    summary: "A place between left (-1) and right (1); what is stereo already is balanced.",
    example: "x >> pan(-0.3)",
    arguments: &["position"],
    parameters: &[
        Parameter::number("position", Unit::Plain, 0.0, -1.0, 1.0, "from left, -1, to right, 1"),
        Parameter::steps(
            "law",
            Unit::Decibels,
            -3.0,
            &[0.0, -3.0, -4.5, -6.0],
            "level of mono at the centre: -3 keeps the power, -6 the mono sum",
        ),
    ],
    parts: &[],
    mix: 100.0,
    channels: |recipe| stereo(recipe, "pan"),
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel,
};

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    let law = if recipe.channels == 1 { Law::of_centre(recipe.values[LAW]) } else { Law::Balance };
    Box::new(Pan { law, still: Last::default() })
}

/// What may go abreast: all of it.
pub(super) fn shape(recipe: &Recipe) -> Shape {
    if recipe.channels == 1 { Shape::Panned } else { Shape::Levels { channels: 2 } }
}

/// The gains of left and right as a function of the position.
#[derive(Clone, Copy)]
enum Law {
    /// 0 dB at the centre: each side falls evenly on the far half.
    Flat,
    /// Sine and cosine, to this power.
    Sine(f64),
    /// -6 dB at the centre: both even.
    Linear,
    /// For stereo: 0 dB at the centre, the far side falls by the cosine.
    Balance,
}

impl Law {
    fn of_centre(level: f64) -> Self {
        match level {
            0.0 => Law::Flat,
            -4.5 => Law::Sine(1.5),
            -6.0 => Law::Linear,
            _ => Law::Sine(1.0),
        }
    }

    /// The gains of left and right. RT.
    fn gains(self, position: f64) -> [f64; 2] {
        // The angle from the near end, so that both ends are silent exactly.
        let fall = |part: f64| if part >= 1.0 { 0.0 } else { math::cos(part * FRAC_PI_2) };
        let right = (position + 1.0) / 2.0;
        let left = (1.0 - position) / 2.0;
        match self {
            Law::Flat => [(2.0 * left).min(1.0), (2.0 * right).min(1.0)],
            Law::Sine(1.0) => [fall(right), fall(left)],
            Law::Sine(power) => [math::pow(fall(right), power), math::pow(fall(left), power)],
            Law::Linear => [left, right],
            Law::Balance => [fall(position.max(0.0)), fall((-position).max(0.0))],
        }
    }
}

struct Pan {
    law: Law,
    /// The gains of the position where it stands.
    still: Last<[f64; 2]>,
}

keep!(Pan);

impl Kernel for Pan {
    fn process(&mut self, io: &mut Io<'_>) {
        let position = io.values[POSITION];
        let law = self.law;
        let to = self.still.of(position.to, |position| law.gains(position));
        let from = if position.is_still() { to } else { self.law.gains(position.from) };
        let [left, right] = io.audio else { return };
        if io.channels_in == 1 {
            right[io.frames.clone()].copy_from_slice(&left[io.frames.clone()]);
        }
        for (channel, (from, to)) in [left, right].into_iter().zip(from.into_iter().zip(to)) {
            Glide { from, to }.scale(&mut channel[io.frames.clone()]);
        }
    }

    fn fall_in(&mut self, io: &Io<'_>, abreast: &mut Abreast, lane: usize) -> bool {
        let [left, right] = self.still.of(io.values[POSITION].to, |position| self.law.gains(position));
        if io.channels_in == 1 {
            abreast.put_levels(lane, left, right);
        } else {
            abreast.put_levels(lane, left, left);
            abreast.put_levels(lane + 1, right, right);
        }
        true
    }

    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, level_at, noise, sine};

    fn levels(law: f64, position: f64) -> [f64; 2] {
        let out = Bench::new(&PAN, 1).set("law", law).set("position", position).run(&[sine(997.0, 0.0, RATE, 960)]);
        [level_at(&out[0], 997.0, RATE), level_at(&out[1], 997.0, RATE)]
    }

    #[test]
    fn each_law_has_its_published_levels_at_the_centre_and_half_left() {
        for (law, centre, half) in [
            (0.0, 0.0, [0.0, -6.02]),
            (-3.0, -3.01, [-0.69, -8.34]),
            (-4.5, -4.52, [-1.03, -12.51]),
            (-6.0, -6.02, [-2.50, -12.04]),
        ] {
            for (found, expected) in levels(law, 0.0).into_iter().zip([centre, centre]) {
                assert!((found - expected).abs() < 0.01, "law {law}, centre: {found}");
            }
            for (found, expected) in levels(law, -0.5).into_iter().zip(half) {
                assert!((found - expected).abs() < 0.01, "law {law}, half left: {found}");
            }
        }
    }

    #[test]
    fn a_sweep_follows_each_law_s_formula() {
        for step in -9..=9 {
            let position = f64::from(step) / 10.0;
            let u = (position + 1.0) / 2.0;
            let (sin, cos) = (math::sin(u * FRAC_PI_2), math::cos(u * FRAC_PI_2));
            for (law, left, right) in [
                (0.0, (2.0 * (1.0 - u)).min(1.0), (2.0 * u).min(1.0)),
                (-3.0, cos, sin),
                (-4.5, math::pow(cos, 1.5), math::pow(sin, 1.5)),
                (-6.0, 1.0 - u, u),
            ] {
                for (found, gain) in levels(law, position).into_iter().zip([left, right]) {
                    assert!((found - math::db_from_gain(gain)).abs() < 0.01, "law {law} at {position}: {found}");
                }
            }
        }
    }

    #[test]
    fn at_an_end_the_far_side_is_silent_and_the_near_side_whole() {
        let input = noise(1, 200);
        for law in [0.0, -3.0, -4.5, -6.0] {
            let out = Bench::new(&PAN, 1).set("law", law).set("position", 1.0).run(std::slice::from_ref(&input));
            assert!(out[0].iter().all(|x| *x == 0.0), "law {law}");
            assert_eq!(out[1], input, "law {law}");
        }
    }

    #[test]
    fn stereo_is_balanced_exact_at_the_centre_and_falling_by_the_cosine() {
        let input = vec![noise(1, 200), noise(2, 200)];
        assert_eq!(Bench::new(&PAN, 2).run(&input), input);
        let out = Bench::new(&PAN, 2).set("position", 0.5).run(&input);
        assert_eq!(out[1], input[1]);
        for (x, y) in input[0].iter().zip(&out[0]) {
            assert!((y - x * std::f64::consts::FRAC_1_SQRT_2).abs() < 1e-12);
        }
    }

    #[test]
    fn an_edit_of_the_position_does_not_click() {
        for (channels, to) in [(1, 1.0), (1, -1.0), (2, 1.0), (2, -0.3)] {
            let click = click_of_edit(&mut Bench::new(&PAN, channels), |bench| bench.edit(POSITION, to));
            assert!(click < -80.0, "{channels} channels to {to}: {click} dBFS");
        }
    }
}
