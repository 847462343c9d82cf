//! How a fake behaves: the account that it has, and everything that may go wrong.

use std::time::Duration;

use tokio::sync::oneshot;

/// What the real one is known or guessed to do, in one place.
pub(crate) struct Switches {
    /// `garmin.com` or `garmin.cn`.
    pub(crate) domain: &'static str,
    pub(crate) email: String,
    pub(crate) password: String,
    /// Secrets of this account hold this word, so that a test can search for it.
    pub(crate) word: &'static str,
    /// `profileId`.
    pub(crate) profile: i64,
    /// A one-time code is asked for.
    pub(crate) code: Option<Code>,
    /// At the mobile login.
    pub(crate) mobile: Trouble,
    /// At the widget.
    pub(crate) widget: Trouble,
    /// At the token service, for tickets.
    pub(crate) exchange: Trouble,
    /// Client ids that are in use.
    pub(crate) client_ids: Vec<&'static str>,
    /// Whether a refused exchange uses the ticket up.
    pub(crate) refusal_burns_ticket: bool,
    /// At the token service, for refresh tokens.
    pub(crate) renewal: Renewal,
    /// Whether the older exchange still works.
    pub(crate) older_exchange: bool,
    /// At the first question to the API.
    pub(crate) api: Trouble,
    /// At the list and its count.
    pub(crate) list: Trouble,
    /// At the originals.
    pub(crate) download: Trouble,
    /// At uploads; one whose answer is lost was stored.
    pub(crate) upload: Trouble,
    /// At the state of uploads.
    pub(crate) status: Trouble,
    /// At the details of one activity.
    pub(crate) details: Trouble,
    /// At its edits.
    pub(crate) edit: Trouble,
    /// At its removal.
    pub(crate) delete: Trouble,
    /// How it says that it has an activity already.
    pub(crate) duplicates: Duplicates,
    /// So many uploads are refused as duplicates of what was removed.
    pub(crate) forgets_after: u32,
    /// So many readings of the list do not show what was uploaded.
    pub(crate) lists_late: u32,
    /// Who may see what is uploaded.
    pub(crate) access: &'static str,
    /// What `location-in-milliseconds` says.
    pub(crate) poll_ms: Option<u64>,
    /// No page has more rows, whatever is asked for.
    pub(crate) most_rows: usize,
    /// So many first pages have no rows, although they should.
    pub(crate) empty_first: u32,
    /// So many later pages have no rows, although they should.
    pub(crate) empty_later: u32,
    /// Arrives between the first page and the second.
    pub(crate) drifts: Option<Vec<u8>>,
    /// `startDate` and `endDate` are days of UTC, not of the place.
    pub(crate) days_are_utc: bool,
    /// How long every answer takes.
    pub(crate) latency: Duration,
    /// An upload is stored when it is answered, as it was years ago.
    pub(crate) uploads_at_once: bool,
    /// How often an upload is still being processed when it is asked about.
    pub(crate) polls: u32,
    /// By how much the count is more than the list.
    pub(crate) counts_more: u64,
    /// Seconds that an access token lasts, as announced.
    pub(crate) access_s: u64,
    /// Seconds that a refresh token lasts, as announced.
    pub(crate) refresh_s: u64,
}

/// A one-time code.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) code: String,
    /// `email`, `sms` or `totp`.
    pub(crate) method: &'static str,
    /// What the JSON login calls a wrong one; not recorded from the real one.
    pub(crate) wrong: &'static str,
    /// Whether the widget has sent it by itself.
    pub(crate) is_sent: bool,
}

impl Code {
    pub(crate) fn new(code: &str) -> Self {
        Self { code: code.to_owned(), method: "email", wrong: "INVALID_MFA_CODE", is_sent: false }
    }
}

/// What may go wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// A status with a page in HTML.
    Status(u16),
    /// A status with a wish for so many seconds.
    Wait(u16, u64),
    /// The JSON login's own type, with its status.
    Kind(u16, &'static str),
    /// The gateway's way to say a status in a body.
    InBody(&'static str),
    /// A page of the widget, with its status.
    Titled(u16, &'static str),
    /// JSON in so many words, with a status.
    Says(u16, &'static str),
    /// What was asked for is done, and the answer is cut off.
    Lost,
    /// The answer is cut off, and nothing was done.
    LostBefore,
    /// The line is closed without an answer.
    Resets,
    /// No answer ever comes.
    Hangs,
    /// The whole server ends, without an answer.
    Dies,
    /// The answer has half a body.
    Half,
    /// The answer's body has a wrong byte.
    Flipped,
    /// The token is not accepted.
    Refused,
    /// Only the first requests have this trouble.
    First(u32, Box<Trouble>),
    /// The first requests do not have this trouble.
    After(u32, Box<Trouble>),
}

/// How an upload is told that its activity is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duplicates {
    /// 409 that names it.
    Conflict,
    /// 409 that names it in quotes, with a code in quotes.
    Quoted,
    /// 409 with a page.
    Unnamed,
    /// The same failure in an answer that is none.
    InSuccess,
    /// As a success of its own.
    AsSuccess,
    /// Taken, and refused when its state is asked for.
    InStatus,
}

impl Duplicates {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 6] = [
        Self::Conflict,
        Self::Quoted,
        Self::Unnamed,
        Self::InSuccess,
        Self::AsSuccess,
        Self::InStatus,
    ];
}

/// What happens to a refresh token.
pub(crate) enum Renewal {
    /// It is traded for a new pair.
    Works,
    /// It is traded, but the answer is lost; the next ones work.
    LosesAnswer,
    /// It is traded, but the process that asks is killed before it is answered.
    Kills(Option<oneshot::Receiver<u32>>),
    /// The service fails with this status; nothing is traded.
    Fails(u16),
    /// The account is of the other region.
    OtherRegion,
}

impl Switches {
    /// An account without a code, where nothing goes wrong.
    pub(crate) fn of(domain: &'static str) -> Self {
        Self {
            domain,
            email: "runner@example.com".to_owned(),
            password: "right".to_owned(),
            word: "Zk9",
            profile: 2_591_602,
            code: None,
            mobile: Trouble::None,
            widget: Trouble::None,
            exchange: Trouble::None,
            client_ids: vec![
                "GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2",
                "GARMIN_CONNECT_MOBILE_ANDROID_DI_2024Q4",
            ],
            refusal_burns_ticket: false,
            renewal: Renewal::Works,
            older_exchange: true,
            api: Trouble::None,
            list: Trouble::None,
            download: Trouble::None,
            upload: Trouble::None,
            status: Trouble::None,
            details: Trouble::None,
            edit: Trouble::None,
            delete: Trouble::None,
            duplicates: Duplicates::Conflict,
            forgets_after: 0,
            lists_late: 0,
            access: "public",
            poll_ms: Some(1000),
            most_rows: 1000,
            empty_first: 0,
            empty_later: 0,
            drifts: None,
            days_are_utc: false,
            latency: Duration::ZERO,
            uploads_at_once: false,
            polls: 1,
            counts_more: 0,
            access_s: 86_400,
            refresh_s: 2_591_999,
        }
    }
}
