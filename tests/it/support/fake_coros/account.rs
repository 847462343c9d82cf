//! Login in both forms, codes, and whose token it is.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use md5::{Digest as _, Md5};
use serde_json::{Value, json as value};

use super::{Shared, World, barred, fine, locked, refused, text};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/account/login", post(login))
        .route("/account/captcha", post(captcha))
        .route("/account/2fa/login/verify", post(verify))
        .route("/account/query", get(query))
}

async fn login(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    assert!(text(&headers, "accesstoken").is_empty(), "a login needs no token");
    let mut world = locked(&world);
    let body: Value = serde_json::from_slice(&body).unwrap();
    let hashed = hex::encode(Md5::digest(world.switches.password.as_bytes()));
    let is_right = match (body["p1"].as_str(), body["pwd"].as_str()) {
        (Some(hash), None) if world.switches.newer_form => {
            let salt = body["p2"].as_str().unwrap();
            assert!(salt.len() == 29 && hash.len() == 60 && hash.starts_with(salt), "{body}");
            assert!(salt.starts_with("$2a$10$") || salt.starts_with("$2b$10$"), "{salt}");
            bcrypt::verify(&hashed, hash).unwrap()
        }
        (None, Some(hash)) => hash == hashed,
        _ => return refused("1031", "Parameter input error"),
    };
    assert_eq!(body["accountType"], 2);
    if !is_right || body["account"] != world.switches.email.as_str() {
        return refused("1030", "The account and password do not match");
    }
    if world.switches.code.is_some() {
        let number = world.draw();
        let ticket = format!("{}ticket{number}", world.switches.word);
        world.tickets.insert(ticket.clone());
        return fine(Some(value!({
            "twoFactorRequired": true,
            "loginTicket": ticket,
            "appKey": "app-1",
            "account": "opaque-7",
            "accountType2fa": 2,
            "regionId": world.switches.region_id(),
            "userId": world.switches.id(world.switches.user.parse().unwrap()),
        })));
    }
    success(&mut world)
}

fn success(world: &mut World) -> Response {
    if world.switches.one_session {
        world.tokens.clear();
    }
    let number = world.draw();
    let token = format!("{}TOKEN{number:08}", world.switches.word);
    world.tokens.insert(token.clone());
    let mut data = if world.switches.login_is_terse { value!({}) } else { about(world) };
    data["accessToken"] = token.into();
    fine(Some(data))
}

fn about(world: &World) -> Value {
    value!({
        "userId": world.switches.id(world.switches.user.parse().unwrap()),
        "regionId": world.switches.region_id(),
        "nickname": "runner",
        "email": world.switches.email,
    })
}

async fn captcha(State(world): State<Shared>, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let asked = value!({
        "account": "opaque-7", "codeType": 20, "lengthType": 2, "accountType": "2",
    });
    assert_eq!(body, asked);
    locked(&world).codes_sent += 1;
    fine(None)
}

async fn verify(State(world): State<Shared>, body: Bytes) -> Response {
    let mut world = locked(&world);
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["appKey"], "app-1");
    if !world.tickets.contains(body["loginTicket"].as_str().unwrap()) || world.codes_sent == 0 {
        return refused("1031", "Parameter input error");
    }
    if body["code"].as_str() != world.switches.code.as_deref() {
        return refused("1042", "Verification code error");
    }
    world.tickets.clear();
    success(&mut world)
}

async fn query(State(world): State<Shared>, headers: HeaderMap) -> Response {
    let world = locked(&world);
    barred(&world, &headers).unwrap_or_else(|| fine(Some(about(&world))))
}
