//! `delay`: echoes, in time or in notes.

use std::f64::consts::{FRAC_PI_2, TAU};
use std::ops::Range;

use super::{no_latency, widened};
use crate::delay_line::{Crossfade, DelayLine};
use crate::dynamics::Ballistics;
use crate::keep::{Keep, Ledger, keep};
use crate::kernel::{Buffer, Glide, Io, Kernel, QUANTUM};
use crate::math;
use crate::one_pole::{OnePole, pole, shares};
use crate::parameter::{Law, Memory, Parameter, Recipe, Table};
use crate::rest::spent;
use crate::units::Unit;

/// `delay(time)`.
pub static DELAY: Table = Table {
    word: "delay",
    summary: "Echoes, each passed through the loop's filters once more than the one before.",
    example: "x >> delay(\"1/8.\").feedback(40).mix(25)",
    arguments: &["time"],
    parameters: &[
        Parameter::number(
            "time",
            Unit::Milliseconds,
            375.0,
            1.0,
            LONGEST_MS,
            "between echoes; also a note length, \"1/8.\"",
        )
        .law(Law::Own),
        Parameter::number(
            "feedback",
            Unit::Percent,
            35.0,
            0.0,
            110.0,
            "level of each echo in the next; held at +6 dBFS",
        ),
        Parameter::flag("ping_pong", false, "echoes go left and right in turn; makes stereo"),
        Parameter::number("high_pass", Unit::Hertz, 100.0, 10.0, 5000.0, "loses lows with each echo, 6 dB/octave")
            .or("off", NO_HIGH_PASS),
        Parameter::number("low_pass", Unit::Hertz, 8000.0, 200.0, 20_000.0, "loses highs with each echo, 6 dB/octave")
            .or("off", NO_LOW_PASS),
        Parameter::number("width", Unit::Percent, 100.0, 0.0, 200.0, "of the stereo picture: 0 is mono"),
        Parameter::number("mod", Unit::Percent, 0.0, 0.0, 100.0, "wow: the time sways by up to 3 ms"),
        Parameter::number(
            "duck",
            Unit::Decibels,
            0.0,
            0.0,
            40.0,
            "how much quieter echoes are below an input over -40 dBFS",
        ),
        Parameter::choice("style", &["fade", "tape"], "a changed time is crossfaded, or glides like a tape's speed"),
    ],
    parts: &[],
    mix: 100.0,
    channels,
    latency: no_latency,
    tail,
    memory: Memory::Echoes,
    kernel: |recipe| Box::new(Delay::new(recipe)),
};

const LONGEST_MS: f64 = 10_000.0;

/// What stand for no filters: frequencies that can be glided to.
const NO_HIGH_PASS: f64 = 1.0;
const NO_LOW_PASS: f64 = 96_000.0;

/// How far and how fast the time sways.
const SWAY_MS: f64 = 3.0;
const SWAY_HZ: f64 = 0.6;

/// How long a crossfade to another time takes.
const FADE_MS: f64 = 30.0;

/// The input's level in dBFS from which it ducks the echoes, and how fast.
const DUCK_FROM: f64 = -40.0;
const DUCK_ATTACK_MS: f64 = 10.0;
const DUCK_RELEASE_MS: f64 = 250.0;

fn channels(recipe: &Recipe) -> Result<usize, String> {
    match (DELAY.value(recipe, "ping_pong") == 1.0, recipe.channels) {
        (false, count) => Ok(count),
        (true, 1 | 2) => Ok(2),
        (true, count) => Err(format!("a ping-pong delay takes one or two channels, not {count}")),
    }
}

/// Until the echoes, and what rings in the filters, have fallen by 100 dB; at most 10 s.
fn tail(recipe: &Recipe) -> u64 {
    let loss = -math::db_from_gain(DELAY.value(recipe, "feedback") / 100.0);
    let echoes = if loss > 0.0 { 1.0 + (100.0 / loss).ceil() } else { f64::INFINITY };
    let ring = 1000.0 * math::ln(1e5) / (TAU * DELAY.value(recipe, "high_pass"));
    recipe.clock.frames((echoes * DELAY.value(recipe, "time") + ring).min(10_000.0))
}

struct Delay {
    lines: Vec<Line>,
    /// What each line gives in the frames that are being made.
    echoes: Vec<Buffer>,
    head: Head,
    ping_pong: bool,
    duck: Ballistics,
    duck_poles: (f64, f64),
    /// How far the time may sway, in frames.
    sway: f64,
    rate: f64,
}

/// The loop of one channel.
struct Line {
    sound: DelayLine,
    low: OnePole,
    high: OnePole,
}

/// The numbers of a stretch of frames as they are reckoned with.
struct Numbers {
    feedback: Glide,
    /// The shares of the filters that there are.
    low_pass: Option<Glide>,
    high_pass: Option<Glide>,
    width: Glide,
    sway: Glide,
    /// Unless nothing is turned down, nor comes back from it.
    duck: Option<Glide>,
    /// Frames of the whole stretch.
    count: usize,
}

impl Delay {
    fn new(recipe: &Recipe) -> Self {
        let rate = recipe.rate();
        let ping_pong = DELAY.value(recipe, "ping_pong") == 1.0;
        let longest = recipe.clock.frames(LONGEST_MS + SWAY_MS) as usize;
        let line = || Line { sound: DelayLine::new(longest), low: OnePole::default(), high: OnePole::default() };
        let count = if ping_pong { 2 } else { recipe.channels };
        let frames = frames_back(DELAY.value(recipe, "time"), rate);
        let head = if DELAY.value(recipe, "style") == 0.0 {
            Head::Fade(Crossfade::new(frames, recipe.clock.frames(FADE_MS) as usize))
        } else {
            Head::Tape(Tape::new(frames, rate))
        };
        Delay {
            lines: (0..count).map(|_| line()).collect(),
            echoes: vec![[0.0; QUANTUM]; count],
            head,
            ping_pong,
            duck: Ballistics::default(),
            duck_poles: (pole(DUCK_ATTACK_MS, rate), pole(DUCK_RELEASE_MS, rate)),
            sway: SWAY_MS / 1000.0 * rate,
            rate,
        }
    }

    /// Fills in what the lines give, through their filters, in the first of these frames, as many as can be heard before any of them
    /// is written; says which. RT.
    fn hear(&mut self, io: &Io<'_>, frames: Range<usize>, numbers: &Numbers) -> Range<usize> {
        let is_still = numbers.sway == Glide::still(0.0);
        let stands = self.head.stands().filter(|_| is_still);
        let ahead = stands.map_or_else(|| self.head.ahead(if is_still { 0.0 } else { self.sway }), |back| back + 1);
        let frames = frames.start..frames.end.min(frames.start + ahead);
        match stands {
            Some(back) => {
                for (line, echoes) in self.lines.iter().zip(&mut self.echoes) {
                    line.sound.read_run(back, &mut echoes[frames.clone()]);
                }
                self.head.step();
            }
            None => frames.clone().for_each(|n| self.hear_moving(io, n, n - frames.start, numbers)),
        }
        if numbers.low_pass.is_none() && numbers.high_pass.is_none() {
            return frames;
        }
        // Frame by frame, so that while one line's filters wait for their last frame the other's are worked on.
        for n in frames.clone() {
            let [low_pass, high_pass] =
                [numbers.low_pass, numbers.high_pass].map(|share| share.map(|share| share.at(n, numbers.count)));
            for (line, echoes) in self.lines.iter_mut().zip(&mut self.echoes) {
                if let Some(share) = low_pass {
                    echoes[n] = line.low.low(share, echoes[n]);
                }
                if let Some(share) = high_pass {
                    echoes[n] = line.high.high(share, echoes[n]);
                }
            }
        }
        frames
    }

    /// What the lines give in a frame while their places move, if so many frames before it are still to be written. RT.
    fn hear_moving(&mut self, io: &Io<'_>, n: usize, unwritten: usize, numbers: &Numbers) {
        let (now, next, part) = self.head.step();
        let depth = numbers.sway.at(n, numbers.count) / 100.0 * self.sway.min(now / 2.0);
        for (index, (line, echoes)) in self.lines.iter().zip(&mut self.echoes).enumerate() {
            let sway = if depth == 0.0 { 0.0 } else { depth * swing(index, io.frame(io.frames.start + n), self.rate) };
            // A whole number less is exact.
            let [now, next] = [now, next].map(|place| place + sway - unwritten as f64);
            echoes[n] = line.sound.read_faded(now, next, part);
        }
    }

    /// Writes what comes and what goes round again into the lines. RT.
    fn write(&mut self, io: &Io<'_>, frames: Range<usize>, numbers: &Numbers) {
        let (mut round, first) = ([0.0; QUANTUM], io.frames.start);
        let round = &mut round[frames.clone()];
        for (index, line) in self.lines.iter_mut().enumerate() {
            let echoes = &self.echoes[if self.ping_pong { 1 - index } else { index }];
            for (round, n) in round.iter_mut().zip(frames.clone()) {
                *round = numbers.feedback.at(n, numbers.count) / 100.0 * echoes[n];
            }
            bound(round);
            if !self.ping_pong {
                round.iter_mut().zip(&io.audio[index][first + frames.start..]).for_each(|(round, x)| *round += x);
            } else if index == 0 {
                for (round, n) in round.iter_mut().zip(frames.clone()) {
                    let inputs = io.audio.iter().take(io.channels_in).map(|channel| channel[first + n]);
                    *round += inputs.fold(0.0, |sum, x| sum + x) / io.channels_in as f64;
                }
            }
            line.sound.write_run(round);
        }
    }

    /// Puts what was heard in place of what came. RT.
    fn give(&mut self, io: &mut Io<'_>, frames: Range<usize>, numbers: &Numbers) {
        let first = io.frames.start;
        if let Some(duck) = numbers.duck {
            for n in frames.clone() {
                let inputs = io.audio.iter().take(io.channels_in).map(|channel| channel[first + n]);
                let level = inputs.fold(0.0, |most: f64, x| most.max(x.abs()));
                let gain = self.duck(level, duck.at(n, numbers.count));
                self.echoes.iter_mut().for_each(|echoes| echoes[n] *= gain);
            }
        }
        for (echoes, channel) in self.echoes.iter().zip(io.audio.iter_mut()) {
            channel[first + frames.start..first + frames.end].copy_from_slice(&echoes[frames.clone()]);
        }
        if let [left, right] = &mut *io.audio {
            for n in frames {
                let (left, right) = (&mut left[first + n], &mut right[first + n]);
                (*left, *right) = widened(*left, *right, numbers.width.at(n, numbers.count));
            }
        }
    }

    /// How much the echoes are turned down under an input of this amplitude. RT.
    fn duck(&mut self, level: f64, most: f64) -> f64 {
        let over = (math::db_from_gain(level) - DUCK_FROM).max(0.0);
        let down = self.duck.step(over.min(most), self.duck_poles.0, self.duck_poles.1);
        if down == 0.0 { 1.0 } else { math::gain_from_db(-down) }
    }
}

keep!(Line: sound, low, high);
keep!(Tape: now, wanted, speed);
keep!(Delay: lines, head, duck);

impl Kernel for Delay {
    fn process(&mut self, io: &mut Io<'_>) {
        let &[time, feedback, _, high_pass, low_pass, width, sway, duck, _] = io.values else { return };
        self.head.go_to(frames_back(time.to, self.rate));
        let shares = |freq: Glide, none| (freq != Glide::still(none)).then(|| shares(freq, self.rate));
        let numbers = Numbers {
            feedback,
            low_pass: shares(low_pass, NO_LOW_PASS),
            high_pass: shares(high_pass, NO_HIGH_PASS),
            width,
            sway,
            // What is turned down comes back in its own time, also when nothing is asked for any more.
            duck: (duck != Glide::still(0.0) || !self.duck.is_idle()).then_some(duck),
            count: io.frames.len(),
        };
        let mut at = 0;
        while at < numbers.count {
            let frames = self.hear(io, at..numbers.count, &numbers);
            at = frames.end;
            self.write(io, frames.clone(), &numbers);
            self.give(io, frames, &numbers);
        }
    }

    fn reset(&mut self) {
        for line in &mut self.lines {
            line.sound.clear();
            line.low.reset();
            line.high.reset();
        }
        self.head.settle();
        self.duck = Ballistics::default();
    }
}

/// How far back a line is read for a time, its newest frame being the one before this. RT.
fn frames_back(ms: f64, rate: f64) -> usize {
    ((ms * rate / 1000.0 + 0.5) as usize).saturating_sub(1)
}

/// Where the sway of a line is, from -1 to 1, at a transport frame: a quarter turn apart from line to line. RT.
fn swing(line: usize, frame: u64, rate: f64) -> f64 {
    let phase = (frame as f64 * SWAY_HZ / rate).fract();
    math::sin(TAU * phase + FRAC_PI_2 * line as f64)
}

/// The same up to 0 dBFS, until it is over; above, bent so that it stays below +6. RT.
fn bounded(x: f64) -> f64 {
    let size = x.abs();
    if size <= 1.0 { spent(x) } else { (1.0 + math::tanh(size - 1.0)).copysign(x) }
}

/// The same of a run. RT.
fn bound(run: &mut [f64]) {
    match run.iter().fold(false, |is_loud, x| is_loud | (x.abs() > 1.0)) {
        true => run.iter_mut().for_each(|x| *x = bounded(*x)),
        false => run.iter_mut().for_each(|x| *x = spent(*x)),
    }
}

/// What moves along the lines to another time.
enum Head {
    Fade(Crossfade<usize>),
    Tape(Tape),
}

impl Head {
    /// RT.
    fn go_to(&mut self, frames: usize) {
        match self {
            Head::Fade(tap) => tap.go_to(frames),
            Head::Tape(tape) => tape.wanted = frames as f64,
        }
    }

    /// Steps on by one frame and gives two places and the part of the way between them. RT.
    fn step(&mut self) -> (f64, f64, f64) {
        match self {
            Head::Fade(tap) => {
                let (now, next, part) = tap.step();
                (now as f64, next as f64, part)
            }
            Head::Tape(tape) => {
                let now = tape.step();
                (now, now, 0.0)
            }
        }
    }

    /// How many frames are nearer than whatever it reads over the next ones, at least one, if its places sway by so many. RT.
    fn ahead(&self, sway: f64) -> usize {
        let nearest = match self {
            Head::Fade(tap) => tap.nearest() as f64,
            // It comes nearer by a frame a frame at most.
            Head::Tape(tape) => tape.now - QUANTUM as f64,
        };
        // Between frames it reads one that is nearer still.
        (nearest - sway - 2.0).max(1.0) as usize
    }

    /// How many frames back it stands, if it does. RT.
    fn stands(&self) -> Option<usize> {
        match self {
            Head::Fade(tap) => tap.is_settled().then(|| tap.wanted()),
            Head::Tape(tape) => (tape.now == tape.wanted && tape.speed == 0.0).then_some(tape.wanted as usize),
        }
    }

    /// RT.
    fn settle(&mut self) {
        match self {
            Head::Fade(tap) => tap.settle(),
            Head::Tape(tape) => (tape.now, tape.speed) = (tape.wanted, 0.0),
        }
    }
}

impl Keep for Head {
    fn keep(&mut self, ledger: &mut Ledger) {
        match self {
            Head::Fade(tap) => tap.keep(ledger),
            Head::Tape(tape) => tape.keep(ledger),
        }
    }
}

/// A head that travels as a tape's speed changes: at most an octave up or down.
struct Tape {
    now: f64,
    wanted: f64,
    /// Frames of delay gained a frame.
    speed: f64,
    pull: f64,
    inertia: f64,
}

/// How soon the tape arrives, and how soon it changes speed.
const PULL_MS: f64 = 60.0;
const INERTIA_MS: f64 = 10.0;

/// Nearer than this many frames it has arrived.
const THERE: f64 = 1e-6;

impl Tape {
    fn new(frames: usize, rate: f64) -> Self {
        let (pull, inertia) = (1.0 - pole(PULL_MS, rate), 1.0 - pole(INERTIA_MS, rate));
        Tape { now: frames as f64, wanted: frames as f64, speed: 0.0, pull, inertia }
    }

    /// RT.
    fn step(&mut self) -> f64 {
        let away = self.wanted - self.now;
        if away.abs() < THERE && self.speed.abs() < THERE {
            (self.now, self.speed) = (self.wanted, 0.0);
        } else {
            self.speed += self.inertia * ((away * self.pull).clamp(-1.0, 0.5) - self.speed);
            self.now += self.speed;
        }
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::note_length;
    use crate::test_signals::{Bench, RATE, click_of_edit, impulse, level_at, noise, peak, sine};

    /// A bench whose loop changes nothing but the level.
    fn plain(channels: usize) -> Bench {
        Bench::new(&DELAY, channels).special("high_pass").special("low_pass")
    }

    /// A delay that does all of it for one frame after the other.
    struct FrameByFrame(Delay);

    keep!(FrameByFrame: 0);

    impl Kernel for FrameByFrame {
        fn process(&mut self, io: &mut Io<'_>) {
            let delay = &mut self.0;
            let &[time, feedback, _, high_pass, low_pass, width, sway, duck, _] = io.values else { return };
            delay.head.go_to(frames_back(time.to, delay.rate));
            let filters = (high_pass != Glide::still(NO_HIGH_PASS), low_pass != Glide::still(NO_LOW_PASS));
            let (high_pass, low_pass) = (shares(high_pass, delay.rate), shares(low_pass, delay.rate));
            let ducks = duck != Glide::still(0.0) || !delay.duck.is_idle();
            let count = io.frames.len();
            for (n, i) in io.frames.clone().enumerate() {
                let inputs = io.audio.iter().take(io.channels_in).map(|channel| channel[i]);
                let (level, sum) = inputs.fold((0.0_f64, 0.0), |(most, sum), x| (most.max(x.abs()), sum + x));
                let gain = if ducks { delay.duck(level, duck.at(n, count)) } else { 1.0 };
                let (now, next, part) = delay.head.step();
                let depth = sway.at(n, count) / 100.0 * delay.sway.min(now / 2.0);
                let mut echoes = [0.0; 3];
                for (index, (line, echo)) in delay.lines.iter_mut().zip(&mut echoes).enumerate() {
                    let sway = if depth == 0.0 { 0.0 } else { depth * swing(index, io.frame(i), delay.rate) };
                    *echo = line.sound.read_faded(now + sway, next + sway, part);
                    if filters.1 {
                        *echo = line.low.low(low_pass.at(n, count), *echo);
                    }
                    if filters.0 {
                        *echo = line.high.high(high_pass.at(n, count), *echo);
                    }
                }
                let back = echoes.map(|echo| bounded(feedback.at(n, count) / 100.0 * echo));
                for (index, line) in delay.lines.iter_mut().enumerate() {
                    line.sound.write(match (delay.ping_pong, index) {
                        (true, 0) => sum / io.channels_in as f64 + back[1],
                        (true, _) => back[0],
                        (false, _) => io.audio[index][i] + back[index],
                    });
                }
                io.audio.iter_mut().zip(echoes).for_each(|(channel, echo)| channel[i] = echo * gain);
                if let [left, right] = &mut *io.audio {
                    (left[i], right[i]) = widened(left[i], right[i], width.at(n, count));
                }
            }
        }

        fn reset(&mut self) {
            self.0.reset();
        }
    }

    static FRAME_BY_FRAME: Table = Table { kernel: |recipe| Box::new(FrameByFrame(Delay::new(recipe))), ..DELAY };

    #[test]
    fn echoes_have_the_same_bits_heard_a_stretch_at_a_time_and_frame_by_frame() {
        // The time, how it moves, sway, ping-pong, channels.
        let kinds = [
            (100.0, 0.0, 0.0, 0.0, 2),
            (1.0, 0.0, 0.0, 0.0, 1),
            (1.34, 0.0, 0.0, 1.0, 2),
            (20.01, 0.0, 40.0, 1.0, 1),
            (1.0, 0.0, 100.0, 0.0, 2),
            (5.0, 1.0, 100.0, 0.0, 2),
            (30.0, 1.0, 0.0, 0.0, 3),
            (3.0, 1.0, 20.0, 1.0, 2),
        ];
        let edits = [
            ("time", 25.0),
            ("feedback", 110.0),
            ("duck", 20.0),
            ("width", 30.0),
            ("low_pass", 3000.0),
            ("high_pass", 400.0),
            ("mod", 60.0),
            ("duck", 0.0),
            ("time", 1.5),
            ("mod", 0.0),
            ("feedback", 40.0),
        ];
        for (ms, style, sway, ping_pong, channels) in kinds {
            let [mut at_once, mut by_frames] = [&DELAY, &FRAME_BY_FRAME].map(|table| {
                let bench = Bench::new(table, channels).set("time", ms).set("style", style).set("mod", sway);
                bench.set("feedback", 70.0).set("ping_pong", ping_pong)
            });
            for (turn, (name, value)) in edits.into_iter().enumerate() {
                let input: Vec<Vec<f64>> = (0..channels)
                    .map(|channel| noise((10 * turn + channel) as u64 + 1, 1500).iter().map(|x| 3.0 * x).collect())
                    .collect();
                let [found, expected] = [&mut at_once, &mut by_frames].map(|bench| {
                    bench.edit(DELAY.index(name).unwrap(), value);
                    bench.run(&input).into_iter().flatten().map(f64::to_bits).collect::<Vec<_>>()
                });
                assert!(found == expected, "{ms} ms, style {style}, {channels} channels, from {name} on");
                assert!(turn == 0 || found.iter().any(|bits| bits << 1 != 0));
            }
        }
    }

    #[test]
    fn a_dotted_eighth_at_120_bpm_is_18000_frames() {
        let beats = note_length("1/8.").unwrap();
        let mut bench = plain(1).set("time", beats * 500.0).set("feedback", 50.0);
        let output = bench.run_mono(&impulse(60_000));
        let echoes: Vec<usize> = (0..60_000).filter(|i| output[*i] != 0.0).collect();
        assert_eq!(echoes, [18_000, 36_000, 54_000]);
        let filtered = Bench::new(&DELAY, 1).set("time", 375.0).run_mono(&impulse(30_000));
        assert_eq!((0..30_000).max_by(|a, b| filtered[*a].total_cmp(&filtered[*b])), Some(18_000));
        assert!(filtered[..18_000].iter().all(|x| *x == 0.0));
    }

    #[test]
    fn each_echo_is_the_feedback_times_the_one_before() {
        let output = plain(1).set("time", 10.0).set("feedback", 50.0).run_mono(&impulse(2000));
        assert_eq!((output[480], output[960], output[1440]), (1.0, 0.5, 0.25));
        assert_eq!(output.iter().filter(|x| **x != 0.0).count(), 4);
    }

    #[test]
    fn ping_pong_goes_left_and_right_in_turn() {
        let mut bench = plain(1).set("ping_pong", 1.0).set("time", 10.0).set("feedback", 50.0);
        let output = bench.run(&[impulse(2000)]);
        assert_eq!((output[0][480], output[1][960], output[0][1440]), (1.0, 0.5, 0.25));
        assert_eq!((output[1][480], output[0][960]), (0.0, 0.0));
    }

    #[test]
    fn no_width_is_mono() {
        let output = plain(2).set("width", 0.0).run(&[noise(1, 48_000), noise(2, 48_000)]);
        assert!(output[0].iter().zip(&output[1]).all(|(left, right)| (left - right).abs() < 1e-15));
        assert!(peak(&output[0]) > -20.0);
    }

    #[test]
    fn it_never_runs_away() {
        let input = sine(100.0, 6.0, RATE, 480_000);
        let output = plain(1).set("time", 50.0).set("feedback", 110.0).run_mono(&input);
        assert!(peak(&output) < 20.0 * 4.0_f64.log10() + 1e-9 && output[479_000..].iter().all(|x| x.is_finite()));
    }

    #[test]
    fn the_loop_loses_highs_and_lows() {
        let level = |freq| {
            level_at(
                &Bench::new(&DELAY, 1).set("feedback", 0.0).run_mono(&sine(freq, 0.0, RATE, 48_000))[36_000..],
                freq,
                RATE,
            )
        };
        assert!((level(100.0) + 3.01).abs() < 0.1 && level(1000.0) > -0.2 && level(8000.0) < -2.0);
    }

    #[test]
    fn an_input_ducks_the_echoes() {
        let tone = sine(1000.0, -12.0, RATE, 96_000);
        let plain = Bench::new(&DELAY, 1).run_mono(&tone);
        let ducked = Bench::new(&DELAY, 1).set("duck", 12.0).run_mono(&tone);
        assert!((peak(&plain[90_000..]) - peak(&ducked[90_000..]) - 12.0).abs() < 0.05);
    }

    #[test]
    fn after_the_tail_echoes_are_100_db_down() {
        for (time, feedback) in [(375.0, 35.0), (50.0, 80.0), (200.0, 0.0)] {
            let mut bench = Bench::new(&DELAY, 1).set("time", time).set("feedback", feedback);
            let tail = (DELAY.tail)(bench.recipe()) as usize;
            let output = bench.run_mono(&impulse(tail + 48_000));
            assert!(peak(&output[tail..]) - peak(&output) < -100.0, "{time} ms at {feedback} %");
            assert!(tail < 480_000);
        }
        assert_eq!((DELAY.tail)(Bench::new(&DELAY, 1).set("feedback", 110.0).recipe()), 480_000);
    }

    #[test]
    fn edits_leave_no_click() {
        let edits = [("time", 231.0), ("feedback", 90.0), ("high_pass", 1000.0), ("low_pass", 1000.0), ("width", 0.0)];
        for style in [0.0, 1.0] {
            for (name, to) in edits.into_iter().chain([("mod", 100.0), ("duck", 30.0)]) {
                let index = DELAY.index(name).unwrap();
                let mut bench = Bench::new(&DELAY, 2).set("time", 40.0).set("style", style);
                let click = click_of_edit(&mut bench, |bench| bench.edit(index, to));
                assert!(click < -80.0, "{name} in style {style}: {click}");
            }
        }
    }

    #[test]
    fn a_tape_glides_to_exactly_its_new_time() {
        let index = DELAY.index("time").unwrap();
        let mut bench = plain(1).set("time", 100.0).set("style", 1.0).set("feedback", 0.0);
        let input = noise(1, 144_000);
        bench.run_mono(&input[..48_000]);
        bench.edit(index, 150.0);
        let output = bench.run_mono(&input[48_000..]);
        assert!(output[90_000..] == input[48_000 + 90_000 - 7200..][..6000]);
    }
}
