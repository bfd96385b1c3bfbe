//! Asking a shop whether it is ready.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use servers::local_http_client;
use tokio::time::sleep;

use crate::error::Result;

const POLL: Duration = Duration::from_millis(25);
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

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

/// Asks once.
pub async fn readiness(url: &str) -> Result<Readiness> {
    ask(&local_http_client(ANSWER_LIMIT)?, url).await
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
    let client = local_http_client(ANSWER_LIMIT)?;
    while ask(&client, url).await? != Readiness::Ready {
        sleep(POLL).await;
    }
    Ok(())
}
