//! Test model for the plans: Parameter Store and Route 53 in their smallest form, for which plans are made
//! and carried out.

use super::{Action, Change, Delivery, End, Phase, Plan};
use crate::{
    observed::{Delegations, Observed, Parameter},
    properties::{Part, Prefix, Task},
};
use custom_resource::{Clock, Request};
use hosted_zones::{DomainName, HostedZone, HostedZoneId, ListedZone, NameServers};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

pub(super) const STACK: &str = "arn:aws:cloudformation:eu-west-1:111111111111:stack/networking/1";
pub(super) const OTHER_STACK: &str = "arn:aws:cloudformation:eu-west-1:111111111111:stack/other/2";
pub(super) const PREFIX: &str = "/zone-delegation/dev";

/// The time at which the stories begin, in seconds since 1970.
pub(super) const START: u64 = 1_795_500_000;

/// Everything that exists.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Store {
    /// The parameters by their full name.
    pub(super) parameters: BTreeMap<String, Parameter>,
    /// The delegations by zone.
    pub(super) delegations: BTreeMap<String, Vec<DomainName>>,
}

/// A request of a logical id of the stack.
pub(super) struct Event<'a> {
    pub(super) kind: &'a str,
    pub(super) logical_id: &'a str,
    pub(super) physical_id: String,
    pub(super) properties: Value,
    pub(super) before: Value,
    /// The time in seconds after the start, which is also part of the request's id.
    pub(super) at: u64,
}

impl Event<'_> {
    pub(super) fn request(&self) -> Request {
        let at = Clock::moment(START + self.at);
        let event = json!({
            "RequestType": self.kind,
            "ResponseURL": "https://bucket.s3.amazonaws.com/key",
            "RequestId": format!("request {}", self.at),
            "StackId": STACK,
            "LogicalResourceId": self.logical_id,
            "ResourceType": "Custom::PublishedZone",
            "PhysicalResourceId": self.physical_id,
            "ResourceProperties": self.properties,
            "OldResourceProperties": self.before,
        });
        Request::decode(&event, at).expect("it is a request")
    }
}

/// Returns a public zone of the account: `Z1` is dev1.example.com; `ZPRIVATE` is private; `Z404` does not exist.
pub(super) fn zone(id: &HostedZoneId) -> Option<HostedZone> {
    let label = id.as_str().to_lowercase().replace('z', "dev");
    let name = DomainName::parse(&format!("{label}.example.com")).unwrap();
    let servers = ["1.awsdns.com", "2.awsdns.net"].map(|host| format!("{label}-{host}"));
    let listed = ListedZone {
        id: id.clone(),
        name,
        caller_reference: String::new(),
        private: id.as_str() == "ZPRIVATE",
        comment: String::new(),
        record_sets: 2,
    };
    (id.as_str() != "Z404").then(|| HostedZone {
        listed,
        name_servers: NameServers::new(servers),
    })
}

pub(super) fn name(prefix: &str, part: Part) -> String {
    Prefix::parse(prefix).unwrap().name(part)
}

impl Store {
    /// Returns what exists, as far as the task needs it.
    pub(super) fn observe(&self, task: &Task) -> Observed {
        let below = |prefix: Option<&Prefix>| -> Vec<Parameter> {
            let parameter = |part| self.parameters.get(&prefix?.name(part)).cloned();
            Part::ALL.into_iter().filter_map(parameter).collect()
        };
        let mut observed = Observed {
            zone: None,
            parameters: Vec::new(),
            of_failed_update: Vec::new(),
            names_in_use: Vec::new(),
            delegations: Delegations::Unread,
            conflict: None,
        };
        match task {
            Task::Withdraw(withdrawal) => observed.parameters = below(withdrawal.prefix.as_ref()),
            Task::Publish(publication) => {
                observed.zone = zone(&publication.zone);
                observed.parameters = below(Some(&publication.prefix));
                observed.of_failed_update = below(publication.failed_prefix.as_ref());
                let delegated = self.delegations.get(publication.zone.as_str());
                let removed = publication.removed_names.iter();
                let in_use = removed.filter(|name| delegated.is_some_and(|all| all.contains(name)));
                observed.names_in_use = in_use.cloned().collect();
            }
        }
        observed
    }

    pub(super) fn delegations_of(&self, id: &HostedZoneId) -> Delegations {
        match zone(id) {
            None => Delegations::NoZone,
            Some(zone) => Delegations::Of {
                zone: zone.name.clone(),
                names: self
                    .delegations
                    .get(id.as_str())
                    .cloned()
                    .unwrap_or_default(),
                more: false,
            },
        }
    }

    /// Returns the plan for a request that arrives now, with its observation.
    pub(super) fn plan(&self, delivery: &Delivery<'_>) -> (Observed, Plan) {
        let task = Task::of(delivery.request).expect("the properties are valid");
        let mut observed = self.observe(&task);
        let mut plan = Plan::of(&task, &observed, delivery);
        if let Plan::ReadDelegations(id) = plan {
            observed.delegations = self.delegations_of(&id);
            plan = Plan::of(&task, &observed, delivery);
        }
        (observed, plan)
    }

    /// Carries out a plan, and returns whether it ends in SUCCESS.
    pub(super) fn carry_out(&mut self, plan: &Plan, now: SystemTime) -> bool {
        match plan {
            Plan::Do(actions, end) => {
                for action in actions {
                    self.act(action, now);
                }
                matches!(end, End::Done(_))
            }
            Plan::Refuse(_) => false,
            Plan::ReadDelegations(_) => panic!("they were read"),
        }
    }

    pub(super) fn act(&mut self, action: &Action, now: SystemTime) {
        let name = |part: &Part| action.prefix.name(*part);
        match &action.change {
            Change::Create(values, tags) => {
                for (part, value) in values {
                    let new = Parameter {
                        part: *part,
                        value: value.clone(),
                        modified: now,
                        tags: tags.clone(),
                    };
                    let old = self.parameters.insert(name(part), new);
                    assert_eq!(old, None, "created over another");
                }
            }
            Change::Overwrite(values) => {
                for (part, value) in values {
                    let parameter = self.existing(&name(part));
                    parameter.value.clone_from(value);
                    parameter.modified = now;
                }
            }
            Change::AddTags(_, all) => {
                for (part, tags) in all {
                    let tags = tags.clone();
                    self.existing(&name(part)).tags.extend(tags);
                }
            }
            Change::RemoveTags(_, all) => {
                for (part, keys) in all {
                    let tags = &mut self.existing(&name(part)).tags;
                    tags.retain(|key, _| !keys.contains(key));
                }
            }
            Change::Delete(parts) => {
                for part in parts {
                    self.parameters.remove(&name(part)).expect("it exists");
                }
            }
        }
    }

    fn existing(&mut self, name: &str) -> &mut Parameter {
        self.parameters.get_mut(name).expect("it exists")
    }
}

/// Returns a delivery right after the request was made.
pub(super) fn at_once(request: &Request) -> Delivery<'_> {
    Delivery {
        request,
        phase: Phase::First,
        now: request.requested_at + Duration::from_secs(1),
        may_be_repeat: false,
        second_search: request.requested_at + Duration::from_secs(900),
    }
}
