//! Where people can look at an activity.

use std::collections::HashMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::{AccountName, Catalog, RemoteId};
use crate::plan::{AccountRef, Document};

/// The pages of a plan's accounts on their platforms.
#[derive(Debug, Default)]
pub struct Pages<'a> {
    templates: HashMap<&'a AccountName, &'static str>,
}

impl<'a> Pages<'a> {
    /// Of the accounts that take part in a plan.
    pub fn of(document: &'a Document, catalog: &Catalog) -> Self {
        let template = |account: &'a AccountRef| {
            let regions = catalog.platform(&account.platform)?.regions;
            let region = regions.iter().find(|row| Some(row.id) == account.region.as_deref())?;
            Some((&account.name, region.activity_url?))
        };
        Self { templates: document.body.accounts.iter().filter_map(template).collect() }
    }

    /// The page of an activity, if its platform has one.
    pub(super) fn of_activity(&self, account: &AccountName, id: &RemoteId) -> Option<String> {
        let id = utf8_percent_encode(id.as_str(), NON_ALPHANUMERIC).to_string();
        Some(self.templates.get(account)?.replace("{id}", &id))
    }
}
