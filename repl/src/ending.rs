//! How a command ends: done, refused, misused, or with nobody left to read its output.

use std::fmt;
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

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Shown => f.write_str("see above"),
            Failure::Error(message) | Failure::Misuse(message) => f.write_str(message),
            Failure::Output(error) => write!(f, "the output could not be written: {error}"),
        }
    }
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
    let Err(failure) = outcome else { return ExitCode::SUCCESS };
    match &failure {
        Failure::Output(error) if error.kind() == ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
        Failure::Shown => {}
        told => status::error(told),
    }
    ExitCode::from(if let Failure::Misuse(_) = failure { 2 } else { 1 })
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
