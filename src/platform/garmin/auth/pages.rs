//! Reading the login's pages: a title, a hidden field, a script's variable, a ticket.

use std::sync::LazyLock;

use regex::Regex;
use secrecy::SecretString;

/// The ticket of a page, an address or a text.
pub(super) fn ticket(text: &str) -> Option<SecretString> {
    static TICKET: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"ST-[^"'&\s<>\\)}]+"#).ok());
    TICKET.as_ref()?.find(text).map(|found| SecretString::from(found.as_str()))
}

/// The title of a page, without space around it.
pub(super) fn title(page: &str) -> String {
    static TITLE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?is)<title[^>]*>(.*?)</title>").ok());
    captured(TITLE.as_ref(), page).unwrap_or_default().trim().to_owned()
}

/// The value of the hidden field `_csrf`.
pub(super) fn csrf(page: &str) -> Option<SecretString> {
    static INPUT: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?is)<input[^>]*\bname=["']_csrf["'][^>]*>"#).ok());
    static VALUE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?is)\bvalue=["']([^"']+)["']"#).ok());
    let input = INPUT.as_ref()?.find(page)?;
    captured(VALUE.as_ref(), input.as_str()).map(SecretString::from)
}

/// The value of `var name = "…"` in a page's script.
pub(super) fn variable(page: &str, name: &str) -> Option<String> {
    let pattern = format!(r#"var\s+{}\s*=\s*["']([^"']*)["']"#, regex::escape(name));
    let found = captured(Regex::new(&pattern).ok().as_ref(), page)?;
    (!found.is_empty()).then_some(found)
}

fn captured(pattern: Option<&Regex>, text: &str) -> Option<String> {
    pattern?.captures(text)?.get(1).map(|group| group.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn tickets_are_found_wherever_they_stand() {
        for text in [
            "https://sso.garmin.com/sso/embed?ticket=ST-01-aB-cas&x=1",
            r#"var response_url = "https:\/\/sso.garmin.com\/sso\/embed?ticket=ST-01-aB-cas";"#,
            "{serviceUrl: 'https://sso.garmin.com/sso/embed', serviceTicket: 'ST-01-aB-cas'}",
            "  ST-01-aB-cas\n",
        ] {
            assert_eq!(ticket(text).unwrap().expose_secret(), "ST-01-aB-cas", "{text}");
        }
        assert!(ticket("https://sso.garmin.com/sso/embed").is_none());
    }

    #[test]
    fn pages_give_their_title_field_and_variables() {
        let page = r#"<html><head><title>
            Enter MFA code </title></head>
            <input value="0aF9" type="hidden" name="_csrf"/>
            <script>var mfaMethod = "email"; var codeSentTo=''; </script>"#;
        assert_eq!(title(page), "Enter MFA code");
        assert_eq!(csrf(page).unwrap().expose_secret(), "0aF9");
        assert_eq!(variable(page, "mfaMethod").as_deref(), Some("email"));
        assert_eq!(variable(page, "codeSentTo"), None);
        assert_eq!(variable(page, "locale"), None);
        assert!(csrf("<input name='other' value='1'>").is_none());
        assert_eq!(title("no page"), "");
    }
}
