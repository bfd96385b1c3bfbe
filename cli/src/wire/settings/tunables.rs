//! What can be tuned. The defaults are the services' own.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use analytics::AnalyticsConfig;
use cart::CartConfig;
use database::maintenance::Retention;
use gateway::{DocumentLimits, WebSocketLimits};
use orders::OrdersConfig;
use payments::PaymentsConfig;
use products::ProductsConfig;
use service::{ConfigError, Env};
use users::UsersConfig;

/// Ten years, in seconds: whatever is longer is a slip, and would overflow a time somewhere.
const LONGEST_S: u64 = 315_360_000;
/// No answer is given again after a day: keeping it longer would only keep what personal data it holds.
const LONGEST_KEYS_H: i32 = 24;

/// How the services behave.
#[derive(Debug, Clone)]
pub struct Tunables {
    /// Products.
    pub products: ProductsConfig,
    /// Cart.
    pub cart: CartConfig,
    /// Users.
    pub users: UsersConfig,
    /// Orders.
    pub orders: OrdersConfig,
    /// Payments.
    pub payments: PaymentsConfig,
    /// Analytics.
    pub analytics: AnalyticsConfig,
    /// Every service's own tables.
    pub retention: Retention,
    /// Every service's requests.
    pub requests: Requests,
    /// The gateway's documents and sockets.
    pub graphql: Graphql,
}

/// How long a request may take, and how long it may be.
#[derive(Debug, Clone)]
pub struct Requests {
    /// After this the answer is 503.
    pub timeout: Duration,
    /// A larger body is 413.
    pub body_bytes: usize,
}

/// What a GraphQL client may ask at once.
#[derive(Debug, Clone)]
pub struct Graphql {
    /// What a document may be like.
    pub document: DocumentLimits,
    /// What an operation may cost.
    pub max_complexity: usize,
    /// How WebSockets are treated.
    pub websocket: WebSocketLimits,
}

impl Tunables {
    /// Reads all of them, and checks those that depend on each other.
    pub fn from_env(env: &Env) -> Result<Tunables, ConfigError> {
        let tunables = Tunables {
            products: products(env)?,
            cart: cart(env)?,
            users: UsersConfig::from_env(env)?,
            orders: orders(env)?,
            payments: payments(env)?,
            analytics: analytics(env)?,
            retention: retention(env)?,
            requests: Requests {
                timeout: seconds(env, "REQUEST_TIMEOUT_S", Duration::from_secs(30))?,
                body_bytes: whole(env, "REQUEST_BODY_BYTES", 1024 * 1024, 1024)?,
            },
            graphql: graphql(env)?,
        };
        tunables.check()?;
        Ok(tunables)
    }

    /// What would lose money, stock or an effect if it were the other way round, or keep personal data for nothing.
    fn check(&self) -> Result<(), ConfigError> {
        let (hold, payment) = (self.products.hold_for, self.orders.payment_deadline);
        less("ORDERS_PAYMENT_DEADLINE_S", payment, "PRODUCTS_HOLD_S", hold)?;
        less("PAYMENTS_CALL_TIMEOUT_S", self.payments.call_timeout, "PAYMENTS_LEASE_S", self.payments.lease)?;
        if self.retention.applied_days < self.retention.events_days {
            let found = self.retention.applied_days.to_string();
            let expected = format!("at least EVENTS_KEPT_DAYS ({})", self.retention.events_days);
            return Err(ConfigError::invalid("IDEMPOTENCY_RECORDS_KEPT_DAYS", found, expected));
        }
        if self.retention.keys_hours > LONGEST_KEYS_H {
            let found = self.retention.keys_hours.to_string();
            let expected = format!("at most {LONGEST_KEYS_H}: no answer is given again after that");
            return Err(ConfigError::invalid("IDEMPOTENCY_KEYS_KEPT_H", found, expected));
        }
        if self.orders.undo_patience > self.orders.undo_patience_max {
            let found = self.orders.undo_patience.as_secs().to_string();
            let expected = format!("at most ORDERS_UNDO_PATIENCE_MAX_S ({})", self.orders.undo_patience_max.as_secs());
            return Err(ConfigError::invalid("ORDERS_UNDO_PATIENCE_S", found, expected));
        }
        Ok(())
    }
}

fn products(env: &Env) -> Result<ProductsConfig, ConfigError> {
    let default = ProductsConfig::default();
    Ok(ProductsConfig {
        hold_for: seconds(env, "PRODUCTS_HOLD_S", default.hold_for)?,
        overdue_grace: seconds(env, "PRODUCTS_HOLD_GRACE_S", default.overdue_grace)?,
        sweep_interval: seconds(env, "PRODUCTS_SWEEP_S", default.sweep_interval)?,
        picture_grace: seconds(env, "PRODUCTS_PICTURE_GRACE_S", default.picture_grace)?,
    })
}

fn cart(env: &Env) -> Result<CartConfig, ConfigError> {
    let default = CartConfig::default();
    Ok(CartConfig {
        abandoned_after: seconds(env, "CART_ABANDONED_AFTER_S", default.abandoned_after)?,
        sweep_every: seconds(env, "CART_SWEEP_S", default.sweep_every)?,
        checkout_overdue_after: seconds(env, "CART_CHECKOUT_OVERDUE_S", default.checkout_overdue_after)?,
        addresses_kept_days: whole(env, "CART_ADDRESSES_KEPT_DAYS", default.addresses_kept_days, 1)?,
        default_currency: env.parse_or("CART_CURRENCY", default.default_currency, "a currency's code, e.g. EUR")?,
    })
}

fn orders(env: &Env) -> Result<OrdersConfig, ConfigError> {
    let default = OrdersConfig::default();
    Ok(OrdersConfig {
        reservation_deadline: seconds(env, "ORDERS_RESERVATION_DEADLINE_S", default.reservation_deadline)?,
        payment_deadline: seconds(env, "ORDERS_PAYMENT_DEADLINE_S", default.payment_deadline)?,
        undo_patience: seconds(env, "ORDERS_UNDO_PATIENCE_S", default.undo_patience)?,
        undo_patience_max: seconds(env, "ORDERS_UNDO_PATIENCE_MAX_S", default.undo_patience_max)?,
        addresses_kept_days: whole(env, "ORDERS_ADDRESSES_KEPT_DAYS", default.addresses_kept_days, 1)?,
        watch_interval: seconds(env, "ORDERS_WATCH_INTERVAL_S", default.watch_interval)?,
        reconcile_interval: seconds(env, "ORDERS_RECONCILE_INTERVAL_S", default.reconcile_interval)?,
    })
}

fn payments(env: &Env) -> Result<PaymentsConfig, ConfigError> {
    let default = PaymentsConfig::default();
    Ok(PaymentsConfig {
        concurrency: whole(env, "PAYMENTS_CONCURRENCY", default.concurrency, 1)?,
        call_timeout: seconds(env, "PAYMENTS_CALL_TIMEOUT_S", default.call_timeout)?,
        lease: seconds(env, "PAYMENTS_LEASE_S", default.lease)?,
        sweep: seconds(env, "PAYMENTS_SWEEP_S", default.sweep)?,
    })
}

fn analytics(env: &Env) -> Result<AnalyticsConfig, ConfigError> {
    let default = AnalyticsConfig::default();
    Ok(AnalyticsConfig { abandoned_after: seconds(env, "ANALYTICS_ABANDONED_AFTER_S", default.abandoned_after)? })
}

fn retention(env: &Env) -> Result<Retention, ConfigError> {
    let default = Retention::default();
    Ok(Retention {
        events_days: whole(env, "EVENTS_KEPT_DAYS", default.events_days, 1)?,
        applied_days: whole(env, "IDEMPOTENCY_RECORDS_KEPT_DAYS", default.applied_days, 1)?,
        keys_hours: whole(env, "IDEMPOTENCY_KEYS_KEPT_H", default.keys_hours, 1)?,
        acts_days: whole(env, "OPERATOR_ACTS_KEPT_DAYS", default.acts_days, 1)?,
    })
}

fn graphql(env: &Env) -> Result<Graphql, ConfigError> {
    let (document, websocket) = (DocumentLimits::default(), WebSocketLimits::default());
    Ok(Graphql {
        document: DocumentLimits {
            max_depth: whole(env, "GRAPHQL_MAX_DEPTH", document.max_depth, 1)?,
            max_aliases: whole(env, "GRAPHQL_MAX_ALIASES", document.max_aliases, 0)?,
            max_tokens: whole(env, "GRAPHQL_MAX_TOKENS", document.max_tokens, 1)?,
        },
        max_complexity: whole(env, "GRAPHQL_MAX_COMPLEXITY", gateway::MAX_COMPLEXITY, 1)?,
        websocket: WebSocketLimits {
            max_connections: whole(env, "WEBSOCKET_MAX_CONNECTIONS", websocket.max_connections, 1)?,
            max_operations: whole(env, "WEBSOCKET_MAX_OPERATIONS", websocket.max_operations, 1)?,
            ..websocket
        },
    })
}

fn seconds(env: &Env, variable: &str, default: Duration) -> Result<Duration, ConfigError> {
    whole(env, variable, default.as_secs(), 1).map(Duration::from_secs)
}

/// A whole number from `least` to what ten years are in seconds.
pub(super) fn whole<T>(env: &Env, variable: &str, default: T, least: u64) -> Result<T, ConfigError>
where
    T: FromStr + TryInto<u64> + Copy + Display,
{
    let expected = format!("a whole number from {least} to {LONGEST_S}");
    let value = env.parse_or(variable, default, &expected)?;
    match value.try_into() {
        Ok(number) if (least..=LONGEST_S).contains(&number) => Ok(value),
        Ok(_) | Err(_) => Err(ConfigError::invalid(variable, value.to_string(), expected)),
    }
}

fn less(shorter: &str, short: Duration, longer: &str, long: Duration) -> Result<(), ConfigError> {
    if short < long {
        return Ok(());
    }
    let expected = format!("less than {longer} ({})", long.as_secs());
    Err(ConfigError::invalid(shorter, short.as_secs().to_string(), expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(variables: &[(&str, &str)]) -> String {
        Tunables::from_env(&Env::map(variables.iter().copied())).expect_err("refused").to_string()
    }

    #[test]
    fn a_payment_never_outlives_the_hold() {
        let error = refusal(&[("ORDERS_PAYMENT_DEADLINE_S", "3600")]);
        assert_eq!(
            error,
            r#"ORDERS_PAYMENT_DEADLINE_S="3600" is not valid; expected less than PRODUCTS_HOLD_S (3600)"#
        );
        let error = refusal(&[("PRODUCTS_HOLD_S", "600")]);
        assert!(error.starts_with("ORDERS_PAYMENT_DEADLINE_S"), "{error}");
        let both = [("PRODUCTS_HOLD_S", "7200"), ("ORDERS_PAYMENT_DEADLINE_S", "3600")];
        let tunables = Tunables::from_env(&Env::map(both)).expect("in order");
        assert_eq!(tunables.products.hold_for, Duration::from_secs(7200));
        assert_eq!(tunables.orders.payment_deadline, Duration::from_secs(3600));
    }

    #[test]
    fn what_depends_on_each_other_is_checked() {
        assert!(refusal(&[("PAYMENTS_CALL_TIMEOUT_S", "15")]).contains("PAYMENTS_LEASE_S (15)"));
        assert!(refusal(&[("EVENTS_KEPT_DAYS", "31")]).starts_with("IDEMPOTENCY_RECORDS_KEPT_DAYS"));
        assert!(refusal(&[("ORDERS_UNDO_PATIENCE_S", "301")]).contains("ORDERS_UNDO_PATIENCE_MAX_S (300)"));
    }

    #[test]
    fn answers_to_keys_are_kept_for_a_day_at_most() {
        let error = refusal(&[("IDEMPOTENCY_KEYS_KEPT_H", "25")]);
        assert!(error.starts_with("IDEMPOTENCY_KEYS_KEPT_H=\"25\"") && error.contains("at most 24"), "{error}");
        for hours in ["24", "1"] {
            Tunables::from_env(&Env::map([("IDEMPOTENCY_KEYS_KEPT_H", hours)])).expect("a day or less");
        }
    }

    #[test]
    fn numbers_without_sense_are_refused() {
        for (variable, value) in [
            ("PRODUCTS_HOLD_S", "0"),
            ("CART_ABANDONED_AFTER_S", "-1"),
            ("CART_ABANDONED_AFTER_S", "7 days"),
            ("CART_CURRENCY", "euro"),
            ("EVENTS_KEPT_DAYS", "9999999999"),
            ("GRAPHQL_MAX_DEPTH", "0"),
            ("REQUEST_TIMEOUT_S", "315360001"),
        ] {
            let error = refusal(&[(variable, value)]);
            assert!(error.starts_with(&format!("{variable}=\"{value}\"")), "{error}");
        }
    }
}
