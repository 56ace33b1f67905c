//! The strips of the bench `works`, played live by gainstage and by SuperCollider in turn, under one card: a JACK server of its own that
//! plays to nowhere, 64 frames at a time. It alone says who is late, to a listener that plays silence.
//!
//! Of each program it is told what share of the blocks' time it took, on average and at the most, as it measures that itself. Who is
//! late in each of five tries is out. Scripts and sounds are those of `works`, which holds that both sound alike.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use engine::desk::Desk;
use engine::device::{Fault, Opened, Wanted, open_output};
use engine::graph::prepare;
use engine::kernel::QUANTUM;
use engine::live::{Report, Setup, start};
use engine::media::Library;
use engine::playback::Playback;
use engine::tap;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::callback::{RATE, Timed, share, within};
use crate::contest::{self, material};
use crate::osc::{Server, Status};
use crate::{FIRST, MOST};

/// What makes this program the race: JACK's clients find their server by what stands around them.
pub const RACE: &str = "--race";

/// Seconds in which what has begun comes to go evenly.
const BEGIN: u64 = 2;

/// Sounds that differ: more strips play them again.
const INSTRUMENTS: usize = 64;

/// Blocks of which one may be late.
const MAY_BE_LATE: u64 = 1000;

/// How often somebody may try: others that work on the machine make anybody late.
const TRIES: usize = 5;

/// Starts a card and has the race run under it.
pub fn invite(seconds: u64) -> Result<(), String> {
    ["jackd", "scsynth", "sclang"].into_iter().try_for_each(contest::there)?;
    let name = format!("gainstage-{}", std::process::id());
    let mut race = Command::new(std::env::current_exe().map_err(|why| why.to_string())?);
    race.args([RACE, &seconds.to_string()]).envs([("JACK_DEFAULT_SERVER", &*name), ("JACK_NO_START_SERVER", "1")]);
    let options = format!("-n {name} -d dummy -r {RATE} -p {QUANTUM}");
    let mut command = Command::new("jackd");
    command.args(options.split_whitespace()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut card = command.spawn().map_err(|why| why.to_string())?;
    thread::sleep(Duration::from_secs(BEGIN));
    let ran = race.status();
    // It leaves its shared memory behind unless it may end by itself.
    kill_process(Pid::from_child(&card), Signal::TERM).map_err(|why| why.to_string())?;
    card.wait().map_err(|why| why.to_string())?;
    ran.map(drop).map_err(|why| why.to_string())
}

/// How often the card found somebody late, and what else is told; or why it did not play.
type Played = Result<(u64, String), String>;

/// Somebody who plays so many strips of a folder, and tells of it.
struct Contestant {
    name: &'static str,
    play: fn(&Path, usize, &Measure) -> Played,
    /// The most that were in time.
    most: usize,
    is_late: bool,
}

/// Plays more and more until both are late.
pub fn race(seconds: u64) -> Result<(), String> {
    let folder = TempDir::new().map_err(|why| why.to_string())?;
    let folder = folder.path();
    let measure = Measure { card: open(Box::new(Silence))?, seconds };
    let blocks = seconds * u64::from(RATE) / QUANTUM as u64;
    let length = (seconds + 3 * BEGIN) as usize;
    material::channels(folder, INSTRUMENTS, length);
    let contestant = |name, play| Contestant { name, play, most: 0, is_late: false };
    let mut contestants = [contestant("gainstage", gainstage), contestant("SuperCollider", supercollider)];
    println!("\nunder a card of JACK's, each for {blocks} blocks of {QUANTUM} frames:");
    println!("{:<28} {:>6} late", "nobody", measure.late());
    let (mut strips, mut channels) = (FIRST, INSTRUMENTS);
    while strips <= MOST && !contestants.iter().all(|contestant| contestant.is_late) {
        for channel in channels..strips {
            let [from, to] = [channel % INSTRUMENTS, channel].map(|n| folder.join(format!("in-{}.wav", n + 1)));
            fs::hard_link(from, to).map_err(|why| why.to_string())?;
        }
        channels = strips;
        contest::strips(folder, strips, length);
        for contestant in contestants.iter_mut().filter(|contestant| !contestant.is_late) {
            let who = format!("{strips} strips, {}", contestant.name);
            contestant.is_late = true;
            for _ in 0..TRIES {
                match (contestant.play)(folder, strips, &measure) {
                    Ok((late, told)) => {
                        println!("{who:<28} {late:>6} late; {told}");
                        contestant.is_late = late > blocks / MAY_BE_LATE;
                    }
                    Err(why) => println!("{who:<28} {why}"),
                }
                if !contestant.is_late {
                    contestant.most = strips;
                    break;
                }
            }
        }
        strips += strips / 2;
    }
    for Contestant { name, most, .. } in contestants {
        println!("{name}: {most} strips are in time");
    }
    Ok(())
}

/// The card, heard for so many seconds.
struct Measure {
    card: Opened,
    seconds: u64,
}

impl Measure {
    /// How often somebody is late for it, from when it goes evenly.
    fn late(&self) -> u64 {
        thread::sleep(Duration::from_secs(BEGIN));
        self.card.faults().take(Fault::Dropout);
        thread::sleep(Duration::from_secs(self.seconds));
        self.card.faults().take(Fault::Dropout)
    }
}

fn gainstage(folder: &Path, _: usize, measure: &Measure) -> Played {
    let file = folder.join("strips.rhai");
    let text = fs::read_to_string(&file).map_err(|why| why.to_string())?;
    let session = scripting::evaluate_text(&file, &text).session.ok_or("the session is not right")?;
    let graph = prepare(session, &Library::new()).graph.ok_or("the session cannot sound")?;
    let (_desk, program) = Desk::open(&graph, None).map_err(|flaw| flaw.to_string())?;
    let (mut live, player, _listener, _) =
        start(program, Setup { rate: RATE, keep: tap::Wanted::default(), inputs: 0, cushion: 0 });
    let (player, mut timed) = Timed::new(player);
    let _output = open(Box::new(player))?;
    let late = measure.late();
    let blocks = (measure.seconds * u64::from(RATE)) as usize / QUANTUM;
    let mut shares: Vec<f64> = std::iter::from_fn(|| timed.pop().ok()).map(share).collect();
    let mut shares = shares.split_off(shares.len().saturating_sub(blocks));
    if shares.is_empty() {
        return Err("JACK does not call it".to_owned());
    }
    let silent = live.reports().filter(|report| matches!(report, Report::MediaLate { .. })).count();
    let silent = if silent > 0 { format!(", {silent} blocks without their files") } else { String::new() };
    let average = shares.iter().sum::<f64>() / shares.len() as f64;
    let (average, most) = (100.0 * average, 100.0 * within(&mut shares, 1.0));
    Ok((late, format!("a load of {average:.1} %, {most:.1} % at the most{silent}")))
}

fn supercollider(folder: &Path, strips: usize, measure: &Measure) -> Played {
    contest::score(folder, "strips")?;
    let score = fs::read(folder.join("strips.osc")).map_err(|why| why.to_string())?;
    let server = Server::start(folder)?;
    server.play(&score)?;
    let late = measure.late();
    let Status { synths, load: [average, most] } = server.status()?;
    if synths != strips as i32 {
        return Err(format!("only {synths} synths play"));
    }
    Ok((late, format!("a load of {average:.1} %, {most:.1} % at the most")))
}

/// Opens the card.
fn open(playback: Box<dyn Playback>) -> Result<Opened, String> {
    let wanted = Wanted { name: Some("jack"), rate: RATE, buffer: QUANTUM as u32, channels: 2 };
    let opened = open_output(&wanted, |_| Ok(playback)).map_err(|why| why.to_string())?;
    opened.start().map_err(|why| why.to_string())?;
    Ok(opened)
}

/// Hears what the card says.
struct Silence;

impl Playback for Silence {
    fn fill(&mut self, block: &mut [f32], _: usize) {
        block.fill(0.0);
    }
}
