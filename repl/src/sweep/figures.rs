//! What a sweep has told, as figures: for a program, and for a person.

use engine::response::decay::{Decay, Fit};
use engine::response::{Harmonic, Impulse, Swept};
use serde::Serialize;

use crate::arguments::Sweep;
use crate::ending::Failure;
use crate::errand::level;

/// The frequency at which distortion is told in one figure, in Hz.
const TOLD_AT: f64 = 1000.0;

/// Everything that was measured. A figure that does not exist is null.
#[derive(Serialize)]
pub struct Figures {
    sample_rate: u32,
    sweep: Sent,
    /// The session that was measured, if it was one.
    through: Option<String>,
    /// The frame of the impulse response that is as late as `latency_samples` of the earliest channel.
    frame_of_peak: usize,
    latency_samples: usize,
    /// The frequencies of all curves.
    hz: Vec<f64>,
    pub channels: Vec<Channel>,
}

#[derive(Serialize)]
struct Sent {
    from_hz: f64,
    to_hz: f64,
    seconds: f64,
    level_dbfs: f64,
}

/// What one channel heard.
#[derive(Serialize)]
pub struct Channel {
    /// The channel of the input device, or of the session's output.
    pub channel: u16,
    latency_samples: usize,
    /// By how much the peak of the response stands out of everything.
    clearness_db: f64,
    noise_rms_dbfs: f64,
    heard_rms_dbfs: f64,
    heard_peak_dbfs: f64,
    /// Frames of the impulse response.
    frames: usize,
    /// The level at each frequency.
    pub response_db: Vec<f64>,
    pub decay: Vec<Band>,
    pub harmonics: Vec<Order>,
    /// All harmonics together.
    pub distortion_db: Vec<Option<f64>>,
    distortion_1k_percent: Option<f64>,
}

/// How an octave band dies away.
#[derive(Serialize)]
pub struct Band {
    pub band_hz: f64,
    /// By how much the response is louder than the noise.
    range_db: f64,
    pub edt_s: Option<f64>,
    edt_r2: Option<f64>,
    pub t20_s: Option<f64>,
    t20_r2: Option<f64>,
    pub t30_s: Option<f64>,
    t30_r2: Option<f64>,
}

/// A harmonic against the fundamental, at each frequency of the fundamental.
#[derive(Serialize)]
pub struct Order {
    pub order: usize,
    pub db: Vec<Option<f64>>,
}

impl Figures {
    pub fn new(arguments: &Sweep, swept: Swept, latency: usize, before: usize, channels: Vec<Channel>) -> Self {
        let Swept { from, to, seconds, rate } = swept;
        Figures {
            sample_rate: rate as u32,
            sweep: Sent { from_hz: from, to_hz: to, seconds, level_dbfs: arguments.level },
            through: arguments.through.as_ref().map(|session| session.display().to_string()),
            frame_of_peak: before,
            latency_samples: latency,
            hz: swept.points(),
            channels,
        }
    }

    pub fn json(&self) -> Result<String, Failure> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Failure::Error(error.to_string()))?;
        Ok(text + "\n")
    }

    pub fn hz(&self) -> &[f64] {
        &self.hz
    }

    pub fn rate(&self) -> f64 {
        f64::from(self.sample_rate)
    }

    /// The level that a curve has nearest to a frequency.
    fn at(&self, freq: f64, curve: &[Option<f64>]) -> Option<f64> {
        let far = |i: &usize| (self.hz[*i] / freq).max(freq / self.hz[*i]);
        let nearest = (0..self.hz.len()).min_by(|a, b| far(a).total_cmp(&far(b)))?;
        curve.get(nearest).copied().flatten().filter(|_| far(&nearest) < 1.03)
    }

    /// A few lines for each channel.
    pub fn told(&self) -> String {
        let mut out = String::new();
        for one in &self.channels {
            let ms = one.latency_samples as f64 * 1000.0 / self.rate();
            let mut line = |text: String| out.extend([text.as_str(), "\n"]);
            line(format!(
                "channel {}: {} samples late ({ms:.2} ms), heard at {:.1} dBFS over {}",
                one.channel,
                one.latency_samples,
                one.heard_rms_dbfs,
                if one.noise_rms_dbfs.is_finite() {
                    format!("noise at {:.1} dBFS", one.noise_rms_dbfs)
                } else {
                    "no noise".into()
                }
            ));
            let response: Vec<Option<f64>> = one.response_db.iter().copied().map(Some).collect();
            let octaves = [31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0];
            let levels =
                octaves.iter().filter_map(|freq| Some(format!("{} {:+.1}", hertz(*freq), self.at(*freq, &response)?)));
            line(format!("  level in dB     {}", levels.collect::<Vec<_>>().join("  ")));
            let seconds = |time: Option<f64>| time.map_or_else(|| "    -".into(), |time| format!("{time:5.2}"));
            if one.decay.iter().any(|band| band.edt_s.or(band.t20_s).is_some()) {
                line("  decay in s      EDT    T20    T30".into());
                for band in &one.decay {
                    let [edt, t20, t30] = [band.edt_s, band.t20_s, band.t30_s].map(seconds);
                    line(format!("    {:>7} Hz  {edt}  {t20}  {t30}", hertz(band.band_hz)));
                }
            }
            let harmonics = one
                .harmonics
                .iter()
                .filter_map(|order| Some(format!("H{} {:.1} dB", order.order, self.at(TOLD_AT, &order.db)?)));
            if let Some(percent) = one.distortion_1k_percent {
                line(format!(
                    "  at 1 kHz        {}; together {percent:.3} %",
                    harmonics.collect::<Vec<_>>().join(", ")
                ));
            }
        }
        out
    }
}

/// `63`, `1k`.
fn hertz(freq: f64) -> String {
    if freq >= 1000.0 { format!("{}k", freq / 1000.0) } else { format!("{freq}") }
}

impl Channel {
    pub fn new(channel: u16, impulse: &Impulse, silence: &[f64], answer: &[f64], last: usize) -> Self {
        let harmonics = impulse.harmonics();
        let distortion_db = Impulse::distortion(&harmonics);
        let told_at = impulse.swept().points().iter().position(|freq| *freq >= TOLD_AT);
        let at_1k = told_at.and_then(|i| distortion_db.get(i).copied().flatten());
        Channel {
            channel,
            latency_samples: impulse.peak(),
            clearness_db: impulse.clearness(),
            noise_rms_dbfs: level(silence),
            heard_rms_dbfs: level(answer),
            heard_peak_dbfs: engine::math::db_from_gain(answer.iter().fold(0.0, |most, x| x.abs().max(most))),
            frames: last + 1,
            response_db: impulse.magnitude(),
            decay: impulse.decays().into_iter().map(Band::from).collect(),
            harmonics: harmonics.into_iter().map(Order::from).collect(),
            distortion_1k_percent: at_1k.map(|db| 100.0 * engine::math::gain_from_db(db)),
            distortion_db,
        }
    }
}

impl From<Decay> for Band {
    fn from(decay: Decay) -> Self {
        let seconds = |fit: Option<Fit>| fit.map(|fit| fit.seconds);
        let r2 = |fit: Option<Fit>| fit.map(|fit| fit.r2);
        let Decay { band, range, edt, t20, t30 } = decay;
        Band {
            band_hz: band,
            range_db: range,
            edt_s: seconds(edt),
            edt_r2: r2(edt),
            t20_s: seconds(t20),
            t20_r2: r2(t20),
            t30_s: seconds(t30),
            t30_r2: r2(t30),
        }
    }
}

impl From<Harmonic> for Order {
    fn from(harmonic: Harmonic) -> Self {
        Order { order: harmonic.order, db: harmonic.levels }
    }
}
