//! Hides passwords, credentials in URLs and e-mail addresses in quoted texts, length unchanged.
//!
//! Works line by line on any text, since a text with a syntax error is quoted too. Where it cannot
//! be sure it hides more rather than less.

use std::ops::Range;

/// Keys with a telling name whose values are no secrets.
const HARMLESS: &[&str] = &["password_file"];
/// Parts of names that announce a secret. `password_env` is among them: people put the password
/// itself there.
const TELLING: &[&str] = &["passw", "passphrase", "pwd", "secret", "token", "credential", "mfa"];

/// A text with everything secret in it hidden, byte for byte as long.
pub(super) fn text(text: &str) -> String {
    spans(text, &[])
}

/// The same, with further stretches hidden.
pub(super) fn spans(text: &str, further: &[Range<usize>]) -> String {
    let mut hidden = Hidden(vec![false; text.len()]);
    secrets_after_keys(text, &mut hidden);
    addresses(text, &mut hidden);
    for span in further {
        hidden.hide(span.clone());
    }
    hidden.apply(text)
}

/// A message with URL credentials and e-mail addresses hidden.
pub(super) fn words(message: &str) -> String {
    let mut hidden = Hidden(vec![false; message.len()]);
    addresses(message, &mut hidden);
    hidden.apply(message)
}

/// A key as a message may show it: one that swallowed its value is cut off.
pub(super) fn key(name: &str) -> String {
    let short: String = name.chars().take(40).collect();
    let shown = if short.len() < name.len() { short + "…" } else { short };
    text(&shown)
}

/// Which bytes are hidden.
struct Hidden(Vec<bool>);

impl Hidden {
    fn hide(&mut self, span: Range<usize>) {
        if let Some(bytes) = self.0.get_mut(span) {
            bytes.fill(true);
        }
    }

    fn apply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for (at, c) in text.char_indices() {
            if self.0.get(at) == Some(&true) && c != '\n' && c != '\r' {
                out.extend(std::iter::repeat_n('*', c.len_utf8()));
            } else {
                out.push(c);
            }
        }
        out
    }
}

/// What still has to be hidden when a line ends.
#[derive(Clone, Copy)]
enum Rest {
    /// Nothing.
    Nothing,
    /// All up to this quotation mark.
    Quoted(char),
    /// Lines that are indented deeper than this, and explicit values (`: x`).
    Deeper(usize),
    /// The next line with anything in it, then as `Deeper`.
    NextLine(usize),
}

fn secrets_after_keys(text: &str, hidden: &mut Hidden) {
    let mut rest = Rest::Nothing;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let from = match rest {
            Rest::Nothing => Some(0),
            Rest::Quoted(mark) => match line.find(mark) {
                Some(end) => {
                    hidden.hide(start..start + end);
                    rest = Rest::Nothing;
                    Some(end + mark.len_utf8())
                }
                None => {
                    hidden.hide(start..start + line.len());
                    None
                }
            },
            Rest::Deeper(indent) | Rest::NextLine(indent) => {
                let content = line.trim_start_matches([' ', '\t']);
                let depth = line.len() - content.len();
                let blank = content.trim_end().is_empty();
                let next = matches!(rest, Rest::NextLine(_));
                if blank || depth > indent || next || content.starts_with(':') {
                    hidden.hide(start..start + line.len());
                    if !blank {
                        rest = Rest::Deeper(indent);
                    }
                    None
                } else {
                    rest = Rest::Nothing;
                    Some(0)
                }
            }
        };
        if let Some(from) = from {
            rest = secrets_in_line(line, from, start, hidden);
        }
        start += line.len();
    }
}

/// Hides the values of secret keys in a line, from a byte of it on.
fn secrets_in_line(line: &str, from: usize, start: usize, hidden: &mut Hidden) -> Rest {
    let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
    let mut at = from;
    while let Some(word) = next_word(line, at) {
        at = word.end;
        let name = line.get(word.clone()).unwrap_or_default();
        let Some(value) = value_after(line, &word, is_secret(name)) else {
            continue;
        };
        let tail = line.get(value..).unwrap_or_default();
        let content = tail.trim();
        let quote = content.chars().next().filter(|c| matches!(c, '"' | '\''));
        if content.is_empty() || content.starts_with('#') {
            hidden.hide(start + value..start + line.len());
            let in_flow =
                line.get(..word.start).is_some_and(|before| before.contains(['{', '"', '\'', ',']));
            return if in_flow { Rest::NextLine(indent) } else { Rest::Deeper(indent) };
        }
        if let Some(mark) = quote {
            let open = value + (tail.len() - tail.trim_start().len());
            match closing(line, open, mark) {
                Closing::Here(end) => {
                    hidden.hide(start + open + 1..start + end);
                    at = end + 1;
                    continue;
                }
                Closing::Doubtful => {}
                Closing::Later => {
                    hidden.hide(start + open + 1..start + line.len());
                    return Rest::Quoted(mark);
                }
            }
        }
        let shown = tail.len() - tail.trim_start().len();
        hidden.hide(start + value + shown..start + line.len());
        return if content.starts_with(['|', '>']) {
            Rest::NextLine(indent)
        } else {
            Rest::Deeper(indent)
        };
    }
    Rest::Nothing
}

fn next_word(line: &str, from: usize) -> Option<Range<usize>> {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let rest = line.get(from..)?;
    let begin = from + rest.find(inside)?;
    let length = line.get(begin..)?.find(|c: char| !inside(c)).unwrap_or(line.len() - begin);
    Some(begin..begin + length)
}

pub(super) fn is_secret(name: &str) -> bool {
    let name = name.trim_start_matches('-').to_lowercase();
    if HARMLESS.contains(&name.as_str()) || name.len() > 40 {
        return false;
    }
    TELLING.iter().any(|part| name.contains(part))
        || name.split(['_', '-']).any(|part| part == "pass")
        || strsim::osa_distance(&name, "password") <= 2
}

/// Where the value of a secret key begins: after `:` or `=`, or after the bare word where it stands
/// first in its line.
fn value_after(line: &str, word: &Range<usize>, secret: bool) -> Option<usize> {
    if !secret {
        return None;
    }
    let after = line.get(word.end..)?;
    let quoted = after.strip_prefix(['"', '\'']).unwrap_or(after);
    let rest = quoted.trim_start_matches([' ', '\t']);
    if let Some(value) = rest.strip_prefix([':', '=', '：']) {
        return Some(line.len() - value.len());
    }
    let before = line.get(..word.start)?;
    let first = before.chars().all(|c| c.is_whitespace() || "-?{,[\"'#&!".contains(c));
    first.then_some(line.len() - rest.len())
}

enum Closing {
    /// At this byte of the line.
    Here(usize),
    /// There is one, but what follows it does not look like an end.
    Doubtful,
    /// Not in this line.
    Later,
}

fn closing(line: &str, open: usize, mark: char) -> Closing {
    let mut chars = line.char_indices().skip_while(|(at, _)| *at <= open).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && mark == '"' {
            chars.next();
        } else if c == mark {
            if mark == '\'' && chars.next_if(|(_, next)| *next == mark).is_some() {
                continue;
            }
            let rest = line.get(at + 1..).unwrap_or_default();
            let end = rest.trim_start();
            let clean = end.is_empty()
                || end.starts_with([',', '}', ']'])
                || (end.starts_with('#') && end.len() < rest.len());
            return if clean { Closing::Here(at) } else { Closing::Doubtful };
        }
    }
    Closing::Later
}

/// Hides credentials in URLs, and every word with an `@` in it.
fn addresses(text: &str, hidden: &mut Hidden) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let (Some(scheme), Some(end)) = (line.find("://"), line.rfind('@')) {
            hidden.hide(start + scheme + 3..start + end.max(scheme + 3));
        }
        let outside = |c: char| c.is_whitespace() || "\"'`,;{}[]()<>|".contains(c);
        let mut at = 0;
        for word in line.split(outside) {
            let address = word.chars().skip(1).any(|c| matches!(c, '@' | '＠'))
                || word.to_ascii_lowercase().contains("%40");
            if address {
                let skip = word.rfind("://").map_or(0, |scheme| scheme + 3);
                let end = if skip > 0 { word.rfind('@').unwrap_or(word.len()) } else { word.len() };
                hidden.hide(start + at + skip..start + at + end.max(skip));
            }
            let separator = line
                .get(at + word.len()..)
                .and_then(|rest| rest.chars().next())
                .map_or(0, char::len_utf8);
            at += word.len() + separator;
        }
        start += line.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_way_to_write_a_password_shows_it() {
        let ways = [
            "password: CANARY",
            "    password:   CANARY # it is CANARY",
            "  password : CANARY",
            "password:CANARY",
            "password CANARY",
            "password=CANARY",
            "password： CANARY",
            "Password: CANARY",
            "pasword: CANARY",
            "passwrod: CANARY",
            "pwd: CANARY",
            "\"password\": \"CANARY\"",
            "{\"email\":\"x\",\"password\":\"CANARY\",\"region\":\"us\"}",
            "{password: CANARY, region: us}",
            "{password: CAN,CANARY}",
            "a: {password: 'it''s CANARY'}",
            "password: 'CANARY",
            "password: \"x\n  CANARY\n  y\"\nregion: us",
            "password: \"a\\\" CANARY\"",
            "password: \"a\" CANARY",
            "password: |\n  CANARY\n\n  CANARY\nregion: us",
            "  password: >-\n    CANARY\n",
            "password:\n  CANARY",
            "? password\n: CANARY",
            "\"password\":\n\"CANARY\"",
            "{ password:\nCANARY }",
            "# password: CANARY",
            "- password: CANARY",
            "password: &p CANARY",
            "password: !!str CANARY",
            "password_command: echo CANARY",
            "mfa_command: echo CANARY",
            "x: 1 password: CANARY",
            "proxy: http://user:CANARY@host:8080",
            "proxy: http://user:CAN/CANARY@host:8080",
            "proxy: http://user:CAN CANARY@host:8080",
            "proxy: user:CANARY@host:8080",
            "endpoints: { sso: \"https://CANARY@host\" }",
            "email: CANARY@example.com",
            "a: b CANARY@example.com c",
            "email: CANARY%40example.com",
        ];
        for way in ways {
            let masked = text(way);
            assert!(!masked.contains("CANARY"), "{way} -> {masked}");
            assert_eq!(masked.len(), way.len());
            let lines = |text: &str| text.matches('\n').count();
            assert_eq!(lines(&masked), lines(way));
        }
    }

    #[test]
    fn what_is_no_secret_stays_readable() {
        let plain = "# my accounts\naccounts:\n  us:\n    compass: x\n    password_file: ~/pw\n    region: cn\nsync_rules:\n  - { name: 跑步, source: us, title: \"a: b\" }\n";
        assert_eq!(text(plain), plain);
        let flow = "{\"password\": \"xy\", \"region\": \"us\"}";
        assert_eq!(text(flow), "{\"password\": \"**\", \"region\": \"us\"}");
        let after = "  password: |\n    x\n  region: us\n";
        assert_eq!(text(after), "  password: *\n*****\n  region: us\n");
    }

    #[test]
    fn hidden_letters_keep_their_bytes() {
        assert_eq!(text("password: 密码x"), "password: *******");
    }
}
