//! `Custom::SubdomainCertificate`: a certificate of ACM, validated by CNAMEs in zones of this account.
//!
//! 1. **A certificate's tags name its owner.** It has them from `RequestCertificate` on. The function finds
//!    this resource's certificates by their tags, and remembers none.
//! 2. **SUCCESS means ISSUED.** Until then each attempt checks the certificate, its CNAMEs, and DNS from the outside, so
//!    that a certificate which can never be issued is answered with the cause.
//! 3. **A failed request leaves no certificate.** One that was not issued is deleted before FAILED is answered. Its CNAMEs
//!    stay, unless `ValidationRecordsOnDelete` is `Delete`. If that fails, the answer names it, and the stack's rollback deletes it.
//! 4. **A CNAME is shared.** ACM assigns an account the same CNAME for the same name in every certificate.
//!    The function creates it only by CREATE, uses an existing one unchanged, and deletes it only if no other
//!    certificate needs it.
//!
//! A request is served by one loop: observe what exists ([`observe`]), plan ([`plan`]), carry the plan out ([`act`]), until
//! the plan says that the request is done, has failed, or waits. A wait ends the attempt; the protocol begins the next one.

mod acm;
mod act;
mod arn;
mod cause;
mod described;
mod error;
mod observe;
mod observed;
mod plan;
mod properties;
mod tagged;
mod zones;

use aws_types::SdkConfig;
use custom_resource::{Failure, Invocation, Request, RequestType, Step, Wait};
use dns_check::{Dns, Transport};
use error::Error;
use hosted_zones::Route53;
use observe::Observer;
use plan::{Acted, Delivery, Next, Pause, Phase, Plan};
use properties::Task;
use serde_json::Value;
use std::time::Duration;
use tokio::time::sleep;

/// The number of plans in one attempt. A request needs up to eight, and more only for leftovers of other
/// requests.
const ROUNDS: u32 = 12;
/// The pause after these.
const PAUSE: Duration = Duration::from_secs(5);
/// The time for the second search of a Delete and its answer, if the invocation's deadline decides when it
/// takes place.
const SEARCH: Duration = Duration::from_secs(60);

/// The resource type, with its clients.
#[derive(Debug)]
pub(crate) struct Certificates<T> {
    observer: Observer<T>,
}

impl<T: Transport> Certificates<T> {
    pub(crate) fn new(config: &SdkConfig, dns: Dns<T>) -> Self {
        Self {
            observer: Observer {
                config: config.clone(),
                route53: Route53::new(aws_sdk_route53::Client::new(config)),
                dns,
            },
        }
    }

    pub(crate) async fn advance(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Result<Step, Failure> {
        let task = Task::of(request, self.observer.region())?;
        let phase = Phase::read(progress, request);
        self.attempt(&task, phase, request, invocation).await
    }

    /// Deletes the certificate that the request has requested and that was not issued in time. There are no
    /// further attempts, so waits of some seconds are completed here.
    pub(crate) async fn abandon(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Option<String> {
        if request.request_type == RequestType::Delete {
            return None;
        }
        let task = Task::of(request, self.observer.region()).ok()?;
        let phase = Phase::read(progress, request);
        let mut phase = phase.abandoned(&delivery(request, invocation))?;
        loop {
            match self.attempt(&task, phase, request, invocation).await {
                Err(failure) => return Some(failure.reason).filter(|reason| !reason.is_empty()),
                Ok(Step::Wait(wait)) if wait.retry_after < invocation.remaining() / 2 => {
                    sleep(wait.retry_after).await;
                    phase = Phase::read(Some(wait.progress), request);
                }
                Ok(Step::Wait(wait)) => {
                    let waiting_for = wait.waiting_for;
                    return Some(format!("There was no time left for {waiting_for}."));
                }
                Ok(Step::Done(_)) => return None,
            }
        }
    }

    /// Observes, plans and acts until the request is done, has failed or waits.
    async fn attempt(
        &self,
        task: &Task,
        mut phase: Phase,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<Step, Failure> {
        for _ in 0..ROUNDS {
            // Boxed here and below: the futures of the AWS calls are large.
            let round = Box::pin(self.round(task, &phase, request, invocation)).await;
            let now = delivery(request, invocation);
            let next = match round.or_else(|error| phase.after_error(error, &now)) {
                Ok(next) => next,
                Err(error) => {
                    // The protocol waits for a transient error. Any other error fails the request.
                    let remembered = phase.noting(&error).remembered();
                    let trouble = error.trouble();
                    match trouble.settle(request, invocation, Some(remembered), None) {
                        Ok(wait) => return Ok(wait),
                        Err(failure) => match phase.undoing(&failure.reason, &now) {
                            Some(undo) => Next::Again(undo),
                            None => return Err(failure),
                        },
                    }
                }
            };
            match next {
                Next::Again(next) => phase = next,
                Next::Wait(pause) => return Ok(wait(pause)),
                Next::Done(success) => return Ok(Step::Done(success)),
                Next::Failed(failure) => return Err(failure),
                Next::AwaitRequested(_) => unreachable!("its plan requests a certificate"),
            }
        }
        Ok(wait(Pause {
            waiting_for: "others to stop changing the same certificates".to_owned(),
            retry_after: PAUSE,
            phase,
        }))
    }

    /// Observes, plans and acts once.
    async fn round(
        &self,
        task: &Task,
        phase: &Phase,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<Next, Error> {
        invocation.doing("reading certificates, zones and CNAMEs");
        let mut observed = Box::pin(self.observer.observe(task, phase)).await?;
        loop {
            let plan = Plan::of(task, phase, &observed, &delivery(request, invocation));
            match &plan {
                Ok(plan) => tracing::info!(%observed, %plan, "planned"),
                Err(refusal) => tracing::info!(%observed, %refusal, "planned"),
            }
            match plan? {
                Plan::Ask(question) => {
                    invocation.doing(question.to_string());
                    Box::pin(self.observer.answer(&question, &mut observed)).await?;
                }
                Plan::Do(actions, mut next) => {
                    for action in actions {
                        invocation.doing(action.to_string());
                        let is_optional = action.is_optional();
                        let acted = match Box::pin(self.observer.act(action)).await {
                            Err(error) if is_optional && !error.is_transient() => {
                                tracing::error!(%error, "the request continues without this change");
                                Acted::Done
                            }
                            acted => acted?,
                        };
                        next = next.after(phase, acted);
                    }
                    return Ok(next);
                }
            }
        }
    }
}

fn delivery<'a>(request: &'a Request, invocation: &Invocation) -> Delivery<'a> {
    let now = invocation.clock.now();
    Delivery {
        request,
        now,
        jitter: 0.8 + 0.4 * fastrand::f64(),
        may_be_repeat: invocation.may_be_repeat,
        max_age: invocation.max_invocation_age,
        is_too_late: invocation.is_too_late(request),
        search_again_at: now + invocation.until_second_search(request, SEARCH),
    }
}

fn wait(pause: Pause) -> Step {
    Step::Wait(Wait {
        waiting_for: pause.waiting_for,
        retry_after: pause.retry_after,
        progress: pause.phase.remembered(),
    })
}
