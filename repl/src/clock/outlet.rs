//! MIDI out: the ports of the system that something can be sent to.

/// What takes messages, each whole, one after another. It says whether it could send.
pub type Outlet = Box<dyn FnMut(&[u8]) -> Result<(), String>>;

/// The system's MIDI outputs.
pub trait Outlets {
    /// The names of the ports that there are.
    ///
    /// # Errors
    /// The system has no MIDI.
    fn list(&mut self) -> Result<Vec<String>, String>;

    /// Opens the port of a name from the list.
    ///
    /// # Errors
    /// It is gone, or somebody else's alone.
    fn open(&mut self, name: &str) -> Result<Outlet, String>;
}

/// The system's own ports.
#[cfg(feature = "devices")]
pub mod system {
    use super::{Outlet, Outlets};
    use crate::midi::{CLIENT, plain};
    use midir::{MidiOutput, MidiOutputPort};

    /// The outputs of the system that the program runs on.
    #[derive(Default)]
    pub struct Outs {
        /// What lists the ports, once the system has given it.
        lister: Option<MidiOutput>,
    }

    impl Outs {
        fn ports(&mut self) -> Result<Vec<(String, MidiOutputPort)>, String> {
            let _quiet = engine::device::quiet();
            let lister = match self.lister.take() {
                Some(lister) => lister,
                None => MidiOutput::new(CLIENT).map_err(|_| "this system has no MIDI".to_owned())?,
            };
            // A port that goes while it is asked has no name any more.
            let ports = lister.ports().into_iter().filter_map(|port| Some((lister.port_name(&port).ok()?, port)));
            let (names, ports): (Vec<_>, Vec<_>) = ports.unzip();
            self.lister = Some(lister);
            Ok(plain(&names).into_iter().zip(ports).collect())
        }
    }

    impl Outlets for Outs {
        fn list(&mut self) -> Result<Vec<String>, String> {
            Ok(self.ports()?.into_iter().map(|(name, _)| name).collect())
        }

        fn open(&mut self, name: &str) -> Result<Outlet, String> {
            let port = self.ports()?.into_iter().find(|(other, _)| other == name).ok_or("it is gone")?.1;
            let _quiet = engine::device::quiet();
            let output = MidiOutput::new(CLIENT).map_err(|error| error.to_string())?;
            let mut connection = output.connect(&port, "clock").map_err(|error| error.to_string())?;
            Ok(Box::new(move |bytes| connection.send(bytes).map_err(|error| error.to_string())))
        }
    }
}

/// A system without MIDI, in a build without devices.
#[cfg(not(feature = "devices"))]
pub mod system {
    use super::{Outlet, Outlets};

    /// No ports.
    #[derive(Default)]
    pub struct Outs;

    impl Outlets for Outs {
        fn list(&mut self) -> Result<Vec<String>, String> {
            Err("this build knows no MIDI".into())
        }

        fn open(&mut self, _: &str) -> Result<Outlet, String> {
            Err("this build knows no MIDI".into())
        }
    }
}
