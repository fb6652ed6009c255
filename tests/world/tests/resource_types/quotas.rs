//! Quotas that are used up: the remedy in each sentence.

use world::cloudformation::ResourceDefinition;
use world::{Fault, FaultRule, ServiceError, When};

use crate::stage::{BUILD, PREFIX, Stage};

/// Returns the part after the facts of the failed call, for a resource in a zone `dev` of the consumer.
async fn advice(
    use_up: impl FnOnce(&Stage, &str),
    resource_type: &str,
    properties: &str,
) -> String {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    use_up(&stage, &zone);
    let properties = serde_json::from_str(&properties.replace("ZONE", &zone)).unwrap();
    let reason = stage
        .refused(ResourceDefinition::new(resource_type, properties))
        .await;
    assert!(stage.world.certificates().is_empty());
    assert!(stage.world.parameters().is_empty());
    stage.check();
    let (call, advice) = reason.split_once("; ").unwrap();
    assert!(call.contains(", request "), "{reason}");
    advice.to_owned()
}

/// Fills a zone up to its quota.
fn fill(stage: &Stage, zone: &str) {
    let records = stage.world.zone(zone).unwrap().records.len();
    stage
        .world
        .change_settings(|settings| settings.records_per_zone = records);
}

#[tokio::test(start_paused = true)]
async fn each_quota_is_named_with_a_remedy() {
    const SUBDOMAIN: &str = r#"{"Subdomain": "a", "ParentHostedZoneId": "ZONE"}"#;
    let certificate = format!(r#"{{"HostedZoneId": "ZONE", "DomainName": "a.dev.{BUILD}"}}"#);
    let published = format!(r#"{{"HostedZoneId": "ZONE", "ParameterPrefix": "{PREFIX}"}}"#);
    let zones = advice(
        |stage, _| {
            stage
                .world
                .change_settings(|settings| settings.zones_per_account = 1);
        },
        "Custom::DelegatedSubdomain",
        SUBDOMAIN,
    );
    assert_eq!(
        zones.await,
        "the quota of hosted zones of this account is used up: delete hosted zones that nobody needs, or ask AWS for a higher \
         quota, then deploy again."
    );
    let refused = |code: &'static str, operation: &'static str| {
        move |stage: &Stage, _: &str| {
            let error = ServiceError::new(400, code, "No more.");
            let fault = Fault::Error(When::Before, error);
            stage
                .world
                .inject(FaultRule::on_operation(operation, 9, fault));
        }
    };
    let other = advice(
        refused("LimitsExceeded", "CreateHostedZone"),
        "Custom::DelegatedSubdomain",
        SUBDOMAIN,
    );
    assert_eq!(
        other.await,
        "a quota of Route 53 is used up: delete what nobody needs, or ask AWS for a higher quota, then deploy again."
    );
    for (resource_type, properties) in [
        ("Custom::DelegatedSubdomain", SUBDOMAIN),
        ("Custom::SubdomainCertificate", &certificate),
    ] {
        assert_eq!(
            advice(fill, resource_type, properties).await,
            "the quota of record sets of this hosted zone is used up: delete record sets that nobody needs, or ask AWS for a \
             higher quota, then deploy again."
        );
    }
    let parameters = advice(
        |stage, _| {
            stage
                .world
                .change_settings(|settings| settings.parameters = 2);
        },
        "Custom::PublishedZone",
        &published,
    );
    assert_eq!(
        parameters.await,
        "the quota of parameters of this account and Region is used up: delete parameters that nobody needs, or ask AWS for a \
         higher quota, then deploy again."
    );
    let versions = advice(
        refused("ParameterMaxVersionLimitExceeded", "PutParameter"),
        "Custom::PublishedZone",
        &published,
    );
    assert_eq!(
        versions.await,
        "the quota of versions of this parameter is used up, and its oldest one has a label: remove that label, then deploy \
         again."
    );
}
