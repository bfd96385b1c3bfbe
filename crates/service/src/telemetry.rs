//! Logs on stderr and metrics for Prometheus; both exist once per process.
//!
//! Every line inside a request carries its correlation id (the span of [`crate::layers`]); work that is spawned
//! keeps it with `tracing::Instrument::in_current_span`. Never logged: tokens, passwords, keys, card data, query
//! strings, bodies. Ordinary requests are logged at `debug` under the target `http`, failed ones at `error`.

use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{ConfigError, Env};

/// Metrics are folded into their buckets this often, so that memory stays bounded when nobody scrapes.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Buckets of durations, in seconds.
const DURATION_BUCKETS: [f64; 16] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Buckets of checkouts, whole or so far: mostly milliseconds, and with everything away up to the saga's deadlines.
const SAGA_BUCKETS: [f64; 16] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0];

/// Buckets of counts, e.g. messages in a batch.
const COUNT_BUCKETS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];

/// Libraries that quote what passes through them below `info`: parameters of statements, frames. Password hashes,
/// addresses and tokens are among it, so no filter lets these lines through.
const TALKATIVE: [&str; 4] = ["tokio_postgres", "tungstenite", "tokio_tungstenite", "lapin"];

/// What log lines look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object per line.
    Json,
}

impl LogFormat {
    /// Reads `LOG_FORMAT`.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Ok(env.choice("LOG_FORMAT", &[("text", Self::Text), ("json", Self::Json)])?.unwrap_or_default())
    }
}

/// Starts logging. `filter` is `RUST_LOG`, or what the command prefers without it.
pub fn init(format: LogFormat, filter: &str) -> Result<(), ConfigError> {
    let filter = EnvFilter::from_str(filter).map_err(|error| {
        ConfigError::invalid("RUST_LOG", filter, format!("a filter such as info,http=debug: {error}"))
    })?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter).with(filter_fn(is_fit_for_logs));
    let started = match format {
        LogFormat::Text => {
            use std::io::IsTerminal;
            let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let is_colourful = std::io::stderr().is_terminal() && !is_refused;
            registry.with(lines.with_ansi(is_colourful)).try_init()
        }
        LogFormat::Json => {
            registry.with(lines.json().flatten_event(true).with_current_span(false).with_span_list(true)).try_init()
        }
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logging had been started before");
    }
    Ok(())
}

fn is_fit_for_logs(metadata: &Metadata<'_>) -> bool {
    let library = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::INFO || !TALKATIVE.contains(&library)
}

/// The recorder of this process, installed at the first call. Several services in one process share it, told
/// apart by the label `service`.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATION_BUCKETS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Prefix("saga_".to_owned()), &SAGA_BUCKETS))
            .and_then(|builder| builder.set_buckets(&COUNT_BUCKETS))
            .unwrap_or_default();
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if let Err(error) = metrics::set_global_recorder(recorder) {
            tracing::warn!(%error, "another metrics recorder is installed; /metrics stays empty");
        }
        metrics::describe_histogram!(
            "http_request_duration_seconds",
            metrics::Unit::Seconds,
            "Time to answer a request, by service, method, route and status"
        );
        handle
    })
}

/// Keeps the memory of metrics bounded; runs until cancelled. Once per process.
pub async fn metrics_upkeep(shutdown: tokio_util::sync::CancellationToken) {
    let mut tick = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = tick.tick() => metrics().run_upkeep(),
        }
    }
}
