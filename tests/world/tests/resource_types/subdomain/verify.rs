//! `VerifyDelegation`: what is queried over DNS before SUCCESS.

use std::time::Duration;

use serde_json::json;
use world::Edit;

use super::{BUILD, CONSUMER, NAME, subdomain};
use crate::log::Log;
use crate::stage::{BASE, STALE_DS, Stage};

/// Creates a subdomain whose check over DNS fails. Returns the sentence, which must come in time and leave
/// nothing.
async fn unresolved(stage: &Stage) -> String {
    let before = stage.world.now();
    let reason = stage.refused(subdomain(json!({}))).await;
    let took = stage.world.now() - before;
    // INSYNC twice and the check of at most 60 s, then the rollback.
    assert!(
        took < Duration::from_secs(240),
        "{took:?}\n{}",
        stage.history()
    );
    assert!(stage.made_zones().is_empty(), "{}", stage.history());
    stage.check();
    let start = format!("{NAME} is delegated, but does not resolve: ");
    let found = reason
        .strip_prefix(&start)
        .unwrap_or_else(|| panic!("{reason}"));
    found.to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_parent_without_a_delegation_is_reported() {
    let stage = Stage::published(|_| ()).await;
    stage
        .world
        .edit_records(&stage.base, &[Edit::delete(BUILD, "NS")])
        .unwrap();
    stage.settle().await;
    assert_eq!(
        unresolved(&stage).await,
        format!(
            "{BUILD} itself is not delegated: there is no delegation at {BUILD}: the name servers of {BASE} ({}) say that no such \
             name exists.",
            stage.servers(&stage.base)
        )
    );
    assert_eq!(stage.delegation(), None);
}

#[tokio::test(start_paused = true)]
async fn a_parent_that_is_delegated_to_another_zone_is_reported() {
    // Two zones have its name, and the published one is not the delegated one.
    let stage = Stage::set(|_| ()).await;
    let published = stage.world.make_zone(crate::stage::NETWORK, BUILD).unwrap();
    stage.publish(&published);
    stage.settle().await;
    assert_eq!(
        unresolved(&stage).await,
        format!(
            "{BUILD} itself is not delegated: {BASE} delegates {BUILD} to {}, which are not its name servers ({}).",
            stage.servers(&stage.build),
            stage.servers(&published).replace(", ", ",")
        )
    );
    assert_eq!(stage.world.record_set(&published, NAME, "NS"), None);
}

#[tokio::test(start_paused = true)]
async fn servers_with_another_record_set_are_named_with_it() {
    // Somebody replaces our NS record set as soon as it exists.
    let stage = Stage::published(|settings| {
        settings.propagation = Duration::from_secs(5)..=Duration::from_secs(5);
    })
    .await;
    let another = stage.world.make_zone(CONSUMER, NAME).unwrap();
    stage.settle().await;
    let (world, build) = (stage.world.clone(), stage.build.clone());
    let hosts = stage.world.zone(&another).unwrap().hosts();
    let theirs = stage.servers(&another).replace(", ", ",");
    tokio::spawn(async move {
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        while world.record_set(&build, NAME, "NS").is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        world
            .edit_records(&build, &[Edit::delete(NAME, "NS")])
            .unwrap();
        world
            .edit_records(&build, &[Edit::create(NAME, "NS", 60, &hosts)])
            .unwrap();
    });
    let found = unresolved(&stage).await;
    let ours = found
        .split("over UDP, not to ")
        .nth(1)
        .unwrap_or_else(|| panic!("{found}"));
    let server = found.split(' ').nth(2).unwrap();
    assert!(stage.servers(&stage.build).contains(server), "{found}");
    assert_eq!(
        found,
        format!(
            "name server {server} of {BUILD} delegates {NAME} to {theirs} over UDP, not to {ours}"
        )
    );
    // Their record set is kept.
    assert_eq!(
        stage.delegation().map(|set| set.written_by),
        Some(world::Hand::Person)
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_set_that_someone_deletes_at_once_is_reported() {
    let stage = Stage::published(|settings| {
        settings.propagation = Duration::from_secs(5)..=Duration::from_secs(5);
    })
    .await;
    let (world, build) = (stage.world.clone(), stage.build.clone());
    tokio::spawn(async move {
        while world.record_set(&build, NAME, "NS").is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        world
            .edit_records(&build, &[Edit::delete(NAME, "NS")])
            .unwrap();
    });
    let found = unresolved(&stage).await;
    let server = found.split(' ').nth(2).unwrap();
    assert!(stage.servers(&stage.build).contains(server), "{found}");
    assert_eq!(
        found,
        format!(
            "name server {server} of {BUILD} does not delegate {NAME}: over UDP it has no such name in {BUILD}."
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_zone_whose_servers_do_not_serve_it_is_reported() {
    // An existing zone is deleted after the record set is created and before the check.
    let stage = Stage::published(|settings| {
        settings.propagation = Duration::from_secs(5)..=Duration::from_secs(5);
    })
    .await;
    let given = stage.world.make_zone(CONSUMER, NAME).unwrap();
    stage.settle().await;
    let server = stage.world.zone(&given).unwrap().hosts();
    let (world, build, zone) = (stage.world.clone(), stage.build.clone(), given.clone());
    tokio::spawn(async move {
        while world.record_set(&build, NAME, "NS").is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // After the read of the zone that follows the record set.
        tokio::time::sleep(Duration::from_secs(2)).await;
        world.remove_zone(&zone).unwrap();
    });
    let reason = stage
        .refused(subdomain(json!({"HostedZoneId": given})))
        .await;
    let named = server
        .iter()
        .find(|host| reason.contains(host.as_str()))
        .unwrap_or_else(|| panic!("{reason}"));
    assert_eq!(
        reason,
        format!(
            "{NAME} is delegated, but does not resolve: name server {named} of {NAME} does not serve it: over UDP it refuses \
             (REFUSED)."
        )
    );
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_is_deleted_during_its_delegation_is_reported() {
    let stage = Stage::published(|settings| {
        settings.propagation = Duration::from_secs(5)..=Duration::from_secs(5);
    })
    .await;
    let given = stage.world.make_zone(CONSUMER, NAME).unwrap();
    stage.settle().await;
    let (world, build, zone) = (stage.world.clone(), stage.build.clone(), given.clone());
    tokio::spawn(async move {
        while world.record_set(&build, NAME, "NS").is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        world.remove_zone(&zone).unwrap();
    });
    let reason = stage
        .refused(subdomain(json!({"HostedZoneId": given})))
        .await;
    assert_eq!(
        reason,
        format!(
            "{NAME} was not delegated: its zone was deleted while its NS record set was created, so that record set was \
             deleted again. Deploy again."
        )
    );
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn nothing_is_checked_if_port_53_is_blocked_or_the_check_is_off() {
    // The delegation of the parent is broken, which the check would find.
    for (reachable, verify) in [(false, true), (true, false)] {
        let stage = Stage::published(|settings| settings.dns_reachable = reachable).await;
        stage
            .world
            .edit_records(&stage.base, &[Edit::delete(BUILD, "NS")])
            .unwrap();
        stage.settle().await;
        let mut stack = stage
            .created(subdomain(json!({"VerifyDelegation": verify})))
            .await;
        assert!(stage.delegation().is_some());
        stage.deleted(&mut stack).await;
        stage.check_no_subdomain();
    }
}

/// Returns a subdomain whose parent's delegation was deleted, for which its stack is not responsible.
async fn cut_off(stage: &Stage, properties: serde_json::Value) -> world::cloudformation::Stack {
    let stack = stage.created(subdomain(properties)).await;
    stage
        .world
        .edit_records(&stage.base, &[Edit::delete(BUILD, "NS")])
        .unwrap();
    stage.settle().await;
    stack
}

#[tokio::test(start_paused = true)]
async fn a_fault_above_an_existing_delegation_does_not_refuse_its_update() {
    // Its rollback would be refused for the same reason, and the stack would be stuck.
    let stage = Stage::published(|_| ()).await;
    let mut stack = cut_off(&stage, json!({})).await;
    stage
        .updated(&mut stack, subdomain(json!({"Ttl": 60, "Comment": "new"})))
        .await;
    assert_eq!(stage.delegation().map(|set| set.ttl), Some(Some(60)));
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn an_update_that_turns_the_check_on_is_refused_if_it_finds_a_fault() {
    let stage = Stage::published(|_| ()).await;
    let unverified = json!({"VerifyDelegation": false});
    let mut stack = cut_off(&stage, unverified).await;
    let resource = subdomain(json!({"VerifyDelegation": true}));
    let reason = stage
        .rolled_back(&mut stack, &crate::stage::one(resource))
        .await;
    let start =
        format!("{NAME} is delegated, but does not resolve: {BUILD} itself is not delegated: ");
    assert!(reason.starts_with(&start), "{reason}");
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn an_update_that_restores_a_delegation_is_checked() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = cut_off(&stage, json!({})).await;
    stage
        .world
        .edit_records(&stage.build, &[Edit::delete(NAME, "NS")])
        .unwrap();
    let resource = subdomain(json!({"Comment": "new"}));
    let status = stage
        .engine
        .update(&mut stack, &crate::stage::one(resource))
        .await;
    assert_ne!(
        status,
        world::cloudformation::Status::Complete,
        "{}",
        stage.history()
    );
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

/// What is said of a stale DS record set of a zone in its parent.
fn stale(parent: &str, zone: &str) -> String {
    format!(
        "{parent} has a stale DS record set for {zone} (key tag 12345, algorithm 13): {zone} is not signed, so that resolvers \
         that validate DNSSEC answer SERVFAIL for every name in it; delete the DS record set in {parent}, or sign {zone} with \
         that key."
    )
}

#[tokio::test(start_paused = true)]
async fn a_stale_ds_record_set_is_said() {
    let stage = Stage::published(|_| ()).await;
    stage.sign_parents();
    let ds = Edit::create(NAME, "DS", 60, &[STALE_DS]);
    stage.world.edit_records(&stage.build, &[ds]).unwrap();
    stage.settle().await;
    assert_eq!(unresolved(&stage).await, stale(BUILD, NAME));
    // Nobody but people touches it, and without it the name can be created.
    assert!(stage.world.record_set(&stage.build, NAME, "DS").is_some());
    let ds = Edit::delete(NAME, "DS");
    stage.world.edit_records(&stage.build, &[ds]).unwrap();
    stage.settle().await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_stale_ds_record_set_of_the_parent_is_said() {
    let stage = Stage::published(|_| ()).await;
    stage.world.sign_zone(&stage.base).unwrap();
    let ds = Edit::create(BUILD, "DS", 60, &[STALE_DS]);
    stage.world.edit_records(&stage.base, &[ds]).unwrap();
    stage.settle().await;
    assert_eq!(unresolved(&stage).await, stale(BASE, BUILD));
}

#[tokio::test(start_paused = true)]
async fn a_stale_ds_record_set_is_a_warning_on_an_update_in_place_and_never_without_the_check() {
    let log = Log::start();
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    stage.sign_parents();
    let ds = Edit::create(NAME, "DS", 60, &[STALE_DS]);
    stage.world.edit_records(&stage.build, &[ds]).unwrap();
    stage.settle().await;
    let changed = subdomain(json!({"Comment": "another"}));
    stage.updated(&mut stack, changed).await;
    let warned = log.lines_with("this does not fail the Update");
    let said = stale(BUILD, NAME);
    assert!(warned.iter().any(|line| line.contains(&said)), "{warned:?}");
    stage.deleted(&mut stack).await;
    let mut stack = stage
        .created(subdomain(json!({"VerifyDelegation": false})))
        .await;
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}
