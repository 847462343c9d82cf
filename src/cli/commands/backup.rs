//! `fit_sync backup …`: what apply replaced.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::archive::{Backup as Stored, BackupError, Backups};
use crate::domain::{AccountName, nearest, neutralise};
use crate::engine::{self, LockRequest, Restored, Session, Settled};
use crate::manifest;
use crate::render;
use crate::state::RunId;

use super::super::args::{Backup, BackupArg, Json, Prune, Restore};
use super::super::context::Context;
use super::super::ending;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::progress::Progress;
use super::super::signals;

/// Runs one of the commands about backups.
pub async fn run(context: &Context, command: &Backup) -> Result<Exit, Failure> {
    match command {
        Backup::List(args) => list(context, args),
        Backup::Show(args) => show(context, args),
        Backup::Restore(args) => restore(context, args).await,
        Backup::Prune(args) => prune(context, args),
    }
}

/// The backups; a manifest is asked only for where they lie.
fn stock(context: &Context) -> Backups {
    let place = context.manifest().ok().and_then(|manifest| manifest.backups);
    Backups::new(place.unwrap_or_else(|| context.env.home.join("backups")))
}

fn failure(error: &BackupError) -> Failure {
    Failure::new(Exit::Failed, error.to_string(), "ids are listed by `fit_sync backup list`")
}

fn list(context: &Context, args: &Json) -> Result<Exit, Failure> {
    let stock = stock(context).list().map_err(|error| failure(&error))?;
    for fault in &stock.faults {
        context.printer.note(&format!("warning: {fault}"));
    }
    if args.json {
        let rows: Vec<Value> = stock.backups.iter().map(row).collect();
        let document = json!({ "format": "fit_sync.backups/1", "backups": rows });
        context.printer.product(&format!("{document:#}\n"));
    } else {
        context.printer.product(&render::backups(&stock.backups));
    }
    Ok(Exit::Done)
}

fn row(backup: &Stored) -> Value {
    json!({
        "id": backup.backup_id().as_str(),
        "account": backup.account,
        "address": backup.address,
        "start": backup.start,
        "title": backup.title.as_deref().map(neutralise),
        "bytes": backup.bytes,
        "sha256": backup.sha256,
        "at": backup.at,
    })
}

fn show(context: &Context, args: &BackupArg) -> Result<Exit, Failure> {
    let (backup, _) = stock(context).load(&args.id).map_err(|error| failure(&error))?;
    context.printer.product(&render::outline(&json!(backup)));
    Ok(Exit::Done)
}

async fn restore(context: &Context, args: &Restore) -> Result<Exit, Failure> {
    let (session, progress) = context.session()?;
    let since = OnceCell::new();
    let result = restore_in(context, args, &session, &progress, &since).await;
    result.map_err(|failure| match since.get() {
        Some(run) => failure.after(engine::deeds_since(&session.store, *run).ok()),
        None => failure,
    })
}

async fn restore_in(
    context: &Context,
    args: &Restore,
    session: &Session,
    progress: &Progress,
    since: &OnceCell<Option<RunId>>,
) -> Result<Exit, Failure> {
    let stock = Backups::new(&session.places.backups);
    let (backup, bytes) = stock.load(&args.id).map_err(|error| failure(&error))?;
    let to = args.to.as_deref().map(|name| account(session, name)).transpose()?;
    let restore = PutBack { context, args, session, since };
    let work = restore.run((&backup, bytes), to.as_ref());
    let (settled, restored) = signals::watched(&session.stop, &context.printer, work).await?;
    progress.clear();
    context.printer.note(&render::settled_summary(&settled));
    if let Some(decision) = &restored.decision {
        manifest::append(&session.manifest.decisions, decision)?;
        let place = session.manifest.decisions.display();
        context.printer.note(&format!("So that no plan undoes it, a decision stands in {place}."));
    }
    let Some(step) = restored.step else {
        context.printer.product("Nothing to do: the account holds these very bytes.\n");
        return Ok(Exit::Done);
    };
    let words = if step.detail.is_empty() { String::new() } else { format!(": {}", step.detail) };
    let id = backup.backup_id();
    let line =
        format!("Backup {} of {}: {}{words}", id.as_str(), step.address, step.phase.as_str());
    context.printer.product(&format!("{}\n", neutralise(&line)));
    Ok(if session.stop.is_requested() { Exit::Interrupted } else { ending::restore_exit(&step) })
}

/// A restore from its lock on.
struct PutBack<'a> {
    context: &'a Context,
    args: &'a Restore,
    session: &'a Session,
    /// The last run before this one, once nobody else can begin another.
    since: &'a OnceCell<Option<RunId>>,
}

impl PutBack<'_> {
    /// The same care as in any run: alone at the account, and what earlier runs left open there first.
    async fn run(
        &self,
        (backup, bytes): (&Stored, Vec<u8>),
        to: Option<&AccountName>,
    ) -> Result<(Settled, Restored), Failure> {
        let Self { context, args, session, since } = *self;
        let request = LockRequest {
            folders: context.lock_folders(&session.manifest)?,
            owner: context.env.owner.clone(),
            patience: args.lock_timeout,
            also: BTreeSet::new(),
        };
        let locks = engine::lock_account(session, &request, to.unwrap_or(&backup.account)).await?;
        let last = session.store.last_run()?;
        since.get_or_init(|| last);
        let mut settled = engine::settle(session, &locks).await?;
        // Those of other accounts are none of its business.
        settled.left.clear();
        let restored = engine::restore(session, &locks, backup, bytes, to).await?;
        Ok((settled, restored))
    }
}

fn account(session: &Session, name: &str) -> Result<AccountName, Failure> {
    let known = &session.manifest.accounts;
    let account = AccountName::new(name);
    if known.contains_key(&account) {
        return Ok(account);
    }
    let hint = nearest(name, known.keys().map(AccountName::as_str));
    let next = match hint {
        Some(hint) => format!("did you mean '{hint}'?"),
        None => "the manifest names the accounts".to_owned(),
    };
    Err(Failure::new(Exit::Invalid, format!("there is no account '{name}'"), next))
}

/// Removes old backups, but none that a step in flight may still need.
fn prune(context: &Context, args: &Prune) -> Result<Exit, Failure> {
    let seconds = manifest::duration_s(&args.older_than).map_err(|error| {
        Failure::new(Exit::Usage, error.to_string(), "write it like 90d, 12h or 30m")
    })?;
    let age = SignedDuration::from_secs(i64::from(seconds));
    let now = context.env.clock().now();
    let before = now.checked_sub(age).unwrap_or(Timestamp::MIN);
    let needed = needed(context)?;
    let stock = stock(context);
    let listed = stock.list().map_err(|error| failure(&error))?;
    let (mut removed, mut kept) = (0, 0);
    for backup in listed.backups.iter().filter(|backup| backup.at < before) {
        let id = backup.backup_id();
        if needed.contains(id.as_str()) {
            kept += 1;
            continue;
        }
        stock.remove(backup.sha256.as_str()).map_err(|error| failure(&error))?;
        removed += 1;
    }
    let note =
        if kept > 0 { format!(" {kept} are needed by steps in flight.") } else { String::new() };
    let backups = if removed == 1 { "backup" } else { "backups" };
    context.printer.product(&format!("Removed {removed} {backups}.{note}\n"));
    Ok(Exit::Done)
}

/// Ids of backups that unsettled steps name.
fn needed(context: &Context) -> Result<HashSet<String>, Failure> {
    let manifest = context.manifest().ok();
    let store = context.store(manifest.as_ref(), crate::state::Access::ReadOnly)?;
    let unsettled = store.unsettled()?;
    let entries = unsettled.iter().flat_map(|record| &record.entries);
    let named = entries.filter_map(|written| written.entry.detail.get("backup")?.as_str());
    Ok(named.map(str::to_owned).collect())
}
