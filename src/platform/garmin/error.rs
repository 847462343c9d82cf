//! What an answer of Garmin means when it is not the wanted one.

use serde::Deserialize;

use jiff::Timestamp;

use crate::domain::RemoteId;
use crate::net::{Answer, redact, retry_after};
use crate::platform::login::{EndReason, LoginError, Refusal};
use crate::platform::{AuthFailure, PlatformError, Rejection};

use super::types::{ImportResult, Imported, LoginAnswer, TokenRefusal, UploadAnswer, id};

/// The code of a failed import whose activity is there already.
const DUPLICATE: &str = "202";

/// What a login's JSON says besides success and a question for a code.
pub(super) fn login_refusal(kind: &str, message: &str) -> LoginError {
    let upper = kind.to_ascii_uppercase();
    let has = |word: &str| upper.contains(word);
    let why = if upper == "INVALID_USERNAME_PASSWORD" {
        Refusal::WrongPassword
    } else if has("CAPTCHA") {
        Refusal::Captcha
    } else if has("LOCK") {
        Refusal::Locked
    } else if has("CONSENT") || has("TERMS") || has("PRIVACY") {
        Refusal::Consent
    } else if has("PHONE") {
        Refusal::PhoneNumber
    } else if has("CHILD") || has("FAMILY") || has("UNDERAGE") {
        Refusal::ChildAccount
    } else if has("PASSWORD") && (has("RESET") || has("RENEW") || has("EXPIRED") || has("CHANGE")) {
        Refusal::NewPassword
    } else {
        Refusal::Other
    };
    let words = match why {
        Refusal::WrongPassword => String::new(),
        _ if message.is_empty() => redact::text(kind),
        _ => redact::text(&format!("{kind}: {message}")),
    };
    LoginError::Refused { why, words }
}

/// What keeps a login's answer from being looked at: throttle, gateway, failure. The login's hosts.
pub(super) fn login_obstacle(answer: &Answer, now: Timestamp) -> Option<LoginError> {
    let in_body = answer.json::<LoginAnswer>().and_then(|body| body.error).and_then(|e| e.status());
    match in_body.unwrap_or(answer.status) {
        429 | 427 => Some(LoginError::Throttled { retry_after: retry_after(answer, now) }),
        403 => Some(LoginError::Blocked("403, likely by its guard against robots".to_owned())),
        status @ 500..=599 => Some(LoginError::Unavailable(format!("the login answered {status}"))),
        _ => None,
    }
}

/// What an answer of the token endpoint means.
pub(super) fn token_error(answer: &Answer, now: Timestamp) -> LoginError {
    let refusal: TokenRefusal = answer.json().unwrap_or_default();
    let words = redact::text(&refusal.error_description);
    match answer.status {
        429 => LoginError::RateLimited { retry_after: retry_after(answer, now) },
        status @ 500..=599 => {
            LoginError::Unavailable(format!("the token service answered {status}"))
        }
        400 | 401 if refusal.error_description.contains("User doesn't exist") => {
            LoginError::WrongHost("the session is of Garmin's other region".to_owned())
        }
        400 | 401 if refusal.error == "invalid_grant" || answer.status == 401 => {
            LoginError::SessionEnded(EndReason::Ended)
        }
        403 => LoginError::Blocked("403 from the token service".to_owned()),
        status => LoginError::NotUnderstood(format!("the token service answered {status} {words}")),
    }
}

/// What an answer of the API to the first question means.
pub(super) fn probe_error(answer: &Answer, now: Timestamp) -> LoginError {
    match answer.status {
        401 => LoginError::TokenRejected(redact::text(&said(answer))),
        403 => LoginError::Blocked("403 from the API".to_owned()),
        429 => LoginError::RateLimited { retry_after: retry_after(answer, now) },
        status @ 500..=599 => LoginError::Unavailable(format!("the API answered {status}")),
        status => LoginError::NotUnderstood(format!("the API answered {status}")),
    }
}

/// What an answer of the API means when it is not the wanted one, and nothing was done for it.
pub(super) fn api_error(answer: &Answer, now: Timestamp) -> PlatformError {
    let words = redact::text(&said(answer));
    match answer.status {
        401 => PlatformError::Auth(AuthFailure::Expired),
        403 if is_json(answer) => PlatformError::Permanent(format!("Garmin forbids it: {words}")),
        403 => PlatformError::Transient("403 from Garmin's gateway".to_owned()),
        404 => PlatformError::NotFound,
        429 => PlatformError::RateLimited { retry_after: retry_after(answer, now) },
        status @ 500..=599 => PlatformError::Transient(format!("Garmin answered {status}")),
        status => PlatformError::Protocol(format!("Garmin answered {status} {words}")),
    }
}

/// Returns what an answer to the question for a list means: one that says nothing is an outage.
pub(super) fn list_error(answer: &Answer, now: Timestamp) -> PlatformError {
    match answer.status {
        status @ 200..=299 => PlatformError::Transient(format!("Garmin's list is a bare {status}")),
        _ => api_error(answer, now),
    }
}

/// What an answer to a change means: where the server failed, it may have been made.
pub(super) fn change_error(answer: &Answer, now: Timestamp) -> PlatformError {
    match answer.status {
        status @ 500..=599 => PlatformError::Unconfirmed(format!("Garmin answered {status}")),
        _ => api_error(answer, now),
    }
}

/// What an answer to a download means: for what was entered by hand the server fails in one place.
pub(super) fn download_error(answer: &Answer, now: Timestamp) -> PlatformError {
    let is_missing = answer.status == 500 && said(answer).contains("NullPointerException");
    if is_missing { PlatformError::NotFound } else { api_error(answer, now) }
}

/// What an answer to an upload means, if it is not that it was taken.
pub(super) fn upload_error(answer: &Answer, now: Timestamp) -> Option<PlatformError> {
    let result = import_result(answer);
    if let Some(failure) = result.failures.unwrap_or_default().first() {
        return Some(import_failure(failure));
    }
    let words = said(answer);
    match answer.status {
        200..=202 => None,
        409 => Some(PlatformError::Duplicate { existing: None }),
        412 => Some(consent()),
        413 => Some(too_large()),
        415 => Some(refused("the file is of a type that Garmin does not support")),
        400 | 402 | 403 if !words.is_empty() => Some(PlatformError::Permanent(format!(
            "Garmin refuses uploads: {}; log in on the website and look what it asks for",
            redact::text(&words)
        ))),
        _ => Some(change_error(answer, now)),
    }
}

/// What the server says about an import, if it says something.
pub(super) fn import_result(answer: &Answer) -> ImportResult {
    answer.json::<UploadAnswer>().and_then(|body| body.detailed_import_result).unwrap_or_default()
}

fn import_failure(failure: &Imported) -> PlatformError {
    let messages = failure.messages.as_deref().unwrap_or_default();
    let words: Vec<&str> =
        messages.iter().filter_map(|message| message.content.as_deref()).collect();
    let words = words.join("; ");
    if messages.iter().any(|message| message.code().as_deref() == Some(DUPLICATE)) {
        let existing = id(failure.internal_id.as_ref()).map(RemoteId::new);
        return PlatformError::Duplicate { existing };
    }
    if words.contains("upload consent") {
        return consent();
    }
    refused(&redact::text(&words))
}

fn consent() -> PlatformError {
    PlatformError::Consent(
        "the account has not consented to uploads: on the website under Settings, Profile & \
         Privacy, Data, allow Device Upload",
    )
}

fn refused(words: &str) -> PlatformError {
    PlatformError::Rejected { reason: words.to_owned(), kind: Rejection::Refused }
}

fn too_large() -> PlatformError {
    let reason = "the file is too large for Garmin".to_owned();
    PlatformError::Rejected { reason, kind: Rejection::TooLarge }
}

fn is_json(answer: &Answer) -> bool {
    answer.json::<serde_json::Value>().is_some()
}

/// What the API says about a failure, in its own words.
pub(super) fn said(answer: &Answer) -> String {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Said {
        message: Option<String>,
        error: Option<String>,
    }
    if let Some(Said { message, error }) = answer.json() {
        let words: Vec<String> = [message, error].into_iter().flatten().collect();
        if !words.is_empty() {
            return words.join(", ");
        }
    }
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    challenge
        .split_once("error_description=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(words, _)| words.to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::net::Url;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let headers = vec![("retry-after".to_owned(), "9".to_owned())];
        let url = Url::parse("https://sso.garmin.com/x").unwrap();
        Answer { status, headers, body: body.as_bytes().to_vec(), url }
    }

    fn words(error: &LoginError) -> String {
        error.to_string()
    }

    #[test]
    fn login_types_are_told_apart() {
        for (kind, why) in [
            ("INVALID_USERNAME_PASSWORD", Refusal::WrongPassword),
            ("CAPTCHA_REQUIRED", Refusal::Captcha),
            ("ACCOUNT_LOCKED", Refusal::Locked),
            ("CONSENT_REQUIRED", Refusal::Consent),
            ("UPDATE_PHONE_NUMBER", Refusal::PhoneNumber),
            ("CHILD_ACCOUNT", Refusal::ChildAccount),
            ("RESET_PASSWORD_REQUIRED", Refusal::NewPassword),
            ("SOMETHING_NEW", Refusal::Other),
        ] {
            match login_refusal(kind, "m me@example.com") {
                LoginError::Refused { why: found, words } => {
                    assert_eq!(found, why, "{kind}");
                    assert!(!words.contains("example.com"), "{words}");
                }
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn a_throttle_is_known_by_its_status_or_its_body() {
        let now = Timestamp::UNIX_EPOCH;
        let throttled = LoginError::Throttled { retry_after: Some(Duration::from_secs(9)) };
        for (status, body) in [
            (429, "<html>"),
            (427, ""),
            (200, r#"{"error":{"status-code":"429"}}"#),
            (200, r#"{"error":{"status-code":427}}"#),
        ] {
            assert_eq!(login_obstacle(&answer(status, body), now), Some(throttled.clone()));
        }
        assert!(matches!(
            login_obstacle(&answer(403, "<html>"), now),
            Some(LoginError::Blocked(_))
        ));
        assert!(matches!(login_obstacle(&answer(502, ""), now), Some(LoginError::Unavailable(_))));
        assert_eq!(login_obstacle(&answer(401, "{}"), now), None);
        assert_eq!(login_obstacle(&answer(200, "{}"), now), None);
    }

    #[test]
    fn uploads_end_in_every_way_by_body_before_status() {
        let now = Timestamp::UNIX_EPOCH;
        let of = |status, body: &str| upload_error(&answer(status, body), now);
        let failure = |id: &str, code: u32, words: &str| {
            format!(
                r#"{{"detailedImportResult":{{"uploadId":"","failures":[{{"internalId":{id},
                "messages":[{{"code":{code},"content":"{words}"}}]}}]}}}}"#
            )
        };
        let existing =
            |text: &str| PlatformError::Duplicate { existing: Some(RemoteId::new(text)) };
        assert_eq!(of(409, &failure("7", 202, "Duplicate Activity.")), Some(existing("7")));
        assert_eq!(of(201, &failure("\"8\"", 202, "dup")), Some(existing("8")));
        assert_eq!(of(409, "<html>"), Some(PlatformError::Duplicate { existing: None }));
        let text = of(202, &failure("null", 415, "of a type we do not support")).unwrap();
        assert!(matches!(text, PlatformError::Rejected { kind: Rejection::Refused, .. }));
        let large = of(413, "").unwrap();
        assert!(matches!(large, PlatformError::Rejected { kind: Rejection::TooLarge, .. }));
        for (status, body) in
            [(412, "{}".to_owned()), (400, failure("null", 1, "but upload consent is"))]
        {
            assert!(matches!(of(status, &body), Some(PlatformError::Consent(_))), "{status}");
        }
        for status in [500, 502, 504] {
            assert!(matches!(of(status, "<html>"), Some(PlatformError::Unconfirmed(_))));
        }
        assert!(matches!(of(429, ""), Some(PlatformError::RateLimited { .. })));
        assert_eq!(of(202, r#"{"detailedImportResult":{"successes":[],"failures":[]}}"#), None);
    }

    #[test]
    fn a_gateway_s_403_is_no_ended_session() {
        let now = Timestamp::UNIX_EPOCH;
        assert!(matches!(api_error(&answer(403, "<html>"), now), PlatformError::Transient(_)));
        let said = r#"{"message":"HTTP 403 Forbidden","error":"ForbiddenException"}"#;
        assert!(matches!(api_error(&answer(403, said), now), PlatformError::Permanent(_)));
        assert_eq!(api_error(&answer(401, ""), now), PlatformError::Auth(AuthFailure::Expired));
        assert_eq!(api_error(&answer(404, ""), now), PlatformError::NotFound);
    }

    #[test]
    fn refusals_of_tokens_are_told_apart() {
        let now = Timestamp::UNIX_EPOCH;
        let of = |status, body: &str| words(&token_error(&answer(status, body), now));
        let over = words(&LoginError::SessionEnded(EndReason::Ended));
        assert_eq!(
            of(400, r#"{"error":"invalid_grant","error_description":"Invalid refresh token: x"}"#),
            over
        );
        assert_eq!(of(401, ""), over);
        let other =
            r#"{"error":"x","error_description":"User doesn't exist in DB for GarminGUID: 1"}"#;
        assert!(of(400, other).contains("other region"));
        assert!(of(400, "{}").contains("not understood"));
        assert!(of(503, "").contains("not available"));
        assert_eq!(of(429, ""), "rate limited");
    }
}
