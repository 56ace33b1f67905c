//! What is done with what somebody types at the prompt: lines become text, commands are obeyed.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

use engine::desk::Desk;
use engine::live::Live;
use engine::media::Library;
use engine::parameter::{Parameter, Spoken, Value};
use engine::session::Session;
use engine::tempo::{Grid, Tempo};
use engine::transport::Move;
use engine::units::Unit;

use super::Playing;
use super::moment::{Given, moment};
use crate::changes::{describe, rounded};
use crate::load::Loaded;
use crate::paint::Paint;
use crate::prompt::{Command, Midi, Piece, Timing, Typed, Vocabulary, page, pieces};
use crate::text::{Answer, Text};
use crate::{graph, scenes, status, trying, words};

/// A time as it is typed: `4.bars`, `500.ms`.
static TIME: Parameter = Parameter::number("time", Unit::Milliseconds, 0.0, 1.0, 3_600_000.0, "a time");

/// When a text is heard, and how fast it is taken up, where that is not as it says itself.
#[derive(Default)]
pub(super) struct Timed {
    over: Option<f64>,
    at: Option<Grid>,
}

impl Timed {
    /// Has a text wait for its own grid, also when its moment is looked for again.
    pub(super) fn hold(&self, loaded: &mut Loaded) {
        for session in loaded.session.iter_mut().filter(|_| self.at.is_some()) {
            Arc::make_mut(session).quantize = self.at;
        }
    }
}

/// A step through what was typed: what it was about, and the text that comes of it.
type Step = fn(&mut Text, &Library, &dyn Fn(&mut Session) -> Tempo) -> Option<(String, Loaded)>;

impl Playing<'_> {
    /// Does what was typed; whether that is the end.
    pub(super) fn typed(&mut self, typed: &Typed) -> bool {
        if self.waits_its_turn(typed) {
            return false;
        }
        let line = match typed {
            Typed::End => return true,
            Typed::Beat(at) if self.tapping.is_on() => {
                self.tapped(*at);
                return false;
            }
            Typed::Beat(_) => return false,
            Typed::Line(line) => line,
        };
        pieces(line).into_iter().any(|piece| match piece {
            // What stands before it may have to be waited for.
            Piece::Line(line) => !self.waits_its_turn(&Typed::Line(line.clone())) && self.line_typed(&line),
            Piece::Unfinished(begun) => {
                status::warning(format!("left out, since it has no end: {begun}"));
                false
            }
        })
    }

    /// Does what one line says; whether that is the end.
    fn line_typed(&mut self, line: &str) -> bool {
        let command = Command::read(line);
        if command != Ok(Command::Tap) {
            self.tapping.end();
        }
        match command {
            Err(why) => status::error(why),
            Ok(Command::Quit) => {
                status::below();
                return true;
            }
            Ok(command) => self.command(command),
        }
        false
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Line(line, timing) => match self.timed(&timing) {
                Ok(timed) => self.line(&line, &timed),
                Err(why) => status::error(why),
            },
            Command::Plan(line) => self.plan(&line),
            Command::Undo => self.step(Text::undo, "taken back", "nothing was typed that could be taken back"),
            Command::Redo => self.step(Text::redo, "taken up again", "nothing was taken back"),
            Command::Drop => self.step(Text::forget, "dropped", "there are no lines"),
            Command::Text => status::say(self.text.shown()),
            Command::Graph => {
                if let Some(Loaded { session: Some(session), graph: Some(flow), .. }) = self.as_it_stands() {
                    status::say(graph::text(&session, &flow).trim_end());
                }
            }
            Command::History => {
                let lines: Vec<&str> = self.text.history().collect();
                status::say(if lines.is_empty() {
                    "nothing was typed that could be taken back".into()
                } else {
                    lines.join("\n")
                });
            }
            Command::Save(to) => self.save(to),
            Command::Scene(name) => self.scene(name),
            Command::Go(name, timing) => self.go(name, timing),
            Command::Start => self.start_counted_in(),
            Command::Stop => self.order(Move::Stop),
            Command::Panic => self.order(Move::Panic),
            Command::Click(bars) => self.click(bars),
            Command::Level(level) => self.turn_monitor(level.as_deref()),
            Command::Dim => self.dim(),
            Command::Mono => self.mono(),
            Command::Cue(what) => self.cue(what.as_deref()),
            Command::Compare(revision) => self.compare(revision),
            Command::Locate(bars) => {
                let frame = self.desk.mesh().tempo.frame_of_bar(bars);
                self.order(Move::Locate(frame.max(0.0) as u64));
            }
            Command::Tap => {
                self.tapping.begin();
                self.tapped(Instant::now());
            }
            Command::Record(file) => self.record(file),
            Command::Stems(dir) => self.record_stems(dir),
            Command::Keep(time, file) => self.keep_last(&time, file),
            Command::Midi(asked) => self.midi(asked),
            Command::Devices => super::device::list(),
            Command::Device(device) => self.change_device(device),
            Command::Target => status::say(self.distance().unwrap_or_else(|| {
                "there is no figure yet: write `target(\"streaming\")`, and let it play for a while".into()
            })),
            Command::Meters(how) => self.show_meters(how),
            Command::Why(path) => self.why(&path),
            Command::Freeze(path, bars) => self.freeze(&path, bars),
            Command::Latency => self.tell_latency(),
            Command::Try(word) => self.try_word(&word),
            Command::Words(word) => match words::shown(word.as_deref(), Paint::stderr()) {
                Ok(text) => {
                    let line = word.and_then(|word| Some((trying::line(&word, self.text.known().alone()).ok()?, word)));
                    let hint = line.map_or(String::new(), |(line, word)| {
                        format!("\n\n`:try {word}` types {line}; `:undo` takes it back")
                    });
                    status::say(format!("{}{hint}", text.trim_end()));
                }
                Err(why) => status::error(why),
            },
            Command::Lesson(asked) => self.lesson(asked),
            Command::Help => status::say(page()),
            Command::Quit => {}
        }
    }

    /// Gives the transport an order.
    pub(super) fn order(&mut self, order: Move) {
        if self.live.order(order).is_err() {
            status::error("too much is ordered at once; type it again");
        }
    }

    /// A line of text.
    pub(super) fn line(&mut self, line: &str, timed: &Timed) {
        let at = Cell::new(None);
        let change = in_time(&self.given, &self.desk, &self.live, timed, &at);
        match self.text.typed(&self.library, line, change) {
            Answer::Taken(mut loaded) => {
                loaded.show_news(&mut self.told);
                timed.hold(&mut loaded);
                self.accept(*loaded, at.get());
            }
            Answer::Value(Some(value)) => status::say(value),
            Answer::Value(None) => status::say("that changes nothing, and is not kept"),
            Answer::Refused(loaded) => {
                loaded.show();
                status::refuse("not taken; what played plays on");
            }
        }
    }

    /// A line of text in place of another, if that is what was typed last.
    pub(super) fn line_in_place_of(&mut self, before: Option<&str>, line: &str) {
        if before.is_some() && self.text.history().last() == before {
            let (at, now) = (Cell::new(None), Timed::default());
            let change = in_time(&self.given, &self.desk, &self.live, &now, &at);
            if self.text.tried(&self.library, line, &change).graph.is_some() {
                // What it is without it is not heard: the other follows.
                let _ = self.text.undo(&self.library, &change);
            }
        }
        self.line(line, &Timed::default());
    }

    /// What MIDI controllers are to do.
    fn midi(&mut self, asked: Midi) {
        let done = match asked {
            Midi::Shown => {
                status::say(self.controllers.maps());
                Ok(())
            }
            Midi::Learn(Some(path)) => self.controllers.learn(self.text.known(), &path),
            Midi::Learn(None) => {
                self.controllers.stop_learning();
                Ok(())
            }
            Midi::Forget(path) => self.controllers.forget(&path),
        };
        done.unwrap_or_else(status::error);
    }

    /// Makes a step through what was typed, if there is one to make.
    fn step(&mut self, make: Step, done: &str, none: &str) {
        let (at, now) = (Cell::new(None), Timed::default());
        let made = {
            let change = in_time(&self.given, &self.desk, &self.live, &now, &at);
            make(&mut self.text, &self.library, &change)
        };
        match made {
            None => status::say(none),
            Some((typed, loaded)) => {
                status::say(format!("{done}: {typed}"));
                self.accept(loaded, at.get());
            }
        }
    }

    /// Says what a line would change.
    fn plan(&mut self, line: &str) {
        let (at, now) = (Cell::new(None), Timed::default());
        let change = in_time(&self.given, &self.desk, &self.live, &now, &at);
        let loaded = self.text.tried(&self.library, line, change);
        loaded.show();
        let Some(graph) = &loaded.graph else { return status::refuse("it would not be taken") };
        let Some(changes) = self.desk.preview(graph) else { return status::say("plan: no change to the sound") };
        let when = match at.get() {
            Some(frame) => format!(", heard from {}.bars on", rounded(self.desk.mesh().tempo.bar_at(frame as i64))),
            None => ", heard at once".into(),
        };
        let later = self.later(graph).map_or(String::new(), |later| format!("; {later}"));
        status::say(format!("plan: {}{when}{later}", describe(&changes)));
        self.weigh(graph);
    }

    /// Types the example of a word.
    fn try_word(&mut self, word: &str) {
        match trying::line(word, self.text.known().alone()) {
            Err(why) => status::error(why),
            Ok(line) => {
                status::say(format!("> {line}"));
                self.line(&line, &Timed::default());
            }
        }
    }

    /// When and how fast a line is to be heard, by the times that were typed with it.
    pub(super) fn timed(&self, timing: &Timing) -> Result<Timed, String> {
        let over = timing.over.as_deref().map(|time| self.milliseconds(time)).transpose()?;
        let clock = self.desk.mesh().tempo.clock();
        let at = timing.at.as_deref().map(|time| self.time(time)).transpose()?;
        Ok(Timed {
            over,
            at: at.map(|time| match time {
                Value::Bars(bars) => Grid::Bars(bars),
                Value::Beats(beats) => Grid::Beats(beats),
                other => Grid::Milliseconds(TIME.plain(&other, &clock)),
            }),
        })
    }

    /// A time as it is typed, in milliseconds.
    pub(super) fn milliseconds(&self, text: &str) -> Result<f64, String> {
        Ok(TIME.plain(&self.time(text)?, &self.desk.mesh().tempo.clock()))
    }

    fn time(&self, text: &str) -> Result<Value, String> {
        let wrong = || format!("`{text}` is no time: write 4.bars, 2.beats, 500.ms or 3.s");
        let (number, unit) = text.rsplit_once('.').ok_or_else(wrong)?;
        let unit = Unit::ALL.into_iter().find(|known| known.suffix() == unit).ok_or_else(wrong)?;
        let said = Spoken::Number(number.parse().map_err(|_| wrong())?, unit);
        let accepted = TIME.accept(&said, &self.desk.mesh().tempo.clock());
        accepted.map(|accepted| accepted.value).map_err(|refusal| format!("{}; {}", refusal.message, refusal.expected))
    }

    /// Tells the prompt what can be completed.
    pub(super) fn teach(&self) {
        let Some(prompt) = &self.prompt else { return };
        let (session, names) = self.text.known().session();
        let (folder, scenes) = (session.folder.clone(), scenes::folder(&self.arguments.session));
        prompt.know(Vocabulary { names: self.text.names(), paths: names.called(session), folder, scenes });
    }
}

/// The musical time in which a text is heard, and from when on, which is left in `at`.
pub(super) fn in_time<'a>(
    given: &'a Given,
    desk: &'a Desk,
    live: &'a Live,
    timed: &'a Timed,
    at: &'a Cell<Option<u64>>,
) -> impl Fn(&mut Session) -> Tempo + 'a {
    move |session| {
        given.hold(session);
        let own = session.quantize;
        session.quantize = timed.at.or(own);
        session.tempo_over = timed.over.unwrap_or(0.0);
        let (moment, tempo) = moment(desk, live, session);
        session.quantize = own;
        if let Some(over) = timed.over {
            session.crossfade = over;
        }
        at.set(moment);
        tempo
    }
}
