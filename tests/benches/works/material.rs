//! The sound files that the works begin with.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

pub const RATE: u32 = 48_000;

/// Bytes before the sound in the files written here.
pub const HEADER: u64 = 44;

/// What comes before so many bytes of 32-bit floats.
pub fn header(channels: usize, bytes: usize) -> Vec<u8> {
    let mut header = b"RIFF".to_vec();
    header.extend((bytes as u32 + 36).to_le_bytes());
    header.extend(b"WAVEfmt \x10\0\0\0\x03\0");
    header.extend((channels as u16).to_le_bytes());
    header.extend([RATE, RATE * channels as u32 * 4].map(u32::to_le_bytes).concat());
    header.extend((channels as u16 * 4).to_le_bytes());
    header.extend(b"\x20\0data");
    header.extend((bytes as u32).to_le_bytes());
    header
}

/// Writes a file of 32-bit floats: a piece of sound, again and again, for so many seconds.
pub fn repeat(file: &Path, channels: usize, piece: &[u8], seconds: usize) {
    let bytes = seconds * RATE as usize * channels * 4;
    let mut into = BufWriter::new(File::create(file).expect("there is room"));
    into.write_all(&header(channels, bytes)).expect("there is room");
    let mut left = bytes;
    while left > 0 {
        let count = left.min(piece.len());
        into.write_all(&piece[..count]).expect("there is room");
        left -= count;
    }
    into.flush().expect("there is room");
}

/// Lengthens what was rendered to `from`, stereo, to so many seconds.
pub fn lengthen(from: &Path, to: &Path, seconds: usize) {
    let reader = hound::WavReader::open(from).expect("it was rendered");
    let bytes = u64::from(reader.len()) * 4;
    // Its sound is the last that is in it.
    let mut file = File::open(from).expect("it was rendered");
    let begin = file.metadata().expect("it was rendered").len() - bytes;
    let mut piece = vec![0; bytes as usize];
    file.seek(SeekFrom::Start(begin)).and_then(|_| file.read_exact(&mut piece)).expect("it can be read");
    repeat(to, 2, &piece, seconds);
}

/// Numbers between -1 and 1, the same each time.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// A channel of an instrument: strokes that die away, of noise whose lows are louder, each instrument's own, for four seconds.
pub fn strokes(instrument: usize) -> Vec<u8> {
    let mut noise = noise(instrument as u64 + 1);
    let beat = [0.25, 0.5, 1.0, 2.0][instrument % 4] * f64::from(RATE);
    let (mut low, mut piece) = (0.0, Vec::new());
    for frame in 0..4 * RATE {
        let x = noise();
        low += (x - low) * 0.05;
        let since = (f64::from(frame) / beat).fract() * beat / f64::from(RATE);
        let level = (-since * 5.0).exp() * (since * 200.0).min(1.0) * 0.7 + 0.03;
        piece.extend((((low * 1.5 + x * 0.2) * level) as f32).to_le_bytes());
    }
    piece
}

/// Five seconds of a room's stereo response: noise that dies away by 60 dB in four of them.
pub fn response() -> Vec<u8> {
    let mut noise = noise(99);
    let mut piece = Vec::new();
    for frame in 0..5 * RATE {
        let level = 10_f64.powf(-3.0 * f64::from(frame) / f64::from(4 * RATE)) * 0.005;
        for _ in 0..2 {
            piece.extend(((noise() * level) as f32).to_le_bytes());
        }
    }
    piece
}
