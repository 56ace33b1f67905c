//! `convolve`: the sound of a room or of a piece of gear, from its impulse response.
//!
//! Spectra are kept rounded to 24 bits ([`Rounded`]): a response is long, and what that makes wrong is more than 140 dB below the
//! sound.

use std::sync::Arc;

use super::no_latency;
use crate::convolution::{Response, Rounded, Ways};
use crate::delay_line::{Crossfade, DelayLine};
use crate::keep::keep;
use crate::kernel::{Buffer, Io, Kernel, QUANTUM};
use crate::parameter::{Law, Memory, Parameter, Recipe, Table};
use crate::units::Unit;

/// `convolve(path)`.
pub static CONVOLVE: Table = Table {
    word: "convolve",
    summary: "Convolves with an impulse response, without latency: a room, a cabinet, a loudspeaker.",
    example: "x >> convolve(\"audio/room.flac\").predelay(15).gain(-6).mix(30)",
    arguments: &["path"],
    parameters: &[
        Parameter::path("path", "the response: one channel for each, two make stereo, four are LL LR RL RR"),
        Parameter::number("predelay", Unit::Milliseconds, 0.0, 0.0, LONGEST_PREDELAY, "before the response begins")
            .law(Law::Own),
        Parameter::number("trim", Unit::Milliseconds, 0.0, 0.0, 10_000.0, "left out at the response's beginning")
            .fixed(),
        Parameter::number("gain", Unit::Decibels, 0.0, -60.0, 24.0, "of what it gives; a response is taken as it is")
            .or("off", 0.0)
            .law(Law::Amplitude),
    ],
    parts: &[],
    mix: 100.0,
    channels: |recipe| Ok(Fit::of(recipe)?.out),
    latency: no_latency,
    tail,
    memory: Memory::Echoes,
    kernel: |recipe| Box::new(Convolve::new(recipe)),
};

const LONGEST_PREDELAY: f64 = 1000.0;

/// How long it takes to move to another predelay.
const FADE_MS: f64 = 60.0;

/// Which channel of the response leads from which input to which output.
struct Fit {
    out: usize,
    /// Input, output, and channel of the response.
    ways: Vec<(usize, usize, usize)>,
}

impl Fit {
    fn of(recipe: &Recipe) -> Result<Fit, String> {
        let Some(media) = recipe.media.first() else { return Err("its file is not open".into()) };
        if media.memory().is_none() {
            return Err("a response so long that it is streamed cannot be convolved with".into());
        }
        let trim = recipe.clock.frames(CONVOLVE.value(recipe, "trim"));
        if trim >= media.frames() {
            let whole = media.frames() as f64 / recipe.rate();
            return Err(format!("nothing is left of the response: it is {whole:.3} s long, less than `trim`"));
        }
        let (ins, has) = (recipe.channels, media.channels());
        match (ins, has) {
            (_, 1) => Ok(Fit { out: ins, ways: (0..ins).map(|channel| (channel, channel, 0)).collect() }),
            (1, _) => Ok(Fit { out: has, ways: (0..has).map(|channel| (0, channel, channel)).collect() }),
            (2, 4) => Ok(Fit { out: 2, ways: vec![(0, 0, 0), (0, 1, 1), (1, 0, 2), (1, 1, 3)] }),
            _ if ins == has => Ok(Fit { out: ins, ways: (0..ins).map(|n| (n, n, n)).collect() }),
            _ => Err(format!("a response of {has} channels does not fit {ins}")),
        }
    }
}

/// Until the last of the response has been heard.
fn tail(recipe: &Recipe) -> u64 {
    let length = recipe.media.first().map_or(0, |media| media.frames());
    length + recipe.clock.frames(CONVOLVE.value(recipe, "predelay"))
}

struct Convolve {
    ways: Ways<Rounded>,
    lines: Vec<DelayLine>,
    predelay: Crossfade<usize>,
    rate: f64,
    /// What comes in, once the predelay is over.
    heard: Vec<Buffer>,
}

keep!(Convolve: ways, lines, predelay);

impl Convolve {
    fn new(recipe: &Recipe) -> Self {
        let ways = Fit::of(recipe).map_or_else(|_| Vec::new(), |fit| fit.ways);
        let trim = recipe.clock.frames(CONVOLVE.value(recipe, "trim")) as usize;
        let sound = recipe.media.first().and_then(|media| Some((media.memory()?, media.stretched())));
        let response = |channel: &Vec<f32>, stretched: f64| {
            // At another rate than its own a response has more or fewer frames, each of which counts less or more.
            let taps = channel.iter().skip(trim).map(|x| f64::from(*x) / stretched);
            Arc::new(Response::new(&taps.collect::<Vec<f64>>()))
        };
        let responses: Vec<Arc<Response<Rounded>>> = sound.map_or_else(Vec::new, |(channels, stretched)| {
            channels.iter().map(|channel| response(channel, stretched)).collect()
        });
        let way = |(from, to, channel): (usize, usize, usize)| Some((from, to, responses.get(channel)?.clone()));
        let frames = |ms: f64| recipe.clock.frames(ms) as usize;
        let longest = frames(LONGEST_PREDELAY);
        Convolve {
            ways: Ways::new(ways.into_iter().filter_map(way)),
            lines: (0..recipe.channels).map(|_| DelayLine::new(longest + QUANTUM)).collect(),
            predelay: Crossfade::new(frames(CONVOLVE.value(recipe, "predelay")), frames(FADE_MS)),
            rate: recipe.rate(),
            heard: vec![[0.0; QUANTUM]; recipe.channels],
        }
    }
}

impl Kernel for Convolve {
    fn process(&mut self, io: &mut Io<'_>) {
        let &[_, predelay, _, gain] = io.values else { return };
        let (frames, first) = (io.frames.clone(), io.frame(io.frames.start));
        self.predelay.go_to((predelay.to * self.rate / 1000.0 + 0.5) as usize);
        if self.predelay.is_settled() {
            for ((line, heard), sound) in self.lines.iter_mut().zip(&mut self.heard).zip(io.audio.iter()) {
                let heard = &mut heard[frames.clone()];
                heard.copy_from_slice(&sound[frames.clone()]);
                line.delay_run(heard, self.predelay.wanted());
            }
        } else {
            for i in frames.clone() {
                let (now, next, part) = self.predelay.step();
                for ((line, heard), sound) in self.lines.iter_mut().zip(&mut self.heard).zip(io.audio.iter()) {
                    line.write(sound[i]);
                    heard[i] = line.read_moved(now, next, part);
                }
            }
        }
        self.ways.process(first, frames.clone(), &self.heard, io.audio);
        io.audio.iter_mut().for_each(|channel| gain.scale(&mut channel[frames.clone()]));
    }

    fn reset(&mut self) {
        self.ways.reset();
        self.lines.iter_mut().for_each(DelayLine::clear);
        self.predelay.settle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use crate::media::Library;
    use crate::test_signals::{Bench, click_of_edit, noise};

    /// A response of some channels in a file, at a rate.
    fn response(channels: &[Vec<f64>], rate: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().join("response.wav");
        let spec = hound::WavSpec {
            channels: channels.len() as u16,
            sample_rate: rate,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut file = hound::WavWriter::create(&path, spec).expect("it can be written");
        for i in 0..channels[0].len() {
            channels.iter().for_each(|channel| file.write_sample(channel[i] as f32).expect("it can be written"));
        }
        file.finalize().expect("it can be written");
        (folder, path)
    }

    fn bench(ins: usize, channels: &[Vec<f64>], rate: u32) -> Bench {
        let (_folder, path) = response(channels, rate);
        let media = Library::new().open(&path, 48_000).expect("it is a sound file");
        Bench::new(&CONVOLVE, ins).media(media)
    }

    /// Noise that falls by 60 dB within so many frames, as a file of 32 bits holds it.
    fn room(seed: u64, frames: usize) -> Vec<f64> {
        let falling = |(i, x): (usize, f64)| f64::from((x * math::exp(-6.9 * i as f64 / frames as f64)) as f32);
        noise(seed, frames).into_iter().enumerate().map(falling).collect()
    }

    fn direct(input: &[f64], response: &[f64]) -> Vec<f64> {
        let at = |n: usize| (0..=n.min(response.len() - 1)).map(|k| response[k] * input[n - k]).sum();
        (0..input.len()).map(at).collect()
    }

    fn apart(a: &[f64], b: &[f64]) -> f64 {
        let most = b.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        math::db_from_gain(a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / most)
    }

    #[test]
    fn it_is_the_convolution_with_the_response_from_the_first_frame_on() {
        let (input, response) = (noise(1, 6000), room(2, 3000));
        for stretch in [64, 17] {
            let output = bench(1, std::slice::from_ref(&response), 48_000).stretch(stretch).run_mono(&input);
            let off = apart(&output, &direct(&input, &response));
            assert!(off < -140.0, "in stretches of {stretch}: {off} dB");
        }
    }

    #[test]
    fn four_channels_lead_from_each_side_to_each() {
        let responses: Vec<Vec<f64>> = (0..4).map(|n| room(n, 500)).collect();
        let input = [noise(8, 2000), noise(9, 2000)];
        let output = bench(2, &responses, 48_000).run(&input);
        for (side, ways) in [(0, [0, 2]), (1, [1, 3])] {
            let parts = ways.map(|n| direct(&input[n / 2], &responses[n]));
            let wanted: Vec<f64> = parts[0].iter().zip(&parts[1]).map(|(a, b)| a + b).collect();
            assert!(apart(&output[side], &wanted) < -140.0);
        }
    }

    #[test]
    fn one_channel_serves_each_and_two_make_stereo_and_others_are_refused() {
        let responses: Vec<Vec<f64>> = (0..3).map(|n| room(n, 100)).collect();
        assert_eq!(bench(2, &responses[..1], 48_000).channels_out(), 2);
        assert_eq!(bench(1, &responses[..1], 48_000).channels_out(), 1);
        assert_eq!(bench(1, &responses[..2], 48_000).channels_out(), 2);
        let refused = (CONVOLVE.channels)(bench(2, &responses, 48_000).recipe());
        assert_eq!(refused, Err("a response of 3 channels does not fit 2".into()));
    }

    #[test]
    fn a_response_at_another_rate_sounds_as_loud() {
        // A second of a room at half the rate: what a low sine gets from it is the same.
        let slow: Vec<f64> = (0..2400).map(|i| math::exp(-(i as f64) / 240.0) / 240.0).collect();
        let fast: Vec<f64> = (0..4800).map(|i| math::exp(-(i as f64) / 480.0) / 480.0).collect();
        let last = |mut bench: Bench| bench.run_mono(&vec![1.0; 9600])[9599];
        let (slow, fast) = (last(bench(1, &[slow], 24_000)), last(bench(1, &[fast], 48_000)));
        assert!((slow / fast - 1.0).abs() < 0.005, "{slow} and {fast}");
    }

    #[test]
    fn predelay_trim_and_gain_do_what_they_say() {
        let mut response = vec![0.0; 960];
        response[480] = 0.5;
        let at = |name: &str, value: f64| {
            let output = bench(1, std::slice::from_ref(&response), 48_000).set(name, value).run_mono(&{
                let mut input = vec![0.0; 4800];
                input[0] = 1.0;
                input
            });
            let frame = output.iter().position(|x| x.abs() > 1e-7).unwrap();
            (frame, output[frame])
        };
        assert_eq!(at("predelay", 10.0).0, 960);
        assert_eq!(at("trim", 5.0).0, 240);
        assert!((at("gain", 6.0).1 - 0.5 * math::gain_from_db(6.0)).abs() < 1e-7);
    }

    #[test]
    fn it_goes_on_from_what_was_kept_bit_for_bit() {
        let mut first = bench(2, &[room(1, 6000), room(2, 6000)], 48_000).set("predelay", 3.0);
        first.run(&[noise(3, 3000), noise(4, 3000)]);
        first.edit(1, 9.0);
        first.run(&[noise(5, 700), noise(6, 700)]);
        let mut again = first.again();
        let rest = [noise(7, 5000), noise(8, 5000)];
        assert!(first.run(&rest) == again.run(&rest));
    }

    #[test]
    fn edits_leave_no_click() {
        for (index, to) in [(1, 30.0), (3, -20.0)] {
            let mut bench = bench(2, &[room(1, 4800)], 48_000).set("gain", -20.0);
            let click = click_of_edit(&mut bench, |bench| bench.edit(index, to));
            assert!(click < -80.0, "{}: {click}", CONVOLVE.parameters[index].name);
        }
    }
}
