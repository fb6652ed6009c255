//! The world: its entry point for requests, and what tests can do with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::custody::{self, Spared};
use crate::event_log::{Event, Violation};
use crate::fault::{Fault, FaultRule, When};
use crate::iam::Role;
use crate::iam::principal::{Caller, Credentials, Hand};
use crate::route53::name::Name;
use crate::state::{Settings, State};
use crate::time::WorldClock;
use crate::wire::answer::{Outcome, ServiceError};
use crate::wire::call::{Call, Service};
use crate::{acm, route53, ssm, step_functions, sts};

/// The connection broke, so the caller knows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLost;

impl fmt::Display for ConnectionLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection reset by peer")
    }
}

impl std::error::Error for ConnectionLost {}

/// A world. A clone is the same world.
#[derive(Clone)]
pub struct World {
    clock: WorldClock,
    state: Arc<Mutex<State>>,
    deaths: Arc<Mutex<BTreeMap<u64, Arc<Notify>>>>,
    overrun: Arc<Notify>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl World {
    /// Creates a world that starts at its own date, with one second per second of tokio's time.
    pub fn new(settings: Settings) -> Self {
        Self::with_clock(settings, WorldClock::start())
    }

    /// Creates a world at the wall's date whose delays are `factor` times as short, for release binaries.
    pub fn scaled(settings: Settings, factor: u32) -> Self {
        Self::with_clock(settings, WorldClock::scaled(factor))
    }

    fn with_clock(settings: Settings, clock: WorldClock) -> Self {
        Self {
            clock,
            state: Arc::new(Mutex::new(State::new(settings, clock))),
            deaths: Arc::default(),
            overrun: Arc::default(),
        }
    }

    /// Creates another world in the state of this one, with other settings. It may be in another runtime.
    pub fn fork(&self, change: impl FnOnce(&mut Settings)) -> Self {
        // Not advanced, because the runtime that counts its time may have ended.
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let clock = self.clock.resumed(state.now);
        state.clock = clock;
        change(&mut state.settings);
        // The name servers' answers may depend on the settings.
        state.dns.changed();
        state.random = fastrand::Rng::with_seed(state.settings.seed);
        Self {
            clock,
            state: Arc::new(Mutex::new(state)),
            deaths: Arc::default(),
            overrun: Arc::default(),
        }
    }

    /// Ends after [`Settings::most_calls`] calls, or when an invocation makes calls in an endless loop
    /// without a pause.
    pub async fn overrun(&self) {
        self.overrun.notified().await;
    }

    /// Returns its clock.
    pub fn clock(&self) -> WorldClock {
        self.clock
    }

    /// Returns the state, after everything that was due has happened.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.advance();
        state
    }

    /// Answers one request.
    ///
    /// # Errors A fault breaks the connection.
    pub async fn handle(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, ConnectionLost> {
        let latency = {
            let mut state = self.state();
            let span = state.settings.latency.clone();
            state.random_span(&span)
        };
        self.clock.sleep(latency / 2).await;
        let mut call = match Call::decode(&request) {
            Ok(call) => call,
            Err(error) => return Ok(Service::Sts.response(&Err(error), "0")),
        };
        let (outcome, request_id, fault) = {
            let mut state = self.state();
            let request_id = state.next_request_id();
            if state.requests == state.settings.most_calls {
                self.overrun.notify_one();
            }
            let (outcome, fault) = take(&mut state, &mut call);
            if state.loops(&call) {
                self.overrun.notify_one();
            }
            record(&mut state, &call, &outcome, fault.as_ref());
            (outcome, request_id, fault)
        };
        self.suffer(&call.caller.hand, fault.as_ref()).await;
        self.clock.sleep(latency - latency / 2).await;
        if matches!(fault, Some(Fault::Reset(_))) {
            return Err(ConnectionLost);
        }
        Ok(call.service.response(&outcome, &request_id))
    }

    /// Lets the caller suffer what a fault does.
    pub(crate) async fn suffer(&self, hand: &Hand, fault: Option<&Fault>) {
        match fault {
            Some(Fault::Kill(_)) => {
                if let Hand::Function(work) = hand {
                    self.death_of(work.invocation).notify_one();
                }
                std::future::pending::<()>().await;
            }
            Some(Fault::Silence(_)) => std::future::pending::<()>().await,
            Some(Fault::Delay(longer)) => self.clock.sleep(*longer).await,
            _ => {}
        }
    }

    /// Returns the fault that applies to something that a function does and that is not an AWS call.
    pub(crate) fn fault_on(&self, hand: &Hand, operation: &str) -> Option<Fault> {
        let mut state = self.state();
        let State { faults, random, .. } = &mut *state;
        faults.on(hand, None, operation, random)
    }

    /// Returns what is notified when a fault kills that invocation. The host of the invocation then drops it.
    pub fn death_of(&self, invocation: u64) -> Arc<Notify> {
        let mut deaths = self.deaths.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(deaths.entry(invocation).or_default())
    }

    /// Returns the numbers of the last request and of the last invocation.
    pub(crate) fn last_numbers(&self) -> (u64, u64) {
        self.state().custody.last_numbers()
    }

    /// Issues an access key.
    pub fn credentials(&self, account: &str, principal_arn: &str, hand: Hand) -> Credentials {
        let caller = Caller {
            account: account.to_owned(),
            principal_arn: principal_arn.to_owned(),
            session_name: "function".to_owned(),
            hand,
        };
        self.state().iam.keys.issue(caller, None)
    }

    /// Creates or replaces a role.
    pub fn put_role(&self, role: Role) {
        self.state().iam.roles.insert(role.arn.clone(), role);
    }

    /// Deletes a role.
    pub fn delete_role(&self, arn: &str) {
        self.state().iam.roles.remove(arn);
    }

    /// Adds an account to an organization.
    pub fn join_organization(&self, account: &str, organization: &str) {
        self.state()
            .iam
            .organizations
            .insert(account.to_owned(), organization.to_owned());
    }

    /// Registers a domain with these name servers.
    pub fn register(&self, domain: &str, name_servers: &[String]) {
        let mut state = self.state();
        state
            .registrations
            .insert(Name::of(domain), name_servers.to_vec());
        state.dns.changed();
    }

    /// Adds a state machine.
    pub fn put_state_machine(&self, arn: &str) {
        self.state().step_functions.machines.insert(arn.to_owned());
    }

    /// Activates a fault.
    pub fn inject(&self, rule: FaultRule) {
        self.state().faults.rules.push(rule);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.state().faults.rules.clear();
    }

    /// Returns everything that has happened so far.
    pub fn log(&self) -> Vec<Event> {
        self.state().log.clone()
    }

    /// Returns the rules that were violated so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.state().violations.clone()
    }

    /// Notes the violation of a rule that something outside of the world has found.
    pub fn violate(&self, what: impl Into<String>) {
        self.state().violate(what.into());
    }

    /// Returns its settings.
    pub fn settings(&self) -> Settings {
        self.state().settings.clone()
    }

    /// Changes the settings from now on.
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        let mut state = self.state();
        change(&mut state.settings);
        state.dns.changed();
    }

    /// How often settings kept something from being a violation.
    pub fn spared(&self) -> Spared {
        self.state().custody.spared()
    }

    /// Whether a Delete came too late after a Create without an answer to take what that Create created.
    pub fn is_deleted_too_late(&self, hand: &Hand) -> bool {
        custody::is_deleted_too_late(&self.state(), hand)
    }

    /// Records that a template renamed a logical id of a stack.
    pub fn renamed(&self, stack_id: &str, from: &str, to: &str) {
        self.state()
            .renames
            .insert((stack_id.to_owned(), from.to_owned(), to.to_owned()));
    }

    /// Returns whether a template of a stack renamed this logical id, to or from another.
    pub fn is_renamed(&self, stack_id: &str, logical_id: &str) -> bool {
        self.state().is_renamed(stack_id, logical_id)
    }

    /// Returns the response of the DNS server at an address, or none if no server is there or the bytes are
    /// not a query.
    pub fn dns_exchange(
        &self,
        server: std::net::IpAddr,
        query: &[u8],
        udp: bool,
    ) -> Option<Vec<u8>> {
        crate::dns::exchange(&mut self.state(), server, query, udp)
    }

    /// Returns the DNS snapshot now, for real name servers.
    pub fn dns_snapshot(&self) -> Arc<name_server::Zones> {
        crate::dns::snapshot(&mut self.state())
    }
}

/// Performs one call: identifies the caller, applies faults, and runs the operation.
fn take(state: &mut State, call: &mut Call) -> (Outcome, Option<Fault>) {
    if let Err(error) = authenticate(state, call) {
        return (Err(error), None);
    }
    let fault = {
        let State { faults, random, .. } = state;
        let hand = &call.caller.hand;
        faults.on(hand, Some(&call.region), &call.operation, random)
    };
    match fault {
        Some(Fault::Throttle) => (Err(ServiceError::throttled(call.service)), fault),
        Some(Fault::Error(When::Before, ref error)) => (Err(error.clone()), fault),
        Some(ref before) if before.is(When::Before) => {
            (Err(ServiceError::new(0, "nothing", "")), fault)
        }
        Some(Fault::Error(When::After, ref error)) => {
            let error = error.clone();
            let _ = run(state, call);
            (Err(error), fault)
        }
        _ => (run(state, call), fault),
    }
}

fn authenticate(state: &State, call: &mut Call) -> Result<(), ServiceError> {
    let refused = |code: &str| {
        Err(ServiceError::new(
            403,
            code,
            "The security token included in the request is invalid.",
        ))
    };
    // No service knows the keys of an account in a Region that the account has not enabled.
    if state.settings.closed_regions.contains(&call.region) {
        return refused("UnrecognizedClientException");
    }
    let Some(key) = state.iam.keys.get(&call.access_key) else {
        return refused("InvalidClientTokenId");
    };
    if key.session_token != call.session_token {
        return refused("InvalidClientTokenId");
    }
    call.caller = key.caller.clone();
    if key.expires.is_some_and(|expires| expires <= state.now) {
        return refused("ExpiredToken");
    }
    Ok(())
}

fn run(state: &mut State, call: &mut Call) -> Outcome {
    match call.service {
        Service::Route53 => route53::run(state, call),
        Service::Ssm => ssm::run(state, call),
        Service::Acm => acm::run(state, call),
        Service::Sts => sts::run(state, call),
        Service::StepFunctions => step_functions::run(state, call),
    }
}

fn record(state: &mut State, call: &Call, outcome: &Outcome, fault: Option<&Fault>) {
    let mut words = match outcome {
        Ok(_) => "ok".to_owned(),
        Err(error) if error.status == 0 => String::new(),
        Err(error) => error.code.clone(),
    };
    if call.effect {
        words.push('!');
    }
    if let Some(fault) = fault {
        words = format!("{words} [{fault:?}]");
    }
    state.log.push(Event {
        at: state.now,
        hand: Some(call.caller.hand.clone()),
        account: call.caller.account.clone(),
        action: format!("{}:{}", call.service.name(), call.operation),
        target: call.target.clone(),
        outcome: words,
    });
}
