//! The commands that the README and the help show are commands that the program takes.

use crate::desk::Desk;

#[test]
fn every_command_in_the_readme_is_taken() {
    let readme = include_str!("../../README.md");
    let in_blocks =
        readme.lines().filter_map(|line| line.strip_prefix("$ ").or(line.strip_prefix("- run: ")));
    let commands: Vec<&str> = in_blocks.filter(|line| line.contains("herdsim ")).collect();
    assert!(commands.len() > 5, "{commands:?}");
    takes_all(&commands);
}

#[test]
fn every_example_in_the_help_is_taken() {
    let desk = Desk::new();
    for verb in [
        "", "init ", "check ", "run ", "test ", "compare ", "sweep ", "explain ", "report ", "inspect ",
        "schema ",
    ] {
        let (help, _) = desk.ends(&format!("{verb}--help"), 0);
        let examples = help.split("Examples:").nth(1).unwrap_or_default();
        let commands: Vec<&str> = examples.lines().filter(|line| line.starts_with("  herdsim ")).collect();
        assert!(!commands.is_empty(), "{verb}: {examples}");
        takes_all(&commands);
    }
}

/// With `--help` at its end a command is parsed from its beginning, and not performed.
fn takes_all(commands: &[&str]) {
    let desk = Desk::new();
    for command in commands {
        let from = command.find("herdsim ").unwrap() + "herdsim ".len();
        // Two blanks begin an explanation; what a shell would take away is taken away.
        let line = command[from..].split("  ").next().unwrap();
        let line = line.split(['>', '|', '#']).next().unwrap().replace('\'', "");
        desk.ends(&format!("{line} --help"), 0);
    }
}
