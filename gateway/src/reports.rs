//! Figures for whoever runs the shop, as analytics counts them from events.

use std::collections::BTreeMap;

use analytics_client::{Report, ReportName, ReportQuery, Rows};
use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use chrono::{Days, Utc};
use service::Error;

use crate::errors::fault;
use crate::products::Product;
use crate::scalars::{Date, DateTime, Money};
use crate::scope::Scope;

/// Queries for reports.
#[derive(Default)]
pub struct ReportQueries;

#[Object]
impl ReportQueries {
    /// Figures about carts, orders and money (admin). Exact, and a moment behind what happens.
    async fn reports(&self, ctx: &Context<'_>) -> Result<Reports> {
        Scope::of(ctx).caller.admin().map_err(fault)?;
        Ok(Reports)
    }
}

/// The reports there are.
pub struct Reports;

/// Figures about carts, orders and money. Days are UTC's; those on which nothing happened are left out.
#[Object]
impl Reports {
    /// What each day brought, oldest first.
    #[graphql(complexity = "20 + 30 * child_complexity")]
    async fn sales_per_day(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 30, desc = "How many days, today included, 1 to 366.")] days: Option<i32>,
    ) -> Result<Vec<SalesDay>> {
        match report(ctx, ReportName::SalesPerDay, days, None).await?.rows {
            Rows::SalesPerDay(days) => Ok(days.into_iter().map(SalesDay::from).collect()),
            other => Err(unexpected(&other)),
        }
    }

    /// What sold most, by units; cancelled orders are taken off.
    #[graphql(complexity = "20 + 10 * child_complexity")]
    async fn top_products(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 10, desc = "How many, 1 to 100.")] first: Option<i32>,
        #[graphql(default = 30, desc = "Of how many days, today included, 1 to 366.")] days: Option<i32>,
    ) -> Result<Vec<TopProduct>> {
        let first = first.unwrap_or(10);
        match report(ctx, ReportName::TopProducts, days, Some(first.into())).await?.rows {
            Rows::TopProducts(products) => Ok(products.into_iter().map(TopProduct).collect()),
            other => Err(unexpected(&other)),
        }
    }

    /// How far shoppers came who began in these days.
    #[graphql(complexity = "20 + 5 * child_complexity")]
    async fn checkout_funnel(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 30, desc = "How many days, today included, 1 to 366.")] days: Option<i32>,
    ) -> Result<Funnel> {
        match report(ctx, ReportName::CheckoutFunnel, days, None).await?.rows {
            Rows::CheckoutFunnel(days) => Ok(Funnel::of(&days)),
            other => Err(unexpected(&other)),
        }
    }

    /// Carts that were left with something in them.
    #[graphql(complexity = "20 + 5 * child_complexity")]
    async fn abandoned_carts(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 30, desc = "How many days, today included, 1 to 366.")] days: Option<i32>,
    ) -> Result<AbandonedCarts> {
        match report(ctx, ReportName::AbandonedCarts, days, None).await?.rows {
            Rows::AbandonedCarts(days) => AbandonedCarts::of(days).map_err(fault),
            other => Err(unexpected(&other)),
        }
    }

    /// How orders ended and why, by day, oldest first.
    #[graphql(complexity = "20 + 30 * child_complexity")]
    async fn saga_outcomes(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 30, desc = "How many days, today included, 1 to 366.")] days: Option<i32>,
    ) -> Result<Vec<SagaOutcome>> {
        match report(ctx, ReportName::SagaOutcomes, days, None).await?.rows {
            Rows::SagaOutcomes(days) => Ok(days.into_iter().map(SagaOutcome::from).collect()),
            other => Err(unexpected(&other)),
        }
    }

    /// When an event last changed one of these figures; null if none ever did.
    async fn as_of(&self, ctx: &Context<'_>) -> Result<Option<DateTime>> {
        let scope = Scope::of(ctx);
        let reports = scope.clients.analytics.reports(&scope.caller).await.map_err(fault)?;
        Ok(reports.items.into_iter().filter_map(|report| report.updated_at).max().map(DateTime))
    }
}

/// A report over the last days.
async fn report(ctx: &Context<'_>, name: ReportName, days: Option<i32>, limit: Option<i64>) -> Result<Report> {
    let scope = Scope::of(ctx);
    let days = days.unwrap_or(30);
    let before_today = u64::try_from(days).ok().filter(|days| (1..=366).contains(days)).map(|days| days - 1);
    let before_today =
        before_today.ok_or_else(|| fault(Error::invalid("days", "out_of_range", "days must be between 1 and 366")))?;
    let today = Utc::now().date_naive();
    let query = ReportQuery { from: today.checked_sub_days(Days::new(before_today)), to: Some(today), limit };
    scope.clients.analytics.report(&scope.caller, name, query).await.map_err(fault)
}

/// Analytics answered another report than was asked for.
fn unexpected(rows: &Rows) -> async_graphql::Error {
    fault(Error::internal(format!("analytics answered {rows:?}")))
}

/// What a day brought in one currency.
#[derive(Debug, SimpleObject)]
pub struct SalesDay {
    /// The day.
    day: Date,
    /// Orders confirmed on it.
    orders: i64,
    /// Their totals.
    gross: Money,
    /// Refunds made on it, whenever the order was confirmed.
    refunds: i64,
    /// Their sum.
    refunded: Money,
    /// What is left of the totals after the refunds; may be negative.
    revenue: Money,
    /// Confirmed orders cancelled on it, whenever they were confirmed.
    cancelled: i64,
}

impl From<analytics_client::SalesDay> for SalesDay {
    fn from(day: analytics_client::SalesDay) -> Self {
        let analytics_client::SalesDay { day, orders, gross, refunds, refunded, net, cancelled } = day;
        let (gross, refunded, revenue) = (Money(gross), Money(refunded), Money(net));
        Self { day: Date(day), orders, gross, refunds, refunded, revenue, cancelled }
    }
}

/// How one product sold.
#[derive(Debug)]
pub struct TopProduct(analytics_client::ProductSales);

/// How one product sold.
#[Object]
impl TopProduct {
    /// The product's id.
    async fn product_id(&self) -> ID {
        self.0.product_id.to_string().into()
    }

    /// The product; null if it is not in the catalogue any more.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        let scope = Scope::of(ctx);
        scope.loaders.product(&scope.clients, &scope.caller, self.0.product_id).await.map_err(fault)
    }

    /// Its name when it was last ordered.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Confirmed orders with it.
    async fn orders(&self) -> i64 {
        self.0.orders
    }

    /// Units sold.
    async fn units(&self) -> i64 {
        self.0.units
    }

    /// What was asked for them.
    async fn revenue(&self) -> Money {
        Money(self.0.revenue)
    }
}

/// How far shoppers came: each figure counts those of the one before it that came so far, whenever that was.
#[derive(Debug, SimpleObject)]
pub struct Funnel {
    /// Carts that got their first item in these days.
    carts_filled: i64,
    /// Checkouts begun in these days.
    checkouts: i64,
    /// Stock was held.
    stock_reserved: i64,
    /// The money was captured.
    paid: i64,
    /// The order was confirmed.
    confirmed: i64,
    /// It left the house.
    shipped: i64,
    /// It arrived.
    delivered: i64,
}

impl Funnel {
    fn of(days: &[analytics_client::FunnelDay]) -> Funnel {
        let sum = |figure: fn(&analytics_client::FunnelDay) -> i64| days.iter().map(figure).sum();
        Funnel {
            carts_filled: sum(|day| day.carts_filled),
            checkouts: sum(|day| day.checkouts),
            stock_reserved: sum(|day| day.stock_reserved),
            paid: sum(|day| day.paid),
            confirmed: sum(|day| day.confirmed),
            shipped: sum(|day| day.shipped),
            delivered: sum(|day| day.delivered),
        }
    }
}

/// Carts that were left with something in them.
#[derive(Debug, SimpleObject)]
pub struct AbandonedCarts {
    /// How many.
    carts: i64,
    /// What was in them, per currency.
    value: Vec<Money>,
    /// The same by the day of their last change, oldest first.
    per_day: Vec<AbandonedDay>,
}

/// Carts last changed on a day, in one currency.
#[derive(Debug, SimpleObject)]
pub struct AbandonedDay {
    /// The day.
    day: Date,
    /// How many carts.
    carts: i64,
    /// What was in them.
    value: Money,
}

impl AbandonedCarts {
    fn of(days: Vec<analytics_client::AbandonedDay>) -> Result<AbandonedCarts, Error> {
        let mut values: BTreeMap<&str, events::Money> = BTreeMap::new();
        for day in &days {
            let sum = values.entry(day.value.currency().code()).or_insert(events::Money::zero(day.value.currency()));
            *sum = sum.plus(day.value).map_err(Error::internal)?;
        }
        Ok(AbandonedCarts {
            carts: days.iter().map(|day| day.carts).sum(),
            value: values.into_values().map(Money).collect(),
            per_day: days
                .into_iter()
                .map(|day| AbandonedDay { day: Date(day.day), carts: day.carts, value: Money(day.value) })
                .collect(),
        })
    }
}

/// How an order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "analytics_client::Outcome")]
pub enum Outcome {
    /// Paid, and not cancelled since.
    Confirmed,
    /// Failed, and everything undone.
    Compensated,
    /// Cancelled, and everything undone.
    Cancelled,
}

/// Orders that ended on a day in one way.
#[derive(Debug, SimpleObject)]
pub struct SagaOutcome {
    /// The day.
    day: Date,
    /// How they ended.
    outcome: Outcome,
    /// Why, if they failed: PAYMENT_DECLINED and others.
    code: Option<String>,
    /// How many.
    sagas: i64,
    /// From checkout to the end, on average, in milliseconds.
    mean_duration_ms: i64,
}

impl From<analytics_client::OutcomeDay> for SagaOutcome {
    fn from(day: analytics_client::OutcomeDay) -> Self {
        let analytics_client::OutcomeDay { day, outcome, code, sagas, mean_duration_ms } = day;
        Self { day: Date(day), outcome: outcome.into(), code, sagas, mean_duration_ms }
    }
}
