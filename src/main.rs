//! The door: everything behind it is in `herdsim::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    herdsim::cli::main()
}
