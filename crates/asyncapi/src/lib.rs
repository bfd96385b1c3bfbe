//! The events as AsyncAPI 3 describes them to whoever integrates with the shop: a channel per exchange and per queue,
//! who sends and who receives, and a message with a JSON Schema per event and version.
//!
//! This crate's tests make the document of `events`, and see to it that what is committed is what they make.

/// The document, in JSON.
pub const DOCUMENT: &str = include_str!("../../../docs/asyncapi.json");
