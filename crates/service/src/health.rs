//! The routes every service has: `/health`, `/livez`, `/readyz`, `/metrics`, `/openapi.json`, `/docs`.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

use crate::extract::Json;
use crate::{description, telemetry};

/// A dependency that does not answer within this time counts as down.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type Run = dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync;

/// Whether a dependency is there.
#[derive(Clone)]
pub struct Check {
    name: &'static str,
    run: Arc<Run>,
}

impl Check {
    /// A check by name, e.g. `database`. Its error is logged and never shown.
    pub fn new<F, E>(name: &'static str, run: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let run = move || -> BoxFuture<'static, Result<(), String>> {
            let check = run();
            Box::pin(async move { check.await.map_err(|error| error.to_string()) })
        };
        Self { name, run: Arc::new(run) }
    }

    async fn run(&self) -> DependencyStatus {
        match tokio::time::timeout(CHECK_TIMEOUT, (self.run)()).await {
            Ok(Ok(())) => DependencyStatus::Up,
            Ok(Err(cause)) => {
                tracing::warn!(dependency = self.name, cause, "dependency is down");
                DependencyStatus::Down
            }
            Err(_) => {
                tracing::warn!(dependency = self.name, "dependency does not answer");
                DependencyStatus::Down
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum DependencyStatus {
    Up,
    Down,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ready,
    Draining,
    NotReady,
}

/// What `/health` and `/readyz` say; with 503 it is an error of the uniform shape, too.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    service: &'static str,
    version: &'static str,
    status: Status,
    dependencies: BTreeMap<&'static str, DependencyStatus>,
}

/// What the common routes need to know of a service.
#[derive(Clone)]
pub struct Standard {
    /// The service's name.
    pub service: &'static str,
    /// Its version: `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// What it cannot work without.
    pub checks: Vec<Check>,
    /// Cancelled when the shutdown begins: not ready any more.
    pub shutdown: CancellationToken,
}

/// Mounts the common routes; merge them with the service's own. The description of the API gets what all have in common.
pub fn standard_routes(standard: Standard, openapi: OpenApi) -> Router {
    telemetry::metrics();
    let openapi = description::complete(openapi, standard.service, standard.version);
    Router::new()
        .route("/health", get(report))
        .route("/readyz", get(report))
        .with_state(Arc::new(standard))
        .route("/livez", get(async || Json(BTreeMap::from([("status", "alive")]))))
        .route("/metrics", get(render_metrics))
        .merge(SwaggerUi::new("/docs").url("/openapi.json", openapi))
}

async fn report(State(standard): State<Arc<Standard>>) -> Response {
    let statuses = join_all(standard.checks.iter().map(Check::run)).await;
    let status = if standard.shutdown.is_cancelled() {
        Status::Draining
    } else if statuses.contains(&DependencyStatus::Down) {
        Status::NotReady
    } else {
        Status::Ready
    };
    let (code, message) = match status {
        Status::Ready => (StatusCode::OK, None),
        Status::Draining => (StatusCode::SERVICE_UNAVAILABLE, Some("shutting down")),
        Status::NotReady => (StatusCode::SERVICE_UNAVAILABLE, Some("a dependency is down")),
    };
    let report = Report {
        error: message.map(|_| "not_ready"),
        message,
        code: message.map(|_| code.as_u16()),
        service: standard.service,
        version: standard.version,
        status,
        dependencies: standard.checks.iter().map(|check| check.name).zip(statuses).collect(),
    };
    (code, Json(report)).into_response()
}

async fn render_metrics() -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], telemetry::metrics().render()).into_response()
}
