//! What a kernel is built from: a table's parameters with the values that a text gave them, and what surrounds them.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::form::Placed;
use crate::media::Media;
use crate::parameter::Value;
use crate::tempo::Tempo;
use crate::units::Clock;

/// Everything a kernel is built from.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Channels that come in; 0 for a source.
    pub channels: usize,
    /// Channels of the key; 0 without one.
    pub key_channels: usize,
    /// The session's clock.
    pub clock: Clock,
    /// The number for each parameter, then for each parameter of each part in order, as kernels receive them.
    pub values: Vec<f64>,
    /// The values as declared, in the same order: channels and paths are read here.
    pub settings: Vec<Value>,
    /// Which parts it has, in order, each an index into [`crate::parameter::Table::parts`].
    pub parts: Vec<usize>,
    /// The files it reads, in the order of its [`crate::parameter::Kind::Path`] and
    /// [`crate::parameter::Kind::Folder`] parameters, those of a folder in the order of their paths; then what is made of them.
    pub media: Vec<Arc<Media>>,
    /// The paths of the files of a folder from that on, in the same order.
    pub files: Vec<PathBuf>,
    /// For what is laid out by the bars of the transport before it is heard: where they lie.
    pub tempo: Option<Tempo>,
    /// A number drawn from the session's seed and the path, for whatever is random.
    pub seed: u64,
    /// Of a source: when it sounds, in order; throughout without any.
    pub spans: Option<Arc<[Placed]>>,
    /// Of an effect that others stand in: the branch that is to be built.
    pub branch: Option<Branch>,
}

/// One branch of an effect that takes a signal apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Branch {
    /// Which one, from 0.
    pub number: usize,
    /// Of how many.
    pub count: usize,
}

impl Recipe {
    /// One of which nothing is said but how many channels come in, and in which time.
    pub fn plain(channels: usize, clock: Clock) -> Self {
        Recipe {
            channels,
            key_channels: 0,
            clock,
            values: Vec::new(),
            settings: Vec::new(),
            parts: Vec::new(),
            media: Vec::new(),
            files: Vec::new(),
            tempo: None,
            seed: 0,
            spans: None,
            branch: None,
        }
    }

    /// The session's sample rate in Hz.
    pub fn rate(&self) -> f64 {
        self.clock.rate
    }
}
