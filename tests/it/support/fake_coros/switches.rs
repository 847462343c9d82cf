//! How a fake behaves: the account that it has, and what the real one is known or guessed to do.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::faults::{Fault, Place};

/// Guesses about the real one, in one place.
pub(crate) struct Switches {
    /// `us`, `cn` or `eu`.
    pub(crate) region: &'static str,
    pub(crate) email: String,
    pub(crate) password: String,
    /// Secrets of this account hold this word, so that a test can search for it.
    pub(crate) word: &'static str,
    pub(crate) user: &'static str,
    /// What goes wrong where.
    pub(crate) faults: BTreeMap<Place, Fault>,
    /// The region that the login names; `None`: its own.
    pub(crate) says_region: Option<Value>,
    /// The login answers without userId and regionId.
    pub(crate) login_is_terse: bool,
    /// The login knows the newer form.
    pub(crate) newer_form: bool,
    /// A one-time code is asked for.
    pub(crate) code: Option<String>,
    /// A login ends all other sessions.
    pub(crate) one_session: bool,
    /// Ids of 64 bits are numbers, and imports have no text of theirs.
    pub(crate) numeric_ids: bool,
    /// Rows per page at most, whatever is asked for.
    pub(crate) page_rows: usize,
    /// The count is more than the list.
    pub(crate) counts_more: u64,
    /// What a page of the list does not say.
    pub(crate) list_lacks: &'static [&'static str],
    /// This page has no rows, although it should.
    pub(crate) empty_page: Option<usize>,
    /// How often.
    pub(crate) empty_times: u32,
    /// An activity of this title appears on top while the second page is read.
    pub(crate) drifts: bool,
    /// Downloads by another sport than the row's are refused; else answered without an address.
    pub(crate) refuses_wrong_sport: bool,
    /// Each download is another export: other bytes, the same recording.
    pub(crate) exports_anew: bool,
    /// How often an import is running when it is asked about.
    pub(crate) polls: u32,
    /// The registration says that it is finished, whatever it is.
    pub(crate) boasts: bool,
    /// What becomes of an import whose start is there already.
    pub(crate) duplicates: Duplicates,
    /// What the list of imports says of a file that could not be read.
    pub(crate) unreadable: Unreadable,
    /// The list of imports never shows what was registered.
    pub(crate) forgets_imports: bool,
    /// Listings after which an import is shown.
    pub(crate) shows_after: u64,
    /// Listings for which a removed row is still shown.
    pub(crate) lingers: u64,
    /// Quarter hours that the place of the recording is east of UTC, if a wrong zone of an import
    /// moves its start.
    pub(crate) zone_moves_start: Option<i32>,
    /// What an import's sport becomes.
    pub(crate) retypes: Option<u16>,
    /// An import's row says nothing of time and distance.
    pub(crate) zeroes: bool,
    /// A new name is answered with success, and not taken.
    pub(crate) ignores_names: bool,
    /// Where the credentials carry their marker.
    pub(crate) marker_first: bool,
    /// The store says 409 of what it holds already.
    pub(crate) forbids_overwrite: bool,
}

/// What becomes of an import whose start is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duplicates {
    /// A second row.
    Taken,
    /// Nothing, and it counts as finished.
    LeftOut,
    /// Nothing, and it counts as failed.
    Failed,
    /// It cannot even be registered.
    Refused,
}

/// What the list of imports says of a file that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Finished, with an error.
    Counted,
    /// Finished.
    Hidden,
    /// Failed.
    Negative,
}

impl Switches {
    /// An account without a code, where nothing goes wrong.
    pub(crate) fn of(region: &'static str) -> Self {
        Self {
            region,
            email: "runner@example.com".to_owned(),
            password: "right".to_owned(),
            word: "Qx7",
            user: "424242424242424242",
            faults: BTreeMap::new(),
            says_region: None,
            login_is_terse: false,
            newer_form: true,
            code: None,
            one_session: true,
            numeric_ids: false,
            page_rows: 100,
            counts_more: 0,
            list_lacks: &[],
            empty_page: None,
            empty_times: u32::MAX,
            drifts: false,
            refuses_wrong_sport: false,
            exports_anew: false,
            polls: 1,
            boasts: true,
            duplicates: Duplicates::Taken,
            unreadable: Unreadable::Counted,
            forgets_imports: false,
            shows_after: 0,
            lingers: 0,
            zone_moves_start: None,
            retypes: None,
            zeroes: false,
            ignores_names: false,
            marker_first: false,
            forbids_overwrite: false,
        }
    }

    /// As COROS numbers the region.
    pub(crate) fn number(&self) -> u8 {
        match self.region {
            "us" => 1,
            "cn" => 2,
            "eu" => 3,
            other => panic!("no region {other}"),
        }
    }

    pub(crate) fn region_id(&self) -> Value {
        self.says_region.clone().unwrap_or_else(|| json!(self.number()))
    }

    /// Bucket, service and region of uploads.
    pub(crate) fn storage(&self) -> (&'static str, &'static str, &'static str) {
        match self.region {
            "us" => ("coros-s3", "aws", "us-west-1"),
            "cn" => ("coros-oss", "aliyun", "oss-cn-beijing"),
            "eu" => ("eu-coros", "aws", "eu-central-1"),
            other => panic!("no region {other}"),
        }
    }

    /// A 64-bit id, as text or as a number.
    pub(crate) fn id(&self, id: u64) -> Value {
        if self.numeric_ids { json!(id) } else { json!(id.to_string()) }
    }
}
