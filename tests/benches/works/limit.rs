//! The limit of the processor: the work of [`crate::strips`] by a program that can do nothing else.
//!
//! Sixteen channels lie side by side in the lanes of wide registers, in `f32`, so that the recursions of a channel, which nothing
//! makes shorter, are those of sixteen: AVX2 holds them in two registers, AVX-512 in one. No number may change, nobody asks for a
//! meter, and nothing is looked up. Filters are the cookbook's, as those of the other programs; the compressor is ours, with
//! polynomials for its logarithm and its exponential. It reads the same files and writes the sum to one, on one thread: of 64 strips
//! that is half of what it takes.

use std::f64::consts::{FRAC_PI_2, TAU};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};

use pulp::{Arch, Simd, WithSimd};

use crate::contest::material::{HEADER, RATE, header};

/// What makes this program the limit instead: strips, seconds and gain as a factor follow.
pub const LIMIT: &str = "--limit";

/// What it writes.
pub const SOUND: &str = "limit.wav";

/// Channels side by side.
const LANES: usize = 16;

/// Frames that are read at a time.
const FRAMES: usize = 2048;

/// A high-pass and four bands.
const SECTIONS: usize = 5;

type Lanes = [f32; LANES];

/// Lanes that begin where registers like them to.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Frame<T>(T);

/// Whether the processor multiplies and adds in one step, in registers that are worth it.
pub fn is_within_reach() -> Result<(), String> {
    if matches!(Arch::new(), Arch::Scalar) { Err("this processor has no AVX2".to_owned()) } else { Ok(()) }
}

/// Renders the strips of a folder.
pub fn run(arguments: &[String]) {
    let number = |at: usize| arguments[at].parse::<f64>().expect("the bench gives numbers");
    let (strips, seconds, gain) = (number(0) as usize, number(1) as usize, number(2));
    let open = |strip: usize| {
        let mut file = File::open(format!("in-{}.wav", strip + 1)).expect("it was written");
        file.seek(SeekFrom::Start(HEADER as u64)).expect("it has a header");
        file
    };
    let mut files: Vec<File> = (0..strips).map(open).collect();
    let mut groups: Vec<Group> = (0..strips).step_by(LANES).map(|first| Group::new(first, strips, gain)).collect();
    let frames = seconds * RATE as usize;
    let mut out = BufWriter::new(File::create(SOUND).expect("there is room"));
    out.write_all(&header(2, frames * 8)).expect("there is room");
    let mut bytes = vec![[0_u8; FRAMES * 4]; LANES];
    let mut inputs = vec![Frame([0.0; LANES]); FRAMES];
    let arch = Arch::new();
    let mut sums = vec![Frame([[0.0; LANES]; 2]); FRAMES];
    for begun in (0..frames).step_by(FRAMES) {
        let count = FRAMES.min(frames - begun);
        sums.fill(Frame([[0.0; LANES]; 2]));
        for (group, files) in groups.iter_mut().zip(files.chunks_mut(LANES)) {
            for (file, bytes) in files.iter_mut().zip(&mut bytes) {
                file.read_exact(&mut bytes[..count * 4]).expect("it is long enough");
            }
            arch.dispatch(Piece { group, bytes: &bytes, inputs: &mut inputs, sums: &mut sums });
        }
        for Frame(sums) in &sums[..count] {
            for side in sums {
                out.write_all(&side.iter().sum::<f32>().to_le_bytes()).expect("there is room");
            }
        }
    }
    out.flush().expect("there is room");
}

/// A piece of a group's sound.
struct Piece<'a> {
    group: &'a mut Group,
    bytes: &'a [[u8; FRAMES * 4]],
    inputs: &'a mut [Frame<Lanes>],
    sums: &'a mut [Frame<[Lanes; 2]>],
}

impl WithSimd for Piece<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        abreast(self.bytes, self.inputs);
        self.group.process(self.inputs, self.sums);
    }
}

/// Lays channels side by side, eight frames of eight channels at a time. Lanes of which there is no channel keep what was there.
#[inline(always)]
fn abreast(channels: &[[u8; FRAMES * 4]], frames: &mut [Frame<Lanes>]) {
    for (eight, channels) in channels.as_chunks::<8>().0.iter().enumerate() {
        for at in 0..FRAMES / 8 {
            let rows = each(|channel| {
                let from: &[[u8; 4]] = channels[channel][at * 32..at * 32 + 32].as_chunks().0;
                each(|n| f32::from_le_bytes(from[n]))
            });
            for (row, frame) in transposed(rows).iter().zip(&mut frames[at * 8..at * 8 + 8]) {
                frame.0[eight * 8..eight * 8 + 8].copy_from_slice(row);
            }
        }
    }
}

/// The rows of a square as its columns: in three steps of which each interleaves rows that are half the square apart.
#[inline(always)]
fn transposed(mut rows: [[f32; 8]; 8]) -> [[f32; 8]; 8] {
    for _ in 0..3 {
        let from = rows;
        for n in 0..4 {
            let (a, b) = (from[n], from[n + 4]);
            rows[2 * n] = [a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3]];
            rows[2 * n + 1] = [a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7]];
        }
    }
    rows
}

/// So many strips, side by side.
struct Group {
    /// What each section multiplies its last inputs and outputs by.
    numbers: [[Lanes; 5]; SECTIONS],
    /// What each section remembers.
    states: [[Lanes; 2]; SECTIONS],
    held: Lanes,
    smooth: Lanes,
    /// The gains to both sides.
    sides: [Lanes; 2],
}

impl Group {
    fn new(first: usize, strips: usize, gain: f64) -> Self {
        let mut group = Group {
            numbers: [[[0.0; LANES]; 5]; SECTIONS],
            states: [[[0.0; LANES]; 2]; SECTIONS],
            held: [0.0; LANES],
            smooth: [0.0; LANES],
            sides: [[0.0; LANES]; 2],
        };
        for (lane, strip) in (first..strips.min(first + LANES)).enumerate() {
            let q = 0.5_f64.sqrt();
            let sections = [
                high_pass(80.0, q),
                low_shelf(100.0, 2.0),
                bell(300.0 + 2.0 * (strip + 1) as f64, -3.0, 1.2),
                bell(2500.0, 2.0, 1.0),
                high_shelf(8000.0, 1.5),
            ];
            for (section, numbers) in sections.iter().enumerate() {
                for (n, number) in numbers.iter().enumerate() {
                    group.numbers[section][n][lane] = *number as f32;
                }
            }
            let place = (strip as f64 + 0.5) / strips as f64 * FRAC_PI_2;
            group.sides[0][lane] = (gain * place.cos()) as f32;
            group.sides[1][lane] = (gain * place.sin()) as f32;
        }
        group
    }

    /// Adds the strips to the sums of both sides, as far as there are inputs.
    #[inline(always)]
    fn process(&mut self, inputs: &[Frame<Lanes>], sums: &mut [Frame<[Lanes; 2]>]) {
        // All levels as logarithms to the base of 2.
        let threshold = (-30.0 / 20.0 * std::f64::consts::LOG2_10) as f32;
        let slope = 1.0 - 1.0 / 3.0_f32;
        let [attack, release] = [0.010, 0.200].map(|time| (-1.0 / (time * f64::from(RATE))).exp() as f32);
        let (mut states, mut held, mut smooth) = (self.states, self.held, self.smooth);
        for (Frame(input), Frame([left, right])) in inputs.iter().zip(sums) {
            let mut x = *input;
            for ([b0, b1, b2, a1, a2], [s1, s2]) in self.numbers.iter().zip(&mut states) {
                let y: Lanes = each(|n| b0[n].mul_add(x[n], s1[n]));
                *s1 = each(|n| a1[n].mul_add(-y[n], b1[n].mul_add(x[n], s2[n])));
                *s2 = each(|n| a2[n].mul_add(-y[n], b2[n] * x[n]));
                x = y;
            }
            let wanted: Lanes = each(|n| {
                let over = (log2(x[n].abs()) - threshold) * slope;
                if over > 0.0 { over } else { 0.0 }
            });
            held = each(|n| {
                let falls = release.mul_add(held[n] - wanted[n], wanted[n]);
                if falls > wanted[n] { falls } else { wanted[n] }
            });
            smooth = each(|n| attack.mul_add(smooth[n] - held[n], held[n]));
            let y: Lanes = each(|n| x[n] * exp2(-smooth[n]));
            *left = each(|n| self.sides[0][n].mul_add(y[n], left[n]));
            *right = each(|n| self.sides[1][n].mul_add(y[n], right[n]));
        }
        (self.states, self.held, self.smooth) = (states, held, smooth);
    }
}

/// An array of what a function gives for each place.
#[inline(always)]
fn each<const N: usize, T: Copy + Default>(mut of: impl FnMut(usize) -> T) -> [T; N] {
    let mut all = [T::default(); N];
    for (place, one) in all.iter_mut().enumerate() {
        *one = of(place);
    }
    all
}

/// The logarithm to the base of 2, within 3e-5.
#[inline(always)]
fn log2(x: f32) -> f32 {
    // The exponent, so that what is left lies from the root of a half on to that of 2.
    let exponent = (x.to_bits() as i32).wrapping_sub(0x3f35_04f3) >> 23;
    let rest = f32::from_bits((x.to_bits() as i32).wrapping_sub(exponent << 23) as u32) - 1.0;
    let poly = polynomial([0.255_666_9, -0.391_123_2, 0.485_214_1, -0.720_541_2, 1.442_647_6], rest);
    poly.mul_add(rest, exponent as f32)
}

/// 2 to the power of what is not below -126, within 1e-5.
#[inline(always)]
fn exp2(x: f32) -> f32 {
    // So large that what comes after the point is rounded away, and the last bits are a whole number.
    const ROUND: f32 = 12_582_912.0;
    let rounded = x + ROUND;
    let rest = x - (rounded - ROUND);
    let poly = polynomial([0.009_560_51, 0.055_917_04, 0.240_249_81, 0.693_121_97, 0.999_999_19], rest);
    f32::from_bits(poly.to_bits().wrapping_add(rounded.to_bits() << 23))
}

/// With these factors, the highest power's first.
#[inline(always)]
fn polynomial<const N: usize>(factors: [f32; N], x: f32) -> f32 {
    factors[1..].iter().fold(factors[0], |sum, factor| sum.mul_add(x, *factor))
}

/// Numbers of a section, from those of the cookbook.
fn normed([b0, b1, b2, a0, a1, a2]: [f64; 6]) -> [f64; 5] {
    [b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0]
}

/// The cosine of a frequency's angle, and how wide a filter is.
fn angle(freq: f64, q: f64) -> (f64, f64) {
    let angle = TAU * freq / f64::from(RATE);
    (angle.cos(), angle.sin() / (2.0 * q))
}

fn high_pass(freq: f64, q: f64) -> [f64; 5] {
    let (c, a) = angle(freq, q);
    normed([(1.0 + c) / 2.0, -1.0 - c, (1.0 + c) / 2.0, 1.0 + a, -2.0 * c, 1.0 - a])
}

fn bell(freq: f64, gain: f64, q: f64) -> [f64; 5] {
    let ((c, a), m) = (angle(freq, q), 10_f64.powf(gain / 40.0));
    normed([1.0 + a * m, -2.0 * c, 1.0 - a * m, 1.0 + a / m, -2.0 * c, 1.0 - a / m])
}

fn low_shelf(freq: f64, gain: f64) -> [f64; 5] {
    let ((c, a), m) = (angle(freq, 0.5_f64.sqrt()), 10_f64.powf(gain / 40.0));
    let (up, down, r) = (m + 1.0, m - 1.0, 2.0 * m.sqrt() * a);
    let [b0, b1, b2] = [up - down * c + r, 2.0 * (down - up * c), up - down * c - r].map(|b| b * m);
    normed([b0, b1, b2, up + down * c + r, -2.0 * (down + up * c), up + down * c - r])
}

/// What turns the lows down as far as the highs shall be up, and then all of it up.
fn high_shelf(freq: f64, gain: f64) -> [f64; 5] {
    let [b0, b1, b2, a1, a2] = low_shelf(freq, -gain);
    let up = 10_f64.powf(gain / 20.0);
    [b0 * up, b1 * up, b2 * up, a1, a2]
}
