//! Circuits written as formulas: signals that add and multiply, and an error that waits until the end.

use std::cell::RefCell;
use std::ops::{Add, Mul, Sub};

use super::{Binary, Builder, Circuit, Figure, Pass, Signal, Unary, Wave};

/// A circuit that is being written, and the first thing that was wrong with it.
pub(crate) struct Sketch {
    state: RefCell<Result<Builder, String>>,
}

/// A signal of a sketch.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    sketch: &'a Sketch,
    at: Signal,
}

impl Sketch {
    /// Of a voice.
    pub fn voice() -> Sketch {
        Sketch { state: RefCell::new(Builder::new(0)) }
    }

    fn write(&self, with: impl FnOnce(&mut Builder) -> Result<Signal, String>) -> Line<'_> {
        let mut state = self.state.borrow_mut();
        let made = match &mut *state {
            Ok(builder) => with(builder),
            Err(_) => Ok(Signal(0)),
        };
        let at = made.unwrap_or_else(|error| {
            *state = Err(error);
            Signal(0)
        });
        Line { sketch: self, at }
    }

    /// A number.
    pub fn number(&self, x: f64) -> Line<'_> {
        self.write(|b| b.constant(x))
    }

    /// What is known of the note.
    pub fn note(&self, figure: Figure) -> Line<'_> {
        self.write(|b| b.note(figure))
    }

    /// A parameter.
    pub fn parameter(&self, name: &str, default: f64, least: f64, most: f64) -> Line<'_> {
        self.write(|b| b.parameter(name, default, least, most))
    }

    /// An oscillator that begins at a part of its cycle.
    pub fn wave<'a>(&'a self, wave: Wave, freq: Line<'a>, phase: Line<'a>) -> Line<'a> {
        let half = self.number(0.5);
        self.write(|b| b.oscillator(wave, freq.at, half.at, phase.at))
    }

    /// An LFO of the transport.
    pub fn sway(&self, rate: f64) -> Line<'_> {
        self.write(|b| b.lfo(rate, Wave::Sine, super::Clock::Transport))
    }

    /// Falling by 60 dB in so many milliseconds.
    pub fn decay<'a>(&'a self, ms: Line<'a>) -> Line<'a> {
        self.write(|b| b.decay(ms.at))
    }

    /// An envelope.
    pub fn envelope(&self, attack: f64, decay: f64, sustain: f64, release: f64) -> Line<'_> {
        let [a, d, s, r] = [attack, decay, sustain, release].map(|x| self.number(x).at);
        self.write(|b| b.envelope(a, d, s, r))
    }

    /// The circuit that gives these.
    ///
    /// # Errors
    /// The first thing that was wrong.
    pub fn finish(self, outputs: &[Signal]) -> Result<Circuit, String> {
        self.state.into_inner()?.finish(outputs)
    }
}

impl<'a> Line<'a> {
    /// The signal that it stands for.
    pub fn signal(self) -> Signal {
        self.at
    }

    /// A function of it.
    pub fn unary(self, function: Unary) -> Line<'a> {
        self.sketch.write(|b| b.unary(function, self.at))
    }

    /// The lesser of it and a number.
    pub fn at_most(self, most: f64) -> Line<'a> {
        let most = self.sketch.number(most);
        self.sketch.write(|b| b.binary(Binary::Min, self.at, most.at))
    }

    /// The greater of it and a number.
    pub fn at_least(self, least: f64) -> Line<'a> {
        let least = self.sketch.number(least);
        self.sketch.write(|b| b.binary(Binary::Max, self.at, least.at))
    }

    /// What is left after its whole part is taken away.
    pub fn part(self) -> Line<'a> {
        self - self.unary(Unary::Floor)
    }

    /// Through a filter.
    pub fn filter(self, pass: Pass, freq: Line<'a>, q: Line<'a>) -> Line<'a> {
        self.sketch.write(|b| b.filter(pass, self.at, freq.at, q.at))
    }
}

macro_rules! operators {
    ($($name:ident $method:ident)+) => {
        $(impl<'a> $name for Line<'a> {
            type Output = Line<'a>;
            fn $method(self, other: Line<'a>) -> Line<'a> {
                let function = operators!(@ $name);
                self.sketch.write(|b| b.binary(function, self.at, other.at))
            }
        }
        impl<'a> $name<f64> for Line<'a> {
            type Output = Line<'a>;
            fn $method(self, other: f64) -> Line<'a> {
                self.$method(self.sketch.number(other))
            }
        })+
    };
    (@ Add) => { Binary::Add };
    (@ Sub) => { Binary::Subtract };
    (@ Mul) => { Binary::Multiply };
}
operators!(Add add Sub sub Mul mul);
