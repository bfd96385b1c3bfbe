//! What every HTTP service of the shop shares: the server and its layers, uniform errors, who calls
//! ([`Caller`]), idempotency keys, pages, health, logs and metrics, configuration, shutdown.
//!
//! A service writes its routes with [`extract`], answers with [`Error`], hands its router to
//! [`server::app`] together with [`health::standard_routes`], and runs it with [`server::serve`].
//! Nothing here knows what an order is.

mod auth;
mod caller;
pub mod client;
mod compression;
pub mod config;
mod description;
mod error;
pub mod extract;
pub mod health;
pub mod idempotency;
pub mod layers;
pub mod pagination;
mod proxies;
mod rate_limit;
pub mod server;
mod shutdown;
pub mod telemetry;
mod vouching;

pub use auth::{Claims, ISSUER, Role, TOKEN_LIFETIME, Token, TokenKeys};
pub use caller::{Admin, Caller, SignedIn};
pub use client::HttpClient;
pub use compression::HoldsToken;
pub use config::{ConfigError, Env};
pub use error::{Error, ErrorBody, FieldError, Found, OnConstraint, validate};
pub use extract::{Binary, Json, Path, Query};
pub use idempotency::IdempotencyKey;
pub use pagination::{Page, PageQuery};
pub use proxies::TrustedProxies;
pub use shutdown::Shutdown;
pub use vouching::Voucher;
