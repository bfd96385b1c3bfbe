//! `prost psql`: a shell in the database, as owner or as a service's role.

use std::{os::unix::process::CommandExt, path::PathBuf, process::Command};

use servers::PostgresBinaries;
use service::Env;
use tokio_postgres::config::Host;

use crate::{
    data_folder::DataFolder,
    error::{Error, Result},
    service_name::ServiceName,
    session,
    wire::Settings,
};

/// Options of `psql`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Log in with the rights of this service, in its schema
    #[arg(long, value_enum)]
    service: Option<ServiceName>,
    /// Arguments for psql itself, e.g. `-- -c 'select 1'`
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Runs the command: this process becomes psql.
pub fn run(folder: &DataFolder, options: Options) -> Result<()> {
    let settings = Settings::new(environment(folder)?)?;
    let (url, restrictions) = match options.service {
        None => (settings.owner_url()?.to_owned(), None),
        Some(service) => {
            let login = settings.login(service)?;
            (login.url, Some(format!("-c role={} -c search_path={}", login.role, login.schema)))
        }
    };
    let config: tokio_postgres::Config = url.parse().map_err(|error| {
        Error::failed(format!("the database's URL makes no sense: {error}"), "Correct DATABASE_URL")
    })?;
    let mut command = Command::new(program()?);
    // Not on the command line, where every user of the machine could read the password.
    command.args(options.arguments).envs(variables(&config)).env_remove("PGSERVICE");
    if let Some(restrictions) = restrictions {
        command.env("PGOPTIONS", restrictions);
    }
    Err(Error::system("starting psql")(command.exec()))
}

fn environment(folder: &DataFolder) -> Result<Env> {
    if Env::process().get("DATABASE_URL").is_some() {
        return Ok(Env::process());
    }
    if folder.postgres().pid().is_none() {
        return Err(Error::failed(
            format!("no database runs in {} and DATABASE_URL is not set", folder.path().display()),
            "Start the shop with ./prost up --detach, name its folder with --data-dir, or set DATABASE_URL",
        ));
    }
    Ok(Env::map(session::private_environment(folder, folder.last_shop()?.as_ref())?))
}

fn program() -> Result<PathBuf> {
    servers::find_program("psql")
        .or_else(|| {
            PostgresBinaries::all().into_iter().map(|binaries| binaries.program("psql")).find(|psql| psql.is_file())
        })
        .ok_or_else(|| Error::failed("psql is not installed", "Install it: sudo apt-get install postgresql-client"))
}

fn variables(config: &tokio_postgres::Config) -> Vec<(&'static str, String)> {
    let mut variables = Vec::new();
    match config.get_hosts().first() {
        Some(Host::Tcp(host)) => variables.push(("PGHOST", host.clone())),
        Some(Host::Unix(folder)) => variables.push(("PGHOST", folder.display().to_string())),
        None => {}
    }
    if let Some(port) = config.get_ports().first() {
        variables.push(("PGPORT", port.to_string()));
    }
    if let Some(user) = config.get_user() {
        variables.push(("PGUSER", user.to_owned()));
    }
    if let Some(password) = config.get_password() {
        variables.push(("PGPASSWORD", String::from_utf8_lossy(password).into_owned()));
    }
    if let Some(database) = config.get_dbname() {
        variables.push(("PGDATABASE", database.to_owned()));
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::variables;

    #[test]
    fn a_url_becomes_psqls_variables() {
        let config = "postgresql://prost:s3cret@%2Ftmp%2Fx:5555/shop".parse().expect("valid");
        let expected = [
            ("PGHOST", "/tmp/x"),
            ("PGPORT", "5555"),
            ("PGUSER", "prost"),
            ("PGPASSWORD", "s3cret"),
            ("PGDATABASE", "shop"),
        ];
        assert_eq!(variables(&config), expected.map(|(name, value)| (name, value.to_owned())));
    }
}
