//! What a file says of itself beside its sound, whatever its container.

use super::{Format, Kind};
use crate::credits::Credits;
use crate::math;
use crate::measure::{Extreme, Figures};

/// The program and its version, as files name what made them.
pub(super) const SOFTWARE: &str = concat!("gainstage ", env!("CARGO_PKG_VERSION"));

/// The most bytes of a description in a bext chunk.
pub(super) const DESCRIPTION: usize = 256;

/// The most tracks of an album: a CD, and a cue sheet, number them with two digits.
pub const MOST_TRACKS: usize = 99;

/// The loudness that ReplayGain 2.0 takes for its reference, in LUFS.
const REPLAY_GAIN_REFERENCE: f64 = -18.0;

/// What is known when a file begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Title, artist and so on.
    pub credits: Credits,
    /// Which track of the album it is, from 1.
    pub track: Option<u32>,
    /// The tracks in it, in order of time: as cue points of WAV and as the cue sheet of FLAC. Those that begin after the
    /// end of the file are left out.
    pub marks: Vec<Mark>,
}

/// Where a track begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The frame of the file.
    pub frame: u64,
    /// Frames of silence before it that are its own.
    pub gap: u64,
    /// What is said of the track.
    pub credits: Credits,
}

/// Figures of loudness; each is none where there is no such figure, as of silence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loudness {
    /// Integrated, in LUFS.
    pub integrated: Option<f64>,
    /// The loudness range, in LU.
    pub range: Option<f64>,
    /// The highest true peak, in dBTP.
    pub true_peak: Option<f64>,
    /// The highest momentary loudness, in LUFS.
    pub momentary: Option<f64>,
    /// The highest short-term loudness, in LUFS.
    pub short_term: Option<f64>,
}

impl From<&Figures> for Loudness {
    fn from(figures: &Figures) -> Self {
        let value = |extreme: Option<Extreme>| extreme.map(|extreme| extreme.value);
        Loudness {
            integrated: figures.integrated,
            range: figures.range,
            true_peak: value(figures.true_peak),
            momentary: value(figures.momentary),
            short_term: value(figures.short_term),
        }
    }
}

/// What was measured of a file by the time that it ends. Nothing, unless said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Of the file.
    pub own: Loudness,
    /// Of the album that it is a part of.
    pub album: Option<Loudness>,
}

impl Tags {
    /// Refuses what no file can hold.
    pub(super) fn check(&self) -> Result<(), String> {
        self.credits.check()?;
        self.marks.iter().try_for_each(|mark| mark.credits.check())?;
        if self.marks.len() > MOST_TRACKS {
            return Err(format!("a file marks at most {MOST_TRACKS} tracks, not {}", self.marks.len()));
        }
        let ordered = self.marks.windows(2).all(|pair| pair[0].frame <= pair[1].frame - pair[1].gap.min(pair[1].frame));
        if !ordered || self.marks.iter().any(|mark| mark.gap > mark.frame) {
            return Err("its tracks are not in order".into());
        }
        match self.marks.last() {
            Some(last) if last.frame > u64::from(u32::MAX) => {
                Err(format!("a cue point cannot stand at frame {}: at most at {}", last.frame, u32::MAX))
            }
            _ => Ok(()),
        }
    }

    /// What will not stand in a file of this kind as it was said, a sentence each.
    pub fn remarks(&self, kind: Kind) -> Vec<String> {
        let mut remarks = Vec::new();
        if let (Kind::Wav, Some(title)) = (kind, &self.credits.title) {
            if !title.is_ascii() {
                remarks.push("a bext chunk holds ASCII alone: in its description other letters of the title are `?`; INFO has them".into());
            }
            if title.chars().count() > DESCRIPTION {
                remarks.push(format!("a bext chunk holds {DESCRIPTION} characters of the title; INFO has them all"));
            }
        }
        remarks
    }

    /// The Vorbis comments of a FLAC file (Xiph.org's field names; ReplayGain 2.0).
    pub(super) fn comments(&self, measured: &Measured) -> Vec<(&'static str, String)> {
        let said = &self.credits;
        let texts = [
            ("TITLE", &said.title),
            ("ARTIST", &said.artist),
            ("ALBUM", &said.album),
            ("DATE", &said.date),
            ("ISRC", &said.isrc),
            ("COMMENT", &said.comment),
        ];
        let mut all: Vec<(&str, String)> =
            texts.into_iter().filter_map(|(name, said)| Some((name, said.clone()?))).collect();
        all.extend(self.track.map(|number| ("TRACKNUMBER", number.to_string())));
        let gain =
            |loudness: Loudness| loudness.integrated.map(|lufs| format!("{:.2} dB", REPLAY_GAIN_REFERENCE - lufs));
        let peak = |loudness: Loudness| loudness.true_peak.map(|db| format!("{:.6}", math::gain_from_db(db)));
        let album = measured.album.unwrap_or_default();
        let figures = [
            ("REPLAYGAIN_TRACK_GAIN", gain(measured.own)),
            ("REPLAYGAIN_TRACK_PEAK", peak(measured.own)),
            ("REPLAYGAIN_ALBUM_GAIN", gain(album)),
            ("REPLAYGAIN_ALBUM_PEAK", peak(album)),
        ];
        all.extend(figures.into_iter().filter_map(|(name, figure)| Some((name, figure?))));
        all
    }
}

/// Whether a layout of tracks is that of an audio CD (IEC 60908): 44.1 kHz, 16 bits, stereo, everything on frames of 1/75 s.
pub(super) fn is_cd(format: Format, marks: &[Mark], frames: u64) -> bool {
    let places = marks.iter().flat_map(|mark| [mark.frame, mark.gap]).chain([frames]);
    (format.rate, format.channels, format.depth.bits()) == (44_100, 2, 16)
        && places.into_iter().all(|frame| frame.is_multiple_of(588))
}
