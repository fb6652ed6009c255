//! Counts the calls of each operation in a small zone and account, and in the largest that the default quotas
//! permit.

use serde_json::json;
use world::cloudformation::{Stack, Status, Template};
use world::{Edit, Hand, Settings, World};

use crate::scene::{self, NETWORK, PARENT, REGION, Scene};

/// The other contents of the zone and the accounts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// The number of record sets of the parent zone.
    pub(crate) record_sets: usize,
    /// The number of zones in the parent's account and in the consumer's.
    pub(crate) zones: usize,
}

/// Hardly any.
pub(crate) const SMALL: Size = Size {
    record_sets: 4,
    zones: 4,
};
/// The quotas of a zone and of an account, less what the measurement needs.
pub(crate) const LARGE: Size = Size {
    record_sets: 9_990,
    zones: 495,
};

/// Counts the AWS calls of each operation.
///
/// # Panics
/// An operation fails.
pub(crate) async fn calls(size: Size) -> Vec<(&'static str, usize)> {
    let settings = Settings {
        seed: 7,
        ..scene::settings()
    };
    let scene = Scene::new(World::new(settings), 1);
    let world = &scene.world;
    let account = scene::consumer(0);
    // Half of them before the measured name and half after it, in Route 53's order.
    let name = |index: usize| format!("{}{index}", if index.is_multiple_of(2) { "a" } else { "z" });
    let edits: Vec<Edit> = (0..size.record_sets)
        .map(|index| {
            Edit::create(
                &format!("{}.{PARENT}", name(index)),
                "A",
                300,
                &["192.0.2.1"],
            )
        })
        .collect();
    for batch in edits.chunks(1_000) {
        world
            .edit_records(&scene.parent_zone, batch)
            .expect("there is room");
    }
    for index in 0..size.zones {
        for account in [NETWORK, &account] {
            world
                .make_zone(account, &format!("{}.example.net", name(index)))
                .expect("there is room");
        }
    }
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let engine = scene.in_process();
    let mut counted = Vec::new();
    let mut from = world.log().len();
    let mut count = |operation| {
        let log = world.log();
        let is_call = |event: &&world::Event| {
            matches!(event.hand, Some(Hand::Function(_))) && event.action.contains(':')
        };
        counted.push((operation, log[from..].iter().filter(is_call).count()));
        from = log.len();
    };
    let zone = |further| {
        (
            "Zone".to_owned(),
            scene::subdomain(&account, "dev", &further),
        )
    };
    let certificate = || {
        let name = format!("app.dev.{PARENT}");
        (
            "Certificate".to_owned(),
            scene::certificate("Zone", &name, &json!({})),
        )
    };
    let mut network = scene.publish(&engine).await;
    count("PublishedZone create");
    let mut stack = Stack::new(&account, REGION, "dev");
    assert_eq!(
        engine
            .create(&mut stack, &Template::from([zone(json!({}))]))
            .await,
        Status::Complete
    );
    count("DelegatedSubdomain create");
    for (operation, template) in [
        (
            "DelegatedSubdomain update (TTL)",
            Template::from([zone(json!({"Ttl": "60"}))]),
        ),
        (
            "SubdomainCertificate create",
            Template::from([zone(json!({"Ttl": "60"})), certificate()]),
        ),
        (
            "SubdomainCertificate delete",
            Template::from([zone(json!({"Ttl": "60"}))]),
        ),
    ] {
        assert_eq!(engine.update(&mut stack, &template).await, Status::Complete);
        count(operation);
    }
    assert_eq!(engine.delete(&mut stack).await, Status::Deleted);
    count("DelegatedSubdomain delete");
    assert_eq!(engine.delete(&mut network).await, Status::Deleted);
    count("PublishedZone delete");
    counted
}
