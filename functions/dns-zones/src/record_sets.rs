use crate::{DomainName, HostedZoneId, RecordSet, Route53};
use aws_calls::AwsError;
use aws_sdk_route53::types::RrType;

impl Route53 {
    /// The record set of this name and type; none where there is none. One call, one record set read.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub async fn record_set(
        &self,
        zone: &HostedZoneId,
        name: &DomainName,
        kind: RrType,
    ) -> Result<Option<RecordSet>, AwsError> {
        let list = self
            .client
            .list_resource_record_sets()
            .hosted_zone_id(zone.as_str());
        let list = list
            .start_record_name(name.as_str())
            .start_record_type(kind.clone())
            .max_items(1);
        let page = self
            .call("ListResourceRecordSets", name.as_str(), || {
                list.clone().send()
            })
            .await?;
        let first = page.resource_record_sets().first().cloned().map(RecordSet);
        Ok(first.filter(|set| set.name() == *name && set.kind() == kind.as_str()))
    }

    /// The record sets at a name and below it for which `wanted` holds, at most `limit` of them. Starts at the
    /// name and ends where the names below it end: what else the zone holds is not read.
    ///
    /// Route 53 sorts by the labels reversed, with the trailing dot, so a name and all below it stand together
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
        mut wanted: impl FnMut(&RecordSet) -> bool,
    ) -> Result<Vec<RecordSet>, AwsError> {
        let mut found = Vec::new();
        let mut start = Some((name.as_str().to_owned(), None, None));
        while let Some((from, kind, identifier)) = start {
            let list = self
                .client
                .list_resource_record_sets()
                .hosted_zone_id(zone.as_str());
            let list = list.start_record_name(from).set_start_record_type(kind);
            let list = list.set_start_record_identifier(identifier);
            let page = self
                .call("ListResourceRecordSets", name.as_str(), || {
                    list.clone().send()
                })
                .await?;
            for set in page.resource_record_sets().iter().cloned().map(RecordSet) {
                if !set.name().is_at_or_below(name) {
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
                    next.to_owned(),
                    page.next_record_type().cloned(),
                    page.next_record_identifier().map(str::to_owned),
                )),
                _ => None,
            };
        }
        Ok(found)
    }
}
