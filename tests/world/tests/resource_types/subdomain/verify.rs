//! `VerifyDelegation`: what is asked over DNS before SUCCESS.

use std::time::Duration;

use serde_json::json;
use world::Edit;

use super::{BUILD, CONSUMER, NAME, subdomain};
use crate::log::Log;
use crate::stage::{BASE, STALE_DS, Stage};

/// A create that is refused, by what DNS shows, within so many seconds; nothing of it stands.
async fn unresolved(stage: &Stage) -> String {
    let before = stage.world.now();
    let reason = stage.refused(subdomain(json!({}))).await;
    let took = stage.world.now() - before;
    // INSYNC twice and the check of 60 s at most, then the rollback.
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
async fn a_parent_that_is_not_delegated_itself_is_said() {
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
async fn a_parent_that_others_hold_is_said() {
    // There are two zones of its name, and the one that is published is not the one that is delegated.
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
async fn servers_that_have_another_set_are_named_with_it() {
    // Someone puts another set in the place of ours as soon as it stands.
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
    // Theirs stays.
    assert_eq!(
        stage.delegation().map(|set| set.written_by),
        Some(world::Hand::Person)
    );
}

#[tokio::test(start_paused = true)]
async fn a_set_that_someone_takes_out_at_once_is_missed() {
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
async fn a_zone_whose_servers_do_not_serve_it_is_said() {
    // A given zone is deleted between the record set and the check.
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
        // Later than the look for the zone that follows the record set.
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
async fn a_zone_that_is_deleted_while_it_is_delegated_is_said() {
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
async fn without_a_way_out_or_where_it_is_not_wanted_nothing_is_checked() {
    // The delegation above is broken, which the check would find.
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

/// A subdomain whose parent is not delegated any more, which is nothing that its stack has done.
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
async fn what_broke_above_a_delegation_that_stands_refuses_no_update_of_it() {
    // Its rollback would be refused for the same, and the stack be stuck.
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
async fn an_update_that_asks_for_the_check_is_refused_for_what_it_finds() {
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
async fn an_update_that_puts_a_delegation_back_is_checked() {
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
