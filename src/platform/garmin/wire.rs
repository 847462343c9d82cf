//! How requests to Garmin look: addresses and headers.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::de::DeserializeOwned;

use crate::net::{Headers, Method, Request, Url};
use crate::platform::login::LoginError;

use super::regions::{BROWSER, NATIVE, Region};

/// An address below a base, with a query.
pub(super) fn url(base: &str, path: &str, query: &[(&str, &str)]) -> Result<Url, LoginError> {
    let mut url = Url::parse(&format!("{base}{path}"))
        .map_err(|_| LoginError::NotUnderstood("an address of the platform is none".to_owned()))?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

/// A request of a browser: the login's pages.
pub(super) fn browser(method: Method, url: Url) -> Request {
    Request::new(method, url).headers(headers(&BROWSER))
}

/// A request of the app: tokens and API.
pub(super) fn native(method: Method, url: Url) -> Request {
    Request::new(method, url).headers(headers(&NATIVE))
}

/// What makes an upload an import, which is said not to be handed on to other services.
pub(super) fn import(region: &Region) -> Headers {
    headers(&[("nk", "NT"), ("origin", region.sso), ("user-agent", "GCM-iOS-5.7.2.1")])
}

fn headers(of: &[(&'static str, &str)]) -> Headers {
    of.iter().map(|(name, value)| (*name, (*value).into())).collect()
}

/// `Basic` for a name without a password.
pub(super) fn basic(name: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:")))
}

/// What a token says of itself, unchecked.
pub(super) fn claims<T: DeserializeOwned + Default>(token: &str) -> T {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}
