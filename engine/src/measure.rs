//! Measuring: takes a sound, of any length and in any pieces, and gives its [`Figures`]. Nothing here is RT: a playing desk passes
//! copies of its sound on to where there is time.

use crate::figure::Figure;

/// A figure that was found at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extreme {
    /// Its value.
    pub value: f64,
    /// The frame at which what it was taken from began; that of the sample for a peak.
    pub frame: u64,
}

/// Everything that was measured of a sound. What does not exist, as the loudness of silence, is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Frames a second.
    pub rate: u32,
    /// Channels.
    pub channels: usize,
    /// Frames.
    pub frames: u64,
    /// Integrated loudness in LUFS.
    pub integrated: Option<f64>,
    /// Loudness range in LU.
    pub range: Option<f64>,
    /// The largest momentary loudness in LUFS.
    pub momentary: Option<Extreme>,
    /// The largest short-term loudness in LUFS.
    pub short_term: Option<Extreme>,
    /// The largest true peak in dBTP.
    pub true_peak: Option<Extreme>,
    /// The largest sample in dBFS.
    pub sample_peak: Option<Extreme>,
    /// In dBFS; a full-scale sine reads -3.01.
    pub rms: Option<f64>,
    /// True peak less integrated loudness, in LU.
    pub plr: Option<f64>,
    /// The smallest true peak of 3 s less their loudness, in LU.
    pub psr: Option<Extreme>,
    /// Of the first two channels, -1 to 1; none for mono, or where one of them is silent.
    pub correlation: Option<f64>,
    /// The mean of the channel that is farthest off centre.
    pub dc_offset: f64,
    /// Samples at or beyond full scale, and the first.
    pub clipped: (u64, Option<u64>),
}

impl Figures {
    /// The value of a figure, and the frame at which it stood if it stood at one. [`Figure::GainReduction`] is none of a
    /// sound's.
    pub fn get(&self, figure: Figure) -> Option<(f64, Option<u64>)> {
        let at = |extreme: Option<Extreme>| extreme.map(|extreme| (extreme.value, Some(extreme.frame)));
        let all = |value: Option<f64>| value.map(|value| (value, None));
        match figure {
            Figure::Lufs => all(self.integrated),
            Figure::Momentary => at(self.momentary),
            Figure::ShortTerm => at(self.short_term),
            Figure::LoudnessRange => all(self.range),
            Figure::TruePeak => at(self.true_peak),
            Figure::SamplePeak => at(self.sample_peak),
            Figure::Rms => all(self.rms),
            Figure::Plr => all(self.plr),
            Figure::Psr => at(self.psr),
            Figure::Correlation => all(self.correlation),
            Figure::DcOffset => all(Some(self.dc_offset)),
            Figure::ClippedSamples => Some((self.clipped.0 as f64, self.clipped.1)),
            Figure::GainReduction => None,
        }
    }
}
