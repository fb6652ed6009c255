"""CloudFormation stacks of the trial. Several are started together and waited for together."""

import json
import time

from botocore.exceptions import ClientError

from .names import TAG

_POLL = 2.0


class Failed(Exception):
    """A step did not end as it should."""


class Stack:
    """A stack by its name. `begin_` methods start an operation. `wait` waits for those of several stacks."""

    def __init__(self, account, name):
        self.account, self.name = account, name
        self._id, self._began, self.took = name, 0.0, 0.0

    @property
    def _api(self):
        return self.account.client("cloudformation")

    def begin_create(self, template, parameters):
        made = self._api.create_stack(
            StackName=self.name, TemplateBody=_body(template), Parameters=_parameters(parameters), Tags=[TAG],
            Capabilities=["CAPABILITY_NAMED_IAM"])
        self._id, self._began = made["StackId"], time.monotonic()

    def begin_update(self, template, parameters):
        self._api.update_stack(StackName=self.name, TemplateBody=_body(template), Parameters=_parameters(parameters),
                               Tags=[TAG], Capabilities=["CAPABILITY_NAMED_IAM"])
        self._began = time.monotonic()

    def begin_delete(self):
        self._api.delete_stack(StackName=self._id)
        self._began = time.monotonic()

    def cancel_update(self):
        self._api.cancel_update_stack(StackName=self.name)

    def found(self):
        """The stack in CloudFormation's description, or None if it does not exist."""
        try:
            return self._api.describe_stacks(StackName=self._id)["Stacks"][0]
        except ClientError as failure:
            if "does not exist" in str(failure):
                return None
            raise

    def status(self):
        found = self.found()
        return found["StackStatus"] if found else "DELETE_COMPLETE"

    def is_of_the_trial(self):
        """Whether it exists and has the trial's tag."""
        found = self.found()
        return found is not None and found["StackStatus"] != "DELETE_COMPLETE" and TAG in found.get("Tags", [])

    def outputs(self):
        return {output["OutputKey"]: output["OutputValue"] for output in (self.found() or {}).get("Outputs", [])}

    def resources(self, kind):
        """Physical ids by logical id, of one type."""
        listed = self.account.pages("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=self._id)
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed
                if one["ResourceType"] == kind and one.get("PhysicalResourceId")}

    def events(self):
        """The events, oldest first."""
        listed = self.account.pages("cloudformation", "describe_stack_events", "StackEvents", StackName=self._id)
        return sorted(listed, key=lambda event: event["Timestamp"])

    def reasons(self, ending):
        """The reasons of resources with a status of this ending, by logical id, the latest last."""
        return {event["LogicalResourceId"]: event.get("ResourceStatusReason", "no reason") for event in self.events()
                if event["ResourceStatus"].endswith(ending) and event["LogicalResourceId"] != self.name}

    def log(self):
        """The lines of the stack's function, oldest first."""
        lines = []
        for logical_id, group in self.resources("AWS::Logs::LogGroup").items():
            if "Waiter" not in logical_id:
                lines += self.account.pages("logs", "filter_log_events", "events", logGroupName=group)
        lines = [one["message"] for one in sorted(lines, key=lambda one: one["timestamp"])]
        return [json.loads(line) for line in lines if line.lstrip().startswith("{")]


def _body(template):
    # CloudFormation accepts 51,200 bytes. Without white space the largest template is smaller.
    return json.dumps(template, separators=(",", ":"))


def _parameters(parameters):
    return [{"ParameterKey": name, "ParameterValue": str(value)} for name, value in parameters.items()]


def wait(stacks, say, most_seconds=None):
    """Waits until no operation of these stacks runs, or `most_seconds`. Returns the statuses in order. `say` gets the progress."""
    running, said = list(stacks), time.monotonic()
    end = None if most_seconds is None else said + most_seconds
    while running and (end is None or time.monotonic() < end):
        for stack in list(running):
            status = stack.status()
            if not status.endswith("_IN_PROGRESS"):
                stack.took = time.monotonic() - stack._began
                running.remove(stack)
            elif time.monotonic() - said > 20:
                said = time.monotonic()
                say(f"{stack.name}: {status}")
        if running:
            time.sleep(_POLL)
    return [stack.status() for stack in stacks]
