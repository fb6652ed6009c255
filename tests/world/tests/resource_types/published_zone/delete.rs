//! Deletes, and what consumers still need.

use serde_json::json;
use world::{Edit, Fault, FaultRule, When};

use super::{PREFIX, published};
use crate::stage::{CONSUMER, LOGICAL_ID, REGION, Stage, one, reason_of};

const NAME: &str = "dev.build.example.com";

#[tokio::test(start_paused = true)]
async fn a_zone_stays_published_while_it_has_delegations() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let app = stage.delegated_zone("app.dev").await;
    stage
        .world
        .edit_records(&stage.build, &[Edit::delete(&format!("app.{NAME}"), "NS")])
        .unwrap();
    stage.delegate(&zone, &app);
    let mut stack = stage.created(published(&zone, json!({}))).await;
    let sentence = format!(
        "{PREFIX} still publishes the zone {NAME} ({zone}), and nothing was changed: the zone has NS record sets that delegate to \
         other accounts: app.{NAME}; delete these subdomains first, or set DelegationsOnDelete to Ignore."
    );
    assert_eq!(stage.not_deleted(&mut stack).await, sentence);
    assert_eq!(stage.values(PREFIX), stage.wanted(&zone));
    // The same is true for the clean-up after a change of the prefix.
    let mut stack = {
        stage
            .world
            .edit_records(&zone, &[Edit::delete(&format!("app.{NAME}"), "NS")])
            .unwrap();
        stage.deleted(&mut stack).await;
        stage.delegate(&zone, &app);
        stage.created(published(&zone, json!({}))).await
    };
    let moved = published(&zone, json!({"ParameterPrefix": "/zone-delegation/test"}));
    stage.engine.update(&mut stack, &one(moved)).await;
    let [orphan] = stack.orphans.as_slice() else {
        panic!("{:?}", stack.orphans)
    };
    assert_eq!(reason_of(&orphan.reason), sentence);
    assert_eq!(stage.values(PREFIX), stage.wanted(&zone));
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn the_remaining_parameters_are_kept_while_the_zone_has_delegations() {
    let id = format!("{PREFIX}/hosted-zone-id");
    let remove = |stage: &Stage| stage.world.remove_parameter(CONSUMER, REGION, &id);
    for damage in [
        &remove as &dyn Fn(&Stage),
        &|stage| stage.write(&id, "none"),
        &|stage| {
            remove(stage);
            stage.write(&id, "Z0MINE");
        },
    ] {
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        let app = format!("app.{NAME}");
        let edit = Edit::create(&app, "NS", 60, &["ns.example.net"]);
        stage.world.edit_records(&zone, &[edit]).unwrap();
        let mut stack = stage.created(published(&zone, json!({}))).await;
        damage(&stage);
        let before = stage.parameters();
        let reason = stage.not_deleted(&mut stack).await;
        assert!(
            reason.starts_with(&format!(
                "{PREFIX} still publishes the zone {NAME} ({zone}), "
            )),
            "{reason}"
        );
        assert_eq!(stage.parameters(), before);
        stage
            .world
            .edit_records(&zone, &[Edit::delete(&app, "NS")])
            .unwrap();
        stage.deleted(&mut stack).await;
        stage.check();
    }
}

#[tokio::test(start_paused = true)]
async fn delegations_are_ignored_if_the_template_says_so() {
    let stage = Stage::set(|_| ()).await;
    let mut stack = {
        let zone = stage.delegated_zone("dev").await;
        let app = stage
            .world
            .make_zone(CONSUMER, &format!("app.{NAME}"))
            .unwrap();
        stage.delegate(&zone, &app);
        stage
            .created(published(&zone, json!({"DelegationsOnDelete": "Ignore"})))
            .await
    };
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn a_long_list_of_delegations_is_shortened_with_their_number() {
    let stage = Stage::set(|settings| settings.page_size = 5).await;
    let zone = stage.delegated_zone("dev").await;
    for label in 'a'..='l' {
        let edit = Edit::create(&format!("{label}.{NAME}"), "NS", 60, &["ns.example.net"]);
        stage.world.edit_records(&zone, &[edit]).unwrap();
    }
    let mut stack = stage.created(published(&zone, json!({}))).await;
    let reason = stage.not_deleted(&mut stack).await;
    let names: Vec<String> = ('a'..='j').map(|label| format!("{label}.{NAME}")).collect();
    assert!(
        reason.contains(&format!(": {} and more; delete these", names.join(", "))),
        "{reason}"
    );
}

#[tokio::test(start_paused = true)]
async fn missing_and_foreign_things_do_not_block_a_delete() {
    // The zone does not exist, one parameter was deleted, and a person has created another one since.
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(published(&zone, json!({}))).await;
    for part in ["hosted-zone-name", "name-servers"] {
        let name = format!("{PREFIX}/{part}");
        stage.world.remove_parameter(CONSUMER, REGION, &name);
    }
    stage.write(&format!("{PREFIX}/name-servers"), "mine");
    stage.world.remove_zone(&zone).unwrap();
    stage.deleted(&mut stack).await;
    let left = stage.parameters();
    assert_eq!(
        left.into_values()
            .map(|parameter| parameter.value)
            .collect::<Vec<_>>(),
        ["mine"]
    );
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn properties_that_became_invalid_do_not_block_a_delete() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(published(&zone, json!({}))).await;
    let resource = stack.resources.get_mut(LOGICAL_ID).unwrap();
    resource
        .properties
        .insert("Nonsense".to_owned(), json!("x"));
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn a_delete_with_a_lost_answer_does_not_count_as_denied() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(published(&zone, json!({}))).await;
    let id = json!({"StringEquals": {"aws:ResourceTag/zone-delegation:stack-id": stack.id}});
    stage.give_only(
        "publish-zone",
        &json!([
            {"Effect": "Allow", "Action": ["route53:*", "ssm:GetParameters", "ssm:ListTagsForResource"], "Resource": "*"},
            {"Effect": "Allow", "Action": "ssm:DeleteParameters", "Resource": "*", "Condition": id},
        ]),
    );
    stage.world.inject(FaultRule::on_operation(
        "DeleteParameters",
        1,
        Fault::Reset(When::After),
    ));
    stage.deleted(&mut stack).await;
    let outcomes = stage.calls("DeleteParameters").into_iter();
    let last = outcomes.map(|call| call.outcome).next_back();
    assert!(
        last.unwrap().contains("AccessDenied"),
        "{}",
        stage.history()
    );
    stage.check_nothing_published();
}
