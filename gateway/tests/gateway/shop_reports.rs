//! The reports of the shop of the tests.

use analytics_client::{
    AbandonedDay, AnalyticsApi, FunnelDay, Outcome, OutcomeDay, ProductSales, Rebuild, Report, ReportInfo, ReportName,
    ReportQuery, Rows, SalesDay,
};
use async_trait::async_trait;
use events::*;
use products_client::Product;
use service::{Caller, Error, Page, PageQuery};

use crate::shop::{Shop, euros, outside, page, time};

#[async_trait]
impl AnalyticsApi for Shop {
    async fn reports(&self, caller: &Caller) -> Result<Page<ReportInfo>, Error> {
        self.called(caller, "reports")?;
        let info = |name: ReportName| ReportInfo { name, description: String::new(), updated_at: Some(time()) };
        page(&ReportName::ALL.map(info), &PageQuery::default())
    }
    async fn report(&self, caller: &Caller, name: ReportName, query: ReportQuery) -> Result<Report, Error> {
        self.called(caller, "report")?;
        let (from, to) = (query.from.unwrap(), query.to.unwrap());
        let rows = match name {
            ReportName::SalesPerDay => Rows::SalesPerDay(vec![SalesDay {
                day: to,
                orders: 3,
                gross: euros("75.00"),
                refunds: 1,
                refunded: euros("80.00"),
                net: Money::from_minor(-500, Currency::EUR).unwrap(),
                cancelled: 1,
            }]),
            ReportName::TopProducts => {
                let sales = |product: &Product| ProductSales {
                    product_id: product.id,
                    name: product.name.clone(),
                    orders: 1,
                    units: 2,
                    revenue: euros("25.00"),
                };
                let some = usize::try_from(query.limit.unwrap()).unwrap();
                Rows::TopProducts(self.products.iter().take(some).map(sales).collect())
            }
            ReportName::CheckoutFunnel => {
                let day = |day| FunnelDay { day, carts_filled: 5, checkouts: 3, confirmed: 2, ..FunnelDay::default() };
                Rows::CheckoutFunnel(vec![day(from), day(to)])
            }
            ReportName::AbandonedCarts => {
                let day = |day| AbandonedDay { day, carts: 2, value: euros("12.50") };
                Rows::AbandonedCarts(vec![day(from), day(to)])
            }
            ReportName::SagaOutcomes => Rows::SagaOutcomes(vec![OutcomeDay {
                day: to,
                outcome: Outcome::Compensated,
                code: Some("PAYMENT_DECLINED".into()),
                sagas: 4,
                mean_duration_ms: 1_200,
            }]),
        };
        Ok(Report { from, to, rows })
    }
    async fn rebuild_reports(&self, _: &Caller) -> Result<Rebuild, Error> {
        outside()
    }
    async fn rebuild_status(&self, _: &Caller) -> Result<Rebuild, Error> {
        outside()
    }
    async fn stop_rebuild(&self, _: &Caller) -> Result<Rebuild, Error> {
        outside()
    }
}
