//! Waits that are longer than an invocation: the hand-over, the turns, the end.

use crate::stand_ins::{ARN, Call, event, stage, wait};
use custom_resource::{Failure, InvocationError, NotStarted, Step, Success};
use serde_json::json;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_long_wait_continues_in_the_waiter_until_it_is_done() {
    let stage = stage(async |call| {
        assert!(call.invocation.can_hand_over);
        let since = call
            .progress
            .map_or(0, |progress| progress["Looks"].as_u64().unwrap());
        assert_eq!(
            since, call.number as u64,
            "the progress is that of the previous poll"
        );
        match since {
            9 => Ok(Step::Done(Success::new("id").attribute("Name", "dev"))),
            looks => wait(
                "the certificate to be issued",
                10,
                json!({ "Looks": looks + 1 }),
            ),
        }
    })
    .waiter(Ok(()))
    .set();
    // Polls after 0, 10 and 20 s. The invocation's work ends after 22.5 s.
    assert_eq!(
        stage.invoke(&event("Create", 3_600), 30).await,
        Ok(json!({ "Done": false }))
    );
    assert_eq!((stage.looks(), stage.answers().len()), (3, 0));
    let executions = stage.executions();
    let [(name, input)] = executions.as_slice() else {
        panic!("{executions:?}")
    };
    assert!(name.starts_with("zd-") && name.len() == 43, "{name}");
    assert_eq!(
        input["Waiter"]["WaitingFor"],
        "the certificate to be issued"
    );

    let waits = stage.run_execution(input.clone(), 30).await;
    assert_eq!(stage.answer().0["Data"], json!({ "Name": "dev" }));
    assert_eq!(stage.looks(), 10);
    assert_eq!(waits.len(), 7);
    assert!(
        waits.iter().all(|seconds| (10..=60).contains(seconds)),
        "{waits:?}"
    );
    assert_eq!(
        stage.executions().len(),
        1,
        "a turn starts no other execution"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_as_long_as_requested() {
    let stage = stage(async |call| match call.number {
        0 => wait("resolvers to forget the delegation", 900, json!("searched")),
        _ => Ok(Step::Done(Success::new("id"))),
    })
    .waiter(Ok(()))
    .set();
    stage.invoke(&event("Delete", 3_600), 60).await.unwrap();
    let waits = stage
        .run_execution(stage.executions()[0].1.clone(), 60)
        .await;
    assert_eq!(waits, [900]);
    assert_eq!(stage.answer().1, 900);
}

#[tokio::test(start_paused = true)]
async fn an_endless_wait_is_abandoned_and_fails_in_time() {
    for (service_timeout, next) in [
        (600, "Its ServiceTimeout of 600 s can be raised to 3600 s."),
        (
            3_600,
            "CloudFormation waits one hour at most: try again once that can happen in time.",
        ),
    ] {
        let stage = stage(async |call| {
            wait(
                "the certificate to be issued (PENDING_VALIDATION)",
                10,
                json!(call.number),
            )
        })
        .waiter(Ok(()))
        .abandoning(async |call| Some(format!("Given up after look {}.", call.progress.unwrap())))
        .set();
        stage
            .invoke(&event("Create", service_timeout), 60)
            .await
            .unwrap();
        stage
            .run_execution(stage.executions()[0].1.clone(), 60)
            .await;
        let (_, seconds) = stage.answer();
        let ends_at = service_timeout - 30;
        assert!(
            (ends_at..service_timeout).contains(&seconds),
            "{seconds} of {service_timeout}"
        );
        assert_eq!(
            stage.reason(),
            format!(
                "Timed out after {seconds} s waiting for the certificate to be issued (PENDING_VALIDATION). \
                 {next} Given up after look {}.",
                stage.looks() - 1
            )
        );
        assert_eq!(stage.abandoned().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn interrupted_work_continues_with_its_last_progress() {
    let stage = stage(async |call| match call.number {
        0 => wait("the change to be INSYNC", 1, json!("change C1")),
        1 | 2 => {
            assert_eq!(call.progress, Some(json!("change C1")));
            std::future::pending().await
        }
        _ => Ok(Step::Done(Success::new("id"))),
    })
    .waiter(Ok(()))
    .set();
    assert_eq!(
        stage.invoke(&event("Create", 3_600), 60).await,
        Ok(json!({ "Done": false }))
    );
    let waits = stage
        .run_execution(stage.executions()[0].1.clone(), 60)
        .await;
    assert_eq!((waits.len(), stage.looks()), (2, 4));
    assert_eq!(stage.answer().0["Status"], "SUCCESS");
}

#[tokio::test(start_paused = true)]
async fn a_failed_hand_over_is_reported() {
    for (starts, said) in [
        (
            "AccessDeniedException (request id 7)",
            "AccessDeniedException (request id 7)",
        ),
        ("panic", "the waiter panics"),
    ] {
        let stage = stage(async |call| {
            assert_eq!(call.invocation.can_hand_over, call.number == 0);
            wait("the moon", 600, json!(null))
        })
        .waiter(Err(NotStarted::Refused(starts.into())))
        .set();
        stage.invoke(&event("Create", 3_600), 100).await.unwrap();
        let reason = stage.reason();
        assert!(
            reason.starts_with("The function ran out of time waiting for the moon."),
            "{reason}"
        );
        assert!(
            reason.contains(&format!(
                "It could not be handed over to the state machine: {said}"
            )),
            "{reason}"
        );
        assert_eq!((stage.looks(), stage.answer().1), (2, 70));
    }
}

fn no_answer() -> Result<(), NotStarted> {
    Err(NotStarted::NoAnswer("connection reset".into()))
}

#[tokio::test(start_paused = true)]
async fn a_request_that_the_waiter_may_have_is_not_answered_with_failed() {
    let in_doubt = Err(InvocationError::HandOverInDoubt("connection reset".into()));
    for request_type in ["Create", "Update"] {
        // Cut off at its deadline; a wait for which there is not enough time; a failure of the
        // resource type; a bug. In each case the wait may already have been handed over.
        for number in 0..4 {
            let stage = stage(move |call: Call| async move {
                match (number, call.number) {
                    (0, _) => std::future::pending().await,
                    (_, 0) | (1, _) => wait("the moon", 600, json!(null)),
                    (2, _) => Err(Failure::new("The parent zone does not exist.")),
                    _ => panic!("index out of bounds"),
                }
            })
            .waiter(no_answer())
            .set();
            let ended = stage.invoke(&event(request_type, 3_600), 100).await;
            assert_eq!(ended, in_doubt, "{request_type} {number}");
            assert_eq!(stage.answers(), [] as [serde_json::Value; 0]);
            assert_eq!(stage.abandoned(), [], "nothing is undone");
            assert!(stage.executions().len() >= 3, "several requests were sent");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_the_waiter_may_have_is_answered_if_it_is_done_or_creates_nothing() {
    let done = stage(async |call| match call.number {
        0 => wait("the moon", 600, json!(null)),
        _ => Ok(Step::Done(Success::new("id"))),
    });
    let done = done.waiter(no_answer()).set();
    done.invoke(&event("Create", 3_600), 100).await.unwrap();
    assert_eq!(done.answer().0["Status"], "SUCCESS");

    let deletes = stage(async |_| wait("the moon", 600, json!(null)));
    let deletes = deletes.waiter(no_answer()).set();
    deletes.invoke(&event("Delete", 3_600), 100).await.unwrap();
    let reason = deletes.reason();
    assert!(
        reason.ends_with(
            "It could not be handed over to the state machine: connection reset. What old-id names may still exist."
        ),
        "{reason}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_delivered_twice_joins_one_execution() {
    let stage = stage(async |_| wait("the moon", 600, json!(null)))
        .waiter(Ok(()))
        .set();
    stage.invoke(&event("Create", 3_600), 60).await.unwrap();
    tokio::time::sleep(Duration::from_secs(90)).await;
    stage.invoke(&event("Create", 3_600), 60).await.unwrap();
    let executions = stage.executions();
    assert_eq!(executions.len(), 2);
    assert_eq!(
        executions[0].0, executions[1].0,
        "the same name: Step Functions starts it once"
    );
}

#[tokio::test(start_paused = true)]
async fn a_turn_of_another_function_or_request_is_refused_and_does_nothing() {
    let stage = stage(async |_| wait("the moon", 600, json!(null)))
        .waiter(Ok(()))
        .set();
    stage.invoke(&event("Create", 3_600), 60).await.unwrap();
    let own = stage.executions()[0].1["Waiter"].clone();
    let with = |name: &str, value| {
        let mut changed = own.clone();
        changed[name] = value;
        stage.turn(&changed)
    };
    let looks = stage.looks();
    for refused in [
        json!({ "Waiter": null }),
        json!({ "Waiter": own }),
        json!({ "Waiter": own, "Execution": "arn:aws:states:eu-west-1:111122223333:execution:waiter:zd-1" }),
        stage.turn(&event("Create", 3_600)),
        with("Digest", json!("0".repeat(64))),
        with("Progress", json!({ "Zone": "Z0STRANGER" })),
        with("FunctionArn", json!(ARN.replace("zones", "other"))),
    ] {
        let result = stage.invoke(&refused, 60).await;
        assert!(
            matches!(result, Err(InvocationError::TurnRefused(_))),
            "{result:?}"
        );
    }
    assert_eq!((stage.looks(), stage.answers().len()), (looks, 0));
    stage.invoke(&stage.turn(&own), 60).await.unwrap();
    assert_eq!(stage.looks(), looks + 1);
}

#[tokio::test(start_paused = true)]
async fn a_late_turn_only_abandons_the_request() {
    let stage = stage(async |_| wait("the moon", 600, json!("p")))
        .waiter(Ok(()))
        .set();
    stage.invoke(&event("Create", 900), 60).await.unwrap();
    let input = stage.executions()[0].1.clone();
    tokio::time::sleep(Duration::from_secs(2_000)).await;
    let result = stage.invoke(&stage.turn(&input["Waiter"]), 60).await;
    assert_eq!(result, Ok(json!({ "Done": true })));
    assert_eq!(
        (stage.looks(), stage.abandoned()),
        (1, vec![Some(json!("p"))])
    );
    assert!(
        stage
            .reason()
            .starts_with("Timed out after 2000 s waiting for the moon."),
        "{}",
        stage.reason()
    );
}

#[tokio::test(start_paused = true)]
async fn a_turn_ends_with_an_error_and_is_repeated_if_its_answer_is_not_delivered() {
    let stage = stage(async |call| match call.number {
        0 => wait("the moon", 600, json!(null)),
        _ => Ok(Step::Done(Success::new("id"))),
    })
    .waiter(Ok(()))
    .put(Ok(503))
    .set();
    stage.invoke(&event("Create", 3_600), 60).await.unwrap();
    let turn = stage.turn(&stage.executions()[0].1["Waiter"]);
    assert_eq!(
        stage.invoke(&turn, 60).await,
        Err(InvocationError::Unanswered("status 503".into()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_turn_of_another_stack_is_refused() {
    let elsewhere = stage(async |_| wait("the moon", 600, json!(null)))
        .waiter(Ok(()))
        .serving("arn:aws:cloudformation:eu-west-1:111122223333:stack/prod/2");
    let mut create = event("Create", 3_600);
    create["StackId"] = json!("arn:aws:cloudformation:eu-west-1:111122223333:stack/prod/2");
    elsewhere.invoke(&create, 60).await.unwrap();
    let turn = elsewhere.turn(&elsewhere.executions()[0].1["Waiter"]);
    let stage = stage(async |_| Ok(Step::Done(Success::new("id")))).set();
    let refused = stage.invoke(&turn, 60).await;
    assert!(
        matches!(&refused, Err(InvocationError::TurnRefused(reason)) if reason.contains("STACK_ID")),
        "{refused:?}"
    );
    assert_eq!((stage.looks(), stage.answers().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_is_handed_over_before_the_invocation_sleeps() {
    // One long wait from the start; many short ones, which add up to two minutes.
    for (pause, looks, handed_over_after) in [(300, 1, 0), (20, 7, 120)] {
        let stage = stage(move |_| async move {
            wait("resolvers to forget the delegation", pause, json!(null))
        })
        .waiter(Ok(()))
        .set();
        let begun = stage.clock.now();
        stage.invoke(&event("Delete", 3_600), 900).await.unwrap();
        let after = stage.clock.since(begun).as_secs();
        assert_eq!((stage.looks(), after), (looks, handed_over_after));
        assert_eq!(stage.executions().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_invocation_sleeps_if_a_long_wait_cannot_be_handed_over() {
    let stage = stage(async |call| match call.number {
        0 => wait("the moon", 300, json!(null)),
        _ => Ok(Step::Done(Success::new("id"))),
    })
    .waiter(Err(NotStarted::Refused("AccessDeniedException".into())))
    .set();
    stage.invoke(&event("Delete", 3_600), 900).await.unwrap();
    assert_eq!(stage.answer().1, 300);
    assert_eq!(stage.executions().len(), 1, "one request was sent");
}

#[tokio::test(start_paused = true)]
async fn only_a_turn_of_a_later_delivery_may_be_a_repeat() {
    for (delivered_after, may_be_repeat) in [(0, false), (90, true)] {
        let stage = stage(move |call: Call| async move {
            assert_eq!(call.invocation.may_be_repeat, may_be_repeat);
            match call.number {
                0 | 1 => wait("the network account to answer", 300, json!(null)),
                _ => Ok(Step::Done(Success::new("id"))),
            }
        })
        .waiter(Ok(()))
        .set();
        tokio::time::sleep(Duration::from_secs(delivered_after)).await;
        stage.invoke(&event("Create", 3_600), 60).await.unwrap();
        let input = stage.executions()[0].1.clone();
        stage.run_execution(input, 60).await;
        assert_eq!(stage.answer().0["Status"], "SUCCESS");
    }
}
