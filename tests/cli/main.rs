//! The program as a user meets it: arguments in; stdout, stderr, files and an exit code out.

mod check;
mod ci;
mod compare;
mod desk;
mod explain;
mod help;
mod init;
mod inspect;
mod interrupt;
mod matrix;
mod readme;
mod report;
mod results;
mod schema;
mod simulate;
mod sweep;
mod sweep_find;
mod sweep_kept;
mod trace;
