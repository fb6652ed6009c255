//! Why a certificate is not issued: found while waiting, and answered within two minutes if waiting cannot
//! help.

use std::time::Duration;

use serde_json::json;
use world::{Edit, Settings};

use super::{NAME, ZONE, certificate};
use crate::log::Log;
use crate::stage::{BASE, BUILD, CONSUMER, NETWORK, STALE_DS, Stage};

const FOREIGN_CAA: &str = "0 issue \"ca.example.net\"";

/// Returns the sentence for a zone that cannot be reached.
fn not_reached(zone: &str, found: &str) -> String {
    format!(
        "The certificate for {NAME} will not be issued: its validation CNAMEs do not resolve, because their zone {zone} is not \
         reached from the outside: {found}; correct this, then deploy again."
    )
}

/// Returns the sentence for a CAA record set that forbids issuance.
fn forbidden(domain: &str, at: &str, records: &str, name: &str, missing: &str) -> String {
    format!(
        "The certificate for {domain} will not be issued: the CAA record set at {at} ({records}) does not allow Amazon to issue \
         for {name}; add {missing} to it, then deploy again."
    )
}

/// Returns a zone that is in use.
fn used_zone(stage: &Stage) -> String {
    let zone = stage.world.make_zone(CONSUMER, ZONE).unwrap();
    let used = Edit::create(ZONE, "TXT", 60, &["\"used\""]);
    stage.world.edit_records(&zone, &[used]).unwrap();
    zone
}

/// Creates a certificate that can never be issued. Returns the sentence, which must come within two minutes
/// and leave nothing.
async fn hopeless(stage: &Stage, zone: &str, properties: serde_json::Value) -> String {
    let before = stage.world.now();
    let resource = certificate(zone, json!({"ValidationRecordsOnDelete": "Delete"}));
    let reason = stage
        .refused(crate::stage::with(resource, properties))
        .await;
    let took = stage.world.now() - before;
    assert!(
        took < Duration::from_secs(120),
        "{took:?}\n{}",
        stage.history()
    );
    assert_eq!(stage.cnames(zone), []);
    stage.check_no_certificate();
    reason
}

#[tokio::test(start_paused = true)]
async fn a_missing_delegation_of_a_zone_in_use_is_reported_before_the_request() {
    let stage = Stage::set(|_| ()).await;
    let zone = used_zone(&stage);
    stage.settle().await;
    let found = format!(
        "there is no delegation at {ZONE}: the name servers of {BUILD} ({}) say that no such name exists",
        stage.servers(&stage.build)
    );
    assert_eq!(
        hopeless(&stage, &zone, json!({})).await,
        not_reached(ZONE, &found)
    );
    assert_eq!(stage.calls("RequestCertificate").len(), 0);
}

/// Lets somebody delegate the zone after this many seconds.
fn delegate_after(stage: &Stage, zone: &str, seconds: u64) {
    let (world, build) = (stage.world.clone(), stage.build.clone());
    let hosts = stage.world.zone(zone).unwrap().hosts();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        world
            .edit_records(&build, &[Edit::create(ZONE, "NS", 60, &hosts)])
            .unwrap();
    });
}

#[tokio::test(start_paused = true)]
async fn the_request_waits_for_the_delegation_of_a_new_zone() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.world.make_zone(CONSUMER, ZONE).unwrap();
    delegate_after(&stage, &zone, 500);
    let before = stage.world.now();
    stage.created(certificate(&zone, json!({}))).await;
    let calls = stage.calls("RequestCertificate");
    assert_eq!(calls.len(), 1);
    let after = calls[0].at - before;
    assert!((500..600).contains(&after.as_secs()), "{after:?}");
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn the_request_waits_for_the_delegation_although_another_resource_uses_the_new_zone() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.world.make_zone(CONSUMER, ZONE).unwrap();
    delegate_after(&stage, &zone, 500);
    let (world, used) = (stage.world.clone(), zone.clone());
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        let record = Edit::create(&format!("www.{ZONE}"), "A", 60, &["192.0.2.1"]);
        world.edit_records(&used, &[record]).unwrap();
    });
    stage.created(certificate(&zone, json!({}))).await;
    assert_eq!(stage.calls("RequestCertificate").len(), 1);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn the_request_waits_for_the_delegation_of_a_new_zone_until_the_end() {
    // After a quarter of an hour, a Delete could miss a certificate that was requested so late.
    let stage = Stage::set(|_| ()).await;
    let zone = stage.world.make_zone(CONSUMER, ZONE).unwrap();
    delegate_after(&stage, &zone, 3_000);
    stage.created(certificate(&zone, json!({}))).await;
    assert_eq!(stage.calls("RequestCertificate").len(), 1);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_missing_delegation_of_a_new_zone_is_reported_with_a_remedy() {
    let log = Log::start();
    let stage = Stage::set(|_| ()).await;
    let zone = stage.world.make_zone(CONSUMER, ZONE).unwrap();
    stage.settle().await;
    let reason = stage.refused(certificate(&zone, json!({}))).await;
    assert!(reason.starts_with("Timed out after 35"), "{reason}");
    let servers = stage.servers(&zone).replace(", ", ",");
    let what = format!(
        "because the zone {ZONE} is not delegated to its name servers yet (there is no delegation at {ZONE}: the name servers \
         of {BUILD} ({}) say that no such name exists); in the zone above, or at its registrar, set the name servers of \
         {ZONE} to {servers}",
        stage.servers(&stage.build)
    );
    assert!(reason.contains(&what), "{reason}");
    let warned = log.lines_with("cannot be issued now");
    let todo = format!("set the name servers of {ZONE} to {servers}");
    assert!(warned.iter().any(|line| line.contains(&todo)), "{warned:?}");
    assert_eq!(stage.calls("RequestCertificate").len(), 1);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_delegation_to_other_servers_is_reported() {
    let stage = Stage::set(|_| ()).await;
    let zone = used_zone(&stage);
    let another = stage.world.make_zone(CONSUMER, ZONE).unwrap();
    stage.delegate(&stage.build, &another);
    stage.settle().await;
    let found = format!(
        "{BUILD} delegates {ZONE} to {}, which are not its name servers ({})",
        stage.servers(&another),
        stage.servers(&zone).replace(", ", ",")
    );
    assert_eq!(
        hopeless(&stage, &zone, json!({})).await,
        not_reached(ZONE, &found)
    );
}

#[tokio::test(start_paused = true)]
async fn a_broken_delegation_of_an_ancestor_is_reported() {
    let stage = Stage::set(|_| ()).await;
    let zone = used_zone(&stage);
    stage.delegate(&stage.build, &zone);
    stage.settle().await;
    stage
        .world
        .edit_records(&stage.base, &[Edit::delete(BUILD, "NS")])
        .unwrap();
    stage.settle().await;
    let found = format!(
        "there is no delegation at {BUILD}: the name servers of {BASE} ({}) say that no such name exists",
        stage.servers(&stage.base)
    );
    assert_eq!(
        hopeless(&stage, &zone, json!({})).await,
        not_reached(ZONE, &found)
    );
}

#[tokio::test(start_paused = true)]
async fn a_domain_whose_registered_servers_refuse_is_reported() {
    let stage = Stage::set(|_| ()).await;
    let zone = used_zone(&stage);
    stage.delegate(&stage.build, &zone);
    stage.settle().await;
    let strangers = stage.world.make_zone(NETWORK, "example.net").unwrap();
    stage
        .world
        .register(BASE, &stage.world.zone(&strangers).unwrap().hosts());
    stage.settle().await;
    let refusals = stage
        .servers(&strangers)
        .replace(", ", " refuses (REFUSED); ");
    let found = format!(
        "the zone above delegates {BASE} to name servers that do not serve it: {refusals} refuses (REFUSED)"
    );
    assert_eq!(
        hopeless(&stage, &zone, json!({})).await,
        not_reached(ZONE, &found)
    );
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_is_repaired_within_a_minute_has_no_effect() {
    let stage = Stage::set(|settings| settings.propagation = Duration::ZERO..=Duration::ZERO).await;
    let zone = used_zone(&stage);
    delegate_after(&stage, &zone, 50);
    stage.created(certificate(&zone, json!({}))).await;
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_time_out_names_the_suspected_cause() {
    // Too short to be certain of the cause, at whichever poll the time ends.
    for seconds in [24, 36, 48, 60] {
        let stage = Stage::set(|_| ()).await;
        let zone = used_zone(&stage);
        stage.settle().await;
        let reason = stage
            .refused(certificate(&zone, json!({"ServiceTimeout": seconds})))
            .await;
        assert!(
            reason.contains(&format!(
                "waiting for the certificate for {NAME} to be requested, which ACM could not issue now, because its \
                 validation CNAMEs do not resolve, because their zone {ZONE} is not reached from the outside: there is no \
                 delegation at {ZONE}"
            )),
            "{reason}"
        );
        assert_eq!(stage.calls("RequestCertificate").len(), 0);
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn no_cause_is_suspected_if_port_53_is_blocked() {
    let cut_off = |settings: &mut Settings| settings.dns_reachable = false;
    let stage = Stage::set(cut_off).await;
    let zone = stage.delegated_zone("dev").await;
    stage.created(certificate(&zone, json!({}))).await;
    stage.check();
    // If it will never be issued, the wait for that is without effect.
    let stage = Stage::set(cut_off).await;
    let zone = stage.world.make_zone(CONSUMER, ZONE).unwrap();
    let reason = stage
        .refused(certificate(&zone, json!({"ServiceTimeout": 600})))
        .await;
    let arn = stage.requested();
    assert!(
        reason.contains(&format!(
            "waiting for certificate {arn} for {NAME} to be issued. Its ServiceTimeout"
        )),
        "{reason}"
    );
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_caa_record_set_that_forbids_issuance_is_found_at_any_ancestor() {
    for at in [NAME, ZONE, BUILD, BASE] {
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        let of = match at {
            BASE => &stage.base,
            BUILD => &stage.build,
            _ => &zone,
        };
        stage
            .world
            .edit_records(of, &[Edit::create(at, "CAA", 60, &[FOREIGN_CAA])])
            .unwrap();
        stage.settle().await;
        assert_eq!(
            hopeless(&stage, &zone, json!({})).await,
            forbidden(NAME, at, FOREIGN_CAA, NAME, "0 issue \"amazon.com\"")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_nearest_caa_record_set_applies() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let allows = Edit::create(ZONE, "CAA", 60, &["0 issue \"amazontrust.com\""]);
    stage.world.edit_records(&zone, &[allows]).unwrap();
    let forbids = Edit::create(BASE, "CAA", 60, &[FOREIGN_CAA]);
    stage.world.edit_records(&stage.base, &[forbids]).unwrap();
    stage.settle().await;
    stage.created(certificate(&zone, json!({}))).await;
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_wildcard_is_forbidden_by_issuewild() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let records = ["0 issue \"amazon.com\"", "0 issuewild \";\""];
    stage
        .world
        .edit_records(&zone, &[Edit::create(ZONE, "CAA", 60, &records)])
        .unwrap();
    stage.settle().await;
    let wildcard = format!("*.{ZONE}");
    assert_eq!(
        hopeless(
            &stage,
            &zone,
            json!({"SubjectAlternativeNames": [wildcard]})
        )
        .await,
        forbidden(
            NAME,
            ZONE,
            &records.join(", "),
            &wildcard,
            "0 issuewild \"amazon.com\""
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_caa_record_set_is_named_before_acm_finds_it() {
    // ACM checks CAA records only when every name is validated.
    let stage =
        Stage::set(|settings| settings.validation_interval = Duration::from_secs(3_000)).await;
    let zone = stage.delegated_zone("dev").await;
    let caa = Edit::create(ZONE, "CAA", 60, &[FOREIGN_CAA]);
    stage.world.edit_records(&zone, &[caa]).unwrap();
    stage.settle().await;
    assert_eq!(
        hopeless(&stage, &zone, json!({})).await,
        forbidden(NAME, ZONE, FOREIGN_CAA, NAME, "0 issue \"amazon.com\"")
    );
}

/// A zone in use that is delegated, below parents that are signed.
async fn zone_below_signed(stage: &Stage) -> String {
    let zone = used_zone(stage);
    stage.delegate(&stage.build, &zone);
    stage.sign_parents();
    stage.settle().await;
    zone
}

/// The sentence for a stale DS record set.
fn stale(parent: &str, zone: &str) -> String {
    format!(
        "The certificate for {NAME} will not be issued: its validation CNAMEs do not resolve for ACM, which validates DNSSEC: \
         {parent} has a stale DS record set for {zone} (key tag 12345, algorithm 13): {zone} is not signed, so that resolvers \
         that validate DNSSEC answer SERVFAIL for every name in it; delete the DS record set in {parent}, or sign {zone} with \
         that key, then deploy again."
    )
}

#[tokio::test(start_paused = true)]
async fn a_stale_ds_record_set_is_said_before_acm_is_asked() {
    let stage = Stage::set(|_| ()).await;
    let zone = zone_below_signed(&stage).await;
    let ds = Edit::create(ZONE, "DS", 60, &[STALE_DS]);
    stage.world.edit_records(&stage.build, &[ds]).unwrap();
    stage.settle().await;
    assert_eq!(hopeless(&stage, &zone, json!({})).await, stale(BUILD, ZONE));
    assert_eq!(stage.calls("RequestCertificate").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stale_ds_record_set_above_the_parent_is_said() {
    let stage = Stage::set(|_| ()).await;
    let zone = used_zone(&stage);
    stage.delegate(&stage.build, &zone);
    stage.world.sign_zone(&stage.base).unwrap();
    let ds = Edit::create(BUILD, "DS", 60, &[STALE_DS]);
    stage.world.edit_records(&stage.base, &[ds]).unwrap();
    stage.settle().await;
    assert_eq!(hopeless(&stage, &zone, json!({})).await, stale(BASE, BUILD));
}

#[tokio::test(start_paused = true)]
async fn a_stale_ds_record_set_that_is_written_while_acm_is_waited_for_is_said() {
    let stage =
        Stage::set(|settings| settings.validation_interval = Duration::from_secs(3_000)).await;
    let zone = zone_below_signed(&stage).await;
    let (world, build) = (stage.world.clone(), stage.build.clone());
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        let ds = Edit::create(ZONE, "DS", 60, &[STALE_DS]);
        world.edit_records(&build, &[ds]).unwrap();
    });
    let resource = certificate(&zone, json!({"ValidationRecordsOnDelete": "Delete"}));
    assert_eq!(stage.refused(resource).await, stale(BUILD, ZONE));
    assert_eq!(stage.calls("RequestCertificate").len(), 1);
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn acm_issues_nothing_below_a_stale_ds_record_set_that_nobody_here_sees() {
    // Without a way out to port 53 the function knows nothing, and ACM does not issue.
    let stage = Stage::set(|settings| settings.dns_reachable = false).await;
    let zone = zone_below_signed(&stage).await;
    let ds = Edit::create(ZONE, "DS", 60, &[STALE_DS]);
    stage.world.edit_records(&stage.build, &[ds]).unwrap();
    stage.settle().await;
    let reason = stage.refused(certificate(&zone, json!({}))).await;
    assert!(reason.starts_with("Timed out after 35"), "{reason}");
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_signed_zone_with_its_ds_record_set_gets_its_certificate() {
    let stage = Stage::set(|_| ()).await;
    let zone = zone_below_signed(&stage).await;
    stage.sign(&stage.build, &zone);
    stage.settle().await;
    stage.created(certificate(&zone, json!({}))).await;
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_stale_ds_record_set_that_is_deleted_within_a_minute_is_waited_for() {
    let stage = Stage::set(|_| ()).await;
    let zone = zone_below_signed(&stage).await;
    let ds = Edit::create(ZONE, "DS", 60, &[STALE_DS]);
    stage.world.edit_records(&stage.build, &[ds]).unwrap();
    stage.settle().await;
    let (world, build) = (stage.world.clone(), stage.build.clone());
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(10)).await;
        let ds = Edit::delete(ZONE, "DS");
        world.edit_records(&build, &[ds]).unwrap();
    });
    stage.created(certificate(&zone, json!({}))).await;
    stage.check();
}
