//! Sound cards. The one file that knows `cpal`.
//!
//! A device calls a [`Playback`] or a [`Capture`] from its own thread, in `f32` whatever the card speaks. What goes
//! wrong there is counted in [`Faults`], never printed: a card that stalls reports a thousand errors in a row, and the
//! audio thread has no business with a terminal.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Device, DeviceId, ErrorKind, FromSample, HostId, SampleFormat, SizedSample, Stream, StreamConfig,
    SupportedBufferSize, SupportedStreamConfig, SupportedStreamConfigRange,
};
use serde::Serialize;

use crate::denormals;
use crate::keeper::{self, Devices, Maker};
use crate::playback::{Capture, Driven, Load, Playback};

/// Frames asked for at a time when nobody says otherwise.
pub const BUFFER: u32 = 512;

/// Samples that are converted at a time for a card that does not speak `f32`.
const SCRATCH: usize = 4096;

/// How long a host may take to open a device.
const PATIENCE: Duration = Duration::from_secs(5);

/// Formats that are converted, the best first.
const FORMATS: [SampleFormat; 4] = [SampleFormat::F32, SampleFormat::I32, SampleFormat::I16, SampleFormat::U16];

/// A device as `gainstage devices` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// What `--device` takes.
    pub name: String,
    /// What a person calls it.
    pub description: String,
    /// The sound system it belongs to: `alsa`, `pulseaudio`, `coreaudio`.
    pub host: String,
    /// Whether its host plays to it when none is named.
    pub default_output: bool,
    /// Whether its host listens to it when none is named.
    pub default_input: bool,
    /// What it plays; `None` if it does not.
    pub output: Option<Side>,
    /// What it hears; `None` if it does not.
    pub input: Option<Side>,
}

/// One direction of a device, as it works when nothing is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// How many channels.
    pub channels: u16,
    /// Frames a second.
    pub rate: u32,
}

/// What to open.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// A name as [`list`] gives it, a description, a host for its default device; `None` for the system's default.
    pub name: Option<&'a str>,
    /// Frames a second.
    pub rate: u32,
    /// Frames at a time.
    pub buffer: u32,
    /// The least number of channels, if there is a choice.
    pub channels: u16,
}

/// How a device is open, which need not be how it was wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// What `--device` takes.
    pub name: String,
    /// What a person calls it.
    pub description: String,
    /// The sound system.
    pub host: String,
    /// Frames a second: the device's own if it refuses the one wanted.
    pub rate: u32,
    /// Channels of every block.
    pub channels: u16,
    /// Frames at a time, as asked for: a wish, which some hosts do not grant and some grant anew at each call.
    pub buffer: u32,
}

/// Why a device could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The system has no such device at all.
    None,
    /// No device has this name; those that have something to do with it follow.
    Unknown(String, Vec<String>),
    /// More than one device is described like this; their names follow.
    Ambiguous(String, Vec<String>),
    /// The device is known, but not there now.
    Absent {
        /// The device.
        device: String,
        /// What the system says.
        why: String,
    },
    /// The device is there and refuses.
    Refused {
        /// The device.
        device: String,
        /// What it says.
        why: String,
    },
    /// The device is there and does not take the format, or so many frames at a time.
    Unsupported {
        /// The device.
        device: String,
        /// What it says.
        why: String,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::None => f.write_str("there is no sound device"),
            OpenError::Unknown(name, near) if near.is_empty() => write!(f, "there is no device \"{name}\""),
            OpenError::Unknown(name, near) => {
                write!(f, "there is no device \"{name}\"; there is {}", near.join(", "))
            }
            OpenError::Ambiguous(name, all) => {
                write!(f, "\"{name}\" may be any of {}", all.join(", "))
            }
            OpenError::Absent { device, why }
            | OpenError::Refused { device, why }
            | OpenError::Unsupported { device, why } => write!(f, "{device} cannot be opened: {why}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// What can go wrong with an open device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A block came too late.
    Dropout,
    /// The device is gone, or must be opened again.
    Lost,
    /// The system has moved the stream to another device; it plays on.
    Moved,
    /// The system gives the audio thread no priority.
    NoPriority,
    /// Something else.
    Other,
}

impl Fault {
    const ALL: [Fault; 5] = [Fault::Dropout, Fault::Lost, Fault::Moved, Fault::NoPriority, Fault::Other];

    fn of(kind: ErrorKind) -> Fault {
        match kind {
            ErrorKind::Xrun => Fault::Dropout,
            ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable | ErrorKind::StreamInvalidated => Fault::Lost,
            ErrorKind::DeviceChanged => Fault::Moved,
            ErrorKind::RealtimeDenied => Fault::NoPriority,
            _ => Fault::Other,
        }
    }
}

/// The count of what went wrong with an open device.
#[derive(Debug, Default)]
pub struct Faults {
    counts: [AtomicU64; Fault::ALL.len()],
    lost: AtomicBool,
    closing: AtomicBool,
}

impl Faults {
    /// How often this went wrong since last asked.
    pub fn take(&self, fault: Fault) -> u64 {
        self.counts[fault as usize].swap(0, Ordering::Relaxed)
    }

    /// Whether the device is gone for good.
    pub fn lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Counts a fault, unless the device is being closed: some report that as a loss. RT.
    pub fn note(&self, fault: Fault) {
        if !self.closing.load(Ordering::Relaxed) {
            self.lost.fetch_or(fault == Fault::Lost, Ordering::Relaxed);
            self.counts[fault as usize].fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// An open device. It is silent until [`Opened::start`], and dropping it closes it.
pub struct Opened {
    /// How it is open.
    pub format: Format,
    stream: Stream,
    faults: Arc<Faults>,
    load: Arc<Load>,
}

impl Opened {
    /// Lets it run.
    ///
    /// # Errors
    /// The device refuses.
    pub fn start(&self) -> Result<(), OpenError> {
        self.stream.play().map_err(|error| refused(&self.format.name, error))
    }

    /// What went wrong with it.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// How well the playback keeps up. Stays zero for an input.
    pub fn load(&self) -> &Load {
        &self.load
    }
}

impl keeper::Device for Opened {
    fn format(&self) -> &Format {
        &self.format
    }

    fn start(&self) -> Result<(), OpenError> {
        self.start()
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }
}

/// The system's devices.
#[derive(Clone, Copy, Debug)]
pub struct System;

impl Devices for System {
    fn open_output(
        &mut self,
        wanted: &Wanted,
        make: Maker<dyn Playback>,
    ) -> Result<Box<dyn keeper::Device>, OpenError> {
        open_output(wanted, make).map(|opened| Box::new(opened) as Box<_>)
    }

    fn open_input(&mut self, wanted: &Wanted, make: Maker<dyn Capture>) -> Result<Box<dyn keeper::Device>, OpenError> {
        open_input(wanted, make).map(|opened| Box::new(opened) as Box<_>)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.faults.closing.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("format", &self.format).field("faults", &self.faults).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Output,
    Input,
}

/// Every device that can be opened, host by host.
pub fn list() -> Vec<Listed> {
    let _quiet = quiet();
    cpal::available_hosts().into_iter().flat_map(list_host).collect()
}

fn list_host(id: HostId) -> Vec<Listed> {
    let Ok(host) = cpal::host_from_id(id) else { return Vec::new() };
    let Ok(devices) = host.devices() else { return Vec::new() };
    let default = |device: Option<Device>| device.and_then(|device| device.id().ok());
    let (default_output, default_input) = (default(host.default_output_device()), default(host.default_input_device()));
    devices
        .filter_map(|device| {
            let id = device.id().ok()?;
            let side = |config: SupportedStreamConfig| Side { channels: config.channels(), rate: config.sample_rate() };
            let output = device.default_output_config().ok().map(side);
            let input = device.default_input_config().ok().map(side);
            let is = |default: &Option<DeviceId>| default.as_ref() == Some(&id);
            (output.is_some() || input.is_some()).then(|| Listed {
                name: id.to_string(),
                description: describe(&device),
                host: id.host().to_string(),
                default_output: output.is_some() && is(&default_output),
                default_input: input.is_some() && is(&default_input),
                output,
                input,
            })
        })
        .collect()
}

/// Opens a device for playing. `playback` makes what it shall call, knowing how the device is open.
///
/// # Errors
/// There is no such device, or it or `playback` refuses.
pub fn open_output(
    wanted: &Wanted,
    playback: impl FnOnce(&Format) -> Result<Box<dyn Playback>, String>,
) -> Result<Opened, OpenError> {
    let _quiet = quiet();
    let device = find(wanted.name, Direction::Output)?;
    let (format, config, sample) = choose(&device, wanted, Direction::Output)?;
    let load = Arc::new(Load::default());
    let playback = playback(&format).map_err(|why| OpenError::Refused { device: format.name.clone(), why })?;
    let driven = Driven::new(playback, load.clone(), format.rate);
    let build = match sample {
        SampleFormat::I32 => playing::<i32>,
        SampleFormat::I16 => playing::<i16>,
        SampleFormat::U16 => playing::<u16>,
        _ => playing_floats,
    };
    opened(format, load, |faults| build(&device, config, driven, faults))
}

/// Opens a device for listening. `capture` makes what it shall call, knowing how the device is open.
///
/// # Errors
/// There is no such device, or it or `capture` refuses.
pub fn open_input(
    wanted: &Wanted,
    capture: impl FnOnce(&Format) -> Result<Box<dyn Capture>, String>,
) -> Result<Opened, OpenError> {
    let _quiet = quiet();
    let device = find(wanted.name, Direction::Input)?;
    let (format, config, sample) = choose(&device, wanted, Direction::Input)?;
    let capture = capture(&format).map_err(|why| OpenError::Refused { device: format.name.clone(), why })?;
    let build = match sample {
        SampleFormat::I32 => hearing::<i32>,
        SampleFormat::I16 => hearing::<i16>,
        SampleFormat::U16 => hearing::<u16>,
        _ => hearing_floats,
    };
    opened(format, Arc::default(), |faults| build(&device, config, capture, faults))
}

fn opened(
    format: Format,
    load: Arc<Load>,
    build: impl FnOnce(Arc<Faults>) -> Result<Stream, cpal::Error>,
) -> Result<Opened, OpenError> {
    let faults = Arc::new(Faults::default());
    let stream = build(faults.clone()).map_err(|error| refused(&format.name, error))?;
    Ok(Opened { format, stream, faults, load })
}

fn playing_floats(
    device: &Device,
    config: StreamConfig,
    mut playback: Driven,
    faults: Arc<Faults>,
) -> Result<Stream, cpal::Error> {
    let channels = usize::from(config.channels);
    device.build_output_stream(
        config,
        move |block: &mut [f32], _: &_| playback.fill(block, channels),
        move |error| faults.note(Fault::of(error.kind())),
        Some(PATIENCE),
    )
}

fn playing<T: SizedSample + FromSample<f32>>(
    device: &Device,
    config: StreamConfig,
    mut playback: Driven,
    faults: Arc<Faults>,
) -> Result<Stream, cpal::Error> {
    let channels = usize::from(config.channels);
    let mut scratch = vec![0.0; SCRATCH / channels * channels];
    device.build_output_stream(
        config,
        move |block: &mut [T], _: &_| {
            for part in block.chunks_mut(scratch.len()) {
                let floats = &mut scratch[..part.len()];
                playback.fill(floats, channels);
                part.iter_mut().zip(floats).for_each(|(out, x)| *out = T::from_sample(*x));
            }
        },
        move |error| faults.note(Fault::of(error.kind())),
        Some(PATIENCE),
    )
}

fn hearing_floats(
    device: &Device,
    config: StreamConfig,
    mut capture: Box<dyn Capture>,
    faults: Arc<Faults>,
) -> Result<Stream, cpal::Error> {
    let channels = usize::from(config.channels);
    device.build_input_stream(
        config,
        move |block: &[f32], _: &_| denormals::flushed(|| capture.take(block, channels)),
        move |error| faults.note(Fault::of(error.kind())),
        Some(PATIENCE),
    )
}

fn hearing<T: SizedSample>(
    device: &Device,
    config: StreamConfig,
    mut capture: Box<dyn Capture>,
    faults: Arc<Faults>,
) -> Result<Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels);
    let mut scratch = vec![0.0; SCRATCH / channels * channels];
    device.build_input_stream(
        config,
        move |block: &[T], _: &_| {
            for part in block.chunks(scratch.len()) {
                let floats = &mut scratch[..part.len()];
                floats.iter_mut().zip(part).for_each(|(x, heard)| *x = f32::from_sample_(*heard));
                denormals::flushed(|| capture.take(floats, channels));
            }
        },
        move |error| faults.note(Fault::of(error.kind())),
        Some(PATIENCE),
    )
}

/// The device of a name. The default is taken without looking at any other: looking makes some systems talk.
fn find(name: Option<&str>, direction: Direction) -> Result<Device, OpenError> {
    let Some(name) = name else {
        return default_of(&cpal::default_host(), direction).ok_or(OpenError::None);
    };
    if let Ok(id) = HostId::from_str(&name.to_lowercase()) {
        let host = cpal::host_from_id(id).map_err(|error| refused(name, error))?;
        return default_of(&host, direction).ok_or(OpenError::None);
    }
    if let Ok(id) = DeviceId::from_str(name)
        && let Some(device) = cpal::host_from_id(id.host()).ok().and_then(|host| host.device_by_id(&id))
    {
        return Ok(device);
    }
    let listed: Vec<Listed> = list()
        .into_iter()
        .filter(|device| if direction == Direction::Output { device.output.is_some() } else { device.input.is_some() })
        .collect();
    let chosen = by_description(name, &listed)?;
    let id = DeviceId::from_str(&chosen.name).map_err(|error| refused(&chosen.name, error))?;
    let host = cpal::host_from_id(id.host()).map_err(|error| refused(&chosen.name, error))?;
    host.device_by_id(&id).ok_or_else(|| OpenError::Unknown(name.into(), Vec::new()))
}

/// The one device that is described by `name`, upper and lower case alike: by all of it, or else by a part.
fn by_description<'a>(name: &str, listed: &'a [Listed]) -> Result<&'a Listed, OpenError> {
    let sought = name.to_lowercase();
    let which = |test: &dyn Fn(&str) -> bool| {
        listed.iter().filter(|device| test(&device.description.to_lowercase())).collect::<Vec<_>>()
    };
    let whole = which(&|description| description == sought);
    let found = if whole.is_empty() { which(&|description| description.contains(&sought)) } else { whole };
    let names = |devices: &[&Listed]| devices.iter().map(|device| device.name.clone()).collect::<Vec<_>>();
    match found[..] {
        [device] => Ok(device),
        [] => Err(OpenError::Unknown(name.into(), names(&listed.iter().collect::<Vec<_>>()))),
        _ => Err(OpenError::Ambiguous(name.into(), names(&found))),
    }
}

fn default_of(host: &cpal::Host, direction: Direction) -> Option<Device> {
    match direction {
        Direction::Output => host.default_output_device(),
        Direction::Input => host.default_input_device(),
    }
}

/// How to open a device: at the rate wanted if it can, with the channels wanted if it can.
fn choose(
    device: &Device,
    wanted: &Wanted,
    direction: Direction,
) -> Result<(Format, StreamConfig, SampleFormat), OpenError> {
    let (name, host) = match device.id() {
        Ok(id) => (id.to_string(), id.host().to_string()),
        Err(_) => (describe(device), String::new()),
    };
    let (ranges, default) = match direction {
        Direction::Output => {
            (device.supported_output_configs().map(Iterator::collect::<Vec<_>>), device.default_output_config())
        }
        Direction::Input => {
            (device.supported_input_configs().map(Iterator::collect::<Vec<_>>), device.default_input_config())
        }
    };
    let ranges = ranges.map_err(|error| refused(&name, error))?;
    let own = default.map(|config| config.sample_rate()).ok();
    let (rate, range) = best(&ranges, wanted.rate, wanted.channels)
        .map(|range| (wanted.rate, range))
        .or_else(|| own.and_then(|own| Some((own, best(&ranges, own, wanted.channels)?))))
        .ok_or_else(|| OpenError::Refused {
            device: name.clone(),
            why: format!("it offers no format that is known here at {} Hz", wanted.rate),
        })?;
    let buffer = match *range.buffer_size() {
        SupportedBufferSize::Range { min, max } if min <= max => wanted.buffer.clamp(min.max(1), max.max(1)),
        _ => wanted.buffer.max(1),
    };
    let config = StreamConfig { channels: range.channels(), sample_rate: rate, buffer_size: BufferSize::Fixed(buffer) };
    let format = Format { name, description: describe(device), host, rate, channels: range.channels(), buffer };
    Ok((format, config, range.sample_format()))
}

/// The best of what a device offers at a rate: the channels wanted, else the fewest more, else the most there are; then
/// the best format.
fn best(ranges: &[SupportedStreamConfigRange], rate: u32, channels: u16) -> Option<&SupportedStreamConfigRange> {
    ranges
        .iter()
        .filter(|range| range.contains_rate(rate) && range.channels() > 0)
        .filter_map(|range| {
            let format = FORMATS.iter().position(|&format| format == range.sample_format())?;
            let has = range.channels();
            let distance = if has >= channels { has - channels } else { u16::MAX - has };
            Some(((distance, format), range))
        })
        .min_by_key(|&(rank, _)| rank)
        .map(|(_, range)| range)
}

fn describe(device: &Device) -> String {
    device.description().map_or_else(|_| device.to_string(), |description| description.name().to_owned())
}

fn refused(device: &str, error: cpal::Error) -> OpenError {
    let (device, why) = (device.into(), error.to_string());
    match error.kind() {
        ErrorKind::UnsupportedConfig | ErrorKind::InvalidInput => OpenError::Unsupported { device, why },
        // Some name a device that is unplugged, or whose server is restarting.
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => OpenError::Absent { device, why },
        _ => OpenError::Refused { device, why },
    }
}

/// Keeps ALSA from writing to the terminal while its devices are looked at on this thread.
#[cfg(target_os = "linux")]
pub fn quiet() -> impl Sized {
    alsa::Output::local_error_handler()
}

/// Nothing to keep quiet.
#[cfg(not(target_os = "linux"))]
pub fn quiet() -> impl Sized {}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(channels: u16, rates: (u32, u32), format: SampleFormat) -> SupportedStreamConfigRange {
        SupportedStreamConfigRange::new(channels, rates.0, rates.1, SupportedBufferSize::Unknown, format)
    }

    fn listed(name: &str, description: &str) -> Listed {
        let side = Some(Side { channels: 2, rate: 48_000 });
        Listed {
            name: name.into(),
            description: description.into(),
            host: "alsa".into(),
            default_output: false,
            default_input: false,
            output: side,
            input: None,
        }
    }

    #[test]
    fn the_channels_wanted_come_before_the_better_format() {
        let any = (8_000, 192_000);
        let ranges = [
            range(8, any, SampleFormat::F32),
            range(2, any, SampleFormat::I16),
            range(2, any, SampleFormat::I32),
            range(2, any, SampleFormat::U8),
        ];
        let chosen = |channels| best(&ranges, 48_000, channels).map(|r| (r.channels(), r.sample_format()));
        assert_eq!(chosen(2), Some((2, SampleFormat::I32)));
        assert_eq!(chosen(1), Some((2, SampleFormat::I32)), "the fewest more");
        assert_eq!(chosen(4), Some((8, SampleFormat::F32)));
        assert_eq!(chosen(16), Some((8, SampleFormat::F32)), "the most there are");
    }

    #[test]
    fn a_rate_that_is_not_offered_is_not_chosen() {
        let ranges = [range(2, (44_100, 44_100), SampleFormat::F32)];
        assert!(best(&ranges, 48_000, 2).is_none());
        assert!(best(&ranges, 44_100, 2).is_some());
    }

    #[test]
    fn a_device_is_found_by_the_whole_of_its_description_or_a_part() {
        let all = [listed("alsa:a", "USB Audio"), listed("alsa:b", "USB Audio Pro"), listed("alsa:c", "Speakers")];
        let name = |sought| by_description(sought, &all).map(|device| device.name.as_str());
        assert_eq!(name("usb audio"), Ok("alsa:a"));
        assert_eq!(name("pro"), Ok("alsa:b"));
        assert_eq!(name("usb"), Err(OpenError::Ambiguous("usb".into(), vec!["alsa:a".into(), "alsa:b".into()])));
        assert!(matches!(name("moon"), Err(OpenError::Unknown(_, near)) if near.len() == 3));
    }

    #[test]
    fn faults_are_counted_until_taken_and_ignored_while_closing() {
        let faults = Faults::default();
        assert_eq!(faults.take(Fault::Dropout), 0);
        (0..1000).for_each(|_| faults.note(Fault::Dropout));
        faults.note(Fault::Lost);
        assert_eq!((faults.take(Fault::Dropout), faults.take(Fault::Lost)), (1000, 1));
        assert_eq!((faults.take(Fault::Dropout), faults.take(Fault::Lost)), (0, 0));
        assert!(faults.lost());
        faults.closing.store(true, Ordering::Relaxed);
        faults.note(Fault::Other);
        assert_eq!(faults.take(Fault::Other), 0);
    }

    #[test]
    fn every_fault_is_told_apart() {
        for fault in Fault::ALL {
            let faults = Faults::default();
            faults.note(fault);
            assert_eq!(Fault::ALL.map(|other| faults.take(other)), Fault::ALL.map(|other| u64::from(other == fault)));
        }
    }
}
