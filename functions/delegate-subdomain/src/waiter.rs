use aws_calls::{Kind, call_once};
use aws_types::SdkConfig;
use custom_resource::{NotStarted, Waiter};

/// The state machine that goes on with a wait when the invocation ends.
#[derive(Debug)]
pub struct StateMachine {
    client: aws_sdk_sfn::Client,
    arn: String,
}

impl StateMachine {
    /// The state machine `STATE_MACHINE_ARN`.
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
        // Once: the protocol, which knows how much time there is, asks again.
        let sent = start.send();
        match call_once("Step Functions", "StartExecution", execution_name, sent).await {
            Ok(_) => Ok(()),
            // The same request was delivered twice, and an execution goes on with it already. A Standard state
            // machine answers the same input with success, another input with this.
            Err(error) if error.is("ExecutionAlreadyExists") => Ok(()),
            Err(error) => {
                let said = error.to_string();
                Err(match error.kind {
                    Kind::Refused | Kind::Denied | Kind::NoEndpoint => NotStarted::Refused(said),
                    Kind::Throttled => NotStarted::Throttled(said),
                    Kind::NoAnswer => NotStarted::NoAnswer(said),
                })
            }
        }
    }
}
