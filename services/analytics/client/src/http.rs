//! The analytics service in another process.

use async_trait::async_trait;
use service::{Caller, ConfigError, Error, HttpClient, Page};

use crate::api::AnalyticsApi;
use crate::types::{Rebuild, Report, ReportInfo, ReportName, ReportQuery};

/// Calls the REST endpoints of the analytics service.
#[derive(Clone, Debug)]
pub struct Http(HttpClient);

impl Http {
    /// `base_url`: the value of `ANALYTICS_URL`, e.g. `http://127.0.0.1:8086`.
    pub fn new(base_url: &str) -> Result<Http, ConfigError> {
        HttpClient::new("analytics", base_url).map(Http)
    }
}

#[async_trait]
impl AnalyticsApi for Http {
    async fn reports(&self, caller: &Caller) -> Result<Page<ReportInfo>, Error> {
        self.0.get(caller, "/reports").send().await
    }

    async fn report(&self, caller: &Caller, name: ReportName, query: ReportQuery) -> Result<Report, Error> {
        self.0.get(caller, &format!("/reports/{name}")).query(&query).send().await
    }

    async fn rebuild_reports(&self, caller: &Caller) -> Result<Rebuild, Error> {
        self.0.post(caller, "/admin/reports/rebuild").send().await
    }

    async fn rebuild_status(&self, caller: &Caller) -> Result<Rebuild, Error> {
        self.0.get(caller, "/admin/reports/rebuild").send().await
    }

    async fn stop_rebuild(&self, caller: &Caller) -> Result<Rebuild, Error> {
        self.0.delete(caller, "/admin/reports/rebuild").send().await
    }
}
