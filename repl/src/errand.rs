//! A sweep on its way through the devices: opened as `play` opens them, so that what is late here is as late there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use engine::loopback::{Errand, Heard};
use engine::math::db_from_gain;

use crate::arguments::{DeviceChoice, Way};
use crate::ending::{Failure, Outcome};
use crate::sound::{self, Wish};
use crate::status::{self, Progress};

/// How often is looked after what has come.
const LOOK: Duration = Duration::from_millis(20);

/// How long a fade-out may take before the devices are closed all the same.
const STOP_PATIENCE: Duration = Duration::from_millis(500);

/// What is as loud as this is as loud as a converter gets: the last step of 16 bits.
const FULL: f64 = 1.0 - 1.0 / 32_768.0;

/// What is less far above the noise than this, in dB, tells little.
const LOUD_ENOUGH: f64 = 20.0;

/// By how many millionths clocks may differ before it is told.
const DRIFT_TOLD: f64 = 50.0;

/// Sends a sweep to channels of the output device, and gives what was heard at channels of the input device, in their order.
///
/// # Errors
/// A device that does not open or has not the channels, sound that was lost on the way or clipped, an interruption.
pub fn carry(
    errand: &Errand,
    way: &Way,
    outputs: &[u16],
    inputs: &[u16],
    interrupted: &AtomicBool,
) -> Result<Heard, Failure> {
    let most = |channels: &[u16]| channels.iter().copied().max().unwrap_or(1);
    // The same cushion as that of a session which plays.
    let set_out = errand.set_out(outputs, usize::from(most(inputs)), 2 * way.buffer as usize);
    let (mut waiting, player, listener) = set_out.map_err(Failure::Misuse)?;
    let wish = |device, channels| Wish { device, rate: way.rate, buffer: way.buffer, channels };
    let output = sound::open_output(wish(way.device.as_ref(), most(outputs)), Box::new(player))?;
    has("--output", most(outputs), output.channels())?;
    // Who plays to nothing hears nothing, unless a device to listen to is named.
    let nothing = way.device.as_ref().filter(|device| **device == DeviceChoice::None);
    let input = way.input_device.as_ref().or(nothing);
    let input = sound::open_input(wish(input, most(inputs)), Box::new(listener))?;
    if let Some(have) = input.as_ref().map(sound::channels_heard) {
        has("--input", most(inputs), have)?;
    }
    let progress = Progress::new("measuring", errand.frames() as u64, errand.swept.rate);
    let (mut lost, mut late) = (0, 0);
    while !waiting.look() {
        if interrupted.load(Ordering::Relaxed) {
            let begun = Instant::now();
            while !waiting.break_off() && begun.elapsed() < STOP_PATIENCE {
                thread::sleep(LOOK);
            }
            return Err(Failure::Error("interrupted; nothing is written".into()));
        }
        let dropouts = sound::attend(&output, input.as_ref()).0;
        // While the way opens nothing is sent that could be lost.
        match waiting.frames() < errand.lead / 2 {
            true => late = output.late(),
            false => lost += dropouts,
        }
        progress.at(waiting.frames() as u64);
        thread::sleep(LOOK);
    }
    progress.finish(errand.frames() as u64);
    lost += output.late() - late + waiting.missing() as u64;
    if let Some(ppm) = waiting.drift_ppm().filter(|ppm| ppm.abs() > DRIFT_TOLD) {
        status::warning(format!("the devices' clocks differ by {ppm:.0} ppm: what is late changes as they run apart"));
    }
    drop((input, output));
    if lost > 0 {
        return Err(Failure::Error(format!(
            "sound was lost on the way ({lost} times), so that nothing can be told; try again, with a larger --buffer"
        )));
    }
    let all = waiting.heard().map_err(Failure::Error)?;
    let pick = |from: &[Vec<f64>]| inputs.iter().map(|n| from[usize::from(*n) - 1].clone()).collect();
    let heard = Heard { silence: pick(&all.silence), answer: pick(&all.answer), sent: all.sent };
    unclipped(&heard, inputs)?;
    Ok(heard)
}

/// Refuses a channel that a device has not.
fn has(option: &str, channel: u16, have: u16) -> Outcome {
    let channels = if have == 1 { "channel" } else { "channels" };
    match channel > have {
        true => Err(Failure::Error(format!("{option} {channel}: the device has {have} {channels}"))),
        false => Ok(()),
    }
}

/// Refuses what a converter has clipped at one of the device's inputs.
fn unclipped(heard: &Heard, inputs: &[u16]) -> Outcome {
    for (input, answer) in inputs.iter().zip(&heard.answer) {
        let clipped = answer.iter().filter(|x| x.abs() >= FULL).count();
        if clipped > 0 {
            return Err(Failure::Error(format!(
                "input {input} clipped ({clipped} samples), so that nothing can be told: turn it down, or play more \
                 quietly with --level"
            )));
        }
    }
    Ok(())
}

/// Refuses what cannot be measured of one channel, called so, and warns of what hardly can.
///
/// # Errors
/// Nothing came back.
pub fn judge(heard: &Heard, channel: usize, called: &str) -> Outcome {
    let (silence, answer) = (&heard.silence[channel], &heard.answer[channel]);
    if answer.iter().all(|x| *x == 0.0) {
        return Err(Failure::Error(format!("nothing came back at {called}: it was silent all the time")));
    }
    let above = level(answer) - level(silence);
    if above < LOUD_ENOUGH {
        status::warning(format!(
            "{called} was only {above:.0} dB above its noise: turn it up, play louder with --level, or longer with --time"
        ));
    }
    Ok(())
}

/// The error for what is not clear of the noise.
pub fn unclear(called: &str) -> Failure {
    Failure::Error(format!(
        "no sweep came back at {called}, or it is lost in noise: see what is plugged in, and play louder with --level"
    ))
}

/// The level of a sound in dBFS, by its root mean square.
pub fn level(sound: &[f64]) -> f64 {
    let power = sound.iter().map(|x| x * x).sum::<f64>() / sound.len().max(1) as f64;
    db_from_gain(power) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_that_the_device_has_not_is_refused_before_anything_sounds() {
        assert!(has("--input", 2, 2).is_ok());
        for (have, told) in [(1, "--input 3: the device has 1 channel"), (2, "--input 3: the device has 2 channels")] {
            let Err(refused) = has("--input", 3, have) else { panic!("{have} are too few") };
            assert_eq!(refused.to_string(), told);
        }
    }
}
