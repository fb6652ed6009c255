//! Where waits go that outlast an invocation.

/// Starts an execution of the state machine that goes on with a wait. Implemented with Step Functions where a function
/// has one; this crate knows no AWS service.
pub trait Waiter: Send + Sync {
    /// Starts the execution with this name and input. One that already exists under that name is a success: the same
    /// request was delivered twice, and the second joins the first.
    ///
    /// The input holds the response URL. It goes to the state machine and nowhere else, least of all to a log or into
    /// the error.
    ///
    /// # Errors
    ///
    /// In words for the user, with the AWS error code and request id.
    fn start(
        &self,
        execution_name: &str,
        input: String,
    ) -> impl Future<Output = Result<(), String>> + Send;
}

/// The waiter of a function that has none: a wait ends with the invocation.
#[derive(Clone, Copy, Debug)]
pub enum NoWaiter {}

impl Waiter for NoWaiter {
    async fn start(&self, _: &str, _: String) -> Result<(), String> {
        match *self {}
    }
}
