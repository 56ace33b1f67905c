//! The containers: WAV by hound, FLAC by flacenc, a frame of the codec at a time.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};

use flacenc::bitsink::ByteSink;
use flacenc::component::{BitRepr, StreamInfo};
use flacenc::config;
use flacenc::error::{Verified, Verify};
use flacenc::source::{Context, Fill, FrameBuf};

use super::{Depth, Format, Problem};

/// Frames of a FLAC block.
const BLOCK: usize = 4096;

/// Bytes of a WAV file that are not samples, at most.
const WAV_HEADER: u64 = 100;

/// One file being encoded.
pub(super) enum Encoder {
    Int(Wav),
    Float(Wav),
    Flac(Box<Flac>),
}

type Wav = hound::WavWriter<BufWriter<File>>;

impl Encoder {
    pub(super) fn wav(file: File, format: Format) -> Result<Encoder, Problem> {
        let float = format.depth == Depth::Float32;
        let spec = hound::WavSpec {
            channels: u16::try_from(format.channels)
                .map_err(|_| Problem::Format("a WAV file has at most 65535 channels".into()))?,
            sample_rate: format.rate,
            bits_per_sample: format.depth.bits(),
            sample_format: if float { hound::SampleFormat::Float } else { hound::SampleFormat::Int },
        };
        let writer = hound::WavWriter::new(BufWriter::new(file), spec).map_err(wav_problem)?;
        Ok(if float { Encoder::Float(writer) } else { Encoder::Int(writer) })
    }

    pub(super) fn flac(file: File, format: Format) -> Result<Encoder, Problem> {
        if format.depth == Depth::Float32 {
            return Err(Problem::Format("FLAC holds 16 or 24 bits, not 32-bit float; write .wav for that".into()));
        }
        if format.channels > 8 {
            return Err(Problem::Format(format!("FLAC has at most 8 channels, not {}", format.channels)));
        }
        if format.rate > 96_000 {
            return Err(Problem::Format(format!("FLAC is written up to 96000 Hz, not {}; write .wav", format.rate)));
        }
        Ok(Encoder::Flac(Box::new(Flac::new(file, format)?)))
    }

    /// Whether so many frames fit in all.
    pub(super) fn room_for(&self, frames: u64) -> Result<(), Problem> {
        match self {
            Encoder::Int(writer) | Encoder::Float(writer) => {
                let spec = writer.spec();
                let size = u64::from(spec.channels) * u64::from(spec.bits_per_sample / 8);
                let fits = frames.saturating_mul(size) <= u64::from(u32::MAX) - WAV_HEADER;
                if fits { Ok(()) } else { Err(Problem::TooLong) }
            }
            Encoder::Flac(_) => Ok(()),
        }
    }

    pub(super) fn finish(self) -> Result<(), Problem> {
        match self {
            Encoder::Int(writer) | Encoder::Float(writer) => writer.finalize().map_err(wav_problem),
            Encoder::Flac(encoder) => encoder.finish(),
        }
    }
}

pub(super) fn wav_problem(error: hound::Error) -> Problem {
    match error {
        hound::Error::IoError(error) => Problem::System(error.to_string()),
        error => Problem::Format(error.to_string()),
    }
}

/// A FLAC stream, whose header is written at the end, when its figures are known.
pub(super) struct Flac {
    file: BufWriter<File>,
    config: Verified<config::Encoder>,
    info: StreamInfo,
    /// Samples of the block that is being filled, channels interleaved.
    pending: Vec<i32>,
    buffer: FrameBuf,
    /// Counts blocks, and keeps the checksum of all samples.
    context: Context,
    sink: ByteSink,
}

impl Flac {
    fn new(file: File, format: Format) -> Result<Flac, Problem> {
        let bits = usize::from(format.depth.bits());
        let config = config::Encoder::default().into_verified().map_err(|(_, error)| flac_problem(&error))?;
        let info =
            StreamInfo::new(format.rate as usize, format.channels, bits).map_err(|error| flac_problem(&error))?;
        let buffer = FrameBuf::with_size(format.channels, BLOCK).map_err(|error| flac_problem(&error))?;
        let mut flac = Flac {
            file: BufWriter::new(file),
            config,
            info,
            pending: Vec::with_capacity(BLOCK * format.channels),
            buffer,
            context: Context::new(bits, format.channels),
            sink: ByteSink::new(),
        };
        flac.write_header()?;
        Ok(flac)
    }

    /// Takes the next sample, channel by channel.
    pub(super) fn take(&mut self, sample: i32) -> Result<(), Problem> {
        self.pending.push(sample);
        if self.pending.len() == BLOCK * self.info.channels() { self.write_block() } else { Ok(()) }
    }

    fn write_block(&mut self) -> Result<(), Problem> {
        self.buffer.fill_interleaved(&self.pending).map_err(|error| flac_problem(&error))?;
        self.context.fill_interleaved(&self.pending).map_err(|error| flac_problem(&error))?;
        self.pending.clear();
        let number = self.context.current_frame_number().unwrap_or(0);
        let frame = flacenc::encode_fixed_size_frame(&self.config, &self.buffer, number, &self.info)
            .map_err(|error| flac_problem(&error))?;
        self.info.update_frame_info(&frame);
        self.sink.clear();
        frame.write(&mut self.sink).map_err(|error| flac_problem(&error))?;
        self.file.write_all(self.sink.as_slice()).map_err(|error| flac_problem(&error))
    }

    /// The marker of the stream and its one block of metadata.
    fn write_header(&mut self) -> Result<(), Problem> {
        self.sink.clear();
        self.info.write(&mut self.sink).map_err(|error| flac_problem(&error))?;
        let info = self.sink.as_slice();
        // The last block of metadata, of the kind STREAMINFO, and its length.
        let head = [0x80, 0, 0, info.len() as u8];
        [b"fLaC".as_slice(), &head, info]
            .iter()
            .try_for_each(|bytes| self.file.write_all(bytes))
            .map_err(|error| flac_problem(&error))
    }

    fn finish(mut self) -> Result<(), Problem> {
        if !self.pending.is_empty() {
            self.write_block()?;
        }
        // The last block may be shorter and does not count.
        self.info.set_block_sizes(BLOCK, BLOCK).map_err(|error| flac_problem(&error))?;
        self.info.set_md5_digest(&self.context.md5_digest());
        self.file.seek(SeekFrom::Start(0)).map_err(|error| flac_problem(&error))?;
        self.write_header()?;
        self.file.flush().map_err(|error| flac_problem(&error))
    }
}

fn flac_problem(error: &dyn std::fmt::Display) -> Problem {
    Problem::System(error.to_string())
}
