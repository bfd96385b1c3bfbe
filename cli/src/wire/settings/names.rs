//! A misspelt variable is refused, not ignored: to run on with a default would be to pretend.

use service::{ConfigError, Env};

use crate::service_name::ServiceName;

/// What our variables begin with, besides `<SERVICE>_`. Short ones that others use, too (`HOST`, `PORT`), do not count.
const FAMILIES: [&str; 11] = [
    "PROST_",
    "DATABASE_POOL_",
    "EVENTS_KEPT_",
    "JWT_",
    "STRIPE_",
    "BCRYPT_",
    "LOGIN_",
    "GRAPHQL_",
    "WEBSOCKET_",
    "IDEMPOTENCY_",
    "OPERATOR_",
];

/// Read by the command line itself.
const READ_ELSEWHERE: [&str; 1] = ["PROST_DATA_DIR"];

/// Errors: a variable looks like one of ours, and nobody asked for it.
pub fn refuse_unknown(env: &Env) -> Result<(), ConfigError> {
    let asked = env.asked();
    let mut names = env.names();
    names.sort();
    let known = |name: &str| asked.contains(name) || READ_ELSEWHERE.contains(&name);
    match names.into_iter().find(|name| is_ours(name) && !known(name)) {
        Some(name) => {
            let expected = "no such variable; docs/configuration.md lists those there are";
            Err(ConfigError::secret(name, expected))
        }
        None => Ok(()),
    }
}

fn is_ours(name: &str) -> bool {
    if FAMILIES.iter().any(|family| name.starts_with(family)) {
        return true;
    }
    ServiceName::ALL.iter().any(|service| {
        let own = name.strip_prefix(&service.as_str().to_uppercase()).and_then(|rest| rest.strip_prefix('_'));
        own.is_some_and(|rest| !is_service_link(rest))
    })
}

/// Kubernetes tells every container of every service: `CART_SERVICE_HOST`, `CART_PORT_8082_TCP_ADDR`.
fn is_service_link(rest: &str) -> bool {
    let port = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    rest.starts_with("SERVICE_HOST") || rest.starts_with("SERVICE_PORT") || rest.strip_prefix("PORT_").is_some_and(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_ours_is_ours() {
        for name in ["ORDERS_PAYMENT_DEADLINE", "PROST_PORT", "JWT_SECRETS", "GRAPHQL_DEPTH", "CART_PORTS"] {
            assert!(is_ours(name), "{name}");
        }
        for name in ["PATH", "HOST", "CARTON", "DATABASE_HOST", "CART_SERVICE_HOST", "CART_PORT_8082_TCP_ADDR"] {
            assert!(!is_ours(name), "{name}");
        }
    }

    #[test]
    fn an_empty_name_in_the_environment_is_nobodys() {
        let env = Env::map([("PATH", "/bin"), ("CART_SWEEP_S", "1")]);
        assert!(refuse_unknown(&env).is_err());
        env.get("CART_SWEEP_S");
        assert_eq!(refuse_unknown(&env), Ok(()));
    }
}
