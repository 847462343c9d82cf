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
