//! A file as blocks of samples at its own rate: the only file that knows symphonia.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use symphonia::core::audio::Channels;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::{
    FORMAT_ID_AIFF, FORMAT_ID_FLAC, FORMAT_ID_ISOMP4, FORMAT_ID_MP3, FORMAT_ID_WAVE,
};
use symphonia::core::formats::{FormatOptions, FormatReader, SeekMode, SeekTo, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::units::Timestamp;

use super::Fault;
use super::edits;
use crate::resample::RATES;

/// More channels than any recording has; a header that claims more is not believed.
pub(super) const MOST_CHANNELS: usize = 64;

/// A file being decoded, from its start or from where [`Decoder::seek`] put it.
pub(super) struct Decoder {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: Track,
    pub(super) rate: u32,
    pub(super) channels: usize,
    /// Their places, as the mask of WAV files gives them; 0 where that is not known.
    pub(super) mask: u32,
    /// Whether the container says exactly how many frames there are.
    exact: bool,
    /// Frames of the codec that are heard: those before the first and from the second on are not.
    heard: (u64, u64),
    /// The first block, decoded to learn rate and channels, has not been given yet.
    ahead: bool,
    block: Vec<Vec<f32>>,
    /// The frame that the next block of the codec begins with, before the edit is applied.
    at: u64,
    sought: bool,
}

impl Decoder {
    pub(super) fn open(path: &Path) -> Result<Decoder, Fault> {
        let mut opened = Decoder::new(probe(path)?)?;
        if opened.format.format_info().format == FORMAT_ID_ISOMP4 {
            let end =
                opened.track.duration.map_or(u64::MAX, |end| frames(&opened.track, end.get().into(), opened.rate));
            opened.heard = (frames(&opened.track, edits::start(path).into(), opened.rate), end);
        }
        Ok(opened)
    }

    /// Decodes what comes through a pipe.
    pub(super) fn stream(source: impl Read + Send + Sync + 'static) -> Result<Decoder, Fault> {
        Decoder::new(probed(Box::new(ReadOnlySource::new(source)), &Hint::new())?)
    }

    fn new((format, track, exact): Probed) -> Result<Decoder, Fault> {
        let Some(CodecParameters::Audio(parameters)) = &track.codec_params else { return Err(Fault::NotSound) };
        let options = AudioDecoderOptions::default().verify(true);
        let decoder =
            symphonia::default::get_codecs().make_audio_decoder(parameters, &options).map_err(|error| match error {
                Error::Unsupported(_) => {
                    Fault::Unsupported("its codec is none of PCM, FLAC, MP3, Vorbis and AAC".into())
                }
                error => Fault::Corrupt(error.to_string()),
            })?;
        let mut opened = Decoder {
            format,
            decoder,
            track,
            rate: 0,
            channels: 0,
            mask: 0,
            exact,
            heard: (0, u64::MAX),
            ahead: true,
            block: Vec::new(),
            at: 0,
            sought: false,
        };
        while opened.rate == 0 {
            if !opened.decode()? {
                return Err(Fault::Empty);
            }
        }
        Ok(opened)
    }

    /// How many bits its samples have, where they are integers that were not coded with loss.
    pub(super) fn bits(&self) -> Option<u32> {
        let Some(CodecParameters::Audio(parameters)) = &self.track.codec_params else { return None };
        parameters.bits_per_sample.filter(|_| self.exact)
    }

    /// How many frames there are, where the container says so exactly.
    pub(super) fn promised(&self) -> Option<u64> {
        self.track.num_frames.filter(|_| self.exact)
    }

    /// Decodes the next block; false at the end.
    pub(super) fn next(&mut self) -> Result<bool, Fault> {
        if !self.ahead && !self.decode()? {
            self.block.iter_mut().for_each(Vec::clear);
            return Ok(false);
        }
        self.ahead = false;
        self.trim();
        are_numbers(&self.block)?;
        Ok(true)
    }

    /// The block that was decoded last, one vector a channel; nothing before the first.
    pub(super) fn block(&self) -> &[Vec<f32>] {
        if self.ahead { &[] } else { &self.block }
    }

    /// Goes to a frame. Only for what has a number of frames that is [`Decoder::promised`]; such a container can be
    /// entered at any of them.
    pub(super) fn seek(&mut self, frame: u64) -> Result<(), Fault> {
        let stamp = Timestamp::new(i64::try_from(frame).unwrap_or(i64::MAX));
        let to = SeekTo::Timestamp { ts: stamp, track_id: self.track.id };
        let found = self.format.seek(SeekMode::Accurate, to).map_err(|error| self.broken(&error))?;
        self.decoder.reset();
        self.block.iter_mut().for_each(Vec::clear);
        self.at = found.actual_ts.get().max(0) as u64;
        self.heard.0 = frame;
        self.ahead = false;
        self.sought = true;
        Ok(())
    }

    /// Decodes one packet into the block; false at the end.
    fn decode(&mut self) -> Result<bool, Fault> {
        let packet = loop {
            match self.format.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track.id => break packet,
                Ok(Some(_)) => {}
                Ok(None) => return self.end(),
                Err(error) => return Err(self.broken(&error)),
            }
        };
        let decoded = self.decoder.decode(&packet).map_err(|error| Fault::Corrupt(error.to_string()))?;
        if decoded.frames() == 0 {
            self.block.iter_mut().for_each(Vec::clear);
            return Ok(true);
        }
        let (rate, channels) = (decoded.spec().rate(), decoded.spec().channels().count());
        if channels == 0 {
            return Err(Fault::NoChannels);
        }
        if channels > MOST_CHANNELS {
            return Err(Fault::Unsupported(format!("{channels} channels")));
        }
        if !RATES.contains(&rate) {
            return Err(Fault::Unsupported(format!("a sample rate of {rate} Hz")));
        }
        if self.rate != 0 && (rate, channels) != (self.rate, self.channels) {
            return Err(Fault::Unsupported("its rate or channels change on the way".into()));
        }
        (self.rate, self.channels) = (rate, channels);
        self.mask = match decoded.spec().channels() {
            Channels::Positioned(places) => u32::try_from(places.bits()).unwrap_or(0),
            _ => 0,
        };
        decoded.copy_to_vecs_planar(&mut self.block);
        Ok(true)
    }

    /// Cuts off what is not heard.
    fn trim(&mut self) {
        let frames = self.block.first().map_or(0, Vec::len);
        let last = self.heard.1.saturating_sub(self.at).min(frames as u64) as usize;
        let first = self.heard.0.saturating_sub(self.at).min(last as u64) as usize;
        self.at += frames as u64;
        for channel in &mut self.block {
            channel.truncate(last);
            channel.drain(..first);
        }
    }

    /// Whether the end is where and as it was promised.
    fn end(&mut self) -> Result<bool, Fault> {
        match self.promised() {
            Some(promised) if self.at < promised => return Err(Fault::CutShort { promised, found: self.at }),
            _ => {}
        }
        if !self.sought && self.decoder.finalize().verify_ok == Some(false) {
            return Err(Fault::Corrupt("its checksum does not hold".into()));
        }
        Ok(false)
    }

    fn broken(&self, error: &Error) -> Fault {
        match (error, self.promised()) {
            (Error::IoError(error), Some(promised)) if is_end(error) => Fault::CutShort { promised, found: self.at },
            (Error::IoError(error), None) if is_end(error) => Fault::Corrupt(if self.exact {
                "its header does not say how long it is".into()
            } else {
                "it ends in the middle of a packet".into()
            }),
            (Error::IoError(error), _) => Fault::Unreadable(error.to_string()),
            (Error::ResetRequired, _) => Fault::Unsupported("several streams, one after the other".into()),
            (error, _) => Fault::Corrupt(error.to_string()),
        }
    }
}

/// Whether all samples are numbers.
///
/// # Errors
/// One is not.
pub(super) fn are_numbers(sound: &[Vec<f32>]) -> Result<(), Fault> {
    // Without a way out in the middle, many are looked at at once.
    let all = |channel: &Vec<f32>| channel.iter().fold(true, |all, x| all & x.is_finite());
    match sound.iter().all(all) {
        true => Ok(()),
        false => Err(Fault::Corrupt("it holds samples that are not numbers".into())),
    }
}

/// Puts a block of f32 in place of one of f64.
pub(super) fn widen(block: &[Vec<f32>], wide: &mut [Vec<f64>]) {
    for (wide, narrow) in wide.iter_mut().zip(block) {
        wide.clear();
        wide.extend(narrow.iter().map(|&x| f64::from(x)));
    }
}

/// How many frames the codec gives, learnt from the packets alone, without decoding them.
pub(super) fn count(path: &Path, rate: u32) -> Result<u64, Fault> {
    let (mut format, track, _) = probe(path)?;
    // The reader of MP3 files leaves what is to be trimmed in the packet's duration; the others take it off.
    let untrimmed = format.format_info().format == FORMAT_ID_MP3;
    let mut ticks = 0u128;
    loop {
        match format.next_packet() {
            Ok(Some(packet)) if packet.track_id == track.id => {
                let trim = packet.trim_start.get().saturating_add(packet.trim_end.get());
                let trim = if untrimmed { trim } else { 0 };
                ticks += u128::from(packet.dur.get().saturating_sub(trim));
            }
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => return Err(Fault::Corrupt(error.to_string())),
        }
    }
    let start = if format.format_info().format == FORMAT_ID_ISOMP4 { edits::start(path) } else { 0 };
    Ok(frames(&track, ticks.saturating_sub(start.into()), rate))
}

/// Ticks of a track's own time as frames.
fn frames(track: &Track, ticks: u128, rate: u32) -> u64 {
    let Some(base) = track.time_base else { return u64::try_from(ticks).unwrap_or(u64::MAX) };
    let frames = ticks.saturating_mul(u128::from(base.numer.get()) * u128::from(rate)) / u128::from(base.denom.get());
    u64::try_from(frames).unwrap_or(u64::MAX)
}

/// A container, its first track of sound, and whether the container counts frames exactly.
type Probed = (Box<dyn FormatReader>, Track, bool);

/// Finds the container of a file.
fn probe(path: &Path) -> Result<Probed, Fault> {
    let file = File::open(path).map_err(|error| Fault::Unreadable(error.to_string()))?;
    let mut hint = Hint::new();
    if let Some(extension) = path.extension().and_then(|extension| extension.to_str()) {
        hint.with_extension(extension);
    }
    probed(Box::new(file), &hint)
}

fn probed(source: Box<dyn MediaSource>, hint: &Hint) -> Result<Probed, Fault> {
    let stream = MediaSourceStream::new(source, Default::default());
    let format = symphonia::default::get_probe()
        .probe(hint, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| match error {
            Error::IoError(error) if !is_end(&error) => Fault::Unreadable(error.to_string()),
            Error::DecodeError(why) => Fault::Corrupt(why.into()),
            _ => Fault::NotSound,
        })?;
    let track = format.default_track(TrackType::Audio).ok_or(Fault::NotSound)?.clone();
    let exact = [FORMAT_ID_WAVE, FORMAT_ID_AIFF, FORMAT_ID_FLAC].contains(&format.format_info().format);
    Ok((format, track, exact))
}

fn is_end(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::UnexpectedEof
}
