//! The environment of a function in memory, under paused time: resource types, the waiter, the
//! transport of answers.

use custom_resource::{
    AnswerTransport, Clock, Context, Failure, Function, Invocation, InvocationError, NotStarted,
    Reply, Request, ResourceTypes, Settings, Step, Wait, Waiter,
};
use serde_json::{Value, json};
use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

/// The function that the tests invoke.
pub(crate) const ARN: &str = "arn:aws:lambda:eu-west-1:111122223333:function:zones";
/// The stack whose requests it serves.
pub(crate) const STACK: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/dev/1";
/// The secret part of the URL to which it answers.
pub(crate) const SIGNATURE: &str = "5ec2e7516a";

/// A call of `advance` or `abandon`.
pub(crate) struct Call {
    pub(crate) request: Request,
    pub(crate) progress: Option<Value>,
    pub(crate) invocation: Invocation,
    /// The number of calls before this one.
    pub(crate) number: usize,
}

type Answering<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Advance = Box<dyn Fn(Call) -> Answering<Result<Step, Failure>> + Send + Sync>;
type Abandon = Box<dyn Fn(Call) -> Answering<Option<String>> + Send + Sync>;

/// A function with its environment, and a record of what it did.
pub(crate) struct Stage {
    function: Function<Types, Starting, Answers>,
    pub(crate) clock: Clock,
    log: Arc<Log>,
}

/// Returns the function's environment.
fn settings(stack_id: &str) -> Settings {
    Settings {
        stack_id: Some(stack_id.to_owned()),
        state_machine_arn: Some(
            "arn:aws:states:eu-west-1:111122223333:stateMachine:waiter".to_owned(),
        ),
        ..Settings::default()
    }
}

/// The record of what happened.
#[derive(Default)]
struct Log {
    looks: Mutex<usize>,
    abandoned: Mutex<Vec<Option<Value>>>,
    executions: Mutex<Vec<(String, Value)>>,
    answers: Mutex<Vec<(SystemTime, Value)>>,
}

struct Types(Arc<Log>, Advance, Abandon);

impl ResourceTypes for Types {
    fn names(&self) -> &'static [&'static str] {
        &["Custom::Zone", "Custom::Certificate"]
    }

    async fn advance(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Result<Step, Failure> {
        let number = {
            let mut looks = self.0.looks.lock().unwrap();
            *looks += 1;
            *looks - 1
        };
        (self.1)(Call {
            request: request.clone(),
            progress,
            invocation: invocation.clone(),
            number,
        })
        .await
    }

    async fn abandon(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Option<String> {
        self.0.abandoned.lock().unwrap().push(progress.clone());
        (self.2)(Call {
            request: request.clone(),
            progress,
            invocation: invocation.clone(),
            number: 0,
        })
        .await
    }
}

struct Starting(Arc<Log>, Result<(), NotStarted>);

impl Waiter for Starting {
    async fn start(&self, execution_name: &str, input: String) -> Result<(), NotStarted> {
        let panics = Err(NotStarted::Refused("panic".into()));
        assert!(self.1 != panics, "the waiter panics");
        let input = serde_json::from_str(&input).expect("the input is JSON");
        self.0
            .executions
            .lock()
            .unwrap()
            .push((execution_name.to_owned(), input));
        self.1.clone()
    }
}

struct Answers(Arc<Log>, Clock, Result<u16, String>);

impl AnswerTransport for Answers {
    async fn put(&self, url: &str, body: Vec<u8>) -> Result<Reply, String> {
        assert!(url.contains(SIGNATURE), "{url}");
        assert!(body.len() <= 4_096, "{} bytes", body.len());
        let body = serde_json::from_slice(&body).expect("the answer is JSON");
        self.0.answers.lock().unwrap().push((self.1.now(), body));
        self.2.clone().map(Reply::from)
    }
}

/// A stage that is being prepared.
pub(crate) struct Setting {
    advance: Advance,
    abandon: Abandon,
    waiter: Option<Result<(), NotStarted>>,
    put: Result<u16, String>,
}

/// Returns a stage with these resource types, without a waiter, with a receiver that accepts
/// answers.
pub(crate) fn stage<F>(advance: impl Fn(Call) -> F + Send + Sync + 'static) -> Setting
where
    F: Future<Output = Result<Step, Failure>> + Send + 'static,
{
    Setting {
        advance: Box::new(move |call| Box::pin(advance(call))),
        abandon: Box::new(|_| Box::pin(async { None })),
        waiter: None,
        put: Ok(200),
    }
}

impl Setting {
    pub(crate) fn abandoning<F>(
        mut self,
        abandon: impl Fn(Call) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Option<String>> + Send + 'static,
    {
        self.abandon = Box::new(move |call| Box::pin(abandon(call)));
        self
    }

    pub(crate) fn waiter(mut self, starts: Result<(), NotStarted>) -> Self {
        self.waiter = Some(starts);
        self
    }

    pub(crate) fn put(mut self, answers: Result<u16, &str>) -> Self {
        self.put = answers.map_err(str::to_owned);
        self
    }

    pub(crate) fn set(self) -> Stage {
        self.serving(STACK)
    }

    /// Returns the stage of a function that serves another stack.
    pub(crate) fn serving(self, stack_id: &str) -> Stage {
        let log = Arc::new(Log::default());
        // From `date -u -d '2026-11-24 19:48:07' +%s`.
        let clock = Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_549_687));
        let waiter = self.waiter.map(|starts| Starting(log.clone(), starts));
        let transport = Answers(log.clone(), clock, self.put);
        let types = Types(log.clone(), self.advance, self.abandon);
        Stage {
            function: Function::new(types, waiter, transport, settings(stack_id)),
            clock,
            log,
        }
    }
}

impl Stage {
    /// Invokes the function, which has `seconds` and must end within them.
    pub(crate) async fn invoke(
        &self,
        event: &Value,
        seconds: u64,
    ) -> Result<Value, InvocationError> {
        let deadline = self.clock.now() + Duration::from_secs(seconds);
        let context = Context {
            request_id: "invocation".into(),
            function_arn: ARN.into(),
            deadline,
        };
        let result = self
            .function
            .handle(event.clone(), &context, self.clock)
            .await;
        assert!(
            self.clock.now() <= deadline,
            "the invocation is over before its deadline"
        );
        result
    }

    /// Returns the event of a turn, as the state machine sends it from the execution that the function started first.
    pub(crate) fn turn(&self, waiter: &Value) -> Value {
        let (name, _) = &self.executions()[0];
        let execution = format!("arn:aws:states:eu-west-1:111122223333:execution:waiter:{name}");
        json!({ "Waiter": waiter, "Execution": execution })
    }

    /// Invokes the function as the state machine does, from an execution's input until it is done.
    /// Returns the waits that it asked for, in seconds.
    pub(crate) async fn run_execution(&self, mut state: Value, seconds: u64) -> Vec<u64> {
        let mut waits = Vec::new();
        while state["Done"] == false {
            waits.push(state["Seconds"].as_u64().expect("seconds to wait"));
            tokio::time::sleep(Duration::from_secs(waits[waits.len() - 1])).await;
            state = self
                .invoke(&self.turn(&state["Waiter"]), seconds)
                .await
                .expect("a turn");
        }
        assert_eq!(state, json!({ "Done": true }));
        waits
    }

    /// Returns how often the resource type was called.
    pub(crate) fn looks(&self) -> usize {
        *self.log.looks.lock().unwrap()
    }

    /// Returns the progress with which it abandoned, each time.
    pub(crate) fn abandoned(&self) -> Vec<Option<Value>> {
        self.log.abandoned.lock().unwrap().clone()
    }

    /// Returns the names and inputs of the executions that were started.
    pub(crate) fn executions(&self) -> Vec<(String, Value)> {
        self.log.executions.lock().unwrap().clone()
    }

    /// Returns the bodies of all PUTs.
    pub(crate) fn answers(&self) -> Vec<Value> {
        let answers = self.log.answers.lock().unwrap();
        answers.iter().map(|(_, body)| body.clone()).collect()
    }

    /// Returns the one answer, and how many seconds after the request it was sent.
    pub(crate) fn answer(&self) -> (Value, u64) {
        let answers = self.log.answers.lock().unwrap();
        let [(at, body)] = answers.as_slice() else {
            panic!("not one answer: {answers:?}")
        };
        let signed_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_549_687);
        (
            body.clone(),
            at.duration_since(signed_at).unwrap().as_secs(),
        )
    }

    /// Returns the reason of the one answer, which is FAILED.
    pub(crate) fn reason(&self) -> String {
        let (answer, _) = self.answer();
        assert_eq!(answer["Status"], "FAILED", "{answer}");
        answer["Reason"].as_str().expect("a reason").to_owned()
    }
}

/// Returns a request of this type, made at the start of the stage's clock, with a `ServiceTimeout`
/// of `seconds`.
pub(crate) fn event(request_type: &str, seconds: u64) -> Value {
    let mut event = json!({
        "RequestType": request_type,
        "ResponseURL": format!("https://bucket.s3.amazonaws.com/key?X-Amz-Date=20261124T194807Z&X-Amz-Signature={SIGNATURE}"),
        "RequestId": "request",
        "StackId": STACK,
        "LogicalResourceId": "Zone",
        "ResourceType": "Custom::Zone",
        "ResourceProperties": { "ServiceToken": ARN, "ServiceTimeout": seconds.to_string(), "Name": "dev" },
    });
    if request_type != "Create" {
        event["PhysicalResourceId"] = json!("old-id");
    }
    event
}

/// Returns a wait of this many seconds.
pub(crate) fn wait(waiting_for: &str, seconds: u64, progress: Value) -> Result<Step, Failure> {
    Ok(Step::Wait(Wait {
        waiting_for: waiting_for.into(),
        retry_after: Duration::from_secs(seconds),
        progress,
    }))
}
