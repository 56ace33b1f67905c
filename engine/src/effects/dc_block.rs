//! `dc_block`: takes away a constant offset.

use super::{no_latency, no_tail, same_channels};
use crate::filters::Section;
use crate::filters::cascade::Cascade;
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Memory, Recipe, Table};

/// The corner in Hz: an offset falls by 60 dB in 0.55 s, and a tone of 20 Hz loses 0.04 dB.
const CORNER: f64 = 2.0;

/// `dc_block()`.
pub static DC_BLOCK: Table = Table {
    word: "dc_block",
    summary: "Takes away a constant offset: a high-pass of 6 dB an octave at 2 Hz.",
    example: "x >> dc_block()",
    arguments: &[],
    parameters: &[],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel,
};

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    let design = |_: &[f64], rate: f64, sections: &mut [Section]| {
        sections.fill(Section::high_pass_6(CORNER, rate));
    };
    Box::new(DcBlock(Cascade::new(design, &[], 1, recipe.channels, recipe.rate())))
}

struct DcBlock(Cascade);

keep!(DcBlock: 0);

impl Kernel for DcBlock {
    fn process(&mut self, io: &mut Io<'_>) {
        self.0.process(&[], io.audio, io.frames.clone());
    }

    fn reset(&mut self) {
        self.0.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, level_at, sine};

    #[test]
    fn an_offset_has_fallen_by_60_db_after_0_55_s() {
        let out = Bench::new(&DC_BLOCK, 1).run_mono(&vec![1.0; 26_400]);
        assert!(out[26_399].abs() < 1e-3, "{} is left", out[26_399]);
    }

    #[test]
    fn a_tone_of_20_hz_loses_less_than_0_05_db() {
        let out = Bench::new(&DC_BLOCK, 2).run(&vec![sine(20.0, 0.0, RATE, 96_000); 2]);
        for channel in out {
            let level = level_at(&channel[48_000..], 20.0, RATE);
            assert!((-0.05..=0.0).contains(&level), "{level} dB");
        }
    }
}
