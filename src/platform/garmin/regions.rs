//! The regions as rows: hosts, ways in, and quirks by name. What rotates or differs stands here and
//! nowhere else. (State of 2026-11; sources in the protocol notes of the maintained clients.)

use std::collections::{BTreeMap, BTreeSet};

use crate::net::{Url, origin};

/// A region's facts.
#[derive(Debug)]
pub(super) struct Region {
    /// As in a manifest.
    pub(super) id: &'static str,
    /// The domain, as tokens and other tools name it.
    pub(super) domain: &'static str,
    /// Ways to a service ticket, in order; after the first one at most one more is tried.
    pub(super) ways: &'static [Way],
    /// Ways from a ticket to tokens, in order.
    pub(super) exchanges: &'static [Exchange],
    pub(super) sso: &'static str,
    connectapi: &'static str,
    diauth: &'static str,
    connect: &'static str,
    /// Service of the mobile login; canonical, whatever hosts are used.
    pub(super) mobile_service: &'static str,
}

/// A way to a service ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// JSON, as the mobile app does it.
    Mobile,
    /// The form that other sites embed; throttled apart from the others.
    Widget,
}

impl Way {
    /// As a session remembers it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Widget => "widget",
        }
    }
}

/// A way from a ticket to tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    /// OAuth2 with rotating refresh tokens.
    Di,
    /// The older OAuth1 token, traded for OAuth2 again and again.
    OAuth1,
}

const REGIONS: [Region; 2] = [
    Region {
        id: "global",
        domain: "garmin.com",
        ways: &[Way::Mobile, Way::Widget],
        exchanges: &[Exchange::Di],
        sso: "https://sso.garmin.com",
        connectapi: "https://connectapi.garmin.com",
        diauth: "https://diauth.garmin.com",
        connect: "https://connect.garmin.com",
        mobile_service: "https://mobile.integration.garmin.com/gcm/ios",
    },
    Region {
        id: "cn",
        domain: "garmin.cn",
        ways: &[Way::Mobile, Way::Widget],
        exchanges: &[Exchange::Di, Exchange::OAuth1],
        sso: "https://sso.garmin.cn",
        connectapi: "https://connectapi.garmin.cn",
        diauth: "https://diauth.garmin.cn",
        connect: "https://connect.garmin.cn",
        mobile_service: "https://mobile.integration.garmin.cn/gcm/ios",
    },
];

/// The region of that id; the global one where a manifest names none.
pub(super) fn region(id: Option<&str>) -> &'static Region {
    let [global, cn] = &REGIONS;
    if id == Some(cn.id) { cn } else { global }
}

/// The region of a domain such as `garmin.cn`.
pub(super) fn region_of_domain(domain: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| domain == region.domain)
}

/// The region whose host issued a token.
pub(super) fn region_of_issuer(issuer: &str) -> Option<&'static Region> {
    let url = Url::parse(issuer).ok()?;
    let host = url.host_str()?.to_owned();
    REGIONS.iter().find(|region| host.strip_suffix(region.domain).is_some_and(|h| h.ends_with('.')))
}

/// The base URLs of an account: its region's, or those that its `endpoints` name.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    pub(super) sso: String,
    pub(super) connectapi: String,
    pub(super) diauth: String,
    connect: String,
}

impl Endpoints {
    /// Where `endpoints` are given, hosts that they do not name are not contacted: they stay on the
    /// API's.
    pub(super) fn of(region: &Region, overrides: &BTreeMap<String, String>) -> Self {
        let given = |name: &str| overrides.get(name).cloned();
        let any = overrides.values().next();
        let base = |name: &str, own: &str| {
            given(name)
                .or_else(|| given("connectapi"))
                .or_else(|| any.cloned())
                .unwrap_or_else(|| own.to_owned())
        };
        Self {
            sso: base("sso", region.sso),
            connectapi: base("connectapi", region.connectapi),
            diauth: base("diauth", region.diauth),
            connect: base("connect", region.connect),
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> [&str; 4] {
        [&self.sso, &self.connectapi, &self.diauth, &self.connect]
    }

    /// Origins that tokens are sent to.
    pub(super) fn token_hosts(&self) -> BTreeSet<String> {
        let bases = [&self.connectapi, &self.diauth];
        bases.iter().filter_map(|base| Url::parse(base).ok()).map(|url| origin(&url)).collect()
    }
}

/// Ids under which tokens are asked for, newest first: they are retired from time to time.
pub(super) const DI_CLIENT_IDS: [&str; 4] = [
    "GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2",
    "GARMIN_CONNECT_MOBILE_ANDROID_DI_2024Q4",
    "GARMIN_CONNECT_MOBILE_ANDROID_DI",
    "GARMIN_CONNECT_MOBILE_IOS_DI",
];

/// Names `garmin.com` in China too.
pub(super) const TICKET_GRANT: &str =
    "https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket";

/// The mobile app's OAuth1 consumer, which is public (2026-11).
pub(super) const CONSUMER: (&str, &str) =
    ("fc3e99d2-118c-44b8-8ae3-03370dde24c0", "E08WAR897WEy2knn7aFBrvegVAf0AFdWBBF");

/// Audience of the first OAuth2 token after a login.
pub(super) const AUDIENCE: &str = "GARMIN_CONNECT_MOBILE_ANDROID_DI";

/// What the login's pages expect of a browser. Nothing that only a navigation has: with such headers
/// the JSON calls were answered 429.
pub(super) const BROWSER: [(&str, &str); 2] = [
    (
        "user-agent",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    ),
    ("accept-language", "en-US,en;q=0.9"),
];

/// What the API expects of the app.
pub(super) const NATIVE: [(&str, &str); 8] = [
    ("user-agent", "GCM-Android-5.23"),
    (
        "x-garmin-user-agent",
        "com.garmin.android.apps.connectmobile/5.23; ; Google/sdk_gphone64_arm64/google; Android/33; Dalvik/2.1.0",
    ),
    ("x-garmin-paired-app-version", "10861"),
    ("x-garmin-client-platform", "Android"),
    ("x-app-ver", "10861"),
    ("x-lang", "en"),
    ("x-gcexperience", "GC5"),
    ("accept-language", "en-US,en;q=0.9"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_known_by_its_id_its_domain_and_its_issuer() {
        assert_eq!(region(Some("cn")).domain, "garmin.cn");
        assert_eq!(region(Some("global")).domain, "garmin.com");
        assert_eq!(region_of_domain("garmin.cn").unwrap().id, "cn");
        assert_eq!(region_of_issuer("https://diauth.garmin.cn").unwrap().id, "cn");
        assert_eq!(region_of_issuer("https://diauth.garmin.com/x").unwrap().id, "global");
        for other in
            ["https://diauth.evilgarmin.com", "garmin.com", "https://garmin.com.evil.example"]
        {
            assert!(region_of_issuer(other).is_none(), "{other}");
        }
    }

    #[test]
    fn endpoints_leave_no_way_to_the_region_s_hosts() {
        let overrides =
            BTreeMap::from([("connectapi".to_owned(), "http://127.0.0.1:1".to_owned())]);
        let endpoints = Endpoints::of(region(None), &overrides);
        assert!(endpoints.all().iter().all(|base| *base == "http://127.0.0.1:1"));
        assert_eq!(endpoints.token_hosts().len(), 1);
    }
}
