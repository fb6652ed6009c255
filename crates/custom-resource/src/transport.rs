//! The interface to send an answer: one PUT.

use std::fmt;

/// PUTs an answer. [`Https`](crate::Https) does so over the network; tests implement it in memory.
pub trait AnswerTransport: Send + Sync {
    /// PUTs the body once, without a content type, and returns the reply.
    ///
    /// # Errors
    ///
    /// There was no reply. The text says why, without the URL or any part of it.
    fn put(&self, url: &str, body: Vec<u8>) -> impl Future<Output = Result<Reply, String>> + Send;
}

/// The reply to a PUT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// S3's error code, such as `AccessDenied`, if the reply has one.
    pub code: Option<String>,
}

impl Reply {
    pub(crate) fn accepts(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Returns whether the same PUT may succeed a little later. S3 replies `RequestTimeout` with
    /// status 400 if the body did not arrive in time; the SDKs treat it as transient
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>).
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self.status, 408 | 429 | 500..)
            || (self.status == 400 && self.code.as_deref() == Some("RequestTimeout"))
    }
}

impl From<u16> for Reply {
    fn from(status: u16) -> Self {
        Self { status, code: None }
    }
}

/// Writes "status 403 AccessDenied".
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        match &self.code {
            Some(code) => write!(f, " {code}"),
            None => Ok(()),
        }
    }
}
