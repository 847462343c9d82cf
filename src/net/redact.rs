//! Takes secrets out of whatever may be shown or logged.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

const HIDDEN: &str = "<hidden>";

/// A URL without its user, the values of its query, and its fragment.
pub fn url(url: &Url) -> String {
    let origin = url.origin().ascii_serialization();
    let names: Vec<String> =
        url.query_pairs().map(|(name, _)| format!("{name}={HIDDEN}")).collect();
    let query = if names.is_empty() { String::new() } else { format!("?{}", names.join("&")) };
    format!("{origin}{}{query}", url.path())
}

/// What a server said, short and without addresses, tickets and tokens.
pub fn text(text: &str) -> String {
    let mut shown = text.to_owned();
    for pattern in PATTERNS.iter() {
        shown = pattern.replace_all(&shown, HIDDEN).into_owned();
    }
    let mut short: String = shown.chars().take(MAX_CHARS).collect();
    if short.len() < shown.len() {
        short.push('…');
    }
    short
}

/// Longer words of a server than this are a page.
const MAX_CHARS: usize = 300;

static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // Addresses of people.
        r"[^\s@<>()\[\]{},;:'/=]+@[^\s@<>()\[\]{},;:'/=]+",
        // Values of queries and forms.
        r"(?:(?i:token|ticket|code|password|secret|key|signature)=)[^\s&;,]+",
        // Service tickets of a CAS.
        r"ST-[A-Za-z0-9-]+",
        // Whatever is long and looks drawn by lot: tokens, hashes, keys.
        r"[A-Za-z0-9+/_=.-]{32,}",
    ]
    .iter()
    .filter_map(|pattern| Regex::new(pattern).ok())
    .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_its_place_and_the_names_in_its_query() {
        let secret = Url::parse("https://me:pw@h.example:8443/a/b?ticket=ST-1&x=2#frag").unwrap();
        assert_eq!(url(&secret), "https://h.example:8443/a/b?ticket=<hidden>&x=<hidden>");
    }

    #[test]
    fn words_of_a_server_lose_what_is_secret() {
        assert_eq!(PATTERNS.len(), 4, "every pattern is one");
        for (from, to) in [
            ("unknown user me@example.com.", "unknown user <hidden>"),
            ("bad ticket ST-0042-abc-sso here", "bad ticket <hidden> here"),
            ("see /embed?ticket=abc&x=1", "see /embed?<hidden>&x=1"),
            ("token eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.abcdefghij is old", "token <hidden> is old"),
            ("Account is locked", "Account is locked"),
        ] {
            assert_eq!(text(from), to);
        }
        assert_eq!(text(&"word ".repeat(100)).chars().count(), MAX_CHARS + 1);
    }
}
