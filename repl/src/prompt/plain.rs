//! The prompt without a terminal's help, for a screen reader, an editor or a pipe: lines are read as they come, and nothing is
//! written but what is told.

use std::io::{self, BufRead, Read};
use std::time::Instant;

use scripting::typing;

use super::block::is_command;
use super::{MOST, Typed};
use crate::status;

/// Reads lines to the end, each with those that it goes on in.
pub(super) fn read(from: impl BufRead, take: impl Fn(Typed)) {
    let mut text = String::new();
    for line in lines(from) {
        text.push_str(&line);
        let is_open = !is_command(&text) && !is_command(&line) && typing::goes_on(&text) && text.len() < MOST;
        if is_open && !line.is_empty() {
            text.push('\n');
            continue;
        }
        let whole = std::mem::take(&mut text);
        take(match whole.trim().is_empty() {
            true => Typed::Beat(Instant::now()),
            false => Typed::Line(whole),
        });
    }
    if !text.trim().is_empty() {
        take(Typed::Line(text.trim_end().to_owned()));
    }
    take(Typed::End);
}

/// Lines; what is no UTF-8 in them is marked. One that is too long is told of and left out.
fn lines(mut from: impl BufRead) -> impl Iterator<Item = String> {
    std::iter::from_fn(move || {
        loop {
            let mut bytes = Vec::new();
            let mut is_too_long = false;
            loop {
                match from.by_ref().take(MOST as u64 + 1).read_until(b'\n', &mut bytes) {
                    Ok(0) if bytes.is_empty() && !is_too_long => return None,
                    Ok(read) if read > MOST && !bytes.ends_with(b"\n") => {
                        is_too_long = true;
                        bytes.clear();
                    }
                    Ok(_) => break,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return None,
                }
            }
            if !is_too_long {
                return Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned());
            }
            status::error(format!("a line has at most {} kB: it was not taken", MOST / 1024));
        }
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn typed(text: &[u8]) -> Vec<Typed> {
        let taken = RefCell::new(Vec::new());
        read(text, |typed| taken.borrow_mut().push(typed));
        // When an empty line came says nothing here.
        taken.into_inner().into_iter().filter(|typed| !matches!(typed, Typed::Beat(_))).collect()
    }

    #[test]
    fn lines_are_read_as_they_come_and_open_ones_to_their_end() {
        let line = |text: &str| Typed::Line(text.into());
        assert_eq!(typed(b":undo\r\n\nvoice >>\nband\n"), [line(":undo"), line("voice >>\nband"), Typed::End]);
        // An empty line ends what is open: it is for the desk to say what is wrong with it.
        assert_eq!(typed(b"eq(\n\n:text"), [line("eq(\n"), line(":text"), Typed::End]);
        assert_eq!(typed(b"eq(\n:panic\nx >>"), [line("eq(\n:panic"), line("x >>"), Typed::End]);
        let long = [&vec![b'a'; 3 * MOST][..], b"\n:text\n"].concat();
        assert_eq!(typed(&long), [line(":text"), Typed::End]);
        assert_eq!(typed(b"\xff\n"), [line("\u{fffd}"), Typed::End]);
    }
}
