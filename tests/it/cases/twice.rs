//! What would stand twice is a question; what only goes on at the same time is none.

use std::slice::from_ref;

use crate::support::cli::{Cli, MANIFEST, context, ride};
use crate::support::fit::FitFile;

const DAY: &str = "2026-11-02";

/// A recording from a time of the day on, of device A unless told otherwise.
fn from(time: &str, elapsed_s: u32) -> FitFile {
    ride(&format!("{DAY}T{time}Z")).elapsed_s(elapsed_s).distance_m(elapsed_s * 3).records(60)
}

fn device_b(file: FitFile) -> FitFile {
    file.maker(294, 802).serial(77)
}

fn world(source: &[FitFile], destination: &[FitFile]) -> Cli {
    let cli = Cli::new(MANIFEST);
    for (folder, files) in [("watch", source), ("archive", destination)] {
        for (number, file) in files.iter().enumerate() {
            cli.fit(format!("{folder}/{number}.fit"), file);
        }
    }
    cli
}

/// What a plan asks about its only question, after a night that sent nothing.
fn asked(source: &[FitFile], destination: &[FitFile]) -> String {
    let cli = world(source, destination);
    let before = cli.activities("archive");
    cli.run("apply --auto-approve --no-input").exits(6);
    assert_eq!(cli.activities("archive"), before, "nothing is sent");
    let conflicts = context(&cli.run("plan --json").ok().json(), "conflicts");
    conflicts.into_iter().map(|(.., reason)| reason).collect::<Vec<_>>().join(" and ")
}

/// All of a source stand at the destination after two nights, each once, and nobody was asked.
fn go_over(source: &[FitFile], destination: &[FitFile]) {
    let cli = world(source, destination);
    for _ in 0..2 {
        cli.run("apply --auto-approve --no-input").ok();
    }
    let there: Vec<Vec<u8>> = cli.files("archive").into_values().collect();
    for file in source {
        assert_eq!(there.iter().filter(|bytes| **bytes == file.build()).count(), 1);
    }
    cli.run("plan").ok().says("No changes.");
    cli.lose_state();
    cli.run("plan").ok().says("No changes.");
}

const HOUR: u32 = 3600;
const MINUTE: u32 = 60;

#[test]
fn a_part_with_a_second_sign_is_a_question() {
    let forgot_to_stop = from("06:00:00", 8 * HOUR);
    let cut_at_both_ends = from("06:50:00", 20 * MINUTE).distance_m(0);
    let questions = [
        (forgot_to_stop.clone(), from("06:00:00", 40 * MINUTE)),
        (from("06:00:00", 40 * MINUTE), forgot_to_stop),
        (from("06:00:00", 20 * MINUTE), device_b(from("06:00:00", 3 * HOUR))),
        (from("06:00:01", 20 * MINUTE), device_b(from("06:00:00", 3 * HOUR))),
        (device_b(from("08:20:00", 40 * MINUTE)), from("06:00:00", 3 * HOUR)),
        (from("06:00:00", 2 * HOUR), cut_at_both_ends),
        (from("06:00:00", 485 * HOUR).distance_m(5040), from("06:00:00", 30 * MINUTE)),
        (
            device_b(from("06:30:00", 40 * MINUTE).distance_m(9000)),
            from("06:00:00", 3 * HOUR).distance_m(9040),
        ),
    ];
    for (source, destination) in questions {
        assert_eq!(asked(&[source], &[destination]), "contained");
    }
}

#[test]
fn a_question_is_answered_for_good() {
    let (whole, part) = (from("06:00:00", 8 * HOUR), from("06:00:00", 40 * MINUTE));
    for (answer, copies) in
        [("adopt ADDRESS --as 0.fit", 1), ("ignore ADDRESS", 1), ("distinct ADDRESS", 2)]
    {
        let cli = world(from_ref(&whole), from_ref(&part));
        cli.run("plan").ok();
        let address = format!("keep/{DAY}T06:00:00Z");
        cli.run(&format!("state {}", answer.replace("ADDRESS", &address))).ok();
        for _ in 0..2 {
            cli.run("apply --auto-approve --no-input").ok();
        }
        assert_eq!(cli.activities("archive").len(), copies, "{answer}");
        cli.run("plan").ok().says("No changes.");
    }
}

#[test]
fn two_devices_at_one_event_both_go_over() {
    go_over(&[from("06:00:00", 3000), device_b(from("06:00:03", 2998))], &[]);
    let other = device_b(from("06:00:00", 30 * MINUTE).distance_m(5100));
    go_over(&[from("06:00:00", 30 * MINUTE).distance_m(5040), other], &[]);
}

#[test]
fn what_only_goes_on_at_the_same_time_is_no_question() {
    let interval = |n: u32| from(&format!("06:{:02}:00", 3 * n), 90).distance_m(400);
    let all: Vec<FitFile> = (0..6).map(interval).collect();
    go_over(&all, &[interval(1), interval(3)]);
    go_over(&[from("18:00:00", HOUR)], &[from("08:00:00", HOUR).distance_m(10_400)]);
    let hikes: Vec<FitFile> = (1..5)
        .map(|n| {
            device_b(from(&format!("{:02}:10:07", 6 + 3 * n), HOUR).distance_m(3000 + n * 500))
        })
        .collect();
    go_over(&[from("00:00:00", 144 * HOUR).distance_m(60_000)], &hikes);
}
