//! `fit_sync state …`: look into the memory, and decide conflicts.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::archive::{Blobs, Claim};
use crate::domain::{AccountName, Activity, Address, LinkStatus, Verdict, neutralise};
use crate::engine::{self, Awaited, EngineError, PlanRequest, Touched};
use crate::manifest::{self, Manifest};
use crate::plan::Options;
use crate::render;
use crate::state::{Access, Store, StoredAccount, StoredLink};

use super::super::args::{AddressArg, Adopt, Json, State, StateList, StateShow};
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;

/// What was sent and is not listed after so long is a question of the plan, and may be forgotten.
const SEEN_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Runs one of the commands about the state.
pub async fn run(context: &Context, command: &State) -> Result<Exit, Failure> {
    match command {
        State::List(args) => list(context, args),
        State::Show(args) => show(context, args),
        State::History(args) => history(context, args),
        State::Rm(args) => forget(context, args),
        State::Verify => verify(context),
        State::Adopt(args) => adopt(context, args).await,
        State::Distinct(args) => decide(context, &args.address, Verdict::Distinct, None).await,
        State::Ignore(args) => decide(context, &args.address, Verdict::Ignore, None).await,
        State::Undecide(args) => decide(context, &args.address, Verdict::Undecide, None).await,
    }
}

/// Opens the state for reading.
fn reading(context: &Context) -> Result<Store, Failure> {
    context.own_store(Access::ReadOnly)
}

fn print_json(context: &Context, value: &Value) {
    context.printer.product(&render::json(value));
}

fn list(context: &Context, args: &StateList) -> Result<Exit, Failure> {
    if args.refused {
        return list_refused(context, args);
    }
    let links = reading(context)?.all_links()?;
    if args.json {
        let rows: Vec<Value> = links.iter().map(link_json).collect();
        print_json(context, &json!({ "format": "fit_sync.links/1", "links": rows }));
    } else {
        context.printer.product(&render::links(&links));
    }
    Ok(Exit::Done)
}

fn list_refused(context: &Context, args: &StateList) -> Result<Exit, Failure> {
    let refusals = reading(context)?.all_refusals()?;
    if args.json {
        let rows: Vec<Value> = refusals.iter().map(render::refusal_json).collect();
        print_json(context, &json!({ "format": "fit_sync.refusals/1", "refusals": rows }));
    } else {
        context.printer.product(&render::refusals(&refusals));
    }
    Ok(Exit::Done)
}

fn link_json(stored: &StoredLink) -> Value {
    let link = &stored.link;
    json!({
        "address": link.address,
        "rule": link.rule,
        "source": { "account": stored.source, "id": link.source.id },
        "destination": {
            "account": stored.destination,
            "id": link.destination.as_ref().map(|side| &side.id),
        },
        "status": status_word(link.status),
    })
}

fn status_word(status: LinkStatus) -> &'static str {
    match status {
        LinkStatus::Confirmed => "confirmed",
        LinkStatus::Pending { .. } => "pending",
    }
}

fn show(context: &Context, args: &StateShow) -> Result<Exit, Failure> {
    let store = reading(context)?;
    let value = match &args.subject {
        None => whole(&store)?,
        Some(subject) => find(&store, subject)?.ok_or_else(|| {
            let happened = format!("the state knows no account, activity or address '{subject}'");
            Failure::new(Exit::Failed, happened, "list what it knows with `fit_sync state show`")
        })?,
    };
    if args.json {
        print_json(context, &value);
    } else {
        context.printer.product(&render::outline(&value));
    }
    Ok(Exit::Done)
}

fn whole(store: &Store) -> Result<Value, Failure> {
    let accounts = store.accounts()?;
    let rows: Result<Vec<Value>, Failure> =
        accounts.iter().map(|account| account_json(store, account)).collect();
    Ok(json!({
        "format": "fit_sync.state/1",
        "accounts": rows?,
        "links": store.all_links()?.len(),
        "runs": store.runs()?.len(),
    }))
}

fn account_json(store: &Store, account: &StoredAccount) -> Result<Value, Failure> {
    let inventory = store.inventory_meta(account.row)?.filter(|meta| !meta.cleared).map(|meta| {
        json!({
            "count": meta.count,
            "complete": meta.complete,
            "refreshed_at": meta.refreshed_at,
        })
    });
    Ok(json!({
        "name": account.name,
        "platform": account.platform,
        "region": account.region,
        "profile": account.profile,
        "inventory": inventory,
    }))
}

/// An account, an activity (`ACCOUNT/ID`) or an address, in this order.
fn find(store: &Store, subject: &str) -> Result<Option<Value>, Failure> {
    if let Some(account) = store.account_named(&AccountName::new(subject))? {
        return account_json(store, &account).map(Some);
    }
    let Ok(address) = subject.parse::<Address>() else {
        return Ok(None);
    };
    if let Some(activity) = activity(store, subject)? {
        return Ok(Some(json!(activity)));
    }
    let links = store.all_links()?;
    let link = links.iter().find(|stored| stored.link.address == address).map(link_json);
    let steps = store.steps_at(&address)?;
    if link.is_none() && steps.is_empty() {
        return Ok(None);
    }
    let entries: Vec<Value> = steps
        .iter()
        .flat_map(|step| &step.entries)
        .filter_map(|written| {
            let phase = written.entry.phase()?;
            Some(json!({ "run": written.run.0, "at": written.at, "phase": phase }))
        })
        .collect();
    Ok(Some(json!({ "address": address, "link": link, "journal": entries })))
}

/// The activity that `ACCOUNT/ID` names.
fn activity(store: &Store, subject: &str) -> Result<Option<Activity>, Failure> {
    let Some((name, id)) = subject.split_once('/') else { return Ok(None) };
    let Some(account) = store.account_named(&AccountName::new(name))? else { return Ok(None) };
    let inventory = store.inventory(account.row)?.unwrap_or_default();
    Ok(inventory.activities.into_iter().find(|row| row.id.as_str() == id))
}

fn history(context: &Context, args: &Json) -> Result<Exit, Failure> {
    let runs = reading(context)?.runs()?;
    if args.json {
        let rows: Vec<Value> = runs.iter().map(render::run_json).collect();
        print_json(context, &json!({ "format": "fit_sync.history/1", "runs": rows }));
    } else {
        context.printer.product(&render::history(&runs));
    }
    Ok(Exit::Done)
}

fn forget(context: &Context, args: &AddressArg) -> Result<Exit, Failure> {
    let address = parse(&args.address)?;
    let manifest = context.manifest_if_any()?;
    let store = context.own_store(Access::ReadWrite)?;
    let now = context.clock.now();
    for awaited in engine::awaited(&store, &address)? {
        refuse_to_forget(manifest.as_ref(), &address, &awaited, now)?;
    }
    let blobs = Blobs::new(context.backups_path(manifest.as_ref()));
    let foreign = engine::foreign_steps(&store, &blobs)?.into_iter();
    let foreign = foreign.filter(|it| it.claim.address == address && it.state.is_none());
    let orphans: Vec<Claim> = foreign.map(|it| it.claim).collect();
    for orphan in &orphans {
        refuse_to_release(manifest.as_ref(), orphan)?;
    }
    let forgotten = store.forget(&address, now)?;
    for orphan in &orphans {
        blobs.release(&orphan.owner).map_err(EngineError::Archive)?;
    }
    if forgotten.links + forgotten.refusals + forgotten.steps + orphans.len() == 0 {
        let happened = format!("nothing is remembered about {address}");
        return Err(Failure::new(Exit::Failed, happened, "see `fit_sync state list`"));
    }
    let words = format!("Forgot {address}; the next plan finds it again by its key.");
    context.printer.note(&neutralise(&words));
    Ok(Exit::Done)
}

/// Refuses to forget what would then be sent a second time: something that was sent or removed lately,
/// at an account that a plan may still write to.
fn refuse_to_forget(
    manifest: Option<&Manifest>,
    address: &Address,
    awaited: &Awaited,
    now: Timestamp,
) -> Result<(), Failure> {
    // By a clock that went forward; one that was set back makes nothing old.
    let age = now.duration_since(awaited.since).max(SignedDuration::ZERO);
    let is_out_of_reach =
        manifest.is_some_and(|manifest| !manifest.accounts.contains_key(&awaited.destination));
    let may_be_late = age < SEEN_WITHIN || awaited.touched == Touched::Removed;
    if is_out_of_reach || !may_be_late {
        return Ok(());
    }
    let (at, ago) = (&awaited.destination, render::age(age));
    let happened = match awaited.touched {
        Touched::Removed => {
            format!(
                "{address}: the old activity was removed at {at} {ago} ago, and the new one \
                     is not listed yet"
            )
        }
        Touched::Sent | Touched::Restored => {
            format!("{address}: sent, or perhaps sent, to {at} {ago} ago, not listed yet")
        }
        Touched::Nothing => return Ok(()),
    };
    let next =
        "run `fit_sync apply`, which looks what became of it; forgotten, it would be sent again";
    Err(Failure::new(Exit::Decide, happened, next))
}

/// Refuses to forget a step of a lost state while the manifest has its accounts.
fn refuse_to_release(manifest: Option<&Manifest>, orphan: &Claim) -> Result<(), Failure> {
    let accounts = [&orphan.source.name, &orphan.destination.name];
    let has =
        |manifest: &Manifest| accounts.into_iter().all(|name| manifest.accounts.contains_key(name));
    if !manifest.is_some_and(has) {
        return Ok(());
    }
    let (address, at) = (&orphan.address, &orphan.destination.name);
    let happened = format!("{address}: an earlier run began this at {at}, and its state is gone");
    let next = "run `fit_sync apply`, which goes on with it";
    Err(Failure::new(Exit::Decide, happened, next))
}

fn verify(context: &Context) -> Result<Exit, Failure> {
    let findings = reading(context)?.verify()?;
    if findings.is_empty() {
        context.printer.product("The state is sound.\n");
        return Ok(Exit::Done);
    }
    let happened = format!("the state is damaged: {}", findings.join("; "));
    let next = "move it away and plan again: pairs are found again by their start times";
    Err(Failure::new(Exit::State, happened, next))
}

/// An address as people give it.
pub fn parse(text: &str) -> Result<Address, Failure> {
    text.parse().map_err(|error: crate::domain::NotAnAddress| {
        Failure::new(Exit::Failed, error.to_string(), "addresses are listed by `fit_sync plan -v`")
    })
}

async fn adopt(context: &Context, args: &Adopt) -> Result<Exit, Failure> {
    decide(context, &args.address, Verdict::Adopt, Some(&args.counterpart)).await
}

/// Records a decision; the accounts are not read anew, for the question was asked about what was
/// read last.
async fn decide(
    context: &Context,
    address: &str,
    verdict: Verdict,
    counterpart: Option<&str>,
) -> Result<Exit, Failure> {
    let address = parse(address)?;
    let (session, progress) = context.session()?;
    let request = PlanRequest {
        refresh: engine::Refresh::None,
        options: Options::default(),
        max_downloads: 0,
    };
    let planned = engine::plan(&session, &request).await?;
    progress.clear();
    let decision = engine::decide(&session, &planned, &address, verdict, counterpart)?;
    manifest::append(&session.manifest.decisions, &decision)?;
    let place = session.manifest.decisions.display();
    let words = match verdict {
        Verdict::Adopt => "is the same activity as its counterpart",
        Verdict::Distinct => "is an activity of its own and will be uploaded",
        Verdict::Ignore => "is left alone until it changes",
        Verdict::Undecide => "is open again",
    };
    let at: Timestamp = decision.at;
    let words = format!("Decided at {at}: {address} {words}. Written to {place}.");
    context.printer.note(&neutralise(&words));
    Ok(Exit::Done)
}
