//! `schema`: what a scenario may say, and what programs find in our files; for editors and checkers.

use super::Failure;
use super::console::Console;
use crate::report::OUTPUT_SCHEMA;
use crate::scenario::schema::schema_json;
use clap::{Args, ValueEnum};

/// Print a JSON schema (draft 7): of a scenario file, or of what herdsim writes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SchemaArgs {
    /// Which
    #[arg(value_name = "OF", value_enum, default_value_t)]
    of: Of,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Of {
    /// A scenario file
    #[default]
    Scenario,
    /// The JSON files of a directory, and what `--format json` prints: a definition for each
    Output,
}

const EXAMPLES: &str = "Examples:
  herdsim schema > scenario.schema.json
  and as the first line of a scenario:  #:schema ./scenario.schema.json
  herdsim schema output > output.schema.json
  and for what reads expectations.json: {\"$ref\": \"output.schema.json#/definitions/expectations\"}";

/// Does it.
pub fn perform(args: &SchemaArgs, console: &Console) -> Result<(), Failure> {
    let text = match args.of {
        Of::Scenario => &schema_json(),
        Of::Output => OUTPUT_SCHEMA,
    };
    console.result(&format!("{}\n", text.trim_end()))
}
