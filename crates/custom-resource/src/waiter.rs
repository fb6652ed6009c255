//! Where waits go that outlast an invocation.

use crate::response_url::ResponseUrl;

/// Starts an execution of the state machine that goes on with a wait. Implemented with Step Functions where a function
/// has one; this crate knows no AWS service.
pub trait Waiter: Send + Sync {
    /// Asks once for the execution with this name and input. One that already runs under that name is a success: the same
    /// request was delivered twice, or asked for twice, and the second joins the first. One that has ended is
    /// [`NotStarted::Refused`]. It may be dropped while it waits for an answer, and is then asked again.
    ///
    /// The input holds the response URL. It goes to the state machine and nowhere else, least of all to a log or into
    /// the error.
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

/// Why it is not known that an execution was started: in words for the user, with the AWS error code and request id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotStarted {
    /// It was refused, and would be again. Nothing was started.
    Refused(String),
    /// Too many requests. Nothing was started.
    Throttled(String),
    /// No answer came. It may have been started.
    NoAnswer(String),
}

impl NotStarted {
    /// It in words.
    #[must_use]
    pub fn reason(&self) -> &str {
        let (Self::Refused(reason) | Self::Throttled(reason) | Self::NoAnswer(reason)) = self;
        reason
    }

    /// With every mention of the URL taken out.
    pub(crate) fn without(self, url: &ResponseUrl) -> Self {
        match self {
            Self::Refused(reason) => Self::Refused(url.taken_out_of(&reason)),
            Self::Throttled(reason) => Self::Throttled(url.taken_out_of(&reason)),
            Self::NoAnswer(reason) => Self::NoAnswer(url.taken_out_of(&reason)),
        }
    }
}

/// The waiter of a function that has none: a wait ends with the invocation.
#[derive(Clone, Copy, Debug)]
pub enum NoWaiter {}

impl Waiter for NoWaiter {
    async fn start(&self, _: &str, _: String) -> Result<(), NotStarted> {
        match *self {}
    }
}
