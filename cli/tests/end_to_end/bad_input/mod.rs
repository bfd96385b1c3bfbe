//! Whatever is sent to any operation: a uniform refusal, nothing changed, nothing told about the inside.

mod fields;
mod operations;
mod values;
