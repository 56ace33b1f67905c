//! `:freeze`: what an instrument plays, written into the text as a pattern that nothing changes any more.

use super::Playing;
use super::typed::Timed;
use crate::status;

/// The most bars that are written of a pattern that comes round.
const LONGEST: i64 = 64;

/// The bars that are written of a pattern that does not.
const WRITTEN: i64 = 8;

impl Playing<'_> {
    /// Writes what the instrument at a path plays as a line of text.
    pub(super) fn freeze(&mut self, path: &str, bars: Option<u16>) {
        let path = path.strip_suffix(".pattern").unwrap_or(path);
        match self.frozen(path, bars) {
            Ok((text, told)) => {
                status::say(told);
                self.line(&format!("set({:?}, {text:?})", format!("{path}.pattern")), &Timed::default());
            }
            Err(why) => status::error(why),
        }
    }

    /// What the instrument at a path plays, and what there is to say of that.
    fn frozen(&self, path: &str, bars: Option<u16>) -> Result<(String, String), String> {
        let graph =
            self.as_it_stands().and_then(|loaded| loaded.graph).ok_or("the text that plays cannot be read again")?;
        let node = graph.nodes.iter().find(|node| node.path == path);
        let score = node.and_then(|node| node.score.as_ref()).ok_or_else(|| {
            let playing = graph.nodes.iter().filter(|node| node.score.is_some()).map(|node| node.path.as_str());
            match playing.collect::<Vec<_>>().join(", ") {
                none if none.is_empty() => format!("`{path}` plays no pattern, and nothing else does"),
                others => format!("`{path}` plays no pattern; these do: {others}"),
            }
        })?;
        let written = |bars| score.pattern.to_text(score.seed, bars).map_err(|error| error.to_string());
        let named = |bars| if bars == 1 { "1 bar".to_owned() } else { format!("{bars} bars") };
        match (bars.map(i64::from), score.pattern.period().ok().filter(|bars| *bars <= LONGEST)) {
            (Some(bars), _) => Ok((written(bars)?, format!("the first {} of `{path}`, written out", named(bars)))),
            (None, Some(bars)) => Ok((written(bars)?, format!("`{path}` comes round in {}", named(bars)))),
            (None, None) => {
                let told = format!(
                    "`{path}` does not come round within {LONGEST} bars: its first {WRITTEN} are written out; \
                     `:undo`, then `:freeze {path} 16` takes 16"
                );
                Ok((written(WRITTEN)?, told))
            }
        }
    }
}
