//! Settings for commands that work on a database: those of the environment, else those of the data folder's
//! own server, which is started for the command if it does not run.

use servers::{PostgresServer, Progress, Server, Started};
use service::Env;

use crate::{
    data_folder::{ANALYTICS_DATABASE, DATABASE, DataFolder, Shop},
    error::{Error, Result},
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
        let settings = Settings::new(environment(folder)?)?;
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

fn environment(folder: &DataFolder) -> Result<Env> {
    let mut variables: Vec<(String, String)> = std::env::vars().collect();
    variables.push(("JWT_SECRET".to_owned(), folder.jwt_secret()?));
    variables.extend(server_variables(folder, folder.last_shop()?.as_ref())?);
    Ok(Env::map(variables))
}

/// How the services of this folder's shop reach its private servers.
pub fn server_variables(folder: &DataFolder, shop: Option<&Shop>) -> Result<Vec<(String, String)>> {
    use crate::data_folder::{Cache, Transport};
    let postgres = folder.postgres();
    let mut variables = Vec::new();
    for (name, database) in [("DATABASE_URL", DATABASE), ("ANALYTICS_DATABASE_URL", ANALYTICS_DATABASE)] {
        let url = match postgres.socket_url(database)? {
            Some(socket) => socket,
            None => postgres.url(database)?,
        };
        variables.push((name.to_owned(), url));
    }
    if shop.is_some_and(|shop| shop.transport == Transport::Rabbitmq) {
        variables.push(("AMQP_URL".to_owned(), folder.rabbit().url()?));
    }
    if shop.is_some_and(|shop| shop.cache == Cache::Redis) {
        variables.push(("REDIS_URL".to_owned(), folder.redis().url()?));
    }
    Ok(variables)
}
