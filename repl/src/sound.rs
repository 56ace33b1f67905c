//! Where the sound goes and comes from: a card, which may come and go, or the silent device that only keeps time.

#[cfg(feature = "devices")]
use std::sync::Arc;

use engine::graph::{Graph, Role};
#[cfg(feature = "devices")]
use engine::keeper::Kept;
use engine::kernel::QUANTUM;
use engine::playback::{Capture, Load, Playback};
use engine::session::Session;
use engine::silent::Silent;

use crate::arguments::DeviceChoice;
use crate::ending::Failure;
use crate::load;
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

/// Says which channels the session speaks of and the devices do not have, open as they are with so many of output and of
/// input; `more` says whether there are any.
pub fn tell_of_channels(graph: &Graph, session: &Session, open: (u16, u16), more: &str) {
    let outputs = graph.nodes.iter().filter_map(|node| match &node.role {
        Role::Output(channels) | Role::Send(channels) => channels.iter().max(),
        _ => None,
    });
    let outputs = outputs.chain(session.cue_output.iter().filter_map(|(channels, _)| channels.iter().max()));
    let heard = load::live_inputs(session);
    let inputs = heard.iter().flat_map(|(_, channels)| channels).max();
    let tell = |what: &str, wanted: Option<&u16>, have: u16| {
        if let Some(wanted) = wanted.filter(|wanted| **wanted > have) {
            let are = if have == 1 { "is" } else { "are" };
            status::warning(format!("{what} channel {wanted} is silent: {have} {are} open; {more}"));
        }
    };
    tell("output", outputs.max(), open.0);
    tell("input", inputs, open.1);
}

/// An open way out.
pub enum Output {
    /// Time, and no sound; with its number of channels.
    Silent(Silent, u16),
    /// A sound card, or the clock that stands in for it; with what the playback costs.
    #[cfg(feature = "devices")]
    Card(Kept, Arc<Load>),
}

impl Output {
    /// How well the playback keeps up.
    fn load(&self) -> &Load {
        match self {
            Output::Silent(silent, _) => silent.load(),
            #[cfg(feature = "devices")]
            Output::Card(_, load) => load,
        }
    }

    /// Goes over to another device, or to silence, if it can by itself; what comes of it is told later. Of the silent device it
    /// says what is to be done.
    pub fn change(&self, device: &DeviceChoice) -> Change {
        match self {
            Output::Silent(..) if *device == DeviceChoice::None => Change::Nothing,
            Output::Silent(..) => Change::Opens,
            #[cfg(feature = "devices")]
            Output::Card(card, _) => {
                card.change(match device {
                    DeviceChoice::None => None,
                    DeviceChoice::Named(name) => Some(name.clone()),
                });
                Change::Told
            }
        }
    }

    /// Goes over from the silent device to a card that was opened beside it.
    #[cfg(feature = "devices")]
    pub fn go_over(&mut self, beside: Beside) {
        let Beside { output, told, to } = beside;
        // What was opened meanwhile plays already.
        let Output::Silent(..) = self else { return };
        status::say(told);
        if let Output::Silent(silent, _) = std::mem::replace(self, output)
            && let Some(playback) = silent.stop()
        {
            to.hand_over(playback);
        }
    }

    /// Goes over to nothing: there are no cards.
    #[cfg(not(feature = "devices"))]
    pub fn go_over(&mut self, beside: Beside) {
        match beside {}
    }

    /// The worst share of its own time that a block took to make, since last asked: 1 is all of it.
    pub fn take_worst_load(&self) -> f64 {
        self.load().take_worst()
    }

    /// The share of its own time that making the sound of the last second or so took.
    pub fn smoothed_load(&self) -> f64 {
        self.load().smoothed()
    }

    /// How many channels can be heard.
    pub fn channels(&self) -> u16 {
        match self {
            Output::Silent(_, channels) => *channels,
            #[cfg(feature = "devices")]
            Output::Card(card, _) => card.standing().channels(),
        }
    }

    /// How many blocks were computed too late to be heard in time. The silent device waits, so that none is.
    pub fn late(&self) -> u64 {
        self.load().late()
    }
}

/// What is to be done for another device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing more: it is on its way.
    #[cfg_attr(not(feature = "devices"), expect(dead_code, reason = "only cards are told"))]
    Told,
    /// Nothing at all: it is so.
    Nothing,
    /// A card is to be opened beside.
    Opens,
}

/// A card that is open, and plays silence until it is given what to play.
#[cfg(feature = "devices")]
pub struct Beside {
    output: Output,
    /// What it is.
    told: String,
    to: handover::Giver,
}

/// A card that is open: never, in a build without sound cards.
#[cfg(not(feature = "devices"))]
pub enum Beside {}

/// What became of opening one.
pub type Opened = Result<Beside, Failure>;

/// Opens a card beside the silent device. No sample that it plays exceeds `ceiling`.
///
/// # Errors
/// The device is not there, or refuses.
pub fn open_beside(wish: Wish<'_>, ceiling: f32) -> Opened {
    #[cfg(feature = "devices")]
    return card::open_beside(wish, ceiling);
    #[cfg(not(feature = "devices"))]
    {
        let _ = (wish, ceiling);
        Err(Failure::Error("this build knows no sound cards".into()))
    }
}

/// Tells what has become of the devices since it was last told, and gives what they did wrong without being lost: how
/// often one dropped out, and how often anything else was.
pub fn attend(output: &Output, input: Option<&Input>) -> (u64, u64) {
    #[cfg(feature = "devices")]
    {
        let output = match output {
            Output::Silent(..) => None,
            Output::Card(card, _) => Some(card),
        };
        let of = |kept: &Kept| {
            for news in kept.news() {
                if news.is_warning() { status::warning(news) } else { status::say(news) }
            }
            (kept.standing().take_dropouts(), kept.standing().take_others())
        };
        output.into_iter().chain(input).map(of).fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1))
    }
    #[cfg(not(feature = "devices"))]
    {
        // There is nothing that could go wrong.
        let _ = (output, input);
        (0, 0)
    }
}

/// Opens the way out and starts it. Without a card, and none asked for by name, it is the silent device until there is one,
/// and that is said.
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
pub type Input = Kept;

/// An open way in: never, in a build without sound cards.
#[cfg(not(feature = "devices"))]
pub enum Input {}

/// How many channels a way in has; as many as were wished for while its card is not there.
pub fn channels_heard(input: &Input) -> u16 {
    #[cfg(feature = "devices")]
    return input.standing().channels();
    #[cfg(not(feature = "devices"))]
    match *input {}
}

/// Opens the way in and starts it; `None`, said so, when nothing is to be heard. A card that is not there is waited for.
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
mod handover;

#[cfg(feature = "devices")]
mod card {
    use std::sync::Arc;

    use super::handover::handover;
    use super::{Beside, Input, Output, Wish};
    use crate::arguments::DeviceChoice;
    use crate::ending::Failure;
    use crate::status;
    use engine::device::System;
    use engine::keeper::{self, Keeper, Kept, StandIn, SystemClock};
    use engine::playback::{Capture, Load, Playback};

    fn wanted(wish: &Wish) -> keeper::Wish {
        let name = match wish.device {
            Some(DeviceChoice::Named(name)) => Some(name.clone()),
            _ => None,
        };
        keeper::Wish { name, rate: wish.rate, buffer: wish.buffer, channels: wish.channels }
    }

    pub fn open_output(wish: Wish<'_>, playback: Box<dyn Playback>) -> Result<Output, Failure> {
        let (clock, load) = (Arc::new(SystemClock::default()), Arc::new(Load::default()));
        let (keeper, stand_in) = Keeper::of_output(Box::new(System), clock, wanted(&wish), playback, load.clone());
        let kept = opened(keeper, Some(stand_in), &wish, "playing to", "playing to the silent device")?;
        Ok(Output::Card(kept, load))
    }

    pub fn open_beside(wish: Wish<'_>, ceiling: f32) -> Result<Beside, Failure> {
        let (clock, load) = (Arc::new(SystemClock::default()), Arc::new(Load::default()));
        let (playback, to) = handover(wish.rate, ceiling);
        let (mut keeper, stand_in) =
            Keeper::of_output(Box::new(System), clock, wanted(&wish), Box::new(playback), load.clone());
        let opening = keeper.open().map_err(|error| Failure::Error(error.to_string()))?;
        let kept = started(keeper, Some(stand_in))?;
        Ok(Beside { output: Output::Card(kept, load), told: format!("playing to {opening}"), to })
    }

    pub fn open_input(wish: Wish<'_>, capture: Box<dyn Capture>) -> Result<Option<Input>, Failure> {
        let keeper = Keeper::of_input(Box::new(System), Arc::new(SystemClock::default()), wanted(&wish), capture);
        opened(keeper, None, &wish, "listening to", "live inputs are silent").map(Some)
    }

    /// Opens the first device. That there is none is an error only if it was asked for by name: else it is told, and waited
    /// for.
    fn opened(
        mut keeper: Keeper,
        clock: Option<StandIn>,
        wish: &Wish,
        what: &str,
        without: &str,
    ) -> Result<Kept, Failure> {
        match keeper.open() {
            Ok(opening) => status::say(format!("{what} {opening}")),
            Err(error) if wish.device.is_none() => status::say(format!("{error}: {without}")),
            Err(error) => return Err(Failure::Error(error.to_string())),
        }
        started(keeper, clock)
    }

    fn started(keeper: Keeper, clock: Option<StandIn>) -> Result<Kept, Failure> {
        Kept::start(keeper, clock).map_err(|error| Failure::Error(format!("devices cannot be attended to: {error}")))
    }
}
