//! FLAC by flacenc, a frame of the codec at a time; the blocks of metadata are our own.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};

use flacenc::bitsink::ByteSink;
use flacenc::component::{BitRepr, StreamInfo};
use flacenc::config;
use flacenc::error::{Verified, Verify};
use flacenc::source::{Context, Fill, FrameBuf};

use super::tags::{Loudness, Mark, Measured, SOFTWARE, Tags, is_cd};
use super::{Depth, Format, Problem};

/// Frames of a FLAC block.
const BLOCK: usize = 4096;

/// Bytes that are left free behind the metadata, so that a tag can be changed without writing the file anew.
const PADDING: usize = 1024;

/// The kinds of block that are written (RFC 9639, 8.1), and the mark of the last one.
const STREAMINFO: u8 = 0;
const PADDED: u8 = 1;
const COMMENTS: u8 = 4;
const CUE_SHEET: u8 = 5;
const LAST: u8 = 0x80;

/// Frames of silence that lead into an audio CD.
const LEAD_IN: u64 = 88_200;

/// Figures as long as any is when written.
const WIDEST: Loudness = Loudness {
    integrated: Some(-999.99),
    range: Some(-999.99),
    true_peak: Some(199.0),
    momentary: Some(-999.99),
    short_term: Some(-999.99),
};

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
    format: Format,
    tags: Tags,
    /// Bytes of everything before the first frame of the codec.
    room: usize,
    frames: u64,
}

impl Flac {
    pub(super) fn new(file: File, format: Format, tags: &Tags) -> Result<Flac, Problem> {
        if format.depth == Depth::Float32 {
            return Err(Problem::Format("FLAC holds 16 or 24 bits, not 32-bit float; write .wav for that".into()));
        }
        if format.channels > 8 {
            return Err(Problem::Format(format!("FLAC has at most 8 channels, not {}", format.channels)));
        }
        if format.rate > 96_000 {
            return Err(Problem::Format(format!("FLAC is written up to 96000 Hz, not {}; write .wav", format.rate)));
        }
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
            format,
            tags: tags.clone(),
            room: 0,
            frames: 0,
        };
        let widest = Measured { own: WIDEST, album: Some(WIDEST) };
        flac.room = flac.metadata(&widest, &tags.marks)?.len() + 4 + PADDING;
        flac.write_header(&Measured::default())?;
        Ok(flac)
    }

    /// Appends samples, channels interleaved.
    pub(super) fn ints(&mut self, samples: &[i32]) -> Result<(), Problem> {
        let block = BLOCK * self.format.channels;
        self.frames += (samples.len() / self.format.channels) as u64;
        let mut rest = samples;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(block - self.pending.len()));
            self.pending.extend_from_slice(now);
            if self.pending.len() == block {
                self.write_block()?;
            }
            rest = later;
        }
        Ok(())
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
        Ok(self.file.write_all(self.sink.as_slice())?)
    }

    /// Everything before the first frame of the codec, padded to the room there is.
    fn write_header(&mut self, measured: &Measured) -> Result<(), Problem> {
        let frames = self.frames;
        let marks: Vec<Mark> = self.tags.marks.iter().filter(|mark| mark.frame < frames).cloned().collect();
        let mut bytes = self.metadata(measured, &marks)?;
        let padding = self.room.saturating_sub(bytes.len() + 4);
        bytes.extend(block(PADDED | LAST, &vec![0; padding]));
        Ok(self.file.write_all(&bytes)?)
    }

    /// The marker of the stream and its blocks of metadata but the last.
    fn metadata(&mut self, measured: &Measured, marks: &[Mark]) -> Result<Vec<u8>, Problem> {
        self.sink.clear();
        self.info.write(&mut self.sink).map_err(|error| flac_problem(&error))?;
        let mut bytes = b"fLaC".to_vec();
        bytes.extend(block(STREAMINFO, self.sink.as_slice()));
        bytes.extend(block(COMMENTS, &comments(&self.tags, measured)));
        if !marks.is_empty() {
            bytes.extend(block(CUE_SHEET, &cue_sheet(self.format, marks, self.frames)));
        }
        Ok(bytes)
    }

    pub(super) fn finish(mut self, measured: &Measured) -> Result<(), Problem> {
        if !self.pending.is_empty() {
            self.write_block()?;
        }
        // The last block may be shorter and does not count.
        self.info.set_block_sizes(BLOCK, BLOCK).map_err(|error| flac_problem(&error))?;
        self.info.set_md5_digest(&self.context.md5_digest());
        self.file.seek(SeekFrom::Start(0))?;
        self.write_header(measured)?;
        Ok(self.file.flush()?)
    }
}

/// A block of metadata.
fn block(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    [&[kind, length[1], length[2], length[3]], body].concat()
}

/// The Vorbis comments, in UTF-8; here alone numbers have their low bytes first.
fn comments(tags: &Tags, measured: &Measured) -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
    let comments = tags.comments(measured);
    let mut body = text(SOFTWARE);
    body.extend((comments.len() as u32).to_le_bytes());
    body.extend(comments.iter().flat_map(|(name, value)| text(&format!("{name}={value}"))));
    body
}

/// The tracks, each with its index 1, and index 0 where silence before it is its own; and the lead-out, at the end.
fn cue_sheet(format: Format, marks: &[Mark], frames: u64) -> Vec<u8> {
    let cd = is_cd(format, marks, frames);
    let mut body = vec![0; 128];
    body.extend(if cd { LEAD_IN } else { 0 }.to_be_bytes());
    body.push(u8::from(cd) << 7);
    body.resize(body.len() + 258, 0);
    body.push(marks.len() as u8 + 1);
    let index = |offset: u64, number: u8| [offset.to_be_bytes().as_slice(), &[number, 0, 0, 0]].concat();
    for (number, mark) in (1..).zip(marks) {
        let mut isrc = mark.credits.isrc.clone().unwrap_or_default().into_bytes();
        isrc.resize(12, 0);
        body.extend((mark.frame - mark.gap).to_be_bytes());
        body.push(number);
        body.extend(isrc);
        body.extend([0; 14]);
        if mark.gap > 0 {
            body.extend([&[2], index(0, 0).as_slice(), &index(mark.gap, 1)].concat());
        } else {
            body.extend([&[1], index(0, 1).as_slice()].concat());
        }
    }
    body.extend(frames.to_be_bytes());
    body.push(if cd { 170 } else { 255 });
    body.resize(body.len() + 27, 0);
    body
}

fn flac_problem(error: &dyn std::fmt::Display) -> Problem {
    Problem::System(error.to_string())
}
