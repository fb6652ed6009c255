//! Whether a delegation still stands: what must be certain before its zone goes.

use std::sync::Arc;

use dns_zones::NameServers;
use dns_zones::dns::{Dns, Standing};
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
