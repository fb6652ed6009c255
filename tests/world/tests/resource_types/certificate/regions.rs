//! One CNAME validates a name in every Region: it is deleted only if no certificate of any Region lists it.

use std::time::Duration;

use serde_json::json;
use world::cloudformation::{Stack, Status};
use world::{Certificate, Fault, FaultRule, ServiceError, When};

use super::{arn, certificate, with_records};
use crate::log::Log;
use crate::stage::{Stage, one, stack, with};

/// Returns a second stack with the same certificate in another Region.
async fn elsewhere(stage: &Stage, zone: &str, region: &str) -> Stack {
    let mut stack = stack("second");
    let resource = with(with_records(zone), json!({"Region": region}));
    let status = stage.engine.create(&mut stack, &one(resource)).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    stack
}

#[tokio::test(start_paused = true)]
async fn a_cname_stays_if_a_certificate_of_another_region_lists_it() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut first = stage.created(with_records(&zone)).await;
    let mut second = elsewhere(&stage, &zone, "us-east-1").await;
    stage.deleted(&mut first).await;
    assert_eq!(stage.cnames(&zone).len(), 1, "the second is renewed by it");
    stage.deleted(&mut second).await;
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_cname_of_a_certificate_that_acm_does_not_list_by_default_stays() {
    let changes: [fn(&mut Certificate); 3] = [
        |certificate| certificate.root_hierarchy = Some("N2_AMAZON_MANAGED".to_owned()),
        |certificate| certificate.origin = "ACME".to_owned(),
        |certificate| certificate.key_algorithm = "EC_secp521r1".to_owned(),
    ];
    for change in changes {
        for region in [crate::stage::REGION, "us-east-1"] {
            let stage = Stage::set(|_| ()).await;
            let zone = stage.delegated_zone("dev").await;
            let mut first = stage.created(with_records(&zone)).await;
            let second = elsewhere(&stage, &zone, region).await;
            stage.world.edit_certificate(&arn(&second), change).unwrap();
            stage.deleted(&mut first).await;
            assert_eq!(stage.cnames(&zone).len(), 1, "{}", stage.history());
            stage.check();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cname_stays_if_a_region_cannot_be_queried() {
    let refusals = [
        (403, "AccessDeniedException"),
        (400, "ValidationException"),
        (404, "Unknown"),
    ];
    for (status, code) in refusals {
        let log = Log::start();
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        let mut stack = stage.created(with_records(&zone)).await;
        let refused = ServiceError::new(status, code, "No.");
        let refused = Fault::Error(When::Before, refused);
        let rule = FaultRule::on_operation("ListCertificates", u64::MAX, refused);
        stage.world.inject(rule.in_region("us-west-2"));
        stage.deleted(&mut stack).await;
        assert_eq!(stage.cnames(&zone).len(), 1);
        let said = log.lines_with("the CNAMEs stay");
        assert!(
            said.iter()
                .any(|line| line.contains("us-west-2") && line.contains(code)),
            "{said:?}"
        );
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn all_existing_regions_are_queried() {
    // If the function omitted a Region, it would delete the CNAME; if it queried one that does not exist, it
    // would always keep the CNAME. So the function's list of Regions has to be the world's.
    for region in world::REGIONS {
        if region == crate::stage::REGION {
            continue;
        }
        let stage = Stage::set(|settings| settings.closed_regions.clear()).await;
        let zone = stage.delegated_zone("dev").await;
        let mut stack = stage.created(with_records(&zone)).await;
        let refused = ServiceError::new(403, "AccessDeniedException", "No.");
        let refused = Fault::Error(When::Before, refused);
        let rule = FaultRule::on_operation("ListCertificates", u64::MAX, refused);
        stage.world.inject(rule.in_region(region));
        stage.deleted(&mut stack).await;
        assert_eq!(stage.cnames(&zone).len(), 1, "{region}");
        stage.check_no_certificate();
    }
    let stage = Stage::set(|settings| settings.closed_regions.clear()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(with_records(&zone)).await;
    stage.deleted(&mut stack).await;
    assert_eq!(stage.cnames(&zone), []);
}

#[tokio::test(start_paused = true)]
async fn a_region_that_does_not_answer_is_queried_for_some_minutes() {
    for (minutes, left) in [(2, 0), (600, 1)] {
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        let mut stack = stage.created(with_records(&zone)).await;
        let silent = Fault::unavailable(When::Before);
        let rule = FaultRule::on_operation("ListCertificates", u64::MAX, silent);
        stage.world.inject(rule.in_region("us-west-2"));
        let world = stage.world.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(60 * minutes)).await;
            world.clear_faults();
        });
        let before = stage.world.now();
        stage.deleted(&mut stack).await;
        assert_eq!(stage.cnames(&zone).len(), left, "{minutes}");
        assert!(stage.world.now() - before < Duration::from_secs(600));
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn a_region_of_an_unknown_direction_is_queried() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let region = json!({"Region": "us-upper-1"});
    let reason = stage.refused(certificate(&zone, region)).await;
    assert!(
        reason.starts_with("ACM ListCertificates on all certificates: "),
        "{reason}"
    );
    stage.check_no_certificate();
}
