//! The operators' endpoints, through their HTTP client, on real servers.

mod dead_letters;
mod outbox;
mod support;
