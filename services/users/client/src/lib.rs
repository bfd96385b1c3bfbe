//! What the users service offers to the rest of the shop: the trait, its types, and a client over HTTP.
//!
//! The service itself implements [`UsersApi`] too: the same authorising functions, called in process.

mod api;
mod http;
mod types;

pub use api::UsersApi;
pub use http::Http;
pub use types::*;
