use crate::{AwsError, RateLimit, error, scope};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::{error::Error, future::IntoFuture, time::Duration};
use tokio::time::Instant;

/// Sends one AWS call until the service answers it, logs each attempt in one line, and turns an
/// error into facts.
///
/// `target` names the domain, id or ARN of the call for the log and for the user. It is never a
/// secret. `send` sends the call once, without the SDK's retries. This function pauses and sends
/// the call again if it was throttled or not answered, and if it was denied while the
/// [`Scope`](crate::Scope) says that policies may be new.
///
/// # Errors
///
/// [`AwsError`] if the service refused or did not answer.
pub async fn call<T, E, F>(
    service: &'static str,
    operation: &'static str,
    target: &str,
    send: impl Fn() -> F,
) -> Result<T, AwsError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    F: IntoFuture<Output = Result<T, SdkError<E, HttpResponse>>>,
{
    let limit = RateLimit::default();
    limit.call(service, operation, target, send).await
}

/// Sends one AWS call once, logs it in one line and turns its error into facts.
///
/// # Errors
///
/// [`AwsError`] if the service refused or did not answer.
pub async fn call_once<T, E>(
    service: &'static str,
    operation: &'static str,
    target: &str,
    sent: impl IntoFuture<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, AwsError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let started = Instant::now();
    // Boxed, because each future of the SDK is several kilobytes, and a resource type awaits dozens
    // of them.
    let answer = Box::pin(sent.into_future()).await;
    let answer = answer.map_err(|error| AwsError::new(service, operation, target, &error));
    let error = answer.as_ref().err();
    scope::note(error, || error::named(service, operation, target));
    log(service, operation, target, started, error);
    answer
}

/// Logs one attempt. A function of its own, so that the code exists once and not once per
/// operation.
fn log(
    service: &'static str,
    operation: &'static str,
    target: &str,
    started: Instant,
    error: Option<&AwsError>,
) {
    let milliseconds = millis(started.elapsed());
    let Some(error) = error else {
        tracing::info!(
            service,
            operation,
            target,
            milliseconds,
            outcome = "ok",
            "AWS call"
        );
        return;
    };
    tracing::info!(
        service,
        operation,
        target,
        milliseconds,
        outcome = error.code.as_deref().unwrap_or("no answer"),
        request_id = error.request_id.as_deref().unwrap_or(""),
        reason = error.message,
        "AWS call"
    );
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
