"""A CloudFormation stack, operated through the API."""

import json
import re
import time

from .world import client, pages


class Stack:
    """A stack of an account, by its name, with its parameters. Every operation waits for its end and returns
    the status."""

    def __init__(self, account, name, **parameters):
        self.name, self.account = name, account
        self._parameters = parameters
        self._cloudformation, self._id = client("cloudformation", account), None

    def create(self, template, **more):
        made = self._cloudformation.create_stack(**self._wanted(template), **more)
        self._id = made["StackId"]
        return self.wait()

    def update(self, template, **parameters):
        self._parameters |= parameters
        self._cloudformation.update_stack(**self._wanted(template))
        return self.wait()

    def _wanted(self, template):
        return {"StackName": self.name, "TemplateBody": json.dumps(template), "Capabilities": ["CAPABILITY_NAMED_IAM"],
                "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in self._parameters.items()]}

    def delete(self):
        self._cloudformation.delete_stack(StackName=self.name)
        return self.wait()

    def wait(self):
        while (status := self.status()).endswith("_IN_PROGRESS"):
            time.sleep(0.25)
        return status

    def status(self):
        return self._cloudformation.describe_stacks(StackName=self._id)["Stacks"][0]["StackStatus"]

    def outputs(self):
        found = self._cloudformation.describe_stacks(StackName=self._id)["Stacks"][0].get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in found}

    def resources(self):
        """Physical ids by logical id."""
        found = self._cloudformation.describe_stack_resources(StackName=self._id)["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found
                if one["ResourceStatus"] != "DELETE_COMPLETE"}

    def reasons(self, status):
        """Why resources last had the status `status`, by logical id."""
        events = list(pages(self._cloudformation, "describe_stack_events", "StackEvents", StackName=self._id))
        return {e["LogicalResourceId"]: e.get("ResourceStatusReason", "") for e in reversed(events)
                if e["ResourceStatus"] == status and e["LogicalResourceId"] != self.name}

    def log(self):
        """The lines that the stack's function wrote, oldest first."""
        group = next(physical for logical, physical in self.resources().items()
                     if re.search("Logs[0-9A-F]{8}$", logical) and "Waiter" not in logical)
        found = pages(client("logs", self.account), "filter_log_events", "events", logGroupName=group)
        return [json.loads(line["message"]) for line in found if line["message"].startswith("{")]

    def calls(self, request_type):
        """The AWS operations that the stack's function called for its request of this type."""
        for _ in range(120):  # CloudFormation gets the answer before the log has the line.
            lines = self.log()
            closed = [line["span"]["invocation"] for line in lines
                      if line["message"] == "request closed" and line["request_type"] == request_type]
            if closed:
                return [line["operation"] for line in lines
                        if line["message"] == "AWS call" and line["span"]["invocation"] in closed]
            time.sleep(0.25)
        raise AssertionError(f"the log of {self.name} has no end of its {request_type}: {self.log()}")
