//! Handles one invocation, from the event to the answer.

use crate::{
    AnswerTransport, Clock, Refusal, ResourceTypes, Settings, Waiter,
    addressee::Addressee,
    answer::Answer,
    deadline::Deadlines,
    deliver::{Delivery, deliver},
    event::{self, Event},
    hand_over::Turn,
    panic_guard::guarded,
    summary::Summary,
    work::{Verdict, Work},
};
use serde_json::{Value, json};
use std::time::SystemTime;
use tokio::time::Instant;
use tracing::Instrument;

/// A function: its resource types, its waiter and its transport for answers.
#[derive(Debug)]
pub struct Function<R, W, T> {
    pub(crate) resource_types: R,
    pub(crate) waiter: Option<W>,
    pub(crate) transport: T,
    pub(crate) settings: Settings,
}

/// Lambda's data about an invocation.
#[derive(Clone, Debug)]
pub struct Context {
    /// Lambda's request id, for the log.
    pub request_id: String,
    /// The ARN that was invoked, with its qualifier if there is one.
    pub function_arn: String,
    /// When Lambda ends the invocation.
    pub deadline: SystemTime,
}

/// Why an invocation ends with an error, so that Lambda or the state machine repeats it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// The answer was not delivered, or was refused while CloudFormation may still wait for it.
    #[error("the answer could not be delivered: {0}")]
    Unanswered(String),
    /// There was no answer, because it is unknown whether the state machine has the request.
    #[error("whether the state machine has the request is not known: {0}")]
    HandOverInDoubt(String),
    /// The event has the form of the state machine's, but this function did not create it. Nothing
    /// was done.
    #[error("the waiter's event was refused: {0}")]
    TurnRefused(String),
}

impl<R: ResourceTypes, W: Waiter, T: AnswerTransport> Function<R, W, T> {
    /// Creates a function from its parts.
    pub fn new(resource_types: R, waiter: Option<W>, transport: T, settings: Settings) -> Self {
        Self {
            resource_types,
            waiter,
            transport,
            settings,
        }
    }

    /// Handles an event in its text form, as [`handle`](Self::handle) does.
    ///
    /// # Errors
    ///
    /// See [`InvocationError`].
    pub async fn handle_text(
        &self,
        event: &str,
        context: &Context,
        clock: Clock,
    ) -> Result<Value, InvocationError> {
        self.handle(event::parse(event), context, clock).await
    }

    /// Handles one event of CloudFormation or of the state machine. Returns the result of the
    /// invocation, which only the state machine reads: `{"Done": true}`, or when and with which
    /// input to invoke the function again.
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
        let arn = &context.function_arn;
        let event = Event::decode(event, arn, &self.settings, clock.now());
        let span = tracing::info_span!("invocation", invocation = context.request_id);
        async {
            match event {
                Event::Request(request) => {
                    let turn = Turn::first(*request, &clock);
                    self.serve(turn, false, context, clock).await
                }
                Event::Turn(turn) => self.serve(*turn, true, context, clock).await,
                Event::Refused(refusal) => self.refuse(refusal, context, clock).await,
                Event::TurnRefused(reason) => {
                    tracing::error!(reason, "the waiter's event was refused, nothing was done");
                    Err(InvocationError::TurnRefused(reason))
                }
            }
        }
        .instrument(span)
        .await
    }

    /// Serves a request: lets the resource type work until its deadline, then answers or hands
    /// over.
    async fn serve(
        &self,
        turn: Turn,
        by_waiter: bool,
        context: &Context,
        clock: Clock,
    ) -> Result<Value, InvocationError> {
        let to = turn.request.addressee();
        let deadlines = Deadlines::of(&turn.request, context.deadline, &clock);
        let mut summary = Summary::of(&turn);
        let mut work = Work::new(self, turn, by_waiter, context, deadlines, clock);
        // A panic of the resource type is caught closer to it. This one catches all others.
        let verdict = guarded(work.verdict()).await.unwrap_or_else(|panic| {
            Verdict::Answer(Answer::failed(format!(
                "The function failed because of a bug in it: {panic}."
            )))
        });
        summary.waited_for = work.waited_for();
        match verdict {
            Verdict::Answer(answer) => {
                let deadline = deadlines.answer;
                self.answer(answer, &to, deadline, clock, &summary).await
            }
            Verdict::Later(state) => {
                summary.log("waiting", None);
                Ok(state)
            }
            Verdict::HandedOver => {
                summary.log("handed over", None);
                Ok(json!({ "Done": false }))
            }
            Verdict::InDoubt(error) => {
                tracing::error!(
                    error,
                    "whether the state machine has the request is not known"
                );
                summary.log("not answered", None);
                Err(InvocationError::HandOverInDoubt(error))
            }
        }
    }

    /// Answers FAILED to an event that cannot be served, if the event says where to send the
    /// answer.
    async fn refuse(
        &self,
        refusal: Refusal,
        context: &Context,
        clock: Clock,
    ) -> Result<Value, InvocationError> {
        let Some(to) = refusal.addressee else {
            // Another delivery would end the same way, so the invocation ends as a success.
            tracing::error!(
                reason = refusal.reason,
                "nobody can be answered, nothing was done"
            );
            return Ok(done());
        };
        let deadline = Deadlines::by_lambda(context.deadline, &clock).answer;
        let summary = Summary::of_refused(&to);
        let answer = Answer::failed(refusal.reason);
        self.answer(answer, &to, deadline, clock, &summary).await
    }

    /// Sends the one answer of a request.
    async fn answer(
        &self,
        answer: Answer,
        to: &Addressee,
        deadline: Instant,
        clock: Clock,
        summary: &Summary,
    ) -> Result<Value, InvocationError> {
        let answer = answer.checked(to);
        let body = answer.body(to);
        let delivery = deliver(&self.transport, &to.response_url, &body, deadline).await;
        summary.log(answer.status(), answer.reason());
        match delivery {
            Delivery::Accepted => Ok(done()),
            // CloudFormation waits at most an hour, and its URL is valid for two: nobody waits any
            // longer, and Lambda must not repeat the invocation.
            Delivery::Refused(reply) if to.response_url.has_expired(clock.now()) => {
                tracing::warn!(%reply, "the response URL had expired before the answer was sent");
                Ok(done())
            }
            Delivery::Refused(reply) => {
                tracing::error!(%reply, "the answer was refused");
                Err(InvocationError::Unanswered(reply.to_string()))
            }
            Delivery::Lost(error) => {
                tracing::error!(error, "the answer could not be delivered");
                Err(InvocationError::Unanswered(error))
            }
        }
    }
}

fn done() -> Value {
    json!({ "Done": true })
}
