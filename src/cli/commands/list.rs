//! `fit_sync list`: what the accounts hold, the newest first.

use jiff::civil::Date;

use crate::clock;
use crate::domain::{AccountName, RemoteId, neutralise};
use crate::engine::{self, Freshness, Listing, Session, Unlisted};
use crate::manifest::{Account, Filter};
use crate::render::{Numbered, activities_json, activity_table};

use super::super::args::{Filters, List};
use super::super::choice;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::plan::blocked_exit;

/// Rows of each account unless told otherwise.
const ROWS: usize = 10;

/// Lists.
pub async fn run(context: &Context, args: &List) -> Result<Exit, Failure> {
    let (session, progress) = context.session()?;
    let today = choice::utc_day(session.clock().now());
    let filter = choice::filter(&args.filters, today)?;
    let accounts = accounts(&session, &args.accounts)?;
    let freshness = match (args.refresh, args.offline) {
        (true, _) => Freshness::Now,
        (false, true) => Freshness::Offline,
        (false, false) => Freshness::Young,
    };
    let (mut listings, mut exits) = (Vec::new(), Vec::new());
    for account in accounts {
        match engine::listing(&session, account, freshness).await? {
            Ok(listing) => listings.push(listing),
            Err(unlisted) => {
                let failure = failure(&unlisted, freshness);
                exits.push(failure.exit);
                context.printer.error(&failure.text());
            }
        }
    }
    progress.clear();
    let shown: Vec<Shown<'_>> =
        listings.iter().map(|listing| Shown::of(listing, &filter, &args.filters, today)).collect();
    context.printer.product(&if args.json { json(&shown) } else { text(context, &shown) });
    for shown in &shown {
        shown.remember(&session)?;
        context.printer.note(&shown.note(&session));
    }
    Ok(Exit::worst(exits))
}

/// The accounts that are named, each once; all if none is.
fn accounts<'s>(session: &'s Session, names: &[String]) -> Result<Vec<&'s Account>, Failure> {
    let manifest = &session.manifest;
    if names.is_empty() {
        return Ok(manifest.accounts.values().collect());
    }
    let mut accounts: Vec<&Account> = Vec::new();
    for name in names {
        let account = choice::account(manifest, name)?;
        if !accounts.iter().any(|other| other.name == account.name) {
            accounts.push(account);
        }
    }
    Ok(accounts)
}

/// Why an account cannot be listed, in words.
pub fn failure(unlisted: &Unlisted, freshness: Freshness) -> Failure {
    let exit = blocked_exit(unlisted.reason);
    let next = match exit {
        Exit::Login => format!("log in with `fit_sync auth --account {}`", unlisted.account),
        Exit::Unavailable if freshness == Freshness::Offline => "leave --offline out".to_owned(),
        Exit::Unavailable => {
            "try again later, or see what was read last with `fit_sync list --offline`".to_owned()
        }
        _ => "check the account in the manifest".to_owned(),
    };
    Failure::new(exit, format!("{}: {}", unlisted.account, unlisted.message), next)
}

/// What is shown of an account.
pub struct Shown<'a> {
    listing: &'a Listing,
    /// The rows, numbered as a person may name them.
    pub rows: Vec<Numbered<'a>>,
    /// How many there are with those that are beyond the limit.
    chosen: usize,
}

impl<'a> Shown<'a> {
    /// The newest of what the filters leave.
    pub fn of(listing: &'a Listing, filter: &Filter, args: &Filters, today: Date) -> Self {
        let chosen = listing.newest(filter, today);
        let most = match args.limit.unwrap_or(ROWS) {
            0 => usize::MAX,
            most => most,
        };
        let rows = chosen.iter().take(most).enumerate();
        let rows = rows.map(|(place, activity)| Numbered { index: place + 1, activity });
        Self { listing, rows: rows.collect(), chosen: chosen.len() }
    }

    fn account(&self) -> &'a AccountName {
        &self.listing.account.name
    }

    /// Keeps the rows, so that they can be named by their numbers.
    pub fn remember(&self, session: &Session) -> Result<(), Failure> {
        let ids: Vec<&RemoteId> = self.rows.iter().map(|row| &row.activity.id).collect();
        Ok(self.listing.remember_shown(session, &ids)?)
    }

    /// How many there are, and how fresh that is.
    pub fn note(&self, session: &Session) -> String {
        let all = self.listing.newest(&Filter::default(), Date::ZERO).len();
        let files = self.listing.inventory.activities.len() - all;
        let count = match self.rows.len() {
            shown if shown < self.chosen => {
                format!("{shown} of {} activities (--limit 0 shows all)", self.chosen)
            }
            shown if shown < all => format!("{shown} of {all} activities"),
            shown => counted(shown, "activity", "activities"),
        };
        let files = match files {
            0 => String::new(),
            files => format!(", {} left out", counted(files, "unusable file", "unusable files")),
        };
        let complete = if self.listing.inventory.is_whole() { "" } else { ", only in part" };
        format!("{}: {count}{files}; {}{complete}", self.account(), age(session, self.listing))
    }

    /// The rows as a table.
    pub fn table(&self, context: &Context) -> String {
        if self.rows.is_empty() {
            return "No activities.\n".to_owned();
        }
        activity_table(&self.rows, context.env.width)
    }
}

fn counted(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

fn age(session: &Session, listing: &Listing) -> String {
    let Some(at) = listing.inventory.refreshed_at else { return "not read yet".to_owned() };
    let minutes = clock::age(session.clock().now(), at).as_secs() / 60;
    match minutes {
        0 => "read just now".to_owned(),
        1 => "read 1 minute ago".to_owned(),
        2..120 => format!("read {minutes} minutes ago"),
        120..2880 => format!("read {} hours ago", minutes / 60),
        _ => format!("read {} days ago", minutes / 60 / 24),
    }
}

fn json(shown: &[Shown<'_>]) -> String {
    let rows = shown
        .iter()
        .flat_map(|shown| shown.rows.iter().map(|row| (shown.account(), *row)).collect::<Vec<_>>());
    activities_json(&rows.collect::<Vec<_>>())
}

/// One table, or one under the name of each account.
fn text(context: &Context, shown: &[Shown<'_>]) -> String {
    if let [only] = shown {
        return only.table(context);
    }
    let tables = shown
        .iter()
        .map(|shown| format!("{}\n{}", neutralise(shown.account().as_str()), shown.table(context)));
    tables.collect::<Vec<_>>().join("\n")
}
