//! The world answers as `tests/facts.json` says. The emulator has to answer the same
//! (`tests/emulator/checks/test_facts.py`).

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use serde_json::{Value, json};
use world::{Role, World};

use crate::{ACCOUNT, REGION, hand, person, world};

fn cases(section: &str) -> Vec<Value> {
    let facts: Value = serde_json::from_str(include_str!("../../../facts.json")).unwrap();
    facts[section].as_array().unwrap().clone()
}

/// Returns `ok`, or the code and the message of an error.
macro_rules! answer {
    ($sent:expr) => {
        match $sent.await {
            Ok(_) => ("ok".to_owned(), String::new()),
            Err(error) => {
                let error = error.into_service_error();
                let part = |text: Option<&str>| text.unwrap_or_default().to_owned();
                (part(error.meta().code()), part(error.meta().message()))
            }
        }
    };
}

fn check(case: &Value, (code, message): (String, String)) {
    let what = &case["what"];
    assert_eq!(code, case["answer"], "{what}: {message}");
    let says = case["says"].as_str().unwrap_or_default();
    assert!(message.contains(says), "{what}: {message}");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Returns a change of `[action, name, type, TTL, values]`.
fn change(of: &[Value]) -> Change {
    let records = of[4].as_array().unwrap().iter();
    let records = records.map(|value| {
        ResourceRecord::builder()
            .value(text(value))
            .build()
            .unwrap()
    });
    let set = ResourceRecordSet::builder()
        .name(text(&of[1]))
        .r#type(RrType::from(text(&of[2])))
        .ttl(of[3].as_i64().unwrap())
        .set_resource_records(Some(records.collect()))
        .build()
        .unwrap();
    let change = Change::builder().action(ChangeAction::from(text(&of[0])));
    change.resource_record_set(set).build().unwrap()
}

async fn changed(config: &aws_types::SdkConfig, zone: &str, case: &Value) -> (String, String) {
    let changes = case["changes"].as_array().unwrap().iter();
    let changes = changes.map(|one| change(one.as_array().unwrap()));
    let batch = ChangeBatch::builder().set_changes(Some(changes.collect()));
    let client = aws_sdk_route53::Client::new(config);
    let sent = client.change_resource_record_sets().hosted_zone_id(zone);
    answer!(sent.change_batch(batch.build().unwrap()).send())
}

/// Returns a world in which the case's record sets exist.
async fn world_of(case: &Value) -> (World, String) {
    let world = world(|_| {});
    let zone = world.make_zone(ACCOUNT, "x.org").unwrap();
    for set in case["exists"].as_array().into_iter().flatten() {
        let mut parts = vec![json!("CREATE")];
        parts.extend(set.as_array().unwrap().clone());
        let made = json!({"changes": [parts]});
        let (code, message) = changed(&person(&world, ACCOUNT), &zone, &made).await;
        assert_eq!(code, "ok", "{message}");
    }
    (world, zone)
}

#[tokio::test(start_paused = true)]
async fn changes_of_record_sets_are_answered_as_on_aws() {
    for case in cases("changes") {
        let (world, zone) = world_of(&case).await;
        check(&case, changed(&person(&world, ACCOUNT), &zone, &case).await);
    }
}

#[tokio::test(start_paused = true)]
async fn deletes_of_zones_are_answered_as_on_aws() {
    for case in cases("deletes") {
        let (world, zone) = world_of(&case).await;
        let client = aws_sdk_route53::Client::new(&person(&world, ACCOUNT));
        check(&case, answer!(client.delete_hosted_zone().id(&zone).send()));
    }
}

#[tokio::test(start_paused = true)]
async fn requests_of_certificates_are_answered_as_on_aws() {
    use aws_sdk_acm::types::{KeyAlgorithm, ValidationMethod};
    for case in cases("certificates") {
        let client = aws_sdk_acm::Client::new(&person(&world(|_| {}), ACCOUNT));
        let names: Vec<_> = case["names"].as_array().unwrap().iter().map(text).collect();
        let others = names[1..].iter().map(|name| (*name).to_owned()).collect();
        let sent = client
            .request_certificate()
            .domain_name(names[0])
            .set_subject_alternative_names(
                Some(others).filter(|others: &Vec<_>| !others.is_empty()),
            )
            .validation_method(ValidationMethod::Dns)
            .set_key_algorithm(case["key"].as_str().map(KeyAlgorithm::from))
            .set_idempotency_token(case["token"].as_str().map(str::to_owned));
        check(&case, answer!(sent.send()));
    }
}

#[tokio::test(start_paused = true)]
async fn conditions_on_changes_are_decided_as_on_aws() {
    for case in cases("conditions") {
        let (world, zone) = world_of(&case).await;
        let mut condition = json!({});
        for (operator, keys) in case["condition"].as_object().unwrap() {
            for (key, value) in keys.as_object().unwrap() {
                condition[operator][format!("route53:ChangeResourceRecordSets{key}")] =
                    value.clone();
            }
        }
        let allow = json!({"Statement": [{"Effect": "Allow", "Action": "route53:ChangeResourceRecordSets",
            "Resource": "*", "Condition": condition}]});
        let trust = json!({"Statement": []});
        let role = Role::new(ACCOUNT, "f", &trust, &[("p".into(), allow)]).unwrap();
        let keys = world.credentials(ACCOUNT, &role.arn, hand("s", 1));
        world.put_role(role);
        check(
            &case,
            changed(&world.sdk_config(&keys, REGION), &zone, &case).await,
        );
    }
}
