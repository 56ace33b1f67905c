//! Where a parameter is wanted: what a path means then, and what is likeliest to be meant by one that means nothing.

use super::{Found, Names, NotFound, Owner, Which, nearest};
use crate::session::Session;

impl Names {
    /// The parameter that a path means.
    ///
    /// # Errors
    /// When it means none, with the one that is likeliest to be meant.
    pub fn find_parameter(&self, session: &Session, path: &str) -> Result<(Owner, Which), NotFound> {
        match self.seek(session, path)? {
            Some(Found::Parameter(owner, which)) => Ok((owner, which)),
            Some(_) => Err(NotFound {
                message: format!("`{path}` is no parameter"),
                help: Some(format!("give one of its parameters: `{path}.NAME`")),
            }),
            None => {
                let help = self.with_sign(session, path).map_or_else(
                    || self.nearest_parameter(session, path),
                    |meant| Some(format!("a part or a branch stands behind a `#`: `{meant}`")),
                );
                Err(NotFound { message: format!("nothing is called `{path}`"), help })
            }
        }
    }

    /// The path of something that stands in another, where it was written as if it stood behind it.
    fn with_sign(&self, session: &Session, path: &str) -> Option<String> {
        let signed = path.match_indices('/').map(|(at, _)| format!("{}#{}", &path[..at], &path[at + 1..]));
        signed.rev().find(|path| matches!(self.seek(session, path), Ok(Some(_))))
    }

    fn nearest_parameter(&self, session: &Session, path: &str) -> Option<String> {
        let Some((thing, name)) = path.rsplit_once('.') else {
            return Some("a parameter is written with what it is of: `voice/compressor.threshold`".into());
        };
        let part = thing.rsplit_once('#').map(|(_, part)| part).filter(|part| !part.contains('/'));
        let with_part = |thing: &str| part.map_or(thing.to_owned(), |part| format!("{thing}#{part}"));
        let mut having: Vec<String> = self.all().map(with_part).collect();
        having.retain(|thing| matches!(self.seek(session, &format!("{thing}.{name}")), Ok(Some(_))));
        let near = nearest(thing, having.iter().map(String::as_str))?;
        Some(format!("the nearest parameter is `{near}.{name}`"))
    }
}
