//! `fit_sync schema DOCUMENT`.

use crate::manifest;
use crate::plan::Document;
use crate::render::{Line, Report};

use super::super::args::{Schema, SchemaOf};
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;

/// Prints a JSON Schema.
pub fn run(context: &Context, args: &Schema) -> Result<Exit, Failure> {
    let schema = match args.of {
        SchemaOf::Manifest => manifest::schema(&context.catalog),
        SchemaOf::Plan => schemars::schema_for!(Document).to_value(),
        SchemaOf::Event => schemars::schema_for!(Line).to_value(),
        SchemaOf::Report => schemars::schema_for!(Report).to_value(),
    };
    let text = serde_json::to_string_pretty(&schema).map_err(|error| {
        Failure::new(Exit::Bug, format!("the schema cannot be written: {error}"), "report it")
    })?;
    context.printer.product(&(text + "\n"));
    Ok(Exit::Done)
}
