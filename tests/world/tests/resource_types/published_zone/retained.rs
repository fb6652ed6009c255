//! Parameters that `DeletionPolicy: Retain` kept, with the resource added again.

use serde_json::json;
use world::cloudformation::{Stack, Status, Template};
use world::{Fault, FaultRule, ServiceError, When};

use super::{PREFIX, published};
use crate::stage::{LOGICAL_ID, Stage, one};

const OTHER: &str = "/zone-delegation/other";

/// Returns a stack whose subject was removed from the template and kept. Another resource remains.
async fn with_a_kept_one(stage: &Stage, zone: &str) -> (Stack, Template) {
    let mut template = one(published(zone, json!({"Tags": {"team": "a"}})));
    let other = published(zone, json!({"ParameterPrefix": OTHER}));
    template.insert("Other".to_owned(), other);
    let mut stack = crate::stage::stack("subject");
    let status = stage.engine.create(&mut stack, &template).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    stack.resources.remove(LOGICAL_ID);
    template.remove(LOGICAL_ID);
    tokio::time::sleep(std::time::Duration::from_secs(86_400)).await;
    (stack, template)
}

#[tokio::test(start_paused = true)]
async fn a_refused_create_does_not_change_kept_parameters() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let (mut stack, template) = with_a_kept_one(&stage, &zone).await;
    let before = stage.parameters();
    for bad in [
        published("Z404", json!({})),
        published(&zone, json!({"Nonsense": "x"})),
    ] {
        let mut template = template.clone();
        template.insert(LOGICAL_ID.to_owned(), bad);
        let status = stage.engine.update(&mut stack, &template).await;
        assert_eq!(status, Status::RolledBack, "{:?}", stack.failures);
        assert_eq!(stage.parameters(), before, "{}", stage.history());
    }
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_create_that_fails_after_any_call_does_not_change_kept_parameters() {
    let refused = || Fault::Error(When::Before, ServiceError::new(400, "Strange", "no"));
    for operation in ["AddTagsToResource", "PutParameter"] {
        for call in 0..3 {
            let stage = Stage::set(|_| ()).await;
            let zone = stage.delegated_zone("dev").await;
            let another = stage.delegated_zone("ops").await;
            let (mut stack, mut template) = with_a_kept_one(&stage, &zone).await;
            let before = stage.parameters();
            stage.world.inject(FaultRule {
                skip: call,
                ..FaultRule::on_operation(operation, 1, refused())
            });
            template.insert(LOGICAL_ID.to_owned(), published(&another, json!({})));
            let status = stage.engine.update(&mut stack, &template).await;
            assert_eq!(status, Status::RolledBack, "{:?}", stack.failures);
            for (name, parameter) in stage.parameters() {
                let kept = &before[&name];
                assert_eq!(
                    (&parameter.value, &parameter.tags),
                    (&kept.value, &kept.tags),
                    "{operation} {call}\n{}",
                    stage.history()
                );
            }
            assert_eq!(stage.parameters().len(), before.len());
            stage.check();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_adopts_kept_parameters() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let another = stage.delegated_zone("ops").await;
    let (mut stack, mut template) = with_a_kept_one(&stage, &zone).await;
    let again = published(&another, json!({"Tags": {"team": "b"}}));
    template.insert(LOGICAL_ID.to_owned(), again);
    let status = stage.engine.update(&mut stack, &template).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    assert_eq!(stage.values(PREFIX), stage.wanted(&another));
    let parameters = stage.parameters();
    assert_eq!(
        parameters[&format!("{PREFIX}/name-servers")].tags["team"],
        "b"
    );
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}
