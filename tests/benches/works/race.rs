//! Who runs, how long each takes in turn, and what is told of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

use crate::contest::last_words;
use crate::likeness::Levels;
use crate::programs;

/// What makes this program run and time another instead: only those who were waited for are counted, so that each has a parent of its
/// own, and a small one, whose memory is not taken for its child's.
pub const TIMED: &str = "--timed";

/// A program that does the work.
pub struct Entry {
    /// What it is called.
    pub name: String,
    /// What must be said of it.
    pub note: String,
    /// How it is run, or why it is not.
    pub command: Result<Command, String>,
    /// The sound file that it writes, if it does.
    pub sound: Option<PathBuf>,
    /// Whether it is what the processor can do, rather than another program.
    pub is_limit: bool,
}

impl Entry {
    /// Says something of it.
    pub fn noted(mut self, note: &str) -> Self {
        self.note = note.to_owned();
        self
    }
}

/// Tells of one who has done a work, from its sound file and what it said, or why it has not.
pub type Tell = Box<dyn Fn(Option<&Path>, &str) -> Result<String, String>>;

/// A work, and who does it: ours first.
pub struct Work {
    pub title: String,
    pub entries: Vec<Entry>,
    /// How far an octave of somebody's sound may be from ours, in dB.
    pub tolerance: f64,
    /// How much of the sound is compared.
    pub seconds: usize,
    pub tell: Tell,
}

/// What somebody took, in the turns of a work.
pub struct Row {
    pub name: String,
    pub note: String,
    /// Seconds of the processor, and of the clock, the median of all turns.
    pub processor: f64,
    pub clock: f64,
    /// Processor time over ours of the same turn: least, median and most.
    pub ratios: [f64; 3],
    /// The most memory held, in MB.
    pub memory: f64,
    /// The octave that is farthest from ours, in dB.
    pub unlike: Option<f64>,
}

/// What one run takes.
struct Cost {
    processor: f64,
    clock: f64,
    memory: f64,
}

/// Runs everyone once unseen, to see that they do the same, and then in turn. Who does not is named in the second list, and why.
pub fn run(work: Work, turns: usize) -> (Vec<Row>, Vec<(String, String)>) {
    let (mut rows, mut left, mut commands, mut limits) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut ours: Option<Levels> = None;
    for entry in work.entries {
        let prepared = entry.command.and_then(|mut command| {
            let said = said(&mut command)?;
            let unlike = match &entry.sound {
                Some(sound) => {
                    let levels = Levels::of(sound, work.seconds)?;
                    let apart = ours.get_or_insert_with(|| levels.clone()).apart(&levels);
                    if apart.decibels.is_nan() || apart.decibels > work.tolerance {
                        return Err(format!("its sound is not the same: {apart}"));
                    }
                    (!rows.is_empty()).then_some(apart.decibels)
                }
                None => None,
            };
            Ok((command, unlike, (work.tell)(entry.sound.as_deref(), &said)?))
        });
        match prepared {
            Ok((command, unlike, told)) => {
                commands.push(command);
                limits.push(entry.is_limit);
                let note =
                    [entry.note, told].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
                let (processor, clock, memory, ratios) = (0.0, 0.0, 0.0, [1.0; 3]);
                rows.push(Row { name: entry.name, note, processor, clock, ratios, memory, unlike });
            }
            Err(why) if rows.is_empty() => panic!("gainstage itself does not run: {why}"),
            Err(why) => left.push((entry.name, why)),
        }
    }
    let mut costs: Vec<Vec<Cost>> = rows.iter().map(|_| Vec::new()).collect();
    for _ in 0..turns {
        for (command, costs) in commands.iter().zip(&mut costs) {
            costs.push(time(command));
        }
    }
    let middle = |values: &mut dyn Iterator<Item = f64>| sorted(values)[turns / 2];
    for ((row, own), is_limit) in rows.iter_mut().zip(&costs).zip(limits) {
        row.processor = middle(&mut own.iter().map(|cost| cost.processor));
        row.clock = middle(&mut own.iter().map(|cost| cost.clock));
        row.memory = own.iter().map(|cost| cost.memory).fold(0.0, f64::max);
        let ratios = sorted(&mut own.iter().zip(&costs[0]).map(|(cost, ours)| cost.processor / ours.processor));
        row.ratios = [ratios[0], ratios[turns / 2], ratios[turns - 1]];
        if is_limit {
            let [most, middle, least] = row.ratios.map(f64::recip);
            row.note = format!("ours is {middle:.2} times that ({least:.2} to {most:.2})");
        }
    }
    (rows, left)
}

fn sorted(values: &mut dyn Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// What a command says, to either stream, which must succeed.
fn said(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|why| why.to_string())?;
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    match output.status.success() {
        true => Ok(said),
        false => Err(format!("it fails: {}", last_words(&said))),
    }
}

/// Runs a command under a parent of its own.
fn time(command: &Command) -> Cost {
    let mut parent = Command::new(programs::this());
    parent.arg(TIMED).arg(command.get_program()).args(command.get_args());
    parent.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        parent.current_dir(folder);
    }
    let output = parent.output().expect("it ran before");
    let told = String::from_utf8_lossy(&output.stdout);
    let told: Vec<f64> = told.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [processor, clock, memory] = told[..] else {
        panic!("{command:?} fails, which it did not before");
    };
    Cost { processor, clock, memory }
}

/// Runs a command, and tells the seconds of the processor and of the clock that it took, and the most megabytes that it held.
pub fn timed(arguments: &[String]) {
    let begun = Instant::now();
    let mut command = Command::new(&arguments[0]);
    command.args(&arguments[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if command.status().is_ok_and(|status| status.success()) {
        let clock = begun.elapsed().as_secs_f64();
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("every system tells it");
        let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
        let processor = seconds(usage.user_time()) + seconds(usage.system_time());
        // Linux counts them in KiB.
        println!("{processor} {clock} {}", usage.max_rss() as f64 * 1024.0 / 1e6);
    }
}
