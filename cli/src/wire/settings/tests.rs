//! The environment, read and refused.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const OWNER: (&str, &str) = ("DATABASE_URL", "postgres://me@localhost/prost");
const ORDERS: (&str, &str) = ("ORDERS_DATABASE_URL", "postgres://prost_orders:pw@localhost/prost");
const BROKER: (&str, &str) = ("AMQP_URL", "amqp://me:pw@localhost:5672/shop");

fn only(variables: &[(&str, &str)]) -> Result<Settings, Error> {
    let secret = [("JWT_SECRET", "0123456789abcdef0123456789abcdef")];
    Settings::new(Env::map(secret.iter().chain(variables).map(|(name, value)| (*name, *value))))
}

fn settings(more: &[(&str, &str)]) -> Result<Settings, Error> {
    only(&[&[OWNER], more].concat())
}

/// What is missing to serve these, if something is.
fn missing(variables: &[(&str, &str)], services: &[ServiceName]) -> Option<String> {
    only(variables).unwrap().check_serving(services).err().map(|error| error.to_string())
}

#[test]
fn a_service_over_rabbitmq_needs_no_login_but_its_own() {
    use ServiceName::{Analytics, Gateway, Orders, Users};
    assert_eq!(missing(&[ORDERS, BROKER], &[Orders]), None);
    assert_eq!(missing(&[BROKER], &[Gateway]), None);
    assert_eq!(missing(&[OWNER], &ServiceName::ALL), None);
    assert_eq!(missing(&[OWNER, ORDERS, BROKER], &ServiceName::ALL), None);
    for (variables, services, named) in [
        (&[ORDERS, BROKER][..], &[Orders, Users][..], "USERS_DATABASE_URL"),
        (&[BROKER], &[Analytics], "ANALYTICS_DATABASE_URL"),
        (&[ORDERS], &[Orders], "AMQP_URL"),
        (&[], &[Gateway], "AMQP_URL"),
    ] {
        let error = missing(variables, services).unwrap_or_else(|| panic!("{services:?} miss nothing"));
        assert!(error.starts_with("DATABASE_URL is not set") && error.contains(named), "{error}");
    }
    let error = only(&[BROKER]).unwrap().owner_url().unwrap_err().to_string();
    assert!(error.starts_with("DATABASE_URL is not set"), "{error}");
}

#[test]
fn messages_are_reached_with_a_services_own_login() {
    let apart = ("CART_DATABASE_URL", "postgres://prost_cart:pw@elsewhere/cart");
    let settings = settings(&[ORDERS, apart]).unwrap();
    let login = |service| settings.messages_login(service).unwrap();
    assert_eq!(login(ServiceName::Orders).url, ORDERS.1);
    assert_eq!(login(ServiceName::Cart).url, OWNER.1, "its own leads elsewhere");
    assert_eq!(login(ServiceName::Gateway).role, "prost_gateway");
    assert!(settings.shares_owner_database(ServiceName::Orders));
    assert!(!settings.shares_owner_database(ServiceName::Cart));
}

#[test]
fn a_url_with_a_password_is_refused_by_name_alone() {
    for variable in ["DATABASE_URL", "ORDERS_DATABASE_URL", "GATEWAY_DATABASE_URL", "AMQP_URL", "REDIS_URL"] {
        for value in ["http://me:s3cret@host", "s3cret", "amqp://me:s3cret@host:port", "host:5672"] {
            let error = only(&[(variable, value)]).err().unwrap_or_else(|| panic!("{variable}={value} was accepted"));
            let error = error.to_string();
            assert!(error.contains(variable) && !error.contains("s3cret"), "{error}");
        }
    }
}

#[test]
fn another_database_of_the_same_server() {
    for (url, other) in [
        ("postgres://me:pw@host:5432/prost", "postgres://me:pw@host:5432/analytics"),
        ("postgres://me@host/prost?sslmode=disable", "postgres://me@host/analytics?sslmode=disable"),
        ("postgres://host", "postgres://host/analytics"),
    ] {
        assert_eq!(with_database_name(url, "analytics"), other);
    }
}

#[test]
fn features_that_are_not_there_are_refused_by_name() {
    let error = settings(&[("STRIPE_SECRET_KEY", "sk_test")]).err().unwrap().to_string();
    assert!(error.contains("STRIPE_SECRET_KEY") && !error.contains("sk_test"), "{error}");
}

#[test]
fn bad_values_are_refused_by_name() {
    for (variable, value) in [
        ("PORT", "http"),
        ("PORT", "0"),
        ("PORT", "65535"),
        ("ORDERS_PORT", "-1"),
        ("DATABASE_POOL_MAX", "many"),
        ("DATABASE_POOL_MAX", "0"),
        ("JWT_SECRET", "short"),
        ("CART_DATABASE_URL", "mysql://nope"),
        ("REDIS_URL", "memcached://localhost"),
    ] {
        let error = settings(&[(variable, value)]).err().unwrap_or_else(|| panic!("{variable}={value} was accepted"));
        assert!(error.to_string().contains(variable), "{error}");
    }
}

#[test]
fn a_services_own_value_wins() {
    let settings = settings(&[("DATABASE_POOL_MAX", "9"), ("CART_DATABASE_POOL_MAX", "3"), ("PORT", "9000")]).unwrap();
    assert_eq!(settings.pool_limits(ServiceName::Cart).unwrap().max, 3);
    assert_eq!(settings.pool_limits(ServiceName::Users).unwrap().max, 9);
    assert_eq!(settings.port(ServiceName::Orders).unwrap(), 9004);
}

#[test]
fn a_service_with_its_own_login_to_the_broker_declares_its_own_queues_only() {
    let own = ("CART_AMQP_URL", "amqp://prost_cart:pw@localhost:5672/shop");
    let settings = settings(&[BROKER, own]).unwrap();
    let declares = |service| match settings.messages(service) {
        Messages::Rabbit(config) => Some((config.url, config.declares)),
        Messages::Postgres => None,
    };
    assert_eq!(declares(ServiceName::Cart), Some((own.1.to_owned(), Declares::OwnQueues)));
    assert_eq!(declares(ServiceName::Orders), Some((BROKER.1.to_owned(), Declares::Everything)));
    let error = missing(&[OWNER, own], &[ServiceName::Cart, ServiceName::Orders]).expect("they would never meet");
    assert!(error.starts_with("ORDERS_AMQP_URL is not set"), "{error}");
    assert_eq!(missing(&[OWNER, own], &[ServiceName::Cart]), None);
}

#[test]
fn a_misspelt_variable_is_refused_by_name() {
    for name in ["ORDERS_PAYMENT_DEADLINE", "GATEWAY_AMQP", "JWT_SECRET_OLD", "GRAPHQL_DEPTH"] {
        let error = settings(&[(name, "s3cret")]).err().unwrap_or_else(|| panic!("{name} was accepted")).to_string();
        assert!(error.contains(name) && error.contains("docs/configuration.md"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    assert!(settings(&[("SOMEBODY_ELSES", "x"), ("CART_SERVICE_HOST", "10.0.0.7")]).is_ok());
}

#[test]
fn another_server_is_another_server() {
    assert!(same_server("postgres://a:b@host/prost", "postgres://c@host:5432/analytics"));
    assert!(!same_server("postgres://a@host/prost", "postgres://a@host:5433/prost"));
    assert!(!same_server("postgres://a@host/prost", "postgres://a@other/prost"));
}

/// The documented variables, with their defaults. `<SERVICE>` stands for each.
fn documented() -> BTreeMap<String, String> {
    let text = include_str!("../../../../docs/configuration.md");
    let mut variables = BTreeMap::new();
    for row in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for name in cells[1].split(',').map(|name| name.trim().trim_matches('`')) {
            match name.strip_prefix("<SERVICE>_") {
                None => {
                    variables.insert(name.to_owned(), cells[2].to_owned());
                }
                Some(rest) => {
                    variables.extend(ServiceName::ALL.map(|service| (variable(service, rest), cells[2].to_owned())))
                }
            }
        }
    }
    variables
}

#[test]
fn the_documentation_lists_what_is_read_and_nothing_else() {
    let settings = settings(&[]).unwrap();
    let mut read = settings.env.asked();
    read.extend(["NO_COLOR", "PROST_DATA_DIR"].map(str::to_owned)); // read by the command line and by terminals
    let documented: BTreeSet<String> = documented().into_keys().collect();
    let missing: Vec<&String> = read.difference(&documented).collect();
    let idle: Vec<&String> = documented.difference(&read).collect();
    assert!(
        missing.is_empty() && idle.is_empty(),
        "not in docs/configuration.md: {missing:?}; read by nobody: {idle:?}"
    );
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    let apart = ["RUST_LOG", "NO_COLOR", "PROST_DATA_DIR"];
    let set: Vec<(String, String)> = documented()
        .into_iter()
        .filter(|(name, default)| !default.is_empty() && !apart.contains(&name.as_str()))
        .filter(|(name, _)| !name.ends_with("_PORT"))
        .collect();
    let variables: Vec<(&str, &str)> = set.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (explicit, implied) = (settings(&variables).unwrap(), settings(&[]).unwrap());
    assert_eq!(format!("{:?}", explicit.tunables), format!("{:?}", implied.tunables));
    for service in ServiceName::ALL {
        assert_eq!(explicit.pool_limits(service).unwrap(), implied.pool_limits(service).unwrap());
        assert_eq!(explicit.port(service).unwrap(), implied.port(service).unwrap());
    }
    assert_eq!(explicit.host(), implied.host());
}
