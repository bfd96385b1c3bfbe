//! Everything the environment says, read once and checked; `docs/configuration.md` lists it.

mod names;
mod tunables;

use std::num::NonZeroU16;
use std::time::Duration;

use database::{Login, PoolLimits};
use messaging::{Declares, RabbitConfig};
use service::server::AppConfig;
use service::telemetry::LogFormat;
use service::{ConfigError, Env, TokenKeys};

use self::tunables::Tunables;
use super::Error;
use crate::service_name::ServiceName;

/// Everything the environment says.
pub struct Settings {
    env: Env,
    owner_url: Option<String>,
    /// How the services behave.
    pub tunables: Tunables,
}

/// How messages travel.
pub enum Messages {
    /// Through PostgreSQL.
    Postgres,
    /// Through this broker.
    Rabbit(RabbitConfig),
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
        let tunables = Tunables::from_env(&env)?;
        let settings = Settings { owner_url: env.get("DATABASE_URL"), env, tunables };
        settings.check_urls()?;
        for service in ServiceName::ALL {
            settings.port(service)?;
            settings.pool_limits(service)?;
        }
        settings.host();
        settings.is_demo()?;
        LogFormat::from_env(&settings.env)?;
        settings.env.get("RUST_LOG"); // checked where the log is started
        if settings.env.get("JWT_SECRET").is_some() || settings.env.get("JWT_SECRET_PREVIOUS").is_some() {
            settings.app(ServiceName::Gateway)?;
        }
        names::refuse_unknown(&settings.env)?;
        Ok(settings)
    }

    fn check_urls(&self) -> Result<(), Error> {
        if let Some(url) = &self.owner_url {
            parse_url("DATABASE_URL", url)?;
        }
        for service in ServiceName::ALL {
            if let Some(url) = self.own_database_url(service) {
                parse_url(&variable(service, "DATABASE_URL"), &url)?;
            }
            if let Some(url) = self.url(service)
                && !(url.starts_with("http://") || url.starts_with("https://"))
            {
                let expected = format!("http://host:port of {service}");
                return Err(ConfigError::invalid(variable(service, "URL"), url, expected).into());
            }
        }
        let shared = std::iter::once("AMQP_URL".to_owned());
        for name in shared.chain(ServiceName::ALL.map(|service| variable(service, "AMQP_URL"))) {
            if let Some(url) = self.env.get(&name) {
                let expected = "amqp://user:password@host:5672/vhost";
                RabbitConfig::check_url(&url).map_err(|_| ConfigError::secret(name, expected))?;
            }
        }
        if let Some(url) = self.redis_url() {
            let expected = "redis://:password@127.0.0.1:6379/";
            cache::Backend::check_url(&url).map_err(|_| ConfigError::secret("REDIS_URL", expected))?;
        }
        Ok(())
    }

    /// Every service that has a database.
    pub fn with_database() -> impl Iterator<Item = ServiceName> {
        ServiceName::ALL.into_iter().filter(|service| *service != ServiceName::Gateway)
    }

    /// Is everything set that these services need to run? The owner's login is needed for the Postgres transport and
    /// by services without a login of their own; and either all of them meet at a broker, or none does.
    pub fn check_serving(&self, services: &[ServiceName]) -> Result<(), Error> {
        self.keys()?;
        for service in services {
            if *service != ServiceName::Gateway {
                self.login(*service)?;
            }
            if let Messages::Postgres = self.messages(*service) {
                if let Some(other) = services.iter().find(|other| matches!(self.messages(**other), Messages::Rabbit(_)))
                {
                    let expected = format!("a login to the broker that {other} uses");
                    return Err(ConfigError::Missing { variable: variable(*service, "AMQP_URL"), expected }.into());
                }
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

    /// A service's own login, if it has one.
    pub fn own_database_url(&self, service: ServiceName) -> Option<String> {
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

    /// RabbitMQ, if the service has a login there or everybody has, else PostgreSQL. A login of a service's own
    /// declares only that service's queues.
    pub fn messages(&self, service: ServiceName) -> Messages {
        match self.env.get(&variable(service, "AMQP_URL")) {
            Some(url) => Messages::Rabbit(RabbitConfig { url, declares: Declares::OwnQueues }),
            None => self.broker().map_or(Messages::Postgres, Messages::Rabbit),
        }
    }

    /// The broker's own administrator, who may declare everything.
    pub fn broker(&self) -> Option<RabbitConfig> {
        self.env.get("AMQP_URL").map(|url| RabbitConfig { url, declares: Declares::Everything })
    }

    /// Where copies of the catalogue are shared; without it each process keeps its own while it is alone.
    pub fn redis_url(&self) -> Option<String> {
        self.env.get("REDIS_URL")
    }

    /// `DATABASE_POOL_MAX`, `_WARM`, `_LIFETIME_S`, `_IDLE_S`; with a service's name in front for that service alone.
    pub fn pool_limits(&self, service: ServiceName) -> Result<PoolLimits, Error> {
        let default = PoolLimits::default();
        let read = |name: &str, default: u64| -> Result<u64, ConfigError> {
            let shared = tunables::whole(&self.env, name, default, 0)?;
            tunables::whole(&self.env, &variable(service, name), shared, 0)
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
        let expected_own = "a port, 1 to 65535 (Kubernetes sets tcp://…: enableServiceLinks: false)";
        let own: Option<NonZeroU16> = self.env.parse(&variable(service, "PORT"), expected_own)?;
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

    /// Whether the gateway shows the demo logins, and lets admins send poison.
    pub fn is_demo(&self) -> Result<bool, Error> {
        Ok(self.env.parse_or("DEMO", false, "true or false")?)
    }

    /// How the gateway behaves.
    pub fn gateway(&self) -> Result<gateway::GatewayConfig, Error> {
        let limits = &self.tunables.graphql;
        Ok(gateway::GatewayConfig {
            allowed_origins: self.app(ServiceName::Gateway)?.cors_allowed_origins,
            document: limits.document.clone(),
            max_complexity: limits.max_complexity,
            websocket: limits.websocket.clone(),
            ..gateway::GatewayConfig::new(self.keys()?)
        })
    }

    /// How a service treats its requests.
    pub fn app(&self, service: ServiceName) -> Result<AppConfig, Error> {
        let limits = &self.tunables.requests;
        let app = AppConfig {
            request_timeout: limits.timeout,
            body_limit_bytes: limits.body_bytes,
            ..AppConfig::from_env(service.as_str(), &self.env)?
        };
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

/// A service's own variable, e.g. `ORDERS_PORT`.
pub fn variable(service: ServiceName, name: &str) -> String {
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
        (Ok(one), Ok(other)) => is_same_server(&one, &other) && one.get_dbname() == other.get_dbname(),
        _ => false,
    }
}

/// Do two logins lead to one server?
pub fn same_server(one: &str, other: &str) -> bool {
    match (one.parse(), other.parse()) {
        (Ok(one), Ok(other)) => is_same_server(&one, &other),
        _ => false,
    }
}

fn is_same_server(one: &tokio_postgres::Config, other: &tokio_postgres::Config) -> bool {
    let ports = |config: &tokio_postgres::Config| match config.get_ports() {
        [] => vec![5432],
        ports => ports.to_vec(),
    };
    one.get_hosts() == other.get_hosts() && ports(one) == ports(other)
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
mod tests;
