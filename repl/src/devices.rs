//! `gainstage devices`: what can be opened, by the names that `--device`, `--midi`, `clock_in`, `clock_out` and `midi_out` take.

use crate::arguments::Devices;
use crate::ending::Outcome;

/// Prints the devices.
#[cfg(feature = "devices")]
pub fn run(arguments: &Devices) -> Outcome {
    use std::io::{self, Write};

    let mut devices = engine::device::list();
    if devices.is_empty() {
        crate::status::say("there is no sound device; `--device none` plays in silence");
    }
    devices.extend(midi_ports());
    let mut out = io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &devices).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        out.write_all(table(&devices).as_bytes())?;
    }
    Ok(())
}

/// The MIDI ports, which give no sound. A system without MIDI has none.
#[cfg(feature = "devices")]
fn midi_ports() -> Vec<engine::device::Listed> {
    use crate::clock::{Outlets, Outs};
    use crate::midi::{Ports, system::System};

    let heard = System::default().list().unwrap_or_default();
    let told = Outs::default().list().unwrap_or_default();
    let heard = heard.into_iter().map(|name| (name, "a MIDI port, for --midi and clock_in"));
    let told = told.into_iter().map(|name| (name, "a MIDI port, for clock_out and midi_out"));
    let listed = |(name, description): (String, &str)| engine::device::Listed {
        name,
        description: description.into(),
        host: "midi".into(),
        default_output: false,
        default_input: false,
        output: None,
        input: None,
    };
    heard.chain(told).map(listed).collect()
}

/// Says that this build has none.
#[cfg(not(feature = "devices"))]
pub fn run(_: &Devices) -> Outcome {
    use crate::ending::Failure;

    Err(Failure::Error("this gainstage is built without sound devices; `--device none` plays in silence".into()))
}

#[cfg(feature = "devices")]
fn table(devices: &[engine::device::Listed]) -> String {
    use engine::device::Side;
    use std::fmt::Write;

    let side = |side: Option<Side>, default: bool| match side {
        Some(side) => format!("{} ch {} Hz{}", side.channels, side.rate, if default { " *" } else { "" }),
        None => "-".into(),
    };
    let mut text = String::new();
    if devices.is_empty() {
        return text;
    }
    let width = devices.iter().map(|device| device.name.chars().count()).max().unwrap_or(0);
    let mut row = |name: &str, plays: &str, hears: &str, description: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:width$}  {plays:18}  {hears:18}  {description}");
    };
    row("NAME", "PLAYS", "HEARS", "DESCRIPTION");
    for device in devices {
        row(
            &device.name,
            &side(device.output, device.default_output),
            &side(device.input, device.default_input),
            &device.description,
        );
    }
    text.push_str("* what its system uses when no device is named\n");
    text
}

#[cfg(all(test, feature = "devices"))]
mod tests {
    use super::*;
    use engine::device::{Listed, Side};

    #[test]
    fn the_table_shows_each_direction_and_the_default() {
        let device = Listed {
            name: "alsa:hw:0".into(),
            description: "Speakers".into(),
            host: "alsa".into(),
            default_output: true,
            default_input: false,
            output: Some(Side { channels: 2, rate: 48_000 }),
            input: None,
        };
        let table = table(&[device]);
        let line = table.lines().nth(1).unwrap();
        assert_eq!(line.split_whitespace().collect::<Vec<_>>().join(" "), "alsa:hw:0 2 ch 48000 Hz * - Speakers");
    }

    #[test]
    fn nothing_is_printed_of_no_devices() {
        assert_eq!(table(&[]), "");
    }
}
