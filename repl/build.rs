//! Names the sources that the program is built from, so that what one build has written in its own form is not read by
//! another of the same version.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What decides on how a desk is kept: the desk itself, what makes it of a text, and what keeps it. And which versions of
/// other crates.
const SOURCES: [&str; 7] = [
    "../engine/src",
    "../scripting/src",
    "src/journal",
    "src/journal.rs",
    "src/replay",
    "src/replay.rs",
    "../Cargo.lock",
];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        collect(&root.join(source), &mut files)?;
    }
    files.sort();
    // FNV-1a (Fowler, Noll and Vo 1991), of the files' paths from here and what is in them, whatever ends their lines.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut take = |bytes: &[u8]| {
        for byte in bytes.iter().filter(|byte| **byte != b'\r') {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for file in files {
        let path = file.strip_prefix(&root).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
        take(path.as_bytes());
        take(&fs::read(&file)?);
    }
    println!("cargo::rustc-env=GAINSTAGE_SOURCES={hash:016x}");
    Ok(())
}

/// The files at a path and below it.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if path.is_file() {
        files.push(path.to_owned());
    }
    Ok(())
}
