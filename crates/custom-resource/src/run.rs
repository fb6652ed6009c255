//! Runs a function's process.

use crate::{
    Clock, Context, Function, Https, InvocationError, ResourceTypes, Settings, Waiter, logging,
    redact::shown,
};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use std::{
    process::ExitCode,
    time::{Duration, SystemTime},
};

/// Runs a function until Lambda ends the process: starts the log and a runtime of one thread, reads
/// the environment, calls `build`, and then serves Lambda's Runtime API. A function's `main` needs
/// nothing else:
///
/// ```no_run
/// # use custom_resource::{NoWaiter, Failure, Function, Https, Invocation, Request, ResourceTypes, Step, Success};
/// # struct Zones;
/// # impl ResourceTypes for Zones {
/// #     fn names(&self) -> &'static [&'static str] { &["Custom::Zone"] }
/// #     async fn advance(&self, _: &Request, _: Option<serde_json::Value>, _: &Invocation) -> Result<Step, Failure> {
/// #         Ok(Step::Done(Success::new("id")))
/// #     }
/// #     async fn abandon(&self, _: &Request, _: Option<serde_json::Value>, _: &Invocation) -> Option<String> { None }
/// # }
/// fn main() -> std::process::ExitCode {
///     custom_resource::run(async |settings| {
///         let no_waiter: Option<NoWaiter> = None;
///         Function::new(Zones, no_waiter, Https::default(), settings)
///     })
/// }
/// ```
///
/// Returns if Lambda's Runtime API cannot be reached any more, after which Lambda starts another
/// process.
pub fn run<R, W, B>(build: B) -> ExitCode
where
    R: ResourceTypes,
    W: Waiter,
    B: AsyncFnOnce(Settings) -> Function<R, W, Https>,
{
    logging::init();
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none_or(|api| api.is_empty()) {
        tracing::error!(
            "this is a Lambda function: it runs where AWS_LAMBDA_RUNTIME_API names a Runtime API"
        );
        return ExitCode::FAILURE;
    }
    let ended = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| {
            runtime.block_on(async {
                let function = &build(Settings::from_env()).await;
                let service = service_fn(move |event| invoked(function, event));
                // Without its TracingLayer: the function opens a span of its own, which does not
                // contain the event.
                lambda_runtime::Runtime::new(service).run().await
            })
        });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "the Runtime API was lost");
            ExitCode::FAILURE
        }
    }
}

/// Handles one invocation. The event is text, so that an event that is nested too deeply is
/// answered too.
async fn invoked<R, W>(
    function: &Function<R, W, Https>,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<serde_json::Value, InvocationError>
where
    R: ResourceTypes,
    W: Waiter,
{
    let context = Context {
        request_id: event.context.request_id,
        function_arn: event.context.invoked_function_arn,
        deadline: SystemTime::UNIX_EPOCH + Duration::from_millis(event.context.deadline),
    };
    function
        .handle_text(event.payload.get(), &context, Clock::system())
        .await
}

impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Self {
        let error_type = match error {
            InvocationError::Unanswered(_) => "Unanswered",
            InvocationError::HandOverInDoubt(_) => "HandOverInDoubt",
            InvocationError::TurnRefused(_) => "TurnRefused",
        };
        Self {
            error_type: error_type.into(),
            error_message: shown(&error.to_string()),
        }
    }
}
