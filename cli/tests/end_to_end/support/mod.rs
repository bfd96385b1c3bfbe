//! A real shop for end-to-end tests: the binary `prost`, in one process or one per service, on real servers.

pub mod client;
pub mod oracle;
pub mod promises;
pub mod shop;

pub use client::Client;
pub use shop::{Shop, Transport};
