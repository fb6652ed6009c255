use super::{
    Subdomains,
    properties::{Network, ParentReference},
};
use crate::{error::Error, network::NetworkAccount, public_zone::public_zone};
use aws_calls::call;
use custom_resource::{Invocation, Request};
use dns_check::Transport;
use hosted_zones::{DomainName, HostedZoneId, NameServers, Route53};
use std::collections::HashMap;

/// The zone in which the NS record set of a subdomain stands, with the rights to change it.
#[derive(Clone, Debug)]
pub(crate) struct Parent {
    pub(crate) id: HostedZoneId,
    pub(crate) name: DomainName,
    pub(crate) name_servers: NameServers,
    pub(crate) route53: Route53,
    /// Where it was published, until [`Parent::confirm`] has seen the zone itself.
    published_at: Option<String>,
}

impl Parent {
    /// Checks that what was published is the zone as it is. It is one call that most others need not wait for, but
    /// nothing may be made before it.
    ///
    /// Three parameters are not read at one moment: while the networking account replaces its zone, they can be
    /// of two zones. Delegating into the wrong one would be a name that resolves nowhere.
    ///
    /// # Errors
    ///
    /// [`Error::Torn`].
    pub(super) async fn confirm(&self) -> Result<(), Error> {
        let Some(prefix) = &self.published_at else {
            return Ok(());
        };
        let fault = match self.route53.zone(&self.id).await? {
            None => format!("zone {} does not exist", self.id),
            Some(zone) if zone.private => format!("zone {} is private", zone.id),
            Some(zone) if zone.name != self.name => format!(
                "zone {} is named {}, and {} is published",
                zone.id, zone.name, self.name
            ),
            Some(zone) if zone.name_servers != self.name_servers => format!(
                "zone {} has the name servers {}, and {} are published",
                zone.id, zone.name_servers, self.name_servers
            ),
            Some(_) => return Ok(()),
        };
        Err(Error::Torn {
            prefix: prefix.clone(),
            fault,
        })
    }
}

impl<T: Transport> Subdomains<T> {
    /// The parent zone that the properties name, read afresh; to be [confirmed](Parent::confirm).
    pub(super) async fn parent(
        &self,
        reference: &ParentReference,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<Parent, Error> {
        invocation.doing("reading the parent zone");
        match reference {
            ParentReference::Own(id) => {
                let route53 = self.route53.clone();
                let zone = public_zone::<Error>(&route53, "ParentHostedZoneId", id).await?;
                Ok(Parent {
                    id: zone.listed.id,
                    name: zone.listed.name,
                    name_servers: zone.name_servers,
                    route53,
                    published_at: None,
                })
            }
            ParentReference::Published(network) => {
                let now = invocation.clock.now();
                let NetworkAccount { route53, ssm } =
                    self.roles.assume(network, &request.request_id, now).await?;
                let Published {
                    id,
                    name,
                    name_servers,
                } = read_published(&ssm, network).await?;
                Ok(Parent {
                    id,
                    name,
                    name_servers,
                    route53,
                    published_at: Some(network.prefix.clone()),
                })
            }
        }
    }

    /// The parent zone, [confirmed](Parent::confirm).
    pub(super) async fn confirmed_parent(
        &self,
        reference: &ParentReference,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<Parent, Error> {
        let parent = self.parent(reference, request, invocation).await?;
        parent.confirm().await?;
        Ok(parent)
    }

    /// The rights to change the parent, without reading anything there: what a Delete needs, which knows the
    /// parent's id.
    pub(super) async fn parent_rights(
        &self,
        reference: &ParentReference,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<Route53, Error> {
        match reference {
            ParentReference::Own(_) => Ok(self.route53.clone()),
            ParentReference::Published(network) => {
                let now = invocation.clock.now();
                Ok(self
                    .roles
                    .assume(network, &request.request_id, now)
                    .await?
                    .route53)
            }
        }
    }
}

/// What `publish-zone` wrote.
struct Published {
    id: HostedZoneId,
    name: DomainName,
    name_servers: NameServers,
}

async fn read_published(ssm: &aws_sdk_ssm::Client, network: &Network) -> Result<Published, Error> {
    let prefix = &network.prefix;
    let names = ["hosted-zone-id", "hosted-zone-name", "name-servers"];
    let paths: Vec<String> = names
        .iter()
        .map(|name| format!("{prefix}/{name}"))
        .collect();
    let get = ssm.get_parameters().set_names(Some(paths.clone()));
    let answer = call("SSM", "GetParameters", prefix, || get.clone().send()).await?;
    let found: HashMap<&str, &str> = answer
        .parameters()
        .iter()
        .filter_map(|p| Some((p.name()?, p.value()?)))
        .collect();
    let missing: Vec<String> = paths
        .iter()
        .filter(|path| !found.contains_key(path.as_str()))
        .cloned()
        .collect();
    if !missing.is_empty() {
        return Err(Error::Unpublished {
            role_arn: network.role_arn.clone(),
            missing,
        });
    }
    let value = |i: usize| found[paths[i].as_str()];
    Ok(Published {
        id: HostedZoneId::parse(value(0)).map_err(|error| Error::Torn {
            prefix: prefix.clone(),
            fault: error.to_string(),
        })?,
        name: DomainName::from_service(value(1)),
        name_servers: NameServers::new(value(2).split(',')),
    })
}
