//! Backups as text: listed, shown, pruned.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::archive::{Backup, Claim, ClaimedBackup, Claims, OldBackups, Pruned};
use crate::domain::neutralise;

use super::memory::outline;

/// Returns one line per backup, the newest first, with the reason why one cannot be put back.
pub fn backups(backups: &[(Backup, Option<String>)]) -> String {
    if backups.is_empty() {
        return "There are no backups.\n".to_owned();
    }
    let shown = |(backup, unusable): &(Backup, Option<String>)| match unusable {
        None => line(backup),
        Some(why) => format!("{}  unusable: {why}\n", line(backup).trim_end()),
    };
    backups.iter().map(shown).collect()
}

fn line(backup: &Backup) -> String {
    let subject = &backup.subject;
    let start = subject.start.map_or_else(|| "no start".to_owned(), |start| start.to_string());
    let text = format!(
        "{}  {}  {start}  {}  {} bytes  kept {}",
        backup.id,
        subject.account,
        subject.title.as_deref().unwrap_or("untitled"),
        backup.bytes,
        subject.at,
    );
    neutralise(&text) + "\n"
}

/// Returns all that is known about a backup, and who needs it.
pub fn backup(backup: &Backup, claims: &Claims) -> String {
    let mut shown = json!(backup);
    let words: Vec<Value> = claim_words(claims).into_iter().map(Value::from).collect();
    if let Some(shown) = shown.as_object_mut().filter(|_| !words.is_empty()) {
        shown.insert("needed_by".to_owned(), Value::Array(words));
    }
    outline(&shown)
}

/// Returns what a prune would remove and keep.
pub fn prunable(old: &OldBackups) -> String {
    let mut text = format!("Would remove {}.\n", counted(old.free.len()));
    text.extend(old.free.iter().map(|backup| format!("  {}", line(backup))));
    text + &kept(&old.claimed)
}

/// Returns what a prune removed and kept.
pub fn pruned(pruned: &Pruned) -> String {
    format!("Removed {}.\n", counted(pruned.removed.len())) + &kept(&pruned.claimed)
}

fn counted(number: usize) -> String {
    if number == 1 { "1 backup".to_owned() } else { format!("{number} backups") }
}

fn kept(claimed: &[ClaimedBackup]) -> String {
    if claimed.is_empty() {
        return String::new();
    }
    let mut text = format!("Kept {} for steps under way:\n", counted(claimed.len()));
    for ClaimedBackup { backup, claims } in claimed {
        for words in claim_words(claims) {
            let _ = writeln!(text, "  {}  {}", backup.id, neutralise(&words));
        }
    }
    text
}

fn claim_words(claims: &Claims) -> Vec<String> {
    let unreadable = claims.unreadable.iter();
    let unreadable =
        unreadable.map(|path| format!("a claim that cannot be read: {}", path.display()));
    claims.readable.iter().map(one).chain(unreadable).collect()
}

fn one(claim: &Claim) -> String {
    let Claim { owner, address, destination, at, .. } = claim;
    let (account, step, state) = (&destination.name, owner.step, &owner.state);
    format!("{address} at {account}, since {at} (step {step} of state {state})")
}
