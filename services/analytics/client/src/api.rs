//! The operations of the analytics service.

use async_trait::async_trait;
use service::{Caller, Error, Page};

use crate::types::{Rebuild, Report, ReportInfo, ReportName, ReportQuery};

/// What became of carts, orders and money, in figures. For admins only.
#[async_trait]
pub trait AnalyticsApi: Send + Sync {
    /// The reports there are.
    async fn reports(&self, caller: &Caller) -> Result<Page<ReportInfo>, Error>;

    /// One report over some days. 422 for a range that ends before it begins or is longer than
    /// [`crate::MAX_DAYS`].
    async fn report(&self, caller: &Caller, name: ReportName, query: ReportQuery) -> Result<Report, Error>;

    /// Begins to build the reports again from the archive; the old ones are shown until it is done, and events may come
    /// in meanwhile. One that is under way is given up for it. The caller's idempotency key is honoured.
    async fn rebuild_reports(&self, caller: &Caller) -> Result<Rebuild, Error>;

    /// How far that is.
    async fn rebuild_status(&self, caller: &Caller) -> Result<Rebuild, Error>;

    /// Gives it up; the reports stay as they are. 409 `nothing_is_rebuilt` if there is nothing to give up.
    async fn stop_rebuild(&self, caller: &Caller) -> Result<Rebuild, Error>;
}
