//! YAML (and so JSON) as a tree in which every value knows its place.
//!
//! Built from parser events without recursion, so that one run can report all faults and hostile
//! texts end at a budget: depth, number of values, documents. Knows nothing of manifests.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde_yaml::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, options};

use super::codes;
use super::faults::Fault;
use super::raw::{Entry, Kind, Node, Sort, Tree};

/// Deepest nesting; a manifest needs five levels.
const MAX_DEPTH: usize = 24;

/// Reads one document of at most so many values.
pub(super) fn read(text: &str, max_values: usize) -> Result<Tree, Fault> {
    let limits = options! { flow_nesting_limit: MAX_DEPTH, block_nesting_limit: MAX_DEPTH };
    let mut builder = Builder { max_values, ..Builder::default() };
    for next in Parser::new_from_str_with_options(text, limits) {
        let (event, span) = next.map_err(|error| syntax(text, &error))?;
        builder.take(event, &span)?;
    }
    Ok(Tree { root: builder.root, faults: builder.faults })
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    values: usize,
    max_values: usize,
    anchors: HashMap<usize, Node>,
    faults: Vec<Fault>,
}

/// A collection whose end has not come yet.
struct Open {
    start: usize,
    line: usize,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, seen: HashSet<String>, key: Pending },
}

/// Which half of a key-value pair comes next.
enum Pending {
    Key,
    ValueOf(String, Range<usize>),
    /// The key was no good: its value is dropped.
    Dropped,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Fault> {
        let bytes = span.byte_range().unwrap_or(0..0);
        let line = span.start.line();
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Fault::new(
                        codes::SEVERAL_DOCUMENTS,
                        bytes,
                        "a second YAML document begins here",
                    )
                    .help("keep one document per file: remove the '---' line"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let custom = tag.as_ref().is_some_and(|tag| tag.is_custom());
                self.refuse_tag(custom, span);
                let sort = sort_of(&text, style, tag.is_some());
                self.finish(
                    Node { span: bytes, line, kind: Kind::Scalar(text.into_owned(), sort) },
                    anchor,
                )?;
            }
            Event::Alias(id) => self.repeat(id, bytes)?,
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some_and(|tag| tag.is_custom()), span);
                self.begin(bytes.start, line, anchor, Content::List(Vec::new()));
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some_and(|tag| tag.is_custom()), span);
                let content =
                    Content::Map { entries: Vec::new(), seen: HashSet::new(), key: Pending::Key };
                self.begin(bytes.start, line, anchor, content);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(bytes.end)?,
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentEnd
            | Event::Anchor(..)
            | Event::UnresolvedAlias(_)
            | _ => {}
        }
        Ok(())
    }

    fn refuse_tag(&mut self, custom: bool, span: &Span) {
        if custom {
            let tag = span.tag_span().unwrap_or(*span);
            self.faults.push(
                Fault::new(
                    codes::SYNTAX_ERROR,
                    tag.byte_range().unwrap_or(0..0),
                    "a YAML tag has no meaning here",
                )
                .help("remove the word that begins with '!', or put the value in quotes"),
            );
        }
    }

    fn begin(&mut self, start: usize, line: usize, anchor: usize, content: Content) {
        self.open.push(Open { start, line, anchor, content });
    }

    fn end(&mut self, end: usize) -> Result<(), Fault> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let kind = match open.content {
            Content::List(items) => Kind::List(items),
            Content::Map { entries, .. } => Kind::Map(entries),
        };
        let node = Node { span: open.start..end.max(open.start), line: open.line, kind };
        self.finish(node, open.anchor)
    }

    fn repeat(&mut self, id: usize, span: Range<usize>) -> Result<(), Fault> {
        let Some(node) = self.anchors.get(&id) else {
            return Err(Fault::new(
                codes::SYNTAX_ERROR,
                span,
                "an alias stands inside the value that it repeats",
            ));
        };
        let (depth, count) = node.extent();
        if self.open.len() + depth > MAX_DEPTH {
            return Err(too_deep(span));
        }
        self.values += count;
        self.within_budget(&span)?;
        let copy = node.clone();
        self.attach(copy);
        Ok(())
    }

    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        self.values += 1;
        self.within_budget(&node.span)?;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.attach(node);
        Ok(())
    }

    fn within_budget(&self, span: &Range<usize>) -> Result<(), Fault> {
        if self.values > self.max_values {
            let message = format!("the file unfolds to more than {} values", self.max_values);
            return Err(Fault::new(codes::TOO_MANY_VALUES, span.clone(), message)
                .help("write repeated parts out instead of repeating aliases of aliases"));
        }
        Ok(())
    }

    fn attach(&mut self, node: Node) {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, seen, key }) => {
                match std::mem::replace(key, Pending::Key) {
                    Pending::ValueOf(name, span) => {
                        entries.push(Entry { key: name, span, value: node })
                    }
                    Pending::Dropped => {}
                    Pending::Key => *key = key_of(node, seen, &mut self.faults),
                }
            }
        }
    }
}

fn key_of(node: Node, seen: &mut HashSet<String>, faults: &mut Vec<Fault>) -> Pending {
    let span = node.span;
    let Kind::Scalar(name, _) = node.kind else {
        let message = "a key must be a plain word, not a list or a mapping";
        faults.push(Fault::new(codes::WRONG_TYPE, span, message));
        return Pending::Dropped;
    };
    if seen.insert(name.clone()) {
        return Pending::ValueOf(name, span);
    }
    let message = format!("the key '{}' stands here twice", super::mask::key(&name));
    faults.push(
        Fault::new(codes::DUPLICATE_KEY, span, message)
            .help("keep one of the two: only one value can hold"),
    );
    Pending::Dropped
}

fn sort_of(text: &str, style: ScalarStyle, tagged: bool) -> Sort {
    if style != ScalarStyle::Plain || tagged {
        return Sort::Text;
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Sort::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Sort::Flag,
        _ if is_number(text) => Sort::Number,
        _ => Sort::Text,
    }
}

fn is_number(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit()) && text.parse::<f64>().is_ok()
}

fn too_deep(span: Range<usize>) -> Fault {
    let message = format!("values are nested more than {MAX_DEPTH} levels deep");
    Fault::new(codes::TOO_DEEP, span, message).help("a manifest needs no more than five levels")
}

fn syntax(text: &str, error: &ScanError) -> Fault {
    use serde_yaml::granit_parser::ErrorKind as E;

    let start = error.marker().byte_offset().unwrap_or(text.len());
    let end = text
        .get(start..)
        .and_then(|rest| rest.chars().next())
        .filter(|c| !c.is_whitespace())
        .map_or(start, |c| start + c.len_utf8());
    let kind = error.kind();
    if matches!(kind, E::RecursionLimitExceeded) {
        return too_deep(start..end);
    }
    let fault = Fault::new(codes::SYNTAX_ERROR, start..end, words(&kind.to_string()));
    let help = if matches!(
        kind,
        E::TabNotAllowed
            | E::TabInBlockIndentation
            | E::TabInIndentation
            | E::TabAtBlockScalarStart
    ) {
        "indent with spaces: YAML takes no tabs there"
    } else if matches!(kind, E::UnclosedQuotedScalar) {
        "close the quotation mark"
    } else if matches!(kind, E::MappingValueNotAllowed | E::InvalidColonPlacement) {
        "put a value that contains ': ' in quotes, and check the indentation"
    } else if matches!(kind, E::UnexpectedCharacter { .. }) {
        "put a value that begins with a sign such as @, % or ` in quotes"
    } else if matches!(kind, E::UnknownAnchor) {
        "put a value that begins with '*' in quotes"
    } else {
        "check indentation, quotation marks and brackets here and in the line before"
    };
    fault.help(help)
}

/// The parser's words in our form: lower case, no full stop.
fn words(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    let first = chars.next().map(|c| c.to_lowercase().to_string());
    format!("not valid YAML: {}{}", first.unwrap_or_default(), chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        read(text, 100_000).unwrap_err().code
    }

    #[test]
    fn values_know_line_span_and_sort() {
        let text = "a: 1\n中: [x, \"2\"]\nb:\n";
        let root = read(text, 100_000).unwrap().root.unwrap();
        let Kind::Map(entries) = root.kind else { panic!("not a mapping") };
        assert_eq!(&text[entries[1].span.clone()], "中");
        assert_eq!(entries[1].value.line, 2);
        assert_eq!(&text[entries[1].value.span.clone()], "[x, \"2\"]");
        assert_eq!(entries[0].value.noun(), "a number");
        assert!(entries[2].value.is_null());
    }

    #[test]
    fn json_with_tabs_and_escapes_is_yaml() {
        let text = "{\n\t\"a\": {\n\t\t\"b\": [1, true, null],\n\t\t\"c\": \"\\u00e9\\ud83d\\ude00\\/\"\n\t}\n}\n";
        let root = read(text, 100_000).unwrap().root.unwrap();
        assert!(format!("{root:?}").contains("é😀/"));
    }

    #[test]
    fn hostile_texts_end_at_a_budget() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..12 {
            let alias = format!("*a{}", i - 1);
            let list = vec![alias; 9].join(", ");
            bomb.push_str(&format!("a{i}: &a{i} [{list}]\n"));
        }
        assert_eq!(code(&bomb), "too_many_values");
        let mut chain = "a0: &a0 [x]\n".to_owned();
        for i in 1..5000 {
            chain.push_str(&format!("a{i}: &a{i} [*a{}]\n", i - 1));
        }
        assert_eq!(code(&chain), "too_deep");
        assert_eq!(code(&"[".repeat(5000)), "too_deep");
        assert_eq!(code(&"{a: ".repeat(5000)), "too_deep");
        assert_eq!(code(&"- ".repeat(5000)), "too_deep");
        let steps: String = (0..300).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
        assert_eq!(code(&steps), "too_deep");
        assert_eq!(code("a: 1\n---\nb: 2\n"), "several_documents");
        assert_eq!(code("a: &a [*a]\n"), "syntax_error");
    }

    #[test]
    fn a_second_key_is_a_fault_and_the_rest_is_read() {
        let tree = read("a: 1\na: 2\n? [x]\n: 3\nb: !tag 4\n", 100).unwrap();
        let codes: Vec<_> = tree.faults.iter().map(|fault| fault.code).collect();
        assert_eq!(codes, ["duplicate_key", "wrong_type", "syntax_error"]);
        assert!(format!("{:?}", tree.root).contains("\"b\""));
    }
}
