//! What kind of thing an effect is, found out by trying: whether twice as much in gives twice as much out, and two sounds what each of
//! them gives; whether it does now what it did before; whether it rings.

use engine::random::even;

use super::trial::{RATE, Sound, Trial};
use crate::ending::Failure;

/// Frames in which a response is looked at, once it has begun.
pub const FRAMES: usize = 1 << 15;

/// Loud and soft, so far apart that whatever has a threshold has it between them; exact as a device takes them.
const LOUD: f64 = 4.0;
const SOFT: f64 = 1.0 / 4096.0;

/// As loud as what is delivered.
const USUAL: f64 = 0.5;

/// By how much of its peak a response may differ and be the same: more than noise of rounding, less than anything that is meant.
const SAME: f64 = 1e-6;

/// What is still there after so long rings.
const RINGS_AFTER: f64 = 0.06;

/// As much of the energy of a response as makes it ring.
const RINGING: f64 = 0.01;

/// When the second of two responses is looked at: no round number of cycles of anything.
const LATER: usize = 17_713;

/// How far apart two clicks are that are heard together: near enough for the first to matter to what hears the second.
const APART: usize = 1200;

/// What an effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Character {
    /// It has a response, and that is all there is to know.
    Steady,
    /// The same, and it goes on sounding.
    Rings,
    /// Its response moves.
    Moves,
    /// What it does depends on what it hears.
    Bends,
}

/// Finds out.
///
/// # Errors
/// It sounds by itself, or not at all.
pub fn of(trial: &Trial) -> Result<Character, Failure> {
    let silence = trial.hear(FRAMES / 2, |_| [0.0; 2])?;
    let (soft, later, loud) = (impulse(trial, 0, SOFT)?, impulse(trial, LATER, SOFT)?, impulse(trial, 0, LOUD)?);
    let none = peak(&soft).max(peak(&loud)) == 0.0;
    if none {
        return Err(Failure::Error("nothing comes out of it".into()));
    }
    if peak(&silence) > SAME * LOUD {
        return Err(Failure::Error(
            "it sounds by itself, so that what it does to something else is not told from that".into(),
        ));
    }
    let energy = |from: usize| soft.iter().flat_map(|side| &side[from..]).map(|x| x * x).sum::<f64>();
    let rings = energy((RINGS_AFTER * RATE) as usize) > RINGING * energy(0);
    let moves = differ(&soft, &later);
    let adds_up = moves || adds_up(trial, &soft)?;
    let lasts = rings || moves || differ(&soft, &loud);
    let bends = !adds_up || differ(&soft, &loud) || (!lasts && !is_even(trial)?);
    // The loop of a delay bends what is louder than anything that is delivered: how it rings tells more.
    let rings = rings && (!bends || adds_up && !differ(&soft, &impulse(trial, 0, USUAL)?));
    Ok(if bends && !rings {
        Character::Bends
    } else if rings {
        Character::Rings
    } else if moves {
        Character::Moves
    } else {
        Character::Steady
    })
}

/// Frames in which a response is looked at, with those before it begins.
pub fn frames(trial: &Trial) -> usize {
    let late: f64 = ["time", "predelay"].iter().filter_map(|name| trial.most(name)).sum();
    FRAMES + (late / 1000.0 * RATE) as usize
}

/// Whether what lasts is heard alike, however loud it is: a click has little in each band, noise has much.
fn is_even(trial: &Trial) -> Result<bool, Failure> {
    let noise = |level: f64| {
        let heard = trial.hear(FRAMES, |frame| [level * even(1, frame as u64); 2])?;
        Ok::<Sound, Failure>(heard.map(|side| side.iter().map(|x| x / level).collect()))
    };
    Ok(!differ(&noise(SOFT)?, &noise(LOUD)?))
}

/// Whether two clicks give what each of them gives by itself.
fn adds_up(trial: &Trial, one: &Sound) -> Result<bool, Failure> {
    let frames = frames(trial);
    let heard = trial.hear(frames, |frame| if frame == 0 || frame == APART { [SOFT; 2] } else { [0.0; 2] })?;
    let both = heard.map(|side| side.iter().map(|x| x / SOFT).collect());
    let sum = |side: &Vec<f64>| (0..frames).map(|i| side[i] + i.checked_sub(APART).map_or(0.0, |i| side[i])).collect();
    let [left, right] = one;
    Ok(!differ(&both, &[sum(left), sum(right)]))
}

/// The response from a frame on to an impulse on both sides, as of an impulse of 1.
pub fn impulse(trial: &Trial, at: usize, level: f64) -> Result<Sound, Failure> {
    sided(trial, at, [level; 2])
}

/// The same to an impulse on each side of its own height, the higher of which is taken for 1.
pub fn sided(trial: &Trial, at: usize, levels: [f64; 2]) -> Result<Sound, Failure> {
    let heard = trial.hear(at + frames(trial), |frame| if frame == at { levels } else { [0.0; 2] })?;
    let most = levels[0].max(levels[1]);
    Ok(heard.map(|side| side.iter().skip(at).map(|x| x / most).collect()))
}

fn peak(sound: &Sound) -> f64 {
    sound.iter().flatten().fold(0.0, |most: f64, x| most.max(x.abs()))
}

fn differ(a: &Sound, b: &Sound) -> bool {
    let least = SAME * peak(a).max(peak(b));
    a.iter().flatten().zip(b.iter().flatten()).any(|(a, b)| (a - b).abs() > least)
}
