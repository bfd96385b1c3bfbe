//! What operators' commands act on: each service's own login and queues, without a running shop.

use std::sync::Arc;

use database::migrate::Migrations;
use database::{Database, PoolLimits, startup};
use messaging::{Brokers, Transport, Wakes};
use operations::Operations;
use orders_client::OrdersApi;
use users_client::UsersApi;

use super::settings::Messages;
use super::{Error, Settings};
use crate::service_name::ServiceName;

/// The operations of one service, or of every service that has a database.
pub async fn operators(settings: &Settings, only: Option<ServiceName>) -> Result<Vec<Arc<Operations>>, Error> {
    let brokers = Brokers::default();
    let mut all = Vec::new();
    for service in Settings::with_database().filter(|service| only.is_none_or(|only| only == *service)) {
        let database = open(settings, service).await?;
        let transport = match settings.messages(service) {
            Messages::Rabbit(login) => brokers.transport(login),
            Messages::Postgres if settings.shares_owner_database(service) => {
                Transport::postgres(database.clone(), Wakes::new())
            }
            Messages::Postgres => {
                let messages = Database::connect(&settings.messages_login(service)?, &few())?;
                Transport::postgres(messages, Wakes::new())
            }
        };
        all.push(Operations::new(service.as_str(), database, transport));
    }
    Ok(all)
}

/// The sagas. What a retry asks for lies in the outbox until a relay runs.
pub async fn sagas(settings: &Settings) -> Result<Arc<dyn OrdersApi>, Error> {
    let database = open(settings, ServiceName::Orders).await?;
    // Nothing here asks the cart.
    let cart = Arc::new(cart_client::Http::new(&settings.url_or_default(ServiceName::Cart)?)?);
    Ok(orders::Orders::new(database, cart, settings.tunables.orders.clone()))
}

/// What builds the reports.
pub async fn reports(settings: &Settings) -> Result<Arc<analytics::Analytics>, Error> {
    let database = super::serve::open_database(settings, ServiceName::Analytics).await?;
    Ok(analytics::Analytics::new(database, settings.tunables.analytics.clone()))
}

/// The accounts, for whoever looks somebody up.
pub async fn accounts(settings: &Settings) -> Result<Arc<dyn UsersApi>, Error> {
    let database = open(settings, ServiceName::Users).await?;
    Ok(users::Users::new(database, settings.keys()?, settings.tunables.users.clone()))
}

/// A command needs a connection or two, and no pool that is kept warm.
fn few() -> PoolLimits {
    PoolLimits { max: 2, warm: 0, ..PoolLimits::default() }
}

/// Checks only what operators need: a service whose own tables are in disorder is when they come.
async fn open(settings: &Settings, service: ServiceName) -> Result<Database, Error> {
    let login = settings.login(service)?;
    let database = Database::connect(&login, &few())?;
    let nothing = Migrations::checked(service.as_str(), &login.schema, Vec::new())?;
    startup::check(&database, &nothing, operations::TABLES).await.map_err(|error| Error::Startup { service, error })?;
    Ok(database)
}
