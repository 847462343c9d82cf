//! `fit_sync cache import PATH --account NAME`: a first migration without downloads.

use crate::engine;
use crate::render;

use super::super::args::{Cache, CacheImport};
use super::super::choice;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::show::detail;

/// Runs one of the commands about the cache.
pub async fn run(context: &Context, command: &Cache) -> Result<Exit, Failure> {
    match command {
        Cache::Import(args) => import(context, args).await,
    }
}

async fn import(context: &Context, args: &CacheImport) -> Result<Exit, Failure> {
    let (session, progress) = context.session()?;
    let account = choice::account(&session.manifest, &args.account)?;
    let spec = context.catalog.platform(&account.platform);
    if spec.is_some_and(|spec| spec.capabilities.lists_bytes) {
        let happened =
            format!("{} is a folder or zip: its files are read where they are", account.name);
        let next = "name an account whose files have to be downloaded";
        return Err(Failure::new(Exit::Invalid, happened, next));
    }
    let path = context.env.absolute(&args.path);
    let imported = engine::import(&session, account, &path).await;
    progress.clear();
    let imported = imported?;
    for note in &imported.notes {
        context.printer.detail(note);
    }
    context.printer.product(&render::imported(&account.name, &imported, detail(context)));
    Ok(Exit::Done)
}
