//! What goes wrong, before a request is understood and after it was answered.

use std::panic::AssertUnwindSafe;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;

use super::{Host, Shared, fine, locked, refused};

/// What an account is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Login,
    Captcha,
    Verify,
    Query,
    List,
    Download,
    File,
    Sts,
    Put,
    Import,
    Jobs,
    Delete,
    Update,
}

impl Place {
    fn of(host: Host, path: &str) -> Option<Self> {
        Some(match path {
            "/account/login" => Self::Login,
            "/account/captcha" => Self::Captcha,
            "/account/2fa/login/verify" => Self::Verify,
            "/account/query" => Self::Query,
            "/activity/query" => Self::List,
            "/activity/detail/download" => Self::Download,
            "/api/proxy/oss/sts" => Self::Sts,
            "/activity/fit/import" => Self::Import,
            "/activity/fit/getImportSportList" => Self::Jobs,
            "/activity/delete" => Self::Delete,
            "/activity/update" => Self::Update,
            _ if host != Host::Store => return None,
            _ if path.starts_with("/fit/") => Self::File,
            _ => Self::Put,
        })
    }
}

/// What may go wrong at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A status with a page in HTML.
    Status(u16),
    /// A status with a wish for so many seconds.
    Wait(u16, u64),
    /// The API's own refusal, with HTTP 200.
    Result(&'static str, &'static str),
    /// Success that says nothing.
    Bare,
    /// The connection ends before anything was done.
    Reset,
    /// Nothing is done, and nobody answers.
    Hangs,
    /// It is done, but the answer is cut off.
    Lost,
    /// It is done, but nobody answers.
    HangsAfter,
    /// It is done, but half of the answer is missing.
    Halved,
    /// It is done, but the answer is not what was sent.
    Spoilt,
}

/// A trouble, and how often it is met.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) trouble: Trouble,
    pub(crate) left: u32,
}

/// Notes every request, that no token goes where it does not belong, and what the fake did not expect;
/// has go wrong what shall.
pub(super) async fn watched(
    State((host, world)): State<(Host, Shared)>,
    mut request: Request,
    next: Next,
) -> Response {
    let reaper = locked(&world).reaper.clone();
    if reaper.takes_at_request() {
        return cut_off();
    }
    let what = format!("{} {}", request.method(), request.uri().path());
    note_tokens(&world, host, &what, &request);
    let place = Place::of(host, request.uri().path());
    if place.is_none() {
        locked(&world).unexpected.push(format!("{what}: nothing of the website's"));
    }
    let trouble = place.and_then(|place| met(&world, place));
    locked(&world).seen.push((host, what.clone()));
    if let Some(answer) = instead(trouble).await {
        return answer;
    }
    request.extensions_mut().insert(trouble);
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let Ok(answer) = answer else {
        locked(&world).unexpected.push(what);
        return StatusCode::IM_A_TEAPOT.into_response();
    };
    if reaper.takes_at_answer() {
        return cut_off();
    }
    match trouble {
        Some(Trouble::Lost) => cut_off(),
        Some(Trouble::HangsAfter) => std::future::pending().await,
        Some(Trouble::Halved) => changed(answer, |bytes| bytes.slice(..bytes.len() / 2)).await,
        Some(Trouble::Spoilt) => changed(answer, |bytes| spoilt(&bytes)).await,
        _ => answer,
    }
}

fn note_tokens(world: &Shared, host: Host, what: &str, request: &Request) {
    if host != Host::Store {
        return;
    }
    let mut world = locked(world);
    let names = ["accesstoken", "cookie", "yfheader", "referer", "origin"];
    let told = names.iter().any(|name| request.headers().contains_key(*name));
    let all = format!("{:?} {}", request.headers(), request.uri());
    let named = world.tokens.iter().any(|token| all.contains(token.as_str()));
    if told || named {
        world.unexpected.push(format!("{what}: this is no host of the account's"));
    }
}

/// The trouble of a place, once less.
fn met(world: &Shared, place: Place) -> Option<Trouble> {
    let mut world = locked(world);
    let fault = world.switches.faults.get_mut(&place)?;
    fault.left = fault.left.checked_sub(1)?;
    Some(fault.trouble)
}

/// What is answered in place of doing it.
async fn instead(trouble: Option<Trouble>) -> Option<Response> {
    Some(match trouble? {
        Trouble::Status(status) => page(status),
        Trouble::Wait(status, seconds) => {
            let mut answer = page(status);
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            answer
        }
        Trouble::Result(result, message) => refused(result, message),
        Trouble::Bare => fine(None),
        // Ends the connection's task, and with it the connection, without a word on stderr.
        Trouble::Reset => std::panic::resume_unwind(Box::new(())),
        Trouble::Hangs => std::future::pending().await,
        Trouble::Lost | Trouble::HangsAfter | Trouble::Halved | Trouble::Spoilt => return None,
    })
}

fn page(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let page = [(header::CONTENT_TYPE, "text/html")];
    (status, page, "<html><title>Error</title></html>").into_response()
}

/// The answer begins and never ends: the client loses it.
fn cut_off() -> Response {
    let broken = futures_util::stream::once(async {
        Err::<Vec<u8>, std::io::Error>(std::io::Error::other("the line is cut"))
    });
    Body::from_stream(broken).into_response()
}

async fn changed(answer: Response, change: impl FnOnce(Bytes) -> Bytes) -> Response {
    let (mut parts, body) = answer.into_parts();
    let bytes = change(axum::body::to_bytes(body, usize::MAX).await.unwrap());
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(bytes))
}

/// A byte in the middle is another.
fn spoilt(bytes: &[u8]) -> Bytes {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte = !*byte;
    }
    bytes.into()
}
