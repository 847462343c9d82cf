//! Values, each read and checked where it stands.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use regex::{Regex, RegexBuilder};

use crate::domain::{ActivityType, SportTable, nearest};

use super::faults::Fault;
use super::fields::{Field, Reader};
use super::keys::Shape;
use super::raw::{Kind, Node, Sort};
use super::value::BadValue;
use super::{Located, codes};

/// Compiled size of a regular expression; ordinary ones need a hundredth.
const MAX_PATTERN_BYTES: usize = 1 << 20;

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

    pub(super) fn wrong_type(&self, help: &str, reader: &mut Reader<'_>) {
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
        pattern(self.scalar(reader)?)
            .map_err(|detail| {
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
}

/// Reads a regular expression; what is wrong with it, if it is none.
pub fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).size_limit(MAX_PATTERN_BYTES).build().map_err(|error| {
        if matches!(error, regex::Error::CompiledTooBig(_)) {
            "it grows too large".to_owned()
        } else {
            last_line(&error.to_string())
        }
    })
}

/// Without `.` and `..`, as far as that can be known without looking at links.
pub(super) fn straight(path: &Path) -> PathBuf {
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
