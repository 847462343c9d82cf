//! `fit_sync clear-cache`: forget what can be had again.

use std::collections::BTreeSet;

use crate::domain::AccountName;
use crate::engine::{self, Cleared, Clearing, Kind};
use crate::manifest::Manifest;
use crate::state::{Access, Store};

use super::super::args::ClearCache;
use super::super::choice;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;

/// Forgets, and says what.
pub fn run(context: &Context, args: &ClearCache) -> Result<Exit, Failure> {
    let manifest = context.manifest_if_any()?;
    // Nothing is made in order to be emptied.
    let is_there = context.state_path(manifest.as_ref()).exists();
    let access = if is_there { Access::ReadWrite } else { Access::ReadOnly };
    let store = context.store(manifest.as_ref(), access)?;
    let clearing = Clearing {
        kinds: kinds(args),
        account: account(args, manifest.as_ref(), &store)?,
        cache: context.cache_path(manifest.as_ref()),
        sessions: context.env.home.join("sessions"),
    };
    let cleared = engine::clear(&store, &clearing)?;
    context.printer.product(&text(&clearing.kinds, &cleared));
    Ok(Exit::Done)
}

fn kinds(args: &ClearCache) -> BTreeSet<Kind> {
    let kinds: &[Kind] = match (args.auth_only, args.activities_only, args.all) {
        (true, _, _) => &[Kind::Sessions],
        (_, true, _) => &[Kind::Listings],
        (_, _, true) => &[Kind::Listings, Kind::Files, Kind::Sessions],
        (false, false, false) => &[Kind::Listings, Kind::Files],
    };
    kinds.iter().copied().collect()
}

/// The account that is named: one of the manifest, or one that the state remembers.
fn account(
    args: &ClearCache,
    manifest: Option<&Manifest>,
    store: &Store,
) -> Result<Option<AccountName>, Failure> {
    let Some(name) = &args.account else { return Ok(None) };
    let remembered = store.accounts()?.into_iter().map(|account| account.name);
    let known: BTreeSet<AccountName> = manifest
        .iter()
        .flat_map(|manifest| manifest.accounts.keys().cloned())
        .chain(remembered)
        .collect();
    let wanted = AccountName::new(name);
    if known.contains(&wanted) {
        return Ok(Some(wanted));
    }
    let known: Vec<&str> = known.iter().map(AccountName::as_str).collect();
    Err(choice::unknown_account(name, &known))
}

fn text(kinds: &BTreeSet<Kind>, cleared: &Cleared) -> String {
    let removed = kinds.iter().map(|kind| match kind {
        Kind::Listings => {
            let items = counted(cleared.items, "item");
            format!("{} ({items})", counted(cleared.listings, "listing"))
        }
        Kind::Files => {
            format!("{} ({})", counted(cleared.files.files, "FIT file"), size(cleared.files.bytes))
        }
        Kind::Sessions => counted(cleared.sessions, "session"),
    });
    let removed: Vec<String> = removed.collect();
    let mut kept = vec!["state, journal, backups and decisions".to_owned()];
    if cleared.files.kept > 0 {
        let files = counted(cleared.files.kept, "FIT file");
        kept.insert(0, format!("{files} that an unfinished apply needs"));
    }
    for (kind, name) in
        [(Kind::Sessions, "sessions"), (Kind::Files, "FIT files"), (Kind::Listings, "listings")]
    {
        if !kinds.contains(&kind) {
            kept.insert(0, name.to_owned());
        }
    }
    format!("Removed: {}.\nKept: {}.\n", removed.join(", "), kept.join(", "))
}

fn counted(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// Bytes as people say them, in steps of a thousand.
fn size(bytes: u64) -> String {
    match bytes {
        ..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
