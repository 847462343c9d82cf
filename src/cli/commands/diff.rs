//! `fit_sync diff ADDRESS`: source against destination, field by field.

use crate::engine;
use crate::render;

use super::super::args::Diff;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::state::parse;

/// Fetches both sides and prints how they differ.
pub async fn run(context: &Context, args: &Diff) -> Result<Exit, Failure> {
    let address = parse(&args.address)?;
    let (session, progress) = context.session()?;
    let pairing = engine::diff(&session, &address).await;
    progress.clear();
    let pairing = pairing?;
    let text =
        if args.json { render::json(&render::diff_json(&pairing)) } else { render::diff(&pairing) };
    context.printer.product(&text);
    let files = std::iter::once(&pairing.source).chain(&pairing.destinations);
    let lacks_one = files.into_iter().any(|fetched| fetched.file.is_err());
    Ok(if lacks_one { Exit::Failed } else { Exit::Done })
}
