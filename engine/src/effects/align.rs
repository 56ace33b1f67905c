//! `align`: an exact delay of a path, which nothing makes up for.

use super::{no_latency, same_channels};
use crate::delay_line::{Crossfade, DelayLine};
use crate::keep::keep;
use crate::kernel::{Glide, Io, Kernel};
use crate::parameter::{Law, Memory, Parameter, Table};
use crate::units::{Clock, Unit};

/// The longest time there is, in ms.
const LONGEST: f64 = 1000.0;

/// How long it takes to get to another time, in ms.
const FADE: f64 = 20.0;

/// `align(time)`.
pub static ALIGN: Table = Table {
    word: "align",
    summary: "Delays a path by whole frames, and nothing else waits for it: what it is late by is meant. To bring a path \
              forward, delay the others.",
    example: "x >> align(48.samples)",
    arguments: &["time"],
    parameters: &[Parameter::number(
        "time",
        Unit::Milliseconds,
        0.0,
        0.0,
        LONGEST,
        "by how much, to the nearest frame; a change is crossfaded",
    )
    .law(Law::Own)],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: no_latency,
    tail: |recipe| recipe.clock.frames(ALIGN.value(recipe, "time")),
    memory: Memory::Line,
    kernel: |recipe| {
        Box::new(Align { shift: Shift::new(recipe.channels, ALIGN.value(recipe, "time"), LONGEST, recipe.clock) })
    },
};

struct Align {
    shift: Shift,
}

impl Kernel for Align {
    fn process(&mut self, io: &mut Io<'_>) {
        let &[time] = io.values else { return };
        self.shift.process(time, io.audio.iter_mut().map(|channel| &mut channel[io.frames.clone()]));
    }

    fn reset(&mut self) {
        self.shift.reset();
    }
}

/// Channels that are late by the same whole number of frames.
pub(super) struct Shift {
    lines: Vec<DelayLine>,
    tap: Crossfade<usize>,
    clock: Clock,
}

keep!(Shift: lines, tap);
keep!(Align: shift);

impl Shift {
    /// So many channels, late by `time` and at most by `longest` ms. Not RT.
    pub fn new(channels: usize, time: f64, longest: f64, clock: Clock) -> Self {
        let frames = |ms: f64| clock.frames(ms) as usize;
        let lines = (0..channels).map(|_| DelayLine::new(frames(longest))).collect();
        Shift { lines, tap: Crossfade::new(frames(time), frames(FADE)), clock }
    }

    /// Delays a stretch of each channel by `time` ms, once it has got there. RT.
    pub fn process<'a>(&mut self, time: Glide, channels: impl Iterator<Item = &'a mut [f64]>) {
        self.tap.go_to(self.clock.frames(time.to) as usize);
        let begun = self.tap;
        for (line, frames) in self.lines.iter_mut().zip(channels) {
            self.tap = begun;
            for x in frames {
                line.write(*x);
                let (now, next, part) = self.tap.step();
                let old = line.read(now);
                *x = if now == next { old } else { old + (line.read(next) - old) * part };
            }
        }
    }

    /// Forgets all sound. RT.
    pub fn reset(&mut self) {
        self.tap.settle();
        self.lines.iter_mut().for_each(DelayLine::clear);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, noise};

    #[test]
    fn what_comes_out_is_what_came_in_so_many_frames_ago_to_the_last_bit() {
        let input = vec![noise(1, 3000), noise(2, 3000)];
        for frames in [0, 1, 48, 1000] {
            let mut bench = Bench::new(&ALIGN, 2).set("time", frames as f64 * 1000.0 / RATE);
            let output = bench.run(&input);
            for (out, sound) in output.iter().zip(&input) {
                assert!(out[..frames].iter().all(|x| *x == 0.0) && out[frames..] == sound[..3000 - frames]);
            }
            assert_eq!((bench.latency(), (ALIGN.tail)(bench.recipe())), (0, frames as u64));
        }
    }

    #[test]
    fn an_edit_of_the_time_does_not_click_and_ends_exactly() {
        let mut bench = Bench::new(&ALIGN, 2).set("time", 3.0);
        let click = click_of_edit(&mut bench, |bench| bench.edit(0, 5.0));
        assert!(click < -80.0, "{click} dBFS");
        let input = vec![noise(1, 2000), noise(2, 2000)];
        assert_eq!(bench.run(&input)[1][240..], input[1][..1760]);
    }

    #[test]
    fn the_longest_time_is_whole_at_every_rate() {
        for rate in [44_100.0, 192_000.0] {
            let mut bench = Bench::new(&ALIGN, 1).rate(rate).set("time", LONGEST);
            let input = noise(3, rate as usize + 10);
            assert_eq!(bench.run_mono(&input)[rate as usize..], input[..10]);
        }
    }
}
