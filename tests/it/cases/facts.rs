//! What a file is, where its session does not say so plainly.

use crate::support::cli::{Cli, MANIFEST, context, ride};
use crate::support::fit::FitFile;

const START: &str = "2026-11-02T06:00:00Z";

fn run() -> FitFile {
    ride(START).sport(1, 0).elapsed_s(1800).distance_m(5040).records(60).laps(3)
}

fn only(file: &FitFile, filter: &str) -> Cli {
    let cli = Cli::new(
        &MANIFEST
            .replace("destination: archive }\n", &format!("destination: archive, {filter} }}\n")),
    );
    cli.fit("watch/a.fit", file);
    cli
}

fn is_taken(file: &FitFile, filter: &str) -> bool {
    let plan = only(file, filter).run("plan --json").ok().json();
    let is_upload = plan.pointer("/body/steps/0").is_some();
    assert!(is_upload || !context(&plan, "skips").is_empty(), "{plan}");
    is_upload
}

#[test]
fn the_type_comes_from_wherever_the_file_tells_it() {
    let sport_message = run().without_sessions().sport_message(1, 0);
    assert!(is_taken(&sport_message, "activity_types: [running]"));
    assert!(!is_taken(&sport_message, "activity_types: [cycling]"));
    let laps = run().without_session_sport().lap_sport(17, 0);
    assert!(is_taken(&laps, "activity_types: [hiking]"));
    let cli = only(&laps, "activity_types: [hiking]");
    cli.run("apply --auto-approve").ok();
    assert!(cli.activities("archive")[0].starts_with("hiking/"), "{:?}", cli.activities("archive"));
    cli.run("list --account watch").ok().says("hiking");
}

#[test]
fn what_a_file_holds_twice_is_not_added_up() {
    let leg = |metres| run().elapsed_s(900).distance_m(metres);
    for file in [
        run().sessions_twice(),
        run().chain(run()),
        leg(2000).session(1, 0, 900, 3040),
        leg(2000).session(1, 0, 900, 3040).sessions_twice(),
    ] {
        assert!(is_taken(&file, "max_distance: 6km"));
        assert!(!is_taken(&file, "max_distance: 5km"));
        only(&file, "max_distance: 6km").run("plan").ok().says("5.04 km   0:30:00");
    }
}

#[test]
fn a_length_of_zero_is_no_other_recording() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &run().length_zero());
    cli.fit("archive/b.fit", &run().maker(294, 802).serial(0));
    cli.run("plan").ok().says("No changes. 1 activity is in sync.");
}
