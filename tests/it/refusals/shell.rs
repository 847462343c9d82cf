//! Refusals, forgetting and honest words as a person at a shell meets them.

use fit_sync::domain::{AccountName, Address, Refusal, RefusalReason, RemoteId};
use fit_sync::plan::reconcile::Entry;
use fit_sync::state::{Access, Effects, Store};
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

/// The upload of a ride whose journal has the first entries of a real one and some more, written 20
/// seconds ago.
fn open_step(first: usize, more: &[Entry]) -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    cli.run("apply --auto-approve").ok();
    let store = store(&cli);
    let address: Address = ADDRESS.parse().unwrap();
    store.forget(&address, now()).unwrap();
    let done = store.steps_at(&address).unwrap().pop().unwrap();
    let at = now() - SignedDuration::from_secs(20);
    let run = store.begin_run(None, at).unwrap();
    let first = done.entries.iter().take(first).map(|written| written.entry.clone());
    let entries: Vec<Entry> = first.chain(more.iter().cloned()).collect();
    store.begin_step(run, &done.step, &entries, Effects::default(), at).unwrap();
    cli
}

fn open_steps(cli: &Cli) -> usize {
    store(cli).unsettled().unwrap().len()
}

#[test]
fn what_was_sent_and_is_not_listed_yet_is_not_forgotten() {
    let old = RemoteId::new("old");
    let (removing, removed) = (Entry::Removing { old: old.clone() }, Entry::Removed { old });
    let lost = Entry::Unanswered { message: "reset".to_owned() };
    for (more, words) in [
        (vec![Entry::Sending], "sent, or perhaps sent, to archive 20 s ago"),
        (vec![Entry::Sending, Entry::Sent { id: None }], "to archive 20 s ago, not listed yet"),
        (vec![Entry::Sending, lost], "to archive 20 s ago, not listed yet"),
        (vec![removing.clone()], "the old activity was removed at archive 20 s ago"),
        (vec![removing, removed], "the old activity was removed at archive 20 s ago"),
    ] {
        let mut cli = open_step(2, &more);
        cli.run(&format!("state rm {ADDRESS}")).exits(6).tells(words);
        assert_eq!(open_steps(&cli), 1, "{more:?}");
        // A clock that was set back makes nothing old.
        cli.set("FIT_SYNC_NOW", "2026-11-19T12:00:00Z");
        cli.run(&format!("state rm {ADDRESS}")).exits(6).tells(" 0 s ago");
        assert_eq!(open_steps(&cli), 1, "{more:?}");
    }
    let cli = open_step(2, &[]);
    cli.run(&format!("state rm {ADDRESS}")).ok();
    assert_eq!(open_steps(&cli), 0);
}

#[test]
fn a_week_later_what_never_appeared_may_be_forgotten() {
    let mut cli = open_step(2, &[Entry::Sending, Entry::Sent { id: None }]);
    cli.set("FIT_SYNC_NOW", "2026-11-28T12:00:00Z");
    cli.run(&format!("state rm {ADDRESS}")).ok();
    assert_eq!(open_steps(&cli), 0);
}

#[test]
fn steps_of_earlier_runs_are_told_before_a_limit_refuses() {
    let cli = open_step(2, &[]);
    cli.manifest(&format!("{MANIFEST}limits: {{ max_uploads: 0 }}\n"));
    cli.fit("watch/b.fit", &ride("2026-11-02T06:12:33Z"));
    let ran = cli.run("apply --auto-approve").exits(6);
    let ran = ran.says("an earlier run left 1 steps undone").tells("--allow uploads=1");
    ran.tells("No activity was touched.");
    let cli = open_step(2, &[]);
    let ran = cli.run("apply --auto-approve").ok();
    assert_eq!(ran.stdout.matches("an earlier run left").count(), 1, "{ran:?}");
}

#[test]
fn a_refused_activity_is_still_known_by_its_id() {
    let cli = refused(1);
    let store = store(&cli);
    let listed = store.all_refusals().unwrap();
    assert_eq!((listed.len(), &listed[0].refusal.id), (1, &RemoteId::new("a.fit")));
    cli.run("plan -v").ok().says("rejected_by_destination");
}
