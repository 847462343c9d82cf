//! What a sound export lists and gives.

use std::fs;

use fit_sync::domain::Sha256;
use fit_sync::platform::{Platform as _, PlatformError};

use super::{World, activity, ids, known, reasons};
use crate::support::cli::gzip;
use crate::support::zip::ZipFile;

/// As Strava and Garmin build theirs, both in one.
fn whole() -> ZipFile {
    let inner = ZipFile::new()
        .deflated("me@example.com_101.fit", activity(4))
        .deflated("me@example.com_102.txt", "not an activity")
        .stored("deep/103.fit", activity(5));
    ZipFile::new()
        .deflated("activities.csv", "Activity ID,Activity Date")
        .deflated("activities/1.fit.gz", gzip(&activity(1)))
        .stored("activities/", [])
        .stored("activities/2.FIT", activity(2))
        .deflated("activities/3.gpx.gz", gzip(b"<gpx/>"))
        .deflated("__MACOSX/activities/._2.FIT", "x")
        .deflated("DI_CONNECT/Uploaded/Part1.zip", inner.build())
        .stored(
            "DI_CONNECT/Uploaded/Part2.ZIP",
            ZipFile::new().deflated("6.fit", activity(6)).build(),
        )
        .deflated("DI_CONNECT/Wellness/user.json", "{}")
}

#[tokio::test]
async fn every_activity_is_listed_under_its_path_inner_zips_too() {
    let world = World::new(&whole());
    let page = world.list().await.unwrap();
    let wanted = [
        "DI_CONNECT/Uploaded/Part2.ZIP/6.fit",
        "DI_CONNECT/Uploaded/Part1.zip/deep/103.fit",
        "DI_CONNECT/Uploaded/Part1.zip/101.fit",
        "activities/2.FIT",
        "activities/1.fit.gz",
    ];
    assert_eq!(ids(&page), wanted, "newest first, and without the owner's address");
    assert!(page.complete && page.next.is_none() && page.total == Some(5));
    let notes: Vec<String> = page.notes.iter().map(ToString::to_string).collect();
    assert_eq!(notes, [".: 4 other files and 1 dot-file ignored"]);
    let gzipped = &page.activities[4];
    assert_eq!(gzipped.sha256, Some(Sha256::of(&activity(1))), "of the unzipped bytes");
    assert!(gzipped.content.is_some() && gzipped.hint.is_some());
    assert_eq!(world.export.whoami().await.unwrap().id, None);
}

#[tokio::test]
async fn the_bytes_are_had_by_the_same_process_and_by_a_later_one() {
    let world = World::new(&whole());
    let page = world.list().await.unwrap();
    let later = super::export(&world.path());
    for (row, day) in page.activities.iter().zip([6, 5, 4, 2, 1]) {
        for export in [&world.export, &later] {
            let original = export.download(row).await.unwrap();
            assert!(original.bytes == activity(day), "{}", row.id);
        }
    }
    let details = world.export.details(&page.activities[3].id).await.unwrap();
    assert_eq!(details.title.as_deref(), Some("2"));
}

#[tokio::test]
async fn an_unchanged_export_is_not_opened_again() {
    let world = World::new(&whole());
    let page = world.list().await.unwrap();
    let stamp = filetime(&world);
    // The same size and time, but nothing that could be read.
    let bytes = vec![0; usize::try_from(fs::metadata(world.path()).unwrap().len()).unwrap()];
    fs::write(world.path(), bytes).unwrap();
    fs::File::options().write(true).open(world.path()).unwrap().set_modified(stamp).unwrap();
    let later = World { export: super::export(&world.path()), folder: world.folder };
    let again = later.list_again(&known(&page)).await.unwrap();
    assert_eq!(again.activities, page.activities);
    assert!(again.complete);
    let mut one_less = known(&page);
    one_less.remove(&page.activities[0].id);
    let refused = later.list_again(&one_less).await;
    assert!(matches!(refused, Err(PlatformError::Permanent(_))), "a part is not the whole");
}

fn filetime(world: &World) -> std::time::SystemTime {
    fs::metadata(world.path()).unwrap().modified().unwrap()
}

#[tokio::test]
async fn a_changed_export_is_read_anew() {
    let world = World::new(&whole());
    let page = world.list().await.unwrap();
    fs::write(world.path(), ZipFile::new().stored("new.fit", activity(9)).build()).unwrap();
    let gone = world.export.download(&page.activities[0]).await;
    assert!(matches!(gone, Err(PlatformError::Transient(_))), "{gone:?}");
    let again = world.list_again(&known(&page)).await.unwrap();
    assert_eq!(ids(&again), ["new.fit"]);
    fs::remove_file(world.path()).unwrap();
    let gone = world.list_again(&known(&again)).await;
    assert!(matches!(gone, Err(PlatformError::Transient(_))), "{gone:?}");
}

#[tokio::test]
async fn nothing_is_ever_written() {
    let world = World::new(&whole());
    let before = fs::read(world.path()).unwrap();
    let page = world.list().await.unwrap();
    let row = &page.activities[0];
    assert_eq!(world.export.delete(row).await, Err(PlatformError::Unsupported));
    assert!(world.export.prepare().await.is_err());
    let capabilities = world.export.capabilities();
    assert!(!capabilities.upload && !capabilities.delete);
    assert_eq!(fs::read(world.path()).unwrap(), before);
    assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn an_empty_export_has_nothing() {
    let page = World::new(&ZipFile::new()).list().await.unwrap();
    assert!(page.activities.is_empty() && page.complete && page.notes.is_empty());
}

#[tokio::test]
async fn names_that_look_the_same_keep_their_own_ids() {
    let zip = ZipFile::new()
        .stored("caf\u{e9}.fit", activity(1))
        .stored("cafe\u{301}.fit", activity(2))
        .stored("x/a.fit", activity(3))
        .stored("x\\a.fit", activity(4));
    let page = World::new(&zip).list().await.unwrap();
    let mut ids = ids(&page);
    ids.sort_unstable();
    assert_eq!(ids, ["caf\u{e9}.fit", "caf\u{e9}.fit~2", "x/a.fit", "x/a.fit~2"]);
    assert!(reasons(&page).is_empty());
}

#[tokio::test]
async fn a_zip64_is_read_like_any_other() {
    let zip = ZipFile::new().stored("a.fit", activity(1));
    let page = World::of(&zip.zip64(1, None)).list().await.unwrap();
    assert_eq!(ids(&page), ["a.fit"]);
}
