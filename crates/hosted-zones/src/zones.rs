use crate::{
    DomainName, HostedZone, HostedZoneId, ListedZone, NameServers, Route53, change::ChangeId,
};
use aws_calls::AwsError;
use aws_sdk_route53::types::{
    DelegationSet, HostedZoneConfig, ResourceTagSet, Tag, TagResourceType,
};
use std::collections::BTreeMap;
use thiserror::Error;

/// A zone that was just created.
#[derive(Debug)]
pub struct CreatedZone {
    /// The zone.
    pub zone: HostedZone,
    /// The change after which its name servers answer.
    pub change: ChangeId,
}

/// The result of deleting a zone.
#[derive(Debug)]
pub enum Deleted {
    /// The zone does not exist any more.
    Yes,
    /// The zone exists, because it has more than its SOA and NS record sets, is signed, or has
    /// record set protections.
    NotEmpty(AwsError),
}

/// Why a zone was not created.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CreateError {
    /// The caller reference was used before, and can never be used again. This very call may have
    /// used it, if the SDK sent it twice (<https://github.com/aws/aws-sdk-ruby/issues/1554>).
    #[error("{0}")]
    ReferenceUsed(AwsError),
    /// Any other error.
    #[error("{0}")]
    Aws(AwsError),
}

impl Route53 {
    /// Returns the zone of this id, or none if it does not exist.
    ///
    /// # Errors
    ///
    /// [`AwsError`], which is `AccessDenied` if the zone belongs to another account.
    pub async fn zone(&self, id: &HostedZoneId) -> Result<Option<HostedZone>, AwsError> {
        let send = || self.client.get_hosted_zone().id(id.as_str()).send();
        let output = match self.call("GetHostedZone", id.as_str(), send).await {
            Ok(output) => output,
            Err(error) if error.is("NoSuchHostedZone") => return Ok(None),
            Err(error) => return Err(error),
        };
        let servers = output.delegation_set().map(DelegationSet::name_servers);
        Ok(output.hosted_zone().map(|zone| HostedZone {
            listed: zone.into(),
            name_servers: NameServers::new(servers.unwrap_or_default()),
        }))
    }

    /// Returns the public zones of exactly this name. Reads from that name on, never the whole
    /// account.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub async fn zones_named(&self, name: &DomainName) -> Result<Vec<ListedZone>, AwsError> {
        let mut found = Vec::new();
        let mut next = Some((name.as_str().to_owned(), None));
        while let Some((start, id)) = next {
            let list = self
                .client
                .list_hosted_zones_by_name()
                .dns_name(start)
                .set_hosted_zone_id(id);
            let page = self
                .call("ListHostedZonesByName", name.as_str(), || {
                    list.clone().send()
                })
                .await?;
            // Route 53 lists from the name on, so the first other name ends the search.
            let zones: Vec<ListedZone> = page.hosted_zones().iter().map(Into::into).collect();
            let all_match = zones.iter().all(|zone| zone.name == *name);
            found.extend(
                zones
                    .into_iter()
                    .filter(|zone| zone.name == *name && !zone.private),
            );
            next = match page.next_dns_name() {
                Some(start) if page.is_truncated() && all_match => Some((
                    start.to_owned(),
                    page.next_hosted_zone_id().map(str::to_owned),
                )),
                _ => None,
            };
        }
        Ok(found)
    }

    /// Returns every public zone of the account that satisfies `wanted`, 100 zones a call. Only for
    /// the one case in which neither the zone's id nor its name is known.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub async fn zones_where(
        &self,
        wanted: impl Fn(&ListedZone) -> bool,
    ) -> Result<Vec<ListedZone>, AwsError> {
        let mut found = Vec::new();
        let mut marker = None;
        loop {
            let list = self.client.list_hosted_zones().set_marker(marker);
            let page = self
                .call("ListHostedZones", "all zones", || list.clone().send())
                .await?;
            let zones = page.hosted_zones().iter().map(ListedZone::from);
            found.extend(zones.filter(|zone| !zone.private && wanted(zone)));
            marker = page
                .next_marker()
                .filter(|_| page.is_truncated())
                .map(str::to_owned);
            if marker.is_none() {
                return Ok(found);
            }
        }
    }

    /// Creates a public zone.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub async fn create_zone(
        &self,
        name: &DomainName,
        caller_reference: &str,
        comment: &str,
    ) -> Result<CreatedZone, CreateError> {
        const OPERATION: &str = "CreateHostedZone";
        let config = HostedZoneConfig::builder()
            .set_comment(Some(comment.to_owned()).filter(|c| !c.is_empty()));
        let create = self.client.create_hosted_zone();
        let create = create
            .name(name.as_str())
            .caller_reference(caller_reference);
        let create = create.hosted_zone_config(config.build());
        let created = self
            .call(OPERATION, name.as_str(), || create.clone().send())
            .await;
        let output = created.map_err(|error| {
            if error.is("HostedZoneAlreadyExists") {
                CreateError::ReferenceUsed(error)
            } else {
                CreateError::Aws(error)
            }
        })?;
        let malformed = || {
            CreateError::Aws(AwsError::malformed(
                crate::SERVICE,
                OPERATION,
                name.as_str(),
            ))
        };
        let listed: ListedZone = (output.hosted_zone().map(Into::into)).ok_or_else(malformed)?;
        let servers = output.delegation_set().map(DelegationSet::name_servers);
        let change = output
            .change_info()
            .map(|info| ChangeId::from_service(info.id(), name.as_str(), &listed.id));
        Ok(CreatedZone {
            zone: HostedZone {
                listed,
                name_servers: NameServers::new(servers.unwrap_or_default()),
            },
            change: change.ok_or_else(malformed)?,
        })
    }

    /// Deletes a zone. Succeeds if the zone does not exist any more.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub async fn delete_zone(&self, id: &HostedZoneId) -> Result<Deleted, AwsError> {
        let send = || self.client.delete_hosted_zone().id(id.as_str()).send();
        match self.call("DeleteHostedZone", id.as_str(), send).await {
            Ok(_) => Ok(Deleted::Yes),
            Err(error) if error.is("NoSuchHostedZone") => Ok(Deleted::Yes),
            Err(error) if error.is("HostedZoneNotEmpty") => Ok(Deleted::NotEmpty(error)),
            Err(error) => Err(error),
        }
    }

    /// Sets a zone's comment.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub async fn set_comment(&self, id: &HostedZoneId, comment: &str) -> Result<(), AwsError> {
        let update = self
            .client
            .update_hosted_zone_comment()
            .id(id.as_str())
            .comment(comment);
        self.call("UpdateHostedZoneComment", id.as_str(), || {
            update.clone().send()
        })
        .await
        .map(|_| ())
    }

    /// Returns a zone's tags, or none if there is no such zone.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub async fn zone_tags(
        &self,
        id: &HostedZoneId,
    ) -> Result<Option<BTreeMap<String, String>>, AwsError> {
        let list = self.client.list_tags_for_resource();
        let list = list
            .resource_type(TagResourceType::Hostedzone)
            .resource_id(id.as_str());
        let listed = self
            .call("ListTagsForResource", id.as_str(), || list.clone().send())
            .await;
        let output = match listed {
            Err(error) if error.is("NoSuchHostedZone") => return Ok(None),
            listed => listed?,
        };
        let tags = output
            .resource_tag_set()
            .map(ResourceTagSet::tags)
            .unwrap_or_default();
        let pair = |tag: &Tag| {
            Some((
                tag.key()?.to_owned(),
                tag.value().unwrap_or_default().to_owned(),
            ))
        };
        Ok(Some(tags.iter().filter_map(pair).collect()))
    }

    /// Sets and removes tags of a zone. Sends nothing if there is nothing to change.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub async fn tag_zone(
        &self,
        id: &HostedZoneId,
        set: &BTreeMap<String, String>,
        remove: &[String],
    ) -> Result<(), AwsError> {
        // Route 53 accepts ten of each in one call.
        const MOST: usize = 10;
        let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
        let add: Vec<Tag> = set.iter().map(tag).collect();
        let calls = add.len().max(remove.len()).div_ceil(MOST);
        for i in 0..calls {
            let add = add.chunks(MOST).nth(i).map(<[Tag]>::to_vec);
            let remove = remove.chunks(MOST).nth(i).map(<[String]>::to_vec);
            let change = self.client.change_tags_for_resource();
            let change = change
                .resource_type(TagResourceType::Hostedzone)
                .resource_id(id.as_str())
                .set_add_tags(add)
                .set_remove_tag_keys(remove);
            self.call("ChangeTagsForResource", id.as_str(), || {
                change.clone().send()
            })
            .await?;
        }
        Ok(())
    }

    /// Returns whether the zone is signed with DNSSEC or being signed: such a zone cannot be
    /// deleted.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub async fn is_signed(&self, id: &HostedZoneId) -> Result<bool, AwsError> {
        let send = || self.client.get_dnssec().hosted_zone_id(id.as_str()).send();
        let output = self.call("GetDNSSEC", id.as_str(), send).await?;
        let status = output.status().and_then(|status| status.serve_signature());
        Ok(status.is_some_and(|status| status != "NOT_SIGNING")
            || !output.key_signing_keys().is_empty())
    }
}
