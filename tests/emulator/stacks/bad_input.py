"""Invalid input, by name: each is FAILED with a sentence that says what to do, and nothing is created or changed.

Names in braces are what exists (`existing_before`). Cases of creates run at the same time. Those that IAM or STS denies take a minute,
because a new role may need that long to reach every endpoint, and the functions retry.
"""

import concurrent.futures
import re
import unittest
from dataclasses import dataclass

from . import inventory, templates
from .stack import Stack
from .world import BASE_DOMAIN, CONSUMER, NETWORKING, change, client, make_zone

STRANGER = "333333333333"
DEV = "/zone-delegation/dev"
LONG = "x" * 64
READS = ("Get", "List", "Describe", "AssumeRole")


def role(prefix, account=CONSUMER):
    """The delegation role of a prefix, with its name in the app."""
    return f"arn:aws:iam::{NETWORKING}:role/zone-delegation-{prefix}-{account}"


def across(subdomain, prefix="dev", **more):
    """Properties of a subdomain whose parent another account publishes."""
    return {"Subdomain": subdomain, "ParameterPrefix": f"/zone-delegation/{prefix}", "NetworkRoleArn": role(prefix), **more}


def within(subdomain, **more):
    """Properties of a subdomain of the consumer's own zone."""
    return {"Subdomain": subdomain, "ParentHostedZoneId": "{dev zone}", **more}


def certificate(name, zone="{app zone}", **more):
    """Properties of a certificate."""
    return {"HostedZoneId": zone, "DomainName": name, **more}


@dataclass(frozen=True)
class Case:
    """What is wrong, the resource, the facts in its sentence, and the AWS error code in it."""

    what: str
    kind: str
    properties: dict
    facts: tuple
    aws: str = ""


PUBLISHED, SUBDOMAIN, CERTIFICATE = "Custom::PublishedZone", "Custom::DelegatedSubdomain", "Custom::SubdomainCertificate"

CASES = (
    # The published zone.
    Case("a private zone is published", PUBLISHED, {"HostedZoneId": "{private zone}", "ParameterPrefix": "/free"},
         ("Property HostedZoneId is {private zone}", "private hosted zone", "name a public one")),
    Case("a zone that is not there is published", PUBLISHED, {"HostedZoneId": "Z0NOSUCHZONE", "ParameterPrefix": "/free"},
         ("Property HostedZoneId is Z0NOSUCHZONE", "no such hosted zone", "correct the id")),
    Case("the prefix is another stack's", PUBLISHED, {"HostedZoneId": "{loose zone}", "ParameterPrefix": DEV},
         (f"{DEV}/", "already exists and belongs to", "{networking stack}", "choose another ParameterPrefix")),
    Case("the prefix is someone's who left no tags", PUBLISHED, {"HostedZoneId": "{loose zone}", "ParameterPrefix": "/by-hand"},
         ("The parameter /by-hand/hosted-zone-name already exists", "someone else's", "choose another ParameterPrefix")),
    Case("the prefix is no path", PUBLISHED, {"HostedZoneId": "{loose zone}", "ParameterPrefix": "/free/"},
         ('Property ParameterPrefix is "/free/"', "starts with /", "does not end with it")),
    Case("the prefix is missing", PUBLISHED, {"HostedZoneId": "{loose zone}"}, ("Property ParameterPrefix is missing",)),

    # A subdomain's label.
    Case("a label has an invalid character", SUBDOMAIN, across("de$v"),
         ("Property Subdomain", "label 'de$v'", "character '$'", "a-z, 0-9, - and _")),
    Case("a label has a space", SUBDOMAIN, within("de v"), ("Property Subdomain", "character ' '")),
    Case("a label has 64 bytes", SUBDOMAIN, across(LONG), ("Property Subdomain", LONG, "64 bytes", "63 at most")),
    Case("a label is a wildcard", SUBDOMAIN, across("*"), ("Property Subdomain", "label '*'", "character '*'")),
    Case("a label among others is a wildcard", SUBDOMAIN, within("*.eu"), ("Property Subdomain", "character '*'")),
    Case("a label is empty", SUBDOMAIN, across("eu..dev"), ("Property Subdomain", "'eu..dev' has an empty label")),
    Case("a property does not exist", SUBDOMAIN, across("dev", TTL="60"), ("Property TTL is unknown", "Subdomain", "Ttl")),

    # A subdomain's zones.
    Case("the parent is private", SUBDOMAIN, within("x", ParentHostedZoneId="{own private zone}"),
         ("Property ParentHostedZoneId is {own private zone}", "private hosted zone", "name a public one")),
    Case("the parent is not there", SUBDOMAIN, within("x", ParentHostedZoneId="Z0NOSUCHZONE"),
         ("Property ParentHostedZoneId is Z0NOSUCHZONE", "no such hosted zone", "correct the id")),
    Case("the zone to delegate is private", SUBDOMAIN, within("x", HostedZoneId="{own private zone}"),
         ("Property HostedZoneId is {own private zone}", "private hosted zone")),
    Case("the zone to delegate is not there", SUBDOMAIN, within("x", HostedZoneId="Z0NOSUCHZONE"),
         ("Property HostedZoneId is Z0NOSUCHZONE", "no such hosted zone")),
    Case("the zone to delegate has another name", SUBDOMAIN, within("x", HostedZoneId="{app zone}"),
         ("HostedZoneId is {app zone}", "whose name is {app}", "x.{dev}")),
    Case("the zone to delegate is another stack's", SUBDOMAIN, within("app1", HostedZoneId="{app zone}"),
         ("{app zone}", "is delegated by", "{consumer stack}", "remove it from that stack first")),

    # The role.
    Case("the role is not there", SUBDOMAIN, across("x", NetworkRoleArn=role("nobody")),
         (role("nobody"), "cannot be assumed", "check that it exists"), aws="AccessDenied"),
    Case("the role trusts another account", SUBDOMAIN, across("x", NetworkRoleArn=role("foreign", STRANGER)),
         (role("foreign", STRANGER), "cannot be assumed", "trusts this account"), aws="AccessDenied"),
    Case("the external id is missing", SUBDOMAIN, across("x", "sealed"),
         (role("sealed"), "cannot be assumed", "ExternalId is the one"), aws="AccessDenied"),
    Case("the external id is another", SUBDOMAIN, across("x", "sealed", ExternalId="guessed"),
         (role("sealed"), "cannot be assumed", "ExternalId is the one"), aws="AccessDenied"),
    Case("the role may not read the prefix", SUBDOMAIN, across("x", ParameterPrefix="/zone-delegation/torn"),
         ("SSM GetParameters on /zone-delegation/torn", "grant the function's role"), aws="AccessDeniedException"),

    # What is published.
    Case("a parameter is missing", SUBDOMAIN, across("x", "missing"),
         ("Nothing is published at /zone-delegation/missing/name-servers", role("missing"), "networking stack is deployed")),
    Case("the parameters are of two zones", SUBDOMAIN, across("x", "torn"),
         ("under /zone-delegation/torn are inconsistent", "{torn zone}", "ns-1.example.net", "deploy again")),

    # Record sets in the parent.
    Case("the name is delegated to other name servers", SUBDOMAIN, across("taken"),
         ("taken.{build} was not delegated", "{build zone}", "ns-9.example.net", "dangling delegation")),
    Case("a record set of another type exists at the name", SUBDOMAIN, across("used"),
         ("used.{build} was not delegated", "{build zone}", "A used.{build}", "Move these record sets first")),
    Case("a record set exists below the name", SUBDOMAIN, across("occluded"),
         ("occluded.{build} was not delegated", "would occlude", "A www.occluded.{build}", "Move these record sets first")),
    Case("a name above is delegated", SUBDOMAIN, across("app.taken"),
         ("app.taken.{build} was not delegated", "delegates a name above it to another zone", "NS taken.{build}", "in that zone")),

    # The certificate.
    Case("the certificate's name is outside of the zone", CERTIFICATE, certificate("www.{base}"),
         ("Property DomainName has www.{base}", "none of the zones", "{app}", "AdditionalHostedZoneIds")),
    Case("an alternative name is outside of the zone", CERTIFICATE,
         certificate("{app}", SubjectAlternativeNames=["*.{app}", "*.{dev}"]),
         ("Property SubjectAlternativeNames has *.{dev}", "none of the zones", "AdditionalHostedZoneIds")),
    Case("the certificate's name lies below a delegation", CERTIFICATE, certificate("{app}", "{dev zone}"),
         ("Property DomainName has {app}", "delegates {app}", "name the zone of {app}")),
    Case("the certificate's name is none", CERTIFICATE, certificate("a b.{app}"), ("Property DomainName", "a b.{app}")),
    Case("the certificate's zone is private", CERTIFICATE, certificate("x.{base}", "{own private zone}"),
         ("Property HostedZoneId is {own private zone}", "private hosted zone", "name a public one")),
    Case("the certificate's zone is not there", CERTIFICATE, certificate("x.{base}", "Z0NOSUCHZONE"),
         ("Property HostedZoneId is Z0NOSUCHZONE", "no such hosted zone", "correct the id")),
)


def filled(value, existing):
    """`value` with the names in braces replaced by what exists."""
    if isinstance(value, str):
        return re.sub(r"\{([a-z ]+)\}", lambda name: existing[name.group(1)], value)
    if isinstance(value, dict):
        return {key: filled(one, existing) for key, one in value.items()}
    return [filled(one, existing) for one in value]


def networking(name, base_zone, consumer=CONSUMER, external_id=None):
    """Deploys the app's networking stack, as another instance of it if `name` is not `dev`."""
    replaced = [("222222222222", consumer)]
    if name != "dev":
        replaced += [("/zone-delegation/dev", f"/zone-delegation/{name}"), ("zone-delegation-dev-", f"zone-delegation-{name}-"),
                     ("build.example.com", f"{name}.example.com")]
    template = templates.app(templates.NETWORKING_STACK, base_zone, replaced=replaced)
    if external_id:
        for one in template["Resources"].values():
            if one["Type"] == "AWS::IAM::Role" and "RoleName" in one["Properties"]:
                (statement,) = one["Properties"]["AssumeRolePolicyDocument"]["Statement"]
                statement["Condition"]["StringEquals"] = {"sts:ExternalId": external_id}
    stack = Stack(NETWORKING, f"zone-delegation-networking-{name}")
    assert stack.create(template) == "CREATE_COMPLETE", stack.reasons("CREATE_FAILED")
    return stack


def existing_before():
    """Deploys what the cases need, and creates what people create by hand. Returns what exists, by name."""
    vpc = {"VPC": {"VPCRegion": "us-east-1", "VPCId": "vpc-1"}}
    existing = {"base": BASE_DOMAIN, "build": f"build.{BASE_DOMAIN}", "dev": f"dev.build.{BASE_DOMAIN}",
                "app": f"app1.dev.build.{BASE_DOMAIN}"}
    base_zone, _ = make_zone(NETWORKING, BASE_DOMAIN)
    existing["loose zone"], _ = make_zone(NETWORKING, f"loose.{BASE_DOMAIN}")
    existing["private zone"], _ = make_zone(NETWORKING, f"inside.{BASE_DOMAIN}", **vpc)
    existing["own private zone"], _ = make_zone(CONSUMER, f"inside.{BASE_DOMAIN}", **vpc)
    templates.provide(NETWORKING, templates.NETWORKING_STACK)
    templates.provide(CONSUMER, templates.CONSUMER_STACK)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        stacks = {name: pool.submit(networking, name, base_zone, *more) for name, more in {
            "dev": (), "missing": (), "torn": (), "foreign": (STRANGER,), "sealed": (CONSUMER, "told"),
        }.items()}
        stacks = {name: one.result() for name, one in stacks.items()}
    existing["networking stack"] = stacks["dev"].name
    existing["build zone"] = stacks["dev"].outputs()["HostedZoneId"]
    existing["torn zone"] = stacks["torn"].outputs()["HostedZoneId"]

    consumer = Stack(CONSUMER, templates.CONSUMER_STACK)
    assert consumer.create(templates.app(templates.CONSUMER_STACK)) == "CREATE_COMPLETE", consumer.reasons("CREATE_FAILED")
    outputs = consumer.outputs()
    existing["consumer stack"] = consumer.name
    existing["dev zone"], existing["app zone"] = outputs["devzone"], outputs["app1devzone"]

    ssm = client("ssm", NETWORKING)
    ssm.put_parameter(Name="/by-hand/hosted-zone-name", Value="mine", Type="String")
    ssm.delete_parameter(Name="/zone-delegation/missing/name-servers")
    ssm.put_parameter(Name="/zone-delegation/torn/name-servers", Value="ns-1.example.net,ns-2.example.net",
                      Type="StringList", Overwrite=True)
    build = existing["build"]
    for name, kind, value in (("taken", "NS", "ns-9.example.net."), ("used", "A", "192.0.2.1"), ("www.occluded", "A", "192.0.2.2")):
        change(NETWORKING, existing["build zone"], "CREATE", f"{name}.{build}", kind, value)
    return stacks["dev"], existing


class BadInput(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.networking_stack, cls.existing = existing_before()

    def test_a_create_is_refused(self):
        before = inventory.of(NETWORKING, CONSUMER)
        with concurrent.futures.ThreadPoolExecutor(len(CASES)) as pool:
            running = [(case, pool.submit(self.not_created, number, case)) for number, case in enumerate(CASES)]
            for case, one in running:
                with self.subTest(case.what):
                    self.says(one.result(), case.facts, case.aws)
        self.assertEqual(inventory.difference(before, inventory.of(NETWORKING, CONSUMER)), [])

    def not_created(self, number, case):
        """Deploys the case and deletes its stack. Returns why it failed. Checks that its function only
        read."""
        properties = filled(case.properties, self.existing)
        if case.kind == PUBLISHED:
            prefix = properties.get("ParameterPrefix", "/free").rstrip("/")
            template = templates.published_zone(properties, properties["HostedZoneId"], prefix)
        elif case.kind == SUBDOMAIN:
            template = templates.delegated_subdomain(properties, properties.get("NetworkRoleArn"))
        else:
            template = templates.subdomain_certificate(properties)
        stack = Stack(NETWORKING if case.kind == PUBLISHED else CONSUMER, f"bad-input-{number}")
        status = stack.create(template, OnFailure="DO_NOTHING")
        reasons = stack.reasons("CREATE_FAILED")
        self.assertEqual((status, len(reasons)), ("CREATE_FAILED", 1), (case.what, reasons))
        self.assertEqual([one for one in stack.calls("Create") if not one.startswith(READS)], [], case.what)
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", case.what)
        return next(iter(reasons.values()))

    def test_a_delete_is_refused(self):
        kept, cut = self.subdomain("kept"), self.subdomain("cut")
        by_hand = [(CONSUMER, kept.outputs()["HostedZoneId"], filled("www.kept.{dev}", self.existing), "A", "192.0.2.3"),
                   (CONSUMER, cut.outputs()["HostedZoneId"], filled("x.cut.{dev}", self.existing), "NS", "ns-9.example.net.")]
        for account, zone, *record in by_hand:
            change(account, zone, "CREATE", *record)
        before, resources = inventory.of(NETWORKING, CONSUMER), self.networking_stack.resources()
        for stack, facts in (
            (self.networking_stack, (f"{DEV} still publishes the zone {{build}} ({{build zone}})", "nothing was changed",
                                     "dev.{build}", "set DelegationsOnDelete to Ignore")),
            (kept, ("kept.{dev} was not deleted, and nothing was changed", by_hand[0][1], "A www.kept.{dev}",
                    "set RecordsOnDelete to Delete")),
            (cut, ("cut.{dev} was not deleted, and nothing was changed", by_hand[1][1], "delegates further: NS x.cut.{dev}",
                   "delete these delegations first")),
        ):
            with self.subTest(stack.name):
                self.assertEqual(stack.delete(), "DELETE_FAILED")
                (reason,) = stack.reasons("DELETE_FAILED").values()
                self.says(reason, facts)
        self.assertEqual(inventory.difference(before, inventory.of(NETWORKING, CONSUMER)), [])
        # What nothing depends on may be deleted meanwhile.
        self.assertEqual(self.networking_stack.resources(), {i: one for i, one in resources.items() if "Alarm" not in i})
        for (account, zone, *record), stack in zip(by_hand, (kept, cut)):
            change(account, zone, "DELETE", *record)
            self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.name)

    def test_an_update_is_refused(self):
        stack = self.subdomain("moved")
        before, resources = inventory.of(NETWORKING, CONSUMER), stack.resources()
        for wrong, facts in (
            ({"Subdomain": "*"}, ("Property Subdomain", "character '*'")),
            ({"Subdomain": "app1"}, ("{app} was not delegated", "{dev zone}", "already has an NS record set", "choose another Subdomain")),
            ({"ParentHostedZoneId": "{own private zone}"}, ("Property ParentHostedZoneId", "private hosted zone")),
        ):
            with self.subTest(wrong):
                template = self.template("moved", **wrong)
                self.assertEqual(stack.update(template), "UPDATE_ROLLBACK_COMPLETE")
                self.says(stack.reasons("UPDATE_FAILED")["Subdomain"], facts)
                self.assertEqual(stack.resources(), resources)
        self.assertEqual(inventory.difference(before, inventory.of(NETWORKING, CONSUMER)), [])
        self.assertEqual(stack.delete(), "DELETE_COMPLETE")

    def template(self, name, **more):
        return templates.delegated_subdomain(filled(within(name, **more), self.existing))

    def subdomain(self, name):
        """A stack with a subdomain of the consumer's zone."""
        stack = Stack(CONSUMER, f"bad-input-{name}")
        self.assertEqual(stack.create(self.template(name)), "CREATE_COMPLETE", stack.reasons("CREATE_FAILED"))
        return stack

    def says(self, reason, facts, aws=""):
        """Checks that the sentence has the facts and, if `aws` is a code, the code and a request id."""
        match = re.fullmatch(r"Received response status \[FAILED\] from custom resource\. Message returned: (.*) "
                             r"\(RequestId: [0-9a-f-]{36}\)", reason)
        self.assertIsNotNone(match, reason)
        sentence = match.group(1)
        self.assertTrue(sentence.endswith("."), sentence)
        for fact in filled(list(facts), self.existing):
            self.assertIn(fact, sentence)
        if aws:
            self.assertRegex(sentence, rf"\({aws}, request [0-9A-Za-z-]+\)")


if __name__ == "__main__":
    unittest.main()
