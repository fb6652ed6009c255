//! The clients of a subdomain: Route 53 of this account, Route 53 and the parameters of the parent's account,
//! and DNS. Reads the parent zone.

use super::properties::ParentReference;
use crate::{
    error::Error,
    network::{Network, NetworkAccount, Roles},
    public_zone::public_zone,
};
use aws_calls::call;
use aws_types::SdkConfig;
use custom_resource::{Invocation, Request};
use dns_check::{Dns, Transport};
use hosted_zones::{DomainName, HostedZoneId, NameServers, Route53};
use std::{collections::HashMap, fmt};

/// This account, the parents' accounts and DNS.
#[derive(Debug)]
pub(super) struct Access<T> {
    pub(super) route53: Route53,
    roles: Roles,
    pub(super) dns: Dns<T>,
}

/// The zone that has the NS record set of a subdomain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ParentZone {
    pub(super) id: HostedZoneId,
    pub(super) name: DomainName,
    pub(super) name_servers: NameServers,
}

impl fmt::Display for ParentZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            name,
            name_servers,
        } = self;
        write!(f, "{id} {name} ({name_servers})")
    }
}

impl<T: Transport> Access<T> {
    pub(super) fn new(config: &SdkConfig, dns: Dns<T>) -> Self {
        Self {
            route53: Route53::new(aws_sdk_route53::Client::new(config)),
            roles: Roles::new(config),
            dns,
        }
    }

    /// Returns Route 53 with the permissions that the parent's account grants. The only call is AssumeRole.
    ///
    /// # Errors
    ///
    /// The delegation role cannot be assumed.
    pub(super) async fn parents_route53(
        &self,
        reference: &ParentReference,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<Route53, Error> {
        match reference {
            ParentReference::Own(_) => Ok(self.route53.clone()),
            ParentReference::Published(network) => {
                Ok(self.assume(network, request, invocation).await?.route53)
            }
        }
    }

    /// Returns the parent zone that the properties name, to be [confirmed](Self::confirm) before anything is changed.
    ///
    /// # Errors
    ///
    /// The delegation role cannot be assumed, nothing is published, or this account has no such public zone.
    pub(super) async fn parent(
        &self,
        reference: &ParentReference,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<ParentZone, Error> {
        match reference {
            ParentReference::Own(id) => {
                let zone = public_zone::<Error>(&self.route53, "ParentHostedZoneId", id).await?;
                Ok(ParentZone {
                    id: zone.listed.id,
                    name: zone.listed.name,
                    name_servers: zone.name_servers,
                })
            }
            ParentReference::Published(network) => {
                let account = self.assume(network, request, invocation).await?;
                read_published(&account.ssm, network).await
            }
        }
    }

    /// Checks that the published values are those of the zone.
    ///
    /// The three parameters are not read at the same moment: while the networking account replaces its zone,
    /// they may belong to two zones. A name that is delegated in the wrong zone would never resolve.
    ///
    /// # Errors
    ///
    /// [`Error::Inconsistent`].
    pub(super) async fn confirm(
        &self,
        parent: &ParentZone,
        reference: &ParentReference,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<(), Error> {
        let ParentReference::Published(network) = reference else {
            return Ok(());
        };
        let account = self.assume(network, request, invocation).await?;
        let (name, servers) = (&parent.name, &parent.name_servers);
        let fault = match account.route53.zone(&parent.id).await? {
            None => format!("zone {} does not exist", parent.id),
            Some(zone) if zone.private => format!("zone {} is private", zone.id),
            Some(zone) if zone.name != *name => {
                format!(
                    "zone {} is named {}, and {name} is published",
                    zone.id, zone.name
                )
            }
            Some(zone) if zone.name_servers != *servers => format!(
                "zone {} has the name servers {}, and {servers} are published",
                zone.id, zone.name_servers
            ),
            Some(_) => return Ok(()),
        };
        Err(Error::Inconsistent {
            prefix: network.prefix.clone(),
            fault,
        })
    }

    async fn assume(
        &self,
        network: &Network,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<NetworkAccount, Error> {
        let now = invocation.clock.now();
        self.roles.assume(network, &request.request_id, now).await
    }
}

/// Reads the parameters that `publish-zone` wrote.
async fn read_published(ssm: &aws_sdk_ssm::Client, network: &Network) -> Result<ParentZone, Error> {
    let prefix = &network.prefix;
    let [id, name, servers] = ["hosted-zone-id", "hosted-zone-name", "name-servers"]
        .map(|parameter| format!("{prefix}/{parameter}"));
    let paths = [id.clone(), name.clone(), servers.clone()];
    let get = ssm.get_parameters().set_names(Some(paths.to_vec()));
    let answer = call("SSM", "GetParameters", prefix, || get.clone().send()).await?;
    let parameters = answer.parameters().iter();
    let found: HashMap<&str, &str> = parameters.filter_map(|p| p.name().zip(p.value())).collect();
    let value = |path: &str| found.get(path).copied();
    let (Some(id), Some(name), Some(servers)) = (value(&id), value(&name), value(&servers)) else {
        let is_missing = |path: &String| !found.contains_key(path.as_str());
        return Err(Error::Unpublished {
            role_arn: network.role_arn.clone(),
            missing: paths.into_iter().filter(is_missing).collect(),
        });
    };
    Ok(ParentZone {
        id: HostedZoneId::parse(id).map_err(|error| Error::Inconsistent {
            prefix: prefix.clone(),
            fault: error.to_string(),
        })?,
        name: DomainName::from_service(name),
        name_servers: NameServers::new(servers.split(',')),
    })
}
