//! Test model for the plans: an account and its parent zone, for which plans are made and carried out.

use super::{Action, Delivery, End, Plan};
use crate::{
    error::Error,
    subdomain::{
        access::ParentZone,
        delegation::Delegation,
        memory::Memory,
        observed::{Around, Conflict, Contents, Observed, Question, SetInParent, Zone},
        properties::RecordsOnDelete,
        task::{Task, Which},
    },
};
use aws_calls::{AwsError, Kind};
use custom_resource::{Clock, Request};
use dns_check::Standing;
use hosted_zones::{DomainName, HostedZone, HostedZoneId, ListedZone, NameServers, RecordSet};
use ownership::{
    Owner,
    zone::{Proof, Tagging},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

pub(super) const STACK: &str = "arn:aws:cloudformation:eu-west-1:222222222222:stack/dev/1";
pub(super) const OTHER_STACK: &str = "arn:aws:cloudformation:eu-west-1:222222222222:stack/other/2";
/// The time at which each story begins, in seconds since 1970.
pub(super) const START: u64 = 1_795_500_000;
/// More plans than any request has.
const MOST_PLANS: usize = 40;

/// This account, and its parent zone in another account.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) zones: BTreeMap<HostedZoneId, Zone>,
    pub(super) contents: BTreeMap<HostedZoneId, Contents>,
    /// The NS record sets of the parent.
    pub(super) sets: BTreeMap<String, RecordSet>,
    /// Other record sets of the parent, at and below the name.
    pub(super) occluded: Vec<RecordSet>,
    /// Whether the delegation role can be assumed.
    pub(super) permission: bool,
    /// Whether each change is pending for longer than an attempt waits.
    pub(super) slow: bool,
    /// The number of NS record sets that were created.
    pub(super) delegated: usize,
    /// The answer of the parent's name servers, if it differs from the parent's record sets.
    pub(super) said: Option<Standing>,
    references: Vec<String>,
    /// The time in seconds since [`START`].
    pub(super) now: u64,
}

/// How a request ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Success(String),
    Refused,
}

pub(super) fn id(text: &str) -> HostedZoneId {
    HostedZoneId::parse(text).unwrap()
}

pub(super) fn name(labels: &str) -> DomainName {
    DomainName::parse(&format!("{labels}.example.com")).unwrap()
}

/// Returns the name servers of a zone.
pub(super) fn servers(zone: &str) -> NameServers {
    let zone = zone.to_lowercase();
    NameServers::new([format!("ns-1.{zone}.net"), format!("ns-2.{zone}.org")])
}

pub(super) fn parent() -> ParentZone {
    ParentZone {
        id: id("ZPARENT"),
        name: DomainName::parse("example.com").unwrap(),
        name_servers: servers("ZPARENT"),
    }
}

/// Returns a request of the stack for `dev.example.com`, unless the properties name another subdomain.
pub(super) fn request(kind: &str, logical_id: &str, of: Value, at: u64) -> Request {
    let mut event = json!({
        "RequestType": kind,
        "ResponseURL": "https://bucket.s3.amazonaws.com/key",
        "StackId": STACK,
        "RequestId": format!("{kind}-{logical_id}-{at}"),
        "LogicalResourceId": logical_id,
        "ResourceType": "Custom::DelegatedSubdomain",
    });
    if let (Value::Object(event), Value::Object(of)) = (&mut event, of) {
        event.extend(of);
    }
    Request::decode(&event, Clock::moment(START + at)).unwrap()
}

pub(super) fn properties(more: Value) -> Value {
    let mut properties = json!({
        "Subdomain": "dev", "ParameterPrefix": "/p",
        "NetworkRoleArn": "arn:aws:iam::111111111111:role/dev", "VerifyDelegation": "false",
    });
    if let (Value::Object(properties), Value::Object(more)) = (&mut properties, more) {
        properties.extend(more);
    }
    properties
}

pub(super) fn delivery<'a>(request: &'a Request, memory: &'a Memory, now: u64) -> Delivery<'a> {
    let now = Clock::moment(START + now);
    Delivery {
        request,
        memory,
        now,
        age: now.duration_since(request.requested_at).unwrap_or_default(),
        may_be_repeat: false,
        is_too_late: false,
        time_left: Duration::from_secs(3_500),
        time_of_delete: Duration::from_secs(3_600),
        second_search: now + Duration::from_secs(900),
    }
}

impl Account {
    pub(super) fn new() -> Self {
        Self {
            zones: BTreeMap::new(),
            contents: BTreeMap::new(),
            sets: BTreeMap::new(),
            occluded: Vec::new(),
            permission: true,
            slow: false,
            delegated: 0,
            said: None,
            references: Vec::new(),
            now: 0,
        }
    }

    /// Adds a zone of `dev.example.com` that someone created.
    pub(super) fn zone(&mut self, zone: &str, caller_reference: &str, tagging: Tagging) {
        let listed = ListedZone {
            id: id(zone),
            name: name("dev"),
            caller_reference: caller_reference.to_owned(),
            private: false,
            comment: String::new(),
            record_sets: 2,
        };
        let created = HostedZone {
            listed,
            name_servers: servers(zone),
        };
        self.references.push(caller_reference.to_owned());
        let zone = Zone {
            zone: created,
            tags: tagging.set,
        };
        self.zones.insert(zone.id.clone(), zone);
    }

    /// Delegates `dev.example.com` to the name servers of a zone.
    pub(super) fn delegate(&mut self, to: &str) {
        let set = RecordSet::ns(&name("dev"), 300, &servers(to));
        self.sets.insert(set.name().to_string(), set);
    }

    /// Returns the physical id of a delegation to a zone, for a logical id of the stack.
    pub(super) fn physical_id(zone: &str, logical_id: &str) -> String {
        let listed = ListedZone {
            id: id(zone),
            name: name("dev"),
            caller_reference: String::new(),
            private: false,
            comment: String::new(),
            record_sets: 2,
        };
        let zone = HostedZone {
            listed,
            name_servers: servers(zone),
        };
        let owner = Owner {
            stack_id: STACK.to_owned(),
            logical_id: logical_id.to_owned(),
        };
        Delegation::new(&zone, &parent().id, &owner, Proof::OfOwner).to_string()
    }

    pub(super) fn observe(&self, task: &Task) -> Observed {
        let nothing = Observed::nothing();
        let named = |name: &DomainName| {
            let zones = self.zones.values();
            zones.filter(|zone| zone.name == *name).cloned().collect()
        };
        match task {
            Task::Nothing => nothing,
            Task::Establish(task) => {
                let name = task.wanted.name(&parent().name).unwrap();
                let mut zones: Vec<Zone> = named(&name);
                let also = task.wanted.external_zone.iter();
                let also = also.chain(task.current.iter().map(|current| &current.zone));
                for id in also {
                    if zones.iter().all(|zone| zone.id != *id) {
                        zones.extend(self.zones.get(id).cloned());
                    }
                }
                Observed {
                    parent: Some(Ok(parent())),
                    around: Some(Around {
                        delegation: self.sets.get(name.as_str()).cloned(),
                        occluded: self.occluded.clone(),
                        above: Vec::new(),
                    }),
                    zones,
                    ..nothing
                }
            }
            Task::Remove(task) => match &task.which {
                Which::Named(delegation) => Observed {
                    zones: self
                        .zones
                        .get(&delegation.zone)
                        .cloned()
                        .into_iter()
                        .collect(),
                    ..nothing
                },
                Which::Tagged | Which::Leftovers { .. } if self.permission => Observed {
                    parent: Some(Ok(parent())),
                    zones: named(&parent().name.child(&task.leaving.labels).unwrap()),
                    ..nothing
                },
                Which::Tagged | Which::Leftovers { .. } => Observed {
                    parent: Some(Err(denied())),
                    zones: self.zones.values().cloned().collect(),
                    ..nothing
                },
            },
        }
    }

    pub(super) fn read(&self, question: &Question, observed: &mut Observed) {
        match question {
            Question::Contents { zone, records, .. } => {
                let mut contents = self.contents.get(zone).cloned().unwrap_or_default();
                if *records == RecordsOnDelete::Fail {
                    contents.more = false;
                }
                observed.contents.insert(zone.clone(), contents);
            }
            Question::Set(delegation) => {
                let set = match self.sets.get(delegation.name.as_str()) {
                    _ if !self.permission => SetInParent::NoPermission(denied()),
                    Some(set) => SetInParent::Present(set.clone()),
                    None => SetInParent::Absent,
                };
                observed.sets.insert(delegation.zone.clone(), set);
            }
            Question::Seen { delegation, to, .. } => {
                let set = self.sets.get(delegation.name.as_str());
                let delegates = set.is_some_and(|set| match to {
                    Some(to) => set.name_servers() == *to,
                    None => true,
                });
                let seen = self.said.clone().unwrap_or(if delegates {
                    Standing::Stands("a name server of example.com delegates to it".to_owned())
                } else {
                    Standing::Gone
                });
                observed.seen.insert(delegation.zone.clone(), seen);
            }
            Question::Occupant(_) => observed.occupant = Some(None),
            Question::Namesakes(name) => {
                let zones = self.zones.values().filter(|zone| zone.name == *name);
                let zones = zones.map(|zone| (zone.id.clone(), zone.name_servers.clone()));
                observed.namesakes = Some(zones.collect());
            }
        }
    }

    pub(super) fn act(&mut self, action: &Action) -> Result<Option<Zone>, Conflict> {
        match action {
            Action::CreateZone {
                name,
                caller_reference,
                comment,
            } => {
                if self.references.contains(caller_reference) {
                    return Err(Conflict::ReferenceUsed(refusal("HostedZoneAlreadyExists")));
                }
                let number = self.references.len() + 1;
                let zone = format!("ZNEW{number}");
                self.zone(&zone, caller_reference, Tagging::default());
                let zone = self.zones.get_mut(&id(&zone)).expect("just created");
                zone.zone.listed.name = name.clone();
                zone.zone.listed.comment.clone_from(comment);
                return Ok(Some(zone.clone()));
            }
            Action::Tag { zone, tagging, .. } => {
                let zone = self.zones.get_mut(zone).expect("it exists");
                zone.tags.extend(tagging.set.clone());
                zone.tags.retain(|key, _| !tagging.delete.contains(key));
            }
            Action::SetComment { zone, comment } => {
                let zone = self.zones.get_mut(zone).expect("it exists");
                zone.zone.listed.comment.clone_from(comment);
            }
            Action::SetApexTtl { .. }
            | Action::AwaitZone(_)
            | Action::Verify { .. }
            | Action::Leave { .. } => {}
            Action::Delegate { set, replaces, .. } => {
                let key = set.name().to_string();
                if self.sets.get(&key) != replaces.as_ref() {
                    return Err(Conflict::Stale(refusal("InvalidChangeBatch")));
                }
                self.sets.insert(key, set.clone());
                self.delegated += 1;
            }
            Action::DeleteDelegation { set, .. } => {
                if !self.permission {
                    return Err(Conflict::NoPermission(denied()));
                }
                let key = set.name().to_string();
                if self.sets.get(&key) != Some(set) {
                    return Err(Conflict::Stale(refusal("InvalidChangeBatch")));
                }
                self.sets.remove(&key);
            }
            Action::DeleteRecords { zone, .. } => {
                self.contents.remove(zone);
            }
            Action::DeleteZone { zone, .. } => {
                if self.contents.contains_key(zone) {
                    return Err(Conflict::NotEmpty(refusal("HostedZoneNotEmpty")));
                }
                self.zones.remove(zone);
            }
        }
        Ok(None)
    }

    /// Returns whether the change of this action is not INSYNC in time.
    fn is_pending(&self, action: &Action) -> bool {
        let changes = matches!(
            action,
            Action::AwaitZone(_) | Action::Delegate { .. } | Action::DeleteDelegation { .. }
        );
        self.slow && changes
    }

    /// Plans and carries out a request until it is answered. `tell` gets each plan with its observation, and
    /// the account at that moment.
    pub(super) fn serve(
        &mut self,
        request: &Request,
        mut tell: impl FnMut(&Self, &Observed, &Plan),
    ) -> Outcome {
        let mut memory = Memory::default();
        let mut conflict = None;
        let mut observed = None;
        for _ in 0..MOST_PLANS {
            let task = Task::of(request, &memory).unwrap();
            let now = observed.get_or_insert_with(|| Observed {
                conflict: conflict.take(),
                ..self.observe(&task)
            });
            let plan = Plan::of(&task, now, &delivery(request, &memory, self.now));
            if let Plan::Read(question) = &plan {
                self.read(question, now);
                continue;
            }
            tell(self, now, &plan);
            let plan = match plan {
                Plan::Read(_) => unreachable!(),
                Plan::Refuse(_) => return Outcome::Refused,
                Plan::Do(plan) => plan,
            };
            let mut pending = None;
            let acted = plan
                .actions
                .iter()
                .enumerate()
                .try_for_each(|(index, action)| {
                    if pending.is_none() {
                        now.zones.extend(self.act(action)?);
                        if self.is_pending(action) && !matches!(plan.end, End::Refuse(_)) {
                            pending = Some(index);
                        }
                    }
                    Ok(())
                });
            if let Err(found) = acted {
                memory.note(&found, START + self.now);
                (conflict, observed) = (Some(found), None);
                continue;
            }
            if let Some(index) = pending {
                // The state machine carries it, and by then the change is INSYNC.
                let passed = json!(plan.awaiting(index, &memory, Vec::new()));
                let passed: Memory =
                    serde_json::from_value(passed).expect("it is what was written");
                memory = passed.pending.expect("it is awaited").then;
                observed = None;
                continue;
            }
            memory = plan.remember;
            match plan.end {
                End::Done(success) => return Outcome::Success(success.physical_resource_id),
                End::Refuse(_) => return Outcome::Refused,
                End::Plan => {}
                End::Observe => observed = None,
                End::Wait { until, .. } => {
                    self.now = Clock::seconds(until) - START;
                    observed = None;
                }
            }
        }
        panic!("{request:?} does not end");
    }
}

fn denied() -> Error {
    Error::Role {
        role_arn: "arn:aws:iam::111111111111:role/dev".to_owned(),
        error: AwsError {
            service: "STS",
            operation: "AssumeRole",
            kind: Kind::Denied,
            ..refusal("AccessDenied")
        },
    }
}

fn refusal(code: &str) -> AwsError {
    AwsError {
        service: "Route 53",
        operation: "ChangeResourceRecordSets",
        target: "dev.example.com".to_owned(),
        code: Some(code.to_owned()),
        message: "refused".to_owned(),
        request_id: Some("r-1".to_owned()),
        kind: Kind::Refused,
    }
}
