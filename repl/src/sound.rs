//! Where the sound goes and comes from: a card, or the silent device that only keeps time.

use engine::kernel::QUANTUM;
use engine::playback::{Capture, Playback};
use engine::silent::Silent;

use crate::arguments::DeviceChoice;
use crate::ending::Failure;
use crate::status;

/// What is wanted of a device.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// Which one.
    pub device: Option<&'a DeviceChoice>,
    /// Frames a second.
    pub rate: u32,
    /// Frames at a time, of a card.
    #[cfg_attr(not(feature = "devices"), expect(dead_code, reason = "only cards are asked"))]
    pub buffer: u32,
    /// The least number of channels.
    pub channels: u16,
}

/// An open way out.
pub enum Output {
    /// Time, and no sound; with its number of channels.
    Silent(Silent, u16),
    /// A sound card.
    #[cfg(feature = "devices")]
    Card(engine::device::Opened),
}

impl Output {
    /// The worst share of its own time that a block took to make, since last asked: 1 is all of it.
    pub fn take_worst_load(&self) -> f64 {
        match self {
            Output::Silent(silent, _) => silent.load().take_worst(),
            #[cfg(feature = "devices")]
            Output::Card(card) => card.load().take_worst(),
        }
    }

    /// The share of its own time that making the sound of the last second or so took.
    pub fn load(&self) -> f64 {
        match self {
            Output::Silent(silent, _) => silent.load().smoothed(),
            #[cfg(feature = "devices")]
            Output::Card(card) => card.load().smoothed(),
        }
    }

    /// How many channels can be heard.
    pub fn channels(&self) -> u16 {
        match self {
            Output::Silent(_, channels) => *channels,
            #[cfg(feature = "devices")]
            Output::Card(card) => card.format.channels,
        }
    }

    /// Whether the card has said that it is gone.
    pub fn is_lost(&self) -> bool {
        match self {
            Output::Silent(..) => false,
            #[cfg(feature = "devices")]
            Output::Card(card) => card.faults().lost(),
        }
    }

    /// How many blocks were computed too late to be heard in time. The silent device waits, so that none is.
    pub fn late(&self) -> u64 {
        match self {
            Output::Silent(..) => 0,
            #[cfg(feature = "devices")]
            Output::Card(card) => card.load().late(),
        }
    }
}

/// Opens the way out and starts it. Without a card, and none asked for by name, it is the silent device, and that is said.
///
/// # Errors
/// The device asked for is not there, or refuses.
pub fn open_output(wish: Wish<'_>, playback: Box<dyn Playback>) -> Result<Output, Failure> {
    match wish.device {
        Some(DeviceChoice::None) => {
            status::say("playing to the silent device");
            silent(wish, playback)
        }
        #[cfg(feature = "devices")]
        _ => card::open_output(wish, playback),
        #[cfg(not(feature = "devices"))]
        Some(DeviceChoice::Named(name)) => {
            Err(Failure::Misuse(format!("this build knows no sound cards, and so no \"{name}\"")))
        }
        #[cfg(not(feature = "devices"))]
        None => {
            status::say("this build knows no sound cards: playing to the silent device");
            silent(wish, playback)
        }
    }
}

/// Blocks of one quantum, so that before each the playback can be asked whether it is ready.
fn silent(wish: Wish<'_>, playback: Box<dyn Playback>) -> Result<Output, Failure> {
    Silent::start(wish.rate, usize::from(wish.channels), QUANTUM, playback)
        .map(|silent| Output::Silent(silent, wish.channels))
        .map_err(|error| Failure::Error(format!("the silent device cannot start: {error}")))
}

/// An open way in. Dropping it closes it.
#[cfg(feature = "devices")]
pub type Input = engine::device::Opened;

/// An open way in: never, in a build without sound cards.
#[cfg(not(feature = "devices"))]
pub enum Input {}

/// Opens the way in and starts it; `None`, said so, when there is nothing to hear.
///
/// # Errors
/// The device asked for by name is not there, or refuses.
pub fn open_input(wish: Wish<'_>, capture: Box<dyn Capture>) -> Result<Option<Input>, Failure> {
    match wish.device {
        Some(DeviceChoice::None) => {
            status::say("live inputs are silent");
            Ok(None)
        }
        #[cfg(feature = "devices")]
        _ => card::open_input(wish, capture),
        #[cfg(not(feature = "devices"))]
        _ => {
            drop(capture);
            status::say("this build knows no sound cards: live inputs are silent");
            Ok(None)
        }
    }
}

#[cfg(feature = "devices")]
mod card {
    use super::{Input, Output, Wish, silent};
    use crate::arguments::DeviceChoice;
    use crate::ending::Failure;
    use crate::status;
    use engine::device::{self, Format, Opened, Wanted};
    use engine::playback::{Capture, Playback};
    use engine::resampled::{ResampledCapture, ResampledPlayback};

    fn wanted<'a>(wish: &Wish<'a>) -> Wanted<'a> {
        let name = match wish.device {
            Some(DeviceChoice::Named(name)) => Some(name.as_str()),
            _ => None,
        };
        Wanted { name, rate: wish.rate, buffer: wish.buffer, channels: wish.channels }
    }

    pub fn open_output(wish: Wish<'_>, playback: Box<dyn Playback>) -> Result<Output, Failure> {
        // The playback is handed over only when a device is open to take it.
        let mut playback = Some(playback);
        let opened = device::open_output(&wanted(&wish), |format| {
            let playback = playback.take().ok_or("it was opened twice")?;
            if format.rate == wish.rate {
                return Ok(playback);
            }
            Ok(Box::new(ResampledPlayback::new(playback, wish.rate, format.rate, usize::from(format.channels))?))
        });
        match (opened, playback) {
            (Ok(opened), _) => {
                started(&opened, "playing to", wish.rate)?;
                Ok(Output::Card(opened))
            }
            (Err(error), Some(playback)) if wish.device.is_none() => {
                status::say(format!("{error}: playing to the silent device"));
                silent(wish, playback)
            }
            (Err(error), _) => Err(Failure::Error(error.to_string())),
        }
    }

    pub fn open_input(wish: Wish<'_>, capture: Box<dyn Capture>) -> Result<Option<Input>, Failure> {
        let opened = device::open_input(&wanted(&wish), |format| {
            if format.rate == wish.rate {
                return Ok(capture);
            }
            Ok(Box::new(ResampledCapture::new(capture, wish.rate, format.rate, usize::from(format.channels))?))
        });
        match opened {
            Ok(opened) => {
                started(&opened, "listening to", wish.rate)?;
                Ok(Some(opened))
            }
            Err(error) if wish.device.is_none() => {
                status::say(format!("{error}: live inputs are silent"));
                Ok(None)
            }
            Err(error) => Err(Failure::Error(error.to_string())),
        }
    }

    fn started(opened: &Opened, what: &str, rate: u32) -> Result<(), Failure> {
        tell(what, opened, rate);
        opened.start().map_err(|error| Failure::Error(error.to_string()))
    }

    fn tell(what: &str, opened: &Opened, rate: u32) {
        let Format { description, host, rate: own, channels, buffer, .. } = &opened.format;
        let resampled = match *own == rate {
            true => String::new(),
            false => format!(" (it refuses the session's {rate} Hz: resampled at the edge)"),
        };
        status::say(format!(
            "{what} {description} ({host}), {own} Hz{resampled}, {channels} channels, {buffer} frames at a time"
        ));
    }
}
