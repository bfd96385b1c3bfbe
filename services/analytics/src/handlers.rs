//! Who calls, may they, then the report.

use analytics_client::{AnalyticsApi, Rebuild, Report, ReportInfo, ReportName, ReportQuery, Rows};
use async_trait::async_trait;
use axum::http::StatusCode;
use chrono::{DateTime, Days, Utc};
use service::idempotency::{self, Operation};
use service::{Caller, Error, Page};

use crate::rebuild::{self, Next, Rebuilt};
use crate::{Analytics, SERVICE, reports, repository};

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

    async fn rebuild_reports(&self, caller: &Caller) -> Result<Rebuild, Error> {
        caller.admin()?;
        let actor = caller.actor()?;
        let action = "POST /admin/reports/rebuild";
        let operation = Operation::new(SERVICE, action, StatusCode::ACCEPTED, caller, None, &())?;
        let state = idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move { Ok(rebuild::shown(&rebuild::begin(tx, &actor).await?)) })
        })
        .await?;
        self.build_what_has_begun().await?;
        Ok(state)
    }

    async fn rebuild_status(&self, caller: &Caller) -> Result<Rebuild, Error> {
        caller.admin()?;
        let db = self.database.read().await?;
        Ok(rebuild::shown(&repository::generations(&db).await?))
    }

    async fn stop_rebuild(&self, caller: &Caller) -> Result<Rebuild, Error> {
        caller.admin()?;
        if !rebuild::stop(&self.database, None).await? {
            return Err(Error::conflict("nothing_is_rebuilt", "no reports are being rebuilt"));
        }
        self.rebuild_status(caller).await
    }
}

impl Analytics {
    /// Builds the generation that has begun, in a task. Should it have one already, two do no harm: what is merged twice
    /// changes nothing.
    async fn build_what_has_begun(&self) -> Result<(), Error> {
        let begun = {
            let db = self.database.read().await?;
            repository::generations(&db).await?
        };
        let database = self.database.clone();
        tokio::spawn(async move {
            match rebuild::continue_with(&database, begun, |_| Next::Go).await {
                Ok(Rebuilt::Shown) => tracing::info!("the reports are rebuilt"),
                Ok(Rebuilt::GivenUp) => tracing::info!("the reports stay as they were; their rebuilding was given up"),
                Err(error) => tracing::error!(%error, "the reports could not be rebuilt; they stay as they were"),
            }
        });
        Ok(())
    }

    /// The last day of which every moment is long enough ago.
    fn last_abandoned_day(&self, now: DateTime<Utc>) -> chrono::NaiveDate {
        let threshold = (now - self.config.abandoned_after).date_naive();
        threshold.checked_sub_days(Days::new(1)).unwrap_or(threshold)
    }
}
