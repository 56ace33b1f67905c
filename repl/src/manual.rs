//! What is made of the arguments for others to read: man pages, and what shells complete.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::arguments::{Arguments, Completions, Manual};
use crate::ending::{Failure, Outcome};

/// Prints what a shell needs to complete the commands.
pub fn completions(arguments: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "gainstage", &mut script);
    Ok(io::stdout().lock().write_all(&script)?)
}

/// Writes the man pages, one for the program and one for each command.
pub fn pages(arguments: &Manual) -> Outcome {
    let dir = &arguments.dir;
    let written = fs::create_dir_all(dir).and_then(|()| {
        pages_of(Arguments::command())?.into_iter().try_for_each(|(name, page)| write(dir, &name, &page))
    });
    written.map_err(|error| Failure::Error(format!("{}: {error}", dir.display())))
}

/// Each page, by the name of its file.
fn pages_of(mut program: Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    program.build();
    let version = format!("gainstage {}", env!("CARGO_PKG_VERSION"));
    let page = |command: &Command| {
        let man = Man::new(command.clone());
        // No clock is read: an empty date would be left out, and what follows it be taken for one.
        let (man, mut page) = (man.date(" ").source(&version).manual("gainstage"), Vec::new());
        man.render(&mut page).map(|()| (man.get_filename(), page))
    };
    program.get_subcommands().chain([&program]).map(page).collect()
}

/// Writes a page in place of the one that may be there.
fn write(dir: &Path, name: &str, page: &[u8]) -> io::Result<()> {
    let mut beside = tempfile::NamedTempFile::new_in(dir)?;
    beside.write_all(page)?;
    #[cfg(unix)]
    {
        // Whoever may read the folder may read what is in it.
        use std::os::unix::fs::PermissionsExt;
        beside.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    beside.persist(dir.join(name)).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_page_with_all_its_options() {
        let pages = pages_of(Arguments::command()).expect("they can be made");
        let page = |name: &str| {
            let found = pages.iter().find(|(file, _)| *file == format!("{name}.1"));
            let (_, page) = found.unwrap_or_else(|| panic!("{name} has no page"));
            String::from_utf8(page.clone()).expect("a page is text").replace("\\-", "-")
        };
        let whole = page("gainstage");
        let program = Arguments::command();
        for command in program.get_subcommands() {
            let own = page(&format!("gainstage-{}", command.get_name()));
            assert!(whole.contains(&format!("gainstage-{}(1)", command.get_name())), "{}", command.get_name());
            for option in command.get_arguments().filter(|option| !option.is_hide_set()).filter_map(|it| it.get_long())
            {
                assert!(own.contains(&format!("--{option}")), "{}: --{option}", command.get_name());
            }
        }
        assert_eq!(pages.len(), program.get_subcommands().count() + 1);
    }
}
