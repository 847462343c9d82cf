//! Base URLs and proxies.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::domain::nearest;

use super::faults::Fault;
use super::fields::{Field, Reader};
use super::raw::{Entry, Kind};
use super::{codes, mask};

impl Field<'_> {
    /// Base URLs by their names.
    pub(super) fn endpoints(
        &self,
        known: &[&str],
        reader: &mut Reader<'_>,
    ) -> BTreeMap<String, String> {
        let mut endpoints = BTreeMap::new();
        let Kind::Map(entries) = &self.entry.value.kind else {
            self.wrong_type("write { NAME: URL }", reader);
            return endpoints;
        };
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                let shown = mask::key(&entry.key);
                let help = nearest(&entry.key, known.iter().copied()).map_or_else(
                    || format!("it has: {}", known.join(", ")),
                    |name| format!("did you mean '{name}'?"),
                );
                let message = format!("the platform has no endpoint '{shown}'");
                let fault = Fault::new(codes::UNKNOWN_ENDPOINT, entry.span.clone(), message);
                reader.faults.error(self.document, fault.help(help));
            } else if let Some(url) = self.base_url(entry, reader) {
                endpoints.insert(entry.key.clone(), url);
            }
        }
        endpoints
    }

    fn base_url(&self, entry: &Entry, reader: &mut Reader<'_>) -> Option<String> {
        let text = match &entry.value.kind {
            Kind::Scalar(text, _) => text.as_str(),
            Kind::List(_) | Kind::Map(_) => "",
        };
        let fault = match address(text) {
            Some(Address::Secure | Address::Loopback) => {
                return Some(text.trim_end_matches('/').to_owned());
            }
            Some(Address::Plain) => Fault::new(
                codes::INSECURE_URL,
                entry.value.head(),
                format!("'{}' would send tokens in the clear", entry.key),
            )
            .help("use https://; plain http:// is for loopback addresses only"),
            None => Fault::new(
                codes::BAD_URL,
                entry.value.head(),
                format!("'{}' must be the base of a URL", entry.key),
            )
            .help(
                "write https://HOST or https://HOST/PATH, without credentials, query or fragment",
            ),
        };
        reader.faults.error(self.document, fault);
        None
    }

    /// The address of a proxy, which may hold credentials.
    pub(super) fn proxy(&self, reader: &mut Reader<'_>) -> Option<String> {
        let text = self.scalar(reader)?;
        let rest = ["http://", "https://", "socks5://", "socks5h://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme));
        let host = rest.map(|rest| rest.rsplit('@').next().unwrap_or_default());
        if host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace)) {
            return Some(text.to_owned());
        }
        let help = "write http://, https://, socks5:// or socks5h://, then HOST:PORT";
        self.fault(codes::BAD_URL, "'proxy' must be a URL", help, reader);
        None
    }
}

/// What a base URL leads to.
enum Address {
    Secure,
    Loopback,
    Plain,
}

fn address(text: &str) -> Option<Address> {
    let (secure, rest) = match text.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix("http://")?),
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || "@?#\\".contains(c);
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.is_empty() || rest.contains(odd) {
        return None;
    }
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, tail)) => (host, tail.strip_prefix(':')),
        None => {
            authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)))
        }
    };
    if host.is_empty() || port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return None;
    }
    let loopback = host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    Some(if secure {
        Address::Secure
    } else if loopback {
        Address::Loopback
    } else {
        Address::Plain
    })
}
