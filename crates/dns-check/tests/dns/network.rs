//! Name servers in memory and in virtual time.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dns_check::DomainName;
use dns_check::{Dns, NameServerList, Protocol, Transport};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;
use name_server::{Asked, RecordSet, Zone, Zones, answer_bytes};
use tokio::time::sleep;

/// The listed server that replaces the Internet.
const TOP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5353);

/// Name servers in memory. Each answers from the zones, with the exceptions below.
#[derive(Default)]
pub(crate) struct Network {
    pub(crate) zones: Mutex<Arc<Zones>>,
    /// Whether each name server has an address of its own, or `TOP` serves all zones.
    pub(crate) own_addresses: bool,
    /// No packet arrives at these addresses, nor at any address if `closed`.
    pub(crate) down: Mutex<BTreeSet<Ipv4Addr>>,
    pub(crate) closed: bool,
    pub(crate) no_tcp: bool,
    /// Answers have no AA bit, as those of a resolver.
    pub(crate) from_cache: bool,
    /// The server answers NXDOMAIN for this name, which only has subdomains.
    pub(crate) denied: Option<&'static str>,
    /// Queries for records of this type get no usable answer.
    pub(crate) unusable: Option<(RecordType, Unusable)>,
    /// The number of datagrams and connections.
    pub(crate) exchanges: AtomicUsize,
}

/// Why an answer cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    Lost,
    Refused,
    FromCache,
}

impl Transport for Network {
    async fn exchange(
        &self,
        server: SocketAddr,
        query: &[u8],
        protocol: Protocol,
    ) -> io::Result<Vec<u8>> {
        let IpAddr::V4(ip) = server.ip() else {
            return Err(io::ErrorKind::NetworkUnreachable.into());
        };
        let asked_for = Message::from_vec(query).unwrap().queries[0].query_type();
        let unusable = self.unusable.filter(|(of, _)| *of == asked_for);
        let unusable = unusable.map(|(_, unusable)| unusable);
        let lost = self.closed
            || unusable == Some(Unusable::Lost)
            || self.down.lock().unwrap().contains(&ip)
            || (self.no_tcp && protocol == Protocol::Tcp);
        if lost {
            sleep(Duration::from_secs(6)).await;
            return Err(io::ErrorKind::TimedOut.into());
        }
        sleep(Duration::from_millis(20)).await;
        let asked = if server == TOP {
            Asked::Everywhere {
                own_addresses: self.own_addresses,
            }
        } else {
            Asked::At(ip)
        };
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        let zones = self.zones.lock().unwrap().clone();
        let answer = answer_bytes(&zones, asked, query, protocol == Protocol::Udp).unwrap();
        let mut answer = Message::from_vec(&answer).unwrap();
        answer.metadata.authoritative &= !self.from_cache && unusable != Some(Unusable::FromCache);
        if unusable == Some(Unusable::Refused) {
            answer = Message::response(answer.metadata.id, answer.metadata.op_code);
            answer.metadata.response_code = ResponseCode::Refused;
            answer.queries = Message::from_vec(query).unwrap().queries;
        }
        let name = answer.queries[0].name().to_ascii();
        if self.denied.is_some_and(|denied| denied == name) {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        Ok(answer.to_vec().unwrap())
    }
}

pub(crate) fn network(zones: &[Zone]) -> Network {
    Network {
        zones: Mutex::new(Arc::new(Zones::from_top(zones).unwrap())),
        own_addresses: true,
        ..Network::default()
    }
}

pub(crate) fn dns(network: Network) -> (Dns<Arc<Network>>, Arc<Network>) {
    let network = Arc::new(network);
    let list = NameServerList::from(vec![TOP]);
    (Dns::new(Arc::clone(&network), list), network)
}

pub(crate) fn set(name: &str, record_type: &str, values: &[&str]) -> RecordSet {
    RecordSet {
        name: name.into(),
        record_type: record_type.into(),
        ttl: 900,
        values: values.iter().map(|v| (*v).into()).collect(),
    }
}

pub(crate) fn zone(name: &str, servers: &[&str], record_sets: Vec<RecordSet>) -> Zone {
    Zone {
        name: name.into(),
        name_servers: servers.iter().map(|s| (*s).into()).collect(),
        record_sets,
        signed: false,
    }
}

pub(crate) const BUILD: [&str; 2] = ["build1.test", "build2.test"];
pub(crate) const DEV: [&str; 2] = ["dev1.test", "dev2.test"];

pub(crate) fn base() -> Zone {
    zone(
        "example.com",
        &["base1.test"],
        vec![set("build.example.com", "NS", &BUILD)],
    )
}

pub(crate) fn build(record_sets: Vec<RecordSet>) -> Zone {
    zone("build.example.com", &BUILD, record_sets)
}

pub(crate) fn dev() -> Zone {
    zone("dev.build.example.com", &DEV, vec![])
}

pub(crate) fn delegation() -> RecordSet {
    set("dev.build.example.com", "NS", &["DEV2.test.", "dev1.test."])
}

pub(crate) fn tree() -> Vec<Zone> {
    vec![base(), build(vec![delegation()]), dev()]
}

pub(crate) fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}
