//! `init`: a scenario to begin with.

use super::Failure;
use super::activity::{self, Activity};
use super::console::Console;
use super::first::{self, Evidence};
use crate::measure::snapshot::{Bunching, Snapshot};
use crate::scenario::schema::schema_json;
use crate::scenario::values::{self, dsn};
use clap::Args;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

/// Write a commented scenario to begin with, and the schema that editors complete from.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InitArgs {
    /// Which scenario to write; --list-templates says what there is.
    #[arg(long, value_name = "NAME", default_value = TEMPLATES[0].name, value_parser = template)]
    template: &'static Template,
    /// List the templates.
    #[arg(long, conflicts_with = "file")]
    list_templates: bool,
    /// Write a first scenario of your own fleet instead, from the YAML of a Cloud Run service, or of
    /// Deployments and their autoscalers on Kubernetes (may be repeated).
    #[arg(long, value_name = "YAML", conflicts_with = "template")]
    from: Vec<PathBuf>,
    /// From a connection string, too, or of it alone: pgxpool's parameters are taken, nothing else is kept.
    #[arg(long, value_name = "STRING", conflicts_with_all = ["template", "dsn_env"])]
    dsn: Option<String>,
    /// The same from an environment variable, which is read anew each time that the scenario is.
    #[arg(long, value_name = "NAME", conflicts_with = "template")]
    dsn_env: Option<String>,
    /// From what `psql --csv` shows of pg_stat_activity, too, as for `inspect`.
    #[arg(long, value_name = "CSV", conflicts_with = "template")]
    activity: Option<PathBuf>,
    /// The file to write, which must not be there yet; `-` is stdout [default: the template's or the
    /// service's name, with .toml].
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  herdsim init                                    quickstart.toml, here
  herdsim init --template fleet my-fleet.toml     a fuller one
  herdsim init --template fleet - | less          only look at it
  herdsim init --from service.yaml --dsn-env DATABASE_URL mine.toml     your own fleet
  kubectl get deployment,hpa -o yaml > fleet.yaml; herdsim init --from fleet.yaml mine.toml";

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
    let own = args.is_own();
    let (name, text) = match own {
        true => own_fleet(args, console)?,
        false => (args.template.name.to_owned(), args.template.text.replacen(SCHEMA_HERE, SCHEMA_THERE, 1)),
    };
    let file = args.file.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.toml")));
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
    let verb = if own { "check" } else { "compare" };
    console.note(&format!("next: herdsim {verb} {}", file.display()));
    Ok(())
}

impl InitArgs {
    /// Whether anything of a fleet is given.
    fn is_own(&self) -> bool {
        !self.from.is_empty() || self.dsn.is_some() || self.dsn_env.is_some() || self.activity.is_some()
    }
}

/// The name and text of a first scenario from what is given.
fn own_fleet(args: &InitArgs, console: &Console) -> Result<(String, String), Failure> {
    let usage = |why: String| Failure::Usage(why);
    let mut found = Evidence::default();
    for file in &args.from {
        let name = file.display().to_string();
        let named = |why: String| usage(if why.contains(&name) { why } else { format!("{name}: {why}") });
        for service in values::services(file).map_err(named)? {
            found.services.push((beside(args.file.as_deref(), file), service));
        }
        let unread = values::unread(file).map_err(named)?;
        if !unread.is_empty() {
            let all = unread.join(", ");
            console.note(&format!("{name} holds more that runs: {all}; `[job.NAME]` can stand for a job"));
        }
    }
    let text = match (&args.dsn, &args.dsn_env) {
        (Some(text), _) => Some(text.clone()),
        (None, Some(name)) => {
            let unset = |_| usage(format!("the environment variable `{name}` is not set"));
            Some(std::env::var(name).map_err(unset)?)
        }
        (None, None) => None,
    };
    if let Some(text) = text {
        found.pool = Some((dsn::read(&text).map_err(usage)?, args.dsn_env.clone()));
    }
    if let Some(file) = &args.activity {
        let bytes = fs::read(file).map_err(|error| Failure::input(file, error))?;
        let name = file.display().to_string();
        let Activity { connections, now, newest, .. } = activity::read(&bytes, &name)?;
        let now = now.or(newest).unwrap_or_default();
        let mut clients: BTreeMap<_, usize> = BTreeMap::new();
        for connection in &connections {
            *clients.entry(connection.client.as_deref()).or_default() += 1;
        }
        let bunched = Snapshot::new(&connections, now, None).verdict == Bunching::Bunched;
        found.activity = Some(first::Activity { file: name, each: clients.into_values().collect(), bunched });
    }
    let name = found.services.first().and_then(|(_, service)| service.name.clone());
    Ok((name.unwrap_or_else(|| "fleet".to_owned()), first::text(&found)))
}

/// How a scenario names a file: by the way from its own directory, or whole where that is not plain.
fn beside(scenario: Option<&Path>, file: &Path) -> String {
    let directory = scenario.and_then(Path::parent).unwrap_or(Path::new(""));
    let plain = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
    let way = if plain(directory) && file.is_relative() {
        let up: PathBuf = directory.components().map(|_| "..").collect();
        file.strip_prefix(directory).map_or_else(|_| up.join(file), Path::to_owned)
    } else {
        file.canonicalize().unwrap_or_else(|_| file.to_owned())
    };
    way.display().to_string()
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
    fn a_file_is_named_by_the_way_from_the_scenario() {
        let named = |scenario: &str, file: &str| beside(Some(Path::new(scenario)), Path::new(file));
        assert_eq!(named("mine.toml", "service.yaml"), "service.yaml");
        assert_eq!(named("herdsim/mine.toml", "service.yaml"), "../service.yaml");
        assert_eq!(named("herdsim/mine.toml", "herdsim/service.yaml"), "service.yaml");
        assert_eq!(named("a/b/mine.toml", "deploy/service.yaml"), "../../deploy/service.yaml");
        assert_eq!(named("/etc/mine.toml", "/nowhere/service.yaml"), "/nowhere/service.yaml");
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
