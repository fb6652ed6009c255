//! Answers over the network.

use crate::AnswerTransport;
use reqwest::{Client, redirect::Policy};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::{
    error::Error,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// PUTs over HTTPS with the system's root certificates, and over plain HTTP where a URL says so, as an emulator's does.
///
/// The client is built for the first answer: reading some 150 root certificates takes longer than the rest of a cold
/// start. No proxy is used, whatever the environment says.
#[derive(Debug, Default)]
pub struct Https {
    client: OnceLock<Result<Client, String>>,
}

impl AnswerTransport for Https {
    async fn put(&self, url: &str, body: Vec<u8>) -> Result<u16, String> {
        let client = self
            .client
            .get_or_init(client)
            .as_ref()
            .map_err(String::clone)?;
        // Bytes have a length and no type: Content-Length is set, Content-Type is not. The URL is signed for an empty
        // one, and S3 answers 403 to anything else.
        match client.put(url).body(body).send().await {
            Ok(response) => Ok(response.status().as_u16()),
            Err(error) => Err(in_words(error)),
        }
    }
}

fn client() -> Result<Client, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        tracing::error!(errors = ?found.errors, "no root certificates were found: no answer can be sent over HTTPS");
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        // A bucket that is new to its Region may answer 307. The Referer header would repeat the signed URL.
        .redirect(Policy::limited(2))
        .referer(false)
        // Lambda freezes the sandbox between invocations, and a connection kept through that is dead.
        .pool_max_idle_per_host(0)
        .connect_timeout(Duration::from_secs(5))
        // The caller retries, and counts its time.
        .retry(reqwest::retry::never())
        .build()
        .map_err(in_words)
}

/// The error and its causes, without the URL that reqwest likes to add.
fn in_words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}
