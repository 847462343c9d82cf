//! Runs the simulation of `tests/it/simulation` for as long as one likes.
//!
//! `cargo run --release --example simulate -- --seeds N [--from SEED] [--story SEED] [--switch NAME …]
//! [--threads N]`: with `--switch` only what is named is odd in the worlds; `--story` tells one
//! world; `--findings` looks for every fault that was ever found. Ends with 1 if a promise is broken.

#[path = "../tests/it/simulation/mod.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "made for tests, which want to hear of what they did not expect"
)]
mod simulation;
#[path = "../tests/it/support"]
#[expect(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "made for tests, which use more of it"
)]
mod support {
    pub(crate) mod fit;
    pub(crate) mod memory;
    pub(crate) mod session;
}

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Parser;

use simulation::Simulator;
use simulation::findings::FINDINGS;
use simulation::switches::Switch;

/// Worlds after which a long run says how far it is.
const STAGE: u64 = 50_000;

#[derive(Parser)]
#[command(about = "Looks for worlds in which a promise is broken")]
struct Args {
    /// Worlds to live through.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Tells the story of one seed.
    #[arg(long)]
    story: Option<u64>,
    /// Turns on these switches and no others.
    #[arg(long = "switch")]
    switches: Vec<Switch>,
    /// Leaves out the worlds in which these show.
    #[arg(long)]
    without: Vec<Switch>,
    #[arg(long, default_value_t = 1)]
    threads: u64,
    /// Stories to tell at most.
    #[arg(long, default_value_t = 1)]
    stories: usize,
    /// Looks for every fault that was ever found.
    #[arg(long)]
    findings: bool,
}

#[expect(clippy::disallowed_methods, reason = "worlds per second are of the machine's own time")]
fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(seed) = args.story {
        let (question, story) = Simulator::new().story(seed, &args.switches);
        say(&story);
        return ending(question.is_none());
    }
    if args.findings {
        return look_for_findings(args.seeds);
    }
    let begin = std::time::Instant::now();
    let failures = failures(&args);
    let seconds = begin.elapsed().as_secs_f64();
    report(&args, &failures);
    let rate = args.seeds as f64 / seconds;
    say(&format!("{} worlds in {seconds:.1} s, {rate:.0} per second\n", args.seeds));
    ending(failures.is_empty())
}

fn look_for_findings(seeds: u64) -> ExitCode {
    let mut simulator = Simulator::new();
    let mut shown = 0;
    for finding in FINDINGS {
        let seed = finding.shown(&mut simulator, seeds);
        shown += usize::from(seed.is_some());
        let place = seed.map_or_else(|| "-".to_owned(), |failure| format!("seed {}", failure.seed));
        say(&format!("{place:>10}  {}: {}\n", finding.question, finding.name));
    }
    say(&format!("{shown} of {} findings show\n", FINDINGS.len()));
    ending(shown == 0)
}

/// The failing seeds, by the question that is answered wrongly.
fn failures(args: &Args) -> BTreeMap<simulation::Question, Vec<u64>> {
    let next = AtomicU64::new(args.from);
    let end = args.from + args.seeds;
    let failures = Mutex::new(BTreeMap::<_, Vec<u64>>::new());
    std::thread::scope(|scope| {
        for _ in 0..args.threads {
            scope.spawn(|| {
                let mut simulator = Simulator::new();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    if Simulator::has_any(seed, &args.switches, &args.without) {
                        continue;
                    }
                    if let Some(broken) = simulator.seed(seed, &args.switches)
                        && let Ok(mut failures) = failures.lock()
                    {
                        say(&format!("seed {seed}: {}\n", broken.question));
                        failures.entry(broken.question).or_default().push(seed);
                    }
                    let lived = seed + 1 - args.from;
                    if lived.is_multiple_of(STAGE) {
                        say(&format!("{lived} of {} worlds\n", args.seeds));
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap_or_default()
}

fn report(args: &Args, failures: &BTreeMap<simulation::Question, Vec<u64>>) {
    for (question, seeds) in failures {
        let first = seeds.iter().min().copied().unwrap_or_default();
        say(&format!("{question}: {} worlds, the first is {first}\n", seeds.len()));
    }
    let firsts = failures.values().filter_map(|seeds| seeds.iter().min());
    for seed in firsts.take(args.stories) {
        let (_, story) = Simulator::new().story(*seed, &args.switches);
        say(&format!("\n{story}\n"));
    }
}

fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn ending(is_good: bool) -> ExitCode {
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
