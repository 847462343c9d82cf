//! Rules, one by one, and their names.

use std::collections::{HashMap, HashSet};

use crate::domain::{AccountName, RuleName, nearest};

use super::accounts::Accounts;
use super::check::Stated;
use super::faults::{Document, Fault};
use super::fields::{Field, Fields, Owner, Reader};
use super::keys::RULE;
use super::parse::located;
use super::raw::{Kind, Node};
use super::value::{date_bound, distance_m, duration_s};
use super::{ConflictStrategy, Filter, Rule, codes, mask};

/// More rules than anybody can review.
const MAX_RULES: usize = 256;

/// Reads `sync_rules`.
pub(super) fn read<'a>(
    section: Option<Field<'a>>,
    accounts: &Accounts,
    reader: &mut Reader<'_>,
) -> Vec<Stated<'a>> {
    let Some(section) = section else {
        return Vec::new();
    };
    let Kind::List(items) = &section.entry.value.kind else {
        let message =
            format!("'sync_rules' must be a list of rules, not {}", section.entry.value.noun());
        let help = "begin each rule with '- source: …'";
        section.fault(codes::WRONG_TYPE, message, help, reader);
        return Vec::new();
    };
    if let Some(item) = items.get(MAX_RULES) {
        let message = format!("there are more than {MAX_RULES} rules");
        let fault = Fault::new(codes::TOO_MANY_VALUES, item.head(), message);
        reader.faults.error(section.document, fault);
    }
    let items = || items.iter().take(MAX_RULES);
    let mut names = Names::default();
    let mut drafts = Vec::new();
    for item in items() {
        if item.is_null() {
            let message = "this entry holds no rule";
            let fault = Fault::new(codes::WRONG_TYPE, item.span.clone(), message)
                .help("fill it in, or remove it");
            reader.faults.error(section.document, fault);
            continue;
        }
        let fields = Fields::read(section.document, item, RULE, Owner::Rule, reader);
        let name = names.explicit(&fields, reader);
        if matches!(item.kind, Kind::Map(_)) {
            drafts.push((item, fields, name));
        }
    }
    drafts
        .into_iter()
        .filter_map(|(item, fields, name)| {
            rule(section.document, item, fields, name, accounts, &mut names, reader)
        })
        .collect()
}

fn rule<'a>(
    document: &'a Document,
    item: &'a Node,
    fields: Fields<'a>,
    name: Option<RuleName>,
    accounts: &Accounts,
    names: &mut Names,
    reader: &mut Reader<'_>,
) -> Option<Stated<'a>> {
    let filter = filter(&fields, reader);
    let strategy = fields
        .get("conflict_strategy")
        .and_then(|field| strategy(&field, reader))
        .unwrap_or_default();
    let source = end("source", document, item, &fields, accounts, reader);
    let destination = end("destination", document, item, &fields, accounts, reader);
    let (source, destination) = (source?, destination?);
    let name = name.unwrap_or_else(|| names.implied(&source, &destination));
    let rule = Rule { name, source, destination, filter, strategy, line: item.line };
    Some(Stated { rule, document, fields })
}

fn end(
    which: &str,
    document: &Document,
    item: &Node,
    fields: &Fields<'_>,
    accounts: &Accounts,
    reader: &mut Reader<'_>,
) -> Option<AccountName> {
    let names = || accounts.names.iter().map(String::as_str);
    let known: Vec<&str> = names().take(12).collect();
    let known = if known.is_empty() {
        "list it under 'accounts' first".to_owned()
    } else {
        format!("known accounts: {}", known.join(", "))
    };
    let Some(field) = fields.get(which) else {
        let help = format!("add '{which}: …'; {known}");
        let message = format!("the rule has no '{which}'");
        let fault = Fault::new(codes::MISSING_KEY, item.head(), message).help(help);
        reader.faults.error(document, fault);
        return None;
    };
    let text = field.scalar(reader)?;
    if accounts.names.contains(text) {
        return Some(AccountName::new(text));
    }
    if !accounts.complete {
        return None;
    }
    let platforms = &reader.request.catalog.platforms;
    let implied =
        platforms.iter().flat_map(|spec| spec.regions).any(|region| region.implied_by == text);
    let help = if implied {
        format!("add '{text}: {{ email: … }}' under 'accounts'")
    } else {
        nearest(text, names()).map_or(known, |name| format!("did you mean '{name}'?"))
    };
    let message = format!("there is no account '{text}'");
    field.fault(codes::UNKNOWN_ACCOUNT, message, help, reader);
    None
}

fn strategy(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<ConflictStrategy> {
    let text = field.scalar(reader)?;
    let known = ConflictStrategy::ALL.iter().find(|strategy| strategy.as_str() == text);
    if known.is_none() {
        let message = format!("there is no conflict strategy '{text}'");
        let help = nearest(text, ConflictStrategy::ALL.iter().map(|one| one.as_str())).map_or_else(
            || "write skip_existing or replace_existing".to_owned(),
            |name| format!("did you mean '{name}'?"),
        );
        field.fault(codes::UNKNOWN_STRATEGY, message, help, reader);
    }
    known.copied()
}

fn filter(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Filter {
    let get = |name| fields.get(name);
    Filter {
        types: get("activity_types").and_then(|field| field.types(reader)),
        exclude_types: get("exclude_types").and_then(|field| field.types(reader)),
        start_date: located(get("start_date"), |field| field.formed(date_bound, reader)),
        end_date: located(get("end_date"), |field| field.formed(date_bound, reader)),
        title: located(get("title"), |field| field.pattern(reader)),
        device: located(get("device"), |field| field.pattern(reader)),
        min_distance_m: located(get("min_distance"), |field| field.formed(distance_m, reader)),
        max_distance_m: located(get("max_distance"), |field| field.formed(distance_m, reader)),
        min_duration_s: located(get("min_duration"), |field| field.formed(duration_s, reader)),
        max_duration_s: located(get("max_duration"), |field| field.formed(duration_s, reader)),
    }
}

/// The names that rules have, and those that are left for rules without one.
#[derive(Default)]
struct Names {
    taken: HashSet<String>,
    last: HashMap<String, usize>,
}

impl Names {
    fn explicit(&mut self, fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<RuleName> {
        let field = fields.get("name")?;
        let text = field.scalar(reader)?;
        let form = text.len() <= 100
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c));
        if !form {
            let message = format!("'{}' cannot be the name of a rule", mask::key(text));
            let help = "use up to 100 lower-case letters, digits, '_' and '-'";
            field.fault(codes::BAD_NAME, message, help, reader);
            return None;
        }
        if !self.taken.insert(text.to_owned()) {
            let message = format!("another rule is named '{text}'");
            let help = "choose another name: decisions and links go by it";
            field.fault(codes::DUPLICATE_RULE, message, help, reader);
        }
        Some(RuleName::new(text))
    }

    fn implied(&mut self, source: &AccountName, destination: &AccountName) -> RuleName {
        let base = implied_name(source, destination);
        let last = self.last.entry(base.clone()).or_insert(0);
        loop {
            *last += 1;
            let name = if *last == 1 { base.clone() } else { format!("{base}-{last}") };
            if self.taken.insert(name.clone()) {
                return RuleName::new(name);
            }
        }
    }
}

/// What a rule is called that has no name of its own.
pub(super) fn implied_name(source: &AccountName, destination: &AccountName) -> String {
    format!("{source}-to-{destination}")
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
        .collect()
}
