//! Where a name server listens.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use hickory_proto::rr::{RData, RecordType};
use thiserror::Error;

use super::question::{Reply, wire_name};
use super::{Dns, Transport};
use crate::DomainName;

/// Where name servers listen on the Internet.
const DNS_PORT: u16 = 53;

/// How many name servers of one NS record set are looked up. Route 53 gives a zone four, and the root has thirteen; a
/// larger set is a mistake, or made to have this function send many queries.
pub(super) const MOST_LOOKED_UP: usize = 16;

/// How many addresses of one name server are used.
const MOST_ADDRESSES: usize = 8;

/// `DNS_NAME_SERVERS`: servers that stand for the Internet in a test or in a closed network. Empty: the Internet.
///
/// All questions go to them. For the host name of a name server they are asked for its addresses first: where they
/// know one, that address is asked, at the port of the server that knew it, so that each name server can have an
/// address of its own; where they do not, the listed servers are asked in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameServerList(Vec<SocketAddr>);

/// A list that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("DNS_NAME_SERVERS has {0:?}: expected IP:PORT, comma-joined")]
pub struct NameServerListError(String);

impl NameServerList {
    /// The environment variable that holds the list.
    pub const VARIABLE: &str = "DNS_NAME_SERVERS";

    /// From the environment of the process.
    ///
    /// # Errors
    ///
    /// As [`NameServerList::parse`].
    pub fn from_environment() -> Result<Self, NameServerListError> {
        Self::parse(&std::env::var(Self::VARIABLE).unwrap_or_default())
    }

    /// From a comma-joined list of `IP:PORT`, `[IP]:PORT` for IPv6. Nothing is an empty list.
    ///
    /// # Errors
    ///
    /// [`NameServerListError`] names the entry.
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

/// A name server with the addresses where it can be asked.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// Its host name; none for one that is known by its address alone.
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

/// The root servers, <https://www.iana.org/domains/root/servers>. Their addresses are the system resolver's to know.
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
    /// The servers where a walk starts: the listed ones, or some root servers.
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

    /// Where the first 16 of these name servers can be asked.
    pub(super) async fn locate_all(
        &self,
        hosts: impl IntoIterator<Item = DomainName>,
    ) -> Vec<Server> {
        let hosts = hosts.into_iter().take(MOST_LOOKED_UP);
        futures::future::join_all(hosts.map(|host| self.locate(host))).await
    }

    /// Where a name server can be asked. Without addresses where nobody knows one.
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

    /// Whether what answers may be a resolver: the listed servers, which stand for the Internet, may.
    pub(super) fn may_be_resolvers(&self) -> bool {
        !self.listed.is_empty()
    }

    /// Whether an address is a name server's own, and not a listed server's, which answers in its place.
    pub(super) fn is_own_address(&self, address: SocketAddr) -> bool {
        !self.listed.0.contains(&address)
    }

    /// Whether two name servers are one, at an address of its own: white-label name servers are Route 53's under names
    /// of the zone itself (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/white-label-name-servers.html>).
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
        // A subnet has a way out over IPv4 as a rule, over IPv6 alone where it was built so: ask in this order.
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
                // The listed server may be a resolver: here, and only here, it is asked to find out.
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
    fn a_list_is_read_or_refused_by_entry() {
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
