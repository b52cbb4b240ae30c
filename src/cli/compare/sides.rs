//! What files or directories that are held against each other have in common: names that tell them apart, one
//! length, and a place for the results.

use super::args::CompareArgs;
use crate::cli::{Failure, inputs};
use crate::engine::time::Span;
use crate::scenario::Document;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What a long run has more of than a short one tells nothing of their scenarios. Each comes with its
/// length.
///
/// # Errors
/// [`Failure::Usage`] if two are not equally long.
pub fn equally_long(all: impl Iterator<Item = (String, Span)>) -> Result<(), Failure> {
    let all: Vec<(String, Span)> = all.collect();
    // Of equals the first.
    let short = all.iter().min_by_key(|(_, length)| *length);
    let long = all.iter().rev().max_by_key(|(_, length)| *length);
    match short.zip(long) {
        Some(((brief, short), (longest, long))) if short != long => Err(Failure::Usage(format!(
            "the runs are not equally long ({brief}: {short}, {longest}: {long}), and spikes or requests of more \
             time are more: run all with `--duration {short}`"
        ))),
        _ => Ok(()),
    }
}

/// The names of several files or directories that tell them apart: the last part of their paths or, where two
/// share it, the paths.
///
/// # Errors
/// [`Failure::Usage`] if one is there twice.
pub fn names(paths: &[PathBuf]) -> Result<Vec<String>, Failure> {
    let plain = |path: &PathBuf| {
        let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
        let last = if path.is_dir() { whole.file_name() } else { whole.file_stem() };
        last.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
    };
    let short: Vec<String> = paths.iter().map(plain).collect();
    let mut names: Vec<String> = Vec::new();
    for (path, name) in paths.iter().zip(&short) {
        let shared = short.iter().filter(|other| *other == name).count() > 1;
        let name = if shared { path.with_extension("").display().to_string() } else { name.clone() };
        if names.contains(&name) {
            return Err(Failure::Usage(format!("`{}` is there twice", path.display())));
        }
        names.push(name);
    }
    Ok(names)
}

/// Those of the variants that this file has, named plainly or after its own name.
pub fn of_side(variants: &[String], side: &str, document: &Document) -> Vec<String> {
    let own = |name: &String| {
        let name = name.trim();
        let plain = name.strip_prefix(side).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name);
        document.scenario(plain).map(|scenario| scenario.variant.clone())
    };
    variants.iter().filter_map(own).collect()
}

/// Whether every variant that is named is in one of these files at the least.
///
/// # Errors
/// [`Failure::Usage`] if one is in none.
pub fn each_is_there(variants: &[String], sides: &[(&str, &Document)]) -> Result<(), Failure> {
    let has = |name: &String| {
        sides.iter().any(|(side, document)| !of_side(std::slice::from_ref(name), side, document).is_empty())
    };
    let Some(missing) = variants.iter().find(|name| !has(name)) else { return Ok(()) };
    let mut known = BTreeSet::new();
    for (side, document) in sides {
        let names = document.scenarios.keys();
        known.extend(names.map(|name| match missing.contains('/') {
            true => format!("{side}/{name}"),
            false => name.clone(),
        }));
    }
    Err(inputs::unknown_variant(missing.trim(), &known.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// The name under which a variant of one of several is shown: that of its file or directory if it is the only
/// one from there.
pub fn shown_as(side: &str, variant: &str, only: bool) -> String {
    if only { side.to_owned() } else { format!("{side}/{variant}") }
}

/// `before-after`, `before-and-3-more`.
pub fn joined(names: &[String]) -> String {
    const MOST: usize = 3;
    let plain: Vec<String> = names.iter().map(|name| name.replace(['/', '\\'], "-")).collect();
    if plain.len() <= MOST { plain.join("-") } else { format!("{}-and-{}-more", plain[0], plain.len() - 1) }
}

/// Where results of several go unless a directory is named.
pub fn out(args: &CompareArgs, names: &[String]) -> PathBuf {
    let by_default = || PathBuf::from("runs").join(joined(names) + "-compare");
    args.handling.running.out.clone().unwrap_or_else(by_default)
}
