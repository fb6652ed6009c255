"""Step Functions: a start that was given before joins the execution that runs.

Fact restored: StartExecution of a standard workflow with the name and the input
of a running execution succeeds and answers that one's ARN; with another input,
or once it has ended, it is `ExecutionAlreadyExists`. A request to a custom
resource that is delivered twice relies on it.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

import datetime

from ministack.core.responses import get_account_id, get_region, json_response
from ministack.services import stepfunctions as service

from . import seam


def _start_execution(before):
    def start(data):
        machine = data.get("stateMachineArn", "").rpartition(":")[2]
        arn = f"arn:aws:states:{get_region()}:{get_account_id()}:execution:{machine}:{data.get('name')}"
        standing = service._executions.get(arn)
        if standing and standing["status"] == "RUNNING" and standing["input"] == data.get("input", "{}"):
            started = datetime.datetime.fromisoformat(str(standing["startDate"]).replace("Z", "+00:00"))
            return json_response({"executionArn": arn, "startDate": started.timestamp()})
        return before(data)
    return start


def apply(_settings):
    """Corrects the service's module."""
    seam.replace(service, "_start_execution", _start_execution(service._start_execution))
