//! `completions` and `man`: made from the same definitions as `--help`, for packagers.

use super::Failure;
use super::console::Console;
use clap::{Args, Command};
use clap_complete::Shell;

/// Print a shell's completions.
#[derive(Debug, Args)]
#[command(hide = true)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Print the man page, or that of a verb.
#[derive(Debug, Args)]
#[command(hide = true)]
pub struct ManArgs {
    /// The verb.
    #[arg(value_name = "VERB")]
    verb: Option<String>,
}

/// Prints completions.
pub fn completions(args: &CompletionsArgs, mut command: Command, console: &Console) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, "herdsim", &mut text);
    console.result(&String::from_utf8_lossy(&text))
}

/// Prints a man page.
pub fn man(args: &ManArgs, mut command: Command, console: &Console) -> Result<(), Failure> {
    command.build();
    if let Some(verb) = &args.verb {
        let found = command.find_subcommand(verb).cloned();
        command = found.ok_or_else(|| Failure::Usage(format!("unknown verb `{verb}`")))?;
    }
    let mut text = Vec::new();
    let rendered = clap_mangen::Man::new(command).render(&mut text);
    rendered.map_err(|error| Failure::Io(format!("cannot render the man page: {error}")))?;
    console.result(&String::from_utf8_lossy(&text))
}
