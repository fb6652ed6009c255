//! The check over DNS and its companions, against name servers in memory and in virtual time.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dns_zones::dns::{
    Checked, Dns, Fault, Issuance, NameServerList, Protocol, Reach, Sockets, Standing, Transport,
};
use dns_zones::{DomainName, NameServers};
use name_server::{Asked, RecordSet, Zone, Zones, address_of, answer_bytes};
use tokio::time::{Instant, sleep};

/// The server that stands for the Internet.
const TOP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5353);

/// Name servers in memory. Each answers from the snapshot; what is listed here does not.
#[derive(Default)]
struct Network {
    zones: Mutex<Arc<Zones>>,
    /// Whether each name server has an address of its own, or `TOP` plays all.
    own_addresses: bool,
    /// No packet arrives at these, or at all where `closed`.
    down: Mutex<BTreeSet<Ipv4Addr>>,
    closed: bool,
    no_tcp: bool,
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
        let lost = self.closed
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
        let zones = self.zones.lock().unwrap().clone();
        Ok(answer_bytes(&zones, asked, query, protocol == Protocol::Udp).unwrap())
    }
}

fn network(zones: &[Zone]) -> Network {
    Network {
        zones: Mutex::new(Arc::new(Zones::from_top(zones).unwrap())),
        own_addresses: true,
        ..Network::default()
    }
}

fn dns(network: Network) -> (Dns<Arc<Network>>, Arc<Network>) {
    let network = Arc::new(network);
    let list = NameServerList::from(vec![TOP]);
    (Dns::new(Arc::clone(&network), list), network)
}

fn set(name: &str, record_type: &str, values: &[&str]) -> RecordSet {
    RecordSet {
        name: name.into(),
        record_type: record_type.into(),
        ttl: 900,
        values: values.iter().map(|v| (*v).into()).collect(),
    }
}

fn zone(name: &str, servers: &[&str], record_sets: Vec<RecordSet>) -> Zone {
    Zone {
        name: name.into(),
        name_servers: servers.iter().map(|s| (*s).into()).collect(),
        record_sets,
    }
}

const BUILD: [&str; 2] = ["build1.test", "build2.test"];
const DEV: [&str; 2] = ["dev1.test", "dev2.test"];

fn base() -> Zone {
    zone(
        "example.com",
        &["base1.test"],
        vec![set("build.example.com", "NS", &BUILD)],
    )
}

fn build(record_sets: Vec<RecordSet>) -> Zone {
    zone("build.example.com", &BUILD, record_sets)
}

fn dev() -> Zone {
    zone("dev.build.example.com", &DEV, vec![])
}

fn delegation() -> RecordSet {
    set("dev.build.example.com", "NS", &["DEV2.test.", "dev1.test."])
}

fn tree() -> Vec<Zone> {
    vec![base(), build(vec![delegation()]), dev()]
}

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

async fn check<T: Transport>(dns: &Dns<T>) -> Result<Checked, Fault> {
    dns.check_delegation(
        &name("build.example.com"),
        &NameServers::new(BUILD),
        &name("dev.build.example.com"),
        &NameServers::new(DEV),
    )
    .await
}

async fn fault(zones: &[Zone]) -> String {
    let (dns, _) = dns(network(zones));
    let start = Instant::now();
    let fault = check(&dns).await.unwrap_err();
    assert!(start.elapsed() <= Duration::from_secs(60));
    fault.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_right_delegation_passes_at_once() {
    for own_addresses in [true, false] {
        let mut network = network(&tree());
        network.own_addresses = own_addresses;
        let (dns, _) = dns(network);
        let start = Instant::now();
        assert_eq!(check(&dns).await, Ok(Checked::Fully));
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn each_fault_has_its_own_words() {
    assert_eq!(
        fault(&[base(), build(vec![]), dev()]).await,
        "name server build1.test of build.example.com does not delegate dev.build.example.com: \
         over UDP it has no such name in build.example.com"
    );
    let wrong = set("dev.build.example.com", "NS", &["dev1.test", "other.test"]);
    assert_eq!(
        fault(&[base(), build(vec![wrong]), dev()]).await,
        "name server build1.test of build.example.com delegates dev.build.example.com to \
         dev1.test,other.test over UDP, not to dev1.test,dev2.test"
    );
    assert_eq!(
        fault(&[base(), build(vec![delegation()])]).await,
        "name server dev1.test of dev.build.example.com does not serve it: over UDP it refuses (REFUSED)"
    );
    // The zone above does not name the parent's servers, which themselves answer rightly.
    assert_eq!(
        fault(&[
            zone("example.com", &["base1.test"], vec![]),
            build(vec![delegation()]),
            dev()
        ])
        .await,
        "build.example.com itself is not delegated: there is no delegation at build.example.com: \
         the name servers of example.com (base1.test) say that no such name exists"
    );
    let elsewhere = set("build.example.com", "NS", &["other.test"]);
    assert_eq!(
        fault(&[
            zone("example.com", &["base1.test"], vec![elsewhere]),
            build(vec![delegation()]),
            dev()
        ])
        .await,
        "build.example.com itself is not delegated: example.com delegates build.example.com to other.test, \
         which are not its name servers (build1.test,build2.test)"
    );
    // The parent's zone is gone, and its servers refuse.
    assert_eq!(
        fault(&[base(), dev()]).await,
        "name server build1.test of build.example.com does not serve it: over UDP it refuses (REFUSED)"
    );
    assert_eq!(
        fault(&[zone("example.com", &["base1.test"], vec![]), dev()]).await,
        "build.example.com itself is not delegated: there is no delegation at build.example.com: \
         the name servers of example.com (base1.test) say that no such name exists"
    );
}

#[tokio::test(start_paused = true)]
async fn one_server_for_all_tells_the_faults_apart_too() {
    let check = async |zones: &[Zone]| {
        let mut network = network(zones);
        network.own_addresses = false;
        check(&dns(network).0).await
    };
    assert!(matches!(
        check(&[base(), build(vec![]), dev()]).await,
        Err(Fault::NotDelegated { .. })
    ));
    let wrong = set("dev.build.example.com", "NS", &["dev1.test", "other.test"]);
    assert!(matches!(
        check(&[base(), build(vec![wrong]), dev()]).await,
        Err(Fault::WrongSet { .. })
    ));
    let bare = zone("example.com", &["base1.test"], vec![]);
    assert!(matches!(
        check(&[bare, build(vec![delegation()]), dev()]).await,
        Err(Fault::ParentNotDelegated { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn servers_that_learn_late_are_asked_again() {
    let (dns, network) = dns(network(&[base(), build(vec![]), dev()]));
    let late = Arc::clone(&network);
    tokio::spawn(async move {
        sleep(Duration::from_secs(40)).await;
        *late.zones.lock().unwrap() = Arc::new(Zones::from_top(&tree()).unwrap());
    });
    let start = Instant::now();
    assert_eq!(check(&dns).await, Ok(Checked::Fully));
    assert!(start.elapsed() >= Duration::from_secs(40));
}

#[tokio::test(start_paused = true)]
async fn no_way_out_is_no_fault() {
    // Nothing at all, broken delegation or not.
    for zones in [tree(), vec![base(), build(vec![])]] {
        let mut closed = network(&zones);
        closed.closed = true;
        let (dns, _) = dns(closed);
        let start = Instant::now();
        assert_eq!(check(&dns).await, Ok(Checked::NoWayOut));
        assert!(start.elapsed() <= Duration::from_secs(60));
    }
    // TCP alone is shut.
    let mut no_tcp = network(&tree());
    no_tcp.no_tcp = true;
    let Ok(Checked::Partly { silent }) = check(&dns(no_tcp).0).await else {
        panic!()
    };
    assert_eq!(silent.len(), 4);
    assert_eq!(silent[0], "build1.test over TCP: no answer (timed out)");
    let mut no_tcp = network(&[base(), build(vec![]), dev()]);
    no_tcp.no_tcp = true;
    assert!(check(&dns(no_tcp).0).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_fit_a_datagram_is_asked_for_over_tcp() {
    // Too many name servers for 1,232 bytes.
    let many: Vec<String> = (0..60)
        .map(|n| format!("dev{n}.{}.test", "x".repeat(40)))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let large = set("dev.build.example.com", "NS", &many);
    let zones = [
        base(),
        build(vec![large]),
        zone("dev.build.example.com", &many, vec![]),
    ];
    let whole = async |network: Network| {
        let (dns, _) = dns(network);
        dns.check_delegation(
            &name("build.example.com"),
            &NameServers::new(BUILD),
            &name("dev.build.example.com"),
            &NameServers::new(many.iter().copied()),
        )
        .await
    };
    assert_eq!(whole(network(&zones)).await, Ok(Checked::Fully));
    // Without TCP the cut answer is none, and never taken for the whole set.
    let mut no_tcp = network(&zones);
    no_tcp.no_tcp = true;
    let Err(Fault::Silent { zone, silent }) = whole(no_tcp).await else {
        panic!()
    };
    assert_eq!(zone, name("build.example.com"));
    assert_eq!(silent[0], "build1.test over UDP: no answer (timed out)");
}

#[tokio::test(start_paused = true)]
async fn silence_of_some_is_told_from_silence_of_a_zone() {
    let (dns, network) = dns(network(&tree()));
    network.down.lock().unwrap().insert(address_of("dev1.test"));
    assert!(matches!(check(&dns).await, Ok(Checked::Partly { .. })));
    network.down.lock().unwrap().insert(address_of("dev2.test"));
    let Err(Fault::Silent { zone, silent }) = check(&dns).await else {
        panic!()
    };
    assert_eq!(zone, name("dev.build.example.com"));
    assert_eq!(silent.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_check_is_bounded_while_everything_changes() {
    // Slow and wrong: each round takes its time, the whole does not.
    let (dns, network) = dns(network(&[base(), build(vec![]), dev()]));
    network.down.lock().unwrap().insert(address_of("dev1.test"));
    let start = Instant::now();
    assert!(matches!(check(&dns).await, Err(Fault::NotDelegated { .. })));
    assert!(start.elapsed() <= Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn reach_says_where_it_breaks() {
    let reach = async |zones: &[Zone]| {
        let (dns, _) = dns(network(zones));
        dns.reach(&name("dev.build.example.com"), &NameServers::new(DEV))
            .await
    };
    assert_eq!(reach(&tree()).await, Reach::Reached);
    assert_eq!(
        reach(&[base(), build(vec![]), dev()]).await,
        Reach::Broken(
            "there is no delegation at dev.build.example.com: the name servers of build.example.com \
             (build1.test, build2.test) say that no such name exists"
                .into()
        )
    );
    assert_eq!(
        reach(&[base(), dev()]).await,
        Reach::Broken(
            "the zone above delegates build.example.com to name servers that do not serve it: \
             build1.test refuses (REFUSED); build2.test refuses (REFUSED)"
                .into()
        )
    );
    let txt = set("x.dev.build.example.com", "TXT", &["\"t\""]);
    assert_eq!(
        reach(&[base(), build(vec![txt]), dev()]).await,
        Reach::Broken(
            "the name servers of build.example.com (build1.test, build2.test) have no NS record set for \
             dev.build.example.com"
                .into()
        )
    );
    assert!(matches!(
        reach(&[zone("example.net", &["x.test"], vec![])]).await,
        Reach::Unknown(_)
    ));
    let mut closed = network(&tree());
    closed.closed = true;
    let unknown = dns(closed)
        .0
        .reach(&name("dev.build.example.com"), &NameServers::new(DEV))
        .await;
    assert!(matches!(unknown, Reach::Unknown(_)));
}

#[tokio::test(start_paused = true)]
async fn a_delegation_stands_until_every_server_says_that_it_is_gone() {
    let standing = async |dns: &Dns<Arc<Network>>| {
        dns.standing(
            &name("build.example.com"),
            &name("dev.build.example.com"),
            &NameServers::new(DEV),
        )
        .await
    };
    let (stands, _) = dns(network(&tree()));
    assert!(matches!(standing(&stands).await, Standing::Stands(_)));

    // Another's set there, or nothing, in every way in which there can be nothing.
    let other = set("dev.build.example.com", "NS", &["other.test"]);
    let below = set("x.dev.build.example.com", "TXT", &["\"t\""]);
    for sets in [vec![], vec![other], vec![below]] {
        let (gone, network) = dns(network(&[base(), build(sets), dev()]));
        assert_eq!(standing(&gone).await, Standing::Gone);
        // One of two does not answer.
        network
            .down
            .lock()
            .unwrap()
            .insert(address_of("build2.test"));
        assert!(matches!(standing(&gone).await, Standing::Unknown(_)));
    }
    // One server in common is enough to be taken over.
    let part = set("dev.build.example.com", "NS", &["other.test", "dev2.test"]);
    let (part, _) = dns(network(&[base(), build(vec![part]), dev()]));
    assert!(matches!(standing(&part).await, Standing::Stands(_)));
    // The parent is cut off, or refuses: nothing is known of what it holds.
    for zones in [
        vec![
            zone("example.com", &["base1.test"], vec![]),
            build(vec![]),
            dev(),
        ],
        vec![base(), dev()],
    ] {
        assert!(matches!(
            standing(&dns(network(&zones)).0).await,
            Standing::Unknown(_)
        ));
    }
    // The zone names a server that the zone above does not, and that one has not heard of the change.
    let mut parent = build(vec![set(
        "build.example.com",
        "NS",
        &["build1.test", "build2.test", "build3.test"],
    )]);
    parent
        .record_sets
        .push(set("other.build.example.com", "NS", &["other.test"]));
    assert!(matches!(
        standing(&dns(network(&[base(), parent, dev()])).0).await,
        Standing::Unknown(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn caa_climbs_the_tree() {
    let caa = async |zones: &[Zone], text: &str| {
        let (dns, _) = dns(network(zones));
        dns.caa(&DomainName::from_service(text)).await
    };
    let forbid = |at: &str| set(at, "CAA", &["0 issue \"ca.example.net\""]);
    assert_eq!(
        caa(&tree(), "*.dev.build.example.com").await,
        Issuance::Allowed
    );

    let mut top = base();
    top.record_sets.push(forbid("example.com"));
    let zones = [top, build(vec![delegation()]), dev()];
    let Issuance::Forbidden(found) = caa(&zones, "www.dev.build.example.com").await else {
        panic!()
    };
    assert_eq!(found.at, name("example.com"));
    assert_eq!(found.records, ["0 issue \"ca.example.net\""]);

    // What stands further down decides.
    let mut child = dev();
    child.record_sets.push(set(
        "dev.build.example.com",
        "CAA",
        &["0 issue \"amazon.com\""],
    ));
    let zones = [zones[0].clone(), build(vec![delegation()]), child];
    assert_eq!(
        caa(&zones, "www.dev.build.example.com").await,
        Issuance::Allowed
    );
    assert!(matches!(
        caa(&zones, "other.build.example.com").await,
        Issuance::Forbidden(_)
    ));

    // An alias brings the records of its target.
    let mut child = dev();
    child.record_sets.push(set(
        "www.dev.build.example.com",
        "CNAME",
        &["cdn.example.com"],
    ));
    let mut top = base();
    top.record_sets.push(forbid("cdn.example.com"));
    let Issuance::Forbidden(found) = caa(
        &[top, build(vec![delegation()]), child],
        "www.dev.build.example.com",
    )
    .await
    else {
        panic!()
    };
    assert_eq!(found.at, name("cdn.example.com"), "where it can be changed");

    assert_eq!(
        caa(&[base()], "www.dev.build.example.com").await,
        Issuance::Unknown
    );
}

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
            &NameServers::new(DEV),
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
