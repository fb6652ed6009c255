"""Migrations as in `docs/migrate.md`. The name resolves at every moment.

The name is queried over DNS continuously, from the base domain through every NS record set, while stacks migrate from the old custom
resource to this one, and also if the deployment with the adoption is rolled back.
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

from . import inventory, templates
from .dns_watch import Watch, answers
from .stack import Stack
from .world import BASE_DOMAIN, CONSUMER, NETWORKING, REGION, ZIPS, change, client, make_zone

OLD_RECORD, SAMPLE = "Custom::CrossAccountZoneDelegation", "Custom::SampleSubdomain"
PUBLISHED, SUBDOMAIN = "Custom::PublishedZone", "Custom::DelegatedSubdomain"
EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "cdk" / "examples"
_HOST, _, _PORT = os.environ["DNS_ADDRESS"].rpartition(":")
DNS = (_HOST, int(_PORT))


def synthesized(example, step, zone, *replaced, **context):
    """An example's templates at a step, with its assets in the accounts' buckets. `zone` is the parent's id, `replaced` are further
    (text, text) pairs."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        subprocess.run(["node", "--import", "tsx", "app.ts"], cwd=EXAMPLES / example, check=True, env={
            **os.environ, "CDK_OUTDIR": folder,
            "CDK_CONTEXT_JSON": json.dumps({"functionZips": ZIPS, **_context(example), **context, "step": step})})
        for manifest in out.glob("*.assets.json"):
            for asset in json.loads(manifest.read_text())["files"].values():
                upload(out / asset["source"]["path"], next(iter(asset["destinations"].values())))
        return [placed((out / f"{name}.template.json").read_text(), zone, *replaced) for name in ("Networking", "Consumer")]


def _context(example):
    return json.loads((EXAMPLES / example / "cdk.json").read_text()).get("context", {})


def placed(text, zone, *replaced):
    for old, new in replaced:
        text = text.replace(old, new)
    return templates.placed(text, zone)


def upload(source, destination):
    """An asset of the app, as the CDK publishes it."""
    if source.name.endswith(".template.json"):
        return
    if source.is_dir():
        source = pathlib.Path(shutil.make_archive(str(source), "zip", source))
    bucket = templates.placed_text(destination["bucketName"])
    client("s3", NETWORKING if NETWORKING in bucket else CONSUMER).upload_file(str(source), bucket, destination["objectKey"])


def old_role(name, zone, *statements):
    """A role of the networking account as such set-ups have it: the consumer may UPSERT and DELETE in the
    zone."""
    iam = client("iam", NETWORKING)
    document = lambda *all_of_it: json.dumps({"Version": "2012-10-17", "Statement": list(all_of_it)})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document({
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{CONSUMER}:root"}}))
    iam.put_role_policy(RoleName=name, PolicyName="delegation", PolicyDocument=document(
        {"Effect": "Allow", "Action": "route53:ChangeResourceRecordSets", "Resource": f"arn:aws:route53:::hostedzone/{zone}"},
        *statements))
    return f"arn:aws:iam::{NETWORKING}:role/{name}"


def forget(role):
    """Deletes what the last step of a migration deletes."""
    iam = client("iam", NETWORKING)
    iam.delete_role_policy(RoleName=role, PolicyName="delegation")
    iam.delete_role(RoleName=role)


def retained(template, kind):
    """The template with its resource of this type retained, which is the only difference of the steps `retained` and `taken-over`, as the
    examples' own tests prove."""
    kept = copy.deepcopy(template)
    resource, _ = templates.only(kept["Resources"], kind)
    kept["Resources"][resource] |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return kept


def failing(template, kind, zone, name):
    """The template with one more resource, which fails after that of this type is created: the zone's own NS record set exists."""
    fails = copy.deepcopy(template)
    made, _ = templates.only(fails["Resources"], kind)
    fails["Resources"]["Failing"] = {"Type": "AWS::Route53::RecordSet", "DependsOn": made, "Properties": {
        "HostedZoneId": zone, "Name": f"{name}.", "Type": "NS", "TTL": "900", "ResourceRecords": ["ns.example.com."]}}
    return fails


class Migration(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base_zone, _ = make_zone(NETWORKING, BASE_DOMAIN)
        templates.provide(NETWORKING, templates.NETWORKING_STACK)
        templates.provide(CONSUMER, templates.CONSUMER_STACK)

    def test_from_the_cdks_cross_account_record_and_back_and_again(self):
        parent, zone = self.parent("build")
        old_role("build-delegation", zone, {"Effect": "Allow", "Action": "route53:ListHostedZonesByName", "Resource": "*"})
        first_networking, before = synthesized("migrate-from-cdk", "before", zone)
        networking, after = synthesized("migrate-from-cdk", "after", zone)
        old_kept, new_kept = retained(before, OLD_RECORD), retained(after, SUBDOMAIN)

        stack = self.created(CONSUMER, "migrating-from-cdk", before)
        child, _ = templates.only(before["Resources"], "AWS::Route53::HostedZone")
        name, child_zone = f"dev.{parent}", stack.resources()[child]
        self.www(name, child_zone)
        with self.watched(name) as watch:
            self.published("migrating-networking", first_networking, networking, zone, parent)
            self.updated(stack, old_kept)
            self.rolled_back(stack, failing(new_kept, SUBDOMAIN, child_zone, name))
            self.moved(name, zone, child_zone, ttl=172_800)
            self.updated(stack, new_kept)
            self.updated(stack, after)
            self.updated(stack, new_kept)
            self.rolled_back(stack, failing(old_kept, OLD_RECORD, child_zone, name))
            self.updated(stack, old_kept)
            self.updated(stack, before)
            self.delegated(name, zone, child_zone, ttl=172_800)
            self.updated(stack, old_kept)
        self.answered(watch)
        with self.watched(name) as watch:
            self.rolled_back(stack, failing(after, SUBDOMAIN, child_zone, name))
        self.assertNotEqual(watch.failed, [], "a resource that is not retained deletes the delegation")
        self.updated(stack, new_kept)
        self.updated(stack, after)
        forget("build-delegation")
        self.moved(name, zone, child_zone, ttl=300)
        self.assertEqual(stack.resources()[child], child_zone)

        change(CONSUMER, child_zone, "DELETE", f"www.{name}", "A", "192.0.2.80")
        self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.reasons("DELETE_FAILED"))
        self.assertNotIn((f"{name}.", "NS"), inventory.zones(NETWORKING)[zone]["record sets"])

    def test_from_a_sample_in_python_that_reads_parameters(self):
        parent, zone = self.parent("sample")
        parameter = "/sample/zone"
        client("ssm", NETWORKING).put_parameter(Name=parameter, Value=zone, Type="String")
        old_role("sample-delegation", zone, {
            "Effect": "Allow", "Action": "ssm:GetParameter", "Resource": f"arn:aws:ssm:{REGION}:{NETWORKING}:parameter{parameter}"})
        # The other migration has the names that the examples share.
        apart = (("build.example.com", "sample.example.com"), ("zone-delegation/dev", "zone-delegation/sample"),
                 ("zone-delegation-dev-", "zone-delegation-sample-"))
        first_networking, before = synthesized("migrate-from-python", "before", zone, *apart)
        self.does_not_resolve_without_the_first_step(placed(json.dumps(before), zone, (f"dev.{parent}", f"dark.{parent}")), f"dark.{parent}")

        stack, name = self.created(CONSUMER, "migrating-from-python", before), f"dev.{parent}"
        child_zone = stack.resources()["SampleSubdomain"]
        networking, after = synthesized("migrate-from-python", "after", zone, *apart, hostedZoneId=child_zone)
        with self.watched(name) as watch:
            self.published("migrating-sample-networking", first_networking, networking, zone, parent)
            self.updated(stack, retained(before, SAMPLE))
            new_kept = retained(after, SUBDOMAIN)
            self.rolled_back(stack, failing(new_kept, SUBDOMAIN, child_zone, name))
            self.updated(stack, new_kept)
            self.updated(stack, after)
            forget("sample-delegation")
            client("ssm", NETWORKING).delete_parameter(Name=parameter)
        self.answered(watch)
        self.moved(name, zone, child_zone, ttl=3600)

    def does_not_resolve_without_the_first_step(self, before, name):
        """Shows that the name does not resolve without the first step, and that the watch finds this."""
        stack = self.created(CONSUMER, "skipping-a-step", before)
        sample, _ = templates.only(before["Resources"], SAMPLE)
        after = json.loads(json.dumps(before).replace(json.dumps({"Ref": sample}), json.dumps(stack.resources()[sample])))
        del after["Resources"][sample]
        with self.watched(name) as watch:
            self.updated(stack, after)
        self.assertNotEqual(watch.failed, [])

    def parent(self, label):
        """An existing zone of the networking account: its name and its id."""
        name = f"{label}.{BASE_DOMAIN}"
        zone, servers = make_zone(NETWORKING, name)
        change(NETWORKING, self.base_zone, "CREATE", name, "NS", *(f"{one}." for one in servers))
        return name, zone

    def published(self, name, first, template, zone, zone_name):
        """Publishes the zone, which has delegations, at the second attempt: the first one fails and leaves
        nothing that prevents the second."""
        stack = Stack(NETWORKING, name)
        self.assertEqual(stack.create(failing(first, PUBLISHED, zone, zone_name)), "ROLLBACK_COMPLETE", stack.reasons("DELETE_FAILED"))
        self.assertEqual(list(stack.reasons("CREATE_FAILED")), ["Failing"])
        self.assertEqual(stack.delete(), "DELETE_COMPLETE")
        self.assertNotEqual(template, first)
        self.updated(self.created(NETWORKING, name, first), template)

    def created(self, account, name, template):
        stack = Stack(account, name)
        self.assertEqual(stack.create(template), "CREATE_COMPLETE", stack.reasons("CREATE_FAILED"))
        return stack

    def updated(self, stack, template):
        self.assertEqual(stack.update(template), "UPDATE_COMPLETE", stack.reasons("UPDATE_FAILED"))

    def rolled_back(self, stack, template):
        """Checks that the update fails only for `failing`'s resource, and is rolled back."""
        self.assertEqual(stack.update(template), "UPDATE_ROLLBACK_COMPLETE", stack.reasons("UPDATE_FAILED"))
        # On AWS its status is CREATE_FAILED, in the emulator UPDATE_FAILED.
        self.assertEqual(list(stack.reasons("CREATE_FAILED") | stack.reasons("UPDATE_FAILED")), ["Failing"])

    def www(self, name, zone):
        self.assertFalse(answers(DNS, f"www.{name}"), "the name must not resolve")
        change(CONSUMER, zone, "CREATE", f"www.{name}", "A", "192.0.2.80")

    def watched(self, name):
        """A watch of the name's `www`, which resolves by now or soon."""
        name = f"www.{name}"
        for _ in range(100):
            if answers(DNS, name):
                return Watch(DNS, name)
            time.sleep(0.1)
        raise AssertionError(f"{name} does not resolve")

    def answered(self, watch):
        """Checks that the name resolved throughout."""
        self.assertGreater(watch.asked, 20)
        self.assertEqual(watch.failed, [])

    def delegated(self, name, parent_zone, zone, ttl):
        """Checks that the parent delegates the name to the zone that existed before."""
        servers = client("route53", CONSUMER).get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"]
        found, values = inventory.zones(NETWORKING)[parent_zone]["record sets"][f"{name}.", "NS"]
        self.assertEqual((found, sorted(value.rstrip(".") for value in values)), (ttl, sorted(servers)))

    def moved(self, name, parent_zone, zone, ttl):
        """Checks that this project's resource delegates the same zone, with the record set that it
        adopted."""
        self.delegated(name, parent_zone, zone, ttl)
        self.assertIn("zone-delegation:stack-id", inventory.zones(CONSUMER)[zone]["tags"])


if __name__ == "__main__":
    unittest.main()
