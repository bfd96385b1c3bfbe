//! Settings of the users service.

use std::ops::RangeInclusive;
use std::time::Duration;

use service::{ConfigError, Env};

/// Cost 10 is the contract's; less is refused.
const MIN_COST: u32 = 10;
const MAX_COST: u32 = 16;
/// More threads than the largest machines have cores only take turns.
const MAX_THREADS: usize = 256;
/// So many passwords in memory at most; of a longer queue nobody waits for the end.
const MAX_QUEUE: usize = 100_000;
/// A request is over by then, whatever its limit.
const MAX_WAIT_S: u64 = 600;

/// What can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersConfig {
    /// Cost of new password hashes; a hash of a lower cost is renewed at its owner's next login.
    pub bcrypt_cost: u32,
    /// Passwords hashed at the same time, at most; one core is left to everything else unless told.
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
            hashing_threads: cores.saturating_sub(1).clamp(1, MAX_THREADS),
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
    /// Reads `BCRYPT_COST`, `BCRYPT_THREADS`, `BCRYPT_QUEUE`, `BCRYPT_WAIT_S`, `LOGIN_FAILURES`, `LOGIN_WINDOW_S` and
    /// `REFRESH_TOKEN_DAYS`.
    pub fn from_env(env: &Env) -> Result<UsersConfig, ConfigError> {
        let default = UsersConfig::default();
        let wait_s = within(env, "BCRYPT_WAIT_S", default.hashing_wait.as_secs(), 1..=MAX_WAIT_S)?;
        let window_s = positive(env, "LOGIN_WINDOW_S", default.login_window.as_secs())?;
        let days = positive(env, "REFRESH_TOKEN_DAYS", default.refresh_lifetime.as_secs() / 86_400)?;
        Ok(UsersConfig {
            bcrypt_cost: within(env, "BCRYPT_COST", default.bcrypt_cost, MIN_COST..=MAX_COST)?,
            hashing_threads: within(env, "BCRYPT_THREADS", default.hashing_threads, 1..=MAX_THREADS)?,
            hashing_queue: within(env, "BCRYPT_QUEUE", default.hashing_queue, 1..=MAX_QUEUE)?,
            hashing_wait: Duration::from_secs(wait_s),
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
    within(env, variable, default, T::from(1)..=T::from(1_000_000))
}

fn within<T>(env: &Env, variable: &str, default: T, range: RangeInclusive<T>) -> Result<T, ConfigError>
where
    T: std::str::FromStr + Copy + PartialOrd + std::fmt::Display,
{
    let expected = format!("a number from {} to {}", range.start(), range.end());
    let value = env.parse_or(variable, default, &expected)?;
    if range.contains(&value) { Ok(value) } else { Err(ConfigError::invalid(variable, value.to_string(), &expected)) }
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
    fn the_hashing_threads_can_be_set() {
        let set = [("BCRYPT_THREADS", "3"), ("BCRYPT_QUEUE", "7"), ("BCRYPT_WAIT_S", "2")];
        let config = UsersConfig::from_env(&Env::map(set)).unwrap();
        assert_eq!((config.hashing_threads, config.hashing_queue), (3, 7));
        assert_eq!(config.hashing_wait, Duration::from_secs(2));
    }

    #[test]
    fn the_cost_can_only_be_raised_and_nothing_is_without_bounds() {
        assert_eq!(UsersConfig::from_env(&Env::map([("BCRYPT_COST", "12")])).unwrap().bcrypt_cost, 12);
        for (variable, value) in [
            ("BCRYPT_COST", "9"),
            ("BCRYPT_COST", "17"),
            ("BCRYPT_COST", "x"),
            ("BCRYPT_THREADS", "0"),
            ("BCRYPT_THREADS", "257"),
            ("BCRYPT_QUEUE", "0"),
            ("BCRYPT_QUEUE", "100001"),
            ("BCRYPT_WAIT_S", "0"),
            ("BCRYPT_WAIT_S", "601"),
            ("LOGIN_FAILURES", "0"),
        ] {
            let error = UsersConfig::from_env(&Env::map([(variable, value)])).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{variable}=\"{value}\"")), "{error}");
        }
    }
}
