//! The login of a person's own browser: it passes what a program does not. The person brings back the
//! address, the text or the bare ticket.

use secrecy::{ExposeSecret as _, SecretString};

use crate::net::Url;
use crate::platform::login::LoginError;

use super::super::wire;
use super::{Ticket, pages};

/// Where the browser must go.
pub(super) fn address(sso: &str) -> Result<Url, LoginError> {
    let embed = format!("{sso}/sso/embed");
    let query = [
        ("id", "gauth-widget"),
        ("embedWidget", "true"),
        ("gauthHost", &format!("{sso}/sso")),
        ("service", &embed),
        ("source", &embed),
        ("consumeServiceTicket", "false"),
    ];
    wire::url(sso, "/sso/signin", &query)
}

/// The ticket in what the person brought, with the service that it is for.
pub(super) fn ticket(answer: &SecretString, sso: &str) -> Result<Ticket, LoginError> {
    let text = answer.expose_secret().trim();
    let value = pages::ticket(text).ok_or_else(|| {
        LoginError::NoToken(
            "there is no ticket (ST-…) in it; copy the whole address right after the login"
                .to_owned(),
        )
    })?;
    Ok(Ticket { value, service: service(text).unwrap_or_else(|| format!("{sso}/sso/embed")) })
}

/// The address itself without its query, where it is one.
fn service(text: &str) -> Option<String> {
    let mut url = Url::parse(text).ok().filter(|url| url.has_host())?;
    let rest: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != "ticket")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.set_fragment(None);
    url.set_query(None);
    if !rest.is_empty() {
        url.query_pairs_mut().extend_pairs(rest);
    }
    Some(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_may_bring_an_address_a_text_or_a_ticket() {
        let sso = "https://sso.garmin.cn";
        let embed = "https://sso.garmin.cn/sso/embed";
        for (text, service) in [
            ("https://sso.garmin.cn/sso/embed?ticket=ST-1-cas", embed),
            (" ST-1-cas ", embed),
            ("{serviceUrl: 'x', serviceTicket: 'ST-1-cas'}", embed),
            ("https://other.garmin.cn/app?a=1&ticket=ST-1-cas", "https://other.garmin.cn/app?a=1"),
        ] {
            let ticket = ticket(&SecretString::from(text), sso).unwrap();
            assert_eq!(ticket.service, service, "{text}");
            assert_eq!(ticket.value.expose_secret(), "ST-1-cas");
        }
        assert!(ticket(&SecretString::from("https://sso.garmin.cn/sso/embed"), sso).is_err());
    }
}
