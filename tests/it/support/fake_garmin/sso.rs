//! The mobile app's login: a page, then JSON.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json as value};

use super::{Host, Shared, Trouble, World, json, locked, lost, page, text};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/mobile/sso/en_US/sign-in", get(sign_in))
        .route("/mobile/api/login", post(login))
        .route("/mobile/api/mfa/verifyCode", post(verify))
}

type Params = Query<BTreeMap<String, String>>;

/// What a trouble is as an answer, if it is one that any place can have.
pub(super) fn trouble(trouble: &Trouble) -> Option<Response> {
    Some(match trouble {
        Trouble::None => return None,
        Trouble::Status(status) => page(*status, "Just a moment...", "<body>cloudflare</body>"),
        Trouble::Wait(status, seconds) => {
            let mut answer = page(*status, "Slow down", "");
            let seconds = HeaderValue::from_str(&seconds.to_string()).unwrap();
            answer.headers_mut().insert(header::RETRY_AFTER, seconds);
            answer
        }
        Trouble::Kind(status, kind) => json(*status, &status_of(kind, "as the fake was told")),
        Trouble::InBody(status) => json(200, &value!({ "error": { "status-code": status } })),
        Trouble::Titled(status, title) => page(*status, title, ""),
        Trouble::Says(status, text) => json(*status, &serde_json::from_str(text).unwrap()),
        Trouble::Lost | Trouble::LostBefore => lost(),
        Trouble::Resets
        | Trouble::Hangs
        | Trouble::Dies
        | Trouble::Half
        | Trouble::Flipped
        | Trouble::Refused
        | Trouble::First(..)
        | Trouble::After(..) => panic!("only the API has this trouble"),
    })
}

async fn sign_in(State(world): State<Shared>, Query(params): Params) -> Response {
    let mut world = locked(&world);
    let service = service(&world);
    assert_eq!(params.get("service"), Some(&service), "the service is canonical");
    let cookie = world.account.cookie();
    world.account.pages.insert(cookie.clone());
    let mut answer = page(200, "Garmin SSO Portal", "<body></body>");
    let cookie = format!("SESSION={cookie}; Path=/; HttpOnly");
    answer.headers_mut().insert(header::SET_COOKIE, HeaderValue::from_str(&cookie).unwrap());
    answer
}

async fn login(
    State(world): State<Shared>,
    Query(params): Params,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut world = locked(&world);
    if let Some(answer) = trouble(&world.switches.mobile) {
        return answer;
    }
    // Without the page, its cookie and its address, or like a navigation: as if for a robot.
    let session = session(&headers);
    let from_page = world.account.pages.contains(&session)
        && text(&headers, "referer").contains("/mobile/sso/en_US/sign-in?")
        && text(&headers, "origin") == world.base(Host::Sso)
        && !headers.contains_key("sec-fetch-mode")
        && params.get("clientId").is_some_and(|id| id == "GCM_IOS_DARK");
    if !from_page {
        return page(429, "Slow down", "");
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    let is_right = body["username"] == world.switches.email.as_str()
        && body["password"] == world.switches.password.as_str();
    if !is_right {
        let message = "generalLoginInvalidUsernameOrPassword";
        return json(401, &status_of("INVALID_USERNAME_PASSWORD", message));
    }
    if let Some(code) = world.switches.code.clone() {
        world.account.waiting.insert(session);
        world.account.codes_sent += 1;
        let mut answer = status_of("MFA_REQUIRED", "");
        answer["customerMfaInfo"] =
            value!({ "mfaLastMethodUsed": code.method, "email": "r***@example.com" });
        return json(200, &answer);
    }
    success(&mut world)
}

async fn verify(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = locked(&world);
    let body: Value = serde_json::from_slice(&body).unwrap();
    let code = world.switches.code.clone().unwrap();
    assert!(world.account.waiting.contains(&session(&headers)), "the jar of the login");
    assert_eq!(body["mfaMethod"], code.method);
    if body["mfaVerificationCode"] == code.code.as_str() {
        success(&mut world)
    } else {
        json(400, &status_of(code.wrong, ""))
    }
}

fn success(world: &mut World) -> Response {
    let service = service(world);
    let ticket = world.account.ticket(world.switches.word, &service, "sso");
    let mut answer = status_of("SUCCESSFUL", "");
    answer["serviceURL"] = service.into();
    answer["serviceTicketId"] = ticket.into();
    answer["authType"] = "CAS".into();
    json(200, &answer)
}

fn status_of(kind: &str, message: &str) -> Value {
    value!({
        "serviceURL": null,
        "serviceTicketId": null,
        "responseStatus": { "type": kind, "message": message, "httpStatus": "OK" },
        "responseReason": null,
        "samlResponse": null,
        "authType": null,
        "customerMfaInfo": null,
        "consentTypeList": null,
        "captchaAlreadyPassed": false,
    })
}

fn service(world: &World) -> String {
    format!("https://mobile.integration.{}/gcm/ios", world.switches.domain)
}

/// The value of the cookie `SESSION`.
pub(super) fn session(headers: &HeaderMap) -> String {
    let cookies = text(headers, "cookie").split("; ");
    cookies.filter_map(|cookie| cookie.strip_prefix("SESSION=")).collect()
}
