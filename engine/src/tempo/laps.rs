//! What begins anew every so many bars, wherever the lines of those lie.

use super::Tempo;
use crate::keep::keep;

/// Where something lies on the transport that begins anew every so many bars.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Laps {
    /// The bar at which lap 0 begins.
    pub start: f64,
    /// How many bars a lap has.
    pub bars: f64,
}

keep!(Laps: start, bars);

impl Laps {
    /// The frame at which a lap begins: the one nearest to its line. RT.
    pub fn line(&self, tempo: &Tempo, lap: f64) -> i64 {
        (tempo.frame_of_bar(self.start + lap * self.bars) + 0.5).floor() as i64
    }

    /// Which lap a frame lies in; those before lap 0 are below it. RT.
    pub fn lap(&self, tempo: &Tempo, frame: i64) -> f64 {
        let mut lap = ((tempo.bar_at(frame) - self.start) / self.bars).floor();
        // The lines lie on whole frames.
        while self.line(tempo, lap + 1.0) <= frame {
            lap += 1.0;
        }
        while self.line(tempo, lap) > frame {
            lap -= 1.0;
        }
        lap
    }
}
