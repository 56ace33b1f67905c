//! `gainstage play`: plays a session and follows its edits.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use engine::compile::Program;
use engine::desk::Desk;
use engine::diff::Changes;
use engine::graph::{Graph, Role};
use engine::live::{Listener, Live, Report, Setup, start};
use engine::media::Library;
use engine::session::Session;

use crate::arguments::{DeviceChoice, Play};
use crate::ending::{Failure, Outcome};
use crate::journal::{Journal, Taken, When};
use crate::load::{self, Loaded};
use crate::recorder::Recorder;
use crate::sound::{self, Input, Output, Wish};
use crate::status;
use crate::watch::{Changed, Watch};

/// How often the audio side is asked what happened: while something fades, while a program is on its way, and otherwise.
const BUSY: Duration = Duration::from_millis(2);
const IN_FLIGHT: Duration = Duration::from_micros(200);
const IDLE: Duration = Duration::from_millis(50);

/// How long a fade-out may take before the device is closed all the same.
const STOP_PATIENCE: Duration = Duration::from_millis(1500);

/// How long an edit waits for the first of a sound file that is read while it plays.
const MEDIA_PATIENCE: Duration = Duration::from_millis(500);

/// How long a device may ask for no sound before this is told: some go without a word.
const DEVICE_PATIENCE: Duration = Duration::from_secs(3);

/// How long after saying so trouble of one kind is not told again.
const TROUBLE_PAUSE: Duration = Duration::from_secs(5);

/// Everything that can wake the desk.
enum Event {
    /// A file of the session was saved.
    Changed(Changed),
    /// The user wants it to end.
    Stop,
}

/// Plays until the user stops it, or the length is over.
pub fn run(arguments: &Play) -> Outcome {
    let (send, events) = mpsc::channel();
    let changed = send.clone();
    let watch = Watch::new(move |file| drop(changed.send(Event::Changed(file))))
        .map_err(|error| Failure::Error(format!("files cannot be watched: {error}")))?;
    ctrlc::set_handler(move || drop(send.send(Event::Stop)))
        .map_err(|error| Failure::Error(format!("Ctrl-C cannot be caught: {error}")))?;
    watch.files(std::slice::from_ref(&arguments.session));
    let library = Library::new();
    let loaded = load::load(&arguments.session, &library);
    watch.files(&watched(arguments, &loaded));
    loaded.show();
    let taken = Taken::of(&loaded);
    let (Some(graph), Some(session)) = (loaded.graph, loaded.session) else {
        return Err(Failure::Shown);
    };
    let mut playing = Playing::start(arguments, library, watch, &graph, &session, taken)?;
    let followed = playing.follow(&events);
    followed.and(playing.stop())
}

fn watched(arguments: &Play, loaded: &Loaded) -> Vec<PathBuf> {
    let mut files = vec![arguments.session.clone()];
    files.extend(loaded.watched());
    files.sort();
    files.dedup();
    files
}

/// A program on its way to the audio side.
struct InFlight {
    serial: u64,
    /// What its works are called.
    paths: Vec<String>,
    sent: Sent,
}

/// What a program on its way was made of.
enum Sent {
    /// A text, and what it changes.
    Text(Taken, Changes),
    /// What is left of the text that plays when fades are over, as of a frame.
    Settled(u64),
}

/// A desk that plays, and what it was started with.
struct Playing<'a> {
    arguments: &'a Play,
    library: Library,
    watch: Watch,
    /// The files that are watched.
    watched: Vec<PathBuf>,
    desk: Desk,
    live: Live,
    output: Output,
    input: Option<Input>,
    /// What will take live input once the session has any.
    listener: Option<Listener>,
    recorder: Option<Recorder>,
    /// What the works of the program that runs are called.
    paths: Vec<String>,
    /// The program that has been sent and not yet taken up.
    in_flight: Option<InFlight>,
    /// The newest text, waiting for the one before it to be taken up.
    waiting: Option<(Graph, Taken)>,
    journal: Journal,
    /// Frames by which the master was late when it began.
    late: u64,
    started_with: (u32, u64),
    /// Channels of live input that there is room for.
    inputs: u16,
    length: Option<u64>,
    stall: Stall,
    trouble: Trouble,
}

impl<'a> Playing<'a> {
    fn start(
        arguments: &'a Play,
        library: Library,
        watch: Watch,
        graph: &Graph,
        session: &Session,
        taken: Taken,
    ) -> Result<Self, Failure> {
        let (desk, program) = Desk::open(graph, None).map_err(|flaw| Failure::Error(flaw.to_string()))?;
        let rate = session.sample_rate;
        let heard = load::live_inputs(session);
        let inputs = heard.iter().flat_map(|(_, channels)| channels).copied().max().unwrap_or(0).max(2);
        let setup = Setup {
            rate,
            record: arguments.record.is_some(),
            inputs: usize::from(inputs),
            cushion: 2 * arguments.buffer as usize,
        };
        let (master, late) = program.plan.outputs.first().map_or((2, 0), |output| (output.slots.count, output.late));
        let channels = program.plan.outputs.iter().flat_map(|output| &output.channels).copied().max().unwrap_or(2);
        let paths = program.plan.paths.clone();
        let (live, player, listener, recording) = start(program, setup);
        let length = arguments.length.map(|length| length.frames(&session.clock()));
        let recorder = match (&arguments.record, recording) {
            (Some(path), Some(recording)) => Some(Recorder::start(path, recording, rate, length)?),
            _ => None,
        };
        status::say(format!("playing {}", arguments.session.display()));
        let journal = Journal::start(arguments.journal.as_ref(), &arguments.session, rate, session.seed, master)?;
        journal.text(taken, When::BEGINNING, Changes::default());
        let wish = Wish { device: arguments.device.as_ref(), rate, buffer: arguments.buffer, channels };
        let output = sound::open_output(wish, Box::new(player))?;
        let started_with = (rate, session.seed);
        let mut playing = Playing {
            arguments,
            library,
            watch,
            watched: Vec::new(),
            desk,
            live,
            output,
            input: None,
            listener: Some(listener),
            recorder,
            paths,
            in_flight: None,
            waiting: None,
            journal,
            late: late as u64,
            started_with,
            inputs,
            length,
            stall: Stall::default(),
            trouble: Trouble::default(),
        };
        playing.listen_if_needed(session)?;
        playing.tell_of_channels(graph, session);
        Ok(playing)
    }

    /// Opens the way in when the session has an input that hears it.
    fn listen_if_needed(&mut self, session: &Session) -> Result<(), Failure> {
        if load::live_inputs(session).is_empty() {
            return Ok(());
        }
        let Some(listener) = self.listener.take() else { return Ok(()) };
        let silent = matches!(self.output, Output::Silent(..)) && self.arguments.input.is_none();
        let none = DeviceChoice::None;
        let device = if silent { Some(&none) } else { self.arguments.input.as_ref() };
        let channels = load::live_inputs(session).iter().flat_map(|(_, list)| list).copied().max().unwrap_or(1);
        let wish = Wish { device, rate: self.started_with.0, buffer: self.arguments.buffer, channels };
        self.input = sound::open_input(wish, Box::new(listener))?;
        Ok(())
    }

    /// Takes part in what happens until it is over.
    fn follow(&mut self, events: &Receiver<Event>) -> Outcome {
        while !self.is_over() {
            let pause = match (&self.in_flight, self.desk.mesh().next_end()) {
                (Some(_), _) => IN_FLIGHT,
                (None, Some(_)) => BUSY,
                (None, None) => IDLE,
            };
            match events.recv_timeout(pause) {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(Event::Changed(changed)) => self.edited(&changed),
                Err(RecvTimeoutError::Timeout) => {}
            }
            // What happened before this frame has been reported by now.
            let frame = self.live.clock();
            self.hear_reports();
            self.journal.reached(frame);
            self.still_there()?;
            self.go_on();
        }
        Ok(())
    }

    /// That the device still takes sound. What goes without a word may come back, and is only told of.
    fn still_there(&mut self) -> Outcome {
        if self.output.is_lost() {
            return Err(Failure::Error("the sound device is gone: nothing is heard any more".into()));
        }
        match self.stall.look(self.live.transport()) {
            Some(true) => status::warning("the sound device takes no sound: nothing is heard"),
            Some(false) => status::say("the sound device takes sound again"),
            None => {}
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        match (&self.recorder, self.length) {
            (Some(recorder), _) if recorder.is_done() => true,
            (None, Some(length)) => self.live.transport() >= length,
            _ => false,
        }
    }

    /// A file was saved: the newest text is evaluated, and sent unless something is wrong with it.
    fn edited(&mut self, changed: &Changed) {
        let (rate, seed) = self.started_with;
        let mut says = None;
        let loaded = load::load_with(&self.arguments.session, &self.library, |session| {
            let wanted = (session.sample_rate, session.seed);
            if wanted != (rate, seed) {
                says = Some("sample_rate and seed take effect at the next start");
            }
            (session.sample_rate, session.seed) = (rate, seed);
        });
        let watched = watched(self.arguments, &loaded);
        if watched != self.watched {
            self.watch.files(&watched);
            self.watched = watched;
        }
        loaded.show();
        let taken = Taken::of(&loaded);
        let (Some(graph), Some(session)) = (loaded.graph, loaded.session) else {
            let file = changed.file.display();
            status::say(format!("{file}: not taken; the last good text still plays"));
            return;
        };
        says.into_iter().for_each(status::say);
        // What was opened is not opened anew while it plays: what is beyond it is told of.
        if let Err(failure) = self.listen_if_needed(&session) {
            status::warning(format!("live inputs are silent: {failure}"));
        }
        self.tell_of_channels(&graph, &session);
        self.waiting = Some((graph, taken));
    }

    /// Says which channels the session speaks of and the devices do not have.
    fn tell_of_channels(&self, graph: &Graph, session: &Session) {
        let outputs = graph.nodes.iter().filter_map(|node| match &node.role {
            Role::Output(channels) => channels.iter().max(),
            _ => None,
        });
        let heard = load::live_inputs(session);
        let inputs = heard.iter().flat_map(|(_, channels)| channels).max();
        let tell = |what: &str, wanted: Option<&u16>, have: u16| {
            if let Some(wanted) = wanted.filter(|wanted| **wanted > have) {
                status::warning(format!(
                    "{what} channel {wanted} is silent: {have} are open; more come at the next start"
                ));
            }
        };
        tell("output", outputs.max(), self.output.channels());
        tell("input", inputs, self.inputs);
    }

    /// Sends what waits, if the way is free: the newest text first, then what is left when fades are over.
    fn go_on(&mut self) {
        if self.in_flight.is_some() {
            return;
        }
        let now = self.live.clock();
        let next = match self.waiting.take() {
            Some((graph, taken)) => match self.desk.edit(&graph, None) {
                Ok(None) => {
                    status::say("no change to the sound");
                    self.journal.text(taken, When::Nothing(now), Changes::default());
                    return;
                }
                edited => edited.map(|next| next.map(|(program, changes)| (program, Sent::Text(taken, changes)))),
            },
            None => self.desk.settle(now).map(|next| next.map(|program| (program, Sent::Settled(now)))),
        };
        match next {
            Ok(Some((program, sent))) => self.send(program, sent),
            Ok(None) => {}
            Err(flaw) => status::error(format!("{flaw}; what played plays on")),
        }
    }

    fn send(&mut self, program: Box<Program>, sent: Sent) {
        let begun = Instant::now();
        while !program.media_ready(self.live.transport()) && begun.elapsed() < MEDIA_PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.in_flight = Some(InFlight { serial: program.serial, paths: program.plan.paths.clone(), sent });
        if self.live.send(program).is_err() {
            unreachable!("nothing is sent while a program is in flight");
        }
    }

    fn hear_reports(&mut self) {
        for report in self.live.reports() {
            self.journal.report(report, &self.desk, &self.paths);
            match report {
                Report::TakenUp { serial, taken } => {
                    if let Some(InFlight { sent, paths, .. }) = self.in_flight.take_if(|sent| sent.serial == serial) {
                        self.paths = paths;
                        self.desk.taken_up(taken);
                        match sent {
                            Sent::Text(text, changes) => {
                                status::say(describe(&changes));
                                self.journal.text(text, When::Program { serial, wanted: None, taken }, changes);
                            }
                            Sent::Settled(now) => self.journal.settled(serial, now, taken),
                        }
                    }
                }
                Report::Controlled { .. } | Report::Moved { .. } => {}
                Report::Poisoned { .. } => self.trouble.poisoned += 1,
                Report::MediaLate { .. } => self.trouble.media += 1,
                Report::InputLate { .. } => self.trouble.input += 1,
                Report::RecordLate { .. } => self.trouble.record += 1,
            }
        }
        self.trouble.late_blocks = self.output.late();
        self.trouble.tell();
    }

    /// Fades out, closes the device, and then the files.
    fn stop(mut self) -> Outcome {
        self.live.stop();
        let begun = Instant::now();
        while !self.live.has_stopped() && begun.elapsed() < STOP_PATIENCE {
            std::thread::sleep(BUSY);
        }
        self.hear_reports();
        let load = self.output.take_worst_load() * 100.0;
        let Playing { mut live, output, input, recorder, length, journal, late, desk, paths, .. } = self;
        drop((input, output));
        let busiest = format!("the busiest block took {load:.0} % of its time");
        let recorded = recorder.map(Recorder::finish).transpose();
        live.reports().for_each(|report| journal.report(report, &desk, &paths));
        // The master is what was recorded of it, or would have been.
        let whole = live.clock().saturating_sub(late);
        let frames = recorded.as_ref().ok().copied().flatten().or(length).map_or(whole, |frames| frames.min(whole));
        journal.end(live.clock(), frames);
        match recorded? {
            Some(frames) => status::say(format!("stopped; {frames} frames recorded; {busiest}")),
            None => status::say(format!("stopped; {busiest}")),
        }
        Ok(())
    }
}

/// What an edit did, in a line.
pub fn describe(changes: &Changes) -> String {
    let mut parts = Vec::new();
    let mut list = |sign: &str, paths: &[String]| {
        if !paths.is_empty() {
            parts.push(format!("{sign} {}", shortened(paths)));
        }
    };
    list("added", &changes.added);
    list("changed", &changes.changed);
    list("removed", &changes.removed);
    list("started anew", &changes.restarted);
    if !changes.realigned.is_empty() {
        let by: Vec<String> = changes.realigned.iter().map(|(path, by)| format!("{path} by {by:+} frames")).collect();
        parts.push(format!("realigned {}", shortened(&by)));
    }
    match parts.is_empty() {
        true => "no change to the sound".into(),
        false => parts.join("; "),
    }
}

/// At most a handful of names, and how many more there are.
fn shortened(paths: &[String]) -> String {
    const SHOWN: usize = 6;
    let mut text = paths.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if paths.len() > SHOWN {
        text.push_str(&format!(" and {} more", paths.len() - SHOWN));
    }
    text
}

/// Whether time stands still.
#[derive(Default)]
struct Stall {
    frame: u64,
    looked: Option<Instant>,
    /// How long the frame has been the same. A program that was itself stopped for a while sees little of that.
    still: Duration,
    told: bool,
}

impl Stall {
    /// Takes note of the transport's frame: `Some(true)` when it has stood still for long, `Some(false)` when it goes on.
    fn look(&mut self, frame: u64) -> Option<bool> {
        let since = self.looked.replace(Instant::now()).map_or(Duration::ZERO, |looked| looked.elapsed());
        if frame != self.frame {
            (self.frame, self.still) = (frame, Duration::ZERO);
            return std::mem::take(&mut self.told).then_some(false);
        }
        self.still += since.min(2 * IDLE);
        let news = self.still > DEVICE_PATIENCE && !self.told;
        self.told |= news;
        news.then_some(true)
    }
}

/// What went wrong since it was last told of.
#[derive(Default)]
struct Trouble {
    poisoned: u32,
    media: u32,
    input: u32,
    record: u32,
    late_blocks: u64,
    late_told: u64,
    told: Option<Instant>,
}

impl Trouble {
    fn tell(&mut self) {
        if self.told.is_some_and(|told| told.elapsed() < TROUBLE_PAUSE) {
            return;
        }
        let late = self.late_blocks - self.late_told;
        let mut lines = Vec::new();
        let mut line = |count: u64, what: &str| {
            if count > 0 {
                lines.push(format!("{what} ({count} times)"));
            }
        };
        line(u64::from(self.poisoned), "an effect gave what is no number: it was silenced and started anew");
        line(u64::from(self.media), "a sound file was not read in time: what was missing was silent");
        line(u64::from(self.input), "live input did not come in time: what was missing was silent");
        line(u64::from(self.record), "the recording was not written in time: frames are missing from it");
        line(late, "a block was computed too late");
        if !lines.is_empty() {
            lines.iter().for_each(status::warning);
            *self = Trouble {
                late_blocks: self.late_blocks,
                late_told: self.late_blocks,
                told: Some(Instant::now()),
                ..Trouble::default()
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_told_once_and_so_is_its_end() {
        let mut stall = Stall { still: DEVICE_PATIENCE + IDLE, ..Stall::default() };
        assert_eq!(
            [stall.look(0), stall.look(0), stall.look(64), stall.look(128)],
            [Some(true), None, Some(false), None]
        );
    }

    #[test]
    fn a_program_that_was_stopped_itself_blames_no_device() {
        let long_ago = Instant::now().checked_sub(2 * DEVICE_PATIENCE);
        let mut stall = Stall { looked: long_ago, ..Stall::default() };
        assert_eq!(stall.look(0), None);
        assert!(stall.still <= 2 * IDLE);
    }
}
