//! Finds the addresses of name servers.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use hickory_proto::rr::{RData, RecordType};
use thiserror::Error;

use super::question::{Reply, wire_name};
use super::{Dns, Transport};
use crate::DomainName;

/// The port of name servers on the Internet.
const DNS_PORT: u16 = 53;

/// Limits the name servers of one NS record set that are looked up. Route 53 assigns four to a
/// zone, and the root has thirteen. A larger set is a mistake, or an attempt to make this function
/// send many queries.
pub(super) const MOST_LOOKED_UP: usize = 16;

/// Limits the addresses of one name server.
const MOST_ADDRESSES: usize = 8;

/// The servers in `DNS_NAME_SERVERS`, which replace the Internet in a test or in a closed network.
/// Empty: the Internet.
///
/// All queries go to them. They are first queried for the addresses of a name server's host name.
/// If one knows an address, that address is queried, at the port of the server that knew it, so
/// that each name server can have an address of its own. Otherwise the listed servers are queried
/// in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameServerList(Vec<SocketAddr>);

/// Why a list cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("DNS_NAME_SERVERS has {0:?}: expected IP:PORT, comma-joined")]
pub struct NameServerListError(String);

impl NameServerList {
    /// The environment variable with the list.
    pub const VARIABLE: &str = "DNS_NAME_SERVERS";

    /// Reads the list from the environment of the process.
    ///
    /// # Errors
    ///
    /// As [`NameServerList::parse`].
    pub fn from_environment() -> Result<Self, NameServerListError> {
        Self::parse(&std::env::var(Self::VARIABLE).unwrap_or_default())
    }

    /// Parses a comma-joined list of `IP:PORT`, or `[IP]:PORT` for IPv6. An empty text is an empty
    /// list.
    ///
    /// # Errors
    ///
    /// [`NameServerListError`] with the faulty entry.
    pub fn parse(text: &str) -> Result<Self, NameServerListError> {
        let entries = text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let address = |entry: &str| {
            entry
                .parse()
                .map_err(|_| NameServerListError(entry.to_owned()))
        };
        Ok(Self(entries.map(address).collect::<Result<_, _>>()?))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<SocketAddr>> for NameServerList {
    fn from(servers: Vec<SocketAddr>) -> Self {
        Self(servers)
    }
}

/// A name server with its addresses.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// Its host name. None if only its address is known.
    pub(super) host: Option<DomainName>,
    pub(super) addresses: Vec<SocketAddr>,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.host, self.addresses.first()) {
            (Some(host), _) => host.fmt(f),
            (None, Some(address)) => address.fmt(f),
            (None, None) => f.write_str("nobody"),
        }
    }
}

/// The root servers, <https://www.iana.org/domains/root/servers>. The system's resolver finds their
/// addresses.
const ROOT_SERVERS: [&str; 13] = [
    "a.root-servers.net",
    "b.root-servers.net",
    "c.root-servers.net",
    "d.root-servers.net",
    "e.root-servers.net",
    "f.root-servers.net",
    "g.root-servers.net",
    "h.root-servers.net",
    "i.root-servers.net",
    "j.root-servers.net",
    "k.root-servers.net",
    "l.root-servers.net",
    "m.root-servers.net",
];

impl<T: Transport> Dns<T> {
    /// Returns the servers at which a walk starts: the listed ones, or some root servers.
    pub(super) async fn top(&self, most: usize) -> Vec<Server> {
        if self.listed.is_empty() {
            let hosts = ROOT_SERVERS
                .iter()
                .take(most)
                .map(|host| DomainName::from_service(host));
            return self.locate_all(hosts).await;
        }
        let server = |address: &SocketAddr| Server {
            host: None,
            addresses: vec![*address],
        };
        self.listed.0.iter().map(server).collect()
    }

    /// Returns the first 16 of these name servers with their addresses.
    pub(super) async fn locate_all(
        &self,
        hosts: impl IntoIterator<Item = DomainName>,
    ) -> Vec<Server> {
        let hosts = hosts.into_iter().take(MOST_LOOKED_UP);
        futures::future::join_all(hosts.map(|host| self.locate(host))).await
    }

    /// Returns a name server with its addresses, or without any if nobody knows one.
    pub(super) async fn locate(&self, host: DomainName) -> Server {
        let mut addresses = if self.listed.is_empty() {
            self.by_system(&host).await
        } else {
            self.by_list(&host).await
        };
        addresses.truncate(MOST_ADDRESSES);
        Server {
            host: Some(host),
            addresses,
        }
    }

    /// Returns whether a server may be a resolver, as the listed servers may.
    pub(super) fn may_be_resolvers(&self) -> bool {
        !self.listed.is_empty()
    }

    /// Returns whether an address belongs to the name server itself, not to a listed server that
    /// replaces it.
    pub(super) fn is_own_address(&self, address: SocketAddr) -> bool {
        !self.listed.0.contains(&address)
    }

    /// Returns whether two name servers have an address in common. White-label name servers are
    /// Route 53's servers with names in the zone itself
    /// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/white-label-name-servers.html>).
    pub(super) fn share_an_address(&self, one: &Server, other: &Server) -> bool {
        one.addresses
            .iter()
            .any(|address| other.addresses.contains(address) && self.is_own_address(*address))
    }

    async fn by_system(&self, host: &DomainName) -> Vec<SocketAddr> {
        let addresses = match self.transport.addresses(host.as_str()).await {
            Ok(addresses) => addresses,
            Err(error) => {
                tracing::debug!(%host, %error, "the system's resolver knows no address");
                Vec::new()
            }
        };
        // A subnet usually reaches the Internet over IPv4, and over IPv6 only if it was built for
        // that. So IPv4 is tried first.
        let (v4, v6): (Vec<_>, Vec<_>) = addresses.into_iter().partition(IpAddr::is_ipv4);
        v4.into_iter()
            .chain(v6)
            .map(|ip| SocketAddr::new(ip, DNS_PORT))
            .collect()
    }

    async fn by_list(&self, host: &DomainName) -> Vec<SocketAddr> {
        for listed in &self.listed.0 {
            let server = Server {
                host: None,
                addresses: vec![*listed],
            };
            for record_type in [RecordType::A, RecordType::AAAA] {
                // The listed server may be a resolver. This is the only query that asks for
                // recursion.
                let asked = self
                    .ask_resolver(&server, &wire_name(host), record_type)
                    .await;
                let Ok(Reply::Records(records)) = asked else {
                    continue;
                };
                let ip = |data: &RData| match data {
                    RData::A(a) => Some(IpAddr::V4(a.0)),
                    RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.0)),
                    _ => None,
                };
                let found: Vec<_> = records
                    .iter()
                    .filter_map(|record| ip(&record.data))
                    .collect();
                if !found.is_empty() {
                    return found
                        .into_iter()
                        .map(|ip| SocketAddr::new(ip, listed.port()))
                        .collect();
                }
            }
        }
        self.listed.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_parsed_or_refused_with_the_faulty_entry() {
        let list = NameServerList::parse(" 127.0.0.1:5353, [::1]:53,").unwrap();
        assert_eq!(
            list.0,
            [
                "127.0.0.1:5353".parse().unwrap(),
                "[::1]:53".parse().unwrap()
            ]
        );
        assert!(NameServerList::parse("").unwrap().is_empty());
        let error = NameServerList::parse("127.0.0.1:53,dns.example.com:53").unwrap_err();
        assert!(error.to_string().contains("\"dns.example.com:53\""));
        assert!(NameServerList::parse("127.0.0.1").is_err());
    }
}
