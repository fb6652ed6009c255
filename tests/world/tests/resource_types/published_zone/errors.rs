//! Errors that a plan waits for, and all other errors of the same calls.

use std::time::Duration;

use serde_json::json;
use world::cloudformation::Status;
use world::{Fault, FaultRule, ServiceError, When};

use super::{PREFIX, published};
use crate::stage::{CONSUMER, REGION, Stage, one};

fn strange() -> Fault {
    let error = ServiceError::new(400, "StrangeException", "something is strange");
    Fault::Error(When::Before, error)
}

#[tokio::test(start_paused = true)]
async fn a_parameter_belongs_to_the_resource_although_its_write_was_not_answered() {
    for call in 0..3 {
        for times in [1, 4] {
            let stage = Stage::set(|_| ()).await;
            let zone = stage.delegated_zone("dev").await;
            stage.world.inject(FaultRule {
                skip: call,
                ..FaultRule::on_operation("PutParameter", times, Fault::Reset(When::After))
            });
            let mut stack = stage.created(published(&zone, json!({}))).await;
            assert_eq!(stage.values(PREFIX), stage.wanted(&zone));
            let versions = stage.parameters().into_values().map(|p| p.version);
            assert_eq!(versions.collect::<Vec<_>>(), [1, 1, 1]);
            stage.deleted(&mut stack).await;
            stage.check_nothing_published();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_error_of_a_write_does_not_mean_that_the_parameter_exists() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    stage
        .world
        .inject(FaultRule::on_operation("PutParameter", 1, strange()));
    let reason = stage.refused(published(&zone, json!({}))).await;
    assert!(reason.contains("SSM PutParameter on"), "{reason}");
    assert!(reason.contains("StrangeException"), "{reason}");
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn another_error_of_tags_does_not_mean_that_the_parameter_is_missing() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(published(&zone, json!({}))).await;
    for operation in ["ListTagsForResource", "AddTagsToResource"] {
        stage
            .world
            .inject(FaultRule::on_operation(operation, 1, strange()));
        let tags = json!({"Tags": {"team": "a"}});
        let reason = stage
            .rolled_back(&mut stack, &one(published(&zone, tags)))
            .await;
        assert!(reason.contains(operation), "{reason}");
        assert!(reason.contains("StrangeException"), "{reason}");
    }
    for operation in ["ListTagsForResource", "DeleteParameters", "GetParameters"] {
        stage
            .world
            .inject(FaultRule::on_operation(operation, 1, strange()));
        let reason = stage.not_deleted(&mut stack).await;
        assert!(reason.contains(operation), "{reason}");
        assert!(reason.contains("StrangeException"), "{reason}");
        assert_eq!(stage.values(PREFIX), stage.wanted(&zone));
    }
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn a_denied_delete_is_reported() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(published(&zone, json!({}))).await;
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let none = json!({"Effect": "Deny", "Action": "ssm:DeleteParameters", "Resource": "*"});
    stage.give_only("publish-zone", &json!([all.clone(), none]));
    let before = stage.calls("DeleteParameters").len();
    let reason = stage.not_deleted(&mut stack).await;
    assert!(
        reason.contains("SSM DeleteParameters") && reason.contains("AccessDenied"),
        "{reason}"
    );
    let calls = stage.calls("DeleteParameters").len() - before;
    assert!(calls <= 2, "{calls} calls\n{}", stage.history());
    stage.give_only("publish-zone", &json!([all]));
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn a_name_that_ssm_reserves_is_waited_for() {
    // A parameter that a person has just deleted, and a prefix that was in use until then.
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(published(&zone, json!({}))).await;
    let name = format!("{PREFIX}/hosted-zone-name");
    stage.world.remove_parameter(CONSUMER, REGION, &name);
    let tags = json!({"Tags": {"team": "a"}});
    stage.updated(&mut stack, published(&zone, tags)).await;
    assert_eq!(stage.values(PREFIX), stage.wanted(&zone));
    stage.deleted(&mut stack).await;
    let mut stack = stage.created(published(&zone, json!({}))).await;
    assert_eq!(stage.values(PREFIX), stage.wanted(&zone));
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn a_name_that_ssm_reserves_for_ever_is_refused_after_a_limited_number_of_calls() {
    let stage = Stage::set(|settings| {
        settings.parameter_name_kept = Duration::from_secs(86_400);
    })
    .await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(published(&zone, json!({}))).await;
    stage.deleted(&mut stack).await;
    let before = stage.calls("PutParameter").len();
    let mut stack = crate::stage::stack("second");
    let resource = one(published(&zone, json!({})));
    let status = stage.engine.create(&mut stack, &resource).await;
    assert_eq!(status, Status::CreateRolledBack);
    let reason = &stack.failures[0];
    assert!(
        reason.contains("was not created: SSM answers that the name is taken"),
        "{reason}"
    );
    let calls = stage.calls("PutParameter").len() - before;
    assert!(calls <= 3 * 20, "{calls} calls");
    stage.check_nothing_published();
}
