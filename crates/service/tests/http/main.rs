//! The layers, extractors and errors of a service, driven as a client sees them.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod client;
mod errors;
mod forwarding;
mod observability;
mod serving;
mod support;
mod tokens;
