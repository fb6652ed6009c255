//! What a resource type is to the protocol: what it is given, and what it may say.

use crate::{Clock, PropertyError, Request, RequestType};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Lambda discards no event that is younger than this, whatever is configured
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html>). So a Create of this age is
/// never too late.
const SHORTEST_EVENT_AGE: Duration = Duration::from_secs(60);

/// The resource types of one function. `advance` and `abandon` are all that the protocol asks of them; it dispatches
/// nothing itself beyond refusing what [`names`](Self::names) does not list.
pub trait ResourceTypes: Send + Sync {
    /// The resource types that this function serves, such as `Custom::PublishedZone`. A Create or Update of another
    /// one is refused with this list, before `advance` sees it.
    fn names(&self) -> &'static [&'static str];

    /// Looks at what stands, does what is missing, and says whether that is all.
    ///
    /// Level-triggered: called again with the `progress` of its own last [`Wait`], in this invocation or in a later
    /// one, and from the start (no progress) when the same request is delivered twice. Cancel-safe: it is dropped at
    /// the invocation's deadline wherever it stands, and what was done by then must be found again by the next call.
    ///
    /// Properties may be unusable ([`Properties::parse`](crate::Properties::parse) says how); that must not block a
    /// Delete.
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

    /// The request's time is up while it waits, or was cut off: undo what must not stay (a certificate that was not
    /// issued) before FAILED is answered. What it returns is added to the reason.
    fn abandon(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> impl Future<Output = Option<String>> + Send;
}

/// How far a request is.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// All of it is done.
    Done(Success),
    /// Something outside has to happen first.
    Wait(Wait),
}

/// A SUCCESS answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Success {
    /// What `Ref` answers, at most 1,024 bytes. Ignored on Delete, which is answered with the request's own id.
    pub physical_resource_id: String,
    /// What `Fn::GetAtt` answers. Together with the ids they must fit 4,096 bytes.
    pub attributes: BTreeMap<&'static str, String>,
}

impl Success {
    /// A success without attributes.
    pub fn new(physical_resource_id: impl Into<String>) -> Self {
        Self {
            physical_resource_id: physical_resource_id.into(),
            attributes: BTreeMap::new(),
        }
    }

    /// With one more attribute.
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.insert(name, value.into());
        self
    }
}

/// A FAILED answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// One sentence: what failed, on which name or ARN, with which AWS error code and request id, and what to do
    /// next. What is too long for the answer is cut in its middle.
    pub reason: String,
    /// The id of what a failed Create made. Without one, such a Create is answered with an id that names nothing
    /// ([`Request::refused_id`]). Ignored on Update and Delete, which are answered with the request's own id.
    pub physical_resource_id: Option<String>,
}

impl Failure {
    /// A failure that names nothing.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            physical_resource_id: None,
        }
    }

    /// With the id of what the Create made before it failed.
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

/// Something outside has to happen before the request can go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// What is waited for, to follow "timed out waiting for": `certificate ARN to be issued (PENDING_VALIDATION)`.
    pub waiting_for: String,
    /// How long it makes no sense to look again. The waiter looks at most every 5 s, and waits 60 s at most beyond
    /// what is asked here.
    pub retry_after: Duration,
    /// What the next call of `advance` needs beside the request. It passes through the waiter, where people can read
    /// it: never a credential. At most some kilobytes.
    pub progress: Value,
}

impl Wait {
    /// The wait between the two sweeps of a Delete whose physical id was never given.
    #[must_use]
    pub fn second_sweep() -> String {
        "a Create of this resource that may still run to end, before the second sweep".to_owned()
    }
}

/// What a resource type may know of the invocation it runs in.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Wall time.
    pub clock: Clock,
    /// The call is dropped at this instant: Lambda's deadline, or CloudFormation's, less what the answer needs.
    pub deadline: Instant,
    /// Until when a wait that is part of a step may last. A longer one is returned as a [`Wait`], so that it continues where
    /// no Lambda concurrency is occupied.
    pub waits_until: Instant,
    /// How long after CloudFormation's request an invocation of it may still run: `MAX_INVOCATION_AGE_SECONDS`.
    pub max_invocation_age: Duration,
    /// Whether a wait may outlast this invocation.
    pub can_hand_over: bool,
    /// Whether an earlier delivery of the same request may have done all of this already, and a Delete may have undone
    /// it: this delivery began 50 s or more after CloudFormation made the request, and Lambda tries an invocation that
    /// died again after a minute. A turn of the waiter belongs to the delivery that handed over. Where nothing else tells a repeat from the first delivery, such as a
    /// `CallerReference` that is used up, nothing is begun then.
    pub may_be_repeat: bool,
    doing: Arc<Mutex<String>>,
}

impl Invocation {
    /// An invocation without a waiter, whose first call this is.
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

    /// How long the request may still take: until its own end, and without a waiter until this call is dropped.
    #[must_use]
    pub fn time_left(&self, request: &Request) -> Duration {
        let left = self.clock.until(request.ends_at());
        if self.can_hand_over {
            left
        } else {
            left.min(self.remaining())
        }
    }

    /// How long a Delete waits between its two sweeps: as long as a Create that was never answered may still run, cut
    /// so that `reserve` is left for the second sweep and the answer.
    #[must_use]
    pub fn until_second_sweep(&self, request: &Request, reserve: Duration) -> Duration {
        let most = self.time_left(request).saturating_sub(reserve);
        self.max_invocation_age.min(most)
    }

    /// Whether a Create comes too late to make anything: where it was never answered, its Delete may have swept for the
    /// last time, so what is made now nobody would remove.
    #[must_use]
    pub fn is_too_late(&self, request: &Request) -> bool {
        request.request_type == RequestType::Create
            && self.clock.since(request.requested_at)
                > self.max_invocation_age.max(SHORTEST_EVENT_AGE)
    }

    /// How long until this call is dropped.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Notes what the resource type is at, to follow "while": `creating hosted zone dev.example.com`. A call that is
    /// dropped at its deadline, or panics, is explained with it.
    pub fn doing(&self, what: impl Into<String>) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = what.into();
    }

    /// What was noted last; empty before that.
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
    async fn a_create_is_too_late_after_the_age_that_is_set_and_never_within_a_minute() {
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
