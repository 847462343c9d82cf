//! `fit_sync backup …`: what apply replaced.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::archive::{ArchiveError, Backup as Stored, Backups, Condition, OldBackups};
use crate::domain::{AccountName, Decision, Verdict, nearest, neutralise};
use crate::engine::{self, LockRequest, Resumed, Session, StepReport};
use crate::event::Phase;
use crate::manifest;
use crate::render;
use crate::state::RunId;

use super::super::args::{Backup, BackupArg, Json, Prune, Restore};
use super::super::ask;
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

/// Returns the backups of the manifest, which may be missing but not faulty.
fn backups(context: &Context) -> Result<Backups, Failure> {
    let manifest = context.manifest_if_any()?;
    Ok(Backups::new(context.backups_path(manifest.as_ref())))
}

fn failure(error: &ArchiveError) -> Failure {
    Failure::new(Exit::Failed, error.to_string(), "ids are listed by `fit_sync backup list`")
}

fn warn(context: &Context, faults: &[ArchiveError]) {
    for fault in faults {
        context.printer.note(&format!("warning: {fault}"));
    }
}

fn list(context: &Context, args: &Json) -> Result<Exit, Failure> {
    let backups = backups(context)?;
    let stock = backups.list().map_err(|error| failure(&error))?;
    warn(context, &stock.faults);
    let listed: Vec<(Stored, Option<String>)> = stock
        .backups
        .into_iter()
        .map(|backup| {
            let unusable = unusable(&backups, &backup);
            (backup, unusable)
        })
        .collect();
    if args.json {
        let rows: Vec<Value> = listed.iter().map(row).collect();
        let document = json!({ "format": "fit_sync.backups/1", "backups": rows });
        context.printer.product(&format!("{document:#}\n"));
    } else {
        context.printer.product(&render::backups(&listed));
    }
    Ok(Exit::Done)
}

/// Why a backup cannot be put back, if so.
fn unusable(backups: &Backups, backup: &Stored) -> Option<String> {
    match backups.condition(backup) {
        Ok(Condition::Whole) => None,
        Ok(Condition::Missing) => Some("its file is gone".to_owned()),
        Ok(Condition::Altered) => Some("its file holds something else".to_owned()),
        Err(error) => Some(neutralise(&error.to_string())),
    }
}

fn row((backup, unusable): &(Stored, Option<String>)) -> Value {
    let subject = &backup.subject;
    json!({
        "id": backup.id,
        "account": subject.account,
        "address": subject.address,
        "start": subject.start,
        "title": subject.title.as_deref().map(neutralise),
        "bytes": backup.bytes,
        "sha256": backup.sha256,
        "at": subject.at,
        "unusable": unusable,
    })
}

fn show(context: &Context, args: &BackupArg) -> Result<Exit, Failure> {
    let backups = backups(context)?;
    let (backup, _) = backups.load(&args.id).map_err(|error| failure(&error))?;
    let claims = backups.claims(&backup).map_err(|error| failure(&error))?;
    context.printer.product(&render::backup(&backup, &claims));
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
    let backups = Backups::new(&session.places.backups);
    let backup = backups.find(&args.id).map_err(|error| failure(&error))?;
    let to = args.to.as_deref().map(|name| account(session, name)).transpose()?;
    if to.is_none() {
        check_known(session, &backup)?;
    }
    let work = PutBack { context, args, session, since };
    let work = work.run(&backup, to.as_ref());
    let (settled, restored) = signals::watched(&session.stop, &context.printer, work).await?;
    progress.clear();
    context.printer.note(&render::settled_summary(&settled));
    let Some(step) = restored else {
        context.printer.product("Nothing to do: the account holds these very bytes.\n");
        return Ok(Exit::Done);
    };
    let words = if step.detail.is_empty() { String::new() } else { format!(": {}", step.detail) };
    // "Restored" would be heard as what was asked for.
    let phase = if step.phase == Phase::Restored { Phase::Failed } else { step.phase };
    let line = format!("Backup {} of {}: {}{words}", backup.id, step.address, phase.as_str());
    context.printer.product(&format!("{}\n", neutralise(&line)));
    Ok(if session.stop.is_requested() { Exit::Interrupted } else { ending::restore_exit(&step) })
}

/// A restore from its lock on.
struct PutBack<'a> {
    context: &'a Context,
    args: &'a Restore,
    session: &'a Session,
    /// The run before this one, read once the locks keep others from beginning another.
    since: &'a OnceCell<Option<RunId>>,
}

impl PutBack<'_> {
    /// The same care as in any run: alone at the account, and what earlier runs left open there first.
    async fn run(
        &self,
        backup: &Stored,
        to: Option<&AccountName>,
    ) -> Result<(Resumed, Option<StepReport>), Failure> {
        let Self { context, args, session, since } = *self;
        let request = LockRequest {
            folders: context.lock_folders(&session.manifest)?,
            owner: context.env.owner.clone(),
            patience: args.lock_timeout,
            also: BTreeSet::new(),
        };
        let account = to.unwrap_or(&backup.subject.account);
        let locks = engine::lock_account(session, &request, account).await?;
        let last = session.store.last_run()?;
        since.get_or_init(|| last);
        let mut settled = engine::resume(session, &locks).await?;
        take_back_failed(context, session)?;
        // Those of other accounts are none of its business.
        settled.left.clear();
        let restore = engine::plan_restore(session, &locks, backup, to).await?;
        let decision = restore.decision.clone();
        if let Some(decision) = &decision {
            // Before anything is sent: whatever comes then, no plan undoes it.
            manifest::append(&session.manifest.decisions, decision)?;
        }
        let restored = engine::restore(session, restore).await?;
        self.tell_decision(decision, restored.as_ref())?;
        Ok((settled, restored))
    }

    /// A decision about what has not come about is taken back.
    fn tell_decision(
        &self,
        decision: Option<Decision>,
        restored: Option<&StepReport>,
    ) -> Result<(), Failure> {
        let Some(decision) = decision else { return Ok(()) };
        let decisions = &self.session.manifest.decisions;
        if restored.is_none_or(|step| may_last(step.phase)) {
            let place = decisions.display();
            let note = format!("So that no plan undoes it, a decision stands in {place}.");
            self.context.printer.note(&note);
        } else {
            let taken_back = Decision { decision: Verdict::Undecide, ..decision };
            manifest::append(decisions, &taken_back)?;
        }
        Ok(())
    }
}

/// Whether the restored activity is there, or may be.
fn may_last(phase: Phase) -> bool {
    matches!(phase, Phase::Confirmed | Phase::Pending | Phase::Held)
}

/// Refuses a backup whose account the manifest does not have any more.
fn check_known(session: &Session, backup: &Stored) -> Result<(), Failure> {
    let account = &backup.subject.account;
    if session.manifest.accounts.contains_key(account) {
        return Ok(());
    }
    let happened =
        format!("backup {} is of {account}, which is no account of the manifest", backup.id);
    let next = "put it back into the manifest, or name another account with --to ACCOUNT";
    Err(Failure::new(Exit::Invalid, happened, next))
}

/// Takes back the decisions of restores that came to nothing, whichever run has found that.
pub fn take_back_failed(context: &Context, session: &Session) -> Result<(), Failure> {
    for decision in engine::failed_restores(session)? {
        let address = decision.address.clone();
        let taken_back =
            Decision { decision: Verdict::Undecide, at: session.clock().now(), ..decision };
        let note = match manifest::append(&session.manifest.decisions, &taken_back) {
            Ok(()) => {
                format!("{address}: its backup was not put back; that decision is taken back")
            }
            // No plan minds that decision.
            Err(error) => format!("warning: {address}: a decision cannot be taken back: {error}"),
        };
        context.printer.note(&neutralise(&note));
    }
    Ok(())
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

/// Removes old backups, but none that a step under way may still need, whatever its state.
fn prune(context: &Context, args: &Prune) -> Result<Exit, Failure> {
    let before = before(context, &args.older_than)?;
    let backups = backups(context)?;
    let old = backups.older_than(before).map_err(|error| failure(&error))?;
    warn(context, &old.faults);
    if args.dry_run {
        context.printer.product(&render::prunable(&old));
        return Ok(Exit::Done);
    }
    approve(context, args, &old)?;
    let chosen: Vec<_> = old.free.into_iter().map(|backup| backup.id).collect();
    let pruned = backups.prune(&chosen, before).map_err(|error| failure(&error))?;
    context.printer.product(&render::pruned(&pruned));
    Ok(Exit::Done)
}

/// The time before which a backup is that old.
fn before(context: &Context, older_than: &str) -> Result<Timestamp, Failure> {
    let seconds = manifest::duration_s(older_than).map_err(|error| {
        Failure::new(Exit::Usage, error.to_string(), "write it like 90d, 12h or 30m")
    })?;
    let age = SignedDuration::from_secs(i64::from(seconds));
    Ok(context.clock.now().checked_sub(age).unwrap_or(Timestamp::MIN))
}

/// Asks a person whether they may go, unless there are none or the command line is their word.
fn approve(context: &Context, args: &Prune, old: &OldBackups) -> Result<(), Failure> {
    if args.auto_approve || old.free.is_empty() {
        return Ok(());
    }
    if !context.env.interactive {
        let next = "look at them with --dry-run, then add --yes";
        return Err(Failure::new(Exit::Decide, "nobody is here to approve the removal", next));
    }
    context.printer.note(&render::prunable(old));
    if ask::confirm("Remove these backups for good?") {
        return Ok(());
    }
    Err(Failure::new(Exit::Decide, "the removal was not approved", "nothing was removed"))
}
