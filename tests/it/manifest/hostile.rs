//! Texts that want to crash, exhaust or delay.

use std::fs::File;

use proptest::prelude::*;

use super::cases::bomb;
use super::meaning::FULL;
use super::texts;
use super::world::World;
use fit_sync::render::diagnostics;

/// Loads in a thread with a small stack. How long that takes is the business of `benches/manifest.rs`.
fn codes(world: World) -> Vec<&'static str> {
    let run = move || {
        let findings = world.findings();
        diagnostics::text(&findings, true);
        diagnostics::json(&findings);
        findings.iter().map(|finding| finding.code).collect()
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap().join().unwrap()
}

#[test]
fn nesting_is_refused_before_it_hurts() {
    let steps: String = (0..900).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let deep = [
        "[".repeat(5_000),
        format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)),
        "{\"a\":".repeat(5_000),
        "{? ".repeat(5_000),
        "- ".repeat(5_000),
        "? ".repeat(5_000),
        steps,
    ];
    for text in deep {
        assert_eq!(codes(World::with(&text)), ["too_deep"], "{:.20}", text);
    }
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for link in 1..5_000 {
        chain.push_str(&format!("a{link}: &a{link} [*a{}]\n", link - 1));
    }
    assert_eq!(codes(World::with(&chain)), ["too_deep"]);
}

#[test]
fn bombs_and_giants_are_refused_at_once() {
    assert_eq!(codes(World::with(&bomb())), ["too_many_values"]);
    let giant = World::new();
    let file = File::create(giant.path("work/fit_sync.yaml")).unwrap();
    file.set_len(100 << 20).unwrap();
    assert_eq!(codes(giant), ["file_too_large"]);
    let endless = World::new();
    std::os::unix::fs::symlink("/dev/zero", endless.path("work/fit_sync.yaml")).unwrap();
    assert_eq!(codes(endless), ["file_too_large"]);
}

#[test]
fn a_long_text_of_anything_is_answered() {
    for text in texts::long(200_000) {
        let head: String = text.chars().take(30).collect();
        assert!(!codes(World::with(&text)).is_empty(), "{head}");
    }
}

/// A manifest with a stretch replaced by other bytes.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let junk = proptest::collection::vec(any::<u8>(), 0..12);
    (0..FULL.len(), 0usize..40, junk).prop_map(|(start, length, junk)| {
        let mut bytes = FULL.as_bytes().to_vec();
        let end = (start + length).min(bytes.len());
        bytes.splice(start..end, junk);
        bytes
    })
}

fn survives(bytes: &[u8]) {
    let world = World::new();
    world.write("work/fit_sync.yaml", bytes);
    let findings = world.findings();
    diagnostics::text(&findings, false);
    diagnostics::json(&findings);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        survives(&bytes);
    }

    #[test]
    fn any_yaml_like_text_is_answered(text in "([a-z_]{1,9}|[ \\-:{}\\[\\],\"'|>&*!?#%@\n\t]|é|password: |accounts:|sync_rules:){0,80}") {
        survives(text.as_bytes());
    }

    #[test]
    fn a_damaged_manifest_is_answered(bytes in damaged()) {
        survives(&bytes);
    }
}
