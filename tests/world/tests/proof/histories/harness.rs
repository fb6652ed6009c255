//! Plays a history, and checks the promises after every step.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use tokio::runtime::{Builder, Runtime};
use world::cloudformation::{Delivery, Habits, ResourceDefinition, Stack, Status, Template};
use world::{Fault, FaultRule, ServiceError, When, World};

use super::choice::{PREFIXES, STACKS, StackChoice};
use super::forge::forge;
use super::operate::operate;
use super::people;
use super::step::{Failure, FaultStep, Operation, Step, Twist};
use crate::cast::{Cast, NETWORK, REGION, settings};
use crate::exclusions::{
    ADOPTED_AND_ROLLED_BACK, CREATED_RECENTLY, GIVEN_TO_TWO_STACKS, OUTDATED_UPDATE,
    WITHIN_A_MINUTE,
};
use crate::invariants::{self, Promise};

/// The age from which a second delivery recognizes itself as one. An earlier one is delivered before the next
/// operation begins ([`WITHIN_A_MINUTE`]).
const REPEAT: Duration = Duration::from_secs(60);

/// More calls than any history needs, so whoever exceeds this number is in an endless loop.
const MOST_CALLS: u64 = 20_000;

/// What is wrong, and the history that led to it.
#[derive(Debug)]
pub(crate) struct Broken {
    /// What is wrong, in one line.
    pub(crate) why: String,
    /// Every call, as a table.
    pub(crate) history: String,
}

thread_local! {
    /// A cast whose zones exist and are published, created once per thread.
    static BASE: RefCell<Option<(Cast, Stack)>> = const { RefCell::new(None) };
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
}

/// Plays a history. The seed decides everything that is not in its steps.
///
/// # Errors What is wrong.
pub(crate) fn play(seed: u32, steps: &[Step]) -> Result<(), Broken> {
    BASE.with_borrow_mut(|base| {
        let (base, network) =
            base.get_or_insert_with(|| runtime().block_on(Cast::published(settings(0))));
        runtime().block_on(async {
            let cast = base.fork(|settings| {
                settings.seed = seed.into();
                settings.page_size = [1, 2, 100][seed as usize % 3];
                let most = [0, 2, 2, 25][(seed >> 2) as usize % 4];
                settings.propagation = Duration::ZERO..=Duration::from_secs(most);
                settings.name_servers_per_tld = [8, 512][(seed >> 4) as usize % 2];
                settings.dns_reachable = !(seed >> 5).is_multiple_of(8);
                settings.empty_non_terminals_denied = (seed >> 20).is_multiple_of(4);
                settings.throttling = (seed >> 8).is_multiple_of(4);
                settings.most_calls = MOST_CALLS;
            });
            let mut history = History::new(cast, network.clone(), seed);
            let world = history.cast.world.clone();
            let result = tokio::select! {
                biased;
                result = history.run(steps) => result,
                () = world.overrun() => Err(overrun(&world)),
            };
            let spared = world.spared();
            CREATED_RECENTLY.covers(spared.unanswered > 0);
            ADOPTED_AND_ROLLED_BACK.covers(spared.adopted > 0);
            result.map_err(|why| Broken {
                why,
                history: history.cast.history(),
            })
        })
    })
}

fn overrun(world: &World) -> String {
    let violations = world.violations();
    let violations: Vec<String> = violations.into_iter().map(|found| found.what).collect();
    format!("there is no end to it; {}", violations.join("; "))
}

struct History {
    cast: Cast,
    /// The stacks, one for each place.
    stacks: Vec<Stack>,
    /// The resources in the templates of each stack so far, with their logical ids.
    said: Vec<Vec<(String, ResourceDefinition)>>,
    /// The templates with which each stack was deployed.
    last: Vec<Vec<StackChoice>>,
    /// Stacks that were deleted and created again.
    gone: Vec<Stack>,
    /// The first request of each stack's last operation.
    operation: Vec<u64>,
}

impl History {
    fn new(mut cast: Cast, network: Stack, seed: u32) -> Self {
        cast.engine.habits = Habits {
            rollback_carries_new_id: (seed >> 10).is_multiple_of(2),
            cancels_siblings: (seed >> 11).is_multiple_of(2),
            clean_up_attempts: 1 + (seed >> 12) % 3,
        };
        cast.engine.lambda.waiter = !(seed >> 16).is_multiple_of(8);
        let stack = |at: usize| Stack::new(STACKS[at].account, REGION, STACKS[at].name);
        let mut stacks: Vec<Stack> = (0..STACKS.len()).map(stack).collect();
        let mut said = vec![Vec::new(); stacks.len()];
        for (id, resource) in &network.resources {
            said[0].push((id.clone(), resource.definition.clone()));
        }
        stacks[0] = network;
        Self {
            cast,
            last: vec![Vec::new(); stacks.len()],
            operation: vec![0; stacks.len()],
            stacks,
            said,
            gone: Vec::new(),
        }
    }

    async fn run(&mut self, steps: &[Step]) -> Result<(), String> {
        for step in steps {
            self.step(step).await;
            self.check()?;
        }
        self.end().await
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Sleep(seconds) => {
                tokio::time::sleep(Duration::from_secs((*seconds).into())).await;
            }
            Step::Operate(operations) => {
                // CloudFormation's time has a resolution of one second, so no operation begins in the second
                // in which the last one ended.
                tokio::time::sleep(Duration::from_secs(1)).await;
                self.operate(operations).await;
            }
            Step::Act(act) => {
                self.cast.exempt.touched.extend(act.breaks());
                let stacks: Vec<&Stack> = self.stacks.iter().chain(&self.gone).collect();
                people::act(&mut self.cast, &stacks, *act);
            }
            Step::Fault(fault) => self.inject(fault),
            Step::Again(back) => {
                let pause = if WITHIN_A_MINUTE.covers(true) {
                    REPEAT
                } else {
                    Duration::ZERO
                };
                let again = self.cast.engine.deliver_again(*back, pause).await;
                if let Some(again) = again
                    && OUTDATED_UPDATE.covers(again.is_outdated_update)
                {
                    let resource = format!("{} {}", again.stack_id, again.logical_id);
                    let touched = &mut self.cast.exempt.touched;
                    touched.insert((resource, Promise::Attributes));
                }
            }
            Step::Deliver(late, again) => {
                self.cast.engine.delivery = Delivery {
                    late: Duration::from_secs((*late).into()),
                    again: again.map(|again| Duration::from_secs(again.into())),
                };
            }
        }
    }

    async fn operate(&mut self, operations: &[Operation]) {
        for operation in operations {
            if let Operation::Forge(at, forged, name, way) = operation {
                forge(&self.cast, &self.stacks, *at, *forged, *name, *way).await;
            }
        }
        let operations: Vec<Operation> = operations
            .iter()
            .filter(|operation| !matches!(operation, Operation::Forge(..)))
            .map(|operation| self.with_template(operation))
            .collect();
        let operations = without_shared_zones(operations);
        for operation in &operations {
            let at = operation.stack();
            self.renew(at);
            self.note_given_up(operation);
            let kept = operation.choice().and_then(|choice| choice.kept_record(at));
            self.cast.kept_records.extend(kept);
            if let Some(choice) = operation.choice() {
                self.last[at].push(choice.clone());
            }
            if self.stacks[at].status != Status::RollbackFailed {
                self.operation[at] = self.cast.world.last_request() + 1;
            }
        }
        let cast = &self.cast;
        let mut running = Vec::new();
        let stacks = self.stacks.iter_mut().zip(&mut self.said);
        for (at, (stack, said)) in stacks.enumerate() {
            if let Some(operation) = operations.iter().find(|operation| operation.stack() == at) {
                running.push(operate(cast, at, stack, said, operation));
            }
        }
        join_all(running).await;
        let Delivery { late, again } = std::mem::take(&mut self.cast.engine.delivery);
        if again.is_some_and(|again| late + again < REPEAT) {
            self.cast.engine.idle().await;
        }
    }

    /// Returns a rename as the deployment that it is. Nothing is renamed if there was no deployment before.
    fn with_template(&self, operation: &Operation) -> Operation {
        match operation {
            Operation::Rename(at, fails) => match self.last[*at].last() {
                Some(choice) => Operation::Deploy(*at, choice.renamed(*fails)),
                None => Operation::Continue(*at, false),
            },
            Operation::Follow(at, twist) => {
                let mut deployed = self.last[*at].iter().rev();
                let (last, before) = (deployed.next(), deployed.next());
                let choice = match twist {
                    Twist::Broken => last.map(|choice| choice.broken(true)),
                    Twist::Sound => last.map(|choice| choice.broken(false)),
                    Twist::Smaller => last.map(StackChoice::smaller),
                    Twist::Before => before.cloned(),
                };
                match choice {
                    Some(choice) => Operation::Deploy(*at, choice),
                    None => Operation::Continue(*at, false),
                }
            }
            other => other.clone(),
        }
    }

    fn note_given_up(&mut self, operation: &Operation) {
        let tries_again = matches!(operation, Operation::Continue(_, false));
        if !tries_again {
            self.give_up(operation.stack());
        }
    }

    /// Gives up a rollback that failed.
    fn give_up(&mut self, at: usize) {
        let stack = &self.stacks[at];
        if stack.status == Status::RollbackFailed {
            let requests = self.operation[at]..=self.cast.world.last_request();
            let given_up = &mut self.cast.exempt.given_up;
            given_up.insert(stack.id.clone(), requests);
        }
    }

    /// Replaces a deleted stack by a new one with an id of its own.
    fn renew(&mut self, at: usize) {
        let stack = &mut self.stacks[at];
        if matches!(stack.status, Status::Deleted | Status::CreateRolledBack) {
            let name = format!("{}-{}", STACKS[at].name, self.gone.len());
            let new = Stack::new(STACKS[at].account, REGION, &name);
            self.gone.push(std::mem::replace(stack, new));
            self.said[at].clear();
            self.last[at].truncate(8);
        }
    }

    fn inject(&self, fault: &FaultStep) {
        let world = &self.cast.world;
        match fault {
            FaultStep::Kill {
                invocation,
                call,
                when,
                always,
            } => {
                let first = self.cast.engine.next_invocation() + invocation;
                for attempt in 0..if *always { 3 } else { 1 } {
                    let fault = Fault::Kill(*when);
                    world.inject(FaultRule::on_call(first + attempt, *call, fault));
                }
            }
            FaultStep::Operation(name, times, failure) => {
                world.inject(FaultRule::on_operation(name, *times, fault_of(*failure)));
            }
            FaultStep::Sometimes(chance, failure) => {
                world.inject(FaultRule::sometimes(*chance, fault_of(*failure)));
            }
            FaultStep::Clear => world.clear_faults(),
        }
    }

    /// Checks what must be true after every step.
    fn check(&self) -> Result<(), String> {
        let mut wrong = self.violations();
        wrong.extend(invariants::foreign_names(&self.cast));
        for stack in self.all() {
            wrong.extend(invariants::check(&self.cast, stack));
        }
        none(&wrong)
    }

    fn all(&self) -> impl Iterator<Item = &Stack> {
        self.stacks.iter().chain(&self.gone)
    }

    fn violations(&self) -> Vec<String> {
        let violations = self.cast.world.violations();
        violations.into_iter().map(|found| found.what).collect()
    }

    /// Repairs everything, and deletes all stacks. Nothing may remain that no failure named.
    async fn end(&mut self) -> Result<(), String> {
        self.cast.world.clear_faults();
        self.cast.engine.delivery = Delivery::default();
        self.cast.engine.idle().await;
        people::tidy(&mut self.cast);
        // A Delete after a rollback that failed has the properties of the update. They do not prove that an NS record set
        // of the name before is the resource's, if people have deleted the zone.
        if self
            .all()
            .any(|stack| matches!(stack.status, Status::RollbackFailed | Status::NotDeleted))
        {
            people::delete_dangling(&self.cast);
        }
        self.publish().await?;
        self.delete_all(|account| account != NETWORK).await?;
        // Leftovers that a failure named prevent the delete of the published zone, so people delete them.
        people::delete_orphans(&self.cast);
        self.delete_all(|account| account == NETWORK).await
    }

    /// Publishes the delegated zone again if it is not published any more: otherwise the consumers' stacks
    /// cannot be deleted.
    async fn publish(&mut self) -> Result<(), String> {
        if people::delete_incomplete_parameters(&self.cast) {
            let mut stack = Stack::new(NETWORK, REGION, "network-again");
            let definition = self.cast.published_zone(PREFIXES[0]);
            let template = Template::from([("Published".to_owned(), definition)]);
            let status = self.cast.engine.create(&mut stack, &template).await;
            if status != Status::Complete {
                return Err(format!(
                    "it cannot be published again: {:?}",
                    stack.failures
                ));
            }
            self.stacks.push(stack);
            self.operation.push(0);
        }
        Ok(())
    }

    /// Deletes the stacks of some accounts. Nothing of them remains, an hour later neither.
    async fn delete_all(&mut self, of: impl Fn(&str) -> bool) -> Result<(), String> {
        for at in 0..self.stacks.len() {
            if of(&self.stacks[at].account) {
                self.give_up(at);
                delete(&self.cast, &mut self.stacks[at]).await?;
            }
        }
        self.cast.engine.idle().await;
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let mut wrong = self.violations();
        for stack in self.all() {
            if matches!(stack.status, Status::Deleted | Status::CreateRolledBack) {
                wrong.extend(invariants::check(&self.cast, stack));
            }
        }
        none(&wrong)
    }
}

/// Returns operations in which no two stacks use a person's zone at the same moment
/// ([`GIVEN_TO_TWO_STACKS`]): they run one after the other.
fn without_shared_zones(mut operations: Vec<Operation>) -> Vec<Operation> {
    let mut used = BTreeSet::new();
    for operation in &mut operations {
        let account = STACKS[operation.stack()].account;
        let (Operation::Deploy(_, choice) | Operation::CutCreate(_, choice, _)) = operation else {
            continue;
        };
        for zone in &mut choice.zones {
            let taken = zone.existing && !used.insert((account, zone.name));
            zone.existing &= !GIVEN_TO_TWO_STACKS.covers(taken);
        }
    }
    operations
}

fn none(wrong: &[String]) -> Result<(), String> {
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("; "))
    }
}

async fn delete(cast: &Cast, stack: &mut Stack) -> Result<(), String> {
    if matches!(stack.status, Status::New | Status::Deleted) {
        return Ok(());
    }
    let status = cast.engine.delete(stack).await;
    if status != Status::Deleted {
        let (name, why) = (stack.name(), &stack.failures);
        return Err(format!("{name} cannot be deleted: {why:?}"));
    }
    Ok(())
}

fn fault_of(failure: Failure) -> Fault {
    match failure {
        Failure::Unavailable(when) => Fault::unavailable(when),
        Failure::Reset(when) => Fault::Reset(when),
        Failure::Silence(when) => Fault::Silence(when),
        Failure::Throttle => Fault::Throttle,
        Failure::Busy => Fault::Error(
            When::Before,
            ServiceError::new(
                400,
                "PriorRequestNotComplete",
                "The request was rejected because Route 53 was still processing a prior request.",
            ),
        ),
        Failure::Denied => Fault::Error(
            When::Before,
            ServiceError::new(403, "AccessDenied", "not authorized to perform"),
        ),
        Failure::Refused(status, code) => Fault::Error(
            When::Before,
            ServiceError::new(status, code, "It was refused."),
        ),
        Failure::Slow => Fault::Delay(Duration::from_secs(8)),
    }
}
