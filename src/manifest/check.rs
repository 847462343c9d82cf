//! What single values cannot show: whether the parts of a manifest go together.

use std::collections::HashMap;

use crate::domain::{AccountName, PlatformSpec};

use super::accounts::Accounts;
use super::faults::{Document, Fault};
use super::fields::{Field, Fields, Reader};
use super::{Account, ConflictStrategy, DateBound, Located, Rule, codes};

/// A rule and where it is stated.
pub(super) struct Stated<'a> {
    pub(super) rule: Rule,
    pub(super) document: &'a Document,
    pub(super) fields: Fields<'a>,
}

/// Checks rules against accounts, and against each other.
pub(super) fn rules(rules: &[Stated<'_>], accounts: &Accounts, reader: &mut Reader<'_>) {
    for stated in rules {
        ends(stated, accounts, reader);
        dates(stated, reader);
        let filter = &stated.rule.filter;
        let pairs = [
            ("min_distance", "max_distance", &filter.min_distance_m, &filter.max_distance_m),
            ("min_duration", "max_duration", &filter.min_duration_s, &filter.max_duration_s),
        ];
        for (low, high, least, most) in pairs {
            range(stated, (low, high), (least.as_ref(), most.as_ref()), reader);
        }
    }
    both_ways(rules, reader);
}

fn ends(stated: &Stated<'_>, accounts: &Accounts, reader: &mut Reader<'_>) {
    let rule = &stated.rule;
    let Some(field) = stated.fields.get("destination") else {
        return;
    };
    if rule.source == rule.destination {
        let message = format!("'{}' is source and destination at once", rule.source);
        let help = "a rule needs two different accounts";
        field.fault(codes::SAME_ACCOUNT, message, help, reader);
        return;
    }
    let Some(account) = accounts.good.get(&rule.destination) else {
        return;
    };
    let Some(spec) = reader.request.catalog.platform(&account.platform) else {
        return;
    };
    if account.is_export() {
        let message = format!(
            "nothing can be uploaded to '{}': its path names a zip, which is only read",
            rule.destination
        );
        let help = "name a folder as the destination; the zip can still be a source";
        field.fault(codes::CANNOT_UPLOAD, message, help, reader);
    } else if !takes_uploads(spec, account) {
        let name = &rule.destination;
        let region = account.region.as_deref().unwrap_or_default();
        let message = format!("nothing can be uploaded to '{name}' ({} {region})", spec.name);
        let help = "choose another destination; the account can still be a source";
        field.fault(codes::CANNOT_UPLOAD, message, help, reader);
    } else if rule.strategy == ConflictStrategy::ReplaceExisting && !spec.capabilities.delete {
        let message = format!("nothing can be replaced at '{}'", rule.destination);
        let help = format!("{} deletes no activities: use skip_existing", spec.name);
        let field = stated.fields.get("conflict_strategy").unwrap_or(field);
        field.fault(codes::CANNOT_REPLACE, message, help, reader);
    }
}

pub(super) fn takes_uploads(spec: &PlatformSpec, account: &Account) -> bool {
    let region = spec.regions.iter().find(|region| Some(region.id) == account.region.as_deref());
    spec.capabilities.upload && region.is_none_or(|region| region.uploads)
}

fn dates(stated: &Stated<'_>, reader: &mut Reader<'_>) {
    let filter = &stated.rule.filter;
    let (Some(start), Some(end)) = (&filter.start_date, &filter.end_date) else {
        return;
    };
    let reversed = match (start.value, end.value) {
        (DateBound::Day(start), DateBound::Day(end)) => start > end,
        (DateBound::DaysAgo(start), DateBound::DaysAgo(end)) => start < end,
        (DateBound::Day(_), DateBound::DaysAgo(_)) | (DateBound::DaysAgo(_), DateBound::Day(_)) => {
            false
        }
    };
    if let Some(field) = stated.fields.get("start_date").filter(|_| reversed) {
        let message = "'start_date' is after 'end_date': the rule takes nothing";
        let help = "exchange them, or correct one";
        field.fault(codes::START_AFTER_END, message, help, reader);
    }
}

fn range(
    stated: &Stated<'_>,
    (low, high): (&str, &str),
    (least, most): (Option<&Located<u32>>, Option<&Located<u32>>),
    reader: &mut Reader<'_>,
) {
    let (Some(least), Some(most)) = (least, most) else {
        return;
    };
    if let Some(field) = stated.fields.get(low).filter(|_| least.value > most.value) {
        let message = format!("'{low}' is above '{high}': the rule takes nothing");
        let help = "exchange them, or correct one";
        field.fault(codes::EMPTY_RANGE, message, help, reader);
    }
}

/// Two rules that replace in opposite directions would undo each other for ever.
fn both_ways(rules: &[Stated<'_>], reader: &mut Reader<'_>) {
    let mut seen: HashMap<(&AccountName, &AccountName), &Rule> = HashMap::new();
    for stated in rules {
        let rule = &stated.rule;
        if rule.strategy != ConflictStrategy::ReplaceExisting || rule.source == rule.destination {
            continue;
        }
        if let Some(other) = seen.get(&(&rule.destination, &rule.source)) {
            let message = format!(
                "'{}' replaces what '{}' (line {}) brought, and the other way round",
                rule.name, other.name, other.line
            );
            let help = "let one of the two keep 'conflict_strategy: skip_existing'";
            let field: Option<Field<'_>> = stated.fields.get("conflict_strategy");
            if let Some(field) = field {
                let fault = Fault::new(codes::REPLACE_BOTH_WAYS, field.span(), message).help(help);
                reader.faults.error(stated.document, fault);
            }
        }
        seen.entry((&rule.source, &rule.destination)).or_insert(rule);
    }
}
