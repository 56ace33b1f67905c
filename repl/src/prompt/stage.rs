//! The terminal, which the prompt and the view of the meters share: one of them has it at a time. Whoever ends, and however, it
//! is left as it was found, and what was told while the view was open is told again above the prompt.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::crossterm::{execute, queue};
use ratatui::layout::Rect;

use crate::levels::Board;
use crate::paint;
use crate::paint::Paint;
use crate::status;
use crate::view::{self, Look};

/// How often it is drawn: 15 times a second.
const PAUSE: Duration = Duration::from_millis(66);

/// How much of what is told is held until the view is left: the last of it.
const MOST_HELD: usize = 1000;

/// How many of the last lines told are kept for the view.
const LAST: usize = 8;

/// Whether the view has the terminal.
static OPEN: AtomicBool = AtomicBool::new(false);

/// Gives the terminal back, if the view has it.
fn leave() {
    if OPEN.swap(false, Ordering::SeqCst) {
        // A terminal that is gone needs nothing.
        let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

#[derive(Default)]
struct State {
    /// What was told while the view was open, to be told again.
    held: Vec<String>,
    /// The desk has ended.
    ended: bool,
}

/// Who has the terminal.
#[derive(Clone, Default)]
pub(super) struct Stage(Arc<Mutex<State>>);

impl Stage {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what is told while the view is open; gives it back otherwise.
    pub(super) fn hold(&self, text: String) -> Option<String> {
        let mut state = self.state();
        if !OPEN.load(Ordering::SeqCst) {
            return Some(text);
        }
        if state.held.len() == MOST_HELD {
            state.held.remove(0);
        }
        state.held.push(text);
        None
    }

    /// The desk ends: the terminal is the prompt's again, for good.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        leave();
        let held = std::mem::take(&mut state.held);
        drop(state);
        held.iter().for_each(|text| status::show(text));
    }

    /// Shows the meters until a key or the end of the desk closes them.
    ///
    /// # Errors
    /// Those of the terminal.
    pub(super) fn show(&self, board: &Board) -> io::Result<()> {
        let shown = self.enter().and_then(|()| self.draw(board));
        let mut state = self.state();
        leave();
        let held = std::mem::take(&mut state.held);
        drop(state);
        held.iter().for_each(|text| status::show(text));
        shown
    }

    fn enter(&self) -> io::Result<()> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                leave();
                before(panic);
            }));
        });
        let state = self.state();
        if state.ended {
            return Ok(());
        }
        enable_raw_mode()?;
        OPEN.store(true, Ordering::SeqCst);
        let mut out = io::stdout();
        queue!(out, EnterAlternateScreen, Hide)?;
        out.flush()
    }

    fn draw(&self, board: &Board) -> io::Result<()> {
        let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let mut look = Look { colour: Paint::stdout().is_on(), first: 0 };
        loop {
            let picture = board.look();
            {
                // As long as this is held nobody else writes to the terminal.
                let state = self.state();
                if state.ended || !OPEN.load(Ordering::SeqCst) {
                    return Ok(());
                }
                let told = last_lines(&state.held);
                terminal.draw(|frame| view::draw(&picture, &told, look, frame.buffer_mut()))?;
            }
            if !event::poll(PAUSE)? {
                continue;
            }
            let Event::Key(key) = event::read()? else { continue };
            if key.kind == KeyEventKind::Release {
                continue;
            }
            let size = terminal.size()?;
            let area = Rect::new(0, 0, size.width, size.height);
            let page = view::page(&picture, area).max(1);
            look.first = match key.code {
                KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
                KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(()),
                KeyCode::Up => look.first.saturating_sub(1),
                KeyCode::Down => look.first + 1,
                KeyCode::PageUp => look.first.saturating_sub(page),
                KeyCode::PageDown => look.first + page,
                KeyCode::Home => 0,
                KeyCode::End => usize::MAX,
                _ => look.first,
            };
            look.first = view::held(&picture, area, look.first);
        }
    }
}

/// The last lines of what was told, without the escapes of colours.
fn last_lines(held: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = held
        .iter()
        .rev()
        .flat_map(|text| text.lines().rev())
        .filter(|line| !line.is_empty())
        .take(LAST)
        .map(letters)
        .collect();
    lines.reverse();
    lines
}

/// A line as letters alone.
fn letters(line: &str) -> String {
    paint::plain(line).replace('\t', " ").chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_told_are_shown_in_order_without_colours() {
        let held = vec!["one\ntwo\n".into(), "\u{1b}[1;31merror:\u{1b}[0m\tthree\n\n".into()];
        assert_eq!(last_lines(&held), ["one", "two", "error: three"]);
        let many: Vec<String> = (0..50).map(|i| format!("{i}\n")).collect();
        assert_eq!(last_lines(&many).last().map(String::as_str), Some("49"));
        assert_eq!(last_lines(&many).len(), LAST);
    }

    #[test]
    fn what_is_told_while_no_view_is_open_is_not_held() {
        assert_eq!(Stage::default().hold("told".into()), Some("told".into()));
    }
}
