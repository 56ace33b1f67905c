//! What a session means: everything it declares, by its paths, and nothing of where that is written.

use engine::names::Names;
use engine::session::{CableId, InstanceId, PlaceId, Session};
use engine::{amend, check};
use serde_json::Value as Json;

/// A session in a form that is equal for two that sound alike: in path order, and without a position.
#[derive(Debug, PartialEq)]
pub struct Meaning(Json);

/// The meaning of what a text declares; nothing if anything is wrong with it.
pub fn meaning(mut session: Session) -> Option<Meaning> {
    let told = amend::apply(&mut session);
    let implied = check::imply_output(&mut session);
    let names = Names::of(&session);
    let wrong = told.into_iter().chain(implied.err()).chain(check::check(&session, &names)).any(|one| one.is_error());
    if wrong {
        return None;
    }
    // Which files it is written in is no part of it.
    session.files.clear();
    // Nor is what a cable has taken the place of.
    session.cables.iter_mut().for_each(|cable| cable.replaces = false);
    let mut json = serde_json::to_value(&session).ok()?;
    rewrite(&mut json, None, &names);
    let mut place = 0..;
    sort(&mut json, "places", |_| place.next().map(|i| names.place(PlaceId(i)).to_owned()));
    let mut instance = 0..;
    sort(&mut json, "instances", |_| instance.next().map(|i| names.instance(InstanceId(i)).join(" ")));
    let mut cable = 0..;
    sort(&mut json, "cables", |_| cable.next().map(|i| names.cable(CableId(i)).to_owned()));
    Some(Meaning(json))
}

/// Sorts what stands under a key by its paths, which are put beside it.
fn sort(json: &mut Json, key: &str, mut path: impl FnMut(&Json) -> Option<String>) {
    if let Some(list) = json.get_mut(key).and_then(Json::as_array_mut) {
        let mut named: Vec<(String, Json)> = list.drain(..).map(|one| (path(&one).unwrap_or_default(), one)).collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        list.extend(named.into_iter().map(|(path, one)| Json::Array(vec![path.into(), one])));
    }
}

/// Takes out every position, and puts paths in the place of numbers of places, instances and cables.
fn rewrite(json: &mut Json, key: Option<&str>, names: &Names) {
    match json {
        Json::Array(list) => list.iter_mut().for_each(|one| rewrite(one, None, names)),
        Json::Object(fields)
            if fields.len() == 3 && ["file", "line", "column"].iter().all(|k| fields.contains_key(*k)) =>
        {
            *json = Json::Null;
        }
        Json::Object(fields) => {
            let tap = match fields.iter().next() {
                Some((kind, number)) if fields.len() == 1 => path(kind, number, names),
                _ => None,
            };
            match tap {
                Some(path) => *json = path.into(),
                None => fields.iter_mut().for_each(|(key, value)| match key.as_str() {
                    // What they have by these names is their own.
                    "Pattern" | "Circuit" => displace(value),
                    _ => rewrite(value, Some(key), names),
                }),
            }
        }
        Json::Number(_) => {
            if let Some(path) = key.and_then(|key| path(key, json, names)) {
                *json = path.into();
            }
        }
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
}

/// Takes out where the parts of a pattern are written.
fn displace(json: &mut Json) {
    match json {
        Json::Object(fields)
            if fields.len() == 3 && ["origin", "begin", "end"].iter().all(|k| fields.contains_key(*k)) =>
        {
            *json = Json::Null;
        }
        Json::Object(fields) => fields.values_mut().for_each(displace),
        Json::Array(list) => list.iter_mut().for_each(displace),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// The path of what a field of a session numbers.
fn path(key: &str, number: &Json, names: &Names) -> Option<String> {
    let number = number.as_u64()? as usize;
    match key {
        "Place" | "to" => Some(names.place(PlaceId(number)).to_owned()),
        "Instance" | "of" => Some(names.instance(InstanceId(number)).join(" ")),
        "owner" => Some(names.cable(CableId(number)).to_owned()),
        _ => None,
    }
}
