//! A watch with a few recordings, and an archive.

use crate::support::cli::{Cli, MANIFEST, ride};
use crate::support::snapshot;

/// Four recordings of a watch, the newest last, one without a time, and a file of settings.
pub(super) fn cli() -> Cli {
    let cli = Cli::new(MANIFEST);
    put(&cli);
    cli
}

pub(super) fn put(cli: &Cli) {
    let run = ride("2026-11-01T23:30:00Z").sport(1, 3).distance_m(14_190).elapsed_s(7_208);
    cli.fit("watch/西湖越野跑.fit", &run.local_offset_s(8 * 3600));
    let hike = ride("2026-11-03T09:15:30Z").sport(17, 0).distance_m(12_960).elapsed_s(11_400);
    cli.fit("watch/Autumn Hike.fit", &hike);
    cli.fit("watch/Evening Ride.fit", &ride("2026-11-05T15:41:07Z").distance_m(40_210));
    let run = ride("2026-11-07T06:02:11Z").sport(1, 0).distance_m(10_055).elapsed_s(3_067);
    cli.fit("watch/Morning Run.fit", &run.local_offset_s(-3 * 3600 - 1800));
    cli.fit("watch/lost.fit", &ride("2026-11-08T00:00:00Z").clock_not_set());
    cli.fit("watch/settings.fit", &ride("2026-11-08T00:00:00Z").file_type(2));
}

/// Runs, and compares what was typed, both outputs and the exit with `snapshots/cli/<name>.snap`.
#[track_caller]
pub(super) fn shows(cli: &Cli, name: &str, typed: &str) {
    let ran = cli.run(typed);
    let here = cli.root().display().to_string();
    let part = |title: &str, text: &str| match text {
        "" => String::new(),
        text => format!("--- {title}\n{}", text.replace(&here, "…")),
    };
    let (out, err) = (part("stdout", &ran.stdout), part("stderr", &ran.stderr));
    let text = format!("$ fit_sync {typed}\n{out}{err}--- exit {}\n", ran.code);
    snapshot::check("cli", name, &text);
}
