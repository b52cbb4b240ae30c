//! From a complete tree to the grammar's structs.

use super::grammar::File;
use super::guess::Guess;
use super::problem::{Problem, Problems};
use super::tree::Node;
use super::{conform, mend, schema};

/// A complete tree as the grammar's structs; one that has not the shape of the grammar under a guess only.
pub fn read(mut standing: Node, guess: Option<Guess>, problems: &mut Problems) -> Option<(File, Node)> {
    let mut wrong = Problems::default();
    conform::check(&standing, schema::root(), "", &mut wrong);
    let wrong_shape = wrong.has_errors();
    problems.extend(wrong);
    if wrong_shape {
        mend::mend(&mut standing, schema::root(), guess?);
    }
    Some((file(&standing, problems)?, standing))
}

/// What has the shape of the grammar can be read.
pub fn file(standing: &Node, problems: &mut Problems) -> Option<File> {
    let said = |error| Problem::error(format!("the scenario cannot be read: {error}"), standing.place());
    let help = "this is a mistake of herdsim's: please report it, with the file";
    serde_json::from_value(standing.to_json()).map_err(|error| problems.push(said(error).help(help))).ok()
}
