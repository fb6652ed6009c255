//! Without a list of servers: from the root down, over the system's resolver, and with real sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use dns_zones::NameServers;
use dns_zones::dns::{
    Checked, Dns, Issuance, NameServerList, Protocol, Reach, Sockets, Standing, Transport,
};
use name_server::{Asked, Zone, Zones, address_of, answer_bytes};

use crate::check::check;
use crate::network::{DEV, name, set, tree, zone};

/// The Internet: name servers at port 53, their addresses known to the system's resolver, the root at the top.
struct Internet(Zones);

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
        Ok(answer_bytes(&self.0, Asked::At(ip), query, protocol == Protocol::Udp).unwrap())
    }

    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        // A name server with both, as Route 53's have; the function has no way out over IPv6.
        Ok(vec![
            IpAddr::V6(address_of(host).to_ipv6_mapped()),
            address_of(host).into(),
        ])
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_list_the_walk_starts_at_the_root() {
    let roots = ["a.root-servers.net", "b.root-servers.net"];
    let top = zone(".", &roots, vec![set("com", "NS", &["gtld.test"])]);
    let com = zone(
        "com",
        &["gtld.test"],
        vec![set("example.com", "NS", &["base1.test"])],
    );
    let mut zones = tree();
    zones.extend([top, com]);
    let internet = |zones: &[Zone]| {
        Dns::new(
            Internet(Zones::new(zones, &[]).unwrap()),
            NameServerList::default(),
        )
    };
    let dns = internet(&zones);
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

    // The registration lapsed.
    zones[4].record_sets.clear();
    let reach = internet(&zones)
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

#[tokio::test]
async fn real_sockets_carry_questions_to_real_servers() {
    let (_sender, receiver) =
        tokio::sync::watch::channel(Arc::new(Zones::from_top(&tree()).unwrap()));
    let loopback = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let served = name_server::serve(receiver, loopback).await.unwrap();
    let dns = Dns::new(Sockets, NameServerList::from(vec![served.address]));
    assert_eq!(check(&dns).await, Ok(Checked::Fully));
}
