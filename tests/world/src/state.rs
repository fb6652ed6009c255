//! The state of the world, and the only way in which time advances in it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::acm::Acm;
use crate::custody::Custody;
use crate::dns::{Dns, Lie};
use crate::event_log::{Event, Violation};
use crate::fault::Faults;
use crate::iam::Iam;
use crate::iam::principal::Hand;
use crate::region::OPT_IN;
use crate::route53::guardrail::Guardrail;
use crate::route53::name::Name;
use crate::route53::{self, Route53};
use crate::ssm::Ssm;
use crate::step_functions::StepFunctions;
use crate::throttle::{Rates, Throttle};
use crate::time::{Timestamp, WorldClock};
use crate::wire::answer::ServiceError;
use crate::wire::call::Call;

/// The settings of a world: its strictness, delays and limits.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The seed of everything random.
    pub seed: u64,
    /// The largest number of items on a page of any list.
    pub page_size: usize,
    /// The duration of a call.
    pub latency: RangeInclusive<Duration>,
    /// From the acceptance of a change to INSYNC.
    pub propagation: RangeInclusive<Duration>,
    /// The guardrails of new zones.
    pub guardrails: BTreeSet<Guardrail>,
    /// Whether NS_DELEGATION_AUTHORITY_CHECK refuses a child zone whose creation is still PENDING.
    pub authority_check_waits_for_sync: bool,
    /// Whether Route 53's buckets are enforced.
    pub throttling: bool,
    /// The sizes of the buckets.
    pub rates: Rates,
    /// The number of name servers of each top-level domain that are in use, at most 512.
    pub name_servers_per_tld: u16,
    /// Quota.
    pub zones_per_account: usize,
    /// Quota.
    pub records_per_zone: usize,
    /// Quota per account and Region.
    pub parameters: usize,
    /// How long the name of a deleted parameter cannot be used.
    pub parameter_name_kept: Duration,
    /// Quota per account and Region.
    pub certificates: usize,
    /// Regions that no account has enabled.
    pub closed_regions: BTreeSet<String>,
    /// From RequestCertificate to the moment at which the certificate becomes visible.
    pub certificate_appears: RangeInclusive<Duration>,
    /// From RequestCertificate to the moment at which its resource records exist.
    pub validation_records_appear: RangeInclusive<Duration>,
    /// Between two checks of the validation records by ACM.
    pub validation_interval: Duration,
    /// From the first successful check to ISSUED.
    pub issuance: RangeInclusive<Duration>,
    /// Whether functions can reach port 53.
    pub dns_reachable: bool,
    /// How long after a Create the Delete of a later, unanswered one may delete what that Create created.
    pub unanswered: Duration,
    /// Whether the Delete of a Create that adopted a delegation, succeeded and is rolled back may delete that
    /// delegation.
    pub adopted_may_be_deleted: bool,
    /// The zone about whose delegations the resolvers of `DNS_NAME_SERVERS` lie, and how.
    pub resolvers_lie: Option<(Name, Lie)>,
    /// Whether name servers answer NXDOMAIN for a name that only has names below it.
    pub empty_non_terminals_denied: bool,
    /// The number of calls after which [`World::overrun`](crate::World::overrun) ends.
    pub most_calls: u64,
}

impl Default for Settings {
    /// Returns all of Route 53's default features, short delays, and real quotas.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            seed: 0,
            page_size: 100,
            latency: Duration::from_millis(5)..=Duration::from_millis(30),
            propagation: seconds(2)..=seconds(40),
            guardrails: BTreeSet::new(),
            authority_check_waits_for_sync: true,
            throttling: false,
            rates: Rates::ROUTE53,
            name_servers_per_tld: 512,
            zones_per_account: 500,
            records_per_zone: 10_000,
            parameters: 10_000,
            parameter_name_kept: seconds(30),
            certificates: 2_500,
            closed_regions: OPT_IN.map(str::to_owned).into(),
            certificate_appears: seconds(0)..=seconds(5),
            validation_records_appear: seconds(2)..=seconds(15),
            validation_interval: seconds(30),
            issuance: seconds(0)..=seconds(60),
            dns_reachable: true,
            unanswered: Duration::ZERO,
            adopted_may_be_deleted: false,
            resolvers_lie: None,
            empty_non_terminals_denied: false,
            most_calls: u64::MAX,
        }
    }
}

/// The number of calls of one operation by one invocation, within a short time, that indicates a loop without
/// a bound or a pause.
const LOOP_CALLS: u32 = 200;
const LOOP_WITHIN: Duration = Duration::from_secs(60);

/// What time will cause.
#[derive(Clone, Debug)]
pub(crate) enum Due {
    /// A change reaches the name servers.
    InSync(String),
    /// ACM checks a certificate's validation records.
    Validate(String),
    /// ACM issues a certificate.
    Issue(String),
}

/// The state.
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) clock: WorldClock,
    pub(crate) now: Timestamp,
    pub(crate) random: fastrand::Rng,
    pub(crate) settings: Settings,
    pub(crate) iam: Iam,
    pub(crate) route53: Route53,
    pub(crate) ssm: Ssm,
    pub(crate) acm: Acm,
    pub(crate) step_functions: StepFunctions,
    pub(crate) dns: Dns,
    /// Registered domains, each with the name servers in its registry.
    pub(crate) registrations: BTreeMap<Name, Vec<String>>,
    pub(crate) throttle: Throttle,
    pub(crate) faults: Faults,
    pub(crate) log: Vec<Event>,
    pub(crate) violations: Vec<Violation>,
    pub(crate) custody: Custody,
    pub(crate) renames: BTreeSet<(String, String, String)>,
    /// Calls of each operation by each invocation: since when, and how many.
    calls: BTreeMap<(u64, String, String), (Timestamp, u32)>,
    due: BTreeMap<(Timestamp, u64), Due>,
    scheduled: u64,
    pub(crate) requests: u64,
}

impl State {
    pub(crate) fn new(settings: Settings, clock: WorldClock) -> Self {
        Self {
            clock,
            now: Timestamp::ZERO,
            random: fastrand::Rng::with_seed(settings.seed),
            settings,
            iam: Iam::default(),
            route53: Route53::default(),
            ssm: Ssm::default(),
            acm: Acm::default(),
            step_functions: StepFunctions::default(),
            dns: Dns::default(),
            registrations: BTreeMap::new(),
            throttle: Throttle::default(),
            faults: Faults::default(),
            log: Vec::new(),
            violations: Vec::new(),
            custody: Custody::default(),
            renames: BTreeSet::new(),
            calls: BTreeMap::new(),
            due: BTreeMap::new(),
            scheduled: 0,
            requests: 0,
        }
    }

    /// Performs everything that was due until now, each at its own time.
    pub(crate) fn advance(&mut self) {
        let now = self.clock.now();
        while let Some(entry) = self.due.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let ((at, _), due) = entry.remove_entry();
            self.now = self.now.max(at);
            match due {
                Due::InSync(change) => route53::in_sync(self, &change),
                Due::Validate(arn) => crate::acm::validate(self, &arn),
                Due::Issue(arn) => crate::acm::issue(self, &arn),
            }
        }
        self.now = self.now.max(now);
    }

    pub(crate) fn schedule(&mut self, at: Timestamp, due: Due) {
        self.scheduled += 1;
        self.due.insert((at, self.scheduled), due);
    }

    pub(crate) fn random_span(&mut self, span: &RangeInclusive<Duration>) -> Duration {
        let low = u64::try_from(span.start().as_millis()).unwrap_or(u64::MAX);
        let high = u64::try_from(span.end().as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.random.u64(low..=high.max(low)))
    }

    pub(crate) fn next_request_id(&mut self) -> String {
        self.requests += 1;
        format!(
            "{:08x}-0000-4000-8000-{:012x}",
            self.settings.seed as u32, self.requests
        )
    }

    pub(crate) fn violate(&mut self, what: String) {
        self.log.push(Event {
            at: self.now,
            hand: None,
            account: String::new(),
            action: "VIOLATION".to_owned(),
            target: what.clone(),
            outcome: String::new(),
        });
        self.violations.push(Violation { at: self.now, what });
    }

    /// Counts a function's call. Returns true once, and notes a violation, if its invocation has made so many
    /// calls of that operation in one Region in so short a time that it must be a loop without a bound or a
    /// pause.
    pub(crate) fn loops(&mut self, call: &Call) -> bool {
        let Hand::Function(work) = &call.caller.hand else {
            return false;
        };
        let key = (work.invocation, call.operation.clone(), call.region.clone());
        let (since, count) = self.calls.entry(key).or_insert((self.now, 0));
        if self.now - *since >= LOOP_WITHIN {
            (*since, *count) = (self.now, 0);
        }
        *count += 1;
        let loops = *count == LOOP_CALLS;
        if loops {
            self.violate(format!(
                "{} made {LOOP_CALLS} calls of {} within {LOOP_WITHIN:?}: a loop without a bound or a pause",
                call.caller.hand, call.operation
            ));
        }
        loops
    }

    /// Logs a change that time caused.
    pub(crate) fn record_time(&mut self, account: &str, action: &str, target: &str) {
        self.log.push(Event {
            at: self.now,
            hand: None,
            account: account.to_owned(),
            action: action.to_owned(),
            target: target.to_owned(),
            outcome: String::new(),
        });
    }

    /// Whether a template renamed a logical id of a stack, from or to this one.
    pub(crate) fn is_renamed(&self, stack_id: &str, logical_id: &str) -> bool {
        let mut renames = self.renames.iter();
        renames
            .any(|(stack, from, to)| stack == stack_id && (from == logical_id || to == logical_id))
    }

    /// Whether a template renamed one of a stack's logical ids to the other, in whichever direction.
    pub(crate) fn renamed(&self, stack_id: &str, one: &str, other: &str) -> bool {
        let triple = |a: &str, b: &str| (stack_id.to_owned(), a.to_owned(), b.to_owned());
        self.renames.contains(&triple(one, other)) || self.renames.contains(&triple(other, one))
    }

    /// Returns the error for an operation that this world does not have. It is a violation, because the
    /// functions need only known ones.
    pub(crate) fn unknown_operation(&mut self, call: &Call) -> ServiceError {
        self.violate(format!(
            "{} asked {} for the unknown operation {:?}",
            call.caller.hand,
            call.service.name(),
            call.operation
        ));
        ServiceError::bad(
            "UnknownOperationException",
            format!("{} is not known", call.operation),
        )
    }
}
