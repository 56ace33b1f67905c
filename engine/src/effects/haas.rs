//! `haas`: one side of a picture a moment after the other, which moves it without changing a level (Haas 1951).

use super::align::Shift;
use super::{no_latency, stereo};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Law, Memory, Parameter, Recipe, Table};
use crate::units::Unit;

/// Beyond this, in ms, the later side is an echo.
const LONGEST: f64 = 50.0;

/// `haas(time)`.
pub static HAAS: Table = Table {
    word: "haas",
    summary: "Has one side come a moment after the other, which it seems to come from. In mono both sides comb: listen.",
    example: "x >> haas(12)",
    arguments: &["time"],
    parameters: &[
        Parameter::number(
            "time",
            Unit::Milliseconds,
            12.0,
            0.0,
            LONGEST,
            "how much later, to the nearest frame; a change is crossfaded",
        )
        .law(Law::Own),
        Parameter::choice("side", &["right", "left"], "the side that comes later"),
    ],
    parts: &[],
    mix: 100.0,
    channels: |recipe| stereo(recipe, "haas"),
    latency: no_latency,
    tail: |recipe| recipe.clock.frames(HAAS.value(recipe, "time")),
    memory: Memory::Line,
    kernel,
};

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    let later = if HAAS.value(recipe, "side") == 0.0 { 1 } else { 0 };
    Box::new(Haas { later, shift: Shift::new(1, HAAS.value(recipe, "time"), LONGEST, recipe.clock) })
}

struct Haas {
    /// The channel that is late.
    later: usize,
    shift: Shift,
}

keep!(Haas: shift);

impl Kernel for Haas {
    fn process(&mut self, io: &mut Io<'_>) {
        let (&[time, _], [left, right], frames) = (io.values, &mut *io.audio, io.frames.clone()) else { return };
        if io.channels_in == 1 {
            right[frames.clone()].copy_from_slice(&left[frames.clone()]);
        }
        self.shift
            .process(time, io.audio[self.later..=self.later].iter_mut().map(|channel| &mut channel[frames.clone()]));
    }

    fn reset(&mut self) {
        self.shift.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, click_of_edit, noise};

    #[test]
    fn one_side_passes_untouched_and_the_other_comes_later_by_the_time() {
        let input = vec![noise(1, 2000), noise(2, 2000)];
        for (side, prompt, late) in [(0.0, 0, 1), (1.0, 1, 0)] {
            let output = Bench::new(&HAAS, 2).set("time", 10.0).set("side", side).run(&input);
            assert_eq!(output[prompt], input[prompt]);
            assert_eq!(output[late][480..], input[late][..1520]);
        }
    }

    #[test]
    fn mono_becomes_two_sides_of_which_one_is_late() {
        let input = noise(1, 1000);
        let output = Bench::new(&HAAS, 1).set("time", 1.0).run(std::slice::from_ref(&input));
        assert_eq!(output[0], input);
        assert_eq!(output[1][48..], input[..952]);
    }

    #[test]
    fn an_edit_of_the_time_does_not_click() {
        let mut bench = Bench::new(&HAAS, 2);
        let click = click_of_edit(&mut bench, |bench| bench.edit(0, 30.0));
        assert!(click < -80.0, "{click} dBFS");
    }
}
