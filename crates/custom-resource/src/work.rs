//! The resource type's work on a request: looking again and again until it is done, has failed, or time is up.

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

/// The shortest pause between two looks in one invocation.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// How long an invocation goes on waiting by itself. A longer wait goes on in the state machine, because an invocation that
/// sleeps occupies Lambda concurrency, of which a new account has ten.
const LONGEST_SLEEP: Duration = Duration::from_secs(120);
/// How long a new role or policy may be answered with AccessDenied: up to a minute
/// (<https://github.com/aws/aws-cdk/issues/19041>).
const POLICY_IN_EFFECT: Duration = Duration::from_secs(60);
/// How much time the last look gets, where an invocation has no waiter to hand over to.
const LAST_LOOK: Duration = Duration::from_secs(10);
/// How long the waiter is asked at most: after that, a look of this invocation's own may end the request.
const LONGEST_HAND_OVER: Duration = Duration::from_secs(60);

/// How the work on a request ends, in this invocation.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// CloudFormation is answered.
    Answer(Answer),
    /// The state machine comes back with this.
    Later(Value),
    /// The state machine has it now.
    HandedOver,
    /// The state machine has it, or has it not: FAILED would be wrong, and nobody else can be asked. What was said last.
    InDoubt(String),
}

/// The work on a request in one invocation.
pub(crate) struct Work<'a, R, W, T> {
    function: &'a Function<R, W, T>,
    context: &'a Context,
    clock: Clock,
    deadlines: Deadlines,
    turn: Turn,
    /// Whether the state machine invoked, and goes on with what this turn returns.
    by_waiter: bool,
    /// Until when this invocation waits by itself, if there is a waiter.
    hands_over_at: Instant,
    /// Whether this invocation, which could not hand over, has waited as long as it can: one more look, and it ends.
    waited_out: bool,
    /// Why the wait is not known to be handed over, where that was tried.
    not_handed_over: Option<NotStarted>,
    /// What the resource type was last at.
    was_doing: String,
    /// What its AWS calls share.
    calls: Arc<Scope>,
}

/// What a look at what stands came to.
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

    /// What was waited for last, empty where nothing was.
    pub(crate) fn waited_for(self) -> String {
        self.turn.waiting_for
    }

    /// Works on the request for as long as there is time.
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
                        "The function failed by a mistake of its own{}: {panic}. The log of invocation {} has more.",
                        self.at(),
                        self.context.request_id,
                    ));
                    return self.failed(failure).await;
                }
                Look::CutOff => return self.cut_off().await,
            }
        }
    }

    /// The answer to what no resource type is asked about.
    fn without_looking(&self) -> Option<Answer> {
        let request = &self.turn.request;
        let names = self.function.resource_types.names();
        if !names.contains(&request.resource_type.as_str()) {
            // The Create that was refused for its type made nothing, and its Delete must not block the stack. An id that
            // some function did give is another matter: what it names would be left behind.
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
            // CloudFormation has given up and rolls back, or has done so: what was made now, nobody would remove. A
            // Delete removes what its id names, which nobody wants any longer; one whose id names nothing sweeps what
            // the logical id has, which may have been made since.
            return Some(Answer::failed(format!(
                "The request is {} s old and its ServiceTimeout is {} s: nothing was done.",
                self.clock.since(request.requested_at).as_secs(),
                request.service_timeout.as_secs(),
            )));
        }
        None
    }

    /// Lets the resource type look, and do what is missing, until the work's deadline.
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

    /// Waits where this invocation can, and says to go on; else sees to it that something does, or ends the request.
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
        // Once: if it fails, the next attempt is at the end of this invocation's work.
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

    /// The work was dropped at its deadline.
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

    /// The state machine's next turn.
    fn later(&mut self, retry_after: Duration) -> Verdict {
        self.turn.number = self.turn.number.saturating_add(1);
        Verdict::Later(self.state(retry_after))
    }

    fn state(&self, retry_after: Duration) -> Value {
        self.turn
            .to_state(&self.context.function_arn, retry_after, &self.clock)
    }

    /// Whether the waiter has taken the request. A waiter that refused is not asked again in this invocation.
    ///
    /// A look may have ended only just before the work's deadline, and starting an execution may need further requests:
    /// they have the time until the one for abandoning is over.
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
        // What had no answer earlier may have been started, whatever a later request is answered.
        if self.in_doubt().is_none() {
            self.not_handed_over = Some(not_started);
        }
        false
    }

    /// What was said last, where the waiter may have taken the request or not.
    fn in_doubt(&self) -> Option<&str> {
        match &self.not_handed_over {
            Some(NotStarted::NoAnswer(error)) => Some(error),
            _ => None,
        }
    }

    /// What ends the request in place of FAILED, where the waiter may have taken it.
    ///
    /// CloudFormation answers the FAILED of a Create with a Delete, and that of an Update with another Update. A turn
    /// that came after those would make again what nobody deletes any more. So the invocation ends as an error: the
    /// state machine goes on, or Lambda delivers the request again, or CloudFormation's time runs out, which no turn
    /// outlasts. A turn of a Delete makes nothing, so that its FAILED does no harm.
    async fn goes_on_elsewhere(&mut self) -> Option<Verdict> {
        self.in_doubt()
            .filter(|_| self.turn.request.request_type != RequestType::Delete)?;
        if self.hand_over(Duration::ZERO).await {
            return Some(Verdict::HandedOver);
        }
        self.in_doubt()
            .map(|error| Verdict::InDoubt(error.to_owned()))
    }

    /// FAILED, as the resource type said it.
    async fn failed(&mut self, failure: Failure) -> Verdict {
        if let Some(verdict) = self.goes_on_elsewhere().await {
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

    /// FAILED, once the resource type has undone what must not stay.
    async fn give_up(&mut self, reason: String) -> Verdict {
        if let Some(verdict) = self.goes_on_elsewhere().await {
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
            Err(_) => Some("There was no time left to undo what stands.".to_owned()),
        };
        let mut reason = reason;
        if let Some(note) = note {
            reason = reason + " " + &note;
        }
        reason += &self.leftover(&reason);
        Verdict::Answer(Answer::failed(reason))
    }

    /// What a Delete that fails may leave, if its reason does not say so. CloudFormation forgets a resource whose Delete
    /// fails in the clean-up of an update, and then nothing else names it.
    fn leftover(&self, reason: &str) -> String {
        let request = &self.turn.request;
        let id = request.physical_id();
        // An id may be made of a name and of what has it.
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

    /// What was waited for, or else what was being done, to follow a clause.
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

    /// What was being done and on what, and which AWS call kept it from its end, to follow a clause. It ends the sentence.
    fn meanwhile(&self) -> String {
        match (&self.turn.failing, self.was_doing.as_str()) {
            (None, _) => format!("{}.", self.at()),
            // The wait was for this call, and says it too.
            (Some(call), "") if call.is_in(&self.turn.waiting_for) => {
                format!(". {}", call.sentence(&self.clock))
            }
            (Some(call), "") => format!("{}. {}", self.at(), call.sentence(&self.clock)),
            (Some(call), doing) => format!(" while {doing}. {}", call.sentence(&self.clock)),
        }
    }

    /// The reason where CloudFormation's time is up.
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

    /// The reason where the invocation's time is up.
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
