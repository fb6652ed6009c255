//! `Custom::DelegatedSubdomain`: a subdomain's zone and its NS record set in the parent.
//!
//! A request is served by one loop:
//!
//! 1. [`task`] derives what to do from the request and from what its earlier attempts have done ([`memory`]).
//! 2. [`observed`] reads what exists, and [`ownership`] decides who owns it.
//! 3. [`plan`] decides. It may need one more fact first.
//! 4. [`act`] carries the plan out, one action after another.
//!
//! The loop ends when a plan is done, waits or refuses. If the answer of an action contradicts what was
//! observed, the loop starts again.

mod access;
mod act;
mod delegation;
mod in_sync;
mod memory;
mod observed;
mod plan;
mod properties;
mod task;

use crate::error::{Error, Left};
use access::Access;
use act::{Actor, Stopped};
use aws_types::SdkConfig;
use custom_resource::{Clock, Failure, Invocation, Request, Step, Wait};
use delegation::Delegation;
use dns_check::{Dns, Transport};
use memory::Memory;
use observed::{Observed, Observer};
use plan::{Delivery, End, Plan};
use serde_json::{Value, json};
use std::{collections::HashMap, time::Duration};
use task::Task;

/// The time for the second search of a Delete and its answer, if the invocation's deadline decides when it
/// takes place.
const SECOND_SEARCH: Duration = Duration::from_secs(90);
/// The number of observations in one attempt before a pause.
const ROUNDS: u32 = 12;
/// The pause after these.
const PAUSE: Duration = Duration::from_secs(5);

/// The resource type, with its clients.
#[derive(Debug)]
pub(crate) struct Subdomains<T> {
    access: Access<T>,
}

/// The result of an attempt.
#[derive(Default)]
struct Attempt {
    memory: Memory,
    /// The delegation that the FAILED answer of a Create names.
    names: Option<Delegation>,
}

impl<T: Transport> Subdomains<T> {
    pub(crate) fn new(config: &SdkConfig, dns: Dns<T>) -> Self {
        Self {
            access: Access::new(config, dns),
        }
    }

    pub(crate) async fn advance(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Result<Step, Failure> {
        let memory = progress.and_then(|progress| serde_json::from_value(progress).ok());
        let mut attempt = Attempt {
            memory: memory.unwrap_or_default(),
            names: None,
        };
        // Boxed here and below: the futures of the AWS calls are large.
        let step = Box::pin(self.carry_out(request, invocation, &mut attempt)).await;
        step.or_else(|error| {
            let id = attempt.names.map(|names| names.to_string());
            let memory = Some(json!(attempt.memory));
            error.trouble().settle(request, invocation, memory, id)
        })
    }

    /// Observes, plans and acts until a plan is done, waits or refuses.
    async fn carry_out(
        &self,
        request: &Request,
        invocation: &Invocation,
        attempt: &mut Attempt,
    ) -> Result<Step, Error> {
        let memory = &mut attempt.memory;
        if let Some(wait) = in_sync::check(&self.access, request, invocation, memory).await? {
            return Ok(wait);
        }
        let observer = Observer {
            access: &self.access,
            request,
            invocation,
        };
        let mut conflict = None;
        for _ in 0..ROUNDS {
            let task = Task::of(request, &attempt.memory)?;
            let mut observed = Box::pin(observer.observe(&task)).await?;
            observed.conflict = conflict.take();
            match Box::pin(self.round(&observer, &task, &mut observed, attempt)).await {
                Ok(Some(step)) => return Ok(step),
                Ok(None) => {}
                Err(Stopped::Conflict(found)) => {
                    let now = invocation.clock.now();
                    attempt.memory.note(&found, Clock::seconds(now));
                    conflict = Some(found);
                }
                Err(Stopped::Pending(_)) => unreachable!("remembered"),
                Err(Stopped::Failed(error)) => return Err(error),
            }
        }
        Ok(Step::Wait(Wait {
            waiting_for:
                "the rest of the work: others change the same zones, or there is much of it"
                    .to_owned(),
            retry_after: PAUSE,
            progress: json!(attempt.memory),
        }))
    }

    /// Plans with one observation, and acts, until the plan ends or needs another observation.
    async fn round(
        &self,
        observer: &Observer<'_, T>,
        task: &Task,
        observed: &mut Observed,
        attempt: &mut Attempt,
    ) -> Result<Option<Step>, Stopped> {
        let Observer {
            request,
            invocation,
            ..
        } = *observer;
        let mut actor = Actor {
            access: &self.access,
            task,
            request,
            invocation,
            changes: HashMap::new(),
        };
        loop {
            let plan = Plan::of(
                task,
                observed,
                &delivery(request, &attempt.memory, invocation),
            );
            if let Plan::Read(question) = &plan {
                invocation.doing(format!("reading {question}"));
                observer.read(question, task, observed).await?;
                continue;
            }
            tracing::info!(%observed, %plan, "planned");
            let plan = match plan {
                Plan::Read(_) => unreachable!("read above"),
                Plan::Refuse(error) => return Err(Stopped::Failed(error)),
                Plan::Do(plan) => plan,
            };
            if plan.names.is_some() {
                attempt.names.clone_from(&plan.names);
            }
            for (index, action) in plan.actions.iter().enumerate() {
                invocation.doing(act::doing(action));
                match Box::pin(actor.act(action)).await {
                    Ok(created) => observed.zones.extend(created),
                    // FAILED is answered, whether or not the change is INSYNC.
                    Err(Stopped::Pending(_)) if matches!(plan.end, End::Refuse(_)) => {}
                    Err(Stopped::Pending(changes)) => {
                        attempt.memory = plan.awaiting(index, &attempt.memory, changes);
                        return Ok(in_sync::wait(&attempt.memory));
                    }
                    Err(stopped) => return Err(not_restored(plan.end, stopped)),
                }
            }
            attempt.memory = plan.remember;
            if !plan.actions.is_empty() {
                attempt.memory.conflicts = 0;
            }
            match plan.end {
                End::Done(success) => return Ok(Some(Step::Done(success))),
                End::Plan => {}
                End::Observe => return Ok(None),
                End::Refuse(error) => return Err(Stopped::Failed(error)),
                End::Wait { until, waiting_for } => {
                    return Ok(Some(Step::Wait(Wait {
                        waiting_for,
                        retry_after: invocation.clock.until(until),
                        progress: json!(attempt.memory),
                    })));
                }
            }
        }
    }
}

/// Returns the reason for the refusal if the delegation of a zone that cannot be deleted was not restored.
fn not_restored(end: End, stopped: Stopped) -> Stopped {
    match end {
        End::Refuse(Error::Kept {
            name, zone, keeps, ..
        }) => {
            tracing::warn!(
                zone = zone.as_str(),
                ?stopped,
                "its delegation was not restored"
            );
            let left = Left::Deleted;
            Stopped::Failed(Error::Kept {
                name,
                zone,
                left,
                keeps,
            })
        }
        _ => stopped,
    }
}

fn delivery<'a>(request: &'a Request, memory: &'a Memory, invocation: &Invocation) -> Delivery<'a> {
    let clock = invocation.clock;
    let now = clock.now();
    Delivery {
        request,
        memory,
        now,
        age: clock.since(request.requested_at),
        may_be_repeat: invocation.may_be_repeat,
        is_too_late: invocation.is_too_late(request),
        time_left: invocation.time_left(request),
        time_of_delete: if invocation.can_hand_over {
            request.service_timeout
        } else {
            request.service_timeout.min(invocation.remaining())
        },
        second_search: now + invocation.until_second_search(request, SECOND_SEARCH),
    }
}
