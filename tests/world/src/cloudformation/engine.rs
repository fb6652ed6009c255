//! The engine: sends one request at a time to a resource, and waits for the answer or the time-out.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Map, Value, json};

use super::answers::{Answer, AnswerDesk, Asked};
use super::lambda::{Delivered, Delivery, FunctionHost, Running};
use super::stack::Stack;
use super::template::{ResourceDefinition, Template, as_text};
use crate::custody::{self, Sent};
use crate::iam::template::Resolution;
use crate::{Event, World};

/// Behavior that is not documented, so tests try both forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// Whether the rollback of a replacement that had succeeded carries the new physical id. If not, it
    /// carries the old one.
    pub rollback_carries_new_id: bool,
    /// Whether the other resources of a wave are cancelled if one fails: their Delete may then arrive while
    /// their Create runs.
    pub cancels_siblings: bool,
    /// How often a Delete of the clean-up is attempted.
    pub clean_up_attempts: u32,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            rollback_carries_new_id: true,
            cancels_siblings: false,
            clean_up_attempts: 3,
        }
    }
}

/// The deployment of the functions, with the CDK app's figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LambdaSettings {
    /// Lambda's time-out.
    pub timeout: Duration,
    /// The number of attempts after the first.
    pub retries: u32,
    /// An event that is older is dropped and not retried.
    pub max_event_age: Duration,
    /// Whether there is a state machine for long waits.
    pub waiter: bool,
}

impl Default for LambdaSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(900),
            retries: 2,
            max_event_age: Duration::from_secs(300),
            waiter: true,
        }
    }
}

impl LambdaSettings {
    /// `MAX_INVOCATION_AGE_SECONDS`.
    pub fn max_invocation_age(&self) -> Duration {
        self.timeout + self.max_event_age
    }
}

/// CloudFormation for all stacks of a world.
#[derive(Clone)]
pub struct Engine {
    pub(crate) world: World,
    pub(crate) desk: AnswerDesk,
    pub(crate) host: Arc<dyn FunctionHost>,
    pub(crate) running: Running,
    /// The deployment of the functions.
    pub lambda: LambdaSettings,
    /// The undocumented behavior.
    pub habits: Habits,
    /// How the next requests are delivered.
    pub delivery: Delivery,
    deploying: Option<Arc<Deploying>>,
    requests: Arc<AtomicU64>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("habits", &self.habits)
            .finish_non_exhaustive()
    }
}

/// Creates what a stack's templates have in addition to custom resources: the roles of the functions.
type Deploying = dyn Fn(&Stack, &[&Template]) + Send + Sync;

/// A request for a resource.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) kind: &'static str,
    pub(crate) logical_id: String,
    pub(crate) resource_type: String,
    pub(crate) properties: Map<String, Value>,
    pub(crate) old_properties: Option<Map<String, Value>>,
    pub(crate) physical_id: Option<String>,
    /// The number of the Create, if this is the Delete of a Create that did not succeed.
    pub(crate) undoes: Option<u64>,
    /// Whether this is the Delete of a resource whose creation is rolled back.
    pub(crate) rolls_back: bool,
}

/// The result of a request.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Answered(Answer),
    TimedOut,
}

impl Outcome {
    pub(crate) fn failure(&self) -> Option<String> {
        match self {
            Self::Answered(answer) if answer.success => None,
            Self::Answered(answer) => Some(answer.reason.clone()),
            Self::TimedOut => Some("CloudFormation did not receive a response".to_owned()),
        }
    }
}

impl Engine {
    /// Creates CloudFormation for a world whose functions run on a host.
    pub fn new(
        world: World,
        lambda: LambdaSettings,
        host: impl FnOnce(AnswerDesk) -> Arc<dyn FunctionHost>,
    ) -> Self {
        let desk = AnswerDesk::new(world.clone());
        let first_request = world.state().random.u64(..1 << 39);
        Self {
            host: host(desk.clone()),
            desk,
            running: Running::after(world.last_numbers().1),
            world,
            lambda,
            habits: Habits::default(),
            delivery: Delivery::default(),
            deploying: None,
            requests: Arc::new(AtomicU64::new(first_request)),
        }
    }

    /// Adds what else a stack has besides its custom resources, which depend on it. Until an update or its
    /// rollback has cleaned up, the stack has what both templates say; afterwards only what the final
    /// template says.
    pub fn deploying(self, make: impl Fn(&Stack, &[&Template]) + Send + Sync + 'static) -> Self {
        Self {
            deploying: Some(Arc::new(make)),
            ..self
        }
    }

    /// Creates what else the templates of a stack have.
    pub(super) fn deploy(&self, stack: &Stack, templates: &[&Template]) {
        if let Some(make) = &self.deploying {
            make(stack, templates);
        }
    }

    /// Returns the world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Returns a physical id that CloudFormation assigns if the function gave none.
    pub(crate) fn own_physical_id(&self, stack: &Stack, logical_id: &str) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("{}-{logical_id}-{number:012}", stack.name())
    }

    /// Returns the properties of a resource with its references resolved, as they are sent.
    pub(crate) fn properties(
        &self,
        stack: &Stack,
        definition: &ResourceDefinition,
    ) -> Map<String, Value> {
        let mut resolution = Resolution::of_stack(&stack.account, &stack.region, &stack.id);
        for (id, resource) in &stack.resources {
            resolution
                .refs
                .insert(id.clone(), resource.physical_id.clone());
            for (name, value) in &resource.attributes {
                resolution
                    .attributes
                    .insert(format!("{id}.{name}"), value.clone());
            }
        }
        let properties = Value::Object(definition.properties.clone());
        let resolved = resolution
            .resolve(&properties)
            .unwrap_or_else(|error| panic!("a template of the tests: {error}"));
        match as_text(&resolved) {
            Value::Object(map) => map,
            _ => unreachable!("an object stays one"),
        }
    }

    /// Sends a request, and waits for its answer or its time-out.
    ///
    /// `sent` is the number by which the world knows the request.
    pub(crate) async fn request(&self, stack: &Stack, request: &Request, sent: u64) -> Outcome {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let request_id = format!("00000000-0000-4000-8000-{number:012}");
        let clock = self.world.clock();
        let wall = clock.wall(clock.now());
        let url = response_url(&stack.region, &request_id, wall);
        let timeout = request
            .properties
            .get("ServiceTimeout")
            .and_then(Value::as_str)
            .and_then(|seconds| seconds.parse().ok())
            .filter(|seconds| (1..=3600).contains(seconds))
            .unwrap_or(3600);
        let function_arn = function_arn(stack, request);
        let mut event = event(stack, request, &function_arn);
        event["RequestId"] = json!(request_id);
        event["ResponseURL"] = json!(url);
        let asked = Asked {
            stack_id: stack.id.clone(),
            request_id: request_id.clone(),
            logical_id: request.logical_id.clone(),
        };
        let mut answer = self.desk.open(&url, asked);
        let closes = Closes(&self.desk, &url);
        self.log(stack, request, "sent");
        self.deliver(&Delivered {
            stack: stack.clone(),
            logical_id: request.logical_id.clone(),
            function_arn,
            event,
            number: sent,
        });
        let wait = answer.wait_for(Option::is_some);
        let outcome = match clock.within(Duration::from_secs(timeout), wait).await {
            Some(Ok(answer)) => Outcome::Answered(answer.clone().expect("it was waited for")),
            Some(Err(_)) => unreachable!("the desk keeps the sender"),
            None => Outcome::TimedOut,
        };
        drop(closes);
        let came_too_late = self.delivery.late >= Duration::from_secs(timeout);
        if matches!(outcome, Outcome::TimedOut) && !came_too_late && !self.running.was_killed(sent)
        {
            self.world.violate(format!(
                "{} {} of {} was never answered, though nothing was killed",
                request.kind,
                request.logical_id,
                stack.name()
            ));
        }
        let words = match &outcome {
            Outcome::Answered(answer) if answer.success => {
                format!("SUCCESS {}", answer.physical_id)
            }
            Outcome::Answered(answer) => {
                format!("FAILED {}: {}", answer.physical_id, answer.reason)
            }
            Outcome::TimedOut => "timed out".to_owned(),
        };
        self.log(stack, request, &words);
        if let Outcome::Answered(answer) = &outcome
            && answer.success
        {
            let mut state = self.world.state();
            custody::succeeded(&mut state, sent, &answer.physical_id, &answer.attributes);
        }
        outcome
    }

    /// Tells the world of a request that is about to be sent, and returns its number.
    pub(crate) fn send(&self, stack: &Stack, request: &Request) -> u64 {
        let mut state = self.world.state();
        let at = state.now;
        state.custody.send(Sent {
            kind: request.kind,
            stack_id: stack.id.clone(),
            logical_id: request.logical_id.clone(),
            resource_type: request.resource_type.clone(),
            physical_id: request.physical_id.clone(),
            place: (stack.account.clone(), stack.region.clone()),
            undoes: request.undoes,
            rolls_back: request.rolls_back,
            at,
            forged: false,
        })
    }

    pub(crate) fn log(&self, stack: &Stack, request: &Request, words: &str) {
        let mut state = self.world.state();
        let at = state.now;
        let properties = Value::Object(request.properties.clone());
        let physical_id = request.physical_id.as_deref().unwrap_or("-");
        let target = if matches!(words, "sent" | "forged") {
            format!("{physical_id} {properties}")
        } else {
            String::new()
        };
        state.log.push(Event {
            at,
            hand: None,
            account: stack.account.clone(),
            action: format!("{} {}.{}", request.kind, stack.name(), request.logical_id),
            target,
            outcome: words.to_owned(),
        });
    }
}

pub(crate) fn function_arn(stack: &Stack, request: &Request) -> String {
    format!(
        "arn:aws:lambda:{}:{}:function:{}",
        stack.region,
        stack.account,
        function_of(&request.resource_type)
    )
}

/// The event of a request, without the id and the URL that it is answered by.
pub(crate) fn event(stack: &Stack, request: &Request, function_arn: &str) -> Value {
    let with_token = |properties: &Map<String, Value>| {
        let mut properties = properties.clone();
        properties.insert("ServiceToken".into(), json!(function_arn));
        Value::Object(properties)
    };
    let mut event = json!({
        "RequestType": request.kind,
        "StackId": stack.id,
        "ResourceType": request.resource_type,
        "LogicalResourceId": request.logical_id,
        "ResourceProperties": with_token(&request.properties),
    });
    if let Some(old) = &request.old_properties {
        event["OldResourceProperties"] = with_token(old);
    }
    if let Some(physical_id) = &request.physical_id {
        event["PhysicalResourceId"] = json!(physical_id);
    }
    event
}

/// Closes a URL when CloudFormation waits no longer, even if the wait itself is dropped.
struct Closes<'a>(&'a AnswerDesk, &'a str);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.0.close(self.1);
    }
}

/// Returns the function that serves a resource type.
fn function_of(resource_type: &str) -> &'static str {
    match resource_type {
        "Custom::PublishedZone" => "publish-zone",
        _ => "delegate-subdomain",
    }
}

pub(crate) fn response_url(region: &str, request_id: &str, wall: std::time::SystemTime) -> String {
    let seconds = wall
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let iso = DateTime::from_secs(i64::try_from(seconds).unwrap_or(0))
        .fmt(Format::DateTime)
        .expect("the world's time can be written");
    let date: String = iso.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!(
        "https://cloudformation-custom-resource-response-{}.s3.{region}.amazonaws.com/{request_id}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={date}&X-Amz-SignedHeaders=host&X-Amz-Expires=7200&X-Amz-Credential=AKIA&X-Amz-Signature={request_id}",
        region.replace('-', "")
    )
}
