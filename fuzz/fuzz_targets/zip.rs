//! No bytes whatsoever may make the reader of account exports panic, hang or reserve what it has
//! not; whatever it lists as usable can be fetched, and is what was listed.

#![no_main]

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;

use fit_sync::clock::ManualClock;
use fit_sync::domain::Sha256;
use fit_sync::platform::directory::Export;
use fit_sync::platform::{ListRequest, Opening, Platform as _, Window};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::Builder::new().suffix(".zip").tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::MAX));
    let export = Export::new(file.path(), Opening::offline(clock, Arc::new(|| [7; 16])));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let known = HashMap::new();
        let request = ListRequest { window: Window::default(), page: None, known: &known };
        let Ok(page) = export.list(request).await else {
            return;
        };
        for row in page.activities.iter().filter(|row| row.unusable.is_none()) {
            let original = export.download(row).await.unwrap();
            assert_eq!(row.sha256, Some(Sha256::of(&original.bytes)));
        }
    });
});
