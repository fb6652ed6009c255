//! Reads everything for the resource type, and decides nothing: a [`Phase`] or a [`Question`] of a plan says
//! what is read.

use super::{
    acm::{Acm, ListError, Listing as Of},
    arn::CertificateArn,
    cause::Cause,
    described::{Certificate, Listed, ValidationRecord},
    error::Error,
    observed::{Cname, CnameState, Listing, Observed, Obstacle, Sharer, Sharers, Tracked},
    plan::{Phase, Question, Remove},
    properties::{CertificateName, Deletion, Issue, Task, Wanted},
    tagged::TaggedCertificate,
    zones::{SeenZone, ValidationZone, ValidationZones, ZoneState},
};
use crate::region::partition_of;
use aws_calls::{AwsError, at_once};
use aws_types::SdkConfig;
use dns_check::{Dns, Issuance, Reach, Transport};
use futures::{
    future::{FutureExt, join, join_all},
    try_join,
};
use hosted_zones::{DomainName, ReadError, RecordSet, Route53, RrType};
use std::collections::BTreeSet;

/// The number of Regions whose certificates are listed at the same time.
const REGIONS_AT_ONCE: usize = 8;

/// Reads, and has the clients that [`act`](super::act) calls.
#[derive(Debug)]
pub(super) struct Observer<T> {
    /// The configuration from which the clients for ACM are created, one for each Region.
    pub(super) config: SdkConfig,
    pub(super) route53: Route53,
    pub(super) dns: Dns<T>,
}

impl<T: Transport> Observer<T> {
    /// Returns the Region in which the function runs.
    pub(super) fn region(&self) -> &str {
        self.config.region().map_or("", AsRef::as_ref)
    }

    /// Returns ACM in a Region.
    pub(super) fn acm(&self, region: &str) -> Acm {
        Acm::new(&self.config, region)
    }

    /// Reads what a phase of a request needs.
    pub(super) async fn observe(&self, task: &Task, phase: &Phase) -> Result<Observed, Error> {
        let mut observed = Observed::default();
        match (phase, task) {
            (Phase::Search(_), Task::Issue(issue)) => {
                (observed.zones, (observed.tracked, observed.certificates)) =
                    try_join!(self.zones(&issue.wanted).map(Ok), self.of_resource(issue))?;
            }
            (Phase::Await(arn, waiting), _) => {
                observed.certificate = self.acm(arn.region()).describe(arn).await?;
                let records = observed.certificate.as_ref().and_then(Certificate::records);
                let records = records.unwrap_or_default();
                observed.cnames = self.cnames(&records, &waiting.zones).await?;
            }
            (Phase::Finish(finish), _) => {
                let arn = &finish.arn;
                observed.tags = self.acm(arn.region()).tags(arn).await?;
            }
            (Phase::Undo(undo), Task::Issue(issue)) => {
                observed.certificates = match &undo.arn {
                    Some(arn) => self.named(arn).await?,
                    None => self.wanted(&issue.wanted).await?,
                };
            }
            (Phase::Delete(_), Task::Delete(deletion)) => {
                observed.certificates = match deletion {
                    Deletion::Named(arn, _) => self.named(arn).await?,
                    Deletion::Unnamed(wanted, _) => self.wanted(wanted).await?,
                    Deletion::Nothing => Listing::Found(Vec::new()),
                };
            }
            (Phase::Remove(remove), _) => self.removed(remove, &mut observed).await?,
            // Each phase belongs to one kind of task.
            (Phase::Search(_) | Phase::Undo(_) | Phase::Delete(_), _) => {}
        }
        Ok(observed)
    }

    /// Reads what a plan has asked for.
    pub(super) async fn answer(
        &self,
        question: &Question,
        observed: &mut Observed,
    ) -> Result<(), Error> {
        match question {
            Question::Obstacle { zones, names } => {
                observed.obstacle = self.obstacle(zones, names).await;
            }
            Question::Others { region, name } => {
                let is_named = |listed: &Listed| listed.domain.base == *name;
                observed.others = match self.list(region, is_named).await {
                    Ok(listing) => listing,
                    Err(error) => Listing::Unreadable(ListError::Aws(error)),
                };
            }
            Question::Sharers { region, names } => {
                observed.sharers = self.sharers(region, names).await?;
            }
        }
        Ok(())
    }

    /// Reads the certificate that CloudFormation tracks, and others that may belong to the resource.
    async fn of_resource(&self, issue: &Issue) -> Result<(Tracked, Listing), Error> {
        let tracked = async {
            let Some(arn) = &issue.tracked else {
                return Ok::<_, Error>(Tracked::NotRead);
            };
            Ok(match self.held(arn).await {
                Ok(None) => Tracked::Missing,
                Ok(Some(held)) => Tracked::Found(Box::new(held)),
                Err(error) => Tracked::Unreadable(error),
            })
        };
        let wanted = &issue.wanted;
        let is_other = |listed: &Listed| {
            listed.domain == wanted.names.domain && Some(&listed.arn) != issue.tracked.as_ref()
        };
        let listing = async { Ok(self.list(&wanted.region, is_other).await?) };
        // Boxed, here and below: the futures of the SDK's calls are large.
        try_join!(tracked.boxed(), listing.boxed())
    }

    async fn wanted(&self, wanted: &Wanted) -> Result<Listing, AwsError> {
        let is_wanted = |listed: &Listed| listed.domain == wanted.names.domain;
        self.list(&wanted.region, is_wanted).await
    }

    async fn named(&self, arn: &CertificateArn) -> Result<Listing, AwsError> {
        Ok(Listing::Found(self.held(arn).await?.into_iter().collect()))
    }

    /// Reads the certificates of a Region that this function can have requested and that satisfy `wanted`.
    async fn list(
        &self,
        region: &str,
        wanted: impl Fn(&Listed) -> bool + Send + Sync,
    ) -> Result<Listing, AwsError> {
        let listed = match self.acm(region).list(Of::Requested, wanted).boxed().await {
            Ok(listed) => listed,
            Err(error) => return Ok(Listing::Unreadable(error)),
        };
        let held = at_once(listed.iter().map(|listed| self.held(&listed.arn))).await?;
        Ok(Listing::Found(held.into_iter().flatten().collect()))
    }

    async fn held(&self, arn: &CertificateArn) -> Result<Option<TaggedCertificate>, AwsError> {
        let acm = self.acm(arn.region());
        let (tags, certificate) = try_join!(acm.tags(arn), acm.describe(arn))?;
        Ok(match (tags, certificate) {
            (Some(tags), Some(certificate)) => Some(TaggedCertificate { certificate, tags }),
            _ => None,
        })
    }

    /// Reads a certificate that is being deleted, and its CNAMEs in the zones from which they are deleted.
    async fn removed(&self, remove: &Remove, observed: &mut Observed) -> Result<(), Error> {
        let records = match remove.stage.cnames() {
            Some(records) => records.clone(),
            None => {
                let acm = self.acm(remove.arn.region());
                observed.certificate = acm.describe(&remove.arn).await?;
                let certificate = observed.certificate.as_ref();
                certificate
                    .map(Certificate::known_records)
                    .unwrap_or_default()
            }
        };
        let ids = remove.cnames.ids();
        if records.is_empty() || ids.is_empty() {
            return Ok(());
        }
        let zones = at_once(ids.iter().map(|id| self.route53.zone(id))).await?;
        let public = zones.into_iter().flatten().filter(|zone| !zone.private);
        let zones = ValidationZones(public.map(Into::into).collect());
        observed.cnames = self.cnames(&records, &zones).await?;
        Ok(())
    }

    /// Reads whether these CNAMEs exist.
    async fn cnames(
        &self,
        records: &BTreeSet<ValidationRecord>,
        zones: &ValidationZones,
    ) -> Result<Vec<Cname>, AwsError> {
        let reads = zones.with_records(records).into_iter();
        let reads = reads.map(async |(zone, record)| {
            let found = self.route53.record_set(&zone, &record.name, RrType::Cname);
            let state = match found.await {
                Ok(None) => CnameState::Missing,
                Ok(Some(set)) if is_of(&set, &record) => CnameState::Exists(set),
                Ok(Some(set)) => CnameState::Other(set),
                Err(ReadError::NoSuchZone(_)) => CnameState::NoZone,
                Err(ReadError::Aws(error)) => return Err(error),
            };
            Ok(Cname {
                zone,
                record,
                state,
            })
        });
        at_once(reads).await
    }

    /// Reads the zones in which names are validated. A zone that cannot be read is part of the result.
    async fn zones(&self, wanted: &Wanted) -> Vec<SeenZone> {
        let reads = wanted.zones.iter().map(async |(property, id)| {
            let state = match self.route53.zone(id).await {
                Ok(None) => ZoneState::Missing,
                Ok(Some(zone)) if zone.private => ZoneState::Private,
                Ok(Some(zone)) => ZoneState::Public {
                    zone: zone.into(),
                    delegations: Vec::new(),
                },
                Err(error) => ZoneState::Unreadable(error),
            };
            SeenZone {
                property,
                id: id.clone(),
                state,
            }
        });
        let mut seen = join_all(reads.map(FutureExt::boxed)).await;
        let public = seen.iter().filter_map(|seen| match &seen.state {
            ZoneState::Public { zone, .. } => Some(zone.clone()),
            _ => None,
        });
        let public = ValidationZones(public.collect());
        for SeenZone { state, .. } in &mut seen {
            if let ZoneState::Public { zone, delegations } = state {
                match self.delegations(zone, &public, wanted).await {
                    Ok(found) => *delegations = found,
                    Err(error) => *state = ZoneState::Unreadable(error),
                }
            }
        }
        seen
    }

    /// Reads which of the names that a zone validates, or of the names between them and its apex, have an NS
    /// record set.
    async fn delegations(
        &self,
        zone: &ValidationZone,
        zones: &ValidationZones,
        wanted: &Wanted,
    ) -> Result<Vec<DomainName>, AwsError> {
        let mut names = BTreeSet::new();
        for CertificateName { base, .. } in wanted.names.iter() {
            if zones.of(base) == Some(zone) && base.is_below(&zone.name) {
                names.extend(base.between(&zone.name));
                names.insert(base.clone());
            }
        }
        let reads = names
            .iter()
            .map(|name| self.route53.record_set(&zone.id, name, RrType::Ns));
        let found = at_once(reads).await?.into_iter().flatten();
        Ok(found.map(|set| set.name()).collect())
    }

    /// Queries name servers for the first cause for which a certificate cannot be issued now.
    ///
    /// Only answers count. If no server answers, as in a subnet that cannot reach port 53, there is no cause.
    async fn obstacle(&self, zones: &[ValidationZone], names: &[CertificateName]) -> Obstacle {
        let reached = zones.iter().map(|zone| self.not_reached(zone));
        let allowed = names.iter().map(|name| self.forbidden(name));
        let (reached, allowed) = join(join_all(reached), join_all(allowed)).await;
        let Some(cause) = reached.into_iter().chain(allowed).flatten().next() else {
            return Obstacle::None;
        };
        tracing::warn!(%cause, "the certificate cannot be issued now");
        Obstacle::Some(cause)
    }

    async fn not_reached(&self, zone: &ValidationZone) -> Option<Cause> {
        let unknown = match self.dns.reach(&zone.name, &zone.name_servers).await {
            Reach::Reached => return None,
            Reach::Broken(found) if zone.has_only_apex => {
                return Some(Cause::NotDelegatedYet {
                    zone: zone.name.clone(),
                    name_servers: zone.name_servers.clone(),
                    found,
                });
            }
            Reach::Broken(found) => {
                return Some(Cause::NotDelegated {
                    zone: zone.name.clone(),
                    found,
                });
            }
            Reach::NotValid(broken) => return Some(Cause::BrokenChain(broken)),
            Reach::Unknown(why) => why,
            Reach::Intercepted => {
                "something on the way answers in place of the root servers".to_owned()
            }
        };
        let zone = zone.name.as_str();
        tracing::info!(
            zone,
            why = unknown,
            "DNS does not show whether the zone is reached"
        );
        None
    }

    /// Returns the CAA record set that does not allow Amazon to issue for a name.
    async fn forbidden(&self, name: &CertificateName) -> Option<Cause> {
        let asked = DomainName::from_service(&name.to_string());
        match self.dns.caa(&asked).await {
            Issuance::Forbidden(caa) => Some(Cause::Caa {
                name: name.clone(),
                caa,
            }),
            Issuance::Allowed | Issuance::Unknown => None,
        }
    }

    /// Reads which certificates of the account need the CNAME of one of these names, in every Region of the partition.
    async fn sharers(&self, own: &str, names: &BTreeSet<DomainName>) -> Result<Sharers, ListError> {
        let mut sharers = self.sharers_in(own, names).await?;
        let Some(regions) = partition_of(own) else {
            return Ok(Sharers::Unknown {
                region: own.to_owned(),
                why: "this release does not know the other Regions of its partition".to_owned(),
            });
        };
        let others: Vec<&str> = regions
            .iter()
            .copied()
            .filter(|region| *region != own)
            .collect();
        for some in others.chunks(REGIONS_AT_ONCE) {
            let asked = some
                .iter()
                .map(|region| self.sharers_in(region, names).boxed());
            for (region, found) in some.iter().zip(join_all(asked).await) {
                let region = (*region).to_owned();
                match found {
                    Ok(found) => sharers.extend(found),
                    // No certificate can be requested in a Region that is not enabled for the account.
                    Err(ListError::Closed(_)) => {}
                    Err(ListError::Aws(error)) if error.is_transient() => {
                        return Ok(Sharers::Silent { region, error });
                    }
                    Err(error) => {
                        let why = error.to_string();
                        return Ok(Sharers::Unknown { region, why });
                    }
                }
            }
        }
        Ok(Sharers::Known(sharers))
    }

    /// Reads which certificates of a Region need the CNAME of one of these names.
    async fn sharers_in(
        &self,
        region: &str,
        names: &BTreeSet<DomainName>,
    ) -> Result<Vec<Sharer>, ListError> {
        let acm = self.acm(region);
        let may_share = |listed: &Listed| {
            listed.status.needs_records()
                && (listed.has_more_names
                    || listed.names.iter().any(|name| names.contains(&name.base)))
        };
        let mut sharers = Vec::new();
        for listed in acm.list(Of::Every, may_share).await? {
            let mut names: BTreeSet<_> = listed.names.into_iter().map(|name| name.base).collect();
            if listed.has_more_names {
                let described = acm.describe(&listed.arn).await.map_err(ListError::of)?;
                let validations = described.into_iter().flat_map(|one| one.validations);
                names.extend(validations.map(|known| known.name.base));
            }
            let arn = listed.arn;
            sharers.push(Sharer { arn, names });
        }
        Ok(sharers)
    }
}

/// Returns whether the record set has the value that ACM wants, in any spelling.
fn is_of(set: &RecordSet, record: &ValidationRecord) -> bool {
    set.values()
        .map(DomainName::from_service)
        .eq([record.value.clone()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_same_in_every_spelling() {
        let name = DomainName::parse("_h.a.example.com").unwrap();
        let record = ValidationRecord {
            name: name.clone(),
            value: DomainName::from_service("_v.x.acm-validations.aws."),
        };
        let is_of = |value: &str| is_of(&RecordSet::cname(&name, 60, value), &record);
        assert!(is_of("_v.x.acm-validations.aws.") && is_of("_V.x.ACM-validations.aws"));
        assert!(!is_of("_w.x.acm-validations.aws."));
    }
}
