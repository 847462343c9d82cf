//! What a whole plan costs: time of the processor, how it grows, and memory at its peak.
//!
//! Each size runs in a process of its own, so that the peak is its own. Targets for activities on
//! each side: 10 ms for 1,000, 50 ms for 10,000, 0.5 s and 160 MB for 100,000.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use fit_sync::domain::{
    AccountName, Activity, ActivityType, Address, Fingerprint, Inventory, Link, LinkOrigin,
    LinkStatus, RemoteId, RuleName, Sha256, Side, Unusable,
};
use fit_sync::manifest::{CacheSettings, ConflictStrategy, Filter, Limits, Manifest, Rule};
use fit_sync::plan::{self, AccountView, Memory, Options, World};
use jiff::Timestamp;

/// What is in the accounts, and the sizes to measure.
const SHAPES: &[(&str, &[usize])] = &[
    ("linked", &[1_000, 10_000, 100_000]),
    ("forgotten", &[1_000, 10_000, 100_000]),
    ("missing", &[1_000, 10_000, 100_000]),
    ("one_second", &[1_000, 10_000]),
    ("overlapping", &[1_000, 10_000]),
    ("crowded", &[1_000, 10_000]),
];

#[expect(clippy::print_stdout, reason = "the report is what the bench is for")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    if let [shape, size] = arguments.as_slice() {
        println!("{}", measure(shape, size.parse().unwrap()));
        return;
    }
    println!("{:>12} {:>8} {:>10} {:>8} {:>9}  plan", "shape", "each", "ms", "growth", "peak MB");
    for (shape, sizes) in SHAPES {
        let mut before: Option<f64> = None;
        for size in *sizes {
            let program = std::env::current_exe().unwrap();
            let output = Command::new(program).args([shape, size.to_string().as_str()]).output();
            let text = String::from_utf8(output.unwrap().stdout).unwrap();
            let mut words = text.trim().splitn(3, ' ');
            let ms: f64 = words.next().unwrap().parse().unwrap();
            let (peak, counts) = (words.next().unwrap(), words.next().unwrap());
            let growth = before.map(|before| format!("x{:.1}", ms / before)).unwrap_or_default();
            println!("{shape:>12} {size:>8} {ms:>10.1} {growth:>8} {peak:>9}  {counts}");
            before = Some(ms);
        }
    }
}

/// Milliseconds, megabytes at the peak, and what was planned.
fn measure(shape: &str, size: usize) -> String {
    let source = Inventory::new(rows(shape, size, "s"), true, None);
    let destination = Inventory::new(there(shape, size), true, None);
    let memory = remembered(shape, &source, &destination);
    let manifest = manifest();
    let before = peak_mb();
    let mut best = Duration::MAX;
    let mut counts = String::new();
    for _ in 0..if size > 10_000 { 3 } else { 10 } {
        let begin = cpu_time();
        let plan = plan::build(&world(&manifest, &source, &destination, &memory)).unwrap();
        best = best.min(cpu_time() - begin);
        let found = plan.document.context.counts;
        counts = format!(
            "{} uploads, {} in sync, {} conflicts",
            found.upload, found.in_sync, found.conflict
        );
    }
    format!("{:.2} {} {counts}; {before} MB given", best.as_secs_f64() * 1000.0, peak_mb())
}

/// What this thread has had of the processor; zero where the system does not tell.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// The most memory that this process ever held; 0 where the system does not tell.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() / 1024
}

fn rows(shape: &str, size: usize, prefix: &str) -> Vec<Activity> {
    (0..size).map(|number| row(shape, number, prefix)).collect()
}

/// Nine tenths of the source's, or none of them.
fn there(shape: &str, size: usize) -> Vec<Activity> {
    match shape {
        "missing" => Vec::new(),
        "overlapping" => rows("overlapped", size, "d"),
        _ => rows(shape, size * 9 / 10, "d"),
    }
}

fn row(shape: &str, number: usize, prefix: &str) -> Activity {
    let count = i64::try_from(number).unwrap();
    let (second, elapsed_s) = match shape {
        // All in one second and equally long.
        "one_second" => (0, 3600),
        // All at nearly the same time, and each like every other.
        "crowded" => (count % 200, 3600),
        // Each overlaps all on the other side by half, and matches none.
        "overlapping" => (count % 100, 3600),
        "overlapped" => (count % 100 + 1200, 3600),
        // One every six hours, a day's commute now and then of the same length.
        _ => (count * 21_600, 1800 + u32::try_from(number * 7919 % 5400).unwrap()),
    };
    let start = Timestamp::from_second(1_000_000_000 + second).unwrap();
    let kind = ActivityType::parse("running").unwrap();
    let fingerprint =
        Fingerprint::of_listing(Some(start), Some(elapsed_s), Some(10_000), kind.as_str());
    let id = RemoteId::new(format!("{prefix}{number:012}"));
    Activity {
        start: Some(start),
        elapsed_s: Some(elapsed_s),
        distance_m: Some(10_000),
        title: Some("Morning Run".to_owned()),
        device: Some("fenix 8".to_owned()),
        kind,
        unusable: None,
        ..Activity::unusable(id, fingerprint, Unusable::NoOriginal)
    }
}

/// Links between what stands in the same place on both sides.
fn remembered(shape: &str, source: &Inventory, destination: &Inventory) -> Memory {
    let rule = RuleName::new("rule");
    let link = |(from, to): (&Activity, &Activity)| Link {
        rule: rule.clone(),
        address: Address::of_id(&rule, &from.id),
        source: Side::of(from),
        destination: Some(Side::of(to)),
        origin: LinkOrigin::Placed,
        status: LinkStatus::Confirmed,
    };
    let pairs = source.activities.iter().zip(&destination.activities);
    let links = if shape == "linked" { pairs.map(link).collect() } else { Vec::new() };
    let key = (AccountName::new("from"), AccountName::new("to"));
    Memory { links: HashMap::from([(key, links)]), ..Memory::default() }
}

fn manifest() -> Manifest {
    let rule = Rule {
        name: RuleName::new("rule"),
        source: AccountName::new("from"),
        destination: AccountName::new("to"),
        filter: Filter::default(),
        strategy: ConflictStrategy::default(),
        line: 1,
    };
    Manifest {
        path: PathBuf::new(),
        sha256: Sha256::of(b""),
        accounts: BTreeMap::new(),
        rules: vec![rule],
        cache: CacheSettings { directory: None, max_age_days: 7 },
        limits: Limits::default(),
        state: None,
        backups: None,
        decisions: PathBuf::new(),
        warnings: Vec::new(),
    }
}

fn world<'a>(
    manifest: &'a Manifest,
    source: &'a Inventory,
    destination: &'a Inventory,
    memory: &'a Memory,
) -> World<'a> {
    let catalog = fit_sync::platform::catalog();
    let view = |inventory| AccountView {
        platform: "directory".to_owned(),
        region: None,
        profile: None,
        capabilities: catalog.platform("directory").unwrap().capabilities,
        inventory,
        last_good_count: None,
    };
    World {
        manifest,
        today: jiff::civil::date(2026, 11, 20),
        accounts: BTreeMap::from([
            (AccountName::new("from"), view(source)),
            (AccountName::new("to"), view(destination)),
        ]),
        blocked: BTreeMap::new(),
        memory,
        options: Options::default(),
    }
}
