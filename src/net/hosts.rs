//! Where an account's requests may go.

use std::collections::BTreeSet;
use std::net::IpAddr;

use url::Url;

/// The origins that an account may reach: those of its region, or its `endpoints`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    origins: BTreeSet<String>,
    /// Domains of which every host will do, over HTTPS at its own port.
    domains: &'static [&'static str],
}

impl Hosts {
    /// The origins of these base URLs; what is no URL is none.
    pub fn of<'a>(bases: impl IntoIterator<Item = &'a str>) -> Self {
        let urls = bases.into_iter().filter_map(|base| Url::parse(base).ok());
        Self { origins: urls.map(|url| origin(&url)).collect(), domains: &[] }
    }

    /// Every host below these domains: where files lie on whatever host an answer names.
    pub fn below(domains: &'static [&'static str]) -> Self {
        Self { origins: BTreeSet::new(), domains }
    }

    /// Whether one of them is this machine.
    pub(super) fn any_near(&self) -> bool {
        self.origins.iter().any(|origin| Url::parse(origin).is_ok_and(|url| is_loopback(&url)))
    }

    /// Whether this machine is asked in the clear only.
    pub(super) fn near_is_plain(&self) -> bool {
        let is_closed = |url: Url| is_loopback(&url) && url.scheme() == "https";
        !self.origins.iter().any(|origin| Url::parse(origin).is_ok_and(is_closed))
    }

    /// Whether one of them is another machine.
    pub(super) fn any_far(&self) -> bool {
        let is_far = |origin: &String| Url::parse(origin).is_ok_and(|url| !is_loopback(&url));
        !self.domains.is_empty() || self.origins.iter().any(is_far)
    }

    /// Whether a request may go there: a known origin, and in the clear to this machine only.
    pub fn allow(&self, url: &Url) -> bool {
        let closed = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
        closed && (self.origins.contains(&origin(url)) || self.is_below(url))
    }

    fn is_below(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let below = |domain: &&str| host.strip_suffix(*domain).is_some_and(|h| h.ends_with('.'));
        url.scheme() == "https" && url.port().is_none() && self.domains.iter().any(below)
    }
}

/// Scheme, host and port.
pub fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Whether a host is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_origins_pass_and_in_the_clear_only_this_machine() {
        let hosts = Hosts::of([
            "https://sso.example.com/base",
            "http://127.0.0.1:8080",
            "http://far.example.com",
        ]);
        let allows = |url: &str| hosts.allow(&Url::parse(url).unwrap());
        assert!(allows("https://sso.example.com/any?x=1"));
        assert!(allows("http://127.0.0.1:8080/any"));
        for other in [
            "http://sso.example.com/",
            "https://sso.example.com:444/",
            "https://sso.example.com.evil.example/",
            "https://evil.example/?https://sso.example.com",
            "http://127.0.0.1:8081/",
            "http://far.example.com/",
            "ftp://sso.example.com/",
        ] {
            assert!(!allows(other), "{other}");
        }
    }

    #[test]
    fn every_host_below_a_domain_passes_and_none_beside_it() {
        let hosts = Hosts::below(&["coros.com", "aliyuncs.com"]);
        let allows = |url: &str| hosts.allow(&Url::parse(url).unwrap());
        for url in ["https://s3.coros.com/fit/1/2.fit", "https://b.oss-cn-beijing.aliyuncs.com/k"] {
            assert!(allows(url), "{url}");
        }
        for url in [
            "http://s3.coros.com/fit/1/2.fit",
            "https://evilcoros.com/",
            "https://coros.com.evil.example/",
            "https://s3.coros.com:8443/",
            "https://evil.example/?https://s3.coros.com/",
            "https://s3.coros.com@evil.example/",
            "https://127.0.0.1/",
        ] {
            assert!(!allows(url), "{url}");
        }
    }
}
