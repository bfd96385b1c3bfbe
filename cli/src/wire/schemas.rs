//! Migrations of every service, each in its own database.

use database::Database;
use database::migrate::{self, DataLoss, Migrations, Step, Target};
use database::startup::{self, StartupError};
use messaging::{Declares, Transport};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use super::settings::{Messages, same_database, same_server, with_database_name};
use super::{Error, Settings};
use crate::service_name::ServiceName;

/// What is wrong with a service's schema; `problem: None` when all is well.
pub struct SchemaCheck {
    /// The service.
    pub service: ServiceName,
    /// What is missing.
    pub problem: Option<String>,
}

/// Schemas that lie in one database, deployed together.
struct Deploy {
    url: String,
    migrations: Vec<Migrations>,
    queues: bool,
}

/// A service's own migrations; the gateway has none.
pub fn migrations(service: ServiceName) -> Result<Migrations, Error> {
    Ok(match service {
        ServiceName::Users => users::migrations(),
        ServiceName::Products => products::migrations(),
        ServiceName::Cart => cart::migrations(),
        ServiceName::Orders => orders::migrations(),
        ServiceName::Payments => payments::migrations(),
        ServiceName::Analytics => analytics::migrations(),
        ServiceName::Gateway => messaging::migrations(),
    }?)
}

/// A service's own tables, besides those that every schema has.
pub fn tables(service: ServiceName) -> &'static [&'static str] {
    match service {
        ServiceName::Users => users::TABLES,
        ServiceName::Products => products::TABLES,
        ServiceName::Cart => cart::TABLES,
        ServiceName::Orders => orders::TABLES,
        ServiceName::Payments => payments::TABLES,
        ServiceName::Analytics => analytics::TABLES,
        ServiceName::Gateway => &[],
    }
}

/// Applies what is missing; of one service, or of all. Then the services' logins work, and the broker has all queues.
pub async fn migrate_up(settings: &Settings, service: Option<ServiceName>) -> Result<Vec<Step>, Error> {
    let deploys = deploys(settings, service)?;
    let mut owners = Vec::new();
    for deploy in &deploys {
        ensure_database(settings, &deploy.url).await?;
        owners.push(connect(&deploy.url).await?);
    }
    let both = || deploys.iter().zip(&owners);
    let targets: Vec<Target<'_>> =
        both().map(|(deploy, owner)| Target { owner, migrations: &deploy.migrations }).collect();
    let carriers: Vec<&Client> = both().filter(|(deploy, _)| deploy.queues).map(|(_, owner)| owner).collect();
    let declare = Box::pin(async move {
        for owner in carriers {
            messaging::declare_queues(owner).await?;
        }
        Ok(())
    });
    let steps = migrate::up_everywhere(&targets, "declaring the queues", declare).await?;
    let_services_in(settings, service).await?;
    if service.is_none_or(|wanted| wanted == ServiceName::Gateway) {
        declare_on_broker(settings).await?;
    }
    Ok(steps)
}

/// Undoes migrations above `target`; without one, the newest of each service.
pub async fn migrate_down(
    settings: &Settings,
    service: Option<ServiceName>,
    target: Option<i32>,
    data_loss: DataLoss,
) -> Result<Vec<Step>, Error> {
    let mut undone = Vec::new();
    for deploy in deploys(settings, service)?.into_iter().rev() {
        let owner = connect(&deploy.url).await?;
        for migrations in deploy.migrations.iter().rev() {
            let target = match target {
                Some(target) => target,
                None => newest_applied(&owner, migrations).await? - 1,
            };
            undone.extend(migrate::down(&owner, migrations, target.max(0), data_loss).await?);
        }
    }
    Ok(undone)
}

async fn newest_applied(owner: &Client, migrations: &Migrations) -> Result<i32, Error> {
    let steps = migrate::status(owner, migrations).await?;
    Ok(steps.iter().filter(|step| step.applied_at.is_some()).map(|step| step.version).max().unwrap_or(0))
}

/// Every migration, applied or not.
pub async fn migrate_status(settings: &Settings, service: Option<ServiceName>) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    for deploy in deploys(settings, service)? {
        let owner = match connect(&deploy.url).await {
            Ok(owner) => Some(owner),
            // Looking makes nothing: a database that is not there has nothing applied.
            Err(Error::Connect(error)) if error.code() == Some(&SqlState::UNDEFINED_DATABASE) => None,
            Err(error) => return Err(error),
        };
        for migrations in &deploy.migrations {
            steps.extend(match &owner {
                Some(owner) => migrate::status(owner, migrations).await?,
                None => migrations.unapplied(),
            });
        }
    }
    Ok(steps)
}

/// Each service's tables and migrations, expected against found.
pub async fn check_schemas(settings: &Settings) -> Result<Vec<SchemaCheck>, Error> {
    let mut checks = Vec::new();
    for service in Settings::with_database() {
        let database = Database::connect(&settings.login(service)?, &settings.pool_limits(service)?)?;
        let problem = check(&database, service).await.err().map(|error| error.to_string());
        database.close();
        checks.push(SchemaCheck { service, problem });
    }
    Ok(checks)
}

/// Checks that a service finds its schema as this release needs it.
pub async fn check(database: &Database, service: ServiceName) -> Result<(), Error> {
    let migrations = migrations(service)?;
    let tables = [tables(service), operations::TABLES].concat();
    startup::check(database, &migrations, &tables)
        .await
        .map_err(|error: StartupError| Error::Startup { service, error })
}

/// The schemas, by the database they lie in; the owner's database also carries the queues.
fn deploys(settings: &Settings, service: Option<ServiceName>) -> Result<Vec<Deploy>, Error> {
    let mut deploys: Vec<Deploy> = Vec::new();
    let mut add =
        |url: String, migrations: Migrations, queues: bool| match deploys.iter_mut().find(|deploy| deploy.url == url) {
            Some(deploy) => {
                deploy.migrations.push(migrations);
                deploy.queues |= queues;
            }
            None => deploys.push(Deploy { url, migrations: vec![migrations], queues }),
        };
    for name in Settings::with_database().filter(|name| service.is_none_or(|wanted| wanted == *name)) {
        add(migration_url(settings, name)?, migrations(name)?, false);
    }
    if service.is_none_or(|wanted| wanted == ServiceName::Gateway) {
        add(settings.owner_url()?.to_owned(), messaging::migrations()?, true);
    }
    Ok(deploys)
}

/// On the owner's server the owner migrates, whoever the service logs in as; elsewhere the service's own login.
fn migration_url(settings: &Settings, service: ServiceName) -> Result<String, Error> {
    let own = settings.database_url(service)?;
    let Ok(owner) = settings.owner_url() else { return Ok(own) };
    if same_database(&own, owner) {
        return Ok(owner.to_owned());
    }
    let config: tokio_postgres::Config = own.parse().map_err(Error::Connect)?;
    Ok(match config.get_dbname() {
        Some(name) if same_server(&own, owner) => with_database_name(owner, name),
        _ => own,
    })
}

/// Lets the services log in as their own roles, where their URLs say so (`postgres://prost_orders:…`): sets the
/// password that the URL has, unless it is right already. Other logins are their administrator's business.
async fn let_services_in(settings: &Settings, service: Option<ServiceName>) -> Result<(), Error> {
    for name in ServiceName::ALL.into_iter().filter(|name| service.is_none_or(|wanted| wanted == *name)) {
        let (Some(own), Ok(owner)) = (settings.own_database_url(name), settings.owner_url()) else { continue };
        let config: tokio_postgres::Config = own.parse().map_err(Error::Connect)?;
        if config.get_user() != Some(migrate::role_of(name.as_str()).as_str()) || !same_server(&own, owner) {
            continue;
        }
        match tokio_postgres::connect(&own, NoTls).await {
            Ok(_) => {}
            Err(error) if is_refusal(&error) => {
                let owner = connect(owner).await?;
                migrate::let_in(&owner, name.as_str(), config.get_password()).await?;
            }
            Err(error) => return Err(Error::Connect(error)),
        }
    }
    Ok(())
}

/// The server knows no such login, or not with this password.
fn is_refusal(error: &tokio_postgres::Error) -> bool {
    let refusals = [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION];
    error.code().is_some_and(|code| refusals.contains(code))
}

/// Services with logins of their own on the broker declare their own queues only: the others are made here.
async fn declare_on_broker(settings: &Settings) -> Result<(), Error> {
    let is_needed = ServiceName::ALL
        .into_iter()
        .any(|name| matches!(settings.messages(name), Messages::Rabbit(own) if own.declares == Declares::OwnQueues));
    match settings.broker().filter(|_| is_needed) {
        Some(broker) => Transport::rabbit(broker).declare().await.map_err(Error::Broker),
        None => Ok(()),
    }
}

/// Makes the database if the server lacks it, e.g. `analytics` beside `prost`.
async fn ensure_database(settings: &Settings, url: &str) -> Result<(), Error> {
    let missing = match tokio_postgres::connect(url, NoTls).await {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    if missing.code() != Some(&SqlState::UNDEFINED_DATABASE) {
        return Err(Error::Connect(missing));
    }
    let config: tokio_postgres::Config = url.parse().map_err(Error::Connect)?;
    let name = config.get_dbname().unwrap_or("prost").to_owned();
    let existing = if name == "prost" { "postgres".to_owned() } else { "prost".to_owned() };
    let neighbour = match tokio_postgres::connect(&with_database_name(url, &existing), NoTls).await {
        Ok(_) => with_database_name(url, &existing),
        Err(_) => settings.owner_url()?.to_owned(),
    };
    let owner = connect(&neighbour).await?;
    owner.batch_execute(&format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\""))).await.map_err(Error::Connect)
}

/// One connection with the owner's rights; its driver runs until the client is dropped.
pub async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(Error::Connect)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the owner's connection ended");
        }
    });
    Ok(client)
}
