//! Originals for a person: from the cache, else from their account, verified and kept.

use std::cell::RefCell;
use std::path::PathBuf;

use futures_util::future::FutureExt as _;
use futures_util::stream::{self, StreamExt as _};

use crate::domain::{Activity, Sha256, Unusable};
use crate::event::Event;
use crate::fit;
use crate::manifest::Account;
use crate::net::RetryPolicy;
use crate::plan::BlockedReason;
use crate::platform::PlatformError;

use super::accounts::{self, OpenAccount};
use super::cause::obstacle;
use super::error::EngineError;
use super::listing::Listing;
use super::originals;
use super::retry::{self, MAX_TRANSIENT};
use super::session::Session;

/// Whether what is fetched is kept in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Always: the cache is where a person looks for it.
    Always,
    /// Unless the account shows its bytes anyway.
    WhereItSaves,
}

/// Where bytes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// They were here.
    Cache,
    /// They were asked for.
    Account,
}

/// An original, verified.
#[derive(Clone, Debug)]
pub struct Downloaded {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Where it stands in the cache, if it is kept.
    pub path: Option<PathBuf>,
    /// Where it came from.
    pub origin: Origin,
}

/// Why an original is not here.
#[derive(Debug, thiserror::Error)]
pub enum Unfetched {
    /// There is none.
    #[error("the account has no file of it (entered by hand, or lost)")]
    NoOriginal,
    /// The account's file is not what it should be.
    #[error("its file cannot be used: {0}")]
    Unusable(String),
    /// The file is another one than was listed.
    #[error("its file has changed since the account was read")]
    Changed,
    /// The account cannot be asked.
    #[error("{1}")]
    Closed(BlockedReason, String),
    /// It is not on the disk.
    #[error("it cannot be kept: {0}")]
    Unkept(std::io::Error),
    /// The run ended, or the account was given up, before it.
    #[error("not tried")]
    NotTried,
}

/// Fetches originals of a listing, several at a time, and hands each on in the order of `wanted`.
pub async fn download(
    session: &Session,
    account: &Account,
    listing: &Listing,
    wanted: &[&Activity],
    keep: Keep,
    mut take: impl FnMut(&Activity, Result<Downloaded, Unfetched>),
) -> Result<(), EngineError> {
    originals::prune(session)?;
    let opened;
    let mut open = &listing.account;
    let cache = originals::cache(session);
    let is_here = |activity: &&Activity| cache.get(originals::item(open, activity)).is_some();
    if open.platform.is_none() && !wanted.iter().all(is_here) {
        match accounts::open_one(session, account).await? {
            Ok(account) => {
                opened = account;
                open = &opened;
            }
            Err((reason, message)) => {
                for (place, activity) in wanted.iter().enumerate() {
                    let closed = || Unfetched::Closed(reason, message.clone());
                    take(activity, Err(if place == 0 { closed() } else { Unfetched::NotTried }));
                }
                return Ok(());
            }
        }
    }
    let retry = retry::policy(session);
    let queue = Queue { session, account: open, keep, retry, trouble: RefCell::default() };
    let parallel = account.max_parallel.unwrap_or(open.capabilities.parallel).max(1);
    let parallel = usize::try_from(parallel).unwrap_or(1);
    let mut fetched = stream::iter(wanted.iter().copied())
        .map(|activity| queue.obtain(activity).map(move |result| (activity, result)))
        .buffered(parallel);
    let mut done = 0;
    while let Some((activity, result)) = fetched.next().await {
        done += 1;
        let account = open.name.clone();
        session.emit(Event::Fetching { account, done, of: wanted.len() });
        take(activity, result);
    }
    Ok(())
}

/// What the downloads of an account share.
struct Queue<'a> {
    session: &'a Session,
    account: &'a OpenAccount,
    keep: Keep,
    retry: RetryPolicy,
    trouble: RefCell<Trouble>,
}

/// What an account has had against being asked.
#[derive(Default)]
struct Trouble {
    /// Failures in a row.
    transient: u32,
    closed: bool,
}

impl Queue<'_> {
    async fn obtain(&self, activity: &Activity) -> Result<Downloaded, Unfetched> {
        let item = originals::item(self.account, activity);
        if let Some(cached) = originals::cache(self.session).get(item) {
            let (bytes, path) = (cached.bytes, Some(cached.path));
            return Ok(Downloaded { bytes, path, origin: Origin::Cache });
        }
        let bytes = self.verified(activity).await?;
        let path = match self.keep {
            Keep::WhereItSaves if self.account.capabilities.lists_bytes => None,
            Keep::WhereItSaves => originals::put(self.session, self.account, activity, &bytes).ok(),
            Keep::Always => Some(
                originals::put(self.session, self.account, activity, &bytes)
                    .map_err(Unfetched::Unkept)?,
            ),
        };
        Ok(Downloaded { bytes, path, origin: Origin::Account })
    }

    /// Bytes that are whole and the activity's. What looks wrong is asked for once more: a broken
    /// download is not a broken file, and an edited listing not another activity.
    async fn verified(&self, activity: &Activity) -> Result<Vec<u8>, Unfetched> {
        let bytes = self.bytes(activity).await?;
        match doubt(activity, &bytes) {
            None => return Ok(bytes),
            Some(Doubt::Changed) => return Err(Unfetched::Changed),
            Some(Doubt::Edited | Doubt::Broken(_)) => {}
        }
        let again = self.bytes(activity).await?;
        match doubt(activity, &again) {
            None => Ok(again),
            Some(Doubt::Edited) if again == bytes => Ok(again),
            Some(Doubt::Edited) => {
                Err(Unfetched::Unusable("each download gives another one".to_owned()))
            }
            Some(Doubt::Changed) => Err(Unfetched::Changed),
            Some(Doubt::Broken(detail)) => Err(Unfetched::Unusable(detail)),
        }
    }

    async fn bytes(&self, activity: &Activity) -> Result<Vec<u8>, Unfetched> {
        let unsupported = || Unfetched::Unusable("the account is not open".to_owned());
        let platform = self.account.platform.as_deref().ok_or_else(unsupported)?;
        if self.session.stop.is_requested() || self.trouble.borrow().closed {
            return Err(Unfetched::NotTried);
        }
        let download = async || platform.download(activity).await;
        match retry::read(&self.retry, download).await {
            Ok(original) => {
                self.trouble.borrow_mut().transient = 0;
                Ok(original.bytes)
            }
            Err(PlatformError::NotFound) => Err(Unfetched::NoOriginal),
            Err(PlatformError::Cancelled) => Err(Unfetched::NotTried),
            Err(error) => Err(self.note(&error)),
        }
    }

    /// Counts a failure, and closes the account where asking for more is in vain.
    fn note(&self, error: &PlatformError) -> Unfetched {
        let mut trouble = self.trouble.borrow_mut();
        let (reason, message) = obstacle(error);
        trouble.transient += u32::from(matches!(error, PlatformError::Unavailable(_)));
        let is_lost =
            reason == BlockedReason::LoginNeeded || matches!(error, PlatformError::Throttled(_));
        trouble.closed |= is_lost || trouble.transient >= MAX_TRANSIENT;
        Unfetched::Closed(reason, message)
    }
}

/// What speaks against bytes.
enum Doubt {
    /// They are not those that were listed.
    Changed,
    /// They tell another time than the listing.
    Edited,
    /// They are no whole activity.
    Broken(String),
}

fn doubt(activity: &Activity, bytes: &[u8]) -> Option<Doubt> {
    if activity.sha256.as_ref().is_some_and(|listed| *listed != Sha256::of(bytes)) {
        return Some(Doubt::Changed);
    }
    match fit::read(bytes) {
        Ok(content) => {
            let fits = originals::fit_the_listing(activity, bytes, &content);
            (!fits).then_some(Doubt::Edited)
        }
        // Whole, and worth having for a person.
        Err(Unusable::ClockNotSet | Unusable::SeveralActivities | Unusable::NoOriginal) => None,
        Err(
            Unusable::Unreadable { detail }
            | Unusable::Unopened { detail }
            | Unusable::NotAnActivity { detail },
        ) => Some(Doubt::Broken(detail)),
    }
}
