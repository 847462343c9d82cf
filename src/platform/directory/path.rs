//! Between files and ids: which names are activities, and which path an id stands for.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use unicode_normalization::UnicodeNormalization;

use crate::domain::{RemoteId, neutralise};

/// How the bytes of a file are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// `.fit`.
    Plain,
    /// `.fit.gz`.
    Gzip,
}

/// The packing that a name promises; `None` if it is no name of an activity.
pub(super) fn packing(name: &str) -> Option<Packing> {
    if is_hidden(OsStr::new(name)) {
        return None;
    }
    let name = name.to_ascii_lowercase();
    if name.ends_with(".fit") {
        Some(Packing::Plain)
    } else {
        name.ends_with(".fit.gz").then_some(Packing::Gzip)
    }
}

/// Whether a name begins with a dot.
pub(super) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// The last part of an id without its extension.
pub(super) fn stem(id: &RemoteId) -> &str {
    let id = id.as_str();
    let name = id.rsplit_once('/').map_or(id, |(_, name)| name);
    let cut = match packing(name) {
        Some(Packing::Plain) => name.len().saturating_sub(".fit".len()),
        Some(Packing::Gzip) => name.len().saturating_sub(".fit.gz".len()),
        None => name.len(),
    };
    name.get(..cut).unwrap_or(name)
}

/// The place below the root that an id names by itself. `None` for what no listing would show: a
/// way out of the root, a hidden part, another kind of file.
pub(super) fn below(root: &Path, id: &RemoteId) -> Option<PathBuf> {
    let relative = Path::new(id.as_str());
    let inside = relative.components().all(|part| match part {
        Component::Normal(name) => !is_hidden(name),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => {
            false
        }
    });
    let name = relative.file_name()?.to_str()?;
    (inside && packing(name).is_some()).then(|| root.join(relative))
}

/// The id of a relative path: `/`-separated, NFC; bytes that are not UTF-8, and characters that
/// could steer a terminal, are U+FFFD, so that an id can be shown and typed wherever it appears.
pub(super) fn shown(relative: &Path) -> String {
    let parts: Vec<_> =
        relative.components().map(|part| neutralise(&part.as_os_str().to_string_lossy())).collect();
    parts.join("/").nfc().collect()
}

/// Gives every path an id of its own, in the order of the paths given.
///
/// Of several that look the same, one whose bytes are exactly the id gets it, else the first by
/// bytes; the others are numbered `~2`, `~3`.
pub(super) fn ids(relative: &[PathBuf]) -> Vec<RemoteId> {
    let mut order: Vec<(String, bool, &Path, usize)> = relative
        .iter()
        .enumerate()
        .map(|(index, path)| {
            let id = shown(path);
            let differs = path.as_os_str() != id.as_str();
            (id, differs, path.as_path(), index)
        })
        .collect();
    order.sort_unstable();
    let mut taken = HashSet::new();
    let mut named: Vec<(usize, RemoteId)> = Vec::with_capacity(order.len());
    for (shown, _, _, index) in order {
        let mut id = shown.clone();
        let mut ordinal = 2;
        while !taken.insert(id.clone()) {
            id = format!("{shown}~{ordinal}");
            ordinal += 1;
        }
        named.push((index, RemoteId::new(id)));
    }
    named.sort_unstable_by_key(|(index, _)| *index);
    named.into_iter().map(|(_, id)| id).collect()
}

/// The path with its links resolved as far down as it exists, so that nested folders are seen to
/// be nested before the inner one is made.
pub(super) fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolved(parent).join(name),
        _ => path.to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_activities_are_known_by_extension_in_any_case() {
        assert_eq!(packing("a.FIT"), Some(Packing::Plain));
        assert_eq!(packing("a.Fit.gZ"), Some(Packing::Gzip));
        assert_eq!(packing("a.gpx"), None);
        assert_eq!(packing(".a.fit"), None);
        assert_eq!(packing(".fit"), None);
        assert_eq!(packing("fit"), None);
    }

    #[test]
    fn the_stem_has_no_folder_and_no_extension() {
        assert_eq!(stem(&RemoteId::new("run/2026/é.FIT.gz")), "é");
        assert_eq!(stem(&RemoteId::new("a.b.fit")), "a.b");
    }

    #[test]
    fn an_id_leads_only_to_what_a_listing_could_show() {
        let below = |id: &str| below(Path::new("/r"), &RemoteId::new(id));
        assert_eq!(below("a/b.fit"), Some(PathBuf::from("/r/a/b.fit")));
        for id in [
            "../b.fit",
            "a/../../b.fit",
            "/etc/b.fit",
            "./b.fit",
            "",
            "..",
            "notes.txt",
            ".fit_sync-id",
            ".git/b.fit",
            "a/.fit",
        ] {
            assert_eq!(below(id), None, "{id}");
        }
    }

    #[test]
    fn an_id_is_harmless_and_belongs_to_the_path_that_is_exactly_it() {
        let paths = ["a\n.fit", "a\u{202e}.fit", "a\u{fffd}.fit"].map(PathBuf::from);
        let wanted = ["a\u{fffd}.fit~2", "a\u{fffd}.fit~3", "a\u{fffd}.fit"].map(RemoteId::new);
        assert_eq!(ids(&paths), wanted);
    }

    #[test]
    fn paths_that_look_the_same_are_numbered_whatever_their_order() {
        let nfc = PathBuf::from("caf\u{e9}.fit");
        let nfd = PathBuf::from("cafe\u{301}.fit");
        let id = |text: &str| RemoteId::new(text);
        let wanted = [id("caf\u{e9}.fit"), id("caf\u{e9}.fit~2")];
        assert_eq!(ids(&[nfc.clone(), nfd.clone()]), wanted);
        let turned: Vec<RemoteId> = ids(&[nfd.clone(), nfc]).into_iter().rev().collect();
        assert_eq!(turned, wanted);
        assert_eq!(ids(&[nfd]), [id("caf\u{e9}.fit")]);
    }
}
