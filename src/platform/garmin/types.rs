//! Garmin's documents, as far as they are used. Every field may be missing.

use serde::Deserialize;
use serde_json::Value;

/// Answer of the JSON login.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct LoginAnswer {
    pub(super) response_status: Option<ResponseStatus>,
    pub(super) service_ticket_id: Option<String>,
    pub(super) customer_mfa_info: Option<MfaInfo>,
    pub(super) error: Option<GatewayError>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ResponseStatus {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MfaInfo {
    pub(super) mfa_last_method_used: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GatewayError {
    /// A string as recorded, a number to be safe.
    #[serde(rename = "status-code", default)]
    pub(super) status_code: Value,
}

impl GatewayError {
    pub(super) fn status(&self) -> Option<u16> {
        match &self.status_code {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_u64().and_then(|number| number.try_into().ok()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// Answer of both token endpoints.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
    pub(super) expires_in: Option<u64>,
    pub(super) refresh_token_expires_in: Option<u64>,
}

/// Refusal of the token endpoint.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenRefusal {
    pub(super) error: String,
    pub(super) error_description: String,
}

/// What a token says of itself; never trusted, only used to ask with the right names.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Claims {
    pub(super) exp: Option<i64>,
    pub(super) client_id: Option<String>,
    pub(super) iss: Option<String>,
}

/// `socialProfile`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SocialProfile {
    pub(super) profile_id: i64,
}

/// One row of a listing. Garmin omits what it does not know; older servers sent nulls.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ListedActivity {
    pub(super) activity_id: Option<Value>,
    pub(super) activity_name: Option<String>,
    #[serde(rename = "startTimeGMT")]
    pub(super) start_time_gmt: Option<String>,
    pub(super) start_time_local: Option<String>,
    #[serde(rename = "endTimeGMT")]
    pub(super) end_time_gmt: Option<String>,
    /// Milliseconds; the same moment as `startTimeGMT`.
    pub(super) begin_timestamp: Option<i64>,
    pub(super) activity_type: Option<TypeKey>,
    pub(super) distance: Option<f64>,
    pub(super) duration: Option<f64>,
    pub(super) elapsed_duration: Option<f64>,
    pub(super) manual_activity: Option<bool>,
    pub(super) parent_id: Option<Value>,
    pub(super) owner_id: Option<Value>,
    pub(super) privacy: Option<TypeKey>,
    pub(super) manufacturer: Option<String>,
}

/// A word of one of Garmin's lists.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TypeKey {
    pub(super) type_key: Option<String>,
}

/// `activities/count`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Count {
    pub(super) total_count: u64,
}

/// One activity with what people wrote about it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OneActivity {
    pub(super) activity_name: Option<String>,
    pub(super) description: Option<String>,
    #[serde(rename = "activityTypeDTO")]
    pub(super) activity_type: Option<TypeKey>,
    #[serde(rename = "accessControlRuleDTO")]
    pub(super) access: Option<TypeKey>,
}

/// Answer to an upload.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UploadAnswer {
    pub(super) detailed_import_result: Option<ImportResult>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ImportResult {
    pub(super) successes: Option<Vec<Imported>>,
    pub(super) failures: Option<Vec<Imported>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Imported {
    /// A number, seen quoted too.
    pub(super) internal_id: Option<Value>,
    pub(super) messages: Option<Vec<Message>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    code: Option<Value>,
    pub(super) content: Option<String>,
}

impl Message {
    /// Its number, however it was written.
    pub(super) fn code(&self) -> Option<String> {
        id(self.code.as_ref())
    }
}

/// An id as text, however it was written; zero and nothing are none.
pub(super) fn id(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let is_id = !text.is_empty() && text != "0" && text.chars().all(|c| c.is_ascii_digit());
    is_id.then_some(text)
}
