//! Everything the environment says, read once and checked.

use std::num::NonZeroU16;
use std::time::Duration;

use database::{Login, PoolLimits};
use messaging::RabbitConfig;
use service::server::AppConfig;
use service::{ConfigError, Env, TokenKeys};

use super::Error;
use crate::service_name::ServiceName;

/// Everything the environment says.
pub struct Settings {
    /// The variables.
    pub env: Env,
    owner_url: Option<String>,
}

/// How messages travel.
pub enum Messages {
    /// Through PostgreSQL.
    Postgres,
    /// Through the broker at this URL.
    Rabbit(String),
}

/// Variables of features that this release does not have. To ignore them would be to promise something.
const NOT_YET: [(&str, &str); 4] = [
    ("STRIPE_SECRET_KEY", "payments through Stripe"),
    ("STRIPE_WEBHOOK_SECRET", "payments through Stripe"),
    ("STRIPE_API_BASE", "payments through Stripe"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "traces over OTLP"),
];

const OWNER_URL: &str = "postgres://user:password@host:5432/prost";

impl Settings {
    /// Reads every variable, and checks those that are set. What is missing is told where it is needed.
    pub fn new(env: Env) -> Result<Settings, Error> {
        for (variable, feature) in NOT_YET {
            if env.get(variable).is_some() {
                return Err(Error::NotYet { variable, feature });
            }
        }
        let owner_url = env.get("DATABASE_URL");
        let settings = Settings { env, owner_url };
        for service in ServiceName::ALL {
            settings.port(service)?;
            settings.pool_limits(service)?;
        }
        if let Some(url) = &settings.owner_url {
            parse_url("DATABASE_URL", url)?;
        }
        for service in ServiceName::ALL {
            if let Some(url) = settings.own_database_url(service) {
                parse_url(&variable(service, "DATABASE_URL"), &url)?;
            }
        }
        if let Messages::Rabbit(url) = settings.messages() {
            let expected = "amqp://user:password@host:5672/vhost";
            RabbitConfig::check_url(&url).map_err(|_| ConfigError::secret("AMQP_URL", expected))?;
        }
        if let Some(url) = settings.redis_url() {
            let expected = "redis://:password@127.0.0.1:6379/";
            cache::Backend::check_url(&url).map_err(|_| ConfigError::secret("REDIS_URL", expected))?;
        }
        TokenKeys::from_env(&settings.env)?;
        Ok(settings)
    }

    /// Every service that has a database.
    pub fn with_database() -> impl Iterator<Item = ServiceName> {
        ServiceName::ALL.into_iter().filter(|service| *service != ServiceName::Gateway)
    }

    /// Is everything set that these services need to run? The owner's login is needed for the Postgres transport and
    /// by services without a login of their own.
    pub fn check_serving(&self, services: &[ServiceName]) -> Result<(), Error> {
        for service in services {
            if *service != ServiceName::Gateway {
                self.login(*service)?;
            }
            if let Messages::Postgres = self.messages() {
                self.messages_login(*service)?;
            }
        }
        Ok(())
    }

    /// The owner's login; with the Postgres transport, also where the messages lie.
    pub fn owner_url(&self) -> Result<&str, Error> {
        self.owner_url_or(OWNER_URL)
    }

    fn owner_url_or(&self, expected: &str) -> Result<&str, Error> {
        let missing = || ConfigError::Missing { variable: "DATABASE_URL".to_owned(), expected: expected.to_owned() };
        Ok(self.owner_url.as_deref().ok_or_else(missing)?)
    }

    fn own_database_url(&self, service: ServiceName) -> Option<String> {
        self.env.get(&variable(service, "DATABASE_URL"))
    }

    /// Where a service's tables lie. Analytics has a database of its own, beside the owner's.
    pub fn database_url(&self, service: ServiceName) -> Result<String, Error> {
        if let Some(own) = self.own_database_url(service) {
            return Ok(own);
        }
        let owner = self.owner_url_or(&format!("{OWNER_URL}, or {} alone", variable(service, "DATABASE_URL")))?;
        Ok(match service {
            ServiceName::Analytics => with_database_name(owner, "analytics"),
            _ => owner.to_owned(),
        })
    }

    /// A service's login, role and schema.
    pub fn login(&self, service: ServiceName) -> Result<Login, Error> {
        Ok(Login::of_service(&self.database_url(service)?, service.as_str(), schema(service)))
    }

    /// A service's login to where the messages of the Postgres transport lie: its own, if that leads there.
    pub fn messages_login(&self, service: ServiceName) -> Result<Login, Error> {
        let owner = self.owner_url_or(&format!("{OWNER_URL}, whose database carries the messages, or AMQP_URL"))?;
        let own = self.own_database_url(service).filter(|own| same_database(own, owner));
        Ok(Login::of_service(own.as_deref().unwrap_or(owner), service.as_str(), "messaging"))
    }

    /// Do a service's tables lie in the database that carries the messages?
    pub fn shares_owner_database(&self, service: ServiceName) -> bool {
        match (self.database_url(service), &self.owner_url) {
            (Ok(url), Some(owner)) => same_database(&url, owner),
            _ => false,
        }
    }

    /// RabbitMQ if `AMQP_URL` is set, else PostgreSQL.
    pub fn messages(&self) -> Messages {
        self.env.get("AMQP_URL").map_or(Messages::Postgres, Messages::Rabbit)
    }

    /// Where copies of the catalogue are shared; without it each process keeps its own while it is alone.
    pub fn redis_url(&self) -> Option<String> {
        self.env.get("REDIS_URL")
    }

    /// `DATABASE_POOL_MAX`, `_WARM`, `_LIFETIME_S`, `_IDLE_S`; with a service's name in front for that service alone.
    pub fn pool_limits(&self, service: ServiceName) -> Result<PoolLimits, Error> {
        let default = PoolLimits::default();
        let read = |name: &str, default: u64| -> Result<u64, ConfigError> {
            let shared = self.env.parse_or(name, default, "a whole number")?;
            self.env.parse_or(&variable(service, name), shared, "a whole number")
        };
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        let max = count(read("DATABASE_POOL_MAX", default.max as u64)?);
        if max == 0 {
            return Err(ConfigError::invalid("DATABASE_POOL_MAX", "0", "at least 1").into());
        }
        Ok(PoolLimits {
            max,
            warm: count(read("DATABASE_POOL_WARM", default.warm as u64)?).min(max),
            lifetime: Duration::from_secs(read("DATABASE_POOL_LIFETIME_S", default.lifetime.as_secs())?),
            idle_time: Duration::from_secs(read("DATABASE_POOL_IDLE_S", default.idle_time.as_secs())?),
            wait: default.wait,
        })
    }

    /// How many connections the pools of these services may open together.
    pub fn pool_sum(&self, services: &[ServiceName]) -> Result<usize, Error> {
        services.iter().map(|service| self.pool_limits(*service).map(|limits| limits.max)).sum()
    }

    /// Where this process listens.
    pub fn host(&self) -> String {
        self.env.get("HOST").unwrap_or_else(|| "127.0.0.1".to_owned())
    }

    /// `<SERVICE>_PORT`, else `PORT` and the service's place.
    pub fn port(&self, service: ServiceName) -> Result<u16, Error> {
        let expected = "a port, 1 to 65529";
        let base: NonZeroU16 = self.env.parse_or("PORT", NonZeroU16::new(8080).expect("not zero"), expected)?;
        let own: Option<NonZeroU16> = self.env.parse(&variable(service, "PORT"), "a port, 1 to 65535")?;
        match own {
            Some(port) => Ok(port.get()),
            None => base
                .get()
                .checked_add(service.port_offset())
                .ok_or_else(|| ConfigError::invalid("PORT", base.to_string(), expected).into()),
        }
    }

    /// `<SERVICE>_URL`, if it is set: whoever asks that service asks there.
    pub fn url(&self, service: ServiceName) -> Option<String> {
        self.env.get(&variable(service, "URL"))
    }

    /// Where a service of another process is found.
    pub fn url_or_default(&self, service: ServiceName) -> Result<String, Error> {
        Ok(match self.url(service) {
            Some(url) => url,
            None => format!("http://{}:{}", self.host(), self.port(service)?),
        })
    }

    /// What signs and verifies tokens.
    pub fn keys(&self) -> Result<TokenKeys, Error> {
        Ok(TokenKeys::from_env(&self.env)?)
    }

    /// How a service treats its requests.
    pub fn app(&self, service: ServiceName) -> Result<AppConfig, Error> {
        let app = AppConfig::from_env(service.as_str(), &self.env)?;
        Ok(if service == ServiceName::Gateway { app.facing_outside(&self.env)? } else { app })
    }
}

/// The schema that a service owns.
pub fn schema(service: ServiceName) -> &'static str {
    match service {
        ServiceName::Products => products::SCHEMA,
        ServiceName::Cart => cart::SCHEMA,
        ServiceName::Users => users::SCHEMA,
        ServiceName::Orders => orders::SCHEMA,
        ServiceName::Payments => payments::SCHEMA,
        ServiceName::Analytics => analytics::SCHEMA,
        ServiceName::Gateway => "messaging",
    }
}

fn variable(service: ServiceName, name: &str) -> String {
    format!("{}_{name}", service.as_str().to_uppercase())
}

/// The value may hold a password, so it is never part of the error.
fn parse_url(variable: &str, url: &str) -> Result<(), Error> {
    match url.parse::<tokio_postgres::Config>() {
        Ok(_) => Ok(()),
        Err(_) => Err(ConfigError::secret(variable, "postgres://user:password@host:5432/database").into()),
    }
}

/// Do two logins lead to one database?
pub fn same_database(one: &str, other: &str) -> bool {
    match (one.parse::<tokio_postgres::Config>(), other.parse::<tokio_postgres::Config>()) {
        (Ok(one), Ok(other)) => {
            one.get_hosts() == other.get_hosts()
                && one.get_ports() == other.get_ports()
                && one.get_dbname() == other.get_dbname()
        }
        _ => false,
    }
}

/// The same login to another database of the same server.
pub fn with_database_name(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').map_or((url, None), |(address, options)| (address, Some(options)));
    let authority = address.find("://").map_or(0, |position| position + 3);
    let end = address[authority..].find('/').map_or(address.len(), |position| authority + position);
    let options = options.map(|options| format!("?{options}")).unwrap_or_default();
    format!("{}/{name}{options}", &address[..end])
}

#[cfg(test)]
mod tests {
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
                let error =
                    only(&[(variable, value)]).err().unwrap_or_else(|| panic!("{variable}={value} was accepted"));
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
            let error =
                settings(&[(variable, value)]).err().unwrap_or_else(|| panic!("{variable}={value} was accepted"));
            assert!(error.to_string().contains(variable), "{error}");
        }
    }

    #[test]
    fn a_services_own_value_wins() {
        let settings =
            settings(&[("DATABASE_POOL_MAX", "9"), ("CART_DATABASE_POOL_MAX", "3"), ("PORT", "9000")]).unwrap();
        assert_eq!(settings.pool_limits(ServiceName::Cart).unwrap().max, 3);
        assert_eq!(settings.pool_limits(ServiceName::Users).unwrap().max, 9);
        assert_eq!(settings.port(ServiceName::Orders).unwrap(), 9004);
    }
}
