//! The way of an answer: one PUT.

use std::fmt;

/// PUTs an answer. [`Https`](crate::Https) does it over the network; tests stand in for it in process.
pub trait AnswerTransport: Send + Sync {
    /// PUTs the body once, without a content type, and says what was replied.
    ///
    /// # Errors
    ///
    /// Nothing was replied; in words, without the URL or any part of it.
    fn put(&self, url: &str, body: Vec<u8>) -> impl Future<Output = Result<Reply, String>> + Send;
}

/// What was replied to a PUT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// S3's error code, such as `AccessDenied`, where one was given.
    pub code: Option<String>,
}

impl Reply {
    pub(crate) fn accepts(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Whether the same PUT may be taken a little later. S3 says `RequestTimeout` with a 400 where the body did not
    /// arrive in time; the SDKs count it among what passes
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>).
    pub(crate) fn passes(&self) -> bool {
        matches!(self.status, 408 | 429 | 500..)
            || (self.status == 400 && self.code.as_deref() == Some("RequestTimeout"))
    }
}

impl From<u16> for Reply {
    fn from(status: u16) -> Self {
        Self { status, code: None }
    }
}

/// "status 403 AccessDenied".
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        match &self.code {
            Some(code) => write!(f, " {code}"),
            None => Ok(()),
        }
    }
}
