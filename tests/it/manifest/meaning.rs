//! What correct manifests mean.

use std::path::Path;

use fit_sync::manifest::{ConflictStrategy, DateBound, PasswordSource, Trust, find, schema};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::world::World;
use crate::support::catalog::catalog;
use crate::support::snapshot;

/// Every key there is.
pub(crate) const FULL: &str = r#"
accounts:
  garmin_us:
    email: me@example.com
    password_env: GARMIN_PASSWORD
    password_file: ~/secrets/garmin
    password_command: pass show garmin
    password: 0123
    mfa_command: oathtool garmin
    proxy: http://me:pw@proxy:8080
    ca_file: certs/ca.pem
    max_parallel: 2
    min_gap_ms: 500
    settle_s: 30
    allow_login: false
    upload_as_import: true
    endpoints: { sso: "https://localhost:1/", connectapi: "http://127.0.0.1:8080/x" }
  trail_watch: { platform: coros, region: cn, email: me@example.com }
  archive: { platform: directory, path: ~/fit-archive/./x/../y }
sync_rules:
  - name: us-to-archive
    source: garmin_us
    destination: archive
    activity_types: [running, road_biking, "garmin:lap_swimming", coros:403]
    exclude_types: [treadmill_running]
    start_date: 2023-01-01
    end_date: -1d
    title: "^越野"
    device: Forerunner \d+
    min_distance: 1.5km
    max_distance: 42195
    min_duration: 5min
    max_duration: 1h30m
    conflict_strategy: replace_existing
  - { source: trail_watch, destination: archive }
cache: { max_age_days: 30, directory: cache }
limits: { max_uploads: 500, max_replaces: 5, min_inventory_ratio: 0.75 }
state: ../state/fit.db
backups: /var/backups/fit
"#;

#[test]
fn accounts_mean_what_they_say() {
    let world = World::with(FULL);
    let manifest = world.load().unwrap_or_else(|f| panic!("{}", world.shown(&f)));
    assert!(manifest.warnings.is_empty(), "{:?}", manifest.warnings);
    let account = |name: &str| {
        let mut all = manifest.accounts.values();
        all.find(|account| account.name.as_str() == name).unwrap()
    };
    let garmin = account("garmin_us");
    assert_eq!(garmin.email.as_deref(), Some("me@example.com"));
    let [env, file, command, literal] = garmin.password.as_slice() else {
        panic!("{:?}", garmin.password)
    };
    assert!(matches!(env, PasswordSource::Env(name) if name == "GARMIN_PASSWORD"));
    assert!(
        matches!(file, PasswordSource::File(path) if *path == world.path("user/secrets/garmin"))
    );
    assert!(matches!(command, PasswordSource::Command(line) if line == "pass show garmin"));
    assert!(matches!(literal, PasswordSource::Literal(text) if text.expose_secret() == "0123"));
    assert_eq!(garmin.mfa_command.as_deref(), Some("oathtool garmin"));
    assert_eq!(garmin.proxy.as_ref().unwrap().expose_secret(), "http://me:pw@proxy:8080");
    assert_eq!(garmin.ca_file.as_deref(), Some(world.path("work/certs/ca.pem").as_path()));
    assert_eq!((garmin.max_parallel, garmin.min_gap_ms), (Some(2), Some(500)));
    assert_eq!((garmin.settle_s, garmin.allow_login), (Some(30), Some(false)));
    assert_eq!(garmin.upload_as_import, Some(true));
    assert_eq!(garmin.endpoints["sso"], "https://localhost:1");
    assert_eq!(garmin.endpoints["connectapi"], "http://127.0.0.1:8080/x");
}

#[test]
fn platform_and_region_are_named_or_implied() {
    let world = World::with(FULL);
    let manifest = world.load().unwrap();
    let account = |name: &str| {
        let mut all = manifest.accounts.values();
        all.find(|account| account.name.as_str() == name).unwrap()
    };
    let garmin = account("garmin_us");
    assert_eq!((garmin.platform.as_str(), garmin.region.as_deref()), ("garmin", Some("global")));
    let watch = account("trail_watch");
    assert_eq!((watch.platform.as_str(), watch.region.as_deref()), ("coros", Some("cn")));
    let archive = account("archive");
    assert_eq!((archive.platform.as_str(), archive.region.as_deref()), ("directory", None));
    assert_eq!(archive.path.as_deref(), Some(world.path("user/fit-archive/y").as_path()));
}

#[test]
fn settings_mean_what_they_say() {
    let world = World::with(FULL);
    let manifest = world.load().unwrap();
    assert_eq!(manifest.path, Path::new("fit_sync.yaml"));
    assert_eq!(manifest.decisions, world.path("work/fit_sync.decisions.yaml"));
    assert_eq!(manifest.state.as_deref(), Some(world.path("state/fit.db").as_path()));
    assert_eq!(manifest.backups.as_deref(), Some(Path::new("/var/backups/fit")));
    assert_eq!(manifest.cache.directory.as_deref(), Some(world.path("work/cache").as_path()));
    assert_eq!(manifest.cache.max_age_days, 30);
    let limits = manifest.limits;
    assert_eq!((limits.max_uploads, limits.max_replaces), (Some(500), 5));
    assert_eq!(limits.min_inventory_permille, 750);
}

#[test]
fn a_rule_keeps_its_lines_and_gets_a_name() {
    let manifest = World::with(FULL).load().unwrap();
    let [rule, other] = manifest.rules.as_slice() else { panic!("{:?}", manifest.rules) };
    assert_eq!((rule.name.as_str(), rule.line), ("us-to-archive", 21));
    assert_eq!(rule.strategy, ConflictStrategy::ReplaceExisting);
    let filter = &rule.filter;
    let types = filter.types.as_ref().unwrap();
    let names: Vec<&str> = types.value.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names, ["running", "cycling", "lap_swimming", "coros_403"]);
    assert_eq!(types.line, Some(24));
    let start = filter.start_date.as_ref().unwrap();
    assert_eq!(start.value, DateBound::Day(jiff::civil::date(2023, 1, 1)));
    assert_eq!(start.line, Some(26));
    assert_eq!(filter.end_date.as_ref().unwrap().value, DateBound::DaysAgo(1));
    assert!(filter.title.as_ref().unwrap().value.is_match("越野跑"));
    assert!(filter.device.as_ref().unwrap().value.is_match("Forerunner 965"));
    assert_eq!(filter.min_distance_m.as_ref().unwrap().value, 1500);
    assert_eq!(filter.max_distance_m.as_ref().unwrap().value, 42_195);
    assert_eq!(filter.min_duration_s.as_ref().unwrap().value, 300);
    assert_eq!(filter.max_duration_s.as_ref().unwrap().value, 5400);
    assert_eq!(other.name.as_str(), "trail_watch-to-archive");
    assert_eq!((other.strategy, other.line), (ConflictStrategy::SkipExisting, 35));
}

#[test]
fn default_names_avoid_those_that_are_taken() {
    let manifest = World::with(
        "accounts: { garmin_us: {}, garmin_cn: {} }
sync_rules:
  - { source: garmin_us, destination: garmin_cn }
  - { source: garmin_us, destination: garmin_cn, start_date: -9d }
  - { source: garmin_us, destination: garmin_cn, name: garmin_us-to-garmin_cn }
  - { source: garmin_us, destination: garmin_cn, name: garmin_us-to-garmin_cn-3 }
  - { source: garmin_us, destination: garmin_cn }
",
    )
    .load()
    .unwrap();
    let names: Vec<&str> = manifest.rules.iter().map(|rule| rule.name.as_str()).collect();
    let base = "garmin_us-to-garmin_cn";
    assert_eq!(
        names,
        [
            &format!("{base}-2"),
            &format!("{base}-4"),
            base,
            &format!("{base}-3"),
            &format!("{base}-5")
        ]
    );
}

#[test]
fn an_old_config_loads_unchanged() {
    let world = World::new();
    world.write(
        "home/config.json",
        "{\n\t\"accounts\": {\n\t\t\"garmin_us\": {\"email\": \"me@example.com\", \"password\": \"p\\u00e4ss\"},\n\t\t\"coros_cn\": {\"email\": null, \"password\": \"\\ud83d\\ude00\"}\n\t},\n\t\"sync_rules\": [\n\t\t{\"source\": \"garmin_us\", \"destination\": \"coros_cn\", \"activity_types\": [], \"start_date\": null, \"end_date\": \"2026-12-31\", \"conflict_strategy\": \"skip_existing\"}\n\t],\n\t\"cache\": {\"max_age_days\": 14}\n}\n",
    );
    let found = find(None, &world.path("work"), &world.path("home")).unwrap();
    assert_eq!(found, world.path("home/config.json"));
    let manifest = world.load_path(&found).unwrap_or_else(|f| panic!("{}", world.shown(&f)));
    let passwords: Vec<String> = manifest
        .accounts
        .values()
        .flat_map(|account| &account.password)
        .map(|source| match source {
            PasswordSource::Literal(text) => text.expose_secret().to_owned(),
            PasswordSource::Env(_) | PasswordSource::File(_) | PasswordSource::Command(_) => {
                String::new()
            }
        })
        .collect();
    assert_eq!(passwords, ["😀", "päss"]);
    assert!(manifest.rules[0].filter.types.is_none());
    assert!(manifest.rules[0].filter.start_date.is_none());
    assert_eq!(manifest.cache.max_age_days, 14);
    assert_eq!(manifest.decisions, world.path("home/config.decisions.yaml"));
}

#[test]
fn a_manifest_is_found_in_the_documented_order() {
    let world = World::new();
    let (work, home) = (world.path("work"), world.path("home"));
    let found = |config: Option<&Path>| find(config, &work, &home).map_err(|f| f.code);
    assert_eq!(found(None), Err("manifest_not_found"));
    let steps = [
        ("home/config.json", home.join("config.json")),
        ("home/config.yml", home.join("config.yml")),
        ("home/config.yaml", home.join("config.yaml")),
        ("work/fit_sync.yml", "fit_sync.yml".into()),
        ("work/fit_sync.yaml", "fit_sync.yaml".into()),
    ];
    for (file, expected) in steps {
        world.write(file, "a: 1");
        assert_eq!(found(None), Ok(expected));
    }
    let named = Path::new("x/y.yaml");
    assert_eq!(found(Some(named)), Ok(named.to_path_buf()));
}

#[test]
fn accounts_of_the_machine_win_key_by_key() {
    let world = World::with(
        "accounts: { garmin_us: { email: old@example.com, max_parallel: 3 } }
sync_rules: [{ source: garmin_us, destination: shelf }]
",
    );
    world.write(
        "home/accounts.yaml",
        "accounts:
  garmin_us: { email: new@example.com, password: x, region: cn }
  shelf: { platform: directory, path: shelf }
",
    );
    let manifest = world.load().unwrap_or_else(|f| panic!("{}", world.shown(&f)));
    let accounts: Vec<_> = manifest.accounts.values().collect();
    let [garmin, shelf] = accounts.as_slice() else { panic!("{accounts:?}") };
    assert_eq!(garmin.email.as_deref(), Some("new@example.com"));
    assert_eq!((garmin.max_parallel, garmin.region.as_deref()), (Some(3), Some("cn")));
    assert_eq!(garmin.password.len(), 1);
    assert_eq!(shelf.path.as_deref(), Some(world.path("home/shelf").as_path()));
}

#[test]
fn line_ends_of_windows_make_no_difference() {
    let text = FULL.replace('\n', "\r\n");
    let manifest = World::with(&format!("\u{feff}{text}")).load().unwrap();
    assert_eq!(manifest.rules[0].line, 21);
    assert_eq!(manifest.accounts.len(), 3);
}

#[test]
fn nothing_and_null_are_the_same() {
    let world = World::with(
        "accounts: { garmin_us: null, garmin_cn: }
sync_rules: [{ source: garmin_us, destination: garmin_cn, activity_types: [], title: null, start_date: ~ }]
cache:
limits: { max_uploads: null }
state: null
",
    );
    world.write("home/accounts.yaml", "# nothing yet\n");
    let manifest = world.load().unwrap_or_else(|f| panic!("{}", world.shown(&f)));
    assert!(manifest.rules[0].filter.types.is_none());
    assert!(manifest.rules[0].filter.title.is_none());
    assert_eq!(manifest.limits, Default::default());
    assert_eq!((manifest.state, manifest.cache.max_age_days), (None, 7));
}

#[test]
fn aliases_repeat_what_was_written_once() {
    let manifest = World::with(
        "accounts: { garmin_us: {}, garmin_cn: {}, coros_us: {} }
sync_rules:
  - { source: garmin_us, destination: garmin_cn, activity_types: &types [running] }
  - { source: garmin_us, destination: coros_us, activity_types: *types }
",
    )
    .load()
    .unwrap();
    assert_eq!(manifest.rules[1].filter.types.as_ref().unwrap().value.len(), 1);
}

#[test]
fn trusting_everything_needs_no_private_file() {
    let mut world = World::with(FULL);
    world.open();
    world.mode("work/fit_sync.yaml", 0o644);
    assert!(world.load().is_err());
    world.trust = Trust::Everything;
    assert!(world.load().is_ok());
}

/// All property names below a schema.
fn names(schema: &Value, found: &mut Vec<String>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            let endpoint = property.get("description").is_none();
            if !endpoint {
                found.push(name.clone());
            }
            names(property, found);
        }
    }
    for inner in ["additionalProperties", "items"] {
        if let Some(inner) = schema.get(inner) {
            names(inner, found);
        }
    }
}

#[test]
fn schema_and_reader_know_the_same_keys() {
    let mut described = Vec::new();
    names(&schema(&catalog()), &mut described);
    described.sort();
    described.dedup();
    assert_eq!(described.len(), 42, "{described:?}");
    for name in &described {
        let line = format!("{name}:");
        assert!(FULL.contains(&line), "'{name}' does not stand in the full manifest");
    }
    // The full manifest loads, so the reader knows what it names; a key that the reader ignored
    // would not object to a value of the wrong type.
    for name in described {
        let wrong = FULL
            .lines()
            .map(|line| match line.split_once(&format!("{name}: ")) {
                Some((before, _)) if before.trim_matches([' ', '-']).is_empty() => {
                    format!("{before}{name}: [[]]")
                }
                Some((before, rest)) if before.contains('{') => {
                    let tail = rest.find([',', '}']).map_or("", |at| &rest[at..]);
                    format!("{before}{name}: [[]]{tail}")
                }
                Some(_) | None => line.to_owned(),
            })
            .collect::<Vec<_>>()
            .join("\n");
        let groups = ["accounts", "sync_rules"].contains(&name.as_str());
        assert!(groups || World::with(&wrong).load().is_err(), "{name}\n{wrong}");
    }
}

#[test]
fn the_schema_is_a_stable_text() {
    let text = serde_json::to_string_pretty(&schema(&catalog())).unwrap();
    snapshot::check("manifest", "schema", &text);
}
