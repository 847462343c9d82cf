//! Texts that want to crash, exhaust or delay.

use std::fs::File;
use std::time::Duration;

use proptest::prelude::*;

use super::cases::bomb;
use super::meaning::FULL;
use super::world::World;
use fit_sync::render::diagnostics;

/// Loads in a thread of its own with a small stack, and gives up after a while.
fn codes_soon(world: World) -> Vec<&'static str> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let run = move || {
        let findings = world.findings();
        diagnostics::text(&findings, true);
        diagnostics::json(&findings);
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
        let _ = sender.send(codes);
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap();
    let soon = Duration::from_secs(120);
    receiver.recv_timeout(soon).expect("an answer at once")
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
        assert_eq!(codes_soon(World::with(&text)), ["too_deep"], "{:.20}", text);
    }
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for link in 1..5_000 {
        chain.push_str(&format!("a{link}: &a{link} [*a{}]\n", link - 1));
    }
    assert_eq!(codes_soon(World::with(&chain)), ["too_deep"]);
}

#[test]
fn bombs_and_giants_are_refused_at_once() {
    assert_eq!(codes_soon(World::with(&bomb())), ["too_many_values"]);
    let giant = World::new();
    let file = File::create(giant.path("work/fit_sync.yaml")).unwrap();
    file.set_len(100 << 20).unwrap();
    assert_eq!(codes_soon(giant), ["file_too_large"]);
    let endless = World::new();
    std::os::unix::fs::symlink("/dev/zero", endless.path("work/fit_sync.yaml")).unwrap();
    assert_eq!(codes_soon(endless), ["file_too_large"]);
}

#[test]
fn a_long_text_of_anything_is_answered_soon() {
    let fill = |head: &str, part: &str| format!("{head}{}", part.repeat(200_000 / part.len()));
    let count = |head: &str, form: fn(usize) -> String, count| -> String {
        let parts: Vec<String> = (0..count).map(form).collect();
        format!("{head}{}", parts.concat())
    };
    let texts = [
        fill("", "a: b\n"),
        fill("", "x"),
        fill("", "password: \""),
        fill("", "password:\n"),
        fill("", "@://@ "),
        fill("", "- "),
        fill("", "[],"),
        fill("", "\n"),
        fill("", "#\n"),
        fill("", "\"\\u00e9"),
        fill("", "? a\n"),
        fill("accounts:\n password: ", "x\n  "),
        fill("sync_rules: [{ title: '", "("),
        fill("sync_rules: [{ source: ", "x"),
        count("", |i| format!("key{i}: 1\n"), 9_000),
        count("accounts:\n", |i| format!(" a{i}: {{}}\n"), 5_000),
        count("sync_rules:\n", |_| " - {}\n".to_owned(), 5_000),
        count("sync_rules:\n", |i| format!(" - title: '\\w{{9}}{i}'\n"), 5_000),
        count("sync_rules:\n - activity_types:\n", |i| format!("   - runing{i}\n"), 9_000),
    ];
    for text in texts {
        let head: String = text.chars().take(30).collect();
        assert!(!codes_soon(World::with(&text)).is_empty(), "{head}");
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
