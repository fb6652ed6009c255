use aws_calls::{AwsError, Kind, call_once};
use aws_sdk_sfn::types::ExecutionStatus;
use aws_types::SdkConfig;
use custom_resource::{NotStarted, Waiter};

/// The state machine that continues a wait after the invocation.
#[derive(Debug)]
pub struct StateMachine {
    client: aws_sdk_sfn::Client,
    arn: String,
}

impl StateMachine {
    /// Creates the waiter for the state machine in `STATE_MACHINE_ARN`.
    #[must_use]
    pub fn new(config: &SdkConfig, arn: String) -> Self {
        Self {
            client: aws_sdk_sfn::Client::new(config),
            arn,
        }
    }
}

impl Waiter for StateMachine {
    async fn start(&self, execution_name: &str, input: String) -> Result<(), NotStarted> {
        let start = self.client.start_execution().state_machine_arn(&self.arn);
        let start = start.name(execution_name).input(input);
        let executions = self.arn.replacen(":stateMachine:", ":execution:", 1);
        let arn = format!("{executions}:{execution_name}");
        // Only once: the protocol knows how much time there is, and calls this again.
        match call_once("Step Functions", "StartExecution", &arn, start.send()).await {
            Ok(_) => Ok(()),
            // The same request was delivered twice. A Standard state machine answers the same input with
            // success while the execution runs. If the input differs, or the execution has ended, it answers
            // with this
            // (https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).
            Err(error) if error.is("ExecutionAlreadyExists") => self.still_runs(&arn).await,
            Err(error) => Err(not_started(&error)),
        }
    }
}

impl StateMachine {
    /// Checks that this execution still runs. One that has ended accepts no other delivery.
    async fn still_runs(&self, arn: &str) -> Result<(), NotStarted> {
        let sent = self.client.describe_execution().execution_arn(arn).send();
        match call_once("Step Functions", "DescribeExecution", arn, sent).await {
            Ok(execution) if *execution.status() == ExecutionStatus::Running => Ok(()),
            Ok(execution) => Err(NotStarted::Refused(format!(
                "the execution {arn} of an earlier delivery of this request has ended ({})",
                execution.status()
            ))),
            // A role of release 0.2.0 has no permission for this. The execution most likely runs.
            Err(error) if error.kind == Kind::Denied => {
                tracing::warn!(%error, "whether the execution still runs is not known, assuming that it does");
                Ok(())
            }
            // DescribeExecution may not know yet what StartExecution has started.
            Err(error) if error.is("ExecutionDoesNotExist") => {
                Err(NotStarted::NoAnswer(error.to_string()))
            }
            Err(error) => Err(not_started(&error)),
        }
    }
}

fn not_started(error: &AwsError) -> NotStarted {
    let said = error.to_string();
    match error.kind {
        Kind::Refused | Kind::Denied | Kind::NoEndpoint => NotStarted::Refused(said),
        Kind::Throttled => NotStarted::Throttled(said),
        Kind::NoAnswer => NotStarted::NoAnswer(said),
    }
}
