//! The operations of the analytics service.

use async_trait::async_trait;
use service::{Caller, Error, Page};

use crate::types::{Report, ReportInfo, ReportName, ReportQuery};

/// What became of carts, orders and money, in figures. For admins only.
#[async_trait]
pub trait AnalyticsApi: Send + Sync {
    /// The reports there are.
    async fn reports(&self, caller: &Caller) -> Result<Page<ReportInfo>, Error>;

    /// One report over some days. 422 for a range that ends before it begins or is longer than
    /// [`crate::MAX_DAYS`].
    async fn report(&self, caller: &Caller, name: ReportName, query: ReportQuery) -> Result<Report, Error>;
}
