//! What machines are told of an apply: JSON Lines, reports, and the schemas of both.

use std::io::Write as _;
use std::process::Stdio;

use fit_sync::render::{Line, Report};
use serde_json::Value;

use crate::support::cli::{Cli, MANIFEST, NOW, REPLACING, Ran, ride};

fn world(rides: u32) -> Cli {
    let cli = Cli::new(MANIFEST);
    for day in 1..=rides {
        cli.fit(format!("watch/{day}.fit"), &ride(&format!("2026-10-{day:02}T06:00:00Z")));
    }
    cli
}

/// The lines of stdout; each reads back as itself, and they are counted without gaps.
#[track_caller]
fn lines(ran: &Ran) -> Vec<Value> {
    let parsed: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (place, value) in parsed.iter().enumerate() {
        let line: Line = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(&line).unwrap(), *value);
        assert_eq!(value["seq"], place + 1);
        assert_eq!(value["ts"], NOW);
        conforms(value, &schema("event"));
    }
    assert_eq!(parsed.iter().filter(|line| line["type"] == "summary").count(), 1);
    assert_eq!(parsed.last().unwrap()["type"], "summary");
    parsed
}

fn report(cli: &Cli) -> Value {
    let text = std::fs::read_to_string(cli.path("report.json")).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let report: Report = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_value(&report).unwrap(), value);
    conforms(&value, &schema("report"));
    value
}

fn schema(of: &str) -> Value {
    Cli::empty().args(["schema", of]).ok().json()
}

/// A value has every key that its schema requires, and none that the schema does not know.
#[track_caller]
fn conforms(value: &Value, schema: &Value) {
    let branches = schema["oneOf"].as_array().into_iter().flatten();
    let of_type = |branch: &&Value| branch["properties"]["type"]["const"] == value["type"];
    let schema = branches.clone().find(of_type).unwrap_or(schema);
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    let known = schema["properties"].as_object().unwrap();
    for key in &keys {
        assert!(known.contains_key(*key), "{key} is not in the schema: {value}");
    }
    for required in schema["required"].as_array().unwrap() {
        assert!(keys.iter().any(|key| *key == required), "{required} is missing: {value}");
    }
}

fn of_type<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

#[test]
fn events_are_lines_and_the_last_is_the_summary() {
    let cli = world(2);
    let ran = cli.run("apply --auto-approve --json").ok();
    assert!(ran.stderr.contains("2 to upload"), "people read stderr: {}", ran.stderr);
    assert!(ran.stderr.contains("Applied plan"), "{}", ran.stderr);
    let lines = lines(&ran);
    let first = of_type(&lines, "run_started")[0];
    assert_eq!((&first["run"], &first["steps"]), (&Value::from("1"), &Value::from(2)));
    let read = of_type(&lines, "refresh");
    assert_eq!(read[0]["account"], "watch");
    assert_eq!(read[0]["count"], 2);
    let steps = of_type(&lines, "step");
    assert!(steps.iter().any(|step| {
        step["address"] == "keep/2026-10-01T06:00:00Z"
            && step["phase"] == "sent"
            && step["attempt"] == 1
    }));
    let summary = lines.last().unwrap();
    assert_eq!(summary["counts"], serde_json::json!({ "confirmed": 2 }));
    assert_eq!(summary["exit"], serde_json::json!({ "code": 0, "name": "done" }));
    assert_eq!(summary["run"], "1");
    assert_eq!(summary["plan"].as_str().unwrap().len(), 64);
}

#[test]
fn a_refusal_is_a_diagnostic_and_a_summary() {
    let cli = world(1);
    let lines = lines(&cli.run("apply --json --report report.json").exits(6));
    let said = of_type(&lines, "diagnostic");
    assert_eq!(said[0]["severity"], "error");
    assert!(said[0]["message"].as_str().unwrap().contains("nobody is here"));
    assert!(said[0]["help"].as_str().unwrap().contains("--auto-approve"));
    assert_eq!(lines.last().unwrap()["exit"], serde_json::json!({ "code": 6, "name": "decide" }));
    let report = report(&cli);
    assert_eq!(report["exit"]["name"], "decide");
    assert_eq!(report["run"], Value::Null);
    assert_eq!(report["steps"][0]["phase"], Value::Null);
    assert_eq!(report["counts"], serde_json::json!({}));
}

#[test]
fn a_report_tells_what_became_of_each_step() {
    let cli = world(2);
    cli.run("apply --auto-approve --report report.json").ok().says("2 uploaded");
    let report = report(&cli);
    assert_eq!(report["format"], "fit_sync.report/1");
    assert_eq!(report["run"], "1");
    assert_eq!((&report["started_at"], &report["ended_at"]), (&NOW.into(), &NOW.into()));
    assert_eq!(report["exit"], serde_json::json!({ "code": 0, "name": "done" }));
    assert_eq!(report["counts"], serde_json::json!({ "confirmed": 2 }));
    let step = &report["steps"][0];
    assert_eq!(step["address"], "keep/2026-10-01T06:00:00Z");
    assert_eq!((&step["rule"], &step["action"]), (&"keep".into(), &"upload".into()));
    assert_eq!((&step["phase"], &step["question"]), (&"confirmed".into(), &Value::Null));
    let left: Vec<String> = std::fs::read_dir(cli.work())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".tmp"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn steps_that_do_not_succeed_are_in_the_report() {
    let cli = world(2);
    cli.run("plan --out plan.json").ok();
    std::fs::remove_file(cli.path("watch/1.fit")).unwrap();
    let ran = cli.run("apply plan.json --json --report report.json").exits(10);
    let report = report(&cli);
    assert_eq!(report["counts"], serde_json::json!({ "confirmed": 1, "stale": 1 }));
    assert_eq!(report["exit"], serde_json::json!({ "code": 10, "name": "partly" }));
    assert_eq!(lines(&ran).last().unwrap()["counts"], report["counts"]);
}

#[test]
fn every_early_end_leaves_its_code() {
    let cli = Cli::empty();
    cli.run("apply --report report.json").exits(3);
    assert_eq!(report(&cli)["exit"], serde_json::json!({ "code": 3, "name": "invalid" }));
    lines(&cli.run("apply --json").exits(3));
    let cli = Cli::new(&(REPLACING.to_owned() + "limits: { max_uploads: 1 }\n"));
    for day in ["01", "02"] {
        cli.fit(format!("watch/{day}.fit"), &ride(&format!("2026-10-{day}T06:00:00Z")));
    }
    cli.run("apply --auto-approve --report report.json").exits(6);
    assert_eq!(report(&cli)["exit"]["name"], "decide");
    cli.run("apply --expect-plan 0123456789ab --report report.json").exits(7);
    assert_eq!(report(&cli)["exit"]["name"], "stale_plan");
    cli.put("plan.json", "{}");
    cli.run("apply plan.json --report report.json").exits(7);
    assert_eq!(report(&cli)["steps"], serde_json::json!([]));
}

#[test]
fn a_report_that_cannot_be_written_stops_everything_before_it_begins() {
    let cli = world(1);
    let ran = cli.run("apply --auto-approve --report no/such/folder/report.json").exits(1);
    ran.tells("the report cannot be written");
    assert!(!cli.path("archive").exists());
    lines(&cli.run("apply --auto-approve --json --report no/such/folder/report.json").exits(1));
}

#[test]
fn a_killed_run_leaves_a_report_without_an_end() {
    let cli = world(1);
    cli.put("report.json", "of another day");
    cli.run("plan --html page --junit apply.xml").ok();
    let (_reader, mut writer) = std::io::pipe().unwrap();
    // As much as a pipe holds: the first line of output waits for a reader.
    writer.write_all(&[b'.'; 65_536]).unwrap();
    let args = "apply --auto-approve --report report.json --html page --junit apply.xml";
    let mut command = cli.command(args.split(' '));
    let mut child = command.stdout(writer).stderr(Stdio::null()).spawn().unwrap();
    let text = || std::fs::read_to_string(cli.path("report.json")).unwrap();
    let steps = || std::fs::read_to_string(cli.path("apply.xml")).unwrap();
    while !(text().contains("keep/2026-10-01") && steps().contains("not_begun")) {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let report = report(&cli);
    assert_eq!((&report["exit"], &report["ended_at"]), (&Value::Null, &Value::Null));
    assert_eq!(report["steps"][0]["phase"], Value::Null);
    assert!(steps().contains("<error message=\"This run has not ended, or it was killed."));
    let page = std::fs::read_to_string(cli.path("page/index.html")).unwrap();
    assert!(page.contains("This run has not ended") && page.contains("not begun"), "{page}");
}

#[test]
fn hostile_words_are_harmless_in_events_and_reports() {
    let cli = world(0);
    cli.put("watch/a\u{202e}b.fit", b"no FIT file");
    let ran = cli.run("apply --auto-approve --json --report report.json").ok();
    lines(&ran);
    report(&cli);
    assert!(!ran.stdout.contains('\u{202e}'));
}

#[test]
fn schemas_name_every_type_and_phase() {
    let event = schema("event").to_string();
    for kind in ["run_started", "refresh", "step", "diagnostic", "summary"] {
        assert!(event.contains(&format!("\"const\":\"{kind}\"")), "{kind}");
    }
    for phase in fit_sync::event::Phase::ALL {
        assert!(schema("report").to_string().contains(phase.as_str()));
    }
}
