//! What exists, as plain data. Nothing is decided here.

use super::{
    access::{Access, ParentZone},
    delegation::Delegation,
    properties::{Leaving, ParentReference, RecordsOnDelete},
    task::{Establish, Remove, Task, Which},
};
use crate::error::{Error, LISTED};
use aws_calls::{AwsError, at_once};
use custom_resource::{Invocation, Request};
use dns_check::{Fault, Standing, Transport};
use futures::{join, try_join};
use hosted_zones::{
    DomainName, HostedZone, HostedZoneId, ListedZone, NameServers, RecordSet, RrType,
};
use ownership::{Owner, Requester, zone::Ownership};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The number of record sets of a zone that are read to be deleted: one page of an answer.
const READ: usize = 300;

/// What exists, as far as a request needs it. A map contains only what was read, by the id of the child zone.
#[derive(Debug)]
pub(super) struct Observed {
    /// The parent zone, or why it cannot be read. None if a Delete does not need it.
    pub(super) parent: Option<Result<ParentZone, Error>>,
    /// The record sets of the parent at and around the name. Create and Update only.
    pub(super) around: Option<Around>,
    /// The zones that the request may concern.
    pub(super) zones: Vec<Zone>,
    pub(super) contents: BTreeMap<HostedZoneId, Contents>,
    /// The NS record set of a zone in its parent.
    pub(super) sets: BTreeMap<HostedZoneId, SetInParent>,
    /// What the parent's name servers say about a zone's delegation.
    pub(super) seen: BTreeMap<HostedZoneId, Standing>,
    /// The fault of the delegation that occupies the name. The inner value is none if it was read and has no
    /// fault.
    pub(super) occupant: Option<Option<Fault>>,
    /// The name servers of all public zones of the account with this name, by their ids.
    pub(super) namesakes: Option<Vec<(HostedZoneId, NameServers)>>,
    /// The answer to the last action, if it contradicts what was observed before.
    pub(super) conflict: Option<Conflict>,
}

/// A public zone of this account with its tags.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    pub(super) zone: HostedZone,
    pub(super) tags: BTreeMap<String, String>,
}

/// The record sets of a parent zone that a delegation of the name concerns.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    /// The NS record set at the name itself.
    pub(super) delegation: Option<RecordSet>,
    /// What a delegation would occlude: other record sets at the name, and all below it.
    pub(super) occluded: Vec<RecordSet>,
    /// What occludes the name: NS record sets between the parent's apex and the name.
    pub(super) above: Vec<RecordSet>,
}

/// The contents of a zone without the SOA and NS record sets of its apex.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    /// NS record sets below the apex: the first eleven.
    pub(super) delegations: Vec<RecordSet>,
    /// CNAMEs with which ACM validates certificates, as far as they were read.
    pub(super) validations: Vec<RecordSet>,
    /// All other record sets. If records prevent the deletion, the first eleven.
    pub(super) records: Vec<RecordSet>,
    /// The TTL of the NS record set at the apex, unless it is the one that Route 53 sets.
    pub(super) apex_ttl: Option<i64>,
    /// Whether not all of the last two were read.
    pub(super) more: bool,
    /// Whether it is signed with DNSSEC. None if that is denied or unknown.
    pub(super) signed: Option<bool>,
    /// Its record set protections. None if that is denied or unknown.
    pub(super) protections: Option<Vec<String>>,
}

/// The NS record set of a delegation in its parent.
#[derive(Clone, Debug)]
pub(super) enum SetInParent {
    /// There is none, or no such parent zone.
    Absent,
    Present(RecordSet),
    /// This function has no permission to read it.
    NoPermission(Error),
}

/// The TTL, in seconds, that Route 53 sets for the NS record set at the apex of each zone
/// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/SOA-NSrecords.html>). Zones of release 0.2.0
/// still have it. No Delete could wait that long.
const ROUTE53_APEX_TTL: i64 = 172_800;

/// An answer that shows that what was observed is wrong, or has changed.
#[derive(Clone, Debug)]
pub(super) enum Conflict {
    /// A record set was changed since it was read.
    Stale(AwsError),
    /// The parent keeps the NS record set while resolvers still use it (`ACTIVE_DELEGATION_CHECK`).
    Active,
    /// The parent refuses the change: a guardrail or a protection.
    Refused(AwsError),
    /// This function has no permission to change the parent.
    NoPermission(Error),
    /// The zone was deleted while this NS record set was created.
    ZoneDeleted(RecordSet),
    /// The request has already created a zone.
    ReferenceUsed(AwsError),
    /// The zone cannot be deleted because of its contents.
    NotEmpty(AwsError),
}

/// A fact that only some plans need.
#[derive(Clone, Debug)]
pub(super) enum Question {
    /// The contents of a zone. With `RecordsOnDelete::Fail`, reading ends when enough is found that prevents
    /// the deletion.
    Contents {
        zone: HostedZoneId,
        name: DomainName,
        records: RecordsOnDelete,
    },
    /// The NS record set of a delegation.
    Set(Delegation),
    /// What the parent's name servers say about it: whether they still delegate to any of these name servers
    /// or, if none are known, to those that the physical id proves.
    Seen {
        delegation: Delegation,
        parent: DomainName,
        to: Option<NameServers>,
    },
    /// Whether the name servers of this NS record set serve its name.
    Occupant(RecordSet),
    /// The zones with this name.
    Namesakes(DomainName),
}

impl Zone {
    pub(super) fn ownership(&self, owner: &Owner, former: &[String]) -> Ownership {
        Ownership::of(owner, former, &self.zone, &self.tags)
    }
}

impl std::ops::Deref for Zone {
    type Target = HostedZone;

    fn deref(&self) -> &HostedZone {
        &self.zone
    }
}

impl Observed {
    pub(super) fn nothing() -> Self {
        Self {
            parent: None,
            around: None,
            zones: Vec::new(),
            contents: BTreeMap::new(),
            sets: BTreeMap::new(),
            seen: BTreeMap::new(),
            occupant: None,
            namesakes: None,
            conflict: None,
        }
    }

    pub(super) fn zone(&self, id: &HostedZoneId) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.id == *id)
    }
}

/// Reads what exists.
pub(super) struct Observer<'a, T> {
    pub(super) access: &'a Access<T>,
    pub(super) request: &'a Request,
    pub(super) invocation: &'a Invocation,
}

impl<T: Transport> Observer<'_, T> {
    /// Reads what a task needs.
    ///
    /// # Errors
    ///
    /// A call failed, or the parent zone of a Create or Update cannot be used.
    pub(super) async fn observe(&self, task: &Task) -> Result<Observed, Error> {
        match task {
            Task::Establish(task) => Box::pin(self.before_establishing(task)).await,
            Task::Remove(task) => self.before_removing(task).await,
            Task::Nothing => Ok(Observed::nothing()),
        }
    }

    /// Reads one more fact.
    ///
    /// # Errors
    ///
    /// A call failed.
    pub(super) async fn read(
        &self,
        question: &Question,
        task: &Task,
        observed: &mut Observed,
    ) -> Result<(), Error> {
        match question {
            Question::Contents {
                zone,
                name,
                records,
            } => {
                let contents = self.contents(zone, name, *records).await?;
                observed.contents.insert(zone.clone(), contents);
            }
            Question::Set(delegation) => {
                let set = self.set(delegation, task).await?;
                observed.sets.insert(delegation.zone.clone(), set);
            }
            Question::Seen {
                delegation,
                parent,
                to,
            } => {
                let owner = self.request.owner();
                let is_to = |found: &NameServers| match to {
                    Some(servers) => found.shares_any(servers),
                    None => delegation.is_to(found, &owner),
                };
                let dns = &self.access.dns;
                let seen = dns.standing(parent, &delegation.name, is_to).await;
                observed.seen.insert(delegation.zone.clone(), seen);
            }
            Question::Occupant(set) => {
                if let Some(Ok(parent)) = &observed.parent {
                    let (name, servers) = (set.name(), set.name_servers());
                    let (above, above_servers) = (&parent.name, &parent.name_servers);
                    let dns = &self.access.dns;
                    let check = dns.check_delegation(above, above_servers, &name, &servers);
                    observed.occupant = Some(check.await.err());
                }
            }
            Question::Namesakes(name) => {
                let zones = self.access.route53.zones_named(name).await?;
                let zones = zones.iter().map(|zone| self.access.route53.zone(&zone.id));
                let zones = at_once(zones).await?.into_iter().flatten();
                let servers = zones.map(|zone| (zone.id.clone(), zone.name_servers));
                observed.namesakes = Some(servers.collect());
            }
        }
        Ok(())
    }

    async fn before_establishing(&self, task: &Establish) -> Result<Observed, Error> {
        self.invocation.doing("reading the parent zone");
        let parent = self.parent(&task.wanted.parent).await?;
        let name = task.wanted.name(&parent.name)?;
        self.invocation
            .doing(format!("reading what exists for {name}"));
        let also = task.wanted.external_zone.iter();
        let also = also.chain(task.current.iter().map(|current| &current.zone));
        let (confirmed, zones, around) = join!(
            self.confirm(&parent, &task.wanted.parent),
            self.zones_named(&name, also),
            self.around(&parent, &task.wanted.parent, &name),
        );
        // In this order, because reads of the wrong zone fail too, with a less helpful error.
        confirmed?;
        Ok(Observed {
            around: Some(around?),
            zones: zones?,
            parent: Some(Ok(parent)),
            ..Observed::nothing()
        })
    }

    async fn before_removing(&self, task: &Remove) -> Result<Observed, Error> {
        let zones = match &task.which {
            Which::Named(delegation) => {
                let name = &delegation.name;
                self.invocation
                    .doing(format!("reading what exists for {name}"));
                let zone = self.zone(&delegation.zone).await?;
                zone.into_iter().collect()
            }
            Which::Tagged | Which::Leftovers { .. } => {
                return self.before_removing_tagged(&task.leaving).await;
            }
        };
        Ok(Observed {
            zones,
            ..Observed::nothing()
        })
    }

    async fn before_removing_tagged(&self, leaving: &Leaving) -> Result<Observed, Error> {
        self.invocation
            .doing("searching for what this resource has, by its ownership tags");
        let parent = match &leaving.parent {
            Ok(reference) => match self.parent(reference).await {
                Ok(parent) => self.confirm(&parent, reference).await.map(|()| parent),
                Err(error) => Err(error),
            },
            Err(error) => Err(error.clone()),
        };
        let zones = match &parent {
            Ok(parent) => match parent.name.child(&leaving.labels) {
                Ok(name) => self.zones_named(&name, []).await?,
                // The Create was refused because of the name.
                Err(_) => Vec::new(),
            },
            // Then the name is not known. So every zone of the account is listed, and those are read whose
            // CallerReference names this resource, or whose name begins with the labels.
            Err(_) => {
                let labels = format!("{}.", leaving.labels);
                let owner = self.request.owner();
                let may_be_meant = |zone: &ListedZone| {
                    owner.created(&zone.caller_reference) || zone.name.as_str().starts_with(&labels)
                };
                let listed = self.access.route53.zones_where(may_be_meant).await?;
                self.zones(listed.into_iter().map(|zone| zone.id)).await?
            }
        };
        Ok(Observed {
            parent: Some(parent),
            zones,
            ..Observed::nothing()
        })
    }

    async fn parent(&self, reference: &ParentReference) -> Result<ParentZone, Error> {
        let Self {
            access,
            request,
            invocation,
        } = self;
        access.parent(reference, request, invocation).await
    }

    async fn confirm(&self, parent: &ParentZone, reference: &ParentReference) -> Result<(), Error> {
        let Self {
            access,
            request,
            invocation,
        } = self;
        access.confirm(parent, reference, request, invocation).await
    }

    /// Returns the public zones with this name, and those with these ids, each once.
    async fn zones_named(
        &self,
        name: &DomainName,
        also: impl IntoIterator<Item = &HostedZoneId>,
    ) -> Result<Vec<Zone>, Error> {
        let named = self.access.route53.zones_named(name).await?;
        let named = named.into_iter().map(|zone| zone.id);
        let ids: BTreeSet<HostedZoneId> = named.chain(also.into_iter().cloned()).collect();
        self.zones(ids).await
    }

    async fn zones(&self, ids: impl IntoIterator<Item = HostedZoneId>) -> Result<Vec<Zone>, Error> {
        let zones = ids.into_iter().map(async |id| self.zone(&id).await);
        let zones = futures::future::try_join_all(zones).await?;
        Ok(zones.into_iter().flatten().collect())
    }

    /// Returns a zone with its tags. None if there is no such zone.
    async fn zone(&self, id: &HostedZoneId) -> Result<Option<Zone>, Error> {
        let route53 = &self.access.route53;
        let (zone, tags) = try_join!(route53.zone(id), route53.zone_tags(id))?;
        Ok(zone.zip(tags).map(|(zone, tags)| Zone { zone, tags }))
    }

    /// Returns the record sets of the parent around a name: one call, and one for each label between the
    /// parent and the name.
    async fn around(
        &self,
        parent: &ParentZone,
        reference: &ParentReference,
        name: &DomainName,
    ) -> Result<Around, Error> {
        let route53 = self.parents_route53(reference).await?;
        let between = name.between(&parent.name);
        // One more than are listed, the delegation itself and its DS record set.
        let at_or_below = route53.record_sets_from(&parent.id, name, LISTED + 3, |_| true);
        let above = at_once(between.iter().map(async |name| {
            let set = route53.record_set(&parent.id, name, RrType::Ns).await;
            set.map_err(AwsError::from)
        }));
        let (at_or_below, above) = try_join!(at_or_below, above)?;
        let is_of_type = |set: &RecordSet, kind| set.name() == *name && set.kind() == kind;
        // A DS record set belongs to the parent's side of the zone cut (RFC 4035, section 3.1.4.1).
        let sets = at_or_below.into_iter();
        let (delegation, occluded) = sets
            .filter(|set| !is_of_type(set, "DS"))
            .partition::<Vec<_>, _>(|set| is_of_type(set, "NS"));
        Ok(Around {
            delegation: delegation.into_iter().next(),
            occluded,
            above: above.into_iter().flatten().collect(),
        })
    }

    async fn parents_route53(
        &self,
        reference: &ParentReference,
    ) -> Result<hosted_zones::Route53, Error> {
        let Self {
            access,
            request,
            invocation,
        } = self;
        access.parents_route53(reference, request, invocation).await
    }

    /// Returns the NS record set of a delegation in its parent.
    async fn set(&self, delegation: &Delegation, task: &Task) -> Result<SetInParent, Error> {
        let set = async {
            let route53 = self.parents_route53(task.parent()?).await?;
            let read = route53.record_set(&delegation.parent, &delegation.name, RrType::Ns);
            match read.await {
                Ok(Some(set)) => Ok(SetInParent::Present(set)),
                Ok(None) => Ok(SetInParent::Absent),
                Err(error) if error.is_no_such_zone() => Ok(SetInParent::Absent),
                Err(error) => Err(AwsError::from(error).into()),
            }
        };
        match set.await {
            Err(error) if Error::lacks_permission(&error) => Ok(SetInParent::NoPermission(error)),
            set => set,
        }
    }

    async fn contents(
        &self,
        zone: &HostedZoneId,
        name: &DomainName,
        records: RecordsOnDelete,
    ) -> Result<Contents, Error> {
        let route53 = &self.access.route53;
        let mut contents = Contents::default();
        let read = |set: &RecordSet| {
            let list = if set.name() == *name && matches!(set.kind(), "SOA" | "NS") {
                if set.kind() == "NS" {
                    contents.apex_ttl = set.ttl().filter(|ttl| *ttl != ROUTE53_APEX_TTL);
                }
                return false;
            } else if set.kind() == "NS" {
                &mut contents.delegations
            } else if set.is_acm_validation() {
                &mut contents.validations
            } else {
                &mut contents.records
            };
            if list.len() < READ {
                list.push(set.clone());
            } else {
                contents.more = true;
            }
            set.kind() == "NS" || records == RecordsOnDelete::Fail && !set.is_acm_validation()
        };
        let (read, signed, protections) = join!(
            route53.record_sets_from(zone, name, LISTED + 1, read),
            route53.is_signed(zone),
            route53.protections(zone),
        );
        read?;
        contents.signed = known(signed)?;
        contents.protections = known(protections)?.map(|protections| {
            let named = protections.iter().map(|p| format!("{} {}", p.kind, p.name));
            named.collect()
        });
        Ok(contents)
    }
}

/// Returns the result of a check, or none if it is denied or unknown: Route 53 itself refuses to delete such
/// a zone.
fn known<T>(checked: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match checked {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_transient() => Err(error),
        Err(error) => {
            tracing::warn!(%error, "not checked before the delete");
            Ok(None)
        }
    }
}

/// Writes one line, or a list with `{:#}`.
impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut facts = Vec::new();
        match &self.parent {
            None => {}
            Some(Ok(parent)) => facts.push(format!("parent {parent}")),
            Some(Err(error)) => facts.push(format!("the parent cannot be read: {error}")),
        }
        if let Some(around) = &self.around {
            facts.extend(
                around
                    .delegation
                    .iter()
                    .map(|set| format!("in the parent: {set}")),
            );
            let occluded = around.occluded.iter();
            facts.extend(occluded.map(|set| format!("in the parent, to be occluded: {set}")));
            let above = around.above.iter();
            facts.extend(above.map(|set| format!("in the parent, above the name: {set}")));
        }
        facts.extend(self.zones.iter().map(ToString::to_string));
        facts.extend(
            self.contents
                .iter()
                .map(|(id, contents)| format!("{id} has {contents}")),
        );
        facts.extend(self.sets.iter().map(|(id, set)| match set {
            SetInParent::Absent => format!("{id} has no NS record set in the parent"),
            SetInParent::Present(set) => format!("at the name of {id} in the parent: {set}"),
            SetInParent::NoPermission(error) => {
                format!("the NS record set of {id} cannot be read: {error}")
            }
        }));
        facts.extend(self.seen.iter().map(|(id, seen)| match seen {
            Standing::Gone => format!("no name server of the parent delegates to {id}"),
            Standing::Stands(said) | Standing::Unknown(said) => format!("over DNS: {said}"),
        }));
        if let Some(Some(fault)) = &self.occupant {
            facts.push(format!("over DNS: {fault}"));
        }
        let namesakes = self.namesakes.iter().flatten();
        facts.extend(namesakes.map(|(id, servers)| format!("also of this name: {id} ({servers})")));
        match &self.conflict {
            None => {}
            Some(Conflict::Active) => {
                facts.push("the parent keeps an active delegation".to_owned());
            }
            Some(Conflict::ZoneDeleted(set)) => facts.push(format!("no zone for {set} any more")),
            Some(Conflict::NoPermission(error)) => facts.push(format!("refused: {error}")),
            Some(
                Conflict::Stale(error)
                | Conflict::Refused(error)
                | Conflict::ReferenceUsed(error)
                | Conflict::NotEmpty(error),
            ) => facts.push(format!("refused: {error}")),
        }
        if facts.is_empty() {
            facts.push("nothing".to_owned());
        }
        if f.alternate() {
            return facts.iter().try_for_each(|fact| writeln!(f, "- {fact}"));
        }
        f.write_str(&facts.join("; "))
    }
}

/// Writes `zone Z1 dev.example.com (ns-1.example.net), created by f00d…, of Zone in 0123`.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, name, servers) = (&self.id, self.name.as_str(), &self.name_servers);
        write!(f, "zone {id} {name} ({servers})")?;
        let tags: Vec<String> = (self.tags.iter())
            .filter_map(|(key, value)| {
                let key = key.strip_prefix("zone-delegation:")?;
                let value = value.rsplit(':').next().unwrap_or_default();
                Some(format!("{key} {value}"))
            })
            .collect();
        match tags.as_slice() {
            [] => f.write_str(" without ownership tags"),
            tags => write!(f, " with {}", tags.join(", ")),
        }
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            delegations,
            validations,
            records,
            more,
            ..
        } = self;
        let and_more = if *more { " and more" } else { "" };
        let counts = [
            (delegations.len(), "delegations"),
            (validations.len(), "validation CNAMEs"),
            (records.len(), "other record sets"),
        ];
        let counts = counts.map(|(count, what)| format!("{count} {what}"));
        write!(f, "{}{and_more}", counts.join(", "))?;
        if self.signed == Some(true) {
            f.write_str(", DNSSEC")?;
        }
        match self.protections.as_deref() {
            None | Some([]) => Ok(()),
            Some(protections) => write!(f, ", protections of {}", protections.join(", ")),
        }
    }
}
