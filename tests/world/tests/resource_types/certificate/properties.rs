//! Properties that are refused before a request to ACM.

use serde_json::{Value, json};

use super::{NAME, ZONE, below_build, certificate};
use crate::stage::{BUILD, CONSUMER, Stage};

#[tokio::test(start_paused = true)]
async fn an_unusable_zone_is_named() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let private = stage.world.make_private_zone(CONSUMER, ZONE).unwrap();
    let unknown = |property: &str, id: &str| {
        format!(
            "Property {property} is {id}, and this account has no such hosted zone: correct the id."
        )
    };
    let is_private = |property: &str| {
        format!(
            "Property {property} is {private}, which is a private hosted zone: name a public one."
        )
    };
    let outside = |property: &str, name: &str| {
        format!(
            "Property {property} has {name}, which is in none of the zones of the certificate ({ZONE}): add the id of its zone to \
             AdditionalHostedZoneIds, or correct the name."
        )
    };
    for (properties, reason) in [
        (
            json!({"HostedZoneId": "Z404"}),
            unknown("HostedZoneId", "Z404"),
        ),
        (
            json!({"AdditionalHostedZoneIds": ["Z404"]}),
            unknown("AdditionalHostedZoneIds", "Z404"),
        ),
        (json!({"HostedZoneId": private}), is_private("HostedZoneId")),
        (
            json!({"AdditionalHostedZoneIds": [private]}),
            is_private("AdditionalHostedZoneIds"),
        ),
        (json!({"DomainName": BUILD}), outside("DomainName", BUILD)),
        (
            json!({"SubjectAlternativeNames": ["www.example.org"]}),
            outside("SubjectAlternativeNames", "www.example.org"),
        ),
    ] {
        assert_eq!(stage.refused(certificate(&zone, properties)).await, reason);
    }
    assert_eq!(stage.calls("RequestCertificate").len(), 0);
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_zone_of_another_account_is_refused() {
    let stage = Stage::set(|_| ()).await;
    let reason = stage
        .refused(certificate(&stage.build, json!({"DomainName": BUILD})))
        .await;
    let call = format!("Route 53 GetHostedZone on {}: ", stage.build);
    assert!(
        reason.starts_with(&call) && reason.contains(" (AccessDenied, request "),
        "{reason}"
    );
    assert!(
        reason.ends_with(
            "; grant the function's role this action, in this Region and on this zone, and name only zones of this account."
        ),
        "{reason}"
    );
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn an_invalid_property_is_named_with_its_valid_values() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let long = format!("{}.{ZONE}", "a".repeat(60));
    let cases: [(&str, Value, &str); 8] = [
        (
            "HostedZoneId",
            json!("/hostedzone/z1"),
            "the id of a hosted zone",
        ),
        ("DomainName", json!("app_1.example.com"), "a host name"),
        ("DomainName", json!(long), "64 bytes at most"),
        (
            "SubjectAlternativeNames",
            json!([format!("*.*.{NAME}")]),
            "a host name",
        ),
        ("Region", json!("us-est"), "an AWS Region such as us-east-1"),
        ("KeyAlgorithm", json!("RSA_3072"), "EC_prime256v1"),
        ("ValidationRecordsOnDelete", json!("Remove"), "`Keep`"),
        ("Nonsense", json!("x"), "is unknown"),
    ];
    for (property, value, hint) in cases {
        let reason = stage
            .refused(certificate(&zone, json!({property: value})))
            .await;
        assert!(
            reason.starts_with(&format!("Property {property} is ")),
            "{reason}"
        );
        assert!(reason.contains(hint), "{reason}");
    }
    assert!(
        stage.calls("RequestCertificate").is_empty() && stage.calls("GetHostedZone").is_empty()
    );
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_name_that_its_zone_delegates_away_is_refused_before_anything_is_requested() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let inner = stage
        .world
        .make_zone(CONSUMER, &below_build("a.dev"))
        .unwrap();
    stage.delegate(&zone, &inner);
    stage.settle().await;
    let at = below_build("a.dev");
    for name in [at.clone(), format!("*.{at}"), format!("x.{at}")] {
        let reason = stage
            .refused(certificate(
                &zone,
                json!({"SubjectAlternativeNames": [name]}),
            ))
            .await;
        assert_eq!(
            reason,
            format!(
                "Property SubjectAlternativeNames has {name}, which cannot be validated in {ZONE} ({zone}), because that delegates \
                 {at}: name the zone of {at} in HostedZoneId or AdditionalHostedZoneIds."
            )
        );
    }
    assert_eq!(stage.calls("RequestCertificate").len(), 0);
    stage.check_no_certificate();
}
