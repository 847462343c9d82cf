//! `fit_sync explain ADDRESS`: why a plan says what it says about an activity.

use crate::engine;
use crate::render;

use super::super::args::Explain;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::state::parse;

/// Prints everything that is known about an address.
pub async fn run(context: &Context, args: &Explain) -> Result<Exit, Failure> {
    let address = parse(&args.address)?;
    let (session, progress) = context.session()?;
    let explanation = engine::explain(&session, &address).await;
    progress.clear();
    let manifest = session.manifest.path.display().to_string();
    context.printer.product(&render::explained(&explanation?, &manifest));
    Ok(Exit::Done)
}
