//! What a Delete finds by ownership tags if its physical id names nothing, and what an Update finds of failed
//! ones before it.

use super::{Case, Extent, Fate, Item, contradicting, delete};
use crate::{
    error::Left,
    subdomain::{
        delegation::Delegation,
        observed::{Conflict, SetInParent, Zone},
        plan::{End, Plan, Stop, is_of},
        properties::ParentReference,
        task::Which,
    },
};
use custom_resource::{Clock, Wait};
use ownership::zone::Ownership;

impl Case<'_> {
    /// Returns the delegations that the ownership tags name.
    pub(super) fn items(&self) -> Result<Vec<Item<'_>>, Stop> {
        let leaving = &self.task.leaving;
        let Some(parent) = &self.observed.parent else {
            unreachable!("the parent is read to find what the ownership tags name");
        };
        let parent_id = match (parent, &leaving.parent) {
            (Ok(parent), _) => Some(&parent.id),
            (Err(error), Ok(ParentReference::Own(_))) if error.is_transient() => {
                return Err(error.clone().into());
            }
            (Err(_), Ok(ParentReference::Own(id))) => Some(id),
            (Err(_), _) => None,
        };
        let mut items = Vec::new();
        for zone in &self.observed.zones {
            let ownership = self.ownership(zone);
            // Without the parent its id is not used, so any id is sufficient.
            let parent_id = parent_id.unwrap_or(&zone.id);
            let proof = ownership.proof(zone);
            let delegation = Delegation::new(&zone.zone, parent_id, &self.owner, proof);
            let extent = if let Ownership::Contradicting {
                created_here: true,
                tags,
            } = ownership
            {
                return Err(contradicting(zone, tags));
            } else if ownership.was_left_by(self.delivery.request) {
                Extent::Whole
            } else if ownership.was_delegated_by(self.delivery.request) && parent.is_ok() {
                Extent::RecordSet
            } else {
                continue;
            };
            items.push(Item {
                delegation,
                zone,
                extent,
            });
        }
        if let Which::Leftovers { kept } = &self.task.which {
            self.retain_leftovers(&mut items, kept, parent.is_ok());
        }
        match parent {
            // Existing things wait until their parent can be read. A parent without anything of this resource
            // delays nothing.
            Err(error) if error.is_transient() && !items.is_empty() => Err(error.clone().into()),
            _ => Ok(items),
        }
    }

    /// Excludes what the resource has now.
    pub(super) fn retain_leftovers(
        &self,
        items: &mut Vec<Item<'_>>,
        kept: &[Delegation],
        is_readable: bool,
    ) {
        let leaving = &self.task.leaving;
        let is_kept = |item: &Item<'_>| kept.iter().any(|kept| kept.is_same(&item.delegation));
        let is_forward = |zone: &Zone| match &self.observed.parent {
            Some(Ok(parent)) => (kept.iter().filter(|kept| kept.zone == zone.id))
                .any(|kept| is_of(leaving, parent, kept, &self.ownership(zone))),
            _ => false,
        };
        if self.observed.zones.iter().any(is_forward) {
            items.clear();
        }
        let labels = format!("{}.", leaving.labels);
        items.retain(|item| {
            !is_kept(item) && (is_readable || item.delegation.name.as_str().starts_with(&labels))
        });
        for item in items.iter_mut() {
            if kept.iter().any(|kept| kept.zone == item.zone.id) {
                item.extent = Extent::RecordSet;
            }
        }
        items.retain(|item| is_readable || item.extent == Extent::Whole);
    }

    /// Plans the first of the two searches of a Delete whose Create was never answered. That Create may still
    /// run, and create something after this Delete has searched. So the second search takes place when no
    /// such Create can run any more. The first search deletes the NS record sets, and keeps the zones because
    /// a Create that still runs could delegate to them again.
    pub(super) fn first_search(&self, items: &[Item<'_>]) -> Result<Plan, Stop> {
        let mut actions = Vec::new();
        for item in items {
            match self.fate(item)? {
                // What the second search would refuse is refused before anything is changed.
                Fate::Delete { .. } if item.extent == Extent::Whole => {
                    let contents = self.contents(item)?;
                    if let Some(keeps) = self.keeps(contents) {
                        return Err(self.kept(item, keeps, Left::Untouched));
                    }
                }
                Fate::Delete { .. } | Fate::Undelegate { .. } => {}
                _ => continue,
            }
            let refused = matches!(
                self.observed.conflict,
                Some(Conflict::NoPermission(_) | Conflict::Active)
            );
            if let SetInParent::Present(set) = self.set(&item.delegation)?
                && set.name_servers() == item.zone.name_servers
                && !refused
            {
                self.check_conflict(&item.delegation)?;
                actions.push(delete(&item.delegation, &set));
            }
        }
        let until = self.delivery.second_search;
        let mut remember = self.delivery.memory.clone();
        remember.second_search = Some(Clock::seconds(until));
        let waiting_for = Wait::second_search();
        let end = End::Wait { until, waiting_for };
        Ok(self.delivery.remember(actions, remember, end))
    }
}
