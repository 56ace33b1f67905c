//! `gainstage ping`: how late what comes back through hardware is, on the way that `play` takes.

use std::io::{self, Write};

use engine::loopback::Errand;
use engine::response::{CLEAR_DB, Impulse, Swept};

use crate::arguments::Ping;
use crate::ending::{Failure, Outcome};
use crate::errand::{carry, judge, unclear};
use crate::render::interruption;
use crate::status;

/// What is played: short, and nothing that a loudspeaker cannot bear.
const FROM: f64 = 100.0;
const TO: f64 = 16_000.0;
const SECONDS: f64 = 0.2;

/// Seconds before it, in which the way opens, and after it: what is later than that is not found.
const LEAD: f64 = 1.0;
const TAIL: f64 = 2.0;

/// Measures the way several times, each time with the devices opened anew, and prints what to write.
pub fn run(arguments: &Ping) -> Outcome {
    let Ping { output, input, times, way, .. } = arguments;
    let interrupted = interruption()?;
    let errand = errand(f64::from(way.rate), arguments.level);
    let mut found = Vec::new();
    for _ in 0..*times {
        let heard = carry(&errand, way, output, &[*input], &interrupted)?;
        let called = format!("input {input}");
        judge(&heard, 0, &called)?;
        let impulse = Impulse::new(&heard.sent, &heard.answer[0], errand.swept);
        if impulse.clearness() < CLEAR_DB {
            return Err(unclear(&called));
        }
        found.push(impulse.peak());
    }
    writeln!(io::stdout(), "{}", told(&mut found, way.rate)?)?;
    if found.first() != found.last() {
        let (least, most, buffer) = (found[0], found[found.len() - 1], way.buffer);
        status::warning(format!(
            "it differed from one start to the next, from {least} to {most} samples, with --buffer {buffer}: what is \
             compensated may be off by as much"
        ));
    }
    Ok(())
}

fn errand(rate: f64, level: f64) -> Errand {
    let to = TO.min(0.4 * rate);
    let (lead, tail) = ((LEAD * rate) as usize, (TAIL * rate) as usize);
    Errand { swept: Swept { from: FROM, to, seconds: SECONDS, rate }, level, lead, tail }
}

/// What to write, with the median and the spread of what was found, which is put in order.
fn told(found: &mut [usize], rate: u32) -> Result<String, Failure> {
    found.sort_unstable();
    let Some(median) = found.get(found.len() / 2) else { return Err(unclear("any input")) };
    let (times, spread) = (found.len(), found[found.len() - 1] - found[0]);
    let ms = *median as f64 * 1000.0 / f64::from(rate);
    Ok(format!(".latency({median}.samples)  // {ms:.2} ms, {times} times, spread {spread} samples"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_written_as_it_stands() {
        let line = told(&mut [1300, 1234, 1234], 48_000).expect("it was found");
        assert_eq!(line, ".latency(1234.samples)  // 25.71 ms, 3 times, spread 66 samples");
    }

    #[test]
    fn the_way_is_found_to_the_sample_at_every_rate() {
        for rate in [8000.0, 44_100.0, 48_000.0, 96_000.0] {
            let errand = errand(rate, -24.0);
            let mut all = vec![vec![0.0; errand.frames()]];
            let mut playing = errand.playing().expect("it can be played");
            for at in (0..errand.frames() - 1777).step_by(64) {
                let quantum = playing.step(&[])[0];
                let into = all[0][1777 + at..].iter_mut();
                into.zip(quantum).for_each(|(all, x)| *all = x * -0.1);
            }
            let heard = errand.heard(&all).expect("it can be read");
            let impulse = Impulse::new(&heard.sent, &heard.answer[0], errand.swept);
            assert_eq!(impulse.peak(), 1777, "{rate} Hz");
            assert!(impulse.clearness() > CLEAR_DB);
        }
    }
}
