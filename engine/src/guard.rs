//! The guard: the last thing before a device, so that no text, however wrong, harms an ear or a loudspeaker.
//!
//! It belongs to playing alone: it comes after what is recorded, and no render ever passes it. What is sane it passes on bit
//! for bit. What it does, to each output by itself, the channels of one output always together:
//!
//! - **Over the ceiling** ([`CEILING_DB`] unless said): the samples beyond it are held at it.
//! - **Runaway**: more than [`FAR_DB`] over full scale for [`FAR_MS`], or [`HIGH_DB`] for [`HIGH_MS`] (a howl, a mistyped
//!   gain, an unstable filter): the output fades to silence in [`SHUT_MS`]. It comes back by itself in [`OPEN_MS`], after
//!   the level has stayed below [`SANE_DB`] over full scale for [`SANE_MS`]. Where the ceiling is above full scale it
//!   stands for it. Until it is silent, a runaway is held at the ceiling like anything else.
//! - **Not a number**, or infinite: what was last a number stands in its place, while the output fades as for a runaway.
//! - **DC**: a mean beyond [`DC_DB`] for [`DC_MS`] is taken out by a high-pass at [`DC_HZ`], crossfaded in and out over
//!   [`DC_FADE_MS`]; out, once the mean that comes in has been less than half of that for as long. A hundredth of full
//!   power does nothing but heat a voice coil, and no music has it: a mean over so long a time is 0 for the lowest note.

use crate::fade::{Ramp, fade_frames};
use crate::kernel::{Buffer, Glide, QUANTUM};
use crate::math;
use crate::wide::is_finite;

/// The highest level that reaches a device unless said otherwise, in dBFS.
pub const CEILING_DB: f64 = 0.0;

/// A level over full scale, in dB, that nobody means.
pub const FAR_DB: f64 = 24.0;

/// How long it may be reached.
pub const FAR_MS: f64 = 4.0;

/// A level over full scale, in dB, that is no accident of a moment when it lasts.
pub const HIGH_DB: f64 = 12.0;

/// How long it may last.
pub const HIGH_MS: f64 = 500.0;

/// The level over full scale, in dB, below which an output may be heard again.
pub const SANE_DB: f64 = 6.0;

/// How long it must have been sane.
pub const SANE_MS: f64 = 1000.0;

/// The fade to silence.
pub const SHUT_MS: f64 = 2.0;

/// The fade back.
pub const OPEN_MS: f64 = 500.0;

/// A mean that is taken out, in dBFS.
pub const DC_DB: f64 = -20.0;

/// How long it may last.
pub const DC_MS: f64 = 500.0;

/// The corner of the high-pass that takes it out, and so of the mean that is measured.
pub const DC_HZ: f64 = 1.0;

/// The crossfade to the high-passed sound and back.
pub const DC_FADE_MS: f64 = 100.0;

/// Peaks count as a level that falls by a factor of e in this time, which is longer than a period of the lowest note.
const LEVEL_MS: f64 = 20.0;

/// Samples over the ceiling are one episode until none has come for this long.
const EPISODE_MS: f64 = 5000.0;

/// How many of a device's channels can be used: as many as a session may name.
const CHANNELS: usize = 64;

/// What the guard does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It holds samples at the ceiling.
    Holds,
    /// It fades out a runaway level.
    Shuts,
    /// It fades out what is not a number.
    ShutsNoNumber,
    /// It takes out DC.
    TakesOutDc,
    /// It lets an output be heard again.
    Opens,
}

/// One deed: told once for an episode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Act {
    /// What is done.
    pub deed: Deed,
    /// The device's channel, from 1, that gave rise to it: its output is meant.
    pub channel: u16,
    /// What was measured there: a peak, or of DC the mean. Linear.
    pub level: f64,
    /// What that was compared with. Linear.
    pub threshold: f64,
}

/// The guard of a device's channels.
pub struct Guard {
    rate: f64,
    limits: Limits,
    lanes: Box<[Lane]>,
    /// The outputs of this quantum: a bit for each channel, each channel in one of them.
    outputs: [u64; CHANNELS],
    count: usize,
    /// The channels in any of them.
    used: u64,
}

/// The published figures as levels and frames.
#[derive(Clone, Copy)]
struct Limits {
    ceiling: f64,
    far: f64,
    high: f64,
    sane: f64,
    dc: f64,
    far_frames: u32,
    high_frames: u32,
    sane_frames: u32,
    dc_frames: u32,
    episode_frames: u32,
    shut: u32,
    open: u32,
    dc_fade: u32,
    /// What is left of a level after a quantum.
    fall: f64,
    /// How much of a quantum's mean goes into the long one.
    dc_share: f64,
}

/// One channel of a device.
#[derive(Clone, Copy)]
struct Lane {
    sound: Buffer,
    /// The last sample, and the last that was a number when there came others.
    last: f64,
    finite: bool,
    /// Whether that sample stands in place of all that comes, until the output is silent.
    lost: bool,
    peak: f64,
    /// The peak, falling.
    level: f64,
    /// Frames that the level has been far over full scale, high over it, sane.
    far: u32,
    high: u32,
    sane: u32,
    /// Frames since a sample was held.
    unheld: u32,
    gain: Ramp,
    /// The long mean, over this quantum.
    mean: Glide,
    /// Frames that the mean has asked for the other thing than what is done.
    dissent: u32,
    /// How much of the high-passed sound is heard.
    share: Ramp,
}

impl Lane {
    const NEW: Lane = Lane {
        sound: [0.0; QUANTUM],
        last: 0.0,
        finite: true,
        lost: false,
        peak: 0.0,
        level: 0.0,
        far: 0,
        high: 0,
        sane: 0,
        unheld: u32::MAX,
        gain: Ramp::still(1.0),
        mean: Glide::still(0.0),
        dissent: 0,
        share: Ramp::still(0.0),
    };
}

impl Guard {
    /// A guard at `rate` frames a second that lets nothing pass over `ceiling`, linear. Not RT.
    pub fn new(rate: f64, ceiling: f32) -> Self {
        // The largest single-precision level that is meant, so that rounding to single precision does not exceed it.
        let ceiling = f64::from(ceiling.abs());
        let full = ceiling.max(1.0);
        let over = |db: f64| full * math::gain_from_db(db);
        let frames = |ms: f64| (ms * rate / 1000.0) as u32;
        let quantum = QUANTUM as f64 / rate;
        let limits = Limits {
            ceiling,
            far: over(FAR_DB),
            high: over(HIGH_DB),
            sane: over(SANE_DB),
            dc: math::gain_from_db(DC_DB),
            far_frames: frames(FAR_MS),
            high_frames: frames(HIGH_MS),
            sane_frames: frames(SANE_MS),
            dc_frames: frames(DC_MS),
            episode_frames: frames(EPISODE_MS),
            shut: fade_frames(SHUT_MS, rate),
            open: fade_frames(OPEN_MS, rate),
            dc_fade: fade_frames(DC_FADE_MS, rate),
            fall: math::exp(-quantum / (LEVEL_MS / 1000.0)),
            dc_share: 1.0 - math::exp(-core::f64::consts::TAU * DC_HZ * quantum),
        };
        let lanes = vec![Lane::NEW; CHANNELS].into_boxed_slice();
        Guard { rate, limits, lanes, outputs: [0; CHANNELS], count: 0, used: 0 }
    }

    /// Frames a second. RT.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// The level that no sample exceeds, linear. RT.
    pub fn ceiling(&self) -> f32 {
        self.limits.ceiling as f32
    }

    /// Takes what a quantum gave: `give` hands over each output, its channels from 1 and its sound. Outputs that share a
    /// channel add up in it. RT.
    pub fn take(&mut self, give: impl FnOnce(&mut dyn FnMut(&[u16], &[Buffer]))) {
        members(&mut self.lanes, self.used).for_each(|(_, lane)| lane.sound.fill(0.0));
        let before = std::mem::take(&mut self.used);
        self.count = 0;
        give(&mut |channels, sound| self.add(channels, sound));
        members(&mut self.lanes, before & !self.used).for_each(|(_, lane)| *lane = Lane::NEW);
    }

    /// RT.
    fn add(&mut self, channels: &[u16], sound: &[Buffer]) {
        let mut own = 0;
        for (channel, buffer) in channels.iter().zip(sound) {
            let index = usize::from(*channel).wrapping_sub(1);
            if let Some(lane) = self.lanes.get_mut(index) {
                lane.sound.iter_mut().zip(buffer).for_each(|(sum, x)| *sum += x);
                own |= 1 << index;
            }
        }
        own &= !self.used;
        self.used |= own;
        if let Some(free) = self.outputs.get_mut(self.count).filter(|_| own != 0) {
            *free = own;
            self.count += 1;
        }
    }

    /// Makes safe what was taken, and tells of each deed. RT.
    pub fn protect(&mut self, mut tell: impl FnMut(Act)) {
        let Guard { limits, lanes, outputs, count, .. } = self;
        for own in outputs.iter().take(*count) {
            protect(lanes, *own, limits, &mut tell);
        }
    }

    /// What may be heard of a device's channel, counted from 0; `None` where nothing plays. RT.
    pub fn sound(&self, channel: usize) -> Option<&Buffer> {
        let plays = channel < CHANNELS && self.used >> channel & 1 == 1;
        self.lanes.get(channel).filter(|_| plays).map(|lane| &lane.sound)
    }
}

/// The lanes of a set of channels. RT.
fn members(lanes: &mut [Lane], own: u64) -> impl Iterator<Item = (usize, &mut Lane)> {
    lanes.iter_mut().enumerate().filter(move |(index, _)| own >> index & 1 == 1)
}

/// Makes one output safe. RT.
fn protect(lanes: &mut [Lane], own: u64, limits: &Limits, tell: &mut impl FnMut(Act)) {
    let mut runaway: Option<Act> = None;
    let (mut sane, mut open) = (true, true);
    let straightened = members(lanes, own).any(|(_, lane)| lane.share.goal() == 1.0);
    let mut crooked: Option<Act> = None;
    for (index, lane) in members(lanes, own) {
        let act = |deed, level, threshold| Act { deed, channel: index as u16 + 1, level, threshold };
        if lane.measure(limits) {
            crooked = crooked.or(Some(act(Deed::TakesOutDc, lane.mean.to.abs(), limits.dc)));
        }
        let found = if !lane.finite {
            Some(act(Deed::ShutsNoNumber, lane.peak, limits.far))
        } else if lane.far >= limits.far_frames {
            Some(act(Deed::Shuts, lane.peak, limits.far))
        } else if lane.high >= limits.high_frames {
            Some(act(Deed::Shuts, lane.level, limits.high))
        } else {
            None
        };
        runaway = runaway.or(found);
        sane &= lane.sane >= limits.sane_frames;
        open &= lane.gain.goal() == 1.0;
    }
    if let Some(act) = crooked.filter(|_| !straightened) {
        tell(act);
    }
    match runaway {
        Some(act) => {
            members(lanes, own).for_each(|(_, lane)| lane.gain.aim(0.0, 0, limits.shut));
            if open {
                tell(act);
            }
        }
        None if !open && sane => {
            members(lanes, own).for_each(|(_, lane)| lane.gain.aim(1.0, 0, limits.open));
            let channel = own.trailing_zeros() as u16 + 1;
            tell(Act { deed: Deed::Opens, channel, level: 0.0, threshold: limits.sane });
        }
        None => {}
    }
    let mut held: Option<(usize, f64)> = None;
    let mut unheld = u32::MAX;
    for (index, lane) in members(lanes, own) {
        unheld = unheld.min(lane.unheld);
        if let Some(peak) = lane.apply(limits)
            && held.is_none_or(|(_, most)| peak > most)
        {
            held = Some((index, peak));
        }
    }
    // What is faded out, or is about to be, has been told of as that.
    let held = held.filter(|_| runaway.is_none() && open);
    if let Some((index, level)) = held.filter(|_| unheld >= limits.episode_frames) {
        tell(Act { deed: Deed::Holds, channel: index as u16 + 1, level, threshold: limits.ceiling });
    }
    let unheld = if held.is_some() { 0 } else { unheld.saturating_add(QUANTUM as u32) };
    members(lanes, own).for_each(|(_, lane)| lane.unheld = unheld);
}

impl Lane {
    /// Learns what came, and replaces what is no number; says whether DC is taken out from now on. RT.
    fn measure(&mut self, limits: &Limits) -> bool {
        const FRAMES: u32 = QUANTUM as u32;
        self.finite = is_finite(&self.sound);
        if !self.finite || self.lost {
            for x in &mut self.sound {
                self.lost |= !x.is_finite();
                *x = if self.lost { self.last } else { *x };
                self.last = *x;
            }
        }
        self.last = self.sound[QUANTUM - 1];
        self.peak = self.sound.iter().fold(0.0, |peak: f64, x| peak.max(x.abs()));
        // What is absurd is as bad as twice of what is far: it need not be fallen from for longer.
        self.level = self.peak.min(2.0 * limits.far).max(self.level * limits.fall);
        let lasts = |count: u32, lasts: bool| if lasts { count.saturating_add(FRAMES) } else { 0 };
        if self.peak > limits.far || self.level <= limits.far {
            self.far = lasts(self.far, self.peak > limits.far);
        }
        self.high = lasts(self.high, self.level > limits.high);
        self.sane = lasts(self.sane, self.finite && self.level < limits.sane);
        // The mean of what would be heard of it.
        let heard = self.sound.iter().map(|x| x.clamp(-limits.ceiling, limits.ceiling)).sum::<f64>() / QUANTUM as f64;
        let from = self.mean.to;
        self.mean = Glide { from, to: from + limits.dc_share * (heard - from) };
        let removing = self.share.goal() == 1.0;
        let threshold = if removing { limits.dc / 2.0 } else { limits.dc };
        self.dissent = lasts(self.dissent, (self.mean.to.abs() > threshold) != removing);
        if self.dissent < limits.dc_frames {
            return false;
        }
        self.dissent = 0;
        self.share.aim(if removing { 0.0 } else { 1.0 }, 0, limits.dc_fade);
        !removing
    }

    /// Makes the quantum fit to be heard; gives the peak of what had to be held. RT.
    fn apply(&mut self, limits: &Limits) -> Option<f64> {
        let share = self.share.advance(QUANTUM);
        if share != Glide::still(0.0) {
            for (i, x) in self.sound.iter_mut().enumerate() {
                *x -= share.at(i, QUANTUM) * self.mean.at(i, QUANTUM);
            }
            self.peak = self.sound.iter().fold(0.0, |peak: f64, x| peak.max(x.abs()));
        }
        let over = self.peak > limits.ceiling;
        if over {
            self.sound.iter_mut().for_each(|x| *x = x.clamp(-limits.ceiling, limits.ceiling));
        }
        let gain = self.gain.advance(QUANTUM);
        self.lost &= gain != Glide::still(0.0);
        if gain != Glide::still(1.0) {
            gain.scale(&mut self.sound);
        }
        over.then_some(self.peak)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;
    use crate::test_signals::{level_at, sine};
    use assert_no_alloc::assert_no_alloc;

    const RATE: f64 = 48_000.0;

    /// A guard at 0 dBFS, what it passed on of channel 1, and what it told, each with the frame.
    struct Bench {
        guard: Guard,
        sound: Vec<f64>,
        told: Vec<(usize, Act)>,
    }

    impl Bench {
        fn new() -> Self {
            Bench { guard: Guard::new(RATE, 1.0), sound: Vec::new(), told: Vec::new() }
        }

        /// The same sound on both channels of an output, in whole quanta.
        fn run(&mut self, sound: &[f64]) -> &mut Self {
            let both = [1_u16, 2];
            for quantum in sound.chunks_exact(QUANTUM) {
                let buffer: Buffer = quantum.try_into().unwrap();
                let (mut acts, mut count) = ([None; 4], 0);
                assert_no_alloc(|| {
                    self.guard.take(|into| into(&both, &[buffer; 2]));
                    self.guard.protect(|act| {
                        acts[count] = Some(act);
                        count += 1;
                    });
                });
                let frame = self.sound.len();
                self.told.extend(acts.into_iter().flatten().map(|act| (frame, act)));
                self.sound.extend(self.guard.sound(0).unwrap());
            }
            self
        }

        fn deeds(&self) -> Vec<Deed> {
            self.told.iter().map(|(_, act)| act.deed).collect()
        }
    }

    fn seconds(seconds: f64) -> usize {
        (seconds * RATE) as usize / QUANTUM * QUANTUM
    }

    fn assert_same_bits(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        let differs = a.iter().zip(b).position(|(a, b)| a.to_bits() != b.to_bits());
        assert_eq!(differs.map(|i| (i, a[i], b[i])), None);
    }

    /// The largest difference of neighbouring samples.
    fn step(sound: &[f64]) -> f64 {
        sound.windows(2).fold(0.0, |most: f64, pair| most.max((pair[1] - pair[0]).abs()))
    }

    /// The same of a tone of this frequency and peak.
    fn step_of(freq: f64, peak: f64) -> f64 {
        peak * freq * std::f64::consts::TAU / RATE
    }

    fn level(db: f64) -> f64 {
        math::gain_from_db(db)
    }

    #[test]
    fn what_is_sane_passes_bit_for_bit() {
        let mut sound: Vec<f64> = (0..seconds(3.0)).map(|i| 2.0 * random::even(1, i as u64)).collect();
        sound[1000] = 1.0;
        sound[1001] = -1.0;
        sound[1002] = f64::MIN_POSITIVE / 8.0;
        // The lowest note of an organ at full scale, and a mean that is just below what is taken out.
        sound.extend(sine(16.35, 0.0, RATE, seconds(2.0)));
        sound.extend(vec![level(-20.1); seconds(2.0)]);
        let mut bench = Bench::new();
        bench.run(&sound);
        assert_same_bits(&bench.sound, &sound);
        assert_eq!(bench.told, []);
    }

    #[test]
    fn brief_overs_are_held_at_the_ceiling_and_told_once() {
        let mut sound = sine(1000.0, -6.0, RATE, seconds(2.0));
        for start in [10_000, 20_000, 60_000] {
            sound[start..start + 5].fill(3.0);
        }
        // One sample however absurd is no runaway.
        sound[40_000] = -1e12;
        let mut bench = Bench::new();
        bench.run(&sound);
        let expected: Vec<f64> = sound.iter().map(|x| x.clamp(-1.0, 1.0)).collect();
        assert_same_bits(&bench.sound, &expected);
        assert_eq!(bench.deeds(), [Deed::Holds]);
        assert_eq!(bench.told[0].1, Act { deed: Deed::Holds, channel: 1, level: 3.0, threshold: 1.0 });
        bench.run(&sine(1000.0, -6.0, RATE, seconds(5.1))).run(&[2.0; QUANTUM]);
        assert_eq!(bench.deeds(), [Deed::Holds; 2], "after five quiet seconds it is told again");
    }

    /// How long after `from` the last sample sounds that is no silence, in ms.
    fn silent_after(sound: &[f64], from: usize) -> f64 {
        let last = sound[from..].iter().rposition(|x| *x != 0.0).unwrap_or(0);
        last as f64 / RATE * 1000.0
    }

    #[test]
    fn a_gain_of_200_db_is_silent_within_ten_milliseconds_and_never_over_the_ceiling() {
        let tone = sine(1000.0, -18.0, RATE, seconds(1.0));
        let mut bench = Bench::new();
        bench.run(&tone).run(&tone.iter().map(|x| x * level(200.0)).collect::<Vec<_>>());
        assert_eq!(bench.deeds(), [Deed::Holds, Deed::Shuts]);
        let silent = silent_after(&bench.sound, tone.len());
        assert!(silent < 10.0, "{silent} ms");
        assert!(bench.sound.iter().all(|x| x.abs() <= 1.0));
    }

    #[test]
    fn an_unstable_filter_and_a_howl_are_silenced() {
        let growing: Vec<f64> = (0..seconds(0.5)).map(|i| level(i as f64 * 0.01) * math::sin(i as f64 * 0.1)).collect();
        let mut bench = Bench::new();
        bench.run(&growing);
        assert_eq!(bench.deeds(), [Deed::Holds, Deed::Shuts]);
        let far = growing.iter().position(|x| *x > level(FAR_DB)).unwrap();
        assert!(silent_after(&bench.sound, far) < 12.0, "{} ms", silent_after(&bench.sound, far));

        let mut bench = Bench::new();
        bench.run(&sine(900.0, 13.0, RATE, seconds(2.0)));
        assert_eq!(bench.deeds(), [Deed::Holds, Deed::Shuts]);
        let silent = silent_after(&bench.sound, 0);
        assert!((500.0..510.0).contains(&silent), "{silent} ms");

        let mut bench = Bench::new();
        bench.run(&sine(900.0, 11.0, RATE, seconds(2.0)));
        assert_eq!(bench.deeds(), [Deed::Holds], "what is less far over is held, not silenced");
    }

    #[test]
    fn a_shut_output_comes_back_by_itself_without_a_step() {
        let tone = sine(200.0, -6.1, RATE, seconds(3.0));
        let mut bench = Bench::new();
        bench.run(&[1e6; 10 * QUANTUM]).run(&tone);
        assert_eq!(bench.deeds(), [Deed::Holds, Deed::Shuts, Deed::Opens]);
        let opened = bench.told[2].0 - 10 * QUANTUM;
        let waited = opened as f64 / RATE * 1000.0;
        // Once the level that it counts by has fallen.
        assert!((SANE_MS..SANE_MS + 100.0).contains(&waited), "{waited} ms");
        let after = &bench.sound[10 * QUANTUM..];
        assert!(step(after) < 1.01 * step_of(200.0, level(-6.1)), "{}", step(after));
        let back = opened + seconds(OPEN_MS / 1000.0) + 2 * QUANTUM;
        assert_same_bits(&after[back..], &tone[back..]);
    }

    #[test]
    fn what_is_no_number_never_arrives_and_makes_no_step() {
        let tone = sine(200.0, -6.1, RATE, seconds(0.5));
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut sound = tone.clone();
            sound[6410] = wrong;
            sound[6412..6500].fill(wrong);
            let mut bench = Bench::new();
            bench.run(&sound);
            assert_eq!(bench.deeds(), [Deed::ShutsNoNumber]);
            assert!(bench.sound.iter().all(|x| x.abs() <= 0.5));
            // The one sample that is left out makes the next step twice as large.
            assert!(step(&bench.sound) < 2.1 * step_of(200.0, 0.5), "{}", step(&bench.sound));
            assert!(silent_after(&bench.sound, 6410) < 4.0);
        }
    }

    #[test]
    fn dc_is_taken_out_and_put_back_without_a_step_and_the_music_stays() {
        let (a, b, c) = (seconds(1.0), seconds(4.0), seconds(3.0));
        let tone = sine(100.0, -10.0, RATE, a + b + c);
        let mut sound = tone.clone();
        sound[a..a + b].iter_mut().for_each(|x| *x += 0.4);
        let mut bench = Bench::new();
        bench.run(&sound);
        assert_eq!(bench.deeds(), [Deed::TakesOutDc]);
        let told = (bench.told[0].0 - a) as f64 / RATE * 1000.0;
        assert!((DC_MS..DC_MS + 60.0).contains(&told), "{told} ms");
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        let settled = &bench.sound[a + seconds(2.0)..a + b];
        let left = math::db_from_gain(mean(settled).abs());
        assert!(left < -60.0, "{left} dBFS of DC are left");
        let kept = level_at(settled, 100.0, RATE);
        assert!((kept + 10.0).abs() < 0.01, "{kept} dBFS");
        // The steps of the input itself aside, nothing moves faster than the tone, the crossfade and the mean together.
        let crossfade = 0.4 / (DC_FADE_MS / 1000.0 * RATE);
        let most = step_of(100.0, level(-10.0)) + crossfade + step_of(DC_HZ, 0.4);
        for part in [&bench.sound[..a], &bench.sound[a..a + b], &bench.sound[a + b..]] {
            assert!(step(part) < most, "{} over {most}", step(part));
        }
        let end = bench.sound.len() - seconds(1.0);
        assert_same_bits(&bench.sound[end..], &tone[end..]);
    }

    #[test]
    fn nothing_exceeds_the_ceiling_whatever_comes() {
        for (seed, ceiling) in [(1, 1.0), (2, 0.001), (3, 15.85), (4, 0.7)] {
            let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, f64::MAX, f64::MIN_POSITIVE / 4.0];
            let mut guard = Guard::new(RATE, ceiling);
            let outputs: [&[u16]; 3] = [&[1, 2], &[2, 5], &[64]];
            for quantum in 0..4000u64 {
                let choice = |n| random::mix(seed ^ random::mix(n));
                let scale = level((choice(quantum / 200) % 240) as f64 - 120.0);
                let buffers: [Buffer; 2] = std::array::from_fn(|channel| {
                    std::array::from_fn(|i| {
                        let n = (quantum * 2 + channel as u64) * 64 + i as u64;
                        match choice(n) % 4000 {
                            rare @ 0..7 if quantum % 1000 > 500 => odd[rare as usize],
                            _ => scale * random::even(seed, n),
                        }
                    })
                });
                let playing = outputs.iter().take(1 + (quantum / 700) as usize % 3).map(|output| {
                    let count = output.len();
                    (output, &buffers[..count])
                });
                guard.take(|into| playing.for_each(|(output, sound)| into(output, sound)));
                guard.protect(|_| {});
                for channel in 0..70 {
                    let sound = guard.sound(channel).into_iter().flatten();
                    sound.for_each(|x| assert!((*x as f32).abs() <= ceiling, "{x} over {ceiling}"));
                }
            }
        }
    }

    #[test]
    fn outputs_are_guarded_each_by_itself() {
        let (main, cue) = ([1_u16, 2], [3_u16, 4]);
        let mut guard = Guard::new(RATE, 1.0);
        let (quiet, loud) = ([[0.25; QUANTUM]; 2], [[0.0; QUANTUM], [1e9; QUANTUM]]);
        let mut told = Vec::new();
        for _ in 0..100 {
            guard.take(|into| {
                into(&main, &quiet);
                into(&cue, &loud);
            });
            guard.protect(|act| told.push(act));
        }
        assert_eq!(guard.sound(0), Some(&quiet[0]));
        assert_eq!(guard.sound(3), Some(&[0.0; QUANTUM]));
        assert_eq!(guard.sound(4), None);
        assert_eq!(
            told.iter().map(|act| (act.deed, act.channel)).collect::<Vec<_>>(),
            [(Deed::Holds, 4), (Deed::Shuts, 4)]
        );
    }

    #[test]
    fn an_output_that_shares_a_channel_with_one_that_leaves_adds_up_in_it() {
        let mut guard = Guard::new(RATE, 1.0);
        let (new, old) = ([1_u16, 2], [2_u16, 3]);
        let sound = [[0.25; QUANTUM], [0.5; QUANTUM]];
        guard.take(|into| {
            into(&new, &sound);
            into(&old, &sound);
        });
        guard.protect(|_| {});
        let heard: Vec<f64> = (0..3).map(|channel| guard.sound(channel).unwrap()[0]).collect();
        assert_eq!(heard, [0.25, 0.75, 0.5]);
    }
}
