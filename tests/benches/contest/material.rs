//! Sound files to begin with.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

pub const RATE: u32 = 48_000;

/// Bytes before the sound in the files written here.
pub const HEADER: usize = 44;

/// What comes before so many bytes of 32-bit floats.
pub fn header(channels: usize, bytes: usize) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER);
    header.extend(b"RIFF");
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

/// Numbers between -1 and 1, the same each time.
pub fn noise(seed: u64) -> impl FnMut() -> f64 {
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

/// Writes the channels of strips, `in-1.wav` and so on.
pub fn channels(folder: &Path, channels: usize, seconds: usize) {
    for channel in 0..channels {
        repeat(&folder.join(format!("in-{}.wav", channel + 1)), 1, &strokes(channel), seconds);
    }
}
