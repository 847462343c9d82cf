//! What is open, and what was removed at a destination, is said until somebody has heard it.

use std::fs;

use fit_sync::domain::{AccountName, RemoteId};
use fit_sync::plan::reconcile::Entry;
use fit_sync::state::{Access, Effects, Store};
use serde_json::Value;

use crate::support::cli::{Cli, MANIFEST, REPLACING, context, ride};

const START: &str = "2026-11-02T06:12:33Z";
const ROW: &str = "keep/2026-11-02T06:12:33Z  removed_at_destination";

fn remove_placed(cli: &Cli) -> Vec<u8> {
    let placed = cli.activities("archive");
    let name = placed.iter().find(|name| name.contains("2026-11-02")).unwrap();
    let path = cli.path(format!("archive/{name}"));
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(path).unwrap();
    bytes
}

#[test]
fn a_removal_is_a_line_until_an_apply_has_told_it() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    for day in 10..14 {
        cli.fit(format!("watch/{day}.fit"), &ride(&format!("2026-11-{day}T06:12:33Z")));
    }
    cli.run("apply --auto-approve").ok();
    let bytes = remove_placed(&cli);
    for _ in 0..2 {
        cli.run("plan").ok().says(ROW).says("No changes.");
    }
    let plan = cli.run("plan --json").ok().json();
    assert_eq!(context(&plan, "skips")[0].2, "removed_at_destination");
    assert_eq!(plan["context"]["skips"][0]["is_news"], true);
    cli.run("apply --auto-approve").ok().says(ROW);
    let told = cli.run("plan").ok();
    assert!(!told.stdout.contains(ROW), "{told:?}");
    cli.run("plan -v").ok().says(ROW);
    // It comes back, and is removed again.
    cli.put("archive/back.fit", bytes);
    cli.run("apply --auto-approve").ok();
    fs::remove_file(cli.path("archive/back.fit")).unwrap();
    cli.run("plan").ok().says(ROW);
}

#[test]
fn events_of_a_step_carry_what_it_is_about() {
    let cli = Cli::new(MANIFEST);
    let file = ride(START);
    cli.fit("watch/Round the lake.fit", &file);
    let lines = cli.run("apply --auto-approve --json").ok().stdout;
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let steps: Vec<Value> = lines.filter(|line| line["type"] == "step").collect();
    for step in &steps {
        assert_eq!(
            (step["action"].as_str(), step["title"].as_str()),
            (Some("upload"), Some("Round the lake"))
        );
    }
    let sent = steps.iter().find(|step| step["phase"] == "confirmed").unwrap();
    assert_eq!(sent["bytes"], file.build().len());
}

/// A pipeline that applies only where there are changes goes on with what is open; what was begun and has
/// done nothing is planned again.
#[test]
fn what_is_open_is_a_change_and_what_has_done_nothing_is_planned() {
    let cli = Cli::new(REPLACING);
    cli.fit("watch/a.fit", &ride(START));
    cli.run("apply --auto-approve").ok();
    cli.fit("watch/a.fit", &ride(START).distance_m(30_500));
    cli.run("apply --auto-approve").ok();
    cli.run("plan --detailed-exitcode").ok();
    let keep = |until: fn(&Entry) -> bool| {
        let store = Store::open(&cli.home("state.db"), Access::ReadWrite).unwrap();
        let account = |name| store.account_named(&AccountName::new(name)).unwrap().unwrap().row;
        let (from, to) = (account("watch"), account("archive"));
        let steps = store.steps_about(from, &RemoteId::new("a.fit"), to).unwrap();
        let done = steps.iter().max_by_key(|record| record.entries.len()).unwrap();
        let entries = done.entries.iter().map(|it| it.entry.clone());
        let entries: Vec<Entry> = entries.take_while(|entry| !until(entry)).collect();
        let at = done.entries[0].at;
        let run = store.begin_run(None, at).unwrap();
        store.begin_step(run, &done.step, &entries, Effects::default(), at).unwrap();
    };
    keep(|entry| matches!(entry, Entry::BackedUp { .. }));
    cli.run("plan --detailed-exitcode").ok().says("No changes.");
    keep(|entry| matches!(entry, Entry::Sent { .. }));
    cli.run("plan --detailed-exitcode").exits(2).says("open:");
}
