//! `gainstage play`: plays a session and follows its edits.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use engine::compile::Program;
use engine::desk::Desk;
use engine::diff::Changes;
use engine::graph::Graph;
use engine::live::{Listener, Live, Setup, start};
use engine::media::Library;
use engine::motion::{EventSource, Span};
use engine::session::Session;
use engine::verify::Flaw;

use crate::arguments::Play;
use crate::changes::{new_ramps, rounded};
use crate::control::{Controllers, Known, Order};
use crate::ending::{Failure, Outcome};
use crate::journal::{self, Journal, Performance, Taken, When};
use crate::last_good::{self, Keeper};
use crate::learn::Course;
use crate::load::{self, Loaded, Told};
use crate::paint;
use crate::prompt::{Prompt, Typed};
use crate::recorder::{self, Expected, Recorders};
use crate::safety::{Overload, Programs};
use crate::sound::{self, Input, Output, Wish};
use crate::status;
use crate::tell::Asked;
use crate::text::Text;
use crate::trouble::Trouble;
use crate::watch::{Changed, News, Watch};

mod aside;
mod attending;
mod clocks;
mod closing;
mod comparing;
mod costing;
mod device;
mod files;
mod freezing;
mod hands;
mod keeping;
mod lesson;
mod levels;
mod looking;
mod moment;
mod monitoring;
mod recording;
mod reports;
mod saving;
mod scenes;
mod showing;
mod tapping;
mod told;
mod typed;
mod why;

use aside::Aside;
use clocks::Clocks;
use comparing::Comparing;
use files::watched;
use keeping::Keeping;
use looking::Looking;
use moment::{Given, moment};
use monitoring::Monitoring;
use saving::Saving;
use showing::Showing;
use tapping::Tapping;
use told::Editors;

/// How often the audio side is asked what happened: while something fades, while a program is on its way, and otherwise;
/// then what waits for its moment is looked at in time.
const BUSY: Duration = Duration::from_millis(2);
const IN_FLIGHT: Duration = Duration::from_micros(200);
const IDLE: Duration = Duration::from_millis(50);

/// How long before its moment a text is sent.
const HORIZON: Duration = Duration::from_millis(100);

/// How long a fade-out may take before the device is closed all the same.
const STOP_PATIENCE: Duration = Duration::from_millis(1500);

/// Everything that can wake the desk.
enum Event {
    /// Something became of a file of the session.
    File(News),
    /// A controller has moved.
    Control,
    /// Somebody has typed at the prompt.
    Typed(Typed),
    /// What was done aside is done.
    Done(aside::Then),
    /// Somebody tells something from elsewhere.
    Told(Asked),
    /// The user wants it to end.
    Stop,
}

/// Plays until the user stops it, or the length is over.
pub fn run(arguments: &Play) -> Outcome {
    perform(arguments, None)
}

/// The same, on a way through the lessons.
pub fn perform<'a>(arguments: &'a Play, course: Option<Course<'a>>) -> Outcome {
    if arguments.plain {
        paint::off();
    }
    let (send, events) = mpsc::channel();
    let changed = send.clone();
    let watch = Watch::new(move |file| drop(changed.send(Event::File(file))))
        .map_err(|error| Failure::Error(format!("files cannot be watched: {error}")))?;
    let (moved, typed, done) = (send.clone(), send.clone(), send.clone());
    ctrlc::set_handler(move || drop(send.send(Event::Stop)))
        .map_err(|error| Failure::Error(format!("Ctrl-C cannot be caught: {error}")))?;
    watch.files(std::slice::from_ref(&arguments.session));
    let library = Arc::new(Library::new());
    let loaded = load::load(&arguments.session, &library);
    let mut told = Told::default();
    loaded.show_news(&mut told);
    let own = loaded.graph.is_some();
    let loaded = last_good::playable(arguments, loaded, &library)?;
    watch.files(&watched(arguments, &loaded));
    let (Some(graph), Some(session)) = (&loaded.graph, &loaded.session) else {
        return Err(Failure::Shown);
    };
    let text = Text::new(&loaded, session);
    let wake = move || drop(moved.send(Event::Control));
    let first = First { text, taken: Taken::of(&loaded), graph, session, told };
    let mut playing = Playing::start(arguments, library, watch, first, wake, done)?;
    if !arguments.no_prompt {
        playing.prompt = Prompt::start(arguments.plain, move |line| drop(typed.send(Event::Typed(line))));
    }
    playing.teach();
    playing.course = course;
    playing.begin_lesson();
    playing.show_text(&loaded);
    playing.showing.will_be_seen(graph, session);
    playing.showing.is_seen(&Changes::default(), &[]);
    if own {
        playing.keeper.keep(loaded.files);
    }
    let followed = playing.follow(&events);
    playing.sum_up();
    followed.and(playing.stop())
}

/// A program on its way to the audio side.
struct InFlight {
    serial: u64,
    /// Ramps that set out when it is heard.
    ramps: Vec<(String, Span)>,
    sent: Sent,
}

/// A text that was accepted, and what comes of it.
struct Edited {
    taken: Taken,
    changes: Changes,
    /// The frame of the transport that it is meant for.
    wanted: Option<u64>,
    /// Whether what it changes is told of.
    told: bool,
    /// What it was compiled from: what its controls listen to, and what it sends to MIDI ports.
    graph: Graph,
    /// What it declares.
    known: Rc<Known>,
    /// Whether the text is another from now on, and not only what a hand has set or what is compared.
    is_text: bool,
}

/// What a program on its way was made of.
enum Sent {
    /// A text that was accepted.
    Text(Box<Edited>),
    /// What is left of the text that plays when fades are over, as of a frame.
    Settled(u64),
    /// The text that plays, with meters or without.
    Metered(bool),
}

/// A text that has been accepted and not yet been sent.
struct Waiting {
    session: Arc<Session>,
    graph: Graph,
    /// What it was made of.
    taken: Taken,
    /// The frame of the transport from which on it is to be heard; at once without one.
    at: Option<u64>,
    /// Where it comes from.
    origin: Origin,
    /// Whether a hand has written since it was read.
    is_behind: bool,
}

/// Where a text comes from that is to be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The file, or the prompt.
    Text,
    /// A hand on a controller: it is told of when the hand rests.
    Hand,
    /// Another text than the session's, which it is compared with.
    Comparison,
}

/// What a desk is started with.
struct First<'a> {
    text: Text,
    taken: Taken,
    graph: &'a Graph,
    session: &'a Session,
    told: Told,
}

/// A desk that plays, and what it was started with.
struct Playing<'a> {
    arguments: &'a Play,
    library: Arc<Library>,
    watch: Watch,
    /// The files that are watched.
    watched: Vec<PathBuf>,
    desk: Desk,
    live: Live,
    output: Output,
    input: Option<Input>,
    /// What will take live input once the session has any.
    listener: Option<Listener>,
    recorders: Recorders,
    /// The live inputs of the newest text that was sent, with the device channels they hear.
    heard: Vec<(String, Vec<u16>)>,
    journal: Journal,
    /// Frames by which the master was late when it began.
    late: u64,
    /// The program that has been sent and not yet taken up.
    in_flight: Option<InFlight>,
    /// The newest text, waiting for the one before it to be taken up, and for its moment.
    waiting: Option<Waiting>,
    /// What a hand on a controller has written, to be sent at once.
    hand: Option<Waiting>,
    text: Text,
    /// What is heard, which is not the newest text while that waits, nor while another is compared.
    sounding: Rc<Known>,
    /// What the controls of the newest text listen to.
    sources: BTreeMap<EventSource, (f64, f64)>,
    controllers: Controllers,
    /// What controllers have ordered and the audio side had no room for yet.
    orders: VecDeque<Order>,
    looking: Looking,
    showing: Showing,
    monitoring: Monitoring,
    comparing: Comparing,
    /// Where what plays comes from.
    origin: Origin,
    /// All was silenced, and the transport has not been started since.
    panicked: bool,
    aside: Aside,
    clocks: Clocks,
    saving: Saving,
    /// Where somebody types, if there is a terminal.
    prompt: Option<Prompt>,
    editors: Editors,
    tapping: Tapping,
    keeping: Keeping,
    /// When a controller's writes were taken last.
    written: Option<Instant>,
    given: Given,
    /// The lessons, if it is them that play.
    course: Option<Course<'a>>,
    /// Channels of live input that there is room for.
    inputs: u16,
    length: Option<u64>,
    trouble: Trouble,
    /// What was warned of.
    told: Told,
    /// Whether it was told that the devices' clocks differ.
    drift_told: bool,
    keeper: Keeper,
    /// The versions of the ramps that have set out.
    ramps: BTreeSet<u64>,
    programs: Programs,
    overload: Overload,
}

impl<'a> Playing<'a> {
    fn start(
        arguments: &'a Play,
        library: Arc<Library>,
        watch: Watch,
        first: First<'_>,
        wake: impl Fn() + Send + Sync + 'static,
        events: Sender<Event>,
    ) -> Result<Self, Failure> {
        let First { text, taken, graph, session, told } = first;
        let (desk, program) =
            Desk::open(graph, Some(recorder::STEMS_OF)).map_err(|flaw| Failure::Error(flaw.to_string()))?;
        let rate = session.sample_rate;
        let heard = load::live_inputs(session);
        let inputs = heard.iter().flat_map(|(_, channels)| channels).copied().max().unwrap_or(0).max(2);
        let others = recorder::wanted(arguments);
        let keep = journal::wanted(arguments.journal.as_ref(), others);
        let setup = Setup { rate, keep, inputs: usize::from(inputs), cushion: 2 * arguments.buffer as usize };
        let leaving = program.plan.outputs.iter().flat_map(|output| &output.channels);
        let ahead = session.cue_output.iter().flat_map(|(channels, _)| channels);
        let channels = leaving.chain(ahead).copied().max().unwrap_or(2);
        let first = Expected::of(&program, &heard);
        let mut programs = Programs::default();
        programs.remember(&program);
        // Those of the first text begin where the transport does.
        let mut ramps = BTreeSet::new();
        new_ramps(&program, &mut ramps);
        let (master, late) = program.plan.outputs.first().map_or((2, 0), |output| (output.slots.count, output.late));
        let (live, player, listener, mut recordings) = start(program, setup);
        let player = player.with_ceiling(arguments.max_level);
        let kept = Performance { session: &arguments.session, rate, seed: session.seed, channels: master };
        let heard_again = if keep.inputs > others.inputs { recordings.inputs.pop() } else { None };
        let bounds =
            journal::Bounds { part: arguments.journal_part.frames(&session.clock()), most: arguments.journal_room };
        let journal = Journal::start(arguments.journal.as_ref(), kept, heard_again, bounds)?;
        journal.text(taken, When::BEGINNING, Changes::default());
        let length = arguments.length.map(|length| length.frames(&session.clock()));
        let recorders = Recorders::start(arguments, recordings, first, rate, length)?;
        status::say(format!("playing {}", arguments.session.display()));
        let showing = Showing::open(arguments);
        let controllers = Controllers::start(arguments, wake);
        let wish = Wish { device: arguments.device.as_ref(), rate, buffer: arguments.buffer, channels };
        // Who is told that it plays can tell it something.
        let editors = Editors::listening(arguments, &events);
        let output = sound::open_output(wish, Box::new(player))?;
        let given = Given { rate, seed: session.seed, home: last_good::home(&arguments.session) };
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
            recorders,
            heard,
            journal,
            late: late as u64,
            in_flight: None,
            waiting: None,
            hand: None,
            sounding: text.known().clone(),
            text,
            sources: graph.event_sources(),
            controllers,
            orders: VecDeque::new(),
            looking: Looking::default(),
            showing,
            monitoring: Monitoring::default(),
            comparing: Comparing::default(),
            origin: Origin::Text,
            panicked: false,
            aside: Aside::new(events),
            clocks: Clocks::default(),
            saving: Saving::default(),
            prompt: None,
            editors,
            tapping: Tapping::default(),
            keeping: Keeping::default(),
            written: None,
            given,
            course: None,
            inputs,
            length,
            trouble: Trouble::default(),
            told,
            drift_told: false,
            keeper: Keeper::start(&arguments.session),
            ramps,
            programs,
            overload: Overload::default(),
        };
        playing.listen_if_needed(session)?;
        playing.controllers.listen(playing.text.known(), &playing.sources);
        playing.keep_company(&session.company);
        playing.send_notes(&graph.sent, 0);
        sound::tell_of_channels(graph, session, playing.channels(), "the device has no more");
        if playing.input.is_some() {
            playing.late_inputs().iter().for_each(|late| status::say(late.said(rate)));
        }
        Ok(playing)
    }

    /// Takes part in what happens until it is over.
    fn follow(&mut self, events: &Receiver<Event>) -> Outcome {
        while !self.is_over() {
            match events.recv_timeout(self.pause()) {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(Event::File(news)) => status::unheard(|| self.noticed(news)),
                Ok(Event::Typed(typed)) => {
                    if status::unheard(|| self.typed(&typed)) {
                        return Ok(());
                    }
                }
                Ok(Event::Done(then)) => {
                    then(self);
                    if self.is_over_aside() {
                        return Ok(());
                    }
                }
                Ok(Event::Told(asked)) => self.editors.take(asked),
                Ok(Event::Control) | Err(RecvTimeoutError::Timeout) => {}
            }
            // What happened before this frame has been reported by now.
            let frame = self.live.clock();
            self.hear_reports();
            self.journal.reached(frame);
            self.controlled();
            self.tell_levels();
            self.go_on();
            if self.heed() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A file was saved: the newest text is evaluated, and sent unless something is wrong with it.
    fn edited(&mut self, changed: &Changed) {
        if self.is_saved_here(changed) {
            return;
        }
        let given = &self.given;
        let (says, at) = (Cell::new(None), Cell::new(None));
        let (desk, live) = (&self.desk, &self.live);
        let loaded = self.text.edited(&self.arguments.session, &self.library, |session| {
            if (session.sample_rate, session.seed) != (given.rate, given.seed) {
                says.set(Some("sample_rate and seed take effect at the next start"));
            }
            given.hold(session);
            let (moment, tempo) = moment(desk, live, session);
            at.set(moment);
            tempo
        });
        let watched = watched(self.arguments, &loaded);
        if watched != self.watched {
            self.watch.files(&watched);
            self.watched = watched;
        }
        loaded.show_news(&mut self.told);
        if loaded.graph.is_none() {
            self.show_text(&loaded);
            let file = changed.file.display();
            return status::say(format!("{file}: not taken; the last good text still plays"));
        }
        says.take().into_iter().for_each(status::say);
        self.accept(loaded, at.get());
    }

    /// Takes a text up that is right, from a frame on or at once.
    fn accept(&mut self, loaded: Loaded, at: Option<u64>) {
        self.end_comparison();
        self.take_up(loaded, at, Origin::Text);
    }

    /// Lets a text wait for its moment.
    fn take_up(&mut self, loaded: Loaded, at: Option<u64>, origin: Origin) {
        self.end_audition();
        self.show_taken(&loaded, origin);
        let taken = Taken::of(&loaded);
        let (Some(graph), Some(session)) = (loaded.graph, loaded.session) else { return };
        // What was opened is not opened anew while it plays: what is beyond it is told of.
        if let Err(failure) = self.listen_if_needed(&session) {
            status::warning(format!("live inputs are silent: {failure}"));
        }
        sound::tell_of_channels(
            &graph,
            &session,
            self.channels(),
            "if the device has more, they come at the next start",
        );
        if let Some(at) = at.filter(|at| *at > self.live.transport() + self.frames(HORIZON)) {
            let bar = self.desk.mesh().tempo.bar_at(at as i64);
            let seconds = (at - self.live.transport()) as f64 / f64::from(self.given.rate);
            status::say(format!("taken; heard from {}.bars on, in {seconds:.1} s", rounded(bar)));
        }
        // Until it is heard, what plays goes on listening too.
        self.sources.extend(graph.event_sources());
        self.controllers.listen(self.text.known(), &self.sources);
        if !graph.is_made() {
            status::say("its sound is being warped: it is heard when that is done");
        }
        self.keep_company(&session.company);
        self.waiting = Some(Waiting { session, graph, taken, at, origin, is_behind: false });
        self.teach();
        if origin == Origin::Text {
            self.look_at_lesson();
        }
    }

    /// Sends what waits, if the way is free: the newest text first, then what is left when fades are over.
    fn go_on(&mut self) {
        if self.in_flight.is_some() {
            return;
        }
        let ended =
            |desk: &mut Desk, now| desk.settle(now).map(|next| next.map(|program| (program, Sent::Settled(now))));
        let looks = self.looked_at();
        self.aim_anew();
        let is_time = self.is_time();
        let next = match self.hand.take().or_else(|| self.waiting.take_if(|_| is_time)) {
            Some(waiting) => {
                // A hand that never rests must not keep what has ended from being taken out.
                let next =
                    if waiting.origin == Origin::Hand { ended(&mut self.desk, self.live.clock()) } else { Ok(None) };
                match next {
                    Ok(Some(_)) => {
                        self.hand = Some(waiting);
                        next
                    }
                    _ => self.edit(waiting),
                }
            }
            // What has ended is taken out first, however often it is looked at something else.
            None => match ended(&mut self.desk, self.live.clock()) {
                Ok(None) if *self.desk.looks() != looks => {
                    let metered = looks.meters;
                    self.desk.observe(looks).map(|program| Some((program, Sent::Metered(metered))))
                }
                next => next,
            },
        };
        match next {
            Ok(Some((program, sent))) => self.send(program, sent),
            Ok(None) => {}
            Err(flaw) => status::error(format!("{flaw}; what played plays on")),
        }
    }

    /// The program that takes what runs to a text, and what to say of it.
    fn edit(&mut self, waiting: Waiting) -> Result<Option<(Box<Program>, Sent)>, Flaw> {
        let Waiting { session, graph, taken, at, origin, .. } = self.in_time(waiting);
        let before = self.desk.looks().trim;
        self.desk.turn(self.trim(origin));
        let edited = self.desk.edit(&graph, at).inspect_err(|_| self.desk.turn(before))?;
        let by_hand = origin == Origin::Hand;
        self.origin = origin;
        self.showing.will_be_seen(&graph, &session);
        let known = Rc::new(Known::new(session));
        let Some((program, changes)) = edited else {
            // It is turned nevertheless, by the next program.
            self.desk.turn(before);
            if !by_hand && *graph.sent == *self.clocks.notes() {
                status::say("no change to the sound");
            }
            self.send_notes(&graph.sent, at.unwrap_or(self.live.transport()));
            if origin == Origin::Text {
                self.keeper.keep(taken.files().to_vec());
                self.text.is_heard(known.clone());
            }
            self.sounding = known;
            self.showing.is_seen(&Changes::default(), &[]);
            self.journal.text(taken, When::Nothing(self.live.clock()), Changes::default());
            return Ok(None);
        };
        self.heard = load::live_inputs(known.alone());
        // What a hand sets is told when it rests; that other paths had to be re-aligned is told at once.
        let told = !by_hand || !changes.realigned.is_empty();
        let edited = Edited { taken, changes, wanted: at, told, graph, known, is_text: origin == Origin::Text };
        Ok(Some((program, Sent::Text(Box::new(edited)))))
    }

    fn send(&mut self, mut program: Box<Program>, sent: Sent) {
        self.looking.at(&mut program, self.given.rate);
        self.tell_of_cue(&program);
        self.wait_for_media(&program);
        self.recorders.expect(Expected::of(&program, &self.heard));
        self.programs.remember(&program);
        let ramps = new_ramps(&program, &mut self.ramps);
        self.in_flight = Some(InFlight { serial: program.serial, ramps, sent });
        if self.live.send(program).is_err() {
            unreachable!("nothing is sent while a program is in flight");
        }
    }
}
