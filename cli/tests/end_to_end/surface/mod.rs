//! The whole surface of the shop: every REST operation and every GraphQL field there is, read from the running shop,
//! each described once: for whom it is, and how it is called. What is not described fails a test.

pub mod answer;
pub mod fields;
pub mod graphql;
pub mod introspection;
pub mod log;
pub mod openapi;
pub mod operations;
pub mod state;
pub mod things;
pub mod world;

pub use answer::Answer;
pub use log::Log;
pub use world::{Person, World};
