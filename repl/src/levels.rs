//! What the desk's meters show to whoever plays it: the levels of every strip as a meter's needle goes, the figures of the master,
//! and where the transport is. Data only: [`crate::view`] draws it, and [`Picture::lines`] says it in words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use engine::meter::{READINGS, Reading};

/// How fast a peak falls once it is over, in dB a second: that of a peak programme meter.
const FALL: f64 = 13.3;

/// Seconds over which a level is averaged: that of a VU meter.
const AVERAGED: f64 = 0.3;

/// How long the highest peak stays.
const HELD: Duration = Duration::from_millis(1500);

/// How long somebody who has looked is taken to go on looking.
const LEASE: Duration = Duration::from_secs(2);

/// What is below this is silent to anyone, in dBFS.
pub const SILENT: f64 = -90.0;

/// A level in dBFS, as a person reads it.
pub fn shown(level: Option<f64>) -> String {
    level.filter(|level| *level > SILENT).map_or("silent".into(), |level| format!("{level:.1}"))
}

/// The needles of one meter.
#[derive(Clone, Copy, Debug)]
struct Needles {
    peak: f64,
    square: f64,
    held: (f64, Instant),
    clipped: bool,
    reduced: f64,
}

impl Needles {
    /// Those that have stood where this reading is for long.
    fn new(reading: &Reading, now: Instant) -> Self {
        Needles { peak: 0.0, square: reading.square, held: (0.0, now), clipped: false, reduced: 0.0 }
    }

    fn take(&mut self, reading: &Reading, now: Instant) {
        let every = 1.0 / f64::from(READINGS);
        self.peak = reading.peak.max(self.peak * 10f64.powf(-FALL * every / 20.0));
        self.square += (reading.square - self.square) * (1.0 - (-every / AVERAGED).exp());
        if reading.peak >= self.held.0 || now.duration_since(self.held.1) > HELD {
            self.held = (reading.peak, now);
        }
        self.clipped |= reading.peak > 1.0;
        self.reduced = reading.reduced;
    }
}

/// The meters of a desk.
#[derive(Default)]
pub struct Meters {
    needles: BTreeMap<String, Needles>,
    /// The names of the meters of each program that may still tell of them.
    names: BTreeMap<u64, Vec<String>>,
    /// Those of the newest.
    newest: BTreeSet<String>,
}

impl Meters {
    /// Learns the names of the meters of a program.
    pub fn name(&mut self, serial: u64, names: Vec<String>) {
        self.newest = names.iter().cloned().collect();
        self.needles.retain(|name, _| self.newest.contains(name));
        self.names.insert(serial, names);
        // Only the one that runs and the one that follows it tell anything.
        while self.names.len() > 2 {
            self.names.pop_first();
        }
    }

    /// Takes a reading.
    pub fn take(&mut self, reading: &Reading, now: Instant) {
        let Some(name) = self.names.get(&reading.serial).and_then(|names| names.get(reading.meter)) else { return };
        match self.needles.get_mut(name) {
            Some(needles) => needles.take(reading, now),
            None => {
                let mut needles = Needles::new(reading, now);
                needles.take(reading, now);
                self.needles.insert(name.clone(), needles);
            }
        }
    }

    /// Whether there is a meter of a name: what leads nowhere has none.
    pub fn has(&self, name: &str) -> bool {
        self.newest.contains(name)
    }

    /// What a meter shows; nothing while none is there.
    pub fn strip(&self, name: &str) -> Strip {
        let gain = |gain: f64| Some(20.0 * gain.log10()).filter(|level| level.is_finite());
        let strip = Strip { name: name.to_owned(), ..Strip::default() };
        match self.needles.get(name) {
            None => strip,
            Some(needles) => Strip {
                peak: gain(needles.peak),
                rms: gain(needles.square.sqrt()),
                held: gain(needles.held.0),
                clipped: needles.clipped,
                reduced: Some(needles.reduced),
                ..strip
            },
        }
    }

    /// Nobody looks any more: what comes next is the first.
    pub fn forget(&mut self) {
        self.needles.clear();
    }
}

/// An input, a bus, or the master.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Strip {
    /// Its name.
    pub name: String,
    /// In dBFS: the peak, the root mean square, and the highest peak of late.
    pub peak: Option<f64>,
    /// See above.
    pub rms: Option<f64>,
    /// See above.
    pub held: Option<f64>,
    /// Whether it has been over full scale since somebody looks.
    pub clipped: bool,
    /// By how many dB the dynamics on it turn down, if it has any.
    pub reduced: Option<f64>,
    /// Whether the text mutes it.
    pub muted: bool,
    /// Whether the text solos it.
    pub soloed: bool,
    /// Whether the solo of others silences it.
    pub left_out: bool,
}

impl Strip {
    /// What is said of it, in words: `voice: peak -12.3 dB, RMS -20.1 dB, muted`.
    fn said(&self) -> String {
        let level = |name: &str, level: Option<f64>| match shown(level).as_str() {
            "silent" => format!("{name} silent"),
            level => format!("{name} {level} dB"),
        };
        let mut parts = match self.peak.is_some_and(|peak| peak > SILENT) {
            true => vec![level("peak", self.peak), level("RMS", self.rms)],
            false => vec!["silent".into()],
        };
        parts.extend(self.reduced.filter(|by| *by >= 0.05).map(|by| format!("turned down {by:.1} dB")));
        let flags = [
            (self.clipped, "over full scale"),
            (self.muted, "muted"),
            (self.soloed, "soloed"),
            (self.left_out, "silenced by a solo"),
        ];
        parts.extend(flags.into_iter().filter(|(is, _)| *is).map(|(_, said)| said.into()));
        format!("{}: {}", self.name, parts.join(", "))
    }
}

/// All that there is to see at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// Inputs, then buses.
    pub strips: Vec<Strip>,
    /// What is delivered.
    pub master: Strip,
    /// In LUFS: of the last 0.4 s, of the last 3 s, and of the whole since somebody looks.
    pub loudness: [Option<f64>; 3],
    /// The largest true peak since somebody looks, in dBTP.
    pub true_peak: Option<f64>,
    /// Of the time there is, in percent: what is used, and the most that a block has used.
    pub load: (f64, f64),
    /// Where the transport is: the bar and the beat from 1, and seconds.
    pub bar: (i64, i64),
    /// See above.
    pub seconds: f64,
    /// Whether it goes on.
    pub rolling: bool,
    /// Beats a minute.
    pub tempo: f64,
    /// How far the master is from the target of the text.
    pub target: Option<String>,
}

impl Picture {
    /// Bar, beat and time, as one reads them.
    pub fn position(&self) -> String {
        let (minutes, seconds) = ((self.seconds / 60.0).floor(), self.seconds % 60.0);
        let still = if self.rolling { "" } else { ", stopped" };
        format!("bar {}:{}  {minutes:.0}:{seconds:04.1}{still}", self.bar.0, self.bar.1)
    }

    /// The loudness of the last 3 s.
    pub fn loud(&self) -> String {
        self.loudness[1].map_or("no loudness yet".into(), |lufs| format!("{lufs:.1} LUFS"))
    }

    /// In one line, for the title of a terminal.
    pub fn line(&self) -> String {
        let clipped = if self.master.clipped { "!" } else { "" };
        let peak = format!("{}{clipped} dBFS", shown(self.master.peak));
        format!("{} | {peak} | {} | load {:.0} %", self.position(), self.loud(), self.load.0)
    }

    /// In words, a line for each strip.
    pub fn lines(&self) -> String {
        let lufs = |name: &str, value: Option<f64>| {
            value.map_or(format!("{name} none yet"), |value| format!("{name} {value:.1} LUFS"))
        };
        let [momentary, short, whole] = self.loudness;
        let mut lines = vec![
            format!(
                "{}, {:.0} bpm, load {:.0} %, at worst {:.0} %",
                self.position(),
                self.tempo,
                self.load.0,
                self.load.1
            ),
            self.master.said(),
            format!(
                "loudness: {}, {}, {}; true peak {} dBTP",
                lufs("momentary", momentary),
                lufs("short-term", short),
                lufs("integrated", whole),
                shown(self.true_peak),
            ),
        ];
        lines.extend(self.target.clone());
        lines.extend(self.strips.iter().map(Strip::said));
        lines.join("\n")
    }
}

/// Where the desk leaves what there is to see for whoever looks, who is not waited for.
#[derive(Default)]
pub struct Board {
    inner: Mutex<(Picture, Option<Instant>)>,
}

impl Board {
    /// What there is to see; from now on it is kept up to date for a while.
    pub fn look(&self) -> Picture {
        let mut inner = self.inner();
        inner.1 = Some(Instant::now());
        inner.0.clone()
    }

    /// Whether somebody has looked of late.
    pub fn is_watched(&self) -> bool {
        self.inner().1.is_some_and(|asked| asked.elapsed() < LEASE)
    }

    /// Puts up what there is to see now.
    pub fn show(&self, picture: Picture) {
        self.inner().0 = picture;
    }

    fn inner(&self) -> MutexGuard<'_, (Picture, Option<Instant>)> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(peak: f64, square: f64) -> Reading {
        Reading { serial: 1, meter: 0, peak, square, reduced: 0.0 }
    }

    #[test]
    fn a_peak_stands_at_once_and_falls_slowly_and_the_mean_comes_slowly() {
        let (mut meters, now) = (Meters::default(), Instant::now());
        meters.name(1, vec!["voice".into()]);
        meters.take(&reading(0.5, 0.25), now);
        let first = meters.strip("voice");
        assert!((first.peak.unwrap() + 6.0206).abs() < 1e-3 && first.held == first.peak, "{first:?}");
        // A second later it has fallen by what a peak programme meter falls in one, and the mean of squares to e^(-1/0.3).
        for i in 1..=60 {
            meters.take(&reading(0.0, 0.0), now + Duration::from_millis(1000 * i / 60));
        }
        let later = meters.strip("voice");
        assert!((later.peak.unwrap() + 6.0206 + FALL).abs() < 1e-3, "{later:?}");
        assert_eq!(later.held, first.held);
        let mean = 0.25 * (-1.0 / AVERAGED).exp();
        assert!((later.rms.unwrap() - 10.0 * mean.log10()).abs() < 1e-6, "{later:?}");
        meters.take(&reading(0.1, 0.0), now + HELD + Duration::from_millis(1));
        assert!((meters.strip("voice").held.unwrap() + 20.0).abs() < 1e-9);
        assert!(meters.has("voice") && !meters.has("nobody"));
        assert!(!first.clipped && meters.strip("nobody") == Strip { name: "nobody".into(), ..Strip::default() });
    }

    #[test]
    fn a_clip_stays_until_nobody_looks() {
        let (mut meters, now) = (Meters::default(), Instant::now());
        meters.name(1, vec!["voice".into()]);
        meters.take(&reading(1.01, 0.0), now);
        meters.take(&reading(0.0, 0.0), now);
        assert!(meters.strip("voice").clipped);
        meters.forget();
        assert!(!meters.strip("voice").clipped);
    }

    #[test]
    fn what_is_said_holds_all_that_colours_show() {
        let voice = Strip {
            name: "voice".into(),
            peak: Some(-12.34),
            rms: Some(-20.06),
            clipped: true,
            reduced: Some(3.2),
            muted: true,
            ..Strip::default()
        };
        let said = voice.said();
        assert_eq!(said, "voice: peak -12.3 dB, RMS -20.1 dB, turned down 3.2 dB, over full scale, muted");
        let picture = Picture {
            strips: vec![voice, Strip { name: "keys".into(), left_out: true, ..Strip::default() }],
            bar: (13, 2),
            seconds: 75.25,
            rolling: true,
            ..Picture::default()
        };
        let lines = picture.lines();
        assert!(lines.starts_with("bar 13:2  1:15.2, 0 bpm"), "{lines}");
        assert!(lines.ends_with("keys: silent, silenced by a solo"), "{lines}");
        assert!(picture.line().contains("bar 13:2") && picture.line().contains("no loudness yet"));
    }

    #[test]
    fn a_board_that_nobody_looks_at_is_not_watched() {
        let board = Board::default();
        assert!(!board.is_watched());
        board.show(Picture { tempo: 96.0, ..Picture::default() });
        assert_eq!(board.look().tempo, 96.0);
        assert!(board.is_watched());
    }
}
