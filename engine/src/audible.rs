//! Who is heard: mutes, and solos turned into mutes of everyone else.

use crate::diagnostic::Diagnostic;
use crate::names::Names;
use crate::session::{CableId, Place, PlaceKind, Session};

/// For every cable, whether it is silent: itself muted, or what it comes from muted, or an input that a solo leaves out.
///
/// A solo leaves out every input with no way through a soloed thing or a safe one. Mute beats solo.
pub fn silent_cables(session: &Session) -> Vec<bool> {
    let silent = silent_places(session);
    session.cables.iter().map(|cable| cable.muted || silent[session.origin(cable.from).0]).collect()
}

/// For every place, whether what comes from it is silent: it is muted, or an input that a solo leaves out.
pub fn silent_places(session: &Session) -> Vec<bool> {
    let any_solo = session.places.iter().any(|p| p.state.soloed) || session.cables.iter().any(|c| c.soloed);
    let stays = ways_through(session);
    let silent_place = |(place, stays): (&Place, bool)| {
        let left_out = any_solo && !stays && matches!(place.kind, PlaceKind::Input(_));
        place.state.muted || left_out
    };
    session.places.iter().zip(stays).map(silent_place).collect()
}

/// For every place, whether it is soloed or safe, or leads to something that is.
fn ways_through(session: &Session) -> Vec<bool> {
    let mut through: Vec<bool> = session.places.iter().map(|p| p.state.soloed || p.state.safe).collect();
    loop {
        let mut changed = false;
        for cable in &session.cables {
            let from = session.origin(cable.from).0;
            if !through[from] && (cable.soloed || through[cable.to.0]) {
                through[from] = true;
                changed = true;
            }
        }
        if !changed {
            return through;
        }
    }
}

/// Why a session will not sound as written when it is rendered: a solo or a mute is on.
pub fn render_warnings(session: &Session) -> Vec<Diagnostic> {
    let places = session.places.iter().map(|p| (p.state.muted, p.state.soloed, p.name.clone(), p.at));
    let names = Names::of(session);
    let cables = (0..session.cables.len()).map(|i| {
        let cable = &session.cables[i];
        (cable.muted, cable.soloed, names.cable(CableId(i)).to_owned(), cable.at)
    });
    places
        .chain(cables)
        .filter_map(|(muted, soloed, name, at)| {
            let what = match (soloed, muted) {
                (true, _) => "soloed",
                (_, true) => "muted",
                _ => return None,
            };
            let message = format!("`{name}` is {what} in what is rendered");
            Some(
                Diagnostic::warning("left-on", at, message)
                    .help(format!("take the `{}` out if it is not meant", &what[..4])),
            )
        })
        .collect()
}
