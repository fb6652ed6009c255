"""Step Functions: a repeated start joins the running execution, and the role decides what it may call.

Facts restored, with their sources:

- StartExecution of a standard workflow with the name and the input of a running execution succeeds and returns that one's ARN. With
  another input, or after it has ended, it is `ExecutionAlreadyExists`. A redelivered request to a custom resource relies on this.
  https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
- A task calls Lambda with the state machine's role, which needs `lambda:InvokeFunction` on the function.
  https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
"""

import contextvars
import datetime

from ministack.core import iam_evaluator

from ministack.core.responses import get_account_id, get_region, json_response
from ministack.services import lambda_svc
from ministack.services import stepfunctions as service

from . import seam

# The role of the execution that runs in this thread.
_ROLE = contextvars.ContextVar("execution_role", default=None)


def _start_execution(before):
    def start(data):
        machine = data.get("stateMachineArn", "").rpartition(":")[2]
        arn = f"arn:aws:states:{get_region()}:{get_account_id()}:execution:{machine}:{data.get('name')}"
        existing = service._executions.get(arn)
        if existing and existing["status"] == "RUNNING" and existing["input"] == data.get("input", "{}"):
            started = datetime.datetime.fromisoformat(str(existing["startDate"]).replace("Z", "+00:00"))
            return json_response({"executionArn": arn, "startDate": started.timestamp()})
        return before(data)
    return start


def _run_execution(before):
    def run(arn):
        execution = service._executions.get(arn) or {}
        _ROLE.set((service._state_machines.get(execution.get("stateMachineArn")) or {}).get("roleArn"))
        return before(arn)
    return run


def _call_lambda(before):
    def call(function, event):
        role = _ROLE.get()
        _, config, _ = lambda_svc._get_func_record_for_ref(function)
        if role and config:
            account, name = role.split(":")[4], role.rpartition("/")[2]
            session = f"arn:aws:sts::{account}:assumed-role/{name}/states"
            decision = iam_evaluator.evaluate(iam_evaluator.EvalContext(
                principal_arn=session, principal_type="AssumedRole", principal_account=account,
                action="lambda:InvokeFunction", resource_arn=config["FunctionArn"], region=get_region(),
            ), iam_evaluator._gather_role_policies(name, account)).decision
            if decision != "Allow":
                raise service._ExecutionError(
                    "Lambda.AWSLambdaException",
                    f"User: {session} is not authorized to perform: lambda:InvokeFunction on resource: "
                    f"{config['FunctionArn']} because no identity-based policy allows the lambda:InvokeFunction action")
        return before(function, event)
    return call


def apply(_settings):
    """Corrects the service's module."""
    seam.replace(service, "_run_execution", _run_execution(service._run_execution))
    seam.replace(service, "_call_lambda", _call_lambda(service._call_lambda))
    seam.replace(service, "_start_execution", _start_execution(service._start_execution))
