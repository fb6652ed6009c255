//! The chain of trust of DNSSEC: which DS record sets break it, and which never count.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dns_check::{BrokenChain, Checked, Fault, KeyId, NameServers, Reach};
use hickory_proto::rr::RecordType;
use name_server::{RecordSet, Zone, Zones};
use tokio::time::{Instant, sleep};

use crate::check::check;
use crate::network::{
    DEV, Network, Unusable, base, build, delegation, dev, dns, name, network, set, tree,
};

/// A key that no zone has, with the length of a SHA-256 digest.
const STALE: &str = "12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn signed(zone: Zone) -> Zone {
    Zone {
        signed: true,
        ..zone
    }
}

fn ds_of(zone: &Zone) -> RecordSet {
    set(&zone.name, "DS", &[&zone.ds().unwrap()])
}

/// Returns the zones down to `child`, all signed down to its parent, which has a DS record set for
/// it.
fn below_signed(child: Zone, ds: &[&str]) -> Vec<Zone> {
    let build = signed(build(vec![delegation(), set(&child.name, "DS", ds)]));
    let mut base = signed(base());
    base.record_sets.push(ds_of(&build));
    vec![base, build, child]
}

fn found(network: Network) -> impl Future<Output = Result<Checked, Fault>> {
    let (dns, _) = dns(network);
    async move {
        let start = Instant::now();
        let found = check(&dns).await;
        assert!(start.elapsed() <= Duration::from_secs(60));
        found
    }
}

async fn reach(network: Network) -> Reach {
    let own = NameServers::new(DEV);
    dns(network)
        .0
        .reach(&name("dev.build.example.com"), &own)
        .await
}

#[tokio::test(start_paused = true)]
async fn a_signed_zone_with_its_ds_record_set_passes_at_once() {
    for own_addresses in [true, false] {
        let dev = signed(dev());
        let ds = dev.ds().unwrap();
        let zones = below_signed(dev, &[STALE, &ds]);
        let network = || {
            let mut network = network(&zones);
            network.own_addresses = own_addresses;
            network
        };
        let start = Instant::now();
        assert_eq!(found(network()).await, Ok(Checked::Fully));
        assert!(start.elapsed() < Duration::from_secs(1));
        assert_eq!(reach(network()).await, Reach::Reached);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_ds_record_set_is_reported_with_a_remedy() {
    for own_addresses in [true, false] {
        let zones = below_signed(dev(), &[STALE]);
        let network = || {
            let mut network = network(&zones);
            network.own_addresses = own_addresses;
            network
        };
        let fault = found(network()).await.unwrap_err();
        let broken = BrokenChain {
            zone: name("dev.build.example.com"),
            parent: "build.example.com".to_owned(),
            expected: vec![KeyId {
                tag: 12345,
                algorithm: 13,
            }],
            found: vec![],
        };
        assert_eq!(fault, Fault::BrokenChain(broken.clone()));
        assert_eq!(
            fault.to_string(),
            "build.example.com has a stale DS record set for dev.build.example.com (key tag 12345, algorithm 13): \
             dev.build.example.com is not signed, so that resolvers that validate DNSSEC answer SERVFAIL for every name \
             in it; delete the DS record set in build.example.com, or sign dev.build.example.com with that key"
        );
        assert_eq!(reach(network()).await, Reach::NotValid(broken));
    }
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_is_signed_with_other_keys_is_reported_with_its_keys() {
    let zone = signed(dev());
    let ds = zone.ds().unwrap();
    let (id, digest) = ds.rsplit_once(' ').unwrap();
    let own = id.trim_end_matches(" 13 2");
    // Another key tag; the same key tag with another digest.
    let other_digest = format!("{id} {}", digest.chars().rev().collect::<String>());
    for (stale, tag) in [(STALE, "12345"), (&other_digest, own)] {
        let found = found(network(&below_signed(zone.clone(), &[stale]))).await;
        let said = found.unwrap_err().to_string();
        let start = format!(
            "build.example.com has a stale DS record set for dev.build.example.com (key tag {tag}, algorithm 13): \
             dev.build.example.com is signed with other keys (key tag {own}, algorithm 13), so that "
        );
        assert!(said.starts_with(&start), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_is_broken_at_an_ancestor_is_found() {
    let mut base = signed(base());
    base.record_sets
        .push(set("build.example.com", "DS", &[STALE]));
    let zones = [base, build(vec![delegation()]), dev()];
    let start = "example.com has a stale DS record set for build.example.com (key tag 12345, algorithm 13): \
                 build.example.com is not signed, ";
    let said = found(network(&zones)).await.unwrap_err().to_string();
    assert!(said.starts_with(start), "{said}");
    let Reach::NotValid(broken) = reach(network(&zones)).await else {
        panic!()
    };
    assert!(broken.to_string().starts_with(start), "{broken}");
}

#[tokio::test(start_paused = true)]
async fn a_ds_record_set_to_which_no_chain_leads_does_not_count() {
    let stale = || set("dev.build.example.com", "DS", &[STALE]);
    // The parent is not signed; or it is, but no ancestor says so; or the domain is not signed.
    let unsigned = build(vec![delegation(), stale()]);
    let island = signed(unsigned.clone());
    let mut secure = base();
    secure.record_sets.push(ds_of(&island));
    for zones in [
        [signed(base()), unsigned.clone(), dev()],
        [signed(base()), island.clone(), dev()],
        [secure, island, dev()],
    ] {
        assert_eq!(found(network(&zones)).await, Ok(Checked::Fully));
        assert_eq!(reach(network(&zones)).await, Reach::Reached);
    }
}

#[tokio::test(start_paused = true)]
async fn a_ds_record_set_that_some_resolvers_do_not_know_does_not_count() {
    for unknown in [
        "12345 3 1 0123456789abcdef0123456789abcdef01234567",
        "12345 13 1 0123456789abcdef0123456789abcdef01234567",
        "12345 253 2 00",
        "12345 13 200 00",
    ] {
        let zones = below_signed(dev(), &[unknown]);
        assert_eq!(found(network(&zones)).await, Ok(Checked::Fully));
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_missing_or_without_authority_never_make_a_delegation_wrong() {
    for record_type in [RecordType::DS, RecordType::DNSKEY] {
        for unusable in [Unusable::Lost, Unusable::Refused, Unusable::FromCache] {
            let mut network = network(&below_signed(dev(), &[STALE]));
            network.unusable = Some((record_type, unusable));
            assert_eq!(
                found(network).await,
                Ok(Checked::Fully),
                "{record_type} {unusable:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_ds_record_set_that_is_deleted_meanwhile_passes() {
    let (dns, network) = dns(network(&below_signed(dev(), &[STALE])));
    tokio::spawn(async move {
        sleep(Duration::from_secs(30)).await;
        *network.zones.lock().unwrap() = Arc::new(Zones::from_top(&tree()).unwrap());
    });
    let start = Instant::now();
    assert_eq!(check(&dns).await, Ok(Checked::Fully));
    assert!(start.elapsed() >= Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn few_queries_are_sent() {
    let asked = async |zones: &[Zone], has_answers: bool| {
        let mut network = network(zones);
        if !has_answers {
            network.unusable = Some((RecordType::DS, Unusable::Refused));
        }
        let (dns, network) = dns(network);
        assert_eq!(check(&dns).await, Ok(Checked::Fully));
        network.exchanges.load(Ordering::Relaxed)
    };
    let dev = signed(dev());
    let ds = dev.ds().unwrap();
    let whole = below_signed(dev, &[&ds]);
    let nobody_knows = asked(&tree(), false).await;
    // One server is listed, and each zone has at most two.
    assert_eq!(asked(&tree(), true).await, nobody_knows);
    assert!(asked(&whole, true).await <= nobody_knows + 3 * 2 * 2);
}
