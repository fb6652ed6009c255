//! Parameters that releases 0.1.0 and 0.2.0 published. Their tags name no request.

use serde_json::json;
use world::cloudformation::{Stack, Status, Template};

use super::{PARTS, PREFIX, published};
use crate::stage::{CONSUMER, LOGICAL_ID, REGION, Stage, one};

impl Stage {
    /// Changes the parameters to the form of an earlier release: with these additional tags, and without
    /// those of this release.
    fn as_of_an_earlier_release(&self, more: &[(&str, &[&str; 3])]) {
        for (number, part) in PARTS.into_iter().enumerate() {
            let name = format!("{PREFIX}/{part}");
            self.world
                .edit_parameter(CONSUMER, REGION, &name, |parameter| {
                    for key in ["request", "transfer"] {
                        parameter.tags.remove(&format!("zone-delegation:{key}"));
                    }
                    for (key, values) in more {
                        let key = format!("zone-delegation:{key}");
                        parameter.tags.insert(key, values[number].to_owned());
                    }
                });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn parameters_of_earlier_releases_are_updated_and_deleted() {
    for is_updated in [true, false] {
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        let another = stage.delegated_zone("ops").await;
        let mut stack = stage.created(published(&zone, json!({}))).await;
        stage.as_of_an_earlier_release(&[]);
        if is_updated {
            stage
                .updated(&mut stack, published(&another, json!({})))
                .await;
            assert_eq!(stage.values(PREFIX), stage.wanted(&another));
        }
        stage.deleted(&mut stack).await;
        stage.check_nothing_published();
    }
}

#[tokio::test(start_paused = true)]
async fn the_id_of_a_create_that_failed_before_the_upgrade_is_the_prefix() {
    // It named what it had created, so its Delete finds that by the name.
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(published(&zone, json!({}))).await;
    stage.as_of_an_earlier_release(&[]);
    let name = format!("{PREFIX}/name-servers");
    stage.world.remove_parameter(CONSUMER, REGION, &name);
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

/// Returns a rename from A to B, with another zone, that an earlier release performed and noted.
async fn renamed_before(stage: &Stage, zones: [&str; 2]) -> (Stack, Template) {
    let first = Template::from([("A".to_owned(), published(zones[0], json!({})))]);
    let mut stack = crate::stage::stack("subject");
    let status = stage.engine.create(&mut stack, &first).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    let values = stage.wanted(zones[0]).unwrap();
    let values = values.map(|value| value.replace(',', " "));
    let values = [0, 1, 2].map(|number| values[number].as_str());
    stage.world.renamed(&stack.id, "A", "B");
    let second = published(zones[1], json!({"FormerLogicalIds": ["A"]}));
    let second = Template::from([("B".to_owned(), second)]);
    let status = stage.engine.update(&mut stack, &second).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    stage.as_of_an_earlier_release(&[
        ("previous-logical-id", &["A"; 3]),
        ("previous-value", &values),
    ]);
    (stack, second)
}

#[tokio::test(start_paused = true)]
async fn a_rename_of_an_earlier_release_is_undone_by_a_rollback_and_made_final_by_an_update() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let another = stage.delegated_zone("ops").await;
    let (mut stack, _) = renamed_before(&stage, [&zone, &another]).await;
    // The rollback deletes B.
    stage.deleted(&mut stack).await;
    assert_eq!(stage.values(PREFIX), stage.wanted(&zone));
    for part in PARTS {
        let (logical_id, previous) = stage.marks(&format!("{PREFIX}/{part}"));
        assert_eq!((logical_id.as_deref(), previous), (Some("A"), None));
    }
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let another = stage.delegated_zone("ops").await;
    let (mut stack, second) = renamed_before(&stage, [&zone, &another]).await;
    let mut third = second;
    let properties = &mut third.get_mut("B").unwrap().properties;
    properties.insert("Tags".to_owned(), json!({"team": "a"}));
    let status = stage.engine.update(&mut stack, &third).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn a_kept_prefix_of_an_earlier_release_is_added_again() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let another = stage.delegated_zone("ops").await;
    let mut stack = stage.created(published(&zone, json!({}))).await;
    stage.as_of_an_earlier_release(&[]);
    stack.resources.remove(LOGICAL_ID);
    let again = one(published(&another, json!({})));
    let status = stage.engine.update(&mut stack, &again).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}
