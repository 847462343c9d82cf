//! Every reason that a plan can give is shown by a snapshot.

use std::fs;
use std::path::Path;

use fit_sync::plan::{ConflictReason, InSyncReason, SkipReason, StepReason};

/// Reasons that no plan gives today, and why.
const ELSEWHERE: &[(&str, &str)] = &[(
    "unsupported_by_destination",
    "every platform of the catalog takes every FIT activity, so none is ruled out beforehand",
)];

#[test]
fn every_reason_stands_in_a_snapshot() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/plan");
    let shown: String = fs::read_dir(folder)
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    let words = StepReason::ALL.iter().map(|reason| reason.as_str());
    let words = words.chain(InSyncReason::ALL.iter().map(|reason| reason.as_str()));
    let words = words.chain(SkipReason::ALL.iter().map(|reason| reason.as_str()));
    let words = words.chain(ConflictReason::ALL.iter().map(|reason| reason.as_str()));
    let whole = |word: &str| {
        shown.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).any(|found| found == word)
    };
    let missing: Vec<&str> = words.filter(|word| !whole(word)).collect();
    let expected: Vec<&str> = ELSEWHERE.iter().map(|(word, _)| *word).collect();
    assert_eq!(missing, expected);
}
