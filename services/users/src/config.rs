//! Settings of the users service.

use std::time::Duration;

use service::{ConfigError, Env};

/// Cost 10 is the contract's; less is refused.
const MIN_COST: u32 = 10;
const MAX_COST: u32 = 16;

/// What can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersConfig {
    /// Cost of new password hashes; a hash of a lower cost is renewed at its owner's next login.
    pub bcrypt_cost: u32,
    /// Passwords hashed at the same time, at most.
    pub hashing_threads: usize,
    /// Requests that wait for a hash at most; more are 503 at once.
    pub hashing_queue: usize,
    /// How long a request waits for its hash before it is 503.
    pub hashing_wait: Duration,
    /// Failed logins allowed per account and address within `login_window`.
    pub login_failures: u32,
    /// See `login_failures`.
    pub login_window: Duration,
    /// How long a refresh token can be used.
    pub refresh_lifetime: Duration,
    /// For so long after its use, the same refresh token answers its successor once more, unless that was used itself.
    pub refresh_grace: Duration,
}

impl Default for UsersConfig {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        UsersConfig {
            bcrypt_cost: MIN_COST,
            hashing_threads: cores.saturating_sub(1).max(1),
            hashing_queue: 256,
            hashing_wait: Duration::from_secs(10),
            login_failures: 10,
            login_window: Duration::from_secs(15 * 60),
            refresh_lifetime: Duration::from_secs(30 * 24 * 60 * 60),
            refresh_grace: Duration::from_secs(30),
        }
    }
}

impl UsersConfig {
    /// Reads `BCRYPT_COST`, `LOGIN_FAILURES`, `LOGIN_WINDOW_S` and `REFRESH_TOKEN_DAYS`.
    pub fn from_env(env: &Env) -> Result<UsersConfig, ConfigError> {
        let default = UsersConfig::default();
        let bcrypt_cost = env.parse_or("BCRYPT_COST", default.bcrypt_cost, "a cost from 10 to 16")?;
        if !(MIN_COST..=MAX_COST).contains(&bcrypt_cost) {
            return Err(ConfigError::invalid("BCRYPT_COST", bcrypt_cost.to_string(), "a cost from 10 to 16"));
        }
        let window_s = positive(env, "LOGIN_WINDOW_S", default.login_window.as_secs())?;
        let days = positive(env, "REFRESH_TOKEN_DAYS", default.refresh_lifetime.as_secs() / 86_400)?;
        Ok(UsersConfig {
            bcrypt_cost,
            login_failures: positive(env, "LOGIN_FAILURES", default.login_failures)?,
            login_window: Duration::from_secs(window_s),
            refresh_lifetime: Duration::from_secs(days.saturating_mul(86_400)),
            ..default
        })
    }
}

/// From 1 to a million: no such setting has a use beyond, and none may overflow a time.
fn positive<T>(env: &Env, variable: &str, default: T) -> Result<T, ConfigError>
where
    T: std::str::FromStr + Copy + PartialOrd + From<u32> + std::fmt::Display,
{
    let value = env.parse_or(variable, default, "a number from 1 to 1000000")?;
    if value < T::from(1) || value > T::from(1_000_000) {
        return Err(ConfigError::invalid(variable, value.to_string(), "a number from 1 to 1000000"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_contracts() {
        let config = UsersConfig::from_env(&Env::map([("", "")])).unwrap();
        assert_eq!(config, UsersConfig::default());
        assert_eq!((config.bcrypt_cost, config.login_failures), (10, 10));
        assert_eq!(config.login_window, Duration::from_secs(900));
    }

    #[test]
    fn the_cost_can_only_be_raised() {
        assert_eq!(UsersConfig::from_env(&Env::map([("BCRYPT_COST", "12")])).unwrap().bcrypt_cost, 12);
        for (variable, value) in [("BCRYPT_COST", "9"), ("BCRYPT_COST", "x"), ("LOGIN_FAILURES", "0")] {
            let error = UsersConfig::from_env(&Env::map([(variable, value)])).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{variable}=\"{value}\"")), "{error}");
        }
    }
}
