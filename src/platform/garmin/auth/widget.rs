//! The login form that other sites embed; pages, not data. Its throttle is apart from the others.

use secrecy::SecretString;
use serde_json::json;

use crate::net::{Answer, Body, Client, Method, Request, Url, redact};
use crate::platform::http;
use crate::platform::login::{Ask, CodeUse, Credentials, LoginError, Refusal};

use super::super::error::login_obstacle;
use super::super::wire;
use super::{Found, GarminLogin, Ticket, pages};

/// The title of the plain form, and of a question for a code.
const FORM: &str = "GARMIN Authentication Application";

/// What a page of the form says.
enum Said {
    Ticket(SecretString),
    /// Asks for a code.
    Code,
}

/// A ticket for the widget's own service.
pub(super) async fn ticket(
    login: &GarminLogin,
    client: &Client,
    with: &Credentials,
    ask: &dyn Ask,
) -> Result<Found, LoginError> {
    let embed = service(login);
    let host = format!("{}/sso", login.endpoints.sso);
    let query = [("id", "gauth-widget"), ("embedWidget", "true"), ("gauthHost", host.as_str())];
    get(login, client, wire::url(&login.endpoints.sso, "/sso/embed", &query)?, None).await?;
    let form = address(login, "/sso/signin")?;
    let page = get(login, client, form.clone(), Some(&embed)).await?;
    let csrf = pages::csrf(&page.text())
        .ok_or_else(|| LoginError::Blocked("the login page has no form".to_owned()))?;
    login.hesitate(3, 8).await;
    let fields = vec![
        ("username", SecretString::from(with.email.clone())),
        ("password", with.password.clone()),
        ("embed", SecretString::from("true")),
        ("_csrf", csrf),
    ];
    let request = posted(form.clone(), &form, fields);
    let answer = client.send(request).await.map_err(|error| http::error::login_error(&error))?;
    let service = service(login);
    match said(login, &answer)? {
        Said::Ticket(value) => Ok((Ticket { value, service }, CodeUse::NotAsked)),
        Said::Code => {
            let value = by_code(login, client, answer, ask).await?;
            Ok((Ticket { value, service }, CodeUse::Asked))
        }
    }
}

async fn by_code(
    login: &GarminLogin,
    client: &Client,
    page: Answer,
    ask: &dyn Ask,
) -> Result<SecretString, LoginError> {
    let mut text = page.text();
    let method = pages::variable(&text, "mfaMethod").unwrap_or_else(|| "email".to_owned());
    send_code(login, client, &page, &method).await?;
    let mut attempt = 1;
    loop {
        let code = login.code(ask, &method, attempt)?;
        let csrf = pages::csrf(&text).ok_or_else(|| {
            LoginError::NotUnderstood("the page that asks for a code has no form".to_owned())
        })?;
        let fields = vec![
            ("mfa-code", code),
            ("embed", SecretString::from("true")),
            ("_csrf", csrf),
            ("fromPage", SecretString::from("setupEnterMfaCode")),
        ];
        let url = address(login, "/sso/verifyMFA/loginEnterMfaCode")?;
        let request = posted(url, &page.url, fields);
        let answer =
            client.send(request).await.map_err(|error| http::error::login_error(&error))?;
        match said(login, &answer) {
            Ok(Said::Ticket(value)) => return Ok(value),
            // The page again, or the form: the code was wrong.
            Ok(Said::Code) | Err(LoginError::Refused { why: Refusal::WrongOrBlocked, .. }) => {}
            Err(error) => return Err(error),
        }
        // A page without a form keeps the one before.
        if pages::csrf(&answer.text()).is_some() {
            text = answer.text();
        }
        attempt += 1;
    }
}

/// Codes by mail and message are sent on demand, unless the page says that it has been done.
async fn send_code(
    login: &GarminLogin,
    client: &Client,
    page: &Answer,
    method: &str,
) -> Result<(), LoginError> {
    let text = page.text();
    if !matches!(method, "email" | "sms") || pages::variable(&text, "codeSentTo").is_some() {
        return Ok(());
    }
    let variable = |name: &str| pages::variable(&text, name).unwrap_or_default();
    let client_id = variable("clientId");
    let query = [("clientId", client_id.as_str())];
    let url = wire::url(&login.endpoints.sso, "/sso/verifyMFA/mfaCode", &query)?;
    let body = json!({
        "customerGuid": variable("customerGuid"),
        "mfaMethod": method,
        "locale": variable("locale"),
    });
    let request = wire::browser(Method::POST, url)
        .header("referer", page.url.as_str())
        .body(Body::Json(body));
    let answer = client.send(request).await.map_err(|error| http::error::login_error(&error))?;
    match login_obstacle(&answer, login.now()) {
        Some(obstacle) => Err(obstacle),
        None if (200..300).contains(&answer.status) => Ok(()),
        None => {
            let words = format!("the code could not be sent ({})", answer.status);
            Err(LoginError::NotUnderstood(words))
        }
    }
}

/// What a page says, by its status, its title and its script.
fn said(login: &GarminLogin, answer: &Answer) -> Result<Said, LoginError> {
    if let Some(obstacle) = login_obstacle(answer, login.now()) {
        return Err(obstacle);
    }
    let page = answer.text();
    let title = pages::title(&page);
    let lower = title.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if lower == "success" {
        return pages::ticket(&page).map(Said::Ticket).ok_or_else(|| {
            LoginError::NotUnderstood("the login succeeded, but gave no ticket".to_owned())
        });
    }
    let asks = title == FORM && pages::variable(&page, "mfaMethod").is_some();
    if has(&["mfa"]) || asks {
        return Ok(Said::Code);
    }
    let status = pages::variable(&page, "status").unwrap_or_default();
    let sends = |event: &str| page.contains(&format!("sendEvent('{event}')"));
    if has(&["bad gateway", "service unavailable", "cloudflare"]) {
        return Err(LoginError::Unavailable(format!(
            "the login says \"{}\"",
            redact::text(&title)
        )));
    }
    let why = if has(&["locked"]) || status == "ACCOUNT_LOCKED" || sends("ACCOUNT_LOCKED") {
        Refusal::Locked
    } else if has(&["phone number"]) {
        Refusal::PhoneNumber
    } else if has(&["unable to sign in", "unable to login", "unable to log in"]) {
        Refusal::ChildAccount
    } else if has(&["consent", "terms", "privacy"]) {
        Refusal::Consent
    } else if has(&["captcha"]) {
        Refusal::Captcha
    } else if page.contains("renewPassword") {
        Refusal::NewPassword
    } else if has(&["invalid", "incorrect"]) || sends("FAIL") {
        Refusal::WrongPassword
    } else if has(&["account error"]) {
        Refusal::Other
    } else if answer.status == 401 || title == FORM {
        Refusal::WrongOrBlocked
    } else {
        return Err(LoginError::Blocked(format!("{}, a page that is not the form", answer.status)));
    };
    Err(LoginError::Refused { why, words: String::new() })
}

async fn get(
    login: &GarminLogin,
    client: &Client,
    url: Url,
    referer: Option<&str>,
) -> Result<Answer, LoginError> {
    let mut request = wire::browser(Method::GET, url).following();
    if let Some(referer) = referer {
        request = request.header("referer", referer);
    }
    let answer = client.send(request).await.map_err(|error| http::error::login_error(&error))?;
    login_obstacle(&answer, login.now()).map_or(Ok(answer), Err)
}

fn posted(url: Url, referer: &Url, fields: Vec<(&'static str, SecretString)>) -> Request {
    wire::browser(Method::POST, url)
        .header("referer", referer.as_str())
        .body(Body::Form(fields))
        .following()
}

/// The service that the widget's tickets are for.
fn service(login: &GarminLogin) -> String {
    format!("{}/sso/embed", login.endpoints.sso)
}

fn address(login: &GarminLogin, path: &str) -> Result<Url, LoginError> {
    let embed = service(login);
    let query = [
        ("id", "gauth-widget"),
        ("embedWidget", "true"),
        ("gauthHost", &embed),
        ("service", &embed),
        ("source", &embed),
        ("redirectAfterAccountLoginUrl", &embed),
        ("redirectAfterAccountCreationUrl", &embed),
    ];
    wire::url(&login.endpoints.sso, path, &query)
}
