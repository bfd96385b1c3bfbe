//! Who calls, may they, then the report.

use analytics_client::{AnalyticsApi, Report, ReportInfo, ReportName, ReportQuery, Rows};
use async_trait::async_trait;
use chrono::{DateTime, Days, Utc};
use service::{Caller, Error, Page};

use crate::Analytics;
use crate::{reports, repository};

#[async_trait]
impl AnalyticsApi for Analytics {
    async fn reports(&self, caller: &Caller) -> Result<Page<ReportInfo>, Error> {
        caller.admin()?;
        let db = self.database.read().await?;
        let updated = repository::updated(&db).await?;
        let info = |name: ReportName| ReportInfo {
            name,
            description: name.description().to_owned(),
            updated_at: updated.get(name.as_str()).copied(),
        };
        Ok(Page { items: ReportName::ALL.map(info).to_vec(), next_cursor: None, cursors: Vec::new() })
    }

    async fn report(&self, caller: &Caller, name: ReportName, query: ReportQuery) -> Result<Report, Error> {
        caller.admin()?;
        let now = Utc::now();
        let range = reports::range(&query, now.date_naive())?;
        let (from, to) = (range.from, range.to);
        let db = self.database.read().await?;
        let rows = match name {
            ReportName::TopProducts => {
                let rows = repository::largest(&db, name, from, to, range.limit).await?;
                Rows::TopProducts(reports::products(rows)?)
            }
            ReportName::AbandonedCarts => {
                let rows = repository::figures(&db, name, from, to.min(self.last_abandoned_day(now))).await?;
                Rows::AbandonedCarts(reports::abandoned(rows)?)
            }
            ReportName::SalesPerDay => {
                Rows::SalesPerDay(reports::sales(repository::figures(&db, name, from, to).await?)?)
            }
            ReportName::CheckoutFunnel => {
                Rows::CheckoutFunnel(reports::funnel(repository::figures(&db, name, from, to).await?)?)
            }
            ReportName::SagaOutcomes => {
                Rows::SagaOutcomes(reports::outcomes(repository::figures(&db, name, from, to).await?)?)
            }
        };
        Ok(Report { from, to, rows })
    }
}

impl Analytics {
    /// The last day of which every moment is long enough ago.
    fn last_abandoned_day(&self, now: DateTime<Utc>) -> chrono::NaiveDate {
        let threshold = (now - self.config.abandoned_after).date_naive();
        threshold.checked_sub_days(Days::new(1)).unwrap_or(threshold)
    }
}
