//! A drum kit that needs no files: every drum is calculated once, off the audio thread, into a sound that the sampler
//! plays like any other.
//!
//! The models are those of the analogue drum machines of 1980 and 1983, the TR-808 and TR-909, as they are described by
//! Werner, Abel and Smith ("A physically-informed, circuit-bendable, digital model of the Roland TR-808 bass drum
//! circuit", DAFx 2014; "The TR-808 cymbal", ICMC 2014) and in Reid's "Synth Secrets" on percussion (Sound on Sound,
//! 2001-2002): bodies that ring with a falling pitch, noise through bands, six squares without a common measure for metal.
//!
//! A drum is made at 48 kHz, always, and brought to the session's rate as a file would be: it is the same sound at
//! every rate, noise included, and what was measured of it once holds for all. It is a function of its name, its variant
//! and the voicing; nothing in it depends on the rate or on what was made before.

mod clap;
mod cymbals;
mod hats;
mod kick;
mod parts;
mod small;
mod snare;
mod toms;

use crate::filters::{Filter, Section};
use crate::math;
use crate::resample::{Resampler, UnsupportedRate};
use crate::sampler::Sound;
use parts::{Channels, RATE, Shop, frames};

/// The group of the hats, of which the last one struck is heard alone.
pub const HATS: u32 = 1;

/// The group of the kicks: as in a machine there is one, and a new stroke ends the one before.
pub const KICKS: u32 = 2;

/// Semitones by which a kit may be tuned, either way.
pub const MOST_TUNE: f64 = 24.0;

/// Decay of a kit in percent, least and most.
pub const DECAYS: (f64, f64) = (10.0, 400.0);

/// The most tone of a kit, in dB, either way.
pub const MOST_TONE: f64 = 6.0;

/// No drum lasts longer: seconds whatever the kit's decay is, and as many times that as it is long.
const LONGEST: (f64, f64) = (0.1, 2.2);

/// The seconds that no drum of a kit lasts longer than, given its decay in percent.
pub fn longest(decay: f64) -> f64 {
    LONGEST.0 + LONGEST.1 * decay / 100.0
}

/// A drum, its variants and how each is made.
#[derive(Debug)]
pub struct Drum {
    /// As it is called in a pattern.
    pub name: &'static str,
    /// Other usual names.
    pub aliases: &'static [&'static str],
    /// In words.
    pub summary: &'static str,
    /// In order, from number 0.
    pub variants: &'static [Variant],
    /// See [`Sound::choke`].
    pub choke: Option<u32>,
    make: fn(usize, &Shop) -> Channels,
}

/// One of the sounds of a drum.
#[derive(Debug)]
pub struct Variant {
    /// In words.
    pub summary: &'static str,
    /// Its peak in dBFS, struck with full velocity.
    pub peak: f64,
}

const fn variant(peak: f64, summary: &'static str) -> Variant {
    Variant { summary, peak }
}

/// Every drum there is.
pub static DRUMS: &[Drum] = &[
    kick::DRUM,
    snare::DRUM,
    hats::CLOSED,
    hats::OPEN,
    clap::DRUM,
    small::RIM,
    toms::LOW,
    toms::MIDDLE,
    toms::HIGH,
    small::COWBELL,
    cymbals::CRASH,
    cymbals::RIDE,
    small::SHAKER,
];

/// The drum of a name or an alias.
pub fn find(name: &str) -> Option<&'static Drum> {
    DRUMS.iter().find(|drum| drum.name == name || drum.aliases.contains(&name))
}

/// What holds for a whole kit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Voicing {
    tune: f64,
    decay: f64,
    tone: f64,
}

impl Default for Voicing {
    fn default() -> Self {
        Voicing { tune: 0.0, decay: 100.0, tone: 0.0 }
    }
}

impl Voicing {
    /// `tune` in semitones up to [`MOST_TUNE`] either way; `decay` in percent within [`DECAYS`], of all times but the
    /// attacks; `tone` in dB up to [`MOST_TONE`] either way, by which highs rise and lows fall, the peaks staying what they
    /// are. None if one lies outside.
    pub fn new(tune: f64, decay: f64, tone: f64) -> Option<Voicing> {
        let fits = tune.abs() <= MOST_TUNE && (DECAYS.0..=DECAYS.1).contains(&decay) && tone.abs() <= MOST_TONE;
        fits.then_some(Voicing { tune, decay, tone })
    }

    /// The bits of its numbers: with the name, the variant and the rate it says which sound it is.
    pub fn key(&self) -> [u64; 3] {
        [self.tune, self.decay, self.tone].map(|number| (number + 0.0).to_bits())
    }
}

/// Makes drums at one rate. To make many with one spares the design of the filter between the rates.
pub struct Drums {
    rate: u32,
    resampler: Resampler,
}

impl Drums {
    /// For a session's rate in Hz.
    ///
    /// # Errors
    /// A rate that sound cannot have.
    pub fn new(rate: u32) -> Result<Drums, UnsupportedRate> {
        Resampler::new(RATE as u32, rate, 1).map(|resampler| Drums { rate, resampler })
    }

    /// The sound of a drum; a variant beyond the last counts from the first again, as sound numbers do.
    pub fn make(&mut self, drum: &Drum, variant: usize, voicing: &Voicing) -> Sound {
        let variant = variant % drum.variants.len();
        let shop = Shop {
            tune: math::pow(2.0, voicing.tune / 12.0),
            decay: voicing.decay / 100.0,
            seed: drum.name.bytes().fold(variant as u64, |seed, byte| (seed << 8) | u64::from(byte)),
        };
        let mut channels = (drum.make)(variant, &shop);
        finish(&mut channels, voicing.tone, math::gain_from_db(drum.variants[variant].peak));
        let channels = channels.into_iter().map(|channel| self.at_rate(channel)).collect();
        Sound::new(channels, drum.choke, f64::from(self.rate))
    }

    fn at_rate(&mut self, channel: Vec<f64>) -> Vec<f32> {
        let mut out = [Vec::new()];
        self.resampler.push(&[channel], &mut out);
        self.resampler.finish(&mut out);
        self.resampler.resume(0);
        let [out] = out;
        let mut out: Vec<f32> = out.into_iter().map(|x| x as f32).collect();
        // The filter between the rates leaves a trace behind the end.
        if let Some(last) = out.last_mut() {
            *last = 0.0;
        }
        out
    }
}

/// Below this part of the peak, -80 dB, a sound is over.
const OVER: f64 = 1e-4;

/// Tilts the sound by `tone` dB round 1 kHz, and has it peak at `peak` and end in silence.
fn finish(channels: &mut Channels, tone: f64, peak: f64) {
    if tone != 0.0 {
        let tilt = Section::tilt(1000.0, tone, RATE).step();
        for channel in channels.iter_mut() {
            let mut filter = Filter::default();
            channel.iter_mut().for_each(|x| *x = filter.tick(&tilt, *x));
        }
    }
    let most = channels.iter().flatten().fold(0.0, |most: f64, x| most.max(x.abs()));
    let heard = |channel: &Vec<f64>| channel.iter().rposition(|x| x.abs() > OVER * most).map_or(0, |last| last + 1);
    let fade = frames(0.005);
    let end = channels.iter().map(heard).max().unwrap_or(0);
    let gain = if most > 0.0 { peak / most } else { 0.0 };
    for channel in channels.iter_mut() {
        channel.resize(end + fade, 0.0);
        channel.iter_mut().for_each(|x| *x *= gain);
        for (i, x) in channel[end..].iter_mut().enumerate() {
            *x *= 1.0 - math::ease((i + 1) as f64 / fade as f64);
        }
    }
}

/// One drum alone; see [`Drums::make`]. None if there is no drum of this name.
///
/// # Errors
/// A rate that sound cannot have.
pub fn drum(name: &str, variant: usize, rate: u32, voicing: &Voicing) -> Result<Option<Sound>, UnsupportedRate> {
    let mut drums = Drums::new(rate)?;
    Ok(find(name).map(|drum| drums.make(drum, variant, voicing)))
}

#[cfg(test)]
mod tests;
