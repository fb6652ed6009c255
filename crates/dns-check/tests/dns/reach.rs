//! Whether the chain of delegations reaches a zone, and where it is broken.

use dns_check::NameServers;
use dns_check::Reach;
use name_server::Zone;

use crate::network::{DEV, base, build, dev, dns, name, network, set, tree, zone};

#[tokio::test(start_paused = true)]
async fn a_broken_chain_is_reported_with_the_zone_and_the_answers() {
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
async fn a_zone_is_reached_although_an_empty_non_terminal_is_answered_with_nxdomain() {
    let zones = [
        zone(
            "example.com",
            &["base1.test"],
            vec![set("dev.build.example.com", "NS", &DEV)],
        ),
        dev(),
    ];
    let mut denying = network(&zones);
    denying.denied = Some("build.example.com.");
    let reach = |network| async {
        dns(network)
            .0
            .reach(&name("dev.build.example.com"), &NameServers::new(DEV))
            .await
    };
    assert_eq!(reach(denying).await, Reach::Reached);
    let none = zone("example.com", &["base1.test"], vec![]);
    assert_eq!(
        reach(network(&[none])).await,
        Reach::Broken(
            "there is no delegation at build.example.com: the name servers of example.com (base1.test) say that no such \
             name exists"
                .into()
        )
    );
}
