//! Test model for the plans: ACM, Route 53 and DNS in their smallest form, for which plans are made and
//! carried out.

use super::{Acted, Action, Delivery, Next, Phase, Plan, Question, Refused};
use crate::certificate::{
    arn::CertificateArn,
    cause::Cause,
    described::{Certificate, Status, Validation, ValidationRecord},
    error::Error,
    observed::{Cname, CnameState, Listing, Observed, Obstacle, Sharer, Sharers, Tracked},
    properties::{CertificateName, Deletion, Task, Wanted},
    tagged::TaggedCertificate,
    zones::{SeenZone, ValidationZone, ValidationZones, ZoneState},
};
use aws_calls::{AwsError, Kind};
use custom_resource::{Clock, Failure, Outlook, Request, Success};
use hosted_zones::{DomainName, HostedZoneId, NameServers, RecordSet};
use ownership::Tags;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

pub(super) const REGION: &str = "eu-west-1";
pub(super) const STACK: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/dev/1";
pub(super) const OTHER_STACK: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/other/2";
/// The time at which the stories begin, in seconds since 1970.
pub(super) const START: u64 = 1_795_500_000;

/// Everything that exists.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Account {
    pub(super) certificates: BTreeMap<CertificateArn, TaggedCertificate>,
    /// The CNAMEs by zone and name.
    pub(super) cnames: BTreeMap<(HostedZoneId, DomainName), RecordSet>,
    pub(super) zones: BTreeMap<HostedZoneId, ZoneState>,
    pub(super) obstacle: Obstacle,
    /// The status that a requested certificate gets.
    pub(super) becomes: Status,
    /// The answer of DeleteCertificate, if it is not a success.
    pub(super) refused: Option<Refused>,
    /// A Region that cannot be queried for its certificates.
    pub(super) unknown_region: Option<String>,
    /// The operation whose next call fails.
    pub(super) fails: Option<&'static str>,
    /// The number of certificates that were requested.
    pub(super) requested: u8,
}

/// A request of the logical id `Zone` of the stack, or of another one.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) kind: &'static str,
    pub(super) logical_id: &'static str,
    pub(super) physical_id: String,
    pub(super) properties: Value,
    pub(super) before: Value,
    /// The time in seconds after the start, which is also part of the request's id.
    pub(super) at: u64,
}

impl Event {
    pub(super) fn request(&self) -> Request {
        let event = json!({
            "RequestType": self.kind,
            "ResponseURL": "https://bucket.s3.amazonaws.com/key",
            "RequestId": format!("request {}", self.at),
            "StackId": STACK,
            "LogicalResourceId": self.logical_id,
            "ResourceType": "Custom::SubdomainCertificate",
            "PhysicalResourceId": self.physical_id,
            "ResourceProperties": self.properties,
            "OldResourceProperties": self.before,
        });
        Request::decode(&event, Clock::moment(START + self.at)).expect("it is a request")
    }
}

/// Gets each plan, with the observation from which it was made, before the plan is carried out.
pub(super) type Watch<'a> = dyn FnMut(&mut Account, &Observed, &Result<Plan, Error>) + 'a;

/// How a request ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    Done(Success),
    Failed(Failure),
    /// It still waits, and has remembered this.
    Waiting(Box<Phase>),
}

pub(super) fn arn(number: u8) -> CertificateArn {
    arn_in(REGION, number)
}

pub(super) fn arn_in(region: &str, number: u8) -> CertificateArn {
    let text = format!("arn:aws:acm:{region}:111122223333:certificate/{number}");
    CertificateArn::parse(&text).unwrap()
}

pub(super) fn zone_id(text: &str) -> HostedZoneId {
    HostedZoneId::parse(text).unwrap()
}

pub(super) fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

/// Returns the CNAME that validates a name.
pub(super) fn record(validated: &DomainName) -> ValidationRecord {
    let value = "_y.acm-validations.aws".to_owned();
    ValidationRecord::from((format!("_x.{validated}"), value))
}

pub(super) fn set(validated: &DomainName, value: &str) -> RecordSet {
    RecordSet::cname(&record(validated).name, 60, value)
}

/// Returns the error of a call that AWS refuses.
pub(super) fn refusal(operation: &'static str, code: &str) -> AwsError {
    AwsError {
        service: "ACM",
        operation,
        target: "it".to_owned(),
        code: Some(code.to_owned()),
        message: "No.".to_owned(),
        request_id: None,
        kind: Kind::Refused,
    }
}

impl Account {
    /// Creates an account with the zone `Z1` of dev.example.com, and name servers that permit a certificate.
    pub(super) fn new() -> Self {
        let name = name("dev.example.com");
        let zone = ValidationZone {
            id: zone_id("Z1"),
            name_servers: NameServers::new(["ns-1.awsdns.com", "ns-2.awsdns.net"]),
            name,
            has_only_apex: false,
        };
        let state = ZoneState::Public {
            zone,
            delegations: Vec::new(),
        };
        Self {
            certificates: BTreeMap::new(),
            cnames: BTreeMap::new(),
            zones: BTreeMap::from([(zone_id("Z1"), state)]),
            obstacle: Obstacle::None,
            becomes: Status::Pending,
            refused: None,
            unknown_region: None,
            fails: None,
            requested: 0,
        }
    }

    /// Adds a certificate for these names.
    pub(super) fn certificate(&mut self, arn: &CertificateArn, names: &[&str], tags: Tags) {
        let names: Vec<_> = names
            .iter()
            .map(|name| CertificateName::from_service(name))
            .collect();
        let certificate = described(arn, &names, Status::Issued);
        self.certificates
            .insert(arn.clone(), TaggedCertificate { certificate, tags });
    }

    pub(super) fn edit(&mut self, arn: &CertificateArn) -> &mut TaggedCertificate {
        self.certificates.get_mut(arn).expect("it exists")
    }

    /// Returns whether the validation CNAME of a name exists with the value that ACM wants.
    pub(super) fn has_cname(&self, validated: &DomainName) -> bool {
        let key = (zone_id("Z1"), record(validated).name);
        let values = self
            .cnames
            .get(&key)
            .map(|set| set.values().collect::<Vec<_>>());
        values == Some(vec!["_y.acm-validations.aws."])
    }

    fn held(&self, wanted: impl Fn(&TaggedCertificate) -> bool) -> Listing {
        let found = self.certificates.values().filter(|held| wanted(held));
        Listing::Found(found.cloned().collect())
    }

    fn wanted(&self, wanted: &Wanted) -> Listing {
        self.held(|held| {
            held.arn().region() == wanted.region && held.certificate.domain == wanted.names.domain
        })
    }

    fn described(&self, arn: &CertificateArn) -> Option<Certificate> {
        self.certificates
            .get(arn)
            .map(|held| held.certificate.clone())
    }

    /// Returns what exists for a phase, as [`Observer`](crate::certificate::observe::Observer) reads it.
    fn observe(&self, task: &Task, phase: &Phase) -> Observed {
        let mut observed = Observed::default();
        match (phase, task) {
            (Phase::Search(_), Task::Issue(issue)) => {
                let seen = |(property, id): &(&'static str, HostedZoneId)| SeenZone {
                    property,
                    id: id.clone(),
                    state: self.zones.get(id).cloned().unwrap_or(ZoneState::Missing),
                };
                observed.zones = issue.wanted.zones.iter().map(seen).collect();
                observed.certificates = self.held(|held| {
                    held.arn().region() == issue.wanted.region
                        && held.certificate.domain == issue.wanted.names.domain
                        && issue.tracked.as_ref() != Some(held.arn())
                });
                observed.tracked = match &issue.tracked {
                    None => Tracked::NotRead,
                    Some(arn) => match self.certificates.get(arn) {
                        None => Tracked::Missing,
                        Some(held) => Tracked::Found(Box::new(held.clone())),
                    },
                };
            }
            (Phase::Await(arn, waiting), _) => {
                observed.certificate = self.described(arn);
                let records = observed.certificate.as_ref().and_then(Certificate::records);
                observed.cnames = self.cnames(&records.unwrap_or_default(), &waiting.zones);
            }
            (Phase::Finish(finish), _) => {
                let held = self.certificates.get(&finish.arn);
                observed.tags = held.map(|held| held.tags.clone());
            }
            (Phase::Undo(undo), Task::Issue(issue)) => {
                observed.certificates = match &undo.arn {
                    Some(arn) => self.held(|held| held.arn() == arn),
                    None => self.wanted(&issue.wanted),
                };
            }
            (Phase::Delete(_), Task::Delete(deletion)) => {
                observed.certificates = match deletion {
                    Deletion::Named(arn, _) => self.held(|held| held.arn() == arn),
                    Deletion::Unnamed(wanted, _) => self.wanted(wanted),
                    Deletion::Nothing => Listing::Found(Vec::new()),
                };
            }
            (Phase::Remove(remove), _) => {
                let records = match remove.stage.cnames() {
                    Some(records) => records.clone(),
                    None => {
                        observed.certificate = self.described(&remove.arn);
                        let certificate = observed.certificate.as_ref();
                        certificate
                            .map(Certificate::known_records)
                            .unwrap_or_default()
                    }
                };
                let zones = remove.cnames.ids();
                let zones = zones.iter().filter_map(|id| match self.zones.get(id) {
                    Some(ZoneState::Public { zone, .. }) => Some(zone.clone()),
                    _ => None,
                });
                observed.cnames = self.cnames(&records, &ValidationZones(zones.collect()));
            }
            _ => {}
        }
        observed
    }

    fn cnames(&self, records: &BTreeSet<ValidationRecord>, zones: &ValidationZones) -> Vec<Cname> {
        let read = |(zone, record): (HostedZoneId, ValidationRecord)| {
            let validated = record.validated().unwrap();
            let state = match self.cnames.get(&(zone.clone(), record.name.clone())) {
                None => CnameState::Missing,
                Some(set) if self.has_cname(&validated) => CnameState::Exists(set.clone()),
                Some(set) => CnameState::Other(set.clone()),
            };
            Cname {
                zone,
                record,
                state,
            }
        };
        zones.with_records(records).into_iter().map(read).collect()
    }

    fn answer(&self, question: &Question, observed: &mut Observed) {
        match question {
            Question::Obstacle { zones, .. } => {
                observed.obstacle = match &self.obstacle {
                    // No plan queries this.
                    Obstacle::Some(Cause::NotDelegated { zone, .. })
                        if zones.iter().all(|one| one.name != *zone) =>
                    {
                        Obstacle::None
                    }
                    obstacle => obstacle.clone(),
                };
            }
            Question::Others { region, name } => {
                observed.others = self
                    .held(|held| held.arn().region() == region && held.certificate.is_named(name));
            }
            Question::Sharers { names, .. } => {
                let need = |held: &&TaggedCertificate| {
                    let all = &held.certificate.names;
                    held.certificate.status.needs_records()
                        && all.iter().any(|name| names.contains(&name.base))
                };
                let sharer = |held: &TaggedCertificate| Sharer {
                    arn: held.arn().clone(),
                    names: held
                        .certificate
                        .names
                        .iter()
                        .map(|name| name.base.clone())
                        .collect(),
                };
                let sharers = self.certificates.values().filter(need).map(sharer);
                observed.sharers = match &self.unknown_region {
                    None => Sharers::Known(sharers.collect()),
                    Some(region) => Sharers::Unknown {
                        region: region.clone(),
                        why: "AccessDenied".to_owned(),
                    },
                };
            }
        }
    }

    fn act(&mut self, action: &Action) -> Result<Acted, Error> {
        let operation = match action {
            Action::Request(_) => "RequestCertificate",
            Action::Tag(..) => "AddTagsToCertificate",
            Action::Untag(..) => "RemoveTagsFromCertificate",
            Action::CreateCnames(_) | Action::DeleteCnames(_) => "ChangeResourceRecordSets",
            Action::DeleteCertificate(_) => "DeleteCertificate",
        };
        if self.fails == Some(operation) {
            self.fails = None;
            return Err(refusal(operation, "ValidationException").into());
        }
        match action {
            Action::Request(new) => {
                self.requested += 1;
                let arn = arn_in(&new.wanted.region, 100 + self.requested);
                let names: Vec<_> = new.wanted.names.iter().cloned().collect();
                let mut certificate = described(&arn, &names, self.becomes.clone());
                certificate.export = new.wanted.export;
                certificate.key_algorithm = new.wanted.key_algorithm.as_str().to_owned();
                let tags = new.tags.clone();
                self.certificates
                    .insert(arn.clone(), TaggedCertificate { certificate, tags });
                return Ok(Acted::Requested(arn));
            }
            Action::Tag(_, arn, tags) => self.edit(arn).tags.extend(tags.clone()),
            Action::Untag(_, arn, keys) => {
                self.edit(arn).tags.retain(|key, _| !keys.contains(key));
            }
            Action::CreateCnames(cnames) => {
                for (zone, record) in cnames {
                    let set = set(&record.validated().unwrap(), "_y.acm-validations.aws.");
                    let old = self.cnames.insert((zone.clone(), record.name.clone()), set);
                    assert_eq!(old, None, "created over another");
                }
            }
            Action::DeleteCnames(cnames) => {
                for (zone, set) in cnames {
                    let old = self.cnames.remove(&(zone.clone(), set.name()));
                    assert_eq!(old.as_ref(), Some(set), "deleted another");
                }
            }
            Action::DeleteCertificate(arn) => {
                if let Some(refused) = &self.refused {
                    return Ok(Acted::NotDeleted(refused.clone()));
                }
                self.certificates.remove(arn).expect("it exists");
            }
        }
        Ok(Acted::Done)
    }

    /// Serves a request as the loop of the resource type does, for at most this many seconds. `watch` gets
    /// each plan before it is carried out.
    pub(super) fn serve(
        &mut self,
        event: &Event,
        mut phase: Phase,
        seconds: u64,
        watch: &mut Watch<'_>,
    ) -> End {
        let request = event.request();
        let task = match Task::of(&request, REGION) {
            Ok(task) => task,
            Err(error) => return End::Failed(Failure::new(error.to_string())),
        };
        let start = request.requested_at + Duration::from_secs(1);
        let mut now = start;
        for _ in 0..200 {
            let delivery = delivery(&request, now);
            let next = match self.round(&task, &phase, &delivery, watch) {
                Ok(next) => next,
                Err(error) => match phase.after_error(error, &delivery) {
                    Ok(next) => next,
                    Err(error) if error.trouble().outlook == Outlook::Transient => {
                        Next::Wait(super::Pause {
                            waiting_for: error.to_string(),
                            retry_after: Duration::from_secs(5),
                            phase: phase.clone(),
                        })
                    }
                    Err(error) => match phase.undoing(&error.to_string(), &delivery) {
                        Some(undo) => Next::Again(undo),
                        None => return End::Failed(Failure::new(error.to_string())),
                    },
                },
            };
            match next {
                Next::Again(next) => phase = next,
                Next::Wait(pause) => {
                    now += pause.retry_after;
                    let remembered = pause.phase.remembered();
                    phase = Phase::read(Some(remembered), &request);
                    if now > start + Duration::from_secs(seconds) {
                        return End::Waiting(Box::new(phase));
                    }
                }
                Next::Done(success) => return End::Done(success),
                Next::Failed(failure) => return End::Failed(failure),
                Next::AwaitRequested(_) => panic!("nothing was requested"),
            }
        }
        panic!("{} has no end: {phase:?}", event.kind);
    }

    fn round(
        &mut self,
        task: &Task,
        phase: &Phase,
        delivery: &Delivery<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Next, Error> {
        let mut observed = self.observe(task, phase);
        loop {
            let plan = Plan::of(task, phase, &observed, delivery);
            watch(self, &observed, &plan);
            match plan? {
                Plan::Ask(question) => self.answer(&question, &mut observed),
                Plan::Do(actions, mut next) => {
                    for action in actions {
                        let acted = match self.act(&action) {
                            Err(_) if action.is_optional() => Acted::Done,
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

pub(super) fn delivery(request: &Request, now: SystemTime) -> Delivery<'_> {
    let max_age = Duration::from_secs(900);
    let age = now.duration_since(request.requested_at).unwrap();
    let is_create = request.request_type == custom_resource::RequestType::Create;
    Delivery {
        request,
        now,
        jitter: 1.0,
        may_be_repeat: false,
        max_age,
        is_too_late: is_create && age > max_age,
        search_again_at: request.requested_at + max_age,
    }
}

fn described(arn: &CertificateArn, names: &[CertificateName], status: Status) -> Certificate {
    let validation = |name: &CertificateName| Validation {
        name: name.clone(),
        done: status == Status::Issued,
        record: Some(record(&name.base)),
    };
    Certificate {
        arn: arn.clone(),
        domain: names[0].clone(),
        names: names.iter().cloned().collect(),
        key_algorithm: "RSA_2048".to_owned(),
        export: false,
        in_use_by: Vec::new(),
        validations: names.iter().map(validation).collect(),
        status,
    }
}
