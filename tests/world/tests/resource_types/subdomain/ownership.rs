//! What does not belong to this resource is not changed, whatever a request, a tag or a physical id says.

use serde_json::{Value, json};
use world::cloudformation::{Stack, Status, Template};
use world::{Edit, Fault, FaultRule, ServiceError, When};

use super::{BUILD, CONSUMER, NAME, NETWORK, subdomain, zones_of};
use crate::stage::{LOGICAL_ID, Stage, one, stack, with};

/// Returns a resource with this many tags, half of whose keys sort before the ownership tags.
fn tagged(count: usize) -> world::cloudformation::ResourceDefinition {
    let key = |number| format!("{}{number:02}", if number % 2 == 0 { "a" } else { "z" });
    let tags: serde_json::Map<String, Value> =
        (0..count).map(|number| (key(number), json!("x"))).collect();
    subdomain(json!({"Tags": tags}))
}

fn renamed(resource: world::cloudformation::ResourceDefinition) -> Template {
    let former = json!({"FormerLogicalIds": [LOGICAL_ID]});
    Template::from([("Renamed".to_owned(), with(resource, former))])
}

fn bad_call() -> ServiceError {
    ServiceError::new(400, "Unheard", "of")
}

#[tokio::test(start_paused = true)]
async fn a_rename_that_fails_never_deletes_the_zone_of_the_old_logical_id() {
    for count in [9, 19, 39] {
        for skip in 0..5 {
            for fault in [
                Fault::Error(When::Before, bad_call()),
                Fault::Kill(When::After),
            ] {
                let stage = Stage::published(|_| ()).await;
                let mut stack = stage.created(tagged(count)).await;
                let (zone, _) = zones_of(&stack);
                let times = if matches!(fault, Fault::Kill(_)) {
                    3
                } else {
                    1
                };
                stage.world.renamed(&stack.id, LOGICAL_ID, "Renamed");
                stage.world.renamed(&stack.id, "Renamed", LOGICAL_ID);
                stage.world.inject(FaultRule {
                    skip,
                    ..FaultRule::on_operation("ChangeTagsForResource", times, fault)
                });
                let resource = with(tagged(count), json!({"ServiceTimeout": 600}));
                stage.engine.update(&mut stack, &renamed(resource)).await;
                stage.engine.idle().await;
                stage.world.clear_faults();
                assert!(
                    stage.world.zone(&zone).is_some() && stage.delegation().is_some(),
                    "{count} tags, call {skip}: {:?}\n{}",
                    stack.failures,
                    stage.history()
                );
                stage.deleted(&mut stack).await;
                stage.check_no_subdomain();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_of_another_logical_id_is_refused_unless_the_property_names_that() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let (zone, _) = zones_of(&stack);
    let template = Template::from([("Renamed".to_owned(), subdomain(json!({})))]);
    let reason = stage.rolled_back(&mut stack, &template).await;
    assert_eq!(
        reason,
        format!(
            "{NAME} was not delegated: its zone {zone} belongs to the logical id {LOGICAL_ID} of this stack. If that was this resource's logical id \
             before, list it in FormerLogicalIds; otherwise choose another Subdomain."
        )
    );
    stage.world.renamed(&stack.id, LOGICAL_ID, "Renamed");
    let template = renamed(subdomain(json!({})));
    let status = stage.engine.update(&mut stack, &template).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    assert_eq!(
        stack.resources["Renamed"].attributes["HostedZoneId"],
        zone.as_str()
    );
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_create_that_fails_leaves_a_retained_zone_as_it_was() {
    let stage = Stage::published(|_| ()).await;
    let tags = json!({"Tags": {"team": "a"}, "Comment": "old"});
    let mut stack = stage.created(subdomain(tags)).await;
    let (zone, _) = zones_of(&stack);
    // As `DeletionPolicy: Retain` does.
    stack.resources.clear();
    let (before, delegation) = (stage.world.zone(&zone).unwrap(), stage.delegation());
    let edit = [Edit::delete(BUILD, "NS")];
    stage.world.edit_records(&stage.base, &edit).unwrap();
    stage.settle().await;
    let again = subdomain(json!({"Ttl": 60, "Comment": "new", "Tags": {"team": "b"}}));
    stage.rolled_back(&mut stack, &one(again.clone())).await;
    let after = stage
        .world
        .zone(&zone)
        .unwrap_or_else(|| panic!("{}", stage.history()));
    assert_eq!(
        (&after.tags, &after.comment),
        (&before.tags, &before.comment)
    );
    assert_eq!(stage.delegation(), delegation, "{}", stage.history());
    // The create succeeds, and the retained zone belongs to this resource again.
    stage.delegate(&stage.base, &stage.build);
    stage.settle().await;
    stage.updated(&mut stack, again).await;
    assert_eq!(zones_of(&stack).0, zone);
    assert_eq!(stage.delegation().and_then(|set| set.ttl), Some(60));
    assert_eq!(stage.world.zone(&zone).unwrap().comment, "new");
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_create_that_fails_deletes_the_delegation_that_it_created_for_a_retained_zone() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let (zone, _) = zones_of(&stack);
    stack.resources.clear();
    for (parent, name) in [(&stage.base, BUILD), (&stage.build, NAME)] {
        let edit = [Edit::delete(name, "NS")];
        stage.world.edit_records(parent, &edit).unwrap();
    }
    stage.settle().await;
    stage
        .rolled_back(&mut stack, &one(subdomain(json!({}))))
        .await;
    assert!(stage.world.zone(&zone).is_some(), "{}", stage.history());
    assert_eq!(stage.delegation(), None, "{}", stage.history());
    stage.check();
}

/// Returns a stack whose resource has an id that was never assigned, for its delete.
async fn with_id(stage: &Stage, id: &str) -> Stack {
    let elsewhere = subdomain(json!({"Subdomain": "elsewhere"}));
    let mut stack = stage.created(elsewhere).await;
    let resource = stack.resources.get_mut(LOGICAL_ID).unwrap();
    id.clone_into(&mut resource.physical_id);
    resource
        .properties
        .insert("Subdomain".to_owned(), json!("dev"));
    stack
}

/// Returns the proof of release 0.2.0, which anyone can compute.
fn proof(hosts: &[String]) -> String {
    custom_resource::sha256_hex(&[&hosted_zones::NameServers::new(hosts).to_string()], 16)
}

#[tokio::test(start_paused = true)]
async fn a_physical_id_without_a_zone_deletes_no_delegation_of_others() {
    for account in [CONSUMER, NETWORK] {
        let stage = Stage::published(|_| ()).await;
        let zone = stage.world.make_zone(account, NAME).unwrap();
        stage.delegate(&stage.build, &zone);
        stage.settle().await;
        let proof = proof(&stage.world.zone(&zone).unwrap().hosts());
        let id = format!("{NAME}/Z0MISSING/{}/{proof}", stage.build);
        let mut stack = with_id(&stage, &id).await;
        if account == CONSUMER {
            stage.deleted(&mut stack).await;
        } else {
            let reason = stage.not_deleted(&mut stack).await;
            assert!(
                reason.starts_with(&format!(
                    "{NAME} was not deleted: its zone Z0MISSING does not exist, and {BUILD} ({}) has an NS record set for it of which \
                     this resource's id does not prove",
                    stage.build
                )),
                "{reason}"
            );
        }
        assert!(stage.delegation().is_some(), "{}", stage.history());
        stage.check();
    }
}

#[tokio::test(start_paused = true)]
async fn a_physical_id_of_an_untagged_zone_deletes_no_delegation() {
    let stage = Stage::published(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let proof = proof(&stage.world.zone(&zone).unwrap().hosts());
    let id = format!("{NAME}/{zone}/{}/{proof}", stage.build);
    let mut stack = with_id(&stage, &id).await;
    stage.deleted(&mut stack).await;
    assert!(stage.delegation().is_some(), "{}", stage.history());
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn tags_do_not_transfer_a_zone_of_another_stack() {
    let stage = Stage::published(|_| ()).await;
    let mut other = stack("other");
    let status = stage
        .engine
        .create(&mut other, &one(subdomain(json!({}))))
        .await;
    assert_eq!(status, Status::Complete);
    let (zone, _) = zones_of(&other);
    let proof = proof(&stage.world.zone(&zone).unwrap().hosts());
    let id = format!("{NAME}/{zone}/{}/{proof}", stage.build);
    let mut stack = with_id(&stage, &id).await;
    let stack_id = stack.id.clone();
    stage
        .world
        .edit_zone(&zone, |zone| {
            zone.tags
                .insert("zone-delegation:stack-id".to_owned(), stack_id);
        })
        .unwrap();
    let reason = stage.not_deleted(&mut stack).await;
    assert!(
        reason.starts_with(&format!(
            "Nothing was done with hosted zone {zone} ({NAME}): its tags name {LOGICAL_ID} of stack {}",
            stack.id
        )),
        "{reason}"
    );
    // Its owner cannot do so either until the tag is corrected.
    let reason = stage.not_deleted(&mut other).await;
    assert!(reason.starts_with("Nothing was done with"), "{reason}");
    assert!(stage.delegation().is_some(), "{}", stage.history());
    let other_id = other.id.clone();
    stage
        .world
        .edit_zone(&zone, |zone| {
            zone.tags
                .insert("zone-delegation:stack-id".to_owned(), other_id);
        })
        .unwrap();
    stage.deleted(&mut stack).await;
    assert!(stage.delegation().is_some(), "{}", stage.history());
    stage.deleted(&mut other).await;
    assert_eq!(stage.delegation(), None);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_delegation_whose_zone_a_person_deleted_is_deleted_with_its_physical_id() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let (zone, _) = zones_of(&stack);
    stage.world.remove_zone(&zone).unwrap();
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_rename_is_rolled_back_while_the_old_logical_id_has_another_name() {
    // The old logical id is rolled back before the new one is deleted.
    for carries_new_id in [true, false] {
        let mut stage = Stage::published(|_| ()).await;
        stage.engine.habits.rollback_carries_new_id = carries_new_id;
        let mut stack = stage.created(subdomain(json!({}))).await;
        let (zone, _) = zones_of(&stack);
        stage.world.renamed(&stack.id, LOGICAL_ID, "Renamed");
        stage.world.renamed(&stack.id, "Renamed", LOGICAL_ID);
        let mut template = renamed(subdomain(json!({})));
        let mut moved = subdomain(json!({"Subdomain": "other"}));
        moved.depends_on.push("Renamed".to_owned());
        template.insert(LOGICAL_ID.to_owned(), moved);
        let mut bad = world::cloudformation::ResourceDefinition::new("Custom::Unknown", json!({}));
        bad.depends_on.push(LOGICAL_ID.to_owned());
        template.insert("Bad".to_owned(), bad);
        stage.rolled_back(&mut stack, &template).await;
        assert_eq!(zones_of(&stack).0, zone, "{}", stage.history());
        assert!(stage.delegation().is_some(), "{}", stage.history());
        stage.deleted(&mut stack).await;
        stage.check_no_subdomain();
    }
}
