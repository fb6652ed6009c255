//! One invocation, seen from outside: what it answers and when.

use crate::stand_ins::{ARN, SIGNATURE, STACK, event, stage, wait};
use custom_resource::{Failure, InvocationError, NotStarted, Step, Success, is_refused_id};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

fn done(id: &str) -> Result<Step, Failure> {
    Ok(Step::Done(Success::new(id)))
}

#[tokio::test(start_paused = true)]
async fn a_completed_request_is_answered_once() {
    let stage = stage(async |_| Ok(Step::Done(Success::new("id").attribute("Name", "dev")))).set();
    assert_eq!(
        stage.invoke(&event("Create", 3_600), 900).await,
        Ok(json!({ "Done": true }))
    );
    let (answer, _) = stage.answer();
    assert_eq!(answer["Status"], "SUCCESS");
    assert_eq!(answer["PhysicalResourceId"], "id");
    assert_eq!(answer["Data"], json!({ "Name": "dev" }));
    assert_eq!((stage.looks(), stage.abandoned().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_answered_with_its_reason() {
    let stage =
        stage(async |_| Err(Failure::new("The parent zone does not exist.").with_id("created")))
            .set();
    stage.invoke(&event("Create", 3_600), 900).await.unwrap();
    assert_eq!(stage.reason(), "The parent zone does not exist.");
    assert_eq!(stage.answer().0["PhysicalResourceId"], "created");
}

#[tokio::test(start_paused = true)]
async fn a_failed_update_keeps_the_requests_id() {
    let stage = stage(async |_| Err(Failure::new("No.").with_id("new-id"))).set();
    stage.invoke(&event("Update", 3_600), 900).await.unwrap();
    assert_eq!(stage.answer().0["PhysicalResourceId"], "old-id");
}

#[tokio::test(start_paused = true)]
async fn a_short_wait_is_completed_in_the_invocation_with_its_progress() {
    let stage = stage(async |call| {
        assert_eq!(
            call.progress,
            (call.number > 0).then(|| json!({ "Look": call.number }))
        );
        match call.number {
            3 => done("id"),
            number => wait("the change to be INSYNC", 20, json!({ "Look": number + 1 })),
        }
    })
    .waiter(Ok(()))
    .set();
    stage.invoke(&event("Create", 3_600), 900).await.unwrap();
    let (answer, seconds) = stage.answer();
    assert_eq!((&answer["Status"], seconds), (&json!("SUCCESS"), 60));
    assert_eq!(stage.executions(), []);
}

#[tokio::test(start_paused = true)]
async fn a_wait_without_a_pause_is_polled_at_a_limited_rate() {
    let stage = stage(async |_| wait("nothing", 0, json!(null))).set();
    stage.invoke(&event("Create", 3_600), 8).await.unwrap();
    assert!(stage.looks() < 100, "{}", stage.looks());
}

#[tokio::test(start_paused = true)]
async fn work_that_hangs_fails_before_the_deadline_and_names_the_last_step() {
    let stage = stage(async |call| {
        call.invocation
            .doing("creating hosted zone dev.example.com");
        assert_eq!(call.invocation.remaining(), Duration::from_secs(45));
        std::future::pending().await
    })
    .set();
    stage.invoke(&event("Create", 3_600), 60).await.unwrap();
    assert_eq!(
        stage.reason(),
        "The function ran out of time while creating hosted zone dev.example.com. \
         Give the function a longer time-out, or a state machine for its waits."
    );
    let (answer, seconds) = stage.answer();
    assert!(is_refused_id(
        answer["PhysicalResourceId"].as_str().unwrap()
    ));
    assert_eq!(seconds, 45);
    assert_eq!(stage.abandoned(), [None]);
}

#[tokio::test(start_paused = true)]
async fn work_that_hangs_fails_before_cloudformations_time_out() {
    let stage = stage(async |_| std::future::pending().await)
        .waiter(Ok(()))
        .abandoning(async |_| Some("The certificate was deleted.".into()))
        .set();
    stage.invoke(&event("Create", 60), 900).await.unwrap();
    let (_, seconds) = stage.answer();
    assert_eq!(seconds, 57);
    assert_eq!(
        stage.reason(),
        "Timed out after 57 s while creating Zone. Its ServiceTimeout of 60 s can be raised to 3600 s. The certificate was deleted."
    );
    assert_eq!(stage.executions(), []);
}

#[tokio::test(start_paused = true)]
async fn abandoning_that_hangs_is_ended_in_time_for_the_answer() {
    let stage = stage(async |_| wait("the moon", 30, json!("p")))
        .abandoning(async |call| {
            assert_eq!(call.progress, Some(json!("p")));
            std::future::pending().await
        })
        .set();
    stage.invoke(&event("Create", 3_600), 100).await.unwrap();
    let reason = stage.reason();
    assert!(
        reason.starts_with("The function ran out of time waiting for the moon."),
        "{reason}"
    );
    assert!(
        reason.ends_with("There was no time left to undo what this request created."),
        "{reason}"
    );
    assert_eq!(stage.answer().1, 90);
}

#[tokio::test(start_paused = true)]
async fn without_a_waiter_the_last_poll_is_at_the_end_of_the_invocation() {
    let stage = stage(async |call| {
        assert!(!call.invocation.can_hand_over);
        if call.number == 3 {
            done("id")
        } else {
            wait("the second search", 30, json!(null))
        }
    })
    .set();
    stage.invoke(&event("Delete", 3_600), 100).await.unwrap();
    let (answer, seconds) = stage.answer();
    // Polls after 0, 30 and 60 s. The next would be at 90 s, after the work's end at 80 s.
    assert_eq!((&answer["Status"], seconds), (&json!("SUCCESS"), 70));
}

#[tokio::test(start_paused = true)]
async fn the_poll_at_the_end_of_the_request_is_the_last() {
    let stage = stage(async |_| wait("the moon", 25, json!(null)))
        .waiter(Ok(()))
        .set();
    stage.invoke(&event("Create", 120), 900).await.unwrap();
    assert_eq!(
        stage.reason(),
        "Timed out after 110 s waiting for the moon. Its ServiceTimeout of 120 s can be raised to 3600 s."
    );
    assert_eq!(stage.looks(), 6);
    assert_eq!(stage.abandoned().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn panics_are_answered() {
    let stage = stage(async |call| {
        call.invocation.doing("reading the zone");
        sleep(Duration::from_secs(1)).await;
        panic!("index out of bounds")
    })
    .set();
    assert_eq!(
        stage.invoke(&event("Create", 3_600), 60).await,
        Ok(json!({ "Done": true }))
    );
    let reason = stage.reason();
    assert!(
        reason.starts_with(
            "The function failed because of a bug in it while reading the zone: index out of bounds"
        ),
        "{reason}"
    );
    assert!(
        reason.contains("The log of invocation invocation has more."),
        "{reason}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_spawned_tasks_panic_is_answered() {
    let stage = stage(async |_| {
        let task = tokio::spawn(async { panic!("in a task") });
        task.await.expect("the task")
    })
    .set();
    stage.invoke(&event("Delete", 3_600), 60).await.unwrap();
    assert!(stage.reason().contains("in a task"), "{}", stage.reason());
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_abandoning_is_answered() {
    let stage = stage(async |_| std::future::pending().await)
        .abandoning(async |_| panic!("again"))
        .set();
    stage.invoke(&event("Create", 60), 900).await.unwrap();
    assert!(
        stage
            .reason()
            .contains("Giving it up failed by a mistake of the function: again"),
        "{}",
        stage.reason()
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_resource_type_is_refused_with_the_known_ones() {
    let stage = stage(async |_| done("id")).set();
    let mut unknown = event("Create", 3_600);
    unknown["ResourceType"] = json!("Custom::Zoen");
    stage.invoke(&unknown, 60).await.unwrap();
    assert_eq!(
        stage.reason(),
        r#"ResourceType "Custom::Zoen" is unknown to this function: it serves Custom::Zone, Custom::Certificate."#
    );
    let id = stage.answer().0["PhysicalResourceId"].clone();

    let mut delete = event("Delete", 3_600);
    delete["ResourceType"] = json!("Custom::Zoen");
    stage.invoke(&delete, 60).await.unwrap();
    assert_eq!(
        stage.answers()[1]["Status"],
        "FAILED",
        "another id may name something"
    );
    delete["PhysicalResourceId"] = id.clone();
    stage.invoke(&delete, 60).await.unwrap();
    assert_eq!(
        (
            &stage.answers()[2]["Status"],
            &stage.answers()[2]["PhysicalResourceId"]
        ),
        (&json!("SUCCESS"), &id)
    );
    assert_eq!(stage.looks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_late_create_creates_nothing_and_a_late_delete_deletes() {
    for (request_type, status, looks) in [
        ("Create", "FAILED", 0),
        ("Update", "FAILED", 0),
        ("Delete", "SUCCESS", 1),
    ] {
        let stage = stage(async |_| done("id")).set();
        sleep(Duration::from_secs(601)).await;
        stage.invoke(&event(request_type, 600), 60).await.unwrap();
        assert_eq!(stage.answer().0["Status"], status);
        assert_eq!(stage.looks(), looks, "{request_type}");
        if status == "FAILED" {
            assert_eq!(
                stage.reason(),
                "The request is 601 s old and its ServiceTimeout is 600 s: nothing was done."
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_answer_ends_with_an_error_while_its_url_is_valid() {
    for status in [400, 403, 404, 412, 307] {
        let stage = stage(async |_| done("id")).put(Ok(status)).set();
        assert_eq!(
            stage.invoke(&event("Create", 3_600), 60).await,
            Err(InvocationError::Unanswered(format!("status {status}")))
        );
        assert_eq!(stage.answers().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_its_url_expired_ends_as_a_success() {
    let stage = stage(async |_| done("id")).put(Ok(403)).set();
    sleep(Duration::from_secs(7_200)).await;
    let mut no_request = event("Delete", 3_600);
    no_request["RequestType"] = json!("Destroy");
    for event in [event("Create", 3_600), event("Delete", 3_600), no_request] {
        assert_eq!(stage.invoke(&event, 60).await, Ok(json!({ "Done": true })));
    }
    assert_eq!(stage.answers().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_undelivered_answer_ends_with_an_error_before_the_deadline() {
    let stage = stage(async |_| done("id"))
        .put(Err("connection refused"))
        .set();
    assert_eq!(
        stage.invoke(&event("Create", 3_600), 60).await,
        Err(InvocationError::Unanswered("connection refused".into()))
    );
    assert!(stage.answers().len() > 10, "{}", stage.answers().len());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_no_request_is_answered_if_it_has_a_url_and_ids() {
    let stage = stage(async |_| done("id")).set();
    let mut unknown = event("Create", 3_600);
    unknown["RequestType"] = json!("Destroy");
    stage.invoke(&unknown, 60).await.unwrap();
    assert_eq!(
        stage.reason(),
        r#"RequestType is "Destroy": expected Create, Update or Delete."#
    );
    for event in [
        json!(null),
        json!([1]),
        json!({ "Waiting": 1 }),
        json!({ "ResponseURL": "https://b/k" }),
    ] {
        assert_eq!(stage.invoke(&event, 60).await, Ok(json!({ "Done": true })));
    }
    assert_eq!((stage.answers().len(), stage.looks()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn unusable_properties_reach_the_resource_type() {
    let stage = stage(async |call| {
        match call
            .request
            .properties
            .parse::<std::collections::BTreeMap<String, Value>>()
        {
            Ok(_) => done("id"),
            Err(error) => Err(error.into()),
        }
    })
    .set();
    for (properties, reason) in [
        (
            json!("text"),
            "The properties are a string: expected a JSON object.",
        ),
        (
            json!({ "ServiceTimeout": "soon" }),
            r#"Property ServiceTimeout is "soon": expected 1 to 3600 seconds."#,
        ),
    ] {
        let mut bad = event("Create", 3_600);
        bad["ResourceProperties"] = properties;
        stage.invoke(&bad, 60).await.unwrap();
        assert_eq!(stage.answers().pop().unwrap()["Reason"], reason);
    }
}

/// Everything that is logged at every level, for each kind of request and outcome.
#[tokio::test(start_paused = true)]
async fn no_line_of_the_log_has_the_response_url() {
    #[derive(Clone, Default)]
    struct Lines(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let to = lines.clone();
    // Not this crate's own log, which would redact a signature: no signature may even reach the
    // log.
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || to.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);

    let secret = format!(
        "https://bucket.s3.amazonaws.com/key?X-Amz-Date=20261124T194807Z&X-Amz-Signature={SIGNATURE}"
    );
    let error = format!("PUT {secret} failed");
    let stage = stage(async |_| wait("the moon", 600, json!(null)))
        .waiter(Err(NotStarted::Throttled(error.clone())))
        .put(Err(&error))
        .set();
    stage
        .invoke(&event("Create", 3_600), 100)
        .await
        .unwrap_err();
    stage
        .invoke(
            &json!({ "Waiter": { "FunctionArn": ARN, "Request": event("Create", 60) } }),
            60,
        )
        .await
        .unwrap_err();
    let mut unanswerable = event("Create", 60);
    unanswerable["RequestId"] = json!(null);
    stage.invoke(&unanswerable, 60).await.unwrap();

    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for said in [
        "request closed",
        "was not handed over, trying again",
        "could not be handed over",
        "was not accepted",
        "refused",
        "nobody can be answered",
    ] {
        assert!(log.contains(said), "{said} is not in {log}");
    }
    assert!(
        !log.contains(SIGNATURE) && !log.contains("bucket.s3"),
        "{log}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_of_another_stack_is_failed_and_does_nothing() {
    let other = "arn:aws:cloudformation:eu-west-1:111122223333:stack/prod/2";
    for request_type in ["Create", "Update", "Delete"] {
        let stage = stage(async |_| done("id")).set();
        let mut event = event(request_type, 3_600);
        event["StackId"] = json!(other);
        stage.invoke(&event, 60).await.unwrap();
        assert_eq!(
            stage.reason(),
            format!(
                "The request is of stack {other}, and this function serves the stack {STACK} alone (its variable \
                 STACK_ID): use a function of the request's own stack as the ServiceToken."
            )
        );
        assert_eq!(stage.answer().0["StackId"], other);
        assert_eq!(stage.looks(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_or_answered_for_a_response_url_that_is_not_aws() {
    for url in [
        format!("http://bucket.s3.amazonaws.com/key?X-Amz-Signature={SIGNATURE}"),
        format!("https://attacker.example/key?X-Amz-Signature={SIGNATURE}"),
        format!("https://user@bucket.s3.amazonaws.com/key?X-Amz-Signature={SIGNATURE}"),
    ] {
        for request_type in ["Create", "Update", "Delete", "Destroy"] {
            let stage = stage(async |_| done("id")).set();
            let mut event = event(request_type, 3_600);
            event["ResponseURL"] = json!(url);
            let ended = stage.invoke(&event, 60).await;
            assert_eq!(ended, Ok(json!({ "Done": true })), "{request_type} {url}");
            assert_eq!((stage.looks(), stage.answers().len()), (0, 0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_external_id_is_redacted_in_every_answer() {
    // As STS repeats it, and as a property of the wrong type.
    let stage = stage(async |call| {
        let id = call.request.properties.text("ExternalId").unwrap_or_default();
        Err(Failure::new(format!(
            "STS AssumeRole: 1 validation error detected: Value '{id}' at 'externalId' failed to satisfy constraint"
        )))
    })
    .set();
    let mut create = event("Create", 3_600);
    create["ResourceProperties"]["ExternalId"] = json!("tenant-4711-a!");
    stage.invoke(&create, 60).await.unwrap();
    assert_eq!(
        stage.reason(),
        "STS AssumeRole: 1 validation error detected: Value '[secret]' at 'externalId' failed to satisfy constraint"
    );
}
