use crate::AwsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::{error::Error, future::IntoFuture, time::Duration};
use tokio::time::Instant;

/// Sends one AWS call (with the SDK's retries), logs it in one line and turns its error into facts.
///
/// `target` is what the call is about, for the log and for the user: a domain name, an id or an ARN, never a
/// secret. Durations are wall time over all attempts.
///
/// # Errors
///
/// [`AwsError`] where the service refused or did not answer.
pub async fn call<T, E>(
    service: &'static str,
    operation: &'static str,
    target: &str,
    send: impl IntoFuture<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, AwsError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let started = Instant::now();
    // Boxed: the SDK's futures are several kilobytes each, and a resource type awaits dozens of them.
    let answer = Box::pin(send.into_future()).await;
    let milliseconds = millis(started.elapsed());
    match answer {
        Ok(output) => {
            tracing::info!(
                service,
                operation,
                target,
                milliseconds,
                outcome = "ok",
                "AWS call"
            );
            Ok(output)
        }
        Err(error) => {
            let error = AwsError::new(service, operation, target, &error);
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
            Err(error)
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
