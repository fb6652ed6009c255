//! The process dies before and after each of its calls, once and at every attempt. Afterwards one certificate stands, the one that
//! CloudFormation knows, with its CNAMEs; and none once the stack is deleted.

use serde_json::json;
use world::cloudformation::Status;
use world::{Fault, FaultRule, When};

use super::{arn, below_build, certificate};
use crate::stage::{Stage, failing_afterwards, one, stack};

/// Enough to reach past the last call of an invocation.
const CALLS: u64 = 18;

/// Each place at which a process dies: the call, from 1, and whether before or after its effect; and how many attempts do.
fn deaths() -> impl Iterator<Item = (u64, When, u64)> {
    (1..=CALLS).flat_map(|call| {
        [When::Before, When::After]
            .into_iter()
            .flat_map(move |when| [1, 3].map(|attempts| (call, when, attempts)))
    })
}

/// The next invocations, as many as there are attempts, die at that place.
fn die(stage: &Stage, (call, when, attempts): (u64, When, u64)) {
    let first = stage.engine.next_invocation();
    for invocation in first..first + attempts {
        stage
            .world
            .inject(FaultRule::on_call(invocation, call, Fault::Kill(when)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_dies_anywhere() {
    for death in deaths() {
        let stage = Stage::set(|settings| settings.seed = death.0).await;
        let zone = stage.delegated_zone("dev").await;
        let properties = json!({"ValidationRecordsOnDelete": "Delete", "ServiceTimeout": 1200});
        let mut stack = stack("subject");
        die(&stage, death);
        match stage
            .engine
            .create(&mut stack, &one(certificate(&zone, properties)))
            .await
        {
            Status::Complete => {
                assert_eq!(stage.the_certificate().arn, arn(&stack));
                assert_eq!(
                    stage.cnames(&zone).len(),
                    1,
                    "{death:?}\n{}",
                    stage.history()
                );
                stage.world.clear_faults();
                stage.deleted(&mut stack).await;
            }
            status => assert_eq!(
                status,
                Status::CreateRolledBack,
                "{death:?} {:?}",
                stack.failures
            ),
        }
        stage.engine.idle().await;
        assert_eq!(stage.cnames(&zone), [], "{death:?}\n{}", stage.history());
        stage.check_no_certificate();
    }
}

/// An update to other names, which a death befalls; something else of the stack fails afterwards where `fails`.
async fn update(death: (u64, When, u64), fails: bool, carries_new_id: bool) {
    let mut stage = Stage::set(|settings| settings.seed = death.0).await;
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
    let template = if fails {
        failing_afterwards(named("b"))
    } else {
        one(named("b"))
    };
    die(&stage, death);
    let status = stage.engine.update(&mut stack, &template).await;
    stage.engine.idle().await;
    let history = || {
        format!(
            "{death:?} {status:?} {:?}\n{}",
            stack.failures,
            stage.history()
        )
    };
    assert!(
        matches!(status, Status::Complete | Status::RolledBack),
        "{}",
        history()
    );
    assert!(!(fails && status == Status::Complete), "{}", history());
    assert_eq!(
        arn(&stack) == before,
        status == Status::RolledBack,
        "{}",
        history()
    );
    assert!(
        stack.orphans.is_empty(),
        "{:?} {}",
        stack.orphans,
        history()
    );
    assert_eq!(stage.the_certificate().arn, arn(&stack), "{}", history());
    assert_eq!(stage.cnames(&zone).len(), 2, "{}", history());
    stage.world.clear_faults();
    stage.deleted(&mut stack).await;
    assert_eq!(stage.cnames(&zone), [], "{death:?}\n{}", stage.history());
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn an_update_that_dies_anywhere() {
    for death in deaths() {
        update(death, false, true).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_dies_anywhere_and_is_rolled_back() {
    // Once with the new id and always with the old one: each matters alone, and all together would take too long.
    for death in deaths() {
        update(death, true, death.2 == 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_dies_anywhere() {
    for death in deaths().filter(|(_, _, attempts)| *attempts == 1) {
        let stage = Stage::set(|settings| settings.seed = death.0).await;
        let zone = stage.delegated_zone("dev").await;
        let properties = json!({"ValidationRecordsOnDelete": "Delete"});
        let mut stack = stage.created(certificate(&zone, properties)).await;
        die(&stage, death);
        stage.deleted(&mut stack).await;
        assert_eq!(stage.cnames(&zone), [], "{death:?}\n{}", stage.history());
        stage.check_no_certificate();
    }
}
