//! A picture as a list of shapes, drawn as SVG and as PNG by the same code.
//!
//! plotters rounds every coordinate to whole pixels and draws PNG lines without anti-aliasing. So everything
//! is drawn at three times its size; the PNG is then averaged down, and the SVG says a third of its size in
//! `width` and `height`. Charts make shapes in final pixels, as floats, and know nothing of this. Left out:
//! curves, rotated text, gradients.

use super::font::{self, Weight};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ColorType, ImageEncoder};
use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{RGBAColor, ShapeStyle, TextStyle};

/// How much larger everything is drawn.
const ZOOM: f64 = 3.0;
/// plotters-svg divides a font's size by this to get its em, and puts the baseline this far below the top.
const SVG_EM: f64 = 1.24;
const SVG_BASELINE_EM: f64 = 0.76;

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// A point, in pixels from the top left.
pub type Point = (f64, f64);

/// Which part of a text stands at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Left,
    /// Its middle.
    Middle,
    /// Its end.
    Right,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub colour: Rgb,
    /// Its width in pixels.
    pub width: f64,
    /// Lengths of strokes and gaps in turn; empty for a solid line.
    pub dash: &'static [f64],
}

/// How a text is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Type {
    /// The size of the em in pixels.
    pub em: f64,
    /// Normal or bold.
    pub weight: Weight,
    /// Its colour.
    pub colour: Rgb,
}

/// What can be drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A filled rectangle.
    Rect {
        /// Its top left corner.
        at: Point,
        /// Its width and height.
        size: Point,
        /// Its colour.
        fill: Rgb,
        /// 1 hides what is beneath.
        opacity: f64,
    },
    /// A line through points.
    Line {
        /// The points.
        points: Vec<Point>,
        /// How it is drawn.
        stroke: Stroke,
    },
    /// A line of text.
    Text {
        /// Where its baseline begins, is centred or ends.
        at: Point,
        /// Which of these.
        anchor: Anchor,
        /// How it is set.
        face: Type,
        /// The text.
        text: String,
    },
}

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
    /// What it shows, for those who cannot see it.
    pub title: String,
    /// Its shapes; later ones hide earlier ones.
    pub shapes: Vec<Shape>,
}

impl Drawing {
    /// An empty white picture.
    pub fn new(width: f64, height: f64, title: &str) -> Drawing {
        let mut drawing = Drawing { width, height, title: font::printable(title), shapes: Vec::new() };
        drawing.rect((0.0, 0.0), (width, height), Rgb(255, 255, 255), 1.0);
        drawing
    }

    /// Adds a filled rectangle.
    pub fn rect(&mut self, at: Point, size: Point, fill: Rgb, opacity: f64) {
        if size.0 > 0.0 && size.1 > 0.0 {
            self.shapes.push(Shape::Rect { at, size, fill, opacity });
        }
    }

    /// Adds a line.
    pub fn line(&mut self, points: Vec<Point>, stroke: Stroke) {
        if points.len() > 1 {
            self.shapes.push(Shape::Line { points, stroke });
        }
    }

    /// Adds a text.
    pub fn text(&mut self, at: Point, anchor: Anchor, face: Type, text: &str) {
        let text = font::printable(text);
        if !text.is_empty() {
            self.shapes.push(Shape::Text { at, anchor, face, text });
        }
    }

    /// The picture as an SVG file.
    pub fn svg(&self) -> String {
        let mut text = String::new();
        {
            let mut backend = SVGBackend::with_string(&mut text, self.large());
            self.paint(&mut backend, Format::Svg);
            let _ = backend.present();
        }
        let (wide, high) = self.large();
        let large = format!("<svg width=\"{wide}\" height=\"{high}\"");
        let small =
            format!("<svg width=\"{}\" height=\"{}\" role=\"img\"", self.width.round(), self.height.round());
        let text = text.replacen(&large, &small, 1);
        let title = self.title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text.replacen(">\n", &format!(">\n<title>{title}</title>\n"), 1)
    }

    /// The picture as a PNG file.
    pub fn png(&self) -> Vec<u8> {
        let (wide, high) = self.large();
        let mut pixels = vec![255; wide as usize * high as usize * 3];
        {
            let mut backend = BitMapBackend::with_buffer(&mut pixels, (wide, high));
            self.paint(&mut backend, Format::Png);
            let _ = backend.present();
        }
        let mut file = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut file, CompressionType::Best, FilterType::NoFilter);
        let (width, height) = (self.width.round() as u32, self.height.round() as u32);
        // Writing to memory does not fail.
        let _ = encoder.write_image(&shrunk(&pixels, wide as usize), width, height, ColorType::Rgb8);
        file
    }

    fn large(&self) -> (u32, u32) {
        ((self.width.round() * ZOOM) as u32, (self.height.round() * ZOOM) as u32)
    }

    /// Draws every shape. A shape that a backend cannot draw is left out rather than the whole picture.
    fn paint<B: DrawingBackend>(&self, backend: &mut B, format: Format) {
        for shape in &self.shapes {
            let _ = match shape {
                Shape::Rect { at, size, fill, opacity } => {
                    let (from, to) = (zoomed(*at), zoomed((at.0 + size.0, at.1 + size.1)));
                    let to = (to.0.max(from.0 + 1), to.1.max(from.1 + 1));
                    let style = ShapeStyle { color: rgba(*fill, *opacity), filled: true, stroke_width: 1 };
                    backend.draw_rect(from, to, &style, true).is_ok()
                }
                Shape::Line { points, stroke } => {
                    let stroke_width = (stroke.width * ZOOM).round().max(1.0) as u32;
                    let style = ShapeStyle { color: rgba(stroke.colour, 1.0), filled: false, stroke_width };
                    dashed(points, stroke.dash).iter().all(|piece| match format {
                        Format::Svg => {
                            backend.draw_path(piece.iter().map(|point| zoomed(*point)), &style).is_ok()
                        }
                        Format::Png => draw_segments(backend, piece, stroke.width, &style),
                    })
                }
                Shape::Text { at, anchor, face, text } => {
                    draw_text(backend, format, *at, *anchor, face, text)
                }
            };
        }
    }
}

/// Each pixel is the mean of its three by three: in integers, so that the bytes are the same on every
/// platform, and without the ringing of sharper filters.
fn shrunk(pixels: &[u8], wide: usize) -> Vec<u8> {
    const N: usize = ZOOM as usize;
    let row = wide * 3;
    let mut small = Vec::with_capacity(pixels.len() / (N * N));
    for rows in pixels.chunks_exact(row * N) {
        for left in (0..row).step_by(3 * N) {
            for channel in 0..3 {
                let part = |n: usize| u32::from(rows[n / N * row + left + n % N * 3 + channel]);
                let sum: u32 = (0..N * N).map(part).sum();
                small.push(((sum + (N * N / 2) as u32) / (N * N) as u32) as u8);
            }
        }
    }
    small
}

/// The two back ends differ in where they put text and how they join lines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Svg,
    Png,
}

fn zoomed((x, y): Point) -> (i32, i32) {
    ((x * ZOOM).round() as i32, (y * ZOOM).round() as i32)
}

fn rgba(Rgb(red, green, blue): Rgb, opacity: f64) -> RGBAColor {
    RGBAColor(red, green, blue, opacity)
}

/// The bitmap back end joins lines with mitres of any length, so a jagged line would grow thorns: draw each
/// segment by itself, half a width longer at both ends.
fn draw_segments<B: DrawingBackend>(
    backend: &mut B,
    points: &[Point],
    width: f64,
    style: &ShapeStyle,
) -> bool {
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let (dx, dy) = (x1 - x0, y1 - y0);
        let length = (dx * dx + dy * dy).sqrt();
        if length == 0.0 {
            continue;
        }
        let (ex, ey) = (dx / length * width * 0.4, dy / length * width * 0.4);
        let ends = [zoomed((x0 - ex, y0 - ey)), zoomed((x1 + ex, y1 + ey))];
        if backend.draw_path(ends, style).is_err() {
            return false;
        }
    }
    true
}

fn draw_text<B: DrawingBackend>(
    backend: &mut B,
    format: Format,
    (x, baseline): Point,
    anchor: Anchor,
    face: &Type,
    text: &str,
) -> bool {
    let em = face.em * ZOOM;
    let (size, above) = match format {
        Format::Svg => (em * SVG_EM, em * SVG_BASELINE_EM),
        Format::Png => (font::line_size(em), font::line_size(em) / 2.0),
    };
    let h_pos = match anchor {
        Anchor::Left => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::Right => HPos::Right,
    };
    let style = TextStyle::from(font::font(size, face.weight)).pos(Pos::new(h_pos, VPos::Top));
    let style =
        TextStyle { color: plotters::style::Color::to_backend_color(&rgba(face.colour, 1.0)), ..style };
    let at = ((x * ZOOM).round() as i32, (baseline * ZOOM - above).round() as i32);
    backend.draw_text(text, &style, at).is_ok()
}

/// The pieces of a line that a dash pattern leaves.
fn dashed(points: &[Point], dash: &[f64]) -> Vec<Vec<Point>> {
    if dash.is_empty() || dash.iter().any(|length| *length <= 0.0) {
        return vec![points.to_vec()];
    }
    let mut pieces = Vec::new();
    let mut piece = vec![points[0]];
    let (mut turn, mut left) = (0, dash[0]);
    for pair in points.windows(2) {
        let ((mut x, mut y), (to_x, to_y)) = (pair[0], pair[1]);
        loop {
            let (dx, dy) = (to_x - x, to_y - y);
            let length = (dx * dx + dy * dy).sqrt();
            if length <= left {
                left -= length;
                piece.push((to_x, to_y));
                break;
            }
            (x, y) = (x + dx / length * left, y + dy / length * left);
            piece.push((x, y));
            let done = std::mem::replace(&mut piece, vec![(x, y)]);
            if turn % 2 == 0 {
                pieces.push(done);
            }
            turn += 1;
            left = dash[turn % dash.len()];
        }
    }
    if turn % 2 == 0 && piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Drawing {
        let mut drawing = Drawing::new(200.0, 100.0, "<script>alert(1)</script>");
        drawing.rect((10.0, 10.0), (50.0, 20.0), Rgb(0, 114, 178), 1.0);
        let stroke = Stroke { colour: Rgb(213, 94, 0), width: 2.0, dash: &[6.0, 3.0] };
        drawing.line(vec![(10.0, 90.0), (100.0, 40.0), (190.0, 90.0)], stroke);
        let face = Type { em: 12.0, weight: Weight::Normal, colour: Rgb(0, 0, 0) };
        drawing.text((100.0, 50.0), Anchor::Middle, face, "</text><script>\u{1}\u{1F600} p99 ≤ 5 %");
        drawing
    }

    #[test]
    fn the_same_picture_has_the_same_bytes() {
        assert_eq!(sample().svg(), sample().svg());
        assert_eq!(sample().png(), sample().png());
    }

    #[test]
    fn markup_in_a_text_stays_text() {
        let svg = sample().svg();
        assert!(!svg.contains("<script>"), "{svg}");
        assert!(
            svg.starts_with("<svg width=\"200\" height=\"100\" role=\"img\" viewBox=\"0 0 600 300\""),
            "{svg}"
        );
    }

    #[test]
    fn dashes_cover_their_part_of_the_line() {
        let pieces = dashed(&[(0.0, 0.0), (10.0, 0.0)], &[2.0, 3.0]);
        assert_eq!(pieces, [vec![(0.0, 0.0), (2.0, 0.0)], vec![(5.0, 0.0), (7.0, 0.0)]]);
    }
}
