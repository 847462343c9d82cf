//! COROS' documents, as far as they are used. Every field but `result` may be missing.

use serde::Deserialize;
use serde_json::Value;

/// What every answer of the API is wrapped in.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    #[serde(default)]
    pub(super) result: Value,
    /// The website's answers have this in place of a result.
    #[serde(default)]
    pub(super) code: Value,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) data: Value,
}

/// Answer of the login and of `account/query`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AccountData {
    pub(super) access_token: Option<String>,
    pub(super) user_id: Value,
    pub(super) region_id: Value,
    pub(super) two_factor_required: Option<bool>,
    pub(super) login_ticket: Option<String>,
    pub(super) app_key: Option<String>,
    /// With two factors an opaque name, not the address.
    pub(super) account: Option<String>,
}

/// One page of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ListData {
    pub(super) count: Option<u64>,
    pub(super) total_page: Option<u64>,
    pub(super) data_list: Option<Vec<Value>>,
}

impl ListData {
    pub(super) fn rows(&self) -> u64 {
        self.data_list.as_ref().map_or(0, |rows| rows.len() as u64)
    }
}

/// One row of the list. Zero means unknown as often as zero.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Row {
    pub(super) label_id: Value,
    pub(super) sport_type: Option<u64>,
    pub(super) start_time: Option<i64>,
    pub(super) end_time: Option<i64>,
    /// Quarter hours east of UTC.
    pub(super) start_timezone: Option<i32>,
    pub(super) distance: Option<f64>,
    pub(super) workout_time: Option<f64>,
    pub(super) total_time: Option<f64>,
    pub(super) name: Option<String>,
    pub(super) device: Option<String>,
}

/// Where a file lies.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FileData {
    pub(super) file_url: Option<String>,
}

/// One import, as it is answered and listed.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Import {
    pub(super) id: Value,
    pub(super) id_string: Value,
    pub(super) status: Option<i64>,
    pub(super) error_size: Option<i64>,
    /// Of the file's bytes, or of its zip's.
    pub(super) md5: Option<String>,
    /// Seconds or milliseconds of the Unix epoch; nobody has written down which.
    pub(super) create_time: Option<i64>,
}

impl Import {
    pub(super) fn id(&self) -> Option<String> {
        id(&self.id_string).or_else(|| id(&self.id))
    }
}

/// What the hub wraps storage credentials in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StsAnswer {
    pub(super) code: Option<i64>,
    pub(super) data: StsData,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StsData {
    pub(super) credentials: String,
}

/// Temporary credentials of an object store; both dialects.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StoreCredentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: Option<String>,
    pub(super) access_key_secret: Option<String>,
    pub(super) session_token: Option<String>,
    pub(super) security_token: Option<String>,
    pub(super) region: String,
    pub(super) bucket: String,
}

/// An id as text, however it was written; zero and nothing are none.
pub(super) fn id(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let is_id = !text.is_empty() && text != "0" && text.chars().all(|c| c.is_ascii_digit());
    is_id.then_some(text)
}
