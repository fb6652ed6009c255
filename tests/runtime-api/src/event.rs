//! Requests as CloudFormation sends them.

use serde_json::{Value, json};

/// Returns a request for a resource `Resource` of a stack. `Update` and `Delete` also need a
/// `PhysicalResourceId`.
#[must_use]
pub fn event(
    request_type: &str,
    resource_type: &str,
    properties: Value,
    response_url: &str,
) -> Value {
    let mut event = json!({
        "RequestType": request_type,
        "ResponseURL": response_url,
        "RequestId": "0b2f3c1e-9a77-4c39-8f0b-0d6f3a1b5c2d",
        "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/protocol/6f1f4a50",
        "LogicalResourceId": "Resource",
        "ResourceType": resource_type,
        "ServiceToken": crate::FUNCTION_ARN,
    });
    event["ResourceProperties"] = properties;
    event
}
