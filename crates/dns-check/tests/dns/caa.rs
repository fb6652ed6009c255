//! CAA records are found by climbing the tree.

use dns_check::DomainName;
use dns_check::Issuance;
use name_server::Zone;

use crate::network::{base, build, delegation, dev, dns, name, network, set, tree};

#[tokio::test(start_paused = true)]
async fn the_nearest_caa_record_set_applies() {
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

    // The record set nearest to the name applies.
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

    // An alias has the records of its target.
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
    assert_eq!(
        found.at,
        name("cdn.example.com"),
        "the record set that has to be changed"
    );

    assert_eq!(
        caa(&[base()], "www.dev.build.example.com").await,
        Issuance::Unknown
    );
}
