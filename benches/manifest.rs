//! How the answer to a long text grows with it: a text twice as long may take about twice the time.
//!
//! A manifest may come from a stranger, and is answered before anything else is done.

#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]
#![expect(clippy::print_stdout, reason = "the report is what the bench is for")]
#![expect(clippy::disallowed_methods, reason = "a bench measures the machine's own time")]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use fit_sync::manifest::{LoadRequest, Trust, load};
use fit_sync::platform;

#[path = "../tests/it/manifest/texts.rs"]
mod texts;

const SIZE: usize = 100_000;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    println!("{:>30} {:>10} {:>8}", "text", "ms", "doubled");
    for (text, longer) in texts::long(SIZE).iter().zip(texts::long(2 * SIZE)) {
        let (once, twice) = (time(folder.path(), text), time(folder.path(), &longer));
        let head: String = text.chars().take(30).collect();
        let growth = twice.as_secs_f64() / once.as_secs_f64();
        let ms = once.as_secs_f64() * 1000.0;
        println!("{:>30} {ms:>10.1} {growth:>7.1}x", head.escape_debug().to_string());
    }
}

/// The best of three.
fn time(folder: &Path, text: &str) -> Duration {
    fs::write(folder.join("fit_sync.yaml"), text).unwrap();
    let request = LoadRequest {
        path: Path::new("fit_sync.yaml"),
        cwd: folder,
        home: folder,
        user_home: None,
        catalog: &platform::catalog(),
        trust: Trust::PrivateFiles,
        uid: 0,
    };
    let measure = |_| {
        let begin = Instant::now();
        let _ = black_box(load(&request));
        begin.elapsed()
    };
    (0..3).map(measure).min().unwrap()
}
