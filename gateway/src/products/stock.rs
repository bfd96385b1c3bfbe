//! How a product's stock came to be what it is.

use async_graphql::{ID, SimpleObject};
use products_client::StockEntry;

use crate::scalars::DateTime;

/// A change of the stock by hand. What orders hold and buy is not among them.
#[derive(Debug, Clone, SimpleObject)]
pub struct StockChange {
    /// The change's id.
    id: ID,
    /// So many more; fewer if negative.
    change: i32,
    /// What could be sold after it.
    stock_quantity: i32,
    /// Why.
    reason: String,
    /// Who: a user's id, or `seed`.
    actor: Option<String>,
    /// When.
    at: DateTime,
}

impl From<StockEntry> for StockChange {
    fn from(entry: StockEntry) -> Self {
        Self {
            id: entry.id.to_string().into(),
            change: entry.change,
            stock_quantity: entry.stock_quantity,
            reason: entry.reason,
            actor: Some(entry.actor),
            at: DateTime(entry.created_at),
        }
    }
}
