//! What a keeper has to tell: which device is open and how, and what has become of it.

use std::fmt;
use std::time::Duration;

use super::{Direction, Wish};
use crate::device::{Format, OpenError};

/// How a device differs from what was wanted of it, as it is told after its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    pub(super) format: Format,
    pub(super) wish: Wish,
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Format { description, host, rate, channels, buffer, .. } = &self.format;
        write!(f, "{description} ({host}), {rate} Hz")?;
        if *rate != self.wish.rate {
            write!(f, " (it refuses the session's {} Hz: resampled at the edge)", self.wish.rate)?;
        }
        write!(f, ", {channels} channels, {buffer} frames at a time")?;
        if *buffer != self.wish.buffer {
            write!(f, " (it refuses {})", self.wish.buffer)?;
        }
        Ok(())
    }
}

/// What a keeper has to tell: a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The device is gone.
    Gone(Direction),
    /// The device does not call, though it has not said that it is gone.
    Silent(Direction),
    /// It calls again, after this long.
    Resumed(Direction, Duration),
    /// A device is open again, after this long; or the first, if there was none at the start.
    Back(Direction, Opening, Duration),
    /// Another device has taken the place of the one before, as it was asked to; without one, silence.
    Changed(Option<Opening>),
    /// The device that was to take the place of the one before cannot be opened.
    Unchanged(OpenError),
    /// It is there, and refuses; it is tried again.
    Refused(OpenError),
    /// The system has moved the stream to another device.
    Moved(Direction),
    /// The system gives the audio thread no priority.
    NoPriority,
    /// A dead device does not let itself be closed.
    Hangs(String),
}

impl News {
    /// Whether something is wrong.
    pub fn is_warning(&self) -> bool {
        !matches!(self, News::Resumed(..) | News::Back(..) | News::Changed(_) | News::Moved(_))
    }
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Direction::{Input, Output};
        match self {
            News::Gone(Output) => f.write_str("the sound device is gone: the transport goes on in silence"),
            News::Gone(Input) => f.write_str("the input device is gone: live inputs are silent"),
            News::Silent(Output) => f.write_str("the sound device takes no sound: the transport goes on in silence"),
            News::Silent(Input) => f.write_str("the input device gives no sound: live inputs are silent"),
            News::Resumed(Output, after) => {
                write!(f, "the sound device takes sound again, after {:.1} s", after.as_secs_f64())
            }
            News::Resumed(Input, after) => {
                write!(f, "the input device gives sound again, after {:.1} s", after.as_secs_f64())
            }
            News::Back(Output, opening, after) => write!(f, "back on {opening}, after {:.1} s", after.as_secs_f64()),
            News::Back(Input, opening, after) => {
                write!(f, "listening again to {opening}, after {:.1} s", after.as_secs_f64())
            }
            News::Changed(Some(opening)) => write!(f, "playing to {opening}"),
            News::Changed(None) => f.write_str("the transport goes on in silence"),
            News::Unchanged(error) => write!(f, "{error}; what played plays on as before"),
            News::Refused(error) => write!(f, "{error}; it is tried again"),
            News::Moved(Output) => f.write_str("the system has moved the sound to another device"),
            News::Moved(Input) => f.write_str("the system has moved live input to another device"),
            News::NoPriority => f.write_str("the system gives the audio thread no priority: sound may drop out"),
            News::Hangs(device) => write!(f, "{device} does not close: it is left to itself"),
        }
    }
}
