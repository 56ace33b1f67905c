//! Texts that are refused: what each of them is told, as a person reads it.
//!
//! One snapshot for each file of `bad_scripts/`, beside this module. To accept changed messages after having read them:
//! `INSTA_UPDATE=always cargo test -p gainstage-tests bad_scripts`.

use std::path::{Path, PathBuf};

use engine::diagnostic::Diagnostic;
use engine::graph::prepare;
use engine::media::Library;

/// Everything that is told of a session, and how it is shown.
fn told(path: &Path) -> (Vec<Diagnostic>, String) {
    let evaluated = scripting::evaluate_file(path);
    let mut diagnostics = evaluated.diagnostics;
    diagnostics
        .extend(evaluated.session.into_iter().flat_map(|session| prepare(session, &Library::default()).diagnostics));
    let shown = diagnostics.iter().map(|d| scripting::report::render(d, &evaluated.files, false)).collect();
    (diagnostics, shown)
}

fn corpus() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("bad_scripts").expect("the corpus is there");
    let mut scripts: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    scripts.retain(|path| path.extension().is_some_and(|extension| extension == "rhai"));
    scripts.sort();
    scripts
}

#[test]
fn every_bad_script_is_told_what_is_wrong() {
    let scripts = corpus();
    assert!(scripts.len() >= 65, "only {} bad scripts", scripts.len());
    insta::with_settings!({
        snapshot_path => "bad_scripts",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        for path in scripts {
            let name = path.file_stem().expect("a script has a name").to_string_lossy().into_owned();
            let (diagnostics, shown) = told(&path);
            assert!(diagnostics.iter().any(Diagnostic::is_error), "{name} is not refused");
            for diagnostic in diagnostics.iter() {
                assert!(diagnostic.at.line > 0 && diagnostic.at.column > 0, "{name}: {diagnostic:?} has no place");
            }
            insta::assert_snapshot!(name, shown);
        }
    });
}
