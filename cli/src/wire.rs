//! The one place where services, clients, databases and transport are put together.

use database::{
    Login,
    migrate::{DataLoss, Step},
};
use service::Env;
use tokio_util::sync::CancellationToken;

use crate::service_name::ServiceName;

/// Why the shop could not be wired, served, migrated or filled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The services are not part of this build.
    #[error("{0} is not part of this build yet. Wait for the wiring of the services")]
    NotWired(&'static str),
}

/// Everything the environment says.
pub struct Settings {
    /// The variables.
    pub env: Env,
}

/// A login that the demo data brings.
pub struct DemoLogin {
    /// With what one logs in.
    pub email: String,
    /// In clear: it is printed, and only private shops have it.
    pub password: String,
    /// `admin` or `customer`.
    pub role: String,
}

/// What is wrong with a service's schema; `problem: None` when all is well.
pub struct SchemaCheck {
    /// The service.
    pub service: ServiceName,
    /// What is missing.
    pub problem: Option<String>,
}

impl Settings {
    /// Reads and checks every variable.
    pub fn new(env: Env) -> Result<Settings, Error> {
        Ok(Settings { env })
    }

    /// The owner's login.
    pub fn owner_url(&self) -> Result<String, Error> {
        self.env.get("DATABASE_URL").ok_or(Error::NotWired("a shop without DATABASE_URL"))
    }

    /// A service's login, role and schema.
    pub fn login(&self, _service: ServiceName) -> Result<Login, Error> {
        Err(Error::NotWired("a service's login"))
    }

    /// How many connections the pools of these services may open together.
    pub fn pool_sum(&self, _services: &[ServiceName]) -> Result<usize, Error> {
        Err(Error::NotWired("the sum of the pools"))
    }
}

/// Runs services in this process until `shutdown`, then drains them.
pub async fn serve(_settings: Settings, _services: &[ServiceName], _shutdown: CancellationToken) -> Result<(), Error> {
    Err(Error::NotWired("serving"))
}

/// Applies what is missing; of one service, or of all.
pub async fn migrate_up(_settings: &Settings, _service: Option<ServiceName>) -> Result<Vec<Step>, Error> {
    Err(Error::NotWired("migrating"))
}

/// Undoes migrations above `target`; without one, the newest of each service.
pub async fn migrate_down(
    _settings: &Settings,
    _service: Option<ServiceName>,
    _target: Option<i32>,
    _data_loss: DataLoss,
) -> Result<Vec<Step>, Error> {
    Err(Error::NotWired("migrating"))
}

/// Every migration, applied or not.
pub async fn migrate_status(_settings: &Settings, _service: Option<ServiceName>) -> Result<Vec<Step>, Error> {
    Err(Error::NotWired("migrating"))
}

/// Each service's tables and migrations, expected against found.
pub async fn check_schemas(_settings: &Settings) -> Result<Vec<SchemaCheck>, Error> {
    Err(Error::NotWired("checking schemas"))
}

/// Fills an empty shop with the demo catalogue; one that has it stays as it is.
pub async fn seed(_settings: &Settings) -> Result<Vec<DemoLogin>, Error> {
    Err(Error::NotWired("seeding"))
}

/// Gives a user the admin role.
pub async fn promote(_settings: &Settings, _email: &str) -> Result<(), Error> {
    Err(Error::NotWired("promoting"))
}
