//! The number of calls does not depend on the size of a zone or of an account.

use std::time::Duration;

use serde_json::json;
use world::cloudformation::{Stack, Status, Template};
use world::{Edit, Event, Hand, Settings};

use crate::cast::{
    BUILD, CONSUMER, Cast, NETWORK, PREFIX, REGION, certificate, settings, subdomain, with,
};

/// Returns the number of AWS calls of each operation, with this many record sets in the parent zone and zones
/// in each account.
async fn calls(record_sets: usize, zones: usize) -> Vec<(&'static str, usize)> {
    // Nothing is waited for, so no poll is repeated.
    let at_once = Duration::ZERO..=Duration::ZERO;
    let settings = Settings {
        propagation: at_once.clone(),
        certificate_appears: at_once.clone(),
        validation_records_appear: at_once.clone(),
        validation_interval: Duration::from_secs(1),
        issuance: at_once,
        ..settings(1)
    };
    let cast = Cast::new(settings).await;
    let world = &cast.world;
    // Half of them before the names of this test and half after them, in Route 53's order.
    let label =
        |index: usize| format!("{}{index}", if index.is_multiple_of(2) { "a" } else { "z" });
    let edits: Vec<Edit> = (0..record_sets)
        .map(|index| {
            Edit::create(
                &format!("{}.{BUILD}", label(index)),
                "A",
                60,
                &["192.0.2.1"],
            )
        })
        .collect();
    for batch in edits.chunks(1_000) {
        world.edit_records(&cast.build_zone, batch).unwrap();
    }
    for index in 0..zones {
        for account in [NETWORK, CONSUMER] {
            let name = format!("{}.{BUILD}", label(index));
            world.make_zone(account, &name).unwrap();
        }
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    let mut counted = Vec::new();
    let mut from = world.log().len();
    let mut count = |operation| {
        let log = world.log();
        let is_call = |event: &&Event| {
            matches!(event.hand, Some(Hand::Function(_))) && event.action.contains(':')
        };
        counted.push((operation, log[from..].iter().filter(is_call).count()));
        from = log.len();
    };
    // With `Fail`, its Delete searches the whole zone for delegations, which Route 53 cannot list in another
    // way.
    let published = || {
        let properties = json!({"DelegationsOnDelete": "Ignore"});
        with(cast.published_zone(PREFIX), properties)
    };
    let mut network = Stack::new(NETWORK, REGION, "network");
    let template = Template::from([("Published".to_owned(), published())]);
    assert_eq!(
        cast.engine.create(&mut network, &template).await,
        Status::Complete
    );
    count("PublishedZone create");
    let zone = |properties| {
        let zone = with(subdomain(CONSUMER, "dev"), properties);
        ("Zone".to_owned(), zone)
    };
    let mut stack = Stack::new(CONSUMER, REGION, "dev");
    let template = Template::from([zone(json!({}))]);
    assert_eq!(
        cast.engine.create(&mut stack, &template).await,
        Status::Complete
    );
    count("DelegatedSubdomain create");
    let app = certificate("Zone", &format!("app.dev.{BUILD}"));
    for (operation, template) in [
        (
            "DelegatedSubdomain update in place",
            Template::from([zone(json!({"Ttl": "60"}))]),
        ),
        (
            "SubdomainCertificate create",
            Template::from([zone(json!({"Ttl": "60"})), ("Certificate".to_owned(), app)]),
        ),
        (
            "SubdomainCertificate delete",
            Template::from([zone(json!({"Ttl": "60"}))]),
        ),
        (
            "DelegatedSubdomain update by replacement",
            Template::from([("Zone".to_owned(), subdomain(CONSUMER, "test"))]),
        ),
    ] {
        let status = cast.engine.update(&mut stack, &template).await;
        assert_eq!(status, Status::Complete, "{}", cast.history());
        count(operation);
    }
    assert_eq!(cast.engine.delete(&mut stack).await, Status::Deleted);
    count("DelegatedSubdomain delete");
    assert_eq!(cast.engine.delete(&mut network).await, Status::Deleted);
    count("PublishedZone delete");
    counted
}

#[tokio::test(start_paused = true)]
async fn the_largest_zone_and_account_need_the_same_number_of_calls() {
    assert_eq!(calls(9_900, 490).await, calls(3, 3).await);
}
