//! `Custom::PublishedZone`: a zone's id, name and name servers in SSM Parameter Store.
//!
//! A request is served by one loop: observe what exists ([`observed`](crate::observed)), plan
//! ([`plan`](crate::plan)), carry the plan out ([`act`](crate::act)). It ends when a plan is carried out or
//! refuses. If an answer contradicts the observation, the loop starts again.

use crate::{
    act::{Stopped, act},
    error::Error,
    observed::{Conflict, Observer},
    parameters::Parameters,
    plan::{Action, Delivery, End, Phase, Plan},
    properties::Task,
};
use aws_types::SdkConfig;
use custom_resource::{Failure, Invocation, Request, Step, Wait};
use hosted_zones::Route53;
use serde_json::{Value, json};
use std::time::Duration;

/// The time for the second search of a Delete and its answer, if the invocation's deadline decides when it
/// takes place.
const SECOND_SEARCH: Duration = Duration::from_secs(30);
/// The number of plans in one attempt while someone else changes the parameters at the same time.
const ROUNDS: u32 = 5;
/// The pause after these.
const PAUSE: Duration = Duration::from_secs(5);

/// The resource type, with its clients.
#[derive(Debug)]
pub(crate) struct PublishedZones {
    observer: Observer,
}

impl PublishedZones {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            observer: Observer {
                route53: Route53::new(aws_sdk_route53::Client::new(config)),
                parameters: Parameters::new(aws_sdk_ssm::Client::new(config)),
            },
        }
    }

    pub(crate) async fn advance(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Result<Step, Failure> {
        let task = Task::of(request)?;
        let phase = progress
            .clone()
            .and_then(|progress| serde_json::from_value(progress).ok());
        let delivery = delivery(request, phase.unwrap_or_default(), invocation);
        // Boxed here and below: the futures of the AWS calls are large.
        let step = Box::pin(self.carry_out(&task, &delivery, invocation)).await;
        // A failed Create names nothing: its Delete undoes only what this Create did. The Create itself
        // undoes nothing, because an earlier delivery of it may have been answered SUCCESS.
        step.or_else(|error| error.trouble().settle(request, invocation, progress, None))
    }

    /// Observes, plans and acts until a plan is carried out, or refuses.
    async fn carry_out(
        &self,
        task: &Task,
        delivery: &Delivery<'_>,
        invocation: &Invocation,
    ) -> Result<Step, Error> {
        let mut conflict = None;
        for _ in 0..ROUNDS {
            match Box::pin(self.plan(task, delivery, conflict.take(), invocation)).await? {
                Plan::Do(actions, end) => match self.act(&actions, invocation).await {
                    Ok(()) => return Ok(ended(end, delivery, invocation)),
                    Err(Stopped::Conflict(found)) => conflict = Some(found),
                    Err(Stopped::Failed(error)) => return Err(error),
                },
                Plan::Refuse(refusal) => return Err(refusal.into()),
                Plan::ReadDelegations(_) => unreachable!("they are read before a plan is made"),
            }
        }
        Ok(Step::Wait(Wait {
            waiting_for: "others to stop changing the same parameters".to_owned(),
            retry_after: PAUSE,
            progress: json!(delivery.phase),
        }))
    }

    /// Observes, and plans; reads the delegations if the plan needs them.
    async fn plan(
        &self,
        task: &Task,
        delivery: &Delivery<'_>,
        conflict: Option<Conflict>,
        invocation: &Invocation,
    ) -> Result<Plan, Error> {
        invocation.doing("reading the zone and the parameters");
        let mut observed = Box::pin(self.observer.observe(task)).await?;
        observed.conflict = conflict;
        let mut plan = Plan::of(task, &observed, delivery);
        if let Plan::ReadDelegations(id) = plan {
            observed.delegations = self.observer.delegations(&id).await?;
            plan = Plan::of(task, &observed, delivery);
        }
        tracing::info!(%observed, %plan, "planned");
        Ok(plan)
    }

    async fn act(&self, actions: &[Action], invocation: &Invocation) -> Result<(), Stopped> {
        for action in actions {
            invocation.doing(format!("changing the parameters: {action}"));
            act(&self.observer.parameters, action).await?;
        }
        Ok(())
    }
}

fn delivery<'a>(request: &'a Request, phase: Phase, invocation: &Invocation) -> Delivery<'a> {
    let now = invocation.clock.now();
    Delivery {
        request,
        phase,
        now,
        may_be_repeat: invocation.may_be_repeat,
        second_search: now + invocation.until_second_search(request, SECOND_SEARCH),
    }
}

fn ended(end: End, delivery: &Delivery<'_>, invocation: &Invocation) -> Step {
    let (at, phase) = match end {
        End::Done(success) => return Step::Done(success),
        End::Again(at, phase) => (at, phase),
    };
    Step::Wait(Wait {
        waiting_for: match phase {
            Phase::SecondSearch(_) => Wait::second_search(),
            Phase::First | Phase::NameKept(_) => {
                let prefix = delivery.request.properties.text("ParameterPrefix");
                let prefix = prefix.unwrap_or_default();
                format!("SSM to release the names of parameters below {prefix} that were deleted")
            }
        },
        retry_after: invocation.clock.until(at),
        progress: json!(phase),
    })
}
