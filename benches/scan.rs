//! How fast a file's identity is read, against full decoding and against hashing the same bytes.
//!
//! Identity is read of every file of a directory on every plan, so it may cost at most twice the
//! hashing that happens anyway, and a hundredth of full decoding. Ratios are printed at the end;
//! those of one run compare, absolute times depend on the machine.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use fit_sync::fit;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

#[path = "../tests/it/support/fit.rs"]
#[expect(dead_code, reason = "the bench needs few of the writer's words")]
mod writer;

#[divan::bench]
fn scan(bencher: divan::Bencher<'_, '_>) {
    let bytes = ride();
    bencher
        .counter(divan::counter::BytesCount::of_slice(&bytes))
        .bench(|| fit::scan(black_box(&bytes)));
}

#[divan::bench]
fn sha256(bencher: divan::Bencher<'_, '_>) {
    let bytes = ride();
    bencher
        .counter(divan::counter::BytesCount::of_slice(&bytes))
        .bench(|| Sha256::digest(black_box(&bytes)));
}

#[divan::bench(sample_count = 10)]
fn full_decoding(bencher: divan::Bencher<'_, '_>) {
    let bytes = ride();
    bencher
        .counter(divan::counter::BytesCount::of_slice(&bytes))
        .bench(|| fitparser::from_bytes(black_box(&bytes)));
}

fn main() {
    divan::main();
    report("an hour and a half of cycling", &[ride()]);
    let real = corpus();
    if !real.is_empty() {
        report("real files", &real);
    }
}

/// 5,400 records of nine fields.
fn ride() -> Vec<u8> {
    writer::FitFile::new(Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(480_000))
        .elapsed_s(5400)
        .timer_s(5400)
        .records(5400)
        .build()
}

/// Whole activities of a corpus beside the project that the full decoder can read too.
fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .filter_map(|entry| std::fs::read(entry.path()).ok())
        .filter(|bytes| fit::read(bytes).is_ok() && fitparser::from_bytes(bytes).is_ok())
        .collect()
}

#[expect(clippy::print_stdout, reason = "the report is what the bench is for")]
fn report(what: &str, files: &[Vec<u8>]) {
    let bytes: usize = files.iter().map(Vec::len).sum();
    let scan = best(20, || files.iter().all(|file| fit::scan(file).is_ok()));
    let hash = best(20, || {
        files.iter().all(|file| Sha256::digest(file)[..] != [0; 32])
    });
    let full = best(3, || {
        files.iter().all(|file| fitparser::from_bytes(file).is_ok())
    });
    let per_second = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
    println!(
        "{what}: {} files, {} KB; scan {:.0} MB/s, sha256 {:.0} MB/s, full decoding {:.1} MB/s",
        files.len(),
        bytes / 1000,
        per_second(scan),
        per_second(hash),
        per_second(full),
    );
    println!(
        "  scan takes {:.2} x the time of sha256; full decoding takes {:.0} x the time of scan",
        scan.as_secs_f64() / hash.as_secs_f64(),
        full.as_secs_f64() / scan.as_secs_f64(),
    );
}

/// The shortest of several runs: what the machine can do when nothing disturbs it.
#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's own time"
)]
fn best(runs: u32, mut work: impl FnMut() -> bool) -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..runs {
        let begin = Instant::now();
        black_box(work());
        shortest = shortest.min(begin.elapsed());
    }
    shortest
}
