//! The commands about the memory: what they show, in the contract's shapes, and what they forget.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::cli::{Cli, MANIFEST, NOW, ride, tree};

const EARLY: &str = "2026-11-01T06:12:33Z";
const ADDRESS: &str = "keep/2026-11-01T06:12:33Z";
const THERE: &str = "cycling/2026/2026-11-01_061233_cycling_a.fit";

fn applied() -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(EARLY));
    cli.run("apply --auto-approve").ok();
    cli
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn links_have_the_contract_s_shape() {
    let cli = applied();
    let expected = json!({
        "format": "fit_sync.links/1",
        "links": [{
            "address": ADDRESS,
            "rule": "keep",
            "source": { "account": "watch", "id": "a.fit" },
            "destination": { "account": "archive", "id": THERE },
            "status": "confirmed",
        }],
    });
    assert_eq!(cli.run("state list --json").ok().json(), expected);
    let text = cli.run("state list").ok().stdout;
    assert_eq!(text, format!("{ADDRESS}  watch/a.fit -> archive/{THERE}\n"));
}

#[test]
fn the_whole_an_account_an_activity_and_an_address_are_shown() {
    let cli = applied();
    let whole = cli.run("state show --json").ok().json();
    assert_eq!(whole["format"], "fit_sync.state/1");
    assert_eq!((&whole["links"], &whole["runs"]), (&json!(1), &json!(1)));
    let account = &whole["accounts"][0];
    assert_eq!(keys(account), ["inventory", "name", "platform", "profile", "region"]);
    assert_eq!(account["name"], "archive");
    assert_eq!(account["inventory"], json!({"count": 1, "complete": true, "refreshed_at": NOW}));
    assert_eq!(cli.run("state show archive --json").ok().json(), *account);
    let activity = cli.run("state show watch/a.fit --json").ok().json();
    assert_eq!((&activity["id"], &activity["start"]), (&json!("a.fit"), &json!(EARLY)));
    let there = cli.args(["state", "show", &format!("archive/{THERE}"), "--json"]).ok().json();
    assert_eq!(there["id"], THERE);
    let address = cli.args(["state", "show", ADDRESS, "--json"]).ok().json();
    assert_eq!(address["link"]["destination"]["id"], THERE);
    for subject in ["", "archive", "watch/a.fit", ADDRESS] {
        assert!(!cli.run(&format!("state show {subject}")).ok().stdout.is_empty(), "{subject}");
    }
    for unknown in ["nobody", "watch/b.fit", "keep/2026-11-01T06:12:34Z", "/", "keep/@x"] {
        cli.args(["state", "show", unknown]).exits(1).tells(unknown);
    }
}

#[test]
fn history_tells_every_apply_and_how_it_ended() {
    let cli = applied();
    cli.fit("watch/b.fit", &ride("2026-11-02T06:12:33Z"));
    cli.fit("archive/half.fit", &ride("2026-11-02T06:12:33Z").elapsed_s(1500));
    cli.run("apply --auto-approve").exits(6);
    let history = cli.run("state history --json").ok().json();
    assert_eq!(history["format"], "fit_sync.history/1");
    let runs = history["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2, "{history:#}");
    let first = runs.iter().find(|run| run["exit"] == 0).unwrap();
    assert_eq!(keys(first), ["counts", "ended_at", "exit", "run", "started_at"]);
    assert_eq!(first["counts"], json!({"confirmed": 1}));
    assert!(runs.iter().any(|run| run["exit"] == 6), "{history:#}");
    cli.run("state history").ok().says("exit 6");
}

#[test]
fn an_empty_memory_is_shown_without_making_one() {
    let cli = Cli::new(MANIFEST);
    let empty = json!({ "format": "fit_sync.links/1", "links": [] });
    assert_eq!(cli.run("state list --json").ok().json(), empty);
    let empty = json!({ "format": "fit_sync.state/1", "accounts": [], "links": 0, "runs": 0 });
    assert_eq!(cli.run("state show --json").ok().json(), empty);
    let empty = json!({ "format": "fit_sync.history/1", "runs": [] });
    assert_eq!(cli.run("state history --json").ok().json(), empty);
    cli.run("state verify").ok();
    assert!(!cli.home("").exists());
}

#[test]
fn reading_commands_write_nothing() {
    let cli = applied();
    let look = || {
        let mut files = tree(&cli.root());
        // What SQLite's readers share with a writer; it holds nothing.
        files.remove("home/state.db-shm");
        assert!(files.remove("home/state.db-wal").is_none_or(|wal| wal.is_empty()));
        let modified =
            |name: &String| cli.root().join(name).metadata().unwrap().modified().unwrap();
        let times: Vec<_> = files.keys().map(modified).collect();
        (files, times)
    };
    let before = look();
    for command in
        ["state list", "state show", "state history", "state verify", "validate", "schema plan"]
    {
        cli.run(command).ok();
        assert!(look() == before, "{command}");
    }
}

#[test]
fn what_is_forgotten_is_found_again() {
    let cli = applied();
    cli.args(["state", "rm", ADDRESS]).ok();
    assert_eq!(cli.run("state list --json").ok().json()["links"], json!([]));
    cli.run("plan").ok().says("No changes. 1 activity is in sync.");
    cli.args(["state", "rm", ADDRESS]).exits(1);
    cli.args(["state", "rm", "nonsense"]).exits(1);
    cli.run("apply --auto-approve").ok();
    assert_eq!(cli.run("state list --json").ok().json()["links"][0]["address"], ADDRESS);
}

#[test]
fn what_was_removed_there_comes_back_when_its_link_is_forgotten() {
    let cli = applied();
    fs::remove_file(cli.path("archive").join(THERE)).unwrap();
    cli.fit("archive/other.fit", &ride("2020-01-01T00:00:00Z"));
    cli.run("plan").ok().says("No changes.");
    cli.args(["state", "rm", ADDRESS]).ok();
    cli.run("plan").ok().says("1 to upload");
}

#[test]
fn a_state_that_is_none_is_refused() {
    let cli = applied();
    let path = cli.home("state.db");
    for bytes in [b"not a database, but a long enough text to be looked at".repeat(40), vec![7; 20]]
    {
        cli.lose_state();
        fs::write(&path, &bytes).unwrap();
        for command in ["plan", "apply --auto-approve", "state list", "state verify"] {
            cli.run(command).exits(9).tells("state.db");
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "it is left as it is");
    }
    cli.lose_state();
    fs::create_dir(&path).unwrap();
    cli.run("plan").exits(9);
    cli.run("state list").exits(9);
}

#[test]
fn a_state_of_a_later_version_is_refused() {
    let cli = applied();
    let path = cli.home("state.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    for command in ["plan", "state list", "state rm keep/@x", "state verify"] {
        cli.run(command).exits(9).tells("99");
    }
}

#[test]
fn damage_is_found() {
    let cli = applied();
    cli.run("state verify").ok().says("sound");
    let connection = rusqlite::Connection::open(cli.home("state.db")).unwrap();
    connection.execute("UPDATE activity SET row = '{}'", []).unwrap();
    drop(connection);
    cli.run("state verify").exits(9);
}

#[test]
fn the_state_may_lie_elsewhere() {
    let mut cli = applied();
    for command in ["state list", "state verify", &format!("state rm {ADDRESS}")] {
        cli.run(&format!("--state elsewhere.db {command}")).exits(9).tells("elsewhere.db");
    }
    assert!(!cli.path("elsewhere.db").exists());
    cli.run("--state elsewhere.db plan").ok();
    assert!(cli.path("elsewhere.db").exists());
    let mode = |path: std::path::PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(cli.path("elsewhere.db")), 0o600);
    cli.set("FIT_SYNC_STATE", "by-variable.db");
    cli.run("plan").ok();
    assert!(cli.path("by-variable.db").exists());
    cli.run("state list --state ../home/state.db").ok().says(ADDRESS);
    cli.run("--state no/such/folder/state.db plan").exits(9);
}

#[test]
fn home_is_made_private_and_says_so() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(EARLY));
    fs::create_dir(cli.home("")).unwrap();
    fs::set_permissions(cli.home(""), fs::Permissions::from_mode(0o755)).unwrap();
    cli.run("plan").ok().tells("0700");
    let mode = fs::metadata(cli.home("")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
    assert!(!cli.run("plan").ok().stderr.contains("0700"));
}

#[test]
fn planning_without_reading_uses_what_was_read_last() {
    let cli = applied();
    cli.run("plan").ok();
    fs::remove_dir_all(cli.path("watch")).unwrap();
    fs::remove_dir_all(cli.path("archive")).unwrap();
    cli.run("plan --refresh none").ok().says("No changes. 1 activity is in sync.");
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(EARLY));
    let plan = cli.run("plan --refresh none --json").exits(5).json();
    assert_eq!(plan["context"]["blocked"][0]["rule"], "keep");
}

#[test]
fn a_copy_of_the_state_is_planned_elsewhere() {
    let cli = applied();
    let other = Cli::new(MANIFEST);
    fs::copy(cli.home("state.db"), other.path("copy.db")).unwrap();
    let here = cli.run("plan --refresh none --json").ok().stdout;
    let there = other.run("plan --refresh none --json --state copy.db").ok().stdout;
    assert_eq!(here, there);
}
