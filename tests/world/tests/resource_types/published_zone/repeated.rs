//! Requests that Lambda delivers again after later requests of the same logical id.

use std::time::Duration;

use serde_json::json;
use world::cloudformation::{Stack, Status, Template};
use world::{Fault, FaultRule, ServiceError, When};

use super::{PREFIX, published};
use crate::stage::{CONSUMER, LOGICAL_ID, REGION, Stage, one};

const OTHER: &str = "/zone-delegation/other";
const AGAIN: Duration = Duration::from_secs(100);

/// Returns a stack that has another resource than the subject.
async fn with_another(stage: &Stage, zone: &str) -> (Stack, Template) {
    let other = published(zone, json!({"ParameterPrefix": OTHER}));
    let template = Template::from([("Other".to_owned(), other)]);
    let mut stack = crate::stage::stack("subject");
    let status = stage.engine.create(&mut stack, &template).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    (stack, template)
}

#[tokio::test(start_paused = true)]
async fn the_delete_of_a_refused_create_keeps_the_parameters_of_a_later_create() {
    // Refused before it wrote anything, and after it had written some of the three.
    let strange = Fault::Error(When::Before, ServiceError::new(400, "Strange", "no"));
    for skip in [None, Some(0), Some(2)] {
        let mut stage = Stage::set(|settings| settings.parameter_name_kept = Duration::ZERO).await;
        let zone = stage.delegated_zone("dev").await;
        let (mut stack, mut template) = with_another(&stage, &zone).await;
        let name = format!("{PREFIX}/name-servers");
        match skip {
            None => stage.write(&name, "mine"),
            Some(skip) => stage.world.inject(FaultRule {
                skip,
                ..FaultRule::on_operation("PutParameter", 1, strange.clone())
            }),
        }
        template.insert(LOGICAL_ID.to_owned(), published(&zone, json!({})));
        stage.engine.delivery.again = Some(AGAIN);
        let status = stage.engine.update(&mut stack, &template).await;
        assert_eq!(status, Status::RolledBack, "{:?}", stack.failures);
        if skip.is_none() {
            stage.world.remove_parameter(CONSUMER, REGION, &name);
        }
        stage.engine.delivery.again = None;
        let status = stage.engine.update(&mut stack, &template).await;
        assert_eq!(status, Status::Complete, "{:?}", stack.failures);
        let before = stage.parameters();
        tokio::time::sleep(AGAIN).await;
        stage.engine.idle().await;
        assert_eq!(stage.parameters(), before, "{}", stage.history());
        stage.deleted(&mut stack).await;
        stage.check_nothing_published();
    }
}

#[tokio::test(start_paused = true)]
async fn the_delete_of_a_prefix_keeps_the_parameters_of_a_later_create() {
    let mut stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let (mut stack, without) = with_another(&stage, &zone).await;
    let mut with = without.clone();
    with.insert(LOGICAL_ID.to_owned(), published(&zone, json!({})));
    let status = stage.engine.update(&mut stack, &with).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    stage.engine.delivery.again = Some(AGAIN);
    let status = stage.engine.update(&mut stack, &without).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    stage.engine.delivery.again = None;
    // A deployment does not begin in the second in which the previous one ended.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let status = stage.engine.update(&mut stack, &with).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    let before = stage.parameters();
    tokio::time::sleep(AGAIN).await;
    stage.engine.idle().await;
    assert_eq!(stage.parameters(), before, "{}", stage.history());
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn an_update_keeps_the_parameters_of_a_later_one() {
    let mut stage = Stage::set(|_| ()).await;
    let mut zones = Vec::new();
    for label in ["dev", "ops", "test"] {
        zones.push(stage.delegated_zone(label).await);
    }
    let mut stack = stage.created(published(&zones[0], json!({}))).await;
    stage.engine.delivery.again = Some(AGAIN);
    let second = one(published(&zones[1], json!({})));
    let status = stage.engine.update(&mut stack, &second).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    stage.engine.delivery.again = None;
    tokio::time::sleep(Duration::from_secs(10)).await;
    stage
        .updated(&mut stack, published(&zones[2], json!({})))
        .await;
    tokio::time::sleep(AGAIN).await;
    stage.engine.idle().await;
    assert_eq!(
        stage.values(PREFIX),
        stage.wanted(&zones[2]),
        "{}",
        stage.history()
    );
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}
