//! Answers over the network.

use crate::AnswerTransport;
use https_client::{
    in_words,
    reqwest::{Client, redirect::Policy},
};
use std::{sync::OnceLock, time::Duration};

/// PUTs by a client that is built for the first answer.
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
    https_client::builder()?
        // A bucket that is new to its Region may answer 307. The Referer header would repeat the signed URL.
        .redirect(Policy::limited(2))
        .referer(false)
        // Lambda freezes the sandbox between invocations, and a connection kept through that is dead.
        .pool_max_idle_per_host(0)
        .connect_timeout(Duration::from_secs(5))
        .build()
        .map_err(in_words)
}
