//! Whether a delegation still exists: what must be certain before its zone is deleted.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use dns_check::NameServers;
use dns_check::{Dns, Standing};
use name_server::address_of;

use crate::network::{DEV, Network, base, build, dev, dns, name, network, set, tree, zone};

#[tokio::test(start_paused = true)]
async fn a_delegation_counts_as_existing_until_every_server_answers_that_it_does_not() {
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

    // Every form of an answer that shows no delegation to our servers.
    let other = set("dev.build.example.com", "NS", &["other.test"]);
    let below = set("x.dev.build.example.com", "TXT", &["\"t\""]);
    for sets in [vec![], vec![below]] {
        let (gone, network) = dns(network(&[base(), build(sets), dev()]));
        assert_eq!(standing(&gone).await, Standing::Gone);
        // One of two servers does not answer.
        network
            .down
            .lock()
            .unwrap()
            .insert(address_of("build2.test"));
        assert!(matches!(standing(&gone).await, Standing::Unknown(_)));
    }
    // A referral has no AA bit: with listed servers, a resolver may have sent it.
    let (referred, _) = dns(network(&[base(), build(vec![other]), dev()]));
    assert!(matches!(standing(&referred).await, Standing::Unknown(_)));
    // One server in common is enough for somebody else to answer for the name.
    let part = set("dev.build.example.com", "NS", &["other.test", "dev2.test"]);
    let (part, _) = dns(network(&[base(), build(vec![part]), dev()]));
    assert!(matches!(standing(&part).await, Standing::Stands(_)));
    // The parent cannot be reached, or refuses: its record sets are not known.
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
    // The zone lists a server that its delegation does not, and this server still has the old data.
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
async fn an_answer_without_authority_or_from_a_listed_server_is_no_proof_of_deletion() {
    let below = set("x.dev.build.example.com", "TXT", &["\"t\""]);
    // NXDOMAIN, no data, and the NS record set of another zone.
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
    // A cached answer is enough to know that the delegation exists.
    let mut from_cache = network(&tree());
    from_cache.from_cache = true;
    assert!(matches!(standing(from_cache).await, Standing::Stands(_)));
}

#[tokio::test(start_paused = true)]
async fn the_delegation_is_unknown_if_the_parent_has_too_many_name_servers() {
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
