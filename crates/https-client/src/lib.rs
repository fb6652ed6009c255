//! The HTTPS client that AWS calls and responses to CloudFormation share: HTTP/1.1, rustls over
//! ring, the system's root certificates.
//!
//! A single stack keeps a function small, and there is only one to audit. HTTP/2 is left out,
//! because no endpoint that is called supports it.

pub use reqwest;

use reqwest::{Client, ClientBuilder};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::{
    error::Error,
    sync::{Arc, OnceLock},
};

/// Returns a builder for a client that uses HTTPS, or plain HTTP if the URL says so, as an
/// emulator's does.
///
/// The client retries nothing: its callers do, within their deadlines. It uses no proxy, whatever
/// the environment says.
///
/// # Errors
///
/// What is wrong with the TLS configuration, in words.
pub fn builder() -> Result<ClientBuilder, String> {
    Ok(Client::builder()
        .tls_backend_preconfigured(tls()?)
        .no_proxy()
        .retry(reqwest::retry::never()))
}

/// Returns the TLS configuration, which is created once per process: reading about 150 root
/// certificates takes longer than the rest of a cold start.
fn tls() -> Result<ClientConfig, String> {
    static TLS: OnceLock<Result<ClientConfig, String>> = OnceLock::new();
    TLS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            tracing::error!(errors = ?found.errors, "no root certificates were found: nothing can be sent over HTTPS");
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        Ok(config
            .with_root_certificates(roots)
            .with_no_client_auth())
    })
    .clone()
}

/// Writes the error and its causes without the URL that reqwest adds, because a response URL
/// contains a signature.
#[must_use]
pub fn in_words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}
