//! The state of what flows: gains and delays of edges, wet against dry, the lines of loops.

use super::{Aim, blend, turn};
use crate::delay_line::DelayLine;
use crate::fade::Ramp;
use crate::graph::Controlled;
use crate::keep::keep;
use crate::kernel::{Buffer, QUANTUM};
use crate::lane::{Lane, Steering};
use crate::plan::PlanControl;
use crate::transport::{self, Quantum};

/// Wet against dry of a composed effect.
pub struct BlendCell {
    share: Lane,
    is_new: bool,
}

impl BlendCell {
    /// A blend at rest. Not RT.
    pub fn new(wet: f64) -> Self {
        BlendCell { share: Lane::share(wet), is_new: true }
    }

    /// Sets out for what a program says. RT.
    pub fn aim(&mut self, aim: &Aim<'_>) {
        let is_new = std::mem::replace(&mut self.is_new, false);
        turn(&mut self.share, Controlled::Wet, aim.wet, aim, is_new);
    }

    /// Blends one quantum into what holds the wet side. RT.
    pub fn process(
        &mut self,
        wet: &mut [Buffer],
        dry: &[Buffer],
        control: Option<&PlanControl>,
        followed: &[Buffer],
        steering: &Steering<'_>,
    ) {
        let mut at = 0;
        while at < QUANTUM {
            let end = if self.share.is_still() { QUANTUM } else { self.share.stretch(at, control, steering) };
            let heard = control.map(|control| (control, control.followed.and_then(|n| followed.get(n))));
            let share = self.share.advance(at..end, heard, steering);
            for (channel, wet) in wet.iter_mut().enumerate() {
                if let Some(dry) = dry.get(channel).or(dry.first()) {
                    blend(&mut wet[at..end], &dry[at..end], share);
                }
            }
            at = end;
        }
    }
}

keep!(BlendCell: share, is_new);

/// The gain and delay of one edge.
pub struct EdgeCell {
    /// What the text and the fades of edits make of it.
    gain: Ramp,
    /// What a control makes of it.
    moved: Lane,
    is_new: bool,
    delay: usize,
    lines: Box<[DelayLine]>,
}

impl EdgeCell {
    /// An edge at a gain; one that `is_new` has not been heard, and goes along with a control from the beginning. Not RT.
    pub fn new(gain: f64, is_new: bool, delay: usize, channels: usize) -> Self {
        let lines = if delay > 0 { channels } else { 0 };
        let lines = (0..lines).map(|_| DelayLine::new(delay)).collect();
        EdgeCell { gain: Ramp::still(gain), moved: Lane::unity(), is_new, delay, lines }
    }

    /// Sets out for a gain after `wait` frames, to arrive in `fade` more; a control sets out after `aim`'s wait. Aiming where
    /// it already aims changes nothing, but what waits to fall silent does so no later than that. RT.
    pub fn aim(&mut self, goal: f64, wait: u32, fade: u32, aim: &Aim<'_>) {
        let is_new = std::mem::replace(&mut self.is_new, false);
        self.gain.aim(goal, wait, fade);
        if goal == 0.0 {
            self.gain.hasten(wait);
        }
        turn(&mut self.moved, Controlled::Gain, 1.0, aim, is_new);
    }

    /// The gain over the next quantum, if it is the same throughout and nothing waits. RT.
    pub fn steady(&self) -> Option<f64> {
        (self.gain.is_still() && self.is_unmoved() && self.delay == 0).then(|| self.gain.goal())
    }

    /// The gain over the next quantum. RT.
    pub fn advance(&mut self, control: Option<&PlanControl>, steering: &Steering<'_>) -> Quantum {
        let gain = Quantum::of(&mut self.gain);
        if self.is_unmoved() {
            return gain;
        }
        let mut gains = [0.0; QUANTUM];
        let mut at = 0;
        while at < QUANTUM {
            let end = self.moved.stretch(at, control, steering);
            let way = self.moved.advance(at..end, control.map(|control| (control, None)), steering);
            transport::write(&mut gains[at..end], way);
            at = end;
        }
        gain.scale(&mut gains);
        Quantum::moving(gains)
    }

    /// Whether no control makes anything of it. RT.
    fn is_unmoved(&self) -> bool {
        self.moved.is_still() && self.moved.value() == 1.0
    }

    /// Lets one channel's quantum wait its time. RT.
    pub fn delay(&mut self, channel: usize, sound: &mut Buffer) {
        if let Some(line) = self.lines.get_mut(channel) {
            sound.iter_mut().for_each(|x| *x = line.delay(*x, self.delay));
        }
    }

    /// Forgets all sound. RT.
    pub fn forget(&mut self) {
        self.lines.iter_mut().for_each(DelayLine::clear);
    }
}

keep!(EdgeCell: gain, moved, is_new, lines);

/// The line of a feedback loop.
pub struct LoopCell {
    lines: Box<[DelayLine]>,
    delay: usize,
}

impl LoopCell {
    /// A silent loop of `delay` frames, at least a quantum. Not RT.
    pub fn new(delay: usize, channels: usize) -> Self {
        LoopCell { lines: (0..channels).map(|_| DelayLine::new(delay)).collect(), delay }
    }

    /// What comes round in this quantum, before what goes in is written. RT.
    pub fn read(&self, out: &mut [Buffer]) {
        for (buffer, line) in out.iter_mut().zip(&self.lines) {
            for (i, y) in buffer.iter_mut().enumerate() {
                // The newest frame is 0 ago once written; frame i of this quantum is written i + 1 steps from now.
                *y = line.read(self.delay - i - 1);
            }
        }
    }

    /// What goes in. RT.
    pub fn write(&mut self, from: &[Buffer]) {
        for (line, buffer) in self.lines.iter_mut().zip(from) {
            buffer.iter().for_each(|x| line.write(*x));
        }
    }

    /// Forgets all sound. RT.
    pub fn forget(&mut self) {
        self.lines.iter_mut().for_each(DelayLine::clear);
    }
}

keep!(LoopCell: lines);
