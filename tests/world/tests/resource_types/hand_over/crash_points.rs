//! Deaths before and after StartExecution takes effect, in each turn, and around the answer's PUT; and events
//! that are delivered twice.

use std::time::Duration;

use serde_json::json;
use world::cloudformation::{ResourceDefinition, Status};
use world::{Fault, FaultRule, When};

use super::{certificate, short_invocations};
use crate::stage::{LOGICAL_ID, Stage, one, stack};

/// How long the certificates of these tests take, in seconds: several turns.
const ISSUANCE: u64 = 300;

/// Plays a create with a fault and what follows. Returns the status. In every case no rule is violated, and
/// nothing remains.
async fn play(seed: u64, inject: impl FnOnce(&mut Stage)) -> (Status, Stage) {
    let (mut stage, zone) = short_invocations(seed, ISSUANCE).await;
    inject(&mut stage);
    let mut stack = stack("subject");
    let status = stage
        .engine
        .create(&mut stack, &one(certificate(&zone)))
        .await;
    stage.engine.idle().await;
    let certificates = stage.world.certificates();
    let cnames = |stage: &Stage| {
        let records = stage.world.zone(&zone).unwrap().records;
        records.keys().filter(|key| key.kind == "CNAME").count()
    };
    match status {
        Status::Complete => {
            assert_eq!(certificates.len(), 1, "{}", stage.history());
            assert!(certificates.contains_key(&stack.resources[LOGICAL_ID].physical_id));
            assert_eq!(cnames(&stage), 1);
            stage.world.clear_faults();
            stage.deleted(&mut stack).await;
        }
        _ => assert_eq!(
            status,
            Status::CreateRolledBack,
            "{:?}\n{}",
            stack.failures,
            stage.history()
        ),
    }
    stage.engine.idle().await;
    assert!(stage.world.certificates().is_empty(), "{}", stage.history());
    assert_eq!(cnames(&stage), 0, "{}", stage.history());
    assert!(
        stage
            .world
            .executions()
            .values()
            .all(|execution| !execution.running)
    );
    stage.check();
    (status, stage)
}

/// Returns the number of executions that the Create started.
fn executions(stage: &Stage) -> usize {
    stage
        .world
        .executions()
        .values()
        .filter(|execution| execution.input.contains(r#""RequestType":"Create""#))
        .count()
}

#[tokio::test(start_paused = true)]
async fn a_death_around_start_execution_is_repaired_by_the_next_attempt() {
    for when in [When::Before, When::After] {
        for attempts in 1..=3 {
            let (status, stage) = play(attempts, |stage| {
                stage.world.inject(FaultRule::on_operation(
                    "StartExecution",
                    attempts,
                    Fault::Kill(when),
                ));
            })
            .await;
            // If every attempt dies before the execution is started, nothing continues, and nothing is left.
            let lost = when == When::Before && attempts == 3;
            let expected = if lost {
                Status::CreateRolledBack
            } else {
                Status::Complete
            };
            assert_eq!(status, expected, "{when:?} {attempts}\n{}", stage.history());
            assert_eq!(
                executions(&stage),
                usize::from(!lost),
                "{}",
                stage.history()
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_death_in_any_turn_is_repaired_by_its_retry() {
    // The first invocation hands over. Each turn after it is an invocation of its own.
    for turn in 1..=8 {
        for call in 1..=3 {
            for when in [When::Before, When::After] {
                let (status, stage) = play(turn, |stage| {
                    let invocation = stage.engine.next_invocation() + turn;
                    stage
                        .world
                        .inject(FaultRule::on_call(invocation, call, Fault::Kill(when)));
                })
                .await;
                assert_eq!(
                    status,
                    Status::Complete,
                    "{turn} {call} {when:?}\n{}",
                    stage.history()
                );
                assert_eq!(executions(&stage), 1);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_dies_in_each_of_its_attempts_leaves_nothing() {
    let (status, stage) = play(1, |stage| {
        let second = stage.engine.next_invocation() + 2;
        for invocation in second..second + 4 {
            stage
                .world
                .inject(FaultRule::on_call(invocation, 1, Fault::Kill(When::After)));
        }
    })
    .await;
    assert_eq!(status, Status::CreateRolledBack, "{}", stage.history());
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_sent_again_and_counts_once() {
    for fault in [
        Fault::Kill(When::Before),
        Fault::Kill(When::After),
        Fault::Reset(When::Before),
        Fault::Reset(When::After),
        Fault::Throttle,
        Fault::Silence(When::After),
    ] {
        let (status, stage) = play(1, |stage| {
            stage
                .world
                .inject(FaultRule::on_operation("PUT", 1, fault.clone()));
        })
        .await;
        assert_eq!(status, Status::Complete, "{fault:?}\n{}", stage.history());
        let log = stage.world.log();
        let accepted = |success: &str| {
            let is_it = |event: &&world::Event| {
                event.action == "PUT"
                    && event.target.contains(success)
                    && event.outcome.starts_with("200")
                    && !event.outcome.contains("unread")
            };
            log.iter().filter(is_it).count()
        };
        assert_eq!(
            accepted("SUCCESS"),
            2,
            "the Create's and the Delete's\n{}",
            stage.history()
        );
        assert_eq!(accepted("FAILED"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_delivered_again_joins_the_execution() {
    // While the first delivery works, after it has handed over, and after the request was answered.
    for again in [1, 30, 70, 400, 900] {
        let (status, stage) = play(again, |stage| {
            stage.engine.delivery.again = Some(Duration::from_secs(again));
        })
        .await;
        assert_eq!(status, Status::Complete, "{again}\n{}", stage.history());
        assert_eq!(executions(&stage), 1, "{again}\n{}", stage.history());
        let requested = stage.calls("RequestCertificate");
        assert_eq!(
            requested
                .iter()
                .filter(|call| call.outcome.contains('!'))
                .count(),
            1,
            "{}",
            stage.history()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_denied_start_of_the_state_machine_is_reported() {
    let (stage, zone) = short_invocations(1, ISSUANCE).await;
    let statements = json!([
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "states:*", "Resource": "*"},
    ]);
    stage.give_only("delegate-subdomain", &statements);
    let reason = stage.refused(certificate(&zone)).await;
    let arn = stage.calls("RequestCertificate")[0]
        .target
        .split(' ')
        .nth(1)
        .unwrap()
        .to_owned();
    assert!(
        reason.starts_with(&format!(
            "The function ran out of time waiting for certificate {arn} for app.dev.build.example.com to be issued. It could not be \
             handed over to the state machine: Step Functions StartExecution on arn:aws:states:"
        )),
        "{reason}"
    );
    assert!(
        reason.contains(" (AccessDeniedException, request "),
        "{reason}"
    );
    assert!(
        reason.ends_with(&format!(". The certificate {arn} was deleted.")),
        "{reason}"
    );
    assert!(stage.world.certificates().is_empty());
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn an_execution_that_has_ended_does_not_count_as_running() {
    let (mut stage, zone) = short_invocations(1, 1_200).await;
    stage.engine.delivery.again = Some(Duration::from_secs(300));
    // The execution fails, because each attempt at its first turn dies.
    let first = stage.engine.next_invocation();
    for turn in first + 1..=first + 4 {
        let death = FaultRule::on_call(turn, 1, Fault::Kill(When::Before));
        stage.world.inject(death);
    }
    let mut stack = stack("subject");
    let begun = stage.world.now();
    let template = one(certificate(&zone));
    let status = stage.engine.create(&mut stack, &template).await;
    assert_eq!(status, Status::CreateRolledBack, "{}", stage.history());
    let reason = stack.failures.join(" ");
    assert!(
        reason.contains("of an earlier delivery of this request has ended (SUCCEEDED)"),
        "{reason}"
    );
    let took = stage.world.now() - begun;
    assert!(took < Duration::from_secs(1_000), "{took:?}");
    assert_eq!(executions(&stage), 1);
    stage.engine.idle().await;
    assert!(stage.world.certificates().is_empty(), "{}", stage.history());
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_start_execution_is_sent_again() {
    for fault in [
        Fault::Reset(When::Before),
        Fault::Reset(When::After),
        Fault::unavailable(When::After),
        Fault::Throttle,
        Fault::Silence(When::After),
    ] {
        let (status, stage) = play(1, |stage| {
            stage
                .world
                .inject(FaultRule::on_operation("StartExecution", 1, fault));
        })
        .await;
        assert_eq!(status, Status::Complete, "{}", stage.history());
        assert_eq!(executions(&stage), 1, "{}", stage.history());
    }
}

/// Returns a fault with which no StartExecution is answered, before or after it takes effect.
fn never_answered(when: When) -> FaultRule {
    FaultRule::on_operation("StartExecution", u64::MAX, Fault::Silence(when))
}

#[tokio::test(start_paused = true)]
async fn a_request_is_not_failed_while_its_unanswered_execution_may_run() {
    let (status, stage) = play(1, |stage| stage.world.inject(never_answered(When::After))).await;
    assert_eq!(status, Status::Complete, "{}", stage.history());
    assert_eq!(executions(&stage), 1, "{}", stage.history());
}

#[tokio::test(start_paused = true)]
async fn the_things_that_its_first_turn_creates_are_not_left_behind() {
    let (stage, parent) = short_invocations(1, ISSUANCE).await;
    // The first delivery hangs until its end, and creates nothing.
    let hangs = Fault::Silence(When::Before);
    stage
        .world
        .inject(FaultRule::on_operation("CreateHostedZone", 3, hangs));
    stage.world.inject(never_answered(When::After));
    let subdomain = ResourceDefinition::new(
        "Custom::DelegatedSubdomain",
        json!({"Subdomain": "app", "ParentHostedZoneId": parent, "ServiceTimeout": 1800}),
    );
    let mut stack = stack("subject");
    let status = stage.engine.create(&mut stack, &one(subdomain)).await;
    stage.engine.idle().await;
    assert_eq!(status, Status::Complete, "{}", stage.history());
    assert_eq!(executions(&stage), 1, "{}", stage.history());
    stage.world.clear_faults();
    stage.deleted(&mut stack).await;
    stage.engine.idle().await;
    let made = |zone: &world::Zone| zone.name.to_string().starts_with("app.");
    assert!(!stage.world.zones().values().any(made));
    assert_eq!(
        stage
            .world
            .record_set(&parent, "app.dev.build.example.com", "NS"),
        None
    );
    stage.check();
}

/// An answer in time is not promised, but nothing is left.
#[tokio::test(start_paused = true)]
async fn nothing_is_left_if_the_state_machine_never_answers() {
    let (stage, zone) = short_invocations(1, 3_000).await;
    stage.world.inject(never_answered(When::Before));
    let world = stage.world.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1_500)).await;
        world.clear_faults();
    });
    let mut stack = stack("subject");
    let status = stage
        .engine
        .create(&mut stack, &one(certificate(&zone)))
        .await;
    stage.engine.idle().await;
    assert_eq!(status, Status::CreateRolledBack, "{}", stage.history());
    assert!(stage.world.certificates().is_empty(), "{}", stage.history());
    let violations = stage.world.violations();
    let [violation] = violations.as_slice() else {
        panic!("{violations:#?}\n{}", stage.history())
    };
    let said = format!("{violation:?}");
    assert!(said.contains("was never answered"), "{said}");
}
