"""Upgrades from every earlier release: no existing resource is replaced, and nothing in DNS changes.

Policies are an exception: they are named after what they grant, so the clean-up deletes an earlier one after what needed it.

`tests/emulator/releases` has each release's templates: those that the CDK app synthesized (`cdk/test/snapshots`) and, in `plain`, those
for CloudFormation alone (`cdk/templates`).
"""

import pathlib
import unittest

from . import inventory, templates
from .stack import Stack
from .world import ARCHITECTURE, BASE_DOMAIN, CONSUMER, NETWORKING, REGION, make_zone

RELEASES = sorted((pathlib.Path(__file__).resolve().parent.parent / "releases").iterdir())
PLAIN = pathlib.Path(__file__).resolve().parents[3] / "cdk" / "templates"
# The prefix of the current functions. It differs from that of the earlier ones, so every upgrade changes the
# functions' code.
NEXT = "next/"


def code(account):
    """The location of the function for a plain template."""
    return {"FunctionBucket": f"cdk-hnb659fds-assets-{account}-{REGION}", "FunctionArchitecture": ARCHITECTURE}


class Upgrade(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base_zone, _ = make_zone(NETWORKING, BASE_DOMAIN)
        for account, stack_name in ((NETWORKING, templates.NETWORKING_STACK), (CONSUMER, templates.CONSUMER_STACK)):
            name = f"{templates.FUNCTIONS[stack_name]}.zip"
            templates.provide(account, stack_name, "HASH.zip", f"{NEXT}HASH.zip", name, f"{NEXT}{name}")

    def test_the_apps_stacks(self):
        for release in RELEASES:
            with self.subTest(release.name):
                now = [("HASH", f"{NEXT}HASH")]
                self.upgraded([
                    (lambda: Stack(NETWORKING, templates.NETWORKING_STACK),
                     templates.app(templates.NETWORKING_STACK, self.base_zone, release),
                     templates.app(templates.NETWORKING_STACK, self.base_zone, replaced=now)),
                    (lambda: Stack(CONSUMER, templates.CONSUMER_STACK),
                     templates.app(templates.CONSUMER_STACK, folder=release),
                     templates.app(templates.CONSUMER_STACK, replaced=now)),
                ])

    def test_the_plain_templates(self):
        for release in RELEASES:
            with self.subTest(release.name):
                earlier, networking = release / "plain", self.plain_networking()
                self.upgraded([
                    (lambda: networking, templates.text(earlier / "networking.yaml"), templates.text(PLAIN / "networking.yaml")),
                    (lambda: self.plain_consumer(networking.outputs()["Consumer1RoleArn"]),
                     templates.text(earlier / "consumer.yaml"), templates.text(PLAIN / "consumer.yaml")),
                ])

    def plain_networking(self):
        # CloudFormation refuses the template of 0.1.0 unless all five consumers are given, because it has a
        # DependsOn on each one's role.
        others = {f"Consumer{number}Account": f"99999999999{number}" for number in range(2, 6)}
        return Stack(NETWORKING, "plain-networking", **code(NETWORKING), **others, ZoneName=f"plain.{BASE_DOMAIN}",
                     BaseHostedZoneId=self.base_zone, ParameterPrefix="/plain", Consumer1Account=CONSUMER,
                     Consumer1DomainNames=f"dev.plain.{BASE_DOMAIN}", Consumer1ExternalId="told")

    def plain_consumer(self, role):
        return Stack(CONSUMER, "plain-consumer", **code(CONSUMER), Subdomain="dev", ParameterPrefix="/plain",
                     NetworkRoleArn=role, ExternalId="told")

    def tuned(self, stack, present):
        """Sets the operational parameters of the plain templates, which must not replace anything either."""
        tuning = {"AlarmTopicArn": f"arn:aws:sns:{REGION}:{NETWORKING}:alarms", "LogRetentionDays": "30", "Ttl": "60",
                  "DrainSeconds": "1"}
        given = {name: value for name, value in tuning.items() if name in present["Parameters"]}
        if given:
            before = stack.resources()
            self.assertEqual(stack.update(present, **given), "UPDATE_COMPLETE", stack.reasons("UPDATE_FAILED"))
            now = stack.resources()
            self.assertEqual({i: now.get(i) for i in before}, before, "replaced or removed")
            added = {i for i in now if i not in before}
            self.assertEqual(added, {i for i, made in present["Resources"].items() if made.get("Condition") == "WatchesCertificate"})

    def upgraded(self, planned):
        """Deploys the earlier templates in order, then the current ones, then deletes all, as a team
        would."""
        empty, stacks = inventory.of(NETWORKING, CONSUMER), []
        for make, earlier, present in planned:
            stack = make()
            stacks.append((stack, earlier, present))
            self.assertEqual(stack.create(earlier), "CREATE_COMPLETE", stack.reasons("CREATE_FAILED"))
        stands = inventory.of(NETWORKING, CONSUMER)
        for stack, earlier, present in stacks:
            policies = {i for i, made in earlier["Resources"].items() if made["Type"] == "AWS::IAM::Policy"}
            before = {i: made for i, made in stack.resources().items() if i not in policies}
            later = {"FunctionPrefix": NEXT} if "FunctionPrefix" in present["Parameters"] else {}
            # A team keeps the former defaults, as the changelog says.
            if "Ttl" in earlier.get("Parameters", {}):
                later["Ttl"] = str(earlier["Parameters"]["Ttl"]["Default"])
            self.assertEqual(stack.update(present, **later), "UPDATE_COMPLETE", stack.reasons("UPDATE_FAILED"))
            now = stack.resources()
            self.assertEqual({i: now.get(i) for i in before}, before, "replaced or removed")
        self.assertEqual(inventory.difference(stands, inventory.of(NETWORKING, CONSUMER)), [])
        for stack, _, present in stacks:
            self.tuned(stack, present)
        for stack, *_ in reversed(stacks):
            self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.reasons("DELETE_FAILED"))
        self.assertEqual(inventory.difference(empty, inventory.of(NETWORKING, CONSUMER)), [])


if __name__ == "__main__":
    unittest.main()
