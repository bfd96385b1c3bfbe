//! What fills an empty shop, and who may run it.

use messaging::Transport;

use super::serve::{catalogue, open_database};
use super::{Error, Settings};
use crate::service_name::ServiceName;

/// A login that the demo data brings.
pub struct DemoLogin {
    /// With what one logs in.
    pub email: String,
    /// In clear: it is printed, and only private shops have it.
    pub password: String,
    /// `admin` or `user`.
    pub role: String,
}

/// Fills an empty shop with the demo catalogue and logins; one that has them stays as it is.
pub async fn seed(settings: &Settings) -> Result<Vec<DemoLogin>, Error> {
    let products = catalogue(settings, open_database(settings, ServiceName::Products).await?).await?;
    products::seed(&products).await?;
    let users = users(settings).await?;
    users.seed().await?;
    Ok(users::DEMO_LOGINS
        .iter()
        .map(|login| DemoLogin {
            email: login.email.to_owned(),
            password: login.password.to_owned(),
            role: login.role.as_str().to_owned(),
        })
        .collect())
}

/// What the gateway of a demo shop shows, and what it lets people break.
pub fn of_gateway(transport: Transport) -> gateway::Demo {
    let login = |login: &users::DemoLogin| gateway::DemoLogin {
        email: login.email.to_owned(),
        password: login.password.to_owned(),
        role: login.role,
    };
    gateway::Demo::new(users::DEMO_LOGINS.iter().map(login).collect(), gateway::poison_over(transport))
}

/// Gives a user the admin role.
pub async fn promote(settings: &Settings, email: &str) -> Result<(), Error> {
    users::promote(&open_database(settings, ServiceName::Users).await?, email).await?;
    Ok(())
}

/// Registers users for a load test, all with this password.
pub async fn bulk_register(
    settings: &Settings,
    count: usize,
    password: users_client::Secret,
) -> Result<Vec<users::Account>, Error> {
    Ok(users(settings).await?.register_many(count, password).await?)
}

async fn users(settings: &Settings) -> Result<std::sync::Arc<users::Users>, Error> {
    let database = open_database(settings, ServiceName::Users).await?;
    Ok(users::Users::new(database, settings.keys()?, settings.tunables.users.clone()))
}
