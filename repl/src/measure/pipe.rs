//! Standard input that may never end: read beside the measuring, so that Ctrl-C ends it where it is.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Bytes that are read at a time, and pieces that may wait.
const PIECE: usize = 1 << 16;
const WAITING: usize = 16;

/// How long nothing may come before it is looked whether anybody still wants it.
const LOOK: Duration = Duration::from_millis(50);

/// What comes through standard input; at its end, or once it is interrupted, nothing more.
pub struct Pipe {
    /// In a lock that nobody waits for, since a decoder wants to be shared.
    pieces: Mutex<Receiver<io::Result<Vec<u8>>>>,
    piece: Vec<u8>,
    at: usize,
    interrupted: Arc<AtomicBool>,
}

impl Pipe {
    pub fn new(interrupted: Arc<AtomicBool>) -> io::Result<Pipe> {
        let (into, pieces) = sync_channel(WAITING);
        thread::Builder::new().name("input".into()).spawn(move || read(&into))?;
        Ok(Pipe { pieces: Mutex::new(pieces), piece: Vec::new(), at: 0, interrupted })
    }
}

/// Passes standard input on, to its end or until nobody wants it.
fn read(into: &SyncSender<io::Result<Vec<u8>>>) {
    let mut input = io::stdin().lock();
    loop {
        let mut piece = vec![0; PIECE];
        let read = input.read(&mut piece).map(|count| {
            piece.truncate(count);
            piece
        });
        let is_last = read.as_ref().is_ok_and(Vec::is_empty)
            || read.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        if into.send(read).is_err() || is_last {
            return;
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            if self.interrupted.load(Ordering::Relaxed) {
                return Ok(0);
            }
            match self.pieces.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(LOOK) {
                Ok(Ok(piece)) if piece.is_empty() => return Ok(0),
                Ok(piece) => (self.piece, self.at) = (piece?, 0),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
        let count = into.len().min(self.piece.len() - self.at);
        into[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
