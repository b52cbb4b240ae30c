//! The typeface of every picture: a subset of DejaVu Sans that travels inside the program.
//!
//! A picture must not depend on which fonts a machine has, and plotters draws no text at all before a font is
//! registered. Characters outside the subset (Latin-1, punctuation, arrows, relations) show as a box in PNG.

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};
use std::sync::OnceLock;

/// The name in the pictures; SVG viewers without DejaVu take Verdana, which has the same widths.
const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";
/// Ascent and descent of DejaVu Sans, in em: what the rasteriser calls the size of a font.
const HEIGHT_EM: f64 = 1.164;

/// Normal or bold text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Normal.
    Normal,
    /// Bold.
    Bold,
}

/// The font at a size that plotters understands: `size` is that of the line, not of the em.
pub fn font(size: f64, weight: Weight) -> FontDesc<'static> {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| {
        // These bytes are part of the program and a test draws with them: registration cannot fail.
        let _ = register_font(FAMILY, FontStyle::Normal, include_bytes!("fonts/DejaVuSans-subset.ttf"));
        let _ = register_font(FAMILY, FontStyle::Bold, include_bytes!("fonts/DejaVuSans-Bold-subset.ttf"));
    });
    let style = match weight {
        Weight::Normal => FontStyle::Normal,
        Weight::Bold => FontStyle::Bold,
    };
    FontDesc::new(FontFamily::Name(FAMILY), size, style)
}

/// The rasteriser's size of a font whose em is `em` pixels.
pub fn line_size(em: f64) -> f64 {
    em * HEIGHT_EM
}

/// The width of a text in pixels.
pub fn width(text: &str, em: f64, weight: Weight) -> f64 {
    // Widths come back in whole pixels: measure large, scale down.
    const FINE: f64 = 16.0;
    let size = font(line_size(em) * FINE, weight).box_size(text);
    size.map_or(0.0, |(wide, _)| f64::from(wide) / FINE)
}

/// The text, cut with an ellipsis where it would be wider than `room`.
pub fn fit(text: &str, em: f64, weight: Weight, room: f64) -> String {
    let text = printable(text);
    if width(&text, em, weight) <= room {
        return text;
    }
    let chars: Vec<char> = text.chars().collect();
    let cut = |n: usize| chars[..n].iter().collect::<String>().trim_end().to_owned() + "…";
    let (mut fits, mut too_long) = (0, chars.len());
    while too_long - fits > 1 {
        let middle = (fits + too_long) / 2;
        if width(&cut(middle), em, weight) <= room {
            fits = middle;
        } else {
            too_long = middle;
        }
    }
    cut(fits)
}

/// The text without characters that an SVG file must not hold.
pub fn printable(text: &str) -> String {
    let allowed = |c: char| !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}');
    text.chars().map(|c| if allowed(c) { c } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_to_fit() {
        let title = "a very long title ".repeat(200);
        let cut = fit(&title, 18.0, Weight::Bold, 300.0);
        assert!(cut.ends_with('…') && width(&cut, 18.0, Weight::Bold) <= 300.0, "{cut}");
        assert_eq!(fit("short", 18.0, Weight::Bold, 300.0), "short");
        assert_eq!(fit("", 18.0, Weight::Bold, 0.0), "");
    }

    #[test]
    fn control_characters_never_reach_a_picture() {
        assert_eq!(printable("a\u{0}b\nc\u{FFFF}"), "a b c ");
    }
}
