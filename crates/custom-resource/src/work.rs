//! Calls the resource type for a request until it is done, has failed, or the time is over.

use crate::{
    AnswerTransport, Clock, Context, Failure, Function, Invocation, NotStarted, RequestType,
    ResourceTypes, Step, Success, Wait, Waiter,
    answer::Answer,
    deadline::{Deadlines, is_over, waited_enough},
    failing::FailingCall,
    hand_over::Turn,
    panic_guard::{Panic, guarded},
    request::LONGEST_SERVICE_TIMEOUT,
    start_execution::start_execution,
};
use aws_calls::{Limits, Scope};
use serde_json::Value;
use std::{ops::ControlFlow, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until, timeout_at};

/// The shortest pause between two polls in one invocation.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// How long an invocation waits by itself. A longer wait continues in the state machine, because an
/// invocation that sleeps occupies Lambda concurrency, of which a new account has ten.
const LONGEST_SLEEP: Duration = Duration::from_secs(120);
/// How long AWS may answer AccessDenied for a new role or policy: up to a minute
/// (<https://github.com/aws/aws-cdk/issues/19041>).
const POLICY_IN_EFFECT: Duration = Duration::from_secs(60);
/// How much time the last poll gets in an invocation without a waiter.
const LAST_LOOK: Duration = Duration::from_secs(10);
/// How long a hand-over is attempted: after that, a poll of this invocation may complete the
/// request.
const LONGEST_HAND_OVER: Duration = Duration::from_secs(60);

/// How the work on a request ends in this invocation.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Answer CloudFormation.
    Answer(Answer),
    /// The state machine invokes the function again with this input.
    Later(Value),
    /// The state machine has the request now.
    HandedOver,
    /// It is unknown whether the state machine has the request: FAILED would be wrong, and nobody
    /// else can be asked. Contains the last error.
    InDoubt(String),
}

/// The work on a request in one invocation.
pub(crate) struct Work<'a, R, W, T> {
    function: &'a Function<R, W, T>,
    context: &'a Context,
    clock: Clock,
    deadlines: Deadlines,
    turn: Turn,
    /// Whether the state machine invoked the function, and continues with the result of this turn.
    by_waiter: bool,
    /// Until when this invocation waits by itself, if there is a waiter.
    hands_over_at: Instant,
    /// Whether this invocation, which could not hand over, has waited as long as possible: one more
    /// poll follows, and then it ends.
    waited_out: bool,
    /// Why it is unknown whether the wait was handed over, if a hand-over was attempted.
    not_handed_over: Option<NotStarted>,
    /// What the resource type was last doing.
    was_doing: String,
    /// The scope of its AWS calls.
    calls: Arc<Scope>,
}

/// The result of one call of the resource type.
enum Look {
    Said(Result<Step, Failure>),
    Panicked(Panic),
    CutOff,
}

impl<'a, R: ResourceTypes, W: Waiter, T: AnswerTransport> Work<'a, R, W, T> {
    pub(crate) fn new(
        function: &'a Function<R, W, T>,
        turn: Turn,
        by_waiter: bool,
        context: &'a Context,
        deadlines: Deadlines,
        clock: Clock,
    ) -> Self {
        let hands_over_at = Instant::now() + LONGEST_SLEEP;
        let until = if by_waiter || function.waiter.is_some() {
            hands_over_at.min(deadlines.work)
        } else {
            deadlines.work
        };
        let may_be_new = turn.request.request_type != RequestType::Delete;
        let in_effect = clock.instant(turn.request.requested_at + POLICY_IN_EFFECT);
        let limits = Limits {
            until,
            denied_until: may_be_new.then_some(in_effect),
        };
        let failing = turn.failing.as_ref().map(|call| call.to_failing(&clock));
        Self {
            function,
            context,
            clock,
            deadlines,
            hands_over_at,
            calls: Scope::new(limits, failing),
            turn,
            by_waiter,
            waited_out: false,
            not_handed_over: None,
            was_doing: String::new(),
        }
    }

    /// Returns the object of the last wait, or an empty text if there was none.
    pub(crate) fn waited_for(self) -> String {
        self.turn.waiting_for
    }

    /// Works on the request as long as there is time.
    pub(crate) async fn verdict(&mut self) -> Verdict {
        if let Some(answer) = self.without_looking() {
            return Verdict::Answer(answer);
        }
        if self.by_waiter && is_over(&self.turn.request, &self.clock) {
            return self.give_up(self.timed_out()).await;
        }
        loop {
            match self.look().await {
                Look::Said(Ok(Step::Done(success))) => {
                    return Verdict::Answer(Answer::Success(success));
                }
                Look::Said(Err(failure)) => return self.failed(failure).await,
                Look::Said(Ok(Step::Wait(wait))) => {
                    if let ControlFlow::Break(verdict) = self.wait(wait).await {
                        return verdict;
                    }
                }
                Look::Panicked(panic) => {
                    let failure = Failure::new(format!(
                        "The function failed because of a bug in it{}: {panic}. The log of invocation {} has more.",
                        self.at(),
                        self.context.request_id,
                    ));
                    return self.failed(failure).await;
                }
                Look::CutOff => return self.cut_off().await,
            }
        }
    }

    /// Returns the answer to a request for which no resource type is called.
    fn without_looking(&self) -> Option<Answer> {
        let request = &self.turn.request;
        let names = self.function.resource_types.names();
        if !names.contains(&request.resource_type.as_str()) {
            // The Create that was refused for its type created nothing, and its Delete must not
            // block the stack. For an id that some function has assigned this is different: a
            // success would leave what it names behind.
            if request.request_type == RequestType::Delete && request.names_nothing() {
                return Some(Answer::Success(Success::new(request.physical_id())));
            }
            return Some(Answer::failed(format!(
                "ResourceType {:?} is unknown to this function: it serves {}.",
                request.resource_type,
                names.join(", "),
            )));
        }
        let may_be_late = request.request_type == RequestType::Delete && !request.names_nothing();
        if !may_be_late && !self.by_waiter && is_over(request, &self.clock) {
            // CloudFormation has given up and is rolling back, or has rolled back: nobody would
            // remove what is created now. A Delete removes what its id names, which nobody needs
            // any longer. But a Delete whose id names nothing searches for what the logical id has,
            // which may have been created since.
            return Some(Answer::failed(format!(
                "The request is {} s old and its ServiceTimeout is {} s: nothing was done.",
                self.clock.since(request.requested_at).as_secs(),
                request.service_timeout.as_secs(),
            )));
        }
        None
    }

    /// Calls the resource type, until the work's deadline.
    async fn look(&mut self) -> Look {
        let request = &self.turn.request;
        let invocation = self.invocation(self.deadlines.work);
        let progress = self.turn.progress.clone();
        let advance = guarded(async {
            let resource_types = &self.function.resource_types;
            resource_types.advance(request, progress, &invocation).await
        });
        let look = timeout_at(self.deadlines.work, self.calls.run(advance));
        let look = match look.await {
            Ok(Ok(said)) => Look::Said(said),
            Ok(Err(panic)) => Look::Panicked(panic),
            Err(_) => Look::CutOff,
        };
        self.was_doing = invocation.was_doing();
        let failing = self.calls.failing();
        self.turn.failing = failing.map(|call| FailingCall::of(call, &self.clock));
        look
    }

    /// Waits if this invocation can, and then continues. Otherwise hands the wait over, or ends the
    /// request.
    async fn wait(&mut self, wait: Wait) -> ControlFlow<Verdict> {
        self.turn.waiting_for = wait.waiting_for;
        self.turn.progress = Some(wait.progress).filter(|progress| !progress.is_null());
        if waited_enough(&self.turn.request, &self.clock) {
            return ControlFlow::Break(self.give_up(self.timed_out()).await);
        }
        if self.by_waiter {
            return ControlFlow::Break(self.later(wait.retry_after));
        }
        let until_end = self.clock.until(self.turn.request.ends_at());
        let next = Instant::now() + wait.retry_after.max(SHORTEST_PAUSE).min(until_end);
        let fits = !self.waited_out && next < self.deadlines.work;
        // Only once: if it fails, the next attempt is at the end of this invocation's work.
        let is_long = next > self.hands_over_at && self.not_handed_over.is_none();
        if (is_long || !fits) && self.hand_over(wait.retry_after).await {
            return ControlFlow::Break(Verdict::HandedOver);
        }
        if fits {
            tracing::debug!(waiting_for = self.turn.waiting_for, "waiting");
            sleep_until(next).await;
            return ControlFlow::Continue(());
        }
        let left = self
            .deadlines
            .work
            .saturating_duration_since(Instant::now());
        if self.waited_out || left < SHORTEST_PAUSE {
            return ControlFlow::Break(self.give_up(self.out_of_time()).await);
        }
        self.waited_out = true;
        sleep_until(self.deadlines.work - LAST_LOOK.min(left / 2)).await;
        ControlFlow::Continue(())
    }

    /// Decides how the request continues after the work was dropped at its deadline.
    async fn cut_off(&mut self) -> Verdict {
        if waited_enough(&self.turn.request, &self.clock) {
            return self.give_up(self.timed_out()).await;
        }
        if self.by_waiter {
            return self.later(Duration::ZERO);
        }
        if self.hand_over(Duration::ZERO).await {
            return Verdict::HandedOver;
        }
        self.give_up(self.out_of_time()).await
    }

    /// Returns the next turn for the state machine.
    fn later(&mut self, retry_after: Duration) -> Verdict {
        self.turn.number = self.turn.number.saturating_add(1);
        Verdict::Later(self.state(retry_after))
    }

    fn state(&self, retry_after: Duration) -> Value {
        self.turn
            .to_state(&self.context.function_arn, retry_after, &self.clock)
    }

    /// Returns whether the waiter has accepted the request. A waiter that refused is not asked
    /// again in this invocation.
    ///
    /// The work may have ended only just before its deadline, and starting an execution may need
    /// several requests. They may use the time that is reserved for abandoning.
    async fn hand_over(&mut self, retry_after: Duration) -> bool {
        let now = Instant::now();
        let deadline = self.deadlines.abandon.min(now + LONGEST_HAND_OVER);
        let refused = matches!(self.not_handed_over, Some(NotStarted::Refused(_)));
        let Some(waiter) = self.function.waiter.as_ref() else {
            return false;
        };
        if refused || deadline <= now {
            return false;
        }
        let name = self.turn.execution_name();
        let input = self.state(retry_after).to_string();
        let url = &self.turn.request.response_url;
        let started = start_execution(waiter, &name, &input, url, deadline).await;
        let Err(not_started) = started else {
            tracing::info!(
                execution = name,
                waiting_for = self.turn.waiting_for,
                "handed over to the waiter"
            );
            return true;
        };
        tracing::error!(
            error = not_started.reason(),
            "the wait could not be handed over to the waiter"
        );
        // An earlier request that had no answer may have started the execution, whatever the later
        // ones returned.
        if self.in_doubt().is_none() {
            self.not_handed_over = Some(not_started);
        }
        false
    }

    /// Returns the last error if it is unknown whether the waiter has accepted the request.
    fn in_doubt(&self) -> Option<&str> {
        match &self.not_handed_over {
            Some(NotStarted::NoAnswer(error)) => Some(error),
            _ => None,
        }
    }

    /// Returns what ends the request in place of FAILED if the waiter may have accepted it.
    ///
    /// CloudFormation follows the FAILED of a Create with a Delete, and that of an Update with
    /// another Update. A turn that came after those would create again what nobody deletes any
    /// more. So the invocation ends with an error: the state machine continues, or Lambda delivers
    /// the request again, or CloudFormation's time-out passes, which no turn exceeds. A turn of a
    /// Delete creates nothing, so its FAILED does no harm.
    async fn continues_elsewhere(&mut self) -> Option<Verdict> {
        self.in_doubt()
            .filter(|_| self.turn.request.request_type != RequestType::Delete)?;
        if self.hand_over(Duration::ZERO).await {
            return Some(Verdict::HandedOver);
        }
        self.in_doubt()
            .map(|error| Verdict::InDoubt(error.to_owned()))
    }

    /// Returns FAILED with the resource type's reason.
    async fn failed(&mut self, failure: Failure) -> Verdict {
        if let Some(verdict) = self.continues_elsewhere().await {
            return verdict;
        }
        let mut failure = failure;
        if let Some(call) = &self.turn.failing
            && !call.is_in(&failure.reason)
        {
            failure.reason += " ";
            failure.reason += &call.sentence(&self.clock);
        }
        failure.reason += &self.leftover(&failure.reason);
        Verdict::Answer(Answer::Failed(failure))
    }

    /// Returns FAILED after the resource type has undone what must not remain.
    async fn give_up(&mut self, reason: String) -> Verdict {
        if let Some(verdict) = self.continues_elsewhere().await {
            return verdict;
        }
        let invocation = self.invocation(self.deadlines.abandon);
        let progress = self.turn.progress.clone();
        let abandon = guarded(async {
            let resource_types = &self.function.resource_types;
            resource_types
                .abandon(&self.turn.request, progress, &invocation)
                .await
        });
        let limits = Limits {
            until: self.deadlines.abandon,
            denied_until: None,
        };
        let calls = Scope::new(limits, None);
        let note = match timeout_at(self.deadlines.abandon, calls.run(abandon)).await {
            Ok(Ok(note)) => note,
            Ok(Err(panic)) => Some(format!(
                "Giving it up failed by a mistake of the function: {panic}."
            )),
            Err(_) => Some("There was no time left to undo what this request created.".to_owned()),
        };
        let mut reason = reason;
        if let Some(note) = note {
            reason = reason + " " + &note;
        }
        reason += &self.leftover(&reason);
        Verdict::Answer(Answer::failed(reason))
    }

    /// Returns what a failed Delete may leave behind, if its reason does not say so. If a Delete
    /// fails in the clean-up of an update, CloudFormation forgets the resource, and nothing else
    /// names it.
    fn leftover(&self, reason: &str) -> String {
        let request = &self.turn.request;
        let id = request.physical_id();
        // An id may consist of a name and an id of the service.
        let mut parts = id.splitn(3, '/');
        let is_named =
            |part: Option<&str>| part.is_some_and(|part| !part.is_empty() && reason.contains(part));
        let is_said = reason.contains(id) || is_named(parts.next()) && is_named(parts.next());
        if request.request_type != RequestType::Delete || is_said {
            String::new()
        } else if request.names_nothing() {
            let logical_id = &request.logical_resource_id;
            format!(" What {logical_id} created may still exist: find it by its ownership tags.")
        } else {
            format!(" What {id} names may still exist.")
        }
    }

    fn invocation(&self, deadline: Instant) -> Invocation {
        let age = self.function.settings.max_invocation_age;
        let mut invocation = Invocation::new(self.clock, deadline, age);
        invocation.may_be_repeat = self.turn.may_be_repeat;
        invocation.can_hand_over =
            self.by_waiter || (self.function.waiter.is_some() && self.not_handed_over.is_none());
        if invocation.can_hand_over {
            invocation.waits_until = self.hands_over_at.min(deadline);
        }
        invocation
    }

    /// Returns the object of the last wait, or else what was being done, to follow a clause.
    fn at(&self) -> String {
        match (self.turn.waiting_for.as_str(), self.was_doing.as_str()) {
            ("", "") => {
                let verb = match self.turn.request.request_type {
                    RequestType::Create => "creating",
                    RequestType::Update => "updating",
                    RequestType::Delete => "deleting",
                };
                format!(" while {verb} {}", self.turn.request.logical_resource_id)
            }
            ("", doing) => format!(" while {doing}"),
            (waiting_for, _) => format!(" waiting for {waiting_for}"),
        }
    }

    /// Returns what was being done, on what, and which AWS call prevented it, to follow a clause.
    /// It ends the sentence.
    fn meanwhile(&self) -> String {
        match (&self.turn.failing, self.was_doing.as_str()) {
            (None, _) => format!("{}.", self.at()),
            // The wait was for this call, and names it too.
            (Some(call), "") if call.is_in(&self.turn.waiting_for) => {
                format!(". {}", call.sentence(&self.clock))
            }
            (Some(call), "") => format!("{}. {}", self.at(), call.sentence(&self.clock)),
            (Some(call), doing) => format!(" while {doing}. {}", call.sentence(&self.clock)),
        }
    }

    /// Returns the reason if CloudFormation's time is over.
    fn timed_out(&self) -> String {
        let request = &self.turn.request;
        let next = match &self.turn.failing {
            _ if request.service_timeout < LONGEST_SERVICE_TIMEOUT => format!(
                "Its ServiceTimeout of {} s can be raised to {} s",
                request.service_timeout.as_secs(),
                LONGEST_SERVICE_TIMEOUT.as_secs(),
            ),
            Some(call) => call.next().to_owned(),
            None => "CloudFormation waits one hour at most: try again once that can happen in time"
                .to_owned(),
        };
        format!(
            "Timed out after {} s{} {next}.",
            self.clock.since(request.requested_at).as_secs(),
            self.meanwhile(),
        )
    }

    /// Returns the reason if the invocation's time is over.
    fn out_of_time(&self) -> String {
        let next = match (&self.not_handed_over, &self.turn.failing) {
            (Some(not_started), _) => format!(
                "It could not be handed over to the state machine: {}",
                not_started.reason()
            ),
            (None, Some(call)) => call.next().to_owned(),
            (None, None) => {
                "Give the function a longer time-out, or a state machine for its waits".to_owned()
            }
        };
        format!("The function ran out of time{} {next}.", self.meanwhile())
    }
}
