"""Coming from elsewhere, as `docs/migrate.md` says, without a moment in which the name does not resolve.

The name is asked for over DNS all the time, from the base domain down through
every NS record set, while stacks go from the old custom resource to this one.
"""

import copy
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from . import inventory, sample_in_python, templates
from .dns_watch import Watch, answers
from .stack import Stack
from .world import BASE_DOMAIN, CONSUMER, NETWORKING, REGION, ZIPS, change, client, make_zone

CDK = pathlib.Path(__file__).resolve().parents[3] / "cdk"
EXAMPLE = CDK / "examples" / "migrate-from-cdk"
_HOST, _, _PORT = os.environ["DNS_ADDRESS"].rpartition(":")
DNS = (_HOST, int(_PORT))


def synthesised(step, zone):
    """The example's templates at a step, with its assets in the accounts' buckets; `zone` is the parent's id."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        subprocess.run([CDK / "node_modules" / ".bin" / "tsx", "app.ts"], cwd=EXAMPLE, check=True, env={
            **os.environ, "CDK_OUTDIR": folder, "CDK_CONTEXT_JSON": json.dumps({"step": step, "functionZips": ZIPS})})
        for manifest in out.glob("*.assets.json"):
            for asset in json.loads(manifest.read_text())["files"].values():
                upload(out / asset["source"]["path"], next(iter(asset["destinations"].values())))
        return [templates.placed((out / f"{name}.template.json").read_text(), zone) for name in ("Networking", "Consumer")]


def upload(source, destination):
    """An asset of the app, as the CDK publishes it."""
    if source.name.endswith(".template.json"):
        return
    if source.is_dir():
        source = pathlib.Path(shutil.make_archive(str(source), "zip", source))
    bucket = templates.placed_text(destination["bucketName"])
    client("s3", NETWORKING if NETWORKING in bucket else CONSUMER).upload_file(str(source), bucket, destination["objectKey"])


def old_role(name, zone, *statements):
    """A role of the networking account as such set-ups have it: the consumer may UPSERT and DELETE in the zone."""
    iam = client("iam", NETWORKING)
    document = lambda *all_of_it: json.dumps({"Version": "2012-10-17", "Statement": list(all_of_it)})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document({
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{CONSUMER}:root"}}))
    iam.put_role_policy(RoleName=name, PolicyName="delegation", PolicyDocument=document(
        {"Effect": "Allow", "Action": "route53:ChangeResourceRecordSets", "Resource": f"arn:aws:route53:::hostedzone/{zone}"},
        *statements))
    return f"arn:aws:iam::{NETWORKING}:role/{name}"


def forget(role):
    """What the last step of a migration takes away."""
    iam = client("iam", NETWORKING)
    iam.delete_role_policy(RoleName=role, PolicyName="delegation")
    iam.delete_role(RoleName=role)


class Migration(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base_zone, _ = make_zone(NETWORKING, BASE_DOMAIN)
        templates.provide(NETWORKING, templates.NETWORKING_STACK)
        templates.provide(CONSUMER, templates.CONSUMER_STACK)

    def test_from_the_cdks_cross_account_record(self):
        parent = f"build.{BASE_DOMAIN}"
        zone, servers = make_zone(NETWORKING, parent)
        change(NETWORKING, self.base_zone, "CREATE", parent, "NS", *(f"{one}." for one in servers))
        old_role("build-delegation", zone, {"Effect": "Allow", "Action": "route53:ListHostedZonesByName", "Resource": "*"})
        _, before = synthesised("before", zone)
        networking, after = synthesised("after", zone)
        # What the example's own tests hold: this is all that differs between its first two steps.
        retained = copy.deepcopy(before)
        record, _ = templates.only(retained["Resources"], "Custom::CrossAccountZoneDelegation")
        retained["Resources"][record] |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}

        stack = Stack(CONSUMER, "migrating-from-cdk")
        self.assertEqual(stack.create(before), "CREATE_COMPLETE", stack.reasons("CREATE_FAILED"))
        child, _ = templates.only(before["Resources"], "AWS::Route53::HostedZone")
        name, child_zone = f"dev.{parent}", stack.resources()[child]
        with self.watched(name, child_zone) as watch:
            published = Stack(NETWORKING, "migrating-networking")
            self.assertEqual(published.create(networking), "CREATE_COMPLETE", published.reasons("CREATE_FAILED"))
            self.assertEqual(stack.update(retained), "UPDATE_COMPLETE", stack.reasons("UPDATE_FAILED"))
            self.assertEqual(stack.update(after), "UPDATE_COMPLETE", stack.reasons("UPDATE_FAILED"))
            forget("build-delegation")
        self.moved(watch, name, zone, child_zone)
        self.assertEqual(stack.resources()[child], child_zone)

    def test_from_a_sample_in_python_that_reads_parameters(self):
        parent = f"sample.{BASE_DOMAIN}"
        networking = Stack(NETWORKING, "sample-networking")
        template = templates.app(templates.NETWORKING_STACK, self.base_zone, replaced=[
            ("build.example.com", "sample.example.com"), ("/zone-delegation/dev", "/sample/dev"),
            ("zone-delegation-dev-", "sample-dev-")])
        self.assertEqual(networking.create(template), "CREATE_COMPLETE", networking.reasons("CREATE_FAILED"))
        zone, parameter = networking.outputs()["HostedZoneId"], "/old-sample/zone"
        client("ssm", NETWORKING).put_parameter(Name=parameter, Value=zone, Type="String")
        role = old_role("sample-delegation", zone, {
            "Effect": "Allow", "Action": "ssm:GetParameter", "Resource": f"arn:aws:ssm:{REGION}:{NETWORKING}:parameter{parameter}"})
        self.dark_without_the_first_step(f"dark.{parent}", role, parameter)
        name = f"dev.{parent}"
        before = {"Resources": sample_in_python.resources(name, role, parameter)}
        retained = copy.deepcopy(before)
        retained["Resources"]["Subdomain"] |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}

        stack = Stack(CONSUMER, "migrating-from-python")
        self.assertEqual(stack.create(before), "CREATE_COMPLETE", stack.reasons("CREATE_FAILED"))
        child_zone = stack.resources()["Subdomain"]
        new_role = f"arn:aws:iam::{NETWORKING}:role/sample-dev-{CONSUMER}"
        after = templates.delegated_subdomain({
            "Subdomain": "dev", "ParameterPrefix": "/sample/dev", "NetworkRoleArn": new_role, "HostedZoneId": child_zone}, new_role)
        after["Resources"]["Delegated"] = after["Resources"].pop("Subdomain")
        after.pop("Outputs")
        with self.watched(name, child_zone) as watch:
            self.assertEqual(stack.update(retained), "UPDATE_COMPLETE", stack.reasons("UPDATE_FAILED"))
            self.assertEqual(stack.update(after), "UPDATE_COMPLETE", stack.reasons("UPDATE_FAILED"))
            forget("sample-delegation")
            client("ssm", NETWORKING).delete_parameter(Name=parameter)
        self.moved(watch, name, zone, child_zone)

    def dark_without_the_first_step(self, name, role, parameter):
        """What the first step is there for; and the watch sees it."""
        resources, stack = sample_in_python.resources(name, role, parameter), Stack(CONSUMER, "skipping-a-step")
        self.assertEqual(stack.create({"Resources": resources}), "CREATE_COMPLETE", stack.reasons("CREATE_FAILED"))
        zone = stack.resources()["Subdomain"]
        with self.watched(name, zone) as watch:
            del resources["Subdomain"]
            self.assertEqual(stack.update({"Resources": resources}), "UPDATE_COMPLETE", stack.reasons("UPDATE_FAILED"))
        self.assertNotEqual(watch.failed, [])

    def watched(self, name, zone):
        """A record in the zone, whose name is watched from then on."""
        name = f"www.{name}"
        self.assertFalse(answers(DNS, name), "it is seen where the name does not resolve")
        change(CONSUMER, zone, "CREATE", name, "A", "192.0.2.80")
        for _ in range(100):
            if answers(DNS, name):
                return Watch(DNS, name)
            time.sleep(0.1)
        raise AssertionError(f"{name} does not resolve")

    def moved(self, watch, name, parent_zone, zone):
        """The name resolved throughout, and the same zone is delegated, by this project's resource."""
        self.assertGreater(watch.asked, 20)
        self.assertEqual(watch.failed, [])
        servers = client("route53", CONSUMER).get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"]
        ttl, values = inventory.zones(NETWORKING)[parent_zone]["record sets"][f"{name}.", "NS"]
        self.assertEqual((ttl, sorted(value.rstrip(".") for value in values)), (900, sorted(servers)))
        self.assertIn("zone-delegation:stack-id", inventory.zones(CONSUMER)[zone]["tags"])


if __name__ == "__main__":
    unittest.main()
