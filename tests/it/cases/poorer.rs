//! What is replaced by something that lacks a part of it is a question that names the part.

use crate::support::cli::{Cli, REPLACING, context, ride};
use crate::support::fit::FitFile;

const START: &str = "2026-11-02T06:00:00Z";

/// Numbers of record fields.
const POSITION: u8 = 0;
const ALTITUDE: u8 = 2;
const HEART_RATE: u8 = 3;
const CADENCE: u8 = 4;
const POWER: u8 = 7;
/// Numbers of session fields.
const CALORIES: u8 = 11;
const AVERAGE_HEART_RATE: u8 = 16;

fn rich() -> FitFile {
    ride(START).records(360).laps(4).session_value(CALORIES, 210)
}

fn world(source: &FitFile, destination: &FitFile) -> Cli {
    let cli = Cli::new(REPLACING);
    cli.fit("watch/ride.fit", source);
    cli.fit("archive/rich.fit", destination);
    cli
}

#[test]
fn what_would_be_lost_is_a_question_that_names_it() {
    let third = 120;
    let poorer = [
        ("all 360 records with heart rate", rich().column(HEART_RATE, 0)),
        ("all 360 records with power", rich().column(POWER, 0)),
        ("all 360 records with cadence", rich().column(CADENCE, 0)),
        ("all 360 records with altitude", rich().column(ALTITUDE, 0)),
        ("240 of 360 records with heart rate", rich().column(HEART_RATE, third)),
        ("240 of 360 records with positions", rich().column(POSITION, third)),
        ("3 of 4 laps", rich().laps(1)),
        ("all 4 laps", rich().laps(0)),
        ("distance (30000 m)", rich().distance_m(0)),
        ("ascent (120 m)", rich().ascent(0)),
        ("ascent (120 m)", rich().ascent(u16::MAX)),
        ("calories", ride(START).records(360).laps(4)),
        ("60 of 360 records", rich().records(300)),
    ];
    for (loss, poor) in poorer {
        let cli = world(&poor, &rich());
        let before = cli.files("archive");
        let plan = cli.run("plan").ok().says("would_lose_data").says(&format!("would lose {loss}"));
        assert!(plan.stdout.contains("0 to replace"), "{loss}: {plan:?}");
        let json = cli.run("plan --json").ok().json();
        assert_eq!(context(&json, "conflicts")[0].2, "would_lose_data", "{loss}");
        let loses = json["context"]["conflicts"][0]["loses"].to_string();
        assert!(loses.contains(loss), "{loses}");
        for format in ["markdown", "html", "summary"] {
            cli.run(&format!("plan --format {format}")).ok();
        }
        cli.run("plan --format markdown").ok().says(loss);
        cli.run("plan --format html").ok().says(loss);
        cli.run("apply --auto-approve --no-input").exits(6);
        assert_eq!(cli.files("archive"), before, "{loss}");
    }
}

#[test]
fn what_only_differs_is_replaced_unasked() {
    let noise = 10;
    for other in [
        rich().distance_m(30_400),
        rich().ascent(90),
        rich().distance_m(30_400).session_value(AVERAGE_HEART_RATE, 141).laps(6),
        rich().column(HEART_RATE, 360 - noise).distance_m(30_400),
    ] {
        let cli = world(&other, &rich());
        cli.run("apply --auto-approve --no-input").ok();
        let there = cli.files("archive");
        assert_eq!(there.values().filter(|bytes| **bytes == other.build()).count(), 1);
        cli.run("plan").ok().says("No changes.");
    }
}

/// A person who knows better is obeyed: the richer one stays, and nobody asks again.
#[test]
fn the_question_is_answered_once() {
    for answer in ["adopt", "ignore"] {
        let cli = world(&rich().column(HEART_RATE, 0), &rich());
        let command = match answer {
            "adopt" => "state adopt keep/2026-11-02T06:00:00Z --as rich.fit".to_owned(),
            other => format!("state {other} keep/2026-11-02T06:00:00Z"),
        };
        cli.run("plan").ok();
        cli.run(&command).ok();
        cli.run("apply --auto-approve --no-input").ok();
        assert_eq!(cli.activities("archive"), ["rich.fit"]);
    }
}
