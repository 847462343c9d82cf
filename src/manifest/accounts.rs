//! Accounts: those of the manifest, those of this machine merged over them, platform and region
//! settled.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use secrecy::SecretString;

use crate::domain::{AccountName, PlatformSpec, RegionSpec, nearest};

use super::faults::{Document, Fault};
use super::fields::{Field, Fields, Owner, Reader};
use super::keys::ACCOUNT;
use super::raw::{Entry, Kind};
use super::{Account, PasswordSource, codes, mask, trust};

/// More accounts than anybody has.
const MAX_ACCOUNTS: usize = 256;

/// What was found under `accounts`.
#[derive(Default)]
pub(super) struct Accounts {
    /// Those without a fault.
    pub(super) good: BTreeMap<AccountName, Account>,
    /// The names of all, so that a faulty account is not unknown as well.
    pub(super) names: BTreeSet<String>,
    /// Whether these are all; if not, an unknown name may stand in what cannot be read.
    pub(super) complete: bool,
}

/// Keys that every account may have: where there is nothing to pace they do no harm.
const EVERYWHERE: &[&str] = &["max_parallel", "min_gap_ms", "settle_s", "allow_login"];

/// Where an account stands: its place, and its keys in the manifest and in home.
struct Draft<'a> {
    document: &'a Document,
    entry: &'a Entry,
    fields: Fields<'a>,
}

/// Reads the `accounts` of the manifest and of this machine, the latter winning key by key.
pub(super) fn read(
    sections: &[Option<Field<'_>>],
    complete: bool,
    reader: &mut Reader<'_>,
) -> Accounts {
    let mut drafts: BTreeMap<String, Draft<'_>> = BTreeMap::new();
    for section in sections.iter().flatten() {
        for entry in entries(*section, reader) {
            let document = section.document;
            let owner = Owner::Account(&entry.key);
            let fields = Fields::read(document, &entry.value, ACCOUNT, owner, reader);
            let draft = match drafts.remove(&entry.key) {
                Some(below) => Draft { fields: below.fields.merged(fields), ..below },
                None => Draft { document, entry, fields },
            };
            drafts.insert(entry.key.clone(), draft);
        }
    }
    let readable = |section: &Field<'_>| matches!(section.entry.value.kind, Kind::Map(_));
    let mut accounts = Accounts {
        complete: complete && sections.iter().flatten().all(readable),
        ..Accounts::default()
    };
    for (name, draft) in drafts {
        let folded = name.to_lowercase();
        if accounts.names.iter().any(|other| other.to_lowercase() == folded) {
            let message = format!("another account's name differs from '{name}' in case only");
            let fault = Fault::new(codes::BAD_NAME, draft.entry.span.clone(), message).help(
                "choose another name: variables and files go by it, and they may ignore case",
            );
            reader.faults.error(draft.document, fault);
        }
        if let Some(account) = account(&name, &draft, reader) {
            accounts.good.insert(account.name.clone(), account);
        }
        accounts.names.insert(name);
    }
    accounts
}

fn entries<'a>(section: Field<'a>, reader: &mut Reader<'_>) -> Vec<&'a Entry> {
    let Kind::Map(entries) = &section.entry.value.kind else {
        let message = format!(
            "'accounts' must be {}, not {}",
            section.key.shape.expected(),
            section.entry.value.noun()
        );
        let help = "write 'garmin_us: { email: … }' and the like, one account per name";
        section.fault(codes::WRONG_TYPE, message, help, reader);
        return Vec::new();
    };
    let mut good = Vec::new();
    for entry in entries.iter().take(MAX_ACCOUNTS) {
        if is_name(&entry.key) {
            good.push(entry);
        } else {
            let shown = mask::key(&entry.key);
            let message = format!("'{shown}' cannot be the name of an account");
            let fault = Fault::new(codes::BAD_NAME, entry.span.clone(), message)
                .help("use up to 64 letters, digits, '_' and '-'");
            reader.faults.error(section.document, fault);
        }
    }
    if let Some(entry) = entries.get(MAX_ACCOUNTS) {
        let message = format!("there are more than {MAX_ACCOUNTS} accounts");
        let fault = Fault::new(codes::TOO_MANY_VALUES, entry.span.clone(), message);
        reader.faults.error(section.document, fault);
    }
    good
}

/// Account names become names of files and of environment variables.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && !name.starts_with('-')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

fn account(name: &str, draft: &Draft<'_>, reader: &mut Reader<'_>) -> Option<Account> {
    let request = reader.request;
    let fields = &draft.fields;
    let implied = request.catalog.platforms.iter().find_map(|spec| {
        let region = spec.regions.iter().find(|region| region.implied_by == name)?;
        Some((spec, region))
    });
    let at = |key: &str| fields.get(key);
    let email = at("email").and_then(|field| field.text(reader));
    let password = passwords(fields, reader);
    let mfa_command = at("mfa_command").and_then(|field| field.text(reader));
    let path = at("path").and_then(|field| field.path(reader));
    let proxy = at("proxy").and_then(|field| field.proxy(reader)).map(SecretString::from);
    let ca_file = at("ca_file").and_then(|field| field.path(reader));
    let max_parallel = at("max_parallel").and_then(|field| field.count(reader));
    let min_gap_ms = at("min_gap_ms").and_then(|field| field.count(reader));
    let settle_s = at("settle_s").and_then(|field| field.count(reader));
    let allow_login = at("allow_login").and_then(|field| field.flag(reader));
    let upload_as_import = at("upload_as_import").and_then(|field| field.flag(reader));
    let spec = platform(name, draft, implied.map(|(spec, _)| spec), reader)?;
    let implied_region = implied.and_then(|(of, region)| (of.id == spec.id).then_some(region));
    let region = region(spec, draft, implied_region, reader);
    let endpoints = at("endpoints")
        .filter(|_| !spec.endpoints.is_empty())
        .map(|field| field.endpoints(spec.endpoints, reader))
        .unwrap_or_default();
    misplaced(spec, draft, reader);
    let name = AccountName::new(name);
    Some(Account {
        name,
        platform: spec.id.to_owned(),
        region: region?.map(|region| region.id.to_owned()),
        email,
        password,
        mfa_command,
        path,
        proxy,
        ca_file,
        max_parallel,
        min_gap_ms: min_gap_ms.map(u64::from),
        settle_s: settle_s.map(u64::from),
        allow_login,
        upload_as_import,
        endpoints,
    })
}

/// The sources of the password in the order in which they are tried.
fn passwords(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Vec<PasswordSource> {
    let env = fields
        .get("password_env")
        .and_then(|field| variable(&field, reader))
        .map(PasswordSource::Env);
    let file = fields.get("password_file").and_then(|field| {
        let path = field.path(reader)?;
        let readable = fs::canonicalize(&path).is_ok_and(|real| {
            fs::metadata(&real)
                .is_ok_and(|metadata| trust::is_open(&real, &metadata, reader.request.uid))
        });
        if readable {
            let message = "other users can read this password file";
            let fault = Fault::new(codes::READABLE_PASSWORD_FILE, field.span(), message)
                .help("close it with chmod 600");
            reader.faults.warning(field.document, fault);
        }
        Some(PasswordSource::File(path))
    });
    let command = fields
        .get("password_command")
        .and_then(|field| field.text(reader))
        .map(PasswordSource::Command);
    let literal = fields
        .get("password")
        .and_then(|field| field.scalar(reader))
        .map(|text| PasswordSource::Literal(SecretString::from(text)));
    [env, file, command, literal].into_iter().flatten().collect()
}

/// The name of an environment variable.
fn variable(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let name = field.text(reader)?;
    let form = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if !form {
        let message = "'password_env' must be the name of an environment variable";
        let help = "write a name such as GARMIN_PASSWORD, not the password itself";
        field.fault(codes::BAD_NAME, message, help, reader);
    }
    form.then_some(name)
}

fn platform<'a>(
    name: &str,
    draft: &Draft<'_>,
    implied: Option<&'a PlatformSpec>,
    reader: &mut Reader<'a>,
) -> Option<&'a PlatformSpec> {
    let catalog = reader.request.catalog;
    let ids = || catalog.platforms.iter().map(|spec| spec.id);
    if let Some(field) = draft.fields.get("platform") {
        let text = field.scalar(reader)?;
        let spec = catalog.platform(text);
        if spec.is_none() {
            let known: Vec<&str> = ids().collect();
            let help = nearest(text, ids()).map_or_else(
                || format!("known platforms: {}", known.join(", ")),
                |id| format!("did you mean '{id}'?"),
            );
            let message = format!("there is no platform '{text}'");
            field.fault(codes::UNKNOWN_PLATFORM, message, help, reader);
        }
        return spec;
    }
    if implied.is_none() {
        let names: Vec<&str> = catalog
            .platforms
            .iter()
            .flat_map(|spec| spec.regions.iter().map(|region| region.implied_by))
            .collect();
        let help = nearest(name, names.iter().copied()).map_or_else(
            || {
                let known: Vec<&str> = ids().collect();
                format!("add 'platform: …', one of {}", known.join(", "))
            },
            |near| format!("add 'platform: …'; or did you mean the name '{near}'?"),
        );
        let message = format!("account '{name}' has no platform, and its name implies none");
        missing(draft, message, help, reader);
    }
    implied
}

/// The region; `Some(None)` for a platform that has none, `None` after a fault.
fn region<'a>(
    spec: &'a PlatformSpec,
    draft: &Draft<'_>,
    implied: Option<&'a RegionSpec>,
    reader: &mut Reader<'_>,
) -> Option<Option<&'a RegionSpec>> {
    let ids: Vec<&str> = spec.regions.iter().map(|region| region.id).collect();
    let Some(field) = draft.fields.get("region") else {
        let only = match spec.regions {
            [] => return Some(None),
            [one] => Some(one),
            _ => implied,
        };
        if only.is_none() {
            let message = format!("{} needs a region", spec.name);
            let help = format!("add 'region: …', one of {}", ids.join(", "));
            missing(draft, message, help, reader);
        }
        return only.map(Some);
    };
    let text = field.scalar(reader)?;
    if spec.regions.is_empty() {
        not_for_platform(field, spec, reader);
        return None;
    }
    let found = spec.regions.iter().find(|region| region.id == text);
    if found.is_none() {
        let help = nearest(text, ids.iter().copied()).map_or_else(
            || format!("its regions: {}", ids.join(", ")),
            |id| format!("did you mean '{id}'? its regions: {}", ids.join(", ")),
        );
        let message = format!("{} has no region '{text}'", spec.name);
        field.fault(codes::UNKNOWN_REGION, message, help, reader);
    }
    found.map(Some)
}

/// Keys that another platform's accounts have and this one's do not, and the reverse.
fn misplaced(spec: &PlatformSpec, draft: &Draft<'_>, reader: &mut Reader<'_>) {
    let others = &reader.request.catalog.platforms;
    for field in draft.fields.iter() {
        let name = field.key.name;
        let foreign = !EVERYWHERE.contains(&name)
            && !spec.account_keys.contains(&name)
            && others.iter().any(|other| other.account_keys.contains(&name));
        let no_endpoints = name == "endpoints" && spec.endpoints.is_empty();
        if foreign || no_endpoints {
            not_for_platform(*field, spec, reader);
        }
    }
    if spec.account_keys.contains(&"path") && draft.fields.get("path").is_none() {
        let message = format!("account '{}' needs a 'path'", draft.entry.key);
        let help = "add 'path: …', the folder that holds the FIT files".to_owned();
        missing(draft, message, help, reader);
    }
}

fn not_for_platform(field: Field<'_>, spec: &PlatformSpec, reader: &mut Reader<'_>) {
    let (id, name) = (spec.id, field.key.name);
    let message = format!("an account of platform '{id}' has no '{name}'");
    let fault = Fault::new(codes::KEY_NOT_FOR_PLATFORM, field.entry.span.clone(), message)
        .help("remove it, or correct 'platform'");
    reader.faults.error(field.document, fault);
}

fn missing(draft: &Draft<'_>, message: String, help: String, reader: &mut Reader<'_>) {
    let fault = Fault::new(codes::MISSING_KEY, draft.entry.span.clone(), message).help(help);
    reader.faults.error(draft.document, fault);
}
