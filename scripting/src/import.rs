//! `import`, confined to the session's folder.

use std::path::{Component, Path, PathBuf};

use engine::diagnostic::{Diagnostic, Position};
use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Shared};

use crate::call::{told, told_already};
use crate::desk;
use crate::evaluate::Unreadable;
use crate::machine;
use crate::text::Text;
use crate::{errors, evaluate, grammar};

/// Resolves imports within the session's folder, each file once.
pub struct Confined;

impl ModuleResolver for Confined {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        position: rhai::Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let file = source.and_then(|number| number.parse().ok()).unwrap_or(0);
        load(engine, path, desk::with(|desk| desk.place(file, position)))
    }
}

fn load(engine: &Engine, path: &str, at: Position) -> Result<Shared<Module>, Box<EvalAltResult>> {
    let file = within(path, at).map_err(told)?;
    if let Some(module) = desk::with(|desk| desk.modules.get(&file).cloned()) {
        return Ok(module);
    }
    let number = open(&file, path, at).map_err(told)?;
    desk::with(|desk| desk.importing.push((number, at)));
    let faults = desk::with(|desk| {
        let faults = grammar::faults(&desk.files[usize::from(number)]);
        faults.iter().for_each(|fault| desk.tell(fault.clone()));
        faults
    });
    if !faults.is_empty() {
        return Err(failed(at));
    }
    let text = desk::with(|desk| desk.files[usize::from(number)].text.clone());
    let module =
        engine.compile_with_scope(&machine::scope(), &text).map_err(EvalAltResult::from).map_err(Box::new).and_then(
            |mut ast| {
                ast.set_source(number.to_string());
                Module::eval_ast_as_new(rhai::Scope::new(), &ast, engine)
            },
        );
    match module {
        Ok(module) => {
            let module: Shared<Module> = module.into();
            desk::with(|desk| {
                desk.importing.pop();
                desk.modules.insert(file, module.clone());
            });
            Ok(module)
        }
        Err(error) => {
            desk::with(|desk| errors::tell(desk, &error, Position { file: number, line: 0, column: 0 }));
            Err(failed(at))
        }
    }
}

/// Ends an import whose errors are told already, with the place that wanted it.
fn failed(at: Position) -> Box<EvalAltResult> {
    desk::with(|desk| {
        if let Some(last) = desk.diagnostics.last_mut() {
            last.also.push((at, "imported from here".into()));
        }
    });
    told_already()
}

/// The file that an import means, once it is known to lie in the session's folder.
fn within(path: &str, at: Position) -> Result<PathBuf, Diagnostic> {
    let outside = |what: String| {
        Diagnostic::error("import-outside", at, what)
            .help("imports stay within the session's folder and the folders in it")
    };
    let mut relative = PathBuf::from(path);
    if relative.extension().is_none() {
        relative.set_extension("rhai");
    }
    let escapes = relative.components().any(|c| !matches!(c, Component::Normal(_) | Component::CurDir));
    if escapes {
        return Err(outside(format!("\"{path}\" leads out of the session's folder")));
    }
    let (folder, root) = desk::with(|desk| (desk.session.folder.clone(), desk.root.clone()));
    let shown = folder.join(&relative);
    if kept(&shown).is_some() {
        return Ok(shown);
    }
    let found = shown.canonicalize().map_err(|error| {
        desk::with(|desk| {
            let number = desk.files.len() as u16;
            if desk.files.iter().all(|file| file.path != shown) {
                desk.files.push(Text::new(&shown, "", number));
            }
        });
        let why = evaluate::why_unreadable(&error);
        Diagnostic::error("import-missing", at, format!("the import \"{path}\" {why}"))
            .help(format!("looked for {}", shown.display()))
    })?;
    match root {
        Some(root) if found.starts_with(&root) => Ok(root_relative(&found, &root, &folder)),
        _ => Err(outside(format!("\"{path}\" leads out of the session's folder by a link"))),
    }
}

/// A path within the session's folder as the session says it, free of links.
fn root_relative(found: &Path, root: &Path, folder: &Path) -> PathBuf {
    found.strip_prefix(root).map_or_else(|_| found.into(), |rest| folder.join(rest))
}

/// Reads a file and gives its number among the session's files.
fn open(file: &Path, path: &str, at: Position) -> Result<u16, Diagnostic> {
    let cycle = desk::with(|desk| {
        let way = |desk: &desk::Desk| {
            desk.importing.iter().map(|(n, _)| desk.files[usize::from(*n)].path.clone()).collect::<Vec<_>>()
        };
        let way = way(desk);
        way.iter().position(|p| same_file(p, file)).map(|first| way[first..].to_vec())
    });
    if let Some(mut way) = cycle {
        way.push(file.into());
        let names: Vec<String> = way.iter().map(|p| evaluate::file_name(p)).collect();
        let message = if names.len() == 2 {
            format!("\"{}\" imports itself", names[0])
        } else {
            format!("these files import each other: {}", names.join(" -> "))
        };
        return Err(Diagnostic::error("import-cycle", at, message).help("put what both need into a file of its own"));
    }
    let number = desk::with(|desk| desk.files.len());
    let is_kept = desk::with(|desk| desk.kept.is_some());
    let read = match kept(file) {
        Some(text) => Ok(text),
        None if is_kept => Err(Unreadable { why: "was not kept".into(), text: String::new(), at }),
        None => evaluate::read(file),
    };
    let text = match &read {
        Ok(text) => text.clone(),
        Err(unreadable) => unreadable.text.clone(),
    };
    desk::with(|desk| desk.files.push(Text::new(file, &text, number as u16)));
    match read {
        Ok(_) => Ok(number as u16),
        Err(unreadable) => {
            Err(Diagnostic::error("import-missing", at, format!("the import \"{path}\" {}", unreadable.why)))
        }
    }
}

/// What a file said when it was kept.
fn kept(file: &Path) -> Option<String> {
    desk::with(|desk| desk.kept.iter().flatten().find(|kept| kept.path == file).map(|kept| kept.text.clone()))
}

fn same_file(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
