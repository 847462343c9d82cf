//! The form that other sites embed.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;

use super::sso::{session, trouble};
use super::{Host, Shared, Trouble, World, json, locked, page, text};

const FORM: &str = "GARMIN Authentication Application";

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/sso/embed", get(embed))
        .route("/sso/signin", get(form).post(sign_in))
        .route("/sso/verifyMFA/mfaCode", post(send_code))
        .route("/sso/verifyMFA/loginEnterMfaCode", post(enter_code))
}

type Fields = Form<BTreeMap<String, String>>;

async fn embed(State(world): State<Shared>) -> Response {
    let mut world = locked(&world);
    let cookie = world.account.cookie();
    world.account.pages.insert(cookie.clone());
    let mut answer = page(200, "Embed", "");
    let cookie = format!("SESSION={cookie}; Path=/; HttpOnly");
    answer.headers_mut().insert(header::SET_COOKIE, HeaderValue::from_str(&cookie).unwrap());
    answer
}

async fn form(State(world): State<Shared>, headers: HeaderMap) -> Response {
    let mut world = locked(&world);
    if let Trouble::Status(_) | Trouble::Wait(..) = world.switches.widget {
        return trouble(&world.switches.widget).unwrap();
    }
    if !session(&headers).is_empty() {
        return plain_form(&world, &headers, 200);
    }
    // A person's browser comes here first.
    let cookie = format!("SESSION={}; Path=/; HttpOnly", world.account.cookie());
    let cookie = HeaderValue::from_str(&cookie).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, cookie.clone());
    world.account.pages.insert(session(&headers));
    let mut answer = plain_form(&world, &headers, 200);
    answer.headers_mut().insert(header::SET_COOKIE, cookie);
    answer
}

fn plain_form(world: &World, headers: &HeaderMap, status: u16) -> Response {
    page(status, FORM, &hidden(world, headers))
}

fn hidden(world: &World, headers: &HeaderMap) -> String {
    let csrf = csrf(world, headers);
    format!(
        r#"<form method="post"><input name="username"/><input name="password" type="password"/>
        <input type="hidden" name="embed" value="true"/>
        <input type="hidden" name="_csrf" value="{csrf}"/><input type="submit"/></form>"#
    )
}

fn csrf(world: &World, headers: &HeaderMap) -> String {
    format!("{}csrf{}", world.switches.word, session(headers))
}

async fn sign_in(
    State(world): State<Shared>,
    headers: HeaderMap,
    Form(fields): Fields,
) -> Response {
    let mut world = locked(&world);
    let is_from_form = world.account.pages.contains(&session(&headers))
        && fields.get("_csrf") == Some(&csrf(&world, &headers))
        && fields.get("embed").is_some_and(|embed| embed == "true")
        && text(&headers, "referer").contains("/sso/signin?");
    assert!(is_from_form, "the form of this browser, with its token");
    if let Some(answer) = trouble(&world.switches.widget) {
        return answer;
    }
    let is_right = fields.get("username") == Some(&world.switches.email)
        && fields.get("password") == Some(&world.switches.password);
    if !is_right {
        return plain_form(&world, &headers, 401);
    }
    if world.switches.code.is_some() {
        world.account.waiting.insert(session(&headers));
        return code_page(&world, &headers);
    }
    success(&mut world)
}

fn code_page(world: &World, headers: &HeaderMap) -> Response {
    let code = world.switches.code.clone().unwrap();
    let sent = if code.is_sent { r#"var codeSentTo = "r***@example.com";"# } else { "" };
    let script = format!(
        r#"<script>var customerGuid = "guid-1"; var mfaMethod = "{}"; var locale = "en_US";
        var clientId = "GarminConnect"; {sent}</script>{}"#,
        code.method,
        hidden(world, headers)
    );
    page(200, FORM, &script)
}

async fn send_code(State(world): State<Shared>, body: Bytes) -> Response {
    let mut world = locked(&world);
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["customerGuid"], "guid-1");
    world.account.codes_sent += 1;
    json(200, &Value::Null)
}

async fn enter_code(
    State(world): State<Shared>,
    headers: HeaderMap,
    Form(fields): Fields,
) -> Response {
    let mut world = locked(&world);
    let code = world.switches.code.clone().unwrap();
    assert!(world.account.waiting.contains(&session(&headers)), "the jar of the login");
    assert_eq!(fields.get("_csrf"), Some(&csrf(&world, &headers)));
    if fields.get("mfa-code") == Some(&code.code) {
        return success(&mut world);
    }
    code_page(&world, &headers)
}

fn success(world: &mut World) -> Response {
    let service = format!("{}/sso/embed", world.base(Host::Sso));
    let ticket = world.account.ticket(world.switches.word, &service, "cas");
    let address = format!("{service}?ticket={ticket}").replace('/', "\\/");
    let script = format!("<script>var response_url = \"{address}\";</script>");
    page(200, "Success", &format!("{script}<p>serviceTicket: '{ticket}'</p>"))
}
