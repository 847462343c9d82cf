//! YAML shapes: a tree in which every value knows its place.

use std::ops::Range;

use super::faults::Fault;

/// A text, read.
#[derive(Debug)]
pub(super) struct Tree {
    /// `None` if there is nothing but comments.
    pub(super) root: Option<Node>,
    /// What is wrong but did not keep the rest from being read.
    pub(super) faults: Vec<Fault>,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Bytes of the text.
    pub(super) span: Range<usize>,
    /// Line of its start, from 1.
    pub(super) line: usize,
    /// The value.
    pub(super) kind: Kind,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A scalar as written, escapes resolved.
    Scalar(String, Sort),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in order, every key once.
    Map(Vec<Entry>),
}

/// What a scalar means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Flag,
    /// A decimal number.
    Number,
    /// All else, and everything in quotes.
    Text,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: String,
    /// Bytes of the key.
    pub(super) span: Range<usize>,
    /// What it holds.
    pub(super) value: Node,
}

impl Node {
    /// Whether it is as good as absent.
    pub(super) fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar(_, sort) => *sort == Sort::Null,
            Kind::List(_) | Kind::Map(_) => false,
        }
    }

    /// What it is, with its article.
    pub(super) fn noun(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(_, Sort::Null) => "nothing",
            Kind::Scalar(_, Sort::Flag) => "true or false",
            Kind::Scalar(_, Sort::Number) => "a number",
            Kind::Scalar(_, Sort::Text) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// The part to point at: a mapping's first key, else the whole value.
    pub(super) fn head(&self) -> Range<usize> {
        match &self.kind {
            Kind::Map(entries) => {
                entries.first().map_or(self.span.clone(), |entry| entry.span.clone())
            }
            Kind::Scalar(..) | Kind::List(_) => self.span.clone(),
        }
    }

    /// Depth and number of values in it; the depth of any tree is bounded.
    pub(super) fn extent(&self) -> (usize, usize) {
        let add = |sum: (usize, usize), node: &Self| {
            let (depth, count) = node.extent();
            (sum.0.max(depth), sum.1 + count)
        };
        let (depth, count) = match &self.kind {
            Kind::Scalar(..) => (0, 0),
            Kind::List(items) => items.iter().fold((0, 0), add),
            Kind::Map(entries) => entries.iter().map(|entry| &entry.value).fold((0, 0), add),
        };
        (depth + 1, count + 1)
    }
}
