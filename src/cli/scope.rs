//! Which of the manifest's rules a run is about: all of them, or what `sync` names.

use crate::domain::AccountName;
use crate::engine::Session;
use crate::manifest::{self, BadWay, Filter};
use crate::plan::Force;

use super::args::Sync;
use super::choice;
use super::exit::Exit;
use super::failure::Failure;

/// What a run is about.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// The manifest's rules as they are.
    Manifest,
    /// Those that a `sync` names, as narrow as it says.
    Sync(&'a Sync),
}

impl Scope<'_> {
    /// Whether to go beyond what a plan would do by itself.
    pub fn force(self) -> Force {
        match self {
            Self::Sync(args) if args.force => Force::Yes,
            Self::Sync(_) | Self::Manifest => Force::No,
        }
    }

    /// Leaves the session with the rules that are meant.
    pub fn narrow(self, session: &mut Session) -> Result<(), Failure> {
        let Self::Sync(args) = self else { return Ok(()) };
        let today = choice::utc_day(session.clock().now());
        let filter = Filter {
            types: choice::types(&args.types)?,
            start_date: choice::date("--start-date", args.start_date.as_deref())?,
            end_date: choice::date("--end-date", args.end_date.as_deref())?,
            ..Filter::default()
        };
        choice::check_range(&filter, today)?;
        keep_rules(args, session)?;
        for rule in &mut session.manifest.rules {
            rule.filter.narrow(&filter, today);
        }
        Ok(())
    }
}

fn keep_rules(args: &Sync, session: &mut Session) -> Result<(), Failure> {
    let manifest = &session.manifest;
    let named = |name: &Option<String>| -> Result<Option<AccountName>, Failure> {
        let account = name.as_deref().map(|name| choice::account(manifest, name)).transpose()?;
        Ok(account.map(|account| account.name.clone()))
    };
    let (source, destination) = (named(&args.source)?, named(&args.destination)?);
    let mut rules = manifest.rules.clone();
    rules.retain(|rule| {
        source.as_ref().is_none_or(|source| rule.source == *source)
            && destination.as_ref().is_none_or(|there| rule.destination == *there)
    });
    if let (true, Some(source), Some(destination)) = (rules.is_empty(), &source, &destination) {
        let rule = manifest::one_way(manifest, &session.catalog, source, destination);
        rules.push(rule.map_err(|error| no_way(&error))?);
    }
    if rules.is_empty() {
        let happened = match (&source, &destination) {
            (Some(source), _) => format!("no rule of the manifest has the source {source}"),
            (None, Some(there)) => format!("no rule of the manifest has the destination {there}"),
            (None, None) => "the manifest has no sync_rules".to_owned(),
        };
        let next = "name both --source and --destination, or write a rule";
        return Err(Failure::new(Exit::Invalid, happened, next));
    }
    session.manifest.rules = rules;
    Ok(())
}

fn no_way(error: &BadWay) -> Failure {
    let next = match error {
        BadWay::SameAccount(_) => "name two different accounts",
        BadWay::UnknownAccount(_) => "name an account of the manifest",
        BadWay::CannotUpload(_) => "choose another --destination; it can still be a source",
    };
    Failure::new(Exit::Invalid, error.to_string(), next)
}
