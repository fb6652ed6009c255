//! The NS record set of a zone that does not exist, which is the worst leftover of a Delete: a dangling
//! delegation.

use super::{Case, delete};
use crate::{
    error::Error,
    subdomain::{
        delegation::Delegation,
        memory::Phase,
        observed::{Conflict, Question, SetInParent},
        plan::{Action, End, Plan, Stop, Why},
    },
};
use dns_check::Standing;
use hosted_zones::NameServers;

impl Case<'_> {
    /// Plans what follows after the zone is deleted. A redelivered Create may have delegated to it again just
    /// before.
    ///
    /// That this request has deleted it is only remembered, and whoever may start the state machine can write
    /// that. So the NS record set is kept if a zone of the account has its name servers, or if the id does not
    /// prove that it led to this resource's zone.
    pub(super) fn after_deletion(
        &self,
        delegation: &Delegation,
        servers: &NameServers,
    ) -> Result<Plan, Stop> {
        let finished = self.delivery.memory.with(&delegation.zone, Phase::Finished);
        match self.set(delegation)? {
            SetInParent::Present(set)
                if set.name_servers() == *servers && self.is_proven(delegation, servers) =>
            {
                if self.has_namesake(delegation, servers)? {
                    let zone = delegation.zone.clone();
                    let why = Why::OtherZone;
                    let leave = Action::Leave { zone, why };
                    return Ok(self.delivery.remember([leave], finished, End::Observe));
                }
                if let Some(Conflict::NoPermission(cause)) = &self.observed.conflict {
                    self.check_not_dangling(delegation, Some(servers), cause)?;
                    return Ok(self.delivery.remember([], finished, End::Observe));
                }
                self.check_conflict(delegation)?;
                Ok(self.delivery.plan([delete(delegation, &set)], End::Observe))
            }
            SetInParent::NoPermission(cause) => {
                self.check_not_dangling(delegation, Some(servers), &cause)?;
                Ok(self.delivery.remember([], finished, End::Observe))
            }
            SetInParent::Present(_) | SetInParent::Absent => {
                Ok(self.delivery.remember([], finished, End::Plan))
            }
        }
    }

    /// Plans a Delete whose zone does not exist: a person or an earlier attempt deleted it. A dangling NS
    /// record set may be left, which is the worst leftover. It is deleted if the id proves that it led to
    /// this resource's zone, and no other zone of the account has these name servers.
    pub(super) fn without_zone(&self, delegation: &Delegation) -> Result<Plan, Stop> {
        let done = || self.delivery.plan([], self.done());
        let set = match self.set(delegation)? {
            SetInParent::Present(set) if delegation.is_to(&set.name_servers(), &self.owner) => set,
            SetInParent::Present(_) | SetInParent::Absent => return Ok(done()),
            SetInParent::NoPermission(cause) => {
                let unseen = self.check_not_dangling(delegation, None, &cause)?;
                return Ok(self.delivery.plan(unseen, self.done()));
            }
        };
        let servers = set.name_servers();
        if self.has_namesake(delegation, &servers)? {
            let zone = delegation.zone.clone();
            let why = Why::OtherZone;
            return Ok(self
                .delivery
                .plan([Action::Leave { zone, why }], self.done()));
        }
        if !self.is_proven(delegation, &servers) {
            return Err(Stop::Refuse(Error::Unproven {
                name: delegation.name.clone(),
                zone: delegation.zone.clone(),
                parent: self.parent_name(delegation),
                parent_id: delegation.parent.clone(),
                set: Box::new(set),
            }));
        }
        if let Some(Conflict::NoPermission(cause)) = &self.observed.conflict {
            let unseen = self.check_not_dangling(delegation, Some(&servers), cause)?;
            return Ok(self.delivery.plan(unseen, self.done()));
        }
        self.check_conflict(delegation)?;
        Ok(self.delivery.plan([delete(delegation, &set)], self.done()))
    }

    /// Returns whether a zone of this account has the name, and these name servers.
    fn has_namesake(&self, delegation: &Delegation, servers: &NameServers) -> Result<bool, Stop> {
        let Some(namesakes) = &self.observed.namesakes else {
            return Err(Stop::Read(Question::Namesakes(delegation.name.clone())));
        };
        Ok(namesakes.iter().any(|(_, others)| others == servers))
    }

    /// Without permission in the parent of a missing zone: refuses if its name servers still delegate to the
    /// zone. If they do not answer, nothing more can be known.
    fn check_not_dangling(
        &self,
        delegation: &Delegation,
        to: Option<&NameServers>,
        cause: &Error,
    ) -> Result<Vec<Action>, Stop> {
        match self.seen_delegation(delegation, to)? {
            Standing::Gone => Ok(Vec::new()),
            Standing::Unknown(said) => {
                let why = Why::Unseen {
                    cause: cause.clone(),
                    said: said.clone(),
                };
                let zone = delegation.zone.clone();
                Ok(vec![Action::Leave { zone, why }])
            }
            Standing::Stands(standing) => Err(Stop::Refuse(Error::Dangling {
                name: delegation.name.clone(),
                zone: delegation.zone.clone(),
                parent: self.parent_name(delegation),
                cause: cause.to_string(),
                standing: standing.clone(),
            })),
        }
    }

    fn is_proven(&self, delegation: &Delegation, servers: &NameServers) -> bool {
        let labels = format!("{}.", self.task.leaving.labels);
        let proves = |id: &String| delegation.is_proven_to(servers, &self.owner.sibling(id));
        let former = &self.task.leaving.former;
        delegation.name.as_str().starts_with(&labels)
            && [&self.owner.logical_id]
                .into_iter()
                .chain(former)
                .any(proves)
    }
}
