//! What an answer of COROS means: refusals come with HTTP 200 and a `result` of their own.

use jiff::Timestamp;
use serde_json::Value;

use crate::net::{Answer, redact, retry_after};
use crate::platform::login::{LoginError, Refusal};
use crate::platform::{AuthFailure, PlatformError};

use super::types::Envelope;

/// Parameters are not what the server expects.
const PARAMETERS: &str = "1031";
/// Account and password do not fit each other.
const CREDENTIALS: &str = "1030";
/// The one-time code is wrong.
const CODE: &str = "1042";
/// The token is invalid, over, superseded, or of another region. The last three were never recorded.
const TOKEN: [&str; 4] = ["1019", "0101", "0102", "1006"];

/// An answer by its meaning.
#[derive(Debug)]
pub(super) enum Meaning {
    /// It went well.
    Data(Value),
    /// The token is not accepted; nothing was done.
    Token,
    /// Account and password do not fit.
    Credentials,
    /// The server expects other parameters.
    Parameters,
    /// The one-time code is wrong.
    Code,
    /// Any other refusal, in the server's words.
    Refused(String),
    /// A status of HTTP.
    Status(u16),
    /// No JSON of the API.
    Unknown,
}

/// Reads an answer of the API.
pub(super) fn meaning(answer: &Answer) -> Meaning {
    if answer.status == 401 {
        return Meaning::Token;
    }
    let no_result = match answer.status {
        200 => Meaning::Unknown,
        status => Meaning::Status(status),
    };
    let Some(envelope) = answer.json::<Envelope>() else { return no_result };
    let result = match &envelope.result {
        Value::String(text) => text.clone(),
        Value::Number(number) => format!("{number:0>4}"),
        Value::Null if envelope.code == 401 => return Meaning::Token,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return no_result,
    };
    let message = envelope.message.unwrap_or_default();
    if result == "0000" && answer.status == 200 {
        return Meaning::Data(envelope.data);
    }
    if TOKEN.contains(&result.as_str()) || message.to_ascii_lowercase().contains("token is invalid")
    {
        return Meaning::Token;
    }
    match result.as_str() {
        CREDENTIALS => Meaning::Credentials,
        PARAMETERS => Meaning::Parameters,
        CODE => Meaning::Code,
        _ if answer.status != 200 => Meaning::Status(answer.status),
        _ => Meaning::Refused(redact::text(&format!("{result} {message}"))),
    }
}

/// Why an answer to a question is not the wanted one.
pub(super) fn read_error(meaning: &Meaning, answer: &Answer, now: Timestamp) -> PlatformError {
    match meaning {
        Meaning::Token => PlatformError::Auth(AuthFailure::Expired),
        Meaning::Status(404) => PlatformError::NotFound,
        Meaning::Status(429) => {
            PlatformError::RateLimited { retry_after: retry_after(answer, now) }
        }
        Meaning::Status(403) => PlatformError::Transient("403 from COROS' gateway".to_owned()),
        Meaning::Status(status @ 500..=599) => {
            PlatformError::Transient(format!("COROS answered {status}"))
        }
        Meaning::Unknown | Meaning::Data(_) => {
            PlatformError::Protocol("COROS' answer is not its JSON".to_owned())
        }
        Meaning::Status(_)
        | Meaning::Credentials
        | Meaning::Parameters
        | Meaning::Code
        | Meaning::Refused(_) => {
            PlatformError::Permanent(format!("COROS refuses: {}", words(meaning)))
        }
    }
}

/// Why an answer to a change is not the wanted one: where the server failed, it may have been made.
pub(super) fn change_error(meaning: &Meaning, answer: &Answer, now: Timestamp) -> PlatformError {
    match meaning {
        Meaning::Status(status @ 500..=599) => {
            PlatformError::Unconfirmed(format!("COROS answered {status}"))
        }
        Meaning::Unknown => PlatformError::Unconfirmed("COROS' answer is not its JSON".to_owned()),
        _ => read_error(meaning, answer, now),
    }
}

/// Why a login, or a question about the account, has not succeeded.
pub(super) fn login_error(meaning: &Meaning, answer: &Answer, now: Timestamp) -> LoginError {
    let refused = |why, words| LoginError::Refused { why, words };
    match meaning {
        Meaning::Credentials => refused(Refusal::WrongPassword, String::new()),
        Meaning::Token => LoginError::TokenRejected(String::new()),
        Meaning::Code => LoginError::CodeRefused,
        Meaning::Refused(words) => refused(Refusal::Other, words.clone()),
        Meaning::Status(403) => {
            LoginError::Blocked("403, as for networks of data centres".to_owned())
        }
        Meaning::Unknown if answer.body.trim_ascii_start().starts_with(b"<") => {
            LoginError::Blocked("a page instead of its answer".to_owned())
        }
        Meaning::Status(429) => LoginError::Throttled { retry_after: retry_after(answer, now) },
        Meaning::Status(status @ 500..=599) => {
            LoginError::Unavailable(format!("COROS answered {status}"))
        }
        Meaning::Parameters | Meaning::Status(_) | Meaning::Unknown | Meaning::Data(_) => {
            LoginError::NotUnderstood(format!("COROS' login: {}", words(meaning)))
        }
    }
}

fn words(meaning: &Meaning) -> String {
    match meaning {
        Meaning::Data(_) => "it lacks what it should say".to_owned(),
        Meaning::Token => "the token".to_owned(),
        Meaning::Credentials => "account or password (1030)".to_owned(),
        Meaning::Parameters => "the parameters (1031)".to_owned(),
        Meaning::Code => "the code (1042)".to_owned(),
        Meaning::Refused(words) => words.clone(),
        Meaning::Status(status) => format!("HTTP {status}"),
        Meaning::Unknown => "no JSON".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::net::Url;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let url = Url::parse("https://teamapi.coros.com/x").unwrap();
        Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec(), url }
    }

    #[test]
    fn the_result_counts_whatever_http_says() {
        let of = |status, body: &str| format!("{:?}", meaning(&answer(status, body)));
        let token = r#"{"result":"1019","tlogId":"1","message":"Access token is invalid"}"#;
        for (status, body) in [
            (200, token),
            (200, r#"{"result":"9999","message":"Access token is invalid"}"#),
            (200, r#"{"result":1006}"#),
            (200, r#"{"result":"0101"}"#),
            (401, "<html>"),
            (200, r#"{"code":401,"msg":"not logged in"}"#),
        ] {
            assert_eq!(of(status, body), "Token", "{body}");
        }
        assert_eq!(of(200, r#"{"apiCode":"1","result":"0000"}"#), "Data(Null)");
        assert_eq!(of(200, r#"{"result":"1030"}"#), "Credentials");
        assert_eq!(of(200, r#"{"result":"1031"}"#), "Parameters");
        assert_eq!(of(200, r#"{"result":"1042"}"#), "Code");
        assert_eq!(of(200, "<html>"), "Unknown");
        assert_eq!(of(200, "{}"), "Unknown");
        assert_eq!(of(502, "<html>"), "Status(502)");
        assert_eq!(of(502, "{}"), "Status(502)");
        assert!(
            of(200, r#"{"result":"1001","message":"Service exceptions"}"#).contains("1001 Serv")
        );
    }

    #[test]
    fn a_change_that_the_server_lost_may_have_been_made() {
        let now = Timestamp::UNIX_EPOCH;
        let of = |status, body: &str| {
            let answer = answer(status, body);
            change_error(&meaning(&answer), &answer, now)
        };
        assert!(matches!(of(502, "<html>"), PlatformError::Unconfirmed(_)));
        assert!(matches!(of(200, "<html>"), PlatformError::Unconfirmed(_)));
        assert!(matches!(of(200, r#"{"result":"1001"}"#), PlatformError::Permanent(_)));
        assert!(matches!(of(429, ""), PlatformError::RateLimited { .. }));
        assert!(matches!(of(403, "<html>"), PlatformError::Transient(_)));
    }
}
