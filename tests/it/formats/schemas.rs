//! Every JSON document against its printed schema, as a validator of its own reads both.

use std::fs;
use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::worlds::{TITLES, hostile, report, rich};
use crate::support::cli::{Cli, REPLACING, ride};

fn schema(of: &str) -> Validator {
    let schema = Cli::empty().args(["schema", of]).ok().json();
    assert!(jsonschema::meta::is_valid(&schema), "{of} is no JSON Schema");
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
fn conforms(schema: &Validator, value: &Value, what: &str) {
    let faults: Vec<String> = schema
        .iter_errors(value)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{what}: {faults:#?}");
}

/// The JSON of a file snapshot: what stands after its second line of dashes.
fn snapshot(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    let json = text.splitn(3, "---\n").nth(2).unwrap();
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_plan_that_is_shown_conforms() {
    let schema = schema("plan");
    let mut number = 0;
    for folder in ["plan", "formats"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(folder);
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.to_string_lossy().ends_with(".json.snap") {
                conforms(&schema, &snapshot(&path), &path.to_string_lossy());
                number += 1;
            }
        }
    }
    assert!(number >= 20, "{number} documents only");
    for scenario in [rich(), hostile()] {
        let listed = scenario.listing_pairs().plan().document;
        conforms(&schema, &serde_json::to_value(&listed).unwrap(), "with its pairs");
    }
}

#[test]
fn reports_conform_however_far_a_run_came() {
    let schema = schema("report");
    for scenario in [rich(), hostile()] {
        for words in TITLES {
            let told = report(&scenario.plan().document, words);
            conforms(&schema, &serde_json::to_value(&told).unwrap(), words);
        }
    }
    let begun = fit_sync::render::Report::begin("2026-11-20T12:00:00Z".parse().unwrap());
    conforms(&schema, &serde_json::to_value(&begun).unwrap(), "a run that has just begun");
}

/// Uploads, a replace, a question, a broken file, a hostile name.
fn rides() -> Cli {
    let cli = Cli::new(REPLACING);
    for day in 1..=3 {
        cli.fit(format!("watch/{day}.fit"), &ride(&format!("2026-10-{day:02}T06:00:00Z")));
    }
    let at = |start: &str| ride(start);
    cli.fit("watch/differs.fit", &at("2026-11-01T06:00:00Z").distance_m(12_345));
    cli.fit("archive/differs.fit", &at("2026-11-01T06:00:00Z").distance_m(12_000));
    cli.fit("watch/twin.fit", &at("2026-11-05T06:00:00Z"));
    cli.fit("archive/twin1.fit", &at("2026-11-05T06:00:00Z").serial(3).distance_m(1));
    cli.fit("archive/twin2.fit", &at("2026-11-05T06:00:00Z").serial(4).distance_m(2));
    cli.put("watch/a\u{202e}b.fit", b"no FIT file");
    cli
}

#[test]
fn saved_plans_events_and_reports_of_runs_conform() {
    let (plans, events, reports) = (schema("plan"), schema("event"), schema("report"));
    let mut kinds = std::collections::BTreeSet::new();
    let mut takes = |cli: &Cli, args: &str| {
        let ran = cli.run(&format!("{args} --json --report report.json"));
        for line in ran.stdout.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            conforms(&events, &event, line);
            kinds.insert(event["type"].as_str().unwrap().to_owned());
        }
        let text = fs::read_to_string(cli.path("report.json")).unwrap();
        conforms(&reports, &serde_json::from_str(&text).unwrap(), args);
        ran.code
    };
    let cli = rides();
    let saved = cli.run("plan --out plan.json --json --all").ok().json();
    conforms(&plans, &saved, "plan --json");
    let text = fs::read_to_string(cli.path("plan.json")).unwrap();
    conforms(&plans, &serde_json::from_str(&text).unwrap(), "a saved plan");
    assert_eq!(takes(&cli, "apply"), 6);
    fs::remove_file(cli.path("watch/1.fit")).unwrap();
    assert_eq!(takes(&cli, "apply plan.json"), 10);
    assert_eq!(takes(&cli, "apply --auto-approve"), 6);
    assert_eq!(takes(&cli, "apply no.json"), 1);
    let all = ["diagnostic", "refresh", "run_started", "step", "summary"];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

/// The schema for editors takes every manifest that the program takes, and refuses what it refuses.
#[test]
fn manifests_conform() {
    let schema = schema("manifest");
    let cli = Cli::empty();
    let json = |text: &str| -> Value {
        // Manifests in JSON load as well as those in YAML; here only the former can be read.
        serde_json::from_str(text).unwrap()
    };
    let good = json!({
        "accounts": {
            "watch": { "platform": "directory", "path": "watch" },
            "garmin_us": { "email": "me@example.com", "password_env": "GARMIN_PASSWORD" },
        },
        "sync_rules": [{ "source": "watch", "destination": "garmin_us",
            "activity_types": ["running"], "start_date": "-30d",
            "conflict_strategy": "replace_existing" }],
        "cache": { "max_age_days": 7 },
        "limits": { "max_uploads": 500, "max_replaces": 20, "min_inventory_ratio": 0.5 },
    });
    let takes = |manifest: &Value| {
        cli.put("fit_sync.yaml", manifest.to_string());
        let code = cli.run("validate").code;
        assert_eq!(schema.is_valid(&json(&manifest.to_string())), code == 0, "{manifest}");
        code
    };
    assert_eq!(takes(&good), 0);
    for (place, wrong) in [
        ("/accounts/watch/platform", json!(7)),
        ("/sync_rules/0/source", json!([])),
        ("/sync_rules/0/conflict_strategy", json!("newest")),
        ("/limits/max_uploads", json!("many")),
        ("/cache", json!({ "colour": "red" })),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = wrong;
        assert_eq!(takes(&bad), 3, "{bad}");
    }
}
