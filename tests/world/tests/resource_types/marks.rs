//! Tags of the keys that the functions mark things with.

use serde_json::json;
use world::cloudformation::ResourceDefinition;

use crate::stage::{BUILD, LOGICAL_ID, Stage, with};

/// Returns a resource of each type that takes tags, in a zone of the consumer.
fn resources(zone: &str) -> [ResourceDefinition; 2] {
    let name = format!("app.dev.{BUILD}");
    [
        (
            "Custom::SubdomainCertificate",
            json!({"HostedZoneId": zone, "DomainName": name, "ValidationRecordsOnDelete": "Delete"}),
        ),
        (
            "Custom::DelegatedSubdomain",
            json!({"Subdomain": "test", "ParentHostedZoneId": zone}),
        ),
    ]
    .map(|(kind, properties)| ResourceDefinition::new(kind, properties))
}

#[tokio::test(start_paused = true)]
async fn a_template_sets_none() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    for resource in resources(&zone) {
        for key in ["zone-delegation:stack-id", "Zone-Delegation:team"] {
            let as_list = json!([{"Key": "team", "Value": "a"}, {"Key": key, "Value": "x"}]);
            for tags in [json!({key: "x"}), as_list] {
                let reason = stage
                    .refused(with(resource.clone(), json!({"Tags": tags})))
                    .await;
                assert_eq!(
                    reason,
                    format!(
                        "Property Tags is {tags}: expected no key {key}, because keys that start with zone-delegation: are \
                         reserved for ownership tags."
                    )
                );
            }
        }
    }
    for operation in ["RequestCertificate", "CreateHostedZone"] {
        assert_eq!(stage.calls(operation).len(), 0);
    }
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn an_update_leaves_them_out() {
    // Refused, an update of what an earlier release made with one could not be rolled back.
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    for resource in resources(&zone) {
        let mut stack = stage.created(resource.clone()).await;
        let tags = json!({"Tags": {"zone-delegation:previous-logical-id": "x", "team": "a"}});
        stage.updated(&mut stack, with(resource, tags)).await;
        let zones = stage.world.zones().into_values().map(|zone| zone.tags);
        let certificates = stage.world.certificates().into_values();
        let tags: Vec<_> = zones
            .chain(certificates.map(|certificate| certificate.tags))
            .filter(|tags| tags.contains_key("team"))
            .collect();
        assert_eq!(tags.len(), 1, "{tags:?}");
        assert!(
            !tags[0].contains_key("zone-delegation:previous-logical-id"),
            "{tags:?}"
        );
        stage.deleted(&mut stack).await;
    }
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn what_was_made_with_one_is_deleted() {
    // By an earlier release, which took them.
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    for resource in resources(&zone) {
        let mut stack = stage.created(resource).await;
        let made = stack.resources.get_mut(LOGICAL_ID).unwrap();
        let tags = json!({"zone-delegation:team": "a"});
        made.properties.insert("Tags".to_owned(), tags);
        stage.deleted(&mut stack).await;
    }
    assert_eq!(stage.world.certificates().len(), 0);
    let records = stage.world.zone(&zone).unwrap().records;
    assert_eq!(records.len(), 2, "only SOA and NS: {records:?}");
    stage.check();
}
