//! `cache import`: files that are at hand are not downloaded again, and none is taken by guessing.

use std::fs;
use std::path::Path;

use crate::support::memory::{Happening, Memory, Operation};
use fit_sync::domain::ReplaceProtocol;
use fit_sync::engine::{self, Imported};
use fit_sync::event::Phase;
use fit_sync::render::{self, Detail};

use crate::support::cli::{Cli, MANIFEST, gzip};
use crate::support::fit::FitFile;
use crate::support::snapshot;
use crate::support::world::{World, settings};
use crate::support::zip::ZipFile;

fn ride(start: &str) -> FitFile {
    FitFile::new(format!("2026-11-{start}Z").parse().unwrap()).records(20)
}

fn downloads(account: &Memory) -> usize {
    let asked = |happening: &Happening| happening.operation == Some(Operation::Download);
    account.history().iter().filter(|moment| asked(&moment.happening)).count()
}

fn memories() -> (Memory, Memory) {
    let memory = |name| Memory::new(settings(name, ReplaceProtocol::DeleteThenUpload));
    (memory("here"), memory("there"))
}

async fn import(world: &World, path: &Path) -> Imported {
    let account = world.session.manifest.accounts.values().next().unwrap();
    assert_eq!(account.name.as_str(), "here");
    engine::import(&world.session, account, path).await.unwrap()
}

fn taken(imported: &Imported) -> Vec<&str> {
    imported.taken.iter().map(|file| file.as_str()).collect()
}

fn put(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn what_is_imported_is_not_downloaded() {
    let (here, there) = memories();
    let world = World::memory(&here, &there);
    let days = ["01T06:00:00", "02T06:00:00", "03T06:00:00"].map(|day| ride(day).build());
    for bytes in &days {
        here.put_file(bytes, Some("Ride"));
    }
    let inner = ZipFile::new().deflated("me@example.com_2.fit", &days[1]);
    let export = ZipFile::new()
        .deflated("activities/1.fit.gz", gzip(&days[0]))
        .deflated("Part1.zip", inner.build());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.zip");
    fs::write(&path, export.build()).unwrap();
    let imported = import(&world, &path).await;
    assert_eq!(taken(&imported), ["activities/1.fit.gz", "Part1.zip/2.fit"]);
    assert_eq!((imported.there, imported.lacking.len(), imported.listed), (0, 1, 3));
    assert!(imported.left.is_empty(), "{:?}", imported.left);
    assert_eq!(downloads(&here), 0);
    let again = import(&world, &path).await;
    assert_eq!((again.taken.len(), again.there), (0, 2));
    let outcome = world.apply().await;
    assert_eq!(outcome.phases(), [Phase::Confirmed; 3], "{}", outcome.told());
    assert_eq!(downloads(&here), 1, "only the third");
    assert!(fs::metadata(path).is_ok());
}

#[tokio::test]
async fn nothing_is_guessed_and_everything_told() {
    let (here, there) = memories();
    let world = World::memory(&here, &there);
    let (a, b) = (ride("01T06:00:00"), ride("02T06:00:00"));
    for file in [&a, &b, &ride("03T06:00:00"), &ride("03T06:00:00").maker(294, 802)] {
        here.put_file(&file.build(), Some("Ride"));
    }
    here.put_file(&ride("04T06:00:00").build(), None);
    here.put_file(&ride("05T06:00:00").build(), Some("Evening \u{202e}Ride"));
    let folder = tempfile::tempdir().unwrap();
    let put = |path: &str, bytes: Vec<u8>| put(folder.path(), path, &bytes);
    put("a.fit", a.build());
    put("copy/a.fit", a.build());
    put("a_second_late.fit", ride("02T06:00:01").build());
    put("two_there.fit", ride("03T06:00:00").build());
    put("cut_off.fit", ride("04T06:00:00").elapsed_s(1200).build());
    put("one.fit", ride("05T06:00:00").build());
    put("other.fit", ride("05T06:00:00").maker(294, 802).build());
    put("broken.fit", b"broken".to_vec());
    put("course.fit", ride("06T06:00:00").file_type(6).build());
    put("no_clock.fit", ride("06T06:00:00").clock_not_set().build());
    put("notes.txt", b"not looked at".to_vec());
    let imported = import(&world, folder.path()).await;
    assert_eq!(taken(&imported), ["a.fit"]);
    let account = world.session.manifest.accounts.values().next().unwrap();
    let text = render::imported(&account.name, &imported, Detail::Full);
    snapshot::check("cli", "import", &text);
    assert_eq!(downloads(&here), 0);
}

#[tokio::test]
async fn a_file_that_was_fetched_before_stays() {
    let (here, there) = memories();
    let world = World::memory(&here, &there);
    let original = ride("01T06:00:00").build();
    here.put_file(&original, None);
    world.apply().await;
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "edited.fit", &ride("01T06:00:00").distance_m(29_999).build());
    let imported = import(&world, folder.path()).await;
    assert_eq!(imported.left[0].why, "the cache holds another file of it");
    put(folder.path(), "edited.fit", &original);
    assert_eq!(import(&world, folder.path()).await.there, 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_changes_nothing() {
    let (here, there) = memories();
    let world = World::memory(&here, &there);
    here.put_file(&ride("01T06:00:00").build(), None);
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "text.zip", b"no zip");
    put(folder.path(), "file.fit", b"no folder");
    let account = world.session.manifest.accounts.values().next().unwrap();
    for (path, words) in [
        ("missing", "is not there"),
        ("missing.zip", "is not there"),
        ("text.zip", "a broken zip"),
        ("file.fit", "cannot be read"),
    ] {
        let refused = engine::import(&world.session, account, &folder.path().join(path)).await;
        let text = refused.unwrap_err().to_string();
        assert!(text.contains(words), "{path}: {text}");
    }
    assert!(!world.session.places.cache.exists());
}

#[test]
fn only_accounts_that_download_have_a_cache() {
    let cli = Cli::new(MANIFEST);
    cli.put("watch/a.fit", ride("01T06:00:00").build());
    let refused = cli.run("cache import watch --account archive").exits(3);
    snapshot::check("cli", "import_refused", &refused.stderr);
    cli.run("cache import watch --account archiv").exits(3).tells("did you mean 'archive'?");
    cli.run("cache import watch").exits(64);
    cli.run("cache import").exits(64);
}
