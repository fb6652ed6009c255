"""aws-cdk-lib's CrossAccountZoneDelegationRecord and this project's DelegatedSubdomain in the same situations.

Both are deployed, and something happens to each that happens in practice. The result is read from the stacks, from Route 53 and over
DNS. The table in README.md has these results, and the suite fails if it has others.
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest
import urllib.request

from . import templates
from .dns_watch import SOA, Watch, answers
from .migration import DNS, forget, old_role, placed, upload
from .stack import Stack
from .world import BASE_DOMAIN, CONSUMER, ENDPOINT, NETWORKING, ZIPS, change, client, make_zone, pages

ROOT = pathlib.Path(__file__).resolve().parents[3]
ROLE = "build-delegation"
CASES = ("occupied", "shared", "first", "second", "record", "person", "busy", "role")
THROTTLED_CALLS = 5
# Seconds after which every name server has a change.
SETTLED = 5


class Contestant:
    """One of the two, with a stack for each name."""

    def __init__(self, name, label, template):
        self.name, self._label, self._template = name, label, template

    def domain(self, case):
        return f"{self._label}-{case}.build.{BASE_DOMAIN}"

    def template(self, case):
        return json.loads(json.dumps(self._template).replace(f"{self._label}-name", f"{self._label}-{case}"))

    def failing(self, case):
        """The template with one more resource, which fails when all others are complete, because it creates an existing record set."""
        template = self.template(case)
        found = {one["Type"]: logical_id for logical_id, one in template["Resources"].items()}
        zone = found.get("AWS::Route53::HostedZone")
        last = found.get("Custom::CrossAccountZoneDelegation") or found["Custom::DelegatedSubdomain"]
        template["Resources"]["Failing"] = {"Type": "AWS::Route53::RecordSet", "DependsOn": last, "Properties": {
            "HostedZoneId": {"Ref": zone} if zone else {"Fn::GetAtt": [last, "HostedZoneId"]},
            "Name": f"{self.domain(case)}.", "Type": "NS", "TTL": "900", "ResourceRecords": ["ns.example.com."]}}
        return template

    def stack(self, case, suffix=""):
        return Stack(CONSUMER, f"{self.name}-{case}{suffix}")


class Comparison(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        base, _ = make_zone(NETWORKING, BASE_DOMAIN)
        cls.parent, servers = make_zone(NETWORKING, f"build.{BASE_DOMAIN}")
        change(NETWORKING, base, "CREATE", f"build.{BASE_DOMAIN}", "NS", *(f"{one}." for one in servers))
        templates.provide(NETWORKING, templates.NETWORKING_STACK)
        templates.provide(CONSUMER, templates.CONSUMER_STACK)
        old_role(ROLE, cls.parent, {"Effect": "Allow", "Action": "route53:ListHostedZonesByName", "Resource": "*"})
        networking, cdk, ours = synthesized(cls.parent)
        cls.networking = Stack(NETWORKING, "comparison-networking")
        assert cls.networking.create(networking) == "CREATE_COMPLETE", cls.networking.reasons("CREATE_FAILED")
        cls.contestants = Contestant("cdk", "cdk", cdk), Contestant("ours", "our", ours)

    def test_the_table_in_the_readme_is_what_happens(self):
        apart = (
            ("Someone else's NS record set exists at the name; deploy", self.occupied),
            ("Two stacks want one name; deploy the second, delete it again", self.shared),
            ("Rename; another resource fails, so the update is rolled back", self.renamed),
            ("A person has added a record to the zone; delete the stack", self.with_a_record),
            ("A person has changed the NS record set; delete the stack", self.changed_by_a_person))
        # These two affect the parent zone, and so every case.
        alone = (
            (f"Route 53 throttles the first {THROTTLED_CALLS} changes of the parent zone; deploy", self.throttled),
            ("The delegation role was deleted before; delete the stack", self.without_role))
        with concurrent.futures.ThreadPoolExecutor() as pool:
            running = [(situation, [pool.submit(case, one) for one in self.contestants]) for situation, case in apart]
            outcomes = [(situation, [one.result() for one in cells]) for situation, cells in running]
        outcomes += [(situation, [case(one) for one in self.contestants]) for situation, case in alone]
        rows = ["| " + " | ".join((situation, *cells)) + " |" for situation, cells in outcomes]
        print("\n".join(rows), flush=True)
        readme = (ROOT / "README.md").read_text()
        self.assertEqual([row for row in rows if row not in readme], [])

    def occupied(self, one):
        domain, foreign = one.domain("occupied"), ["ns1.example.net.", "ns2.example.net."]
        change(NETWORKING, self.parent, "CREATE", domain, "NS", *foreign)
        status = one.stack("occupied").create(one.template("occupied"))
        kept = self.delegation(domain) == foreign
        return said(status, "The record set is unchanged." if kept else "The record set is overwritten.")

    def shared(self, one):
        first, second = one.stack("shared"), one.stack("shared", "-again")
        self.complete(first.create(one.template("shared")), first)
        before = self.delegation(one.domain("shared"))
        status = second.create(one.template("shared"))
        taken = self.delegation(one.domain("shared")) != before
        second.delete()
        time.sleep(SETTLED)
        resolves = answers(DNS, one.domain("shared"), SOA)
        return said(status, "It takes the name from the first." if taken else "The first keeps the name.",
                    "The name resolves afterwards." if resolves else "The name does not resolve afterwards.")

    def renamed(self, one):
        stack = one.stack("first")
        self.complete(stack.create(one.template("first")), stack)
        with self.watched(one.domain("first")) as watch:
            status = stack.update(one.failing("second"))
        leftover = self.delegation(one.domain("second")) is not None
        return said(status, "The old name resolves all the time." if not watch.failed else "The old name does not resolve for a while.",
                    *["The new name is left behind."] * leftover)

    def with_a_record(self, one):
        stack = one.stack("record")
        self.complete(stack.create(one.template("record")), stack)
        change(CONSUMER, self.zone(one.domain("record")), "CREATE", f"www.{one.domain('record')}", "A", "192.0.2.80")
        status = stack.delete()
        time.sleep(SETTLED)
        resolves = answers(DNS, f"www.{one.domain('record')}")
        return said(status, "The record still resolves." if resolves else "The zone stays, but its delegation is deleted: the record does not resolve.")

    def changed_by_a_person(self, one):
        stack, domain, theirs = one.stack("person"), one.domain("person"), ["ns1.example.net.", "ns2.example.net."]
        self.complete(stack.create(one.template("person")), stack)
        found = self.record_set(domain)
        change(NETWORKING, self.parent, "DELETE", domain, "NS", *(one["Value"] for one in found["ResourceRecords"]), ttl=found["TTL"])
        change(NETWORKING, self.parent, "CREATE", domain, "NS", *theirs)
        status = stack.delete()
        return said(status, "The person's record set is kept." if self.delegation(domain) == theirs else "The person's record set is lost.",
                    *["The stack cannot be deleted until someone repairs it."] * (status == "DELETE_FAILED"))

    def throttled(self, one):
        urllib.request.urlopen(f"{ENDPOINT}/_emulator/throttle/{self.parent}/{THROTTLED_CALLS}").close()
        try:
            status = one.stack("busy").create(one.template("busy"))
        finally:
            urllib.request.urlopen(f"{ENDPOINT}/_emulator/throttle/{self.parent}/0").close()
        return said(status)

    def without_role(self, one):
        stack = one.stack("role")
        self.complete(stack.create(one.template("role")), stack)
        if one.name == "cdk":
            forget(ROLE)
        else:
            delete_role(f"zone-delegation-dev-{CONSUMER}")
        status = stack.delete()
        delegated, zone = self.delegation(one.domain("role")) is not None, self.zone(one.domain("role")) is not None
        return said(status, "The zone and its delegation stay, and the name resolves." if delegated and zone
                    else f"Delegation: {delegated}, zone: {zone}.")

    def complete(self, status, stack):
        self.assertEqual(status, "CREATE_COMPLETE", stack.reasons("CREATE_FAILED"))

    @contextlib.contextmanager
    def watched(self, domain):
        with Watch(DNS, domain, SOA) as watch:
            yield watch

    def record_set(self, domain):
        found = pages(client("route53", NETWORKING), "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=self.parent)
        return next((one for one in found if (one["Name"], one["Type"]) == (f"{domain}.", "NS")), None)

    def delegation(self, domain):
        """The values of the name's NS record set, or None if there is none."""
        found = self.record_set(domain)
        return found and sorted(one["Value"] for one in found["ResourceRecords"])

    def zone(self, domain):
        """The id of the consumer's zone of that name."""
        found = pages(client("route53", CONSUMER), "list_hosted_zones", "HostedZones")
        return next((one["Id"].removeprefix("/hostedzone/") for one in found if one["Name"] == f"{domain}."), None)


def said(status, *facts):
    """A cell of the table."""
    return " ".join((f"`{status}`.", *facts))


def synthesized(zone):
    """The templates of cdk/test/comparison-app.ts, with their assets in the accounts' buckets."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        subprocess.run(["node", "--import", "tsx", "test/comparison-app.ts"], cwd=ROOT / "cdk", check=True, env={
            **os.environ, "CDK_OUTDIR": folder,
            "CDK_CONTEXT_JSON": json.dumps({"functionZips": ZIPS, "names": [f"our-{case}" for case in CASES]})})
        for manifest in out.glob("*.assets.json"):
            for asset in json.loads(manifest.read_text())["files"].values():
                upload(out / asset["source"]["path"], next(iter(asset["destinations"].values())))
        return [placed((out / f"{name}.template.json").read_text(), zone) for name in ("Networking", "Cdk", "Ours")]


def delete_role(name):
    """Deletes a role as a person does, with what it has."""
    iam = client("iam", NETWORKING)
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


if __name__ == "__main__":
    unittest.main()
