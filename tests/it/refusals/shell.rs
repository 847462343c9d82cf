//! Refusals, forgetting and honest words as a person at a shell meets them.

use fit_sync::domain::{AccountName, Address, Refusal, RefusalReason, RemoteId};
use fit_sync::event::Phase;
use fit_sync::state::{Access, Entry, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::cli::{Cli, MANIFEST, NOW, ride};

const START: &str = "2026-11-01T06:12:33Z";
const ADDRESS: &str = "keep/2026-11-01T06:12:33Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn store(cli: &Cli) -> Store {
    Store::open(&cli.home("state.db"), Access::ReadWrite).unwrap()
}

/// A ride that the archive refused on so many days, the last of them today.
fn refused(looks: u32) -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    cli.run("plan").ok();
    let store = store(&cli);
    let row = |name: &str| store.account_named(&AccountName::new(name)).unwrap().unwrap().row;
    let activity = store.inventory(row("watch")).unwrap().unwrap().activities[0].clone();
    for day in (0..i64::from(looks)).rev() {
        let at = now() - SignedDuration::from_hours(24 * day + 1);
        let (id, fingerprint) = (activity.id.clone(), activity.fingerprint.clone());
        let reason = RefusalReason::RejectedByDestination;
        let found = Refusal::found(id, fingerprint, reason, "not with us", at);
        let address: Address = ADDRESS.parse().unwrap();
        // The archive was not made yet: the state knows it by its name only once it is a
        // destination.
        store.note_refusal(row("watch"), row("archive"), &address, found).unwrap();
    }
    cli
}

#[test]
fn what_was_refused_is_listed_with_its_dates_retried_and_forgotten() {
    let cli = refused(2);
    cli.run("plan").ok().says("No changes.");
    cli.run("apply --auto-approve").ok();
    let text = cli.run("state list --refused").ok().stdout;
    assert_eq!(
        text,
        format!(
            "{ADDRESS}  watch/a.fit -> archive  rejected_by_destination (not with us)\n    2 looks, \
             first 2026-11-19 11:00:00Z, last 2026-11-20 11:00:00Z; looked at again from \
             2026-11-27 on\n"
        )
    );
    let expected = json!({
        "format": "fit_sync.refusals/1",
        "refusals": [{
            "address": ADDRESS,
            "rule": "keep",
            "source": { "account": "watch", "id": "a.fit" },
            "destination": { "account": "archive" },
            "reason": "rejected_by_destination",
            "detail": "not with us",
            "candidate": null,
            "first_seen": "2026-11-19T11:00:00Z",
            "last_seen": "2026-11-20T11:00:00Z",
            "looks": 2,
            "next_look": "2026-11-27",
        }],
    });
    assert_eq!(cli.run("state list --refused --json").ok().json(), expected);
    cli.run("plan --retry-refused").ok().says("1 to upload");
    cli.run("sync --dry-run --retry-refused").ok().says("1 to upload");
    cli.run(&format!("state rm {ADDRESS}")).ok();
    cli.run("state list --refused").ok().says("Nothing was refused.");
    cli.run("plan").ok().says("1 to upload");
}

#[test]
fn what_is_taken_in_the_end_is_refused_no_longer() {
    let cli = refused(4);
    cli.run("apply --auto-approve --retry-refused").ok().says("1 uploaded");
    cli.run("state list --refused").ok().says("Nothing was refused.");
    let cli = refused(4);
    cli.run("sync --auto-approve --retry-refused").ok().says("1 uploaded");
}

/// The upload of a ride that came so far 20 seconds ago.
fn open_step(phases: &[Phase]) -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    cli.run("apply --auto-approve").ok();
    let store = store(&cli);
    let address: Address = ADDRESS.parse().unwrap();
    store.forget(&address, now()).unwrap();
    let done = store.steps_at(&address).unwrap().pop().unwrap();
    let at = now() - SignedDuration::from_secs(20);
    let run = store.begin_run(None, at).unwrap();
    let intent = &done.entries[0].entry;
    let step = store.begin_step(run, &done.step, intent, None, at).unwrap();
    for phase in phases {
        let same = done.entries.iter().find(|written| written.entry.phase == *phase);
        let other = || Entry { phase: *phase, attempt: 1, detail: json!({}) };
        let entry = same.map_or_else(other, |written| written.entry.clone());
        store.record(run, step, &entry, None, at).unwrap();
    }
    cli
}

fn open_steps(cli: &Cli) -> usize {
    store(cli).unsettled().unwrap().len()
}

#[test]
fn what_was_sent_and_is_not_listed_yet_is_not_forgotten() {
    for (phases, words) in [
        (vec![Phase::Fetched], "perhaps sent to archive 20 s ago, nobody has looked since"),
        (vec![Phase::Fetched, Phase::Sent], "sent to archive 20 s ago, not listed yet"),
        (vec![Phase::Fetched, Phase::Unknown, Phase::Held], "sent to archive 20 s ago"),
        (vec![Phase::BackedUp, Phase::Removed], "the old activity was removed at archive 20 s ago"),
    ] {
        let mut cli = open_step(&phases);
        cli.run(&format!("state rm {ADDRESS}")).exits(6).tells(words);
        assert_eq!(open_steps(&cli), 1, "{phases:?}");
        // A clock that was set back makes nothing old.
        cli.set("FIT_SYNC_NOW", "2026-11-19T12:00:00Z");
        cli.run(&format!("state rm {ADDRESS}")).exits(6).tells(" 0 s ago");
        assert_eq!(open_steps(&cli), 1, "{phases:?}");
    }
    let cli = open_step(&[]);
    cli.run(&format!("state rm {ADDRESS}")).ok();
    assert_eq!(open_steps(&cli), 0);
}

#[test]
fn a_week_later_what_never_appeared_may_be_forgotten() {
    let mut cli = open_step(&[Phase::Fetched, Phase::Sent]);
    cli.set("FIT_SYNC_NOW", "2026-11-28T12:00:00Z");
    cli.run(&format!("state rm {ADDRESS}")).ok();
    assert_eq!(open_steps(&cli), 0);
}

#[test]
fn steps_of_earlier_runs_are_told_before_a_limit_refuses() {
    let cli = open_step(&[Phase::Fetched]);
    cli.manifest(&format!("{MANIFEST}limits: {{ max_uploads: 0 }}\n"));
    cli.fit("watch/b.fit", &ride("2026-11-02T06:12:33Z"));
    let ran = cli.run("apply --auto-approve").exits(6);
    let ran = ran.says("settled from an earlier run").tells("--allow uploads=1");
    ran.tells("No activity was touched.");
    let cli = open_step(&[Phase::Fetched]);
    let ran = cli.run("apply --auto-approve").ok();
    assert_eq!(ran.stdout.matches("settled from an earlier run").count(), 1, "{ran:?}");
}

#[test]
fn a_refused_activity_is_still_known_by_its_id() {
    let cli = refused(1);
    let store = store(&cli);
    let listed = store.all_refusals().unwrap();
    assert_eq!((listed.len(), &listed[0].refusal.id), (1, &RemoteId::new("a.fit")));
    cli.run("plan -v").ok().says("rejected_by_destination");
}
