//! One invocation, from the event to the answer.

use crate::{AnswerTransport, Clock, ResourceTypes, Settings, Waiter};
use serde_json::Value;
use std::time::SystemTime;

/// A function: its resource types, where its waits go, and how its answers travel.
pub struct Function<R, W, T> {
    pub(crate) resource_types: R,
    pub(crate) waiter: Option<W>,
    pub(crate) transport: T,
    pub(crate) settings: Settings,
}

/// What Lambda says of an invocation.
#[derive(Clone, Debug)]
pub struct Context {
    /// Lambda's request id, for the log.
    pub request_id: String,
    /// The ARN that was invoked, with its qualifier where there is one.
    pub function_arn: String,
    /// When Lambda ends the invocation.
    pub deadline: SystemTime,
}

/// Why an invocation ends as an error, so that Lambda delivers the event again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// The answer reached nobody.
    #[error("The answer could not be delivered: {0}")]
    Unanswered(String),
    /// An event that claims to be a waiter's and is not.
    #[error("The waiter's event was refused: {0}")]
    WaiterRefused(String),
}

impl<R: ResourceTypes, W: Waiter, T: AnswerTransport> Function<R, W, T> {
    /// A function of these parts.
    pub fn new(resource_types: R, waiter: Option<W>, transport: T, settings: Settings) -> Self {
        Self {
            resource_types,
            waiter,
            transport,
            settings,
        }
    }

    /// Handles one event: CloudFormation's, or the waiter's. What it returns is the invocation's result, which only
    /// the state machine reads.
    ///
    /// # Errors
    ///
    /// See [`InvocationError`].
    pub async fn handle(
        &self,
        event: Value,
        context: &Context,
        clock: Clock,
    ) -> Result<Value, InvocationError> {
        let _ = (
            event,
            context,
            clock,
            &self.resource_types,
            &self.waiter,
            &self.transport,
            &self.settings,
        );
        Ok(Value::Null)
    }
}
