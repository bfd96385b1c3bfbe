//! Settings for commands that work on a database: those of the environment, else those of the data folder's
//! own server, which is started for the command if it does not run.

use servers::{PostgresServer, Progress, Server, Started};
use service::Env;

use crate::{
    data_folder::{ANALYTICS_DATABASE, Cache, DATABASE, DataFolder, Shop, Transport},
    error::{Error, Result},
    service_name::ServiceName,
    wire::Settings,
};

/// A command's access to a shop's databases.
pub struct Session {
    /// Where and how.
    pub settings: Settings,
    started: Option<PostgresServer>,
}

impl Session {
    /// Opens it; [`Session::close`] afterwards.
    pub async fn open(folder: &DataFolder, progress: &Progress) -> Result<Session> {
        if Env::process().get("DATABASE_URL").is_some() {
            return Ok(Session { settings: Settings::new(Env::process())?, started: None });
        }
        if !folder.exists() {
            return Err(Error::failed(
                format!("there is no shop in {} and DATABASE_URL is not set", folder.path().display()),
                "Start one with ./prost up, name its folder with --data-dir, or set DATABASE_URL",
            ));
        }
        let postgres = folder.postgres();
        let started = match postgres.start(progress).await? {
            Started::Fresh => Some(postgres.clone()),
            Started::Adopted => None,
        };
        for database in [DATABASE, ANALYTICS_DATABASE] {
            postgres.create_database(database).await?;
        }
        let shop = folder.last_shop()?;
        let settings = Settings::new(Env::map(private_environment(folder, shop.as_ref())?))?;
        Ok(Session { settings, started })
    }

    /// Stops what was started for the command; `outcome` is the command's own.
    pub async fn close<T>(self, outcome: Result<T>, progress: &Progress) -> Result<T> {
        if let Some(postgres) = self.started {
            postgres.stop(progress).await?;
        }
        outcome
    }
}

/// The environment of this process, with everything that a private shop decides itself replaced.
pub fn private_environment(folder: &DataFolder, shop: Option<&Shop>) -> Result<Vec<(String, String)>> {
    let mut variables: Vec<(String, String)> = std::env::vars().filter(|(name, _)| !is_decided_here(name)).collect();
    let mut decide = |name: &str, value: String| variables.push((name.to_owned(), value));
    decide("JWT_SECRET", folder.jwt_secret()?);
    let postgres = folder.postgres();
    for (name, database) in [("DATABASE_URL", DATABASE), ("ANALYTICS_DATABASE_URL", ANALYTICS_DATABASE)] {
        match postgres.socket_url(database)? {
            Some(socket) => decide(name, socket),
            None => decide(name, postgres.url(database)?),
        }
    }
    if let Some(shop) = shop {
        decide("HOST", shop.host.to_string());
        decide("PORT", shop.port.to_string());
        if shop.transport == Transport::Rabbitmq {
            decide("AMQP_URL", folder.rabbit().url()?);
        }
        if shop.cache == Cache::Redis {
            decide("REDIS_URL", folder.redis().url()?);
        }
    }
    Ok(variables)
}

/// Variables of this process's environment that a private shop does not follow.
pub fn ignored_variables() -> Vec<String> {
    std::env::vars().map(|(name, _)| name).filter(|name| is_decided_here(name)).collect()
}

/// Variables for other deployments that must not leak into a private shop.
fn is_decided_here(name: &str) -> bool {
    let own = ["DATABASE_URL", "AMQP_URL", "REDIS_URL", "HOST", "PORT", "JWT_SECRET", "JWT_SECRET_PREVIOUS"];
    own.contains(&name)
        || ServiceName::ALL.iter().any(|service| {
            name.strip_prefix(&service.as_str().to_uppercase())
                .is_some_and(|rest| ["_DATABASE_URL", "_URL", "_PORT"].contains(&rest))
        })
}

#[cfg(test)]
mod tests {
    use super::is_decided_here;

    #[test]
    fn a_foreign_database_never_leaks_into_a_private_shop() {
        for name in
            ["DATABASE_URL", "AMQP_URL", "ORDERS_DATABASE_URL", "ANALYTICS_DATABASE_URL", "CART_URL", "USERS_PORT"]
        {
            assert!(is_decided_here(name), "{name}");
        }
        for name in ["STRIPE_SECRET_KEY", "RUST_LOG", "LOG_FORMAT", "RATE_LIMIT_PER_ADDRESS", "CART_ABANDONED_AFTER_S"]
        {
            assert!(!is_decided_here(name), "{name}");
        }
    }
}
