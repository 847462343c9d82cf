//! No bytes whatsoever may make the readers of FIT files panic, hang or disagree.

#![no_main]

use fit_sync::fit;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    look_at(bytes);
    look_at(&sealed(bytes));
});

fn look_at(bytes: &[u8]) {
    let scan = fit::scan(bytes);
    let detail = fit::detail(bytes);
    assert_eq!(scan.as_ref().err(), detail.as_ref().err());
    if let Ok(content) = fit::read(bytes) {
        assert!(content.key().is_some());
        fit::several_activities(&content);
    }
}

/// The bytes as messages of a file whose checksum is right, to get past it.
fn sealed(messages: &[u8]) -> Vec<u8> {
    let size = u32::try_from(messages.len()).unwrap_or(u32::MAX);
    let mut file = vec![12, 0x20, 0x54, 0x08];
    file.extend(size.to_le_bytes());
    file.extend(b".FIT");
    file.extend(messages);
    let crc = file.iter().fold(0u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xA001 * (crc & 1))
        })
    });
    file.extend(crc.to_le_bytes());
    file
}
