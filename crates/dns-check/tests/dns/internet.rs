//! Without `DNS_NAME_SERVERS`: from the root servers, with the system's resolver and with real
//! sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use dns_check::NameServers;
use dns_check::{
    Checked, Dns, Issuance, NameServerList, Protocol, Reach, Sockets, Standing, Transport,
};
use hickory_proto::op::{Message, MessageType, ResponseCode};
use name_server::{Asked, Zone, Zones, address_of, answer_bytes};

use crate::check::check;
use crate::network::{DEV, name, set, tree, zone};

/// The Internet: name servers at port 53 and the root servers, whose addresses the system's
/// resolver knows.
struct Internet {
    zones: Zones,
    /// What a firewall does to queries, if there is one.
    firewall: Option<Firewall>,
}

/// A firewall that forwards no query and answers each itself.
#[derive(Clone, Copy, Debug)]
enum Firewall {
    /// Answers from its cache, as the network's own resolver would.
    Resolves,
    /// Refuses queries that do not ask for recursion.
    Refuses,
}

impl Transport for Internet {
    async fn exchange(
        &self,
        server: SocketAddr,
        query: &[u8],
        protocol: Protocol,
    ) -> io::Result<Vec<u8>> {
        assert_eq!(server.port(), 53);
        let IpAddr::V4(ip) = server.ip() else {
            return Err(io::ErrorKind::NetworkUnreachable.into());
        };
        let asked = match self.firewall {
            None => Asked::At(ip),
            Some(_) => Asked::Everywhere {
                own_addresses: false,
            },
        };
        let udp = protocol == Protocol::Udp;
        let mut answer = answer_bytes(&self.zones, asked, query, udp).unwrap();
        match self.firewall {
            None => {}
            Some(Firewall::Resolves) => answer[2] &= !AUTHORITATIVE,
            Some(Firewall::Refuses) => {
                let mut refusal = Message::from_vec(query).unwrap();
                refusal.metadata.message_type = MessageType::Response;
                refusal.metadata.response_code = ResponseCode::Refused;
                answer = refusal.to_vec().unwrap();
            }
        }
        Ok(answer)
    }

    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        // A name server with an IPv4 and an IPv6 address, as Route 53's have. The function has no
        // route over IPv6.
        let host = match host {
            "ns1.example.com" => "base1.test",
            host => host,
        };
        Ok(vec![
            IpAddr::V6(address_of(host).to_ipv6_mapped()),
            address_of(host).into(),
        ])
    }
}

const AUTHORITATIVE: u8 = 0b100;

/// Returns the zones of `tree` and their ancestors up to the root.
fn whole_tree() -> Vec<Zone> {
    let roots = ["a.root-servers.net", "b.root-servers.net"];
    let top = zone(".", &roots, vec![set("com", "NS", &["gtld.test"])]);
    let com = zone(
        "com",
        &["gtld.test"],
        vec![set("example.com", "NS", &["base1.test"])],
    );
    let mut zones = tree();
    zones.extend([top, com]);
    zones
}

fn internet(zones: &[Zone], firewall: Option<Firewall>) -> Dns<Internet> {
    let zones = Zones::new(zones, &[]).unwrap();
    Dns::new(Internet { zones, firewall }, NameServerList::default())
}

#[tokio::test(start_paused = true)]
async fn without_a_list_the_walk_starts_at_the_root() {
    let mut zones = whole_tree();
    let dns = internet(&zones, None);
    assert_eq!(check(&dns).await, Ok(Checked::Fully));
    assert_eq!(
        dns.caa(&name("dev.build.example.com")).await,
        Issuance::Allowed
    );
    let gone = dns
        .standing(
            &name("build.example.com"),
            &name("other.build.example.com"),
            |found| found.shares_any(&NameServers::new(DEV)),
        )
        .await;
    assert_eq!(gone, Standing::Gone);
    // A referral to other servers has no authority bit, but is known to be from the parent's own
    // servers.
    let others = dns
        .standing(
            &name("build.example.com"),
            &name("dev.build.example.com"),
            |_| false,
        )
        .await;
    assert_eq!(others, Standing::Gone);

    // The registration expired.
    zones[4].record_sets.clear();
    let reach = internet(&zones, None)
        .reach(&name("dev.build.example.com"), &NameServers::new(DEV))
        .await;
    assert_eq!(
        reach,
        Reach::Broken(
            "there is no delegation at example.com: the name servers of com (gtld.test) say that no such name exists"
                .into()
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_firewall_that_answers_queries_itself_proves_nothing() {
    for firewall in [Firewall::Resolves, Firewall::Refuses] {
        // The cache's answer would count as proof that a delegation exists or does not, and a
        // refusal as a fault.
        let dns = internet(&whole_tree(), Some(firewall));
        assert_eq!(check(&dns).await, Ok(Checked::NoWayOut), "{firewall:?}");
        let standing = dns
            .standing(&name("example.com"), &name("other.example.com"), |found| {
                found.shares_any(&NameServers::new(DEV))
            })
            .await;
        assert!(
            matches!(standing, Standing::Unknown(_)),
            "{firewall:?}: {standing:?}"
        );
        let own = NameServers::new(["base1.test"]);
        let reach = dns.reach(&name("example.com"), &own).await;
        assert!(
            matches!(reach, Reach::Unknown(_) | Reach::Intercepted),
            "{firewall:?}: {reach:?}"
        );
        let caa = dns.caa(&name("dev.build.example.com")).await;
        assert_eq!(caa, Issuance::Unknown, "{firewall:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn white_label_name_servers_count_as_the_zones_own() {
    let mut zones = whole_tree();
    zones[4].record_sets = vec![set("example.com", "NS", &["ns1.example.com"])];
    let dns = internet(&zones, None);
    let reach = async |own: &str| {
        dns.reach(&name("example.com"), &NameServers::new([own]))
            .await
    };
    assert_eq!(reach("base1.test").await, Reach::Reached);
    assert!(matches!(reach("base2.test").await, Reach::Broken(_)));
}

#[tokio::test]
async fn real_sockets_query_real_servers() {
    let (_sender, receiver) =
        tokio::sync::watch::channel(Arc::new(Zones::from_top(&tree()).unwrap()));
    let loopback = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let served = name_server::serve(receiver, loopback).await.unwrap();
    let dns = Dns::new(Sockets, NameServerList::from(vec![served.address]));
    assert_eq!(check(&dns).await, Ok(Checked::Fully));
}

#[tokio::test(start_paused = true)]
async fn without_a_list_the_chain_of_trust_starts_at_the_root() {
    let stale = ["12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"];
    // Signed from the root down to the parent, then everything but the registered domain.
    for unsigned in [None, Some("example.com")] {
        let mut zones = whole_tree();
        for zone in &mut zones {
            zone.signed =
                Some(zone.name.as_str()) != unsigned && zone.name != "dev.build.example.com";
        }
        let of_signed = zones.iter().filter(|zone| zone.signed && zone.name != ".");
        let mut sets: Vec<_> = of_signed
            .map(|zone| set(&zone.name, "DS", &[&zone.ds().unwrap()]))
            .collect();
        sets.push(set("dev.build.example.com", "DS", &stale));
        for set in sets {
            let parent = set.name.split_once('.').map_or(".", |(_, parent)| parent);
            let parent = zones.iter_mut().find(|zone| zone.name == parent);
            parent.unwrap().record_sets.push(set);
        }
        let dns = internet(&zones, None);
        let own = NameServers::new(DEV);
        let reach = dns.reach(&name("dev.build.example.com"), &own).await;
        match unsigned {
            None => assert!(matches!(reach, Reach::NotValid(_)), "{reach:?}"),
            Some(_) => assert_eq!(reach, Reach::Reached),
        }
    }
}
