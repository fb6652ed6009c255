//! A logical id that is renamed in the template gets the parameters, and returns them if the rename is rolled
//! back.

use serde_json::json;
use world::cloudformation::{Stack, Status, Template};
use world::{Fault, FaultRule, When};

use super::{PARTS, PREFIX, published};
use crate::stage::{Stage, stack};

const OTHER: &str = "/zone-delegation/test";

fn template(zone: &str, resources: &[(&str, &str)]) -> Template {
    let resource = |&(id, prefix): &(&str, &str)| {
        let mut properties = json!({"ParameterPrefix": prefix});
        if id == "B" {
            properties["FormerLogicalIds"] = json!(["A"]);
        }
        (id.to_owned(), published(zone, properties))
    };
    resources.iter().map(resource).collect()
}

/// Adds a resource that fails after all others exist.
fn failing(mut template: Template) -> Template {
    let mut bad = published("Z404", json!({}));
    bad.depends_on = template.keys().cloned().collect();
    template.insert("Bad".to_owned(), bad);
    template
}

async fn created(stage: &Stage, template: &Template) -> Stack {
    let mut stack = stack("subject");
    let status = stage.engine.create(&mut stack, template).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    stage.world.renamed(&stack.id, "A", "B");
    stack
}

/// Checks that all three parameters are published for a zone and belong to this logical id.
fn check_whose(stage: &Stage, prefix: &str, zone: &str, logical_id: &str) {
    assert_eq!(
        stage.values(prefix),
        stage.wanted(zone),
        "{}",
        stage.history()
    );
    for part in PARTS {
        let (marked, previous) = stage.marks(&format!("{prefix}/{part}"));
        assert_eq!(
            marked.as_deref(),
            Some(logical_id),
            "{part}\n{}",
            stage.history()
        );
        // A parameter may note its own logical id as the former one, after a return that was interrupted.
        let noted = previous.filter(|id| id != logical_id);
        assert_eq!(noted, None, "{part}\n{}", stage.history());
    }
}

#[tokio::test(start_paused = true)]
async fn the_new_logical_id_gets_the_parameters_and_the_old_ones_delete_keeps_them() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = created(&stage, &template(&zone, &[("A", PREFIX)])).await;
    let status = stage
        .engine
        .update(&mut stack, &template(&zone, &[("B", PREFIX)]))
        .await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    check_whose(&stage, PREFIX, &zone, "B");
    let versions: Vec<_> = stage
        .parameters()
        .into_values()
        .map(|parameter| parameter.version)
        .collect();
    assert_eq!(versions, [1, 1, 1], "consumers see no change");
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn a_rename_that_is_rolled_back_returns_the_parameters() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = created(&stage, &template(&zone, &[("A", PREFIX)])).await;
    let status = stage
        .engine
        .update(&mut stack, &failing(template(&zone, &[("B", PREFIX)])))
        .await;
    assert_eq!(status, Status::RolledBack, "{:?}", stack.failures);
    check_whose(&stage, PREFIX, &zone, "A");
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_return_is_completed() {
    // Each parameter is returned with two calls. The process dies before or after any of the six, once or in
    // each attempt.
    for operation in ["AddTagsToResource", "RemoveTagsFromResource"] {
        for call in 1..=3 {
            for when in [When::Before, When::After] {
                let stage = Stage::set(|_| ()).await;
                let zone = stage.delegated_zone("dev").await;
                let mut stack = created(&stage, &template(&zone, &[("A", PREFIX)])).await;
                // The transfer itself has three calls of AddTagsToResource.
                let before = if operation == "AddTagsToResource" {
                    3
                } else {
                    0
                };
                stage.world.inject(FaultRule {
                    skip: before + call - 1,
                    ..FaultRule::on_operation(operation, 1, Fault::Kill(when))
                });
                let status = stage
                    .engine
                    .update(&mut stack, &failing(template(&zone, &[("B", PREFIX)])))
                    .await;
                assert_eq!(
                    status,
                    Status::RolledBack,
                    "{operation} {call} {when:?} {:?}",
                    stack.failures
                );
                assert!(stack.orphans.is_empty(), "{:?}", stack.orphans);
                check_whose(&stage, PREFIX, &zone, "A");
                stage.deleted(&mut stack).await;
                stage.check_nothing_published();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_of_the_new_logical_id_makes_the_rename_final() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let another = stage.delegated_zone("ops").await;
    let mut stack = created(&stage, &template(&zone, &[("A", PREFIX)])).await;
    // The old id's Delete never arrives, so its note stays until the next update shows that the rename is
    // final.
    stage.world.inject(FaultRule::on_operation(
        "RemoveTagsFromResource",
        20,
        Fault::unavailable(When::Before),
    ));
    let status = stage
        .engine
        .update(&mut stack, &template(&zone, &[("B", PREFIX)]))
        .await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    stage.world.clear_faults();
    let status = stage
        .engine
        .update(&mut stack, &template(&another, &[("B", PREFIX)]))
        .await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    check_whose(&stage, PREFIX, &another, "B");
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn a_move_to_the_prefix_of_another_logical_id_that_is_rolled_back_returns_the_parameters() {
    // B moves to the prefix of A, which leaves the template. Then something fails, and both are as they were
    // before.
    for carries_new_id in [true, false] {
        let mut stage = Stage::set(|_| ()).await;
        stage.engine.habits.rollback_carries_new_id = carries_new_id;
        let zone = stage.delegated_zone("dev").await;
        let mut stack = created(&stage, &template(&zone, &[("A", PREFIX), ("B", OTHER)])).await;
        let status = stage
            .engine
            .update(&mut stack, &failing(template(&zone, &[("B", PREFIX)])))
            .await;
        assert_eq!(
            status,
            Status::RolledBack,
            "{:?}\n{}",
            stack.failures,
            stage.history()
        );
        assert!(stack.orphans.is_empty(), "{:?}", stack.orphans);
        check_whose(&stage, PREFIX, &zone, "A");
        check_whose(&stage, OTHER, &zone, "B");
        stage.deleted(&mut stack).await;
        stage.check_nothing_published();
    }
}

#[tokio::test(start_paused = true)]
async fn a_rename_that_is_not_declared_is_refused_and_changes_nothing() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = created(&stage, &template(&zone, &[("A", PREFIX)])).await;
    let before = stage.parameters();
    let undeclared = Template::from([("B".to_owned(), published(&zone, json!({})))]);
    let status = stage.engine.update(&mut stack, &undeclared).await;
    assert_eq!(status, Status::RolledBack, "{:?}", stack.failures);
    let sentence = |part| {
        format!(
            "The parameter {PREFIX}/{part} belongs to the logical id A of this stack: if A was renamed to B in the template, add A to \
             the property FormerLogicalIds of B; if not, choose another ParameterPrefix."
        )
    };
    assert!(
        PARTS.map(sentence).contains(&stack.failures[0]),
        "{:?}",
        stack.failures
    );
    assert_eq!(stage.parameters(), before);
    let declared = template(&zone, &[("B", PREFIX)]);
    let status = stage.engine.update(&mut stack, &declared).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    check_whose(&stage, PREFIX, &zone, "B");
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn a_rename_that_publishes_another_zone_and_is_rolled_back_returns_values_and_tags() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let another = stage.delegated_zone("ops").await;
    let mut first = template(&zone, &[("A", PREFIX)]);
    let tags = json!({"Tags": {"team": "a"}});
    first.insert("A".to_owned(), published(&zone, tags));
    let mut stack = created(&stage, &first).await;
    let before = stage.parameters();
    let tags = json!({"FormerLogicalIds": ["A"], "Tags": {"team": "b"}});
    let second = Template::from([("B".to_owned(), published(&another, tags))]);
    let status = stage.engine.update(&mut stack, &failing(second)).await;
    assert_eq!(status, Status::RolledBack, "{:?}", stack.failures);
    check_whose(&stage, PREFIX, &zone, "A");
    for (name, parameter) in stage.parameters() {
        assert_eq!(parameter.tags, before[&name].tags, "{}", stage.history());
    }
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}
