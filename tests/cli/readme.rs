//! The commands that the README and the help show are commands that the program takes.

use crate::desk::Desk;

#[test]
fn every_command_in_the_readme_and_the_guides_is_taken() {
    for text in [
        include_str!("../../README.md"),
        include_str!("../../docs/ci.md"),
        include_str!("../../docs/comparing.md"),
        include_str!("../../docs/pooler.md"),
        include_str!("../../docs/report.md"),
        include_str!("../../docs/settings.md"),
        include_str!("../../docs/sweeps.md"),
    ] {
        let in_blocks =
            text.lines().filter_map(|line| line.strip_prefix("$ ").or(line.strip_prefix("- run: ")));
        let commands: Vec<&str> = in_blocks.filter(|line| line.contains("herdsim ")).collect();
        assert!(!commands.is_empty(), "{text}");
        takes_all(&commands);
    }
}

#[test]
fn every_example_in_the_help_is_taken() {
    let desk = Desk::new();
    for verb in [
        "", "init ", "check ", "run ", "test ", "compare ", "sweep ", "merge ", "explain ", "trace ",
        "report ", "inspect ", "schema ",
    ] {
        let (help, _) = desk.ends(&format!("{verb}--help"), 0);
        let examples = help.split("Examples:").nth(1).unwrap_or_default();
        let commands: Vec<&str> = examples.lines().filter(|line| line.starts_with("  herdsim ")).collect();
        assert!(!commands.is_empty(), "{verb}: {examples}");
        takes_all(&commands);
    }
}

#[test]
fn every_command_in_the_files_for_schedulers_is_taken() {
    let files = [
        include_str!("../../deploy/cloud-run-job.yaml"),
        include_str!("../../deploy/kubernetes-indexed-job.yaml"),
        include_str!("../../deploy/slurm.sh"),
        include_str!("../../deploy/aws-batch.md"),
    ];
    for file in files {
        let commands =
            file.lines().flat_map(|line| line.match_indices("herdsim ").map(|(at, _)| &line[at..]));
        let commands: Vec<&str> = commands
            .filter(|command| command.starts_with("herdsim sweep ") || command.starts_with("herdsim merge "))
            .map(|command| command.split(['"', ';']).next().unwrap())
            .collect();
        assert!(commands.iter().any(|command| command.contains("--shard auto")), "{file}");
        assert!(commands.iter().any(|command| command.contains("merge")), "{file}");
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
