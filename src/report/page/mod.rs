//! `report.html`: one file that shows a run or a comparison, to be opened from a disk without a network.
//!
//! Verdicts and tables are plain HTML and need no scripts; the charts are drawn by a script from data within
//! the page. A strict content-security policy lets only this page's own two scripts and styles work, by their
//! hashes. Every text from a scenario is escaped here or set as text by the script.

mod data;
mod downsample;
mod effects;
mod heat;
mod html;
pub mod overlay;
mod pack;
mod panels;
mod scenario;
mod tables;

use super::Header;
use crate::experiment::{Judged, Run};
use html::{fill, text};
use overlay::SeriesOverlay;
use serde_json::Value;
use sha2::{Digest, Sha256};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = concat!(include_str!("vendor/uPlot.min.css"), include_str!("page.css"));
/// The library with its licence, which asks to stand in every copy.
const LIBRARY: &str = concat!(
    "/*! uPlot. ",
    include_str!("vendor/LICENSE"),
    "\n*/\n",
    include_str!("vendor/uPlot.iife.min.js")
);
const SCRIPT: &str = concat!(include_str!("charts.js"), include_str!("tools.js"), include_str!("page.js"));

/// What a page is made of.
#[derive(Clone, Debug)]
pub struct Content<'a> {
    /// The scenario in short.
    pub header: &'a Header,
    /// The runs: variant by variant, seed by seed.
    pub runs: &'a [Run],
    /// The judged expectations.
    pub judged: &'a [Judged],
    /// `effects.json`; null where nothing was compared.
    pub effects: &'a Value,
    /// The resolved scenario of each variant, as TOML.
    pub resolved: &'a [(String, String)],
    /// `manifest.json`.
    pub manifest: &'a Value,
    /// The pictures of the run directory, by path.
    pub pictures: &'a [(String, Vec<u8>)],
    /// What was measured in life.
    pub overlays: &'a [SeriesOverlay],
}

/// The page.
pub fn html(content: &Content) -> String {
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}' '{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(LIBRARY),
        hash(SCRIPT)
    );
    fill(
        TEMPLATE,
        &[
            ("policy", policy),
            ("title", text(&content.header.title)),
            ("question", text(&content.header.question)),
            ("unfinished", tables::unfinished(content.manifest)),
            ("style", STYLE.to_owned()),
            ("verdicts", tables::verdicts(content.judged)),
            ("figures", tables::figures(content)),
            ("pictures", tables::pictures(content.pictures)),
            ("timelines", tables::timelines(content)),
            ("requests", tables::requests(content)),
            ("measured", overlay::told(content.overlays)),
            ("footer", tables::footer(content)),
            ("data", data::data(content)),
            ("uplot", LIBRARY.to_owned()),
            ("script", SCRIPT.to_owned()),
        ],
    )
}

/// The hash by which a policy knows an element's text.
fn hash(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text.as_bytes())))
}

/// RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let of = |n: usize| u32::from(three.get(n).copied().unwrap_or(0));
        let bits = of(0) << 16 | of(1) << 8 | of(2);
        for place in 0..4 {
            let digit = char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]);
            text.push(if place > three.len() { '=' } else { digit });
        }
    }
    text
}

#[cfg(test)]
mod tests;
