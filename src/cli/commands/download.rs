//! `fit_sync download`: FIT files of an account, into the cache or a folder.

use std::path::{Path, PathBuf};

use crate::archive::{Placed, disk, place};
use crate::domain::{AccountName, Activity, FileName, RemoteId, neutralise};
use crate::engine::{self, Downloaded, Freshness, Keep, Listing, Origin, Session, Unfetched};
use crate::manifest::{Account, Filter};
use crate::render::activity_line;

use super::super::args::Download;
use super::super::choice;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::signals;
use super::list::{self, Shown};
use super::plan::blocked_exit;

/// Downloads, or shows what there is to choose from.
pub async fn run(context: &Context, args: &Download) -> Result<Exit, Failure> {
    let (session, progress) = context.session()?;
    let today = choice::utc_day(session.clock().now());
    let filter = choice::filter(&args.filters, today)?;
    let account = choice::account(&session.manifest, &args.account)?;
    let errand = Errand { context, args, session: &session, account, filter };
    let listing = errand.listing(Freshness::Young).await?;
    let result = match (args.which.index, args.which.id.as_deref(), args.which.all) {
        (Some(index), _, _) => {
            let id = errand.id_at(&listing, index)?;
            errand.one(listing, &id).await
        }
        (None, Some(id), _) => errand.one(listing, &RemoteId::new(id)).await,
        (None, None, true) => errand.all(&listing).await,
        (None, None, false) => errand.offer(&listing),
    };
    progress.clear();
    result
}

/// What is to be fetched, and from where.
struct Errand<'a> {
    context: &'a Context,
    args: &'a Download,
    session: &'a Session,
    account: &'a Account,
    filter: Filter,
}

impl Errand<'_> {
    async fn listing(&self, freshness: Freshness) -> Result<Listing, Failure> {
        let listing = engine::listing(self.session, self.account, freshness).await?;
        listing.map_err(|unlisted| list::failure(&unlisted, freshness))
    }

    fn newest<'l>(&self, listing: &'l Listing) -> Vec<&'l Activity> {
        let mut rows = listing.newest(&self.filter, choice::utc_day(self.session.clock().now()));
        if let Some(most) = self.args.filters.limit.filter(|most| *most > 0) {
            rows.truncate(most);
        }
        rows
    }

    /// What a row's number means: in the list that was shown last, or in what the filters leave.
    fn id_at(&self, listing: &Listing, index: usize) -> Result<RemoteId, Failure> {
        let shown = match self.args.filters.is_given() {
            true => None,
            false => listing.shown(self.session)?,
        };
        let newest = || self.newest(listing).into_iter().map(|row| row.id.clone()).collect();
        let ids: Vec<RemoteId> = shown.unwrap_or_else(newest);
        let found = index.checked_sub(1).and_then(|place| ids.get(place));
        found.cloned().ok_or_else(|| {
            let happened = format!("there is no row {index}: the list has {}", ids.len());
            let next = format!("see the rows with `fit_sync list --account {}`", self.account.name);
            Failure::new(Exit::Failed, happened, next)
        })
    }

    /// Fetches one activity; one that is not listed, or not as listed, is looked for once more.
    async fn one(&self, mut listing: Listing, id: &RemoteId) -> Result<Exit, Failure> {
        let mut looks = 0;
        loop {
            looks += 1;
            let Some(activity) = listing.find(id) else {
                if looks > 1 {
                    return Err(self.unknown(id));
                }
                listing = self.listing(Freshness::Now).await?;
                continue;
            };
            let line = format!("{}: {}", self.account.name, activity_line(activity));
            self.context.printer.note(&neutralise(&line));
            match self.fetch(&listing, &[activity]).await?.pop() {
                Some((_, Err(Missed::Unfetched(Unfetched::Changed)))) if looks == 1 => {
                    listing = self.listing(Freshness::Now).await?;
                }
                Some((_, Ok(_))) => return Ok(Exit::Done),
                Some((activity, Err(missed))) => return Err(self.failure(&activity, &missed)),
                None => return Err(self.unknown(id)),
            }
        }
    }

    fn unknown(&self, id: &RemoteId) -> Failure {
        let account = &self.account.name;
        let happened = format!("{account} has no activity '{id}'");
        let next = format!("ids are shown by `fit_sync list --account {account} --json`");
        Failure::new(Exit::Failed, happened, next)
    }

    /// Fetches everything that the filters leave.
    async fn all(&self, listing: &Listing) -> Result<Exit, Failure> {
        let results = self.fetch(listing, &self.newest(listing)).await?;
        let (mut fetched, mut there, mut without, mut left) = (0, 0, 0, 0);
        let mut exits = Vec::new();
        for (activity, result) in &results {
            match result {
                Ok(Placed::New) => fetched += 1,
                Ok(Placed::There) => there += 1,
                Err(Missed::Unfetched(Unfetched::NoOriginal)) => without += 1,
                Err(Missed::Unfetched(Unfetched::NotTried)) => left += 1,
                Err(missed) => {
                    let failure = self.failure(activity, missed);
                    exits.push(failure.exit);
                    self.context.printer.error(&failure.text());
                }
            }
        }
        let (of, name) = (results.len(), &self.account.name);
        let more = [(without, "without a file in the account"), (exits.len(), "failed")];
        let more = more.into_iter().chain([(left, "not tried")]).filter(|(number, _)| *number > 0);
        let more: String = more.map(|(number, what)| format!(", {number} {what}")).collect();
        self.context.printer.note(&format!(
            "{name}: {of} activities, {fetched} fetched, {there} were there{more}."
        ));
        if self.session.stop.is_requested() {
            return Ok(Exit::Interrupted);
        }
        Ok(Exit::worst(exits))
    }

    /// Shows the newest rows, and how to choose one.
    fn offer(&self, listing: &Listing) -> Result<Exit, Failure> {
        let today = choice::utc_day(self.session.clock().now());
        let shown = Shown::of(listing, &self.filter, &self.args.filters, today);
        self.context.printer.product(&shown.table(self.context));
        shown.remember(self.session)?;
        self.context.printer.note(&shown.note(self.session));
        self.context.printer.note(
            "Nothing was downloaded: choose a row with --index N, an activity with --id ID, or \
             everything with --all.",
        );
        Ok(Exit::Done)
    }

    /// Fetches and places; prints where each file stands.
    async fn fetch(
        &self,
        listing: &Listing,
        wanted: &[&Activity],
    ) -> Result<Vec<(Activity, Result<Placed, Missed>)>, Failure> {
        let folder = self.folder()?;
        let keep = if folder.is_some() { Keep::WhereItSaves } else { Keep::Always };
        let mut results = Vec::new();
        let take = |activity: &Activity, result: Result<Downloaded, Unfetched>| {
            let placed = result.map_err(Missed::Unfetched).and_then(|fetched| {
                let (path, placed) = settle(folder.as_deref(), activity, fetched)?;
                self.context.printer.product(&format!("{}\n", path.display()));
                Ok(placed)
            });
            results.push((activity.clone(), placed));
        };
        let work = engine::download(self.session, self.account, listing, wanted, keep, take);
        signals::watched(&self.session.stop, &self.context.printer, work).await?;
        Ok(results)
    }

    /// The folder for copies, made if it is missing.
    fn folder(&self) -> Result<Option<PathBuf>, Failure> {
        let Some(folder) = &self.args.output_dir else { return Ok(None) };
        let folder = self.context.env.absolute(folder);
        std::fs::create_dir_all(&folder).map_err(|error| {
            let happened = format!("{}: {error}", folder.display());
            Failure::new(Exit::Failed, happened, "choose another place with --output-dir")
        })?;
        Ok(Some(folder))
    }

    fn failure(&self, activity: &Activity, missed: &Missed) -> Failure {
        let name: &AccountName = &self.account.name;
        let what = activity_line(activity);
        match missed {
            Missed::Unplaced(folder, error) => {
                let happened = format!("{what}: no copy in {}: {error}", folder.display());
                Failure::new(Exit::Failed, happened, "choose another place with --output-dir")
            }
            Missed::Unfetched(unfetched) => {
                let (exit, next) = match unfetched {
                    Unfetched::NoOriginal => {
                        (Exit::Failed, "look at it on the platform itself".to_owned())
                    }
                    Unfetched::Unusable(_) => (
                        Exit::Failed,
                        "a file that you have yourself is explained by `fit_sync inspect FILE`"
                            .to_owned(),
                    ),
                    Unfetched::Changed => (Exit::Failed, "run it again".to_owned()),
                    Unfetched::Closed(reason, _) => match blocked_exit(*reason) {
                        Exit::Login => {
                            (Exit::Login, format!("log in with `fit_sync auth --account {name}`"))
                        }
                        exit => (exit, "run it again later: what is here stays".to_owned()),
                    },
                    Unfetched::Unkept(_) => {
                        (Exit::Failed, "make room, or take a copy with --output-dir DIR".to_owned())
                    }
                    Unfetched::NotTried => {
                        (Exit::Interrupted, "run it again: it goes on with the rest".to_owned())
                    }
                };
                Failure::new(exit, format!("{name}: {what}: {unfetched}"), next)
            }
        }
    }
}

/// Why a file does not stand where it should.
enum Missed {
    Unfetched(Unfetched),
    Unplaced(PathBuf, std::io::Error),
}

/// Where a fetched file stands: in the folder as a copy, or in the cache.
fn settle(
    folder: Option<&Path>,
    activity: &Activity,
    fetched: Downloaded,
) -> Result<(PathBuf, Placed), Missed> {
    let Some(folder) = folder else {
        let placed = match fetched.origin {
            Origin::Cache => Placed::There,
            Origin::Account => Placed::New,
        };
        return Ok((fetched.path.unwrap_or_default(), placed));
    };
    let name = FileName::of(activity.start, &activity.kind, activity.title.as_deref());
    place(folder, &name, &fetched.bytes, disk::Access::Shared, activity.start, disk::Care::Synced)
        .map_err(|error| Missed::Unplaced(folder.to_path_buf(), error))
}
