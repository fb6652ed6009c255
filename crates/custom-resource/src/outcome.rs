//! The interface between the protocol and a resource type.

use crate::{Clock, PropertyError, Request, RequestType};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Lambda keeps every event for at least this long, whatever is configured
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html>). So a
/// Create of this age is never too late.
const SHORTEST_EVENT_AGE: Duration = Duration::from_secs(60);

/// The resource types of one function. The protocol calls `advance` and `abandon`, and refuses
/// every resource type that [`names`](Self::names) does not list.
pub trait ResourceTypes: Send + Sync {
    /// Returns the resource types that this function serves, such as `Custom::PublishedZone`. A
    /// Create or Update of any other is refused with this list, without a call of `advance`.
    fn names(&self) -> &'static [&'static str];

    /// Observes what exists, does what is missing, and returns whether that is all.
    ///
    /// Level-triggered: the protocol calls it again with the `progress` of its last [`Wait`], in
    /// this invocation or in a later one, and without progress if the same request is delivered
    /// twice. Cancel-safe: the future is dropped at the invocation's deadline at any point, and the
    /// next call must find what was done by then.
    ///
    /// Properties may be unusable, in which case [`Properties::parse`](crate::Properties::parse)
    /// fails. That must not prevent a Delete.
    ///
    /// # Errors
    ///
    /// A [`Failure`], which is answered as FAILED at once.
    fn advance(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Step, Failure>> + Send;

    /// Undoes what must not remain, such as a certificate that was not issued, before FAILED is
    /// answered. Called if the request's time ends while it waits, or if the work was dropped.
    /// Returns text that is added to the reason.
    fn abandon(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> impl Future<Output = Option<String>> + Send;
}

/// The state of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The request is completed.
    Done(Success),
    /// The request has to wait for something outside of the function.
    Wait(Wait),
}

/// A SUCCESS answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Success {
    /// The value of `Ref`, at most 1,024 bytes. Ignored on Delete, which is answered with the
    /// request's own id.
    pub physical_resource_id: String,
    /// The values for `Fn::GetAtt`. Together with the ids they must be at most 4,096 bytes.
    pub attributes: BTreeMap<&'static str, String>,
}

impl Success {
    /// Creates a success without attributes.
    pub fn new(physical_resource_id: impl Into<String>) -> Self {
        Self {
            physical_resource_id: physical_resource_id.into(),
            attributes: BTreeMap::new(),
        }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.insert(name, value.into());
        self
    }
}

/// A FAILED answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What failed, on which name or ARN, with which AWS error code and request id, and what to do
    /// next. A sentence that is too long for the answer is shortened in its middle.
    pub reason: String,
    /// The id of what a failed Create has created. Without one, the answer has an id that names
    /// nothing ([`Request::refused_id`]). Ignored on Update and Delete, which are answered with the
    /// request's own id.
    pub physical_resource_id: Option<String>,
}

impl Failure {
    /// Creates a failure without an id.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            physical_resource_id: None,
        }
    }

    /// Adds the id of what the Create created before it failed.
    #[must_use]
    pub fn with_id(mut self, physical_resource_id: impl Into<String>) -> Self {
        self.physical_resource_id = Some(physical_resource_id.into());
        self
    }
}

impl From<PropertyError> for Failure {
    fn from(error: PropertyError) -> Self {
        Self::new(error.to_string())
    }
}

/// A wait for something outside of the function, after which the request continues.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// The object of the wait, to follow "timed out waiting for": `certificate ARN to be issued
    /// (PENDING_VALIDATION)`.
    pub waiting_for: String,
    /// The least time until the next poll. The state machine polls at most every 5 s, and at most
    /// 60 s later than this.
    pub retry_after: Duration,
    /// What the next call of `advance` needs in addition to the request. The state machine carries
    /// it, and people can read it there, so it never contains a credential. At most some kilobytes.
    pub progress: Value,
}

impl Wait {
    /// Returns the wait between the two searches of a Delete whose physical id was never assigned.
    #[must_use]
    pub fn second_search() -> String {
        "a Create of this resource that may still run to end, before the second search".to_owned()
    }
}

/// What a resource type may know of its invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The wall time.
    pub clock: Clock,
    /// The call is dropped at this instant: the sooner of Lambda's and CloudFormation's deadline,
    /// less the time for the answer.
    pub deadline: Instant,
    /// Until when a wait that is part of a step may last. A longer one is returned as a [`Wait`], so that it continues where
    /// no Lambda concurrency is occupied.
    pub waits_until: Instant,
    /// How long after CloudFormation's request an invocation of it may still run: `MAX_INVOCATION_AGE_SECONDS`.
    pub max_invocation_age: Duration,
    /// Whether a wait may outlast this invocation.
    pub can_hand_over: bool,
    /// Whether an earlier delivery of the same request may have done all of this already, and a
    /// Delete may have undone it. True if this delivery began 50 s or more after CloudFormation
    /// made the request, because Lambda repeats an invocation that died after a minute. A turn of
    /// the state machine belongs to the delivery that handed over. If nothing else distinguishes a
    /// redelivery from the first delivery, such as a `CallerReference` that is already used,
    /// nothing is begun then.
    pub may_be_repeat: bool,
    doing: Arc<Mutex<String>>,
}

impl Invocation {
    /// Creates an invocation without a waiter, whose first call this is.
    #[must_use]
    pub fn new(clock: Clock, deadline: Instant, max_invocation_age: Duration) -> Self {
        Self {
            clock,
            deadline,
            waits_until: deadline,
            max_invocation_age,
            can_hand_over: false,
            may_be_repeat: false,
            doing: Arc::default(),
        }
    }

    /// Returns the remaining time of the request: until its own end, and without a waiter at most
    /// until this call is dropped.
    #[must_use]
    pub fn time_left(&self, request: &Request) -> Duration {
        let left = self.clock.until(request.ends_at());
        if self.can_hand_over {
            left
        } else {
            left.min(self.remaining())
        }
    }

    /// Returns how long a Delete waits between its two searches: as long as a Create that was never
    /// answered may still run, at most so long that `reserve` remains for the second search and the
    /// answer.
    #[must_use]
    pub fn until_second_search(&self, request: &Request, reserve: Duration) -> Duration {
        let most = self.time_left(request).saturating_sub(reserve);
        self.max_invocation_age.min(most)
    }

    /// Returns whether a Create is too late to create anything. If it was never answered, its
    /// Delete may already have searched for the last time, so nobody would remove what is created
    /// now.
    #[must_use]
    pub fn is_too_late(&self, request: &Request) -> bool {
        request.request_type == RequestType::Create
            && self.clock.since(request.requested_at)
                > self.max_invocation_age.max(SHORTEST_EVENT_AGE)
    }

    /// Returns how long until this call is dropped.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Notes what the resource type is doing, to follow "while": `creating hosted zone
    /// dev.example.com`. It explains a call that panics or is dropped at its deadline.
    pub fn doing(&self, what: impl Into<String>) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = what.into();
    }

    /// Returns the last note, or an empty text if there is none.
    pub(crate) fn was_doing(&self) -> String {
        self.doing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn a_create_is_too_late_after_the_maximum_age_and_never_within_a_minute() {
        let clock = Clock::starting_at(Clock::moment(1_795_549_700));
        let event = json!({
            "RequestType": "Create", "ResponseURL": "https://b.amazonaws.com/k", "RequestId": "r", "StackId": "s",
            "LogicalResourceId": "l",
        });
        let create = Request::decode(&event, clock.now()).unwrap();
        let is_too_late = |age| {
            let age = Duration::from_secs(age);
            Invocation::new(clock, Instant::now(), age).is_too_late(&create)
        };
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(!is_too_late(0) && !is_too_late(900));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(is_too_late(0) && !is_too_late(900));
        tokio::time::sleep(Duration::from_secs(840)).await;
        assert!(is_too_late(900));
    }
}
