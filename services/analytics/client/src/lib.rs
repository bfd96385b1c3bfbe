//! What the analytics service offers: the trait, its types, and a client over HTTP.
//!
//! The service itself implements [`AnalyticsApi`] too: the same authorising functions, called in process.

mod api;
mod http;
mod types;

pub use api::AnalyticsApi;
pub use http::Http;
pub use types::*;
