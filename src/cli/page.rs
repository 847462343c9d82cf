//! A page and its style in a folder; what else is there is left alone.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use crate::archive::disk::{self, Access};
use crate::render::html::{GENERATOR, PAGE_FILE, STYLE, STYLE_FILE};

use super::exit::Exit;
use super::failure::Failure;

/// By these first bytes a file is known to be one that this program wrote before.
const ENOUGH: u64 = 4096;
/// How its style begins, in this and in other versions.
const STYLE_BEGINS: &str = "/* fit_sync:";

/// Writes a page into a folder, which is made if need be. The style goes first, so that the page is
/// never seen without it.
pub fn write(folder: &Path, page: &str) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))?;
    let files = [(STYLE_FILE, STYLE, STYLE_BEGINS), (PAGE_FILE, page, GENERATOR)];
    for (name, _, sign) in files {
        let path = folder.join(name);
        if !is_ours(&path, sign).map_err(|error| unwritten(&path, &error))? {
            let happened = format!("{} is not of fit_sync", path.display());
            return Err(Failure::new(Exit::Failed, happened, "choose an empty folder with --html"));
        }
    }
    for (name, text, _) in files {
        let path = folder.join(name);
        let written = disk::write_atomically(&path, text.as_bytes(), Access::Shared);
        written.map_err(|error| unwritten(&path, &error))?;
    }
    Ok(())
}

/// Whether a file may be written: it is not there, or was written by this program.
fn is_ours(path: &Path, sign: &str) -> io::Result<bool> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(ENOUGH).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    Ok(bytes.is_empty() || String::from_utf8_lossy(&bytes).contains(sign))
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let happened = format!("{}: the page cannot be written: {error}", path.display());
    Failure::new(Exit::Failed, happened, "choose another place with --html")
}
