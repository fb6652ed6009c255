//! Changes that people make by hand, and what tests read: directly in the state, without the wire.

use std::collections::{BTreeMap, BTreeSet};

use crate::custody::Thing;
use crate::iam::principal::Hand;
use crate::route53::name::Name;
use crate::route53::record_set::{Action, Change, RecordKey, RecordSet};
use crate::route53::{self, NewZone, Zone};
use crate::ssm::Parameter;
use crate::state::State;
use crate::step_functions::{Execution, StepFunctions};
use crate::wire::answer::ServiceError;
use crate::world::World;
use crate::{Certificate, FormerZone, Timestamp};

/// One change by hand.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Creates a record set: name, type, TTL, values.
    Create(String, String, u32, Vec<String>),
    /// Deletes the record set of this name and type, whatever its values.
    Delete(String, String),
}

impl Edit {
    /// Returns the creation of a record set.
    pub fn create(name: &str, kind: &str, ttl: u32, values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Self::Create(name.to_owned(), kind.to_owned(), ttl, values)
    }

    /// Returns the deletion of a record set.
    pub fn delete(name: &str, kind: &str) -> Self {
        Self::Delete(name.to_owned(), kind.to_owned())
    }

    fn change(&self, zone: &Zone) -> Result<Change, ServiceError> {
        let key = |name: &str, kind: &str| RecordKey::new(&Name::of(name), kind);
        Ok(match self {
            Self::Create(name, kind, ttl, values) => {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                Change {
                    action: Action::Create,
                    key: key(name, kind),
                    set: RecordSet::new(*ttl, &values, Hand::Person),
                }
            }
            Self::Delete(name, kind) => {
                let key = key(name, kind);
                let set = zone.records.get(&key).cloned().ok_or_else(|| {
                    ServiceError::bad("InvalidChangeBatch", format!("no {name} {kind}"))
                })?;
                Change {
                    action: Action::Delete,
                    key,
                    set,
                }
            }
        })
    }
}

/// The acts of people. Each is logged, and IAM does not restrict them.
impl World {
    fn act<T>(
        &self,
        action: &str,
        target: &str,
        act: impl FnOnce(&mut State) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        let mut state = self.state();
        let result = act(&mut state);
        let at = state.now;
        state.log.push(crate::Event {
            at,
            hand: Some(Hand::Person),
            account: String::new(),
            action: action.to_owned(),
            target: target.to_owned(),
            outcome: result
                .as_ref()
                .map_or_else(|error| error.code.clone(), |_| "ok!".to_owned()),
        });
        result
    }

    /// Creates a public zone and returns its id.
    ///
    /// # Errors Those of the API.
    pub fn make_zone(&self, account: &str, name: &str) -> Result<String, ServiceError> {
        self.new_zone(account, name, false)
    }

    /// Creates a private zone and returns its id.
    ///
    /// # Errors Those of the API.
    pub fn make_private_zone(&self, account: &str, name: &str) -> Result<String, ServiceError> {
        self.new_zone(account, name, true)
    }

    fn new_zone(&self, account: &str, name: &str, private: bool) -> Result<String, ServiceError> {
        self.act("makes zone", name, |state| {
            let caller_reference = format!("by hand {}", state.random.u64(..));
            let zone = NewZone {
                account: account.to_owned(),
                name: Name::of(name),
                caller_reference,
                comment: String::new(),
                private,
            };
            route53::create(state, zone, &Hand::Person).map(|(id, _)| id)
        })
    }

    /// Deletes a zone.
    ///
    /// # Errors Those of the API; `NoSuchHostedZone` if it does not exist.
    pub fn remove_zone(&self, id: &str) -> Result<(), ServiceError> {
        self.act("deletes zone", id, |state| {
            existing(state, id)?;
            route53::delete(state, id, &Hand::Person).map(drop)
        })
    }

    /// Changes record sets of a zone, in one batch.
    ///
    /// # Errors Those of the API.
    pub fn edit_records(&self, zone_id: &str, edits: &[Edit]) -> Result<(), ServiceError> {
        self.act("edits records", &format!("{zone_id} {edits:?}"), |state| {
            let zone = existing(state, zone_id)?;
            let changes: Vec<Change> = edits
                .iter()
                .map(|edit| edit.change(zone))
                .collect::<Result<_, _>>()?;
            route53::change(state, zone_id, &changes, &Hand::Person).map(drop)
        })
    }

    /// Changes a zone itself: its tags, guardrails, protections, signing, and delegations in use.
    ///
    /// # Errors
    /// `NoSuchHostedZone`.
    pub fn edit_zone(&self, id: &str, edit: impl FnOnce(&mut Zone)) -> Result<(), ServiceError> {
        self.act("edits zone", id, |state| {
            existing(state, id)?;
            state.custody.touched_by_person(Thing::Zone(id.to_owned()));
            edit(state.route53.zones.get_mut(id).expect("it exists"));
            state.dns.changed();
            Ok(())
        })
    }

    /// Turns DNSSEC signing of a zone on; answers the value of the DS record set that belongs to it.
    ///
    /// # Errors
    /// `NoSuchHostedZone`.
    pub fn sign_zone(&self, id: &str) -> Result<String, ServiceError> {
        self.edit_zone(id, |zone| zone.signed = true)?;
        Ok(crate::dns::ds(existing(&self.state(), id)?))
    }

    /// Removes all tags of a zone that was transferred to another logical id of its stack.
    ///
    /// # Errors
    /// There is no such zone.
    pub fn disown_zone(&self, id: &str) -> Result<(), ServiceError> {
        self.edit_zone(id, |zone| zone.tags.clear())?;
        let mut state = self.state();
        let name = state.route53.zones[id].name.clone();
        state.custody.disowned(id, &name);
        Ok(())
    }

    /// Writes a parameter, whether or not it exists.
    pub fn write_parameter(&self, account: &str, region: &str, name: &str, value: &str) {
        self.act("writes parameter", name, |state| {
            let place = (account.to_owned(), region.to_owned(), name.to_owned());
            let modified = state.now;
            state
                .custody
                .touched_by_person(Thing::Parameter(place.clone()));
            state
                .ssm
                .parameters
                .entry(place)
                .and_modify(|parameter| {
                    value.clone_into(&mut parameter.value);
                    parameter.modified = modified;
                })
                .or_insert_with(|| Parameter {
                    kind: "String".to_owned(),
                    value: value.to_owned(),
                    version: 1,
                    tags: BTreeMap::new(),
                    made_by: Hand::Person,
                    modified,
                });
            Ok(())
        })
        .expect("it cannot fail");
    }

    /// Deletes a parameter, whoever wrote it.
    pub fn remove_parameter(&self, account: &str, region: &str, name: &str) {
        self.act("deletes parameter", name, |state| {
            let place = (account.to_owned(), region.to_owned(), name.to_owned());
            let now = state.now;
            state.ssm.delete(&place, now);
            state.custody.touched_by_person(Thing::Parameter(place));
            Ok(())
        })
        .expect("it cannot fail");
    }

    /// Changes a parameter, such as its tags.
    ///
    /// # Panics It does not exist.
    pub fn edit_parameter(
        &self,
        account: &str,
        region: &str,
        name: &str,
        edit: impl FnOnce(&mut Parameter),
    ) {
        self.act("edits parameter", name, |state| {
            let place = (account.to_owned(), region.to_owned(), name.to_owned());
            edit(state.ssm.parameters.get_mut(&place).expect("it exists"));
            state.custody.touched_by_person(Thing::Parameter(place));
            Ok(())
        })
        .expect("it cannot fail");
    }

    /// Changes a certificate, such as what uses it, or its status.
    ///
    /// # Errors
    /// `ResourceNotFoundException`.
    pub fn edit_certificate(
        &self,
        arn: &str,
        edit: impl FnOnce(&mut Certificate),
    ) -> Result<(), ServiceError> {
        self.act("edits certificate", arn, |state| {
            state
                .custody
                .touched_by_person(Thing::Certificate(arn.to_owned()));
            let certificate = state
                .acm
                .certificates
                .get_mut(arn)
                .ok_or_else(|| ServiceError::bad("ResourceNotFoundException", arn))?;
            edit(certificate);
            Ok(())
        })
    }

    /// Makes ACM refuse a name from now on, for this FailureReason.
    pub fn refuse_name(&self, name: &str, reason: &str) {
        self.state()
            .acm
            .refused
            .insert(name.to_owned(), reason.to_owned());
    }

    /// Returns all zones, by id.
    pub fn zones(&self) -> BTreeMap<String, Zone> {
        self.state().route53.zones.clone()
    }

    /// Returns all deleted zones, by id.
    pub fn former_zones(&self) -> BTreeMap<String, FormerZone> {
        self.state().route53.former.clone()
    }

    /// Returns a zone.
    pub fn zone(&self, id: &str) -> Option<Zone> {
        self.state().route53.zones.get(id).cloned()
    }

    /// Returns a record set as the API shows it.
    pub fn record_set(&self, zone_id: &str, name: &str, kind: &str) -> Option<RecordSet> {
        let key = RecordKey::new(&Name::of(name), kind);
        let state = self.state();
        state.route53.zones.get(zone_id)?.records.get(&key).cloned()
    }

    /// Returns all parameters, by account, Region and name.
    pub fn parameters(&self) -> BTreeMap<(String, String, String), Parameter> {
        self.state().ssm.parameters.clone()
    }

    /// Returns all certificates, by ARN.
    pub fn certificates(&self) -> BTreeMap<String, Certificate> {
        self.state().acm.certificates.clone()
    }

    /// Returns the executions that an invocation started and that do not run yet.
    pub fn take_executions(&self, invocation: u64) -> Vec<Execution> {
        let mut state = self.state();
        let StepFunctions {
            started,
            executions,
            ..
        } = &mut state.step_functions;
        let by_it = |key: &(String, String)| match &executions[key].started_by {
            Hand::Function(work) => work.invocation == invocation,
            Hand::Person => false,
        };
        let (taken, left) = started.drain(..).partition::<Vec<_>, _>(by_it);
        *started = left;
        taken.iter().map(|key| executions[key].clone()).collect()
    }

    /// Returns all executions that were ever started, by name.
    pub fn executions(&self) -> BTreeMap<String, Execution> {
        let state = self.state();
        let executions = state.step_functions.executions.iter();
        executions
            .map(|((_, name), execution)| (name.clone(), execution.clone()))
            .collect()
    }

    /// Ends an execution.
    pub fn end_execution(&self, state_machine_arn: &str, name: &str) {
        let key = (state_machine_arn.to_owned(), name.to_owned());
        if let Some(execution) = self.state().step_functions.executions.get_mut(&key) {
            execution.running = false;
        }
    }

    /// Returns the grants that calls have needed so far.
    pub fn used_grants(&self) -> BTreeSet<crate::Grant> {
        self.state().iam.used.clone()
    }

    /// Returns the number of the request for which a hand works, in the order in which CloudFormation sent
    /// them.
    pub fn request_of(&self, hand: &Hand) -> Option<u64> {
        self.state().custody.request_of(hand)
    }

    /// Returns the number of the last request.
    pub fn last_request(&self) -> u64 {
        self.last_numbers().0
    }

    /// Returns the world's time.
    pub fn now(&self) -> Timestamp {
        self.state().now
    }
}

fn existing<'a>(state: &'a State, id: &str) -> Result<&'a Zone, ServiceError> {
    state
        .route53
        .zones
        .get(id)
        .ok_or_else(|| ServiceError::new(404, "NoSuchHostedZone", id))
}
