//! When a text is to be heard, the musical time that it lives in, and what it is held to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::compile::Program;
use engine::desk::Desk;
use engine::graph::prepare_in;
use engine::live::Live;
use engine::session::Session;
use engine::tempo::Tempo;

use super::{BUSY, HORIZON, IDLE, IN_FLIGHT, Playing, Waiting};
use crate::journal::Taken;
use crate::load::Loaded;

/// The least time in which a text can be on its way and in place.
const PREPARATION: Duration = Duration::from_millis(20);

/// How long an edit waits for the first of a sound file that is read while it plays.
const MEDIA_PATIENCE: Duration = Duration::from_millis(500);

/// What no edit changes of a desk that plays.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) rate: u32,
    pub(super) seed: u64,
    /// The folder of the session, wherever a text of it lies.
    pub(super) home: PathBuf,
}

impl Given {
    /// Holds a text to it.
    pub(super) fn hold(&self, session: &mut Session) {
        (session.sample_rate, session.seed) = (self.rate, self.seed);
        session.folder.clone_from(&self.home);
    }

    /// A text held to it, in the musical time that a desk is in.
    pub(super) fn in_time_of<'a>(&'a self, desk: &'a Desk) -> impl Fn(&mut Session) -> Tempo + 'a {
        |session| {
            self.hold(session);
            desk.mesh().tempo.clone()
        }
    }
}

impl Playing<'_> {
    /// How many frames a time has.
    pub(super) fn frames(&self, time: Duration) -> u64 {
        frames(time, self.given.rate)
    }

    /// The newest text as it stands, prepared for the time that it is; none if file and lines do not go together.
    pub(super) fn as_it_stands(&self) -> Option<Loaded> {
        self.text.again(&self.library, self.given.in_time_of(&self.desk))
    }

    /// How long nothing has to be looked at unless an event comes.
    pub(super) fn pause(&self) -> Duration {
        let fades = self.desk.mesh().next_end().is_some() || self.hand.is_some() || self.controllers.has_writes();
        let fades = fades || self.editors.wait();
        let pause = match (&self.in_flight, &self.waiting) {
            (Some(_), _) => IN_FLIGHT,
            (None, _) if fades => BUSY,
            (None, Some(waiting)) => self.time_to(waiting).clamp(BUSY, IDLE),
            (None, None) => IDLE,
        };
        [self.clocks.pause(), self.looking.pause(), self.showing.pause()]
            .into_iter()
            .flatten()
            .fold(pause, Duration::min)
    }

    /// How long a text is still to wait before it is sent.
    pub(super) fn time_to(&self, waiting: &Waiting) -> Duration {
        let soon = self.live.transport() + self.frames(HORIZON);
        let at = waiting.at.filter(|_| self.live.is_rolling()).unwrap_or(soon);
        Duration::from_secs_f64(at.saturating_sub(soon) as f64 / f64::from(self.given.rate))
    }

    /// Waits a little until the sound that a program brings is at hand.
    pub(super) fn wait_for_media(&self, program: &Program) {
        let begun = Instant::now();
        while !program.media_ready(self.live.transport()) && begun.elapsed() < MEDIA_PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether the text that waits is to be sent now: its moment has come, and the sound that it warps is made.
    pub(super) fn is_time(&self) -> bool {
        self.waiting.as_ref().is_none_or(|waiting| self.time_to(waiting).is_zero() && waiting.graph.is_made())
    }

    /// A text that waits for a line of the grid waits for the next one when the transport has gone back.
    pub(super) fn aim_anew(&mut self) {
        let next = |waiting: &Waiting| moment(&self.desk, &self.live, &waiting.session).0;
        let sooner = |waiting: &&Waiting| waiting.at.is_some_and(|at| next(waiting).is_some_and(|next| next < at));
        if self.waiting.as_ref().filter(sooner).is_some() {
            self.waiting = self.waiting.take().map(|waiting| self.aimed(waiting));
        }
    }

    /// A text with its moment found from now on, and what it is in the musical time of then.
    fn aimed(&self, mut waiting: Waiting) -> Waiting {
        let (at, tempo) = moment(&self.desk, &self.live, &waiting.session);
        if let Some(graph) = prepare_in((*waiting.session).clone(), &self.library, tempo).graph {
            (waiting.graph, waiting.at) = (graph, at);
        }
        waiting
    }

    /// A text whose moment has gone by while it was read, or something else was on its way, has another one found; one
    /// since which a hand has written is read again with that.
    pub(super) fn in_time(&self, mut waiting: Waiting) -> Waiting {
        let now = self.live.transport();
        if waiting.is_behind {
            let again = self.text.again(&self.library, |session| {
                self.given.hold(session);
                session.crossfade = waiting.session.crossfade;
                session.tempo_over = waiting.session.tempo_over;
                self.time_from(waiting.at.unwrap_or(now), session)
            });
            if let Some(loaded) = again {
                waiting.taken = Taken::of(&loaded);
                if let Loaded { graph: Some(graph), session: Some(mut session), .. } = loaded {
                    Arc::make_mut(&mut session).quantize = waiting.session.quantize;
                    (waiting.graph, waiting.session) = (graph, session);
                }
            }
        }
        match self.live.is_rolling() && waiting.at.is_some_and(|at| at < now) {
            true => self.aimed(waiting),
            false => waiting,
        }
    }

    /// The musical time of a session that is heard from a frame on.
    fn time_from(&self, at: u64, session: &Session) -> Tempo {
        let mut tempo = self.desk.mesh().tempo.clone();
        tempo.change(at as i64, session.pace());
        tempo
    }
}

/// From which frame on a text is to be heard, if not at once, and the musical time that it lives in.
pub(super) fn moment(desk: &Desk, live: &Live, session: &Session) -> (Option<u64>, Tempo) {
    let mut tempo = desk.mesh().tempo.clone();
    let soonest = live.transport() + frames(PREPARATION, session.sample_rate);
    let at = match session.quantize.filter(|_| live.is_rolling()) {
        Some(grid) => Some(tempo.next_line(grid, soonest as i64)),
        None => (!tempo.keeps(&session.pace())).then_some(soonest as i64),
    };
    tempo.change(at.unwrap_or(soonest as i64), session.pace());
    (at.map(|at| at as u64), tempo)
}

/// How many frames a time has.
pub(super) fn frames(time: Duration, rate: u32) -> u64 {
    (time.as_secs_f64() * f64::from(rate)) as u64
}
