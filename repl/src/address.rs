//! What an OSC address means: `/voice/compressor/threshold` is the parameter `voice/compressor.threshold`.
//!
//! Everything before the last slash names the thing as paths do: `/voice>room/gain`, `/voice/eq.2/gain`,
//! `/voice>band/fader/gain`. A band stands behind its effect: `/voice/eq/1/gain`, `/voice/eq/mud/gain`. What an address may
//! not hold, such as a space, is written as in the web: `/lead%20voice/fader/gain`. A path in the session's own spelling
//! will do as well: `/voice/eq#1.gain`.

use engine::names::{Found, Names, NotFound, Owner, Which};
use engine::session::Session;

/// The parameter that an address means.
///
/// # Errors
/// Says why it means none. Only `with_nearest` are all names looked through for the nearest, which takes a while.
pub fn parameter(
    session: &Session,
    names: &Names,
    address: &str,
    with_nearest: bool,
) -> Result<(Owner, Which), String> {
    let path = unescaped(address.strip_prefix('/').unwrap_or(address));
    let mut refused: Option<NotFound> = None;
    for candidate in candidates(&path) {
        let wrong = match names.seek(session, &candidate) {
            Ok(Some(Found::Parameter(owner, which))) => return Ok((owner, which)),
            Ok(None) => continue,
            Ok(Some(_)) => {
                let help = Some(format!("give one of its parameters: /{candidate}/NAME"));
                refused = Some(NotFound { message: format!("`{candidate}` is no parameter"), help });
                break;
            }
            Err(wrong) => wrong,
        };
        // What is likelier to be meant is told of, unless only another can be helped with.
        if refused.as_ref().is_none_or(|earlier| earlier.help.is_none() && wrong.help.is_some()) {
            refused = Some(wrong);
        }
    }
    let thing = path.rsplit_once('/').map_or(path.as_str(), |(thing, _)| thing);
    let unknown = || match with_nearest {
        true => names.find(session, thing).err(),
        false => None,
    };
    let NotFound { message, help } = refused
        .or_else(unknown)
        .unwrap_or_else(|| NotFound { message: format!("nothing is called `{thing}`"), help: None });
    Err(match help {
        Some(help) => format!("{message}; {help}"),
        None => message,
    })
}

/// The paths that an address may stand for, the likeliest first.
fn candidates(path: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Some((thing, name)) = path.rsplit_once('/') {
        found.push(format!("{thing}.{name}"));
        // Effects have parts by number and name, inputs their regions by number.
        let part = thing.rsplit_once('/');
        let part = part.filter(|(thing, part)| thing.contains('/') || part.bytes().all(|byte| byte.is_ascii_digit()));
        found.extend(part.map(|(thing, part)| format!("{thing}#{part}.{name}")));
    }
    found.push(path.to_owned());
    found
}

/// An address without its escapes: `%20` is a space. What is no escape stands as it is.
pub fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let code = (bytes[i] == b'%').then(|| text.get(i + 1..i + 3)).flatten();
        match code.filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit())) {
            Some(code) => {
                plain.extend(u8::from_str_radix(code, 16));
                i += 3;
            }
            None => {
                plain.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const SESSION: &str =
        "let v = input(\"voice\", sine(440)); let room = bus(\"room\"); let lead = bus(\"lead voice\");
        v >> eq().bell(300, -3).bell(2000, 2).named(\"mud\") >> eq().high_pass(90) >> compressor(-18, 3)
          >> send(room, -14) >> lead;
        [lead, room] >> fader(-3) >> master; room >> fader(0) >> cable(\"dry\") >> master;";

    fn meaning(address: &str) -> Result<String, String> {
        let evaluated = scripting::evaluate_text(Path::new("x.rhai"), SESSION);
        let session = evaluated.session.unwrap_or_else(|| panic!("{:?}", evaluated.diagnostics));
        let names = Names::of(&session);
        parameter(&session, &names, address, true).map(|(owner, which)| names.call_parameter(&session, owner, which))
    }

    #[test]
    fn every_kind_of_parameter_has_an_address() {
        for (address, path) in [
            ("/voice/compressor/threshold", "voice/compressor.threshold"),
            ("/voice/compressor/mix", "voice/compressor.mix"),
            ("/voice/compressor/bypass", "voice/compressor.bypass"),
            ("/voice/freq", "voice.freq"),
            ("/voice>room/gain", "voice>room.gain"),
            ("/voice/eq/1/gain", "voice/eq#1.gain"),
            ("/voice/eq/mud/q", "voice/eq#mud.q"),
            ("/voice/eq/2/q", "voice/eq#mud.q"),
            ("/voice/eq#1/gain", "voice/eq#1.gain"),
            ("/voice/eq.2/1/slope", "voice/eq.2#1.slope"),
            ("/voice/eq.2/bypass", "voice/eq.2.bypass"),
            ("/lead%20voice/fader/gain", "lead voice/fader.gain"),
            ("/lead voice/fader/gain", "lead voice/fader.gain"),
            ("/voice>lead voice/eq/1/gain", "voice/eq#1.gain"),
            ("/room>master:dry/fader/gain", "room>master:dry/fader.gain"),
            ("/voice/eq#1.gain", "voice/eq#1.gain"),
        ] {
            assert_eq!(meaning(address).as_deref(), Ok(path), "{address}");
        }
    }

    #[test]
    fn an_address_that_means_nothing_is_told_the_nearest_name() {
        for (address, expected) in [
            ("/voice/compresor/threshold", "the nearest name is `voice/compressor`"),
            ("/voice/compressor/treshold", "the nearest is `threshold`"),
            ("/voice/eq/9/gain", "`voice/eq` has no part `#9`"),
            ("/room/fader/gain", "`room>master/fader` or `room>master:dry/fader`"),
            ("/voice/compressor", "/voice/compressor/NAME"),
            ("/vioce/freq", "the nearest name is `voice`"),
            ("/", "nothing is called"),
            ("/%", "nothing is called"),
            ("/voice>lead voice/gain", "no parameter"),
        ] {
            let told = meaning(address).expect_err(address);
            assert!(told.contains(expected), "{address}: {told}");
        }
    }

    #[test]
    fn without_a_look_for_the_nearest_it_is_told_all_the_same() {
        let evaluated = scripting::evaluate_text(Path::new("x.rhai"), SESSION);
        let session = evaluated.session.unwrap();
        let told = parameter(&session, &Names::of(&session), "/vioce/freq", false);
        assert_eq!(told.unwrap_err(), "nothing is called `vioce`");
    }

    #[test]
    fn escapes_are_read_and_what_is_none_stands() {
        assert_eq!(unescaped("a%20b%2"), "a b%2");
        assert_eq!(unescaped("%zz%é%C3%A9"), "%zz%éé");
    }
}
