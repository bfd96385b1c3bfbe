//! HTTP to servers on this machine.

use std::{sync::Arc, time::Duration};

use reqwest::Client;

use crate::{Error, Result};

/// A client for plain HTTP on this machine: no proxy, and no search for certificates, which costs time and memory.
///
/// # Errors
/// [`Error::Refused`] when no client can be made.
pub fn local_http_client(timeout: Duration) -> Result<Client> {
    let refused = |cause: String| Error::Refused { what: "preparing an HTTP client".to_owned(), cause };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(error.to_string()))?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .timeout(timeout)
        .build()
        .map_err(|error| refused(error.to_string()))
}
