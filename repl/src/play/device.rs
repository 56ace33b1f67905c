//! The devices of the desk: the one it listens to, opened when it is needed, the one it plays to, changed while it plays, and which
//! there are.

use std::io;
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::thread;

use engine::math::gain_from_db;
use engine::session::Session;

use super::Playing;
use crate::arguments::DeviceChoice;
use crate::ending::Failure;
use crate::sound::{self, Change, Opened, Output, Wish};
use crate::{load, status};

impl Playing<'_> {
    /// The channels of output and of input that there are.
    pub(super) fn channels(&self) -> (u16, u16) {
        let heard = self.input.as_ref().map_or(self.inputs, sound::channels_heard);
        (self.output.channels(), heard.min(self.inputs))
    }

    /// Opens the way in when the session has an input that hears it.
    pub(super) fn listen_if_needed(&mut self, session: &Session) -> Result<(), Failure> {
        if load::live_inputs(session).is_empty() {
            return Ok(());
        }
        let Some(listener) = self.listener.take() else { return Ok(()) };
        let silent = matches!(self.output, Output::Silent(..)) && self.arguments.input.is_none();
        let none = DeviceChoice::None;
        let device = if silent { Some(&none) } else { self.arguments.input.as_ref() };
        let channels = load::live_inputs(session).iter().flat_map(|(_, list)| list).copied().max().unwrap_or(1);
        let wish = Wish { device, rate: self.given.rate, buffer: self.arguments.buffer, channels };
        self.input = sound::open_input(wish, Box::new(listener))?;
        Ok(())
    }

    /// Goes over to another device. What is opened is opened beside what plays, which plays on until it is open, and if it cannot
    /// be.
    pub(super) fn change_device(&mut self, device: DeviceChoice) {
        if device == DeviceChoice::None {
            status::say("the sound goes over to silence, in time");
        } else {
            status::say("the device is being opened");
        }
        match self.output.change(&device) {
            Change::Told => {}
            Change::Nothing => status::say("it plays to the silent device already"),
            Change::Opens => self.open_beside(device),
        }
    }

    /// Opens a device on a thread of its own: that may take seconds.
    fn open_beside(&mut self, device: DeviceChoice) {
        let (rate, buffer) = (self.given.rate, self.arguments.buffer);
        let (channels, ceiling) = (self.output.channels(), gain_from_db(self.arguments.max_level) as f32);
        let open = move || {
            let wish = Wish { device: Some(&device), rate, buffer, channels };
            sound::open_beside(wish, ceiling)
        };
        self.aside(open, |playing, opened| playing.opened(opened));
    }

    /// Lets the sound go over to a device that was opened beside.
    fn opened(&mut self, opened: Opened) {
        match opened {
            Ok(beside) => self.output.go_over(beside),
            Err(failure) => status::error(format!("{failure}; what played plays on as before")),
        }
    }
}

/// What a program says of the devices.
fn listed(program: &Path) -> io::Result<process::Output> {
    let mut command = Command::new(program);
    // What stops the desk from a terminal is not meant for it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.arg("devices").stdin(Stdio::null()).output()
}

/// Lists the devices, when the system has found them, which may take a while. A second `gainstage` looks for them: what drivers
/// write to the terminal is no line of what is told.
pub(super) fn list() {
    let list = || match std::env::current_exe().and_then(|program| listed(&program)) {
        Ok(listed) => {
            let list = String::from_utf8_lossy(&listed.stdout);
            status::say(if list.is_empty() { "there is no device but `none`" } else { list.trim_end() });
        }
        Err(error) => status::error(format!("the devices cannot be listed: {error}")),
    };
    if let Err(error) = thread::Builder::new().name("gainstage-list".into()).spawn(list) {
        status::error(format!("the devices cannot be listed: {error}"));
    }
}
