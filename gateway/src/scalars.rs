//! Scalars and value objects that every domain uses: exact numbers, times, money, ids.

use std::str::FromStr;

use async_graphql::{ID, InputObject, InputValueError, InputValueResult, Object, Scalar, ScalarType, Value};
use chrono::{NaiveDate, SecondsFormat, Utc};
use events::Currency;
use service::Error;

/// The scalar `Decimal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal(pub String);

/// An exact decimal number as a string, with all digits of its currency where it is money: "25.00". Never a float.
#[Scalar]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Decimal(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// The scalar `DateTime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime(pub chrono::DateTime<Utc>);

/// A point in time as RFC 3339 in UTC: "2026-03-01T09:30:00.123Z".
#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(DateTime(text.parse()?)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

/// The scalar `Date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

/// A day of the calendar, in UTC: "2026-03-01".
#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Date(text.parse()?)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An exact amount of money.
#[derive(Debug, Clone, Copy)]
pub struct Money(pub events::Money);

/// An exact amount of money.
#[Object]
impl Money {
    /// The amount, with all digits of the currency.
    async fn amount(&self) -> Decimal {
        Decimal(self.0.amount())
    }

    /// ISO 4217 code of the currency, e.g. EUR.
    async fn currency_code(&self) -> &'static str {
        self.0.currency().code()
    }
}

/// An exact amount of money.
#[derive(Debug, InputObject)]
pub struct MoneyInput {
    /// The amount, with no more digits than the currency has.
    pub amount: Decimal,
    /// ISO 4217 code of the currency, e.g. EUR.
    pub currency_code: String,
}

impl MoneyInput {
    /// The amount, or which part of the input `field` is to blame.
    pub fn money(&self, field: &str) -> Result<events::Money, Error> {
        let currency: Currency = self.currency_code.parse().map_err(|error: events::MoneyError| {
            Error::invalid(format!("{field}.currency_code"), "invalid", error.to_string())
        })?;
        events::Money::parse(&self.amount.0, currency)
            .map_err(|error| Error::invalid(format!("{field}.amount"), "invalid", error.to_string()))
    }
}

/// An id that an input names; a text that is no id is the field's fault.
pub fn id_of<T: FromStr>(id: &ID, field: &str) -> Result<T, Error> {
    id.parse().map_err(|_| Error::invalid(field, "invalid", "this is not an id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_is_not_a_decimal() {
        assert!(Decimal::parse(Value::from(1.5)).is_err());
        assert_eq!(Decimal::parse(Value::from("1.50")).unwrap().0, "1.50");
    }

    #[test]
    fn money_is_exact_and_its_faults_name_the_field() {
        let input = |amount: &str, currency: &str| MoneyInput {
            amount: Decimal(amount.to_owned()),
            currency_code: currency.to_owned(),
        };
        assert_eq!(input("9.9", "EUR").money("price").unwrap().amount(), "9.90");
        let field = |amount, currency| input(amount, currency).money("price").unwrap_err().fields[0].field.clone();
        assert_eq!(field("9.999", "EUR"), "price.amount");
        assert_eq!(field("1e3", "EUR"), "price.amount");
        assert_eq!(field("9.99", "Euro"), "price.currency_code");
    }

    #[test]
    fn times_are_in_utc() {
        let time = DateTime::parse(Value::from("2026-03-01T10:30:00+01:00")).unwrap();
        assert_eq!(time.to_value(), Value::from("2026-03-01T09:30:00Z"));
    }
}
