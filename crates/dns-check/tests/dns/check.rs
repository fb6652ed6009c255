//! The check of a delegation: the sentence for each fault, and how long the check may take.

use std::sync::Arc;
use std::time::Duration;

use dns_check::NameServers;
use dns_check::{Checked, Dns, Fault, Transport};
use name_server::{Zone, Zones, address_of};
use tokio::time::{Instant, sleep};

use crate::network::{
    BUILD, DEV, Network, base, build, delegation, dev, dns, name, network, set, tree, zone,
};

pub(crate) async fn check<T: Transport>(dns: &Dns<T>) -> Result<Checked, Fault> {
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
async fn a_correct_delegation_passes_in_one_round() {
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
async fn each_fault_has_a_sentence_of_its_own() {
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
    // The parent's delegation does not name its servers, which themselves answer correctly.
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
    // The parent zone does not exist any more, and its servers refuse.
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
async fn faults_are_distinguished_if_one_server_serves_all_zones() {
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
async fn servers_with_old_data_are_queried_again() {
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
async fn a_blocked_port_53_is_no_fault_of_the_delegation() {
    // No server answers, whether the delegation is correct or not.
    for zones in [tree(), vec![base(), build(vec![])]] {
        let mut closed = network(&zones);
        closed.closed = true;
        let (dns, _) = dns(closed);
        let start = Instant::now();
        assert_eq!(check(&dns).await, Ok(Checked::NoWayOut));
        assert!(start.elapsed() <= Duration::from_secs(60));
    }
    // Only TCP is blocked.
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
async fn a_truncated_response_is_queried_again_over_tcp() {
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
    // Without TCP, a truncated response is never used in place of the complete set.
    let mut no_tcp = network(&zones);
    no_tcp.no_tcp = true;
    let Err(Fault::Silent { zone, silent }) = whole(no_tcp).await else {
        panic!()
    };
    assert_eq!(zone, name("build.example.com"));
    assert_eq!(silent[0], "build1.test over UDP: no answer (timed out)");
}

#[tokio::test(start_paused = true)]
async fn some_silent_servers_are_no_fault_and_a_silent_zone_is_one() {
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
async fn the_check_ends_in_time_although_servers_are_slow_and_wrong() {
    // Slow and wrong: each round takes long, but the whole check is limited.
    let (dns, network) = dns(network(&[base(), build(vec![]), dev()]));
    network.down.lock().unwrap().insert(address_of("dev1.test"));
    let start = Instant::now();
    assert!(matches!(check(&dns).await, Err(Fault::NotDelegated { .. })));
    assert!(start.elapsed() <= Duration::from_secs(60));
}
