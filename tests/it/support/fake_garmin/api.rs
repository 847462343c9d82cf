//! The API's host: whose account it is, and the older exchange.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::json as value;

use super::sso::trouble;
use super::{Shared, World, json, locked, page, text};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/userprofile-service/socialProfile", get(profile))
        .route("/oauth-service/oauth/preauthorized", get(preauthorized))
        .route("/oauth-service/oauth/exchange/user/2.0", post(exchange))
}

/// The answer to a request whose token is not accepted.
pub(super) fn unauthorized() -> Response {
    let mut answer = json(401, &value!({ "message": "Token is not active" }));
    let challenge = "Bearer error=\"invalid_token\", error_description=\"Token is not active\"";
    let challenge = HeaderValue::from_static(challenge);
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    answer
}

/// Whether a request carries a token that is in use.
pub(super) fn is_known(world: &World, headers: &HeaderMap) -> bool {
    let token = text(headers, "authorization").strip_prefix("Bearer ").unwrap_or_default();
    assert!(text(headers, "cookie").is_empty(), "no cookies at the API");
    world.account.access.contains(token)
}

async fn profile(State(world): State<Shared>, headers: HeaderMap) -> Response {
    let world = locked(&world);
    if let Some(answer) = trouble(&world.switches.api) {
        return answer;
    }
    if !is_known(&world, &headers) {
        return unauthorized();
    }
    let profile = value!({
        "id": 3_154_645,
        "profileId": world.switches.profile,
        "displayName": "runner",
        "fullName": "Runner",
        "userName": world.switches.email,
    });
    json(200, &profile)
}

async fn preauthorized(
    State(world): State<Shared>,
    Query(params): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let mut world = locked(&world);
    let service = world.account.tickets.remove(params.get("ticket").unwrap());
    if !is_signed(&headers) || !world.switches.older_exchange || service.is_none() {
        return page(401, "Unauthorized", "OAuthToken is invalid");
    }
    let World { switches, account, .. } = &mut *world;
    let (token, secret) = account.older_token(switches);
    let mut text = format!("oauth_token={token}&oauth_token_secret={secret}");
    if switches.code.is_some() {
        text.push_str("&mfa_token=MFA-1&mfa_expiration_timestamp=2027-11-20%2012:00:00.000");
    }
    text.into_response()
}

async fn exchange(State(world): State<Shared>, headers: HeaderMap) -> Response {
    let mut world = locked(&world);
    let header = text(&headers, "authorization").to_owned();
    let known = world.account.older.keys().any(|token| header.contains(&format!("\"{token}\"")));
    if !is_signed(&headers) || !world.switches.older_exchange || !known {
        return page(401, "Unauthorized", "OAuthToken is invalid");
    }
    let World { switches, account, .. } = &mut *world;
    let access = account.access_token(switches, "GARMIN_CONNECT_MOBILE_ANDROID_DI");
    let answer = value!({
        "scope": "CONNECT_READ CONNECT_WRITE",
        "jti": "0",
        "token_type": "bearer",
        "access_token": access,
        "refresh_token": format!("{}unused", switches.word),
        "expires_in": switches.access_s,
        "refresh_token_expires_in": switches.refresh_s,
    });
    json(200, &answer)
}

fn is_signed(headers: &HeaderMap) -> bool {
    let header = text(headers, "authorization");
    header.starts_with("OAuth ") && header.contains("oauth_signature=\"")
}
