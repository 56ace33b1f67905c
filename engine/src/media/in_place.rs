//! A file that is read when its sound is wanted, by whoever wants it: in a rendering, which can wait, this costs less than to have
//! another thread hand it over.

use std::sync::Arc;

use super::reader::put;
use super::region::Run;
use super::window::{Found, Window};
use super::{Fault, Media, guarded};
use crate::kernel::Buffer;

/// A region of a file, read run by run.
pub(super) struct InPlace {
    media: Arc<Media>,
    /// `None` once the file has turned out to be damaged.
    window: Option<Box<Window>>,
}

impl InPlace {
    pub(super) fn new(media: Arc<Media>, window: Window) -> InPlace {
        InPlace { media, window: Some(Box::new(window)) }
    }

    /// Lays runs into buffers, as `channels` lists the file's for each, counted from 0. From where the file is damaged it is silent,
    /// and its fault says why.
    pub(super) fn read(&mut self, mut runs: impl Iterator<Item = Run>, channels: &[usize], audio: &mut [Buffer]) {
        let Some(window) = &mut self.window else { return };
        if let Err(fault) = guarded(|| runs.try_for_each(|run| lay_from(window, run, channels, audio))) {
            self.media.fail(fault);
            self.window = None;
        }
    }
}

/// Lays a run of a file into buffers.
fn lay_from(window: &mut Window, mut run: Run, channels: &[usize], audio: &mut [Buffer]) -> Result<(), Fault> {
    // Whoever reads in place waits for as many as it takes.
    let mut blocks = usize::MAX;
    while run.count > 0
        && let Some(Found { sound, frames }) = window.reach(run, &mut blocks)?
    {
        let count = frames.len();
        put(sound, frames, run.at, channels, audio);
        run = Run { at: run.at + count, frame: run.frame + count as u64, count: run.count - count };
    }
    Ok(())
}
