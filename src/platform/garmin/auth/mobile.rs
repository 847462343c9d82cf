//! The login of the mobile app: a page for its cookies, then JSON.

use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::net::{Answer, Body, Client, Method, Request, Url, origin};
use crate::platform::http;
use crate::platform::login::{Ask, CodeUse, Credentials, LoginError, Refusal};

use super::super::error::{login_obstacle, login_refusal};
use super::super::types::{LoginAnswer, ResponseStatus};
use super::super::wire;
use super::{Found, GarminLogin, Ticket};

const CLIENT_ID: &str = "GCM_IOS_DARK";
const PAGE: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const DATA: &str = "application/json, text/plain, */*";

/// A ticket for the mobile service.
pub(super) async fn ticket(
    login: &GarminLogin,
    client: &Client,
    with: &Credentials,
    ask: &dyn Ask,
) -> Result<Found, LoginError> {
    let page = page_address(login)?;
    let request = wire::browser(Method::GET, page.clone()).header("accept", PAGE).following();
    let shown = client.send(request).await.map_err(|error| http::error::login_error(&error))?;
    if let Some(obstacle) = login_obstacle(&shown, login.now()) {
        return Err(obstacle);
    }
    // Credentials without this page, or right after it, are answered 429.
    login.hesitate(2, 5).await;
    let body = json!({
        "username": with.email,
        "password": with.password.expose_secret(),
        "rememberMe": true,
        "captchaToken": "",
    });
    let request = form(login, &page, "/mobile/api/login", body)?;
    let answer = client.send(request).await.map_err(|error| http::error::login_error(&error))?;
    let answer = understood(login, &answer)?;
    let status = answer.response_status.unwrap_or_default();
    if status.kind == "MFA_REQUIRED" {
        let method = answer.customer_mfa_info.and_then(|info| info.mfa_last_method_used);
        let method = method.unwrap_or_else(|| "email".to_owned());
        let ticket = by_code(login, client, &page, &method, ask).await?;
        return Ok((ticket, CodeUse::Asked));
    }
    ticket_of(login, &status, answer.service_ticket_id.as_deref())
        .map(|ticket| (ticket, CodeUse::NotAsked))
}

/// The code was sent by the login itself.
async fn by_code(
    login: &GarminLogin,
    client: &Client,
    page: &Url,
    method: &str,
    ask: &dyn Ask,
) -> Result<Ticket, LoginError> {
    let mut attempt = 1;
    loop {
        let code = login.code(ask, method, attempt)?;
        let body = json!({
            "mfaMethod": method,
            "mfaVerificationCode": code.expose_secret(),
            "rememberMyBrowser": true,
            "reconsentList": [],
            "mfaSetup": false,
        });
        let request = form(login, page, "/mobile/api/mfa/verifyCode", body)?;
        let answer =
            client.send(request).await.map_err(|error| http::error::login_error(&error))?;
        let answer = understood(login, &answer)?;
        let status = answer.response_status.unwrap_or_default();
        match ticket_of(login, &status, answer.service_ticket_id.as_deref()) {
            // How a wrong code is called is not recorded: whatever names no other trouble is one.
            Err(LoginError::Refused { why: Refusal::Other, .. }) => attempt += 1,
            other => return other,
        }
    }
}

fn page_address(login: &GarminLogin) -> Result<Url, LoginError> {
    let query = [("clientId", CLIENT_ID), ("service", login.region.mobile_service)];
    wire::url(&login.endpoints.sso, "/mobile/sso/en_US/sign-in", &query)
}

/// A JSON call as the page's own script makes it.
fn form(
    login: &GarminLogin,
    page: &Url,
    path: &str,
    body: serde_json::Value,
) -> Result<Request, LoginError> {
    let query =
        [("clientId", CLIENT_ID), ("locale", "en-US"), ("service", login.region.mobile_service)];
    let url = wire::url(&login.endpoints.sso, path, &query)?;
    Ok(wire::browser(Method::POST, url)
        .header("accept", DATA)
        .header("origin", origin(page))
        .header("referer", page.as_str())
        .body(Body::Json(body)))
}

/// The answer's JSON; what is none comes from a gateway.
fn understood(login: &GarminLogin, answer: &Answer) -> Result<LoginAnswer, LoginError> {
    if let Some(obstacle) = login_obstacle(answer, login.now()) {
        return Err(obstacle);
    }
    let parsed: Option<LoginAnswer> = answer.json();
    parsed
        .filter(|parsed| parsed.response_status.is_some())
        .ok_or_else(|| LoginError::Blocked(format!("{} without the expected JSON", answer.status)))
}

fn ticket_of(
    login: &GarminLogin,
    status: &ResponseStatus,
    ticket: Option<&str>,
) -> Result<Ticket, LoginError> {
    if status.kind != "SUCCESSFUL" {
        return Err(login_refusal(&status.kind, &status.message));
    }
    let value = ticket.and_then(super::pages::ticket).ok_or_else(|| {
        LoginError::NotUnderstood("the login succeeded, but gave no ticket".to_owned())
    })?;
    Ok(Ticket { value, service: login.region.mobile_service.to_owned() })
}
