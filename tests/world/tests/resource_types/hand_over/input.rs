//! The data that the state machine carries: no credentials, the `ResponseURL` in one place, and nothing that
//! others can change.

use std::time::Duration;

use serde_json::{Value, json};
use world::Work;
use world::cloudformation::{Hosted, Status};

use super::{certificate, short_invocations};
use crate::stage::{CONSUMER, NETWORK, PREFIX, REGION, Stage, one, stack};

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:222222222222:function:delegate-subdomain";

const STATE_MACHINE: &str = "arn:aws:states:eu-west-1:222222222222:stateMachine:subject-waiter";

/// Invokes a function with an event, as somebody with that permission could.
async fn invoke(stage: &Stage, function_arn: &str, event: Value) -> Result<Value, String> {
    let clock = stage.world.clock();
    let hosted = Hosted {
        function_arn: function_arn.to_owned(),
        account: CONSUMER.to_owned(),
        region: REGION.to_owned(),
        work: Work {
            stack_id: stack("subject").id,
            logical_id: "Subject".to_owned(),
            invocation: 1_000_000,
        },
        event,
        deadline: clock.wall(clock.now()) + Duration::from_secs(60),
        max_invocation_age: Duration::from_secs(900),
        state_machine_arn: Some(STATE_MACHINE.to_owned()),
    };
    stage.host.invoke(hosted).await
}

/// Returns the event of a turn, as its execution sends it.
fn turn(stage: &Stage, waiter: &Value) -> Value {
    let request = &waiter["Request"];
    let executions = stage.world.executions().into_values();
    let mut own = executions.filter(|execution| {
        let input: Value = serde_json::from_str(&execution.input).unwrap();
        input["Waiter"]["Request"]["RequestId"] == request["RequestId"]
    });
    json!({"Waiter": waiter, "Execution": own.next().unwrap().arn()})
}

/// Returns the executions' inputs, in the order of the logical ids that they are for.
fn inputs(stage: &Stage) -> Vec<Value> {
    let executions = stage.world.executions().into_values();
    let mut inputs: Vec<Value> = executions
        .map(|execution| serde_json::from_str(&execution.input).unwrap())
        .collect();
    inputs.sort_by_key(|input| input["Waiter"]["Request"]["LogicalResourceId"].to_string());
    inputs
}

#[tokio::test(start_paused = true)]
async fn the_input_of_an_execution_has_no_credentials_and_the_response_url_once() {
    // A drain follows a call with the session of a delegation role.
    let stage = Stage::set(|_| ()).await;
    stage.publish(&stage.build);
    let properties = json!({
        "Subdomain": "dev",
        "ParameterPrefix": PREFIX,
        "NetworkRoleArn": format!("arn:aws:iam::{NETWORK}:role/delegation"),
        "DrainSeconds": 1800,
    });
    let resource =
        world::cloudformation::ResourceDefinition::new("Custom::DelegatedSubdomain", properties);
    let mut stack = stage.created(resource).await;
    stage.deleted(&mut stack).await;
    assert!(!stage.calls("AssumeRole").is_empty());
    let [input] = <[Value; 1]>::try_from(inputs(&stage)).unwrap();
    let mut parts: Vec<&str> = input["Waiter"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    parts.sort_unstable();
    assert_eq!(
        parts,
        [
            "Digest",
            "Failing",
            "FunctionArn",
            "MayBeRepeat",
            "Progress",
            "Request",
            "RequestedAt",
            "Turn",
            "WaitingFor"
        ]
    );
    let mut rest = input.clone();
    let url = rest["Waiter"]["Request"]["ResponseURL"].take();
    let url = url.as_str().unwrap();
    assert!(url.contains("X-Amz-Signature="));
    let rest = rest.to_string();
    // The URL's own parameters, and the prefixes of access keys, secrets and sessions in this world.
    for secret in [
        "X-Amz-",
        "https://",
        "AKIA",
        "ASIA",
        "secret-",
        "session-token",
    ] {
        assert!(!rest.contains(secret), "{secret} in {rest}");
    }
    assert!(
        input.to_string().len() < 4_096,
        "{} bytes",
        input.to_string().len()
    );
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_changed_turn_is_refused_and_does_nothing() {
    let (stage, zone) = short_invocations(1, 1_200).await;
    // Two requests are being served, for two resources.
    let mut template = one(certificate(&zone));
    template.insert("Other".to_owned(), certificate(&zone));
    let mut stack = stack("subject");
    let engine = stage.engine.clone();
    let running = tokio::spawn(async move { engine.create(&mut stack, &template).await });
    tokio::time::sleep(Duration::from_secs(200)).await;
    let [other, own] = <[Value; 2]>::try_from(inputs(&stage)).unwrap();
    let with = |path: &[&str], value: Value| {
        let mut changed = own["Waiter"].clone();
        let (last, above) = path.split_last().unwrap();
        let into = above
            .iter()
            .fold(&mut changed, |value, name| &mut value[*name]);
        assert_ne!(into[*last], value, "it changes something");
        into[*last] = value;
        json!({"Waiter": changed})
    };
    let stranger = "arn:aws:lambda:eu-west-1:222222222222:function:other";
    let calls_before = stage.world.log().len();
    let of_one_hand = |stage: &Stage| {
        let log = stage.world.log();
        let is_it = |event: &&world::Event| matches!(&event.hand, Some(world::Hand::Function(work)) if work.invocation == 1_000_000);
        log[calls_before..].iter().filter(is_it).count()
    };
    for (event, why) in [
        // Another resource's request, progress or certificate in place of its own.
        (
            with(&["Request"], other["Waiter"]["Request"].clone()),
            "its Digest does not fit its content",
        ),
        (
            with(&["Progress"], other["Waiter"]["Progress"].clone()),
            "its Digest does not fit its content",
        ),
        (
            with(&["Digest"], other["Waiter"]["Digest"].clone()),
            "its Digest does not fit its content",
        ),
        (
            with(&["Request", "LogicalResourceId"], json!("Other")),
            "its Digest does not fit its content",
        ),
        (
            with(&["Request", "RequestType"], json!("Delete")),
            "its Digest does not fit its content",
        ),
        (
            with(
                &["Request", "ResponseURL"],
                json!("https://attacker.example/"),
            ),
            "its Digest does not fit its content",
        ),
        (
            with(
                &["Request", "ResourceProperties", "HostedZoneId"],
                json!("Z0STRANGER"),
            ),
            "its Digest does not fit its content",
        ),
        (
            with(&["RequestedAt"], json!(4_000_000_000_000_u64)),
            "its Digest does not fit its content",
        ),
        (
            with(&["Turn"], json!(99)),
            "its Digest does not fit its content",
        ),
        (
            with(&["Digest"], json!(null)),
            "its Digest does not fit its content",
        ),
        (
            with(&["FunctionArn"], json!(stranger)),
            &format!("it is for {stranger}, this is {FUNCTION}"),
        ),
        (json!({"Waiter": {}}), "its FunctionArn is no text"),
        (json!({"Waiter": null}), "its FunctionArn is no text"),
        (json!({"Waiter": own}), "its FunctionArn is no text"),
    ] {
        assert_eq!(
            invoke(&stage, FUNCTION, event.clone()).await,
            Err(format!("the waiter's event was refused: {why}")),
            "{event}"
        );
    }
    // A turn of this function is refused by another one.
    let refused = invoke(&stage, stranger, json!({"Waiter": own["Waiter"]})).await;
    assert_eq!(
        refused,
        Err(format!(
            "the waiter's event was refused: it is for {FUNCTION}, this is {stranger}"
        ))
    );
    assert_eq!(of_one_hand(&stage), 0, "{}", stage.history());
    // A turn is accepted only from its own execution.
    let from_other = turn(&stage, &other["Waiter"])["Execution"].clone();
    for execution in [json!(null), json!(""), from_other] {
        let event = json!({"Waiter": own["Waiter"], "Execution": execution});
        let refused = invoke(&stage, FUNCTION, event).await.unwrap_err();
        assert!(
            refused.contains("the execution of its request is"),
            "{refused}"
        );
    }
    assert_eq!(of_one_hand(&stage), 0, "{}", stage.history());
    // Unchanged, it is accepted.
    let taken = invoke(&stage, FUNCTION, turn(&stage, &own["Waiter"])).await;
    assert_eq!(taken.unwrap()["Done"], false, "{}", stage.history());
    assert!(of_one_hand(&stage) > 0);
    assert_eq!(
        running.await.unwrap(),
        Status::Complete,
        "{}",
        stage.history()
    );
    stage.check();
}
