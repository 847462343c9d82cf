//! How requests to COROS look: addresses and headers.

use crate::net::{Method, Request, Url};

/// As the website's own browser says it.
const BROWSER: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
/// The website's origin for every region.
const WEBSITE: &str = "https://t.coros.com";

/// An address below a base, with a query; `None` if that is no address.
pub(super) fn url(base: &str, path: &str, query: &[(&str, &str)]) -> Option<Url> {
    let mut url = Url::parse(&format!("{}{path}", base.trim_end_matches('/'))).ok()?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Some(url)
}

/// A request as the website makes it.
pub(super) fn browser(method: Method, url: Url) -> Request {
    Request::new(method, url)
        .header("user-agent", BROWSER)
        .header("accept", "application/json, text/plain, */*")
        .header("origin", WEBSITE)
        .header("referer", format!("{WEBSITE}/"))
}
