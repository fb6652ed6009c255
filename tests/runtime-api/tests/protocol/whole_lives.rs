//! Resources from their Create to their Delete, on the world.

use crate::stage::{ACCOUNT, PUBLISHED_ZONE, SUBDOMAIN, Stage, good, with, world};

#[tokio::test]
async fn a_zone_is_published_and_unpublished() {
    let (world, endpoint, key) = world().await;
    let zone = world.make_zone(ACCOUNT, "build.example.com").unwrap();
    let mut stage = Stage::with(
        PUBLISHED_ZONE,
        &[("AWS_ENDPOINT_URL", &endpoint), ("AWS_ACCESS_KEY_ID", &key)],
    )
    .await;
    let properties = with(good(PUBLISHED_ZONE), "HostedZoneId", zone.as_str());
    let create = stage.event("Create", PUBLISHED_ZONE, properties.clone());
    let created = stage.answer(&create).await;
    assert_eq!(created["Status"], "SUCCESS", "{created}");
    assert_eq!(created["PhysicalResourceId"], "/zone-delegation/dev");
    assert_eq!(created["Data"]["HostedZoneName"], "build.example.com");
    // The same event once more, as Lambda delivers it.
    assert_eq!(stage.answer(&create).await["Data"], created["Data"]);
    let delete = stage.delete(PUBLISHED_ZONE, "/zone-delegation/dev", properties);
    assert_eq!(stage.answer(&delete).await["Status"], "SUCCESS");
    assert_eq!(
        stage.answer(&delete).await["Status"],
        "SUCCESS",
        "what does not exist any more"
    );
}

#[tokio::test]
async fn a_subdomain_is_delegated_and_removed() {
    let (world, endpoint, key) = world().await;
    let parent = world.make_zone(ACCOUNT, "build.example.com").unwrap();
    let mut stage = Stage::with(
        SUBDOMAIN,
        &[("AWS_ENDPOINT_URL", &endpoint), ("AWS_ACCESS_KEY_ID", &key)],
    )
    .await;
    let properties = with(good(SUBDOMAIN), "ParentHostedZoneId", parent.as_str());
    let properties = with(properties, "VerifyDelegation", "false");
    // A clock that advances between two polls, unlike the world's, must reach its end.
    let properties = with(properties, "DrainSeconds", "1");
    let create = stage.event("Create", SUBDOMAIN, properties.clone());
    let created = stage.answer(&create).await;
    assert_eq!(created["Status"], "SUCCESS", "{created}");
    assert_eq!(created["Data"]["DomainName"], "dev.build.example.com");
    let delete = stage.delete(
        SUBDOMAIN,
        created["PhysicalResourceId"].as_str().unwrap(),
        properties,
    );
    let deleted = stage.answer(&delete).await;
    assert_eq!(deleted["Status"], "SUCCESS", "{deleted}");
    assert_eq!(world.violations(), []);
}
