//! An update that replaces a certificate, dies at any of its calls, and is rolled back because another
//! resource of the stack fails afterwards. The proofs cover every other death.

use serde_json::json;
use world::cloudformation::Status;
use world::{Fault, FaultRule, When};

use super::{arn, below_build, certificate};
use crate::stage::{Stage, failing_afterwards};

/// More than the number of calls of an invocation.
const CALLS: u64 = 24;

#[tokio::test(start_paused = true)]
async fn an_update_that_dies_at_any_call_is_rolled_back_to_the_old_certificate() {
    for call in 1..=CALLS {
        for when in [When::Before, When::After] {
            // One death with the new id, and a death in every attempt with the old id. All combinations would
            // take too long.
            rolled_back(call, when, 1, true).await;
            rolled_back(call, when, 3, false).await;
        }
    }
}

/// Kills this many attempts at the update at a call, after which the rollback carries the new or the old id.
/// Checks that the old certificate then exists with its CNAMEs, and that none exists after the stack is
/// deleted.
async fn rolled_back(call: u64, when: When, attempts: u64, carries_new_id: bool) {
    let mut stage = Stage::set(|settings| settings.seed = call).await;
    stage.engine.habits.rollback_carries_new_id = carries_new_id;
    let zone = stage.delegated_zone("dev").await;
    let named = |label: &str| {
        let names = [below_build(&format!("{label}.dev"))];
        let properties = json!({
            "SubjectAlternativeNames": names,
            "ValidationRecordsOnDelete": "Delete",
            "ServiceTimeout": 1200,
        });
        certificate(&zone, properties)
    };
    let mut stack = stage.created(named("a")).await;
    let before = arn(&stack);
    let first = stage.engine.next_invocation();
    for invocation in first..first + attempts {
        stage
            .world
            .inject(FaultRule::on_call(invocation, call, Fault::Kill(when)));
    }
    let status = stage
        .engine
        .update(&mut stack, &failing_afterwards(named("b")))
        .await;
    stage.engine.idle().await;
    let history = || {
        format!(
            "{call} {when:?} {attempts} {:?}\n{}",
            stack.failures,
            stage.history()
        )
    };
    assert_eq!(status, Status::RolledBack, "{}", history());
    assert_eq!(arn(&stack), before, "{}", history());
    assert!(
        stack.orphans.is_empty(),
        "{:?} {}",
        stack.orphans,
        history()
    );
    assert_eq!(stage.the_certificate().arn, before, "{}", history());
    assert_eq!(stage.cnames(&zone).len(), 2, "{}", history());
    stage.world.clear_faults();
    stage.deleted(&mut stack).await;
    assert_eq!(
        stage.cnames(&zone),
        [],
        "{call} {when:?} {attempts}\n{}",
        stage.history()
    );
    stage.check_no_certificate();
}
