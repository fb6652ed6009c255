use crate::{DomainName, HostedZoneId, RecordSet, Route53};
use aws_calls::AwsError;
use aws_sdk_route53::types::RrType;
use thiserror::Error;

/// Why a record set could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The zone does not exist, and therefore neither does the record set.
    #[error("{0}")]
    NoSuchZone(AwsError),
    /// Any other error.
    #[error("{0}")]
    Aws(AwsError),
}

impl ReadError {
    pub(crate) fn of(error: AwsError) -> Self {
        if error.is("NoSuchHostedZone") {
            Self::NoSuchZone(error)
        } else {
            Self::Aws(error)
        }
    }
}

impl ReadError {
    /// Returns whether the zone does not exist.
    #[must_use]
    pub fn is_no_such_zone(&self) -> bool {
        matches!(self, Self::NoSuchZone(_))
    }
}

impl From<ReadError> for AwsError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NoSuchZone(error) | ReadError::Aws(error) => error,
        }
    }
}

impl Route53 {
    /// Returns the record set of this name and type, or none. Sends one call, which reads one
    /// record set.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn record_set(
        &self,
        zone: &HostedZoneId,
        name: &DomainName,
        kind: RrType,
    ) -> Result<Option<RecordSet>, ReadError> {
        let list = self
            .client
            .list_resource_record_sets()
            .hosted_zone_id(zone.as_str());
        let list = list
            .start_record_name(name.as_str())
            .start_record_type(kind.clone())
            .max_items(1);
        let target = format!("{name} in zone {zone}");
        let page = self
            .call("ListResourceRecordSets", &target, || list.clone().send())
            .await
            .map_err(ReadError::of)?;
        let first = page
            .resource_record_sets()
            .first()
            .cloned()
            .map(RecordSet::from);
        Ok(first.filter(|set| set.name() == *name && set.kind() == kind.as_str()))
    }

    /// Returns the record sets of a name and its subdomains that satisfy `wanted`, at most `limit`
    /// of them. Reads from the name to the last of its subdomains, and nothing else of the zone.
    ///
    /// Route 53 sorts by the reversed labels, with the trailing dot, so a name and its subdomains
    /// are adjacent
    /// (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html>).
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub async fn record_sets_from(
        &self,
        zone: &HostedZoneId,
        name: &DomainName,
        limit: usize,
        wanted: impl FnMut(&RecordSet) -> bool,
    ) -> Result<Vec<RecordSet>, AwsError> {
        self.list(zone, Some(name), limit, wanted).await
    }

    /// Returns the name of a zone and its NS record sets other than the apex's, at most `limit` of
    /// them, or none if the zone does not exist.
    ///
    /// Route 53 cannot list the record sets of one type, so this reads until it has found enough:
    /// all record sets of a zone without delegations, 300 a call. The SOA record set has the zone's
    /// name, and comes before all record sets but those of the apex.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub async fn delegations(
        &self,
        zone: &HostedZoneId,
        limit: usize,
    ) -> Result<Option<(DomainName, Vec<RecordSet>)>, AwsError> {
        let mut apex = None;
        let is_ns = |set: &RecordSet| {
            if set.kind() == "SOA" {
                apex = Some(set.name());
            }
            set.kind() == "NS"
        };
        // The NS record set of the apex is found, too.
        let mut sets = match self.list(zone, None, limit + 1, is_ns).await {
            Ok(sets) => sets,
            Err(error) if error.is("NoSuchHostedZone") => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(apex) = apex else {
            let operation = "ListResourceRecordSets";
            return Err(AwsError::malformed(
                crate::SERVICE,
                operation,
                zone.as_str(),
            ));
        };
        sets.retain(|set| set.name() != apex);
        Ok(Some((apex, sets)))
    }

    /// Returns the record sets of a zone, or of a name and its subdomains, that satisfy `wanted`,
    /// at most `limit` of them.
    async fn list(
        &self,
        zone: &HostedZoneId,
        below: Option<&DomainName>,
        limit: usize,
        mut wanted: impl FnMut(&RecordSet) -> bool,
    ) -> Result<Vec<RecordSet>, AwsError> {
        let target = match below {
            Some(name) => format!("{name} in zone {zone}"),
            None => zone.to_string(),
        };
        let mut found = Vec::new();
        let mut start = Some((below.map(|name| name.as_str().to_owned()), None, None));
        while let Some((from, kind, identifier)) = start {
            let list = self
                .client
                .list_resource_record_sets()
                .hosted_zone_id(zone.as_str());
            let list = list.set_start_record_name(from).set_start_record_type(kind);
            let list = list.set_start_record_identifier(identifier);
            let page = self
                .call("ListResourceRecordSets", &target, || list.clone().send())
                .await?;
            for set in page
                .resource_record_sets()
                .iter()
                .cloned()
                .map(RecordSet::from)
            {
                if below.is_some_and(|name| !set.name().is_at_or_below(name)) {
                    return Ok(found);
                }
                if wanted(&set) {
                    found.push(set);
                    if found.len() == limit {
                        return Ok(found);
                    }
                }
            }
            start = match page.next_record_name() {
                Some(next) if page.is_truncated() => Some((
                    Some(next.to_owned()),
                    page.next_record_type().cloned(),
                    page.next_record_identifier().map(str::to_owned),
                )),
                _ => None,
            };
        }
        Ok(found)
    }
}
