//! The token service: tickets and refresh tokens for new pairs. Refresh tokens rotate.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json as value;

use super::sso::trouble;
use super::{Renewal, Shared, World, json, locked, lost, page, text};

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/di-oauth2-service/oauth/token", post(token))
}

type Fields = BTreeMap<String, String>;

async fn token(
    State(world): State<Shared>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let id = field("client_id");
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:")));
    assert_eq!(text(&headers, "authorization"), basic, "the id is its own name");
    assert!(text(&headers, "x-app-ver") == "10861" && text(&headers, "cookie").is_empty());
    if field("grant_type") == "refresh_token" {
        return renewed(&world, &id, &field("refresh_token")).await;
    }
    let mut world = locked(&world);
    assert_eq!(
        field("grant_type"),
        "https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket"
    );
    if let Some(answer) = trouble(&world.switches.exchange) {
        return answer;
    }
    let ticket = field("service_ticket");
    let known = world.account.tickets.get(&ticket) == Some(&field("service_url"));
    let accepted = world.switches.client_ids.contains(&id.as_str());
    if accepted || world.switches.refusal_burns_ticket {
        world.account.tickets.remove(&ticket);
    }
    if known && accepted {
        pair(&mut world, &id)
    } else {
        refused(400, "invalid_request", "ticket")
    }
}

async fn renewed(world: &Shared, id: &str, refresh: &str) -> Response {
    let killer = match &mut locked(world).switches.renewal {
        Renewal::Fails(status) => return page(*status, "Bad Gateway", ""),
        Renewal::OtherRegion => {
            let words = "User doesn't exist in DB for GarminGUID: 1";
            return refused(400, "invalid_request", words);
        }
        Renewal::Kills(killer) => killer.take(),
        Renewal::Works | Renewal::LosesAnswer => None,
    };
    let (answer, loses) = {
        let mut world = locked(world);
        let bound = world.account.refresh.remove(refresh);
        if bound.as_deref() != Some(id) {
            let words = format!("Invalid refresh token: {refresh}");
            return refused(400, "invalid_grant", &words);
        }
        let loses = matches!(world.switches.renewal, Renewal::LosesAnswer);
        if loses {
            world.switches.renewal = Renewal::Works;
        }
        (pair(&mut world, id), loses)
    };
    if let Some(killer) = killer {
        let pid = i32::try_from(killer.await.unwrap()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        locked(world).switches.renewal = Renewal::Works;
    }
    if loses { lost() } else { answer }
}

fn pair(world: &mut World, id: &str) -> Response {
    let World { switches, account, .. } = world;
    json(
        200,
        &value!({
            "scope": "COMMUNITY_COURSE_READ CONNECT_READ CONNECT_WRITE",
            "jti": "0",
            "token_type": "Bearer",
            "access_token": account.access_token(switches, id),
            "refresh_token": account.refresh_token(switches, id),
            "expires_in": switches.access_s,
            "refresh_token_expires_in": switches.refresh_s,
        }),
    )
}

fn refused(status: u16, error: &str, words: &str) -> Response {
    json(status, &value!({ "error": error, "error_description": words }))
}
