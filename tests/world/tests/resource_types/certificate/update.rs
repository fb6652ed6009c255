//! Updates: in place, by replacement, and rolled back.

use std::time::Duration;

use serde_json::json;
use world::cloudformation::{Stack, Status, Template};
use world::{Certificate, Edit, Fault, FaultRule, When};

use super::{NAME, ZONE, arn, below_build, certificate, validation};
use crate::stage::{CONSUMER, Stage, failing_afterwards, one, with};

#[tokio::test(start_paused = true)]
async fn tags_and_validation_records_on_delete_change_in_place() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let before = json!({"Tags": {"team": "a", "cost": "1"}});
    let mut stack = stage.created(certificate(&zone, before)).await;
    let kept = arn(&stack);
    // A tag that someone else added stays.
    stage
        .world
        .edit_certificate(&kept, |certificate| {
            drop(certificate.tags.insert("audit".into(), "yes".into()));
        })
        .unwrap();
    let after = json!({"Tags": {"team": "b"}, "ValidationRecordsOnDelete": "Delete", "Region": crate::stage::REGION});
    stage.updated(&mut stack, certificate(&zone, after)).await;
    assert_eq!(arn(&stack), kept);
    let tags = stage.the_certificate().tags;
    let of_users: Vec<_> = tags
        .iter()
        .filter(|(key, _)| !key.starts_with("zone-delegation:"))
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(of_users, [("audit", "yes"), ("team", "b")]);
    assert_eq!(stage.calls("RequestCertificate").len(), 1);
    stage.deleted(&mut stack).await;
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn every_other_property_replaces_the_certificate() {
    let other = |label: &str| below_build(&format!("{label}.dev"));
    for change in [
        json!({"DomainName": other("b")}),
        json!({"SubjectAlternativeNames": [other("c")]}),
        json!({"KeyAlgorithm": "EC_prime256v1"}),
        json!({"Export": "true"}),
        json!({"Region": "us-east-1"}),
        json!({"HostedZoneId": "second"}),
        json!({"AdditionalHostedZoneIds": ["second"]}),
    ] {
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        // A zone of the same name, delegated by people, in which the certificate can be validated too.
        let second = stage.world.make_zone(CONSUMER, ZONE).unwrap();
        stage.settle().await;
        let change = serde_json::from_str(&change.to_string().replace("second", &second)).unwrap();
        let mut stack = stage.created(certificate(&zone, json!({}))).await;
        let before = arn(&stack);
        let to_second = change == json!({"HostedZoneId": second});
        if to_second {
            stage
                .world
                .edit_records(&stage.build, &[Edit::delete(ZONE, "NS")])
                .unwrap();
            stage.delegate(&stage.build, &second);
            stage.settle().await;
        }
        stage.updated(&mut stack, certificate(&zone, change)).await;
        assert_ne!(arn(&stack), before);
        assert_eq!(
            stage.the_certificate().arn,
            arn(&stack),
            "the old one is deleted"
        );
        if to_second {
            assert_eq!(stage.cnames(&second).len(), 1);
        }
        stage.deleted(&mut stack).await;
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_cannot_be_issued_does_not_change_the_old_certificate() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(certificate(&zone, json!({}))).await;
    let before = arn(&stack);
    let bad = below_build("bad.dev");
    let caa = Edit::create(&bad, "CAA", 60, &["0 issue \";\""]);
    stage.world.edit_records(&zone, &[caa]).unwrap();
    stage.settle().await;
    let properties =
        json!({"SubjectAlternativeNames": [bad], "ValidationRecordsOnDelete": "Delete"});
    let reason = stage
        .rolled_back(&mut stack, &one(certificate(&zone, properties)))
        .await;
    assert_eq!(
        reason,
        format!(
            "The certificate for {NAME} will not be issued: the CAA record set at {bad} (0 issue \";\") does not allow Amazon to \
             issue for {bad}; add 0 issue \"amazon.com\" to it, then deploy again."
        )
    );
    assert_eq!(arn(&stack), before);
    assert_eq!(stage.the_certificate().arn, before);
    let records: Vec<_> = stage
        .cnames(&zone)
        .into_iter()
        .map(|(key, _)| key.name.to_string())
        .collect();
    assert_eq!(records, [validation(NAME).0]);
    stage.deleted(&mut stack).await;
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_takes_too_long_is_deleted_and_the_old_one_stays() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(certificate(&zone, json!({}))).await;
    let before = arn(&stack);
    stage.world.change_settings(|settings| {
        settings.issuance = Duration::from_secs(5_000)..=Duration::from_secs(5_000);
    });
    let properties = json!({"KeyAlgorithm": "EC_secp384r1", "ServiceTimeout": 300});
    let reason = stage
        .rolled_back(&mut stack, &one(certificate(&zone, properties)))
        .await;
    let given_up = stage.requested();
    assert_ne!(given_up, before);
    assert!(reason.starts_with("Timed out after 27"), "{reason}");
    assert!(
        reason.ends_with(&format!("The certificate {given_up} was deleted.")),
        "{reason}"
    );
    assert_eq!(
        (arn(&stack), stage.the_certificate().arn),
        (before.clone(), before)
    );
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_succeeded_is_rolled_back_with_the_stack() {
    // Which id the rollback carries is not documented.
    for carries_new_id in [true, false] {
        let mut stage = Stage::set(|_| ()).await;
        stage.engine.habits.rollback_carries_new_id = carries_new_id;
        let zone = stage.delegated_zone("dev").await;
        let delete = json!({"ValidationRecordsOnDelete": "Delete"});
        let mut stack = stage.created(certificate(&zone, delete.clone())).await;
        let before = arn(&stack);
        let mut changed = delete.clone();
        changed["SubjectAlternativeNames"] = json!([below_build("b.dev")]);
        let template = failing_afterwards(certificate(&zone, changed.clone()));
        stage.rolled_back(&mut stack, &template).await;
        assert_eq!(
            (arn(&stack), stage.the_certificate().arn),
            (before.clone(), before)
        );
        assert_eq!(stage.cnames(&zone).len(), 1, "{}", stage.history());
        // Then updated again, without a rollback.
        stage.updated(&mut stack, certificate(&zone, changed)).await;
        assert_eq!(stage.the_certificate().arn, arn(&stack));
        assert_eq!(stage.cnames(&zone).len(), 2, "{}", stage.history());
        stage.deleted(&mut stack).await;
        assert_eq!(stage.cnames(&zone), []);
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_region_leaves_the_cname_to_the_certificate_that_stays() {
    let there = |region: &str| json!({"Region": region, "ValidationRecordsOnDelete": "Delete"});
    for carries_new_id in [true, false] {
        let mut stage = Stage::set(|_| ()).await;
        stage.engine.habits.rollback_carries_new_id = carries_new_id;
        let zone = stage.delegated_zone("dev").await;
        let mut stack = stage.created(certificate(&zone, there("us-east-1"))).await;
        let cname = stage.cnames(&zone);
        assert_eq!(cname.len(), 1);
        // Rolled back after it has succeeded, then without a rollback, then failed by ACM.
        let template = failing_afterwards(certificate(&zone, there("eu-west-1")));
        stage.rolled_back(&mut stack, &template).await;
        assert_eq!(stage.cnames(&zone), cname, "{}", stage.history());
        stage
            .updated(&mut stack, certificate(&zone, there("eu-west-1")))
            .await;
        assert_eq!(stage.the_certificate().arn, arn(&stack));
        assert_eq!(stage.cnames(&zone), cname, "{}", stage.history());
        stage.world.refuse_name(NAME, "DOMAIN_NOT_ALLOWED");
        stage
            .rolled_back(&mut stack, &one(certificate(&zone, there("us-west-2"))))
            .await;
        assert_eq!(stage.cnames(&zone), cname, "{}", stage.history());
        stage.deleted(&mut stack).await;
        assert_eq!(stage.cnames(&zone), []);
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn the_successor_of_an_update_is_deleted_with_the_stack_if_its_rollback_dies_too() {
    // Neither Update is answered, so the Delete knows only the old certificate.
    for region in [crate::stage::REGION, "us-east-1"] {
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        let base = json!({"ServiceTimeout": 900, "ValidationRecordsOnDelete": "Delete"});
        let mut stack = stage.created(certificate(&zone, base.clone())).await;
        let mut changed = base.clone();
        changed["DomainName"] = json!(below_build("b.dev"));
        changed["Region"] = json!(region);
        // Three attempts at the Update die after they have requested its certificate, and three at its
        // rollback die at once.
        let first = stage.engine.next_invocation();
        for (attempt, call) in [8, 8, 8, 1, 1, 1].into_iter().enumerate() {
            let rule = FaultRule::on_call(first + attempt as u64, call, Fault::Kill(When::Before));
            stage.world.inject(rule);
        }
        let status = stage
            .engine
            .update(&mut stack, &one(certificate(&zone, changed)))
            .await;
        assert_eq!(
            status,
            Status::RollbackFailed,
            "{:?}\n{}",
            stack.failures,
            stage.history()
        );
        stage.engine.idle().await;
        stage.world.clear_faults();
        assert_eq!(stage.world.certificates().len(), 2, "{}", stage.history());
        stage.deleted(&mut stack).await;
        assert_eq!(stage.cnames(&zone), [], "{}", stage.history());
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn a_leftover_certificate_in_use_does_not_fail_the_rollback() {
    let mut stage = Stage::set(|_| ()).await;
    stage.engine.habits.rollback_carries_new_id = false;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(certificate(&zone, json!({}))).await;
    let before = arn(&stack);
    let properties =
        json!({"SubjectAlternativeNames": [below_build("b.dev")], "ServiceTimeout": 120});
    let template = failing_afterwards(certificate(&zone, properties));
    // Something uses the new certificate at once, and never stops.
    let world = stage.world.clone();
    let first = before.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let arns = world.certificates().into_keys();
            for arn in arns.filter(|arn| *arn != first) {
                world
                    .edit_certificate(&arn, |c| {
                        c.in_use_by = vec!["arn:aws:elasticloadbalancing:x".into()];
                    })
                    .unwrap();
            }
        }
    });
    let status = stage.engine.update(&mut stack, &template).await;
    assert_eq!(
        status,
        Status::RolledBack,
        "{:?}\n{}",
        stack.failures,
        stage.history()
    );
    assert_eq!(arn(&stack), before);
    // CloudFormation's clean-up is refused with a reason, and nothing in use is lost.
    let [orphan] = stack.orphans.as_slice() else {
        panic!("{:?}", stack.orphans);
    };
    assert!(
        orphan
            .reason
            .contains("to be released by arn:aws:elasticloadbalancing:x"),
        "{}",
        orphan.reason
    );
    assert_eq!(stage.world.certificates().len(), 2);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn an_update_in_place_of_a_missing_certificate_requests_no_other() {
    // Deleted by a person.
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(certificate(&zone, json!({}))).await;
    let missing = arn(&stack);
    let acm = aws_sdk_acm::Client::new(&stage.person());
    acm.delete_certificate()
        .certificate_arn(&missing)
        .send()
        .await
        .unwrap();
    let tags = certificate(&zone, json!({"Tags": {"team": "a"}}));
    let status = stage.engine.update(&mut stack, &one(tags)).await;
    assert_eq!(status, Status::RollbackFailed, "{}", stage.history());
    let sentence = format!(
        "The certificate {missing}, which this Update was to change, does not exist: it was deleted outside of this stack, or by a Delete \
         that ran first; remove the resource from the template and add it again (in a rollback, continue it and skip the \
         resource)."
    );
    // The rollback gets the same answer.
    assert_eq!(stack.failures, [sentence.clone(), sentence]);
    assert_eq!(stage.calls("RequestCertificate").len(), 1);
    stage.deleted(&mut stack).await;
    stage.check_no_certificate();
    // Another certificate still replaces it.
    let mut stack = stage.created(certificate(&zone, json!({}))).await;
    acm.delete_certificate()
        .certificate_arn(arn(&stack))
        .send()
        .await
        .unwrap();
    stage
        .updated(
            &mut stack,
            certificate(&zone, json!({"KeyAlgorithm": "EC_secp384r1"})),
        )
        .await;
    stage.deleted(&mut stack).await;
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn an_update_that_is_redelivered_after_the_delete_creates_nothing() {
    for (change, again) in [
        (json!({"Tags": {"team": "a"}}), 5),
        (json!({"KeyAlgorithm": "EC_secp384r1"}), 400),
    ] {
        let mut stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        let mut stack = stage.created(certificate(&zone, json!({}))).await;
        stage.engine.delivery.again = Some(Duration::from_secs(again));
        stage.updated(&mut stack, certificate(&zone, change)).await;
        stage.engine.delivery.again = None;
        stage.deleted(&mut stack).await;
        let before = stage.world.log().len();
        stage.engine.idle().await;
        assert!(stage.world.log().len() > before, "it came after the delete");
        stage.check_no_certificate();
    }
}

/// Plays with a stack whose certificate is issued, with a rollback that carries either id.
async fn rolled_back_in_both_ways(play: impl AsyncFn(&Stage, &str, Stack)) {
    for carries_new_id in [true, false] {
        let mut stage = Stage::set(|_| ()).await;
        stage.engine.habits.rollback_carries_new_id = carries_new_id;
        let zone = stage.delegated_zone("dev").await;
        let stack = stage.created(certificate(&zone, json!({}))).await;
        play(&stage, &zone, stack).await;
        stage.check();
    }
}

/// A person deletes the zone, with the CNAME in it.
fn remove_zone(stage: &Stage, zone: &str) {
    let cname = Edit::delete(&validation(NAME).0, "CNAME");
    stage.world.edit_records(zone, &[cname]).unwrap();
    stage.world.remove_zone(zone).unwrap();
}

/// Updates a stack without effect: it keeps its certificate.
async fn kept(stage: &Stage, stack: &mut Stack, template: &Template) -> String {
    let before = arn(stack);
    let reason = stage.rolled_back(stack, template).await;
    assert_eq!(
        (arn(stack), stage.the_certificate().arn),
        (before.clone(), before),
        "{}",
        stage.history()
    );
    reason
}

#[tokio::test(start_paused = true)]
async fn a_rollback_to_an_issued_certificate_needs_no_zone() {
    rolled_back_in_both_ways(async |stage, zone, mut stack| {
        remove_zone(stage, zone);
        let second = stage.world.make_zone(CONSUMER, ZONE).unwrap();
        stage
            .world
            .edit_records(&stage.build, &[Edit::delete(ZONE, "NS")])
            .unwrap();
        stage.delegate(&stage.build, &second);
        stage.settle().await;
        kept(
            stage,
            &mut stack,
            &failing_afterwards(certificate(&second, json!({}))),
        )
        .await;
        // A certificate that has to be requested needs its zone.
        let reason = kept(
            stage,
            &mut stack,
            &one(certificate(zone, json!({"KeyAlgorithm": "EC_secp384r1"}))),
        )
        .await;
        assert_eq!(
            reason,
            format!(
                "Property HostedZoneId is {zone}, and this account has no such hosted zone: correct the id."
            )
        );
        stage.updated(&mut stack, certificate(&second, json!({}))).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_rollback_to_a_certificate_succeeds_although_its_name_was_delegated_since() {
    rolled_back_in_both_ways(async |stage, zone, mut stack| {
        let inner = stage.world.make_zone(CONSUMER, NAME).unwrap();
        stage.delegate(zone, &inner);
        stage.settle().await;
        let both = certificate(zone, json!({"AdditionalHostedZoneIds": [inner]}));
        kept(stage, &mut stack, &failing_afterwards(both.clone())).await;
        stage.updated(&mut stack, both).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_change_in_place_of_an_issued_certificate_needs_no_zone() {
    rolled_back_in_both_ways(async |stage, zone, mut stack| {
        remove_zone(stage, zone);
        let tags = |team: &str| certificate(zone, json!({"Tags": {"team": team}}));
        kept(stage, &mut stack, &failing_afterwards(tags("a"))).await;
        stage.updated(&mut stack, tags("b")).await;
        assert_eq!(stage.the_certificate().tags["team"], "b");
        assert_eq!(stage.calls("RequestCertificate").len(), 1);
    })
    .await;
}

/// Returns two lists with more zone ids than a tag's value can contain. The second one has another zone at
/// its end.
fn long_lists(stage: &Stage) -> [Vec<String>; 2] {
    let make = |i| {
        let name = format!("z{i}.example.org");
        stage.world.make_zone(CONSUMER, &name).unwrap()
    };
    // Sorted as in the tag.
    let mut ids: Vec<String> = (0..21).map(make).collect();
    ids.sort();
    let last = ids.split_off(19);
    last.into_iter()
        .map(|last| [ids.clone(), vec![last]].concat())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_change_at_the_end_of_a_long_list_of_zones_replaces_the_certificate() {
    const DIGEST: &str = "zone-delegation:hosted-zone-ids-digest";
    // Earlier releases wrote no digest to a certificate, and an upgrade must not replace one.
    for is_earlier in [false, true] {
        rolled_back_in_both_ways(async |stage, zone, mut stack| {
            let [list, other] = long_lists(stage);
            let resource = |list: &[String], properties| {
                let of_all = certificate(zone, json!({"AdditionalHostedZoneIds": list}));
                with(of_all, properties)
            };
            stage.updated(&mut stack, resource(&list, json!({}))).await;
            let standing = arn(&stack);
            let forget = || {
                let edit = |certificate: &mut Certificate| {
                    let digest = certificate.tags.remove(DIGEST);
                    assert_eq!(digest.map(|digest| digest.len()), Some(32));
                };
                if is_earlier {
                    stage.world.edit_certificate(&standing, edit).unwrap();
                }
            };
            forget();
            let changed = resource(&other, json!({}));
            kept(stage, &mut stack, &failing_afterwards(changed.clone())).await;
            forget();
            let tagged = resource(&list, json!({"Tags": {"team": "a"}}));
            stage.updated(&mut stack, tagged).await;
            assert_eq!(arn(&stack), standing);
            stage.updated(&mut stack, changed).await;
            assert_ne!(arn(&stack), standing);
            assert_eq!(stage.the_certificate().arn, arn(&stack));
        })
        .await;
    }
}
