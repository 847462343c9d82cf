//! How a fake behaves: the account that it has, and everything that may go wrong.

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
    /// At one activity: details, edits, removal.
    pub(crate) change: Trouble,
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
    /// The answer is cut off.
    Lost,
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
            change: Trouble::None,
            uploads_at_once: false,
            polls: 1,
            counts_more: 0,
            access_s: 86_400,
            refresh_s: 2_591_999,
        }
    }
}
