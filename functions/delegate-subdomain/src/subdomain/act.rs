//! Carries out one action of a plan, and decides nothing.

use super::{
    access::Access,
    in_sync::{Hand, Submitted},
    observed::{Conflict, Zone},
    plan::{Action, OnFault, Why},
    task::Task,
};
use crate::error::Error;
use aws_calls::Kind;
use custom_resource::{Invocation, Request};
use dns_check::{Checked, Transport};
use hosted_zones::{
    Change, ChangeError, ChangeId, ChangeState, CreateError, Deleted, DomainName, HostedZone,
    HostedZoneId, PROPAGATION, RecordSet, Route53, batches,
};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};
use tokio::time::Instant;

/// What returning the wait needs of an invocation.
const RESERVE: Duration = Duration::from_secs(5);

/// Why an action was not carried out, or not completely.
#[derive(Debug)]
pub(super) enum Stopped {
    /// What was observed is wrong, or has changed.
    Conflict(Conflict),
    Failed(Error),
    /// The action was carried out, but these changes were not INSYNC in the time for which this attempt may
    /// wait.
    Pending(Vec<Submitted>),
}

impl<E: Into<Error>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Carries out the actions of one attempt.
pub(super) struct Actor<'a, T> {
    pub(super) access: &'a Access<T>,
    pub(super) task: &'a Task,
    pub(super) request: &'a Request,
    pub(super) invocation: &'a Invocation,
    /// The last change of each zone of this account. When it is INSYNC, all earlier ones are.
    pub(super) changes: HashMap<HostedZoneId, ChangeId>,
}

impl<T: Transport> Actor<'_, T> {
    /// Carries out an action. Returns the zone that it created.
    ///
    /// # Errors
    ///
    /// [`Stopped`]
    pub(super) async fn act(&mut self, action: &Action) -> Result<Option<Zone>, Stopped> {
        let route53 = &self.access.route53;
        match action {
            Action::CreateZone {
                name,
                caller_reference,
                comment,
            } => {
                return self
                    .create_zone(name, caller_reference, comment)
                    .await
                    .map(Some);
            }
            Action::Tag { zone, tagging, .. } => {
                route53
                    .tag_zone(zone, &tagging.set, &tagging.delete)
                    .await?;
            }
            Action::SetComment { zone, comment } => route53.set_comment(zone, comment).await?,
            Action::SetApexTtl { zone, ttl } => self.set_apex_ttl(zone, *ttl).await?,
            Action::AwaitZone(zone) => {
                self.await_in_sync(self.change_of(zone)).await?;
                self.changes.remove(&zone.id);
            }
            Action::Delegate {
                zone,
                parent,
                set,
                replaces,
            } => self.delegate(zone, parent, set, replaces.as_ref()).await?,
            Action::Verify {
                zone,
                parent,
                on_fault,
            } => {
                let (name, servers) = (&parent.name, &parent.name_servers);
                let check =
                    self.access
                        .dns
                        .check_delegation(name, servers, &zone.name, &zone.name_servers);
                verified(zone, check.await, *on_fault)?;
            }
            Action::DeleteDelegation { parent, set } => {
                self.delete_delegation(parent, set).await?;
            }
            Action::DeleteRecords { zone, name, sets } => {
                self.delete_records(zone, name, sets).await?;
            }
            Action::DeleteZone { zone, .. } => match route53.delete_zone(zone).await? {
                Deleted::Yes => {}
                Deleted::NotEmpty(error) => {
                    return Err(Stopped::Conflict(Conflict::NotEmpty(error)));
                }
            },
            Action::Leave { zone, why } => match why {
                Why::Leftover(_) => tracing::error!(zone = zone.as_str(), %why, "left as it is"),
                _ => tracing::warn!(zone = zone.as_str(), %why, "left as it is"),
            },
        }
        Ok(None)
    }

    async fn create_zone(
        &mut self,
        name: &DomainName,
        caller_reference: &str,
        comment: &str,
    ) -> Result<Zone, Stopped> {
        let route53 = &self.access.route53;
        match route53.create_zone(name, caller_reference, comment).await {
            Ok(created) => {
                self.changes.insert(created.zone.id.clone(), created.change);
                Ok(Zone {
                    zone: created.zone,
                    tags: BTreeMap::new(),
                })
            }
            Err(CreateError::ReferenceUsed(error)) => {
                Err(Stopped::Conflict(Conflict::ReferenceUsed(error)))
            }
            Err(CreateError::Aws(error)) => Err(error.into()),
        }
    }

    /// Sets the TTL of the apex. A role of an earlier release does not permit it, and the delegation works
    /// nevertheless.
    async fn set_apex_ttl(&mut self, zone: &HostedZone, ttl: u32) -> Result<(), Stopped> {
        match self.access.route53.set_apex_ttl(zone, ttl).await {
            Ok(change) => {
                self.changes.insert(zone.id.clone(), change);
                Ok(())
            }
            Err(ChangeError::Aws(error)) if error.kind == Kind::Denied => {
                tracing::warn!(
                    %error,
                    zone = zone.id.as_str(),
                    "the apex NS record set of the zone keeps its TTL of two days, for which resolvers may remember it"
                );
                Ok(())
            }
            Err(error) => Err(error.into_aws().into()),
        }
    }

    async fn delegate(
        &self,
        zone: &HostedZone,
        parent: &HostedZoneId,
        set: &RecordSet,
        replaces: Option<&RecordSet>,
    ) -> Result<(), Stopped> {
        let parents_route53 = self.parents_route53().await?;
        let delete = replaces.cloned().map(Change::Delete);
        let changes = delete.into_iter().chain([Change::Create(set.clone())]);
        let change = parents_route53.change(parent, changes.collect()).await;
        let change = change.map_err(|error| match error {
            ChangeError::Stale(error) => Stopped::Conflict(Conflict::Stale(error)),
            ChangeError::Refused(error) | ChangeError::Guardrail { error, .. } => {
                Stopped::Conflict(Conflict::Refused(error))
            }
            error => error.into_aws().into(),
        })?;
        if self.access.route53.zone(&zone.id).await?.is_none() {
            return Err(Stopped::Conflict(Conflict::ZoneDeleted(set.clone())));
        }
        let submitted = Submitted {
            by: Hand::Parents,
            change,
        };
        let changes = [submitted].into_iter().chain(self.change_of(zone));
        self.await_in_sync(changes).await
    }

    /// Returns the last change that this attempt has made in a zone of this account.
    fn change_of(&self, zone: &HostedZone) -> Option<Submitted> {
        let change = self.changes.get(&zone.id)?.clone();
        let by = Hand::Own;
        Some(Submitted { by, change })
    }

    /// Waits until changes are INSYNC, as long as an attempt may wait, and at least twice as long as changes usually take. After
    /// a hand-over the parent would be read again, at the cost of its account, which all consumers share.
    async fn await_in_sync(
        &self,
        changes: impl IntoIterator<Item = Submitted>,
    ) -> Result<(), Stopped> {
        let usual = Instant::now() + PROPAGATION * 2;
        let latest = self.invocation.deadline - RESERVE;
        let until = self.invocation.waits_until.max(usual).min(latest);
        let mut pending = Vec::new();
        for submitted in changes {
            let route53 = match submitted.by {
                Hand::Own => self.access.route53.clone(),
                Hand::Parents => self.parents_route53().await?,
            };
            let state = route53.wait_in_sync(&submitted.change, until).await?;
            if state == ChangeState::Pending {
                pending.push(submitted);
            }
        }
        if pending.is_empty() {
            return Ok(());
        }
        Err(Stopped::Pending(pending))
    }

    async fn delete_delegation(
        &self,
        parent: &HostedZoneId,
        set: &RecordSet,
    ) -> Result<(), Stopped> {
        let delete = async {
            let parents_route53 = self.parents_route53().await?;
            let change = parents_route53.change(parent, vec![Change::Delete(set.clone())]);
            match change.await {
                Ok(change) => {
                    let by = Hand::Parents;
                    self.await_in_sync([Submitted { by, change }]).await
                }
                Err(ChangeError::Stale(error)) => Err(Stopped::Conflict(Conflict::Stale(error))),
                Err(ChangeError::Followed(_)) => Err(Stopped::Conflict(Conflict::Active)),
                Err(ChangeError::Refused(error) | ChangeError::Guardrail { error, .. }) => {
                    Err(Stopped::Conflict(Conflict::Refused(error)))
                }
                Err(ChangeError::Aws(error)) => Err(error.into()),
            }
        };
        match delete.await {
            Err(Stopped::Failed(error)) if error.lacks_permission() => {
                Err(Stopped::Conflict(Conflict::NoPermission(error)))
            }
            deleted => deleted,
        }
    }

    /// Deletes record sets as they were read. Their INSYNC does not matter, because no resolver is led here
    /// any more.
    async fn delete_records(
        &self,
        zone: &HostedZoneId,
        name: &DomainName,
        sets: &[RecordSet],
    ) -> Result<(), Stopped> {
        for batch in batches(sets.iter().cloned().map(Change::Delete).collect()) {
            match self.access.route53.change(zone, batch).await {
                Ok(_) => {}
                Err(ChangeError::Stale(error)) => {
                    return Err(Stopped::Conflict(Conflict::Stale(error)));
                }
                Err(ChangeError::Aws(error)) => return Err(error.into()),
                Err(error) => {
                    return Err(Stopped::Failed(Error::RecordsKept {
                        name: name.clone(),
                        zone: zone.clone(),
                        error: error.into_aws(),
                    }));
                }
            }
        }
        Ok(())
    }

    async fn parents_route53(&self) -> Result<Route53, Error> {
        let (request, invocation) = (self.request, self.invocation);
        let parent = self.task.parent()?;
        self.access
            .parents_route53(parent, request, invocation)
            .await
    }
}

fn verified(
    zone: &HostedZone,
    checked: Result<Checked, dns_check::Fault>,
    on_fault: OnFault,
) -> Result<(), Error> {
    let name = zone.name.as_str();
    match checked {
        Ok(Checked::Fully) => tracing::info!(name, "the name servers serve the delegation"),
        Ok(Checked::Partly { silent }) => {
            tracing::warn!(
                name,
                ?silent,
                "the name servers that answered serve the delegation; some did not answer"
            );
        }
        Ok(Checked::NoWayOut) => {
            tracing::warn!(
                name,
                "not checked over DNS: this function cannot reach port 53"
            );
        }
        Err(fault) => {
            let error = Error::Unresolved {
                name: zone.name.clone(),
                fault,
            };
            match on_fault {
                OnFault::Fail => return Err(error),
                OnFault::Warn => tracing::warn!(%error, "this does not fail the Update"),
            }
        }
    }
    Ok(())
}

/// Returns what the attempt is doing, to follow "while".
pub(super) fn doing(action: &Action) -> String {
    match action {
        Action::CreateZone { name, .. } => format!("creating the zone {name}"),
        Action::Tag { zone, .. } | Action::SetComment { zone, .. } => {
            format!("changing the tags or the comment of the zone {zone}")
        }
        Action::SetApexTtl { zone, .. } => {
            format!(
                "changing the TTL of the apex NS record set of {}",
                zone.name
            )
        }
        Action::AwaitZone(zone) => format!(
            "waiting until every name server of Route 53 has the zone {} ({})",
            zone.name, zone.id
        ),
        Action::Delegate { zone, .. } => format!(
            "delegating {} to its zone {} and waiting until every name server of Route 53 has the change",
            zone.name, zone.id
        ),
        Action::Verify { zone, .. } => format!("querying name servers for {}", zone.name),
        Action::DeleteDelegation { set, .. } => format!(
            "deleting the NS record set of {} in its parent and waiting until every name server of Route 53 has the change",
            set.name()
        ),
        Action::DeleteRecords { zone, name, .. } => {
            format!("deleting the record sets of {name} ({zone})")
        }
        Action::DeleteZone { zone, name } => format!("deleting the zone {name} ({zone})"),
        Action::Leave { zone, .. } => format!("leaving the zone {zone} as it is"),
    }
}
