//! A session that is measured: rendered as `gainstage render` does it, and measured while it goes by, so that however long it
//! is nothing of it is kept.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::audible;
use engine::measure::Layout;
use engine::media::Library;
use engine::offline::{Offline, Stream};
use engine::target;

use super::{Measured, Taking, interrupted_after, layout};
use crate::arguments::Measure;
use crate::ending::Failure;
use crate::live_input::LiveInputs;
use crate::load;
use crate::render::{fell_ill, length, media_faults};
use crate::status::Progress;

/// Why a rendering ends before its end.
enum Stop {
    Interrupted,
}

/// Whether a file is a session, by its name.
pub fn is_session(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("rhai"))
}

/// Measures the first output of a session.
///
/// # Errors
/// It is not right, or cannot be rendered: in words.
pub fn measure(file: &Path, arguments: &Measure, interrupted: &AtomicBool) -> Result<Measured, String> {
    let named = |why: String| format!("{}: {why}", file.display());
    let failed = |failure: Failure| named(failure.to_string());
    let library = Library::rendering();
    let mut loaded = load::load(file, &library);
    if let Some(session) = &loaded.session {
        loaded.diagnostics.extend(audible::render_warnings(session));
    }
    loaded.show();
    let (Some(graph), Some(session)) = (&loaded.graph, &loaded.session) else {
        return Err(named("it has errors, so that there is nothing to measure".into()));
    };
    let mut inputs = LiveInputs::new(session, &arguments.input, &library).map_err(failed)?;
    let extent = length(file, arguments.length, graph, session, &inputs).map_err(|failure| failure.to_string())?;
    let mut offline = Offline::new(graph, None).map_err(|flaw| named(flaw.to_string()))?;
    let channels = offline.outputs().first().copied().unwrap_or(0);
    let (layout, mut warnings) = layout(file, arguments, Layout::of(channels))?;
    let mut taking = Taking::new(session.sample_rate, layout, 1.0, arguments);
    let progress = (arguments.files.len() == 1).then(|| Progress::new("measuring", extent.most, graph.clock.rate));
    let rendered = offline.render_ahead(
        extent,
        |live| inputs.fill(live),
        |stream, sound| {
            if interrupted.load(Ordering::Relaxed) {
                return Err(Stop::Interrupted);
            }
            if stream == Stream::Output(0) {
                taking.take(sound);
                progress.iter().for_each(|progress| progress.at(taking.measurement.frames()));
            }
            Ok(())
        },
    );
    progress.into_iter().for_each(|progress| {
        progress.finish(taking.measurement.frames());
    });
    media_faults(graph).map_err(failed)?;
    warnings.extend(offline.ill().iter().map(|(path, frame)| fell_ill(path, *frame, graph)));
    if taking.measurement.frames() == 0 {
        return Err(named("has no frames".into()));
    }
    if let Err(Stop::Interrupted) = rendered {
        warnings.push(interrupted_after(&taking.measurement, graph.clock.rate));
    }
    let target = session.target.as_ref().and_then(|(name, _)| target::find(name));
    Ok(Measured { measurement: taking.measurement, sketch: taking.sketch, target, warnings })
}
