//! Lambda's asynchronous invocations: an event is delivered at least once, retried after a failure, and a
//! process may die.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::sync::watch;

use super::engine::Engine;
use super::stack::Stack;
use super::waiter::state_machine_arn;
use crate::iam::principal::{Hand, Work};

/// How an event is delivered to its function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The delay of the first delivery.
    pub late: Duration,
    /// The delay of a second delivery after the first, if there is one.
    pub again: Option<Duration>,
}

/// One invocation of a function.
#[derive(Clone, Debug)]
pub struct Hosted {
    /// The function.
    pub function_arn: String,
    /// Its account.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// The resource for which it works.
    pub work: Work,
    /// The event of CloudFormation or of the state machine.
    pub event: Value,
    /// When Lambda ends it.
    pub deadline: SystemTime,
    /// `MAX_INVOCATION_AGE_SECONDS`.
    pub max_invocation_age: Duration,
    /// `STATE_MACHINE_ARN`.
    pub state_machine_arn: Option<String>,
}

/// Runs functions: in this process, or as release binaries.
pub trait FunctionHost: Send + Sync {
    /// Runs one invocation to its end. If the future is dropped, the process has died.
    fn invoke(
        &self,
        invocation: Hosted,
    ) -> Pin<Box<dyn Future<Output = Result<Value, String>> + Send + '_>>;
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ended {
    Returned(Value),
    Failed(String),
    Killed,
    TimedOut,
}

/// An event that was delivered again.
#[derive(Clone, Debug)]
pub struct Redelivered {
    /// The stack of the event.
    pub stack_id: String,
    /// The resource of the event.
    pub logical_id: String,
    /// Whether it was an Update that another request for the resource has followed.
    pub is_outdated_update: bool,
}

/// An event that was delivered.
#[derive(Clone)]
pub(crate) struct Delivered {
    pub(crate) stack: Stack,
    pub(crate) logical_id: String,
    pub(crate) function_arn: String,
    pub(crate) event: Value,
    /// The number of its request.
    pub(crate) number: u64,
}

#[derive(Default)]
struct Counts {
    delivered: Vec<Delivered>,
    killed: BTreeSet<u64>,
    /// The URL for the answer of each event.
    urls: BTreeMap<u64, String>,
    /// Invocations that began after their request had been answered, and whether that answer was SUCCESS.
    late: BTreeMap<u64, bool>,
    machines: BTreeMap<String, u64>,
}

/// The running tasks, and the invocations that were killed.
#[derive(Clone)]
pub(crate) struct Running {
    invocations: Arc<AtomicU64>,
    counts: Arc<Mutex<Counts>>,
    active: Arc<watch::Sender<usize>>,
}

impl Running {
    /// Numbers invocations from the last one of the world on.
    pub(crate) fn after(last: u64) -> Self {
        Self {
            invocations: Arc::new(AtomicU64::new(last)),
            counts: Arc::default(),
            active: Arc::new(watch::Sender::new(0)),
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Running({})", *self.active.borrow())
    }
}

impl Running {
    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the last attempt at an event is over and one of the attempts was killed.
    pub(crate) fn was_killed(&self, event: u64) -> bool {
        self.counts().killed.contains(&event)
    }

    pub(crate) fn mark_killed(&self, event: u64) {
        self.counts().killed.insert(event);
    }

    /// Returns the event for whose request an execution was started.
    pub(crate) fn event_of_execution(&self, name: &str) -> Option<u64> {
        self.counts().machines.get(name).copied()
    }

    pub(crate) fn note_execution(&self, name: &str, event: u64) {
        self.counts().machines.insert(name.to_owned(), event);
    }

    /// Counts a task until the guard is dropped.
    pub(crate) fn begin(&self) -> Active {
        self.active.send_modify(|active| *active += 1);
        Active(Arc::clone(&self.active))
    }

    pub(crate) async fn idle(&self) {
        let mut receiver = self.active.subscribe();
        let _ = receiver.wait_for(|active| *active == 0).await;
    }
}

/// A task that counts as running.
pub(crate) struct Active(Arc<watch::Sender<usize>>);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.send_modify(|active| *active -= 1);
    }
}

impl Engine {
    /// Waits until no invocation and no execution runs any more, even those of requests that nobody waits
    /// for.
    pub async fn idle(&self) {
        self.running.idle().await;
    }

    /// Returns whether an invocation was a redelivery that began after its request had been answered. If so,
    /// whether that answer was SUCCESS.
    pub fn was_answered_before(&self, invocation: u64) -> Option<bool> {
        self.running.counts().late.get(&invocation).copied()
    }

    /// Returns the number that the next invocation will have.
    pub fn next_invocation(&self) -> u64 {
        self.running.invocations.load(Ordering::Relaxed) + 1
    }

    /// Delivers an event as Lambda does.
    pub(crate) fn deliver(&self, delivered: &Delivered) {
        let url = delivered.event["ResponseURL"].as_str().unwrap_or_default();
        let mut counts = self.running.counts();
        counts.urls.insert(delivered.number, url.to_owned());
        counts.delivered.push(delivered.clone());
        drop(counts);
        let delivery = self.delivery;
        let starts = [
            Some(delivery.late),
            delivery.again.map(|again| delivery.late + again),
        ];
        for start in starts.into_iter().flatten() {
            self.start(delivered.clone(), start);
        }
    }

    /// Delivers the n-th last event again, and waits until nothing runs any more. Returns the event, or none
    /// if there is none or it is excluded.
    pub async fn deliver_again(&self, back: usize, not_before: Duration) -> Option<Redelivered> {
        let (delivered, is_last) = {
            let counts = self.running.counts();
            let mut latest = counts.delivered.iter().rev();
            let delivered = latest.clone().nth(back)?.clone();
            let of_resource = latest.find(|other| {
                other.stack.id == delivered.stack.id && other.logical_id == delivered.logical_id
            });
            let is_last = of_resource.is_some_and(|last| last.number == delivered.number);
            (delivered, is_last)
        };
        let redelivered = Redelivered {
            stack_id: delivered.stack.id.clone(),
            logical_id: delivered.logical_id.clone(),
            is_outdated_update: !is_last && delivered.event["RequestType"] == "Update",
        };
        self.world.clock().sleep(not_before).await;
        self.start(delivered, Duration::ZERO);
        self.idle().await;
        Some(redelivered)
    }

    fn start(&self, delivered: Delivered, after: Duration) {
        let engine = self.clone();
        let accepted = self.world.now();
        let active = self.running.begin();
        tokio::spawn(async move {
            engine.world.clock().sleep(after).await;
            engine.attempts(&delivered, accepted).await;
            drop(active);
        });
    }

    /// Makes up to three attempts, one and two minutes apart, while the event is young enough.
    async fn attempts(&self, delivered: &Delivered, accepted: Duration) {
        let Delivered {
            stack,
            logical_id,
            function_arn,
            event,
            number,
        } = delivered;
        let number = *number;
        let mut killed = false;
        for attempt in 0..=self.lambda.retries {
            if attempt > 0 {
                let pause = Duration::from_secs(60 * u64::from(attempt));
                self.world.clock().sleep(pause).await;
                if self.world.now() - accepted > self.lambda.max_event_age {
                    break;
                }
            }
            let ended = self
                .invoke(stack, logical_id, function_arn, event.clone(), number)
                .await;
            if matches!(ended, Ended::Returned(_)) {
                return;
            }
            killed |= ended == Ended::Killed;
        }
        if killed {
            self.running.mark_killed(number);
        }
    }

    /// Runs one invocation to its end or its death. Executions that it started continue without it.
    pub(crate) async fn invoke(
        &self,
        stack: &Stack,
        logical_id: &str,
        function_arn: &str,
        event: Value,
        number: u64,
    ) -> Ended {
        let invocation = self.running.invocations.fetch_add(1, Ordering::Relaxed) + 1;
        self.world.state().custody.begin(invocation, number);
        let url = self.running.counts().urls.get(&number).cloned();
        if let Some(success) = url.and_then(|url| self.desk.answered(&url)) {
            self.running.counts().late.insert(invocation, success);
        }
        let clock = self.world.clock();
        let state_machine_arn = state_machine_arn(stack);
        if self.lambda.waiter {
            self.world.put_state_machine(&state_machine_arn);
        }
        let hosted = Hosted {
            function_arn: function_arn.to_owned(),
            account: stack.account.clone(),
            region: stack.region.clone(),
            work: Work {
                stack_id: stack.id.clone(),
                logical_id: logical_id.to_owned(),
                invocation,
            },
            event,
            deadline: clock.wall(clock.now()) + self.lambda.timeout,
            max_invocation_age: self.lambda.max_invocation_age(),
            state_machine_arn: self.lambda.waiter.then_some(state_machine_arn),
        };
        let hand = Hand::Function(hosted.work.clone());
        let death = self.world.death_of(invocation);
        let ended = tokio::select! {
            biased;
            () = death.notified() => Ended::Killed,
            returned = self.host.invoke(hosted) => match returned {
                Ok(value) => Ended::Returned(value),
                Err(error) => Ended::Failed(error),
            },
            () = clock.sleep(self.lambda.timeout) => Ended::TimedOut,
        };
        if !matches!(ended, Ended::Returned(_)) {
            self.note_end(&hand, &ended);
        }
        if ended == Ended::TimedOut {
            self.world.violate(format!(
                "invocation {invocation} ran into Lambda's time-out"
            ));
        }
        self.run_started_executions(stack, logical_id, invocation, number);
        ended
    }

    fn note_end(&self, hand: &Hand, ended: &Ended) {
        let mut state = self.world.state();
        let at = state.now;
        state.log.push(crate::Event {
            at,
            hand: Some(hand.clone()),
            account: String::new(),
            action: "lambda".to_owned(),
            target: String::new(),
            outcome: format!("{ended:?}"),
        });
    }
}
