//! Asking a shop whether it is ready.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use tokio::time::sleep;

use crate::error::{Error, Result};

const POLL: Duration = Duration::from_millis(25);

/// What `GET /readyz` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// 200.
    Ready,
    /// Some other answer, with its text.
    NotYet(String),
    /// Nobody answers.
    Silent,
}

/// A client for questions to services on this machine.
fn client() -> Result<Client> {
    Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(5))
        .build()
        .map_err(|error| Error::failed(format!("cannot make an HTTP client: {error}"), "Report this: it is a defect"))
}

/// Asks once.
pub async fn readiness(url: &str) -> Result<Readiness> {
    ask(&client()?, url).await
}

async fn ask(client: &Client, url: &str) -> Result<Readiness> {
    let Ok(answer) = client.get(format!("{url}/readyz")).send().await else {
        return Ok(Readiness::Silent);
    };
    if answer.status() == StatusCode::OK {
        return Ok(Readiness::Ready);
    }
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    Ok(Readiness::NotYet(format!("{status} {text}").trim().to_owned()))
}

/// Asks until the answer is 200.
pub(super) async fn until_ready(url: &str) -> Result<()> {
    let client = client()?;
    while ask(&client, url).await? != Readiness::Ready {
        sleep(POLL).await;
    }
    Ok(())
}
