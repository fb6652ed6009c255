//! The interface to the service that continues long waits.

use crate::response_url::ResponseUrl;

/// Starts an execution of the state machine that continues a wait. Functions implement it with Step
/// Functions, because this crate knows no AWS service.
pub trait Waiter: Send + Sync {
    /// Requests an execution with this name and input, once. If one already runs under that name,
    /// that is a success: the same request was delivered or sent twice, and the second joins the
    /// first. If one has ended, that is [`NotStarted::Refused`]. The future may be dropped while it
    /// waits for an answer, and the request is then sent again.
    ///
    /// The input contains the response URL. It must be sent to the state machine only, and must not
    /// be in a log or in the error.
    ///
    /// # Errors
    ///
    /// See [`NotStarted`].
    fn start(
        &self,
        execution_name: &str,
        input: String,
    ) -> impl Future<Output = Result<(), NotStarted>> + Send;
}

/// Why an execution may not have started, in words for the user, with the AWS error code and
/// request id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotStarted {
    /// The request was refused, and would be refused again. Nothing was started.
    Refused(String),
    /// Too many requests. Nothing was started.
    Throttled(String),
    /// There was no answer. The execution may have been started.
    NoAnswer(String),
}

impl NotStarted {
    /// Returns the words.
    #[must_use]
    pub fn reason(&self) -> &str {
        let (Self::Refused(reason) | Self::Throttled(reason) | Self::NoAnswer(reason)) = self;
        reason
    }

    /// Replaces every occurrence of the URL.
    pub(crate) fn without(self, url: &ResponseUrl) -> Self {
        match self {
            Self::Refused(reason) => Self::Refused(url.redacted_in(&reason)),
            Self::Throttled(reason) => Self::Throttled(url.redacted_in(&reason)),
            Self::NoAnswer(reason) => Self::NoAnswer(url.redacted_in(&reason)),
        }
    }
}

/// The waiter of a function without a state machine: a wait ends with the invocation.
#[derive(Clone, Copy, Debug)]
pub enum NoWaiter {}

impl Waiter for NoWaiter {
    async fn start(&self, _: &str, _: String) -> Result<(), NotStarted> {
        match *self {}
    }
}
