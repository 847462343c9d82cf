//! How a fake behaves: the account that it has, and everything that may go wrong.

use serde_json::{Value, json};

/// What the real one is known or guessed to do, in one place.
pub(crate) struct Switches {
    /// `us`, `cn` or `eu`.
    pub(crate) region: &'static str,
    pub(crate) email: String,
    pub(crate) password: String,
    /// Secrets of this account hold this word, so that a test can search for it.
    pub(crate) word: &'static str,
    pub(crate) user: &'static str,
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
    pub(crate) login: Trouble,
    pub(crate) query: Trouble,
    pub(crate) list: Trouble,
    pub(crate) download: Trouble,
    pub(crate) file: Trouble,
    pub(crate) sts: Trouble,
    pub(crate) put: Trouble,
    /// One that is lost was made.
    pub(crate) import: Trouble,
    pub(crate) jobs: Trouble,
    /// One that is lost was made.
    pub(crate) delete: Trouble,
    /// Rows per page at most, whatever is asked for.
    pub(crate) page_rows: usize,
    /// The count is more than the list.
    pub(crate) counts_more: u64,
    /// An activity of this title appears on top while the second page is read.
    pub(crate) drifts: bool,
    /// Downloads by another sport than the row's: refused, or an answer without an address.
    pub(crate) wrong_sport: Trouble,
    /// How often an import is running when it is asked about.
    pub(crate) polls: u32,
    /// The registration says that it is finished, whatever it is.
    pub(crate) boasts: bool,
    /// An import of a start that is there already is left out.
    pub(crate) dedupes: bool,
    /// Listings after which an import is shown.
    pub(crate) shows_after: u64,
    /// Where the credentials carry their marker.
    pub(crate) marker_first: bool,
}

/// What may go wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// A status with a page in HTML.
    Status(u16),
    /// The API's own refusal, with HTTP 200.
    Result(&'static str, &'static str),
    /// The answer is cut off.
    Lost,
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
            says_region: None,
            login_is_terse: false,
            newer_form: true,
            code: None,
            one_session: true,
            login: Trouble::None,
            query: Trouble::None,
            list: Trouble::None,
            download: Trouble::None,
            file: Trouble::None,
            sts: Trouble::None,
            put: Trouble::None,
            import: Trouble::None,
            jobs: Trouble::None,
            delete: Trouble::None,
            page_rows: 100,
            counts_more: 0,
            drifts: false,
            wrong_sport: Trouble::None,
            polls: 1,
            boasts: true,
            dedupes: false,
            shows_after: 0,
            marker_first: false,
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
}
