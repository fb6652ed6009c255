//! Whether a delegation still stands: what must be certain before its zone goes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use dns_check::NameServers;
use dns_check::{Dns, Standing};
use name_server::address_of;

use crate::network::{DEV, Network, base, build, dev, dns, name, network, set, tree, zone};

#[tokio::test(start_paused = true)]
async fn a_delegation_stands_until_every_server_says_that_it_is_gone() {
    let standing = async |dns: &Dns<Arc<Network>>| {
        dns.standing(
            &name("build.example.com"),
            &name("dev.build.example.com"),
            |found| found.shares_any(&NameServers::new(DEV)),
        )
        .await
    };
    let (stands, _) = dns(network(&tree()));
    assert!(matches!(standing(&stands).await, Standing::Stands(_)));

    // Nothing there, in every way in which there can be nothing.
    let other = set("dev.build.example.com", "NS", &["other.test"]);
    let below = set("x.dev.build.example.com", "TXT", &["\"t\""]);
    for sets in [vec![], vec![below]] {
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
    // A referral has no authority: with listed servers, a resolver may have made it.
    let (referred, _) = dns(network(&[base(), build(vec![other]), dev()]));
    assert!(matches!(standing(&referred).await, Standing::Unknown(_)));
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

async fn standing(network: Network) -> Standing {
    dns(network)
        .0
        .standing(
            &name("build.example.com"),
            &name("dev.build.example.com"),
            |found| found.shares_any(&NameServers::new(DEV)),
        )
        .await
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_authority_or_from_a_listed_server_proves_nothing_gone() {
    let below = set("x.dev.build.example.com", "TXT", &["\"t\""]);
    // NXDOMAIN, no data, and another's NS record set.
    let other = set("dev.build.example.com", "NS", &["other.test"]);
    for sets in [vec![], vec![below], vec![other]] {
        let zones = [base(), build(sets), dev()];
        let mut from_cache = network(&zones);
        from_cache.from_cache = true;
        let mut listed = network(&zones);
        listed.own_addresses = false;
        for network in [from_cache, listed] {
            let standing = standing(network).await;
            assert!(
                matches!(&standing, Standing::Unknown(why) if why.contains("which is no proof")),
                "{standing:?}"
            );
        }
    }
    // That it exists is believed.
    let mut from_cache = network(&tree());
    from_cache.from_cache = true;
    assert!(matches!(standing(from_cache).await, Standing::Stands(_)));
}

#[tokio::test(start_paused = true)]
async fn a_parent_with_too_many_name_servers_is_not_asked() {
    let hosts: Vec<String> = (0..1_024).map(|n| format!("n{n}.test")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let set = set("build.example.com", "NS", &hosts);
    let by_the_zone_above = [
        zone("example.com", &["base1.test"], vec![set.clone()]),
        zone("build.example.com", &hosts, vec![]),
    ];
    let by_itself = [base(), build(vec![set])];
    for zones in [by_the_zone_above, by_itself] {
        let (dns, network) = dns(network(&zones));
        let standing = dns
            .standing(
                &name("build.example.com"),
                &name("dev.build.example.com"),
                |_| true,
            )
            .await;
        assert!(
            matches!(&standing, Standing::Unknown(why) if why.contains("more than 16 name servers")),
            "{standing:?}"
        );
        let exchanges = network.exchanges.load(Ordering::Relaxed);
        assert!(exchanges < 100, "{exchanges}");
    }
}
