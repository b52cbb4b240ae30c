//! `schema`: what a scenario may say, for editors and checkers.

use super::Failure;
use super::console::Console;
use crate::scenario::schema::schema_json;
use clap::Args;

/// Print the JSON schema (draft 7) of a scenario file.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SchemaArgs {}

const EXAMPLES: &str = "Examples:
  herdsim schema > scenario.schema.json
  and as the first line of a scenario:  #:schema ./scenario.schema.json";

/// Does it.
pub fn perform(_: &SchemaArgs, console: &Console) -> Result<(), Failure> {
    let text = schema_json();
    console.result(&format!("{}\n", text.trim_end()))
}
