//! Every key that a manifest may have, once: the reader, "did you mean" and the JSON Schema share
//! this table.

/// A key of a manifest.
#[derive(Debug)]
pub(super) struct Key {
    /// As it is written.
    pub(super) name: &'static str,
    /// What it means, for the schema.
    pub(super) doc: &'static str,
    /// What its value looks like.
    pub(super) shape: Shape,
    /// Where it is honoured.
    pub(super) guard: Guard,
}

/// What a value looks like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Text.
    Text,
    /// A password: any scalar, as written.
    Secret,
    /// True or false.
    Flag,
    /// A whole number from a least one on.
    Count(u32),
    /// A file or folder.
    Path,
    /// The address of a proxy.
    Proxy,
    /// A calendar day, or days before the plan's.
    Date,
    /// Metres or kilometres.
    Distance,
    /// Seconds, minutes, hours or days.
    Duration,
    /// A regular expression.
    Pattern,
    /// A share from 0 to 1.
    Ratio,
    /// Activity types.
    Types,
    /// A conflict strategy.
    Strategy,
    /// A platform of the catalog.
    Platform,
    /// A region of the account's platform.
    Region,
    /// The name of an account.
    AccountName,
    /// The name of a rule.
    RuleName,
    /// Base URLs by their names.
    Endpoints,
    /// Keys of its own.
    Group(&'static [Key]),
    /// Accounts by their names.
    Accounts,
    /// A list of rules.
    Rules,
}

/// Where a key is honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// In every manifest.
    Open,
    /// In private files only: it holds a secret or touches the machine.
    Private,
    /// In private files only, unless it stays inside home.
    PrivateOutsideHome,
}

impl Shape {
    /// Words for "must be …".
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Secret => "a text or a number",
            Self::Flag => "true or false",
            Self::Count(_) => "a whole number",
            Self::Path => "a path",
            Self::Proxy => "a URL",
            Self::Date => "a date such as 2024-03-31, or days back such as -30d",
            Self::Distance => "a distance such as 800, 500m or 1km",
            Self::Duration => "a duration such as 90s, 5min, 2h or 30d",
            Self::Pattern => "a regular expression",
            Self::Ratio => "a number from 0 to 1",
            Self::Types => "a list of activity types",
            Self::Strategy => "skip_existing or replace_existing",
            Self::Platform => "the name of a platform",
            Self::Region => "the name of a region",
            Self::AccountName => "the name of an account",
            Self::RuleName => "a name",
            Self::Endpoints => "a mapping from names to URLs",
            Self::Group(_) => "a mapping",
            Self::Accounts => "a mapping from names to accounts",
            Self::Rules => "a list of rules",
        }
    }
}

const fn open(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, doc, shape, guard: Guard::Open }
}

const fn guarded(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, doc, shape, guard: Guard::Private }
}

/// Keys of a manifest.
pub(super) const MANIFEST: &[Key] = &[
    open(
        "accounts",
        Shape::Accounts,
        "The accounts, by the names that rules call them. garmin_us, coros_cn and the like imply platform and region.",
    ),
    open(
        "sync_rules",
        Shape::Rules,
        "What goes from where to where, in the order in which it is planned.",
    ),
    open("cache", Shape::Group(CACHE), "Where downloaded files are kept, and for how long."),
    open(
        "limits",
        Shape::Group(LIMITS),
        "What a plan may do at most before a person has to agree.",
    ),
    guarded(
        "state",
        Shape::Path,
        "The state file, in place of state.db in home. Private files only.",
    ),
    guarded(
        "backups",
        Shape::Path,
        "The folder of backups, in place of backups/ in home. Private files only.",
    ),
];

/// Keys of `accounts.yaml` in home.
pub(super) const HOME_ACCOUNTS: &[Key] = &[open(
    "accounts",
    Shape::Accounts,
    "The accounts of this machine, merged key by key over the manifest's.",
)];

/// Keys of an account.
pub(super) const ACCOUNT: &[Key] = &[
    open("platform", Shape::Platform, "The platform."),
    open("region", Shape::Region, "The region of the platform."),
    open("email", Shape::Text, "Login name; or FIT_SYNC_<ACCOUNT>_EMAIL in the environment."),
    guarded(
        "password",
        Shape::Secret,
        "The password itself. Private files only; password_env is fine everywhere.",
    ),
    open("password_env", Shape::Text, "Name of the environment variable that holds the password."),
    guarded(
        "password_file",
        Shape::Path,
        "A file whose first line is the password. Private files only.",
    ),
    guarded(
        "password_command",
        Shape::Text,
        "A shell command that prints the password. Private files only.",
    ),
    guarded(
        "mfa_command",
        Shape::Text,
        "A shell command that prints a one-time code. Private files only.",
    ),
    open(
        "path",
        Shape::Path,
        "The folder of a directory account, or the .zip of an account export, which is only read.",
    ),
    guarded("proxy", Shape::Proxy, "Proxy for this account's requests. Private files only."),
    guarded(
        "ca_file",
        Shape::Path,
        "PEM file with further certificate authorities. Private files only.",
    ),
    open("max_parallel", Shape::Count(1), "Most requests in flight at a time."),
    open("min_gap_ms", Shape::Count(0), "Least milliseconds between two requests."),
    open(
        "settle_s",
        Shape::Count(0),
        "Seconds that the platform may need to show what it took. Default 60.",
    ),
    open("allow_login", Shape::Flag, "Whether commands other than auth may log in."),
    open(
        "upload_as_import",
        Shape::Flag,
        "Uploads as imports, which Garmin is said not to hand on to Strava and others. Default false.",
    ),
    guarded(
        "endpoints",
        Shape::Endpoints,
        "Base URLs in place of the region's hosts. Private files only.",
    ),
];

/// Keys of a rule.
pub(super) const RULE: &[Key] = &[
    open(
        "name",
        Shape::RuleName,
        "Unique name of lower-case letters, digits, _ and -. Default: <source>-to-<destination>.",
    ),
    open("source", Shape::AccountName, "The account that activities come from."),
    open("destination", Shape::AccountName, "The account that they go to."),
    open(
        "activity_types",
        Shape::Types,
        "Only these types: canonical names, aliases of a platform, garmin:KEY or coros:CODE. A family includes its members.",
    ),
    open("exclude_types", Shape::Types, "None of these types."),
    open(
        "start_date",
        Shape::Date,
        "Only activities on or after this day; -30d counts back from the day of the plan.",
    ),
    open(
        "end_date",
        Shape::Date,
        "Only activities on or before this day; -30d counts back from the day of the plan.",
    ),
    open("title", Shape::Pattern, "Only activities whose title matches."),
    open("device", Shape::Pattern, "Only activities whose device matches."),
    open("min_distance", Shape::Distance, "Only activities of at least this distance."),
    open("max_distance", Shape::Distance, "Only activities of at most this distance."),
    open("min_duration", Shape::Duration, "Only activities that lasted at least so long."),
    open("max_duration", Shape::Duration, "Only activities that lasted at most so long."),
    open(
        "conflict_strategy",
        Shape::Strategy,
        "What happens to activities that are at the destination already. Default: skip_existing.",
    ),
];

/// Keys of `cache`.
pub(super) const CACHE: &[Key] = &[
    open("max_age_days", Shape::Count(0), "Files older than this may be dropped. Default 7."),
    Key {
        name: "directory",
        doc: "The cache's folder, in place of cache/ in home. Outside home in private files only.",
        shape: Shape::Path,
        guard: Guard::PrivateOutsideHome,
    },
];

/// Keys of `limits`.
pub(super) const LIMITS: &[Key] = &[
    open("max_uploads", Shape::Count(0), "Uploads in one plan. Default: any number."),
    open("max_replaces", Shape::Count(0), "Replaces in one plan. Default 20."),
    open(
        "min_inventory_ratio",
        Shape::Ratio,
        "Least share of an account's last good count; with less, nothing is written to it. Default 0.5.",
    ),
];
