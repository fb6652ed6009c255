//! Creates and updates.

use serde_json::json;
use world::cloudformation::Status;
use world::{Edit, Fault, FaultRule, When};

use super::{PARTS, PREFIX, published};
use crate::stage::{CONSUMER, LOGICAL_ID, Stage, failing_afterwards, one};

#[tokio::test(start_paused = true)]
async fn a_zone_is_published_and_described() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(published(&zone, json!({}))).await;
    assert_eq!(stage.values(PREFIX), stage.wanted(&zone));
    let [id, name, servers] = stage.wanted(&zone).unwrap();
    let resource = &stack.resources[LOGICAL_ID];
    assert_eq!(resource.physical_id, PREFIX);
    let attributes: Vec<_> = resource
        .attributes
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        attributes,
        [
            ("HostedZoneId", id.as_str()),
            ("HostedZoneName", &name),
            ("NameServers", &servers),
            ("ParameterPrefix", PREFIX)
        ]
    );
    let kinds: Vec<_> = stage
        .parameters()
        .into_values()
        .map(|parameter| parameter.kind)
        .collect();
    assert_eq!(kinds, ["String", "String", "StringList"]);
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_cannot_be_published_is_named() {
    let stage = Stage::set(|_| ()).await;
    let private = stage
        .world
        .make_private_zone(CONSUMER, "p.example.com")
        .unwrap();
    assert_eq!(
        stage.refused(published("Z404", json!({}))).await,
        "Property HostedZoneId is Z404, and this account has no such hosted zone: correct the id."
    );
    assert_eq!(
        stage.refused(published(&private, json!({}))).await,
        format!(
            "Property HostedZoneId is {private}, which is a private hosted zone: name a public one."
        )
    );
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn a_parameter_of_someone_else_is_never_overwritten() {
    // It has no tags, is any of the three, and is created at any moment.
    for part in PARTS {
        let name = format!("{PREFIX}/{part}");
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        stage.write(&name, "mine");
        let taken = format!(
            "The parameter {name} already exists and has no tags of this project, so it is someone else's: choose another \
             ParameterPrefix, or delete it."
        );
        assert_eq!(stage.refused(published(&zone, json!({}))).await, taken);
        let parameters = stage.parameters();
        assert_eq!(parameters.len(), 1);
        assert_eq!(
            (parameters[&name].value.as_str(), parameters[&name].version),
            ("mine", 1)
        );
        assert!(stage.calls("PutParameter").is_empty(), "all are read first");
        stage.check();
        // Created while the function writes the others.
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        let delay = Fault::Delay(std::time::Duration::from_secs(5));
        stage
            .world
            .inject(FaultRule::on_operation("GetParameters", 1, delay));
        let world = stage.world.clone();
        let late = name.clone();
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            world.write_parameter(CONSUMER, crate::stage::REGION, &late, "mine");
        });
        assert_eq!(stage.refused(published(&zone, json!({}))).await, taken);
        let parameters = stage.parameters();
        assert_eq!(
            parameters.len(),
            1,
            "what was written before is deleted\n{}",
            stage.history()
        );
        assert_eq!(
            (parameters[&name].value.as_str(), parameters[&name].version),
            ("mine", 1)
        );
        stage.check();
    }
}

#[tokio::test(start_paused = true)]
async fn parameters_of_another_stack_are_refused_with_their_owner() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut first = crate::stage::stack("first");
    assert_eq!(
        stage
            .engine
            .create(&mut first, &one(published(&zone, json!({}))))
            .await,
        Status::Complete
    );
    let reason = stage.refused(published(&zone, json!({}))).await;
    let sentence = |part| {
        format!(
            "The parameter {PREFIX}/{part} already exists and belongs to {LOGICAL_ID} of stack {}: choose another \
             ParameterPrefix, or delete it.",
            first.id
        )
    };
    assert!(PARTS.map(sentence).contains(&reason), "{reason}");
    assert_eq!(stage.values(PREFIX), stage.wanted(&zone));
    stage.deleted(&mut first).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn a_parameter_without_its_tags_is_not_changed() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let another = stage.delegated_zone("ops").await;
    let mut stack = stage.created(published(&zone, json!({}))).await;
    let name = format!("{PREFIX}/name-servers");
    let person = aws_sdk_ssm::Client::new(&stage.person());
    let untag = person
        .remove_tags_from_resource()
        .resource_type("Parameter".into())
        .resource_id(&name);
    let untag = untag
        .tag_keys("zone-delegation:stack-id")
        .tag_keys("zone-delegation:logical-id");
    untag.send().await.unwrap();
    let before = stage.parameters();
    let status = stage
        .engine
        .update(&mut stack, &one(published(&another, json!({}))))
        .await;
    // The rollback cannot treat it as its own either.
    assert_eq!(status, Status::RollbackFailed, "{:?}", stack.failures);
    assert!(
        stack.failures[0].starts_with(&format!(
            "The parameter {name} already exists and has no tags of this project"
        )),
        "{:?}",
        stack.failures
    );
    assert_eq!(stage.parameters(), before);
    stage.deleted(&mut stack).await;
    assert_eq!(stage.parameters().into_keys().collect::<Vec<_>>(), [name]);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn another_zone_is_published_in_place_and_another_prefix_is_a_replacement() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let another = stage.delegated_zone("ops").await;
    let mut stack = stage.created(published(&zone, json!({}))).await;
    stage
        .updated(&mut stack, published(&another, json!({})))
        .await;
    assert_eq!(stack.resources[LOGICAL_ID].physical_id, PREFIX);
    assert_eq!(stage.values(PREFIX), stage.wanted(&another));
    stage
        .updated(
            &mut stack,
            published(
                &another,
                json!({"ParameterPrefix": "/zone-delegation/test"}),
            ),
        )
        .await;
    assert_eq!(
        stack.resources[LOGICAL_ID].physical_id,
        "/zone-delegation/test"
    );
    assert_eq!(
        (stage.values(PREFIX), stage.values("/zone-delegation/test")),
        (None, stage.wanted(&another))
    );
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn a_change_of_prefix_is_rolled_back() {
    for carries_new_id in [true, false] {
        let mut stage = Stage::set(|_| ()).await;
        stage.engine.habits.rollback_carries_new_id = carries_new_id;
        let zone = stage.delegated_zone("dev").await;
        let mut stack = stage.created(published(&zone, json!({}))).await;
        let moved = published(&zone, json!({"ParameterPrefix": "/zone-delegation/test"}));
        stage
            .rolled_back(&mut stack, &failing_afterwards(moved))
            .await;
        assert_eq!(
            (stage.values(PREFIX), stage.values("/zone-delegation/test")),
            (stage.wanted(&zone), None)
        );
        stage.deleted(&mut stack).await;
        stage.check_nothing_published();
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_at_any_write_leaves_all_parameters_or_none() {
    for call in 1..=3 {
        for when in [When::Before, When::After] {
            for attempts in [1, 3] {
                let stage = Stage::set(|_| ()).await;
                let zone = stage.delegated_zone("dev").await;
                stage.world.inject(FaultRule {
                    skip: call - 1,
                    ..FaultRule::on_operation("PutParameter", attempts, Fault::Kill(when))
                });
                let mut stack = crate::stage::stack("subject");
                let resource = published(&zone, json!({"ServiceTimeout": 600}));
                match stage.engine.create(&mut stack, &one(resource)).await {
                    Status::Complete => {
                        assert_eq!(stage.values(PREFIX), stage.wanted(&zone));
                        stage.deleted(&mut stack).await;
                    }
                    status => assert_eq!(status, Status::CreateRolledBack, "{:?}", stack.failures),
                }
                stage.engine.idle().await;
                stage.check_nothing_published();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_zone_is_refused_while_the_previous_one_has_delegations() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let another = stage.delegated_zone("ops").await;
    let app = stage.delegated_zone("app").await;
    let mut stack = stage.created(published(&zone, json!({}))).await;
    let hosts = stage.world.zone(&app).unwrap().hosts();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let name = "app.dev.build.example.com";
    let delegation = Edit::create(name, "NS", 900, &hosts);
    stage.world.edit_records(&zone, &[delegation]).unwrap();
    let moved = one(published(&another, json!({})));
    let reason = stage.rolled_back(&mut stack, &moved).await;
    assert_eq!(
        reason,
        format!(
            "{PREFIX} still publishes the zone dev.build.example.com ({zone}), and nothing was changed: the zone has NS record sets that \
             delegate to other accounts: {name}; delete these subdomains first, or set DelegationsOnDelete to Ignore."
        )
    );
    assert_eq!(stage.values(PREFIX), stage.wanted(&zone));
    // With `Ignore`, and also if only the new template has `Ignore`, it is done.
    let moved = published(&another, json!({"DelegationsOnDelete": "Ignore"}));
    stage.updated(&mut stack, moved).await;
    assert_eq!(stage.values(PREFIX), stage.wanted(&another));
    let back = published(&zone, json!({}));
    stage.updated(&mut stack, back).await;
    stage.give_only(
        "publish-zone",
        &json!([
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "route53:ListResourceRecordSets", "Resource": format!("arn:aws:route53:::hostedzone/{zone}")},
        ]),
    );
    stage
        .updated(&mut stack, published(&another, json!({})))
        .await;
    assert_eq!(stage.values(PREFIX), stage.wanted(&another));
    stage.check();
}
