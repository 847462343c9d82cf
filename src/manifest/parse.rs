//! From a tree to typed values: known keys only, each value checked where it stands.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use regex::{Regex, RegexBuilder};

use crate::domain::{ActivityType, SportTable, nearest};

use super::faults::{Document, Fault, Faults};
use super::keys::{ACCOUNT, CACHE, Guard, Key, LIMITS, MANIFEST, RULE, Shape};
use super::load::LoadRequest;
use super::raw::{Entry, Kind, Node, Sort};
use super::trust::{Privacy, Trust};
use super::value::BadValue;
use super::{Located, codes, mask, value};

/// Compiled size of a regular expression; ordinary ones need a hundredth.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// What is handed down, and the list of faults.
pub(super) struct Reader<'a> {
    pub(super) request: &'a LoadRequest<'a>,
    pub(super) faults: Faults,
}

/// Whose keys are read; for messages.
#[derive(Clone, Copy)]
pub(super) enum Owner<'a> {
    Manifest,
    HomeAccounts,
    Account(&'a str),
    Rule,
    Cache,
    Limits,
}

impl Owner<'_> {
    fn place(self) -> &'static str {
        match self {
            Self::Manifest => "at the top of a manifest",
            Self::HomeAccounts => "at the top of accounts.yaml",
            Self::Account(_) => "in an account",
            Self::Rule => "in a rule",
            Self::Cache => "in 'cache'",
            Self::Limits => "in 'limits'",
        }
    }
}

/// A known key with a value.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) key: &'static Key,
    pub(super) document: &'a Document,
    pub(super) entry: &'a Entry,
}

/// The known keys of a mapping that hold anything.
#[derive(Default)]
pub(super) struct Fields<'a>(Vec<Field<'a>>);

impl<'a> Fields<'a> {
    /// Takes a mapping apart. Unknown keys and keys that need a private file are faults.
    pub(super) fn read(
        document: &'a Document,
        node: &'a Node,
        table: &'static [Key],
        owner: Owner<'_>,
        reader: &mut Reader<'_>,
    ) -> Self {
        let mut fields = Vec::new();
        let Kind::Map(entries) = &node.kind else {
            if !node.is_null() {
                let message =
                    format!("a mapping from keys to values belongs here, not {}", node.noun());
                let names: Vec<&str> = table.iter().map(|key| key.name).collect();
                let help = format!("keys {}: {}", owner.place(), names.join(", "));
                let fault = Fault::new(codes::WRONG_TYPE, node.span.clone(), message).help(help);
                reader.faults.error(document, fault);
            }
            return Self(fields);
        };
        for entry in entries {
            match table.iter().find(|key| key.name == entry.key) {
                None => reader.unknown_key(document, entry, table, owner),
                Some(_) if entry.value.is_null() => {}
                Some(key) => {
                    let field = Field { key, document, entry };
                    if key.guard == Guard::Private {
                        reader.guard(field, owner);
                    }
                    fields.push(field);
                }
            }
        }
        Self(fields)
    }

    /// The field of that name, if it stands there.
    pub(super) fn get(&self, name: &str) -> Option<Field<'a>> {
        self.0.iter().find(|field| field.key.name == name).copied()
    }

    /// All fields.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Field<'a>> {
        self.0.iter()
    }

    /// Both, `over` winning key by key.
    pub(super) fn merged(mut self, over: Self) -> Self {
        self.0.retain(|field| over.get(field.key.name).is_none());
        self.0.extend(over.0);
        self
    }
}

impl Reader<'_> {
    fn unknown_key(
        &mut self,
        document: &Document,
        entry: &Entry,
        table: &'static [Key],
        owner: Owner<'_>,
    ) {
        if self.faults.is_full() {
            return;
        }
        let shown = mask::key(&entry.key);
        let elsewhere = [
            (MANIFEST, Owner::Manifest),
            (ACCOUNT, Owner::Account("")),
            (RULE, Owner::Rule),
            (CACHE, Owner::Cache),
            (LIMITS, Owner::Limits),
        ]
        .into_iter()
        .find(|(table, _)| table.iter().any(|key| key.name == entry.key));
        let help = if let Some((_, place)) = elsewhere {
            format!("'{shown}' belongs {}", place.place())
        } else if let Some(name) = nearest(&entry.key, table.iter().map(|key| key.name)) {
            format!("did you mean '{name}'?")
        } else {
            let names: Vec<&str> = table.iter().map(|key| key.name).collect();
            format!("known keys: {}", names.join(", "))
        };
        let message = format!("there is no key '{shown}' {}", owner.place());
        let fault = Fault::new(codes::UNKNOWN_KEY, entry.span.clone(), message).help(help);
        self.faults.error(document, fault);
    }

    /// Refuses a key that is honoured in private files only, elsewhere.
    pub(super) fn guard(&mut self, field: Field<'_>, owner: Owner<'_>) {
        let privacy = &field.document.privacy;
        if *privacy == Privacy::Private || self.request.trust == Trust::Everything {
            return;
        }
        let (name, file) = (field.key.name, field.document.source.path.display());
        let close = match privacy {
            Privacy::InGit(_) | Privacy::Private => None,
            Privacy::Foreign => Some(format!("make {file} your own and close it (chmod 600)")),
            Privacy::Open => Some(format!("close it: chmod 600 {file}")),
        };
        let accounts = self.request.home.join("accounts.yaml");
        let at_home = field.document.path == accounts;
        let shift = match owner {
            Owner::Account(account) if !at_home => Some(format!(
                "move it to {} (chmod 600), as 'accounts: {{ {account}: {{ {name}: … }} }}'",
                accounts.display()
            )),
            Owner::Manifest if name == "state" => Some("use --state or FIT_SYNC_STATE".to_owned()),
            Owner::Account(_)
            | Owner::Manifest
            | Owner::HomeAccounts
            | Owner::Rule
            | Owner::Cache
            | Owner::Limits => None,
        };
        let trust = "set FIT_SYNC_TRUST_MANIFEST=1 if every line of this file is yours".to_owned();
        let ways: Vec<String> = [shift, close, Some(trust)].into_iter().flatten().collect();
        let message = format!(
            "'{name}' is honoured in private files only, and this file {}",
            privacy.words()
        );
        let fault = Fault::new(codes::NOT_PRIVATE, field.entry.span.clone(), message)
            .help(ways.join("; or "));
        self.faults.error(field.document, fault);
    }
}

impl<'a> Field<'a> {
    /// The value's place.
    pub(super) fn span(&self) -> Range<usize> {
        self.entry.value.head()
    }

    /// Reports a fault of the value.
    pub(super) fn fault(
        &self,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
        reader: &mut Reader<'_>,
    ) {
        let fault = Fault::new(code, self.span(), message).help(help);
        reader.faults.error(self.document, fault);
    }

    fn wrong_type(&self, help: &str, reader: &mut Reader<'_>) {
        let (name, expected) = (self.key.name, self.key.shape.expected());
        let message = format!("'{name}' must be {expected}, not {}", self.entry.value.noun());
        self.fault(codes::WRONG_TYPE, message, help, reader);
    }

    /// A scalar of any sort, as written.
    pub(super) fn scalar(&self, reader: &mut Reader<'_>) -> Option<&'a str> {
        match &self.entry.value.kind {
            Kind::Scalar(text, _) if !text.trim().is_empty() => Some(text),
            Kind::Scalar(..) => {
                let message = format!("'{}' is empty", self.key.name);
                let help = "fill it in, or remove the line";
                self.fault(codes::WRONG_TYPE, message, help, reader);
                None
            }
            Kind::List(_) | Kind::Map(_) => {
                self.wrong_type("write a single value", reader);
                None
            }
        }
    }

    /// Text.
    pub(super) fn text(&self, reader: &mut Reader<'_>) -> Option<String> {
        if let Kind::Scalar(_, Sort::Number | Sort::Flag) = &self.entry.value.kind {
            self.wrong_type("put the value in quotes if it is right", reader);
            return None;
        }
        self.scalar(reader).map(str::to_owned)
    }

    /// True or false.
    pub(super) fn flag(&self, reader: &mut Reader<'_>) -> Option<bool> {
        match &self.entry.value.kind {
            Kind::Scalar(text, Sort::Flag) => Some(text.eq_ignore_ascii_case("true")),
            Kind::Scalar(..) | Kind::List(_) | Kind::Map(_) => {
                self.wrong_type("write true or false, without quotes", reader);
                None
            }
        }
    }

    /// A whole number within what the key takes.
    pub(super) fn count(&self, reader: &mut Reader<'_>) -> Option<u32> {
        let Shape::Count(least) = self.key.shape else {
            return None;
        };
        let Kind::Scalar(text, Sort::Number) = &self.entry.value.kind else {
            self.wrong_type("write digits only, without quotes", reader);
            return None;
        };
        let number = text.parse().ok().filter(|number| *number >= least);
        if number.is_none() {
            let message = format!("'{}' must be a whole number of at least {least}", self.key.name);
            let help = format!("write a number from {least} to {}", u32::MAX);
            self.fault(codes::BAD_NUMBER, message, help, reader);
        }
        number
    }

    /// A value with a form of its own.
    pub(super) fn formed<T>(
        &self,
        form: fn(&str) -> Result<T, BadValue>,
        reader: &mut Reader<'_>,
    ) -> Option<T> {
        let text = self.scalar(reader)?;
        form(text)
            .map_err(|error| {
                let code = match &error {
                    BadValue::Date(_) | BadValue::Day(_) => codes::BAD_DATE,
                    BadValue::Distance(_) => codes::BAD_DISTANCE,
                    BadValue::Duration(_) => codes::BAD_DURATION,
                    BadValue::Ratio(_) => codes::BAD_RATIO,
                };
                let help = format!("write {}", self.key.shape.expected());
                self.fault(code, format!("'{}': {error}", self.key.name), help, reader);
            })
            .ok()
    }

    /// A regular expression.
    pub(super) fn pattern(&self, reader: &mut Reader<'_>) -> Option<Regex> {
        let text = self.scalar(reader)?;
        RegexBuilder::new(text)
            .size_limit(MAX_PATTERN_BYTES)
            .build()
            .map_err(|error| {
                let detail = if matches!(error, regex::Error::CompiledTooBig(_)) {
                    "it grows too large".to_owned()
                } else {
                    last_line(&error.to_string())
                };
                let message = format!("'{}' is no regular expression: {detail}", self.key.name);
                let help =
                    "put a backslash before a sign that is meant literally, such as \\( or \\*";
                self.fault(codes::BAD_PATTERN, message, help, reader);
            })
            .ok()
    }

    /// A path, made absolute.
    pub(super) fn path(&self, reader: &mut Reader<'_>) -> Option<PathBuf> {
        let text = self.scalar(reader)?;
        let path = if let Some(rest) = text.strip_prefix('~') {
            let below = rest.strip_prefix('/').or(rest.is_empty().then_some(""));
            match (below, reader.request.user_home) {
                (Some(below), Some(home)) => home.join(below.trim_start_matches('/')),
                (None, _) => {
                    let message = format!("'{}': only your own '~' is understood", self.key.name);
                    let help = "write '~/…' or a whole path; './~…' for a name with a tilde";
                    self.fault(codes::BAD_PATH, message, help, reader);
                    return None;
                }
                (Some(_), None) => {
                    let message = format!("'{}': your home folder is not known", self.key.name);
                    self.fault(codes::BAD_PATH, message, "write a whole path", reader);
                    return None;
                }
            }
        } else {
            self.document.folder().join(text)
        };
        if text.contains('\0') {
            let message = format!("'{}' holds a NUL character", self.key.name);
            self.fault(codes::BAD_PATH, message, "remove it", reader);
            return None;
        }
        Some(straight(&path))
    }

    /// Activity types; unknown ones are kept as they are, with a warning.
    pub(super) fn types(&self, reader: &mut Reader<'_>) -> Option<Located<Vec<ActivityType>>> {
        let node = &self.entry.value;
        let items: Vec<&Node> = match &node.kind {
            Kind::List(items) => items.iter().collect(),
            Kind::Scalar(_, Sort::Text) => vec![node],
            Kind::Scalar(..) | Kind::Map(_) => {
                self.wrong_type("write [running, cycling]", reader);
                return None;
            }
        };
        let mut types = Vec::new();
        for item in items {
            match &item.kind {
                Kind::Scalar(text, Sort::Text | Sort::Number) if !text.trim().is_empty() => {
                    types.push(self.one_type(text.trim(), item, reader));
                }
                Kind::Scalar(..) | Kind::List(_) | Kind::Map(_) => {
                    let message = format!("an activity type must be a word, not {}", item.noun());
                    let fault = Fault::new(codes::WRONG_TYPE, item.head(), message)
                        .help("write names such as running, or remove the entry");
                    reader.faults.error(self.document, fault);
                }
            }
        }
        (!types.is_empty()).then_some(Located { value: types, line: Some(self.entry.value.line) })
    }

    fn one_type(&self, text: &str, item: &Node, reader: &mut Reader<'_>) -> ActivityType {
        if let Some(known) = ActivityType::parse(text) {
            return known;
        }
        if !reader.faults.is_full() {
            let help = nearest(text, SportTable::names()).map_or_else(
                || "it is kept as a platform's own name, and matches that alone".to_owned(),
                |name| format!("did you mean '{name}'?"),
            );
            let message = format!("'{text}' is not a known activity type");
            let fault = Fault::new(codes::UNKNOWN_ACTIVITY_TYPE, item.head(), message).help(help);
            reader.faults.warning(self.document, fault);
        }
        ActivityType::opaque(text)
    }

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
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    Some(if secure {
        Address::Secure
    } else if loopback {
        Address::Loopback
    } else {
        Address::Plain
    })
}

/// Without `.` and `..`, as far as that can be known without looking at links.
fn straight(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

fn last_line(text: &str) -> String {
    text.lines()
        .last()
        .map(|line| line.trim_start_matches("error: ").to_owned())
        .unwrap_or_default()
}

/// Reads a field as a located value.
pub(super) fn located<'a, T>(
    field: Option<Field<'a>>,
    read: impl FnOnce(&Field<'a>) -> Option<T>,
) -> Option<Located<T>> {
    let field = field?;
    let value = read(&field)?;
    Some(Located { value, line: Some(field.entry.value.line) })
}

pub(super) use value::{date_bound, distance_m, duration_s, permille};
