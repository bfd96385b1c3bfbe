//! Exact money: minor units and a currency, never a float.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An ISO 4217 currency that has a fixed number of digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The euro: the demo shop's currency.
    pub const EUR: Currency = Currency(iso_currency::Currency::EUR);

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits after the decimal point: 2 for EUR, 0 for JPY, 3 for KWD.
    pub fn digits(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(code: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some())
            .map(Currency)
            .ok_or_else(|| MoneyError::UnknownCurrency(code.to_owned()))
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why a text or a sum is not money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// No ISO 4217 currency with that code.
    #[error("`{0}` is not an ISO 4217 currency code; write for example EUR")]
    UnknownCurrency(String),
    /// Not a plain decimal number.
    #[error("`{0}` is not an amount; write a decimal string such as 12.99")]
    NotANumber(String),
    /// More digits than the currency has.
    #[error("{currency} has {digits} digits after the point; `{amount}` has more")]
    TooPrecise {
        /// What was given.
        amount: String,
        /// Its currency.
        currency: Currency,
        /// What the currency allows.
        digits: u32,
    },
    /// Beyond what an amount can hold.
    #[error("the amount is out of range")]
    OutOfRange,
    /// Two currencies in one sum.
    #[error("cannot combine {0} with {1}")]
    CurrencyMismatch(Currency, Currency),
}

/// An amount of money.
///
/// Invariant: exact; held in minor units of its currency. Arithmetic is checked and refuses to mix
/// currencies. As JSON: `{"amount": "12.99", "currency": "EUR"}` with all of the currency's digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "WireMoney", into = "WireMoney")]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Money as it stands in JSON.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Money)]
struct WireMoney {
    /// Exact decimal string with the currency's digits.
    #[schema(example = "12.99", pattern = r"^-?[0-9]+(\.[0-9]+)?$")]
    amount: String,
    /// ISO 4217 code.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    currency: String,
}

impl utoipa::PartialSchema for Money {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        WireMoney::schema()
    }
}

impl ToSchema for Money {
    fn name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }
}

impl Money {
    /// The largest amount, in minor units, so that it fits NUMERIC(19,4) in every currency.
    pub const MAX_MINOR: i64 = 99_999_999_999_999;

    /// Nothing, in that currency.
    pub fn zero(currency: Currency) -> Money {
        Money { minor: 0, currency }
    }

    /// From minor units (cents).
    pub fn from_minor(minor: i64, currency: Currency) -> Result<Money, MoneyError> {
        if minor.abs() > Self::MAX_MINOR {
            return Err(MoneyError::OutOfRange);
        }
        Ok(Money { minor, currency })
    }

    /// From a decimal: a column, or a parsed text. Refuses digits that the currency does not have.
    pub fn from_decimal(amount: Decimal, currency: Currency) -> Result<Money, MoneyError> {
        let digits = currency.digits();
        let mut scaled = amount.normalize();
        if scaled.scale() > digits {
            return Err(MoneyError::TooPrecise { amount: amount.to_string(), currency, digits });
        }
        scaled.rescale(digits);
        let minor = i64::try_from(scaled.mantissa()).map_err(|_| MoneyError::OutOfRange)?;
        Money::from_minor(minor, currency)
    }

    /// From a decimal string such as `12.99`, `12.9` or `12`.
    pub fn parse(amount: &str, currency: Currency) -> Result<Money, MoneyError> {
        let plain = !amount.is_empty()
            && amount.len() <= 24
            && amount.strip_prefix('-').unwrap_or(amount).bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let decimal = plain.then(|| Decimal::from_str_exact(amount).ok()).flatten();
        Money::from_decimal(decimal.ok_or_else(|| MoneyError::NotANumber(amount.to_owned()))?, currency)
    }

    /// The amount as a decimal, for NUMERIC columns.
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.minor, self.currency.digits())
    }

    /// The amount as text, with all of the currency's digits.
    pub fn amount(self) -> String {
        self.decimal().to_string()
    }

    /// The amount in minor units, as payment providers count.
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// Its currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// Below zero?
    pub fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// Exactly zero?
    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The sum of two amounts of one currency.
    pub fn plus(self, other: Money) -> Result<Money, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// The difference of two amounts of one currency.
    pub fn minus(self, other: Money) -> Result<Money, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// A line total: the amount, `quantity` times.
    pub fn times(self, quantity: u32) -> Result<Money, MoneyError> {
        let minor = self.minor.checked_mul(i64::from(quantity)).ok_or(MoneyError::OutOfRange)?;
        Money::from_minor(minor, self.currency)
    }

    /// The sum of many amounts; `currency` is that of an empty sum.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Money>) -> Result<Money, MoneyError> {
        amounts.into_iter().try_fold(Money::zero(currency), Money::plus)
    }

    fn combine(self, other: Money, op: fn(i64, i64) -> Option<i64>) -> Result<Money, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch(self.currency, other.currency));
        }
        Money::from_minor(op(self.minor, other.minor).ok_or(MoneyError::OutOfRange)?, self.currency)
    }
}

impl TryFrom<WireMoney> for Money {
    type Error = MoneyError;
    fn try_from(wire: WireMoney) -> Result<Self, MoneyError> {
        Money::parse(&wire.amount, wire.currency.parse()?)
    }
}

impl From<Money> for WireMoney {
    fn from(money: Money) -> WireMoney {
        WireMoney { amount: money.amount(), currency: money.currency.code().to_owned() }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn text_keeps_the_currencys_digits() {
        for (text, code, shown) in
            [("12.9", "EUR", "12.90"), ("500", "JPY", "500"), ("1.5", "KWD", "1.500"), ("0", "EUR", "0.00")]
        {
            assert_eq!(Money::parse(text, currency(code)).unwrap().amount(), shown);
        }
    }

    #[test]
    fn bad_amounts_are_refused() {
        for text in
            ["", "abc", "1e3", "1,50", "NaN", "12.999", " 1", "+1", "1_000", "99999999999999999", "--1", ".", "1.2.3"]
        {
            assert!(Money::parse(text, Currency::EUR).is_err(), "{text} was accepted");
        }
        assert!("XXX".parse::<Currency>().is_err(), "a code without digits is no money");
        assert!("eur".parse::<Currency>().is_err());
    }

    #[test]
    fn currencies_do_not_mix() {
        let euro = Money::parse("1.00", Currency::EUR).unwrap();
        let yen = Money::parse("1", currency("JPY")).unwrap();
        assert_eq!(euro.plus(yen), Err(MoneyError::CurrencyMismatch(Currency::EUR, currency("JPY"))));
    }

    proptest! {
        #[test]
        fn json_round_trips(minor in -Money::MAX_MINOR..=Money::MAX_MINOR, code in prop::sample::select(vec!["EUR", "JPY", "KWD", "USD", "CLF"])) {
            let money = Money::from_minor(minor, currency(code)).unwrap();
            let json = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
        }

        #[test]
        fn decimal_round_trips(minor in -Money::MAX_MINOR..=Money::MAX_MINOR) {
            let money = Money::from_minor(minor, Currency::EUR).unwrap();
            prop_assert_eq!(Money::from_decimal(money.decimal(), Currency::EUR).unwrap(), money);
        }

        #[test]
        fn sums_never_wrap(a in any::<i64>(), b in any::<i64>()) {
            if let (Ok(a), Ok(b)) = (Money::from_minor(a, Currency::EUR), Money::from_minor(b, Currency::EUR)) {
                match a.plus(b) {
                    Ok(sum) => prop_assert_eq!(i128::from(sum.minor()), i128::from(a.minor()) + i128::from(b.minor())),
                    Err(error) => prop_assert_eq!(error, MoneyError::OutOfRange),
                }
            }
        }

        #[test]
        fn any_text_is_money_or_an_error(text in ".{0,30}") {
            if let Ok(money) = Money::parse(&text, Currency::EUR) {
                prop_assert_eq!(Money::parse(&money.amount(), Currency::EUR).unwrap(), money);
            }
        }
    }
}
