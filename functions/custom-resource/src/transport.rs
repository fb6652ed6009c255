//! The way of an answer: one PUT.

/// PUTs an answer. [`Https`](crate::Https) does it over the network; tests stand in for it in process.
pub trait AnswerTransport: Send + Sync {
    /// PUTs the body once, without a content type, and says the status that was answered.
    ///
    /// # Errors
    ///
    /// No status was answered; in words, without the URL or any part of it.
    fn put(&self, url: &str, body: Vec<u8>) -> impl Future<Output = Result<u16, String>> + Send;
}
