//! The envelope follower behind `follow`: any channels in, the envelope of the loudest of them out, 1 at full scale. It
//! stands in the graph as an effect that no word makes.
//!
//! The peak of the sound, smoothed with the detector of compressors ([`crate::dynamics::Ballistics`]).

use crate::control::{FOLLOW_ATTACK, FOLLOW_RELEASE};
use crate::dynamics::Ballistics;
use crate::effects::{no_latency, no_tail};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::one_pole::pole;
use crate::parameter::{Memory, Recipe, Table};

/// What a control follows a signal with.
pub static FOLLOW: Table = Table {
    word: "follow",
    summary: "The envelope of a signal.",
    example: "fader(follow(kick).range(0, -12))",
    arguments: &[],
    parameters: &[FOLLOW_ATTACK, FOLLOW_RELEASE],
    parts: &[],
    mix: 100.0,
    channels: |_| Ok(1),
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe: &Recipe| Box::new(Follower { rate: recipe.rate(), envelope: Ballistics::default() }),
};

struct Follower {
    rate: f64,
    envelope: Ballistics,
}

keep!(Follower: envelope);

impl Kernel for Follower {
    fn process(&mut self, io: &mut Io<'_>) {
        let (attack, release) = (pole(io.values[0].to, self.rate), pole(io.values[1].to, self.rate));
        let Some((first, others)) = io.audio.split_first_mut() else { return };
        let others = &others[..io.channels_in.saturating_sub(1).min(others.len())];
        for i in io.frames.clone() {
            let peak = others.iter().fold(first[i].abs(), |peak, channel| peak.max(channel[i].abs()));
            first[i] = self.envelope.step(peak, attack, release);
        }
    }

    fn reset(&mut self) {
        self.envelope = Ballistics::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use crate::test_signals::{Bench, RATE, sine};

    fn bench(channels: usize) -> Bench {
        Bench::new(&FOLLOW, channels).set("attack", 5.0).set("release", 50.0)
    }

    #[test]
    fn silence_is_0_and_full_scale_is_1() {
        assert!(bench(1).run_mono(&[0.0; 1000]).iter().all(|x| *x == 0.0));
        let loud = bench(1).run_mono(&vec![-1.0; 48_000]);
        assert!((loud[47_999] - 1.0).abs() < 1e-9);
        let tone = bench(1).run_mono(&sine(1000.0, 0.0, RATE, 48_000));
        let late = &tone[24_000..];
        assert!(late.iter().all(|x| (0.98..=1.0).contains(x)), "a full-scale sine is near 1");
    }

    #[test]
    fn a_rise_and_a_fall_take_their_times() {
        let mut input = vec![0.5; 24_000];
        input.resize(48_000, 0.0);
        let out = bench(1).run_mono(&input);
        let near = |frame: usize, expected: f64| assert!((out[frame] - expected).abs() < 0.003, "{}", out[frame]);
        near(240, 0.5 * (1.0 - math::exp(-1.0)));
        // A fall lags by the attack's time.
        near(24_000 + 2400 + 252, 0.5 * math::exp(-1.0));
        assert_eq!(bench(1).run_mono(&[0.0; 10]), [0.0; 10]);
    }

    #[test]
    fn the_loudest_channel_counts() {
        let out = bench(2).run(&[vec![0.1; 9600], vec![-0.8; 9600]]);
        assert_eq!(out.len(), 1);
        assert!((out[0][9599] - 0.8).abs() < 1e-6);
    }
}
