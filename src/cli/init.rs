//! `init`: a scenario to begin with.

use super::Failure;
use super::console::Console;
use crate::scenario::schema::schema_json;
use clap::Args;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Write a commented scenario to begin with, and the schema that editors complete from.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InitArgs {
    /// Which one; see --list-templates.
    #[arg(long, value_name = "NAME", default_value = TEMPLATES[0].name, value_parser = template)]
    template: &'static Template,
    /// List the templates.
    #[arg(long, conflicts_with = "file")]
    list_templates: bool,
    /// Where to; `-` is stdout [default: the template's name, with .toml].
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  herdsim init                                    quickstart.toml, here
  herdsim init --template fleet my-fleet.toml     a fuller one
  herdsim init --template fleet - | less          only look at it";

/// A scenario that ships with the program.
#[derive(Debug)]
pub struct Template {
    name: &'static str,
    about: &'static str,
    text: &'static str,
}

static TEMPLATES: [Template; 2] = [
    Template {
        name: "quickstart",
        about: "one service, one Postgres; a restart starts a herd, jitter disperses it",
        text: include_str!("../../scenarios/quickstart.toml"),
    },
    Template {
        name: "fleet",
        about: "two services, jobs, an attack, an upgrade, a deploy, expectations, sources",
        text: include_str!("../../templates/fleet.toml"),
    },
];

/// In the repository the schema has a directory of its own; beside a user's file it lies next to it.
const SCHEMA_HERE: &str = "#:schema ../schema/scenario.schema.json";
const SCHEMA_THERE: &str = "#:schema ./scenario.schema.json";

fn template(name: &str) -> Result<&'static Template, String> {
    let names = || TEMPLATES.iter().map(|template| template.name).collect::<Vec<_>>().join(", ");
    TEMPLATES.iter().find(|t| t.name == name).ok_or_else(|| format!("there are: {}", names()))
}

/// Does it.
pub fn perform(args: &InitArgs, console: &Console) -> Result<(), Failure> {
    if args.list_templates {
        let lines = TEMPLATES.iter().map(|t| format!("{:<12}{}\n", t.name, t.about));
        return console.result(&lines.collect::<String>());
    }
    let text = args.template.text.replacen(SCHEMA_HERE, SCHEMA_THERE, 1);
    let file = args.file.clone().unwrap_or_else(|| PathBuf::from(format!("{}.toml", args.template.name)));
    if file.as_os_str() == "-" {
        return console.result(&text);
    }
    create(&file, &text)?;
    let schema = file.with_file_name("scenario.schema.json");
    // One that is there already serves other scenarios; `herdsim schema` renews it on purpose.
    if !schema.exists() {
        create(&schema, &schema_json())?;
    }
    console.note(&format!("wrote {} (its schema beside it, for editors)", file.display()));
    console.note(&format!("next: herdsim compare {}", file.display()));
    Ok(())
}

/// Writes a file that was not there before; its directory is made if need be.
fn create(file: &Path, text: &str) -> Result<(), Failure> {
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).map_err(|error| Failure::io("create", parent, error))?;
    }
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    opened.and_then(|mut out| out.write_all(text.as_bytes())).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::io("write", file, "it is there already; name another file")
        }
        _ => Failure::io("write", file, error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Document;

    #[test]
    fn every_template_points_at_the_schema_and_is_named_once() {
        for template in &TEMPLATES {
            assert!(template.text.starts_with(SCHEMA_HERE), "{}", template.name);
            assert_eq!(TEMPLATES.iter().filter(|other| other.name == template.name).count(), 1);
        }
    }

    #[test]
    fn every_template_is_a_valid_scenario() {
        for template in &TEMPLATES {
            let mut file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
            std::io::Write::write_all(&mut file, template.text.as_bytes()).unwrap();
            if let Err(problems) = Document::load(file.path(), &[], &[]) {
                panic!("{}", problems.render(false));
            }
        }
    }
}
