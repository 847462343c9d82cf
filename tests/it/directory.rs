//! A folder of FIT files as an account: what is listed, what is written, what is left alone.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime};

use fit_sync::clock::ManualClock;
use fit_sync::domain::{
    Activity, ActivityType, Coverage, Details, Fingerprint, Key, Note, RemoteId, Sha256, Unusable,
};
use fit_sync::platform::directory::Directory;
use fit_sync::platform::{
    self, ListRequest, Opening, Page, Platform, PlatformError, Uploaded, Window,
};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::support::fit::FitFile;

const START: &str = "2026-11-19T06:12:33Z";

/// Long after every file of a test was written, so that none counts as fresh.
fn opening() -> Opening {
    opening_at("2100-01-01T00:00:00Z")
}

fn opening_at(now: &str) -> Opening {
    let next = AtomicU8::new(0);
    let clock = Arc::new(ManualClock::new(now.parse().unwrap()));
    Opening::offline(clock, Arc::new(move || [next.fetch_add(1, Ordering::Relaxed); 16]))
}

fn folder() -> (TempDir, Directory) {
    let folder = tempfile::tempdir().unwrap();
    let directory = Directory::new(folder.path(), opening());
    (folder, directory)
}

fn ride(start: &str) -> Vec<u8> {
    let start: Timestamp = start.parse().unwrap();
    FitFile::new(start).records(10).build()
}

fn put(folder: &TempDir, path: impl AsRef<Path>, bytes: &[u8]) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn relisted(
    directory: &Directory,
    known: &HashMap<RemoteId, Activity>,
) -> Result<Page, PlatformError> {
    let request = ListRequest { window: Window::default(), page: None, known };
    directory.list(request).await
}

async fn listed(directory: &Directory) -> Page {
    relisted(directory, &HashMap::new()).await.unwrap()
}

fn known(page: &Page) -> HashMap<RemoteId, Activity> {
    let rows = page.activities.iter();
    rows.map(|row| (row.id.clone(), row.clone())).collect()
}

fn ids(page: &Page) -> Vec<&str> {
    page.activities.iter().map(|row| row.id.as_str()).collect()
}

fn file(bytes: Vec<u8>, title: Option<&str>) -> platform::FitFile {
    platform::FitFile {
        urgency: platform::Urgency::Normal,
        sha256: Sha256::of(&bytes),
        key: Key { start: START.parse().unwrap(), elapsed_s: Some(3600) },
        kind: ActivityType::opaque("cycling"),
        title: title.map(str::to_owned),
        local_offset_s: None,
        bytes,
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn files_of_any_depth_case_and_packing_are_listed_newest_first() {
    let (folder, directory) = folder();
    put(&folder, "b.fit", &ride("2026-11-01T10:00:00Z"));
    put(&folder, "deep/er/a.FIT", &ride("2026-11-03T10:00:00Z"));
    put(&folder, "zipped.Fit.GZ", &gzip(&ride("2026-11-02T10:00:00Z")));
    put(&folder, "notes.txt", b"not looked at");
    put(&folder, "track.gpx", b"<gpx/>");
    fs::create_dir(folder.path().join("folder.fit")).unwrap();
    let page = listed(&directory).await;
    assert_eq!(ids(&page), ["deep/er/a.FIT", "zipped.Fit.GZ", "b.fit"]);
    assert!(page.complete && page.notes.is_empty() && page.next.is_none());
    assert_eq!(page.total, Some(3));
    let zipped = &page.activities[1];
    let sha256 = Sha256::of(&ride("2026-11-02T10:00:00Z"));
    assert_eq!(zipped.sha256, Some(sha256), "of the unzipped bytes");
}

#[tokio::test]
async fn a_row_tells_what_the_file_holds() {
    let (folder, directory) = folder();
    let bytes = FitFile::new(START.parse().unwrap())
        .maker(294, 802)
        .product_name("COROS PACE 2")
        .sport(1, 3)
        .elapsed_s(1800)
        .timer_s(1700)
        .distance_m(5000)
        .records(10)
        .build();
    put(&folder, "2026-11-19_061233_trail_running_Up-the-hill.fit", &bytes);
    let row = listed(&directory).await.activities.remove(0);
    assert_eq!(row.start.unwrap().to_string(), START);
    assert_eq!((row.elapsed_s, row.timer_s), (Some(1800), Some(1700)));
    assert_eq!((row.distance_m, row.weak_start), (Some(5000), false));
    assert_eq!(row.kind.as_str(), "trail_running");
    assert_eq!(row.title.as_deref(), Some("Up-the-hill"));
    assert_eq!(row.device.as_deref(), Some("COROS PACE 2"));
    assert!(row.content.is_some() && row.unusable.is_none() && row.hint.is_some());
    assert_eq!(&row.sha256.unwrap().as_str()[..32], row.fingerprint.as_str());
}

#[tokio::test]
async fn what_cannot_be_synced_is_listed_with_its_reason() {
    let (folder, directory) = folder();
    let start: Timestamp = START.parse().unwrap();
    let whole = FitFile::new(start).records(10);
    let later = FitFile::new("2026-11-20T06:00:00Z".parse().unwrap()).records(10);
    put(&folder, "broken.fit", &whole.clone().bad_crc().build());
    put(&folder, "clock.fit", &whole.clone().clock_not_set().build());
    put(&folder, "course.fit", &whole.clone().file_type(6).build());
    put(&folder, "empty.fit", b"");
    put(&folder, "two.fit", &whole.chain(later).build());
    put(&folder, "zip.fit.gz", b"no gzip at all");
    File::create(folder.path().join("huge.fit")).and_then(|file| file.set_len(300 << 20)).unwrap();
    let page = listed(&directory).await;
    assert!(page.complete);
    let rows = known(&page);
    let reason = |id: &str| rows[&RemoteId::new(id)].unusable.clone().unwrap();
    for id in ["broken.fit", "empty.fit", "zip.fit.gz", "huge.fit"] {
        assert!(matches!(reason(id), Unusable::Unreadable { .. }), "{id}");
    }
    assert_eq!(reason("clock.fit"), Unusable::ClockNotSet);
    assert!(matches!(reason("course.fit"), Unusable::NotAnActivity { .. }));
    assert_eq!(reason("two.fit"), Unusable::SeveralActivities);
    let two = &rows[&RemoteId::new("two.fit")];
    assert_eq!(two.start, Some(start));
    assert!(two.content.is_some() && two.elapsed_s.is_some());
    assert!(rows[&RemoteId::new("clock.fit")].sha256.is_some());
}

#[tokio::test]
async fn dot_files_and_dangling_links_are_counted_and_loops_are_told() {
    let (folder, directory) = folder();
    put(&folder, "a/run.fit", &ride(START));
    put(&folder, ".hidden.fit", &ride(START));
    put(&folder, ".trash/old.fit", &ride(START));
    put(&folder, ".fit_sync-id", b"our own marker is not counted");
    symlink("nowhere.fit", folder.path().join("dangling.fit")).unwrap();
    symlink("..", folder.path().join("a/loop")).unwrap();
    let page = listed(&directory).await;
    assert_eq!(ids(&page), ["a/run.fit"]);
    assert!(page.complete, "nothing that counts is missing");
    let note = |subject: &str, message: &str| Note {
        subject: subject.to_owned(),
        message: message.to_owned(),
    };
    let notes = [
        note("a/loop", "a link back to its own folder . is not followed"),
        note(".", "2 dot-files and 1 dangling link ignored"),
    ];
    assert_eq!(page.notes, notes);
}

#[tokio::test]
async fn links_to_files_and_folders_are_followed() {
    let (folder, directory) = folder();
    let elsewhere = tempfile::tempdir().unwrap();
    put(&elsewhere, "2025/run.fit", &ride(START));
    symlink(elsewhere.path(), folder.path().join("old")).unwrap();
    let target = elsewhere.path().join("2025/run.fit");
    symlink(target, folder.path().join("one.fit")).unwrap();
    assert_eq!(ids(&listed(&directory).await), ["old/2025/run.fit", "one.fit"]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_makes_the_listing_incomplete() {
    let (folder, directory) = folder();
    put(&folder, "open.fit", &ride(START));
    put(&folder, "closed/run.fit", &ride(START));
    let closed = folder.path().join("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything.
    let refused = fs::read_dir(&closed).is_err();
    let page = listed(&directory).await;
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(page.complete, !refused);
    assert_eq!(page.notes.len(), usize::from(refused));
}

#[tokio::test]
async fn names_of_any_bytes_have_ids_and_are_found_again_by_them() {
    let (folder, directory) = folder();
    let bad = OsStr::from_bytes(b"r\xffn.fit");
    put(&folder, Path::new("x").join(bad), &ride("2026-11-01T10:00:00Z"));
    put(&folder, "cafe\u{301}.fit", &ride("2026-11-02T10:00:00Z"));
    put(&folder, "caf\u{e9}.fit", &ride("2026-11-03T10:00:00Z"));
    let page = listed(&directory).await;
    let wanted = ["caf\u{e9}.fit", "caf\u{e9}.fit~2", "x/r\u{fffd}n.fit"];
    assert_eq!(ids(&page), wanted);
    let forgetful = Directory::new(folder.path(), opening());
    for directory in [directory, forgetful] {
        for row in &page.activities {
            let bytes = directory.download(row).await.unwrap().bytes;
            assert_eq!(Some(Sha256::of(&bytes)), row.sha256, "{}", row.id);
        }
    }
}

#[tokio::test]
async fn a_warm_listing_opens_no_file() {
    let (folder, directory) = folder();
    put(&folder, "run.fit", &ride("2026-11-01T10:00:00Z"));
    put(&folder, "bad.fit", b"broken");
    let mut cold = listed(&directory).await;
    // Whoever opened the files would see that it is not so.
    for row in &mut cold.activities {
        row.fingerprint = Fingerprint::new("as remembered");
    }
    let warm = relisted(&directory, &known(&cold)).await.unwrap();
    assert_eq!(warm.activities, cold.activities);
    let touched = File::options().append(true).open(folder.path().join("run.fit")).unwrap();
    touched.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(7)).unwrap();
    let page = relisted(&directory, &known(&warm)).await.unwrap();
    assert_eq!(page.activities[0].sha256, Some(Sha256::of(&ride("2026-11-01T10:00:00Z"))));
    assert_eq!(page.activities[1], cold.activities[1]);
}

/// Whoever sets a file's time back cannot set back when that was done.
#[tokio::test]
async fn other_bytes_of_the_same_size_and_time_are_seen() {
    let (folder, directory) = folder();
    let (old, new) = (ride("2026-11-01T10:00:00Z"), ride("2026-11-02T10:00:00Z"));
    put(&folder, "run.fit", &old);
    put(&folder, "other.fit", &new);
    let cold = listed(&directory).await;
    let place = |name: &str| folder.path().join(name);
    let modified = fs::metadata(place("run.fit")).unwrap().modified().unwrap();
    let other = File::options().append(true).open(place("other.fit")).unwrap();
    other.set_modified(modified).unwrap();
    fs::rename(place("other.fit"), place("run.fit")).unwrap();
    let page = relisted(&directory, &known(&cold)).await.unwrap();
    assert_eq!(page.activities[0].sha256, Some(Sha256::of(&new)));
}

#[tokio::test]
async fn a_file_changed_just_now_is_read_again_next_time() {
    let folder = tempfile::tempdir().unwrap();
    put(&folder, "run.fit", &ride(START));
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let path = folder.path().join("run.fit");
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(modified).unwrap();
    for (now, trusted) in [
        ("2001-09-09T01:46:39Z", false),
        ("2001-09-09T01:46:42Z", false),
        ("2001-09-09T01:46:43Z", true),
    ] {
        let directory = Directory::new(folder.path(), opening_at(now));
        let page = listed(&directory).await;
        assert_eq!(page.activities[0].hint.is_some(), trusted, "{now}");
    }
}

#[tokio::test]
async fn a_missing_folder_is_told_apart_from_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("disk/archive");
    let directory = Directory::new(&missing, opening());
    let profile = directory.whoami().await.unwrap();
    assert_eq!(profile.id, None);
    let real = folder.path().canonicalize().unwrap().join("disk/archive");
    assert_eq!(profile.location.as_deref(), real.to_str());
    let none = HashMap::new();
    let answer = relisted(&directory, &none).await;
    assert_eq!(answer.unwrap_err(), PlatformError::NotFound);
    assert!(!missing.exists(), "looking makes nothing");
    let prepared = directory.prepare().await.unwrap();
    assert!(prepared.id.is_some());
    assert_eq!(directory.whoami().await.unwrap(), prepared);
    assert!(listed(&directory).await.activities.is_empty());
    put(&folder, "file", b"");
    let directory = Directory::new(folder.path().join("file"), opening());
    let answer = relisted(&directory, &none).await;
    assert!(matches!(answer, Err(PlatformError::Permanent(_))));
}

#[tokio::test]
async fn a_marker_is_made_once_and_a_broken_one_is_refused() {
    let (folder, directory) = folder();
    let first = directory.prepare().await.unwrap();
    let marker = folder.path().join(".fit_sync-id");
    let text = fs::read_to_string(&marker).unwrap();
    let id = first.id.clone().unwrap();
    let wanted = format!("{{\"format\":\"fit_sync.directory/1\",\"id\":\"{}\"}}\n", id.as_str());
    assert_eq!(text, wanted);
    let other = Directory::new(folder.path(), opening());
    assert_eq!(other.prepare().await.unwrap(), first);
    for broken in [
        "",
        "{}",
        "{\"format\":\"fit_sync.directory/2\",\"id\":\"00000000000000000000000000000000\"}",
        "{\"format\":\"fit_sync.directory/1\",\"id\":\"../..\"}",
    ] {
        fs::write(&marker, broken).unwrap();
        for answer in [other.whoami().await, other.prepare().await] {
            assert!(matches!(answer, Err(PlatformError::Permanent(_))), "{broken}");
        }
        assert_eq!(fs::read_to_string(&marker).unwrap(), broken);
    }
}

#[tokio::test]
async fn an_unmounted_disk_is_not_written_to() {
    let (folder, directory) = folder();
    directory.prepare().await.unwrap();
    fs::remove_file(folder.path().join(".fit_sync-id")).unwrap();
    let answer = directory.upload(&file(ride(START), None)).await;
    assert!(matches!(answer, Err(PlatformError::Transient(_))));
    assert!(names_in(folder.path()).is_empty());
}

#[tokio::test]
async fn an_upload_is_placed_by_type_year_and_name() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("new");
    let directory = Directory::new(&root, opening());
    let sent = file(ride(START), Some("Evening Ride"));
    let id = RemoteId::new("cycling/2026/2026-11-19_061233_cycling_Evening-Ride.fit");
    let answer = directory.upload(&sent).await.unwrap();
    assert_eq!(answer, Uploaded::Stored(id.clone()));
    assert_eq!(names_in(&root), [".fit_sync-id", "cycling"]);
    let page = listed(&directory).await;
    assert_eq!(ids(&page), [id.as_str()]);
    assert_eq!(page.activities[0].title.as_deref(), Some("Evening-Ride"));
    let original = directory.download(&page.activities[0]).await.unwrap();
    assert_eq!(original.bytes, sent.bytes);
    let details = directory.details(&id).await.unwrap();
    assert_eq!(details.title.as_deref(), Some("Evening-Ride"));
    let set = directory.set_details(&id, &details).await;
    assert_eq!(set, Err(PlatformError::Unsupported));
    let nothing = directory.set_details(&id, &Details::default()).await;
    assert_eq!(nothing, Ok(()));
}

#[tokio::test]
async fn no_file_is_ever_written_over() {
    let (folder, directory) = folder();
    let one = file(ride(START), None);
    let two = file(ride("2026-11-19T06:12:34Z"), None);
    let name =
        |suffix: &str| RemoteId::new(format!("cycling/2026/2026-11-19_061233_cycling{suffix}.fit"));
    let stored = |suffix: &str| Ok(Uploaded::Stored(name(suffix)));
    let duplicate = |suffix: &str| {
        let existing = Some(name(suffix));
        Err(PlatformError::Duplicate { existing })
    };
    assert_eq!(directory.upload(&one).await, stored(""));
    assert_eq!(directory.upload(&one).await, duplicate(""));
    assert_eq!(directory.upload(&two).await, stored("-2"));
    assert_eq!(directory.upload(&two).await, duplicate("-2"));
    let placed = folder.path().join("cycling/2026");
    assert_eq!(names_in(&placed).len(), 2, "no temporary file is left");
    let first = placed.join("2026-11-19_061233_cycling.fit");
    assert_eq!(fs::read(first).unwrap(), one.bytes);
}

#[tokio::test]
async fn uploads_at_the_same_moment_do_not_touch_each_other() {
    let (_folder, directory) = folder();
    let files: Vec<platform::FitFile> =
        (10..18).map(|second| file(ride(&format!("2026-11-19T06:12:{second}Z")), None)).collect();
    let sends: Vec<_> = files
        .iter()
        .cloned()
        .map(|file| {
            let directory = directory.clone();
            tokio::spawn(async move { directory.upload(&file).await.unwrap() })
        })
        .collect();
    for send in sends {
        send.await.unwrap();
    }
    let page = listed(&directory).await;
    let mut held: Vec<_> = page.activities.iter().map(|row| &row.sha256).collect();
    let mut sent: Vec<_> = files.iter().map(|file| Some(file.sha256.clone())).collect();
    held.sort();
    sent.sort();
    assert_eq!(held, sent.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_deleted_file_is_gone_and_others_stay() {
    let (folder, directory) = folder();
    put(&folder, "a/one.fit", &ride("2026-11-01T10:00:00Z"));
    put(&folder, "a/two.fit", &ride("2026-11-02T10:00:00Z"));
    let row = listed(&directory).await.activities.remove(1);
    assert_eq!(directory.delete(&row).await, Ok(()));
    assert_eq!(names_in(&folder.path().join("a")), ["two.fit"]);
    let gone = PlatformError::NotFound;
    assert_eq!(directory.delete(&row).await, Err(gone.clone()));
    assert_eq!(directory.download(&row).await.unwrap_err(), gone);
    assert_eq!(directory.details(&row.id).await.unwrap_err(), gone);
}

#[tokio::test]
async fn no_id_leads_out_of_the_folder_or_to_other_files() {
    let outer = tempfile::tempdir().unwrap();
    put(&outer, "secret.fit", &ride(START));
    put(&outer, "in/.hidden.fit", &ride(START));
    put(&outer, "in/notes.txt", b"mine");
    let directory = Directory::new(outer.path().join("in"), opening());
    directory.prepare().await.unwrap();
    let absolute = outer.path().join("secret.fit");
    for id in [
        "../secret.fit",
        "a/../../secret.fit",
        absolute.to_str().unwrap(),
        ".hidden.fit",
        ".fit_sync-id",
        "notes.txt",
        "",
    ] {
        let bytes = Sha256::of(&ride(START));
        let row = Activity::unusable(
            RemoteId::new(id),
            Fingerprint::of_bytes(&bytes),
            Unusable::NoOriginal,
        );
        let row = Activity { sha256: Some(bytes), ..row };
        let answer = directory.delete(&row).await;
        assert_eq!(answer, Err(PlatformError::NotFound), "{}", row.id);
    }
    assert!(absolute.exists());
    let kept = [".fit_sync-id", ".hidden.fit", "notes.txt"];
    assert_eq!(names_in(&outer.path().join("in")), kept);
}

#[tokio::test]
async fn what_an_interrupted_run_left_is_removed_and_nothing_else() {
    let (folder, directory) = folder();
    let elsewhere = tempfile::tempdir().unwrap();
    let ours = ".fit_sync-0123456789abcdef0123456789abcdef.tmp";
    put(&elsewhere, ours, b"not in this tree");
    symlink(elsewhere.path(), folder.path().join("link")).unwrap();
    put(&folder, Path::new("cycling/2026").join(ours), b"half");
    put(&folder, ".fit_sync-mine.tmp", b"not ours");
    put(&folder, "cycling/other.tmp", b"not ours");
    directory.tidy().await;
    assert!(names_in(&folder.path().join("cycling/2026")).is_empty());
    assert!(folder.path().join(".fit_sync-mine.tmp").exists());
    assert!(folder.path().join("cycling/other.tmp").exists());
    assert!(elsewhere.path().join(ours).exists());
}

#[tokio::test]
async fn a_file_that_may_not_be_opened_is_a_row_and_is_tried_again() {
    let (folder, directory) = folder();
    put(&folder, "run.fit", &ride(START));
    let path = folder.path().join("run.fit");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything.
    let refused = File::open(&path).is_err();
    let page = listed(&directory).await;
    assert_eq!(page.activities[0].unopened().is_some(), refused);
    assert_eq!(page.activities[0].hint.is_none(), refused);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let page = relisted(&directory, &known(&page)).await.unwrap();
    assert_eq!(page.activities[0].unusable, None);
}

#[tokio::test]
async fn a_file_whose_bytes_cannot_be_had_makes_the_listing_a_part_and_is_named() {
    // Its start is nobody's memory, so that reading it is an I/O error, for root too.
    let unreadable = Path::new("/proc/self/mem");
    if !unreadable.exists() {
        return;
    }
    let (folder, directory) = folder();
    put(&folder, "a/good.fit", &ride(START));
    symlink(unreadable, folder.path().join("a/bad.fit")).unwrap();
    let page = listed(&directory).await;
    assert_eq!(page.activities.len(), 2, "it has a row");
    assert_eq!(page.notes.len(), 1, "{:?}", page.notes);
    assert_eq!(page.notes[0].subject, "a/bad.fit");
    let row = page.activities.iter().find(|row| row.id.as_str() == "a/bad.fit").unwrap();
    let look = directory.look(row, &known(&page)).await;
    assert!(matches!(look, Err(PlatformError::Transient(_))), "{look:?}");
    assert!(row.unopened().is_some());
}

#[tokio::test]
async fn a_look_reads_the_file_whatever_is_known() {
    let (folder, directory) = folder();
    directory.prepare().await.unwrap();
    put(&folder, "a/one.fit", &ride(START));
    put(&folder, "a/two.fit", &ride("2026-11-02T10:00:00Z"));
    let page = listed(&directory).await;
    assert_eq!(page.read, Coverage::Whole);
    let row = page.activities[0].clone();
    assert_eq!(directory.look(&row, &known(&page)).await, Ok(Some(row.clone())));
    let path = folder.path().join(row.id.as_str());
    // Other bytes of the same size and time.
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, ride("2026-11-19T06:12:34Z")).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    let now = directory.look(&row, &known(&page)).await.unwrap().unwrap();
    assert_ne!(now.fingerprint, row.fingerprint);
    fs::remove_file(&path).unwrap();
    assert_eq!(directory.look(&row, &known(&page)).await, Ok(None));
    fs::remove_file(folder.path().join(".fit_sync-id")).unwrap();
    let look = directory.look(&row, &known(&page)).await;
    assert!(matches!(look, Err(PlatformError::Transient(_))), "an unmounted disk: {look:?}");
}

#[tokio::test]
async fn what_took_a_file_s_place_is_not_removed() {
    for packed in [false, true] {
        let (folder, directory) = folder();
        let pack = |bytes: Vec<u8>| if packed { gzip(&bytes) } else { bytes };
        let name = if packed { "run.fit.gz" } else { "run.fit" };
        put(&folder, name, &pack(ride(START)));
        let row = listed(&directory).await.activities.remove(0);
        let theirs = pack(ride("2026-11-19T07:00:00Z"));
        put(&folder, name, &theirs);
        assert_eq!(directory.delete(&row).await, Err(PlatformError::Changed));
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), theirs);
        let unknown = Activity { sha256: None, ..row.clone() };
        let refused = directory.delete(&unknown).await;
        assert!(matches!(refused, Err(PlatformError::Permanent(_))), "{refused:?}");
        put(&folder, name, &pack(ride(START)));
        assert_eq!(directory.delete(&row).await, Ok(()));
        assert!(names_in(folder.path()).is_empty());
    }
}

#[tokio::test]
async fn temporary_files_of_the_last_day_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let ours = ".fit_sync-0123456789abcdef0123456789abcdef.tmp";
    put(&folder, ours, b"half");
    let written = fs::metadata(folder.path().join(ours)).unwrap().ctime();
    let now = Timestamp::from_second(written).unwrap();
    for (later, names) in [(23, vec![ours]), (25, vec![])] {
        let at = now + jiff::SignedDuration::from_hours(later);
        Directory::new(folder.path(), opening_at(&at.to_string())).tidy().await;
        assert_eq!(names_in(folder.path()), names, "{later} hours later");
    }
}

#[tokio::test]
async fn what_is_no_folder_is_told_without_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "a file").unwrap();
    let directory = Directory::new(&path, opening());
    let told = relisted(&directory, &HashMap::new()).await.unwrap_err().to_string();
    assert!(!told.contains(&*folder.path().to_string_lossy()), "{told}");
    let told = directory.whoami().await.unwrap_err().to_string();
    assert!(!told.contains("marker"), "{told}");
}
