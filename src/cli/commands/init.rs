//! `fit_sync init`: a manifest to start from.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::archive::disk::{self, Access, Care};
use crate::domain::neutralise;
use crate::manifest::{self, LoadRequest, Starter, Trust};

use super::super::args::Init;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;

/// Where the manifest goes unless `--config` says otherwise.
const HERE: &str = "fit_sync.yaml";

/// Writes a manifest, and `accounts.yaml` if an old configuration holds secrets.
pub fn run(context: &Context, args: &Init) -> Result<Exit, Failure> {
    let shown = context.global.config.clone().unwrap_or_else(|| PathBuf::from(HERE));
    let target = context.env.absolute(&shown);
    let old = old_configuration(context, args, &target);
    let starter = match &old {
        None => manifest::starter(),
        Some(old) => convert(context, old)?,
    };
    let accounts = context.env.home.join("accounts.yaml");
    refuse_taken(&target)?;
    if starter.accounts.is_some() {
        refuse_taken(&accounts)?;
    }
    write(context, &starter, &target, &accounts)?;
    tell(context, &starter, old.as_deref(), &shown, &accounts);
    check(context, &shown)
}

/// The configuration to start from: the one that was named, else an old `config.json` in home.
fn old_configuration(context: &Context, args: &Init, target: &Path) -> Option<PathBuf> {
    let at_home = context.env.home.join("config.json");
    let at_home = (at_home.exists() && at_home != target).then_some(at_home);
    args.from.clone().or(at_home)
}

fn convert(context: &Context, old: &Path) -> Result<Starter, Failure> {
    let request = LoadRequest {
        path: old,
        cwd: &context.env.cwd,
        home: &context.env.home,
        user_home: context.env.user_home.as_deref(),
        catalog: &context.catalog,
        // Nothing in it is used or run; its secrets move to where they may be.
        trust: Trust::Everything,
        uid: context.env.uid,
    };
    manifest::convert(&request).map_err(|findings| {
        context.printer.error(&context.findings(&findings));
        Failure::told(Exit::Invalid)
    })
}

fn refuse_taken(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(taken(path))
}

fn taken(path: &Path) -> Failure {
    let happened = format!("{} is there already, and init overwrites nothing", path.display());
    let mut failure =
        Failure::new(Exit::Failed, happened, "move it away, or name another with --config");
    failure.means = "Nothing was written.".to_owned();
    failure
}

fn write(
    context: &Context,
    starter: &Starter,
    target: &Path,
    accounts: &Path,
) -> Result<(), Failure> {
    if let Some(text) = &starter.accounts {
        context.home()?;
        put(accounts, text, Access::Private)?;
    }
    put(target, &starter.manifest, Access::Shared).inspect_err(|_| {
        if starter.accounts.is_some() {
            // Ours, made a moment ago: half a conversion would be in the way of the next one.
            let _ = std::fs::remove_file(accounts);
        }
    })
}

fn put(path: &Path, text: &str, access: Access) -> Result<(), Failure> {
    disk::write_new(path, text.as_bytes(), access, None, Care::Synced).map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return taken(path);
        }
        let happened = format!("{} cannot be written: {error}", path.display());
        Failure::new(Exit::Failed, happened, "check its folder, or name another with --config")
    })
}

fn tell(context: &Context, starter: &Starter, old: Option<&Path>, shown: &Path, accounts: &Path) {
    let from = old.map(|old| format!(" from {}", old.display())).unwrap_or_default();
    let wrote = format!("Wrote {}{from}.", shown.display());
    context.printer.product(&(neutralise(&wrote) + "\n"));
    if starter.accounts.is_some() {
        let wrote = format!("Wrote its secrets to {} (0600).", accounts.display());
        context.printer.product(&(neutralise(&wrote) + "\n"));
    }
    for key in &starter.left_out {
        context.printer.note(&format!("'{key}' is honoured in private files only: left out"));
    }
    let next = match old {
        None => "next: put your accounts into it, then run `fit_sync validate` and `fit_sync plan`",
        Some(_) => "next: look at it, then run `fit_sync plan`; the old file is left as it is",
    };
    context.printer.note(next);
}

/// What was written is what will be read.
fn check(context: &Context, shown: &Path) -> Result<Exit, Failure> {
    let manifest = context.manifest_at(shown).map_err(|findings| {
        context.printer.error(&context.findings(&findings));
        Failure::told(Exit::Invalid)
    })?;
    if !manifest.warnings.is_empty() {
        context.printer.note(&context.findings(&manifest.warnings));
    }
    Ok(Exit::Done)
}
