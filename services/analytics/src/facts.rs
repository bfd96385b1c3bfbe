//! What is known of an order or a cart, and what it contributes to the figures.
//!
//! Events come in any order and some come again under a new id. So a change is merged in a way that does not
//! depend on order, figures are a pure function of what is known, and a batch adds the difference between the
//! figures after it and before it: they are exact however the events came.

use std::collections::BTreeMap;

use analytics_client::{Outcome, ReportName};
use chrono::{DateTime, NaiveDate, Utc};
use events::{Money, OrderLine};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which figure: a row of the table `reports`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub report: ReportName,
    pub day: NaiveDate,
    pub dimension: String,
    /// Empty where there is no amount.
    pub currency: String,
}

/// The values of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub count: i64,
    pub quantity: i64,
    pub amount: Decimal,
    /// For people; not a figure.
    pub label: Option<String>,
}

/// Figures to be added to the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally(BTreeMap<Key, Figures>);

impl Tally {
    fn count(&mut self, report: ReportName, day: NaiveDate, dimension: impl Into<String>) {
        self.add(report, day, dimension, "", Figures { count: 1, ..Figures::default() });
    }

    fn add(
        &mut self,
        report: ReportName,
        day: NaiveDate,
        dimension: impl Into<String>,
        currency: impl Into<String>,
        more: Figures,
    ) {
        let key = Key { report, day, dimension: dimension.into(), currency: currency.into() };
        let figures = self.0.entry(key).or_default();
        figures.count += more.count;
        figures.quantity += more.quantity;
        figures.amount += more.amount;
        figures.label = more.label.or(figures.label.take());
    }

    /// Takes `before` off and puts `after` on.
    pub(crate) fn replace(&mut self, before: Tally, after: Tally) {
        for (key, figures) in after.0 {
            self.add(key.report, key.day, key.dimension, key.currency, figures);
        }
        for (key, figures) in before.0 {
            let less =
                Figures { count: -figures.count, quantity: -figures.quantity, amount: -figures.amount, label: None };
            self.add(key.report, key.day, key.dimension, key.currency, less);
        }
        self.0.retain(|_, figures| figures.count != 0 || figures.quantity != 0 || !figures.amount.is_zero());
    }

    /// In the order of the keys: rows are locked in one order.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = (&Key, &Figures)> {
        self.0.iter()
    }
}

/// What is known of one thing.
pub(crate) trait Facts: Clone + Default + PartialEq + Serialize + DeserializeOwned {
    /// What an event adds to it.
    type Change;
    /// Merges a change; the order of changes does not matter, nor whether one comes again.
    fn merge(&mut self, change: Self::Change);
    /// What it contributes to the reports.
    fn figures(&self) -> Tally;
}

/// The first of two times.
fn earliest(known: &mut Option<DateTime<Utc>>, at: DateTime<Utc>) {
    *known = Some(known.map_or(at, |known| known.min(at)));
}

/// A confirmed order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sale {
    pub at: DateTime<Utc>,
    pub total: Money,
    pub lines: Vec<OrderLine>,
}

/// Money given back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub at: DateTime<Utc>,
    pub amount: Money,
}

/// What is known of one order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OrderFacts {
    #[serde(skip_serializing_if = "Option::is_none")]
    checkout_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reserved_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sale: Option<Sale>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipped_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_at: Option<DateTime<Utc>>,
    /// By the version of the payment.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    refunds: BTreeMap<i64, Refund>,
}

/// What an event tells about an order.
#[derive(Debug, Clone)]
pub(crate) enum OrderChange {
    CheckoutStarted(DateTime<Utc>),
    StockReserved(DateTime<Utc>),
    Paid(DateTime<Utc>),
    Confirmed(Sale),
    Failed { code: String },
    RolledBack(DateTime<Utc>),
    Cancelled(DateTime<Utc>),
    Shipped(DateTime<Utc>),
    Delivered(DateTime<Utc>),
    Refunded { version: i64, refund: Refund },
}

impl Facts for OrderFacts {
    type Change = OrderChange;

    fn merge(&mut self, change: OrderChange) {
        match change {
            OrderChange::CheckoutStarted(at) => earliest(&mut self.checkout_at, at),
            OrderChange::StockReserved(at) => earliest(&mut self.reserved_at, at),
            OrderChange::Paid(at) => earliest(&mut self.paid_at, at),
            OrderChange::Confirmed(sale) => {
                if self.sale.as_ref().is_none_or(|known| sale.at < known.at) {
                    self.sale = Some(sale);
                }
            }
            OrderChange::Failed { code } => {
                if self.failure_code.as_ref().is_none_or(|known| code < *known) {
                    self.failure_code = Some(code);
                }
            }
            OrderChange::RolledBack(at) => earliest(&mut self.rolled_back_at, at),
            OrderChange::Cancelled(at) => earliest(&mut self.cancelled_at, at),
            OrderChange::Shipped(at) => earliest(&mut self.shipped_at, at),
            OrderChange::Delivered(at) => earliest(&mut self.delivered_at, at),
            OrderChange::Refunded { version, refund } => {
                let known = self.refunds.entry(version).or_insert(refund);
                known.at = known.at.min(refund.at);
                // The same version told again names all that was ever given back; the refund itself is the smaller.
                if refund.amount.minor() < known.amount.minor() {
                    known.amount = refund.amount;
                }
            }
        }
    }

    fn figures(&self) -> Tally {
        let mut tally = Tally::default();
        if let Some(sale) = &self.sale {
            self.sales(sale, &mut tally);
            self.products(sale, &mut tally);
        }
        self.funnel(&mut tally);
        self.outcome(&mut tally);
        tally
    }
}

/// Dimensions of [`ReportName::SalesPerDay`]; count: how many, amount: their sum.
pub(crate) const GROSS: &str = "gross";
pub(crate) const REFUNDED: &str = "refunded";
pub(crate) const CANCELLED: &str = "cancelled";

impl OrderFacts {
    fn sales(&self, sale: &Sale, tally: &mut Tally) {
        let currency = sale.total.currency().code();
        let mut add = |at: DateTime<Utc>, dimension: &str, amount: Decimal| {
            let figures = Figures { count: 1, amount, ..Figures::default() };
            tally.add(ReportName::SalesPerDay, at.date_naive(), dimension, currency, figures);
        };
        add(sale.at, GROSS, sale.total.decimal());
        if let Some(at) = self.cancelled_at {
            add(at, CANCELLED, Decimal::ZERO);
        }
        // Never more than was paid: a repeated answer tells of money that was given back before.
        let mut left = sale.total.decimal();
        for refund in self.refunds.values().filter(|refund| refund.amount.currency() == sale.total.currency()) {
            let amount = refund.amount.decimal().min(left);
            if !amount.is_zero() {
                add(refund.at, REFUNDED, amount);
                left -= amount;
            }
        }
    }

    /// Dimension: the product. Count: orders, quantity: units, amount: line totals. A cancelled order was no sale.
    fn products(&self, sale: &Sale, tally: &mut Tally) {
        if self.cancelled_at.is_some() {
            return;
        }
        for line in &sale.lines {
            let figures = Figures {
                count: 1,
                quantity: i64::from(line.quantity),
                amount: line.unit_price.decimal() * Decimal::from(line.quantity),
                label: Some(line.name.clone()),
            };
            let currency = line.unit_price.currency().code();
            let day = sale.at.date_naive();
            tally.add(ReportName::TopProducts, day, line.product_id.to_string(), currency, figures);
        }
    }

    /// Dimension: the stage. Count: orders whose checkout began that day.
    fn funnel(&self, tally: &mut Tally) {
        let Some(day) = self.checkout_at.map(|at| at.date_naive()) else { return };
        let reached = [
            (Stage::Checkouts, true),
            (Stage::StockReserved, self.reserved_at.is_some()),
            (Stage::Paid, self.paid_at.is_some()),
            (Stage::Confirmed, self.sale.is_some()),
            (Stage::Shipped, self.shipped_at.is_some()),
            (Stage::Delivered, self.delivered_at.is_some()),
        ];
        for (stage, _) in reached.into_iter().filter(|(_, is_reached)| *is_reached) {
            tally.count(ReportName::CheckoutFunnel, day, stage.as_str());
        }
    }

    /// Dimension: outcome and code. Count: sagas, quantity: their milliseconds from checkout.
    fn outcome(&self, tally: &mut Tally) {
        let (outcome, at) = match (self.cancelled_at, self.rolled_back_at, &self.sale) {
            (Some(at), _, _) => (Outcome::Cancelled, at),
            (None, Some(at), _) => (Outcome::Compensated, at),
            (None, None, Some(sale)) => (Outcome::Confirmed, sale.at),
            (None, None, None) => return,
        };
        let code = self.failure_code.clone().filter(|_| outcome == Outcome::Compensated);
        let took_ms = self.checkout_at.map_or(0, |began| (at - began).num_milliseconds().max(0));
        let figures = Figures { count: 1, quantity: took_ms, ..Figures::default() };
        tally.add(ReportName::SagaOutcomes, at.date_naive(), outcome_dimension(outcome, code), "", figures);
    }
}

/// How far a shopper came; the dimension of [`ReportName::CheckoutFunnel`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    CartsFilled,
    Checkouts,
    StockReserved,
    Paid,
    Confirmed,
    Shipped,
    Delivered,
}

impl Stage {
    pub(crate) const ALL: [Stage; 7] = [
        Stage::CartsFilled,
        Stage::Checkouts,
        Stage::StockReserved,
        Stage::Paid,
        Stage::Confirmed,
        Stage::Shipped,
        Stage::Delivered,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Stage::CartsFilled => "carts_filled",
            Stage::Checkouts => "checkouts",
            Stage::StockReserved => "stock_reserved",
            Stage::Paid => "paid",
            Stage::Confirmed => "confirmed",
            Stage::Shipped => "shipped",
            Stage::Delivered => "delivered",
        }
    }
}

/// JSON, so that it can be read back whatever a code looks like.
fn outcome_dimension(outcome: Outcome, code: Option<String>) -> String {
    serde_json::to_string(&(outcome, code)).expect("a pair of texts is JSON")
}

/// The reverse of what the dimension of [`ReportName::SagaOutcomes`] was made by.
pub(crate) fn outcome_of(dimension: &str) -> Result<(Outcome, Option<String>), serde_json::Error> {
    serde_json::from_str(dimension)
}

/// What is known of one cart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CartFacts {
    #[serde(skip_serializing_if = "Option::is_none")]
    first_filled_at: Option<DateTime<Utc>>,
    /// What was put in since it was last empty, by the cart's version; at most [`ADDITIONS_KEPT`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    additions: BTreeMap<i64, Addition>,
    /// The sum of what was put in before those, up to a version.
    #[serde(skip_serializing_if = "Option::is_none")]
    earlier: Option<Earlier>,
    /// The latest versions that made it empty, that took it to checkout, and that brought it back from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    cleared: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checked_out: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reopened: Option<(i64, DateTime<Utc>)>,
}

/// Additions told apart; older ones are summed up, so that no cart's state grows without end.
const ADDITIONS_KEPT: usize = 100;

/// The sum of older additions, per currency.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Earlier {
    up_to: i64,
    values: Vec<Money>,
}

/// Adds to the sum of its currency. What is beyond all money is not added.
fn put(sums: &mut Vec<Money>, more: Money) {
    match sums.iter_mut().find(|sum| sum.currency() == more.currency()) {
        Some(sum) => *sum = sum.plus(more).unwrap_or(*sum),
        None => sums.push(more),
    }
}

/// Something put into a cart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Addition {
    pub at: DateTime<Utc>,
    pub value: Money,
}

/// What an event tells about a cart; `version` is the cart's.
#[derive(Debug, Clone)]
pub(crate) enum CartChange {
    Filled { version: i64, addition: Addition },
    Cleared { version: i64 },
    CheckedOut { version: i64 },
    Reopened { version: i64, at: DateTime<Utc> },
}

impl Facts for CartFacts {
    type Change = CartChange;

    fn merge(&mut self, change: CartChange) {
        match change {
            CartChange::Filled { version, addition } => {
                earliest(&mut self.first_filled_at, addition.at);
                if self.cleared.is_none_or(|cleared| version > cleared) {
                    self.additions.entry(version).or_insert(addition);
                    self.sum_up();
                }
            }
            CartChange::Cleared { version } => {
                self.cleared = self.cleared.max(Some(version));
                self.additions.retain(|added, _| Some(*added) > self.cleared);
                self.earlier.take_if(|earlier| earlier.up_to < version);
            }
            CartChange::CheckedOut { version } => self.checked_out = self.checked_out.max(Some(version)),
            CartChange::Reopened { version, at } => self.reopened = self.reopened.max(Some((version, at))),
        }
    }

    fn figures(&self) -> Tally {
        let mut tally = Tally::default();
        if let Some(at) = self.first_filled_at {
            tally.count(ReportName::CheckoutFunnel, at.date_naive(), Stage::CartsFilled.as_str());
        }
        self.left(&mut tally);
        tally
    }
}

impl CartFacts {
    /// Dimension: none. Count: carts with something in them and not in checkout, amount: what was put in.
    fn left(&self, tally: &mut Tally) {
        let Some((last, addition)) = self.additions.last_key_value() else { return };
        let (changed, at) = (Some((*last, addition.at))).max(self.reopened).unwrap_or((*last, addition.at));
        if Some(changed) <= self.checked_out {
            return;
        }
        let mut values = self.earlier.clone().unwrap_or_default().values;
        self.additions.values().for_each(|addition| put(&mut values, addition.value));
        for value in values {
            let figures = Figures { count: 1, amount: value.decimal(), ..Figures::default() };
            tally.add(ReportName::AbandonedCarts, at.date_naive(), "", value.currency().code(), figures);
        }
    }

    /// Puts the oldest addition into the sum if there are too many.
    fn sum_up(&mut self) {
        if self.additions.len() <= ADDITIONS_KEPT {
            return;
        }
        if let Some((version, oldest)) = self.additions.pop_first() {
            let earlier = self.earlier.get_or_insert_default();
            earlier.up_to = earlier.up_to.max(version);
            put(&mut earlier.values, oldest.value);
        }
    }
}

/// Merges changes into what was known of a thing; returns its new state if it is another than before.
pub(crate) fn merge<F: Facts>(
    known: Option<&str>,
    changes: Vec<F::Change>,
    tally: &mut Tally,
) -> Result<Option<String>, serde_json::Error> {
    let before: F = known.map(serde_json::from_str).transpose()?.unwrap_or_default();
    let mut after = before.clone();
    changes.into_iter().for_each(|change| after.merge(change));
    if after == before {
        return Ok(None);
    }
    tally.replace(before.figures(), after.figures());
    serde_json::to_string(&after).map(Some)
}

/// Changes by what they are about, in the order of the ids.
pub(crate) type Changes<C> = BTreeMap<Uuid, Vec<C>>;

#[cfg(test)]
mod tests;
