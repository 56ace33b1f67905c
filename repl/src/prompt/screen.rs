//! The terminal itself: how it was, so that it can be put back, and how it is while there is a prompt.

#[cfg(unix)]
pub(super) use unix::Screen;

#[cfg(unix)]
mod unix {
    use std::io::{Write, stdin, stdout};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::termios::{InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios};
    use rustix::termios::{tcflush, tcgetattr, tcsetattr};

    /// After how long without a byte a paste is over.
    const REST: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

    /// The terminal as it was: whoever ends while a line is typed has to put it back.
    pub struct Screen {
        modes: Mutex<Option<Termios>>,
        /// Whether a line is being read.
        reads: AtomicBool,
    }

    impl Screen {
        /// Takes the terminal over. Also between two lines, when nobody reads, nothing that is typed is shown twice, lost or taken
        /// for a signal: it waits for the next line.
        pub fn take_over() -> Self {
            let modes = tcgetattr(stdin()).ok();
            if let Some(modes) = &modes {
                let mut quiet = modes.clone();
                quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
                quiet.input_modes -= InputModes::ICRNL | InputModes::IXON;
                quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
                quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
                // One that does not take it echoes what is typed too early, and does no harm besides.
                let _ = tcsetattr(stdin(), OptionalActions::Now, &quiet);
            }
            Screen { modes: Mutex::new(modes), reads: AtomicBool::new(false) }
        }

        /// Reads a line.
        pub fn reads<T>(&self, read: impl FnOnce() -> T) -> T {
            self.reads.store(true, Ordering::Relaxed);
            let line = read();
            self.reads.store(false, Ordering::Relaxed);
            line
        }

        /// Puts the terminal back as it was, once.
        pub fn give_back(&self) {
            let modes = self.modes.lock().ok().and_then(|mut modes| modes.take());
            let Some(modes) = modes else { return };
            // A terminal that is gone needs no modes.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &modes);
            if self.reads.load(Ordering::Relaxed) {
                // Who reads has asked that pastes be marked, and does not come to take that back.
                let _ = stdout().write_all(b"\x1b[?2004l\r\n").and_then(|()| stdout().flush());
            }
        }

        /// Throws away what is being typed or pasted, to its end.
        pub fn throw_away(&self) {
            while tcflush(stdin(), QueueSelector::IFlush).is_ok()
                && poll(&mut [PollFd::new(&stdin(), PollFlags::IN)], Some(&REST)).is_ok_and(|ready| ready > 0)
            {
            }
        }
    }

    impl Drop for Screen {
        fn drop(&mut self) {
            self.give_back();
        }
    }
}

/// Where terminals have no modes that could be lost.
#[cfg(not(unix))]
pub(super) struct Screen;

#[cfg(not(unix))]
impl Screen {
    pub(super) fn take_over() -> Self {
        Screen
    }

    pub(super) fn reads<T>(&self, read: impl FnOnce() -> T) -> T {
        read()
    }

    pub(super) fn give_back(&self) {}

    pub(super) fn throw_away(&self) {}
}
