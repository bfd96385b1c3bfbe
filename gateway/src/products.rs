//! The catalogue.

mod inputs;
mod list;
mod mutations;
mod queries;
mod stock;
mod types;

pub use mutations::ProductMutations;
pub use queries::ProductQueries;
pub use stock::StockChange;
pub use types::{Category, Product};
