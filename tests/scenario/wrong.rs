//! Wrong
