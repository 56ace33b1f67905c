//! `replay JOURNAL --checkpoint PART`: follows a performance, as fast and as modestly as it can, until that part of its journal
//! begins with a checkpoint. `play` starts it beside itself.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use engine::media::Library;
use engine::replay::Replay;

use super::STEMS_OF;
use super::performance::Performance;
use crate::ending::{Failure, Outcome};
use crate::journal::record::Text;
use crate::journal::{Ending, Kept, parts};

/// How long to wait for more of a performance that it has caught up with.
const REST: Duration = Duration::from_millis(500);

/// Makes the checkpoint of a part, counted from 1.
///
/// # Errors
/// It cannot be made, or the performance ends before.
pub fn make(journal: Option<&Path>, part: usize) -> Outcome {
    step_back(MOST_MODEST);
    let alone = left_alone()?;
    let mut kept = Kept::follow(journal)?;
    let folder = kept.folder.clone();
    let begins = |kept: &Kept| kept.parts.iter().find(|(number, _)| *number == part).map(|(_, frame)| *frame);
    let begin = begins(&kept).ok_or_else(|| {
        Failure::Error(format!("{}: its journal has no part {part} to make a checkpoint for", folder.display()))
    })?;
    let (mut library, mut desk) = (Library::new(), None);
    loop {
        let mut performance = Performance::new(&kept, library);
        let (mut replay, mut text): (Replay, Text) = match desk.take() {
            Some(desk) => desk,
            None => {
                let nearest = performance.resume(begin, Some(STEMS_OF));
                let nearest = nearest.map_or_else(|| performance.begin(Some(STEMS_OF)), Ok)?;
                (nearest.replay, nearest.text)
            }
        };
        let mut heard = performance.heard(replay.frame())?;
        let mut records = performance.records_from(replay.frame()).peekable();
        // Of the quantum at the frame that is reached something may still come.
        while replay.frame() < kept.reached {
            if alone.load(Ordering::Relaxed) {
                return Err(Failure::Error(format!("{}: nobody waits for its checkpoint any more", folder.display())));
            }
            let taken = performance.quantum(&mut replay, &mut records, heard.as_mut(), false)?;
            text = taken.cloned().unwrap_or(text);
            if replay.frame() > begin
                && let Some(checkpoint) = performance.checkpoint(&mut replay, &text, STEMS_OF)?
            {
                let into = parts::folder(&folder, part);
                return checkpoint.write(&into).map_err(|error| {
                    Failure::Error(format!("{}: the checkpoint cannot be written: {error}", into.display()))
                });
            }
        }
        drop(records);
        if kept.ending != Ending::Playing || alone.load(Ordering::Relaxed) {
            let why = "the performance came to its end, or cannot be followed, before its desk was at rest";
            return Err(Failure::Error(format!("{}: {why}", folder.display())));
        }
        desk = Some((replay, text));
        library = performance.into_library();
        thread::sleep(REST);
        kept = kept.go_on()?;
    }
}

/// Whether whoever has started this is gone: that holds the other end of standard input.
fn left_alone() -> Result<Arc<AtomicBool>, Failure> {
    let alone = Arc::new(AtomicBool::new(false));
    let told = alone.clone();
    let listener = thread::Builder::new().name("gainstage-parent".into()).spawn(move || {
        // Nothing is ever sent: it ends when the other end is closed.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        told.store(true, Ordering::Relaxed);
    });
    listener.map_err(|error| Failure::Error(format!("there is no thread to listen: {error}")))?;
    Ok(alone)
}

/// Lets everything else on the machine go first, where the system knows of that.
pub fn step_back(modesty: i32) {
    // Whoever may not step back goes on as it is.
    #[cfg(unix)]
    let _ = rustix::process::nice(modesty);
    #[cfg(not(unix))]
    let _ = modesty;
}

/// As modest as can be.
const MOST_MODEST: i32 = 19;

/// As modest as who is waited for can be.
pub const MODEST: i32 = 10;
