//! The codes of all findings about a manifest: stable, since scripts match on them.

macro_rules! codes {
    ($($name:ident = $text:literal),* $(,)?) => {
        $(pub(super) const $name: &str = $text;)*

        /// Every code that `validate` may print.
        pub const CODES: &[&str] = &[$($text),*];
    };
}

codes! {
    // Whether there is a manifest at all.
    MANIFEST_NOT_FOUND = "manifest_not_found",
    EMPTY_MANIFEST = "empty_manifest",
    UNREADABLE_FILE = "unreadable_file",
    FILE_TOO_LARGE = "file_too_large",
    NOT_UTF8 = "not_utf8",
    // Whether it is YAML.
    SYNTAX_ERROR = "syntax_error",
    TOO_DEEP = "too_deep",
    TOO_MANY_VALUES = "too_many_values",
    SEVERAL_DOCUMENTS = "several_documents",
    DUPLICATE_KEY = "duplicate_key",
    // Whether it has the shape of a manifest.
    UNKNOWN_KEY = "unknown_key",
    WRONG_TYPE = "wrong_type",
    MISSING_KEY = "missing_key",
    // Single values.
    BAD_NAME = "bad_name",
    BAD_DATE = "bad_date",
    BAD_DISTANCE = "bad_distance",
    BAD_DURATION = "bad_duration",
    BAD_NUMBER = "bad_number",
    BAD_RATIO = "bad_ratio",
    BAD_PATTERN = "bad_pattern",
    BAD_PATH = "bad_path",
    BAD_URL = "bad_url",
    INSECURE_URL = "insecure_url",
    UNKNOWN_STRATEGY = "unknown_strategy",
    UNKNOWN_ACTIVITY_TYPE = "unknown_activity_type",
    // Accounts.
    UNKNOWN_PLATFORM = "unknown_platform",
    UNKNOWN_REGION = "unknown_region",
    UNKNOWN_ENDPOINT = "unknown_endpoint",
    KEY_NOT_FOR_PLATFORM = "key_not_for_platform",
    NOT_PRIVATE = "not_private",
    READABLE_PASSWORD_FILE = "readable_password_file",
    // Rules.
    UNKNOWN_ACCOUNT = "unknown_account",
    DUPLICATE_RULE = "duplicate_rule",
    SAME_ACCOUNT = "same_account",
    CANNOT_UPLOAD = "cannot_upload",
    CANNOT_REPLACE = "cannot_replace",
    REPLACE_BOTH_WAYS = "replace_both_ways",
    START_AFTER_END = "start_after_end",
    EMPTY_RANGE = "empty_range",
    // The report itself.
    TOO_MANY_FAULTS = "too_many_faults",
    // The decisions file.
    BAD_DECISION = "bad_decision",
}
