"""Waits that are longer than an invocation, which the CDK app's state machine continues to their end.

The app's own consumer stack is deployed with one change: the function's time-out is shorter than ACM's time to issue, and a drain is
longer than the time-out.
"""

import datetime
import unittest

from . import inventory, templates
from .stack import Stack
from .world import BASE_DOMAIN, CONSUMER, NETWORKING, client, make_zone, pages

TIMEOUT = 6  # seconds; a quarter of it is reserved for the answer
DRAIN = 15  # seconds


def consumer_template():
    """The app's consumer stack with a short time-out, and a drain on its outer subdomain."""
    template = templates.app(templates.CONSUMER_STACK)
    templates.only(template["Resources"], "AWS::Lambda::Function")[1]["Properties"]["Timeout"] = TIMEOUT
    for one in template["Resources"].values():
        if one["Type"] == "Custom::DelegatedSubdomain" and one["Properties"]["Subdomain"] == "dev":
            one["Properties"]["DrainSeconds"] = str(DRAIN)
    return template


def without_custom_resources(template):
    """The same stack with its function and its waiter only."""
    return {"Resources": {i: one for i, one in template["Resources"].items() if not one["Type"].startswith("Custom::")}}


class Waits(unittest.TestCase):
    def test_a_late_certificate_and_a_drain(self):
        base_zone, _ = make_zone(NETWORKING, BASE_DOMAIN)
        templates.provide(NETWORKING, templates.NETWORKING_STACK)
        templates.provide(CONSUMER, templates.CONSUMER_STACK)
        networking = Stack(NETWORKING, templates.NETWORKING_STACK)
        self.assertEqual(networking.create(templates.app(templates.NETWORKING_STACK, base_zone)), "CREATE_COMPLETE")
        empty = inventory.of(NETWORKING, CONSUMER)

        stack, template = Stack(CONSUMER, templates.CONSUMER_STACK), consumer_template()
        self.assertEqual(stack.create(template), "CREATE_COMPLETE", stack.reasons("CREATE_FAILED"))
        self.assertEqual({one["status"] for one in inventory.certificates(CONSUMER).values()}, {"ISSUED"})
        turns = self.closed_by_the_waiter(stack)
        self.assertIn(("Create", "Custom::SubdomainCertificate", "SUCCESS"), turns)

        self.assertEqual(stack.update(without_custom_resources(template)), "UPDATE_COMPLETE")
        self.assertEqual(stack.reasons("DELETE_FAILED"), {})
        turns = self.closed_by_the_waiter(stack)
        self.assertIn(("Delete", "Custom::DelegatedSubdomain", "SUCCESS"), turns)
        self.assertEqual(inventory.difference(empty, inventory.of(NETWORKING, CONSUMER)), [])
        self.assertGreaterEqual(self.drained(stack), datetime.timedelta(seconds=DRAIN))

        executions = list(pages(client("stepfunctions", CONSUMER), "list_executions", "executions", stateMachineArn=(
            f"arn:aws:states:us-east-1:{CONSUMER}:stateMachine:{stack.name}-waiter")))
        self.assertGreaterEqual(len(executions), 2)
        self.assertEqual({one["status"] for one in executions}, {"SUCCEEDED"})
        self.assertEqual(stack.delete(), "DELETE_COMPLETE")
        self.assertEqual(networking.delete(), "DELETE_COMPLETE")

    def closed_by_the_waiter(self, stack):
        """Requests that a turn of the state machine answered: (type, resource type, outcome)."""
        return {(line["request_type"], line["resource_type"], line["outcome"])
                for line in stack.log() if line["message"] == "request closed" and line["turn"] > 0}

    def drained(self, stack):
        """How long the outer subdomain's zone existed after its NS record set was deleted."""
        calls = [line for line in stack.log() if line["message"] == "AWS call" and line["outcome"] == "ok"]
        deleted = max(line["timestamp"] for line in calls if line["operation"] == "DeleteHostedZone")
        delegation_deleted = max(line["timestamp"] for line in calls if line["operation"] == "ChangeResourceRecordSets")
        moment = datetime.datetime.fromisoformat
        return moment(deleted.replace("Z", "+00:00")) - moment(delegation_deleted.replace("Z", "+00:00"))


if __name__ == "__main__":
    unittest.main()
