//! The HTTPS client that AWS calls and answers share: HTTP/1.1, rustls over ring, the system's root certificates.
//!
//! One stack for both keeps a function small, and there is one to audit. HTTP/2 is left out: none of the endpoints that
//! are called speaks it.

pub use reqwest;

use reqwest::{Client, ClientBuilder};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::{
    error::Error,
    sync::{Arc, OnceLock},
};

/// A client to be built, which speaks HTTPS, and plain HTTP where a URL says so, as an emulator's does.
///
/// It tries nothing again: whoever calls does, and counts the time. No proxy is used, whatever the environment says.
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

/// TLS, set up by whoever needs it first in a process: reading some 150 root certificates takes longer than the rest of a
/// cold start.
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

/// The error and its causes, without the URL that reqwest likes to add: an answer's is signed.
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
