//! Mappings taken apart: known keys only, and those that need a private file only there.

use crate::domain::nearest;

use super::faults::{Document, Fault, Faults};
use super::keys::{ACCOUNT, CACHE, Guard, Key, LIMITS, MANIFEST, RULE};
use super::load::LoadRequest;
use super::raw::{Entry, Kind, Node};
use super::trust::{Privacy, Trust};
use super::{codes, mask};

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
