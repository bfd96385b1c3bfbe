//! Reports, once for both sides of the wire. Days are UTC's.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use events::{Money, ProductId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Days that one report covers at most.
pub const MAX_DAYS: i64 = 366;

/// A report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportName {
    /// Orders, takings and refunds per day and currency.
    SalesPerDay,
    /// What sold most.
    TopProducts,
    /// How far the checkouts of a day came.
    CheckoutFunnel,
    /// Carts left with something in them.
    AbandonedCarts,
    /// How orders ended, and how long it took.
    SagaOutcomes,
}

impl ReportName {
    /// Every report.
    pub const ALL: [ReportName; 5] = [
        ReportName::SalesPerDay,
        ReportName::TopProducts,
        ReportName::CheckoutFunnel,
        ReportName::AbandonedCarts,
        ReportName::SagaOutcomes,
    ];

    /// As in paths and in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            ReportName::SalesPerDay => "sales_per_day",
            ReportName::TopProducts => "top_products",
            ReportName::CheckoutFunnel => "checkout_funnel",
            ReportName::AbandonedCarts => "abandoned_carts",
            ReportName::SagaOutcomes => "saga_outcomes",
        }
    }

    /// What it tells.
    pub fn description(self) -> &'static str {
        match self {
            ReportName::SalesPerDay => "Confirmed orders, their totals and their refunds, per day and currency",
            ReportName::TopProducts => "Products by units sold; cancelled orders are taken off",
            ReportName::CheckoutFunnel => "Carts filled on a day, and how far the checkouts begun on it came",
            ReportName::AbandonedCarts => "Carts left with something in them, by the day of their last change",
            ReportName::SagaOutcomes => "How orders ended, why, and how long it took from checkout",
        }
    }
}

impl fmt::Display for ReportName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ReportName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        ReportName::ALL
            .into_iter()
            .find(|name| name.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a report"))
    }
}

/// A report in the list of reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportInfo {
    /// For the path.
    pub name: ReportName,
    /// What it tells.
    pub description: String,
    /// When an event last changed it; `null` if none did.
    pub updated_at: Option<DateTime<Utc>>,
}

/// Which days, and how much of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// First day; 30 days before the last unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// Last day; today unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<NaiveDate>,
    /// Top products: how many, 1 to 100; 20 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
}

/// How far the reports are rebuilt from the archive of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rebuild {
    /// Is a rebuilding under way? If nothing moves any more, whoever did it has died: begin again.
    pub running: bool,
    /// Events that it, or the last one, has read.
    pub events_read: i64,
    /// Events that there were when it began; more may have come.
    pub events: i64,
    /// Who wanted it: `user:` and an id, or `shell:` and a login.
    pub actor: Option<String>,
    /// When it began; `null` if there never was one.
    pub began_at: Option<DateTime<Utc>>,
    /// When it last moved.
    pub moved_at: Option<DateTime<Utc>>,
}

/// A report over some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// What it is, and its rows.
    #[serde(flatten)]
    pub rows: Rows,
}

/// The rows of a report, beside its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "name", content = "rows", rename_all = "snake_case")]
pub enum Rows {
    /// Oldest day first.
    SalesPerDay(Vec<SalesDay>),
    /// Most units first.
    TopProducts(Vec<ProductSales>),
    /// Oldest day first.
    CheckoutFunnel(Vec<FunnelDay>),
    /// Oldest day first.
    AbandonedCarts(Vec<AbandonedDay>),
    /// Oldest day first.
    SagaOutcomes(Vec<OutcomeDay>),
}

/// What a day brought in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SalesDay {
    /// The day.
    pub day: NaiveDate,
    /// Orders confirmed on it.
    pub orders: i64,
    /// Their totals.
    pub gross: Money,
    /// Refunds made on it, whenever the order was confirmed.
    pub refunds: i64,
    /// Their sum.
    pub refunded: Money,
    /// `gross` less `refunded`.
    pub net: Money,
    /// Confirmed orders cancelled on it, whenever they were confirmed.
    pub cancelled: i64,
}

/// How one product sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductSales {
    /// The product.
    pub product_id: ProductId,
    /// Its name when it was last ordered.
    pub name: String,
    /// Confirmed orders with it, less those cancelled.
    pub orders: i64,
    /// Units sold, less those cancelled.
    pub units: i64,
    /// Line totals, less those cancelled.
    pub revenue: Money,
}

/// How far shoppers came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FunnelDay {
    /// The day.
    pub day: NaiveDate,
    /// Carts that got their first item on it.
    pub carts_filled: i64,
    /// Checkouts begun on it. All that follows counts those of them that came so far, whenever that was.
    pub checkouts: i64,
    /// Stock was held.
    pub stock_reserved: i64,
    /// The money was captured.
    pub paid: i64,
    /// The order was confirmed.
    pub confirmed: i64,
    /// It left the house.
    pub shipped: i64,
    /// It arrived.
    pub delivered: i64,
}

/// Carts last changed on a day and not checked out since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AbandonedDay {
    /// The day.
    pub day: NaiveDate,
    /// How many carts.
    pub carts: i64,
    /// What was put into them since they were last empty.
    pub value: Money,
}

/// How an order's saga ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// Paid, and not cancelled since.
    Confirmed,
    /// Failed, and everything undone.
    Compensated,
    /// Cancelled, and everything undone.
    Cancelled,
}

/// Sagas that ended on a day in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutcomeDay {
    /// The day.
    pub day: NaiveDate,
    /// How they ended.
    pub outcome: Outcome,
    /// Why, if they failed, e.g. `PAYMENT_DECLINED`.
    pub code: Option<String>,
    /// How many.
    pub sagas: i64,
    /// From checkout to the end, on average.
    pub mean_duration_ms: i64,
}
