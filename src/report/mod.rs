//! Floor 5: paper. Tables, pictures and files from what runs showed.

pub mod canvas;
pub mod font;
