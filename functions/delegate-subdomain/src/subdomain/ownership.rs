//! Whose a zone is: the one function that answers this, and every tag that decides it.
//!
//! What cannot be changed later decides. The `CallerReference` of a zone that this project created names the stack, the
//! logical id and the request. Tags say which logical id of the same stack has the zone now, and which request delegates
//! an external zone. If the tags and the `CallerReference` disagree about the stack, the zone is not changed.

use super::delegation::Proof;
use custom_resource::{
    Claim, Creation, LOGICAL_ID_TAG, Owner, PREVIOUS_LOGICAL_ID_TAG, REQUEST_TAG, Request,
    STACK_ID_TAG, Stage, is_second_form,
};
use hosted_zones::{HostedZoneId, ListedZone};
use std::{collections::BTreeMap, fmt};

/// On an external zone: the id of the parent zone from which this resource delegates it. When the parent changes, the
/// Delete of the old delegation reads from this tag that the zone is still delegated.
const PARENT_ID_TAG: &str = "zone-delegation:parent-id";
/// On an external zone whose delegation existed before: a request that fails leaves that delegation as it is.
const ADOPTED_TAG: &str = "zone-delegation:adopted";
/// The same as release 0.2.0 wrote it.
const PREVIOUS_TTL_TAG: &str = "zone-delegation:previous-ttl";
/// Written with the first ownership tags and deleted when all else is done: no request that worked on the zone can have
/// been answered SUCCESS yet.
const INCOMPLETE_TAG: &str = "zone-delegation:incomplete";
/// On a transferred zone: the logical id that its `CallerReference` names.
const CREATED_AS_TAG: &str = "zone-delegation:created-as";
/// On a transferred zone: the request that transferred it, in the form of [`REQUEST_TAG`], which names the request that
/// created it. Releases up to 0.2.0 did not write it.
const TRANSFER_TAG: &str = "zone-delegation:transfer";
/// On a zone that existed before the request which delegated it: that request, in the form of [`REQUEST_TAG`].
const DELEGATION_TAG: &str = "zone-delegation:delegation-request";

/// What a zone is to the resource of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ownership {
    /// Created by this project for this stack, and this resource has it now.
    Managed {
        /// Whether this logical id created it, and not one that was renamed.
        created_here: bool,
        /// The logical id that its `CallerReference` names.
        created_as: String,
        /// The request that created it.
        creation: Option<Creation>,
        stage: Stage,
        /// The request that delegated it, if that is a later one.
        delegated_by: Option<Creation>,
        transfer: Transfer,
    },
    /// An external zone that this resource delegates.
    External {
        /// The parent zone from which it is delegated.
        parent: Option<HostedZoneId>,
        /// Whether its delegation existed before.
        adopted: bool,
        /// The request that delegated it.
        creation: Option<Creation>,
        stage: Stage,
        transfer: Transfer,
    },
    /// Another logical id of the same stack has it.
    OtherLogicalId {
        logical_id: String,
        /// Whether it was transferred from this resource.
        transferred_from_here: bool,
        stage: Stage,
        /// The logical id that its `CallerReference` names. None if the zone is external.
        created_as: Option<String>,
    },
    OtherStack(Owner),
    /// It has no ownership tags, and this project did not create it, or not for this resource.
    Untagged,
    /// Its tags and its `CallerReference` disagree about the stack.
    Contradicting {
        /// Whether this resource created it.
        created_here: bool,
        /// Whose the tags say it is.
        tags: Owner,
    },
}

/// How a zone came from another logical id of the stack to this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Transfer {
    /// That logical id, until the stack has moved on: until then a Delete returns the zone to it.
    pub(super) from: Option<String>,
    /// The request that transferred it. None if it was not transferred, or by release 0.2.0 or earlier.
    pub(super) by: Option<Creation>,
}

impl Ownership {
    /// Returns what a zone is to the owner, which had the `former` logical ids in earlier templates.
    pub(super) fn of(
        owner: &Owner,
        former: &[String],
        zone: &ListedZone,
        tags: &BTreeMap<String, String>,
    ) -> Self {
        let tag = |key: &str| tags.get(key).cloned();
        let request = |key: &str| tags.get(key).and_then(|tag| Creation::of_tag(tag));
        let created_here = owner.made(&zone.caller_reference);
        let by_project = Creation::of_reference(&zone.caller_reference);
        // The logical id of a stack that created the zone, among all that are known.
        let created_by = |stack: &Owner, also: &str| {
            let noted = [tag(CREATED_AS_TAG), tag(PREVIOUS_LOGICAL_ID_TAG)];
            let known = [owner.logical_id.as_str(), also].into_iter();
            let known = known.chain(former.iter().map(String::as_str));
            let mut known = known.chain(noted.iter().flatten().map(String::as_str));
            let creator = known.find(|id| sibling(stack, id).made(&zone.caller_reference));
            creator.map(str::to_owned)
        };
        let claim = owner.claim(tags);
        let stage = if claim == Claim::Nobody || tags.contains_key(INCOMPLETE_TAG) {
            Stage::Creating
        } else {
            Stage::Created
        };
        let tagged = Creation::of_tags(tags);
        // The digest of the reference counts; the tag adds the time.
        let creation = match &by_project {
            Some(by_reference) => tagged
                .filter(|tagged| tagged.is_same_request(by_reference))
                .or_else(|| by_project.clone()),
            None => tagged,
        };
        let managed = |created_as: String, from| Self::Managed {
            created_here,
            created_as,
            creation: creation.clone(),
            stage,
            delegated_by: request(DELEGATION_TAG),
            transfer: Transfer {
                from,
                by: request(TRANSFER_TAG),
            },
        };
        let contradicting = |created_here, tags| Self::Contradicting { created_here, tags };
        match (claim, by_project.is_some()) {
            (Claim::Nobody, _) => match created_by(owner, &owner.logical_id) {
                Some(created_as) => managed(created_as, None),
                None => Self::Untagged,
            },
            (Claim::Own { taken_from: from }, true) => match created_by(owner, &owner.logical_id) {
                Some(created_as) => managed(created_as, from),
                None => contradicting(created_here, owner.clone()),
            },
            (Claim::Own { taken_from: from }, false) => Self::External {
                parent: tag(PARENT_ID_TAG).and_then(|id| HostedZoneId::parse(&id).ok()),
                adopted: tags.contains_key(ADOPTED_TAG) || tags.contains_key(PREVIOUS_TTL_TAG),
                creation,
                stage,
                transfer: Transfer {
                    from,
                    by: request(TRANSFER_TAG),
                },
            },
            (
                Claim::Sibling {
                    logical_id,
                    taken_from_us,
                },
                by_project,
            ) => {
                let created_as = created_by(owner, &logical_id);
                if by_project && created_as.is_none() {
                    return contradicting(created_here, sibling(owner, &logical_id));
                }
                Self::OtherLogicalId {
                    logical_id,
                    transferred_from_here: taken_from_us,
                    stage,
                    created_as: created_as.filter(|_| by_project),
                }
            }
            (Claim::Foreign(tags), false) => Self::OtherStack(tags),
            (Claim::Foreign(tags), true) => match created_by(&tags, &tags.logical_id) {
                Some(_) => Self::OtherStack(tags),
                None => contradicting(created_by(owner, &owner.logical_id).is_some(), tags),
            },
        }
    }

    /// Returns what the physical ids of this zone's delegations prove.
    pub(super) fn proof(&self, zone: &ListedZone) -> Proof {
        match self {
            Self::External { creation: None, .. } => Proof::OfNameServers,
            Self::External { .. } | Self::Untagged => Proof::OfOwner,
            _ if is_second_form(&zone.caller_reference) => Proof::OfOwner,
            _ => Proof::OfNameServers,
        }
    }

    /// Returns whether this resource has the zone.
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Managed { .. } | Self::External { .. })
    }

    /// Returns whether the Delete `request`, whose physical id names the zone, is of an earlier life of the resource: it was
    /// made before the request by which this resource came to the zone.
    pub(super) fn is_later_than(&self, request: &Request) -> bool {
        match self {
            Self::Managed {
                creation, transfer, ..
            }
            | Self::External {
                creation, transfer, ..
            } => !request.may_delete_named(transfer.by.as_ref().or(creation.as_ref())),
            _ => false,
        }
    }

    /// Returns whether the Delete `request`, whose physical id does not name the zone, or an Update that cleans up after one
    /// that failed, may remove what this resource has of it.
    pub(super) fn was_left_by(&self, request: &Request) -> bool {
        match self {
            // The Delete returns a transferred zone. A transfer of release 0.2.0 does not say by which request.
            Self::Managed {
                transfer: Transfer { from: Some(_), by },
                stage,
                ..
            }
            | Self::External {
                transfer: Transfer { from: Some(_), by },
                stage,
                ..
            } => by.is_none() || request.may_delete_unnamed(by.as_ref(), *stage),
            Self::Managed {
                created_here,
                creation,
                stage,
                ..
            } => *created_here && request.may_delete_unnamed(creation.as_ref(), *stage),
            Self::External {
                creation, stage, ..
            } => request.may_delete_unnamed(creation.as_ref(), *stage),
            _ => false,
        }
    }

    /// Returns whether the request, or one that it cleans up after, delegated a zone that existed before.
    pub(super) fn was_delegated_by(&self, request: &Request) -> bool {
        match self {
            Self::Managed { delegated_by, .. } => {
                request.may_delete_unnamed(delegated_by.as_ref(), Stage::Created)
            }
            _ => false,
        }
    }
}

fn sibling(owner: &Owner, logical_id: &str) -> Owner {
    Owner {
        logical_id: logical_id.to_owned(),
        ..owner.clone()
    }
}

/// Tags to set on a zone, and the keys of those to delete with the same call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tagging {
    pub(super) set: BTreeMap<String, String>,
    pub(super) delete: Vec<String>,
}

impl Tagging {
    /// A zone that `request` creates.
    pub(super) fn created(request: &Request) -> Self {
        Self::set(request.ownership_tags()).incomplete()
    }

    /// An external zone that `request` begins to delegate from `parent`.
    pub(super) fn external(request: &Request, parent: &HostedZoneId) -> Self {
        let mut tagging = Self::created(request);
        tagging.insert(PARENT_ID_TAG, parent.as_str());
        tagging
    }

    /// An external zone whose delegation `request` adopts.
    pub(super) fn adopted(request: &Request, parent: &HostedZoneId) -> Self {
        let mut tagging = Self::external(request, parent);
        tagging.insert(ADOPTED_TAG, "true");
        tagging
    }

    /// A zone that this resource has already.
    pub(super) fn own(request: &Request) -> Self {
        Self::set(request.owner().tag_map())
    }

    /// A zone that `request` transfers to its resource from another logical id.
    pub(super) fn transferred(request: &Request, from: &str, created_as: Option<&str>) -> Self {
        let tagging = Self::set(request.owner().tags_taken_from(from));
        let mut tagging = tagging.incomplete().with_request(TRANSFER_TAG, request);
        if let Some(created_as) = created_as {
            tagging.insert(CREATED_AS_TAG, created_as);
        }
        tagging
    }

    /// Returns it with the tag that names the request which delegates a zone that existed before.
    #[must_use]
    pub(super) fn delegated_by(self, request: &Request) -> Self {
        self.with_request(DELEGATION_TAG, request)
    }

    /// After a request in place: the stack has moved on from a transfer that a rollback could still have undone.
    pub(super) fn settled(request: &Request, external_from: Option<&HostedZoneId>) -> Self {
        let mut tagging = Self::own(request);
        if let Some(parent) = external_from {
            tagging.insert(PARENT_ID_TAG, parent.as_str());
        }
        tagging.deleting([PREVIOUS_LOGICAL_ID_TAG, INCOMPLETE_TAG])
    }

    /// A zone that is returned to the logical id that had it before.
    pub(super) fn returned(request: &Request, to: &str) -> Self {
        let keys = [PREVIOUS_LOGICAL_ID_TAG, INCOMPLETE_TAG, TRANSFER_TAG];
        Self::set(sibling(&request.owner(), to).tag_map()).deleting(keys)
    }

    /// The work of a request on a zone is done.
    pub(super) fn complete() -> Self {
        Self::default().deleting([INCOMPLETE_TAG])
    }

    /// The logical id from which the zone was transferred is deleted.
    pub(super) fn previous_deleted() -> Self {
        Self::default().deleting([PREVIOUS_LOGICAL_ID_TAG])
    }

    /// An external zone that this resource does not delegate any more: every tag of this and earlier releases.
    pub(super) fn untagged() -> Self {
        Self::default().deleting([
            STACK_ID_TAG,
            LOGICAL_ID_TAG,
            REQUEST_TAG,
            PREVIOUS_LOGICAL_ID_TAG,
            TRANSFER_TAG,
            PARENT_ID_TAG,
            ADOPTED_TAG,
            PREVIOUS_TTL_TAG,
            INCOMPLETE_TAG,
        ])
    }

    /// The user's tags; those of the earlier properties that are not there any more are deleted.
    pub(super) fn of_user(
        tags: &BTreeMap<String, String>,
        before: &BTreeMap<String, String>,
    ) -> Self {
        let dropped = before.keys().filter(|key| !tags.contains_key(*key));
        Self {
            set: tags.clone(),
            delete: dropped.cloned().collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.delete.is_empty()
    }

    fn set(set: BTreeMap<String, String>) -> Self {
        let delete = Vec::new();
        Self { set, delete }
    }

    fn insert(&mut self, key: &str, value: &str) {
        self.set.insert(key.to_owned(), value.to_owned());
    }

    fn incomplete(mut self) -> Self {
        self.insert(INCOMPLETE_TAG, "true");
        self
    }

    fn with_request(mut self, key: &str, request: &Request) -> Self {
        if let Some(this_request) = request.ownership_tags().get(REQUEST_TAG) {
            self.insert(key, this_request);
        }
        self
    }

    fn deleting<const N: usize>(mut self, keys: [&str; N]) -> Self {
        self.delete = keys.map(str::to_owned).to_vec();
        self
    }
}

/// `set a = 1, b = 2; delete c`.
impl fmt::Display for Tagging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set: Vec<String> = self.set.iter().map(|(k, v)| format!("{k} = {v}")).collect();
        let mut parts = Vec::new();
        if !set.is_empty() {
            parts.push(format!("set {}", set.join(", ")));
        }
        if !self.delete.is_empty() {
            parts.push(format!("delete {}", self.delete.join(", ")));
        }
        f.write_str(&parts.join("; "))
    }
}

/// For example `managed, creating` or `external, of Former in this stack`.
impl fmt::Display for Ownership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = |stage: &Stage| match stage {
            Stage::Creating => ", incomplete",
            Stage::Created => "",
        };
        let from = |transfer: &Transfer| match &transfer.from {
            Some(from) => format!(", transferred from {from}"),
            None => String::new(),
        };
        match self {
            Self::Managed {
                stage: at,
                transfer,
                ..
            } => write!(f, "managed{}{}", stage(at), from(transfer)),
            Self::External {
                adopted,
                stage: at,
                transfer,
                ..
            } => {
                let adopted = if *adopted { ", adopted" } else { "" };
                write!(f, "external{adopted}{}{}", stage(at), from(transfer))
            }
            Self::OtherLogicalId {
                logical_id,
                transferred_from_here,
                ..
            } => {
                let from = if *transferred_from_here {
                    ", transferred from here"
                } else {
                    ""
                };
                write!(f, "of {logical_id} in this stack{from}")
            }
            Self::OtherStack(owner) => write!(f, "of {owner}"),
            Self::Untagged => f.write_str("without ownership tags"),
            Self::Contradicting { tags, .. } => {
                write!(f, "its tags name {tags}, its CallerReference does not")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hosted_zones::DomainName;

    fn owner(stack: &str, logical_id: &str) -> Owner {
        Owner {
            stack_id: stack.to_owned(),
            logical_id: logical_id.to_owned(),
        }
    }

    fn zone(caller_reference: &str) -> ListedZone {
        ListedZone {
            id: HostedZoneId::parse("Z1").unwrap(),
            name: DomainName::parse("dev.example.com").unwrap(),
            caller_reference: caller_reference.to_owned(),
            private: false,
            comment: String::new(),
            record_sets: 2,
        }
    }

    fn ownership(former: &[&str], reference: &str, tags: &BTreeMap<String, String>) -> Ownership {
        let former: Vec<String> = former.iter().map(|id| (*id).to_owned()).collect();
        Ownership::of(&owner("stack", "A"), &former, &zone(reference), tags)
    }

    #[test]
    fn tags_make_no_zone_of_another_stack_this_resources() {
        let foreign = owner("other", "A").caller_reference("request");
        let tags = owner("stack", "A").tag_map();
        assert!(matches!(
            ownership(&[], &foreign, &tags),
            Ownership::Contradicting {
                created_here: false,
                ..
            }
        ));
        assert_eq!(
            ownership(&[], &foreign, &BTreeMap::new()),
            Ownership::Untagged
        );
        let theirs = owner("other", "A").tag_map();
        assert!(matches!(
            ownership(&[], &foreign, &theirs),
            Ownership::OtherStack(_)
        ));
    }

    #[test]
    fn a_foreign_tag_makes_no_zone_of_this_resource_another_stacks() {
        let own = owner("stack", "A").caller_reference("request");
        let tags = owner("other", "A").tag_map();
        assert!(matches!(
            ownership(&[], &own, &tags),
            Ownership::Contradicting {
                created_here: true,
                ..
            }
        ));
        assert!(matches!(
            ownership(&[], &own, &BTreeMap::new()),
            Ownership::Managed {
                stage: Stage::Creating,
                ..
            }
        ));
    }

    #[test]
    fn a_zone_of_a_former_logical_id_is_known_by_the_property_or_by_its_tags() {
        let former = owner("stack", "Old").caller_reference("request");
        assert_eq!(
            ownership(&[], &former, &BTreeMap::new()),
            Ownership::Untagged
        );
        assert!(matches!(
            ownership(&["Old"], &former, &BTreeMap::new()),
            Ownership::Managed { .. }
        ));
        let mut tags = owner("stack", "A").tag_map();
        assert!(matches!(
            ownership(&[], &former, &tags),
            Ownership::Contradicting { .. }
        ));
        tags.insert(CREATED_AS_TAG.to_owned(), "Old".to_owned());
        assert!(matches!(
            ownership(&[], &former, &tags),
            Ownership::Managed {
                created_here: false,
                ..
            }
        ));
    }

    #[test]
    fn a_zone_that_a_person_created_is_never_managed() {
        let tags = owner("stack", "A").tag_map();
        assert!(matches!(
            ownership(&[], "by hand", &tags),
            Ownership::External { .. }
        ));
        assert_eq!(
            ownership(&[], "by hand", &BTreeMap::new()),
            Ownership::Untagged
        );
    }
}
