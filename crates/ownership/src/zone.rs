//! Decides who owns a hosted zone, and which tags a request writes to it.
//!
//! What cannot be changed later decides. The `CallerReference` of a zone that this project created
//! names the stack, the logical id and the request. Tags name the logical id of the same stack that
//! has the zone now, and the request that delegates an external zone. If the tags and the
//! `CallerReference` disagree about the stack, the zone is not changed.

use crate::{
    Creation, Owner, Requester, Stage, TagOwner, is_second_form,
    tags::{self, Tags},
};
use custom_resource::{Request, sha256_hex};
use hosted_zones::{HostedZoneId, ListedZone, NameServers};
use std::fmt;

/// The relation of a zone to the resource of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Created by this project for this stack, and this resource has it now.
    Managed {
        /// Whether this logical id created it, and not one that was renamed.
        created_here: bool,
        /// The logical id that its `CallerReference` names.
        created_as: String,
        /// The request that created it.
        creation: Option<Creation>,
        /// Whether the request that works on it is complete.
        stage: Stage,
        /// The request that delegated it, if that is a later one.
        delegated_by: Option<Creation>,
        /// The transfer from another logical id.
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
        /// Whether the request that works on it is complete.
        stage: Stage,
        /// The transfer from another logical id.
        transfer: Transfer,
    },
    /// Another logical id of the same stack has it.
    OtherLogicalId {
        /// That logical id.
        logical_id: String,
        /// Whether it was transferred from this resource.
        transferred_from_here: bool,
        /// Whether the request that works on it is complete.
        stage: Stage,
        /// The logical id that its `CallerReference` names. None if the zone is external.
        created_as: Option<String>,
    },
    /// Another stack has it.
    OtherStack(Owner),
    /// It has no ownership tags, and this project did not create it, or not for this resource.
    Untagged,
    /// Its tags and its `CallerReference` disagree about the stack.
    Contradicting {
        /// Whether this resource created it.
        created_here: bool,
        /// The owner in the tags.
        tags: Owner,
    },
}

/// The form of the last part of a delegation's physical id. It must not change while the zone
/// exists, because CloudFormation would replace the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The zone's name servers, up to release 0.2.0. Anyone can compute it.
    OfNameServers,
    /// The zone's name servers and the resource.
    OfOwner,
}

impl Proof {
    /// Returns 16 hex digits: 64 bits of SHA-256, which protect against mistakes.
    #[must_use]
    pub fn digest(self, name_servers: &NameServers, owner: &Owner) -> String {
        let servers = name_servers.to_string();
        match self {
            Self::OfNameServers => sha256_hex(&[&servers], 16),
            Self::OfOwner => sha256_hex(&[&servers, &owner.stack_id, &owner.logical_id], 16),
        }
    }
}

/// The transfer of a zone from another logical id of the stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// That logical id, until the transfer is final: until then a Delete returns the zone to it.
    pub from: Option<String>,
    /// The request that transferred it. None if it was not transferred, or by release 0.2.0 or earlier.
    pub by: Option<Creation>,
}

impl Ownership {
    /// Returns the relation of a zone to the owner, which had the `former` logical ids in earlier
    /// templates.
    #[must_use]
    pub fn of(owner: &Owner, former: &[String], zone: &ListedZone, tags: &Tags) -> Self {
        let tag = |key: &str| tags.get(key).cloned();
        let request = |key: &str| Creation::named_by(tags, key);
        let created_here = owner.created(&zone.caller_reference);
        let by_project = Creation::of_reference(&zone.caller_reference);
        // The logical id of a stack that created the zone, among all known ones.
        let created_by = |stack: &Owner, also: &str| {
            let noted = [tag(tags::CREATED_AS), tag(tags::PREVIOUS_LOGICAL_ID)];
            let known = [owner.logical_id.as_str(), also].into_iter();
            let known = known.chain(former.iter().map(String::as_str));
            let mut known = known.chain(noted.iter().flatten().map(String::as_str));
            let creator = known.find(|id| stack.sibling(id).created(&zone.caller_reference));
            creator.map(str::to_owned)
        };
        let tag_owner = TagOwner::of(tags, owner);
        let stage = if tag_owner == TagOwner::Nobody || tags.contains_key(tags::INCOMPLETE) {
            Stage::Creating
        } else {
            Stage::Created
        };
        let tagged = Creation::of_tags(tags);
        // The digest of the reference decides; the tag adds the time.
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
            delegated_by: request(tags::DELEGATION_REQUEST),
            transfer: Transfer {
                from,
                by: request(tags::TRANSFER),
            },
        };
        let contradicting = |created_here, tags| Self::Contradicting { created_here, tags };
        match (tag_owner, by_project.is_some()) {
            (TagOwner::Nobody, _) => match created_by(owner, &owner.logical_id) {
                Some(created_as) => managed(created_as, None),
                None => Self::Untagged,
            },
            (
                TagOwner::ThisResource {
                    transferred_from: from,
                },
                true,
            ) => match created_by(owner, &owner.logical_id) {
                Some(created_as) => managed(created_as, from),
                None => contradicting(created_here, owner.clone()),
            },
            (
                TagOwner::ThisResource {
                    transferred_from: from,
                },
                false,
            ) => Self::External {
                parent: tag(tags::PARENT_ID).and_then(|id| HostedZoneId::parse(&id).ok()),
                adopted: tags.contains_key(tags::ADOPTED) || tags.contains_key(tags::PREVIOUS_TTL),
                creation,
                stage,
                transfer: Transfer {
                    from,
                    by: request(tags::TRANSFER),
                },
            },
            (
                TagOwner::OtherLogicalId {
                    logical_id,
                    transferred_from_here,
                },
                by_project,
            ) => {
                let created_as = created_by(owner, &logical_id);
                if by_project && created_as.is_none() {
                    return contradicting(created_here, owner.sibling(&logical_id));
                }
                Self::OtherLogicalId {
                    logical_id,
                    transferred_from_here,
                    stage,
                    created_as: created_as.filter(|_| by_project),
                }
            }
            (TagOwner::OtherStack(tags), false) => Self::OtherStack(tags),
            (TagOwner::OtherStack(tags), true) => match created_by(&tags, &tags.logical_id) {
                Some(_) => Self::OtherStack(tags),
                None => contradicting(created_by(owner, &owner.logical_id).is_some(), tags),
            },
        }
    }

    /// Returns the form of the last part in the physical ids of this zone's delegations.
    #[must_use]
    pub fn proof(&self, zone: &ListedZone) -> Proof {
        match self {
            Self::External { creation: None, .. } => Proof::OfNameServers,
            Self::External { .. } | Self::Untagged => Proof::OfOwner,
            _ if is_second_form(&zone.caller_reference) => Proof::OfOwner,
            _ => Proof::OfNameServers,
        }
    }

    /// Returns whether this resource has the zone.
    #[must_use]
    pub fn is_own(&self) -> bool {
        matches!(self, Self::Managed { .. } | Self::External { .. })
    }

    /// Returns whether the Delete `request`, whose physical id names the zone, belongs to an
    /// earlier life of the resource: it was made before the request with which this resource got
    /// the zone.
    #[must_use]
    pub fn is_later_than(&self, request: &Request) -> bool {
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

    /// Returns whether the Delete `request`, whose physical id does not name the zone, or an Update
    /// that cleans up after a failed one, may remove what this resource has of it.
    #[must_use]
    pub fn was_left_by(&self, request: &Request) -> bool {
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
    #[must_use]
    pub fn was_delegated_by(&self, request: &Request) -> bool {
        match self {
            Self::Managed { delegated_by, .. } => {
                request.may_delete_unnamed(delegated_by.as_ref(), Stage::Created)
            }
            _ => false,
        }
    }
}

/// Tags to set on a zone, and the keys of those to delete with the same call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tagging {
    /// The tags to set.
    pub set: Tags,
    /// The keys of the tags to delete.
    pub delete: Vec<String>,
}

impl Tagging {
    /// Returns the tags of a zone that `request` creates.
    #[must_use]
    pub fn created(request: &Request) -> Self {
        Self::set(request.ownership_tags()).incomplete()
    }

    /// Returns the tags of an external zone that `request` begins to delegate from `parent`.
    #[must_use]
    pub fn external(request: &Request, parent: &HostedZoneId) -> Self {
        let mut tagging = Self::created(request);
        tagging.insert(tags::PARENT_ID, parent.as_str());
        tagging
    }

    /// Returns the tags of an external zone whose delegation `request` adopts.
    #[must_use]
    pub fn adopted(request: &Request, parent: &HostedZoneId) -> Self {
        let mut tagging = Self::external(request, parent);
        tagging.insert(tags::ADOPTED, "true");
        tagging
    }

    /// Returns the tags of a zone that this resource has already.
    #[must_use]
    pub fn own(request: &Request) -> Self {
        Self::set(request.owner().tags())
    }

    /// Returns the tags of a zone that `request` transfers to its resource from another logical id.
    #[must_use]
    pub fn transferred(request: &Request, from: &str, created_as: Option<&str>) -> Self {
        let tagging = Self::set(request.owner().tags_of_transfer(from));
        let mut tagging = tagging.incomplete().with_request(tags::TRANSFER, request);
        if let Some(created_as) = created_as {
            tagging.insert(tags::CREATED_AS, created_as);
        }
        tagging
    }

    /// Adds the tag that names the request which delegates an existing zone.
    #[must_use]
    pub fn delegated_by(self, request: &Request) -> Self {
        self.with_request(tags::DELEGATION_REQUEST, request)
    }

    /// Returns the tags after a request in place: a transfer that a rollback could still have
    /// undone is final.
    #[must_use]
    pub fn settled(request: &Request, external_from: Option<&HostedZoneId>) -> Self {
        let mut tagging = Self::own(request);
        if let Some(parent) = external_from {
            tagging.insert(tags::PARENT_ID, parent.as_str());
        }
        tagging.deleting([tags::PREVIOUS_LOGICAL_ID, tags::INCOMPLETE])
    }

    /// Returns the tags of a zone that is returned to its former logical id.
    #[must_use]
    pub fn returned(request: &Request, to: &str) -> Self {
        let keys = [tags::PREVIOUS_LOGICAL_ID, tags::INCOMPLETE, tags::TRANSFER];
        Self::set(request.owner().sibling(to).tags()).deleting(keys)
    }

    /// Returns the tags after the work of a request on a zone is complete.
    #[must_use]
    pub fn complete() -> Self {
        Self::default().deleting([tags::INCOMPLETE])
    }

    /// Returns the tags after the logical id from which the zone was transferred is deleted.
    #[must_use]
    pub fn previous_deleted() -> Self {
        Self::default().deleting([tags::PREVIOUS_LOGICAL_ID])
    }

    /// Returns the deletion of every tag of this and earlier releases, for an external zone that
    /// this resource does not delegate any more.
    #[must_use]
    pub fn untagged() -> Self {
        Self::default().deleting([
            tags::STACK_ID,
            tags::LOGICAL_ID,
            tags::REQUEST,
            tags::PREVIOUS_LOGICAL_ID,
            tags::TRANSFER,
            tags::PARENT_ID,
            tags::ADOPTED,
            tags::PREVIOUS_TTL,
            tags::INCOMPLETE,
        ])
    }

    /// Adds the user's tags. Those of the earlier properties that are absent now are deleted.
    #[must_use]
    pub fn of_user(tags: &Tags, before: &Tags) -> Self {
        let dropped = before.keys().filter(|key| !tags.contains_key(*key));
        Self {
            set: tags.clone(),
            delete: dropped.cloned().collect(),
        }
    }

    /// Returns whether there is nothing to set or delete.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.delete.is_empty()
    }

    fn set(set: Tags) -> Self {
        let delete = Vec::new();
        Self { set, delete }
    }

    fn insert(&mut self, key: &str, value: &str) {
        self.set.insert(key.to_owned(), value.to_owned());
    }

    fn incomplete(mut self) -> Self {
        self.insert(tags::INCOMPLETE, "true");
        self
    }

    fn with_request(mut self, key: &str, request: &Request) -> Self {
        if let Some(this_request) = request.ownership_tags().get(tags::REQUEST) {
            self.insert(key, this_request);
        }
        self
    }

    fn deleting<const N: usize>(mut self, keys: [&str; N]) -> Self {
        self.delete = keys.map(str::to_owned).to_vec();
        self
    }
}

/// Writes `set a = 1, b = 2; delete c`.
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

/// Writes for example `managed, creating` or `external, of Former in this stack`.
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

    fn ownership(former: &[&str], reference: &str, tags: &Tags) -> Ownership {
        let former: Vec<String> = former.iter().map(|id| (*id).to_owned()).collect();
        Ownership::of(&owner("stack", "A"), &former, &zone(reference), tags)
    }

    #[test]
    fn tags_do_not_transfer_a_zone_of_another_stack() {
        let foreign = owner("other", "A").caller_reference("request");
        let tags = owner("stack", "A").tags();
        assert!(matches!(
            ownership(&[], &foreign, &tags),
            Ownership::Contradicting {
                created_here: false,
                ..
            }
        ));
        assert_eq!(ownership(&[], &foreign, &Tags::new()), Ownership::Untagged);
        let theirs = owner("other", "A").tags();
        assert!(matches!(
            ownership(&[], &foreign, &theirs),
            Ownership::OtherStack(_)
        ));
    }

    #[test]
    fn foreign_tags_do_not_transfer_a_zone_of_this_resource() {
        let own = owner("stack", "A").caller_reference("request");
        let tags = owner("other", "A").tags();
        assert!(matches!(
            ownership(&[], &own, &tags),
            Ownership::Contradicting {
                created_here: true,
                ..
            }
        ));
        assert!(matches!(
            ownership(&[], &own, &Tags::new()),
            Ownership::Managed {
                stage: Stage::Creating,
                ..
            }
        ));
    }

    #[test]
    fn a_zone_of_a_former_logical_id_is_recognized_by_the_property_or_its_tags() {
        let former = owner("stack", "Old").caller_reference("request");
        assert_eq!(ownership(&[], &former, &Tags::new()), Ownership::Untagged);
        assert!(matches!(
            ownership(&["Old"], &former, &Tags::new()),
            Ownership::Managed { .. }
        ));
        let mut tags = owner("stack", "A").tags();
        assert!(matches!(
            ownership(&[], &former, &tags),
            Ownership::Contradicting { .. }
        ));
        tags.insert(tags::CREATED_AS.to_owned(), "Old".to_owned());
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
        let tags = owner("stack", "A").tags();
        assert!(matches!(
            ownership(&[], "by hand", &tags),
            Ownership::External { .. }
        ));
        assert_eq!(ownership(&[], "by hand", &Tags::new()), Ownership::Untagged);
    }
}
