//! How a command ends: done, refused, misused, or with nobody left to read its output.

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use crate::status;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The session or a file has errors, which the user has been shown. Exit status 1.
    Shown,
    /// The session or a file has this error. Exit status 1.
    Error(String),
    /// The program was used wrongly. Exit status 2.
    Misuse(String),
    /// Standard output could not be written. Exit status 1, but 0 if its reader has gone: `gainstage words | head`.
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}

/// How a command ends.
pub type Outcome = Result<(), Failure>;

/// Tells what has not been told, and gives the exit status.
pub fn exit_code(outcome: Outcome) -> ExitCode {
    let (code, message) = match outcome {
        Ok(()) => (0, None),
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => (0, None),
        Err(Failure::Shown) => (1, None),
        Err(Failure::Error(message)) => (1, Some(message)),
        Err(Failure::Output(error)) => (1, Some(format!("the output could not be written: {error}"))),
        Err(Failure::Misuse(message)) => (2, Some(message)),
    };
    if let Some(message) = message {
        status::error(&message);
    }
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_gone_is_no_failure_but_a_full_disk_is() {
        let code = |kind: ErrorKind| exit_code(Err(io::Error::from(kind).into()));
        assert_eq!(code(ErrorKind::BrokenPipe), ExitCode::from(0));
        assert_eq!(code(ErrorKind::StorageFull), ExitCode::from(1));
    }

    #[test]
    fn errors_of_the_session_and_of_the_use_have_their_own_status() {
        assert_eq!(exit_code(Ok(())), ExitCode::from(0));
        assert_eq!(exit_code(Err(Failure::Shown)), ExitCode::from(1));
        assert_eq!(exit_code(Err(Failure::Error("e".into()))), ExitCode::from(1));
        assert_eq!(exit_code(Err(Failure::Misuse("m".into()))), ExitCode::from(2));
    }
}
