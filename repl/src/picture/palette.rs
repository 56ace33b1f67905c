//! The colours of a picture, in light and in the dark. Kinds of cable differ in their strokes as well, so that they are told apart
//! without colours; the hues are those of Okabe and Ito (2008), darker or lighter where letters need it.

use super::diagram::{CableKind, CardKind};
use crate::arguments::ThemeChoice;

/// On what a picture is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As whoever looks has set their screen.
    #[default]
    Auto,
    /// On white.
    Light,
    /// On black.
    Dark,
}

impl From<ThemeChoice> for Theme {
    fn from(choice: ThemeChoice) -> Theme {
        match choice {
            ThemeChoice::Auto => Theme::Auto,
            ThemeChoice::Light => Theme::Light,
            ThemeChoice::Dark => Theme::Dark,
        }
    }
}

/// Colours.
pub struct Palette {
    pub ground: &'static str,
    pub card: &'static str,
    pub edge: &'static str,
    pub ink: &'static str,
    pub dim: &'static str,
    input: &'static str,
    bus: &'static str,
    master: &'static str,
    way: &'static str,
    output: &'static str,
    plug: &'static str,
    send: &'static str,
    key: &'static str,
    follow: &'static str,
    feedback: &'static str,
    pub silent: &'static str,
}

pub const LIGHT: Palette = Palette {
    ground: "#f7f8fa",
    card: "#ffffff",
    edge: "#c3cbd4",
    ink: "#1d2630",
    dim: "#56626f",
    input: "#d9e9f6",
    bus: "#d6eee3",
    master: "#fbe2d0",
    way: "#e9edf1",
    output: "#e5e1f3",
    plug: "#4a5765",
    send: "#0069a5",
    key: "#9c3d7e",
    follow: "#7d6200",
    feedback: "#bf3f08",
    silent: "#8a95a1",
};

pub const DARK: Palette = Palette {
    ground: "#14181d",
    card: "#1e242b",
    edge: "#3b4653",
    ink: "#e8edf2",
    dim: "#a3afbb",
    input: "#183850",
    bus: "#143d32",
    master: "#4d2d1a",
    way: "#2a323b",
    output: "#322c4e",
    plug: "#a9b5c1",
    send: "#56b4e9",
    key: "#e58fc6",
    follow: "#e0b83f",
    feedback: "#ff9a5c",
    silent: "#6f7c8a",
};

impl Palette {
    /// The colour of a kind of card.
    pub fn of_card(&self, kind: CardKind) -> &'static str {
        match kind {
            CardKind::Input => self.input,
            CardKind::Bus => self.bus,
            CardKind::Master => self.master,
            CardKind::Sum | CardKind::Way => self.way,
            CardKind::Output => self.output,
        }
    }

    /// The colour of a kind of cable.
    pub fn of_cable(&self, kind: CableKind) -> &'static str {
        match kind {
            CableKind::Plug => self.plug,
            CableKind::Send => self.send,
            CableKind::Key => self.key,
            CableKind::Follow => self.follow,
            CableKind::Feedback => self.feedback,
        }
    }
}

/// What a kind of cable is called where a name for programs is needed.
pub fn cable_name(kind: CableKind) -> &'static str {
    match kind {
        CableKind::Plug => "plug",
        CableKind::Send => "send",
        CableKind::Key => "key",
        CableKind::Follow => "follow",
        CableKind::Feedback => "feedback",
    }
}

/// The same of a kind of card.
pub fn card_name(kind: CardKind) -> &'static str {
    match kind {
        CardKind::Input => "input",
        CardKind::Bus => "bus",
        CardKind::Master => "master",
        CardKind::Sum => "sum",
        CardKind::Way => "way",
        CardKind::Output => "output",
    }
}

/// Every kind of card, and every kind of cable.
pub const CARDS: [CardKind; 6] =
    [CardKind::Input, CardKind::Bus, CardKind::Master, CardKind::Sum, CardKind::Way, CardKind::Output];
pub const CABLES: [CableKind; 5] =
    [CableKind::Plug, CableKind::Send, CableKind::Key, CableKind::Follow, CableKind::Feedback];
