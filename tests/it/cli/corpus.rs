//! Real files of many makers, where a corpus of them lies beside the project.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fit_sync::domain::Sha256;
use serde_json::Value;

use crate::support::cli::{Cli, context, steps, tree};

fn corpus() -> Option<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    corpus.canonicalize().ok()
}

fn unzipped(bytes: &[u8]) -> Vec<u8> {
    let mut unzipped = Vec::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(bytes);
    match std::io::Read::read_to_end(&mut decoder, &mut unzipped) {
        Ok(_) => unzipped,
        Err(_) => bytes.to_vec(),
    }
}

/// The ids of the rows under `/source/id`.
fn ids(rows: &Value) -> Vec<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["source"]["id"].as_str().unwrap().to_owned()).collect()
}

/// The corpus into an empty folder.
fn world(corpus: &Path) -> Cli {
    Cli::new(&format!(
        "accounts:\n  corpus: {{ platform: directory, path: {} }}\n  archive: {{ platform: directory, \
         path: archive }}\nsync_rules:\n  - {{ name: keep, source: corpus, destination: archive }}\n",
        corpus.display()
    ))
}

/// Every file that may be an activity, unzipped.
fn files(corpus: &Path) -> BTreeMap<String, Vec<u8>> {
    let is_activity = |name: &String| {
        let name = name.to_lowercase();
        let hidden = name.split('/').any(|part| part.starts_with('.'));
        !hidden && (name.ends_with(".fit") || name.ends_with(".fit.gz"))
    };
    let files = tree(corpus).into_iter().filter(|(name, _)| is_activity(name));
    files.map(|(name, bytes)| (name, unzipped(&bytes))).collect()
}

#[test]
fn every_file_is_accounted_for_and_arrives_once() {
    let Some(corpus) = corpus() else {
        return;
    };
    let (cli, files) = (world(&corpus), files(&corpus));
    let plan = cli.run("plan --json").ok().json();
    let (uploads, conflicts) = (&plan["body"]["steps"], &plan["context"]["conflicts"]);
    let skips = context(&plan, "skips");
    assert!(steps(&plan).iter().all(|step| step.2 == "missing_at_destination"));
    let planned: Vec<String> = ids(uploads).into_iter().chain(ids(conflicts)).collect();
    let once: BTreeSet<&String> = planned.iter().collect();
    assert_eq!(once.len(), planned.len(), "no file is planned twice");
    assert_eq!(planned.len() + skips.len(), files.len(), "every file is named");
    // Which files are usable, as the library says; the corpus' own table has proved that.
    let mut usable: BTreeMap<Sha256, &String> = BTreeMap::new();
    let mut twins = 0;
    for (name, bytes) in &files {
        let content = fit_sync::fit::read(bytes).ok();
        if content.and_then(|content| content.key()).is_some() {
            twins += usize::from(usable.insert(Sha256::of(bytes), name).is_some());
        }
    }
    assert_eq!(planned.len(), usable.len(), "every usable one is an upload or a question");
    let count = |reason: &str| skips.iter().filter(|skip| skip.2 == reason).count();
    assert_eq!(count("same_bytes_in_source"), twins);
    let unusable = count("unreadable") + count("not_an_activity") + count("clock_not_set");
    assert_eq!(unusable + twins, skips.len(), "{skips:#?}");
    let code = if conflicts.as_array().unwrap().is_empty() { 0 } else { 6 };
    let uploaded = ids(uploads);
    cli.run("apply --auto-approve").exits(code).says(&format!("{} uploaded", uploaded.len()));
    let sent: BTreeSet<Sha256> = uploaded.iter().map(|id| Sha256::of(&files[id])).collect();
    let mut arrived = cli.files("archive");
    arrived.remove(".fit_sync-id").unwrap();
    assert_eq!(arrived.len(), uploaded.len());
    let arrived: BTreeSet<Sha256> = arrived.values().map(|bytes| Sha256::of(bytes)).collect();
    assert_eq!(arrived, sent, "the bytes are the source's");
    for lost in [false, true] {
        if lost {
            cli.lose_state();
        }
        let plan = cli.run("plan --json").ok().json();
        assert_eq!(steps(&plan), [], "state lost: {lost}");
        assert_eq!(ids(&plan["context"]["conflicts"]).len(), planned.len() - uploaded.len());
        assert_eq!(plan["context"]["counts"]["in_sync"], uploaded.len());
        cli.run("apply --auto-approve").exits(code);
    }
    assert_eq!(cli.activities("archive").len(), uploaded.len());
}
