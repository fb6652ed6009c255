//! Answers over the network.

use crate::AnswerTransport;

/// PUTs over HTTPS, and over plain HTTP to a loopback address.
#[derive(Clone, Debug, Default)]
pub struct Https {}

impl AnswerTransport for Https {
    async fn put(&self, url: &str, body: Vec<u8>) -> Result<u16, String> {
        let _ = (url, body);
        Err("not connected".into())
    }
}
