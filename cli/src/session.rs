//! Settings for commands that work on a database: those of the environment, else those of the data folder's
//! own server, which is started for the command if it does not run.

use servers::{Progress, Server, Started};
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
    started: StartedServers,
}

/// Servers that were started for one command.
#[derive(Default)]
pub struct StartedServers(Vec<Box<dyn Server>>);

impl StartedServers {
    async fn start(&mut self, server: impl Server + 'static, progress: &Progress) -> Result<()> {
        if server.start(progress).await? == Started::Fresh {
            self.0.push(Box::new(server));
        }
        Ok(())
    }

    /// Stops them; `outcome` is the command's own.
    pub async fn close<T>(self, outcome: Result<T>, progress: &Progress) -> Result<T> {
        for server in self.0.into_iter().rev() {
            server.stop(progress).await?;
        }
        outcome
    }
}

/// Whether a command needs what carries the messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Databases,
    Messages,
}

impl Session {
    /// Opens it; [`Session::close`] afterwards.
    pub async fn open(folder: &DataFolder, progress: &Progress) -> Result<Session> {
        Session::start(folder, Needs::Databases, progress).await
    }

    /// Opens it for a command that also looks into queues.
    pub async fn with_broker(folder: &DataFolder, progress: &Progress) -> Result<Session> {
        Session::start(folder, Needs::Messages, progress).await
    }

    async fn start(folder: &DataFolder, needs: Needs, progress: &Progress) -> Result<Session> {
        let mut started = StartedServers::default();
        if Env::process().get("DATABASE_URL").is_some() {
            return Ok(Session { settings: Settings::new(Env::process())?, started });
        }
        if !folder.exists() {
            return Err(Error::failed(
                format!("there is no shop in {} and DATABASE_URL is not set", folder.path().display()),
                "Start one with ./prost up, name its folder with --data-dir, or set DATABASE_URL",
            ));
        }
        let opened = Session::start_private(folder, needs, &mut started, progress).await;
        match opened {
            Ok(settings) => Ok(Session { settings, started }),
            Err(error) => started.close(Err(error), progress).await,
        }
    }

    async fn start_private(
        folder: &DataFolder,
        needs: Needs,
        started: &mut StartedServers,
        progress: &Progress,
    ) -> Result<Settings> {
        let postgres = folder.postgres();
        started.start(postgres.clone(), progress).await?;
        let shop = folder.last_shop()?;
        if needs == Needs::Messages && shop.as_ref().is_some_and(|shop| shop.transport == Transport::Rabbitmq) {
            started.start(folder.rabbit(), progress).await?;
        }
        Ok(Settings::new(Env::map(private_environment(folder, shop.as_ref())?))?)
    }

    /// The settings, and what has to be closed after the work.
    pub fn split(self) -> (Settings, StartedServers) {
        (self.settings, self.started)
    }

    /// Stops what was started for the command; `outcome` is the command's own.
    pub async fn close<T>(self, outcome: Result<T>, progress: &Progress) -> Result<T> {
        self.started.close(outcome, progress).await
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
    let own = ["DATABASE_URL", "AMQP_URL", "REDIS_URL", "HOST", "PORT", "JWT_SECRET", "JWT_SECRET_PREVIOUS", "DEMO"];
    own.contains(&name)
        || ServiceName::ALL.iter().any(|service| {
            name.strip_prefix(&service.as_str().to_uppercase())
                .is_some_and(|rest| ["_DATABASE_URL", "_AMQP_URL", "_URL", "_PORT"].contains(&rest))
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
