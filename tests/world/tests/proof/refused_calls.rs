//! Refused calls: each AWS call of each operation of each resource type fails in each way, even in ways that
//! no code of the functions expects, once and until a person repairs it. Afterwards nothing in use is lost,
//! no name leads to a deleted zone, every FAILED names the call and its code, and when the call works again
//! the stack can be deleted and leaves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use world::cloudformation::{Stack, Status, Template};
use world::{Edit, Event, Fault, FaultRule, Hand, Name, RecordKey, RecordSet, ServiceError, When};

use crate::cases::{CASES, Case, PLAIN, SLOW_CERTIFICATE, existing_zone, one, with_existing_zone};
use crate::cast::{BUILD, CONSUMER, Cast, REGION, certificate, settings, subdomain, with};
use crate::crash_points::{people_leave, runtime};
use crate::exclusions::{
    FAILS_WHILE_UNDONE, PERMISSION_REMOVED, Proof, VALIDATION_RECORD_KEPT, check_met,
};
use crate::invariants;
use crate::roles;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// With this status and a code that no AWS service has.
    UnknownCode(u16),
    /// With this status and no body, as from a proxy or a load balancer.
    NoBody(u16),
    /// With this status and code, which the functions expect on other calls.
    CodeOfAnother(u16, &'static str),
    /// With the service's own AccessDenied.
    Denied,
    /// With the service's own throttling error.
    Throttled,
    /// With a 500, before or after the call takes effect.
    Internal(When),
    /// The connection breaks before or after the call takes effect.
    Reset(When),
}

const FAILURES: &[Failure] = &[
    Failure::UnknownCode(400),
    Failure::UnknownCode(404),
    Failure::UnknownCode(409),
    Failure::UnknownCode(429),
    Failure::NoBody(400),
    Failure::NoBody(503),
    Failure::CodeOfAnother(404, "NoSuchHostedZone"),
    Failure::CodeOfAnother(404, "NoSuchChange"),
    Failure::CodeOfAnother(409, "HostedZoneAlreadyExists"),
    Failure::CodeOfAnother(400, "HostedZoneNotEmpty"),
    Failure::CodeOfAnother(400, "InvalidChangeBatch"),
    Failure::CodeOfAnother(400, "ResourceNotFoundException"),
    Failure::CodeOfAnother(400, "ResourceInUseException"),
    Failure::CodeOfAnother(400, "ParameterAlreadyExists"),
    Failure::CodeOfAnother(400, "InvalidResourceId"),
    Failure::CodeOfAnother(400, "ExecutionAlreadyExists"),
    Failure::Denied,
    Failure::Throttled,
    Failure::Internal(When::Before),
    Failure::Internal(When::After),
    Failure::Reset(When::Before),
    Failure::Reset(When::After),
];

/// Returns whether operations of a service answer this code. From these it would be the truth, and this proof
/// is not about calls that lie about what exists.
fn is_own_code(action: &str, code: &str) -> bool {
    let (service, operation) = action.split_once(':').unwrap_or_default();
    match code {
        "NoSuchHostedZone" => {
            let of_no_zone = [
                "CreateHostedZone",
                "ListHostedZones",
                "ListHostedZonesByName",
                "GetChange",
            ];
            service == "route53" && !of_no_zone.contains(&operation)
        }
        "NoSuchChange" => operation == "GetChange",
        "HostedZoneAlreadyExists" => operation == "CreateHostedZone",
        "HostedZoneNotEmpty" => operation == "DeleteHostedZone",
        "InvalidChangeBatch" => operation == "ChangeResourceRecordSets",
        "ResourceNotFoundException" => service == "acm",
        "ResourceInUseException" => operation == "DeleteCertificate",
        "ParameterAlreadyExists" => operation == "PutParameter",
        "InvalidResourceId" => service == "ssm" && operation.contains("Tags"),
        "ExecutionAlreadyExists" => operation == "StartExecution",
        _ => false,
    }
}

/// The message of every invented error.
const WORDS: &str = "the words of AWS";

impl Failure {
    /// Returns the fault of a call, or none if the error would be the truth.
    fn of(self, action: &str) -> Option<Fault> {
        let error = |when, status, code: &str| {
            let error = ServiceError::new(status, code, WORDS);
            Some(Fault::Error(when, error))
        };
        match self {
            Self::UnknownCode(status) => error(When::Before, status, "CodeOfTomorrow"),
            Self::NoBody(status) => error(When::Before, status, ""),
            Self::CodeOfAnother(_, code) if is_own_code(action, code) => None,
            Self::CodeOfAnother(status, code) => error(When::Before, status, code),
            Self::Denied if action.starts_with("route53") || action.starts_with("sts") => {
                error(When::Before, 403, "AccessDenied")
            }
            Self::Denied => error(When::Before, 400, "AccessDeniedException"),
            Self::Throttled => Some(Fault::Throttle),
            Self::Internal(when) => error(when, 500, "InternalFailure"),
            Self::Reset(when) => Some(Fault::Reset(when)),
        }
    }

    /// Returns whether it is also played as a lasting failure: one for each way in which the functions handle
    /// it.
    fn lasts(self) -> bool {
        match self {
            Self::UnknownCode(status) => status == 400,
            Self::NoBody(status) => status == 400,
            Self::CodeOfAnother(..) => false,
            Self::Internal(when) => when == When::Before,
            Self::Reset(when) => when == When::After,
            Self::Denied | Self::Throttled => true,
        }
    }

    /// Returns whether the same call may succeed when it is sent again: then one such failure changes nothing.
    fn is_transient(self) -> bool {
        match self {
            Self::UnknownCode(429) | Self::NoBody(503) => true,
            Self::Throttled | Self::Internal(_) | Self::Reset(_) => true,
            Self::UnknownCode(_) | Self::NoBody(_) | Self::CodeOfAnother(..) | Self::Denied => {
                false
            }
        }
    }
}

/// A call of an operation without faults.
#[derive(Clone, Debug)]
struct Call {
    /// Such as `route53:GetChange`.
    action: String,
    /// The number of earlier calls of the same API operation.
    before: u64,
}

/// One life: which call fails, how, and how often.
#[derive(Clone, Debug)]
struct Life {
    case: usize,
    call: Call,
    failure: Failure,
    /// Every later call of the same API operation fails as well, until the operation on the stack has ended.
    lasts: bool,
}

/// Operations that the crash points do not have, for the calls that those do not need.
const MORE: &[Case] = &[
    Case {
        name: WITH_RECORDS,
        before: Some(|_| {
            let properties = json!({"RecordsOnDelete": "Delete"});
            one("Zone", with(subdomain(CONSUMER, "dev"), properties))
        }),
        ..PLAIN
    },
    Case {
        name: STALE_DS,
        setup: |cast| Box::pin(stale_ds(cast)),
        after: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        fails: true,
        ..PLAIN
    },
    Case {
        name: STALE_DS_OF_CERTIFICATE,
        setup: |cast| Box::pin(stale_ds(cast)),
        before: Some(|_| {
            let unverified = json!({"VerifyDelegation": false});
            one("Zone", with(subdomain(CONSUMER, "dev"), unverified))
        }),
        after: Some(|_| {
            let unverified = json!({"VerifyDelegation": false});
            let mut template = one("Zone", with(subdomain(CONSUMER, "dev"), unverified));
            let definition = certificate("Zone", &format!("app.dev.{BUILD}"));
            template.insert("Certificate".to_owned(), definition);
            template
        }),
        fails: true,
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: create of a zone with many tags",
        after: Some(|_| {
            let tags: BTreeMap<String, String> =
                (0..25).map(|n| (format!("k{n}"), "v".to_owned())).collect();
            one(
                "Zone",
                with(subdomain(CONSUMER, "dev"), json!({"Tags": tags})),
            )
        }),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: an external zone is delegated with another TTL",
        setup: |cast| Box::pin(async { existing_zone(cast).await }),
        before: Some(|cast| one("Zone", with_existing_zone(cast))),
        after: Some(|cast| one("Zone", with(with_existing_zone(cast), json!({"Ttl": 60})))),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: created, and rolled back for another resource",
        after: Some(|_| {
            let mut template = one("Zone", subdomain(CONSUMER, "dev"));
            let mut bad = with(subdomain(CONSUMER, "test"), json!({"Nonsense": "x"}));
            bad.depends_on.push("Zone".to_owned());
            template.insert("Bad".to_owned(), bad);
            template
        }),
        fails: true,
        ..PLAIN
    },
    Case {
        name: "SubdomainCertificate: keeps its validation records, with its zone",
        before: Some(|_| {
            let mut template = one("Zone", subdomain(CONSUMER, "dev"));
            let keep = json!({"ValidationRecordsOnDelete": "Keep"});
            let definition = with(certificate("Zone", &format!("app.dev.{BUILD}")), keep);
            template.insert("Certificate".to_owned(), definition);
            template
        }),
        ..PLAIN
    },
];

const STALE_DS: &str = "DelegatedSubdomain: create at a name with a stale DS record set";

const STALE_DS_OF_CERTIFICATE: &str =
    "SubdomainCertificate: create in a zone with a stale DS record set";

const WITH_RECORDS: &str =
    "DelegatedSubdomain: delete with records in it and a DS record set in the parent";

fn cases() -> Vec<&'static Case> {
    CASES
        .iter()
        .chain([&SLOW_CERTIFICATE])
        .chain(MORE)
        .collect()
}

/// The state before the operation, from which every life of a case starts.
struct Scene {
    cast: Cast,
    network: Stack,
    stack: Stack,
    before: Option<Template>,
    after: Option<Template>,
    /// The status and the reasons with which the operation ends if no call fails.
    status: Status,
    reasons: BTreeSet<String>,
    calls: Vec<Call>,
}

impl Scene {
    async fn of(case: &Case) -> Self {
        let (cast, network) = Cast::published(settings(7)).await;
        (case.setup)(&cast).await;
        let mut stack = Stack::new(case.account, REGION, "subject");
        let before = case.before.map(|template| template(&cast));
        if let Some(before) = &before {
            let status = cast.engine.create(&mut stack, before).await;
            assert_eq!(status, Status::Complete, "{:?}", stack.failures);
        }
        if case.name == WITH_RECORDS {
            people_add_records(&cast);
        }
        cast.engine.idle().await;
        let after = case.after.map(|template| template(&cast));
        let mut scene = Self {
            cast,
            network,
            stack,
            before,
            after,
            status: Status::New,
            reasons: BTreeSet::new(),
            calls: Vec::new(),
        };
        let (cast, mut stack) = (scene.cast.fork(|_| {}), scene.stack.clone());
        let begun = cast.world.log().len();
        scene.status = scene.operate(&cast, &mut stack).await;
        scene.reasons = reasons(&cast.world.log()[begun..]);
        if [STALE_DS, STALE_DS_OF_CERTIFICATE].contains(&case.name) {
            let said = format!("{BUILD} has a stale DS record set for dev.{BUILD}");
            let is_said = scene.reasons.iter().any(|why| why.contains(&said));
            assert!(
                is_said,
                "{}: {:?}\n{}",
                case.name,
                scene.reasons,
                cast.history()
            );
        }
        let log = cast.world.log();
        scene.calls = calls(log[begun..].iter().filter(|event| is_call(event)));
        scene
    }

    async fn operate(&self, cast: &Cast, stack: &mut Stack) -> Status {
        let status = match (&self.before, &self.after) {
            (None, Some(after)) => cast.engine.create(stack, after).await,
            (Some(_), Some(after)) => cast.engine.update(stack, after).await,
            (_, None) => cast.engine.delete(stack).await,
        };
        cast.engine.idle().await;
        status
    }

    /// Plays a life.
    ///
    /// # Errors What is wrong, and the history that led to it.
    async fn play(&self, life: &Life) -> Result<(), (String, String)> {
        let cast = self.cast.fork(|_| {});
        let wrong = self.live(&cast, life).await;
        let violations = cast.world.violations().into_iter().map(|found| found.what);
        let wrong: Vec<String> = wrong.into_iter().chain(violations).collect();
        if wrong.is_empty() {
            return Ok(());
        }
        Err((wrong.join("; "), cast.history()))
    }

    /// Plays a life on a copy of the cast. Returns sentences with what is wrong.
    async fn live(&self, cast: &Cast, life: &Life) -> Vec<String> {
        let (mut stack, mut network) = (self.stack.clone(), self.network.clone());
        let (_, operation) = life.call.action.split_once(':').unwrap_or_default();
        let fault = life.failure.of(&life.call.action).expect("it is a failure");
        let times = if life.lasts { u64::MAX } else { 1 };
        let mut rule = FaultRule::on_operation(operation, times, fault);
        rule.skip = life.call.before;
        cast.world.inject(rule);
        let peoples = Peoples::of(cast);
        let begun = cast.world.log().len();
        let status = self.operate(cast, &mut stack).await;
        // A person repairs the call.
        cast.world.clear_faults();
        let mut wrong = Vec::new();
        let mut leftovers = at_rest(cast, &stack);
        // The next request for the resource, or the Delete of the stack below, deletes what a FAILED Update
        // could not delete.
        let is_undone = life.lasts && stack.status == Status::RolledBack;
        leftovers
            .retain(|what| !FAILS_WHILE_UNDONE.covers(is_undone && what.ends_with(" is left")));
        leftovers.extend(self.unclear(life, &reasons(&cast.world.log()[begun..])));
        if !life.lasts && life.failure.is_transient() && status != self.status {
            let failures = &stack.failures;
            wrong.push(format!(
                "a call that failed once ended it {status:?}: {failures:?}"
            ));
        }
        if stack.status == Status::RollbackFailed {
            let status = cast.engine.continue_rollback(&mut stack, &[]).await;
            cast.engine.idle().await;
            if status != Status::RolledBack {
                wrong.push(format!("no rollback: {status:?}, {:?}", stack.failures));
            }
            leftovers.extend(at_rest(cast, &stack));
        }
        if !matches!(stack.status, Status::Deleted | Status::CreateRolledBack) {
            let status = cast.engine.delete(&mut stack).await;
            cast.engine.idle().await;
            if status != Status::Deleted {
                wrong.push(format!("it stays, {status:?}: {:?}", stack.failures));
            }
        }
        leftovers.extend(left(cast, &stack));
        leftovers.retain(|what| !is_left_out(life, what));
        wrong.extend(leftovers);
        wrong.extend(peoples.changed(cast));
        people_leave(cast, &stack);
        // A remaining delegation prevents the delete of the published parent.
        if stack.orphans.is_empty() && cast.engine.delete(&mut network).await != Status::Deleted {
            wrong.push(format!("the network stack stays: {:?}", network.failures));
        }
        wrong
    }

    /// Returns the reasons that do not name the call and its code.
    fn unclear(&self, life: &Life, reasons: &BTreeSet<String>) -> Vec<String> {
        let (_, operation) = life.call.action.split_once(':').unwrap_or_default();
        let code = match life.failure.of(&life.call.action) {
            Some(Fault::Error(_, error)) => error.code,
            _ => String::new(),
        };
        reasons
            .difference(&self.reasons)
            .filter(|reason| !reason.contains(operation) || !reason.contains(&code))
            .map(|reason| format!("it names no {operation} or no {code}: {reason}"))
            .collect()
    }
}

/// Returns sentences with what is wrong with a stack on which no operation runs. A rename is rolled back by
/// the Delete of the new logical id. If CloudFormation gave that Delete up, the old logical id does not have
/// its things back.
fn at_rest(cast: &Cast, stack: &Stack) -> Vec<String> {
    let given_up = |id: &String| {
        let mut orphans = stack.orphans.iter();
        orphans.any(|orphan| orphan.logical_id != *id) && cast.world.is_renamed(&stack.id, id)
    };
    if stack.resources.keys().any(given_up) {
        return Vec::new();
    }
    invariants::check(cast, stack)
}

/// Returns the calls of an operation. Of repeated polls, only the first and the last.
fn calls<'a>(log: impl Iterator<Item = &'a Event>) -> Vec<Call> {
    let mut calls: Vec<(Call, &str)> = Vec::new();
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for event in log {
        let before = seen.entry(&event.action).or_default();
        let call = Call {
            action: event.action.clone(),
            before: *before,
        };
        *before += 1;
        let is_same =
            |(call, target): &&(Call, &str)| call.action == event.action && *target == event.target;
        let polls = ["GetChange", "DescribeCertificate"];
        if polls.iter().any(|poll| event.action.ends_with(poll))
            && calls.iter().filter(is_same).count() > 1
        {
            let last = calls.iter().rposition(|call| is_same(&call));
            calls.remove(last.expect("there are two"));
        }
        calls.push((call, &event.target));
    }
    calls.into_iter().map(|(call, _)| call).collect()
}

/// Returns whether an event is a call of a function to AWS.
fn is_call(event: &Event) -> bool {
    matches!(event.hand, Some(Hand::Function(_))) && event.action.contains(':')
}

/// Returns a sentence without the parts that differ between attempts.
fn without_request_ids(reason: &str) -> String {
    let mut parts = reason.split("request ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let is_id = |c: char| c.is_ascii_hexdigit() || c == '-';
        format!("{text}request {}", part.trim_start_matches(is_id))
    })
}

/// Returns the reasons of all answers that were FAILED.
fn reasons(log: &[Event]) -> BTreeSet<String> {
    let failed = log.iter().filter(|event| event.hand.is_none());
    failed
        .filter_map(|event| event.outcome.strip_prefix("FAILED "))
        .filter_map(|rest| rest.split_once(": "))
        .map(|(_, reason)| without_request_ids(reason))
        .collect()
}

/// Returns what a deleted stack has left. The only excuse is a Delete that CloudFormation gave up in the
/// clean-up of an update: it excuses what it names, and the validation records of a certificate that it left.
fn left(cast: &Cast, stack: &Stack) -> Vec<String> {
    let by_stack = |hand: &Hand| matches!(hand, Hand::Function(work) if work.stack_id == stack.id);
    let certificates = cast.world.certificates();
    let mut left = Vec::new();
    for (id, zone) in cast.world.zones() {
        if by_stack(&zone.made_by) {
            left.push((id, zone.made_by));
            continue;
        }
        for (key, set) in zone.records {
            left.push((key.name.to_string(), set.written_by));
        }
    }
    for ((_, _, name), parameter) in cast.world.parameters() {
        // The prefix is the physical id.
        let prefix = name.rsplit_once('/').map(|(prefix, _)| prefix.to_owned());
        left.extend(prefix.map(|prefix| (prefix, parameter.made_by)));
    }
    for (arn, certificate) in &certificates {
        left.push((arn.clone(), certificate.made_by.clone()));
    }
    let is_excused = |thing: &str, by: &Hand| {
        let named = thing.trim_end_matches('.');
        stack.orphans.iter().any(|orphan| {
            let certificate = certificates.get(&orphan.physical_id);
            let is_of = matches!(by, Hand::Function(work) if work.logical_id == orphan.logical_id);
            orphan.physical_id == named
                || orphan.reason.contains(named)
                || is_of && invariants::is_found_by_tags(&orphan.reason)
                || certificate.is_some_and(|certificate| invariants::needs(certificate, thing))
        })
    };
    left.retain(|(thing, by)| by_stack(by) && !is_excused(thing, by));
    left.into_iter()
        .map(|(thing, _)| format!("{thing} is left"))
        .collect()
}

/// Returns whether something is left because ACM does not list certificates.
fn is_left_out(life: &Life, what: &str) -> bool {
    let is_validation = what.split(' ').any(|word| word.starts_with('_'));
    let lists = life.call.action == "acm:ListCertificates";
    // The only case in which a process dies as well.
    let died = cases()[life.case].name == SLOW_CERTIFICATE.name;
    VALIDATION_RECORD_KEPT.covers(life.lasts && lists && is_validation)
        || PERMISSION_REMOVED.covers(died && lists && life.failure == Failure::Denied)
}

/// The zones that people created, with what people have in them: comment, tags and record sets. All of it is
/// the same after a stack was deleted.
#[derive(Debug, PartialEq)]
struct Peoples(BTreeMap<String, (String, BTreeMap<String, String>, Records)>);

type Records = Vec<(RecordKey, RecordSet)>;

impl Peoples {
    fn of(cast: &Cast) -> Self {
        let mut zones = cast.world.zones();
        zones.retain(|_, zone| zone.made_by == Hand::Person);
        let peoples = zones.into_iter().map(|(id, mut zone)| {
            zone.tags
                .retain(|key, _| !key.starts_with("zone-delegation:"));
            zone.records.retain(|_, set| set.written_by == Hand::Person);
            let records = zone.records.into_iter().collect();
            (id, (zone.comment, zone.tags, records))
        });
        Self(peoples.collect())
    }

    fn changed(&self, cast: &Cast) -> Option<String> {
        let now = Self::of(cast);
        (*self != now).then(|| format!("people had {self:?}, and have {now:?}"))
    }
}

/// People leave a stale DS record set, which is INSYNC, in a world that is forked then.
async fn stale_ds(cast: &Cast) {
    cast.write_stale_ds(&format!("dev.{BUILD}"));
    let before = cast.world.now();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(cast.world.now() > before);
}

/// In the subdomain an A record set, and a stale DS record set beside its delegation.
fn people_add_records(cast: &Cast) {
    let name = format!("dev.{BUILD}");
    cast.write_stale_ds(&name);
    let zones = cast.world.zones();
    let zone = zones.values().find(|zone| zone.name == Name::of(&name));
    let zone = &zone.expect("it was created").id;
    let address = Edit::create(&format!("www.{name}"), "A", 300, &["192.0.2.1"]);
    cast.world.edit_records(zone, &[address]).unwrap();
}

#[test]
fn nothing_is_lost_or_left_whichever_call_fails() {
    let cases = cases();
    let scenes: Vec<Scene> = cases
        .iter()
        .map(|case| runtime().block_on(Scene::of(case)))
        .collect();
    let mut lives = Vec::new();
    for (case, scene) in scenes.iter().enumerate() {
        for call in &scene.calls {
            for failure in FAILURES {
                if failure.of(&call.action).is_none() {
                    continue;
                }
                let lasting = failure.lasts().then_some(true);
                lives.extend([false].into_iter().chain(lasting).map(|lasts| Life {
                    case,
                    call: call.clone(),
                    failure: *failure,
                    lasts,
                }));
            }
        }
    }
    let title = |life: &Life| format!("{} {life:?}", cases[life.case].name);
    // `LIFE` is a part of the title of the lives that are played, and `ONE_IN=10` plays a tenth of them.
    let only = std::env::var("LIFE").unwrap_or_default();
    let one_in = std::env::var("ONE_IN").map_or(1, |text| text.parse().expect("a number"));
    let is_complete = one_in == 1 && std::env::var_os("LIFE").is_none();
    lives.retain(|life| title(life).contains(&only));
    let lives: Vec<Life> = lives.into_iter().step_by(one_in).collect();
    let calls: usize = scenes.iter().map(|scene| scene.calls.len()).sum();
    println!(
        "{} lives: {calls} calls in {} cases",
        lives.len(),
        cases.len()
    );
    let next = AtomicUsize::new(0);
    let broken = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(life) = lives.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let played = runtime().block_on(scenes[life.case].play(life));
                    if let Err((why, history)) = played {
                        let title = title(life);
                        println!("{title}: {why}");
                        broken.lock().unwrap().push((title, why, history));
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    if let Some((title, why, history)) = broken.first() {
        println!("{title}: {why}\n{history}");
    }
    assert!(broken.is_empty(), "{} lives failed", broken.len());
    if is_complete {
        check_met(Proof::RefusedCalls);
    }
}

/// Every action of the functions' roles is among the calls that fail.
#[test]
fn each_action_of_the_roles_is_a_call_that_fails() {
    let called: BTreeSet<String> = cases()
        .into_iter()
        .flat_map(|case| runtime().block_on(Scene::of(case)).calls)
        .map(|call| call.action)
        .collect();
    let granted: BTreeSet<String> = roles::all()
        .iter()
        .flat_map(|role| {
            role.grants()
                .map(|(grant, _)| grant.action)
                .collect::<Vec<_>>()
        })
        .filter(|action| !action.starts_with("logs:"))
        .collect();
    assert_eq!(called, granted);
}
