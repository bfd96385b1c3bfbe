//! `prost probe SERVICE`: is it ready? Containers have no other program to ask with.

use std::time::Duration;

use service::Env;

use crate::{
    error::{Error, Result},
    service_name::ServiceName,
    wire::Settings,
};

const PATIENCE: Duration = Duration::from_secs(4);

/// Options of `probe`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The service, on the port that the environment gives it
    #[arg(value_enum)]
    service: ServiceName,
}

/// Runs the command.
pub async fn run(options: Options) -> Result<()> {
    let port = Settings::new(Env::process())?.port(options.service)?;
    let url = format!("http://127.0.0.1:{port}/readyz");
    let failed = |cause: String| {
        Error::failed(
            format!("{url}: {cause}"),
            format!("Does {} run? Its log says why it is not ready", options.service),
        )
    };
    let answer = servers::local_http_client(PATIENCE)?.get(&url).send().await;
    let answer = answer.map_err(|error| {
        let silent = if error.is_timeout() { "no answer in time" } else { "nobody answers there" };
        failed(silent.to_owned())
    })?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(failed(format!("{status} {}", answer.text().await.unwrap_or_default()))),
    }
}
