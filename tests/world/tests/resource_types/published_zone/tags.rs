//! The template's tags, beside the ownership tags.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{PREFIX, published};
use crate::stage::Stage;

impl Stage {
    /// Returns the tags of each parameter, without this project's.
    fn template_tags(&self) -> Vec<BTreeMap<String, String>> {
        let tags = self.parameters().into_values().map(|parameter| {
            let mut tags = parameter.tags;
            tags.retain(|key, _| !key.starts_with("zone-delegation:"));
            tags
        });
        tags.collect()
    }
}

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

#[tokio::test(start_paused = true)]
async fn tags_are_set_changed_and_removed_with_the_template() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let with_tags = |tags: Value| published(&zone, json!({ "Tags": tags }));
    let first = json!([{"Key": "team", "Value": "a"}, {"Key": "cost", "Value": "7"}]);
    let mut stack = stage.created(with_tags(first)).await;
    let expected = tags(&[("cost", "7"), ("team", "a")]);
    assert_eq!(stage.template_tags(), [(); 3].map(|()| expected.clone()));
    let second = json!({"team": "b", "zz": "1"});
    stage.updated(&mut stack, with_tags(second)).await;
    let expected = tags(&[("team", "b"), ("zz", "1")]);
    assert_eq!(stage.template_tags(), [(); 3].map(|()| expected.clone()));
    stage.updated(&mut stack, published(&zone, json!({}))).await;
    assert_eq!(stage.template_tags(), [(); 3].map(|()| tags(&[])));
    for part in super::PARTS {
        let (logical_id, _) = stage.marks(&format!("{PREFIX}/{part}"));
        assert!(logical_id.is_some(), "ownership tags stay");
    }
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn the_largest_number_of_tags_leaves_space_for_ownership_tags() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let many = |count| -> Value {
        let pair = |number| (format!("{number:02}"), json!("x"));
        Value::Object((0..count).map(pair).collect())
    };
    let reason = stage
        .refused(published(&zone, json!({ "Tags": many(45) })))
        .await;
    assert!(
        reason.ends_with("expected at most 44 tags, and there are 45."),
        "{reason}"
    );
    let resource = |more: Value| {
        let mut properties = json!({ "Tags": many(44) });
        properties
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        published(&zone, properties)
    };
    let mut stack = crate::stage::stack("subject");
    let template = world::cloudformation::Template::from([("A".to_owned(), resource(json!({})))]);
    let created = stage.engine.create(&mut stack, &template).await;
    assert_eq!(created, world::cloudformation::Status::Complete);
    // Even while a rename is noted.
    stage.world.renamed(&stack.id, "A", "B");
    let renamed = resource(json!({"FormerLogicalIds": ["A"]}));
    let template = world::cloudformation::Template::from([("B".to_owned(), renamed)]);
    let updated = stage.engine.update(&mut stack, &template).await;
    assert_eq!(
        updated,
        world::cloudformation::Status::Complete,
        "{:?}",
        stack.failures
    );
    assert_eq!(stage.template_tags()[0].len(), 44);
    stage.deleted(&mut stack).await;
    stage.check_nothing_published();
}

#[tokio::test(start_paused = true)]
async fn a_template_cannot_set_an_ownership_tag() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let tags = json!({"Tags": {"Zone-Delegation:request": "x"}});
    let reason = stage.refused(published(&zone, tags)).await;
    assert!(reason.starts_with("Property Tags is "), "{reason}");
    assert!(stage.calls("PutParameter").is_empty());
    stage.check_nothing_published();
}
