//! `:why`: listens for a moment along the way of a sound, and says where it is lost. The desk goes on meanwhile.

use std::time::{Duration, Instant};

use super::Playing;
use crate::changes::rounded;
use crate::paint::Paint;
use crate::status;
use crate::why::{Around, Level, Walk};

/// How long is listened, once that is possible.
const LISTENED: Duration = Duration::from_millis(400);

/// How long is waited until it is.
const PATIENCE: Duration = Duration::from_secs(3);

/// A question that is being looked into.
pub(super) struct Asked {
    walk: Walk,
    path: String,
    since: Instant,
    /// When all points were heard first, and from which piece on to ask each of them.
    heard: Option<(Instant, Vec<u64>)>,
}

impl Asked {
    /// Where to listen.
    pub(super) fn points(&self) -> impl Iterator<Item = &str> {
        self.walk.points()
    }
}

impl Playing<'_> {
    /// Takes a question: the answer comes when enough was heard.
    pub(super) fn why(&mut self, path: &str) {
        match self.walk(path) {
            Err(why) => status::error(why),
            Ok(walk) => {
                self.looking.asked = Some(Asked { walk, path: path.to_owned(), since: Instant::now(), heard: None });
            }
        }
    }

    /// The way of a path through the text as it is now.
    fn walk(&self, path: &str) -> Result<Walk, String> {
        let (session, names) = self.text.known().session();
        let again = self.as_it_stands();
        let said = self.text.declared();
        let Some(declared) = &said.session else { return Err("the text that plays cannot be read again".into()) };
        let is_line = |file: u16| said.files.get(usize::from(file)).is_some_and(|file| file.is_line);
        let inputs = match &self.input {
            None => 0,
            Some(_) => self.channels().1,
        };
        Walk::of(
            path,
            &Around {
                session,
                names,
                said: declared,
                graph: again.as_ref().and_then(|loaded| loaded.graph.as_ref()),
                is_line: &is_line,
                frame: self.live.transport(),
                rolling: self.live.is_rolling(),
                panicked: self.panicked,
                monitor_off: self.monitoring.is_off(),
                channels: (self.output.channels(), inputs),
            },
        )
    }

    /// Says what was found, once enough was heard.
    pub(super) fn answer(&mut self) {
        let Some(mut asked) = self.looking.asked.take() else { return };
        let now = Instant::now();
        let read = |point: &str, from| self.looking.measuring.as_ref().and_then(|all| all.read(point, from));
        let listens = self.in_flight.is_none()
            && asked.points().all(|name| self.desk.looks().points.iter().any(|point| point.name == name));
        let late = now.duration_since(asked.since) > PATIENCE;
        if asked.heard.is_none() && (listens || late) {
            let from = asked.points().map(|point| read(point, u64::MAX).map_or(0, |(_, next)| next)).collect();
            asked.heard = Some((now, from));
        }
        let Some((since, from)) = &asked.heard else { return self.looking.asked = Some(asked) };
        if now.duration_since(*since) < LISTENED && !late {
            return self.looking.asked = Some(asked);
        }
        let level = |name: &str| {
            let i = asked.points().position(|point| point == name)?;
            let (reading, _) = read(name, from[i]).filter(|(reading, _)| reading.since.samples > 0)?;
            Some(Level { peak: reading.since.sample_peak(), rms: reading.since.rms(), reduced: reading.since.reduced })
        };
        // What the transport has come to meanwhile is what is told of.
        let walk = self.walk(&asked.path).unwrap_or_else(|_| asked.walk.clone());
        let (text, told) = walk.answer(level);
        let files = self.text.declared().files;
        let paint = Paint::stderr();
        let quoted: String = told.iter().map(|one| scripting::report::render(one, &files, paint.is_on())).collect();
        if let Some(at) = self.waiting.as_ref().and_then(|waiting| waiting.at) {
            let bar = rounded(self.desk.mesh().tempo.bar_at(at as i64));
            status::say(format!(
                "the newest text waits for {bar}.bars: what is said here is of that, and is not heard before"
            ));
        }
        status::say(text);
        if !quoted.is_empty() {
            status::show(&quoted);
        }
        let late = self.late_inputs().into_iter().filter(|late| late.name == asked.path);
        late.for_each(|late| status::say(late.said(self.given.rate)));
    }
}
