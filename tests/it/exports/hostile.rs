//! Zips that mean harm, or were harmed: each a reason, never harm.

use std::io::Write as _;

use fit_sync::platform::{Platform as _, PlatformError};
use proptest::prelude::*;

use super::{World, activity, ids, reasons};
use crate::support::cli::gzip;
use crate::support::zip::{Entry, ZipFile};

/// Listed beside a whole activity, which must come through.
async fn beside(entries: impl IntoIterator<Item = Entry>) -> Vec<(String, String)> {
    let sound = ZipFile::new().stored("sound.fit", activity(1));
    let zip = entries.into_iter().fold(sound, ZipFile::with);
    let world = World::new(&zip);
    let page = world.list().await.unwrap();
    let sound = page.activities.iter().find(|row| row.id.as_str() == "sound.fit").unwrap();
    assert!(sound.unusable.is_none() && page.complete);
    assert!(world.export.download(sound).await.unwrap().bytes == activity(1));
    reasons(&page).into_iter().map(|(id, why)| (id.to_owned(), why)).collect()
}

#[track_caller]
fn assert_reasons(found: &[(String, String)], wanted: &[(&str, &str)]) {
    let found: Vec<(&str, &str)> =
        found.iter().map(|(id, why)| (id.as_str(), why.as_str())).collect();
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn names_that_lead_out_are_told_and_not_followed() {
    let found = beside(
        ["/etc/a.fit", "../../b.fit", "C:\\c.fit", "x/../../d.zip", "../notes.txt"]
            .map(|name| Entry::stored(name, &activity(2))),
    )
    .await;
    let why = "its name leads out of the zip";
    let wanted = ["(outside)/b.fit", "(outside)/c.fit", "(outside)/etc/a.fit", "(outside)/x/d.zip"];
    assert_reasons(&found, &wanted.map(|id| (id, why)));
}

#[tokio::test]
async fn encrypted_and_linked_entries_are_told() {
    let found = beside([
        Entry::stored("locked.fit", &activity(2)).encrypted(),
        Entry::stored("locked.zip", &ZipFile::new().build()).encrypted(),
        Entry::stored("link.fit", b"/etc/passwd").link(),
    ])
    .await;
    let locked = "encrypted; unzip it with its password into a folder";
    let wanted =
        [("link.fit", "a link, not a file"), ("locked.fit", locked), ("locked.zip", locked)];
    assert_reasons(&found, &wanted);
}

#[tokio::test]
async fn broken_entries_are_told_one_by_one() {
    let bytes = activity(2);
    let mut checksum = Entry::deflated("checksum.fit", &bytes);
    checksum.crc ^= 1;
    let mut method = Entry::stored("method.fit", &bytes);
    method.method = 14;
    let mut longer = Entry::deflated("longer.fit", &bytes);
    longer.size -= 1;
    let mut noise = Entry::stored("noise.fit", &[0xFE; 500]);
    noise.method = 8;
    let mut gzipped = gzip(&bytes);
    gzipped.truncate(gzipped.len() / 2);
    let found = beside([
        checksum,
        method,
        longer,
        noise,
        Entry::stored("cut.fit.gz", &gzipped),
        Entry::stored("empty.fit", b""),
        Entry::stored("broken.zip", b"not a zip"),
    ])
    .await;
    let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
    let wanted = [
        "broken.zip",
        "checksum.fit",
        "cut.fit.gz",
        "empty.fit",
        "longer.fit",
        "method.fit",
        "noise.fit",
    ];
    assert_eq!(ids, wanted, "{found:#?}");
    assert!(found[0].1.starts_with("a broken zip"), "{found:#?}");
    assert_eq!(found[5].1, "packed by Lzma, which is not supported");
}

#[tokio::test]
async fn bombs_are_stopped_at_their_bounds() {
    let zeros = vec![0; 4 << 20];
    let mut liar = Entry::deflated("liar.fit", &zeros);
    liar.size = 1000;
    let inner = ZipFile::new().deflated("a.fit", &zeros);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&zeros).unwrap();
    let tight = gzip.finish().unwrap();
    let found = beside([
        Entry::deflated("ratio.fit", &zeros),
        liar,
        Entry::stored("ratio.fit.gz", &tight),
        Entry::deflated("ratio.zip", &zeros),
        Entry::deflated("inner.zip", &inner.build()),
    ])
    .await;
    let ratio = "unzips to more than 200 times its size";
    assert_eq!(found.len(), 5);
    let rows: Vec<(&str, &str)> =
        found.iter().map(|(id, why)| (id.as_str(), why.as_str())).collect();
    assert_eq!(rows[0], ("inner.zip/a.fit", ratio));
    assert_eq!(rows[1].0, "liar.fit");
    assert_eq!(rows[2..], [("ratio.fit", ratio), ("ratio.fit.gz", ratio), ("ratio.zip", ratio)]);
}

#[tokio::test]
async fn a_zip_in_a_zip_in_a_zip_is_not_opened() {
    let deepest = ZipFile::new().stored("a.fit", activity(2)).build();
    let middle = ZipFile::new().stored("c.zip", deepest).stored("b.fit", activity(3)).build();
    for pack in [Entry::stored, Entry::deflated] {
        let found = beside([pack("m.zip", &middle)]).await;
        let why = "a zip in a zip in the export; unzip it into a folder";
        assert_reasons(&found, &[("m.zip/c.zip", why)]);
    }
}

#[tokio::test]
async fn entries_that_share_their_bytes_are_refused() {
    let mut twin = Entry::stored("twin.fit", &activity(1));
    twin.header_of = Some(0);
    let mut third = Entry::stored("third.fit", &activity(1));
    third.header_of = Some(0);
    let found = beside([twin, third]).await;
    let why = "shares its bytes with another entry, as zip bombs do";
    assert_reasons(&found, &[("third.fit", why), ("twin.fit", why)]);
}

#[tokio::test]
async fn the_last_of_several_entries_of_one_name_is_read_and_the_rest_told() {
    let zip = ZipFile::new().stored("a.fit", activity(1)).stored("a.fit", activity(2));
    let world = World::new(&zip);
    let page = world.list().await.unwrap();
    assert_eq!(ids(&page), ["a.fit", "(entries of the same name)"]);
    assert!(world.export.download(&page.activities[0]).await.unwrap().bytes == activity(2));
    assert_eq!(reasons(&page).len(), 1);
}

#[tokio::test]
async fn names_cannot_steer_a_terminal() {
    let mut raw = Entry::stored("x", &activity(2));
    raw.name = b"\x1b[31mred\xff\x07.fit".to_vec();
    raw.flags = 0;
    let zip = ZipFile::new().stored("a\u{202e}b\n.fit", activity(1)).with(raw);
    let page = World::new(&zip).list().await.unwrap();
    for row in &page.activities {
        assert!(row.unusable.is_none());
        assert!(!row.id.as_str().chars().any(char::is_control), "{:?}", row.id);
        assert!(!row.id.as_str().contains('\u{202e}'));
    }
}

#[tokio::test]
async fn what_is_no_zip_says_so() {
    let zip = ZipFile::new().stored("a.fit", activity(1));
    let cut = zip.build();
    let cases = [
        ("nothing", Vec::new()),
        ("text", b"PK but not really".to_vec()),
        ("cut short", cut[..cut.len() / 2].to_vec()),
        ("a million entries", zip.zip64(1_000_000, None)),
        ("all entries there are", zip.zip64(u64::MAX, None)),
        ("a record outside", zip.zip64(1, Some(u64::MAX - 10))),
        ("a record elsewhere", zip.zip64(1, Some(0))),
    ];
    for (what, bytes) in cases {
        let refused = World::of(&bytes).list().await;
        assert!(matches!(refused, Err(PlatformError::Permanent(_))), "{what}: {refused:?}");
    }
}

/// A zip with everything in it.
fn rich() -> Vec<u8> {
    let inner =
        ZipFile::new().deflated("1.fit", activity(3)).stored("2.fit.gz", gzip(&activity(4)));
    ZipFile::new()
        .deflated("a.fit", activity(1))
        .stored("b.fit.gz", gzip(&activity(2)))
        .stored("stored.zip", inner.build())
        .deflated("deflated.zip", inner.build())
        .deflated("other.json", "{}")
        .build()
}

fn list(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let world = World::of(bytes);
        if let Ok(page) = world.list().await {
            // Whatever is called an activity is one: its bytes are those that were listed.
            for row in &page.activities {
                match world.export.download(row).await {
                    Ok(original) if row.sha256.is_some() => {
                        let now = fit_sync::domain::Sha256::of(&original.bytes);
                        assert_eq!(row.sha256.as_ref(), Some(&now), "{}", row.id);
                    }
                    Ok(_) | Err(_) => assert!(row.unusable.is_some(), "{}", row.id),
                }
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_damage_whatsoever_does_harm(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        near_the_end in any::<bool>(),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = rich();
        let from = if near_the_end { bytes.len() - 400 } else { 0 };
        for (place, byte) in edits {
            let at = from + place.index(bytes.len() - from);
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        list(&bytes);
    }

    #[test]
    fn no_size_that_a_zip64_claims_does_harm(
        entries in any::<u64>(),
        record_at in prop::option::of(any::<u64>()),
    ) {
        let zip = ZipFile::new().stored("a.fit", activity(1));
        list(&zip.zip64(entries, record_at));
    }
}
