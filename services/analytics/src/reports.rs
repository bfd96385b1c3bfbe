//! From the rows of the table to the rows of each report; no I/O.

use std::collections::BTreeMap;

use analytics_client::{AbandonedDay, FunnelDay, MAX_DAYS, OutcomeDay, ProductSales, ReportQuery, SalesDay};
use chrono::{Days, NaiveDate};
use events::{Currency, Money, MoneyError};
use rust_decimal::Decimal;
use service::Error;

use crate::facts::{CANCELLED, GROSS, REFUNDED, Stage, outcome_of};
use crate::repository::Row;

const DEFAULT_DAYS: u64 = 30;
const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;

/// A checked range of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub limit: i64,
}

pub(crate) fn range(query: &ReportQuery, today: NaiveDate) -> Result<Range, Error> {
    let to = query.to.unwrap_or(today);
    let from = query.from.or_else(|| to.checked_sub_days(Days::new(DEFAULT_DAYS))).unwrap_or(to);
    let days = (to - from).num_days();
    if days < 0 {
        return Err(Error::invalid("from", "after_to", "from must not be after to"));
    }
    if days >= MAX_DAYS {
        return Err(Error::invalid("from", "range_too_long", format!("a report covers at most {MAX_DAYS} days")));
    }
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Error::invalid("limit", "out_of_range", "limit must be between 1 and 100"));
    }
    Ok(Range { from, to, limit })
}

/// What is summed up is beyond what money can hold, or of a currency that is none: our fault.
fn money(amount: Decimal, currency: &str) -> Result<Money, Error> {
    let currency: Currency = currency.parse().map_err(|error: MoneyError| Error::internal(error))?;
    Money::from_decimal(amount, currency).map_err(Error::internal)
}

pub(crate) fn sales(rows: Vec<Row>) -> Result<Vec<SalesDay>, Error> {
    let mut days: BTreeMap<(NaiveDate, String), SalesDay> = BTreeMap::new();
    for row in rows {
        let amount = money(row.amount, &row.currency)?;
        let zero = Money::zero(amount.currency());
        let blank =
            SalesDay { day: row.day, orders: 0, gross: zero, refunds: 0, refunded: zero, net: zero, cancelled: 0 };
        let day = days.entry((row.day, row.currency)).or_insert(blank);
        match row.dimension.as_str() {
            GROSS => (day.orders, day.gross) = (row.count, amount),
            REFUNDED => (day.refunds, day.refunded) = (row.count, amount),
            CANCELLED => day.cancelled = row.count,
            other => return Err(unknown(other)),
        }
        day.net = day.gross.minus(day.refunded).map_err(Error::internal)?;
    }
    Ok(days.into_values().collect())
}

pub(crate) fn products(rows: Vec<Row>) -> Result<Vec<ProductSales>, Error> {
    rows.into_iter()
        .map(|row| {
            Ok(ProductSales {
                product_id: row.dimension.parse().map_err(|_| unknown(&row.dimension))?,
                name: row.label,
                orders: row.count,
                units: row.quantity,
                revenue: money(row.amount, &row.currency)?,
            })
        })
        .collect()
}

pub(crate) fn funnel(rows: Vec<Row>) -> Result<Vec<FunnelDay>, Error> {
    let mut days: BTreeMap<NaiveDate, FunnelDay> = BTreeMap::new();
    for row in rows {
        let day = days.entry(row.day).or_insert_with(|| FunnelDay { day: row.day, ..FunnelDay::default() });
        let stage = Stage::ALL.into_iter().find(|stage| stage.as_str() == row.dimension);
        let figure = match stage.ok_or_else(|| unknown(&row.dimension))? {
            Stage::CartsFilled => &mut day.carts_filled,
            Stage::Checkouts => &mut day.checkouts,
            Stage::StockReserved => &mut day.stock_reserved,
            Stage::Paid => &mut day.paid,
            Stage::Confirmed => &mut day.confirmed,
            Stage::Shipped => &mut day.shipped,
            Stage::Delivered => &mut day.delivered,
        };
        *figure = row.count;
    }
    Ok(days.into_values().collect())
}

pub(crate) fn abandoned(rows: Vec<Row>) -> Result<Vec<AbandonedDay>, Error> {
    rows.into_iter()
        .map(|row| Ok(AbandonedDay { day: row.day, carts: row.count, value: money(row.amount, &row.currency)? }))
        .collect()
}

pub(crate) fn outcomes(rows: Vec<Row>) -> Result<Vec<OutcomeDay>, Error> {
    rows.into_iter()
        .map(|row| {
            let (outcome, code) = outcome_of(&row.dimension).map_err(|_| unknown(&row.dimension))?;
            let mean_duration_ms = row.quantity / row.count.max(1);
            Ok(OutcomeDay { day: row.day, outcome, code, sagas: row.count, mean_duration_ms })
        })
        .collect()
}

fn unknown(dimension: &str) -> Error {
    Error::internal(format!("the reports hold the unknown dimension `{dimension}`; rebuild them"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_is_the_last_30_days_unless_told() {
        let today = day("2026-03-31");
        let range = |from: Option<&str>, to: Option<&str>| {
            range(&ReportQuery { from: from.map(day), to: to.map(day), limit: None }, today)
        };
        let default = range(None, None).unwrap();
        assert_eq!((default.from, default.to, default.limit), (day("2026-03-01"), today, 20));
        assert_eq!(range(Some("2026-03-31"), None).unwrap().from, today);
        assert!(range(Some("2025-03-31"), None).is_ok());
        for (from, to, code) in
            [("2026-04-01", None, "after_to"), ("2025-03-30", None, "range_too_long")] as [(_, Option<&str>, _); 2]
        {
            assert_eq!(range(Some(from), to).unwrap_err().fields[0].code, code);
        }
    }

    #[test]
    fn net_is_gross_less_refunds() {
        let row = |dimension: &str, count, amount: &str| Row {
            day: day("2026-03-31"),
            dimension: dimension.to_owned(),
            currency: "EUR".to_owned(),
            label: String::new(),
            count,
            quantity: 0,
            amount: amount.parse().unwrap(),
        };
        let rows = vec![row(CANCELLED, 1, "0.0000"), row(GROSS, 3, "30.3000"), row(REFUNDED, 1, "10.1000")];
        let days = sales(rows).unwrap();
        let eur = |amount| Money::parse(amount, Currency::EUR).unwrap();
        assert_eq!((days.len(), days[0].orders, days[0].refunds, days[0].cancelled), (1, 3, 1, 1));
        assert_eq!((days[0].gross, days[0].refunded, days[0].net), (eur("30.30"), eur("10.10"), eur("20.20")));
        assert_eq!(sales(vec![row("else", 1, "1")]).unwrap_err().status.as_u16(), 500);
    }
}
